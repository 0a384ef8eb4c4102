//! Signing in elsewhere, against a made-up provider that is honest and then lies in each way that there is, on SQLite and PostgreSQL; and
//! against another implementation, where it is on this machine.

mod house;
mod lies;
mod links;
mod provider;
mod real;
mod stranger;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use broker::clock::Clock;
use cage::{Place, testing::postgres_server::PostgresServer};
use serde_json::json;

use crate::{
    house::{Browser, House, PASSWORD, asked},
    provider::{Key, Provider},
};

pub(crate) const NOW_MS: u64 = 1_700_000_000_000;

/// A provider, and a house on SQLite that asks it.
pub(crate) async fn open() -> (Provider, std::sync::Arc<House>) {
    let clock = Clock::starting_at(NOW_MS);
    let provider = Provider::start(clock).await;
    let house = House::open(Place::Memory, clock, vec![provider.named("club", false)]).await;
    (provider, house)
}

/// Time goes on for everybody, and nothing is waited for meanwhile.
pub(crate) async fn later(ms: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(ms)).await;
    tokio::time::resume();
}

/// All that an honest user does.
async fn honest(place: Place) {
    let clock = Clock::starting_at(NOW_MS);
    let provider = Provider::start(clock).await;
    let house = House::open(place, clock, vec![provider.named("club", false)]).await;
    let mut browser = Browser::of(&house);
    let told = browser.ask("GET", "/api/oidc", None, None).await;
    assert_eq!(told.body, json!({ "providers": [{ "name": "club", "label": "The club" }] }));
    // New, by each algorithm that is taken.
    let mut people = std::collections::BTreeSet::new();
    for (subject, kid, key) in [("1", "first", Key::ec()), ("2", "rsa", Key::rsa()), ("3", "ed", Key::ed())] {
        provider.is_now(|now| {
            (now.user, now.kid, now.key) = (json!({ "sub": subject, "nickname": "Ann" }), kid, key)
        });
        later(11_000).await;
        let mut browser = Browser::of(&house);
        assert_eq!(browser.through(&provider, "club", None).await, "new", "{kid}");
        let arrived = browser.ask("GET", "/api/oidc/account", None, None).await;
        assert_eq!(arrived.body, json!({ "provider": "club", "label": "The club", "nick": "Ann" }));
        let session = browser.settle(&format!("Ann {subject}")).await;
        assert_eq!((session.status, session.text("kind").as_str()), (201, "member"), "{}", session.body);
        assert!(session.body.get("refresh").is_none(), "the cookie has it");
        assert_eq!(browser.settle("Again").await.refusal(), (401, "not_arrived"));
        let token = session.text("token");
        let me = browser.ask("GET", "/api/me", Some(&token), None).await;
        assert_eq!(me.text("name"), format!("Ann {subject}"));
        assert_eq!(browser.refresh().await.text("user"), session.text("user"));
        people.insert(session.text("user"));
        // Known, on another device.
        let mut elsewhere = Browser::of(&house);
        assert_eq!(elsewhere.through(&provider, "club", None).await, "in");
        let again = elsewhere.refresh().await;
        assert_eq!(again.text("user"), session.text("user"));
        let events = house.events(&again.text("token")).await;
        assert!(
            events.iter().any(|event| event.starts_with("signed_in") && event.ends_with("by club")),
            "{events:?}"
        );
        assert!(events.contains(&"account_made: new, by club".into()), "{events:?}");
        let devices = elsewhere.ask("GET", "/api/sessions", Some(&again.text("token")), None).await;
        assert_eq!(devices.body["sessions"][0]["how"], "oidc");
    }
    assert_eq!(people.len(), 3, "each is somebody");
}

#[tokio::test]
async fn who_signs_in_elsewhere_is_somebody_here_and_the_same_the_next_time_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    honest(Place::File(folder.path().join("cage.db"))).await;
}

#[tokio::test]
async fn who_signs_in_elsewhere_is_somebody_here_and_the_same_the_next_time_on_postgres() {
    let Some(server) = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap() else {
        return;
    };
    let server = std::sync::Arc::new(server);
    let made = server.clone();
    let url = tokio::task::spawn_blocking(move || made.database("oidc")).await.unwrap().unwrap();
    honest(Place::Postgres(url)).await;
}

#[tokio::test]
async fn a_guest_who_signs_in_elsewhere_stays_who_he_is_and_his_socket_stays_open() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    let guest = browser.guest("Gus").await;
    let other = browser.refresh().await;
    assert_eq!(browser.through(&provider, "club", Some(&other.text("token"))).await, "new");
    let arrived = browser.ask("GET", "/api/oidc/account", None, None).await;
    assert_eq!(arrived.text("nick"), "Gus", "as he is called already");
    let mut first = Browser::of(&house);
    first.member("ann").await;
    // A nick that is taken uses nothing up.
    assert_eq!(browser.settle("ann").await.refusal(), (409, "nick_taken"));
    let member = browser.settle("Gus").await;
    assert_eq!((member.text("user"), member.text("kind").as_str()), (guest.text("user"), "member"));
    assert!(house.heard.0.lock().unwrap().is_empty(), "his own socket goes on");
    let old = browser.ask("GET", "/api/me", Some(&other.text("token")), None).await;
    assert_eq!(old.refusal(), (401, "bad_token"), "a guest's token is of no use");
    // A guest who is known there is who he is there.
    let mut elsewhere = Browser::of(&house);
    let stranger = elsewhere.guest("Stranger").await;
    assert_eq!(elsewhere.through(&provider, "club", Some(&stranger.text("token"))).await, "in");
    assert_eq!(elsewhere.refresh().await.text("user"), guest.text("user"));
}

#[tokio::test]
async fn a_guest_who_has_become_a_member_meanwhile_is_not_made_one_twice() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    let guest = browser.guest("Gus").await;
    assert_eq!(browser.through(&provider, "club", Some(&guest.text("token"))).await, "new");
    let wanted = json!({ "handle": "gus", "nick": "Gus", "password": PASSWORD });
    let made = browser.ask("POST", "/api/accounts", Some(&guest.text("token")), Some(wanted)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(browser.settle("Gus 2").await.refusal(), (409, "not_a_guest"));
}

/// What others have run into: oauth2-proxy#611, AxaFrance/oidc-client#1356, express-openid-connect#43.
#[tokio::test]
async fn two_windows_that_go_at_once_both_come_back() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    let first = browser.start("club", None, json!({})).await.text("url");
    let second = browser.start("club", None, json!({})).await.text("url");
    for url in [first, second] {
        let answer = provider.sign_in(&url);
        assert_eq!(browser.back("club", &answer).await, "new");
    }
}

#[tokio::test]
async fn what_goes_with_the_browser_tells_nothing_and_is_different_each_time() {
    let (_provider, house) = open().await;
    let mut browser = Browser::of(&house);
    let urls = [browser.start("club", None, json!({})).await, browser.start("club", None, json!({})).await];
    let [one, other] = urls.map(|start| asked(&start.text("url")));
    for part in ["state", "nonce", "code_challenge"] {
        assert_ne!(one[part], other[part]);
        assert!(browser.cookies.values().all(|secret| *secret != one[part]));
    }
    assert_eq!(one["redirect_uri"], "https://cards.example/api/oidc/club/callback");
}

#[tokio::test]
async fn only_the_houses_own_pages_go_and_only_from_where_people_come_back() {
    let (_provider, house) = open().await;
    let ask = async |origin: &str, host: &str, site: &str| {
        let headers = [("origin", origin), ("host", host), ("sec-fetch-site", site)];
        house.ask("POST", "/api/oidc/club/start", &headers, Some(json!({}))).await
    };
    let here = ("https://cards.example", "cards.example");
    assert_eq!(ask(here.0, here.1, "same-origin").await.status, 200);
    assert_eq!(ask(here.0, here.1, "cross-site").await.refusal(), (403, "wrong_origin"));
    assert_eq!(ask("https://evil.example", here.1, "same-origin").await.refusal(), (403, "wrong_origin"));
    let other = ask("http://localhost:8080", "localhost:8080", "same-origin").await;
    assert_eq!(other.refusal(), (409, "other_address"));
    let nobody = house.ask("POST", "/api/oidc/nobody/start", &[], Some(json!({}))).await;
    assert_eq!(nobody.refusal(), (404, "no_provider"));
}

#[tokio::test]
async fn a_house_whose_operator_names_nobody_asks_nobody() {
    let house = House::open(Place::Memory, Clock::starting_at(NOW_MS), Vec::new()).await;
    let told = house.ask("GET", "/api/oidc", &[], None).await;
    assert_eq!((told.status, told.body), (200, json!({ "providers": [] })));
    for (method, path) in
        [("POST", "/api/oidc/club/start"), ("GET", "/api/oidc/club/callback?code=x&state=y")]
    {
        let answer = house.ask(method, path, &[], (method == "POST").then(|| json!({}))).await;
        assert_eq!(answer.refusal(), (404, "no_provider"), "{path}");
    }
}
