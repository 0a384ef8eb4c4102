//! Which rooms there are, as far as this relay has heard without asking, and which the store has just said there are not.
//!
//! So a room that is told of is followed without a question; one that is not costs the store one question a map; and a known "no" costs
//! nothing for a moment. News of a room end its "no" at once, so a table that has just been opened is found.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use broker::{members::Heard, node::NodeNews};
use parking_lot::Mutex;
use protocol::{id::RoomId, time::UnixMs};

use crate::{config::RelayConfig, lobby::Lobby};

/// See the module. Rooms that workers write up stand in the lobby's directory; this adds what nodes say to each other.
pub(crate) struct Catalogue {
    lobby: Arc<Lobby>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Rooms that nodes have opened or taken over, and when that was heard.
    told: BTreeMap<RoomId, UnixMs>,
    /// Rooms that the store did not have, and until when that is believed.
    absent: BTreeMap<RoomId, UnixMs>,
    /// The same in the order of their ends.
    ends: VecDeque<(UnixMs, RoomId)>,
}

impl Catalogue {
    pub(crate) fn new(lobby: Arc<Lobby>) -> Self {
        Self { lobby, known: Mutex::default() }
    }

    /// Takes nodes' news in.
    pub(crate) fn heard(&self, heard: &Heard, config: &RelayConfig, now_ms: UnixMs) {
        let mut known = self.known.lock();
        match heard {
            Heard::News(NodeNews::Opened { room } | NodeNews::Owns { room, .. }) => {
                known.absent.remove(room);
                if known.told.len() >= config.lobby_tables_max {
                    known.told.retain(|_, heard_ms| now_ms < *heard_ms + config.lobby_forget_ms);
                }
                if known.told.len() < config.lobby_tables_max {
                    known.told.insert(room.clone(), now_ms);
                }
            }
            Heard::News(NodeNews::Closed { room, .. }) => {
                known.told.remove(room);
                self.lobby.heard_end(room, now_ms);
            }
            Heard::News(_) | Heard::MissedBy(_) => {}
            // Perhaps of a table that was opened.
            Heard::Missed => (known.absent, known.ends) = Default::default(),
        }
    }

    /// Rooms were written up for the lobby.
    pub(crate) fn listed<'a>(&self, rooms: impl Iterator<Item = &'a RoomId>) {
        let mut known = self.known.lock();
        if known.absent.is_empty() {
            return;
        }
        for room in rooms {
            known.absent.remove(room);
        }
    }

    /// Whether the room was told of lately.
    pub(crate) fn tells_of(&self, room: &RoomId, config: &RelayConfig, now_ms: UnixMs) -> bool {
        self.told_since(room, now_ms.saturating_sub(config.lobby_forget_ms))
    }

    /// Whether the room was told of at that time or later.
    pub(crate) fn told_since(&self, room: &RoomId, since_ms: UnixMs) -> bool {
        let listed_ms = self.lobby.heard_of(room);
        let told_ms = self.known.lock().told.get(room).copied();
        listed_ms.max(told_ms).is_some_and(|heard_ms| heard_ms >= since_ms)
    }

    /// The store has said that there is no such room.
    pub(crate) fn lacks(&self, room: &RoomId, config: &RelayConfig, now_ms: UnixMs) {
        let mut known = self.known.lock();
        known.told.remove(room);
        let until_ms = now_ms + config.absent_ms;
        known.absent.insert(room.clone(), until_ms);
        known.ends.push_back((until_ms, room.clone()));
        while known.ends.front().is_some_and(|(end_ms, _)| *end_ms <= now_ms)
            || known.ends.len() > config.absent_rooms_max
        {
            let (end_ms, ended) = known.ends.pop_front().expect("there is one");
            // It may have been asked for again, with another end.
            if known.absent.get(&ended) == Some(&end_ms) {
                known.absent.remove(&ended);
            }
        }
    }

    /// Whether the store has just said that there is no such room, and nobody has told of it since.
    pub(crate) fn knows_to_lack(&self, room: &RoomId, now_ms: UnixMs) -> bool {
        self.known.lock().absent.get(room).is_some_and(|until_ms| now_ms < *until_ms)
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::{Epoch, NodeId};

    use super::*;

    fn room(number: usize) -> RoomId {
        RoomId::new(&format!("t{number}")).unwrap()
    }

    fn bounds() -> RelayConfig {
        RelayConfig { absent_ms: 100, absent_rooms_max: 3, lobby_tables_max: 2, ..RelayConfig::default() }
    }

    #[test]
    fn a_no_is_believed_for_a_moment_and_only_so_many() {
        let (catalogue, config) = (Catalogue::new(Arc::default()), bounds());
        for number in 0..5 {
            catalogue.lacks(&room(number), &config, 1_000);
        }
        let lacked = |now_ms| (0..5).filter(|&number| catalogue.knows_to_lack(&room(number), now_ms)).count();
        assert_eq!((lacked(1_000), lacked(1_099), lacked(1_100)), (3, 3, 0));
        catalogue.lacks(&room(9), &config, 2_000);
        let known = catalogue.known.lock();
        assert_eq!((known.absent.len(), known.ends.len()), (1, 1), "what has ended is forgotten");
    }

    #[test]
    fn news_of_a_room_end_its_no_at_once() {
        let config = bounds();
        let owns = NodeNews::Owns { node: NodeId::new("w").unwrap(), room: room(1), epoch: Epoch(1) };
        let news = [owns, NodeNews::Opened { room: room(1) }].map(Heard::News);
        for heard in news.into_iter().chain([Heard::Missed]) {
            let catalogue = Catalogue::new(Arc::default());
            catalogue.lacks(&room(1), &config, 1_000);
            catalogue.heard(&heard, &config, 1_050);
            assert!(!catalogue.knows_to_lack(&room(1), 1_050), "{heard:?}");
            let told = heard != Heard::Missed;
            assert_eq!(catalogue.told_since(&room(1), 1_050), told);
            assert!(!catalogue.told_since(&room(1), 1_051));
        }
    }

    #[test]
    fn what_nodes_tell_of_is_bounded_and_forgotten() {
        let (catalogue, config) = (Catalogue::new(Arc::default()), bounds());
        for number in 0..5 {
            catalogue.heard(&Heard::News(NodeNews::Opened { room: room(number) }), &config, 1_000);
        }
        let told =
            |now_ms| (0..6).filter(|&number| catalogue.tells_of(&room(number), &config, now_ms)).count();
        assert_eq!((told(1_000), told(1_001 + config.lobby_forget_ms)), (2, 0));
        let later_ms = 1_000 + config.lobby_forget_ms;
        catalogue.heard(&Heard::News(NodeNews::Opened { room: room(5) }), &config, later_ms);
        assert!(catalogue.tells_of(&room(5), &config, later_ms));
    }
}
