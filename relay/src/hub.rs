//! All rooms that this relay follows.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use protocol::id::{Position, RoomId, SessionId, UserId};

use crate::{peer::Peer, room::Room, works::Works};

/// The rooms, in an order that does not depend on chance.
#[derive(Default)]
pub(crate) struct Hub {
    rooms: Mutex<BTreeMap<RoomId, Arc<Room>>>,
}

/// A room that a session watches: the room, and the session's place in it.
pub(crate) struct Watching {
    pub(crate) room: Arc<Room>,
    pub(crate) key: usize,
}

impl Hub {
    /// Begins to watch a room, which is followed from now on if it was not. `None` when the relay follows as many rooms as it may.
    pub(crate) fn watch(
        &self,
        works: &Works,
        peer: &Arc<Peer>,
        (user, session): (&UserId, SessionId),
        id: &RoomId,
        from: Option<Position>,
    ) -> Option<Watching> {
        let now_ms = works.now_ms();
        loop {
            let told = works.catalogue.tells_of(id, &works.config, now_ms);
            let room = {
                let mut rooms = self.rooms.lock();
                match rooms.get(id) {
                    Some(room) => room.clone(),
                    None if rooms.len() >= works.config.rooms_max => return None,
                    None => {
                        let room = Arc::new(Room::new(id.clone(), told, now_ms));
                        rooms.insert(id.clone(), room.clone());
                        works.metrics.rooms.set(rooms.len() as f64);
                        room
                    }
                }
            };
            // A room that closes in this moment is gone from the map when it says so.
            if let Some(key) = room.watch(works, peer, user, session, from) {
                return Some(Watching { room, key });
            }
        }
    }

    pub(crate) fn get(&self, id: &RoomId) -> Option<Arc<Room>> {
        self.rooms.lock().get(id).cloned()
    }

    /// Forgets a room, unless somebody has begun to watch it; whether it is gone.
    pub(crate) fn remove(&self, room: &Arc<Room>, works: &Works) -> bool {
        let mut rooms = self.rooms.lock();
        let mut state = room.state.lock();
        if state.watchers.is_empty() {
            state.closed = true;
            rooms.remove(&room.id);
            works.metrics.rooms.set(rooms.len() as f64);
        }
        state.closed
    }

    pub(crate) fn len(&self) -> usize {
        self.rooms.lock().len()
    }

    fn all(&self) -> Vec<Arc<Room>> {
        self.rooms.lock().values().cloned().collect()
    }

    /// Compares rooms that have been quiet for long with their journals, a bounded number of them.
    pub(crate) fn check_quiet(&self, works: &Works) {
        let now_ms = works.now_ms();
        let mut checks_left = works.config.quiet_checks_per_s;
        for room in self.all() {
            room.tell_presences_again(works, now_ms);
            room.tell_listening_again(works, now_ms);
            room.hold_places_again(works, now_ms);
            if checks_left > 0 {
                checks_left -= usize::from(room.check_quiet(works, now_ms));
            }
        }
    }

    /// Who is there is told anew with the next look at all rooms: an owner may not have heard it.
    pub(crate) fn tell_presences_soon(&self) {
        for room in self.all() {
            room.tell_presences_soon();
        }
    }

    /// The bus may have lost frames of any of them.
    pub(crate) fn missed(&self, works: &Works) {
        for room in self.all() {
            room.missed(works);
        }
    }
}
