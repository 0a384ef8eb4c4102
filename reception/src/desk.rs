//! Where tokens are handed out. The house's bots come here directly; everybody else over HTTP ([`api`](crate::api)).

use std::{fmt, sync::Arc};

use broker::clock::Clock;
use protocol::{
    id::UserId,
    rights::{Rights, Roles},
    text::PlayerName,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use tokens::{Claims, TokenError};

use crate::{guest, keyring::Keyring};

/// Hands out tokens. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    keyring: Arc<Keyring>,
    clock: Clock,
    token_ms: u64,
}

/// A token, and what it says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// For `hello` and `refresh` on the WebSocket, and for `POST /api/refresh`.
    pub token: String,
    /// Who it names.
    pub user: UserId,
    /// The name that others see.
    pub name: String,
    /// When it ends.
    pub expires_ms: UnixMs,
}

/// Never the token.
impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, name, expires_ms, .. } = self;
        f.debug_struct("Issued")
            .field("user", user)
            .field("name", name)
            .field("expires_ms", expires_ms)
            .finish()
    }
}

impl Desk {
    /// `keyring` signs; by `clock` a token ends `token_ms` after it was made.
    pub fn new(keyring: Arc<Keyring>, clock: Clock, token_ms: u64) -> Self {
        Self { keyring, clock, token_ms }
    }

    /// The keys.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// A token for a new user of this name.
    pub fn new_guest(&self, name: &PlayerName) -> Issued {
        metrics::counter!("reception_tokens_total", "for" => "guest").increment(1);
        self.issue(guest::new_guest(&mut rand::rng()), name)
    }

    /// A token for one of the house's bots, which may have been here before.
    pub fn bot(&self, bot: UserId, name: &PlayerName) -> Issued {
        metrics::counter!("reception_tokens_total", "for" => "bot").increment(1);
        self.issue(bot, name)
    }

    /// A token for one of the house's bots that does what others want done, in rooms where jobs wait.
    pub fn agent(&self, bot: UserId, name: &PlayerName) -> Issued {
        metrics::counter!("reception_tokens_total", "for" => "agent").increment(1);
        let rights = Rights { roles: Roles::AGENT, ..Rights::default() };
        self.sign(Claims::new(bot, name.as_str(), self.clock.now_ms(), self.token_ms).with(rights))
    }

    /// A later token for the user of this one, whose name may be of an older house.
    ///
    /// # Errors
    /// When the token is not, or no longer, valid.
    pub fn refresh(&self, token: &str) -> Result<Issued, TokenError> {
        let claims = self.keyring.keys().public().verify(token, self.clock.now_ms())?;
        metrics::counter!("reception_tokens_total", "for" => "refresh").increment(1);
        Ok(self.issue(claims.sub, &PlayerName::salvaged(&claims.name)))
    }

    /// Makes a token and checks it with the published keys: what readiness asks.
    ///
    /// # Errors
    /// When clients could not use what they would get.
    pub fn check(&self) -> Result<(), TokenError> {
        let nobody = UserId::new("nobody").expect("a plain word is a name");
        let now_ms = self.clock.now_ms();
        let keys = self.keyring.keys();
        keys.public().verify(&keys.sign(&Claims::new(nobody, "", now_ms, 0)), now_ms).map(drop)
    }

    /// How long tokens are valid, milliseconds.
    pub fn token_ms(&self) -> u64 {
        self.token_ms
    }

    /// The time by which tokens are made.
    pub fn now_ms(&self) -> UnixMs {
        self.clock.now_ms()
    }

    fn issue(&self, user: UserId, name: &PlayerName) -> Issued {
        self.sign(Claims::new(user, name.as_str(), self.clock.now_ms(), self.token_ms))
    }

    /// The token that says this.
    pub(crate) fn sign(&self, claims: Claims) -> Issued {
        let token = self.keyring.keys().sign(&claims);
        Issued { token, expires_ms: claims.expires_ms(), user: claims.sub, name: claims.name }
    }
}
