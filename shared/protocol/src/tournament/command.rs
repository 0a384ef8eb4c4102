//! What may be asked of a tournament.

use std::borrow::Cow;

use serde::Serialize;

use crate::object::{Object, Unfit};

/// The `do` of a command. Tag `a`. Written by serde, and read, strictly, by [`TournamentCommand::read`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "a", rename_all = "snake_case")]
pub enum TournamentCommand {
    /// Take part.
    Register,
    /// Do not: as long as it has not begun.
    Unregister,
    /// A director stops the clock; no hand begins.
    Pause,
    /// A director lets it go on.
    Resume,
    /// A director gives the level that is on more time.
    AddTime {
        /// So much, milliseconds.
        ms: u64,
    },
    /// A director calls it off before it has begun.
    Cancel,
    /// A director has somebody sit out the next hands, whose blinds and antes he pays.
    Penalty {
        /// The number of the entry.
        entry: u32,
        /// So many hands of his table; 0 ends a penalty.
        hands: u32,
    },
    /// A director takes somebody out, with all chips.
    Disqualify {
        /// The number of the entry.
        entry: u32,
    },
}

impl TournamentCommand {
    /// The tags of all commands.
    pub const TAGS: [&'static str; 8] =
        ["register", "unregister", "pause", "resume", "add_time", "cancel", "penalty", "disqualify"];

    /// Reads a command: no field may be missing, unknown, doubled or of another type.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("do", "an object"))?;
        let tag: Cow<'_, str> = fields.required("a")?;
        let command = match &*tag {
            "register" => Self::Register,
            "unregister" => Self::Unregister,
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            "add_time" => Self::AddTime { ms: fields.required("ms")? },
            "cancel" => Self::Cancel,
            "penalty" => Self::Penalty { entry: fields.required("entry")?, hands: fields.required("hands")? },
            "disqualify" => Self::Disqualify { entry: fields.required("entry")? },
            other => return Err(Unfit::unknown_word("a", other)),
        };
        fields.end()?;
        Ok(command)
    }
}
