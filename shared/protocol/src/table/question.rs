//! What anybody may ask a table, and what it answers. An answer follows from what everybody sees ([`TableView`]) and from nothing
//! else, so no question tells what is hidden.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    config::TableConfig,
    view::{SeatStatus, TableView},
};
use crate::{
    id::UserId,
    object::{Object, Unfit},
};

/// The `q` of a question. Tag `about`. Written by serde, and read, strictly, by [`TableQuestion::read`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum TableQuestion {
    /// Who sits where, and with how much.
    Seats,
    /// What the table is set to.
    Settings,
}

impl TableQuestion {
    /// The tags of all questions.
    pub const TAGS: [&'static str; 2] = ["seats", "settings"];

    /// Reads a question: no field may be missing, unknown, doubled or of another type.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("q", "an object"))?;
        let tag: Cow<'_, str> = fields.required("about")?;
        let question = match &*tag {
            "seats" => Self::Seats,
            "settings" => Self::Settings,
            other => return Err(Unfit::unknown_word("about", other)),
        };
        fields.end()?;
        Ok(question)
    }

    /// What a table that looks like this answers.
    pub fn answer(self, view: &TableView) -> TableAnswer {
        match self {
            Self::Seats => {
                let seats = view.seats.iter().zip(0..);
                let taken: Vec<Seated> = seats
                    .filter_map(|(seat, number)| Some((seat.as_ref()?, number)))
                    .map(|(seat, number)| Seated {
                        seat: number,
                        user: seat.user.clone(),
                        name: seat.name.clone(),
                        bot: seat.user.is_bot(),
                        stack: seat.stack,
                        bet: seat.bet,
                        status: seat.status,
                        away: seat.away,
                    })
                    .collect();
                let free = view.config.seats.saturating_sub(u8::try_from(taken.len()).unwrap_or(u8::MAX));
                TableAnswer::Seats { taken, free, hand: view.hand.as_ref().map_or(0, |hand| hand.hand) }
            }
            Self::Settings => TableAnswer::Settings { config: Box::new(view.config.clone()) },
        }
    }
}

/// The `body` of an answer. Tag `about`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum TableAnswer {
    /// See [`TableQuestion::Seats`].
    Seats {
        /// Who sits, in the order of the seats.
        taken: Vec<Seated>,
        /// How many are free.
        free: u8,
        /// The number of the hand that is played, or was last; 0 before the first.
        hand: u64,
    },
    /// See [`TableQuestion::Settings`].
    Settings {
        /// The settings.
        #[serde(deserialize_with = "super::config::boxed_of_any_house")]
        config: Box<TableConfig>,
    },
}

/// Who has a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seated {
    /// Which seat.
    pub seat: u8,
    /// Who.
    pub user: UserId,
    /// The name to show.
    pub name: String,
    /// One of the house's own bots.
    pub bot: bool,
    /// Chips behind.
    pub stack: u64,
    /// Chips bet on this street.
    pub bet: u64,
    /// Between hands.
    pub status: SeatStatus,
    /// Whether the connection is gone.
    pub away: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_what_is_wrong_is_said() {
        for question in [TableQuestion::Seats, TableQuestion::Settings] {
            let text = serde_json::to_string(&question).unwrap();
            assert_eq!(TableQuestion::read(&text), Ok(question));
            assert!(TableQuestion::TAGS.contains(&text.split('"').nth(3).unwrap()), "{text}");
        }
        for (text, said) in [
            (r#"["seats"]"#, "`q` is not an object"),
            (r#"{}"#, "`about` is missing"),
            (r#"{"about":"cards"}"#, "`about` is `cards`, which this house does not know"),
            (r#"{"about":"seats","seat":1}"#, "`seat` does not belong here"),
            (r#"{"about":"seats","about":"seats"}"#, "`about` comes twice"),
        ] {
            assert_eq!(TableQuestion::read(text).unwrap_err().to_string(), said, "{text}");
        }
    }
}
