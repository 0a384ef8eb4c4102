//! The imagined wire between nodes and the memory adapters, where a simulation makes things go wrong.
//!
//! Each node has one [`Link`], shared by its bus and its store: it can be up, refusing, held, silent or dead. On top
//! of that, [`fault::Faults`] decide the fate of single operations and deliveries; [`seeded`] draws them
//! from a seed. The house uses [`Wire::perfect`].

pub mod fault;
pub mod seeded;

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use protocol::id::NodeId;
use tokio::{
    sync::{Notify, futures::Notified},
    task::yield_now,
    time::sleep,
};

use self::fault::{Answer, Fate, Faults, Operation};

/// All links, and what may go wrong on them.
pub struct Wire {
    links: Mutex<BTreeMap<NodeId, Arc<Link>>>,
    faults: Option<Arc<dyn Faults>>,
}

impl Wire {
    /// Nothing goes wrong by itself; links can still be cut.
    pub fn perfect() -> Arc<Self> {
        Arc::new(Self { links: Mutex::default(), faults: None })
    }

    /// Every operation and every delivery is submitted to `faults`.
    pub fn with_faults(faults: Arc<dyn Faults>) -> Arc<Self> {
        Arc::new(Self { links: Mutex::default(), faults: Some(faults) })
    }

    /// The link of a node; the same for the node's bus and store.
    pub fn link(&self, node: &NodeId) -> Arc<Link> {
        let new = || Arc::new(Link::new(node.clone(), self.faults.clone()));
        self.links.lock().entry(node.clone()).or_insert_with(new).clone()
    }

    /// All links that were asked for, in the order of their nodes' names.
    pub fn links(&self) -> Vec<Arc<Link>> {
        self.links.lock().values().cloned().collect()
    }

    pub(crate) fn faults(&self) -> Option<&dyn Faults> {
        self.faults.as_deref()
    }
}

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Carries everything.
    Up,
    /// Cut, and the node knows: operations fail at once, deliveries are lost, and after [`Link::heal`] subscribers are
    /// told that they missed something.
    Refusing,
    /// As if the node were stopped (SIGSTOP): operations wait, deliveries queue up, until [`Link::heal`].
    Held,
    /// Broken without an error: operations succeed, but nothing is delivered to the node, and it is never told.
    Silent,
    /// The node is gone: operations never end, nothing is delivered. For ever.
    Dead,
}

/// The connection of one node.
pub struct Link {
    node: NodeId,
    state: Mutex<LinkState>,
    /// Wakes in the order in which they came all who wait for another state. (A `watch` wakes them in a random order,
    /// and a simulation would not repeat itself.)
    changed: Notify,
    /// How often it was healed after a cut that the node knew of: part of the store's generation.
    reconnects: AtomicU64,
    faults: Option<Arc<dyn Faults>>,
}

/// An operation did not reach the broker, or its answer did not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

/// What remains to be done with an operation that has reached the broker.
#[derive(Debug)]
pub(crate) struct Arrived(Fate);

impl Arrived {
    /// Whether the broker does it.
    pub(crate) fn is_applied(&self) -> bool {
        self.0.applied
    }
}

async fn take_turns(fate: &Fate) {
    for _ in 0..fate.turns {
        yield_now().await;
    }
}

impl Link {
    fn new(node: NodeId, faults: Option<Arc<dyn Faults>>) -> Self {
        Self {
            node,
            state: Mutex::new(LinkState::Up),
            changed: Notify::new(),
            reconnects: AtomicU64::new(0),
            faults,
        }
    }

    /// Whose link.
    pub fn node(&self) -> &NodeId {
        &self.node
    }

    /// What it does now.
    pub fn state(&self) -> LinkState {
        *self.state.lock()
    }

    /// Changes what the link does; [`LinkState::Dead`] stays.
    pub fn set(&self, to: LinkState) {
        // Counted first: who sees the link up again must also see that it was away.
        if self.state() == LinkState::Refusing && to == LinkState::Up {
            self.reconnects.fetch_add(1, Ordering::SeqCst);
        }
        {
            let mut state = self.state.lock();
            if *state == LinkState::Dead || *state == to {
                return;
            }
            *state = to;
        }
        self.changed.notify_waiters();
    }

    /// Carries everything again. After [`LinkState::Refusing`] this is a reconnect.
    pub fn heal(&self) {
        self.set(LinkState::Up);
    }

    /// Ends the node.
    pub fn kill(&self) {
        self.set(LinkState::Dead);
    }

    /// How often the node has reconnected.
    pub(crate) fn reconnects(&self) -> u64 {
        self.reconnects.load(Ordering::SeqCst)
    }

    /// The next change of state after this call, for who waits for one.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Waits until the link lets an operation through to the broker.
    pub(crate) async fn reach(&self, operation: Operation) -> Result<Arrived, Broken> {
        self.passable().await?;
        let fate = match &self.faults {
            None => Fate::FINE,
            Some(faults) => {
                let fate = faults.operation(&self.node, operation);
                take_turns(&fate).await;
                if !fate.before.is_zero() {
                    sleep(fate.before).await;
                    self.passable().await?;
                }
                fate
            }
        };
        Ok(Arrived(fate))
    }

    /// Brings the broker's answer back.
    pub(crate) async fn answer(&self, arrived: Arrived) -> Result<(), Broken> {
        let Arrived(fate) = arrived;
        take_turns(&fate).await;
        if !fate.after.is_zero() {
            sleep(fate.after).await;
        }
        match fate.answer {
            Answer::Arrives => self.passable().await,
            Answer::Unavailable => Err(Broken("the answer was lost")),
            Answer::Never => pending().await,
        }
    }

    async fn passable(&self) -> Result<(), Broken> {
        loop {
            let changed = self.changed();
            match self.state() {
                LinkState::Up | LinkState::Silent => return Ok(()),
                LinkState::Refusing => return Err(Broken("the link is cut")),
                LinkState::Held | LinkState::Dead => changed.await,
            }
        }
    }
}
