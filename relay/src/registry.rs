//! Who is connected: by session, and counted by address.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use broker::{
    bus::Bus,
    channel::Channel,
    node::{HeldSession, SessionNews, encode},
    revocations::Revocation,
};
use parking_lot::Mutex;
use protocol::{
    CloseCode,
    id::{SessionId, UserId},
    time::UnixMs,
};
use slab::Slab;
use smallvec::SmallVec;
use tokio::{
    sync::Notify,
    time::{Duration, sleep},
};

use crate::{peer::Peer, sessions::Sessions, works::Works};

/// Peers looked at in one go by the sweep.
const PIECE_PEERS: usize = 1_024;

/// Connections beyond the limit that are still let in far enough to be told so, as a part of that limit.
const TURNED_AWAY_PART: usize = 16;

/// The other relays are told of so many sessions in one message at most.
const SESSIONS_TOLD_MAX: usize = 512;

/// When they could not be told, it is tried again after so long.
const TELL_AGAIN: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Default)]
pub(crate) struct Registry {
    known: Mutex<Known>,
    /// There are sessions of which the other relays are to be told.
    news: Notify,
}

#[derive(Default)]
struct Known {
    peers: Slab<Arc<Peer>>,
    sessions: Sessions,
    addresses: BTreeMap<IpAddr, usize>,
    /// The connections on which each user has shown a token.
    holders: BTreeMap<UserId, SmallVec<[usize; 2]>>,
}

/// Whether a connection may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Yes.
    Welcome,
    /// No, and it can be told so in a close frame.
    TurnedAway,
    /// No, and so many others are being told so that this one is not.
    Refused,
}

impl Registry {
    /// Whether one more connection from there may come in now.
    pub(crate) fn admit(&self, address: IpAddr, works: &Works) -> Admission {
        let known = self.known.lock();
        let (all, all_max) = (known.peers.len(), works.config.connections_max);
        let here = known.addresses.get(&address).copied().unwrap_or(0);
        let here_max = works.config.connections_per_address_max;
        let beyond = |count: usize, max: usize| count >= max + max.div_ceil(TURNED_AWAY_PART);
        if beyond(all, all_max) || beyond(here, here_max) {
            Admission::Refused
        } else if all >= all_max || here >= here_max {
            Admission::TurnedAway
        } else {
            Admission::Welcome
        }
    }

    /// Counts a connection; its key.
    pub(crate) fn enter(&self, peer: &Arc<Peer>, works: &Works) -> usize {
        let mut known = self.known.lock();
        *known.addresses.entry(peer.address).or_default() += 1;
        let key = known.peers.insert(peer.clone());
        works.metrics.connections.set(known.peers.len() as f64);
        key
    }

    /// The session is on this connection from now on; the one that it was on until now, if there is one here. `goes_on`: it was on
    /// another before, perhaps at another relay.
    pub(crate) fn take_session(
        &self,
        session: SessionId,
        user: &UserId,
        key: usize,
        goes_on: bool,
        now_ms: UnixMs,
    ) -> Option<Arc<Peer>> {
        let mut known = self.known.lock();
        let before = known.sessions.take((session, user.clone()), key, goes_on, now_ms);
        if goes_on {
            self.news.notify_one();
        }
        known.peers.get(before?).cloned()
    }

    /// Has the other relays told of a session, if it is here.
    pub(crate) fn tell_session(&self, session: SessionId, user: &UserId) {
        self.known.lock().sessions.tell((session, user.clone()));
        self.news.notify_one();
    }

    /// Tells the other relays of sessions that go on here. What is to be told while one message is on its way goes with the next.
    pub(crate) async fn tell_sessions(&self, works: &Works, bus: &dyn Bus) {
        loop {
            let sessions = self.session_news(SESSIONS_TOLD_MAX, works).await;
            let again: Vec<_> = sessions.iter().map(|held| (held.session, held.user.clone())).collect();
            let news = SessionNews::Held { relay: works.node.clone(), now_ms: works.now_ms(), sessions };
            let told = bus.publish(&Channel::sessions(), encode(&news));
            if let Err(error) = works.answer(told).await {
                tracing::debug!(error, "the other relays were not told of sessions");
                sleep(TELL_AGAIN).await;
                again.iter().for_each(|(session, user)| self.tell_session(*session, user));
            }
        }
    }

    /// What the other relays are to be told, at most `max` sessions; waits until there is something.
    async fn session_news(&self, max: usize, works: &Works) -> Vec<HeldSession> {
        loop {
            let due_ms = self.known.lock().sessions.news_due_ms();
            let Some(due_ms) = due_ms else {
                self.news.notified().await;
                continue;
            };
            sleep(Duration::from_millis(due_ms.saturating_sub(works.now_ms()))).await;
            let news = self.known.lock().sessions.take_news(max, works.now_ms());
            if !news.is_empty() {
                return news;
            }
        }
    }

    /// A relay tells of sessions, be it this one: closes the connections here on which they were before.
    pub(crate) fn hear(&self, news: &SessionNews, works: &Works) {
        let SessionNews::Held { relay, now_ms: now_there_ms, sessions } = news;
        let now_ms = works.now_ms();
        let mut ended: Vec<Arc<Peer>> = Vec::new();
        {
            let known = &mut *self.known.lock();
            for session in sessions {
                if *relay == works.node {
                    known.sessions.hear_own(session);
                } else if let Some(key) =
                    known.sessions.hear(&works.node, relay, session, *now_there_ms, now_ms)
                {
                    ended.extend(known.peers.get(key).cloned());
                }
            }
        }
        // What was said of a connection here that is later than theirs.
        self.news.notify_one();
        for peer in ended {
            peer.close(CloseCode::SessionTaken, "the session was continued elsewhere", now_ms);
        }
    }

    /// A user has shown a token on this connection. Whether it is void is asked after that, and not before: a revocation that comes in between
    /// finds the connection.
    pub(crate) fn hold(&self, key: usize, user: &UserId) {
        let mut known = self.known.lock();
        let holds = known.holders.entry(user.clone()).or_default();
        if !holds.contains(&key) {
            holds.push(key);
        }
    }

    /// Tokens are void: closes the connections on which they were shown.
    pub(crate) fn revoke(&self, revocations: Vec<Revocation>, works: &Works) {
        let users = works.revoked.take(revocations, works);
        if users.is_empty() {
            return;
        }
        let peers: Vec<Arc<Peer>> = {
            let known = self.known.lock();
            let keys = users.iter().filter_map(|user| known.holders.get(user)).flatten();
            keys.filter_map(|key| known.peers.get(*key).cloned()).collect()
        };
        let now_ms = works.now_ms();
        for peer in peers {
            peer.close_if_void(&works.revoked, now_ms);
        }
    }

    /// The connection that a session is on.
    pub(crate) fn of_session(&self, session: SessionId, user: &UserId) -> Option<Arc<Peer>> {
        let known = self.known.lock();
        known.sessions.key_of(&(session, user.clone())).and_then(|key| known.peers.get(key)).cloned()
    }

    /// Forgets a connection. Whether its session is gone with it: it was not continued on another one.
    pub(crate) fn leave(&self, key: usize, session: Option<(SessionId, &UserId)>, works: &Works) -> bool {
        let mut known = self.known.lock();
        let peer = known.peers.remove(key);
        if let Some(count) = known.addresses.get_mut(&peer.address) {
            *count -= 1;
            if *count == 0 {
                known.addresses.remove(&peer.address);
            }
        }
        works.metrics.connections.set(known.peers.len() as f64);
        if let Some(user) = peer.user()
            && let Some(holds) = known.holders.get_mut(&user)
        {
            holds.retain(|held| *held != key);
            if holds.is_empty() {
                known.holders.remove(&user);
            }
        }
        let Some((session, user)) = session else { return true };
        known.sessions.leave(&(session, user.clone()), key)
    }

    pub(crate) fn len(&self) -> usize {
        self.known.lock().peers.len()
    }

    /// All connections.
    pub(crate) fn all(&self) -> Vec<Arc<Peer>> {
        self.known.lock().peers.iter().map(|(_, peer)| peer.clone()).collect()
    }

    /// Looks at every connection in turn, in pieces, and lets others run in between.
    pub(crate) async fn sweep(&self, works: &Works) {
        let mut next_key = 0;
        loop {
            let piece: Vec<Arc<Peer>> = {
                let known = self.known.lock();
                let keys = known.peers.capacity();
                if next_key >= keys {
                    return;
                }
                let piece = next_key..keys.min(next_key + PIECE_PEERS);
                next_key = piece.end;
                piece.filter_map(|key| known.peers.get(key).cloned()).collect()
            };
            let now_ms = works.now_ms();
            for peer in piece {
                peer.sweep(&works.config, now_ms);
            }
            tokio::task::yield_now().await;
        }
    }
}
