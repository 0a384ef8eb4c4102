//! Tokens that are void before they expire: what reception says when rights are taken or changed, and what relays know of it.
//!
//! A revocation is told as news, which may be lost, and stands in a journal of its own, which relays read every few seconds from where they
//! were ([`Reader`]). Nothing of it is needed for longer than a token lives: with each one that is written those that are over go, and
//! the journal vanishes when nothing was revoked for so long.
//!
//! Nodes of the releases before do not listen and do not read it.

use std::collections::BTreeMap;

use bytes::Bytes;
use metrics::counter;
use protocol::{
    id::{LoginId, Position, RoomId, UserId},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tracing::debug;

use crate::{
    channel::Channel,
    node::{decode, encode},
    ports::Ports,
    store::{AppendError, Store, Unavailable},
};

/// What the journal of revocations is called among those of rooms. No room is: it stands in no directory.
pub const JOURNAL: &str = "..revoked";

/// So many revocations go into one message at most.
const TOLD_MAX: usize = 256;

/// So many messages are read at a time.
const PAGE: usize = 256;

/// Whoever reads on reads what is so much earlier again, milliseconds: the clocks of those who write may differ, and the store may have lost
/// its last entries since.
const AGAIN_MS: u64 = 60_000;

/// A revocation is kept for so long after the last token that it is about, milliseconds: tokens have a leeway, and clocks differ.
const BEYOND_MS: u64 = 60_000;

/// So often others may have been faster before it is given up for now.
const TRIES: u32 = 16;

/// Whose tokens are meant: a person's, or those of one login of that person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bearer {
    /// Who.
    pub user: UserId,
    /// Of this login alone.
    pub login: Option<LoginId>,
}

/// Tokens that are void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Whose.
    pub bearer: Bearer,
    /// Those that were made then or earlier.
    pub before_ms: UnixMs,
    /// Until when that has to be known: after it they have expired.
    pub until_ms: UnixMs,
}

/// Reception to relays, on [`Channel::revocations`], and what the journal holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RevocationNews {
    /// These were made.
    Revoked {
        /// At most 256.
        revocations: Vec<Revocation>,
    },
}

/// Has tokens revoked: what reception holds.
pub struct Revoker {
    ports: Ports,
    journal: RoomId,
    /// How long a revocation is kept.
    keep_ms: u64,
    last: Mutex<Position>,
}

impl Revoker {
    /// Tokens live for `token_ms` at most.
    ///
    /// # Panics
    /// Never: the journal's name is one.
    pub fn new(ports: Ports, token_ms: u64) -> Self {
        let keep_ms = token_ms.saturating_add(BEYOND_MS);
        Self { ports, journal: journal(), keep_ms, last: Mutex::default() }
    }

    /// Has all tokens of these bearers void that were made until now. To be called *after* what made it necessary is stored, so that a
    /// token which is made later knows of it. Relays hear of it at once; those that do not hear it read it within seconds.
    ///
    /// # Errors
    /// [`Unavailable`]: relays may have heard of it or not. To be called again until it is done.
    pub async fn revoke(&self, bearers: &[Bearer]) -> Result<(), Unavailable> {
        let before_ms = self.ports.clock.now_ms();
        let until_ms = before_ms.saturating_add(self.keep_ms);
        let mut result = Ok(());
        for bearers in bearers.chunks(TOLD_MAX) {
            let revoked = |bearer: &Bearer| Revocation { bearer: bearer.clone(), before_ms, until_ms };
            let news = RevocationNews::Revoked { revocations: bearers.iter().map(revoked).collect() };
            let news = encode(&news);
            let told = self.ports.bus.publish(&Channel::revocations(), news.clone());
            let (told, written) = tokio::join!(told, self.write(news));
            if let Err(error) = told {
                debug!(%error, "relays were not told of revocations; they will read them");
            }
            result = result.and(written);
        }
        result
    }

    async fn write(&self, entry: Bytes) -> Result<(), Unavailable> {
        let mut last = self.last.lock().await;
        for _ in 0..TRIES {
            let now = self.ports.clock.now_ms();
            let at = Position::new(now, 0).max(Position(last.epoch(), last.seq().next()));
            let keep_from = Position::new(now.saturating_sub(self.keep_ms), 0);
            match self.ports.store.append(&self.journal, at, entry.clone(), Some(keep_from)).await {
                Ok(()) => {
                    *last = at;
                    // If this is lost, the next one does it.
                    if let Err(error) =
                        self.ports.store.expire(&self.journal, self.keep_ms.div_ceil(1_000) + 1).await
                    {
                        debug!(%error, "the journal of revocations does not end by itself yet");
                    }
                    return Ok(());
                }
                // Another reception was faster.
                Err(AppendError::Fenced) => {
                    let newest = self.ports.store.last(&self.journal).await?;
                    // Trimmed or expired it may hold none, and still know of a later one.
                    *last = newest.map_or(at, |newest| newest.at).max(at);
                }
                Err(AppendError::Unavailable(error)) => return Err(error),
                Err(error @ (AppendError::Refused(_) | AppendError::Gone)) => {
                    return Err(Unavailable(error.to_string()));
                }
            }
        }
        Err(Unavailable("others write too much".into()))
    }
}

fn journal() -> RoomId {
    RoomId::new(JOURNAL).expect("dots and letters make a name")
}

/// Up to where a relay has read.
#[derive(Debug, Default)]
pub struct Reader {
    read: Option<Position>,
}

impl Reader {
    /// What is new since the last time, and some of what is not.
    ///
    /// # Errors
    /// [`Unavailable`]. May be tried again.
    pub async fn read(&mut self, store: &dyn Store) -> Result<Vec<Revocation>, Unavailable> {
        let journal = journal();
        let mut after = self.read.map(|read| Position::new(read.epoch().0.saturating_sub(AGAIN_MS), 0));
        let mut found = Vec::new();
        loop {
            let page = store.read(&journal, after, PAGE).await?;
            let is_full = page.len() == PAGE;
            for stored in page {
                after = Some(stored.at);
                match decode(&stored.bytes) {
                    Ok(RevocationNews::Revoked { revocations }) => found.extend(revocations),
                    // Of a later release.
                    Err(error) => {
                        counter!("cardhouse_revocations_malformed_total").increment(1);
                        debug!(%error, at = %stored.at, "a revocation that cannot be read");
                    }
                }
            }
            if !is_full {
                self.read = self.read.max(after);
                return Ok(found);
            }
        }
    }
}

/// The revocations that a relay knows.
#[derive(Debug)]
pub struct Revocations {
    known: BTreeMap<Bearer, Known>,
    /// So many bearers at most.
    max: usize,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    before_ms: UnixMs,
    until_ms: UnixMs,
}

impl Revocations {
    /// None, and room for those of `max` bearers. When there are more, those are forgotten that are over first.
    pub fn new(max: usize) -> Self {
        Self { known: BTreeMap::new(), max }
    }

    /// Takes one in. Whether it says something new.
    pub fn take(&mut self, revocation: Revocation, now_ms: UnixMs) -> bool {
        let Revocation { bearer, before_ms, until_ms } = revocation;
        if until_ms <= now_ms {
            return false;
        }
        if let Some(known) = self.known.get_mut(&bearer) {
            let is_new = before_ms > known.before_ms;
            known.before_ms = known.before_ms.max(before_ms);
            known.until_ms = known.until_ms.max(until_ms);
            return is_new;
        }
        self.known.insert(bearer, Known { before_ms, until_ms });
        if self.known.len() > self.max {
            self.forget(now_ms);
        }
        while self.known.len() > self.max {
            counter!("cardhouse_revocations_dropped_total").increment(1);
            let first = self.known.iter().min_by_key(|(_, known)| known.until_ms);
            let Some(bearer) = first.map(|(bearer, _)| bearer.clone()) else { break };
            self.known.remove(&bearer);
        }
        true
    }

    /// Whether a token of this user and login, made then, is void.
    pub fn void(&self, user: &UserId, login: Option<&LoginId>, issued_ms: UnixMs) -> bool {
        let is_void = |login: Option<&LoginId>| {
            let bearer = Bearer { user: user.clone(), login: login.cloned() };
            self.known.get(&bearer).is_some_and(|known| issued_ms <= known.before_ms)
        };
        is_void(None) || login.is_some() && is_void(login)
    }

    /// Forgets those that are over.
    pub fn forget(&mut self, now_ms: UnixMs) {
        self.known.retain(|_, known| now_ms < known.until_ms);
    }

    /// How many bearers' there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protocol::id::NodeId;
    use tokio::time::{Duration, advance};

    use super::*;
    use crate::{
        bus::memory::MemoryBus,
        clock::Clock,
        store::memory::MemoryStore,
        wire::{LinkState, Wire},
    };

    const TOKEN_MS: u64 = 600_000;

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    fn login(name: &str) -> LoginId {
        LoginId::new(name).unwrap()
    }

    fn all_of(name: &str) -> Bearer {
        Bearer { user: user(name), login: None }
    }

    fn one_of(name: &str, of: &str) -> Bearer {
        Bearer { user: user(name), login: Some(login(of)) }
    }

    fn revocation(bearer: Bearer, before_ms: UnixMs) -> Revocation {
        Revocation { bearer, before_ms, until_ms: before_ms + TOKEN_MS }
    }

    fn ports(wire: &Arc<Wire>) -> (Ports, MemoryStore) {
        let node = NodeId::new("reception").unwrap();
        let store = MemoryStore::new(wire.clone(), &node);
        let bus = Arc::new(MemoryBus::new(wire.clone(), &node));
        (Ports { bus, store: Arc::new(store.clone()), clock: Clock::starting_at(1_800_000_000_000) }, store)
    }

    #[test]
    fn a_token_that_was_made_until_the_revocation_is_void_and_a_later_one_is_not() {
        let mut known = Revocations::new(9);
        assert!(known.take(revocation(all_of("ann"), 1_000), 1_000));
        let void = |issued_ms| known.void(&user("ann"), Some(&login("l-1")), issued_ms);
        assert!(void(999) && void(1_000) && !void(1_001));
        assert!(known.void(&user("ann"), None, 5), "tokens of the release before name no login");
        assert!(!known.void(&user("bob"), None, 5));
    }

    /// Where tokens tell only the second, one of the two is judged wrongly.
    #[test]
    fn of_two_tokens_of_the_same_second_the_one_before_the_revocation_is_void_and_the_one_after_it_is_not() {
        let mut known = Revocations::new(9);
        known.take(revocation(all_of("ann"), 1_700_000_000_500), 1_700_000_000_500);
        let void = |issued_ms| known.void(&user("ann"), None, issued_ms);
        assert!(void(1_700_000_000_250) && !void(1_700_000_000_750));
    }

    #[test]
    fn a_login_that_was_ended_ends_no_other() {
        let mut known = Revocations::new(9);
        known.take(revocation(one_of("ann", "l-1"), 1_000), 1_000);
        assert!(known.void(&user("ann"), Some(&login("l-1")), 1_000));
        assert!(!known.void(&user("ann"), Some(&login("l-2")), 1_000));
        assert!(!known.void(&user("ann"), None, 1_000));
        assert!(!known.void(&user("bob"), Some(&login("l-1")), 1_000), "another's login of the same name");
    }

    #[test]
    fn what_comes_again_is_nothing_new_and_what_comes_late_takes_nothing_back() {
        let mut known = Revocations::new(9);
        assert!(known.take(revocation(all_of("ann"), 2_000), 2_000));
        assert!(!known.take(revocation(all_of("ann"), 2_000), 2_000));
        assert!(!known.take(revocation(all_of("ann"), 1_000), 2_000));
        assert!(known.void(&user("ann"), None, 2_000));
        assert!(known.take(revocation(all_of("ann"), 3_000), 3_000));
    }

    #[test]
    fn a_relay_knows_so_many_at_most_and_forgets_what_is_over() {
        let mut known = Revocations::new(3);
        for (index, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            known.take(revocation(all_of(name), 1_000 + index as u64), 1_000);
        }
        assert_eq!(known.len(), 3);
        assert!(!known.void(&user("a"), None, 5) && known.void(&user("d"), None, 5));
        assert!(!known.take(revocation(all_of("e"), 1_000), 1_000 + TOKEN_MS), "it is over");
        known.forget(1_002 + TOKEN_MS);
        assert_eq!(known.len(), 1);
        known.forget(1_003 + TOKEN_MS);
        assert!(known.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_leaves_the_store_with_the_next_one_and_by_itself() {
        let wire = Wire::perfect();
        let (ports, store) = ports(&wire);
        let revoker = Revoker::new(ports, TOKEN_MS);
        let stored = async || store.read(&journal(), None, 99).await.unwrap().len();
        revoker.revoke(&[all_of("ann")]).await.unwrap();
        revoker.revoke(&[all_of("bob")]).await.unwrap();
        assert_eq!(stored().await, 2);
        advance(Duration::from_millis(TOKEN_MS + BEYOND_MS - 1)).await;
        revoker.revoke(&[all_of("cyd")]).await.unwrap();
        assert_eq!(stored().await, 3, "no token of theirs may live any more from now on");
        advance(Duration::from_millis(2)).await;
        revoker.revoke(&[all_of("dan")]).await.unwrap();
        assert_eq!(stored().await, 2);
        advance(Duration::from_millis(TOKEN_MS + BEYOND_MS + 3_000)).await;
        assert_eq!(stored().await, 0);
        revoker.revoke(&[all_of("eve")]).await.unwrap();
        assert_eq!(stored().await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_receptions_that_revoke_at_once_both_are_read() {
        let wire = Wire::perfect();
        let (ports, store) = ports(&wire);
        let (one, other) = (Revoker::new(ports.clone(), TOKEN_MS), Revoker::new(ports, TOKEN_MS));
        let mut reader = Reader::default();
        assert_eq!(reader.read(&store).await.unwrap(), []);
        for number in 0..20 {
            let (by_one, by_other) =
                ([all_of(&format!("a{number}"))], [one_of("bob", &format!("l{number}"))]);
            let (one, other) = tokio::join!(one.revoke(&by_one), other.revoke(&by_other));
            one.and(other).unwrap();
        }
        let read = reader.read(&store).await.unwrap();
        assert_eq!(read.len(), 40);
        assert!((0..20).all(|number| read.iter().any(|r| r.bearer == all_of(&format!("a{number}")))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_goes_on_from_a_while_before_where_it_was() {
        let wire = Wire::perfect();
        let (ports, store) = ports(&wire);
        let revoker = Revoker::new(ports, TOKEN_MS);
        let many: Vec<Bearer> = (0..TOLD_MAX * 2 + 1).map(|number| all_of(&format!("u{number}"))).collect();
        revoker.revoke(&many).await.unwrap();
        let mut reader = Reader::default();
        assert_eq!(reader.read(&store).await.unwrap().len(), many.len());
        assert_eq!(reader.read(&store).await.unwrap().len(), many.len(), "they are not old yet");
        advance(Duration::from_millis(AGAIN_MS + 1)).await;
        for number in 0..PAGE {
            revoker.revoke(&[one_of("ann", &format!("l{number}"))]).await.unwrap();
        }
        assert!(reader.read(&store).await.unwrap().len() >= PAGE, "more than a page");
        assert_eq!(reader.read(&store).await.unwrap().len(), PAGE);
    }

    /// Whoever goes on from a position that the store has lost would miss what comes before it is reached again.
    #[tokio::test(start_paused = true)]
    async fn what_is_revoked_after_the_store_has_lost_its_journal_is_read_though_that_clock_is_behind() {
        let wire = Wire::perfect();
        let (ports, store) = ports(&wire);
        let behind = Ports { clock: Clock::starting_at(ports.clock.now_ms() - 30_000), ..ports.clone() };
        let mut reader = Reader::default();
        Revoker::new(ports, TOKEN_MS).revoke(&[all_of("ann")]).await.unwrap();
        reader.read(&store).await.unwrap();
        assert!(store.forget(&journal()));
        Revoker::new(behind, TOKEN_MS).revoke(&[all_of("bob")]).await.unwrap();
        let read = reader.read(&store).await.unwrap();
        assert_eq!(read.into_iter().map(|revocation| revocation.bearer).collect::<Vec<_>>(), [all_of("bob")]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_revokes_and_reaches_nobody_is_told() {
        let wire = Wire::perfect();
        let (ports, store) = ports(&wire);
        let revoker = Revoker::new(ports, TOKEN_MS);
        store.link().set(LinkState::Refusing);
        assert!(revoker.revoke(&[all_of("ann")]).await.is_err());
        store.link().heal();
        store.refuse_writes(Some("OOM it says"));
        let refused = revoker.revoke(&[all_of("ann")]).await.unwrap_err();
        assert!(refused.0.contains("OOM"), "{refused}");
        store.refuse_writes(None);
        revoker.revoke(&[all_of("ann")]).await.unwrap();
        assert_eq!(Reader::default().read(&store).await.unwrap().len(), 1);
    }
}
