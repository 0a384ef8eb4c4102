//! How an errand comes to the cage and its answer back, between processes: a POST with the one, answered by the other.

use protocol::id::{ErrandId, RoomId};
use serde::{Deserialize, Serialize};

use crate::{Body, Why};

/// Where the cage is asked.
pub const PATH: &str = "/cage/errands";

/// For what the keys are that requests are signed with.
pub const PURPOSE: &str = "cage 1";

/// The largest request and the largest answer, in bytes.
pub const BYTES_MAX: usize = 4 * 1024;

/// An errand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Whose.
    pub room: RoomId,
    /// Its name.
    pub id: ErrandId,
    /// What is asked ([`Ask`](crate::Ask)), as it stands in the journal.
    pub body: Vec<u8>,
}

/// How it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answered {
    /// It is done.
    Done(Vec<u8>),
    /// It is not, nor will it be.
    Refused(Why),
}

impl Body for Asked {}
impl Body for Answered {}

#[cfg(test)]
mod tests {
    use protocol::id::Position;

    use super::*;

    /// Processes of two releases speak to each other while a house is updated.
    #[test]
    fn the_bytes_stay_what_they_are() {
        let id = ErrandId { at: Position::new(300, 6), n: 1 };
        let asked = Asked { room: RoomId::new("t1").unwrap(), id, body: vec![1, 9] };
        let bytes = [1, 2, b't', b'1', 0xac, 0x02, 6, 1, 2, 1, 9];
        assert_eq!(asked.write(), bytes);
        assert_eq!(Asked::read(&bytes), Ok(asked));
        assert_eq!(Answered::Done(vec![7]).write(), [1, 0, 1, 7]);
        assert_eq!(Answered::read(&[1, 1, 0]), Ok(Answered::Refused(Why::Insufficient)));
    }
}
