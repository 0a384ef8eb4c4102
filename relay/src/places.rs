//! A room that only so many may watch: who of those that have no part in it has a place, as its owner says.
//!
//! This relay lists them to the owner: whoever comes or goes soon, and all of them again and again, since a place holds for [`PLACE_MS`] only. Whoever has no
//! place gets nothing of the room, but refusals. A place whose time is over is none, whatever the reason: this relay may have been cut
//! off or have stood still, and the owner may have given it to somebody else. It is counted from when the list was said, which was before the owner heard it.
//!
//! Of all lists only the last one said counts, and there is no other on its way, but one that was not answered in time. So what an answer says holds for exactly
//! those who were on that list and are still here.

use std::{collections::BTreeMap, sync::Arc};

use broker::{
    entry::{Entry, Places as Holds},
    node::{Asked, PLACE_MS, ToRoom},
};
use protocol::{
    ClientOut, ErrorCode,
    id::{Epoch, UserId},
    time::UnixMs,
};
use smallvec::SmallVec;
use ws::Frame;

use crate::{
    delivery::Watcher,
    metrics,
    peer::frame,
    planted::{Fault, is_planted},
    room::{Room, State},
    works::Works,
};

/// A place is taken for lost so much sooner than the owner takes it for free, milliseconds: what is sent is on its way for a while.
const MARGIN_MS: u64 = 500;

/// So often places are asked for anew, milliseconds.
const AGAIN_MS: u64 = 3_000;

/// A list without an answer is said again after so long, milliseconds.
const RETRY_MS: u64 = 500;

/// What is known of a room's places.
#[derive(Default)]
pub(crate) struct Places {
    /// What holds since the newest frame; `None`: as many may watch as come.
    holds: Option<Holds>,
    /// The number of the last list, and when it was said.
    round: u64,
    said_ms: UnixMs,
    /// It waits for its answer.
    waits: bool,
    /// It is not what would be said now.
    is_old: bool,
    /// Nor is it said before.
    not_before_ms: UnixMs,
    /// There was somebody on it.
    had_any: bool,
}

/// Of a watcher that needs a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RailPlace {
    /// It has one until then; 0: it never had.
    until_ms: UnixMs,
    /// The last list that it was for, and its user's place there; nothing if that was one too many.
    round: u64,
    listed: Option<u32>,
}

impl RailPlace {
    /// Whether it has one.
    pub(crate) fn is_held(&self, now_ms: UnixMs) -> bool {
        now_ms < self.until_ms || is_planted(Fault::ShowsWithoutPlace)
    }
}

impl Places {
    /// Whether this user needs a place.
    fn are_for(&self, user: &UserId) -> bool {
        self.holds.as_ref().is_some_and(|holds| !holds.insiders.contains(user))
    }

    /// Whether this watcher, who needs none, does with an entry.
    pub(crate) fn begin_for(&self, watcher: &Watcher, entry: &Entry) -> bool {
        let needs = |holds: &Holds| !holds.insiders.contains(&watcher.user);
        watcher.place.is_none() && entry.places.as_ref().is_some_and(needs)
    }

    /// When the list is to be said, if it is.
    fn due_ms(&self) -> Option<UnixMs> {
        self.holds.as_ref()?;
        match (self.waits, self.is_old) {
            (true, _) => Some(self.said_ms + RETRY_MS),
            (false, true) => Some(self.not_before_ms),
            (false, false) => None,
        }
    }

    /// The owner has to be told who is here.
    pub(crate) fn change(&mut self) {
        self.is_old = true;
    }

    /// There is another owner.
    pub(crate) fn begin_anew(&mut self) {
        (self.waits, self.is_old, self.not_before_ms) = (false, true, 0);
    }
}

impl Room {
    /// Whether a new watcher needs a place.
    pub(crate) fn place_for(
        self: &Arc<Self>,
        state: &mut State,
        user: &UserId,
        works: &Works,
    ) -> Option<RailPlace> {
        let is_needed = state.places.are_for(user);
        is_needed.then(|| {
            self.list_soon(state, works);
            RailPlace::default()
        })
    }

    /// Somebody who needs a place has come or gone.
    pub(crate) fn list_soon(self: &Arc<Self>, state: &mut State, works: &Works) {
        state.places.change();
        works.attend(self);
    }

    /// What holds with a frame that players get.
    pub(crate) fn hold_places(self: &Arc<Self>, state: &mut State, entry: &Entry, works: &Works) {
        let State { places, watchers, .. } = &mut *state;
        if places.holds == entry.places {
            return;
        }
        places.holds.clone_from(&entry.places);
        for (_, watcher) in watchers {
            match (places.are_for(&watcher.user), watcher.place) {
                (true, None) => watcher.place = Some(RailPlace::default()),
                (false, Some(_)) => watcher.place = None,
                (true, Some(_)) | (false, None) => continue,
            }
            places.is_old = true;
        }
        if places.is_old {
            works.attend(self);
        }
    }

    /// About once a second: places that are held are asked for anew.
    pub(crate) fn hold_places_again(self: &Arc<Self>, works: &Works, now_ms: UnixMs) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let is_time = state.places.holds.is_some() && now_ms >= state.places.said_ms + AGAIN_MS;
        if is_time && state.watchers.iter().any(|(_, watcher)| watcher.wants_place()) {
            self.list_soon(state, works);
        }
    }

    /// Says who is here, if it is time; whether it will be soon.
    pub(crate) fn list_places(&self, state: &mut State, works: &Works, now_ms: UnixMs) -> bool {
        let Some(due_ms) = state.places.due_ms() else { return false };
        if now_ms >= due_ms {
            self.say_list(state, works, now_ms);
        }
        true
    }

    fn say_list(&self, state: &mut State, works: &Works, now_ms: UnixMs) {
        let State { places, watchers, window, .. } = state;
        let (Some(holds), Some(end)) = (&places.holds, window.end()) else { return };
        // By the clock, so that it grows beyond what an earlier process of this name has said, if there was one.
        places.round = now_ms.max(places.round + 1);
        (places.said_ms, places.waits, places.is_old) = (now_ms, true, false);
        let mut users: Vec<UserId> = Vec::new();
        let mut listed: BTreeMap<UserId, u32> = BTreeMap::new();
        let mut have = 0;
        for has_one in [true, false] {
            for (_, watcher) in watchers.iter_mut() {
                let (user, wants) = (watcher.user.clone(), watcher.wants_place());
                let Some(place) = &mut watcher.place else { continue };
                if !wants || (now_ms < place.until_ms) != has_one {
                    continue;
                }
                let at = users.len();
                if at < holds.max as usize && !listed.contains_key(&user) {
                    listed.insert(user.clone(), u32::try_from(at).expect("there are few"));
                    have += u32::from(has_one);
                    users.push(user.clone());
                }
                (place.round, place.listed) = (places.round, listed.get(&user).copied());
            }
        }
        let had_any = std::mem::replace(&mut places.had_any, !users.is_empty());
        if users.is_empty() && !had_any {
            places.waits = false;
            return;
        }
        let (relay, round) = (works.node.clone(), places.round);
        let what = Asked::Places { relay: relay.clone(), round, have, users };
        // One that does not go out is said again.
        works.tell_room(&self.commands, &ToRoom { epoch: end.epoch(), relay, what });
    }

    /// The owner has answered a list: all who were on it have a place, but for those `without`.
    pub(crate) fn places_given(
        self: &Arc<Self>,
        works: &Works,
        (epoch, round): (Epoch, u64),
        without: &[u32],
        is_full: bool,
    ) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let is_owners = state.window.end().is_some_and(|end| end.epoch() == epoch);
        if !(is_owners && state.places.waits && state.places.round == round) {
            return;
        }
        state.places.waits = false;
        let until_ms = state.places.said_ms + PLACE_MS - MARGIN_MS;
        // Where all have one who were listed there is none for those who were too many for the list.
        let is_full = is_full || without.is_empty();
        let mut given: SmallVec<[usize; 8]> = SmallVec::new();
        let mut refused: SmallVec<[usize; 8]> = SmallVec::new();
        for (key, watcher) in &mut state.watchers {
            let Some(place) = watcher.place.as_mut().filter(|place| place.round == round) else { continue };
            match place.listed {
                Some(at) if without.binary_search(&at).is_err() => {
                    place.until_ms = until_ms;
                    given.push(key);
                }
                _ if is_full => refused.push(key),
                // It is not known yet.
                _ => {
                    state.places.is_old = true;
                    state.places.not_before_ms = works.now_ms() + RETRY_MS;
                }
            }
        }
        for key in refused {
            self.refuse_place(state, key, works);
        }
        for key in given {
            self.deliver_to(state, key, works);
        }
        if state.places.is_old {
            works.attend(self);
        }
    }

    /// Ends a watcher for whom there is no place; what it has asked still gets its answer.
    fn refuse_place(self: &Arc<Self>, state: &mut State, key: usize, works: &Works) {
        let watcher = &mut state.watchers[key];
        if watcher.muted {
            return;
        }
        let max = state.places.holds.as_ref().map_or(0, |holds| holds.max);
        watcher.peer.answer(&self.rail_full(max), works.now_ms());
        if watcher.asks.as_ref().is_some_and(|asks| !asks.is_empty()) {
            watcher.muted = true;
            watcher.place = Some(RailPlace::default());
            self.deliver_to(state, key, works);
        } else {
            // The owner knows it.
            watcher.place = None;
            self.remove(state, key, false, works);
        }
    }

    fn rail_full(&self, max: u32) -> Frame {
        metrics::error(ErrorCode::RailFull);
        frame(&ClientOut::Error {
            code: ErrorCode::RailFull,
            message: format!("{max} watch this room, and no more may who have no part in it"),
            room: Some(self.id.clone()),
        })
    }
}

impl Watcher {
    /// Whether it is to be listed.
    fn wants_place(&self) -> bool {
        self.place.is_some() && !self.muted
    }
}
