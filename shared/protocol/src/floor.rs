//! Rooms of the floor, from which players open [tables of their own](super::hosted): what they are asked, and what each player is told of his.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    hosted::{Access, AiSeats, Choice, HostLeaves},
    id::{RoomId, UserId, spread},
    object::{Object, Unfit},
    rail::RailChoice,
};

/// What such a room is called in keyframes and in the map of rooms.
pub const KIND: &str = "floor";

/// So many there are. Given once and for ever: where somebody is served follows from it.
pub const ROOMS: u8 = 16;

/// All of them.
///
/// # Panics
/// Never: these are names.
pub fn rooms() -> impl Iterator<Item = RoomId> {
    (0..ROOMS).map(|number| RoomId::new(&format!("floor-{number:02}")).expect("a name"))
}

/// Where a user is served: FNV-1a of the user's name in 64 bits, modulo 16.
///
/// # Panics
/// Never: it is one of them.
pub fn room_of(user: &UserId) -> RoomId {
    let number = spread(user, u64::from(ROOMS));
    let number = usize::try_from(number).expect("it is small");
    rooms().nth(number).expect("it is one of them")
}

/// What the names of players' tables begin with; sixteen characters follow, eighty bits that nobody can guess.
pub const TABLE_PREFIX: &str = "t-";

/// The `do` of a command. Tag `a`. Written by serde, and read, strictly, by [`FloorCommand::read`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "a", rename_all = "snake_case")]
pub enum FloorCommand {
    /// Opens a table, whose host one is.
    CreateTable {
        /// The game.
        config: Choice,
        /// Who may sit down.
        access: Access,
        /// What becomes of it when the host leaves.
        host_leaves: HostLeaves,
        /// How those watch it who have no seat. Houses of earlier releases refuse it.
        #[serde(skip_serializing_if = "RailChoice::is_default")]
        rail: RailChoice,
        /// Whether AI players may sit there. Houses of earlier releases refuse it.
        #[serde(skip_serializing_if = "AiSeats::is_default")]
        ai: AiSeats,
    },
}

impl FloorCommand {
    /// The tags of all commands.
    pub const TAGS: [&'static str; 1] = ["create_table"];

    /// Reads a command: no field may be missing, unknown, doubled or of another type.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("do", "an object"))?;
        let tag: Cow<'_, str> = fields.required("a")?;
        let command = match &*tag {
            "create_table" => Self::CreateTable {
                config: Choice::read(fields.required("config")?)?,
                access: fields.required("access")?,
                host_leaves: fields.optional("host_leaves")?.unwrap_or(HostLeaves::PassOn),
                rail: fields.optional("rail")?.map(RailChoice::read).transpose()?.unwrap_or_default(),
                ai: fields.optional("ai")?.unwrap_or_default(),
            },
            other => return Err(Unfit::unknown_word("a", other)),
        };
        fields.end()?;
        Ok(command)
    }
}

/// A keyframe's `state`: what the house allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloorRules {
    /// Whether players may open tables here.
    pub opens: bool,
    /// So many tables of one player may be open.
    pub tables_max: u32,
    /// The largest big blind, chips.
    pub big_blind_max: u64,
    /// So late those may see a table who have no seat there, milliseconds. Houses of earlier releases have tables that are live, and do not say so.
    #[serde(default)]
    pub rail_delay_max_ms: u32,
    /// How late at least they see a table where they see cards with the hand, milliseconds. Houses of earlier releases show nobody's cards, and do
    /// not say so.
    #[serde(default)]
    pub rail_cards_delay_min_ms: u32,
    /// The most that may be chosen of how many may watch a table at once. Houses of earlier releases let as many watch as come, and do not say so.
    #[serde(default)]
    pub rail_viewers_max: u32,
}

/// What one player is told: all his tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloorPrivate {
    /// How many parts the player has got, this one included.
    pub k: u64,
    /// The oldest first.
    pub tables: Vec<OwnTable>,
}

/// A table that a player has opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnTable {
    /// Its room.
    pub room: RoomId,
    /// Its name when it was opened.
    pub name: String,
    /// It is there; else it is being opened.
    pub is_open: bool,
}

/// The `q` of a question. Tag `about`. Written by serde, and read, strictly, by [`FloorQuestion::read`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum FloorQuestion {
    /// What the house allows.
    Rules,
}

impl FloorQuestion {
    /// The tags of all questions.
    pub const TAGS: [&'static str; 1] = ["rules"];

    /// Reads a question.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("q", "an object"))?;
        let tag: Cow<'_, str> = fields.required("about")?;
        let question = match &*tag {
            "rules" => Self::Rules,
            other => return Err(Unfit::unknown_word("about", other)),
        };
        fields.end()?;
        Ok(question)
    }
}

/// The `body` of an answer. Tag `about`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum FloorAnswer {
    /// See [`FloorQuestion::Rules`].
    Rules(FloorRules),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        let config = r#"{"name":"Friday","seats":6,"small_blind":1,"big_blind":2,"buy_in_min":80,"buy_in_max":400,"turn_ms":15000}"#;
        let asks = |rest: &str| format!(r#"{{"a":"create_table","config":{config}{rest}}}"#);
        let read = FloorCommand::read(&asks(r#","access":"unlisted""#)).unwrap();
        let FloorCommand::CreateTable { access, host_leaves, .. } = &read;
        assert_eq!((*access, *host_leaves), (Access::Unlisted, HostLeaves::PassOn));
        assert_eq!(FloorCommand::read(&serde_json::to_string(&read).unwrap()), Ok(read));
        let late = asks(r#","access":"public","rail":{"delay_ms":30000}"#);
        let FloorCommand::CreateTable { rail, .. } = FloorCommand::read(&late).unwrap();
        assert_eq!(rail.config(), Ok(crate::rail::RailConfig::late(30_000)));
        let few = asks(r#","access":"public","rail":{"viewers_max":12}"#);
        let FloorCommand::CreateTable { rail, .. } = FloorCommand::read(&few).unwrap();
        assert_eq!(rail.config().map(|rail| (rail.viewers_max, rail.delay_ms)), Ok((12, 0)));
        let FloorCommand::CreateTable { rail, .. } = FloorCommand::read(&few.replace("12", "1001")).unwrap();
        assert_eq!(
            rail.config().unwrap_err(),
            "1000 may watch at most, or, with 0, as many as come: `rail.viewers_max`"
        );
        for (text, said) in [
            (asks(""), "`access` is missing"),
            (asks(r#","access":"code","code":"x""#), "`code` does not belong here"),
            (asks(r#","access":"code","host_leaves":"stays""#), "`host_leaves` is not pass_on or close"),
            (asks(r#","access":"public","rail":30000"#), "`rail` is not an object"),
            (
                asks(r#","access":"public","rail":{"cards":"all"}"#),
                "`cards` is not never, after_hand or delayed",
            ),
            (
                asks(r#","access":"public","rail":{"delay_ms":-1}"#),
                "`delay_ms` is not a whole number from 0 to 9007199254740991, in digits alone",
            ),
            (asks(r#","access":"public","rail":{"delay":1}"#), "`delay` does not belong here"),
            (r#"{"a":"close_table"}"#.into(), "`a` is `close_table`, which this house does not know"),
        ] {
            assert_eq!(FloorCommand::read(&text).unwrap_err().to_string(), said, "{text}");
        }
    }

    #[test]
    fn everybody_is_served_in_one_of_sixteen_rooms_for_ever() {
        let room = |user: &str| room_of(&UserId::new(user).unwrap()).to_string();
        assert_eq!((room("ann"), room("bob")), ("floor-08".to_owned(), "floor-04".to_owned()));
        let served: std::collections::BTreeSet<String> = (0..500).map(|at| room(&format!("u{at}"))).collect();
        assert_eq!(served, rooms().map(|room| room.to_string()).collect());
    }
}
