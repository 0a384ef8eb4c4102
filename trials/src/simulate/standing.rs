//! What a simulated reception knows of guests: who may come in, who may talk, and which of their tokens are void.

use std::collections::BTreeMap;

use broker::{
    clock::Clock,
    ports::Ports,
    revocations::{Bearer, Revoker},
};
use parking_lot::Mutex;
use protocol::{
    id::UserId,
    rights::{Can, Rights},
    time::UnixMs,
};
use tokio::time::Duration;

/// How a guest stands with the house.
#[derive(Debug, Clone, Copy)]
pub(super) enum Standing {
    /// May what everybody may.
    Good,
    /// May not talk.
    Muted,
    /// Gets no token for so long.
    BannedFor(Duration),
}

/// See the module.
pub(super) struct Standings {
    revoker: Revoker,
    clock: Clock,
    known: Mutex<BTreeMap<UserId, Known>>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    can: Can,
    banned_until_ms: UnixMs,
    /// Tokens that were made until then are void.
    void_ms: UnixMs,
}

impl Standings {
    /// Tokens live for `token_ms`.
    pub(super) fn new(ports: Ports, token_ms: u64) -> Self {
        Self { clock: ports.clock, revoker: Revoker::new(ports, token_ms), known: Mutex::default() }
    }

    /// From now on a guest stands so; tokens from before are void.
    pub(super) async fn set(&self, user: &UserId, standing: Standing) {
        let now_ms = self.clock.now_ms();
        let known = match standing {
            Standing::Good => Known { can: Can::ALL, banned_until_ms: 0, void_ms: now_ms },
            Standing::Muted => {
                Known { can: Can::ALL.without(Can::CHAT), banned_until_ms: 0, void_ms: now_ms }
            }
            Standing::BannedFor(time) => {
                let banned_until_ms = now_ms + u64::try_from(time.as_millis()).expect("a short time");
                Known { can: Can::ALL, banned_until_ms, void_ms: now_ms }
            }
        };
        self.known.lock().insert(user.clone(), known);
        let bearer = Bearer { user: user.clone(), login: None };
        self.revoker.revoke(&[bearer]).await.expect("nothing goes wrong on reception's link");
    }

    /// What a new token would say.
    ///
    /// # Errors
    /// There is none for so long.
    pub(super) fn rights(&self, user: &UserId) -> Result<Rights, Duration> {
        let Some(known) = self.known.lock().get(user).copied() else { return Ok(Rights::default()) };
        match known.banned_until_ms.saturating_sub(self.clock.now_ms()) {
            0 => Ok(Rights { can: known.can, ..Rights::default() }),
            left_ms => Err(Duration::from_millis(left_ms)),
        }
    }

    /// How long a token that was made then has been void.
    pub(super) fn void_for(&self, user: &UserId, issued_ms: UnixMs) -> Option<Duration> {
        let void_ms = self.known.lock().get(user)?.void_ms;
        (issued_ms <= void_ms).then(|| Duration::from_millis(self.clock.now_ms().saturating_sub(void_ms)))
    }
}
