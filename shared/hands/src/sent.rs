//! How a hand travels: sealed, with the place at which its table has told of it.

use bytes::Bytes;
use protocol::id::{Position, RoomId};

use crate::{Unread, read, write};

/// Of hands that anybody may see at once.
const AT_ONCE: u8 = 1;

/// Of hands that others may see later. A reception that does not know the delay must not tell others of the hand, so it does not read it.
const LATER: u8 = 2;

/// A message of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Which table.
    pub room: RoomId,
    /// The frame that told of the hand: with the room, its name.
    pub at: Position,
    /// A [`HandRecord`](crate::HandRecord), sealed for this place.
    pub sealed: Bytes,
    /// So long after it has ended nobody may see it but those who have played it, milliseconds: so late the table shows itself to its rail.
    pub late_ms: u32,
}

/// What stands in a message of either version.
type Always = (RoomId, Position, Bytes);

impl Sent {
    /// A message.
    pub fn write(&self) -> Bytes {
        let Self { room, at, sealed, late_ms } = self;
        match late_ms {
            0 => write(AT_ONCE, &(room, at, sealed)),
            late_ms => write(LATER, &((room, at, sealed), late_ms)),
        }
        .into()
    }

    /// Reads it again.
    ///
    /// # Errors
    /// [`Unread`], whatever the bytes are.
    pub fn read(bytes: &[u8]) -> Result<Self, Unread> {
        let ((room, at, sealed), late_ms): (Always, u32) = match bytes.first() {
            Some(&LATER) => read(LATER, bytes)?,
            _ => (read(AT_ONCE, bytes)?, 0),
        };
        Ok(Self { room, at, sealed, late_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(late_ms: u32) -> Sent {
        let room = RoomId::new("t1").unwrap();
        Sent { room, at: Position::new(3, 17), sealed: Bytes::from_static(b"sealed"), late_ms }
    }

    #[test]
    fn a_hand_that_others_see_later_is_not_read_where_the_delay_is_not_known() {
        for late_ms in [0, 1, 900_000] {
            assert_eq!(Sent::read(&sent(late_ms).write()), Ok(sent(late_ms)));
        }
        // As the release before wrote it.
        assert_eq!(sent(0).write(), b"\x01\x02t1\x03\x11\x06sealed".as_slice());
        assert_eq!(sent(300).write(), b"\x02\x02t1\x03\x11\x06sealed\xac\x02".as_slice());
        assert_eq!(read::<Always>(AT_ONCE, &sent(300).write()), Err(Unread::Later(2)));
    }

    #[test]
    fn what_is_something_else_is_not_read() {
        let written = sent(300).write();
        for end in 0..written.len() {
            assert!(Sent::read(&written[..end]).is_err(), "{end}");
        }
        let longer = [&written[..], b"x"].concat();
        assert_eq!(Sent::read(&longer), Err(Unread::TooLong(1)));
        assert_eq!(Sent::read(b"\x03"), Err(Unread::Later(3)));
    }
}
