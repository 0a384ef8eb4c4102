//! A referee of tournaments: recomputes places, prizes and levels from what anybody is told of a tournament and its tables, with none of the house's own
//! code; and holds who is where, and all chips, against the entries.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use protocol::{
    id::{RoomId, UserId},
    table::{BlindKind, TableEvent, TableView},
    time::UnixMs,
    tournament::{Clock, Level, TournamentConfig, TournamentEvent},
};

/// A table may not have heard of so many changes of the clock yet.
const CLOCKS_KNOWN: usize = 2;

/// What is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// An entry is not at exactly one place.
    OnePlace,
    /// There are not as many chips as were given out.
    Issued,
    /// Places do not follow from who went out when.
    Places,
    /// Prizes do not come to the pool, or somebody gets another one than is due.
    Prizes,
    /// A hand has other blinds than the schedule.
    Level,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct TournamentReferee {
    config: TournamentConfig,
    entries: BTreeMap<u32, UserId>,
    placed: BTreeMap<UserId, (u32, u64)>,
    ended: bool,
    /// The chips with which each seat began the last hand, by table.
    began: BTreeMap<RoomId, BTreeMap<u8, u64>>,
    /// In which hand of its table somebody went out.
    hands: BTreeMap<UserId, (RoomId, u64)>,
    busted: Vec<(RoomId, UserId, u64)>,
    /// Whom a director has taken out, and the chips that went with them.
    expelled: BTreeSet<UserId>,
    removed: u64,
    clocks: Vec<Clock>,
    faults: Vec<(Wrong, String)>,
}

impl TournamentReferee {
    /// Nothing seen yet of a tournament that is set to this.
    pub fn new(config: TournamentConfig) -> Self {
        Self {
            config,
            entries: BTreeMap::new(),
            placed: BTreeMap::new(),
            ended: false,
            began: BTreeMap::new(),
            hands: BTreeMap::new(),
            busted: Vec::new(),
            expelled: BTreeSet::new(),
            removed: 0,
            clocks: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Its prizes come to this, whatever it is set to.
    pub fn is_worth(&mut self, pool: u64) {
        (self.config.buy_in, self.config.guarantee) = (0, pool);
    }

    /// What was wrong so far.
    pub fn faults(&self) -> &[(Wrong, String)] {
        &self.faults
    }

    /// The same, and forgets it.
    pub fn take_faults(&mut self) -> Vec<(Wrong, String)> {
        std::mem::take(&mut self.faults)
    }

    /// Who has gone out so far: where, who, and the chips before the hand; the first first.
    pub fn busted(&self) -> &[(RoomId, UserId, u64)] {
        &self.busted
    }

    /// Who plays for an entry.
    pub fn user_of(&self, entry: u32) -> Option<&UserId> {
        self.entries.get(&entry)
    }

    /// How many take part.
    pub fn entries(&self) -> usize {
        self.entries.len()
    }

    /// What each of those who take part has won; 0 also of who has no place yet.
    pub fn prizes(&self) -> impl Iterator<Item = (&UserId, u64)> {
        self.entries.values().map(|user| (user, self.placed.get(user).map_or(0, |(_, prize)| *prize)))
    }

    fn fault(&mut self, wrong: Wrong, what: String) {
        self.faults.push((wrong, what));
    }

    /// The tournament has told something.
    pub fn hears(&mut self, event: &TournamentEvent) {
        match event {
            TournamentEvent::Registered { entry, user, .. } => {
                self.entries.insert(*entry, user.clone());
            }
            TournamentEvent::Unregistered { entry, .. } => {
                self.entries.remove(entry);
            }
            TournamentEvent::Placed { user, place, prize, .. } => {
                let before = self.placed.insert(user.clone(), (*place, *prize));
                let again = before.map(|_| (Wrong::Prizes, format!("{user} has two places")));
                self.faults.extend(again);
            }
            TournamentEvent::Disqualified { user, chips, .. } => {
                self.expelled.insert(user.clone());
                self.removed += chips;
            }
            TournamentEvent::Ended { .. } => self.ended = true,
            _ => {}
        }
    }

    /// What the tournament's clock is now.
    pub fn clock(&mut self, clock: Clock) {
        if self.clocks.last() != Some(&clock) {
            self.clocks.push(clock);
        }
    }

    /// Something was seen at a table; `view` is what it is then.
    pub fn sees(&mut self, now: UnixMs, room: &RoomId, event: &TableEvent, view: &TableView) {
        match event {
            TableEvent::HandStarted { .. } => {
                let seats = view.seats.iter().zip(0_u8..);
                let stacks = seats.filter_map(|(seat, at)| Some((at, seat.as_ref()?.stack))).collect();
                self.began.insert(room.clone(), stacks);
                self.level(now, room, view);
            }
            TableEvent::Posted { blind: BlindKind::Big, amount, seat } => {
                let has = view.seats[usize::from(*seat)].as_ref().map_or(0, |seat| seat.stack);
                if *amount != view.config.big_blind && has > 0 {
                    self.fault(Wrong::Level, format!("{room}: a big blind of {amount}"));
                }
            }
            TableEvent::Busted { seat, user } => {
                let began = self.began.get(room).and_then(|began| began.get(seat)).copied().unwrap_or(0);
                let hand = view.hand.as_ref().map_or(0, |hand| hand.hand);
                self.hands.insert(user.clone(), (room.clone(), hand));
                self.busted.push((room.clone(), user.clone(), began));
            }
            _ => {}
        }
    }

    /// The blinds of a hand are those of the schedule at its beginning.
    fn level(&mut self, now: UnixMs, room: &RoomId, view: &TableView) {
        let known = self.clocks.iter().rev().take(CLOCKS_KNOWN);
        let due: Vec<u64> = known.map(|clock| self.big_blind(clock, now)).collect();
        if !due.contains(&view.config.big_blind) {
            let what = format!("{room}: blinds of {} where {due:?} are due", view.config.big_blind);
            self.fault(Wrong::Level, what);
        }
    }

    fn big_blind(&self, clock: &Clock, now: UnixMs) -> u64 {
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
    }

    /// At one moment: at which places each user is, and how many chips there are at all of them together.
    pub fn judge(&mut self, mut holders: BTreeMap<UserId, Vec<String>>, chips: i128) {
        if self.ended {
            return;
        }
        let out: BTreeSet<&UserId> = self.busted.iter().map(|(_, user, _)| user).collect();
        let mut wrong = Vec::new();
        for user in self.entries.values() {
            let at = holders.remove(user).unwrap_or_default();
            let is_right = if out.contains(user) || self.expelled.contains(user) {
                at.is_empty()
            } else {
                at.len() == 1
            };
            if !is_right {
                wrong.push(format!("{user} is at {at:?}"));
            }
        }
        wrong.into_iter().for_each(|what| self.fault(Wrong::OnePlace, what));
        let issued = i128::from(self.config.stack) * i128::try_from(self.entries.len()).unwrap_or(i128::MAX);
        let issued = issued - i128::from(self.removed);
        if chips != issued {
            self.fault(Wrong::Issued, format!("{chips} chips of {issued}"));
        }
    }

    /// Everything is over: places and prizes are as they follow from who went out when.
    pub fn finish(&mut self) {
        let users: BTreeSet<&UserId> = self.entries.values().collect();
        let placed: BTreeSet<&UserId> = self.placed.keys().collect();
        if users != placed {
            let what = format!("{} entries, {} places", users.len(), placed.len());
            return self.fault(Wrong::Places, what);
        }
        let mut sharers: BTreeMap<u32, u32> = BTreeMap::new();
        self.placed.values().for_each(|(place, _)| *sharers.entry(*place).or_default() += 1);
        let mut next = 1;
        for (place, sharers) in &sharers {
            // Whoever shares has the best place of those that are shared.
            if *place != next {
                self.faults.push((Wrong::Places, format!("{sharers} have the place {place} after {next}")));
                break;
            }
            next += sharers;
        }
        let sum: u64 = self.placed.values().map(|(_, prize)| prize).sum();
        let pool = (self.entries.len() as u64 * self.config.buy_in).max(self.config.guarantee);
        if sum != pool {
            self.fault(Wrong::Prizes, format!("prizes of {sum}, the pool is {pool}"));
        }
        let mut by_place: Vec<(u32, u64)> = self.placed.values().copied().collect();
        by_place.sort_unstable();
        if by_place.windows(2).any(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1) {
            self.fault(Wrong::Prizes, format!("a better place gets less: {by_place:?}"));
        }
        self.in_order();
    }

    /// At one table, whoever goes out in an earlier hand has the worse place; in the same hand who had fewer chips, and with the same both
    /// share.
    fn in_order(&mut self) {
        let place = |user: &UserId| self.placed.get(user).map_or(0, |(place, _)| *place);
        let mut faults = Vec::new();
        let mut by_table: BTreeMap<&RoomId, Vec<(&UserId, u64)>> = BTreeMap::new();
        for (room, user, stack) in &self.busted {
            by_table.entry(room).or_default().push((user, *stack));
        }
        for (at, &(user, stack), busted) in by_table
            .values()
            .flat_map(|busted| busted.iter().enumerate().map(move |(at, one)| (at, one, busted)))
        {
            for &(other, other_stack) in &busted[at + 1..] {
                let is_same_hand = self.hands.get(user) == self.hands.get(other);
                let right = match (is_same_hand, stack.cmp(&other_stack)) {
                    (false, _) | (true, Ordering::Less) => place(user) > place(other),
                    (true, Ordering::Greater) => place(user) < place(other),
                    (true, Ordering::Equal) => place(user) == place(other),
                };
                if !right {
                    let (first, second) = (place(user), place(other));
                    faults.push(format!(
                        "{user} with {stack} at {first} and {other} with {other_stack} at {second}"
                    ));
                }
            }
        }
        faults.into_iter().for_each(|what| self.fault(Wrong::Places, what));
    }
}
