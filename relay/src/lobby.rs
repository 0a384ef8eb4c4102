//! The lobby: a directory of all tables, and the connections that look at it.
//!
//! What has changed goes out at most once a second, encoded once for all viewers. Who joins, or has not read for a while,
//! gets the whole directory, which is also encoded once between two rounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::Mutex;
use shared::{
    clock::UnixMs,
    id::RoomId,
    protocol::{ClientOut, lobby::TableSummary},
};
use slab::Slab;
use ws::{Frame, Pushed};

use crate::{
    peer::{Peer, frame},
    works::Works,
};

/// Viewers served in one go; 64 writes take a fraction of a millisecond.
const PIECE_VIEWERS: usize = 64;

/// See the module. The viewers' lock is taken before the directory's.
#[derive(Default)]
pub(crate) struct Lobby {
    directory: Mutex<Directory>,
    viewers: Mutex<Slab<Viewer>>,
}

#[derive(Default)]
struct Directory {
    tables: BTreeMap<RoomId, Row>,
    /// Since the last round.
    changed: BTreeSet<RoomId>,
    gone: BTreeSet<RoomId>,
    /// Counts rounds.
    round: u64,
    /// All tables, encoded since the last round. It may hold changes that the next delta repeats, which does no harm.
    whole: Option<Frame>,
}

struct Row {
    summary: TableSummary,
    heard_ms: UnixMs,
}

struct Viewer {
    peer: Arc<Peer>,
    /// Up to which round it has everything.
    round: u64,
    /// Its queue was full: it gets nothing until that is drained.
    lagging: bool,
}

impl Directory {
    fn whole(&mut self) -> (Frame, u64) {
        let tables = &self.tables;
        let whole = self.whole.get_or_insert_with(|| {
            let mut tables: Vec<TableSummary> = tables.values().map(|row| row.summary.clone()).collect();
            tables.sort_by(|a, b| (&a.name, &a.room).cmp(&(&b.name, &b.room)));
            frame(&ClientOut::Lobby { tables })
        });
        (whole.clone(), self.round)
    }

    /// Ends a round: what has changed in it, if anything.
    fn end_round(&mut self, works: &Works) -> Option<Frame> {
        let now_ms = works.now_ms();
        let forget_ms = works.config.lobby_forget_ms;
        let (gone, changed) = (&mut self.gone, &mut self.changed);
        self.tables.retain(|room, row| {
            let stays = now_ms < row.heard_ms + forget_ms;
            if !stays {
                changed.remove(room);
                gone.insert(room.clone());
            }
            stays
        });
        works.metrics.lobby_tables.set(self.tables.len() as f64);
        if self.changed.is_empty() && self.gone.is_empty() {
            return None;
        }
        self.round += 1;
        self.whole = None;
        let changed = std::mem::take(&mut self.changed);
        let tables = changed.iter().filter_map(|room| self.tables.get(room)).map(|row| row.summary.clone());
        let gone = std::mem::take(&mut self.gone).into_iter().collect();
        Some(frame(&ClientOut::LobbyDelta { tables: tables.collect(), gone }))
    }
}

impl Viewer {
    fn send(&mut self, frame: &Frame, round: u64, works: &Works) {
        match self.peer.socket.push(frame) {
            Pushed::Written | Pushed::Queued => {
                self.round = round;
                works.metrics.deliveries.increment(1);
            }
            Pushed::Full | Pushed::Closed => self.lagging = true,
        }
    }
}

impl Lobby {
    /// A worker tells of its tables.
    pub(crate) fn heard(&self, tables: Vec<TableSummary>, works: &Works) {
        let heard_ms = works.now_ms();
        let mut directory = self.directory.lock();
        let Directory { tables: known, changed, gone, .. } = &mut *directory;
        for summary in tables {
            let full = known.len() >= works.config.lobby_tables_max;
            let room = summary.room.clone();
            match known.get_mut(&room) {
                Some(row) => {
                    row.heard_ms = heard_ms;
                    if row.summary == summary {
                        continue;
                    }
                    row.summary = summary;
                }
                None if full => continue,
                None => _ = known.insert(room.clone(), Row { summary, heard_ms }),
            }
            gone.remove(&room);
            changed.insert(room);
        }
    }

    /// When a worker last told of this table.
    pub(crate) fn heard_of(&self, room: &RoomId) -> Option<UnixMs> {
        self.directory.lock().tables.get(room).map(|row| row.heard_ms)
    }

    /// Adds a viewer, who gets all tables; its key.
    pub(crate) fn join(&self, peer: &Arc<Peer>, works: &Works) -> usize {
        let mut viewers = self.viewers.lock();
        let (whole, round) = self.directory.lock().whole();
        let mut viewer = Viewer { peer: peer.clone(), round, lagging: false };
        viewer.send(&whole, round, works);
        let key = viewers.insert(viewer);
        works.metrics.lobby_viewers.set(viewers.len() as f64);
        key
    }

    pub(crate) fn leave(&self, key: usize, works: &Works) {
        let mut viewers = self.viewers.lock();
        viewers.remove(key);
        works.metrics.lobby_viewers.set(viewers.len() as f64);
    }

    /// A viewer has read what was queued for it: if it missed something it gets all tables.
    pub(crate) fn drained(&self, key: usize, works: &Works) {
        let mut viewers = self.viewers.lock();
        let (whole, round) = self.directory.lock().whole();
        let viewer = &mut viewers[key];
        viewer.lagging = false;
        if viewer.round < round {
            viewer.send(&whole, round, works);
        }
    }

    /// Ends a round and tells the viewers, in pieces.
    pub(crate) async fn end_round(&self, works: &Works) {
        let (delta, round) = {
            let mut directory = self.directory.lock();
            (directory.end_round(works), directory.round)
        };
        let Some(delta) = delta else { return };
        let mut next_key = 0;
        loop {
            {
                let mut viewers = self.viewers.lock();
                let keys = viewers.capacity();
                let piece = next_key..keys.min(next_key + PIECE_VIEWERS);
                next_key = piece.end;
                for key in piece {
                    let Some(viewer) = viewers.get_mut(key).filter(|viewer| !viewer.lagging) else {
                        continue;
                    };
                    if viewer.round + 1 == round {
                        viewer.send(&delta, round, works);
                    } else if viewer.round < round {
                        let (whole, round) = self.directory.lock().whole();
                        viewer.send(&whole, round, works);
                    }
                }
                if next_key >= keys {
                    return;
                }
            }
            tokio::task::yield_now().await;
        }
    }
}
