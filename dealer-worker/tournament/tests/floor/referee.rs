//! An independent referee: it recomputes places, prizes and levels from what happened, with none of the tournament's own code.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    id::{RoomId, UserId},
    table::{BlindKind, TableEvent, TableView},
    time::UnixMs,
    tournament::{Clock, Level, TournamentConfig, TournamentEvent},
};
use rooms::room::Room as _;
use serde_json::Value;
use tournament::Tournament;

pub(crate) struct Referee {
    config: TournamentConfig,
    entries: BTreeMap<u32, UserId>,
    read: usize,
    placed: BTreeMap<UserId, (u32, u64)>,
    ended: bool,
    /// Hands begun at a table since the last step.
    began: BTreeMap<RoomId, BTreeMap<u8, u64>>,
    /// In which hand of its table somebody went out.
    hands: BTreeMap<UserId, (RoomId, u64)>,
    /// Who went out, with how many chips before the hand.
    pub(crate) busted: Vec<(RoomId, UserId, u64)>,
    clocks: Vec<(UnixMs, Clock)>,
    pub(crate) faults: Vec<String>,
}

impl Referee {
    pub(crate) fn new(config: TournamentConfig) -> Self {
        Self {
            config,
            entries: BTreeMap::new(),
            read: 0,
            placed: BTreeMap::new(),
            ended: false,
            began: BTreeMap::new(),
            hands: BTreeMap::new(),
            busted: Vec::new(),
            clocks: Vec::new(),
            faults: Vec::new(),
        }
    }

    pub(crate) fn user_of(&self, entry: u32) -> UserId {
        self.entries[&entry].clone()
    }

    fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    /// Something was seen at a table.
    pub(crate) fn sees(
        &mut self,
        now: UnixMs,
        room: &RoomId,
        event: &TableEvent,
        view: &TableView,
        of: &Tournament,
    ) {
        match event {
            TableEvent::HandStarted { .. } => {
                let seats = view.seats.iter().zip(0_u8..);
                let stacks = seats.filter_map(|(seat, at)| Some((at, seat.as_ref()?.stack))).collect();
                self.began.insert(room.clone(), stacks);
                let state: Value = serde_json::from_str(of.view().get()).unwrap();
                let clock: Option<Clock> = serde_json::from_value(state["clock"].clone()).unwrap();
                self.level(now, room, view, clock.unwrap());
            }
            TableEvent::Posted { blind: BlindKind::Big, amount, seat } => {
                let has = view.seats[usize::from(*seat)].as_ref().map_or(0, |seat| seat.stack);
                if *amount != view.config.big_blind && has > 0 {
                    self.fault(format!("{room}: a big blind of {amount}"));
                }
            }
            TableEvent::Busted { seat, user } => {
                let began = self.began[room].get(seat).copied().unwrap_or(0);
                let hand = view.hand.as_ref().map_or(0, |hand| hand.hand);
                self.hands.insert(user.clone(), (room.clone(), hand));
                self.busted.push((room.clone(), user.clone(), began));
            }
            _ => {}
        }
    }

    /// The blinds of a hand are those of the schedule at its beginning. A table may not have heard yet of a clock that was just changed.
    fn level(&mut self, now: UnixMs, room: &RoomId, view: &TableView, clock: Clock) {
        if self.clocks.last().is_none_or(|(_, last)| *last != clock) {
            self.clocks.push((now, clock));
        }
        let blinds = |clock: &Clock| {
            let at = clock.stopped_ms.map_or(now, |stopped| stopped.min(now));
            let mut passed = i128::from(at) - i128::from(clock.base_ms) - i128::from(clock.offset_ms);
            let mut last = 0;
            for level in &self.config.levels {
                if let Level::Play { big_blind, .. } = level {
                    last = *big_blind;
                }
                passed -= i128::from(level.ms());
                if passed < 0 {
                    break;
                }
            }
            last
        };
        let known = self.clocks.iter().rev().take(2);
        if !known.clone().any(|(_, clock)| blinds(clock) == view.config.big_blind) {
            let due: Vec<u64> = known.map(|(_, clock)| blinds(clock)).collect();
            self.fault(format!("{room}: blinds of {} where {due:?} are due", view.config.big_blind));
        }
    }

    /// Where everybody is, and what was told.
    pub(crate) fn judge(
        &mut self,
        of: &Tournament,
        mut holders: BTreeMap<UserId, Vec<String>>,
        mut chips: i128,
        told: &[TournamentEvent],
    ) {
        for event in &told[self.read..] {
            match event {
                TournamentEvent::Registered { entry, user, .. } => {
                    _ = self.entries.insert(*entry, user.clone())
                }
                TournamentEvent::Unregistered { entry, .. } => _ = self.entries.remove(entry),
                TournamentEvent::Placed { user, place, prize, .. } => {
                    let before = self.placed.insert(user.clone(), (*place, *prize));
                    let again = before.map(|_| format!("{user} has two places"));
                    self.faults.extend(again);
                }
                TournamentEvent::Ended { .. } => self.ended = true,
                _ => {}
            }
        }
        self.read = told.len();
        if self.ended {
            return;
        }
        let out: BTreeSet<UserId> = self.busted.iter().map(|(_, user, _)| user.clone()).collect();
        for (user, stack) in of.waiting() {
            chips += i128::from(stack);
            holders.entry(user).or_default().push("waiting".into());
        }
        for user in self.entries.values().cloned().collect::<Vec<_>>() {
            let at = holders.remove(&user).unwrap_or_default();
            let is_right = if out.contains(&user) { at.is_empty() } else { at.len() == 1 };
            if !is_right {
                self.fault(format!("{user} is at {at:?}"));
            }
        }
        let issued = i128::from(self.config.stack) * self.entries.len() as i128;
        if chips != issued {
            self.fault(format!("{chips} chips of {issued}"));
        }
    }

    /// Everything is over: places and prizes are as they follow from who went out when.
    pub(crate) fn finish(&mut self, in_step: bool) {
        let entries = self.entries.len() as u32;
        let users: BTreeSet<&UserId> = self.entries.values().collect();
        let placed: BTreeSet<&UserId> = self.placed.keys().collect();
        if users != placed {
            self.fault(format!("{} entries, {} places", users.len(), placed.len()));
            return;
        }
        let mut places: Vec<u32> = self.placed.values().map(|(place, _)| *place).collect();
        places.sort_unstable();
        for (at, place) in (1..).zip(&places) {
            // Whoever shares has the best place of those that are shared.
            let sharers = places.iter().filter(|other| *other == place).count() as u32;
            if !(*place..*place + sharers).contains(&at) {
                self.fault(format!("places are {places:?}"));
                break;
            }
        }
        let sum: u64 = self.placed.values().map(|(_, prize)| prize).sum();
        let pool = (u64::from(entries) * self.config.buy_in).max(self.config.guarantee);
        if sum != pool {
            self.fault(format!("prizes of {sum}, the pool is {pool}"));
        }
        let mut by_place: Vec<(u32, u64)> = self.placed.values().copied().collect();
        by_place.sort_unstable();
        if by_place.windows(2).any(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1) {
            self.fault(format!("a better place gets less: {by_place:?}"));
        }
        if !in_step {
            self.in_order();
        }
    }

    /// At one table, whoever goes out in an earlier hand has the worse place; in the same hand who had fewer chips, and with the same both share.
    fn in_order(&mut self) {
        let place = |user: &UserId| self.placed[user].0;
        let mut faults = Vec::new();
        for (at, (room, user, stack)) in self.busted.iter().enumerate() {
            for (other_room, other, other_stack) in &self.busted[at + 1..] {
                if room != other_room {
                    continue;
                }
                let is_same_hand = self.same_hand(user, other);
                let right = match (is_same_hand, stack.cmp(other_stack)) {
                    (false, _) | (true, std::cmp::Ordering::Less) => place(user) > place(other),
                    (true, std::cmp::Ordering::Greater) => place(user) < place(other),
                    (true, std::cmp::Ordering::Equal) => place(user) == place(other),
                };
                if !right {
                    faults.push(format!(
                        "{user} with {stack} at {} and {other} with {other_stack} at {}",
                        place(user),
                        place(other)
                    ));
                }
            }
        }
        self.faults.extend(faults);
    }

    fn same_hand(&self, one: &UserId, other: &UserId) -> bool {
        self.hands.get(one) == self.hands.get(other)
    }
}
