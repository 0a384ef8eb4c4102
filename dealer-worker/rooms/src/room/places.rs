//! Who has a place on the rail of a room that only so many may watch.
//!
//! Relays say who watches there, or wants to, and has no part in the room; the owner gives each a place, as long as there are some. A place
//! holds for [`PLACE_MS`] and is given anew with each list of the relay, so a relay that is gone frees its places by that. Nothing of it is in the journal:
//! a new owner learns from the relays' lists who has a place. It cannot know what it has not heard, so it gives none to anybody else until all that
//! were given before have run out; nor does an owner that somebody else has succeeded, since each answer waits for the journal to say that
//! there was none (`runtime/places`).
//!
//! A user may be on two relays, for a moment when a session goes on elsewhere, or with two devices: he has one place, which is free when neither of them
//! lists him any more.

use std::collections::{BTreeMap, BTreeSet};

use broker::node::PLACE_MS;
use protocol::id::{NodeId, UserId};
use tokio::time::{Duration, Instant};

use crate::planted::{Fault, is_planted};

/// A relay that has listed nobody for so long is forgotten: nothing that it has said before is on its way any more.
const FORGOTTEN_AFTER: Duration = Duration::from_millis(6 * PLACE_MS);

/// See the module.
#[derive(Debug)]
pub struct Places {
    held: BTreeMap<UserId, Held>,
    relays: BTreeMap<NodeId, Heard>,
    /// From then on nobody has a place of whom nothing was heard.
    knows_all_at: Instant,
}

/// Through which relays a user has the place, and until when.
type Held = BTreeMap<NodeId, Instant>;

#[derive(Debug)]
struct Heard {
    round: u64,
    at: Instant,
}

/// A relay's list.
#[derive(Debug)]
pub struct List<'a> {
    /// Whose.
    pub relay: &'a NodeId,
    /// Its number, which grows.
    pub round: u64,
    /// So many of the first have a place.
    pub have: usize,
    /// Who watches, or wants to.
    pub viewers: &'a [UserId],
}

/// What is answered to one.
#[derive(Debug, PartialEq, Eq)]
pub struct Given {
    /// Those without a place, by their places in the list.
    pub without: Vec<u32>,
    /// There are no more; else it is not known yet.
    pub is_full: bool,
}

impl Places {
    /// Of a room that was just taken over, or, if `is_new`, that nobody has owned before.
    pub fn taken_over(is_new: bool, now: Instant) -> Self {
        let wait = if is_new { Duration::ZERO } else { Duration::from_millis(PLACE_MS) };
        Self { held: BTreeMap::new(), relays: BTreeMap::new(), knows_all_at: now + wait }
    }

    /// Gives places to a relay's list, of `max`. `None`: it has said a later one.
    pub fn give(&mut self, max: usize, list: &List<'_>, now: Instant) -> Option<Given> {
        self.forget(now);
        let List { relay, round, have, viewers } = *list;
        if self.relays.get(relay).is_some_and(|heard| heard.round >= round) {
            return None;
        }
        self.relays.insert(relay.clone(), Heard { round, at: now });
        let listed: BTreeSet<&UserId> = viewers.iter().collect();
        self.held.retain(|viewer, through| {
            if !listed.contains(viewer) && !is_planted(Fault::FreesNoPlaces) {
                through.remove(relay);
            }
            !through.is_empty()
        });
        let knows_all = now >= self.knows_all_at || is_planted(Fault::GivesPlacesUnheard);
        let until = now + Duration::from_millis(PLACE_MS);
        let mut without = Vec::new();
        for (at, viewer) in (0..).zip(viewers) {
            let is_known = self.held.contains_key(viewer);
            // Who had a place of an earlier owner keeps it. Later on whoever says so has lost it meanwhile.
            let may_have = knows_all || (at as usize) < have;
            if is_known || may_have && self.held.len() < max {
                self.held.entry(viewer.clone()).or_default().insert(relay.clone(), until);
            } else {
                without.push(at);
            }
        }
        Some(Given { without, is_full: knows_all })
    }

    fn forget(&mut self, now: Instant) {
        self.held.retain(|_, through| {
            through.retain(|_, until| *until > now || is_planted(Fault::FreesNoPlaces));
            !through.is_empty()
        });
        self.relays.retain(|_, heard| now < heard.at + FORGOTTEN_AFTER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewers(names: &str) -> Vec<UserId> {
        names.split_whitespace().map(|name| UserId::new(name).unwrap()).collect()
    }

    /// Answers to lists, on a clock that is moved on by hand.
    struct Room {
        places: Places,
        now: Instant,
        round: u64,
    }

    impl Room {
        fn new(is_new: bool) -> Self {
            let now = Instant::now();
            Self { places: Places::taken_over(is_new, now), now, round: 0 }
        }

        fn after_ms(&mut self, ms: u64) -> &mut Self {
            self.now += Duration::from_millis(ms);
            self
        }

        /// Those of the list who have no place, and whether there is none. `have`: so many of the first had one.
        fn says(&mut self, relay: &str, have: usize, names: &str) -> (Vec<u32>, bool) {
            self.round += 1;
            let (relay, viewers) = (NodeId::new(relay).unwrap(), viewers(names));
            let list = List { relay: &relay, round: self.round, have, viewers: &viewers };
            let Given { without, is_full } = self.places.give(2, &list, self.now).unwrap();
            (without, is_full)
        }
    }

    const ALL: (Vec<u32>, bool) = (Vec::new(), true);

    #[test]
    fn never_more_have_a_place_than_may_and_whoever_goes_makes_room() {
        let mut room = Room::new(true);
        assert_eq!(room.says("r1", 0, "ann"), ALL);
        assert_eq!(room.says("r2", 0, "bob cho"), (vec![1], true));
        assert_eq!(room.says("r1", 1, "ann dee"), (vec![1], true));
        assert_eq!(room.says("r2", 1, ""), ALL);
        assert_eq!(room.says("r1", 1, "ann dee"), ALL);
    }

    #[test]
    fn who_goes_on_elsewhere_keeps_the_place_and_has_one_on_several_devices() {
        let mut room = Room::new(true);
        assert_eq!(room.says("r1", 0, "ann bob"), ALL);
        assert_eq!(room.says("r2", 0, "ann cho"), (vec![1], true), "ann is on both for a moment");
        assert_eq!(room.says("r1", 2, "bob"), ALL);
        assert_eq!(room.says("r2", 1, "ann cho"), (vec![1], true));
        assert_eq!(room.says("r2", 1, "cho"), ALL);
    }

    #[test]
    fn a_relay_that_is_silent_frees_its_places_when_they_have_run_out() {
        let mut room = Room::new(true);
        assert_eq!(room.says("r1", 0, "ann bob"), ALL);
        assert_eq!(room.after_ms(PLACE_MS - 1).says("r2", 0, "cho"), (vec![0], true));
        assert_eq!(room.after_ms(1).says("r2", 0, "cho"), ALL);
        // The first is back, and one of the two has lost the place.
        assert_eq!(room.says("r1", 2, "ann bob"), (vec![1], true));
    }

    #[test]
    fn a_new_owner_gives_no_place_to_who_had_none_until_all_that_were_given_have_run_out() {
        let mut room = Room::new(false);
        assert_eq!(room.says("r1", 0, "dee"), (vec![0], false));
        assert_eq!(room.says("r2", 1, "ann bob"), (vec![1], false));
        assert_eq!(room.after_ms(PLACE_MS - 1).says("r2", 1, "ann bob"), (vec![1], false));
        assert_eq!(room.after_ms(1).says("r2", 1, "ann bob"), ALL);
        assert_eq!(room.says("r1", 0, "dee"), (vec![0], true));
    }

    #[test]
    fn a_list_that_comes_late_or_twice_is_not_heard() {
        let mut room = Room::new(true);
        assert_eq!(room.says("r1", 0, "ann"), ALL);
        assert_eq!(room.says("r1", 1, ""), ALL);
        let (relay, viewers) = (NodeId::new("r1").unwrap(), viewers("ann"));
        for round in [1, 2] {
            let list = List { relay: &relay, round, have: 0, viewers: &viewers };
            assert_eq!(room.places.give(2, &list, room.now), None);
        }
        assert_eq!(room.says("r2", 0, "bob cho"), ALL);
    }
}
