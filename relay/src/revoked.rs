//! Which tokens are void before they expire, as this relay knows it: by news, and by reading the journal of revocations every few seconds,
//! since news may be lost.

use std::time::Duration;

use broker::{
    revocations::{Reader, Revocation, Revocations},
    store::Store,
};
use parking_lot::Mutex;
use protocol::{
    id::{LoginId, UserId},
    time::UnixMs,
};
use tokens::Claims;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use crate::{config::RelayConfig, registry::Registry, works::Works};

/// A journal that could not be read is read again after so long.
const READ_AGAIN: Duration = Duration::from_millis(250);

/// See the module.
pub(crate) struct Revoked {
    known: Mutex<Revocations>,
    /// News may have been missed.
    missed: Notify,
}

/// What of a token decides whether it is void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) user: UserId,
    login: Option<LoginId>,
    issued_ms: UnixMs,
}

impl From<&Claims> for Shown {
    fn from(claims: &Claims) -> Self {
        Self { user: claims.sub.clone(), login: claims.sid.clone(), issued_ms: claims.issued_ms() }
    }
}

impl Revoked {
    pub(crate) fn new(config: &RelayConfig) -> Self {
        Self { known: Mutex::new(Revocations::new(config.revocations_max)), missed: Notify::new() }
    }

    /// Whether a token is void.
    pub(crate) fn voids(&self, Shown { user, login, issued_ms }: &Shown) -> bool {
        self.known.lock().void(user, login.as_ref(), *issued_ms)
    }

    /// Takes revocations in; whose they are that say something new.
    pub(crate) fn take(&self, revocations: Vec<Revocation>, works: &Works) -> Vec<UserId> {
        let now_ms = works.now_ms();
        let mut known = self.known.lock();
        let new = revocations.into_iter().filter_map(|revocation| {
            let user = revocation.bearer.user.clone();
            known.take(revocation, now_ms).then_some(user)
        });
        let new = new.collect();
        works.metrics.revocations.set(known.len() as f64);
        new
    }

    /// Has the journal read now.
    pub(crate) fn missed(&self) {
        self.missed.notify_one();
    }

    /// Reads the journal, for ever.
    pub(crate) async fn follow(&self, registry: &Registry, works: &Works, store: &dyn Store) {
        let every = Duration::from_millis(works.config.revocations_reread_ms);
        let mut reader = Reader::default();
        loop {
            match works.answer(reader.read(store)).await {
                Ok(revocations) => {
                    registry.revoke(revocations, works);
                    self.known.lock().forget(works.now_ms());
                    let _ = timeout(every, self.missed.notified()).await;
                }
                Err(error) => {
                    works.metrics.revocation_reads_failed.increment(1);
                    tracing::debug!(error, "revocations could not be read");
                    sleep(READ_AGAIN).await;
                }
            }
        }
    }
}
