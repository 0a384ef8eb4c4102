//! What a table asks of the agency: somebody who plays for an AI player whom the host has invited.
//!
//! A table *asks* by an errand of the service [`SERVICE`], whose body is [`Wanted`]s. The service puts each as a [`Job`] into the queue
//! [`QUEUE`], from which agencies take it: whoever takes it connects as that user, and sits down, or goes on where another has left off. The table
//! alone knows whether somebody plays, since it knows who is there: where nobody is it asks again. So a job says nothing that would have to be
//! kept, one that is lost is asked for again, and one that comes twice brings somebody whose seat is another's by then.

use protocol::{
    hosted::AiLevel,
    id::{RoomId, UserId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The service that tables ask.
pub const SERVICE: &str = "seats";

/// The queue of jobs.
pub const QUEUE: &str = "seats";

/// What is written begins with this.
const VERSION: u8 = 1;

/// An AI player for whom somebody is to play.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Whose seat it is.
    pub user: UserId,
    /// What others see.
    pub name: String,
    /// How strong it is.
    pub level: AiLevel,
    /// After this somebody else was asked, or nobody is any more.
    pub until_ms: UnixMs,
}

/// The same, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The table.
    pub room: RoomId,
    /// For whom.
    pub wanted: Wanted,
}

/// What cannot be read: of a later release, or damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Another version.
    #[error("it is of version {0:?}, and this release reads {VERSION}")]
    Version(Option<u8>),
    /// Damage.
    #[error("it cannot be read: {0}")]
    Damaged(#[from] postcard::Error),
}

/// Writes what a table asks.
pub fn write(wanted: &[Wanted]) -> Vec<u8> {
    put(&wanted)
}

/// Reads it.
///
/// # Errors
/// [`Unread`].
pub fn read(body: &[u8]) -> Result<Vec<Wanted>, Unread> {
    take(body)
}

impl Job {
    /// As it stands in the queue.
    pub fn write(&self) -> Vec<u8> {
        put(self)
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Unread`].
    pub fn read(message: &[u8]) -> Result<Self, Unread> {
        take(message)
    }
}

fn put(what: &impl Serialize) -> Vec<u8> {
    postcard::to_extend(what, vec![VERSION]).expect("it can always be written")
}

fn take<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unread> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => Ok(postcard::from_bytes(rest)?),
        other => Err(Unread::Version(other.map(|(version, _)| *version))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            user: UserId::new("bot-ai").unwrap(),
            name: "Ada hard".into(),
            level: AiLevel::Hard,
            until_ms: 1,
        }
    }

    #[test]
    fn what_was_written_is_read_and_stays_as_it_is() {
        assert_eq!(read(&write(&[wanted()])), Ok(vec![wanted()]));
        let job = Job { room: RoomId::new("t-x").unwrap(), wanted: wanted() };
        let stands = b"\x01\x03t-x\x06bot-ai\x08Ada hard\x02\x01";
        assert_eq!(job.write(), stands);
        assert_eq!(Job::read(stands), Ok(job));
    }

    #[test]
    fn what_cannot_be_read_is_said_to_be_so() {
        assert_eq!(Job::read(b""), Err(Unread::Version(None)));
        assert_eq!(Job::read(b"\x02\x03t-x"), Err(Unread::Version(Some(2))));
        assert!(matches!(Job::read(b"\x01\x03t-x"), Err(Unread::Damaged(_))));
    }
}
