//! The directory: all rooms that workers tell of, in the orders that somebody looks at, and the views of them.
//!
//! News are gathered and taken in when a round begins, so all views of a round show one state. What has changed is held against
//! each view; a page is made anew only if a row that fits has changed on it, before it, or into it. How many rows may be walked
//! for that in a round is bounded: what is left over comes first in the next ones, in the order in which it has begun to wait.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    sync::Arc,
};

use broker::lobby::{Line, LineChange};
use protocol::{id::RoomId, lobby::View, time::UnixMs};
use slab::Slab;
use ws::Frame;

use super::{
    planted::{self, Planted},
    row::{Order, Place, Row},
    shown::{Changed, Form, Shown, Sum},
    unnamed,
};
use crate::config::RelayConfig;

/// So many rows or changes are looked at in one go, which takes a fraction of a millisecond.
const PIECE_STEPS: usize = 8_192;

/// See the module.
#[derive(Default)]
pub(super) struct Directory {
    rows: BTreeMap<RoomId, Known>,
    /// What has been told since the last round began.
    pending: BTreeMap<RoomId, Pending>,
    /// All rows in each order that a view has.
    orders: BTreeMap<Order, BTreeSet<Place>>,
    views: Slab<Shown>,
    by_view: BTreeMap<View, usize>,
    /// How many of these are [always shown](is_always_shown), of which there are thirteen at most.
    always: usize,
    /// The round that runs or has ended last.
    round: Round,
}

struct Known {
    row: Arc<Row>,
    heard_ms: UnixMs,
}

struct Pending {
    /// `None`: the room has ended.
    line: Option<Line>,
    heard_ms: UnixMs,
}

#[derive(Default)]
struct Round {
    number: u64,
    changes: Vec<Changed>,
    /// Views that are still to be looked at: all that there were when it began.
    views: VecDeque<usize>,
    /// Rows that may still be walked for views that there are, and for new ones.
    steps_left: usize,
    steps_left_for_new: usize,
    /// Whether a page has changed.
    has_news: bool,
}

/// Why a view is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotShown {
    /// In this round too much has been walked; the next is not far.
    NotNow,
    /// There are as many views as there may be.
    TooMany,
}

impl Directory {
    /// Takes whole lines in.
    pub(super) fn hear_lines(&mut self, lines: Vec<Line>, config: &RelayConfig, now_ms: UnixMs) {
        for line in lines {
            if let Some(known) = self.rows.get_mut(&line.room) {
                known.heard_ms = now_ms;
                if known.row.line == line {
                    self.pending.remove(&line.room);
                    continue;
                }
            } else if self.pending.len() >= config.lobby_tables_max && !self.pending.contains_key(&line.room)
            {
                continue;
            }
            self.pending.insert(line.room.clone(), Pending { line: Some(line), heard_ms: now_ms });
        }
    }

    /// Takes changes in. One of a room that was never told whole is nothing: it will be.
    pub(super) fn hear_changes(&mut self, changes: Vec<LineChange>, now_ms: UnixMs) {
        for change in changes {
            if let Some(known) = self.rows.get_mut(&change.room) {
                known.heard_ms = now_ms;
            }
            let line = match self.pending.get(&change.room) {
                Some(pending) => pending.line.clone(),
                None => self.rows.get(&change.room).map(|known| known.row.line.clone()),
            };
            if let Some(mut line) = line {
                line.take(change);
                self.pending.insert(line.room.clone(), Pending { line: Some(line), heard_ms: now_ms });
            }
        }
    }

    /// Takes in that a room has ended.
    pub(super) fn hear_end(&mut self, room: &RoomId, now_ms: UnixMs) {
        if self.rows.contains_key(room) {
            self.pending.insert(room.clone(), Pending { line: None, heard_ms: now_ms });
        } else {
            self.pending.remove(room);
        }
    }

    /// When a worker last told of this room.
    pub(super) fn heard_of(&self, room: &RoomId) -> Option<UnixMs> {
        match self.pending.get(room) {
            Some(pending) => pending.line.as_ref().map(|_| pending.heard_ms),
            None => self.rows.get(room).map(|known| known.heard_ms),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn views(&self) -> usize {
        self.views.len()
    }

    /// Begins a round: forgets rooms of which nothing was heard for long, and takes in what has been told.
    pub(super) fn begin_round(&mut self, config: &RelayConfig, now_ms: UnixMs) {
        let forgotten =
            self.rows.iter().filter(|(_, known)| now_ms >= known.heard_ms + config.lobby_forget_ms);
        let forgotten: Vec<RoomId> = forgotten.map(|(room, _)| room.clone()).collect();
        for room in forgotten {
            self.pending.insert(room, Pending { line: None, heard_ms: now_ms });
        }
        let mut changes = Vec::with_capacity(self.pending.len());
        for (room, Pending { line, heard_ms }) in std::mem::take(&mut self.pending) {
            let is_new = !self.rows.contains_key(&room);
            if is_new && (line.is_none() || self.rows.len() >= config.lobby_tables_max) {
                continue;
            }
            let after = line.map(|line| Arc::new(Row::new(line)));
            let before = match &after {
                Some(row) => self.rows.insert(room, Known { row: row.clone(), heard_ms }),
                None => self.rows.remove(&room),
            };
            changes.push(Changed { before: before.map(|known| known.row), after });
        }
        for (order, places) in &mut self.orders {
            for Changed { before, after } in &changes {
                if let Some(before) = before {
                    places.remove(&order.place(before));
                }
                if let Some(after) = after {
                    places.insert(order.place(after));
                }
            }
        }
        // Who has waited longest comes first, so that none waits for ever.
        let mut views: Vec<usize> = self.views.iter().map(|(key, _)| key).collect();
        views.sort_by_key(|key| self.views[*key].stale_since.unwrap_or(u64::MAX));
        self.round = Round {
            number: self.round.number + 1,
            changes,
            views: views.into(),
            steps_left: config.lobby_rows_per_round_max,
            steps_left_for_new: config.lobby_rows_per_round_max,
            has_news: false,
        };
    }

    /// Looks at some more views; whether there are still some in this round.
    pub(super) fn look_on(&mut self) -> bool {
        let mut steps_left = PIECE_STEPS;
        while steps_left > 0 {
            let Some(key) = self.round.views.pop_front() else { return false };
            steps_left = steps_left.saturating_sub(self.look_at(key));
        }
        !self.round.views.is_empty()
    }

    /// Brings a view up to this round; how many steps that took.
    fn look_at(&mut self, key: usize) -> usize {
        let Round { number, changes, steps_left, has_news, .. } = &mut self.round;
        let Some(shown) = self.views.get_mut(key) else { return 1 };
        let mut steps = 1;
        if shown.round < *number {
            shown.count(*number, changes);
            steps += changes.len();
        }
        let is_stale = shown.stale_since.is_some();
        if is_stale && *steps_left > 0 {
            let places = &self.orders[&Order::of(&shown.view)];
            let (page, first, walked) = page(places, &shown.view, shown.first.as_ref());
            shown.first = first;
            *steps_left = steps_left.saturating_sub(walked);
            steps += walked;
            *has_news |= shown.turn(Some(page));
        } else if !is_stale && shown.is_told_wrong() {
            *has_news |= shown.turn(None);
        }
        steps
    }

    /// Whether a page has changed in the round.
    pub(super) fn has_news(&self) -> bool {
        self.round.has_news
    }

    /// One viewer more of a view; its key.
    pub(super) fn show(&mut self, view: &View, config: &RelayConfig) -> Result<usize, NotShown> {
        if let Some(&key) = self.by_view.get(view) {
            self.views[key].viewers += 1;
            return Ok(key);
        }
        let always = is_always_shown(view);
        if self.views.len() - self.always >= config.lobby_views_max && !always {
            return Err(NotShown::TooMany);
        }
        // Before the first round nothing has been walked.
        if self.round.number > 0 && self.round.steps_left_for_new == 0 {
            return Err(NotShown::NotNow);
        }
        let order = Order::of(view);
        let rows = &self.rows;
        let places = self.orders.entry(order);
        let places = places.or_insert_with(|| rows.values().map(|known| order.place(&known.row)).collect());
        self.round.steps_left_for_new = self.round.steps_left_for_new.saturating_sub(places.len().max(1));
        let mut sum = Sum::default();
        places.iter().filter(|place| place.row.fits(view)).for_each(|place| sum.add(&place.row));
        let (page, first, _) = page(places, view, None);
        let mut shown = Shown::new(view.clone(), sum, page, self.round.number);
        (shown.viewers, shown.first) = (1, first);
        let key = self.views.insert(shown);
        self.by_view.insert(view.clone(), key);
        self.always += usize::from(always);
        Ok(key)
    }

    /// One viewer less.
    pub(super) fn hide(&mut self, key: usize) {
        let shown = &mut self.views[key];
        shown.viewers -= 1;
        if shown.viewers > 0 {
            return;
        }
        let Shown { view, .. } = self.views.remove(key);
        self.by_view.remove(&view);
        self.always -= usize::from(is_always_shown(&view));
        let order = Order::of(&view);
        if self.by_view.keys().all(|view| Order::of(view) != order) {
            self.orders.remove(&order);
        }
    }

    /// Whether no view is kept, and no order.
    #[cfg(test)]
    pub(super) fn is_bare(&self) -> bool {
        self.views.is_empty() && self.by_view.is_empty() && self.orders.is_empty()
    }

    /// How often a view's page has changed.
    pub(super) fn version(&self, key: usize) -> u64 {
        self.views[key].version
    }

    /// What a viewer who knows the page of a version is to get, if anything, and the version that it knows then.
    pub(super) fn news_since(&mut self, key: usize, form: Form, version: u64) -> Option<(Frame, u64)> {
        let shown = &mut self.views[key];
        match shown.version.checked_sub(version) {
            None | Some(0) => None,
            Some(missed) if version > 0 && (missed == 1 || planted::is(Planted::TellsLastNewsOnly)) => {
                Some((shown.delta(form), shown.version))
            }
            Some(_) => Some((shown.whole(form), shown.version)),
        }
    }

    /// The page, and its version.
    pub(super) fn whole(&mut self, key: usize, form: Form) -> (Frame, u64) {
        let shown = &mut self.views[key];
        (shown.whole(form), shown.version)
    }
}

/// Whether a view is shown however many there are: a coarse one, in place of others, and that of who names none and would take rows of
/// all kinds for tables.
fn is_always_shown(view: &View) -> bool {
    *view == view.rounded() || *view == unnamed()
}

/// The page of a view, the place of the first row that fits, on whatever page, and how many rows were walked for it. `first`: no row
/// before it fits.
fn page(
    places: &BTreeSet<Place>,
    view: &View,
    first: Option<&Place>,
) -> (Vec<Arc<Row>>, Option<Place>, usize) {
    let mut walked = 0;
    let values = Order::of(view).values(view);
    let of_stakes = places.first().and_then(|first| first.before(*values.start()));
    let begins = first.or(of_stakes.as_ref()).map_or(Bound::Unbounded, Bound::Included);
    let may_fit = places.range::<Place, _>((begins, Bound::Unbounded)).inspect(|_| walked += 1);
    let may_fit = may_fit.take_while(|place| place.is_within(*values.end()));
    let mut fit = may_fit.filter(|place| place.row.fits(view)).peekable();
    let first = fit.peek().map(|place| (*place).clone());
    let page = fit.skip(view.from as usize).take(view.count as usize);
    let page = page.map(|place| place.row.clone()).collect();
    (page, first, walked)
}

#[cfg(test)]
mod tests {
    use broker::lobby::More;
    use protocol::lobby::Sort;

    use super::*;

    #[test]
    fn a_page_of_some_stakes_is_found_in_their_order_without_walking_the_others() {
        let row = |number: u64| {
            let line = Line {
                room: RoomId::new(&format!("t{number}")).unwrap(),
                kind: "table".into(),
                name: format!("Table {number}"),
                game: "NL Hold'em".into(),
                big_blind: number % 10,
                seats: 6,
                taken: 0,
                average_pot: 0,
                hands_per_hour: 0,
                starts_ms: 0,
                more: More::default(),
            };
            Arc::new(Row::new(line))
        };
        let rows: Vec<Arc<Row>> = (0..1_000).map(row).collect();
        for (desc, stakes) in
            [(false, (7, 8)), (true, (7, 8)), (false, (0, 1)), (true, (0, u64::MAX)), (false, (3, 2))]
        {
            let view = View {
                sort: Sort::Blinds,
                desc: Some(desc),
                bb: Some(stakes),
                count: 250,
                ..View::default()
            };
            let order = Order::of(&view);
            let places: BTreeSet<Place> = rows.iter().map(|row| order.place(row)).collect();
            let (page, _, walked) = page(&places, &view, None);
            let fit = places.iter().filter(|place| place.row.fits(&view)).take(250);
            let naive: Vec<&RoomId> = fit.map(|place| &place.row.line.room).collect();
            assert_eq!(page.iter().map(|row| &row.line.room).collect::<Vec<_>>(), naive, "{view:?}");
            // The first that is beyond is looked at, and rows of the value before may be.
            assert!(walked <= naive.len() + 101, "{walked} rows for {}", naive.len());
        }
    }
}
