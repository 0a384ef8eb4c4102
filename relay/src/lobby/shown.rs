//! A view of the lobby that somebody looks at: its page, what has changed on it last, and both as sockets get them.

use std::{collections::BTreeMap, sync::Arc};

use protocol::{
    ClientOut,
    id::RoomId,
    lobby::{Delta, Page, PageDelta, View, Whole},
};
use ws::Frame;

use super::{
    planted::{self, Planted},
    row::{Order, Place, Row},
};
use crate::peer::frame;

/// In how many forms a page or its news are kept; for who wants another they are written anew.
const KEPT_FORMS_MAX: usize = 4;

/// How a viewer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As a page, with the client's number of the view.
    Page(u8),
    /// As clients of the releases before 3 read it.
    Tables,
}

/// Rows that stand somewhere, and the players in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) total: u64,
    pub(super) players: u64,
}

impl Sum {
    pub(super) fn add(&mut self, row: &Row) {
        self.total += 1;
        self.players += u64::from(row.line.taken);
    }

    fn take_off(&mut self, row: &Row) {
        self.total -= 1;
        self.players -= u64::from(row.line.taken);
    }
}

/// A row before and after a round; one of them at least.
pub(super) struct Changed {
    pub(super) before: Option<Arc<Row>>,
    pub(super) after: Option<Arc<Row>>,
}

/// See the module.
pub(super) struct Shown {
    pub(super) view: View,
    order: Order,
    /// Of all rows that fit, on whatever page.
    sum: Sum,
    /// As viewers know it.
    page: Vec<Arc<Row>>,
    /// The place of the last row of a full page: what changes behind it is not seen. `None` if the page is not full.
    end: Option<Place>,
    /// No row before it fits. `None`: nothing is known.
    pub(super) first: Option<Place>,
    told: Sum,
    /// What has made the page what it is.
    news: News,
    /// Counts changes of the page from 1.
    pub(super) version: u64,
    /// The round of the directory up to which `sum` counts.
    pub(super) round: u64,
    /// Since which round a row on the page or before it may have changed.
    pub(super) stale_since: Option<u64>,
    pub(super) viewers: usize,
    wholes: Vec<(Form, Frame)>,
    deltas: Vec<(Form, Frame)>,
}

#[derive(Default)]
struct News {
    /// Rows that are new on the page (without what was there before) or have changed.
    set: Vec<(Option<Arc<Row>>, Arc<Row>)>,
    reordered: bool,
    gone: Vec<RoomId>,
}

impl Shown {
    /// A view that begins in this round.
    pub(super) fn new(view: View, sum: Sum, page: Vec<Arc<Row>>, round: u64) -> Self {
        let mut shown = Self {
            order: Order::of(&view),
            view,
            sum,
            page,
            end: None,
            first: None,
            told: sum,
            news: News::default(),
            version: 1,
            round,
            stale_since: None,
            viewers: 0,
            wholes: Vec::new(),
            deltas: Vec::new(),
        };
        shown.end = shown.end();
        shown
    }

    fn end(&self) -> Option<Place> {
        let last = self.page.last().filter(|_| self.page.len() == self.view.count as usize)?;
        Some(self.order.place(last))
    }

    /// Counts the changes of a round, and notes whether the page may have to be made anew.
    pub(super) fn count(&mut self, round: u64, changes: &[Changed]) {
        self.round = round;
        for Changed { before, after } in changes {
            for (row, is_after) in [(before, false), (after, true)] {
                let Some(row) = row.as_ref().filter(|row| row.fits(&self.view)) else { continue };
                let place = self.order.place(row);
                if is_after {
                    self.sum.add(row);
                    let is_first = self.first.as_ref().is_some_and(|first| place < *first);
                    if is_first && !planted::is(Planted::ForgetsWhatCameBefore) {
                        self.first = Some(place.clone());
                    }
                } else {
                    self.sum.take_off(row)
                }
                let forgets = planted::is(Planted::ForgetsWhatWas) && !is_after;
                let is_seen = |end: &Place| place <= *end;
                if self.end.as_ref().is_none_or(is_seen) && !forgets {
                    self.stale_since.get_or_insert(round);
                }
            }
        }
    }

    /// Whether viewers are told too much or too little of the sum.
    pub(super) fn is_told_wrong(&self) -> bool {
        self.sum.total != self.told.total
    }

    /// Notes what is different now; whether anything is.
    pub(super) fn turn(&mut self, page: Option<Vec<Arc<Row>>>) -> bool {
        let mut news = News::default();
        if let Some(page) = page {
            let before: BTreeMap<&RoomId, &Arc<Row>> =
                self.page.iter().map(|row| (&row.line.room, row)).collect();
            for row in &page {
                match before.get(&row.line.room) {
                    Some(before) if before.line == row.line => {}
                    Some(before) => news.set.push((Some((*before).clone()), row.clone())),
                    None => news.set.push((None, row.clone())),
                }
            }
            let rooms = |page: &[Arc<Row>]| page.iter().map(|row| row.line.room.clone()).collect::<Vec<_>>();
            let (rooms_before, rooms_now) = (rooms(&self.page), rooms(&page));
            news.reordered = rooms_before != rooms_now;
            if news.reordered {
                news.gone = rooms_before.into_iter().filter(|room| !rooms_now.contains(room)).collect();
            }
            self.page = page;
            self.end = self.end();
        }
        self.stale_since = None;
        if news.set.is_empty() && !news.reordered && !self.is_told_wrong() {
            return false;
        }
        self.news = news;
        self.told = self.sum;
        self.version += 1;
        if !planted::is(Planted::KeepsOldPages) {
            self.wholes.clear();
        }
        self.deltas.clear();
        true
    }

    fn rooms(&self) -> Vec<RoomId> {
        self.page.iter().map(|row| row.line.room.clone()).collect()
    }

    /// The page.
    pub(super) fn whole(&mut self, form: Form) -> Frame {
        if let Some((_, frame)) = self.wholes.iter().find(|(known, _)| *known == form) {
            return frame.clone();
        }
        let rows = self.page.iter().map(|row| row.line.row()).collect();
        let Sum { total, players } = self.told;
        let whole = frame(&ClientOut::Lobby(match form {
            Form::Page(v) => Whole::Page(Page { v, total, players, rows, order: self.rooms() }),
            Form::Tables => Whole::Tables { tables: rows },
        }));
        keep(&mut self.wholes, form, &whole);
        whole
    }

    /// What leads from the version before to this one.
    pub(super) fn delta(&mut self, form: Form) -> Frame {
        if let Some((_, frame)) = self.deltas.iter().find(|(known, _)| *known == form) {
            return frame.clone();
        }
        let News { set, reordered, gone } = &self.news;
        let Sum { total, players } = self.told;
        let delta = frame(&ClientOut::LobbyDelta(match form {
            Form::Page(v) => {
                let row = |(before, now): &(Option<Arc<Row>>, Arc<Row>)| match before {
                    Some(before) => now.line.row_since(&before.line),
                    None => Some(now.line.row()),
                };
                let set = set.iter().filter_map(row).collect();
                let order = reordered.then(|| self.rooms());
                Delta::Page(PageDelta { v, total, players, set, order, gone: gone.clone() })
            }
            Form::Tables => {
                let tables = set.iter().map(|(_, now)| now.line.row()).collect();
                Delta::Tables { tables, gone: gone.clone() }
            }
        }));
        keep(&mut self.deltas, form, &delta);
        delta
    }
}

fn keep(kept: &mut Vec<(Form, Frame)>, form: Form, frame: &Frame) {
    if kept.len() < KEPT_FORMS_MAX {
        kept.push((form, frame.clone()));
    }
}
