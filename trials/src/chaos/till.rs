//! The till that counters pay to, over HTTP: it stands in the process of chaos, where nothing is killed, and has troubles of its own.

use std::{net::Ipv4Addr, sync::Arc};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use protocol::id::RoomId;
use rooms::{
    room::errands::{Away, Errand, Outcome, Service},
    testing::Till,
};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// How often something goes wrong with one asking.
const TROUBLES: f64 = 0.2;

/// A till that listens, until it is dropped.
pub struct TillServer {
    /// What it has taken.
    pub till: Arc<Till>,
    /// Where it listens, on every address of this machine.
    pub port: u16,
    _serving: AbortOnDropHandle<()>,
}

impl TillServer {
    /// Opens it. `is_forgetful`: it takes what it has taken before, to see that this is seen.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn open(seed: u64, is_forgetful: bool) -> std::io::Result<Self> {
        let till = Arc::new(Till::troubled(seed, TROUBLES));
        if is_forgetful {
            till.forget_names();
        }
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
        let port = listener.local_addr()?.port();
        let routes = Router::new().route("/", post(ask)).with_state(till.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the till has ended");
            }
        });
        Ok(Self { till, port, _serving: AbortOnDropHandle::new(serving) })
    }
}

async fn ask(State(till): State<Arc<Till>>, body: Bytes) -> Result<Vec<u8>, StatusCode> {
    let (room, errand): (RoomId, Errand) =
        postcard::from_bytes(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let outcome = till.ask(&room, &errand).await.map_err(|Away(_)| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(postcard::to_stdvec(&outcome).expect("an outcome has a known length"))
}

/// The way of a worker to it.
pub struct TillAt {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
}

impl TillAt {
    /// `url` such as `http://127.0.0.1:8080/`.
    pub fn new(url: String) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), url }
    }

    async fn post(&self, body: Vec<u8>) -> anyhow::Result<Outcome> {
        let answer = self.client.request(Request::post(&self.url).body(Full::from(body))?).await?;
        anyhow::ensure!(answer.status() == StatusCode::OK, "it answers {}", answer.status());
        Ok(postcard::from_bytes(&answer.into_body().collect().await?.to_bytes())?)
    }
}

impl Service for TillAt {
    fn ask(&self, room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        let body = postcard::to_stdvec(&(room, errand)).expect("an errand has a known length");
        Box::pin(async move { self.post(body).await.map_err(|error| Away(format!("{error:#}"))) })
    }
}
