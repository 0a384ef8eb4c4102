//! What goes wrong with single operations and messages, and the tripwires that stop a node in the middle of one.

use std::{collections::BTreeMap, sync::Arc};

use broker::wire::{
    fault::{Answer, Copies, Fate, Faults, Operation, one_copy},
    seeded::{Rates, SeededFaults},
};
use parking_lot::Mutex;
use protocol::id::NodeId;
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;

/// Faults from a seed for all nodes but those that are spared, and tripwires.
pub(super) struct Tripwires {
    seeded: SeededFaults,
    spared: NodeId,
    wires: Mutex<BTreeMap<NodeId, Tripwire>>,
    tripped: mpsc::UnboundedSender<NodeId>,
}

/// Stops a node in the middle of one of its next operations, which never ends then; the world kills the node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tripwire {
    /// Which kind of operation.
    pub(super) operation: Operation,
    /// How many of them still pass.
    pub(super) passes: u32,
    /// Whether the broker has done it by then.
    pub(super) applied: bool,
}

impl Tripwires {
    /// Faults drawn from `rng`, none at first; the nodes that trip come out of the receiver.
    pub(super) fn new(rng: ChaCha8Rng, spared: NodeId) -> (Arc<Self>, mpsc::UnboundedReceiver<NodeId>) {
        let (tripped, tripping) = mpsc::unbounded_channel();
        let seeded = SeededFaults::new(rng, Rates::default());
        (Arc::new(Self { seeded, spared, wires: Mutex::default(), tripped }), tripping)
    }

    /// Other rates from now on.
    pub(super) fn set_rates(&self, rates: Rates) {
        self.seeded.set_rates(rates);
    }

    /// Lays a tripwire for a node, instead of one that lies already.
    pub(super) fn lay(&self, node: NodeId, wire: Tripwire) {
        self.wires.lock().insert(node, wire);
    }

    /// Takes all tripwires away.
    pub(super) fn clear(&self) {
        self.wires.lock().clear();
    }

    fn trips(&self, node: &NodeId, operation: Operation) -> Option<Tripwire> {
        let mut wires = self.wires.lock();
        let wire = wires.get_mut(node).filter(|wire| wire.operation == operation)?;
        if wire.passes > 0 {
            wire.passes -= 1;
            return None;
        }
        wires.remove(node)
    }
}

impl Faults for Tripwires {
    fn operation(&self, node: &NodeId, operation: Operation) -> Fate {
        if *node == self.spared {
            return Fate::FINE;
        }
        if let Some(wire) = self.trips(node, operation) {
            // The world may have gone already, at the end of a run.
            let _ = self.tripped.send(node.clone());
            return Fate { applied: wire.applied, answer: Answer::Never, ..Fate::FINE };
        }
        self.seeded.operation(node, operation)
    }

    fn delivery(&self, from: &NodeId, to: &NodeId, channel: &str) -> Copies {
        if *to == self.spared { one_copy() } else { self.seeded.delivery(from, to, channel) }
    }
}
