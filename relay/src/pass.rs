//! Serving rooms with many watchers in pieces, so that one crowd holds up nobody else.

use std::{collections::VecDeque, sync::Arc};

use protocol::id::Position;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{room::Room, works::Works};

/// Watchers served in one go of a room that has many: at about 5 us each it keeps the room's lock well below a millisecond.
const PIECE_WATCHERS: usize = 64;

/// A pass over the watchers of a room that has many.
struct Pass {
    room: Arc<Room>,
    next_key: usize,
    /// The windows' ends when the pass began.
    began_at: [Option<Position>; 2],
}

impl Pass {
    fn new(room: Arc<Room>) -> Self {
        Self { room, next_key: 0, began_at: [None; 2] }
    }

    /// Serves the next piece; whether there is more to do.
    fn serve_piece(&mut self, works: &Works) -> bool {
        let mut guard = self.room.state.lock();
        let state = &mut *guard;
        if self.next_key == 0 {
            self.began_at = state.ends();
        }
        let keys = state.watchers.capacity();
        let piece = self.next_key..keys.min(self.next_key + PIECE_WATCHERS);
        self.next_key = piece.end;
        let mut delivered = 0;
        for key in piece {
            if let Some(watcher) = state.watchers.get_mut(key) {
                delivered += watcher.deliver(&state.window, &state.rail, &self.room.id, works);
            }
        }
        works.metrics.deliveries.increment(delivered);
        if self.next_key < keys {
            return true;
        }
        self.next_key = 0;
        state.serving = state.ends() != self.began_at;
        if !state.serving {
            std::mem::take(&mut state.delivering).end();
        }
        state.serving
    }
}

/// Serves rooms with many watchers, a piece of one after a piece of the other, and lets all others run in between.
pub(crate) async fn serve_rooms(mut rooms: UnboundedReceiver<Arc<Room>>, works: &Works) {
    let mut passes = VecDeque::new();
    loop {
        if passes.is_empty() {
            let Some(room) = rooms.recv().await else { return };
            passes.push_back(Pass::new(room));
        }
        while let Ok(room) = rooms.try_recv() {
            passes.push_back(Pass::new(room));
        }
        if let Some(mut pass) = passes.pop_front()
            && pass.serve_piece(works)
        {
            passes.push_back(pass);
        }
        tokio::task::yield_now().await;
    }
}
