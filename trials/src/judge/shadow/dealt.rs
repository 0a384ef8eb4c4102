//! Which hands were dealt to their end at a table, by the frames that told of it.

use std::collections::BTreeSet;

use protocol::{id::Position, table::TableEvent};

/// See the module.
#[derive(Debug, Default)]
pub(in crate::judge) struct Dealt {
    /// The frames that end a hand and stand in the journal.
    pub(in crate::judge) ended: BTreeSet<Position>,
    /// Those that the broker has lost. Whoever has them may still tell of them.
    pub(in crate::judge) lost: BTreeSet<Position>,
    /// Frames that begin a hand, and those that have ended the one before, since the last look.
    pub(super) begun: Vec<(Position, Position)>,
    /// Of the last hand, if its end is known.
    last: Option<Position>,
}

impl Dealt {
    /// None yet.
    pub(super) const fn new() -> Self {
        Self { ended: BTreeSet::new(), lost: BTreeSet::new(), begun: Vec::new(), last: None }
    }

    /// Takes a frame.
    pub(super) fn take(&mut self, at: Position, events: &[TableEvent]) {
        for event in events {
            match event {
                TableEvent::HandEnded { .. } => {
                    self.ended.insert(at);
                    self.last = Some(at);
                }
                TableEvent::HandStarted { .. } => {
                    self.begun.extend(self.last.take().map(|last| (at, last)));
                }
                _ => {}
            }
        }
    }

    /// The broker has lost these.
    pub(super) fn lose(&mut self, is_lost: impl Fn(&Position) -> bool) {
        let lost: Vec<Position> = self.ended.iter().copied().filter(is_lost).collect();
        self.ended.retain(|at| !lost.contains(at));
        self.lost.extend(lost);
        self.last = None;
    }
}
