//! What was refused to whoever asked again, where the next owner reads it.
//!
//! Refusals are in no journal. A command that was said before may be on its way from two relays: its client was told of a refusal by the one,
//! and the other, which has heard of nothing, says it to the next owner. So a refusal of such a command is written down before it is told,
//! and read by every owner after its claim. A refusal is told only if the journal says *after* it was written that the room is
//! still this owner's: then every later claim, and what is read after that, comes behind it.
//!
//! Of each session the last one is written, as it was told. What comes before that in the session, and was not applied, is stale.

use std::{collections::BTreeMap, sync::Arc};

use broker::{
    channel::refused_key,
    entry::Cause,
    store::{Store, Unavailable},
};
use bytes::Bytes;
use futures_util::future::try_join_all;
use protocol::{
    id::{RoomId, SessionId, UserId},
    time::UnixMs,
};
use serde::Deserialize;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::{
    answers::Refused,
    journal::{LOOK_TIMEOUT, until_answered},
};
use crate::planted::{Fault, is_planted};

/// So many are taken away with one that is written.
const FORGOTTEN_AT_ONCE: usize = 2;

/// The refusals of a room that stand in the store.
pub struct Noted {
    store: Arc<dyn Store>,
    map: String,
    last: BTreeMap<(UserId, SessionId), Last>,
}

/// A session's last one.
struct Last {
    n: u64,
    body: Bytes,
}

/// What is read of a whole `refused` message.
#[derive(Deserialize)]
struct Numbered {
    n: u64,
}

impl Noted {
    /// What earlier owners have written, if there were any; read after the claim.
    pub async fn read(store: Arc<dyn Store>, room: &RoomId, had_owner: bool) -> Self {
        let map = refused_key(room);
        let fields = if had_owner { until_answered(|| store.map_all(&map)).await } else { Vec::new() };
        let read = |(field, body): (String, Bytes)| {
            let last = name(&field).zip(serde_json::from_slice::<Numbered>(&body).ok());
            if last.is_none() {
                warn!(%room, field, "what an earlier owner has refused is not understood");
            }
            last.map(|(whose, Numbered { n })| (whose, Last { n, body }))
        };
        Self { last: fields.into_iter().filter_map(read).collect(), store, map }
    }

    /// All of them, as a room remembers them.
    pub fn remembered(&self, now: UnixMs) -> Refused {
        let mut refused = Refused::default();
        for ((user, session), Last { n, body }) in &self.last {
            let cause = Cause { user: user.clone(), session: *session, n: *n, said: None };
            refused.remember(&cause, body.clone(), now);
        }
        refused
    }

    /// Writes one down that is about to be told; drives nothing by itself. `false` if the store does not say that it has it.
    pub fn note(&mut self, cause: &Cause, body: &Bytes) -> impl Future<Output = bool> + Send + 'static {
        let whose = (cause.user.clone(), cause.session);
        let (store, map, field) = (self.store.clone(), self.map.clone(), field(&whose));
        let last = self.last.entry(whose).or_insert_with(|| Last { n: cause.n, body: body.clone() });
        if last.n < cause.n {
            *last = Last { n: cause.n, body: body.clone() };
        }
        let body = last.body.clone();
        async move {
            if is_planted(Fault::NotesNoRefusals) {
                return true;
            }
            matches!(timeout(LOOK_TIMEOUT, store.map_set(&map, &field, body)).await, Ok(Ok(())))
        }
    }

    /// Takes away some of sessions that the room has forgotten: more than are written meanwhile. `None`: there are none.
    pub fn forget(
        &mut self,
        is_known: impl Fn(&UserId, SessionId) -> bool,
    ) -> Option<impl Future<Output = ()> + Send + 'static> {
        let forgotten = self.last.extract_if(.., |(user, session), _| !is_known(user, *session));
        let fields: Vec<String> = forgotten.take(FORGOTTEN_AT_ONCE).map(|(whose, _)| field(&whose)).collect();
        let (store, map) = (self.store.clone(), self.map.clone());
        (!fields.is_empty()).then_some(async move {
            for field in fields {
                // What stays is read by the next owner, and taken away by that.
                if !matches!(timeout(LOOK_TIMEOUT, store.map_remove(&map, &field)).await, Ok(Ok(()))) {
                    debug!(map, "a refusal that is forgotten is still in the store");
                }
            }
        })
    }

    /// Writes all of them once more: the store may have lost some.
    pub async fn restore(&self) {
        let all = self.last.iter();
        let written =
            all.map(|(whose, last)| self.store.map_set(&self.map, &field(whose), last.body.clone()));
        if !matches!(timeout(LOOK_TIMEOUT, try_join_all(written)).await, Ok(Ok(_))) {
            debug!(map = self.map, "the store may have lost refusals");
        }
    }
}

/// Takes away all of a room that has ended.
///
/// # Errors
/// [`Unavailable`]: to be tried again.
pub async fn erase(store: &dyn Store, room: &RoomId) -> Result<(), Unavailable> {
    let map = refused_key(room);
    for field in store.map_fields(&map).await? {
        store.map_remove(&map, &field).await?;
    }
    Ok(())
}

fn field((user, session): &(UserId, SessionId)) -> String {
    format!("{session} {user}")
}

fn name(field: &str) -> Option<(UserId, SessionId)> {
    let (session, user) = field.split_once(' ')?;
    let session = u64::from_str_radix(session, 16).ok()?;
    Some((UserId::new(user).ok()?, SessionId(session)))
}

#[cfg(test)]
mod tests {
    use broker::{store::memory::MemoryStore, wire::Wire};
    use protocol::id::NodeId;

    use super::*;

    fn room() -> RoomId {
        RoomId::new("t1").unwrap()
    }

    fn cause(user: &str, n: u64) -> Cause {
        Cause { user: UserId::new(user).unwrap(), session: SessionId(7), n, said: None }
    }

    fn body(n: u64) -> Bytes {
        format!(r#"{{"t":"refused","n":{n},"room":"t1","code":"late","message":"that turn is over"}}"#).into()
    }

    fn store() -> Arc<MemoryStore> {
        Arc::new(MemoryStore::new(Wire::perfect(), &NodeId::new("w1").unwrap()))
    }

    async fn read(store: &Arc<MemoryStore>) -> Noted {
        Noted::read(store.clone(), &room(), true).await
    }

    fn names(noted: &Noted) -> Vec<(&str, u64)> {
        noted.last.iter().map(|((user, _), last)| (user.as_str(), last.n)).collect()
    }

    #[tokio::test]
    async fn the_next_owner_remembers_the_last_of_each_session_and_takes_away_what_is_forgotten() {
        let store = store();
        let mut noted = read(&store).await;
        for (user, n) in [("ann", 3), ("ann", 5), ("ann", 4), ("bob", 9), ("cleo", 1)] {
            assert!(noted.note(&cause(user, n), &body(n)).await);
        }
        let mut noted = read(&store).await;
        assert_eq!(names(&noted), [("ann", 5), ("bob", 9), ("cleo", 1)]);
        let refused = noted.remembered(0);
        assert_eq!(refused.last_n(&UserId::new("ann").unwrap(), SessionId(7)), 5);
        noted.forget(|user, _| user.as_str() == "ann").unwrap().await;
        assert_eq!(names(&read(&store).await), [("ann", 5)]);
        erase(&*store, &room()).await.unwrap();
        assert!(read(&store).await.last.is_empty());
    }

    #[tokio::test]
    async fn what_the_store_has_lost_is_written_again() {
        let store = store();
        let mut noted = read(&store).await;
        noted.note(&cause("ann", 3), &body(3)).await;
        erase(&*store, &room()).await.unwrap();
        noted.restore().await;
        assert_eq!(names(&read(&store).await), [("ann", 3)]);
    }

    /// What stands here is for ever: workers of other releases read it.
    #[tokio::test]
    async fn what_is_written_stays_what_it_is_and_what_is_not_understood_is_passed_over() {
        let store = store();
        read(&store).await.note(&cause("ann", 3), &body(3)).await;
        let map = "ch:{t1}:refused";
        let written = [("0000000000000007 ann".to_owned(), body(3))];
        assert_eq!(store.map_all(map).await.unwrap(), written);
        for (field, body) in [("ann", body(3)), ("7 bob", "late".into()), ("x bob", body(3)), ("7 ", body(3))]
        {
            store.map_set(map, field, body).await.unwrap();
        }
        assert_eq!(names(&read(&store).await), [("ann", 3)]);
    }
}
