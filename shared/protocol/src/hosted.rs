//! Tables that players have opened: what their host may ask of them, what is seen of that, and what may be asked about it. All the rest is as
//! at any other [`table`](super::table).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    id::UserId,
    object::{Object, Part, Unfit, word},
    table::{AnteKind, GameVariant, LimitKind, Straddles, TableConfig},
    text::PlayerName,
    time::UnixMs,
};

/// The shortest code that opens a door, characters: whoever tries has five wrong tries a minute.
pub const CODE_CHARS_MIN: usize = 6;

/// And the longest.
pub const CODE_CHARS_MAX: usize = 32;

/// So many AI players are invited by one command: all others of the largest table.
pub const AI_SEATS_MAX: u8 = 9;

/// Who may sit down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Anybody; the table stands in the lobby. All others stand in none.
    Public,
    /// Anybody who knows the table's name, which nobody can guess.
    Unlisted,
    /// Who says the code.
    Code,
    /// Whom the host has let in.
    Approve,
}

impl Access {
    /// Whether one must be let in before one may sit down.
    pub fn is_guarded(self) -> bool {
        matches!(self, Self::Code | Self::Approve)
    }
}

impl Part<'_> for Access {
    const IS: &'static str = "public, unlisted, code or approve";

    fn read(json: &RawValue) -> Option<Self> {
        word(json)
    }
}

/// What becomes of a table whose host has left his seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostLeaves {
    /// Who has sat there for longest is the host from then on.
    PassOn,
    /// It closes when the hand has ended.
    Close,
}

impl Part<'_> for HostLeaves {
    const IS: &'static str = "pass_on or close";

    fn read(json: &RawValue) -> Option<Self> {
        word(json)
    }
}

/// Whether AI players may sit at a table. Said when it is opened, and as long as it is there: who sits down knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AiSeats {
    /// Never.
    None,
    /// Those whom the host invites; everybody sees which they are.
    #[default]
    Marked,
}

impl AiSeats {
    /// Whether it is what is not said.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Part<'_> for AiSeats {
    const IS: &'static str = "none or marked";

    fn read(json: &RawValue) -> Option<Self> {
        word(json)
    }
}

/// How strong an AI player is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AiLevel {
    /// Plays by the looks of its cards: beaten by who knows the game.
    Easy,
    /// As people who know the game.
    Medium,
    /// Reckons what each action brings.
    Hard,
}

impl AiLevel {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::Easy, Self::Medium, Self::Hard];

    /// The word for it: the one of the protocol, and of the players' names.
    pub fn word(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }
}

impl Part<'_> for AiLevel {
    const IS: &'static str = "easy, medium or hard";

    fn read(json: &RawValue) -> Option<Self> {
        word(json)
    }
}

/// What a player chooses of a table's settings; all others are the house's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What people call it: as a player's name may be.
    pub name: String,
    /// The game.
    pub variant: GameVariant,
    /// Its betting limit.
    pub limit: LimitKind,
    /// How many.
    pub seats: u8,
    /// Chips.
    pub small_blind: u64,
    /// Chips.
    pub big_blind: u64,
    /// Chips a hand and payer; 0 for none.
    pub ante: u64,
    /// Who pays it.
    pub ante_kind: AnteKind,
    /// Who straddles.
    pub straddles: Straddles,
    /// Chips.
    pub buy_in_min: u64,
    /// Chips.
    pub buy_in_max: u64,
    /// Time for a turn, milliseconds.
    pub turn_ms: u64,
}

/// The words of an enum of the settings.
macro_rules! words {
    ($($type:ty: $is:literal),*) => {$(
        impl Part<'_> for $type {
            const IS: &'static str = $is;

            fn read(json: &RawValue) -> Option<Self> {
                word(json)
            }
        }
    )*};
}

words!(
    GameVariant: "holdem, omaha4, omaha5, omaha6 or short_deck",
    LimitKind: "no_limit or pot_limit",
    AnteKind: "each_player, big_blind or button",
    Straddles: "none, under_the_gun or button"
);

impl Part<'_> for UserId {
    const IS: &'static str = "a user: 1 to 40 characters of A-Z a-z 0-9 _ - .";

    fn read(json: &RawValue) -> Option<Self> {
        Self::new(&Cow::read(json)?).ok()
    }
}

impl Choice {
    /// Reads it.
    ///
    /// # Errors
    /// [`Unfit`].
    pub(crate) fn read(mut fields: Object<'_>) -> Result<Self, Unfit> {
        let name: Cow<'_, str> = fields.required("name")?;
        let name =
            PlayerName::new(&name).map_err(|unfit| Unfit::is_not("name", &format!("a name: {unfit}")))?;
        let choice = Self {
            name: name.as_str().to_owned(),
            variant: fields.optional("variant")?.unwrap_or(GameVariant::Holdem),
            limit: fields.optional("limit")?.unwrap_or(LimitKind::NoLimit),
            seats: fields.required("seats")?,
            small_blind: fields.required("small_blind")?,
            big_blind: fields.required("big_blind")?,
            ante: fields.optional("ante")?.unwrap_or(0),
            ante_kind: fields.optional("ante_kind")?.unwrap_or(AnteKind::EachPlayer),
            straddles: fields.optional("straddles")?.unwrap_or(Straddles::None),
            buy_in_min: fields.required("buy_in_min")?,
            buy_in_max: fields.required("buy_in_max")?,
            turn_ms: fields.required("turn_ms")?,
        };
        fields.end()?;
        Ok(choice)
    }

    /// The settings of a table that is set to this in a house with these.
    pub fn within(self, house: &TableConfig) -> TableConfig {
        let Self { name, variant, limit, seats, small_blind, big_blind, ante, ante_kind, straddles, .. } =
            self;
        let Self { buy_in_min, buy_in_max, turn_ms, .. } = self;
        TableConfig {
            name,
            variant,
            limit,
            seats,
            small_blind,
            big_blind,
            ante,
            ante_kind,
            straddles,
            buy_in_min,
            buy_in_max,
            turn_ms,
            ..house.clone()
        }
    }
}

/// What only a table with a host is asked. Tag `a`. Written by serde, and read, strictly, by [`HostCommand::read`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "a", rename_all = "snake_case")]
pub enum HostCommand {
    /// Anybody's: asks to be let in.
    Knock {
        /// Where one is let in with it.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// Lets somebody in who has knocked, and keeps a free seat for him for a while.
    Approve {
        /// Whom.
        user: UserId,
    },
    /// Does not.
    Deny {
        /// Whom.
        user: UserId,
    },
    /// Lets somebody in who has not knocked, and keeps a free seat for him for a while.
    Invite {
        /// Whom.
        user: UserId,
    },
    /// Has somebody leave when the hand has ended, who must be let in again.
    Kick {
        /// Whom.
        user: UserId,
        /// And is not let in again, unless the host invites or approves.
        ban: bool,
    },
    /// Has no hand begin for a while.
    Pause,
    /// Goes on.
    Resume,
    /// Sets the table otherwise, as soon as no hand is on.
    Set {
        /// To this.
        config: Choice,
    },
    /// Changes who may sit down.
    Door {
        /// Who.
        access: Access,
        /// With which code, where there is one; nothing: the one that it had.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// Makes somebody else who sits there the host.
    HandOver {
        /// Whom.
        user: UserId,
    },
    /// Has AI players sit down on seats that are free.
    InviteAi {
        /// How many: 1 to 9.
        count: u8,
        /// How strong they are.
        level: AiLevel,
    },
    /// Has one of them leave when the hand has ended, or all.
    RemoveAi {
        /// Whom; nothing: all.
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<UserId>,
    },
    /// Has everybody leave when the hand has ended; then the table is no more.
    Close,
}

impl HostCommand {
    /// The tags of all commands.
    pub const TAGS: [&'static str; 13] = [
        "knock",
        "approve",
        "deny",
        "invite",
        "kick",
        "pause",
        "resume",
        "set",
        "door",
        "hand_over",
        "invite_ai",
        "remove_ai",
        "close",
    ];

    /// Reads a command: no field may be missing, unknown, doubled or of another type. Nothing if its tag is none of these.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Option<Self>, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("do", "an object"))?;
        let tag: Cow<'_, str> = fields.required("a")?;
        let command = match &*tag {
            "knock" => Self::Knock { code: code(&mut fields)? },
            "approve" => Self::Approve { user: fields.required("user")? },
            "deny" => Self::Deny { user: fields.required("user")? },
            "invite" => Self::Invite { user: fields.required("user")? },
            "kick" => {
                Self::Kick { user: fields.required("user")?, ban: fields.optional("ban")?.unwrap_or(false) }
            }
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            "set" => Self::Set { config: Choice::read(fields.required("config")?)? },
            "door" => Self::Door { access: fields.required("access")?, code: code(&mut fields)? },
            "hand_over" => Self::HandOver { user: fields.required("user")? },
            "invite_ai" => Self::InviteAi { count: count(&mut fields)?, level: fields.required("level")? },
            "remove_ai" => Self::RemoveAi { user: fields.optional("user")? },
            "close" => Self::Close,
            _ => return Ok(None),
        };
        fields.end()?;
        Ok(Some(command))
    }
}

fn code(fields: &mut Object<'_>) -> Result<Option<String>, Unfit> {
    let code: Option<Cow<'_, str>> = fields.optional("code")?;
    let is_one = |code: &str| (1..=CODE_CHARS_MAX).contains(&code.chars().count());
    match code {
        Some(code) if !is_one(&code) => Err(Unfit::is_not("code", "a text of 1 to 32 characters")),
        code => Ok(code.map(Cow::into_owned)),
    }
}

fn count(fields: &mut Object<'_>) -> Result<u8, Unfit> {
    let count: u8 = fields.required("count")?;
    match (1..=AI_SEATS_MAX).contains(&count) {
        true => Ok(count),
        false => Err(Unfit::is_not("count", "a number of players: 1 to 9")),
    }
}

/// What everybody sees of the host's doing: a keyframe's `state.hosted`, and the event `hosted`, which replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedView {
    /// The host.
    pub host: UserId,
    /// Who may sit down.
    pub access: Access,
    /// What becomes of the table when the host leaves.
    pub host_leaves: HostLeaves,
    /// Until when no hand begins, unless the host goes on before.
    pub paused_ms: Option<UnixMs>,
    /// The table closes when the hand has ended.
    pub closing: bool,
    /// Settings wait for the hand to end.
    pub pending: bool,
    /// Who has knocked and waits for the host, the first first.
    pub knocking: Vec<Knocking>,
    /// Who was let in, the first first.
    pub let_in: Vec<UserId>,
    /// Seats that are kept for somebody.
    pub kept: Vec<KeptSeat>,
    /// Who leaves when the hand has ended, because the host wants it.
    pub leaving: Vec<UserId>,
    /// Whether AI players may sit here. Houses of earlier releases have none, and do not say so.
    #[serde(default = "no_ai_seats")]
    pub ai_seats: AiSeats,
    /// The AI players that the host has invited, the first first.
    #[serde(default)]
    pub ai: Vec<AiPlayer>,
}

fn no_ai_seats() -> AiSeats {
    AiSeats::None
}

/// An AI player that the host has invited: on its way, or on its seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AiPlayer {
    /// Whose seat it is.
    pub user: UserId,
    /// The name to show: it says the level, too.
    pub name: String,
    /// How strong it is.
    pub level: AiLevel,
    /// Somebody plays for it at the moment; else somebody is asked to.
    pub here: bool,
}

/// Somebody at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knocking {
    /// Who.
    pub user: UserId,
    /// The name to show.
    pub name: String,
}

/// A seat on which only one user may sit down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSeat {
    /// Which.
    pub seat: u8,
    /// For whom.
    pub user: UserId,
    /// Until when.
    pub until_ms: UnixMs,
}

/// What only a table with a host answers. Tag `about`. Written by serde, and read, strictly, by [`HostedQuestion::read`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum HostedQuestion {
    /// Who has brought and taken what.
    Ledger,
}

impl HostedQuestion {
    /// The tags of all questions.
    pub const TAGS: [&'static str; 1] = ["ledger"];

    /// Reads a question. Nothing if its tag is none of these.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Option<Self>, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("q", "an object"))?;
        let tag: Cow<'_, str> = fields.required("about")?;
        let question = match &*tag {
            "ledger" => Self::Ledger,
            _ => return Ok(None),
        };
        fields.end()?;
        Ok(Some(question))
    }
}

/// The `body` of an answer. Tag `about`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum HostedAnswer {
    /// See [`HostedQuestion::Ledger`].
    Ledger {
        /// Everybody who has sat here, the first first.
        lines: Vec<LedgerLine>,
        /// All those who are no more told one by one.
        others: OtherLines,
    },
}

/// What one player has brought to a table and taken from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Who.
    pub user: UserId,
    /// The name that was seen.
    pub name: String,
    /// Chips brought.
    pub brought: u64,
    /// Chips taken away.
    pub took: u64,
    /// Chips before the player now, those bet on this street included; null: has no seat.
    pub stack: Option<u64>,
}

/// What others have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherLines {
    /// Chips brought.
    pub brought: u64,
    /// Chips taken away.
    pub took: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice() -> Choice {
        Choice {
            name: "Friday".into(),
            variant: GameVariant::Omaha4,
            limit: LimitKind::PotLimit,
            seats: 6,
            small_blind: 1,
            big_blind: 2,
            ante: 1,
            ante_kind: AnteKind::BigBlind,
            straddles: Straddles::Button,
            buy_in_min: 80,
            buy_in_max: 400,
            turn_ms: 20_000,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let user = UserId::new("bob").unwrap();
        let commands = [
            HostCommand::Knock { code: None },
            HostCommand::Knock { code: Some("q4xm\"91".into()) },
            HostCommand::Approve { user: user.clone() },
            HostCommand::Deny { user: user.clone() },
            HostCommand::Invite { user: user.clone() },
            HostCommand::Kick { user: user.clone(), ban: true },
            HostCommand::Pause,
            HostCommand::Resume,
            HostCommand::Set { config: choice() },
            HostCommand::Door { access: Access::Code, code: Some("q4xm91".into()) },
            HostCommand::Door { access: Access::Public, code: None },
            HostCommand::HandOver { user: user.clone() },
            HostCommand::InviteAi { count: 9, level: AiLevel::Hard },
            HostCommand::RemoveAi { user: Some(user) },
            HostCommand::RemoveAi { user: None },
            HostCommand::Close,
        ];
        for command in commands {
            let text = serde_json::to_string(&command).unwrap();
            assert_eq!(HostCommand::read(&text), Ok(Some(command)));
            assert!(HostCommand::TAGS.contains(&text.split('"').nth(3).unwrap()), "{text}");
        }
        assert_eq!(HostedQuestion::read(r#"{"about":"ledger"}"#), Ok(Some(HostedQuestion::Ledger)));
    }

    #[test]
    fn what_others_are_asked_is_none_of_it() {
        for text in [r#"{"a":"sit","buy_in":100}"#, r#"{"a":"dance"}"#] {
            assert_eq!(HostCommand::read(text), Ok(None));
        }
        assert_eq!(HostedQuestion::read(r#"{"about":"seats"}"#), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let config = serde_json::to_string(&choice()).unwrap();
        let set = |from: &str, to: &str| format!(r#"{{"a":"set","config":{}}}"#, config.replace(from, to));
        for (text, said) in [
            (r#"["close"]"#.to_owned(), "`do` is not an object"),
            (r#"{"a":"close","now":true}"#.into(), "`now` does not belong here"),
            (r#"{"a":"kick"}"#.into(), "`user` is missing"),
            (
                r#"{"a":"kick","user":"a b"}"#.into(),
                "`user` is not a user: 1 to 40 characters of A-Z a-z 0-9 _ - .",
            ),
            (r#"{"a":"kick","user":"bob","ban":1}"#.into(), "`ban` is not true or false"),
            (r#"{"a":"door","access":"all"}"#.into(), "`access` is not public, unlisted, code or approve"),
            (
                r#"{"a":"invite_ai","count":0,"level":"easy"}"#.into(),
                "`count` is not a number of players: 1 to 9",
            ),
            (
                r#"{"a":"invite_ai","count":10,"level":"easy"}"#.into(),
                "`count` is not a number of players: 1 to 9",
            ),
            (
                r#"{"a":"invite_ai","count":1,"level":"perfect"}"#.into(),
                "`level` is not easy, medium or hard",
            ),
            (r#"{"a":"knock","code":""}"#.into(), "`code` is not a text of 1 to 32 characters"),
            (r#"{"a":"set","config":[]}"#.into(), "`config` is not an object"),
            (set("\"seats\":6,", ""), "`seats` is missing"),
            (set("\"seats\":6", "\"seats\":6,\"rake\":1"), "`rake` does not belong here"),
            (
                set("\"seats\":6", "\"seats\":6.0"),
                "`seats` is not a whole number from 0 to 255, in digits alone",
            ),
        ] {
            assert_eq!(HostCommand::read(&text).unwrap_err().to_string(), said, "{text}");
        }
        let nameless = HostCommand::read(&set("Friday", "")).unwrap_err().to_string();
        assert!(nameless.starts_with("`name` is not a name"), "{nameless}");
    }

    #[test]
    fn what_a_player_does_not_choose_is_as_the_house_has_it() {
        let house = TableConfig { bank_ms: 7, seats: 9, ..TableConfig::default() };
        let config = choice().within(&house);
        assert_eq!((config.bank_ms, config.seats, config.turn_ms), (7, 6, 20_000));
    }
}
