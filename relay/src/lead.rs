//! Leading a table's players to the pit that owns it: by the edge when they come, and by a word to reconnect when the table gets another owner.
//!
//! The edge needs to know nothing. It brings who connects with `/ws?near=TABLE` to any relay, and says in a header that it leads ([`Edge`]); a relay
//! that knows a better place answers with that instead of a socket, and the edge goes on there. By the same header a pit learns where the edge
//! reaches it: at its own end of the connection.
//!
//! It is a matter of cost alone, and told once: whoever cannot be led, or does not go, stays where he is until the table has yet another owner.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use broker::members::Membership;
use ops::serve::Reached;
use parking_lot::Mutex;
use protocol::{
    ClientOut,
    id::{NodeId, RoomId},
    time::UnixMs,
};
use tokio::sync::watch;

use crate::{
    homes::{Home, Homes, Owners},
    metrics,
    peer::frame,
    relay::Relay,
    works::Works,
};

/// What the edge says to relays; `nginx/socket.conf`.
const EDGE_SAYS: &str = "x-cardhouse-edge";

/// Where the edge goes on, with an address behind it; `nginx/locations.conf.template`.
const LED: &str = "/led/";

/// Players are looked at when a table has another owner, and every so many times as long as that takes
/// ([`lead_after_ms`](crate::RelayConfig::lead_after_ms)). Who has come after a failure stays as long: that pit may be what has failed.
const AGAIN_TERMS: u64 = 6;

/// What an edge says that leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// "Where is this client better off?"
    Leads,
    /// "I was told that it is better off here."
    Led,
    /// "I was told that it is better off elsewhere, and nobody answers there."
    Unled,
    /// Nothing of a client: it looks whether the relay is there.
    Looks,
}

impl Edge {
    fn read(headers: &HeaderMap) -> Option<Self> {
        match headers.get(EDGE_SAYS)?.as_bytes() {
            b"leads" => Some(Self::Leads),
            b"led" => Some(Self::Led),
            b"unled" => Some(Self::Unled),
            b"looks" => Some(Self::Looks),
            _ => None,
        }
    }
}

/// What becomes of a client that comes.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It stays, perhaps for the sake of a table.
    Here(Option<Near>),
    /// The edge is to take it to a pit, which it reaches at this address.
    Elsewhere(SocketAddr),
}

/// The table for whose sake a client is somewhere.
#[derive(Debug, PartialEq, Eq)]
pub struct Near {
    room: RoomId,
    /// The pit to which the client was led, or told to go, last.
    told: Option<NodeId>,
    /// It is told nothing before.
    from_ms: UnixMs,
}

/// What a relay knows of where players are best off.
pub(crate) struct Leading {
    /// The worker that is one process with the relay.
    pit: Option<NodeId>,
    known: Mutex<Known>,
    /// Where the edge reaches the relay.
    door: watch::Sender<Option<SocketAddr>>,
}

#[derive(Default)]
struct Known {
    owners: Owners,
    homes: Arc<Homes>,
    /// When players are looked at.
    due_ms: UnixMs,
}

impl Leading {
    pub(crate) fn new(pit: Option<NodeId>) -> Self {
        Self { pit, known: Mutex::default(), door: watch::Sender::new(None) }
    }

    /// The pit at which players of a room are better off than here.
    fn elsewhere(&self, homes: &Homes, room: &RoomId) -> Option<Home> {
        homes.of(room).filter(|home| Some(&home.pit) != self.pit.as_ref())
    }

    /// What becomes of a client that asks to be near `word`, by what the edge says.
    fn arrive(&self, word: &str, edge: Edge, works: &Works) -> Arrival {
        let (room, failures) = word.split_once('~').map_or((word, None), |(room, n)| (room, Some(n)));
        let Ok(room) = RoomId::new(room) else { return Arrival::Here(None) };
        let homes = self.known.lock().homes.clone();
        let home = self.elsewhere(&homes, &room);
        match home {
            Some(home) if edge == Edge::Leads && failures.is_none() => Arrival::Elsewhere(home.door),
            home => {
                let now_ms = works.now_ms();
                let stays_ms = failures.map_or(0, |_| AGAIN_TERMS * works.config.lead_after_ms);
                let told = home.filter(|_| edge == Edge::Unled).map(|home| home.pit);
                Arrival::Here(Some(Near { room, told, from_ms: now_ms + stays_ms }))
            }
        }
    }

    /// Follows who lives, and with it where rooms are at home.
    pub(crate) async fn follow(&self, mut membership: watch::Receiver<Arc<Membership>>, works: &Works) {
        loop {
            let owners = Owners::among(&membership.borrow_and_update());
            if let Some(owners) = owners.filter(|owners| *owners != self.known.lock().owners) {
                let homes = Arc::new(owners.homes());
                let due_ms = works.now_ms() + works.config.lead_after_ms;
                *self.known.lock() = Known { owners, homes, due_ms };
            }
            if membership.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

impl Relay {
    /// What becomes of a client that asks to be near `word` (a table, or a table, `~` and how often it has failed before), by what the edge says.
    pub fn arrive(&self, word: &str, edge: Edge) -> Arrival {
        let arrival = self.leading.arrive(word, edge, &self.works);
        if matches!(arrival, Arrival::Elsewhere(_)) {
            metrics::led("door");
        }
        arrival
    }

    /// Where the edge reaches this relay, as soon as it has come.
    pub fn reached_at(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.leading.door.subscribe()
    }

    /// What an edge says that leads, if such a one has brought the request.
    pub(crate) fn edge_of(&self, request: &Request) -> Option<Edge> {
        let reached = Reached::of(request.extensions())?;
        let edge = Edge::read(request.headers())?;
        self.leading.door.send_if_modified(|door| door.replace(reached) != Some(reached));
        Some(edge)
    }

    /// Tells players whose table has another owner to reconnect, at times spread over [`drain_ms`](crate::RelayConfig::drain_ms).
    pub(crate) fn tell_players(&self) {
        let (now_ms, config) = (self.works.now_ms(), &self.works.config);
        let homes = {
            let known = &mut *self.leading.known.lock();
            if now_ms < known.due_ms || *known.homes == Homes::default() {
                return;
            }
            known.due_ms = now_ms + AGAIN_TERMS * config.lead_after_ms;
            known.homes.clone()
        };
        for peer in self.registry.all() {
            let Some(near) = &peer.near else { continue };
            let mut near = near.lock();
            let Some(home) = self.leading.elsewhere(&homes, &near.room) else { continue };
            if now_ms < near.from_ms || near.told.as_ref() == Some(&home.pit) {
                continue;
            }
            near.told = Some(home.pit);
            metrics::led("word");
            let after_ms = self.random() % config.drain_ms.max(1);
            peer.notify(&frame(&ClientOut::Reconnect { after_ms }));
        }
    }
}

/// The table, or what stands for it, that a client asks to be near.
pub(crate) fn word(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("near="))
}

/// Has the edge go on elsewhere.
pub(crate) fn go_to(door: SocketAddr) -> Response {
    let there = [("x-accel-redirect", format!("{LED}{door}"))];
    (StatusCode::MISDIRECTED_REQUEST, there, "this table's players are elsewhere").into_response()
}
