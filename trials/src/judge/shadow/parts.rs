//! What a postbox has told single users, as its journal tells it: each part counts on from the user's last.

use std::collections::BTreeMap;

use broker::entry::Private;
use protocol::id::{Position, RoomId, UserId};

use super::Promise;

/// See the module.
#[derive(Default)]
pub(super) struct Parts {
    /// How many each has been told.
    told: BTreeMap<UserId, u64>,
    /// Nothing is known until the next keyframe.
    torn: bool,
}

/// Only what is needed of a part's text.
#[derive(serde::Deserialize)]
struct Text {
    private: Counted,
}

#[derive(serde::Deserialize)]
struct Counted {
    k: u64,
}

impl Parts {
    /// How many parts a user was told.
    pub(super) fn told(&self, user: &UserId) -> Option<u64> {
        self.told.get(user).copied()
    }

    /// Takes the parts of a frame. `whole`: it is a keyframe, with a part for everybody; `torn`: frames are missing before it.
    pub(super) fn take(
        &mut self,
        at: Position,
        privates: &[Private],
        whole: bool,
        torn: bool,
        room: &RoomId,
        broken: &mut Vec<(Promise, String)>,
    ) {
        self.torn |= torn;
        let is_known = !self.torn;
        if whole {
            self.torn = false;
        } else if self.torn {
            return;
        }
        let before = if whole { std::mem::take(&mut self.told) } else { self.told.clone() };
        for part in privates {
            let k = match serde_json::from_slice::<Text>(&part.bytes) {
                Ok(text) => text.private.k,
                Err(error) => {
                    broken.push((Promise::Fold, format!("{room} {at}: {error}")));
                    continue;
                }
            };
            let last = before.get(&part.user).copied().unwrap_or(0);
            let is_first_of_all = before.is_empty() && whole;
            if is_known && !is_first_of_all && k != last + u64::from(!whole) {
                let what = format!("{room} {at}: tells {} part {k} after {last}", part.user);
                broken.push((Promise::Fold, what));
            }
            self.told.insert(part.user.clone(), k);
        }
        if is_known && self.told.len() < before.len() {
            broken.push((Promise::Fold, format!("{room} {at}: has forgotten somebody")));
        }
    }

    /// The broker has lost the end.
    pub(super) fn forget(&mut self) {
        self.told.clear();
        self.torn = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is broken by these frames: whether it is a keyframe, and which part of ann's it holds.
    fn broken(frames: &[(bool, Option<u64>)]) -> usize {
        let (mut parts, mut broken) = (Parts::default(), Vec::new());
        let (room, user) = (RoomId::new("p1").unwrap(), UserId::new("ann").unwrap());
        for (seq, (whole, k)) in (1..).zip(frames) {
            let bytes = |k| format!(r#"{{"private":{{"k":{k},"sum":3}}}}"#).into();
            let privates: Vec<_> =
                k.iter().map(|k| Private { user: user.clone(), bytes: bytes(*k) }).collect();
            parts.take(Position::new(1, seq), &privates, *whole, false, &room, &mut broken);
        }
        broken.len()
    }

    #[test]
    fn parts_that_count_on_are_right() {
        assert_eq!(
            broken(&[(true, None), (false, Some(1)), (false, None), (false, Some(2)), (true, Some(2))]),
            0
        );
    }

    #[test]
    fn a_part_that_was_left_out_or_told_twice_is_found_and_so_is_who_was_forgotten() {
        assert_eq!(broken(&[(true, None), (false, Some(1)), (false, Some(3))]), 1);
        assert_eq!(broken(&[(true, None), (false, Some(1)), (false, Some(1))]), 1);
        assert_eq!(broken(&[(true, None), (false, Some(1)), (true, Some(2))]), 1);
        assert_eq!(broken(&[(true, None), (false, Some(1)), (true, None)]), 1);
    }
}
