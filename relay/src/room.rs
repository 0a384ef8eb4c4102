//! A room as this relay follows it: its window of frames, and who watches.
//!
//! One lock holds all that concerns a room, so its frames, answers and watchers have one order. It is held while frames
//! are written to sockets, which never blocks; where there are many sockets, for a piece of them at a time.
//! `delivery`, `commands`, `presence`, `places` and `tend` each add their part.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use broker::{channel::Channel, entry::Entry};
use parking_lot::Mutex;
use protocol::{
    ClientOut, ErrorCode,
    id::{Position, RoomId, Seq, SessionId, UserId},
    time::UnixMs,
};
use slab::Slab;
use smallvec::SmallVec;
use traces::{Command, Span, Step};

use crate::{
    delivery::{Cursor, Watcher},
    listening::Listening,
    metrics,
    peer::{Peer, frame},
    places::Places,
    presence::TELL_AGAIN_MS,
    rail::{Rail, Released},
    tend::Link,
    window::{Offered, Source, Window},
    works::Works,
};

/// Frames from the bus that wait for the journal to fill the hole before them; beyond that they are dropped, the
/// journal has them too.
const PENDING_ENTRIES_MAX: usize = 256;

/// See the module.
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) frames: Channel,
    pub(crate) commands: Channel,
    pub(crate) listeners: Channel,
    pub(crate) state: Mutex<State>,
}

/// What the room's lock holds.
pub(crate) struct State {
    /// What its players get.
    pub(crate) window: Window,
    /// What holds for everybody else.
    pub(crate) rail: Rail,
    /// Who of it may watch, where only so many may.
    pub(crate) places: Places,
    pub(crate) watchers: Slab<Watcher>,
    /// Watchers with commands in flight, by session.
    pub(crate) askers: BTreeSet<(SessionId, usize)>,
    /// Users for whom the frames since the newest keyframe (it included) have private parts.
    pub(crate) members: BTreeSet<UserId>,
    /// When the owner is told again which members are here.
    pub(crate) tell_at_ms: UnixMs,
    /// When the owner is told again that this relay listens.
    pub(crate) listening: Listening,
    pub(crate) link: Link,
    /// When the last watcher left.
    pub(crate) empty_since_ms: UnixMs,
    /// A pass over the watchers is under way.
    pub(crate) serving: bool,
    /// The frame of a traced command is on its way to the watchers.
    pub(crate) delivering: Span,
    /// No longer in the hub; whoever still holds it looks there again.
    pub(crate) closed: bool,
}

impl Room {
    /// `told`: nodes have told of it, so it need not be asked whether there is one.
    pub(crate) fn new(id: RoomId, told: bool, now_ms: UnixMs) -> Self {
        Self {
            frames: Channel::frames(&id),
            commands: Channel::commands(&id),
            listeners: Channel::listeners(id.as_str()),
            id,
            state: Mutex::new(State {
                window: Window::default(),
                rail: Rail::default(),
                places: Places::default(),
                watchers: Slab::new(),
                askers: BTreeSet::new(),
                members: BTreeSet::new(),
                tell_at_ms: now_ms + TELL_AGAIN_MS,
                listening: Listening::default(),
                link: Link::new(told, now_ms),
                empty_since_ms: now_ms,
                serving: false,
                delivering: Span::default(),
                closed: false,
            }),
        }
    }

    /// Adds a watcher, who has everything up to `from`. `None` when the room has just closed.
    pub(crate) fn watch(
        self: &Arc<Self>,
        works: &Works,
        peer: &Arc<Peer>,
        user: &UserId,
        session: SessionId,
        from: Option<Position>,
    ) -> Option<usize> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.closed {
            return None;
        }
        let cursor = match from {
            Some(at) if at != Position::default() => Cursor::Said(at, state.link.reads_begun),
            _ => Cursor::Nothing,
        };
        let place = self.place_for(state, user, works);
        let watcher = Watcher {
            place,
            peer: peer.clone(),
            user: user.clone(),
            session,
            cursor,
            lagging: false,
            part_due: true,
            muted: false,
            behind: state.rail.is_behind(user),
            told_by_ms: Some(0),
            told_at: None,
            member: state.members.contains(user),
            asks: None,
        };
        if watcher.behind {
            state.rail.begin(state.window.end());
            works.attend(self);
        }
        let key = state.watchers.insert(watcher);
        self.deliver_to(state, key, works);
        if matches!(state.watchers[key].cursor, Cursor::Said(..)) {
            state.link.doubt(works.now_ms(), works.config.retry_first_ms);
            works.attend(self);
        }
        self.tend(state, works);
        if state.link.is_troubled() && state.window.end().is_none() {
            peer.answer(&self.unavailable(), works.now_ms());
        }
        if state.watchers[key].member {
            // Who resumes goes on as what it was, be it a session that had lost its seat.
            self.tell_present(state, key, from.is_none(), works);
        }
        Some(key)
    }

    /// Watches again with a watcher that is there already: takes up what was muted, sends its last private part once more, and has
    /// the owner told of a member's presence anew. `false` when it is not there any more.
    pub(crate) fn watch_again(self: &Arc<Self>, works: &Works, key: usize, peer: &Arc<Peer>) -> bool {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let is_here = state.watcher(key, peer).is_some();
        if is_here {
            self.show_again(state, key, works);
        }
        is_here
    }

    /// See [`Room::watch_again`].
    pub(crate) fn show_again(self: &Arc<Self>, state: &mut State, key: usize, works: &Works) {
        let watcher = &mut state.watchers[key];
        if watcher.muted {
            watcher.muted = false;
            watcher.cursor = Cursor::Nothing;
            watcher.told_by_ms = if watcher.behind { None } else { Some(0) };
            let user = watcher.user.clone();
            state.watchers[key].member = state.members.contains(&user);
            state.watchers[key].place = self.place_for(state, &user, works);
        }
        state.watchers[key].part_due = true;
        state.watchers[key].told_at = None;
        self.deliver_to(state, key, works);
        if state.watchers[key].member {
            self.tell_present(state, key, true, works);
        }
    }

    /// Ends watching at the client's wish: commands in flight still get their answers. Whether the watcher is gone.
    pub(crate) fn unwatch(self: &Arc<Self>, works: &Works, key: usize, peer: &Arc<Peer>) -> bool {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let Some(watcher) = state.watcher(key, peer) else { return true };
        if watcher.asks.as_ref().is_some_and(|asks| !asks.is_empty()) {
            watcher.muted = true;
            let had_place = watcher.place.is_some();
            if std::mem::take(&mut watcher.member) {
                self.tell_absent(state, key, works);
            }
            if had_place {
                self.list_soon(state, works);
            }
            return false;
        }
        self.remove(state, key, true, works);
        true
    }

    /// Ends watching because the connection is gone. `session_gone`: the session was not continued on another one.
    pub(crate) fn abandon(self: &Arc<Self>, works: &Works, key: usize, peer: &Arc<Peer>, session_gone: bool) {
        let mut state = self.state.lock();
        if state.watcher(key, peer).is_some() {
            self.remove(&mut state, key, session_gone, works);
        }
    }

    /// Whether this watcher is still there: a room that turns out not to exist drops all.
    pub(crate) fn has(&self, key: usize, peer: &Arc<Peer>) -> bool {
        self.state.lock().watcher(key, peer).is_some()
    }

    /// The client has read everything that was queued for it.
    pub(crate) fn drained(self: &Arc<Self>, works: &Works, key: usize, peer: &Arc<Peer>) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if let Some(watcher) = state.watcher(key, peer) {
            watcher.lagging = false;
            self.deliver_to(state, key, works);
        }
    }

    /// An entry has come over the bus.
    pub(crate) fn take(self: &Arc<Self>, works: &Works, entry: Entry) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        match self.apply(state, &entry, Source::Bus, works) {
            Offered::Old | Offered::Ended => {}
            Offered::Next | Offered::Anew | Offered::Lost(_) => {
                self.serve(state, works);
                self.tend(state, works);
            }
            Offered::Hole => {
                works.metrics.holes.increment(1);
                if state.link.pending.len() < PENDING_ENTRIES_MAX {
                    state.link.pending.push_back(entry);
                } else {
                    state.link.stale = true;
                }
                self.tend(state, works);
            }
        }
    }

    /// Takes an entry into the window if it fits, and does all that follows from it but delivering.
    pub(crate) fn apply(
        self: &Arc<Self>,
        state: &mut State,
        entry: &Entry,
        source: Source,
        works: &Works,
    ) -> Offered {
        self.deliver_to_leavers(state, entry, works);
        let epoch_before = state.window.end().map(Position::epoch);
        let offered = state.window.offer(entry, source, works.config.window_frames);
        match offered {
            Offered::Old | Offered::Hole => return offered,
            Offered::Ended => {
                self.ended(state, entry, source, works);
                return offered;
            }
            Offered::Next => {}
            // Whoever waits with a position of its own is settled by a read that has this keyframe.
            Offered::Anew => state.link.stale |= source == Source::Bus,
            Offered::Lost(from) => {
                works.metrics.history_lost.increment(1);
                tracing::warn!(room = %self.id, at = %entry.at, "the broker has lost acknowledged frames");
                state.lose_from(from, false);
                state.rail.behind().into_iter().for_each(|behind| behind.lose_from(from));
            }
        }
        state.rail.hears(entry, offered != Offered::Next);
        self.hold_behind(state, entry, source, works);
        self.hold_places(state, entry, works);
        works.metrics.frames.increment(1);
        if source == Source::Journal && epoch_before.is_some() {
            works.metrics.repaired.increment(1);
        }
        state.link.heard_ms = works.now_ms();
        let new_epoch = epoch_before != Some(entry.at.epoch());
        self.note_members(state, entry, !new_epoch, works);
        if let Some(cause) = &entry.cause {
            let (user, session, n) = (&cause.user, cause.session, cause.n);
            let span = Span::begin(Step::Deliver, &Command { user, session, n, room: &self.id });
            std::mem::replace(&mut state.delivering, span).end();
            self.answered(state, cause, entry.at, works);
        }
        if new_epoch {
            self.resend(state, works);
            self.tell_presences(state, works);
            state.places.begin_anew();
            works.attend(self);
        }
        offered
    }

    /// Whoever is live, and is not with this frame any more, gets first what came before it; so does whoever needs no place, and does with it.
    fn deliver_to_leavers(&self, state: &mut State, entry: &Entry, works: &Works) {
        let State { window, rail, places, watchers, .. } = state;
        let says_who = entry.delay.is_some() || entry.places.is_some();
        if !says_who || window.end().is_none_or(|end| entry.at <= end) {
            return;
        }
        let delay = entry.delay.as_ref();
        for (_, watcher) in watchers.iter_mut() {
            let stands_up = !watcher.behind && rail.ends_for(&watcher.user, delay);
            if stands_up || places.begin_for(watcher, entry) {
                watcher.deliver(window, rail, &self.id, works);
            }
        }
    }

    /// What holds for the rail with a frame that players get; and the frame waits until it is due.
    fn hold_behind(self: &Arc<Self>, state: &mut State, entry: &Entry, source: Source, works: &Works) {
        let State { window, rail, watchers, .. } = state;
        if rail.holds(entry.delay.as_ref()) {
            let mut any_behind = false;
            for (_, watcher) in watchers {
                watcher.turns(rail.is_behind(&watcher.user), window, rail);
                any_behind |= watcher.behind;
            }
            if any_behind {
                rail.begin(window.end());
                works.attend(self);
            }
        }
        if let Some(behind) = rail.behind() {
            behind.heard(entry, source, works.now_ms(), works.config.rail_bytes_max);
            if behind.waits() {
                works.attend(self);
            }
        }
    }

    /// Does what follows from what time has brought to the rail.
    pub(crate) fn released(self: &Arc<Self>, state: &mut State, released: Released, works: &Works) {
        if let Some(from) = released.lost_from {
            state.lose_from(from, true);
        }
        if released.any {
            self.serve(state, works);
        }
        if released.ended {
            // Somebody who is live may have come since players were told.
            self.end_for(state, false, works);
            self.end_for(state, true, works);
            self.forget_ended(state, works);
        }
    }

    /// The room has ended: everybody gets what is left, and is told. What was asked and is not answered was not applied. The rail, if it is shown the
    /// room late, gets the rest when it is due.
    fn ended(self: &Arc<Self>, state: &mut State, end: &Entry, source: Source, works: &Works) {
        self.end_for(state, false, works);
        if state.watchers.iter().any(|(_, watcher)| watcher.behind) {
            self.answer_all(state, works);
            works.catalogue.lacks(&self.id, &works.config, works.now_ms());
            if let Some(behind) = state.rail.behind() {
                behind.heard(end, source, works.now_ms(), works.config.rail_bytes_max);
                works.attend(self);
            }
            return;
        }
        self.forget_ended(state, works);
    }

    /// Gives those who are live, or those who are `behind`, what is left, and lets go of them.
    fn end_for(self: &Arc<Self>, state: &mut State, behind: bool, works: &Works) {
        let unwatched = frame(&ClientOut::Unwatched { room: self.id.clone() });
        let mut gone: SmallVec<[usize; 8]> = SmallVec::new();
        for (key, watcher) in state.watchers.iter_mut().filter(|(_, watcher)| watcher.behind == behind) {
            watcher.deliver(&state.window, &state.rail, &self.id, works);
            if !watcher.muted {
                watcher.peer.answer(&unwatched, works.now_ms());
            }
            gone.push(key);
        }
        if gone.len() < state.watchers.len() {
            self.answer_all(state, works);
            gone.into_iter().for_each(|key| self.remove(state, key, false, works));
        }
    }

    fn forget_ended(self: &Arc<Self>, state: &mut State, works: &Works) {
        self.dismiss(state, works);
        state.rail = Rail::default();
        state.places = Places::default();
        // Whoever watches it once more is told by the journal, for as long as that is there.
        state.window = Window::default();
        state.members.clear();
        state.link.stale = true;
    }

    /// There is no such room, or not any more: all watchers are let go of, and what they have asked is refused.
    pub(crate) fn dismiss(self: &Arc<Self>, state: &mut State, works: &Works) {
        works.catalogue.lacks(&self.id, &works.config, works.now_ms());
        self.answer_all(state, works);
        state.watchers = Slab::new();
        state.empty_since_ms = works.now_ms().saturating_sub(works.config.linger_ms);
        works.attend(self);
    }

    /// Brings all watchers up to date: on the spot, or where there are many, in pieces by the serving task.
    pub(crate) fn serve(self: &Arc<Self>, state: &mut State, works: &Works) {
        if state.watchers.len() <= works.config.inline_watchers_max {
            let mut delivered = 0;
            for (_, watcher) in &mut state.watchers {
                delivered += watcher.deliver(&state.window, &state.rail, &self.id, works);
            }
            works.metrics.deliveries.increment(delivered);
            std::mem::take(&mut state.delivering).end();
        } else if !std::mem::replace(&mut state.serving, true) {
            // Only a relay that is being dropped has no such task.
            let _ = works.queues.serving.send(self.clone());
        }
    }

    /// Brings one watcher up to date.
    pub(crate) fn deliver_to(&self, state: &mut State, key: usize, works: &Works) {
        let delivered = state.watchers[key].deliver(&state.window, &state.rail, &self.id, works);
        works.metrics.deliveries.increment(delivered);
    }

    /// Takes a watcher out.
    pub(crate) fn remove(self: &Arc<Self>, state: &mut State, key: usize, session_gone: bool, works: &Works) {
        if state.watchers[key].member && session_gone {
            self.tell_absent(state, key, works);
        }
        let watcher = state.watchers.remove(key);
        state.askers.remove(&(watcher.session, key));
        if watcher.place.is_some() {
            self.list_soon(state, works);
        }
        if let Some(asks) = watcher.asks {
            let waiting = asks.waiting();
            watcher.peer.in_flight.fetch_sub(waiting, Relaxed);
            works.metrics.in_flight.decrement(waiting);
        }
        if state.watchers.is_empty() {
            // The room of a rail that has gone home keeps no list of thousands.
            state.watchers = Slab::new();
            state.empty_since_ms = works.now_ms();
            works.attend(self);
        }
    }

    /// What time has brought; whether it must be called again.
    pub(crate) fn sweep(self: &Arc<Self>, works: &Works, now_ms: UnixMs) -> bool {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.closed {
            return false;
        }
        self.retry(state, works, now_ms);
        let doubts = state.link.settle_doubt(now_ms);
        let released = state.rail.behind().map(|behind| behind.release(now_ms, works.config.window_frames));
        if let Some(released) = released {
            self.released(state, released, works);
        }
        self.tend(state, works);
        let lists = self.list_places(state, works, now_ms);
        let waits = lists || state.rail.behind().is_some_and(|behind| behind.waits());
        waits || doubts || !state.askers.is_empty() || state.watchers.is_empty() || state.link.is_troubled()
    }

    /// About once a second: whether the room was quiet for long enough to be compared with its journal, which is then begun.
    pub(crate) fn check_quiet(self: &Arc<Self>, works: &Works, now_ms: UnixMs) -> bool {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let quiet = !state.watchers.is_empty() && now_ms >= state.link.heard_ms + works.config.quiet_ms;
        if quiet {
            state.link.heard_ms = now_ms;
            state.link.stale = true;
            self.tend(state, works);
        }
        quiet
    }

    /// The bus may have lost frames.
    pub(crate) fn missed(self: &Arc<Self>, works: &Works) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        state.link.stale = true;
        // What was said when the connection broke may be lost, too.
        state.tell_at_ms = 0;
        self.begin_listening(state, works);
        self.tend(state, works);
    }

    pub(crate) fn unavailable(&self) -> ws::Frame {
        metrics::error(ErrorCode::Unavailable);
        frame(&ClientOut::Error {
            code: ErrorCode::Unavailable,
            message: "the room cannot be read at the moment; its keyframe will follow".into(),
            room: Some(self.id.clone()),
        })
    }
}

impl State {
    /// The watcher of this key, if it is still this connection's: keys are used again.
    pub(crate) fn watcher(&mut self, key: usize, peer: &Arc<Peer>) -> Option<&mut Watcher> {
        self.watchers.get_mut(key).filter(|watcher| Arc::ptr_eq(&watcher.peer, peer))
    }

    /// The last frames that players and the rail have.
    pub(crate) fn ends(&self) -> [Option<Position>; 2] {
        [self.window.end(), self.rail.window().end()]
    }

    /// History from `seq` on is not what it was, for those who are live or for those who are `behind`.
    fn lose_from(&mut self, seq: Seq, behind: bool) {
        for (_, watcher) in self.watchers.iter_mut().filter(|(_, watcher)| watcher.behind == behind) {
            if matches!(watcher.cursor, Cursor::At(at) if at >= seq) {
                watcher.cursor = Cursor::Lost;
            }
        }
    }
}

/// Entries that wait for the ones before them.
pub(crate) type Pending = VecDeque<Entry>;
