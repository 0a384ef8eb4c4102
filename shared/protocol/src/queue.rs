//! Queues, in which players wait who look for a seat and find none: what they are asked, and what each player is told.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    id::RoomId,
    object::{Object, Unfit},
};

/// What such a room is called in keyframes, in the lobby and in the map of rooms.
pub const KIND: &str = "queue";

/// The `do` of a command. Tag `a`. Written by serde, and read, strictly, by [`QueueCommand::read`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "a", rename_all = "snake_case")]
pub enum QueueCommand {
    /// Takes a place in the queue, behind all others.
    Join,
    /// Gives it up.
    Leave,
}

impl QueueCommand {
    /// The tags of all commands.
    pub const TAGS: [&'static str; 2] = ["join", "leave"];

    /// Reads a command: no field may be missing, unknown, doubled or of another type.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("do", "an object"))?;
        let tag: Cow<'_, str> = fields.required("a")?;
        let command = match &*tag {
            "join" => Self::Join,
            "leave" => Self::Leave,
            other => return Err(Unfit::unknown_word("a", other)),
        };
        fields.end()?;
        Ok(command)
    }
}

/// A keyframe's `state`: for which tables one waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// A table is opened when so many wait.
    pub opens_at: u8,
    /// What they are called.
    pub name: String,
    /// How many seats they have.
    pub seats: u8,
    /// Chips.
    pub small_blind: u64,
    /// Chips.
    pub big_blind: u64,
    /// The least that one brings, chips.
    pub buy_in_min: u64,
    /// The most.
    pub buy_in_max: u64,
}

/// What one player is told: where he stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuePrivate {
    /// How many parts the player has got, this one included.
    pub k: u64,
    /// He waits: how many are before him, and he. As it was when he was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// He waits no more: at this table he is called to a seat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        for command in [QueueCommand::Join, QueueCommand::Leave] {
            let written = serde_json::to_string(&command).unwrap();
            assert_eq!(QueueCommand::read(&written), Ok(command));
        }
        for (text, said) in [
            (r#"{"a":"accept"}"#, "`a` is `accept`, which this house does not know"),
            (r#"{"a":"join","tables":2}"#, "`tables` does not belong here"),
        ] {
            assert_eq!(QueueCommand::read(text).unwrap_err().to_string(), said, "{text}");
        }
    }
}
