//! Which session plays for a member, and which members are connected.
//!
//! A user may watch a room from several sessions, but one of them plays. [`Sessions`] says which; it is part of the
//! journaled state, so that a new owner does not give the seat to a session that had lost it. [`Connections`] says who
//! is connected through which relay; a new owner learns that anew, because relays tell it after every change of epoch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::{
    id::{NodeId, SessionId, UserId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

/// How many ousted sessions of a member are remembered, the last ones.
const OUSTED_MAX: usize = 8;

/// For each member the session that plays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions(BTreeMap<UserId, Playing>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Playing {
    session: SessionId,
    /// Sessions that another one took the seat from.
    ousted: VecDeque<SessionId>,
}

impl Sessions {
    /// The session that plays for a user.
    pub fn playing(&self, user: &UserId) -> Option<SessionId> {
        self.0.get(user).map(|playing| playing.session)
    }

    /// Whether another session has taken the seat from this one.
    pub fn is_ousted(&self, user: &UserId, session: SessionId) -> bool {
        self.0.get(user).is_some_and(|playing| playing.ousted.contains(&session))
    }

    /// From now on this session plays. Answers the one it took the seat from.
    pub fn play(&mut self, user: &UserId, session: SessionId) -> Option<SessionId> {
        let Some(playing) = self.0.get_mut(user) else {
            self.0.insert(user.clone(), Playing { session, ousted: VecDeque::new() });
            return None;
        };
        if playing.session == session {
            return None;
        }
        let before = std::mem::replace(&mut playing.session, session);
        playing.ousted.retain(|ousted| *ousted != session);
        if playing.ousted.len() >= OUSTED_MAX {
            playing.ousted.pop_front();
        }
        playing.ousted.push_back(before);
        Some(before)
    }

    /// Forgets who is no longer a member.
    pub fn retain(&mut self, is_member: impl Fn(&UserId) -> bool) {
        self.0.retain(|user, _| is_member(user));
    }
}

/// Through which relays members are connected, as far as this owner has been told.
#[derive(Debug, Default)]
pub struct Connections {
    relays: BTreeMap<UserId, (SessionId, NodeId)>,
    /// Members without a connection who are not away yet, and from when on they are. Most come back before that: a
    /// connection that breaks is opened again, and a takeover is followed by every relay's word.
    missing: BTreeMap<UserId, UnixMs>,
}

impl Connections {
    /// After a takeover: all members are to be heard of by `until`.
    pub fn unheard(members: Vec<UserId>, until: UnixMs) -> Self {
        let missing = members.into_iter().map(|member| (member, until)).collect();
        Self { relays: BTreeMap::new(), missing }
    }

    /// The playing session of a member is connected through this relay. The other one that has said so before, and has not said that
    /// it is gone.
    pub fn connected(&mut self, user: &UserId, session: SessionId, relay: &NodeId) -> Option<NodeId> {
        self.missing.remove(user);
        match self.relays.get_mut(user) {
            Some(known) if known.0 == session && known.1 == *relay => None,
            Some(known) => {
                let before = std::mem::replace(known, (session, relay.clone()));
                (before.0 == session).then_some(before.1)
            }
            None => {
                self.relays.insert(user.clone(), (session, relay.clone()));
                None
            }
        }
    }

    /// A session has gone from a relay. If that leaves its user without a connection, the user is away from `away_at` on: not
    /// when the session has come back through another relay meanwhile. The session must be the one that plays.
    pub fn gone(&mut self, user: &UserId, session: SessionId, relay: &NodeId, away_at: UnixMs) {
        match self.relays.get(user) {
            Some(known) if known.0 == session && known.1 == *relay => {
                self.relays.remove(user);
                self.missing.insert(user.clone(), away_at);
            }
            Some(_) => {}
            None => {
                if let Some(until) = self.missing.get_mut(user) {
                    *until = away_at.min(*until);
                }
            }
        }
    }

    /// A member without a connection counts as away from `at` on.
    pub fn missing(&mut self, user: &UserId, at: UnixMs) {
        if !self.relays.contains_key(user) {
            self.missing.insert(user.clone(), at);
        }
    }

    /// The relay through which a session is connected.
    pub fn relay_of(&self, user: &UserId, session: SessionId) -> Option<&NodeId> {
        self.relays.get(user).filter(|known| known.0 == session).map(|known| &known.1)
    }

    /// A relay has died: the members that were connected through it.
    pub fn relay_gone(&mut self, relay: &NodeId) -> Vec<UserId> {
        let lost: Vec<UserId> =
            self.relays.iter().filter(|(_, known)| known.1 == *relay).map(|(user, _)| user.clone()).collect();
        for user in &lost {
            self.relays.remove(user);
        }
        lost
    }

    /// Forgets who is no longer a member.
    pub fn retain(&mut self, is_member: impl Fn(&UserId) -> bool) {
        self.relays.retain(|user, _| is_member(user));
        self.missing.retain(|user, _| is_member(user));
    }

    /// When [`Connections::overdue`] is due.
    pub fn deadline(&self) -> Option<UnixMs> {
        self.missing.values().min().copied()
    }

    /// The members who have been missing for long enough to count as away, once each.
    pub fn overdue(&mut self, now: UnixMs) -> BTreeSet<UserId> {
        let overdue = self.missing.iter().filter(|(_, until)| **until <= now);
        let overdue: BTreeSet<UserId> = overdue.map(|(user, _)| user.clone()).collect();
        self.missing.retain(|_, until| *until > now);
        overdue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> UserId {
        UserId::new("ann").unwrap()
    }

    #[test]
    fn the_second_session_takes_the_seat_and_the_first_may_take_it_back() {
        let mut sessions = Sessions::default();
        let (first, second) = (SessionId(1), SessionId(2));
        assert_eq!(sessions.play(&user(), first), None);
        assert_eq!(sessions.play(&user(), second), Some(first));
        assert!(sessions.is_ousted(&user(), first));
        assert_eq!(sessions.play(&user(), first), Some(second));
        assert!(!sessions.is_ousted(&user(), first) && sessions.is_ousted(&user(), second));
    }

    #[test]
    fn a_session_that_moved_to_another_relay_is_not_gone_with_the_first() {
        let relay = |name| NodeId::new(name).unwrap();
        let mut connections = Connections::default();
        assert_eq!(connections.connected(&user(), SessionId(1), &relay("r1")), None);
        assert_eq!(connections.connected(&user(), SessionId(1), &relay("r2")), Some(relay("r1")));
        assert_eq!(connections.connected(&user(), SessionId(1), &relay("r2")), None);
        connections.gone(&user(), SessionId(1), &relay("r1"), 100);
        assert_eq!(connections.deadline(), None);
        assert_eq!(connections.relay_gone(&relay("r1")), []);
        assert_eq!(connections.relay_gone(&relay("r2")), [user()]);
    }

    #[test]
    fn who_is_back_before_the_grace_is_over_was_never_away() {
        let relay = |name| NodeId::new(name).unwrap();
        let mut connections = Connections::default();
        connections.connected(&user(), SessionId(1), &relay("r1"));
        connections.gone(&user(), SessionId(1), &relay("r1"), 100);
        assert_eq!(connections.deadline(), Some(100));
        connections.connected(&user(), SessionId(1), &relay("r2"));
        assert_eq!(connections.deadline(), None);
        connections.gone(&user(), SessionId(1), &relay("r2"), 200);
        assert!(connections.overdue(199).is_empty());
        assert_eq!(connections.overdue(200), BTreeSet::from([user()]));
        assert!(connections.overdue(300).is_empty(), "told once");
    }

    #[test]
    fn who_is_not_heard_of_after_a_takeover_is_away() {
        let bob = UserId::new("bob").unwrap();
        let mut connections = Connections::unheard(vec![user(), bob.clone()], 100);
        connections.connected(&bob, SessionId(5), &NodeId::new("r1").unwrap());
        assert!(connections.overdue(99).is_empty());
        assert_eq!(connections.overdue(100), BTreeSet::from([user()]));
        assert_eq!(connections.deadline(), None);
    }
}
