//! All rooms that this relay follows, and where each message of the bus goes.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Weak},
};

use broker::{
    bus::{Receiver, Subscription},
    channel::Channel,
    entry::Entry,
    lobby::{Line, LobbyNews},
    node::{SessionNews, ToRelay, decode, encode},
    revocations::RevocationNews,
    store::Store,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};
use parking_lot::Mutex;
use protocol::id::{Position, RoomId, SessionId, UserId};
use tokio::sync::mpsc::UnboundedReceiver;
use ws::Frame;

use crate::{
    commands::Asker,
    lobby::Lobby,
    peer::Peer,
    questions,
    registry::Registry,
    room::{Pass, Room},
    tend::tend,
    works::Works,
};

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

    fn get(&self, id: &RoomId) -> Option<Arc<Room>> {
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
            if checks_left == 0 {
                return;
            }
            checks_left -= usize::from(room.check_quiet(works, now_ms));
        }
    }

    fn missed(&self, works: &Works) {
        for room in self.all() {
            room.missed(works);
        }
    }
}

/// Looks after rooms, a bounded number at a time, so that a broker that is back is not run over.
pub(crate) async fn tend_rooms(
    mut rooms: UnboundedReceiver<Arc<Room>>,
    hub: &Hub,
    works: &Works,
    store: &dyn Store,
    subscription: &dyn Subscription,
) {
    let mut tended = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(()) = tended.next() => {}
            room = rooms.recv(), if tended.len() < works.config.journal_reads_max => match room {
                Some(room) => tended.push(tend(room, hub, works, store, subscription)),
                None => return,
            },
        }
    }
}

/// Serves rooms with many watchers, a piece of one after a piece of the other, and lets all others run in between.
pub(crate) async fn serve_rooms(mut rooms: UnboundedReceiver<Arc<Room>>, works: &Works) {
    let mut passes = VecDeque::new();
    loop {
        if passes.is_empty() {
            let Some(room) = rooms.recv().await else { return };
            passes.push_back(Pass::new(room));
        }
        while let Ok(room) = rooms.try_recv() {
            passes.push_back(Pass::new(room));
        }
        if let Some(mut pass) = passes.pop_front()
            && pass.serve_piece(works)
        {
            passes.push_back(pass);
        }
        tokio::task::yield_now().await;
    }
}

/// Where messages of the bus go.
pub(crate) struct Switchboard {
    pub(crate) hub: Arc<Hub>,
    pub(crate) works: Arc<Works>,
    pub(crate) lobby: Arc<Lobby>,
    /// Weak: it holds the sessions, and lives as long as the relay.
    pub(crate) registry: Weak<Registry>,
    /// The channels that are not rooms'.
    pub(crate) replies: Channel,
    pub(crate) news: Channel,
    pub(crate) sessions: Channel,
    pub(crate) revocations: Channel,
}

impl Switchboard {
    fn frame(&self, payload: Bytes) {
        match Entry::decode(payload) {
            Ok(entry) => {
                if let Some(room) = self.hub.get(&entry.room) {
                    room.take(&self.works, entry);
                }
            }
            Err(error) => self.malformed(&error),
        }
    }

    fn reply(&self, payload: &[u8]) {
        let text = |body: &Bytes| String::from_utf8(body.to_vec());
        match decode::<ToRelay>(payload) {
            Ok(ToRelay::Refused { user, session, n, room, body, epoch }) => match text(&body) {
                Ok(text) => {
                    if let Some(room) = self.hub.get(&room) {
                        room.refused(&self.works, &Asker { user: &user, session, n }, epoch, &text);
                    }
                }
                Err(error) => self.malformed(&error),
            },
            Ok(ToRelay::Applied { user, session, n, room, at }) => {
                if let Some(room) = self.hub.get(&room) {
                    room.applied(&self.works, &Asker { user: &user, session, n }, at);
                }
            }
            Ok(ToRelay::Elsewhere { user, session }) => {
                if let Some(registry) = self.registry.upgrade() {
                    registry.tell_session(session, &user);
                }
            }
            Ok(ToRelay::Answer { user, session, body }) => match text(&body) {
                Ok(text) => {
                    let registry = self.registry.upgrade();
                    if let Some(peer) = registry.and_then(|registry| registry.of_session(session, &user)) {
                        questions::tell(&peer, &Frame::text(&text), &self.works);
                    }
                }
                Err(error) => self.malformed(&error),
            },
            Ok(ToRelay::Notice { user, session, body, .. }) => match text(&body) {
                Ok(text) => {
                    let peer =
                        self.registry.upgrade().and_then(|registry| registry.of_session(session, &user));
                    if let Some(peer) = peer {
                        peer.answer(&Frame::text(&text), self.works.now_ms());
                    }
                }
                Err(error) => self.malformed(&error),
            },
            Err(error) => self.malformed(&error),
        }
    }

    fn lobby_news(&self, news: LobbyNews) {
        let (catalogue, lobby) = (&self.works.catalogue, &self.lobby);
        let lines = match news {
            LobbyNews::Tables { tables, .. } => tables.into_iter().map(Line::from).collect(),
            LobbyNews::Lines { lines, .. } => lines,
            LobbyNews::Changes { changes, .. } => return lobby.heard_changes(changes, &self.works),
            LobbyNews::Wanted => return,
        };
        catalogue.listed(lines.iter().map(|line| &line.room));
        lobby.heard_lines(lines, &self.works);
    }

    fn malformed(&self, error: &dyn std::error::Error) {
        self.works.metrics.malformed.increment(1);
        tracing::error!(%error, "a message of the bus cannot be read");
    }
}

impl Receiver for Switchboard {
    fn deliver(&self, channel: &str, payload: Bytes) {
        if channel == self.replies.as_str() {
            self.reply(&payload);
        } else if channel == self.sessions.as_str() {
            match decode::<SessionNews>(&payload) {
                Ok(news) => {
                    if let Some(registry) = self.registry.upgrade() {
                        registry.hear(&news, &self.works);
                    }
                }
                Err(error) => self.malformed(&error),
            }
        } else if channel == self.revocations.as_str() {
            match decode::<RevocationNews>(&payload) {
                Ok(RevocationNews::Revoked { revocations }) => {
                    if let Some(registry) = self.registry.upgrade() {
                        registry.revoke(revocations, &self.works);
                    }
                }
                Err(error) => self.malformed(&error),
            }
        } else if channel == self.news.as_str() {
            match decode::<LobbyNews>(&payload) {
                Ok(news) => self.lobby_news(news),
                Err(error) => self.malformed(&error),
            }
        } else {
            self.frame(payload);
        }
    }

    fn missed(&self) {
        self.hub.missed(&self.works);
        self.works.revoked.missed();
        // Perhaps news of the lobby, of which only the next full set would make up for what is missing.
        self.works.outgoing.publish(&self.news, encode(&LobbyNews::Wanted), &self.works.metrics);
    }
}
