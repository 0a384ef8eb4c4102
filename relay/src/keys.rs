//! The public keys that tokens are checked with: given, or fetched from reception's JWKS and fetched again.
//!
//! A set that was good stays until a better one is there: reception being away does not lock anybody out. A token that names
//! an unknown key has the set fetched at once, but not more often than the configured pause.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{StatusCode, Uri};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use protocol::time::UnixMs;
use tokens::{BadKey, Claims, KeySet, TokenError};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use crate::{config::RelayConfig, metrics::Metrics};

/// The largest JWKS that is read, bytes.
const JWKS_BYTES_MAX: usize = 64 * 1024;

/// A fetch takes at most so long.
const FETCH: Duration = Duration::from_secs(2);

/// See the module.
pub struct Keys {
    set: ArcSwap<KeySet>,
    /// Where the set comes from; nowhere, if it was given.
    url: Option<Uri>,
    wanted: Notify,
    /// A fetch is under way or about to be: a token with an unknown key may become good.
    coming: AtomicBool,
}

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denied {
    /// It is not good.
    Token(TokenError),
    /// It names a key that is being looked for.
    KeysComing,
}

/// Why keys could not be fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("no answer within {FETCH:?}")]
    Timeout,
    #[error(transparent)]
    Request(#[from] hyper_util::client::legacy::Error),
    #[error("answered {0}")]
    Status(StatusCode),
    #[error("the answer cannot be read: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("the answer is not text")]
    Text(#[from] std::string::FromUtf8Error),
    #[error(transparent)]
    Keys(#[from] BadKey),
    #[error("the set has no key of ours")]
    Empty,
}

impl Keys {
    /// Keys that are given; [`Keys::replace`] gives others.
    pub fn given(set: KeySet) -> Arc<Self> {
        Arc::new(Self {
            set: ArcSwap::from_pointee(set),
            url: None,
            wanted: Notify::new(),
            coming: AtomicBool::new(false),
        })
    }

    /// Keys that are fetched over HTTP, once the relay runs.
    pub fn fetched(url: Uri) -> Arc<Self> {
        Arc::new(Self {
            set: ArcSwap::default(),
            url: Some(url),
            wanted: Notify::new(),
            coming: AtomicBool::new(true),
        })
    }

    /// Puts another set in place of this one.
    pub fn replace(&self, set: KeySet) {
        self.set.store(Arc::new(set));
    }

    /// Whether there are none, so that nobody can come in.
    pub fn is_empty(&self) -> bool {
        self.set.load().is_empty()
    }

    /// Checks a token.
    pub(crate) fn verify(&self, token: &str, now_ms: UnixMs) -> Result<Claims, Denied> {
        match self.set.load().verify(token, now_ms) {
            Err(TokenError::UnknownKey) if self.coming.load(Relaxed) => {
                self.wanted.notify_one();
                Err(Denied::KeysComing)
            }
            result => result.map_err(Denied::Token),
        }
    }

    /// Keeps the set fresh, for ever.
    pub(crate) async fn follow(&self, config: &RelayConfig, metrics: &Metrics) {
        let Some(url) = &self.url else { return std::future::pending().await };
        let pause = Duration::from_millis(config.keys_refresh_min_ms);
        let refresh = Duration::from_millis(config.keys_refresh_ms.max(config.keys_refresh_min_ms));
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        loop {
            let fetched = match timeout(FETCH, fetch(&client, url)).await {
                Ok(fetched) => fetched,
                Err(_) => Err(FetchError::Timeout),
            };
            let wait = match fetched {
                Ok(set) => {
                    self.replace(set);
                    // Until the pause is over, an unknown key is unknown.
                    self.coming.store(false, Relaxed);
                    refresh
                }
                Err(error) => {
                    metrics.key_fetches_failed.increment(1);
                    tracing::warn!(%url, %error, "the keys could not be fetched");
                    pause
                }
            };
            sleep(pause).await;
            self.coming.store(true, Relaxed);
            let _ = timeout(wait - pause, self.wanted.notified()).await;
        }
    }
}

async fn fetch(
    client: &Client<hyper_util::client::legacy::connect::HttpConnector, Empty<Bytes>>,
    url: &Uri,
) -> Result<KeySet, FetchError> {
    let response = client.get(url.clone()).await?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    let body =
        Limited::new(response.into_body(), JWKS_BYTES_MAX).collect().await.map_err(FetchError::Body)?;
    let set = KeySet::from_json(&String::from_utf8(body.to_bytes().to_vec())?)?;
    if set.is_empty() { Err(FetchError::Empty) } else { Ok(set) }
}
