//! Who has left the table: what he took with him, and which blinds he owes. Leaving and sitting down again neither takes
//! chips off the table that were won there nor pays what is owed.

use holdem::{
    SeatIndex,
    between::{Owed, Rotation},
};
use protocol::{id::UserId, time::UnixMs};
use serde::{Deserialize, Serialize};

/// So many are remembered; then who left first is forgotten.
const LEAVERS_MAX: usize = 64;

/// What is owed is remembered for so long, milliseconds.
const OWED_MS: u64 = 30 * 60 * 1_000;

/// Those who have left and not come again, by the time of leaving.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leavers(Vec<Leaver>);

/// Somebody who has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leaver {
    pub(super) user: UserId,
    /// The seat that he had.
    pub(super) seat: SeatIndex,
    /// The chips that he took.
    pub(super) stack: u64,
    /// What he owes; `None` if he was never in the game.
    pub(super) owed: Option<Owed>,
    pub(super) at_ms: UnixMs,
}

impl Leavers {
    /// Somebody has left.
    pub(super) fn remember(&mut self, leaver: Leaver) {
        self.forget(&leaver.user);
        if self.0.len() >= LEAVERS_MAX {
            self.0.remove(0);
        }
        self.0.push(leaver);
    }

    /// He sits here again.
    pub(super) fn forget(&mut self, user: &UserId) {
        self.0.retain(|leaver| leaver.user != *user);
    }

    /// Another hand begins: blinds that pass the seats of those who have left are missed like those of who sits out.
    pub(super) fn pass(&mut self, before: &Rotation, after: &Rotation) {
        for Leaver { seat, owed, .. } in &mut self.0 {
            *owed = owed.map(|owed| owed.and(before.missed(after, *seat)));
        }
    }

    /// The chips that a user took, if he left less than so long before now.
    pub(super) fn stack_of(&self, user: &UserId, now: UnixMs, within_ms: u64) -> Option<u64> {
        self.since(user, now, within_ms).map(|leaver| leaver.stack)
    }

    /// What a user owes from before.
    pub(super) fn owed_by(&self, user: &UserId, now: UnixMs) -> Owed {
        self.since(user, now, OWED_MS).and_then(|leaver| leaver.owed).unwrap_or_default()
    }

    fn since(&self, user: &UserId, now: UnixMs, within_ms: u64) -> Option<&Leaver> {
        let left = self.0.iter().find(|leaver| leaver.user == *user)?;
        (now.saturating_sub(left.at_ms) < within_ms).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: usize) -> UserId {
        UserId::new(&format!("guest-{number}")).unwrap()
    }

    fn leaver(number: usize) -> Leaver {
        let (seat, at_ms) = (SeatIndex::new(0).unwrap(), number as u64);
        Leaver { user: user(number), seat, stack: 100, owed: None, at_ms }
    }

    #[test]
    fn the_memory_of_leavers_has_a_bound_and_who_left_first_is_forgotten_first() {
        let mut leavers = Leavers::default();
        (0..=LEAVERS_MAX).for_each(|number| leavers.remember(leaver(number)));
        assert_eq!(leavers.0.len(), LEAVERS_MAX);
        let known = |number| leavers.stack_of(&user(number), 0, 1).is_some();
        assert_eq!((known(0), known(1), known(LEAVERS_MAX)), (false, true, true));
    }

    #[test]
    fn who_leaves_twice_is_remembered_by_the_last_time() {
        let mut leavers = Leavers::default();
        leavers.remember(leaver(1));
        leavers.remember(Leaver { stack: 50, at_ms: 10, ..leaver(1) });
        assert_eq!((leavers.0.len(), leavers.stack_of(&user(1), 19, 10)), (1, Some(50)));
        assert_eq!(leavers.stack_of(&user(1), 20, 10), None, "that is long ago");
    }
}
