//! What a player may ask of a table.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Card;
use crate::object::{Object, Part, Unfit};

/// No game deals more hole cards.
const SHOWN_MAX: usize = 6;

/// The `do` of a command. Tag `a`. Written by serde, and read, strictly, by [`TableCommand::read`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "a", rename_all = "snake_case")]
pub enum TableCommand {
    /// Take a seat with so many chips.
    Sit {
        /// Which; any free one, if left out.
        #[serde(skip_serializing_if = "Option::is_none")]
        seat: Option<u8>,
        /// Chips, within the table's limits.
        buy_in: u64,
        /// Wait for the big blind instead of posting at once, where blinds are owed on sitting down.
        wait_for_big_blind: bool,
    },
    /// Stand up with all chips: at once, or when the hand that one is in has ended (this hand is folded when its
    /// turn comes).
    Leave,
    /// Be put on the list of those who wait for a seat at a table that is full. Who is on it and has no connection for a minute is taken off.
    Wait,
    /// Be taken off it, or give up the seat to which one is called.
    StopWaiting,
    /// Bring more chips; they come into play with the next hand.
    TopUp {
        /// Chips; with the stack at most the table's largest buy-in.
        amount: u64,
    },
    /// Take no part in further hands.
    SitOut,
    /// Take part again.
    ComeBack {
        /// Wait for the big blind instead of posting what was missed.
        wait_for_big_blind: bool,
    },
    /// Act in the hand.
    Act {
        /// The hand that it answers.
        hand: u64,
        /// The turn that it answers: another than the current one is refused as late, so that an action never hits
        /// the next street.
        turn: u64,
        /// What.
        kind: ActKind,
        /// For `bet` and `raise`: the total on this street after it, chips.
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<u64>,
    },
    /// Say on how many boards one would have the rest of the hand dealt, when that is [offered](super::TableEvent::RunsOffered).
    Runs {
        /// The hand that it answers.
        hand: u64,
        /// 1, or more up to what is offered. The least that anybody says is dealt.
        boards: u8,
    },
    /// Show one's cards after a hand that one need not show (until the next one begins).
    Show {
        /// Which; all, if left out.
        #[serde(skip_serializing_if = "Option::is_none")]
        cards: Option<Vec<Card>>,
    },
    /// Say something to the table.
    Chat {
        /// One [`Line`](crate::text::Line).
        text: String,
    },
}

impl TableCommand {
    /// The tags of all commands.
    pub const TAGS: [&'static str; 11] = [
        "sit",
        "leave",
        "wait",
        "stop_waiting",
        "top_up",
        "sit_out",
        "come_back",
        "act",
        "runs",
        "show",
        "chat",
    ];

    /// Reads a command: no field may be missing, unknown, doubled or of another type.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("do", "an object"))?;
        let tag: Cow<'_, str> = fields.required("a")?;
        let command = match &*tag {
            "sit" => Self::Sit {
                seat: fields.optional("seat")?,
                buy_in: fields.required("buy_in")?,
                wait_for_big_blind: fields.optional("wait_for_big_blind")?.unwrap_or(false),
            },
            "leave" => Self::Leave,
            "wait" => Self::Wait,
            "stop_waiting" => Self::StopWaiting,
            "top_up" => Self::TopUp { amount: fields.required("amount")? },
            "sit_out" => Self::SitOut,
            "come_back" => {
                Self::ComeBack { wait_for_big_blind: fields.optional("wait_for_big_blind")?.unwrap_or(false) }
            }
            "act" => Self::Act {
                hand: fields.required("hand")?,
                turn: fields.required("turn")?,
                kind: fields.required("kind")?,
                to: fields.optional("to")?,
            },
            "runs" => Self::Runs { hand: fields.required("hand")?, boards: fields.required("boards")? },
            "show" => Self::Show { cards: fields.optional("cards")? },
            "chat" => Self::Chat { text: fields.required::<Cow<'_, str>>("text")?.into_owned() },
            other => return Err(Unfit::unknown_word("a", other)),
        };
        fields.end()?;
        Ok(command)
    }
}

/// The cards to show.
impl Part<'_> for Vec<Card> {
    const IS: &'static str = "a list of 1 to 6 cards, such as As";

    fn read(json: &RawValue) -> Option<Self> {
        let cards: Self = serde_json::from_str(json.get()).ok()?;
        (1..=SHOWN_MAX).contains(&cards.len()).then_some(cards)
    }
}

/// A betting action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActKind {
    /// Give the hand up.
    Fold,
    /// Pass, when there is nothing to call.
    Check,
    /// Match the bet, or go all-in for less.
    Call,
    /// The first bet of a street.
    Bet,
    /// More than the bet.
    Raise,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let commands = [
            TableCommand::Sit { seat: Some(3), buy_in: 200, wait_for_big_blind: true },
            TableCommand::Sit { seat: None, buy_in: 200, wait_for_big_blind: false },
            TableCommand::Leave,
            TableCommand::Wait,
            TableCommand::StopWaiting,
            TableCommand::TopUp { amount: 7 },
            TableCommand::SitOut,
            TableCommand::ComeBack { wait_for_big_blind: true },
            TableCommand::Act { hand: 1, turn: 2, kind: ActKind::Raise, to: Some(8) },
            TableCommand::Act { hand: 1, turn: 2, kind: ActKind::Fold, to: None },
            TableCommand::Runs { hand: 1, boards: 2 },
            TableCommand::Show { cards: None },
            TableCommand::Show { cards: Some(vec![Card::new("As").unwrap()]) },
            TableCommand::Chat { text: "\"nice\"\thand".into() },
        ];
        for command in commands {
            let text = serde_json::to_string(&command).unwrap();
            assert_eq!(TableCommand::read(&text), Ok(command));
            assert!(TableCommand::TAGS.contains(&text.split('"').nth(3).unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            (r#"["sit",0,100,false]"#, "`do` is not an object"),
            (r#"{}"#, "`a` is missing"),
            (r#"{"a":"dance"}"#, "`a` is `dance`, which this house does not know"),
            (r#"{"a":"leave","seat":1}"#, "`seat` does not belong here"),
            (r#"{"a":"sit_out","x":null}"#, "`x` does not belong here"),
            (r#"{"a":"show","a":"show"}"#, "`a` comes twice"),
            (r#"{"a":"show","cards":["A"]}"#, "`cards` is not a list of 1 to 6 cards, such as As"),
            (r#"{"a":"show","cards":[]}"#, "`cards` is not a list of 1 to 6 cards, such as As"),
            (r#"{"a":"sit"}"#, "`buy_in` is missing"),
            (
                r#"{"a":"act","hand":1,"turn":1,"kind":"allin"}"#,
                "`kind` is not fold, check, call, bet or raise",
            ),
            (r#"{"a":"chat","text":null}"#, "`text` is not a text"),
        ] {
            assert_eq!(TableCommand::read(text).unwrap_err().to_string(), said, "{text}");
        }
        let fraction = TableCommand::read(r#"{"a":"top_up","amount":1.0}"#).unwrap_err().to_string();
        assert!(fraction.starts_with("`amount` is not a whole number"), "{fraction}");
    }
}
