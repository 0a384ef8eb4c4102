//! Everything behind one address: the WebSocket, the API, and the page.

use std::sync::Arc;

use axum::Router;
use relay::Relay;

use crate::web;

/// Serve it with [`fn@relay::serve`], which knows how to let an upgraded connection go.
///
/// | path | what |
/// | --- | --- |
/// | `/ws` | the relay |
/// | `/api/...`, `/.well-known/jwks.json` | `api`: guest tokens and public keys |
/// | everything else | the web client |
pub fn router(relay: &Arc<Relay>, api: Router) -> Router {
    relay.router().merge(api).fallback(web::serve)
}
