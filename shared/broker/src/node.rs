//! What nodes say to each other over the bus, one enum a direction, in postcard. Clients never see these.

use std::net::SocketAddr;

use bytes::Bytes;
use protocol::{
    id::{Epoch, NodeId, Position, RoomId, SessionId, UserId},
    rail::RailConfig,
    rights::Rights,
    time::UnixMs,
};
use serde::{Deserialize, Deserializer, Serialize};

/// Relay to the room's owner, on [`Channel::commands`](crate::channel::Channel::commands).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToRoom {
    /// The epoch that the relay knows the room in. An owner of another epoch drops the message: the relay sends it
    /// again when it sees the new epoch's keyframe. So a late duplicate never reaches an owner that does not
    /// remember how its predecessor answered it. Only [`Asked::Question`] goes to whoever owns the room, whatever stands here.
    pub epoch: Epoch,
    /// Where answers that are not frames go.
    pub relay: NodeId,
    /// What is asked or told.
    pub what: Asked,
}

/// See [`ToRoom`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Asked {
    /// A client's command. Retried until its frame or [`ToRelay`] is seen.
    Command {
        /// Who commands.
        user: UserId,
        /// The name that others see, from the token.
        name: String,
        /// In which session.
        session: SessionId,
        /// The client's counter.
        n: u64,
        /// The JSON text of the command's `do`, as the client sent it.
        body: Bytes,
        /// What the token says that the user may do. Those of [`SPEAKS`] 2 and before end before it, which reads as what everybody may;
        /// owners of those releases do not read it.
        #[serde(deserialize_with = "everybodys_if_missing")]
        rights: Rights,
    },
    /// This member's session watches the room through this relay. Told when it begins and, as long as it lasts, again
    /// after every change of epoch; not told for spectators.
    Present {
        /// Who.
        user: UserId,
        /// In which session.
        session: SessionId,
        /// It has just asked to watch, and so wants its seat back if another session of the user has taken it. Else this only
        /// says that it is (still) there.
        anew: bool,
    },
    /// This member's session has gone from this relay.
    Absent {
        /// Who.
        user: UserId,
        /// In which session.
        session: SessionId,
    },
    /// A [`Asked::Command`] that was never sent before, on this connection or an earlier one: whatever the room may have forgotten
    /// of its session, it has not forgotten this. Only to owners that speak [`SPEAKS`] 2.
    First {
        /// Who commands.
        user: UserId,
        /// The name that others see, from the token.
        name: String,
        /// In which session.
        session: SessionId,
        /// The client's counter.
        n: u64,
        /// The JSON text of the command's `do`, as the client sent it.
        body: Bytes,
        /// What the token says that the user may do. Those of [`SPEAKS`] 2 and before end before it, which reads as what everybody may;
        /// owners of those releases do not read it.
        #[serde(deserialize_with = "everybodys_if_missing")]
        rights: Rights,
    },
    /// A client's question about the room's committed state. It changes nothing and is sent once: if it is lost, the client asks again.
    /// Only to owners that speak [`SPEAKS`] 3.
    Question {
        /// Who asks.
        user: UserId,
        /// In which session.
        session: SessionId,
        /// The client's number of the question.
        n: u64,
        /// The JSON text of its `q`, as the client sent it.
        body: Bytes,
    },
    /// These users watch a room, or want to, that only [so many](crate::entry::Places) may watch, and have no part in it; no others do through this
    /// relay. Answered by [`ToRelay::Places`]. Whoever owns such a room reads it.
    Places {
        /// Who asks, where [`Whose`] reads a user: relays take turns in a room's mailbox as users do.
        relay: NodeId,
        /// The number of this list, which grows: an answer to an earlier one says nothing any more.
        round: u64,
        /// So many of the first have a place.
        have: u32,
        /// As many as may watch at the most: those who have a place first.
        users: Vec<UserId>,
    },
}

/// So long a place holds that an owner has [given](ToRelay::Places), milliseconds: for the relay since it said its list, for the owner since it heard that.
/// Given once and for ever: for so long a new owner gives none, as it does not know who has one.
pub const PLACE_MS: u64 = 10_000;

/// Whose a [`ToRoom`] is, read from its beginning without the rest: what all kinds of them have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whose<'a> {
    /// The user.
    pub user: &'a str,
    /// It is a question, and not something that the room decides on.
    pub is_question: bool,
}

impl<'a> Whose<'a> {
    /// The place of [`Asked::Question`] among what is asked.
    const QUESTION: u32 = 4;

    /// Reads it; `None` if it is no such message.
    pub fn read(message: &'a [u8]) -> Option<Self> {
        /// As [`ToRoom`] begins, and after it each kind of [`Asked`].
        type Beginning<'a> = (Epoch, &'a str, u32, &'a str);
        let ((_, _, kind, user), _) = postcard::take_from_bytes::<Beginning<'_>>(message).ok()?;
        Some(Self { user, is_question: kind == Self::QUESTION })
    }
}

/// Worker to one relay, on [`Channel::replies`](crate::channel::Channel::replies): answers that change nothing and so
/// are not in the journal. May be lost; the relay's retry asks again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToRelay {
    /// The command was refused.
    Refused {
        /// Whose command.
        user: UserId,
        /// In which session.
        session: SessionId,
        /// Its counter.
        n: u64,
        /// The room.
        room: RoomId,
        /// The JSON text of the whole `refused` message, as the client gets it.
        body: Bytes,
        /// The epoch in which it was refused: a relay that knows a later one has sent the command to that owner, whose answer counts. Those
        /// of the first release end before it, which reads as 0 and says nothing.
        #[serde(deserialize_with = "unknown_if_missing")]
        epoch: Epoch,
    },
    /// A repeat of a command that was applied earlier.
    Applied {
        /// Whose command.
        user: UserId,
        /// In which session.
        session: SessionId,
        /// Its counter.
        n: u64,
        /// The room.
        room: RoomId,
        /// The frame that it caused.
        at: Position,
    },
    /// A message for one session, such as that its seat is now played from another one.
    Notice {
        /// Whose session.
        user: UserId,
        /// Which session.
        session: SessionId,
        /// The room.
        room: RoomId,
        /// The JSON text of the whole `notice` message.
        body: Bytes,
    },
    /// A session that was on a connection of this relay is told to be on one of another: one of the two is to be closed, and
    /// [`SessionNews`] say which. Relays of the first release do not read it.
    Elsewhere {
        /// Whose session.
        user: UserId,
        /// Which session.
        session: SessionId,
    },
    /// An answer to an [`Asked::Question`], or why there is none. Only relays that speak [`SPEAKS`] 3 have asked.
    Answer {
        /// Whose question.
        user: UserId,
        /// In which session.
        session: SessionId,
        /// The JSON text of the whole `answer` or `unanswered` message.
        body: Bytes,
    },
    /// An answer to an [`Asked::Places`]: who has a place for the next [`PLACE_MS`].
    Places {
        /// The room.
        room: RoomId,
        /// The epoch in which they were given.
        epoch: Epoch,
        /// The number of the list.
        round: u64,
        /// Those of the list who have none, by their places in it, in order.
        without: Vec<u32>,
        /// Because there are no more. Else it is not known yet: they are to be asked for again.
        is_full: bool,
    },
}

/// Relays to relays, on [`Channel::sessions`](crate::channel::Channel::sessions). Relays of the first release do not listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionNews {
    /// These sessions go on on connections of this relay: whoever has them on an earlier one closes it.
    Held {
        /// Which relay.
        relay: NodeId,
        /// Its clock, which is compared with nothing but the times here.
        now_ms: UnixMs,
        /// The sessions.
        sessions: Vec<HeldSession>,
    },
}

/// A session on a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSession {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub session: SessionId,
    /// Since when the connection holds it.
    pub since_ms: UnixMs,
}

/// All nodes to all, on [`Channel::nodes`](crate::channel::Channel::nodes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeNews {
    /// "I live", every heartbeat interval. A node that does not hear its own is not ready.
    Beat {
        /// Who.
        node: NodeId,
        /// What it is.
        role: Role,
        /// Counts up by one each beat.
        beat: u64,
        /// The sender's clock.
        sent_ms: UnixMs,
        /// It is leaving: give it no more rooms or clients.
        draining: bool,
        /// See [`SPEAKS`]. Beats of the first release end before it, which reads as 1.
        #[serde(deserialize_with = "first_release_if_missing")]
        speaks: u16,
        /// How often the sender may have missed what others told its rooms, or took a node for dead that lives; it counts up. Beats of
        /// earlier releases end before it, which reads as 0.
        #[serde(deserialize_with = "never_if_missing")]
        missed: u64,
        /// It is one process with a relay, and publishes frames of its rooms only where others [say](ListenerNews) that they listen. Beats of
        /// earlier releases end before it, which reads as no.
        #[serde(deserialize_with = "no_if_missing")]
        spares: bool,
        /// It is one process with a relay, which the edge reaches here: players of its rooms are best off there. Beats of earlier releases end
        /// before it, which reads as nowhere.
        #[serde(deserialize_with = "nowhere_if_missing")]
        door: Option<SocketAddr>,
    },
    /// "I am gone": its rooms and members need not wait for a missed heartbeat.
    Gone {
        /// Who.
        node: NodeId,
    },
    /// "I own this room now."
    Owns {
        /// The owner.
        node: NodeId,
        /// Which room.
        room: RoomId,
        /// Since which epoch.
        epoch: Epoch,
    },
    /// "I have let go of this room; claim it at once."
    Offer {
        /// Who had it, up to and with this epoch.
        from: NodeId,
        /// Who should claim it.
        to: NodeId,
        /// Which room.
        room: RoomId,
        /// The epoch that ends.
        epoch: Epoch,
    },
    /// "There is a new room in the map of rooms."
    Opened {
        /// Which room.
        room: RoomId,
    },
    /// "This room has ended, and is in no map any more." Said only where all nodes speak [`SPEAKS`] 3.
    Closed {
        /// Which room.
        room: RoomId,
        /// Its last epoch.
        epoch: Epoch,
    },
    /// "In which of your rooms has this user a part?" Reception to workers, who answer on [`Channel::answers`](crate::channel::Channel::answers)
    /// with [`ToReception`]. Said only where all nodes speak [`SPEAKS`] 3.
    WhereIs {
        /// The reception, which is no node: it does not beat.
        asker: NodeId,
        /// Its number of the question.
        n: u64,
        /// Who.
        user: UserId,
    },
}

/// Relays to whoever owns a room, on [`Channel::listeners`](crate::channel::Channel::listeners). May be lost: it is said again and again for as
/// long as it is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListenerNews {
    /// "I listen to the frames of this room."
    Listens {
        /// Which relay.
        relay: NodeId,
    },
}

/// How often relays say where they listen, and how long owners believe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenPace {
    /// So often it is said, milliseconds; more often at first.
    pub again_ms: u64,
    /// So long it holds, milliseconds: three times as long at least, so that one word may be lost.
    pub holds_ms: u64,
}

impl Default for ListenPace {
    fn default() -> Self {
        Self { again_ms: 10_000, holds_ms: 32_000 }
    }
}

/// Worker to one reception, on [`Channel::answers`](crate::channel::Channel::answers). May be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToReception {
    /// An answer to [`NodeNews::WhereIs`].
    Parts {
        /// Who answers.
        worker: NodeId,
        /// The question's number.
        n: u64,
        /// Rooms of this worker in which the user has a part, 16 at most.
        rooms: Vec<RoomId>,
        /// It knows this of all rooms that are its own. Not while it takes rooms over.
        is_sure: bool,
    },
}

/// What this release says and reads. It stands in every beat, so that nodes say nothing that a living node cannot read.
///
/// | number | since then |
/// | --- | --- |
/// | 1 | the first release |
/// | 2 | [`Asked::First`]; records with a kind and a schema |
/// | 3 | [rights](Rights) of who commands; records whose runtime part has a version; rooms of other kinds than tables, and rooms that end ([`NodeNews::Closed`]); entries that tell [when](crate::entry::Entry::at_ms) they were decided; the [directory](crate::directory) by partition; [`LobbyNews::Lines`](crate::lobby::LobbyNews) and `Changes`; [`Asked::Question`]; [`NodeNews::WhereIs`] |
/// | 4 | relays that say where they [listen](ListenerNews), as long as a node wants to know it |
pub const SPEAKS: u16 = 4;

/// Since this release relays say where they listen; see [`SPEAKS`].
pub const LISTENERS_TELL_SINCE: u16 = 4;

/// See [`first_release_if_missing`].
fn never_if_missing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(u64::deserialize(deserializer).unwrap_or_default())
}

/// See [`first_release_if_missing`].
fn no_if_missing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(bool::deserialize(deserializer).unwrap_or_default())
}

/// See [`first_release_if_missing`].
fn nowhere_if_missing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    Ok(Option::deserialize(deserializer).unwrap_or_default())
}

/// See [`first_release_if_missing`].
fn unknown_if_missing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Epoch, D::Error> {
    Ok(Epoch::deserialize(deserializer).unwrap_or_default())
}

/// See [`first_release_if_missing`].
fn everybodys_if_missing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rights, D::Error> {
    Ok(Rights::deserialize(deserializer).unwrap_or_default())
}

/// What is missing ends the message: postcard says so, and nothing follows a beat.
fn first_release_if_missing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    Ok(u16::deserialize(deserializer).unwrap_or(1))
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Terminates clients' sockets.
    Relay,
    /// Owns rooms.
    Worker,
}

/// What a room is, in the map of rooms of its [partition](crate::directory::Partition::specs), as JSON.
///
/// An object whose `kind` names a kind of room, and whose other fields are what that kind is set to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomSpec {
    /// The kind's name, such as `table`.
    pub kind: String,
    /// How those watch it who have no part in it, whatever its kind. Releases that do not know it take it for a setting of the kind, and leave the
    /// room to others.
    #[serde(default, skip_serializing_if = "RailConfig::is_default")]
    pub rail: RailConfig,
    /// In the words of the kind.
    #[serde(flatten)]
    pub settings: serde_json::Map<String, serde_json::Value>,
}

impl RoomSpec {
    /// A room of this kind with these settings.
    ///
    /// # Panics
    /// If the settings are no JSON object.
    pub fn new(kind: &str, settings: &impl Serialize) -> Self {
        match serde_json::to_value(settings) {
            Ok(serde_json::Value::Object(settings)) => {
                Self { kind: kind.to_owned(), rail: RailConfig::default(), settings }
            }
            other => panic!("settings of a room are an object, not {other:?}"),
        }
    }

    /// The same room with this rail.
    #[must_use]
    pub fn with_rail(self, rail: RailConfig) -> Self {
        Self { rail, ..self }
    }

    /// The settings, read as what they are in this kind.
    ///
    /// # Errors
    /// If they are something else.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(serde_json::Value::Object(self.settings.clone()))
    }

    /// The JSON text.
    pub fn to_bytes(&self) -> Bytes {
        serde_json::to_vec(self).expect("a spec has string keys and no failing parts").into()
    }
}

/// Who owns a room, in the map of owners of its [partition](crate::directory::Partition::owners), as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The owner; `None` when it was let go and waits to be claimed.
    pub node: Option<NodeId>,
    /// Since (or, without a node, until) which epoch.
    pub epoch: Epoch,
}

impl Owner {
    /// Whether `other` is a later word: of a later epoch, or that this one's epoch has ended.
    pub fn is_before(&self, other: &Self) -> bool {
        (self.epoch, self.node.is_none()) < (other.epoch, other.node.is_none())
    }

    /// The JSON text.
    pub fn to_bytes(&self) -> Bytes {
        serde_json::to_vec(self).expect("an owner is JSON").into()
    }

    /// Reads it again. Anything else counts as nothing: whoever knows better writes over it.
    pub fn read(written: &[u8]) -> Option<Self> {
        serde_json::from_slice(written).ok()
    }
}

/// Bytes that are not such a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a message of this version between nodes: {0}")]
pub struct BadMessage(#[from] postcard::Error);

/// Encodes a message between nodes.
///
/// # Panics
/// Never for the types of this module: postcard fails only on types without a length.
pub fn encode<T: Serialize>(message: &T) -> Bytes {
    postcard::to_stdvec(message).expect("messages between nodes have known lengths").into()
}

/// Decodes a message between nodes.
///
/// # Errors
/// [`BadMessage`] when the bytes are something else.
pub fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, BadMessage> {
    Ok(postcard::from_bytes(bytes)?)
}

#[cfg(test)]
mod tests {
    use protocol::rights::{Can, Roles};

    use super::*;

    #[test]
    fn whose_a_message_to_a_room_is_stands_at_its_beginning_whatever_it_says() {
        let (user, session, name) = (UserId::new("ann").unwrap(), SessionId(7), "Ann".to_owned());
        let (n, body, rights) = (9, Bytes::from_static(b"{}"), Rights::default());
        let all = [
            Asked::Command { user: user.clone(), name: name.clone(), session, n, body: body.clone(), rights },
            Asked::Present { user: user.clone(), session, anew: true },
            Asked::Absent { user: user.clone(), session },
            Asked::First { user: user.clone(), name, session, n, body: body.clone(), rights },
            Asked::Question { user, session, n, body },
            Asked::Places { relay: NodeId::new("ann").unwrap(), round: 3, have: 0, users: Vec::new() },
        ];
        for what in all {
            // Whoever adds a kind adds it to these.
            let is_question = match &what {
                Asked::Question { .. } => true,
                Asked::Command { .. }
                | Asked::Present { .. }
                | Asked::Absent { .. }
                | Asked::First { .. }
                | Asked::Places { .. } => false,
            };
            let message = encode(&ToRoom { epoch: Epoch(300), relay: NodeId::new("r1").unwrap(), what });
            assert_eq!(Whose::read(&message), Some(Whose { user: "ann", is_question }));
            assert_eq!(Whose::read(&message[..3]), None);
        }
    }

    /// As it was in the release before this one. What stands here is for ever.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct ToRoomBefore {
        epoch: Epoch,
        relay: NodeId,
        what: AskedBefore,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum AskedBefore {
        Command { user: UserId, name: String, session: SessionId, n: u64, body: Bytes },
        Present { user: UserId, session: SessionId, anew: bool },
        Absent { user: UserId, session: SessionId },
        First { user: UserId, name: String, session: SessionId, n: u64, body: Bytes },
    }

    fn commands() -> [(AskedBefore, Asked); 2] {
        let (user, session, n) = (UserId::new("ann").unwrap(), SessionId(7), 9);
        let (name, body, rights) = ("Ann".to_owned(), Bytes::from_static(b"{}"), Rights::default());
        let before =
            AskedBefore::Command { user: user.clone(), name: name.clone(), session, n, body: body.clone() };
        let now =
            Asked::Command { user: user.clone(), name: name.clone(), session, n, body: body.clone(), rights };
        let first_before =
            AskedBefore::First { user: user.clone(), name: name.clone(), session, n, body: body.clone() };
        [(before, now), (first_before, Asked::First { user, name, session, n, body, rights })]
    }

    #[test]
    fn owners_and_relays_of_the_release_before_are_understood_and_understand_who_commands() {
        let (epoch, relay) = (Epoch(300), NodeId::new("r1").unwrap());
        for (before, now) in commands() {
            let told = encode(&ToRoomBefore { epoch, relay: relay.clone(), what: before });
            let read: ToRoom = decode(&told).unwrap();
            assert_eq!(read.what, now, "who is not said to have lost anything may what everybody may");
            let read: ToRoomBefore = decode(&encode(&ToRoom { what: now, ..read })).unwrap();
            assert_eq!(encode(&read), told);
        }
    }

    /// As it was in the release before this one.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum NewsBefore {
        Beat {
            node: NodeId,
            role: Role,
            beat: u64,
            sent_ms: UnixMs,
            draining: bool,
            speaks: u16,
            missed: u64,
            spares: bool,
        },
    }

    #[test]
    fn beats_of_the_release_before_are_understood_and_understand_those_of_this_one() {
        let (node, role, draining) = (NodeId::new("w1").unwrap(), Role::Worker, false);
        let (beat, sent_ms, speaks, missed, spares) = (300, 7, 4, 9, true);
        let before =
            NewsBefore::Beat { node: node.clone(), role, beat, sent_ms, draining, speaks, missed, spares };
        let now = |door| {
            let node = node.clone();
            NodeNews::Beat { node, role, beat, sent_ms, draining, speaks, missed, spares, door }
        };
        assert_eq!(decode::<NodeNews>(&encode(&before)).unwrap(), now(None), "nobody is led to it");
        for door in ["10.0.0.3:8081", "[fd00::3]:8081"] {
            let now = now(Some(door.parse().unwrap()));
            assert_eq!(decode::<NewsBefore>(&encode(&now)).unwrap(), before);
            assert_eq!(decode::<NodeNews>(&encode(&now)).unwrap(), now);
        }
    }

    #[test]
    fn what_a_user_has_lost_is_told_to_the_rooms_owner() {
        let (epoch, relay) = (Epoch(300), NodeId::new("r1").unwrap());
        let lost = Rights { roles: Roles::FLOOR, can: Can::CHAT, play_from_ms: 1_700_000_000_000 };
        for (_, mut now) in commands() {
            if let Asked::Command { rights, .. } | Asked::First { rights, .. } = &mut now {
                *rights = lost;
            }
            let message = ToRoom { epoch, relay: relay.clone(), what: now };
            assert_eq!(decode::<ToRoom>(&encode(&message)).unwrap(), message);
        }
    }
}
