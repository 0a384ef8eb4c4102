//! Asks the cage, in another process, what rooms want of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use broker::pass::Passes;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, Uri, header::AUTHORIZATION};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use metrics::{counter, histogram};
use money::{
    Body as _,
    wire::{Answered, Asked, BYTES_MAX, PATH},
};
use protocol::id::RoomId;
use rooms::room::errands::{Away, Errand, Outcome, Service};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

/// From the beginning of an errand to its answer.
const WITHIN: Duration = Duration::from_secs(2);

/// A cage that does not answer within this has stopped, and another one is asked.
const EACH_WITHIN: Duration = Duration::from_millis(900);

/// Errands on the way at once; others wait, within the same time.
const AT_ONCE: usize = 64;

/// See the module.
pub struct CageClient(Arc<Inner>);

struct Inner {
    /// At least one.
    urls: Vec<Uri>,
    /// Which of them answered last.
    current: AtomicUsize,
    passes: Arc<Passes>,
    client: Client<HttpConnector, Full<Bytes>>,
    permits: Semaphore,
}

/// A URL at which no cage can be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--cage-url {0}: it is like http://reception:8091, without a path")]
pub struct BadCageUrl(String);

impl CageClient {
    /// Asks at these URLs, of which each leads to the same ledger.
    ///
    /// # Errors
    /// [`BadCageUrl`]; also without any.
    pub fn new(urls: &[String], passes: Arc<Passes>) -> Result<Self, BadCageUrl> {
        let urls: Result<Vec<Uri>, _> = urls.iter().map(|url| whole(url)).collect();
        let urls = urls?;
        if urls.is_empty() {
            return Err(BadCageUrl(String::new()));
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(EACH_WITHIN));
        connector.set_nodelay(true);
        let mut builder = Client::builder(TokioExecutor::new());
        // Less than a server keeps one that is silent.
        builder.pool_idle_timeout(Duration::from_secs(3)).pool_timer(hyper_util::rt::TokioTimer::new());
        let client = builder.build(connector);
        let permits = Semaphore::new(AT_ONCE);
        Ok(Self(Arc::new(Inner { urls, current: AtomicUsize::new(0), passes, client, permits })))
    }
}

fn whole(url: &str) -> Result<Uri, BadCageUrl> {
    let bad = || BadCageUrl(url.to_owned());
    let base: Uri = url.parse().map_err(|_| bad())?;
    if base.scheme_str() != Some("http") || base.host().is_none() || !matches!(base.path(), "" | "/") {
        return Err(bad());
    }
    format!("{}{PATH}", url.trim_end_matches('/')).parse().map_err(|_| bad())
}

impl Service for CageClient {
    fn ask(&self, room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        let asked = Asked { room: room.clone(), id: errand.id, body: errand.ask.body.clone() };
        let inner = self.0.clone();
        Box::pin(async move {
            let began = Instant::now();
            let end = began + WITHIN;
            let late = |_| Err("not in time".to_owned());
            let outcome = timeout_at(end, inner.ask(asked.write().into(), end)).await.unwrap_or_else(late);
            let how = match &outcome {
                Ok(Outcome::Done(_)) => "done",
                Ok(Outcome::Refused(_)) => "refused",
                Err(_) => "away",
            };
            counter!("cardhouse_cage_errands_total", "answer" => how).increment(1);
            histogram!("cardhouse_cage_errand_seconds").record(began.elapsed().as_secs_f64());
            outcome.map_err(Away)
        })
    }
}

impl Inner {
    /// Each cage once, the one that answered last first.
    async fn ask(&self, body: Bytes, end: Instant) -> Result<Outcome, String> {
        let permit = self.permits.acquire().await.map_err(|error| error.to_string())?;
        let mut why = String::new();
        for _ in 0..self.urls.len() {
            let at = self.current.load(Relaxed) % self.urls.len();
            // The last one may take what is left.
            let within = if self.urls.len() == 1 { end - Instant::now() } else { EACH_WITHIN };
            let late = |_| Err("it does not answer".to_owned());
            match timeout(within, self.ask_at(&self.urls[at], body.clone())).await.unwrap_or_else(late) {
                Ok(outcome) => {
                    drop(permit);
                    return Ok(outcome);
                }
                Err(error) => {
                    why = format!("{}: {error}", self.urls[at]);
                    // Unless another errand has gone on already.
                    let next = (at + 1) % self.urls.len();
                    let _ = self.current.compare_exchange(at, next, Relaxed, Relaxed);
                }
            }
        }
        Err(why)
    }

    async fn ask_at(&self, url: &Uri, body: Bytes) -> Result<Outcome, String> {
        let (authorization, sent) = self.passes.sign(&body);
        let request = Request::post(url).header(AUTHORIZATION, authorization).body(Full::new(body));
        let request = request.map_err(|error| error.to_string())?;
        let answer = self.client.request(request).await.map_err(|error| chain(&error))?;
        let (head, body) = answer.into_parts();
        if head.status != StatusCode::OK {
            return Err(format!("it answers {}", head.status));
        }
        let body = Limited::new(body, BYTES_MAX).collect().await.map_err(|error| error.to_string())?;
        let body = body.to_bytes();
        let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if !sent.check(&body, authorization) {
            return Err("whoever answers has not the house's key".into());
        }
        match Answered::read(&body).map_err(|error| error.to_string())? {
            Answered::Done(body) => Ok(Outcome::Done(body.into())),
            Answered::Refused(why) => Ok(Outcome::Refused(why.write().into())),
        }
    }
}

/// An error and what is behind it: hyper says no more than that it could not connect.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source())
        .fold(error.to_string(), |text, error| format!("{text}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_at_which_no_cage_can_be_is_told() {
        for bad in ["", "reception:8091", "https://reception", "http://reception/cage", "http://"] {
            assert!(whole(bad).is_err(), "{bad:?}");
        }
        for good in ["http://127.0.0.1:8091", "http://reception:8091/"] {
            assert!(whole(good).unwrap().to_string().ends_with("8091/cage/errands"), "{good}");
        }
    }
}
