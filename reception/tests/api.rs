//! The interface as clients see it: the router, request by request.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode},
};
use broker::clock::Clock;
use http_body_util::BodyExt as _;
use protocol::id::UserId;
use reception::{ApiConfig, Desk, Issued, Keyring, keyring::Keys};
use serde_json::{Value, json};
use tokens::{Claims, KeySet, LEEWAY_S, Signer};
use tower::ServiceExt as _;

const NOW_MS: u64 = 1_700_000_000_000;
const TOKEN_MS: u64 = 60_000;

fn config() -> ApiConfig {
    ApiConfig {
        tokens_per_minute: 60,
        tokens_burst: 100,
        hosts: vec!["cards.example".parse().unwrap()],
        allow_origin: vec!["https://cards.example".parse().unwrap()],
    }
}

struct Reception {
    router: Router,
    keyring: Arc<Keyring>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn code(&self) -> String {
        let body: Value = self.json();
        assert!(body["message"].as_str().is_some_and(|message| message.len() > 10), "{body}");
        body["code"].as_str().unwrap().into()
    }
}

impl Reception {
    fn new(config: ApiConfig) -> Self {
        let keyring = Arc::new(Keyring::in_memory());
        let router =
            reception::router(Desk::new(keyring.clone(), Clock::starting_at(NOW_MS), TOKEN_MS), config);
        Self { router, keyring }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body.into()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 40_000))));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer { status, headers, body: answer.into_body().collect().await.unwrap().to_bytes().into() }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
    }

    async fn guest(&self, name: &str) -> Issued {
        let answer = self.post("/api/guest", json!({ "name": name })).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        answer.json()
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_gets_a_token_that_the_published_keys_check() {
    let reception = Reception::new(config());
    let ann = reception.guest(" Ann ").await;
    assert_eq!((ann.name.as_str(), ann.expires_ms), ("Ann", NOW_MS + TOKEN_MS));
    for path in ["/.well-known/jwks.json", "/api/jwks.json"] {
        let jwks = reception.ask(Method::GET, path, &[], "").await;
        assert_eq!(
            (jwks.status, &jwks.headers["content-type"]),
            (StatusCode::OK, &"application/jwk-set+json".parse().unwrap())
        );
        let keys = KeySet::from_json(std::str::from_utf8(&jwks.body).unwrap()).unwrap();
        let claims = keys.verify(&ann.token, NOW_MS).unwrap();
        assert_eq!(
            (&claims.sub, claims.name.as_str(), claims.expires_ms()),
            (&ann.user, "Ann", ann.expires_ms)
        );
    }
    assert_ne!(reception.guest("Ann").await.user, ann.user);
}

#[tokio::test(start_paused = true)]
async fn nobody_between_may_keep_a_token() {
    let reception = Reception::new(config());
    let answer = reception.post("/api/guest", json!({ "name": "Ann" })).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test(start_paused = true)]
async fn a_valid_token_is_exchanged_for_a_later_one_of_the_same_user() {
    let reception = Reception::new(config());
    let ann = reception.guest("Ann").await;
    tokio::time::advance(std::time::Duration::from_secs(30)).await;
    let answer = reception.post("/api/refresh", json!({ "token": ann.token })).await;
    let again: Issued = answer.json();
    assert_eq!((answer.status, &again.user, &again.name), (StatusCode::OK, &ann.user, &ann.name));
    assert_eq!(again.expires_ms, ann.expires_ms + 30_000);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_could_see_or_that_could_pass_for_another_is_refused_with_the_reason() {
    let reception = Reception::new(config());
    let cases = [
        ("\u{fe0f}", "it has an invisible character (U+FE0F)"),
        ("\u{1d173}", "it has an invisible character (U+1D173)"),
        ("\u{202e}nnA", "it has a character that reorders text (U+202E)"),
        ("\u{301}\u{302}", "it has a mark without a letter under it (U+0301)"),
        (&format!("Z{}", "\u{30d}".repeat(19)), "it has more than 4 marks on one letter"),
        ("Cleo (bot)", "it says that it is a bot: bots are marked by the house"),
    ];
    for (name, why) in cases {
        let answer = reception.post("/api/guest", json!({ "name": name })).await;
        let refused: Value = answer.json();
        assert_eq!((answer.status, &refused["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("bad_name")));
        assert_eq!(refused["message"], format!("this name cannot be shown to others: {why}"));
    }
    for name in ["می\u{200c}خواهم", "क्\u{200d}ष", "👨\u{200d}👩\u{200d}👧\u{200d}👦", "한글", "Việt"]
    {
        assert_eq!(reception.guest(name).await.name, name);
    }
    assert_eq!(reception.guest("\u{1112}\u{1161}\u{11ab}글").await.name, "한글");
}

#[tokio::test(start_paused = true)]
async fn who_has_a_name_of_an_older_house_stays_who_he_is_and_loses_only_what_cannot_be_shown() {
    let reception = Reception::new(config());
    let user = UserId::new("g-ann").unwrap();
    let old = Claims::new(user.clone(), "Ann\u{fe0f}\u{1d173}", NOW_MS, TOKEN_MS);
    let token = reception.keyring.keys().sign(&old);
    let again: Issued = reception.post("/api/refresh", json!({ "token": token })).await.json();
    assert_eq!((again.user, again.name.as_str()), (user, "Ann\u{fe0f}"));
}

#[tokio::test(start_paused = true)]
async fn an_expired_forged_or_foreign_token_is_not_exchanged() {
    let reception = Reception::new(config());
    let user = UserId::new("g-ann").unwrap();
    let expired = Claims::new(user.clone(), "Ann", NOW_MS - TOKEN_MS - (LEEWAY_S + 1) * 1_000, TOKEN_MS);
    let foreign = Signer::generate().sign(&Claims::new(user, "Ann", NOW_MS, TOKEN_MS));
    let mut forged = reception.guest("Ann").await.token;
    forged.truncate(forged.len() - 4);
    for token in [reception.keyring.keys().sign(&expired), foreign, forged, "x".into(), String::new()] {
        let answer = reception.post("/api/refresh", json!({ "token": token })).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNAUTHORIZED, "bad_token"),
            "{token}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_key_before_is_still_exchanged_after_a_rotation() {
    let reception = Reception::new(config());
    let (old, new) = (Signer::generate(), Signer::generate());
    let new_kid = new.kid().to_owned();
    let claims = Claims::new(UserId::new("g-ann").unwrap(), "Ann", NOW_MS, TOKEN_MS);
    let token = old.sign(&claims);
    reception.keyring.replace(Keys::new(vec![old, new], 1).unwrap());
    let again: Issued = reception.post("/api/refresh", json!({ "token": token })).await.json();
    assert_eq!(again.user, claims.sub);
    assert_eq!(reception.keyring.keys().signing_kid(), new_kid);
}

#[tokio::test(start_paused = true)]
async fn every_mistake_has_a_status_and_a_code() {
    let reception = Reception::new(config());
    let json = [("content-type", "application/json")];
    let long = json!({ "name": "x".repeat(5_000) }).to_string();
    for (method, path, headers, body, status, code) in [
        (Method::POST, "/api/guest", &json[..], "{", 400, "bad_request"),
        (Method::POST, "/api/guest", &json[..], "{}", 400, "bad_request"),
        (Method::POST, "/api/guest", &json[..], r#"{"name":7}"#, 400, "bad_request"),
        (Method::POST, "/api/guest", &json[..], r#"{"name":"Ann","user":"bob"}"#, 400, "bad_request"),
        (Method::POST, "/api/guest", &json[..], r#"{"name":" "}"#, 422, "bad_name"),
        (Method::POST, "/api/guest", &json[..], r#"{"name":"A\u0007"}"#, 422, "bad_name"),
        (Method::POST, "/api/guest", &json[..], r#"{"name":"123456789012345678901"}"#, 422, "bad_name"),
        (Method::POST, "/api/guest", &json[..], &long, 413, "too_large"),
        (Method::POST, "/api/guest", &[], r#"{"name":"Ann"}"#, 415, "not_json"),
        (Method::POST, "/api/refresh", &json[..], "{}", 400, "bad_request"),
        (Method::GET, "/api/guest", &[], "", 405, "bad_method"),
        (Method::POST, "/.well-known/jwks.json", &[], "", 405, "bad_method"),
        (Method::GET, "/api/else", &[], "", 404, "not_found"),
    ] {
        let answer = reception.ask(method.clone(), path, headers, body.to_owned()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{method} {path} {body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_asks_too_often_is_told_how_long_to_wait() {
    let reception = Reception::new(ApiConfig { tokens_burst: 2, ..config() });
    reception.guest("Ann").await;
    reception.guest("Bob").await;
    let refused = reception.post("/api/guest", json!({ "name": "Cyd" })).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_fast"));
    let wait_ms = refused.json::<Value>()["retry_after_ms"].as_u64().unwrap();
    assert!((1..=1_001).contains(&wait_ms), "{wait_ms}");
    assert!(refused.headers.contains_key("retry-after"));
    // Keys are for relays, and never refused.
    assert_eq!(reception.ask(Method::GET, "/api/jwks.json", &[], "").await.status, StatusCode::OK);
    tokio::time::advance(std::time::Duration::from_millis(wait_ms)).await;
    reception.guest("Cyd").await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_came_by_a_name_that_is_not_ours_gets_no_token_and_is_told_why() {
    let reception = Reception::new(config());
    let ask = async |headers: &[(&str, &str)]| {
        let headers = [&[("content-type", "application/json")], headers].concat();
        reception.ask(Method::POST, "/api/guest", &headers, r#"{"name":"Ann"}"#).await
    };
    let rebound = ask(&[("origin", "http://evil:8090"), ("host", "evil:8090")]).await;
    assert_eq!((rebound.status, rebound.code().as_str()), (StatusCode::FORBIDDEN, "wrong_host"));
    assert!(rebound.json::<Value>()["message"].as_str().unwrap().contains("--host evil"));
    let ours = ask(&[("origin", "https://cards.example"), ("host", "cards.example")]).await;
    assert_eq!(ours.status, StatusCode::CREATED);
    // Programs and relays in the cluster call it as they like.
    assert_eq!(ask(&[("host", "reception")]).await.status, StatusCode::CREATED);
}

#[tokio::test(start_paused = true)]
async fn only_pages_of_listed_origins_may_read() {
    let reception = Reception::new(config());
    for (origin, allowed) in [("https://cards.example", true), ("https://evil.example", false)] {
        let preflight = [("origin", origin), ("access-control-request-method", "POST")];
        let preflight = reception.ask(Method::OPTIONS, "/api/guest", &preflight, "").await;
        let asked = [("origin", origin), ("content-type", "application/json")];
        let asked = reception.ask(Method::POST, "/api/guest", &asked, r#"{"name":"Ann"}"#).await;
        assert_eq!(preflight.headers.contains_key("access-control-allow-headers"), allowed, "{origin}");
        for answer in [preflight, asked] {
            let permitted =
                answer.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
            assert_eq!(permitted, allowed.then_some(origin));
        }
    }
}
