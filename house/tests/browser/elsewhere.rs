//! Signing in by somebody else's word, at a window: there, back, and what is seen of it. The provider is on another site, as they are.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::{
    Json, Router,
    extract::{Query, State},
    response::Redirect,
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use broker::testing::redis_server::free_port;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    accounts::{fill, fits, open_account, picture, says},
    open,
    window::Window,
    without_bots,
};

/// A provider who knows who is there without asking, or is told that it is called off.
struct Provider {
    issuer: String,
    key: Ed25519KeyPair,
    /// Nonces by code.
    grants: Mutex<BTreeMap<String, String>>,
    calls_off: AtomicBool,
}

impl Provider {
    async fn start() -> (Arc<Self>, AbortOnDropHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let key = Ed25519KeyPair::generate().unwrap();
        let (grants, calls_off) = (Mutex::default(), AtomicBool::new(false));
        let provider = Arc::new(Self { issuer, key, grants, calls_off });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/jwks", get(jwks))
            .with_state(provider.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (provider, AbortOnDropHandle::new(serving))
    }
}

async fn document(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", provider.issuer);
    Json(json!({
        "issuer": provider.issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"), "jwks_uri": at("jwks"),
    }))
}

async fn authorize(
    State(provider): State<Arc<Provider>>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Redirect {
    let mut back = url::Url::parse(&asked["redirect_uri"]).unwrap();
    let code = BASE64_URL_SAFE_NO_PAD.encode(&asked["state"]);
    if provider.calls_off.load(Relaxed) {
        back.query_pairs_mut().append_pair("error", "access_denied");
    } else {
        back.query_pairs_mut().append_pair("code", &code);
        provider.grants.lock().unwrap().insert(code, asked["nonce"].clone());
    }
    back.query_pairs_mut().append_pair("state", &asked["state"]);
    Redirect::to(back.as_str())
}

async fn token(State(provider): State<Arc<Provider>>, form: String) -> Json<Value> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let nonce = provider.grants.lock().unwrap().remove(&form["code"]).unwrap();
    let now_s = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let claims = json!({
        "iss": provider.issuer, "aud": "house", "sub": "ann", "nickname": "Annie", "iat": now_s, "exp": now_s + 300, "nonce": nonce,
    });
    let encoded = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let header = json!({ "alg": "EdDSA", "kid": "key" }).to_string();
    let signed = format!("{}.{}", encoded(header.as_bytes()), encoded(claims.to_string().as_bytes()));
    let signature = encoded(provider.key.sign(signed.as_bytes()).as_ref());
    Json(json!({ "access_token": "x", "token_type": "Bearer", "id_token": format!("{signed}.{signature}") }))
}

async fn jwks(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let x = BASE64_URL_SAFE_NO_PAD.encode(provider.key.public_key().as_ref());
    Json(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "key", "x": x }] }))
}

async fn is_online(window: &Window) {
    window.until("it is online", async || window.connection().await.as_deref() == Some("online")).await;
}

/// Who plays here, if anybody does.
const WHO: &str = "const who = JSON.parse(localStorage.getItem('cardhouse.guest') ?? '{}'); return `${who.kind} ${who.user}`";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_signs_in_by_another_site_stays_who_he_is_and_comes_back_by_it() {
    let (provider, _serving) = Provider::start().await;
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().unwrap();
    let file = json!({
        "public_url": format!("http://127.0.0.1:{port}"),
        "providers": [{ "name": "club", "label": "The Club", "issuer": provider.issuer, "client_id": "house" }],
    });
    std::fs::write(folder.path().join("oidc.json"), file.to_string()).unwrap();
    let mut config = without_bots();
    config.listen = ([127, 0, 0, 1], port).into();
    config.data.folder = Some(folder.path().join("house"));
    config.oidc.oidc = Some(folder.path().join("oidc.json"));
    let (url, _closing, _house) = open(config).await;

    let ann = Window::open(390, 844).await;
    ann.enter(&url, "Ann").await;
    is_online(&ann).await;
    let guest = ann.ask(WHO).await;
    let guest = guest.as_str().unwrap().strip_prefix("guest ").unwrap().to_owned();
    open_account(&ann).await;
    ann.press("account-up").await;
    says(&ann, "sign", "Sign in with \u{2068}The Club\u{2069}").await;
    picture(&ann, "by-others").await;
    fits(&ann).await;
    // Called off there.
    provider.calls_off.store(true, Relaxed);
    ann.press("by-club").await;
    says(&ann, "came-why", "It was called off there").await;
    fits(&ann).await;
    ann.press("came-close").await;
    is_online(&ann).await;
    assert_eq!(ann.ask(WHO).await, format!("guest {guest}"));
    // And gone through with.
    provider.calls_off.store(false, Relaxed);
    open_account(&ann).await;
    ann.press("account-up").await;
    ann.press("by-club").await;
    says(&ann, "came", "says who you are").await;
    let proposed = "return document.querySelector('[data-testid=field-nick]').value";
    assert_eq!(ann.ask(proposed).await, "Ann", "as he is called already");
    picture(&ann, "came").await;
    fits(&ann).await;
    ann.press("came-ok").await;
    ann.until("he is a member", async || ann.ask(WHO).await == format!("member {guest}")).await;
    is_online(&ann).await;
    let page = ann.ask("return location.href").await;
    assert!(!page.as_str().unwrap().contains("oidc"), "{page}");
    open_account(&ann).await;
    assert!(!ann.text("[data-testid=account]").await.contains("You sign in as"), "by no name");
    ann.press("open-ways").await;
    says(&ann, "ways", "The Club").await;
    fits(&ann).await;
    ann.press("unlink").await;
    says(&ann, "ways-error", "It is your last way to sign in").await;
    ann.press("open-password").await;
    fill(&ann, "field-password", "correct horse battery").await;
    ann.press("password-ok").await;
    says(&ann, "password-done", "Your password is changed").await;
    // On the next day.
    ann.press("account-out").await;
    ann.until("a name is asked for", async || ann.sees("have-account").await).await;
    ann.press("have-account").await;
    ann.press("by-club").await;
    ann.until("it is the same", async || ann.ask(WHO).await == format!("member {guest}")).await;
    is_online(&ann).await;
}
