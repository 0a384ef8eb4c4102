//! Everything behind one address: the WebSocket, the API, and the page.

use std::sync::Arc;

use axum::{Router, middleware::from_fn};
use ops::serve::only_own_pages;
use relay::Relay;

use crate::web;

/// Serve it with [`fn@ops::serve::serve`], which knows how to let an upgraded connection go.
///
/// | path | what |
/// | --- | --- |
/// | `/ws` | the relay |
/// | `/api/...`, `/.well-known/jwks.json` | `api`: guest tokens and public keys |
/// | everything else | the web client |
pub fn router(relay: &Arc<Relay>, api: Router) -> Router {
    // A page that could not open a socket gets no token either, and is told why: it can show that, other than a socket's refusal.
    let pages = relay.pages().clone();
    let api = api.layer(from_fn(move |request, next| only_own_pages(pages.clone(), request, next)));
    relay.router().merge(api).fallback(web::serve)
}
