//! The lobby: what is known of every room without looking in, and the part of it that a client asks to see.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::object::{self, Object, Part, Unfit};
use crate::{id::RoomId, time::UnixMs};

/// Rows that a page may have.
pub const COUNT_MAX: u32 = 100;

/// Rows of a page if the client does not say how many.
const COUNT: u32 = 30;

/// Numbers of seats that a view may name.
pub const SEATS_MAX: usize = 8;

/// Characters of a view's `text`, and of its other words.
pub const TEXT_CHARS_MAX: usize = 60;

/// A room in the lobby. In a page it says everything, in news of a page only what has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which room.
    pub room: RoomId,
    /// What kind of room, such as `table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is played, such as `NL Hold'em`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub game: Option<String>,
    /// The stakes, chips; 0 if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub big_blind: Option<u64>,
    /// How many may play.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<u32>,
    /// How many do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<u32>,
    /// Mean of the last pots, chips; roughly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_pot: Option<u64>,
    /// Measured over the last minutes; roughly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hands_per_hour: Option<u32>,
    /// When it begins; of a room that goes on all the time, not there. In news, 0: it does not begin at a time any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_ms: Option<UnixMs>,
    /// What else rooms of this kind say of themselves. In news, null: says no more.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Row {
    /// A row that says nothing.
    pub fn new(room: RoomId) -> Self {
        Self {
            room,
            kind: None,
            name: None,
            game: None,
            big_blind: None,
            seats: None,
            taken: None,
            average_pot: None,
            hands_per_hour: None,
            starts_ms: None,
            more: Map::new(),
        }
    }

    /// Seats that nobody has.
    pub fn free(&self) -> u32 {
        self.seats.unwrap_or(0).saturating_sub(self.taken.unwrap_or(0))
    }

    /// Takes news of the same room in.
    pub fn take(&mut self, news: Self) {
        fn put<T>(into: &mut Option<T>, news: Option<T>) {
            if news.is_some() {
                *into = news;
            }
        }
        put(&mut self.kind, news.kind);
        put(&mut self.name, news.name);
        put(&mut self.game, news.game);
        put(&mut self.big_blind, news.big_blind);
        put(&mut self.seats, news.seats);
        put(&mut self.taken, news.taken);
        put(&mut self.average_pot, news.average_pot);
        put(&mut self.hands_per_hour, news.hands_per_hour);
        put(&mut self.starts_ms, news.starts_ms);
        self.starts_ms = self.starts_ms.filter(|starts_ms| *starts_ms > 0);
        for (name, value) in news.more {
            match value {
                Value::Null => _ = self.more.remove(&name),
                value => _ = self.more.insert(name, value),
            }
        }
    }
}

/// What a client wants to see of the lobby: which rooms, in which order, and which of these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct View {
    /// Only rooms of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only where this is played, word for word but for capitals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub game: Option<String>,
    /// Only with a big blind from the first to the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bb: Option<(u64, u64)>,
    /// Only with one of these numbers of seats; none: with any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<u32>,
    /// Only with so many free seats at least.
    #[serde(skip_serializing_if = "is_zero")]
    pub free: u32,
    /// Only those in whose name or game each of these words stands.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// By what they are sorted.
    pub sort: Sort,
    /// Whether the largest come first; if left out, as [`Sort::falls`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desc: Option<bool>,
    /// How many of them come before the page.
    pub from: u32,
    /// How many stand on the page.
    pub count: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Default for View {
    fn default() -> Self {
        Self {
            kind: None,
            game: None,
            bb: None,
            seats: Vec::new(),
            free: 0,
            text: String::new(),
            sort: Sort::Players,
            desc: None,
            from: 0,
            count: COUNT,
        }
    }
}

/// By what rooms are sorted. Equals come in the order of their names, and names as people count: 9 before 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// How many play.
    Players,
    /// The big blind.
    Blinds,
    /// The mean of the last pots.
    Pot,
    /// Hands an hour.
    Speed,
    /// The name.
    Name,
    /// When it begins; what goes on all the time comes last, whichever way.
    Starts,
}

impl Sort {
    /// Whether the largest come first, if nothing else is said.
    pub fn falls(self) -> bool {
        matches!(self, Self::Players | Self::Pot | Self::Speed)
    }
}

impl View {
    /// Whether the largest come first.
    pub fn falls(&self) -> bool {
        self.desc.unwrap_or_else(|| self.sort.falls())
    }

    /// The same view, written in the one way in which all that show the same are written.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        self.desc = Some(self.falls());
        self.game = self.game.map(|game| game.to_lowercase());
        self.seats.sort_unstable();
        self.seats.dedup();
        let text = self.text.to_lowercase();
        let words: BTreeSet<&str> = text.split_whitespace().collect();
        self.text = words.into_iter().collect::<Vec<_>>().join(" ");
        self
    }

    /// The coarser view that stands for it where there are too many: the same order, everything, the first page.
    #[must_use]
    pub fn rounded(&self) -> Self {
        Self { sort: self.sort, desc: self.desc, ..Self::default() }.normalised()
    }

    fn read(mut object: Object<'_>) -> Result<Self, Unfit> {
        let of = Self::default();
        let view = Self {
            kind: short(&mut object, "kind")?,
            game: short(&mut object, "game")?,
            bb: object.optional("bb")?,
            seats: object.optional("seats")?.unwrap_or_default(),
            free: number(&mut object, "free", 0..=u32::MAX.into())?.unwrap_or(0),
            text: short(&mut object, "text")?.unwrap_or_default(),
            sort: object.optional("sort")?.unwrap_or(of.sort),
            desc: object.optional("desc")?,
            from: number(&mut object, "from", 0..=u32::MAX.into())?.unwrap_or(0),
            count: number(&mut object, "count", 1..=COUNT_MAX.into())?.unwrap_or(of.count),
        };
        object.end()?;
        Ok(view)
    }
}

/// Reads the field `view`, so that what is wrong inside is named.
pub(super) fn view(message: &mut Object<'_>) -> Result<Option<Box<View>>, Unfit> {
    let Some(object) = message.optional::<Object<'_>>("view")? else { return Ok(None) };
    View::read(object).map(|view| Some(Box::new(view)))
}

fn short(object: &mut Object<'_>, name: &str) -> Result<Option<String>, Unfit> {
    let text: Option<std::borrow::Cow<'_, str>> = object.optional(name)?;
    match text {
        Some(text) if text.chars().count() > TEXT_CHARS_MAX => {
            Err(Unfit::is_not(name, &format!("a text of at most {TEXT_CHARS_MAX} characters")))
        }
        text => Ok(text.map(std::borrow::Cow::into_owned)),
    }
}

fn number(
    object: &mut Object<'_>,
    name: &str,
    bounds: std::ops::RangeInclusive<u64>,
) -> Result<Option<u32>, Unfit> {
    let number: Option<u64> = object.optional(name)?;
    let is_not =
        || Unfit::is_not(name, &format!("a whole number from {} to {}", bounds.start(), bounds.end()));
    match number {
        Some(number) if !bounds.contains(&number) => Err(is_not()),
        number => number.map(|number| u32::try_from(number).map_err(|_| is_not())).transpose(),
    }
}

impl Part<'_> for Sort {
    const IS: &'static str = "players, blinds, pot, speed, name or starts";

    fn read(json: &serde_json::value::RawValue) -> Option<Self> {
        object::word(json)
    }
}

/// The seats of a view.
impl Part<'_> for Vec<u32> {
    const IS: &'static str = "a list of at most 8 whole numbers";

    fn read(json: &serde_json::value::RawValue) -> Option<Self> {
        let list: Self = serde_json::from_str(json.get()).ok()?;
        (list.len() <= SEATS_MAX).then_some(list)
    }
}

/// The stakes of a view.
impl Part<'_> for (u64, u64) {
    const IS: &'static str = "[from, to], two whole numbers of which the first is not the larger";

    fn read(json: &serde_json::value::RawValue) -> Option<Self> {
        let (from, to): Self = serde_json::from_str(json.get()).ok()?;
        (from <= to && to <= super::WHOLE_MAX).then_some((from, to))
    }
}

/// What answers `lobby`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Whole {
    /// With a view: the page.
    Page(Page),
    /// Without one, as clients of the first releases ask.
    Tables {
        /// The first rooms by players.
        tables: Vec<Row>,
    },
}

/// A page of the lobby.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The client's number of the view.
    pub v: u8,
    /// How many rooms the view has, on all pages.
    pub total: u64,
    /// How many players sit in all of them.
    pub players: u64,
    /// The page's rows.
    pub rows: Vec<Row>,
    /// Their order.
    pub order: Vec<RoomId>,
}

/// What has changed since the last [`Whole`] or [`Delta`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Delta {
    /// Of a page.
    Page(PageDelta),
    /// Without a view.
    Tables {
        /// New and changed rooms, whole.
        tables: Vec<Row>,
        /// Rooms that are not among the first any more, or gone.
        gone: Vec<RoomId>,
    },
}

/// News of a page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageDelta {
    /// The client's number of the view.
    pub v: u8,
    /// How many rooms the view has now.
    pub total: u64,
    /// How many players sit in them now. That this alone has changed is not told.
    pub players: u64,
    /// Rows that are new on the page, whole, and of the others what has changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<Row>,
    /// The page's order, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<RoomId>>,
    /// Rows that do not stand on the page any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<RoomId>,
}

/// A page as a client has it: the last whole one with all news folded in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// How many rooms the view has, on all pages.
    pub total: u64,
    /// How many players sat in all of them when something was told last.
    pub players: u64,
    /// In which order the page's rows stand.
    pub order: Vec<RoomId>,
    rows: BTreeMap<RoomId, Row>,
}

impl Seen {
    /// Begins anew with a whole page.
    pub fn begin(page: Page) -> Self {
        let rows = page.rows.into_iter().map(|row| (row.room.clone(), row)).collect();
        Self { total: page.total, players: page.players, order: page.order, rows }
    }

    /// The same, without a view: all of it is one page, in the order of names.
    pub fn begin_tables(tables: Vec<Row>) -> Self {
        let mut seen = Self::default();
        seen.fold_tables(tables, &[]);
        seen
    }

    /// Folds news in.
    pub fn fold(&mut self, delta: PageDelta) {
        (self.total, self.players) = (delta.total, delta.players);
        self.rows.retain(|room, _| !delta.gone.contains(room));
        for row in delta.set {
            match self.rows.get_mut(&row.room) {
                Some(known) => known.take(row),
                None => _ = self.rows.insert(row.room.clone(), row),
            }
        }
        if let Some(order) = delta.order {
            self.order = order;
        }
    }

    /// The same, without a view.
    pub fn fold_tables(&mut self, tables: Vec<Row>, gone: &[RoomId]) {
        self.rows.extend(tables.into_iter().map(|row| (row.room.clone(), row)));
        self.rows.retain(|room, _| !gone.contains(room));
        self.order = self.rows.keys().cloned().collect();
        self.total = self.rows.len() as u64;
    }

    /// How many rows are kept: as many as there are in the order.
    pub fn kept(&self) -> usize {
        self.rows.len()
    }

    /// The rows in their order.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.order.iter().filter_map(|room| self.rows.get(room))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientIn;

    fn read(view: &str) -> Result<View, String> {
        let text = format!(r#"{{"t":"lobby","on":true,"v":1,"view":{view}}}"#);
        match ClientIn::read(&text) {
            Ok(ClientIn::Lobby { view: Some(view), .. }) => Ok(*view),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn what_is_wrong_with_a_view_is_named() {
        for (view, said) in [
            (r#"{"count":101}"#, "lobby: `count` is not a whole number from 1 to 100"),
            (r#"{"count":0}"#, "lobby: `count` is not a whole number from 1 to 100"),
            (r#"{"from":4294967296}"#, "lobby: `from` is not a whole number from 0 to 4294967295"),
            (r#"{"sort":"colour"}"#, "lobby: `sort` is not players, blinds, pot, speed, name or starts"),
            (
                r#"{"bb":[3,2]}"#,
                "lobby: `bb` is not [from, to], two whole numbers of which the first is not the larger",
            ),
            (
                r#"{"bb":[1]}"#,
                "lobby: `bb` is not [from, to], two whole numbers of which the first is not the larger",
            ),
            (r#"{"seats":[1,2,3,4,5,6,7,8,9]}"#, "lobby: `seats` is not a list of at most 8 whole numbers"),
            (r#"{"colour":1}"#, "lobby: `colour` does not belong here"),
            (r#"{"text":7}"#, "lobby: `text` is not a text"),
            (r#""all""#, "lobby: `view` is not an object"),
        ] {
            assert_eq!(read(view).unwrap_err(), said, "{view}");
        }
        let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(61));
        assert_eq!(read(&long).unwrap_err(), "lobby: `text` is not a text of at most 60 characters");
    }

    #[test]
    fn views_that_show_the_same_are_written_in_one_way() {
        let one = read(r#"{"text":"  May  FAIR may ","seats":[9,6,9],"game":"PL Omaha"}"#).unwrap();
        let other = read(
            r#"{"text":"fair may","seats":[6,9],"game":"pl omaha","sort":"players","desc":true,"from":0,"count":30}"#,
        );
        assert_eq!(one.normalised(), other.unwrap().normalised());
    }
}
