//! Commands in flight: sent to the room's owner, repeated until answered, answered to the client once.
//!
//! Of one session one command per room is on its way at a time; the others queue behind it, so that they arrive in
//! order even if the bus loses some. An answer is the frame that the command caused, or a reply of the owner.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use broker::{
    entry::{Cause, fingerprint},
    node::{Asked, ToRoom},
};
use bytes::Bytes;
use protocol::{
    ClientOut, RefusalCode,
    client_out::Refused,
    id::{Epoch, Position, RoomId, SessionId, UserId},
    rights::Rights,
    time::UnixMs,
};
use serde::Deserialize;
use smallvec::SmallVec;
use traces::{Command, Spans, Step};
use ws::Frame;

use crate::{
    delivery::ack,
    metrics,
    peer::{Peer, frame},
    room::{Room, State},
    window::Same,
    works::Works,
};

/// A client's command.
pub(crate) struct Ask {
    pub(crate) n: u64,
    /// The name that others see.
    pub(crate) name: Arc<str>,
    /// What its user may do.
    rights: Rights,
    /// The JSON text of its `do`.
    pub(crate) body: Bytes,
    /// The body's [`fingerprint`].
    said: u64,
    /// It was never sent before, on this connection or an earlier one.
    is_first: bool,
    /// Nor was it said before: whatever is not there has not done it.
    is_new: bool,
    tries: u32,
    due_ms: UnixMs,
}

impl Ask {
    pub(crate) fn new(n: u64, (name, rights): (Arc<str>, Rights), body: Bytes, is_first: bool) -> Self {
        let said = fingerprint(&body);
        Self { n, name, rights, body, said, is_first, is_new: is_first, tries: 0, due_ms: 0 }
    }
}

/// Commands that were applied, whose `ack` goes out when their frame does.
pub(crate) type Owed = SmallVec<[(u64, Position); 2]>;

/// One watcher's commands.
#[derive(Default)]
pub(crate) struct Asks {
    in_flight: Option<Ask>,
    queue: VecDeque<Ask>,
    owed: Owed,
    /// Those that are traced, until they are answered.
    traced: Spans,
}

impl Asks {
    /// Whether nothing waits for an answer.
    pub(crate) fn is_empty(&self) -> bool {
        self.in_flight.is_none() && self.queue.is_empty() && self.owed.is_empty()
    }

    /// Whether something waits that was never asked before.
    pub(crate) fn has_new(&self) -> bool {
        self.in_flight.iter().chain(&self.queue).any(|ask| ask.is_new)
    }

    /// Commands without an answer yet.
    pub(crate) fn waiting(&self) -> u32 {
        u32::try_from(self.queue.len()).expect("bounded by the connection's limit")
            + u32::from(self.in_flight.is_some())
    }

    pub(crate) fn owed(&self) -> &[(u64, Position)] {
        &self.owed
    }

    /// Answers went out, these are left; how many that were.
    pub(crate) fn paid(&mut self, left: Owed) -> u64 {
        let before = std::mem::replace(&mut self.owed, left);
        for (n, _) in before.iter().filter(|owed| !self.owed.contains(owed)) {
            self.traced.end(*n);
        }
        (before.len() - self.owed.len()) as u64
    }

    fn has(&self, n: u64) -> bool {
        self.in_flight.iter().chain(&self.queue).any(|ask| ask.n == n)
            || self.owed.iter().any(|&(owed, _)| owed == n)
    }
}

/// So much sooner than after the whole pause a command is repeated, up to a quarter: what was sent at one moment, as all commands are to a
/// new owner, does not come again at one moment, when more of it than a room can hold would be dropped again.
fn sooner_ms(pause_ms: u64, session: SessionId, ask: &Ask) -> u64 {
    let numbers = [session.0, ask.n, u64::from(ask.tries)].map(u64::to_le_bytes);
    fingerprint(numbers.as_flattened()) % (pause_ms / 4 + 1)
}

/// What is read of an owner's refusal, to count it.
#[derive(Deserialize)]
struct Coded {
    code: RefusalCode,
}

/// Whose command an answer is for.
pub(crate) struct Asker<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) session: SessionId,
    pub(crate) n: u64,
}

impl Room {
    /// Takes a command of this watcher. `false` when the watcher is not there any more.
    pub(crate) fn ask(self: &Arc<Self>, works: &Works, key: usize, peer: &Arc<Peer>, ask: Ask) -> bool {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let Some(watcher) = state.watcher(key, peer) else { return false };
        let session = watcher.session;
        let cause = Cause { user: watcher.user.clone(), session, n: ask.n, said: Some(ask.said) };
        if watcher.asks.as_ref().is_some_and(|asks| asks.has(ask.n)) {
            return true;
        }
        // A command has its room watched, also one that is not any more but for the answers to the commands before.
        if watcher.muted {
            self.show_again(state, key, works);
        }
        let answered_at = state.window.caused_by(&cause);
        // Sent on an earlier connection, and applied since.
        if let Some((at, same)) = answered_at {
            self.owe(state, key, ask.n, at, same, works);
            self.deliver_to(state, key, works);
            return true;
        }
        let asks = state.watchers[key].asks.get_or_insert_default();
        let step = if ask.is_new { Step::Command } else { Step::Repeat };
        asks.traced.begin(step, &Command { user: &cause.user, session, n: ask.n, room: &self.id });
        peer.in_flight.fetch_add(1, Relaxed);
        works.metrics.in_flight.increment(1);
        works.metrics.commands.increment(1);
        if asks.in_flight.is_some() {
            asks.queue.push_back(ask);
        } else {
            asks.in_flight = Some(ask);
            state.askers.insert((session, key));
            self.send(state, key, works);
            works.attend(self);
        }
        true
    }

    /// Whether this watcher's command waits for its answer.
    pub(crate) fn is_asked(&self, key: usize, peer: &Arc<Peer>, n: u64) -> bool {
        let mut state = self.state.lock();
        let asks = state.watcher(key, peer).and_then(|watcher| watcher.asks.as_ref());
        asks.is_some_and(|asks| asks.has(n))
    }

    /// Publishes a watcher's command in flight and sets when to do so again.
    fn send(&self, state: &mut State, key: usize, works: &Works) {
        let watcher = &mut state.watchers[key];
        let Some(ask) = watcher.asks.as_mut().and_then(|asks| asks.in_flight.as_mut()) else { return };
        let doubled = works.config.retry_first_ms.saturating_mul(1 << ask.tries.min(16));
        let pause_ms = doubled.min(works.config.retry_max_ms);
        ask.due_ms = works.now_ms() + pause_ms - sooner_ms(pause_ms, watcher.session, ask);
        // Without a keyframe nobody has owned the room yet; the first one sends it.
        let Some(end) = state.window.end() else { return };
        ask.tries += 1;
        let (user, name) = (watcher.user.clone(), ask.name.as_ref().into());
        let (session, n, body, rights) = (watcher.session, ask.n, ask.body.clone(), ask.rights);
        let is_first = std::mem::take(&mut ask.is_first) && works.owners_speak() >= 2;
        let what = match is_first {
            true => Asked::First { user, name, session, n, body, rights },
            false => Asked::Command { user, name, session, n, body, rights },
        };
        let message = ToRoom { epoch: end.epoch(), relay: works.node.clone(), what };
        // What is said again goes to whoever may own the room, whatever is believed of who does.
        if ask.tries == 1 {
            works.tell_room_near(&self.commands, &message);
        } else {
            works.tell_room(&self.commands, &message);
        }
    }

    /// Repeats what is due. Whether the answer was lost and not the command, the journal knows.
    pub(crate) fn retry(&self, state: &mut State, works: &Works, now_ms: UnixMs) {
        let due: SmallVec<[usize; 8]> = state
            .askers
            .iter()
            .map(|&(_, key)| key)
            .filter(|&key| {
                let watcher = &state.watchers[key];
                let ask = watcher.asks.as_ref().and_then(|asks| asks.in_flight.as_ref());
                watcher.peer.is_open() && ask.is_some_and(|ask| now_ms >= ask.due_ms)
            })
            .collect();
        for key in due {
            works.metrics.retries.increment(1);
            state.link.stale = true;
            self.send(state, key, works);
        }
    }

    /// The room has a new owner: everything in flight goes to it at once.
    pub(crate) fn resend(&self, state: &mut State, works: &Works) {
        let keys: SmallVec<[usize; 8]> = state.askers.iter().map(|&(_, key)| key).collect();
        for key in keys {
            if let Some(ask) = state.watchers[key].asks.as_mut().and_then(|asks| asks.in_flight.as_mut()) {
                ask.tries = 0;
            }
            self.send(state, key, works);
        }
    }

    /// A frame has come with this cause: its `ack` goes out right behind it.
    pub(crate) fn answered(self: &Arc<Self>, state: &mut State, cause: &Cause, at: Position, works: &Works) {
        let asker = Asker { user: &cause.user, session: cause.session, n: cause.n };
        for (key, said) in self.take_answered(state, &asker, works) {
            self.owe(state, key, cause.n, at, Same::of(cause, Some(said)), works);
            let watcher = &mut state.watchers[key];
            if !watcher.member && !watcher.muted {
                watcher.member = true;
                self.tell_present(state, key, false, works);
            }
        }
    }

    /// The owner says that a repeated command was applied at `at`, perhaps in a frame that has not come yet.
    pub(crate) fn applied(self: &Arc<Self>, works: &Works, asker: &Asker<'_>, at: Position) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        for (key, said) in self.take_answered(state, asker, works) {
            let same = state.window.was_caused_by(at, Some(said));
            self.owe(state, key, asker.n, at, same, works);
            if state.window.end().is_none_or(|end| at > end) {
                state.link.stale = true;
                self.tend(state, works);
            }
            self.deliver_to(state, key, works);
        }
    }

    /// The owner has refused a command; `text` is what the client gets.
    pub(crate) fn refused(self: &Arc<Self>, works: &Works, asker: &Asker<'_>, epoch: Epoch, text: &str) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        // By an owner that has lost the room since: the command went to the next one too, and that may have applied it.
        if epoch != Epoch::default() && state.window.end().is_some_and(|end| end.epoch() > epoch) {
            return;
        }
        for (key, _) in self.take_answered(state, asker, works) {
            if let Ok(Coded { code }) = serde_json::from_str(text) {
                metrics::refused(code);
            }
            let watcher = &mut state.watchers[key];
            watcher.peer.answer(&Frame::text(text), works.now_ms());
            watcher.asks.iter_mut().for_each(|asks| asks.traced.refused(asker.n));
        }
    }

    /// A command of this number was applied at `at`: its `ack` is owed, unless it was another command.
    fn owe(&self, state: &mut State, key: usize, n: u64, at: Position, same: Same, works: &Works) {
        let watcher = &mut state.watchers[key];
        match same {
            Same::AsFarAsKnown => watcher.asks.get_or_insert_default().owed.push((n, at)),
            Same::No => {
                metrics::refused(RefusalCode::StaleN);
                let message = "another command of this session had this number";
                let refusal = refusal(n, &self.id, RefusalCode::StaleN, message, None);
                watcher.peer.answer(&refusal, works.now_ms());
                watcher.asks.iter_mut().for_each(|asks| asks.traced.refused(n));
            }
        }
    }

    /// Ends the flight of the command that was answered and sends the next of its session. The watchers whose command it was, and what
    /// each had said: usually one, none for a repeated answer, two when a session moves from one connection to another.
    fn take_answered(
        &self,
        state: &mut State,
        asker: &Asker<'_>,
        works: &Works,
    ) -> SmallVec<[(usize, u64); 2]> {
        let session = asker.session;
        let keys: SmallVec<[usize; 2]> =
            state.askers.range((session, 0)..=(session, usize::MAX)).map(|&(_, key)| key).collect();
        let mut taken = SmallVec::new();
        for key in keys {
            let watcher = &mut state.watchers[key];
            let Some(asks) = watcher.asks.as_mut().filter(|_| watcher.user == *asker.user) else { continue };
            let Some(said) = asks.in_flight.as_ref().filter(|ask| ask.n == asker.n).map(|ask| ask.said)
            else {
                continue;
            };
            asks.in_flight = asks.queue.pop_front();
            watcher.peer.in_flight.fetch_sub(1, Relaxed);
            works.metrics.in_flight.decrement(1);
            if asks.in_flight.is_some() {
                self.send(state, key, works);
            } else {
                state.askers.remove(&(session, key));
            }
            taken.push((key, said));
        }
        taken
    }

    /// The room does not exist, or not any more: all commands are refused, but for those of which it is known that they were applied.
    pub(crate) fn answer_all(&self, state: &mut State, works: &Works) {
        let State { watchers, rail, .. } = state;
        for (_, watcher) in watchers {
            let Some(mut asks) = watcher.asks.take() else { continue };
            if !asks.owed.is_empty() {
                watcher.tell_behind(rail, &self.id, works);
            }
            let waiting = asks.waiting();
            watcher.peer.in_flight.fetch_sub(waiting, Relaxed);
            works.metrics.in_flight.decrement(waiting);
            for &(n, at) in &asks.owed {
                watcher.peer.answer(&ack(n, &self.id, at), works.now_ms());
            }
            works.metrics.acks.increment(asks.paid(Owed::new()));
            for ask in asks.in_flight.iter().chain(&asks.queue) {
                let (code, why) = refusal_of_nowhere(ask.is_new);
                let refusal = refusal(ask.n, &self.id, code, why, None);
                metrics::refused(code);
                watcher.peer.answer(&refusal, works.now_ms());
                asks.traced.refused(ask.n);
            }
        }
        state.askers.clear();
    }
}

/// What is said of a command to a room that is not there. One that was said before may have been done in a room that has ended since.
pub(crate) fn refusal_of_nowhere(is_new: bool) -> (RefusalCode, &'static str) {
    if is_new {
        (RefusalCode::NoSuchRoom, "there is no such room")
    } else {
        (RefusalCode::Forgotten, "there is no such room any more that would know whether this was done")
    }
}

/// A refusal of the relay's own.
pub(crate) fn refusal(
    n: u64,
    room: &RoomId,
    code: RefusalCode,
    message: &str,
    retry_after_ms: Option<u64>,
) -> Frame {
    frame(&ClientOut::Refused(Refused {
        n,
        room: room.clone(),
        code,
        message: message.into(),
        retry_after_ms,
        legal: None,
    }))
}
