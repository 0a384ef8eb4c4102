//! Tokens for those who do work: guests whom staff has given the role, signed with reception's own key.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use broker::clock::Clock;
use player::guest::{Guest, NoToken, Tokens};
use protocol::{
    id::UserId,
    rights::{Rights, Roles},
};
use tokens::{Claims, Signer};

/// A token is good for so long, milliseconds.
const TOKEN_MS: u64 = 10 * 60_000;

/// See the module.
#[derive(Clone)]
pub(super) struct Badges(Arc<Signer>);

impl Badges {
    /// With the key in this folder.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn of(keys: &Path) -> anyhow::Result<Self> {
        let files = std::fs::read_dir(keys).with_context(|| keys.display().to_string())?;
        let is_key = |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "pem");
        let key = files.filter_map(|file| Some(file.ok()?.path())).find(is_key).context("there is no key")?;
        Ok(Self(Arc::new(Signer::from_pem(&std::fs::read_to_string(key)?)?)))
    }

    /// For this user.
    pub(super) fn of_user(&self, user: UserId) -> Badge {
        Badge { signer: self.0.clone(), user }
    }
}

/// A user's tokens.
pub(super) struct Badge {
    signer: Arc<Signer>,
    user: UserId,
}

impl Badge {
    fn sign(&self) -> Guest {
        let (name, now_ms) = (self.user.to_string(), Clock::system().now_ms());
        let rights = Rights { roles: Roles::AGENT, ..Rights::default() };
        let claims = Claims::new(self.user.clone(), &name, now_ms, TOKEN_MS).with(rights);
        let token = self.signer.sign(&claims);
        Guest { token, user: self.user.clone(), name, expires_ms: claims.expires_ms(), refresh: None }
    }
}

impl Tokens for Badge {
    async fn guest(&self, _: &str) -> Result<Guest, NoToken> {
        Ok(self.sign())
    }

    async fn refresh(&self, _: &Guest) -> Result<Guest, NoToken> {
        Ok(self.sign())
    }
}
