//! The HTTP interface: who asks gets tokens, and relays get the keys to check them with. `docs/openapi.json` says all of it.
//!
//! In a house with a database people are kept ([`People`]); one without gives tokens to guests (`/api/guest`, `/api/refresh`), which are
//! refreshed by themselves, and has nothing else. Everything that is refused is an [`ApiError`].
//!
//! - `asked`: what a request brings; `told`: what answers say; `cookie`: what browsers keep for us.
//! - `sessions`, `me`, `oidc`, `reports`, `staff`, `ledger`, `hands`: the requests. `form`: in which form a hand is wanted.

mod asked;
mod cookie;
mod form;
mod hands;
mod ledger;
mod me;
mod oidc;
mod reports;
mod sessions;
mod staff;
mod told;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, patch, post, put},
};
use ops::serve::{Caller, HostName, Hosts, Pages};
use serde_json::json;

use crate::{cors, desk::Desk, error::ApiError, limit::AddressLimit, people::People};

/// The largest body of a request, in bytes. A token has about 300.
pub const BODY_BYTES_MAX: usize = 4 * 1024;

pub(crate) use asked::NUMBER_MAX;

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

/// What requests are answered with.
#[derive(Clone)]
struct Offices {
    desk: Desk,
    people: Option<Arc<People>>,
    pages: Pages,
}

impl Offices {
    /// Whether a request may use cookies, if it means to.
    fn check_cookie(&self, used: bool, headers: &HeaderMap, caller: Caller) -> Result<(), ApiError> {
        if used { cookie::check_page(&self.pages, headers, caller) } else { Ok(()) }
    }
}

/// Requests that each take of what an address may ask: they make tokens, or look at passwords.
fn counted() -> Vec<(&'static str, MethodRouter<Offices>)> {
    let people = vec![
        ("/api/guest", post(sessions::new_guest)),
        ("/api/refresh", post(sessions::refresh)),
        ("/api/accounts", post(me::sign_up)),
        ("/api/passwords", post(me::set_password)),
        ("/api/me/password", put(me::change_password)),
        ("/api/me/deletion", post(me::delete)),
        (
            "/api/sessions",
            post(sessions::sign_in).merge(get(sessions::list)).merge(delete(sessions::end_others)),
        ),
        ("/api/sessions/{id}", delete(sessions::end)),
        ("/api/me", get(me::me).merge(patch(me::change_nick))),
        ("/api/me/self-exclusion", post(me::exclude_self)),
        ("/api/me/play-time", put(me::limit_play)),
        ("/api/me/export", get(me::export)),
        ("/api/oidc/{id}/start", post(oidc::depart)),
        ("/api/oidc/{id}/callback", get(oidc::come_back)),
        ("/api/oidc/account", get(oidc::arrived).merge(post(oidc::settle))),
        ("/api/me/identities", get(oidc::ways)),
        ("/api/me/identities/{id}/unlink", post(oidc::unlink)),
        ("/api/reports", post(reports::file)),
        ("/api/staff/reports", get(reports::list)),
        ("/api/staff/reports/{id}/close", post(reports::close)),
        ("/api/staff/people", get(staff::find)),
        ("/api/staff/people/{id}", get(staff::dossier)),
        ("/api/staff/people/{id}/sanctions", post(staff::impose)),
        ("/api/staff/people/{id}/sign-out", post(staff::sign_out)),
        ("/api/staff/people/{id}/roles", put(staff::set_roles)),
        ("/api/staff/people/{id}/password-link", post(staff::password_link)),
        ("/api/staff/sanctions/{id}/lift", post(staff::lift)),
        ("/api/staff/audit", get(staff::audit)),
        ("/api/staff/audit/verify", get(staff::verify_audit)),
    ];
    people.into_iter().chain(ledger::counted()).chain(hands::counted()).collect()
}

/// Requests of relays and of pages that begin, which cost nothing and are never refused.
fn free() -> Vec<(&'static str, MethodRouter<Offices>)> {
    vec![
        ("/.well-known/jwks.json", get(jwks)),
        ("/api/jwks.json", get(jwks)),
        ("/api/house", get(house)),
        ("/api/oidc", get(oidc::providers)),
    ]
}

/// The paths that there are; `docs/openapi.json` describes them.
pub fn paths() -> Vec<&'static str> {
    counted().into_iter().chain(free()).map(|(path, _)| path).collect()
}

/// The interface in front of a desk, in a house without a database.
///
/// Serve it with [`ops::serve`](fn@ops::serve::serve), which says whose request it is: limits go by that.
pub fn router(desk: Desk, config: ApiConfig) -> Router {
    router_of(desk, None, config)
}

/// The interface in front of people.
pub fn router_with_people(people: Arc<People>, config: ApiConfig) -> Router {
    router_of(people.desk().clone(), Some(people), config)
}

fn router_of(desk: Desk, people: Option<Arc<People>>, config: ApiConfig) -> Router {
    let limit = AddressLimit::new(config.tokens_per_minute, config.tokens_burst).map(Arc::new);
    let pages = Pages::new(Hosts::new(config.hosts), Vec::new());
    let gate = Gate { limit, pages: pages.clone() };
    let offices = Offices { desk, people, pages };
    let all = |routes: Vec<(&'static str, MethodRouter<Offices>)>| {
        let router =
            routes.into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
        router.method_not_allowed_fallback(async || ApiError::BadMethod)
    };
    let counted = all(counted())
        .route_layer(from_fn_with_state(gate, admit))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(offices.clone());
    // Ours alone, and no page of the house's.
    let not_found = ["/api", "/api/", "/api/{*path}"].into_iter().fold(Router::new(), |router, path| {
        router.route(path, axum::routing::any(async || ApiError::NotFound))
    });
    let origins: cors::Origins = config.allow_origin.into();
    counted
        .merge(all(free()).with_state(offices))
        .merge(not_found)
        .fallback(async || ApiError::NotFound)
        .layer(from_fn_with_state(origins, cors::permit))
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

/// Never to be kept by anybody between: it is a key to a seat.
const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// What a page wants to know of the house before it knows who somebody is.
async fn house(State(Offices { people, .. }): State<Offices>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-cache")], Json(json!({ "accounts": people.is_some() })))
}

async fn jwks(State(Offices { desk, people, .. }): State<Offices>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        (header::CACHE_CONTROL, JWKS_CACHE),
    ];
    (headers, people.map_or_else(|| desk.keyring().keys().jwks(), |people| people.jwks()))
}
