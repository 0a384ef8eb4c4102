//! What workers tell relays of their rooms, for the lobby. Clients see it as [`Row`]s.

use protocol::{
    id::{NodeId, RoomId},
    lobby::Row,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest that a kind of room may say beyond what all say, bytes of JSON.
const MORE_BYTES_MAX: usize = 1_024;

/// The kind of the only rooms that releases before 3 had, and the only ones that are shown to clients who name no view.
pub const FIRST_KIND: &str = "table";

/// Workers to relays, on [`Channel::lobby`](crate::channel::Channel::lobby).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LobbyNews {
    /// As releases before 3 tell it, and are told it: tables of this worker that have changed, or, every few seconds and after a
    /// [`LobbyNews::Wanted`], all of them in several messages.
    Tables {
        /// Who owns them.
        node: NodeId,
        /// Their summaries.
        tables: Vec<TableSummary>,
    },
    /// A relay has started, or has missed something, and asks for all.
    Wanted,
    /// Rooms of this worker, whole: new ones, and every minute and after a [`LobbyNews::Wanted`] all of them in several messages. Since 3.
    Lines {
        /// Who owns them.
        node: NodeId,
        /// What is to be said of each.
        lines: Vec<Line>,
    },
    /// What has changed in rooms of this worker that were told before. That a room has ended all nodes are told, with
    /// [`NodeNews::Closed`](crate::node::NodeNews). Since 3.
    Changes {
        /// Who owns them.
        node: NodeId,
        /// Of each what changes all the time.
        changes: Vec<LineChange>,
    },
}

/// A room's line in the lobby: what relays filter and sort by, and what only clients look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Which room.
    pub room: RoomId,
    /// What kind of room.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// What is played.
    pub game: String,
    /// The stakes, chips; 0 if there are none.
    pub big_blind: u64,
    /// How many may play.
    pub seats: u32,
    /// How many do.
    pub taken: u32,
    /// Mean of the last pots, chips.
    pub average_pot: u64,
    /// Measured over the last minutes.
    pub hands_per_hour: u32,
    /// When it begins; 0 if it goes on all the time.
    pub starts_ms: UnixMs,
    /// What else rooms of this kind say, in words that relays do not look at.
    pub more: More,
}

/// What has changed in a [`Line`]: numbers that change all the time as they are now, and of [`Line::more`] the fields that differ,
/// null where one is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineChange {
    /// Which room.
    pub room: RoomId,
    /// As in a line.
    pub taken: u32,
    /// As in a line.
    pub average_pot: u64,
    /// As in a line.
    pub hands_per_hour: u32,
    /// As in a line.
    pub more: More,
}

/// A JSON object, between nodes as its text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct More(pub Map<String, Value>);

impl From<More> for String {
    fn from(more: More) -> Self {
        if more.0.is_empty() { Self::new() } else { Value::Object(more.0).to_string() }
    }
}

/// Text that is no short JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of the lobby says more than a short object")]
pub struct BadMore;

impl TryFrom<String> for More {
    type Error = BadMore;

    fn try_from(text: String) -> Result<Self, BadMore> {
        match text.len() {
            0 => Ok(Self::default()),
            1..=MORE_BYTES_MAX => serde_json::from_str(&text).map(Self).map_err(|_| BadMore),
            _ => Err(BadMore),
        }
    }
}

impl More {
    /// An object of these fields.
    pub fn of<const N: usize>(fields: [(&str, Value); N]) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// What makes `self` out of `before`.
    pub fn since(&self, before: &Self) -> Self {
        let differs = |(name, value): &(&String, &Value)| before.0.get(*name) != Some(value);
        let own = |(name, value): (&String, &Value)| (name.clone(), value.clone());
        let mut changed: Map<String, Value> = self.0.iter().filter(differs).map(own).collect();
        let gone = before.0.keys().filter(|name| !self.0.contains_key(*name));
        changed.extend(gone.map(|name| (name.clone(), Value::Null)));
        Self(changed)
    }
}

impl Line {
    /// Everything, as a client sees it.
    pub fn row(&self) -> Row {
        Row {
            room: self.room.clone(),
            kind: Some(self.kind.clone()),
            name: Some(self.name.clone()),
            game: Some(self.game.clone()),
            big_blind: Some(self.big_blind),
            seats: Some(self.seats),
            taken: Some(self.taken),
            average_pot: Some(self.average_pot),
            hands_per_hour: Some(self.hands_per_hour),
            starts_ms: Some(self.starts_ms).filter(|starts_ms| *starts_ms > 0),
            more: self.more.0.clone(),
        }
    }

    /// What is not as it was `before`, as a client sees it; `None` if all is.
    pub fn row_since(&self, before: &Self) -> Option<Row> {
        fn changed<T: Clone + PartialEq>(now: &T, before: &T) -> Option<T> {
            (now != before).then(|| now.clone())
        }
        (self != before).then(|| Row {
            room: self.room.clone(),
            kind: changed(&self.kind, &before.kind),
            name: changed(&self.name, &before.name),
            game: changed(&self.game, &before.game),
            big_blind: changed(&self.big_blind, &before.big_blind),
            seats: changed(&self.seats, &before.seats),
            taken: changed(&self.taken, &before.taken),
            average_pot: changed(&self.average_pot, &before.average_pot),
            hands_per_hour: changed(&self.hands_per_hour, &before.hands_per_hour),
            starts_ms: changed(&self.starts_ms, &before.starts_ms),
            more: self.more.since(&before.more).0,
        })
    }

    /// What makes `self` out of `before`; `None` if more has changed than a [`LineChange`] says.
    pub fn since(&self, before: &Self) -> Option<LineChange> {
        let &Self { taken, average_pot, hands_per_hour, .. } = self;
        let rest = Self { taken, average_pot, hands_per_hour, more: self.more.clone(), ..before.clone() };
        (rest == *self).then(|| LineChange {
            room: self.room.clone(),
            taken,
            average_pot,
            hands_per_hour,
            more: self.more.since(&before.more),
        })
    }

    /// Takes a change in.
    pub fn take(&mut self, change: LineChange) {
        let LineChange { room: _, taken, average_pot, hands_per_hour, more } = change;
        (self.taken, self.average_pot, self.hands_per_hour) = (taken, average_pot, hands_per_hour);
        for (name, value) in more.0 {
            match value {
                Value::Null => _ = self.more.0.remove(&name),
                value => _ = self.more.0.insert(name, value),
            }
        }
    }
}

/// A table as releases before 3 tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSummary {
    /// Its room.
    pub room: RoomId,
    /// What people call it.
    pub name: String,
    /// The game, such as `NL Hold'em`.
    pub game: String,
    /// Chips.
    pub small_blind: u64,
    /// Chips.
    pub big_blind: u64,
    /// Chips.
    pub buy_in_min: u64,
    /// Chips.
    pub buy_in_max: u64,
    /// How many seats there are.
    pub seats: u8,
    /// How many are taken.
    pub taken: u8,
    /// How many players wait for the next hand or for the big blind.
    pub waiting: u8,
    /// Mean of the last pots (up to twenty), chips.
    pub average_pot: u64,
    /// Measured over the last minutes.
    pub hands_per_hour: u32,
}

impl From<TableSummary> for Line {
    fn from(table: TableSummary) -> Self {
        let more = More::of([
            ("small_blind", table.small_blind.into()),
            ("buy_in_min", table.buy_in_min.into()),
            ("buy_in_max", table.buy_in_max.into()),
            ("waiting", table.waiting.into()),
        ]);
        Self {
            room: table.room,
            kind: FIRST_KIND.into(),
            name: table.name,
            game: table.game,
            big_blind: table.big_blind,
            seats: table.seats.into(),
            taken: table.taken.into(),
            average_pot: table.average_pot,
            hands_per_hour: table.hands_per_hour,
            starts_ms: 0,
            more,
        }
    }
}

impl TableSummary {
    /// The same as a line, for nodes of those releases; `None` if it is no table, which they do not know.
    pub fn of(line: &Line) -> Option<Self> {
        let more = |name: &str| line.more.0.get(name).and_then(Value::as_u64);
        (line.kind == FIRST_KIND).then_some(())?;
        Some(Self {
            room: line.room.clone(),
            name: line.name.clone(),
            game: line.game.clone(),
            small_blind: more("small_blind")?,
            big_blind: line.big_blind,
            buy_in_min: more("buy_in_min")?,
            buy_in_max: more("buy_in_max")?,
            seats: u8::try_from(line.seats).ok()?,
            taken: u8::try_from(line.taken).ok()?,
            waiting: u8::try_from(more("waiting")?).ok()?,
            average_pot: line.average_pot,
            hands_per_hour: line.hands_per_hour,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{decode, encode};

    fn table() -> TableSummary {
        TableSummary {
            room: RoomId::new("t1").unwrap(),
            name: "Aspen".into(),
            game: "NL Hold'em".into(),
            small_blind: 1,
            big_blind: 2,
            buy_in_min: 80,
            buy_in_max: 400,
            seats: 6,
            taken: 4,
            waiting: 1,
            average_pot: 31,
            hands_per_hour: 92,
        }
    }

    /// Written with the release before: what stands here is for ever.
    #[test]
    fn what_releases_before_tell_is_read_and_written_as_they_do() {
        let before =
            b"\x00\x08dealer-1\x01\x02t1\x05Aspen\x0aNL Hold'em\x01\x02\x50\x90\x03\x06\x04\x01\x1f\x5c";
        let node = NodeId::new("dealer-1").unwrap();
        let line = Line::from(table());
        let news = LobbyNews::Tables { node, tables: vec![TableSummary::of(&line).unwrap()] };
        assert_eq!(encode(&news), before.as_slice());
        assert_eq!(decode::<LobbyNews>(before).unwrap(), news);
        assert_eq!(encode(&LobbyNews::Wanted), [1].as_slice());
    }

    #[test]
    fn rooms_of_other_kinds_are_not_told_to_who_does_not_know_them() {
        assert_eq!(TableSummary::of(&Line { kind: "queue".into(), ..Line::from(table()) }), None);
    }

    #[test]
    fn a_change_makes_the_new_line_of_the_old_one() {
        let before = Line::from(table());
        let mut after = Line { taken: 5, hands_per_hour: 80, ..before.clone() };
        after.more.0.insert("waiting".into(), 0.into());
        after.more.0.insert("late".into(), true.into());
        after.more.0.remove("buy_in_max");
        let change = decode(&encode(&after.since(&before).unwrap())).unwrap();
        let mut told = before.clone();
        told.take(change);
        assert_eq!(told, after);
        let mut seen = before.row();
        seen.take(after.row_since(&before).unwrap());
        assert_eq!(seen, after.row());
        assert_eq!(before.row_since(&before), None);
        assert_eq!(Line { seats: 9, ..after.clone() }.since(&after), None, "only whole");
    }

    #[test]
    fn more_than_a_short_object_is_no_line() {
        assert!(More::try_from("[]".to_owned()).is_err());
        assert!(More::try_from(format!("{{\"a\":\"{}\"}}", "x".repeat(MORE_BYTES_MAX))).is_err());
    }
}
