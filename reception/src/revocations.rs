//! Who makes tokens void that were given out: a port. Relays hear of it, and close what was opened with them.

use std::{pin::Pin, time::Duration};

use protocol::id::{LoginId, UserId};

/// Whose tokens become void: a person's, or those of one login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// Who.
    pub user: UserId,
    /// Of this login alone.
    pub login: Option<LoginId>,
}

/// It could not be told. To be tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("relays could not be told of revocations: {0}")]
pub struct NotTold(pub String);

/// Makes tokens void on live sockets.
pub trait Revocations: Send + Sync + 'static {
    /// All tokens of these bearers that were made until now are void.
    fn revoke<'a>(
        &'a self,
        bearers: &'a [Bearer],
    ) -> Pin<Box<dyn Future<Output = Result<(), NotTold>> + Send + 'a>>;
}

/// For a house whose sockets nobody can reach: what was opened stays open until its token ends.
pub struct Nobody;

impl Revocations for Nobody {
    fn revoke<'a>(
        &'a self,
        _: &'a [Bearer],
    ) -> Pin<Box<dyn Future<Output = Result<(), NotTold>> + Send + 'a>> {
        Box::pin(async { Ok(()) })
    }
}

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(500);

/// Tells until it is told, or until `tokens` have ended anyway.
pub(crate) async fn until_told(to: &dyn Revocations, bearers: &[Bearer], tokens: Duration) {
    let told = async {
        while let Err(error) = to.revoke(bearers).await {
            tracing::warn!(%error, "trying again");
            tokio::time::sleep(AGAIN).await;
        }
    };
    if tokio::time::timeout(tokens, told).await.is_err() {
        tracing::error!("relays were never told of revocations; the tokens have ended meanwhile");
    }
}
