//! The client's side of `cardhouse.v1` without I/O: messages go in, messages to send come out.
//!
//! A [`Client`] outlives its connections: it resumes rooms and the session, sends unanswered commands again in
//! order, and judges everything that it hears ([`Breaches`]). Whoever drives it brings the bytes and the time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::{
    ClientIn, ClientOut, ErrorCode, RefusalCode,
    client_out::NoticeCode,
    id::{Position, RoomId, SessionId, UserId},
    lobby::{Row, View},
    table::{Card, TableCommand, TableEvent, TablePrivate, TableView},
    talk::{TalkCommand, TalkView},
    time::UnixMs,
};
use serde_json::value::RawValue;
use tokio::time::{Duration, Instant};

use crate::{
    answers::Answers,
    breach::{Breach, Breaches},
    follower::Follower,
    incoming::{self, Incoming, Refusal},
    looking::Looking,
    questions::Questions,
    referee::Referee,
    watched::{Taken, Watched},
};

/// A token is renewed when less than this is left of it.
const TOKEN_MARGIN: Duration = Duration::from_secs(60);

/// When no new token could be got, the next try is so much later.
const TOKEN_RETRY: Duration = Duration::from_secs(5);

/// A relay that has said nothing for so long is asked whether it is there.
const ASK_AFTER: Duration = Duration::from_secs(5);

/// One that says nothing for so long is not, whatever the connection says: it may stand still, or be cut off.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// While somebody [waits](Client::waits) it is asked after so long,
const HURRIED_ASK_AFTER: Duration = Duration::from_secs(2);

/// and has so long to answer.
const HURRIED_ANSWER_WITHIN: Duration = Duration::from_secs(2);

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

/// What a message meant.
#[derive(Debug)]
pub enum Heard {
    /// The connection is up.
    Welcome {
        /// The session of before goes on.
        resumed: bool,
    },
    /// A delta was taken (or refused as a breach: then the view has not moved).
    Frame {
        /// Which room.
        room: RoomId,
        /// Where.
        at: Position,
        /// The events.
        events: Vec<TableEvent>,
        /// The hand and turn that were on before it.
        turn: Option<(u64, u64)>,
    },
    /// A keyframe was taken.
    Keyframe {
        /// Which room.
        room: RoomId,
        /// Where.
        at: Position,
    },
    /// The own part of a frame was taken.
    Private {
        /// Which room.
        room: RoomId,
    },
    /// A command was applied.
    Acked {
        /// Its counter.
        n: u64,
        /// Its room.
        room: RoomId,
        /// In which frame.
        at: Position,
        /// It was an action in a hand.
        acted: bool,
        /// Since it was first sent.
        after: Duration,
    },
    /// A command was not applied.
    Refused(Refusal),
    /// A question was answered.
    Answer {
        /// Its number.
        n: u64,
        /// Its room.
        room: RoomId,
        /// What was asked.
        q: Box<RawValue>,
        /// The frame up to which the answer is right.
        at: Position,
        /// The answer, in the words of the room's kind.
        body: Box<RawValue>,
    },
    /// A question is not answered.
    Unanswered {
        /// What was asked.
        q: Box<RawValue>,
        /// Why.
        why: Refusal,
    },
    /// The lobby is here or has changed.
    Lobby,
    /// A room's frames end.
    Unwatched(RoomId),
    /// A message that was no command was refused.
    Error {
        /// Why.
        code: ErrorCode,
        /// About which room.
        room: Option<RoomId>,
    },
    /// To know.
    Notice(NoticeCode),
    /// The relay is leaving: connect again after so long.
    Reconnect(Duration),
    /// An answer to a ping; the time since it was sent.
    Pong(Duration),
    /// The new token holds.
    Refreshed,
    /// Nothing to act on: a stray or unreadable message, counted if it is a breach.
    Nothing,
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

    /// Takes a message from the relay.
    pub fn receive(&mut self, text: &str, now: Instant) -> Heard {
        (self.last_heard, self.pinged) = (now, None);
        match incoming::read(text) {
            Ok(Incoming::Frame(room, at, part)) => self.frame(room, at, part, incoming::cards_named(text)),
            Ok(Incoming::Keyframe(room, at, view)) => {
                self.keyframe(room, at, view, incoming::cards_named(text))
            }
            Ok(Incoming::KeyframeOfOther { room, at, kind, sparse, state }) => {
                let taken = self.taken(&room, |watched, breaches| {
                    watched.keyframe_of_other(at, &kind, sparse, state, breaches)
                });
                if taken { Heard::Keyframe { room, at } } else { Heard::Nothing }
            }
            Ok(Incoming::Private(room, at, part)) => {
                self.private(room, at, part, incoming::cards_named(text))
            }
            Ok(Incoming::Refused(refusal)) => {
                Referee::no_other_cards(incoming::cards_named(text), 0, &mut self.breaches);
                self.answered(refusal.n, &refusal.room);
                self.forget_if_nowhere(&refusal);
                Heard::Refused(refusal)
            }
            Ok(Incoming::Unanswered(why)) => match self.asked(why.n, &why.room) {
                Some(q) => Heard::Unanswered { q, why },
                None => Heard::Nothing,
            },
            Ok(Incoming::Plain(ClientOut::Answer { n, room, at, body })) => {
                // No table tells a card to who asks.
                Referee::no_other_cards(incoming::cards_named(text), 0, &mut self.breaches);
                match self.asked(n, &room) {
                    Some(q) => Heard::Answer { n, room, q, at, body },
                    None => Heard::Nothing,
                }
            }
            Ok(Incoming::Plain(message)) => self.plain(message, now),
            Ok(Incoming::Unknown) => Heard::Nothing,
            Err(unreadable) => {
                self.breaches.count(Breach::Fold, || unreadable.to_string());
                Heard::Nothing
            }
        }
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

    /// The question of which an answer has come.
    fn asked(&mut self, n: u64, room: &RoomId) -> Option<Box<RawValue>> {
        let question = self.questions.answered(n, room);
        if let Err(why) = &question {
            self.breaches.count(Breach::Answer, || format!("{room}: answer to question {n}: {why}"));
        }
        Some(question.ok()??.q)
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

    /// Uses a new token: at once on a live connection, else with the next hello.
    pub fn renew_token(&mut self, token: String, now: Instant) {
        self.token.clone_from(&token);
        self.token_until = None;
        self.say(&ClientIn::Refresh { token: token.into() }, now);
    }

    /// There is no new token yet: [`Client::needs_token`] again in some seconds.
    pub fn put_off_token(&mut self, now: Instant) {
        self.token_until = Some(now + TOKEN_RETRY);
    }

    /// Sends a ping if the relay would otherwise find the connection dead, or may be dead itself; and asks again what has no answer.
    pub fn keep_alive(&mut self, now: Instant) {
        let quiet = now.duration_since(self.last_sent) >= self.idle / 2;
        let asks = now.duration_since(self.last_heard) >= self.ask_after() && self.pinged.is_none();
        if self.phase != Phase::Online {
            return;
        }
        if quiet || asks {
            self.ping(now);
        }
        let again = self.questions.due(now);
        if !again.is_empty() {
            self.outgoing.extend(again);
            self.last_sent = now;
        }
    }

    /// Whether the relay has not even answered the question whether it is there: only another connection helps, and rather
    /// one to another relay.
    pub fn is_in_silence(&self, now: Instant) -> bool {
        self.silent_at().is_some_and(|at| now >= at)
    }

    /// When the connection counts as dead if nothing comes until then.
    fn silent_at(&self) -> Option<Instant> {
        let late = (self.phase != Phase::Offline).then(|| self.last_heard + SILENT_AFTER)?;
        let hurried = self.pinged.filter(|_| self.waits()).map(|at| at + HURRIED_ANSWER_WITHIN);
        Some(hurried.map_or(late, |at| at.min(late)))
    }

    /// Whether somebody waits for what comes next: a command has no answer, or a hand is played with cards of ours.
    fn waits(&self) -> bool {
        self.answers.waiting().next().is_some()
            || self.rooms.keys().any(|room| !self.hole_cards(room).is_empty())
    }

    fn ask_after(&self) -> Duration {
        if self.waits() { HURRIED_ASK_AFTER } else { ASK_AFTER }
    }

    /// Measures the way to the relay and back; answered as [`Heard::Pong`].
    pub fn ping(&mut self, now: Instant) {
        let at = u64::try_from(now.duration_since(self.born).as_micros()).unwrap_or_default();
        self.pinged.get_or_insert(now);
        self.say(&ClientIn::Ping { at: at.into() }, now);
    }

    /// When [`Client::keep_alive`] will have something to do, the relay has been silent for too long, or the token wants renewal.
    pub fn next_deadline(&self) -> Option<Instant> {
        let online = self.phase == Phase::Online;
        let ping = online.then(|| self.last_sent.checked_add(self.idle / 2)).flatten();
        let ask = (online && self.pinged.is_none()).then(|| self.last_heard + self.ask_after());
        let question = online.then(|| self.questions.deadline()).flatten();
        [ping, ask, self.silent_at(), question, self.token_until].into_iter().flatten().min()
    }

    /// Whether the token ends soon.
    pub fn needs_token(&self, now: Instant) -> bool {
        self.token_until.is_some_and(|until| now >= until)
    }

    /// Whether something was missed, so that only a reconnect with resume puts it right.
    pub fn wants_reconnect(&self) -> bool {
        self.wants_reconnect
    }

    /// Whether the house wants who has a seat to connect near it.
    pub fn connects_near(&self) -> bool {
        self.connects_near
    }

    /// Whether the relay has said welcome.
    pub fn is_online(&self) -> bool {
        self.phase == Phase::Online
    }

    /// The session that its commands belong to; `None` before the first welcome.
    pub fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// Who the relay says this is; `None` before the first welcome.
    pub fn user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }

    /// A watched room.
    pub fn room(&self, room: &RoomId) -> Option<&Follower> {
        self.rooms.get(room).map(Watched::follower)
    }

    /// What is said in a watched room in which people talk; `None` until its first keyframe.
    pub fn talk(&self, room: &RoomId) -> Option<&TalkView> {
        self.rooms.get(room)?.talk()
    }

    /// How many parts of its own it has got in a watched room that counts them.
    pub fn parts(&self, room: &RoomId) -> Option<u64> {
        self.rooms.get(room)?.count()
    }

    /// Whether a watched room's frames for others do not come.
    pub fn is_sparse(&self, room: &RoomId) -> bool {
        self.rooms.get(room).is_some_and(Watched::is_sparse)
    }

    /// The last frame that was taken of a watched room, of whatever kind it is.
    pub fn position(&self, room: &RoomId) -> Option<Position> {
        self.rooms.get(room).map(Watched::at)
    }

    /// A watched room's table, once its keyframe has come.
    pub fn table(&self, room: &RoomId) -> Option<&TableView> {
        self.room(room)?.view()
    }

    /// The own hole cards in the hand that is on; empty without.
    pub fn hole_cards(&self, room: &RoomId) -> &[Card] {
        let Some(follower) = self.room(room) else { return &[] };
        let hand = follower.view().and_then(|view| view.hand.as_ref()).map(|hand| hand.hand);
        if Some(follower.private().hand) == hand { &follower.private().cards } else { &[] }
    }

    /// What it looks at in the lobby, and what it sees.
    pub fn looking(&self) -> Option<&Looking> {
        self.lobby.as_ref()
    }

    /// The rows that it sees in the lobby, in their order.
    pub fn lobby_rows(&self) -> impl Iterator<Item = &Row> {
        self.lobby.iter().filter_map(Looking::seen).flat_map(|seen| seen.rows())
    }

    /// Commands and their answers.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Questions without an answer so far.
    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// What was broken so far.
    pub fn breaches(&self) -> &Breaches {
        &self.breaches
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

    /// Gives a room's part to its room. Frames of a room that is being left do not count; those of a room that was
    /// never watched are followed from nothing, so that they are told as gaps.
    fn taken(&mut self, room: &RoomId, take: impl FnOnce(&mut Watched, &mut Breaches) -> Taken) -> bool {
        if self.leaving.contains(room) {
            return false;
        }
        let watched = self.rooms.entry(room.clone()).or_insert_with(|| Watched::new(room.clone()));
        let taken = take(watched, &mut self.breaches);
        self.wants_reconnect |= taken == Taken::Missed;
        taken == Taken::Yes
    }

    fn frame(&mut self, room: RoomId, at: Position, part: &RawValue, named: usize) -> Heard {
        if self.rooms.get(&room).is_some_and(Watched::is_no_table) {
            let taken = self.taken(&room, |watched, breaches| watched.frame_of_other(at, part, breaches));
            let (events, turn) = (Vec::new(), None);
            return if taken { Heard::Frame { room, at, events, turn } } else { Heard::Nothing };
        }
        let events = match incoming::events(part.get()) {
            Ok(events) => events,
            Err(unreadable) => {
                self.breaches.count(Breach::Fold, || unreadable.to_string());
                return Heard::Nothing;
            }
        };
        let hand = self.table(&room).and_then(|view| view.hand.as_ref());
        let turn = hand.and_then(|hand| Some((hand.hand, hand.turn.as_ref()?.turn)));
        let me = self.user.clone();
        let taken =
            self.taken(&room, |watched, breaches| watched.frame(at, &events, named, me.as_ref(), breaches));
        if taken { Heard::Frame { room, at, events, turn } } else { Heard::Nothing }
    }

    fn keyframe(&mut self, room: RoomId, at: Position, view: Box<TableView>, named: usize) -> Heard {
        let taken = self.taken(&room, |watched, breaches| watched.keyframe(at, view, named, breaches));
        if taken { Heard::Keyframe { room, at } } else { Heard::Nothing }
    }

    fn private(&mut self, room: RoomId, at: Position, part: &RawValue, named: usize) -> Heard {
        let Some(me) = self.user.clone() else {
            self.breaches.count(Breach::Privacy, || format!("{room}: a private part before the welcome"));
            return Heard::Nothing;
        };
        let taken = self.taken(&room, |watched, breaches| {
            if watched.is_no_table() {
                return watched.part_of_other(at, part, breaches);
            }
            match serde_json::from_str::<TablePrivate>(part.get()) {
                Ok(part) => watched.own_part(at, part, named, &me, breaches),
                Err(unreadable) => {
                    breaches.count(Breach::Fold, || unreadable.to_string());
                    Taken::No
                }
            }
        });
        if taken { Heard::Private { room } } else { Heard::Nothing }
    }

    fn plain(&mut self, message: ClientOut, now: Instant) -> Heard {
        match message {
            ClientOut::Welcome {
                user,
                session,
                now_ms,
                expires_ms,
                idle_ms,
                near,
                counts,
                views,
                name: _,
            } => {
                self.views = views;
                if let Some(looking) = &self.lobby {
                    self.send(&looking.request(views), now);
                }
                self.connects_near = near;
                self.server_clock = Some((now_ms, now));
                self.token_ends(expires_ms, now);
                if counts && self.session == Some(session) {
                    self.send(&ClientIn::Count { n: self.answers.last_n() }, now);
                }
                self.welcome(user, session, idle_ms)
            }
            ClientOut::Refreshed { expires_ms } => {
                self.token_ends(expires_ms, now);
                Heard::Refreshed
            }
            ClientOut::Ack { n, room, epoch, seq } => {
                let at = Position(epoch, seq);
                if self.rooms.get(&room).is_some_and(|watched| !watched.has_seen(at)) {
                    self.breaches.count(Breach::Answer, || format!("{room}: ack {n} before its frame {at}"));
                }
                match self.answered(n, &room) {
                    Some((acted, since)) => {
                        Heard::Acked { n, room, at, acted, after: now.duration_since(since) }
                    }
                    None => Heard::Nothing,
                }
            }
            ClientOut::Lobby(whole) => {
                let is_ours = self.lobby.as_mut().is_some_and(|looking| looking.begin(whole));
                if is_ours { Heard::Lobby } else { Heard::Nothing }
            }
            ClientOut::LobbyDelta(delta) => {
                let is_ours = self.lobby.as_mut().is_some_and(|looking| looking.fold(delta));
                if is_ours { Heard::Lobby } else { Heard::Nothing }
            }
            ClientOut::Unwatched { room } => {
                if !self.leaving.remove(&room) {
                    self.rooms.remove(&room);
                }
                Heard::Unwatched(room)
            }
            ClientOut::Error { code, room, .. } => {
                if let (ErrorCode::NoSuchRoom | ErrorCode::TooManyRooms, Some(room)) = (code, &room) {
                    self.rooms.remove(room);
                }
                Heard::Error { code, room }
            }
            ClientOut::Pong { at, .. } => {
                let at = at.get().parse().unwrap_or(0);
                Heard::Pong(now.duration_since(self.born).saturating_sub(Duration::from_micros(at)))
            }
            ClientOut::Reconnect { after_ms } => Heard::Reconnect(Duration::from_millis(after_ms)),
            ClientOut::Notice { room, code, .. } => {
                if code == NoticeCode::HistoryLost
                    && let Some(watched) = room.and_then(|room| self.rooms.get_mut(&room))
                {
                    watched.history_lost();
                }
                Heard::Notice(code)
            }
            ClientOut::Keyframe { .. }
            | ClientOut::Frame { .. }
            | ClientOut::Private { .. }
            | ClientOut::Answer { .. }
            | ClientOut::Unanswered { .. }
            | ClientOut::Refused(_) => {
                unreachable!("read before, with a room's part or the whole text")
            }
        }
    }

    /// A command has a room watched. One of which nothing has come, and which is not there, is not.
    fn forget_if_nowhere(&mut self, refusal: &Refusal) {
        let is_nowhere = refusal.code == Some(RefusalCode::NoSuchRoom);
        if is_nowhere && self.position(&refusal.room) == Some(Position::default()) {
            self.rooms.remove(&refusal.room);
        }
    }

    fn welcome(&mut self, user: UserId, session: SessionId, idle_ms: u64) -> Heard {
        if self.user.as_ref().is_some_and(|known| *known != user) {
            self.breaches.count(Breach::Privacy, || format!("welcomed as {user}"));
        }
        let resumed = self.session == Some(session);
        if self.session.is_some() && !resumed {
            let lost = self.answers.give_up();
            if lost > 0 {
                self.breaches
                    .count(Breach::Answer, || format!("a new session, {lost} commands without an answer"));
            }
        }
        self.user = Some(user);
        self.session = Some(session);
        self.phase = Phase::Online;
        self.idle = Duration::from_millis(idle_ms);
        self.outgoing.extend(self.answers.waiting().map(|command| command.text.clone()));
        Heard::Welcome { resumed }
    }

    fn token_ends(&mut self, expires_ms: UnixMs, now: Instant) {
        let Some((server_ms, then)) = self.server_clock else { return };
        let left = Duration::from_millis(expires_ms.saturating_sub(server_ms));
        let left = left.saturating_sub(now.duration_since(then));
        // A token shorter than twice the margin is renewed at half its life.
        self.token_until = Some(now + left.saturating_sub(TOKEN_MARGIN).max(left / 2));
    }

    /// Matches an answer with its command: whether that was an action, and when it was first sent.
    fn answered(&mut self, n: u64, room: &RoomId) -> Option<(bool, Instant)> {
        match self.answers.answered(n, room) {
            Ok(command) => Some((command.acts, command.since)),
            Err(unexpected) => {
                self.breaches.count(Breach::Answer, || format!("{room}: answer to {n}: {unexpected}"));
                None
            }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn welcome() -> String {
        let welcome = json!({"t": "welcome", "user": "ann", "name": "Ann", "session": "0000000000000001",
            "now_ms": 0, "expires_ms": 3_600_000, "idle_ms": 40_000});
        welcome.to_string()
    }

    #[test]
    fn a_relay_that_says_nothing_is_asked_once_and_left_when_it_does_not_answer() {
        let start = Instant::now();
        let mut client = Client::new("token".into(), start);
        assert!(!client.is_in_silence(start + SILENT_AFTER), "there is no connection yet");
        client.connected(start);
        assert!(client.is_in_silence(start + SILENT_AFTER), "it does not say welcome");
        client.receive(&welcome(), start);
        while client.pop_outgoing().is_some() {}

        let mut pings = |at| {
            client.keep_alive(at);
            std::iter::from_fn(|| client.pop_outgoing()).filter(|text| text.contains("ping")).count()
        };
        let asked = start + ASK_AFTER;
        assert_eq!(pings(asked - Duration::from_millis(1)), 0);
        assert_eq!(pings(asked), 1);
        assert_eq!(pings(asked + Duration::from_secs(1)), 0);
        assert_eq!(client.next_deadline(), Some(start + SILENT_AFTER));
        assert!(client.is_in_silence(start + SILENT_AFTER));
        client
            .receive(&json!({"t": "pong", "at": 0, "now_ms": 0}).to_string(), asked + Duration::from_secs(2));
        assert!(!client.is_in_silence(start + SILENT_AFTER));
    }

    #[test]
    fn who_waits_for_an_answer_asks_sooner_and_leaves_a_silent_relay_after_four_seconds() {
        let start = Instant::now();
        let mut client = Client::new("token".into(), start);
        client.connected(start);
        client.receive(&welcome(), start);
        let room = RoomId::new("t1").unwrap();
        client.raw_command(&room, RawValue::from_string("{}".into()).unwrap(), start);
        while client.pop_outgoing().is_some() {}

        let asked = start + HURRIED_ASK_AFTER;
        assert_eq!(client.next_deadline(), Some(asked));
        client.keep_alive(asked);
        assert!(client.pop_outgoing().unwrap().contains("ping"));
        let leaves = start + Duration::from_secs(4);
        assert_eq!(client.next_deadline(), Some(leaves));
        assert!(client.is_in_silence(leaves) && !client.is_in_silence(leaves - Duration::from_millis(1)));
        // Any word will do: the room may be what is slow.
        client.receive(&json!({"t": "pong", "at": 0, "now_ms": 0}).to_string(), asked);
        assert!(!client.is_in_silence(leaves));
        assert_eq!(client.next_deadline(), Some(asked + HURRIED_ASK_AFTER));
    }

    #[test]
    fn who_begins_to_wait_after_a_silence_gives_the_relay_its_time_to_answer() {
        let start = Instant::now();
        let mut client = Client::new("token".into(), start);
        client.connected(start);
        client.receive(&welcome(), start);
        let later = start + Duration::from_millis(4_900);
        client.raw_command(&RoomId::new("t1").unwrap(), RawValue::from_string("{}".into()).unwrap(), later);
        client.keep_alive(later);
        assert!(!client.is_in_silence(later + Duration::from_millis(1_999)));
        assert!(client.is_in_silence(later + HURRIED_ANSWER_WITHIN));
    }
}
