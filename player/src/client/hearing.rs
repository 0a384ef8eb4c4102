//! Taking in what the relay says: each message is read, judged, and kept where it belongs.

use protocol::{
    ClientIn, ClientOut, ErrorCode, RefusalCode,
    client_out::NoticeCode,
    id::{Position, RoomId, SessionId, UserId},
    table::{TablePrivate, TableView},
};
use serde_json::value::RawValue;
use tokio::time::{Duration, Instant};

use super::{Client, Heard, Phase};
use crate::{
    breach::{Breach, Breaches},
    incoming::{self, Incoming, Refusal},
    referee::Referee,
    watched::{Taken, Watched},
};

impl Client {
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
        // Of a room that is being left it is not known any more what kind of room it is.
        if self.leaving.contains(&room) {
            return Heard::Nothing;
        }
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
                let is_alone = self.turned_away.get(&room).is_some_and(|last| n <= *last);
                if !is_alone && self.rooms.get(&room).is_some_and(|watched| !watched.has_seen(at)) {
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
            ClientOut::Behind { room, by_ms } => {
                if !self.leaving.contains(&room) {
                    let watched = self.rooms.entry(room.clone()).or_insert_with(|| Watched::new(room));
                    watched.behind(by_ms);
                }
                Heard::Nothing
            }
            ClientOut::Unwatched { room } => {
                if !self.leaving.remove(&room) {
                    self.rooms.remove(&room);
                }
                Heard::Unwatched(room)
            }
            ClientOut::Rail { room, epoch, seq, .. } => Heard::Rail { room, at: Position(epoch, seq) },
            ClientOut::Error { code, room, .. } => {
                if let (ErrorCode::NoSuchRoom | ErrorCode::TooManyRooms | ErrorCode::RailFull, Some(room)) =
                    (code, &room)
                {
                    self.rooms.remove(room);
                    if code == ErrorCode::RailFull {
                        self.turned_away.insert(room.clone(), self.answers.last_n());
                    }
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

    /// The question of which an answer has come.
    fn asked(&mut self, n: u64, room: &RoomId) -> Option<Box<RawValue>> {
        let question = self.questions.answered(n, room);
        if let Err(why) = &question {
            self.breaches.count(Breach::Answer, || format!("{room}: answer to question {n}: {why}"));
        }
        Some(question.ok()??.q)
    }
}
