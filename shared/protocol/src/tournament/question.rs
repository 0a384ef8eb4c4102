//! What anybody may ask a tournament, and what it answers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::view::{Prize, Standing};
use crate::{
    id::RoomId,
    object::{Object, Unfit},
    table::DeclinedCode,
};

/// The `q` of a question. Tag `about`. Written by serde, and read, strictly, by [`TournamentQuestion::read`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum TournamentQuestion {
    /// Where whoever asks belongs.
    Me,
    /// Who stands where: those that play by their chips, then those that are out by their places.
    Standings {
        /// From which line on, from 0.
        from: u64,
    },
    /// All prizes.
    Prizes,
    /// All tables.
    Tables {
        /// From which line on, from 0.
        from: u64,
    },
}

impl TournamentQuestion {
    /// The tags of all questions.
    pub const TAGS: [&'static str; 4] = ["me", "standings", "prizes", "tables"];

    /// Reads a question: no field may be missing, unknown, doubled or of another type.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("q", "an object"))?;
        let tag: Cow<'_, str> = fields.required("about")?;
        let question = match &*tag {
            "me" => Self::Me,
            "standings" => Self::Standings { from: fields.optional("from")?.unwrap_or(0) },
            "prizes" => Self::Prizes,
            "tables" => Self::Tables { from: fields.optional("from")?.unwrap_or(0) },
            other => return Err(Unfit::unknown_word("about", other)),
        };
        fields.end()?;
        Ok(question)
    }
}

/// The `body` of an answer. Tag `about`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum TournamentAnswer {
    /// Where whoever asks belongs; null: he does not take part.
    Me {
        /// His line.
        me: Option<Standing>,
        /// He has asked to take part, and does as soon as the chips are there that it costs.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        paying: bool,
        /// Why he does not take part though he has asked to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        declined: Option<DeclinedCode>,
    },
    /// Who stands where.
    Standings {
        /// From which line on.
        from: u64,
        /// How many there are.
        total: u64,
        /// At most [`PAGE_MAX`](super::PAGE_MAX).
        lines: Vec<Standing>,
    },
    /// All prizes.
    Prizes {
        /// What they come to.
        pool: u64,
        /// Whether more entries may still come, and change them.
        open: bool,
        /// Best place first.
        prizes: Vec<Prize>,
    },
    /// All tables.
    Tables {
        /// From which line on.
        from: u64,
        /// How many there are.
        total: u64,
        /// At most [`PAGE_MAX`](super::PAGE_MAX).
        tables: Vec<Where>,
    },
}

/// A table of a tournament.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Where {
    /// Which.
    pub room: RoomId,
    /// How many sit there.
    pub players: u32,
}
