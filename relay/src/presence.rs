//! Telling a room's owner which members' sessions watch it.
//!
//! Members are users for whom the room has private parts, and senders of accepted commands; spectators come and go
//! unnoticed. A message may be lost, so presence is told again after every change of epoch, when a connection to the bus was lost,
//! here or at the owner, and now and then.

use std::sync::Arc;

use broker::{
    entry::{Entry, Kind},
    node::{Asked, ToRoom},
};
use protocol::{id::UserId, time::UnixMs};
use smallvec::SmallVec;

use crate::{
    delivery::Watcher,
    room::{Room, State},
    works::Works,
};

/// How often presence is told without a reason.
pub(crate) const TELL_AGAIN_MS: u64 = 30_000;

impl Room {
    /// Learns from a frame who is a member; tells the owner of new ones, unless all will be told anyway.
    pub(crate) fn note_members(
        self: &Arc<Self>,
        state: &mut State,
        entry: &Entry,
        tell: bool,
        works: &Works,
    ) {
        let before = match entry.kind {
            // A keyframe has a part for every member, so whoever has left is left out.
            Kind::Keyframe => Some(std::mem::take(&mut state.members)),
            Kind::Claim | Kind::Delta | Kind::End => None,
        };
        let mut new: SmallVec<[UserId; 2]> = SmallVec::new();
        for private in &entry.privates {
            let added = state.members.insert(private.user.clone());
            if added && before.as_ref().is_none_or(|before| !before.contains(&private.user)) {
                new.push(private.user.clone());
            }
        }
        if new.is_empty() {
            return;
        }
        let mut present: SmallVec<[usize; 2]> = SmallVec::new();
        for (key, watcher) in &mut state.watchers {
            if !watcher.member && !watcher.muted && new.contains(&watcher.user) {
                watcher.member = true;
                present.push(key);
            }
        }
        for key in present.into_iter().filter(|_| tell) {
            self.tell_present(state, key, false, works);
        }
    }

    /// `anew`: the client has just asked to watch.
    pub(crate) fn tell_present(&self, state: &mut State, key: usize, anew: bool, works: &Works) {
        if !self.says_present(state, key, anew, works) {
            state.tell_at_ms = 0;
        }
    }

    /// Whether it was sent.
    fn says_present(&self, state: &State, key: usize, anew: bool, works: &Works) -> bool {
        let Watcher { user, session, .. } = &state.watchers[key];
        self.tell(state, Asked::Present { user: user.clone(), session: *session, anew }, works)
    }

    pub(crate) fn tell_absent(&self, state: &State, key: usize, works: &Works) {
        let watcher = &state.watchers[key];
        self.tell(state, Asked::Absent { user: watcher.user.clone(), session: watcher.session }, works);
    }

    /// Tells of all members here.
    pub(crate) fn tell_presences(&self, state: &mut State, works: &Works) {
        let mut all_sent = true;
        for (key, watcher) in &state.watchers {
            if watcher.member && watcher.peer.is_open() {
                all_sent &= self.says_present(state, key, false, works);
            }
        }
        state.tell_at_ms = if all_sent { works.now_ms() + TELL_AGAIN_MS } else { 0 };
    }

    /// The same, if it was not done for long, or may not have been heard.
    pub(crate) fn tell_presences_again(&self, works: &Works, now_ms: UnixMs) {
        let mut state = self.state.lock();
        if now_ms >= state.tell_at_ms {
            self.tell_presences(&mut state, works);
        }
    }

    /// The owner may not have heard who is here.
    pub(crate) fn tell_presences_soon(&self) {
        self.state.lock().tell_at_ms = 0;
    }

    /// Whether it was sent. Before the first keyframe there is no owner; with it, presence is told.
    fn tell(&self, state: &State, what: Asked, works: &Works) -> bool {
        state.window.end().is_none_or(|end| {
            works.tell_room(&self.commands, &ToRoom { epoch: end.epoch(), relay: works.node.clone(), what })
        })
    }
}
