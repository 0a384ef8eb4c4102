//! The HTTP interface: who asks gets a guest's token, and relays get the keys to check it with.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /api/guest` `{"name": "Ann"}` | 201 [`Issued`](crate::Issued): a new user of that name |
//! | `POST /api/refresh` `{"token": "..."}` | 200 [`Issued`](crate::Issued): the same user, for another while |
//! | `GET /.well-known/jwks.json`, `GET /api/jwks.json` | 200: the public keys (RFC 7517) |
//!
//! Everything else is an [`ApiError`].

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ops::serve::{Caller, HostName, Hosts, Pages};
use protocol::text::PlayerName;
use serde::Deserialize;

use crate::{cors, desk::Desk, error::ApiError, limit::AddressLimit};

/// The largest body of a request, in bytes. A token has about 300.
pub const BODY_BYTES_MAX: usize = 4 * 1024;

/// How long others may keep the public keys. Much shorter than a new key waits before it signs.
const JWKS_CACHE: HeaderValue = HeaderValue::from_static("public, max-age=10");

/// What the interface allows; see [`Config`](crate::config::Config) for flags and defaults.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// Tokens for one address in the long run, a minute; 0: no limit.
    pub tokens_per_minute: u32,
    /// Tokens for one address at once.
    pub tokens_burst: u32,
    /// Names by which pages may reach the interface, beside the usual ones.
    pub hosts: Vec<HostName>,
    /// Other origins whose pages may read the answers.
    pub allow_origin: Vec<HeaderValue>,
}

/// The body of `POST /api/guest`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskGuest {
    name: String,
}

/// The body of `POST /api/refresh`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskRefresh {
    token: String,
}

/// The interface in front of a desk.
///
/// Serve it with [`ops::serve`](fn@ops::serve::serve), which says whose request it is: limits go by that.
pub fn router(desk: Desk, config: ApiConfig) -> Router {
    let limit = AddressLimit::new(config.tokens_per_minute, config.tokens_burst).map(Arc::new);
    let gate = Gate { limit, pages: Pages::new(Hosts::new(config.hosts), Vec::new()) };
    let tokens = Router::new()
        .route("/api/guest", post(new_guest))
        .route("/api/refresh", post(refresh))
        .method_not_allowed_fallback(async || ApiError::BadMethod)
        .route_layer(from_fn_with_state(gate, admit))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(desk.clone());
    let keys = Router::new()
        .route("/.well-known/jwks.json", get(jwks))
        .route("/api/jwks.json", get(jwks))
        .method_not_allowed_fallback(async || ApiError::BadMethod)
        .with_state(desk);
    let not_found = Router::new().route("/api/{*path}", axum::routing::any(async || ApiError::NotFound));
    let origins: cors::Origins = config.allow_origin.into();
    tokens.merge(keys).merge(not_found).layer(from_fn_with_state(origins, cors::permit))
}

/// Who may ask, and how often. Only the name by which a page came is looked at: whose pages may read is `cors`.
#[derive(Clone)]
struct Gate {
    limit: Option<Arc<AddressLimit>>,
    pages: Pages,
}

async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let caller = Caller::of(request.extensions());
    if let Err(stranger) = gate.pages.check_host(request.headers(), caller) {
        return stranger.into_response();
    }
    match gate.limit.map_or(Ok(()), |limit| limit.admit(caller.address)) {
        Ok(()) => next.run(request).await,
        Err(wait) => ApiError::TooFast(wait).into_response(),
    }
}

/// A JSON body, refused in our own words.
struct Asked<T>(T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequest<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Ok(Json::<T>::from_request(request, state).await.map(|Json(asked)| Self(asked))?)
    }
}

/// Never to be kept by anybody between: it is a key to a seat.
const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

async fn new_guest(
    State(desk): State<Desk>,
    Asked(asked): Asked<AskGuest>,
) -> Result<impl IntoResponse, ApiError> {
    let name = PlayerName::new(&asked.name)?;
    Ok((StatusCode::CREATED, NO_STORE, Json(desk.new_guest(&name))))
}

async fn refresh(
    State(desk): State<Desk>,
    Asked(asked): Asked<AskRefresh>,
) -> Result<impl IntoResponse, ApiError> {
    let issued = desk.refresh(&asked.token).map_err(|_| ApiError::BadToken)?;
    Ok((NO_STORE, Json(issued)))
}

async fn jwks(State(desk): State<Desk>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        (header::CACHE_CONTROL, JWKS_CACHE),
    ];
    (headers, desk.keyring().keys().jwks())
}
