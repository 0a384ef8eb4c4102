//! How a hand travels: sealed, with the place at which its table has told of it.

use bytes::Bytes;
use protocol::id::{Position, RoomId};
use serde::{Deserialize, Serialize};

use crate::{Unread, read, write};

const VERSION: u8 = 1;

/// A message of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Which table.
    pub room: RoomId,
    /// The frame that told of the hand: with the room, its name.
    pub at: Position,
    /// A [`HandRecord`](crate::HandRecord), sealed for this place.
    pub sealed: Bytes,
}

impl Sent {
    /// A message.
    pub fn write(&self) -> Bytes {
        write(VERSION, self).into()
    }

    /// Reads it again.
    ///
    /// # Errors
    /// [`Unread`], whatever the bytes are.
    pub fn read(bytes: &[u8]) -> Result<Self, Unread> {
        read(VERSION, bytes)
    }
}
