//! Requests to providers: each has an end, and its answer a size. Redirects are not followed: a provider's own document says where things are.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::{BadProviders, Refused};

/// What a request may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// From its beginning to the end of the answer.
    pub within: Duration,
    /// The largest body of an answer, bytes.
    pub bytes_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { within: Duration::from_secs(5), bytes_max: 256 * 1024 }
    }
}

/// Asks. Cheap to clone.
#[derive(Clone)]
pub(super) struct Fetcher {
    client: Arc<Ask>,
    bounds: Bounds,
}

/// With TLS, or for a machine's own tests without.
enum Ask {
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
    Plain(Client<HttpConnector, Full<Bytes>>),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer: {0}")]
    Away(String),
    #[error("an answer that is none: {0}")]
    Unclear(String),
}

impl From<FetchError> for Refused {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Away(_) => Self::Away,
            FetchError::Unclear(_) => Self::Unclear,
        }
    }
}

impl Fetcher {
    /// `tls`: with the certificates that the system trusts.
    pub(super) fn new(tls: bool, bounds: Bounds) -> Result<Self, BadProviders> {
        // Each request has its own connection: one that was kept may be closed by the other side in the moment in which a code is sent over
        // it, which is good once. People sign in seldom.
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(0);
        let client = if tls {
            let connector = HttpsConnectorBuilder::new()
                .with_native_roots()
                .map_err(|error| BadProviders::NoRoots(error.to_string()))?;
            Ask::Tls(builder.build(connector.https_or_http().enable_http1().build()))
        } else {
            Ask::Plain(builder.build(HttpConnector::new()))
        };
        Ok(Self { client: Arc::new(client), bounds })
    }

    /// A document in JSON.
    pub(super) async fn get(&self, url: &str) -> Result<Bytes, FetchError> {
        let request = Request::get(url).body(Vec::new());
        let request = request.map_err(|error| FetchError::Unclear(error.to_string()))?;
        let answer = self.send(request).await?;
        match answer.status() {
            StatusCode::OK => Ok(answer.into_body().into()),
            status => Err(FetchError::Unclear(format!("{url} answers {status}"))),
        }
    }

    pub(super) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        let (mut head, body) = request.into_parts();
        head.headers.insert(header::USER_AGENT, HeaderValue::from_static("cardhouse"));
        head.headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        let url = head.uri.clone();
        let request = Request::from_parts(head, Full::new(Bytes::from(body)));
        let whole = async {
            let answer = match &*self.client {
                Ask::Tls(client) => client.request(request).await,
                Ask::Plain(client) => client.request(request).await,
            };
            let (head, body) = answer.map_err(|error| FetchError::Away(chain(&error)))?.into_parts();
            if head.status.is_server_error() || head.status == StatusCode::TOO_MANY_REQUESTS {
                return Err(FetchError::Away(format!("it answers {}", head.status)));
            }
            let body = Limited::new(body, self.bounds.bytes_max).collect().await.map_err(|error| {
                if error.is::<http_body_util::LengthLimitError>() {
                    FetchError::Unclear(format!("more than {} bytes", self.bounds.bytes_max))
                } else {
                    FetchError::Away(error.to_string())
                }
            })?;
            Ok(Response::from_parts(head, body.to_bytes().into()))
        };
        let late = |_| Err(FetchError::Away(format!("not within {:?}", self.bounds.within)));
        let answer = tokio::time::timeout(self.bounds.within, whole).await.unwrap_or_else(late);
        if let Err(error) = &answer {
            // No query: a code would be told in a log.
            tracing::warn!(host = url.host().unwrap_or_default(), path = url.path(), %error, "a provider was asked in vain");
        }
        answer
    }
}

/// An error and what is behind it: hyper says no more than that it could not connect.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
