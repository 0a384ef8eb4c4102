//! What is to be done about a room, by what is believed of it, who lives, and the time. Nothing here waits, asks or keeps anything.

use broker::{members::Membership, node::Owner};
use protocol::id::{Epoch, NodeId};
use tokio::time::{Duration, Instant};

use super::beliefs::{Belief, Ownership};

/// Of a worker at a moment, whichever room it looks at.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The worker.
    pub me: &'a NodeId,
    /// It is stopping.
    pub draining: bool,
    /// Who lives.
    pub membership: &'a Membership,
    /// The time.
    pub now: Instant,
    /// A node that is silent for so long is dead.
    pub dead_after: Duration,
}

impl Moment<'_> {
    /// Who hears nobody, or has not listened for long, knows nothing of the others: rooms stay as they are. But what is offered
    /// has been let go of, and its players wait.
    pub fn is_blind(&self) -> bool {
        (!self.membership.settled || self.membership.cut_off) && !self.draining
    }
}

/// A room that this worker owns.
#[derive(Debug, Clone, Copy)]
pub struct Own<'a> {
    /// For whom it is.
    pub assigned: Option<&'a NodeId>,
    /// It was told to go.
    pub is_going: bool,
    /// Before this it is not handed over for the sake of balance: two workers may disagree on who lives, and so on whose a
    /// room is, until a death is noticed by both; without a tenure they would hand it to and fro meanwhile.
    pub stays_until: Instant,
}

/// A room that this worker does not own.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    /// For whom it is.
    pub assigned: Option<&'a NodeId>,
    /// What is believed of it.
    pub belief: &'a Belief,
    /// When another worker last said that it owns it. It lived then, whatever is thought of it: two that take each other
    /// for dead would take the room from each other as fast as they can.
    pub said_owned: Option<Instant>,
    /// It could not be taken over, and is not tried again before.
    pub retry_at: Option<Instant>,
}

/// What is to be done about a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until something changes.
    Rest,
    /// It is to be looked at again at this time.
    WaitUntil(Instant),
    /// It is to be looked at again as soon as this worker sees who lives.
    WaitForSight,
    /// It is to be claimed.
    Claim,
    /// It is to be let go of, for this worker.
    LetGo(Option<NodeId>),
}

/// About a room that this worker owns.
pub fn about_own(room: &Own<'_>, moment: &Moment<'_>) -> Step {
    if moment.is_blind() {
        return Step::WaitForSight;
    }
    let stays = room.assigned.is_some_and(|to| to == moment.me);
    // Assigned to nobody: there is no other worker. That matters only when this one stops.
    if stays || room.is_going || (room.assigned.is_none() && !moment.draining) {
        return Step::Rest;
    }
    if !moment.draining && moment.now < room.stays_until {
        return Step::WaitUntil(room.stays_until);
    }
    Step::LetGo(room.assigned.cloned())
}

/// About a room that this worker does not own.
pub fn about_other(room: &Other<'_>, moment: &Moment<'_>) -> Step {
    let Moment { me, membership, now, .. } = *moment;
    let is_offered_to_me = matches!(&room.belief.ownership, Ownership::Offered { to, .. } if to == me);
    if moment.is_blind() && !is_offered_to_me {
        return Step::WaitForSight;
    }
    if moment.draining {
        return Step::Rest;
    }
    let is_mine = room.assigned == Some(me);
    let mut wait_until = None;
    let is_free = match &room.belief.ownership {
        Ownership::Nobody => is_mine,
        // Assigned to another or not: what is offered is taken, and handed on if need be.
        Ownership::Offered { to, .. } if to == me => true,
        Ownership::Offered { to, until } => {
            let waits = membership.is_living(to) && now < *until;
            wait_until = waits.then_some(*until);
            is_mine && !waits
        }
        Ownership::Node(node) if node == me => is_mine,
        Ownership::Node(node) => {
            let is_dead = is_mine && !membership.is_living(node);
            let lives_until = room.said_owned.map(|said| said + moment.dead_after);
            wait_until = lives_until.filter(|until| is_dead && now < *until);
            is_dead && wait_until.is_none()
        }
        Ownership::Somebody { until } => {
            wait_until = (now < *until).then_some(*until);
            is_mine && now >= *until
        }
    };
    if is_free && let Some(retry_at) = room.retry_at.filter(|at| now < *at) {
        wait_until = Some(retry_at);
    }
    match wait_until {
        Some(until) => Step::WaitUntil(until),
        None if is_free => Step::Claim,
        None => Step::Rest,
    }
}

/// What a map of owners should say instead of `written`, if this worker knows better. A successor that dies before it writes itself
/// down leaves the map naming its predecessor, and a broker that loses writes leaves an earlier word; as long as whom it names lives
/// and is silent, whoever has not heard the news would wait for that one. Every worker that knows better corrects the map, not only
/// the one that it is about, since that one may have begun anew and know nothing.
pub fn correction(me: &NodeId, belief: &Belief, written: &Owner, is_mine_to_run: bool) -> Option<Owner> {
    if let Some(later) = belief.instead_of(written) {
        return Some(later);
    }
    let names_me = written.node.as_ref() == Some(me);
    let is_mine = is_mine_to_run && belief.ownership == Ownership::Node(me.clone());
    let node = match names_me {
        true if !is_mine_to_run => None,
        // A later epoch in the map is a successor's word, not a mistake.
        false if is_mine && written.epoch == belief.epoch => Some(me.clone()),
        _ => return None,
    };
    Some(Owner { node, epoch: written.epoch })
}

/// What stands in a map that does not name a room: nobody has ever owned it, or the store has lost it.
pub fn unwritten() -> Owner {
    Owner { node: None, epoch: Epoch(0) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use broker::{members::Member, node::Role};

    use super::*;

    const DEAD_AFTER: Duration = Duration::from_secs(2);

    fn node(name: &str) -> NodeId {
        NodeId::new(name).unwrap()
    }

    fn living(names: &[&str]) -> Membership {
        let member = Member { role: Role::Worker, draining: false, speaks: 3, spares: false, door: None };
        let nodes: BTreeMap<_, _> = names.iter().map(|name| (node(name), member)).collect();
        Membership { nodes, settled: true, ..Membership::default() }
    }

    /// What w1 does about a room that is believed to be so, now.
    fn step(ownership: Ownership, assigned: &str, lives: &[&str], now: Instant) -> Step {
        let (me, membership) = (node("w1"), living(lives));
        let moment =
            Moment { me: &me, draining: false, membership: &membership, now, dead_after: DEAD_AFTER };
        let belief = Belief { epoch: Epoch(3), ownership };
        let assigned = node(assigned);
        let room = Other { assigned: Some(&assigned), belief: &belief, said_owned: None, retry_at: None };
        about_other(&room, &moment)
    }

    #[test]
    fn what_nobody_owns_is_claimed_by_whose_it_is() {
        let now = Instant::now();
        assert_eq!(step(Ownership::Nobody, "w1", &["w1", "w2"], now), Step::Claim);
        assert_eq!(step(Ownership::Nobody, "w2", &["w1", "w2"], now), Step::Rest);
        assert_eq!(step(Ownership::Node(node("w2")), "w1", &["w1", "w2"], now), Step::Rest, "w2 lives");
        assert_eq!(step(Ownership::Node(node("w2")), "w1", &["w1"], now), Step::Claim);
        assert_eq!(step(Ownership::Node(node("w2")), "w3", &["w1", "w3"], now), Step::Rest);
    }

    #[test]
    fn what_is_offered_is_waited_for_as_long_as_the_other_lives_and_the_time_lasts() {
        let now = Instant::now();
        let until = now + DEAD_AFTER;
        let offered = |to| Ownership::Offered { to: node(to), until };
        assert_eq!(step(offered("w1"), "w2", &["w1", "w2"], now), Step::Claim, "whosever it is");
        assert_eq!(step(offered("w2"), "w1", &["w1", "w2"], now), Step::WaitUntil(until));
        assert_eq!(step(offered("w2"), "w1", &["w1"], now), Step::Claim);
        assert_eq!(step(offered("w2"), "w1", &["w1", "w2"], until), Step::Claim);
        assert_eq!(step(Ownership::Somebody { until }, "w1", &["w1"], now), Step::WaitUntil(until));
        assert_eq!(step(Ownership::Somebody { until }, "w1", &["w1"], until), Step::Claim);
    }

    #[test]
    fn who_has_just_said_that_it_owns_a_room_is_not_dead_yet() {
        let (me, membership, now) = (node("w1"), living(&["w1"]), Instant::now());
        let belief = Belief { epoch: Epoch(3), ownership: Ownership::Node(node("w2")) };
        let room = Other { assigned: Some(&me), belief: &belief, said_owned: Some(now), retry_at: None };
        let at =
            |now| Moment { me: &me, draining: false, membership: &membership, now, dead_after: DEAD_AFTER };
        assert_eq!(about_other(&room, &at(now)), Step::WaitUntil(now + DEAD_AFTER));
        assert_eq!(about_other(&room, &at(now + DEAD_AFTER)), Step::Claim);
        let room = Other { retry_at: Some(now + DEAD_AFTER * 2), ..room };
        assert_eq!(about_other(&room, &at(now + DEAD_AFTER)), Step::WaitUntil(now + DEAD_AFTER * 2));
    }

    #[test]
    fn who_is_blind_does_nothing_but_take_what_it_is_offered() {
        let (me, now) = (node("w1"), Instant::now());
        let blind = Membership { settled: false, ..living(&["w1"]) };
        let moment = Moment { me: &me, draining: false, membership: &blind, now, dead_after: DEAD_AFTER };
        let about = |ownership| {
            let belief = Belief { epoch: Epoch(3), ownership };
            let room = Other { assigned: Some(&me), belief: &belief, said_owned: None, retry_at: None };
            about_other(&room, &moment)
        };
        assert_eq!(about(Ownership::Nobody), Step::WaitForSight);
        assert_eq!(about(Ownership::Offered { to: me.clone(), until: now }), Step::Claim);
        let own = Own { assigned: None, is_going: false, stays_until: now };
        assert_eq!(about_own(&own, &moment), Step::WaitForSight);
        assert_eq!(about_own(&own, &Moment { draining: true, ..moment }), Step::LetGo(None));
    }

    #[test]
    fn a_room_goes_to_whose_it_is_when_its_tenure_is_over_or_its_owner_stops() {
        let (me, other, membership, now) = (node("w1"), node("w2"), living(&["w1", "w2"]), Instant::now());
        let moment =
            Moment { me: &me, draining: false, membership: &membership, now, dead_after: DEAD_AFTER };
        let own = Own { assigned: Some(&other), is_going: false, stays_until: now + DEAD_AFTER };
        assert_eq!(about_own(&own, &moment), Step::WaitUntil(now + DEAD_AFTER));
        assert_eq!(about_own(&own, &Moment { draining: true, ..moment }), Step::LetGo(Some(other.clone())));
        let later = Moment { now: now + DEAD_AFTER, ..moment };
        assert_eq!(about_own(&own, &later), Step::LetGo(Some(other.clone())));
        assert_eq!(about_own(&Own { is_going: true, ..own }, &later), Step::Rest);
        assert_eq!(about_own(&Own { assigned: Some(&me), ..own }, &later), Step::Rest);
        assert_eq!(about_own(&Own { assigned: None, ..own }, &later), Step::Rest, "there is no other");
    }

    #[test]
    fn a_map_is_corrected_by_who_knows_better_and_by_nobody_else() {
        let (me, other) = (node("w1"), node("w2"));
        let written = |node: Option<&NodeId>, epoch| Owner { node: node.cloned(), epoch: Epoch(epoch) };
        let belief = |ownership| Belief { epoch: Epoch(3), ownership };
        let owned_by = |node: &NodeId| belief(Ownership::Node(node.clone()));
        let correct = |belief: &Belief, written, is_running| correction(&me, belief, &written, is_running);
        assert_eq!(correct(&owned_by(&other), written(None, 2), false), Some(written(Some(&other), 3)));
        assert_eq!(correct(&owned_by(&other), written(None, 3), false), None);
        assert_eq!(correct(&owned_by(&other), written(None, 4), false), None);
        let free = belief(Ownership::Nobody);
        assert_eq!(correct(&free, written(Some(&other), 3), false), Some(written(None, 3)));
        // It names this worker, which does not have it.
        assert_eq!(correct(&owned_by(&me), written(Some(&me), 3), false), Some(written(None, 3)));
        assert_eq!(correct(&owned_by(&me), written(Some(&other), 3), true), Some(written(Some(&me), 3)));
        let unknown = belief(Ownership::Somebody { until: Instant::now() });
        assert_eq!(correct(&unknown, unwritten(), false), None);
    }
}
