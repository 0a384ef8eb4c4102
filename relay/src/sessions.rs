//! Which sessions are on connections of this relay, and that each is on one connection only, whichever relay that is at.
//!
//! A session that goes on here may still be on an earlier connection at another relay. So relays tell each other
//! ([`SessionNews`](broker::node::SessionNews)) of each session that goes on, and whoever has it on an earlier connection closes
//! that. All hear all news in one order, their own too: who hears of another relay's connection after its own news has the
//! earlier one, who hears of it before that has the later one. (Of two that begin within the time that news take, either may count
//! as the later one, but it is the same one for all.) News that are told again, because a room's owner has found the session at two
//! relays, go by the age of the connections.

use std::collections::{BTreeMap, VecDeque};

use broker::node::HeldSession;
use protocol::{
    id::{NodeId, SessionId, UserId},
    time::UnixMs,
};

/// A session belongs to its user: the number alone says nothing.
type Name = (SessionId, UserId);

/// News of one's own that did not come back within this are lost; what others say after that is later.
const HEARD_WITHIN_MS: u64 = 5_000;

/// So many earlier connections of a session are kept in mind, the last ones.
const EARLIER_MAX: usize = 4;

/// Other relays are told of a session so long after it has said hello, if it is still there: the hello that waited in a relay which
/// stood still may be of a client that has given up and gone on elsewhere. It is the same for each session, so that news of two relays
/// come in the order of the hellos.
const TELL_AFTER_MS: u64 = 20;

/// What another relay goes on to say is answered so often at the most.
const TELL_AGAIN_MS: u64 = 1_000;

/// A relay that has been answered so often does not take its connection for the earlier one. Where news were lost both may think so; then
/// the names of the relays decide.
const ANSWERED_MAX: u8 = 3;

/// See the module.
#[derive(Default)]
pub(crate) struct Sessions {
    held: BTreeMap<Name, Held>,
    /// Of those in `held`, and from when on they are to be told.
    untold: BTreeMap<Name, UnixMs>,
}

struct Held {
    /// The connection, in the registry.
    key: usize,
    /// When it began to hold the session. Later for each connection of a session.
    since_ms: UnixMs,
    /// The other relays have been told, or there was nothing to tell.
    told: bool,
    /// Connections at other relays that are known to be earlier: what is told of them again says nothing new, and their age, seen from
    /// here, is off by the time that news take.
    earlier: VecDeque<Earlier>,
}

struct Earlier {
    relay: NodeId,
    /// See [`HeldSession::since_ms`].
    since_ms: UnixMs,
    /// How often the relay was told that there is a later one.
    answered: u8,
}

impl Held {
    fn outlives(&mut self, relay: &NodeId, since_ms: UnixMs) {
        if self.earlier.len() >= EARLIER_MAX {
            self.earlier.pop_front();
        }
        self.earlier.push_back(Earlier { relay: relay.clone(), since_ms, answered: 0 });
    }
}

impl Sessions {
    /// A session is on this connection from now on; the one that it was on until now, if there is one here. `goes_on`: it may be on
    /// another relay's too.
    pub(crate) fn take(&mut self, name: Name, key: usize, goes_on: bool, now_ms: UnixMs) -> Option<usize> {
        let before = self.held.get(&name).map(|held| (held.key, held.since_ms));
        let since_ms = before.map_or(now_ms, |(_, since_ms)| now_ms.max(since_ms + 1));
        self.held.insert(name.clone(), Held { key, since_ms, told: !goes_on, earlier: VecDeque::new() });
        if goes_on {
            self.untold.insert(name, since_ms + TELL_AFTER_MS);
        }
        before.map(|(key, _)| key)
    }

    /// The connection that a session is on.
    pub(crate) fn key_of(&self, name: &Name) -> Option<usize> {
        self.held.get(name).map(|held| held.key)
    }

    /// A connection has gone. Whether its session has gone with it: it was not continued on another one here.
    pub(crate) fn leave(&mut self, name: &Name, key: usize) -> bool {
        let was_here = self.key_of(name) == Some(key);
        if was_here {
            self.held.remove(name);
            self.untold.remove(name);
        }
        was_here
    }

    /// Has the other relays told of a session, if it is here.
    pub(crate) fn tell(&mut self, name: Name) {
        if let Some(held) = self.held.get(&name) {
            self.untold.entry(name).or_insert(held.since_ms + TELL_AFTER_MS);
        }
    }

    /// From when on there is something to tell.
    pub(crate) fn news_due_ms(&self) -> Option<UnixMs> {
        self.untold.values().min().copied()
    }

    /// What to tell now, at most so many sessions.
    pub(crate) fn take_news(&mut self, max: usize, now_ms: UnixMs) -> Vec<HeldSession> {
        let due = self.untold.iter().filter(|(_, due_ms)| **due_ms <= now_ms).take(max);
        let names: Vec<Name> = due.map(|(name, _)| name.clone()).collect();
        let news = names.into_iter().filter_map(|name| {
            self.untold.remove(&name);
            let since_ms = self.held.get(&name)?.since_ms;
            let (session, user) = name;
            Some(HeldSession { user, session, since_ms })
        });
        news.collect()
    }

    /// News of this relay's own have come back.
    pub(crate) fn hear_own(&mut self, news: &HeldSession) {
        let held = self.held.get_mut(&(news.session, news.user.clone()));
        if let Some(held) = held.filter(|held| held.since_ms == news.since_ms) {
            held.told = true;
        }
    }

    /// Another relay, where it is `now_there_ms`, has a session on a connection. The connection here, at `me`, that this ends.
    pub(crate) fn hear(
        &mut self,
        me: &NodeId,
        relay: &NodeId,
        news: &HeldSession,
        now_there_ms: UnixMs,
        now_ms: UnixMs,
    ) -> Option<usize> {
        let name = (news.session, news.user.clone());
        let held = self.held.get_mut(&name)?;
        let is_theirs = |earlier: &&mut Earlier| earlier.relay == *relay && earlier.since_ms == news.since_ms;
        if let Some(earlier) = held.earlier.iter_mut().find(is_theirs) {
            if earlier.answered >= ANSWERED_MAX && me < relay {
                return Some(held.key);
            }
            let pause_ms = if earlier.answered == 0 { 0 } else { TELL_AGAIN_MS };
            earlier.answered = earlier.answered.saturating_add(1);
            self.untold.entry(name).or_insert((held.since_ms + TELL_AFTER_MS).max(now_ms + pause_ms));
            return None;
        }
        // Or earlier, by the time that the news took; clocks of nodes are not compared.
        let began_ms = now_ms.saturating_sub(now_there_ms.saturating_sub(news.since_ms));
        if held.since_ms > began_ms {
            held.outlives(relay, news.since_ms);
            self.untold.insert(name, held.since_ms + TELL_AFTER_MS);
            return None;
        }
        if held.told || now_ms >= held.since_ms + HEARD_WITHIN_MS {
            return Some(held.key);
        }
        held.outlives(relay, news.since_ms);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(user: &str) -> Name {
        (SessionId(7), UserId::new(user).unwrap())
    }

    /// Two relays on a bus that carries all news to both in one order, whose clocks differ by an hour.
    struct House {
        relays: [Sessions; 2],
        now_ms: UnixMs,
    }

    const AHEAD_MS: u64 = 3_600_000;

    impl House {
        fn new() -> Self {
            Self { relays: Default::default(), now_ms: 1_000 }
        }

        fn clock(&self, relay: usize) -> UnixMs {
            self.now_ms + AHEAD_MS * relay as u64
        }

        fn hello(&mut self, relay: usize, key: usize) {
            let now_ms = self.clock(relay);
            self.relays[relay].take(name("ann"), key, true, now_ms);
        }

        /// What a relay says now.
        fn say(&mut self, relay: usize) -> (usize, UnixMs, Vec<HeldSession>) {
            (relay, self.clock(relay), self.relays[relay].take_news(9, UnixMs::MAX))
        }

        /// All hear it; which connections end.
        fn hear(&mut self, (from, now_there_ms, news): (usize, UnixMs, Vec<HeldSession>)) -> Vec<usize> {
            let mut ended = Vec::new();
            for relay in 0..2 {
                let now_ms = self.clock(relay);
                for news in &news {
                    if relay == from {
                        self.relays[relay].hear_own(news);
                    } else {
                        let from = NodeId::new(&format!("relay-{from}")).unwrap();
                        let me = NodeId::new(&format!("relay-{relay}")).unwrap();
                        ended.extend(self.relays[relay].hear(&me, &from, news, now_there_ms, now_ms));
                    }
                }
            }
            ended
        }
    }

    #[test]
    fn the_earlier_connection_ends() {
        let mut house = House::new();
        for (relay, key, ended) in [(0, 10, &[][..]), (1, 11, &[10]), (0, 12, &[11])] {
            house.hello(relay, key);
            house.now_ms += 10;
            let said = house.say(relay);
            assert_eq!(house.hear(said), ended);
            house.now_ms += 1_000;
            assert!(house.say(0).2.is_empty() && house.say(1).2.is_empty());
        }
    }

    #[test]
    fn of_two_that_begin_before_either_is_told_the_one_that_is_told_later_stays() {
        let mut house = House::new();
        house.hello(0, 10);
        house.hello(1, 11);
        let (first, second) = (house.say(1), house.say(0));
        house.now_ms += 3;
        assert!(house.hear(first).is_empty());
        assert_eq!(house.hear(second), [11]);
    }

    /// The news of both were lost on the way back: each takes the other's connection for the earlier one.
    #[test]
    fn two_relays_that_take_each_others_connection_for_the_earlier_one_come_to_an_end_and_do_not_shout() {
        let mut house = House::new();
        house.hello(0, 10);
        house.hello(1, 11);
        let (first, second) = (house.say(0), house.say(1));
        // Heard there before one's own have come back, which they never do.
        for (hears, (from, now_there_ms, news)) in [(1, first), (0, second)] {
            let (me, from) = (format!("relay-{hears}"), format!("relay-{from}"));
            let (me, from) = (NodeId::new(&me).unwrap(), NodeId::new(&from).unwrap());
            let now_ms = house.clock(hears);
            assert_eq!(house.relays[hears].hear(&me, &from, &news[0], now_there_ms, now_ms), None);
        }
        let (mut said, mut ended) = (0, Vec::new());
        house.relays[0].tell(name("ann"));
        for _ in 0..20_000 {
            house.now_ms += 1;
            for relay in 0..2 {
                let now_ms = house.clock(relay);
                let news = house.relays[relay].take_news(9, now_ms);
                said += news.len();
                ended.extend(house.hear((relay, now_ms, news)));
                if !ended.is_empty() {
                    house.relays[0].leave(&name("ann"), 10);
                }
            }
        }
        assert_eq!(ended, [10], "by the names of the relays, and once");
        assert!(said < 20, "{said} messages");
    }

    #[test]
    fn news_that_were_lost_are_made_up_for_by_age() {
        let mut house = House::new();
        for told_again in [0, 1] {
            house.hello(0, 10);
            let said = house.say(0);
            house.hear(said);
            house.now_ms += 50;
            house.hello(1, 11);
            // Only the relay itself has heard it.
            let lost = house.say(1);
            lost.2.iter().for_each(|news| house.relays[1].hear_own(news));
            house.now_ms += 20_000;
            house.relays[told_again].tell(name("ann"));
            let mut ended = Vec::new();
            for relay in [told_again, 1 - told_again] {
                let said = house.say(relay);
                ended.extend(house.hear(said));
                house.now_ms += 5;
            }
            assert_eq!(ended, [10], "told again by relay {told_again}");
            assert!(house.relays[0].leave(&name("ann"), 10) && house.relays[1].leave(&name("ann"), 11));
        }
    }

    #[test]
    fn what_is_told_again_of_an_earlier_connection_ends_no_later_one_however_long_it_took() {
        let mut house = House::new();
        house.hello(0, 10);
        house.now_ms += 1;
        house.hello(1, 11);
        let (first, second) = (house.say(0), house.say(1));
        house.now_ms += 3;
        assert!(house.hear(first).is_empty(), "it is told before its own");
        assert_eq!(house.hear(second), [10]);
        // The room's owner has it told once more, before the connection is closed.
        house.relays[0].tell(name("ann"));
        let again = house.say(0);
        house.now_ms += 40;
        assert!(house.hear(again).is_empty());
        let answer = house.say(1);
        assert_eq!(house.hear(answer), [10]);
    }

    #[test]
    fn news_that_never_come_back_hold_nothing_up_for_ever() {
        let mut house = House::new();
        house.hello(0, 10);
        house.say(0);
        house.now_ms += HEARD_WITHIN_MS;
        house.hello(1, 11);
        let said = house.say(1);
        assert_eq!(house.hear(said), [10]);
    }

    #[test]
    fn a_connection_that_goes_takes_only_its_own_session_with_it() {
        let mut sessions = Sessions::default();
        sessions.take(name("ann"), 1, true, 1_000);
        assert_eq!(sessions.take(name("ann"), 2, true, 1_000), Some(1));
        assert!(!sessions.leave(&name("ann"), 1));
        assert_eq!((sessions.key_of(&name("ann")), sessions.news_due_ms().is_some()), (Some(2), true));
        assert!(sessions.leave(&name("ann"), 2));
        assert!(
            sessions.news_due_ms().is_none() && sessions.take_news(9, UnixMs::MAX).is_empty(),
            "who has gone is not told of"
        );
    }

    #[test]
    fn another_users_session_of_the_same_number_is_another() {
        let mut sessions = Sessions::default();
        sessions.take(name("eve"), 1, false, 1_000);
        let (session, user) = name("ann");
        let news = HeldSession { user, session, since_ms: 5_000 };
        let relay = NodeId::new("relay-2").unwrap();
        let me = NodeId::new("relay-1").unwrap();
        assert_eq!(sessions.hear(&me, &relay, &news, 5_000, 6_000), None);
    }
}
