//! The lobby: a directory of rooms of all kinds, and the connections that look at a part of it each.
//!
//! - `directory`: the rooms, and the views of them that somebody looks at; `row`: one room, and what it is sorted by.
//! - `shown`: the page of a view, and its last news, encoded once for all who look at it.
//!
//! What has changed on a page goes out at most once a second. Who joins, or has not read for a while, gets the whole page. The relay
//! knows no kind of room: it filters and sorts by what all say, and hands on the rest.

mod directory;
#[cfg(test)]
mod model;
mod planted;
mod row;
mod shown;

use std::{collections::VecDeque, sync::Arc};

use broker::lobby::{FIRST_KIND, Line, LineChange};
use parking_lot::Mutex;
use protocol::{ClientOut, client_out::NoticeCode, id::RoomId, lobby::View, time::UnixMs};
use slab::Slab;
use tokio::time::{Duration, MissedTickBehavior, interval};
use ws::{Frame, Pushed};

use self::{
    directory::{Directory, NotShown},
    shown::Form,
};
use crate::{
    peer::{Peer, frame},
    works::Works,
};

/// Viewers served in one go; 64 writes take a fraction of a millisecond.
const PIECE_VIEWERS: usize = 64;

/// A viewer is answered so often in a round; what it asks beyond that is answered when the next one ends, the last of it.
const ANSWERS_PER_ROUND: u8 = 4;

/// Rooms that clients get who name no view, as those of the releases before 3 do.
const UNNAMED_ROWS: u32 = 200;

/// See the module. The viewers' lock is taken before the directory's.
#[derive(Default)]
pub(crate) struct Lobby {
    directory: Mutex<Directory>,
    viewers: Mutex<Viewers>,
}

#[derive(Default)]
struct Viewers {
    all: Slab<Viewer>,
    /// Whose wish waits for the end of the round. A viewer stands in it once at most.
    waiting: VecDeque<usize>,
    /// How many look at something.
    looking: usize,
}

struct Viewer {
    peer: Arc<Peer>,
    looks_at: Option<LooksAt>,
    /// Its queue was full: it gets nothing until that is drained.
    lagging: bool,
    /// It stands among those who wait.
    waits: bool,
    /// What it waits for.
    wish: Option<Box<Wish>>,
    /// Since the last round.
    answers: u8,
}

#[derive(Clone, Copy)]
struct LooksAt {
    /// In the directory.
    view: usize,
    form: Form,
    /// Up to which version of the page it has everything; 0: nothing.
    version: u64,
}

struct Wish {
    view: View,
    form: Form,
}

/// The view of clients who name none.
fn unnamed() -> View {
    View { kind: Some(FIRST_KIND.into()), count: UNNAMED_ROWS, ..View::default() }.normalised()
}

impl Wish {
    fn new(view: Option<View>, v: u8) -> Self {
        match view {
            Some(view) => Self { view: view.normalised(), form: Form::Page(v) },
            None => Self { view: unnamed(), form: Form::Tables },
        }
    }
}

impl Viewer {
    fn send(&mut self, frame: &Frame, version: u64, works: &Works) {
        let Some(looks_at) = &mut self.looks_at else { return };
        match self.peer.socket.push(frame) {
            Pushed::Written | Pushed::Queued => {
                looks_at.version = version;
                works.metrics.deliveries.increment(1);
            }
            Pushed::Full | Pushed::Closed => self.lagging = true,
        }
    }
}

impl Lobby {
    /// A worker tells of its rooms.
    pub(crate) fn heard_lines(&self, lines: Vec<Line>, works: &Works) {
        self.directory.lock().hear_lines(lines, &works.config, works.now_ms());
    }

    /// A worker tells what has changed.
    pub(crate) fn heard_changes(&self, changes: Vec<LineChange>, works: &Works) {
        self.directory.lock().hear_changes(changes, works.now_ms());
    }

    /// A room has ended.
    pub(crate) fn heard_end(&self, room: &RoomId, now_ms: UnixMs) {
        self.directory.lock().hear_end(room, now_ms);
    }

    /// When a worker last told of this room.
    pub(crate) fn heard_of(&self, room: &RoomId) -> Option<UnixMs> {
        self.directory.lock().heard_of(room)
    }

    /// Adds a viewer, who looks at nothing yet; its key.
    pub(crate) fn join(&self, peer: &Arc<Peer>) -> usize {
        let peer = peer.clone();
        let viewer = Viewer { peer, looks_at: None, lagging: false, waits: false, wish: None, answers: 0 };
        self.viewers.lock().all.insert(viewer)
    }

    /// A viewer asks for a view, with its own number of it, and gets its page: at once, or at the end of the round.
    pub(crate) fn look(&self, key: usize, view: Option<View>, v: u8, works: &Works) {
        let mut viewers = self.viewers.lock();
        let wish = Wish::new(view, v);
        let viewer = &mut viewers.all[key];
        if viewer.answers < ANSWERS_PER_ROUND && !viewer.waits {
            viewer.answers += 1;
            if self.answer(&mut viewers, key, &wish, works) {
                return;
            }
        }
        let viewer = &mut viewers.all[key];
        viewer.wish = Some(Box::new(wish));
        if !std::mem::replace(&mut viewer.waits, true) {
            viewers.waiting.push_back(key);
        }
    }

    /// Shows a viewer what it wants; whether that is possible now.
    fn answer(&self, viewers: &mut Viewers, key: usize, wish: &Wish, works: &Works) -> bool {
        let mut directory = self.directory.lock();
        let mut rounded = false;
        let shown = directory.show(&wish.view, &works.config).or_else(|why| match why {
            NotShown::NotNow => Err(why),
            NotShown::TooMany => {
                rounded = true;
                directory.show(&wish.view.rounded(), &works.config)
            }
        });
        let Ok(view) = shown else { return false };
        let (page, version) = directory.whole(view, wish.form);
        let viewer = &mut viewers.all[key];
        match viewer.looks_at.replace(LooksAt { view, form: wish.form, version: 0 }) {
            Some(before) => directory.hide(before.view),
            None => viewers.looking += 1,
        }
        works.metrics.lobby_views.set(directory.views() as f64);
        works.metrics.lobby_viewers.set(viewers.looking as f64);
        drop(directory);
        let viewer = &mut viewers.all[key];
        if rounded {
            works.metrics.lobby_views_rounded.increment(1);
            let message =
                "too many different views of the lobby are looked at here: this one is coarser".into();
            let notice = ClientOut::Notice { room: None, code: NoticeCode::ViewRounded, message };
            viewer.peer.answer(&frame(&notice), works.now_ms());
        }
        if !viewer.lagging {
            viewer.send(&page, version, works);
        }
        true
    }

    /// A viewer looks at nothing any more.
    pub(crate) fn look_away(&self, key: usize, works: &Works) {
        let mut viewers = self.viewers.lock();
        let viewer = &mut viewers.all[key];
        viewer.wish = None;
        if let Some(before) = viewer.looks_at.take() {
            viewers.looking -= 1;
            let mut directory = self.directory.lock();
            directory.hide(before.view);
            works.metrics.lobby_views.set(directory.views() as f64);
            works.metrics.lobby_viewers.set(viewers.looking as f64);
        }
    }

    pub(crate) fn leave(&self, key: usize, works: &Works) {
        self.look_away(key, works);
        let mut viewers = self.viewers.lock();
        if viewers.all.remove(key).waits {
            viewers.waiting.retain(|waiting| *waiting != key);
        }
    }

    /// A viewer has read what was queued for it: if it missed something it gets the whole page.
    pub(crate) fn drained(&self, key: usize, works: &Works) {
        let mut viewers = self.viewers.lock();
        let viewer = &mut viewers.all[key];
        viewer.lagging = false;
        let Some(LooksAt { view, form, version }) = viewer.looks_at else { return };
        let mut directory = self.directory.lock();
        if version < directory.version(view) {
            let (page, version) = directory.whole(view, form);
            drop(directory);
            viewer.send(&page, version, works);
        }
    }

    /// Tells viewers what is new, round after round.
    pub(crate) async fn tell(&self, works: &Works) {
        let mut rounds = interval(Duration::from_millis(works.config.lobby_every_ms.max(1)));
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.end_round(works).await;
        }
    }

    /// Ends a round: brings the views up to date and tells their viewers, in pieces; then answers those who wait.
    pub(crate) async fn end_round(&self, works: &Works) {
        self.directory.lock().begin_round(&works.config, works.now_ms());
        while self.directory.lock().look_on() {
            tokio::task::yield_now().await;
        }
        let has_news = {
            let directory = self.directory.lock();
            works.metrics.lobby_tables.set(directory.len() as f64);
            directory.has_news()
        };
        let mut next_key = 0;
        while self.tell_some(&mut next_key, has_news, works) {
            tokio::task::yield_now().await;
        }
        let waiting = self.viewers.lock().waiting.len();
        for _ in 0..waiting {
            if !self.answer_first(works) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Tells some viewers what is new on their pages; whether there are more.
    fn tell_some(&self, next_key: &mut usize, has_news: bool, works: &Works) -> bool {
        let mut viewers = self.viewers.lock();
        let keys = viewers.all.capacity();
        let piece = *next_key..keys.min(*next_key + PIECE_VIEWERS);
        *next_key = piece.end;
        let mut directory = self.directory.lock();
        let mut news = Vec::with_capacity(PIECE_VIEWERS);
        for key in piece {
            let Some(viewer) = viewers.all.get_mut(key) else { continue };
            viewer.answers = 0;
            let Some(LooksAt { view, form, version }) =
                viewer.looks_at.filter(|_| has_news && !viewer.lagging)
            else {
                continue;
            };
            if let Some((frame, version)) = directory.news_since(view, form, version) {
                news.push((key, frame, version));
            }
        }
        // Whoever hears of rooms meanwhile does not wait for sockets.
        drop(directory);
        for (key, frame, version) in news {
            viewers.all[key].send(&frame, version, works);
        }
        *next_key < keys
    }

    /// Answers whoever waits longest; whether that was possible.
    fn answer_first(&self, works: &Works) -> bool {
        let mut viewers = self.viewers.lock();
        let Some(key) = viewers.waiting.pop_front() else { return false };
        let viewer = &mut viewers.all[key];
        viewer.waits = false;
        let Some(wish) = viewer.wish.take() else { return true };
        if self.answer(&mut viewers, key, &wish, works) {
            return true;
        }
        let viewer = &mut viewers.all[key];
        (viewer.wish, viewer.waits) = (Some(wish), true);
        viewers.waiting.push_front(key);
        false
    }
}
