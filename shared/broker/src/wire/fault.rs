//! What may happen to an operation and to a delivery.

use protocol::id::NodeId;
use smallvec::{SmallVec, smallvec};
use tokio::time::Duration;

/// What a node asks of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// [`Bus::publish`](crate::bus::Bus::publish).
    Publish,
    /// [`Subscription::subscribe`](crate::bus::Subscription::subscribe).
    Subscribe,
    /// [`Store::append`](crate::store::Store::append).
    Append,
    /// [`Store::read`](crate::store::Store::read) and [`Store::last`](crate::store::Store::last).
    Read,
    /// All operations on maps.
    Map,
}

/// What becomes of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// So many times all others that can run do so first: the scheduler's whims.
    pub turns: u8,
    /// How long it takes to the broker.
    pub before: Duration,
    /// Whether the broker does it.
    pub applied: bool,
    /// How long the answer takes.
    pub after: Duration,
    /// What the caller sees.
    pub answer: Answer,
}

/// What the caller of an operation sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The broker's answer.
    Arrives,
    /// That the broker is out of reach, whether the operation was applied or not.
    Unavailable,
    /// Nothing, ever.
    Never,
}

impl Fate {
    /// Nothing goes wrong and nothing takes time.
    pub const FINE: Self = Self {
        turns: 0,
        before: Duration::ZERO,
        applied: true,
        after: Duration::ZERO,
        answer: Answer::Arrives,
    };

    /// Fails without having been applied.
    pub const REFUSED: Self = Self { applied: false, answer: Answer::Unavailable, ..Self::FINE };

    /// Is applied, but the caller does not learn it: the unknown outcome.
    pub const ANSWER_LOST: Self = Self { answer: Answer::Unavailable, ..Self::FINE };

    /// Never ends, and is not applied.
    pub const HANGS: Self = Self { applied: false, answer: Answer::Never, ..Self::FINE };
}

/// The copies of a message that reach a subscriber, each after so long: none is a loss, two a duplicate. Copies with
/// different delays overtake each other.
pub type Copies = SmallVec<[Duration; 2]>;

/// One copy, at once.
pub fn one_copy() -> Copies {
    smallvec![Duration::ZERO]
}

/// Decides what goes wrong. Called in the order in which things happen, so an implementation that draws from a seed
/// repeats itself in a deterministic run.
pub trait Faults: Send + Sync + 'static {
    /// The fate of an operation of `node`.
    fn operation(&self, node: &NodeId, operation: Operation) -> Fate;

    /// What reaches `to` of a message of `from` on `channel`.
    fn delivery(&self, from: &NodeId, to: &NodeId, channel: &str) -> Copies;
}
