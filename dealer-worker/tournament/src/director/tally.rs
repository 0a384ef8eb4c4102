//! What follows from the entries and is asked with each decision: counted along, so that it is not counted anew among ten thousand each time.

use std::{cmp::Reverse, sync::Arc};

use protocol::tournament::{Prize, TournamentConfig};

use super::state::{At, Entrant};
use crate::payout;

/// Up to so many entries, what would be paid follows each of them.
const EXACT_MAX: u32 = 200;

/// By chips, the most first, and entry.
pub(super) type Rank = (Reverse<u64>, u32);

/// See the module. It is not stored: it follows from what is, so it does not tell two tournaments apart either.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Those that have chips or will.
    playing: Arc<Vec<Rank>>,
    /// Those that are with the tournament, by number.
    waiting: Arc<Vec<u32>>,
    /// So many are in letters.
    sent: u32,
    /// So many are no bots of the house.
    people: usize,
    /// By the number of the table.
    at: Vec<There>,
    /// So many are out.
    pub(super) out: u32,
    /// The prizes if nobody else came, or of somewhat fewer entries.
    preview: Preview,
}

/// So many are at a table, or will be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct There {
    /// They sit there.
    pub(super) players: u32,
    /// In letters to it.
    pub(super) sent: u32,
    /// They wait with the tournament, and are meant to go there.
    pub(super) meant: u32,
}

#[derive(Debug, Clone, Default)]
struct Preview {
    entries: u32,
    prizes: Arc<[Prize]>,
}

/// What counts of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    rank: Option<Rank>,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Waiting(Option<u32>),
    Sent(u32),
    Seated(u32),
    Gone,
}

impl Spot {
    /// Of somebody as he is now.
    pub(super) fn of(entry: u32, entrant: &Entrant) -> Self {
        let place = match entrant.at {
            At::Waiting { to, .. } => Place::Waiting(to),
            At::Sent(table) => Place::Sent(table),
            At::Seated(table) => Place::Seated(table),
            At::Busted | At::Out => Place::Gone,
        };
        let rank = (place != Place::Gone).then_some((Reverse(entrant.stack), entry));
        Self { rank, place }
    }
}

impl PartialEq for Tally {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Tally {}

impl Tally {
    /// Somebody takes part as he is now.
    pub(super) fn add(&mut self, entry: u32, entrant: &Entrant) {
        self.people += usize::from(!entrant.user.is_bot());
        self.changes(entry, None, Some(Spot::of(entry, entrant)));
    }

    /// Somebody who was like this does not.
    pub(super) fn remove(&mut self, entry: u32, entrant: &Entrant) {
        self.people -= usize::from(!entrant.user.is_bot());
        self.changes(entry, Some(Spot::of(entry, entrant)), None);
    }

    /// Somebody is elsewhere, or has other chips.
    pub(super) fn changes(&mut self, entry: u32, before: Option<Spot>, now: Option<Spot>) {
        if before == now {
            return;
        }
        let (left, came) = (before.and_then(|spot| spot.rank), now.and_then(|spot| spot.rank));
        if left != came {
            left.iter().for_each(|rank| take(&mut self.playing, rank));
            came.into_iter().for_each(|rank| put(&mut self.playing, rank));
        }
        match before.map(|spot| spot.place) {
            Some(Place::Waiting(to)) => {
                take(&mut self.waiting, &entry);
                to.into_iter().for_each(|table| self.table(table).meant -= 1);
            }
            Some(Place::Sent(table)) => {
                self.sent -= 1;
                self.table(table).sent -= 1;
            }
            Some(Place::Seated(table)) => self.table(table).players -= 1,
            Some(Place::Gone) | None => {}
        }
        match now.map(|spot| spot.place) {
            Some(Place::Waiting(to)) => {
                put(&mut self.waiting, entry);
                to.into_iter().for_each(|table| self.table(table).meant += 1);
            }
            Some(Place::Sent(table)) => {
                self.sent += 1;
                self.table(table).sent += 1;
            }
            Some(Place::Seated(table)) => self.table(table).players += 1,
            Some(Place::Gone) | None => {}
        }
    }

    /// Whether all of it is the same.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let Self { playing, waiting, sent, people, at, out, preview } = self;
        let tables = at.len().max(other.at.len());
        let there = |of: &Self| (0_u32..).take(tables).map(|table| of.at(table)).collect::<Vec<_>>();
        (playing, waiting, sent, people, out)
            == (&other.playing, &other.waiting, &other.sent, &other.people, &other.out)
            && there(self) == there(other)
            && (preview.entries, &preview.prizes) == (other.preview.entries, &other.preview.prizes)
    }

    fn table(&mut self, table: u32) -> &mut There {
        let at = usize::try_from(table).expect("tables are few");
        if self.at.len() <= at {
            self.at.resize(at + 1, There::default());
        }
        &mut self.at[at]
    }

    /// Who is at a table, or will be.
    pub(super) fn at(&self, table: u32) -> There {
        usize::try_from(table).ok().and_then(|at| self.at.get(at)).copied().unwrap_or_default()
    }

    /// Those that have chips or will, the best first.
    pub(super) fn playing(&self) -> &[Rank] {
        &self.playing
    }

    /// Those that are with the tournament, by number.
    pub(super) fn waiting(&self) -> &[u32] {
        &self.waiting
    }

    /// Whether somebody is at no table.
    pub(super) fn is_anybody_away(&self) -> bool {
        self.sent > 0 || !self.waiting.is_empty()
    }

    /// So many are no bots of the house.
    pub(super) fn people(&self) -> usize {
        self.people
    }

    /// Others are entered than before. What large fields are paid takes milliseconds to compute, and changes little with one entry.
    pub(super) fn entered(&mut self, entries: u32, config: &TournamentConfig) {
        let step = if entries > EXACT_MAX { (entries / 100).next_power_of_two() } else { 1 };
        let entries = entries - entries % step;
        if self.preview.entries != entries {
            let pool = (u64::from(entries) * config.buy_in).max(config.guarantee);
            let prizes = payout::prizes(entries, pool, &config.payouts).into();
            self.preview = Preview { entries, prizes };
        }
    }

    /// What would be paid if nobody else came; of more than [`EXACT_MAX`] entries, what would be of two in a hundred fewer at most.
    pub(super) fn preview(&self) -> &[Prize] {
        &self.preview.prizes
    }
}

fn put<T: Ord + Clone>(sorted: &mut Arc<Vec<T>>, one: T) {
    if let Err(at) = sorted.binary_search(&one) {
        Arc::make_mut(sorted).insert(at, one);
    }
}

fn take<T: Ord + Clone>(sorted: &mut Arc<Vec<T>>, one: &T) {
    if let Ok(at) = sorted.binary_search(one) {
        Arc::make_mut(sorted).remove(at);
    }
}
