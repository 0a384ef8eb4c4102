//! What tests of the router share: asking it as a client does, what it answers, and whose tokens it makes void.

use std::{net::SocketAddr, pin::Pin, sync::Mutex};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request},
};
use http_body_util::BodyExt as _;
use reception::{
    ApiConfig,
    revocations::{Bearer, NotTold, Revocations},
};
use serde_json::Value;
use tower::ServiceExt as _;

/// Remembers whose tokens were made void.
#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<Bearer>>);

impl Revocations for Heard {
    fn revoke<'a>(
        &'a self,
        bearers: &'a [Bearer],
    ) -> Pin<Box<dyn Future<Output = Result<(), NotTold>> + Send + 'a>> {
        self.0.lock().unwrap().extend_from_slice(bearers);
        Box::pin(async { Ok(()) })
    }
}

/// Of a house at `cards.example` that nobody asks too fast.
pub(crate) fn config() -> ApiConfig {
    ApiConfig {
        tokens_per_minute: 0,
        tokens_burst: 1,
        hosts: vec!["cards.example".parse().unwrap()],
        allow_origin: Vec::new(),
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// A text as it is where it is no JSON.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("{field} in {}", self.body)).into()
    }

    /// Status and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

/// Asks as a client at one address.
pub(crate) async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Answer {
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = Body::from(body.map_or(String::new(), |body| body.to_string()));
    let mut request = request.body(body).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 40_000))));
    let answer = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}
