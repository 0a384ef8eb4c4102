//! A fault that a test plants to see it caught: debug builds only, in the thread that plants it.

use std::cell::Cell;

thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// What relays of a thread can be made to do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A rail that is shown a room late gets one frame more than is due.
    ShowsOneEarly,
    /// It gets keyframes at once.
    ShowsKeyframesLive,
    /// Sessions of a user who has stood up stay live.
    KeepsWhoStoodUpLive,
    /// Whoever has no place on a rail on which there are only so many is shown the room all the same, until that is said.
    ShowsWithoutPlace,
}

/// From now on relays of this thread have this fault (or none).
pub fn plant(fault: Option<Fault>) {
    PLANTED.set(fault);
}

/// Whether relays of this thread have this fault; never in a release.
pub(crate) fn is_planted(fault: Fault) -> bool {
    cfg!(debug_assertions) && PLANTED.get() == Some(fault)
}
