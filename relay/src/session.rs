//! A session: what one client says, in order, and what follows from it.
//!
//! It lives in its connection's task and nobody else touches it; what others need of it is its `Peer`. Nothing here waits.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use bytes::Bytes;
use protocol::{
    BadMessage, ClientIn, ClientOut, CloseCode, ErrorCode, RefusalCode, Unfit,
    bounds::QUESTION_BYTES_MAX,
    id::{Position, RoomId, SessionId, UserId},
    lobby::View,
    rights::Rights,
    time::UnixMs,
};
use tokens::{Claims, LEEWAY_S, TokenError};
use ws::{Frame, Handler, Socket};

use crate::{
    commands::{Ask, refusal, refusal_of_nowhere},
    hub::Watching,
    keys::Denied,
    limits::{Bucket, Verdict},
    line::Line,
    metrics,
    peer::{Peer, frame},
    questions::{self, Question, Unanswered, unanswered},
    relay::Relay,
    revoked::Shown,
};

/// A connection's state. Dropping it ends the connection's part in everything.
pub struct Session {
    relay: Arc<Relay>,
    peer: Arc<Peer>,
    /// In the registry.
    key: usize,
    messages: Bucket,
    bytes: Bucket,
    questions: Bucket,
    /// From `hello` on.
    greeted: Option<Box<Greeted>>,
}

struct Greeted {
    user: UserId,
    /// The name that others see.
    name: Arc<str>,
    /// What the token that was shown last says that the user may do.
    rights: Rights,
    session: SessionId,
    /// The counter of the last command on this connection.
    last_n: u64,
    /// Commands up to this number may have been sent on an earlier connection.
    repeats_n: u64,
    watching: Vec<Watching>,
    /// Its key as a viewer, from its first look on.
    lobby: Option<usize>,
}

impl Session {
    pub(crate) fn new(relay: Arc<Relay>, peer: Arc<Peer>, key: usize, now_ms: UnixMs) -> Self {
        let config = &relay.works.config;
        let messages = Bucket::full(config.messages_burst, now_ms);
        let bytes = Bucket::full(config.bytes_burst, now_ms);
        let questions = Bucket::full(config.questions_per_s, now_ms);
        Self { relay, peer, key, messages, bytes, questions, greeted: None }
    }

    /// Takes a message. For connections that are not driven by [`ws::Connection`].
    pub fn receive_text(&mut self, text: &str) {
        self.heard(text.len());
        if self.peer.is_open() {
            self.text(text);
        }
    }

    /// Whether the connection is closing or closed: nothing that is said is heard any more.
    pub fn closed(&self) -> bool {
        !self.peer.socket.is_open()
    }

    fn close(&self, code: CloseCode, reason: &str) {
        let session = self.greeted.as_ref().map(|greeted| tracing::field::display(greeted.session));
        tracing::debug!(session, code = code as u16, reason, "closes the connection");
        self.peer.close(code, reason, self.now_ms());
    }

    fn answer(&self, message: &ClientOut) {
        self.answer_frame(&frame(message));
    }

    fn answer_frame(&self, frame: &Frame) {
        self.peer.answer(frame, self.now_ms());
    }

    fn error(&self, code: ErrorCode, message: &str, room: Option<RoomId>) {
        metrics::error(code);
        self.answer(&ClientOut::Error { code, message: message.into(), room });
    }

    fn now_ms(&self) -> UnixMs {
        self.relay.works.now_ms()
    }

    fn hello(
        &mut self,
        token: &str,
        session: Option<SessionId>,
        resume: impl IntoIterator<Item = (RoomId, Position)>,
    ) {
        if self.greeted.is_some() {
            return self.error(ErrorCode::AlreadyGreeted, "hello was said already", None);
        }
        let claims = match self.relay.keys.verify(token, self.now_ms()) {
            Ok(claims) => claims,
            Err(Denied::KeysComing) => {
                return self.close(CloseCode::TryAgainLater, "the token's key is being fetched");
            }
            Err(Denied::Token(error)) => return self.close(CloseCode::BadToken, reason(&error)),
        };
        if self.is_revoked(&claims) {
            return;
        }
        // Without a word of the client every command of a session that goes on may be a repeat.
        let repeats_n = if session.is_some() { u64::MAX } else { 0 };
        let goes_on = session.is_some();
        let session = session.unwrap_or_else(|| self.relay.new_session());
        let (registry, now_ms) = (&self.relay.registry, self.now_ms());
        if let Some(before) = registry.take_session(session, &claims.sub, self.key, goes_on, now_ms) {
            before.close(CloseCode::SessionTaken, "the session was continued elsewhere", self.now_ms());
        }
        tracing::debug!(%session, user = %claims.sub, "said hello");
        self.let_in(&claims);
        self.answer(&ClientOut::Welcome {
            user: claims.sub.clone(),
            name: claims.name.clone(),
            session,
            now_ms: self.now_ms(),
            expires_ms: claims.expires_ms(),
            idle_ms: self.relay.works.config.idle_ms,
            near: self.relay.works.config.near,
            counts: true,
            views: true,
        });
        self.greeted = Some(Box::new(Greeted {
            rights: claims.rights(),
            user: claims.sub,
            name: claims.name.into(),
            session,
            last_n: 0,
            repeats_n,
            watching: Vec::new(),
            lobby: None,
        }));
        for (room, from) in resume {
            self.watch(&room, Some(from));
        }
    }

    fn let_in(&self, claims: &Claims) {
        // The second above the leeway: tokens count in seconds.
        self.peer.greeted_until(claims.expires_ms().saturating_add((LEEWAY_S + 1) * 1_000));
    }

    /// Takes the token for what the client shows; whether it is void, and the connection closed for it.
    fn is_revoked(&self, claims: &Claims) -> bool {
        self.peer.show(Shown::from(claims));
        self.relay.registry.hold(self.key, &claims.sub);
        self.peer.close_if_void(&self.relay.works.revoked, self.now_ms())
    }

    fn refresh(&mut self, greeted: &mut Greeted, token: &str) {
        match self.relay.keys.verify(token, self.now_ms()) {
            Ok(claims) if claims.sub == greeted.user => {
                if self.is_revoked(&claims) {
                    return;
                }
                greeted.rights = claims.rights();
                self.let_in(&claims);
                self.answer(&ClientOut::Refreshed { expires_ms: claims.expires_ms() });
            }
            Ok(_) => self.error(ErrorCode::BadToken, "the token is another user's", None),
            Err(Denied::KeysComing) => {
                self.error(ErrorCode::BadToken, "the token's key is not known yet; try again", None);
            }
            Err(Denied::Token(error)) => self.error(ErrorCode::BadToken, reason(&error), None),
        }
    }

    /// What cannot be read as a message is answered, so that a client which says more than this house knows learns it and goes
    /// on; only what is no message at all ends the connection.
    fn bad_message(&mut self, bad: &BadMessage, verdict: Verdict) {
        let greets = matches!(bad, BadMessage::Unfit { t: "hello", .. });
        match bad {
            BadMessage::NoMessage => self.close(CloseCode::BadMessage, &bad.to_string()),
            _ if self.greeted.is_none() && !greets => self.close(CloseCode::HelloFirst, "say hello first"),
            BadMessage::Unknown(_) => self.error(ErrorCode::UnknownMessage, &bad.to_string(), None),
            BadMessage::Unfit { .. } => self.error(ErrorCode::BadMessage, &bad.to_string(), None),
            BadMessage::Command { n, room, why } => self.command(*n, room, Err(why), verdict),
            BadMessage::Question { n, room, why } => {
                let why = Unanswered::new(RefusalCode::BadQuestion, why.to_string(), None);
                self.answer_frame(&unanswered(*n, room, why));
            }
        }
    }

    /// Watches a room, or takes its watching up again.
    fn watch(&mut self, room: &RoomId, from: Option<Position>) {
        if self
            .find(room)
            .is_none_or(|found| !found.room.watch_again(&self.relay.works, found.key, &self.peer))
        {
            match self.begin_watching(room, from) {
                Ok(()) => {}
                Err(Unwatchable::Absent) => {
                    self.error(ErrorCode::NoSuchRoom, NO_SUCH_ROOM, Some(room.clone()));
                }
                Err(Unwatchable::Connection) => {
                    self.error(
                        ErrorCode::TooManyRooms,
                        "more rooms than one connection may watch",
                        Some(room.clone()),
                    );
                }
                Err(Unwatchable::Relay) => {
                    self.error(
                        ErrorCode::Unavailable,
                        "this relay follows as many rooms as it may",
                        Some(room.clone()),
                    );
                }
            }
        }
    }

    fn find(&self, room: &RoomId) -> Option<&Watching> {
        self.greeted.as_ref()?.watching.iter().find(|watching| watching.room.id == *room)
    }

    fn begin_watching(&mut self, room: &RoomId, from: Option<Position>) -> Result<(), Unwatchable> {
        let Self { relay, peer, greeted, .. } = self;
        let greeted = greeted.as_mut().expect("rooms are watched after hello");
        let rooms_max = relay.works.config.rooms_per_connection_max;
        if relay.works.catalogue.knows_to_lack(room, relay.works.now_ms()) {
            return Err(Unwatchable::Absent);
        }
        // A room that turned out not to exist has dropped its watchers by itself.
        greeted.watching.retain(|watching| watching.room.id != *room);
        if greeted.watching.len() >= rooms_max {
            greeted.watching.retain(|watching| watching.room.has(watching.key, peer));
        }
        if greeted.watching.len() >= rooms_max {
            return Err(Unwatchable::Connection);
        }
        let who = (&greeted.user, greeted.session);
        let watching = relay.hub.watch(&relay.works, peer, who, room, from).ok_or(Unwatchable::Relay)?;
        greeted.watching.push(watching);
        Ok(())
    }

    fn unwatch(&mut self, room: RoomId) {
        let Self { relay, peer, greeted, .. } = self;
        let greeted = greeted.as_mut().expect("rooms are watched after hello");
        greeted.watching.retain(|watching| {
            watching.room.id != room || !watching.room.unwatch(&relay.works, watching.key, peer)
        });
        self.answer(&ClientOut::Unwatched { room });
    }

    fn lobby(&mut self, on: bool, v: Option<u8>, view: Option<View>) {
        let Self { relay, peer, greeted, .. } = self;
        let greeted = greeted.as_mut().expect("the lobby is looked at after hello");
        if on {
            let key = *greeted.lobby.get_or_insert_with(|| relay.lobby.join(peer));
            relay.lobby.look(key, view, v.unwrap_or(0), &relay.works);
        } else if let Some(key) = greeted.lobby {
            relay.lobby.look_away(key, &relay.works);
        }
    }

    /// A question to a room. At most so many a second, and a client that asks more has lost nothing by it.
    fn question(&mut self, n: u64, room: RoomId, q: &str) {
        let (per_s, now_ms) = (self.relay.works.config.questions_per_s, self.now_ms());
        let taken = self.questions.take_one(per_s, per_s, now_ms);
        let asked = if let Err(wait_ms) = taken {
            let message = format!("more than {per_s} questions a second");
            Err(Unanswered::new(RefusalCode::TooFast, message, Some(wait_ms)))
        } else if q.len() > QUESTION_BYTES_MAX {
            let message = format!("a question is {QUESTION_BYTES_MAX} bytes long at most");
            Err(Unanswered::new(RefusalCode::BadQuestion, message, None))
        } else {
            let greeted = self.greeted.as_ref().expect("questions come after hello");
            let (user, session) = (greeted.user.clone(), greeted.session);
            let body = Bytes::copy_from_slice(q.as_bytes());
            questions::ask(Question { user, session, n, room: room.clone(), body }, &self.relay.works)
        };
        if let Err(why) = asked {
            self.answer_frame(&unanswered(n, &room, why));
        }
    }

    /// A command, or what is wrong with it.
    fn command(&mut self, n: u64, room: &RoomId, what: Result<&str, &Unfit>, verdict: Verdict) {
        let refuse = |session: &Self, code, message: &str, retry_after_ms| {
            metrics::refused(code);
            session.answer_frame(&refusal(n, room, code, message, retry_after_ms));
        };
        let config = &self.relay.works.config;
        let (in_flight_max, retry_ms) = (config.commands_in_flight_max, config.retry_first_ms);
        let greeted = self.greeted.as_mut().expect("commands come after hello");
        let grows = n > greeted.last_n;
        greeted.last_n = greeted.last_n.max(n);
        let (name, rights) = (greeted.name.clone(), greeted.rights);
        let is_first = n > greeted.repeats_n;
        if !grows {
            let in_flight =
                self.find(room).is_some_and(|found| found.room.is_asked(found.key, &self.peer, n));
            if !in_flight {
                refuse(self, RefusalCode::StaleN, "n must grow with every command", None);
            }
            return;
        }
        if let Verdict::Over(retry_after_ms) = verdict {
            return refuse(self, RefusalCode::TooFast, "too many messages", Some(retry_after_ms));
        }
        let what = match what {
            Ok(what) => what,
            Err(why) => return refuse(self, RefusalCode::BadCommand, &why.to_string(), None),
        };
        if self.peer.in_flight.load(Relaxed) as usize >= in_flight_max {
            return refuse(
                self,
                RefusalCode::TooFast,
                "too many commands wait for an answer",
                Some(retry_ms),
            );
        }
        let body = Bytes::copy_from_slice(what.as_bytes());
        // Once more if the room had turned out not to exist: it may by now.
        for _ in 0..2 {
            if let Some(found) = self.find(room) {
                let ask = Ask::new(n, (name.clone(), rights), body.clone(), is_first);
                if found.room.ask(&self.relay.works, found.key, &self.peer, ask) {
                    return;
                }
            }
            match self.begin_watching(room, None) {
                Ok(()) => {}
                Err(Unwatchable::Absent) => break,
                Err(Unwatchable::Connection) => {
                    return refuse(self, RefusalCode::Busy, "more rooms than one connection may watch", None);
                }
                Err(Unwatchable::Relay) => {
                    let message = "this relay follows as many rooms as it may";
                    return refuse(self, RefusalCode::Busy, message, Some(retry_ms));
                }
            }
        }
        // It is known not to exist, or has vanished between two looks.
        let (code, why) = refusal_of_nowhere(is_first);
        refuse(self, code, why, None);
        if !is_first {
            self.error(ErrorCode::NoSuchRoom, NO_SUCH_ROOM, Some(room.clone()));
        }
    }
}

/// What is said of a room that does not exist.
const NO_SUCH_ROOM: &str = "there is no such room";

/// Why a room cannot be watched.
enum Unwatchable {
    /// There is no such room.
    Absent,
    /// The connection watches as many as it may.
    Connection,
    /// The relay follows as many as it may.
    Relay,
}

/// What a client may know about its bad token.
fn reason(error: &TokenError) -> &'static str {
    match error {
        TokenError::Expired => "the token has expired",
        TokenError::Invalid(_) => "not a valid token",
        TokenError::UnknownKey => "the token is signed with an unknown key",
    }
}

impl Handler for Session {
    type Wire = Line;

    fn socket(&self) -> &Socket<Line> {
        &self.peer.socket
    }

    fn heard(&mut self, bytes: usize) {
        let now_ms = self.now_ms();
        self.peer.heard(now_ms);
        let config = &self.relay.works.config;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if self.bytes.take(bytes, config.bytes_per_s, config.bytes_burst, now_ms) != Verdict::Fine {
            self.close(CloseCode::TooFast, "too many bytes");
        }
    }

    fn text(&mut self, text: &str) {
        let config = &self.relay.works.config;
        let (per_s, burst) = (config.messages_per_s, config.messages_burst);
        self.relay.works.metrics.messages.increment(1);
        let verdict = self.messages.take(1, per_s, burst, self.now_ms());
        if verdict == Verdict::FarOver {
            return self.close(CloseCode::TooFast, "too many messages");
        }
        let message = match ClientIn::read(text) {
            Ok(message) => message,
            Err(bad) => return self.bad_message(&bad, verdict),
        };
        if self.greeted.is_none() && !matches!(message, ClientIn::Hello { .. }) {
            return self.close(CloseCode::HelloFirst, "say hello first");
        }
        match message {
            ClientIn::Hello { token, session, resume } => self.hello(&token, session, resume),
            ClientIn::Refresh { token } => {
                // Lent out for the time of the call, since the answer goes through the session.
                if let Some(mut greeted) = self.greeted.take() {
                    self.refresh(&mut greeted, &token);
                    self.greeted = Some(greeted);
                }
            }
            ClientIn::Lobby { on, v, view } => self.lobby(on, v, view.map(|view| *view)),
            ClientIn::Watch { room } => self.watch(&room, None),
            ClientIn::Unwatch { room } => self.unwatch(room),
            ClientIn::Do { n, room, what } => self.command(n, &room, Ok(what.get()), verdict),
            ClientIn::Ask { n, room, q } => self.question(n, room, q.get()),
            ClientIn::Count { n } => {
                if let Some(greeted) = &mut self.greeted {
                    greeted.repeats_n = n;
                }
            }
            ClientIn::Ping { at } => {
                self.answer(&ClientOut::Pong { at: at.into(), now_ms: self.now_ms() });
            }
        }
    }

    fn binary(&mut self, _data: &[u8]) {
        self.close(CloseCode::Unsupported, "binary messages are not spoken here");
    }

    fn drained(&mut self) {
        self.peer.socket.resume();
        let Some(greeted) = &self.greeted else { return };
        for watching in &greeted.watching {
            watching.room.drained(&self.relay.works, watching.key, &self.peer);
        }
        if let Some(key) = greeted.lobby {
            self.relay.lobby.drained(key, &self.relay.works);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let works = &self.relay.works;
        let Some(greeted) = &self.greeted else {
            self.relay.registry.leave(self.key, None, works);
            return;
        };
        tracing::debug!(session = %greeted.session, user = %greeted.user, "the connection has ended");
        let session_gone = self.relay.registry.leave(self.key, Some((greeted.session, &greeted.user)), works);
        for watching in &greeted.watching {
            watching.room.abandon(works, watching.key, &self.peer, session_gone);
        }
        if let Some(key) = greeted.lobby {
            self.relay.lobby.leave(key, works);
        }
    }
}
