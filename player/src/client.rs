//! The client's side of `cardhouse.v1` without I/O: messages go in, messages to send come out.
//!
//! A [`Client`] outlives its connections: it resumes rooms and the session, sends unanswered commands again in
//! order, and judges everything that it hears ([`Breaches`]). Whoever drives it brings the bytes and the time.
//!
//! - [`heard`]: what a message means.
//! - `hearing`: messages taken in.
//! - `alive`: when to ask whether the relay is there, and when a new token is due.
//! - `seen`: what a client knows.

mod alive;
pub mod heard;
mod hearing;
mod seen;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::{
    ClientIn,
    id::{RoomId, SessionId, UserId},
    lobby::View,
    table::TableCommand,
    talk::TalkCommand,
    time::UnixMs,
};
use serde_json::value::RawValue;
use tokio::time::{Duration, Instant};

pub use self::heard::Heard;
use crate::{
    answers::Answers,
    breach::{Breach, Breaches},
    looking::Looking,
    questions::Questions,
    watched::Watched,
};

/// One user's client.
#[derive(Debug)]
pub struct Client {
    token: String,
    user: Option<UserId>,
    session: Option<SessionId>,
    phase: Phase,
    rooms: BTreeMap<RoomId, Watched>,
    /// Unwatched, but the relay has not said so yet: their frames may still come.
    leaving: BTreeSet<RoomId>,
    /// Where there was no place to watch: up to which number commands are answered alone, without their frames.
    turned_away: BTreeMap<RoomId, u64>,
    lobby: Option<Looking>,
    /// Views that were looked at so far; wraps.
    looks: u8,
    /// See [`ClientOut::Welcome`].
    views: bool,
    answers: Answers,
    questions: Questions,
    outgoing: VecDeque<String>,
    born: Instant,
    last_sent: Instant,
    last_heard: Instant,
    /// When the first ping was sent after which nothing was heard.
    pinged: Option<Instant>,
    /// Something is to be sent at least this often.
    idle: Duration,
    token_until: Option<Instant>,
    /// The server's clock at a moment of ours.
    server_clock: Option<(UnixMs, Instant)>,
    wants_reconnect: bool,
    /// See [`Client::connects_near`].
    connects_near: bool,
    breaches: Breaches,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Offline,
    Greeting,
    Online,
}

impl Client {
    /// A client that is not connected yet. `now` is only used to measure from.
    pub fn new(token: String, now: Instant) -> Self {
        Self {
            token,
            user: None,
            session: None,
            phase: Phase::Offline,
            rooms: BTreeMap::new(),
            leaving: BTreeSet::new(),
            turned_away: BTreeMap::new(),
            lobby: None,
            looks: 0,
            views: false,
            answers: Answers::default(),
            questions: Questions::default(),
            outgoing: VecDeque::new(),
            born: now,
            last_sent: now,
            last_heard: now,
            pinged: None,
            idle: Duration::MAX,
            token_until: None,
            server_clock: None,
            wants_reconnect: false,
            connects_near: false,
            breaches: Breaches::default(),
        }
    }

    /// A connection is there: greets, resuming all that was watched.
    pub fn connected(&mut self, now: Instant) {
        self.phase = Phase::Greeting;
        (self.wants_reconnect, self.last_heard, self.pinged) = (false, now, None);
        self.leaving.clear();
        self.outgoing.clear();
        let resume =
            self.rooms.iter_mut().map(|(room, watched)| (room.clone(), watched.resume_at())).collect();
        self.send(&ClientIn::Hello { token: self.token.clone().into(), session: self.session, resume }, now);
    }

    /// The connection is gone. Commands without an answer wait for the next one.
    pub fn disconnected(&mut self) {
        self.phase = Phase::Offline;
        self.outgoing.clear();
    }

    /// The relay has given the session to somebody else ([`CloseCode::SessionTaken`](protocol::CloseCode)):
    /// begins a new one with the next connection.
    pub fn forget_session(&mut self) {
        self.session = None;
        self.answers.give_up();
    }

    /// The next message to send, oldest first.
    pub fn pop_outgoing(&mut self) -> Option<String> {
        self.outgoing.pop_front()
    }

    /// Asks something of a room and returns the command's counter; watched from now on.
    pub fn command(&mut self, room: &RoomId, command: &TableCommand, now: Instant) -> u64 {
        let what = serde_json::value::to_raw_value(command).expect("commands are JSON");
        self.ask(room, what, matches!(command, TableCommand::Act { .. }), now)
    }

    /// The same with any JSON value, be it a command or not.
    pub fn raw_command(&mut self, room: &RoomId, what: Box<RawValue>, now: Instant) -> u64 {
        self.ask(room, what, false, now)
    }

    /// Says something in a room in which people talk.
    pub fn talk_in(&mut self, room: &RoomId, text: String, now: Instant) -> u64 {
        let what = serde_json::value::to_raw_value(&TalkCommand::Say { text }).expect("commands are JSON");
        self.raw_command(room, what, now)
    }

    fn ask(&mut self, room: &RoomId, what: Box<RawValue>, acts: bool, now: Instant) -> u64 {
        self.rooms.entry(room.clone()).or_insert_with(|| Watched::new(room.clone()));
        let asked = self.answers.ask(room, what, acts, now);
        let n = asked.n;
        if self.phase == Phase::Online {
            self.outgoing.push_back(asked.text.clone());
            self.last_sent = now;
        }
        n
    }

    /// Asks a room a question, and again as long as nothing comes, over reconnects too; returns its number.
    pub fn question(&mut self, room: &RoomId, q: Box<RawValue>, now: Instant) -> u64 {
        let (n, text) = self.questions.ask(room, q, now);
        if self.phase == Phase::Online {
            self.outgoing.push_back(text);
            self.last_sent = now;
        }
        n
    }

    /// Begins to watch a room.
    pub fn watch(&mut self, room: &RoomId, now: Instant) {
        if self.rooms.contains_key(room) {
            return;
        }
        // A command that was repeated may have had it watched.
        self.rooms.entry(room.clone()).or_insert_with(|| Watched::new(room.clone())).asked_for();
        self.say(&ClientIn::Watch { room: room.clone() }, now);
    }

    /// Ends it.
    pub fn unwatch(&mut self, room: &RoomId, now: Instant) {
        if self.rooms.remove(room).is_some() && self.phase != Phase::Offline {
            self.leaving.insert(room.clone());
            self.say(&ClientIn::Unwatch { room: room.clone() }, now);
        }
    }

    /// Begins to look at a part of the lobby, over reconnects, or ends it.
    pub fn lobby(&mut self, view: Option<View>, now: Instant) {
        if self.lobby.as_ref().map(Looking::view) == view.as_ref() {
            return;
        }
        self.looks = self.looks.wrapping_add(1);
        self.lobby = view.map(|view| Looking::new(view, self.looks));
        // Before the welcome it is not known what the relay understands.
        if self.phase == Phase::Online {
            let ends = || ClientIn::Lobby { on: false, v: None, view: None };
            let message = self.lobby.as_ref().map_or_else(ends, |looking| looking.request(self.views));
            self.send(&message, now);
        }
    }

    /// The end of the run: whatever has no answer after `bound` counts as never answered.
    pub fn judge_unanswered(&mut self, bound: Duration, now: Instant) {
        let breaches = &mut self.breaches;
        for command in self.answers.waiting().filter(|command| now.duration_since(command.since) > bound) {
            breaches.count(Breach::Answer, || format!("{}: no answer to {}", command.room, command.text));
        }
        for question in self.questions.open().filter(|open| now.duration_since(open.since) > bound) {
            breaches.count(Breach::Answer, || format!("{}: no answer to {}", question.room, question.q));
        }
    }

    /// Sends if connected (right behind the hello, if need be); what is said offline is part of the next hello.
    fn say(&mut self, message: &ClientIn<'_>, now: Instant) {
        if self.phase != Phase::Offline {
            self.send(message, now);
        }
    }

    fn send(&mut self, message: &ClientIn<'_>, now: Instant) {
        self.outgoing.push_back(serde_json::to_string(message).expect("messages are JSON"));
        self.last_sent = now;
    }
}
