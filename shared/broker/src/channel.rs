//! The names of bus channels and store keys. Each carries its hash tag, so that one shard serves a room whole.

use std::{fmt, sync::Arc};

use protocol::id::{NodeId, RoomId};

/// A channel of the [`Bus`](crate::bus::Bus). Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(Arc<str>);

impl Channel {
    /// Frames of a room: worker to relays; an [`Entry`](crate::entry::Entry) without its secret.
    pub fn frames(room: &RoomId) -> Self {
        Self(format!("ch:{{{room}}}:frames").into())
    }

    /// What a room is asked: relays to worker; a [`ToRoom`](crate::node::ToRoom).
    pub fn commands(room: &RoomId) -> Self {
        Self(format!("ch:{{{room}}}:commands").into())
    }

    /// Where relays say that they listen to a room's frames; a [`ListenerNews`](crate::node::ListenerNews). Only owners that are one process with a
    /// relay hear it: others publish for everybody.
    pub fn listeners(room: &str) -> Self {
        Self(format!("ch:{{{room}}}:listeners").into())
    }

    /// Letters between rooms, and what is said about them: worker to worker. Workers that know no letters do not listen.
    pub fn mail(room: &RoomId) -> Self {
        Self(format!("ch:{{{room}}}:mail").into())
    }

    /// Answers that are not frames: workers to one relay; a [`ToRelay`](crate::node::ToRelay).
    pub fn replies(relay: &NodeId) -> Self {
        Self(format!("ch:{{{relay}}}:replies").into())
    }

    /// What a reception has asked of workers: workers to one reception; a [`ToReception`](crate::node::ToReception).
    pub fn answers(asker: &NodeId) -> Self {
        Self(format!("ch:{{{asker}}}:answers").into())
    }

    /// Heartbeats, departures, ownership, hand-over offers: all nodes to all; a [`NodeNews`](crate::node::NodeNews).
    pub fn nodes() -> Self {
        Self("ch:{nodes}:news".into())
    }

    /// Sessions that go on at a relay: relays to relays; a [`SessionNews`](crate::node::SessionNews).
    pub fn sessions() -> Self {
        Self("ch:{sessions}:news".into())
    }

    /// What there is to say of rooms: workers to relays; a [`LobbyNews`](crate::lobby::LobbyNews).
    pub fn lobby() -> Self {
        Self("ch:{lobby}:news".into())
    }

    /// Tokens that are void from now on: reception to relays; a [`RevocationNews`](crate::revocations::RevocationNews). Relays of the
    /// releases before do not listen.
    pub fn revocations() -> Self {
        Self("ch:{..revoked}:news".into())
    }

    /// What goes over it that has a short way within a process, and the room's (or the relay's) name; see [`near`](crate::bus::near).
    pub fn purpose(&self) -> Option<(&str, Purpose)> {
        let (name, what) = self.0.strip_prefix("ch:{")?.split_once("}:")?;
        let purpose = match what {
            "frames" => Purpose::Frames,
            "commands" => Purpose::Commands,
            "replies" => Purpose::Replies,
            _ => return None,
        };
        Some((name, purpose))
    }

    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// See [`Channel::purpose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// [`Channel::frames`].
    Frames,
    /// [`Channel::commands`].
    Commands,
    /// [`Channel::replies`].
    Replies,
}

impl std::borrow::Borrow<str> for Channel {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The stream that holds a room's journal.
pub fn journal_key(room: &RoomId) -> String {
    format!("ch:{{{room}}}:journal")
}

/// What a room has refused to whoever asked again, for its next owner: a map.
pub fn refused_key(room: &RoomId) -> String {
    format!("ch:{{{room}}}:refused")
}

/// A stream in which nodes try whether they may write, and read; one of some, so that each shard of a cluster has one.
pub fn probe_key(number: u16) -> String {
    format!("ch:{{probe-{number}}}:tries")
}

/// What waits in a [queue](crate::queue): a stream, or a map.
pub fn queue_key(queue: &str) -> String {
    format!("ch:{{{queue}}}:queue")
}

/// Who has taken what of it: a map, where the queue is one.
pub fn taken_key(queue: &str) -> String {
    format!("ch:{{{queue}}}:taken")
}

/// What nobody could do of it: a map.
pub fn dead_key(queue: &str) -> String {
    format!("ch:{{{queue}}}:dead")
}

/// The map of all rooms of the releases before [partitions](crate::directory): [`RoomId`] to [`RoomSpec`](crate::node::RoomSpec) as JSON.
pub const EARLIER_SPECS: &str = "ch:{rooms}:specs";

/// The map of all owners of the releases before partitions: [`RoomId`] to [`Owner`](crate::node::Owner) as JSON.
pub const EARLIER_OWNERS: &str = "ch:{rooms}:owners";
