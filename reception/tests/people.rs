//! Accounts as clients see them: the router before people in a database.

#[path = "people/leaving.rs"]
mod leaving;
mod support;

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use broker::{clock::Clock, parts::NotKnown};
use cage::{
    Place, Tellers,
    people::refresh::{RefreshKey, RefreshKeys},
};
use http_body_util::BodyExt as _;
use protocol::{
    id::{RoomId, UserId},
    rights::{Can, Roles},
};
use reception::{
    ApiConfig, Desk, Keyring, People,
    passwords::Cost,
    people,
    revocations::Bearer,
    seats::{Known, Seats, Unasked},
};
use serde_json::{Value, json};
use tokens::Claims;
use tower::ServiceExt as _;

use support::{Answer, Heard, ask, config};

const NOW_MS: u64 = 1_700_000_000_000;
const TOKEN_MS: u64 = 600_000;
const PASSWORD: &str = "correct horse battery";

struct House {
    router: Router,
    people: Arc<People>,
    keyring: Arc<Keyring>,
    heard: Arc<Heard>,
    folder: tempfile::TempDir,
}

impl Answer {
    fn cookies(&self) -> Vec<String> {
        let set = self.headers.get_all("set-cookie").iter();
        set.map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
    }
}

fn keys() -> RefreshKeys {
    RefreshKeys::new(RefreshKey::new([7; 32]), Vec::new())
}

impl House {
    fn new() -> Self {
        Self::with_seats(Arc::new(Unasked))
    }

    fn with_seats(seats: Arc<dyn Seats>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tellers = Tellers::open(&Place::File(folder.path().join("cage.db"))).unwrap();
        let keyring = Arc::new(Keyring::in_memory());
        let heard = Arc::new(Heard::default());
        let desk = Desk::new(keyring.clone(), Clock::starting_at(NOW_MS), TOKEN_MS);
        let cost = Cost { memory_kib: 8, passes: 1 };
        let people = People::new(tellers, keys(), desk, cost, heard.clone()).with_seats(seats);
        let people = Arc::new(people);
        let router = reception::router_with_people(people.clone(), config());
        Self { router, people, keyring, heard, folder }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        ask(&self.router, method, path, headers, body).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, &[], Some(body)).await
    }

    async fn by(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.ask(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    async fn member(&self, handle: &str) -> Answer {
        let wanted = json!({ "handle": handle, "password": PASSWORD, "nick": handle });
        let answer = self.post("/api/accounts", wanted).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer
    }

    async fn sign_in(&self, handle: &str, password: &str) -> Answer {
        self.post("/api/sessions", json!({ "handle": handle, "password": password })).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/refresh", json!({ "token": token })).await
    }

    /// A member with these roles, by the way of the first admin; the access token.
    async fn admin(&self, handle: &str) -> String {
        let place = Place::FileBeside(self.folder.path().join("cage.db"));
        let beside = Tellers::open(&place).unwrap();
        let link = people::admin(&beside, handle, self.now()).await.unwrap();
        let set = json!({ "link": link.secret.as_str(), "password": PASSWORD });
        assert_eq!(self.post("/api/passwords", set.clone()).await.status, 204);
        assert_eq!(self.post("/api/passwords", set).await.refusal(), (401, "bad_link"), "it works once");
        self.later(1).await;
        self.sign_in(handle, PASSWORD).await.text("token")
    }

    fn now(&self) -> u64 {
        self.people.desk().now_ms()
    }

    async fn later(&self, ms: u64) {
        tokio::time::advance(Duration::from_millis(ms)).await;
    }

    fn heard(&self) -> Vec<Bearer> {
        std::mem::take(&mut self.heard.0.lock().unwrap())
    }

    fn claims(&self, token: &str) -> Claims {
        self.keyring.keys().public().verify(token, self.now()).unwrap()
    }
}

/// Time goes on only when a test says so: answers of threads are waited for with the clock held.
macro_rules! held {
    () => {
        tokio::time::pause()
    };
}

#[tokio::test]
async fn a_guest_is_kept_refreshed_and_becomes_a_member_who_stays_who_he_is() {
    held!();
    let house = House::new();
    let guest = house.post("/api/guest", json!({ "name": "Ann" })).await;
    assert_eq!((guest.status, guest.text("kind").as_str()), (201, "guest"));
    let claims = house.claims(&guest.text("token"));
    assert_eq!(
        (claims.sub.as_str(), claims.sid.unwrap().as_str()),
        (&*guest.text("user"), &*guest.text("login"))
    );
    assert_eq!(guest.body["expires_ms"], NOW_MS + TOKEN_MS);
    let next = house.refresh(&guest.text("refresh")).await;
    assert_eq!((next.status, next.text("user")), (200, guest.text("user")));

    let wanted = json!({ "handle": "Ann.B", "password": PASSWORD, "nick": "Ann B." });
    let member = house.by(&next.text("token"), "POST", "/api/accounts", Some(wanted.clone())).await;
    assert_eq!((member.status, member.text("kind").as_str()), (201, "member"), "{}", member.body);
    assert_eq!((member.text("user"), member.text("name").as_str()), (guest.text("user"), "Ann B."));
    // The guest's device is the member's, by another login; the old one is of no use to whoever has a copy.
    assert_eq!(house.refresh(&next.text("refresh")).await.refusal(), (401, "session_ended"));
    assert_eq!(house.heard(), [], "his own socket goes on");
    let again = house.by(&member.text("token"), "POST", "/api/accounts", Some(wanted)).await;
    assert_eq!(again.refusal(), (409, "not_a_guest"));
    let elsewhere = house.sign_in("ANN.b", PASSWORD).await;
    assert_eq!((elsewhere.status, elsewhere.text("user")), (201, guest.text("user")));
    let me = house.by(&elsewhere.text("token"), "GET", "/api/me", None).await;
    assert_eq!((me.text("handle").as_str(), me.body["can"].clone()), ("ann.b", json!(["play", "chat"])));
}

#[tokio::test]
async fn what_is_wrong_with_an_account_is_said() {
    held!();
    let house = House::new();
    house.member("ann").await;
    for (handle, password, nick, status, code) in [
        ("ann", PASSWORD, "Other", 409, "handle_taken"),
        ("other", PASSWORD, "ANN", 409, "nick_taken"),
        ("a", PASSWORD, "Other", 422, "bad_handle"),
        ("other", "password1", "Other", 422, "bad_password"),
        ("other", "short", "Other", 422, "bad_password"),
        ("some.handle", "Some.Handle", "Other", 422, "bad_password"),
        ("other", PASSWORD, "", 422, "bad_name"),
    ] {
        let wanted = json!({ "handle": handle, "password": password, "nick": nick });
        let answer = house.post("/api/accounts", wanted.clone()).await;
        assert_eq!(answer.refusal(), (status, code), "{wanted}");
        assert!(!answer.body.to_string().contains(PASSWORD));
    }
    let none = house.by(
        "nonsense",
        "POST",
        "/api/accounts",
        Some(json!({ "handle": "other", "password": PASSWORD, "nick": "O" })),
    );
    assert_eq!(none.await.refusal(), (401, "bad_token"), "nobody else is made of a guest whose token is bad");
}

#[tokio::test]
async fn a_hundred_refreshes_at_once_have_one_successor_and_an_old_token_ends_the_login_and_is_told() {
    held!();
    let house = Arc::new(House::new());
    let member = house.member("ann").await;
    let first = member.text("refresh");
    let asked = (0..100).map(|_| {
        let (house, first) = (house.clone(), first.clone());
        tokio::spawn(async move { house.refresh(&first).await.text("refresh") })
    });
    let mut successors = std::collections::BTreeSet::new();
    for asked in asked.collect::<Vec<_>>() {
        successors.insert(asked.await.unwrap());
    }
    assert_eq!(successors.len(), 1);
    let second = successors.pop_first().unwrap();
    house.later(10_000).await;
    assert_eq!(house.refresh(&first).await.text("refresh"), second, "a lost answer is given again");
    let third = house.refresh(&second).await;
    assert_eq!(house.refresh(&format!("{}x", &first[..first.len() - 1])).await.refusal(), (401, "bad_token"));
    let stolen = house.refresh(&first).await;
    assert_eq!((stolen.refusal(), stolen.text("why").as_str()), ((401, "session_ended"), "reuse"));
    assert_eq!(house.refresh(&third.text("refresh")).await.refusal(), (401, "session_ended"));
    let heard = house.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].login.as_ref().unwrap().as_str(), member.text("login"));
    assert_eq!(house.by(&third.text("token"), "GET", "/api/me", None).await.refusal(), (401, "bad_token"));
    let admin = house.admin("boss").await;
    let audit =
        house.by(&admin, "GET", &format!("/api/staff/audit?subject={}", member.text("user")), None).await;
    assert!(audit.body.to_string().contains("refresh_token_reused"), "{}", audit.body);
}

#[tokio::test]
async fn tokens_of_a_house_without_a_database_are_taken_for_their_life_and_access_tokens_are_no_refresh_tokens()
 {
    held!();
    let house = House::new();
    let sign = |claims: &Claims| house.keyring.keys().sign(claims);
    let old = sign(&Claims::new(UserId::new("g-old").unwrap(), "Old", NOW_MS, 3_600_000));
    let adopted = house.refresh(&old).await;
    assert_eq!(
        (adopted.status, adopted.text("user").as_str(), adopted.text("name").as_str()),
        (200, "g-old", "Old")
    );
    assert_eq!(house.refresh(&adopted.text("refresh")).await.status, 200);
    // A stolen access token is worth what is left of it, and no more.
    assert_eq!(house.refresh(&adopted.text("token")).await.refusal(), (401, "bad_token"));
    let bot = sign(&Claims::new(UserId::new("bot-x").unwrap(), "Bot", NOW_MS, 3_600_000));
    assert_eq!(house.refresh(&bot).await.refusal(), (401, "bad_token"));
    // Nor does an old token open a member's account.
    let wanted = json!({ "handle": "old", "password": PASSWORD, "nick": "Old" });
    let member = house.by(&adopted.text("token"), "POST", "/api/accounts", Some(wanted)).await;
    assert_eq!(member.status, 201, "{}", member.body);
    assert_eq!(house.refresh(&old).await.refusal(), (401, "bad_token"));
}

#[tokio::test]
async fn five_wrong_passwords_lock_strangers_out_and_the_owners_device_never() {
    held!();
    let house = House::new();
    house.member("ann").await;
    let device = house.sign_in("ann", PASSWORD).await.text("device");
    for handle in ["ann", "nobody"] {
        for _ in 0..5 {
            assert_eq!(
                house.sign_in(handle, "wrong password").await.refusal(),
                (401, "bad_credentials"),
                "{handle}"
            );
        }
        let locked = house.sign_in(handle, PASSWORD).await;
        assert_eq!(
            (locked.refusal(), &locked.body["retry_after_ms"]),
            ((423, "locked"), &json!(900_001)),
            "{handle}"
        );
    }
    let known = json!({ "handle": "ann", "password": PASSWORD, "device": device });
    assert_eq!(house.post("/api/sessions", known).await.status, 201);
    let others = json!({ "handle": "nobody", "password": PASSWORD, "device": device });
    assert_eq!(
        house.post("/api/sessions", others).await.refusal(),
        (423, "locked"),
        "it is for its own handle"
    );
    house.later(15 * 60_000).await;
    assert_eq!(house.sign_in("ann", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn devices_are_listed_and_ended_one_all_others_or_everywhere() {
    held!();
    let house = House::new();
    let first = house.member("ann").await;
    let second = house.sign_in("ann", PASSWORD).await;
    let third = house.sign_in("ann", PASSWORD).await;
    let token = third.text("token");
    let listed = house.by(&token, "GET", "/api/sessions", None).await;
    let listed = listed.body["sessions"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed.iter().filter(|login| login["current"] == true).count(), 1);
    let path = format!("/api/sessions/{}", second.text("login"));
    assert_eq!(house.by(&token, "DELETE", &path, None).await.status, 204);
    assert_eq!(house.by(&token, "DELETE", &path, None).await.refusal(), (404, "not_found"));
    let heard = house.heard();
    assert_eq!(heard[0].login.as_ref().unwrap().as_str(), second.text("login"));
    assert_eq!(house.refresh(&second.text("refresh")).await.text("why"), "signed_out");
    assert_eq!(house.by(&token, "DELETE", "/api/sessions", None).await.status, 204);
    assert_eq!(house.refresh(&first.text("refresh")).await.refusal(), (401, "session_ended"));
    assert_eq!(house.by(&token, "DELETE", "/api/sessions?also=current", None).await.status, 204);
    assert_eq!(house.by(&token, "GET", "/api/me", None).await.refusal(), (401, "bad_token"));
}

#[tokio::test]
async fn a_changed_password_ends_other_logins_and_wrong_ones_lock_this_login_alone() {
    held!();
    let house = House::new();
    let elsewhere = house.member("ann").await;
    let here = house.sign_in("ann", PASSWORD).await;
    let token = here.text("token");
    let change = |old: &str, new: &str| {
        house.by(&token, "PUT", "/api/me/password", Some(json!({ "old": old, "new": new })))
    };
    assert_eq!(change("wrong password", "another good one").await.refusal(), (403, "wrong_password"));
    assert_eq!(change(PASSWORD, "password1").await.refusal(), (422, "bad_password"));
    assert_eq!(change(PASSWORD, "another good one").await.status, 204);
    let heard = house.heard();
    assert_eq!(
        heard.iter().map(|bearer| bearer.login.as_ref().unwrap().as_str()).collect::<Vec<_>>(),
        [elsewhere.text("login")]
    );
    assert_eq!(house.refresh(&elsewhere.text("refresh")).await.text("why"), "password");
    assert_eq!(house.sign_in("ann", PASSWORD).await.refusal(), (401, "bad_credentials"));
    assert_eq!(house.sign_in("ann", "another good one").await.status, 201);
    for _ in 0..5 {
        assert_eq!(change("wrong password", "another good one").await.refusal(), (403, "wrong_password"));
    }
    assert_eq!(change("another good one", "a third good one").await.refusal(), (423, "locked"));
    assert_eq!(house.sign_in("ann", "another good one").await.status, 201, "the owner signs in");
}

#[tokio::test]
async fn a_nick_changes_once_in_thirty_days() {
    held!();
    let house = House::new();
    house.member("bob").await;
    let token = house.member("ann").await.text("token");
    let change = |nick: &str| house.by(&token, "PATCH", "/api/me", Some(json!({ "nick": nick })));
    assert_eq!(change("bob").await.refusal(), (409, "nick_taken"));
    assert_eq!(change("Annie").await.text("name"), "Annie");
    let soon = change("Anne").await;
    assert_eq!(
        (soon.refusal(), soon.body["retry_after_ms"].as_u64()),
        ((409, "too_soon"), Some(30 * 86_400_000 + 1))
    );
}

#[tokio::test]
async fn who_excludes_himself_plays_no_more_until_then_and_nobody_lifts_it() {
    held!();
    let house = House::new();
    let ann = house.member("ann").await;
    let admin = house.admin("boss").await;
    let until = |until_ms: u64| house.by_until(&ann, until_ms);
    assert_eq!(until(NOW_MS + 60_000).await.refusal(), (422, "bad_time"));
    let week = house.now() + 7 * 86_400_000;
    let me = until(week).await;
    assert_eq!((me.status, &me.body["can"]), (200, &json!(["chat"])), "{}", me.body);
    assert_eq!(house.heard().len(), 2, "of the admin's link, and of this");
    house.later(1).await;
    let again = house.refresh(&ann.text("refresh")).await;
    let can = house.claims(&again.text("token")).can;
    assert!(!can.has(Can::PLAY) && can.has(Can::CHAT));
    let token = again.text("token");
    let shorter =
        house.by(&token, "POST", "/api/me/self-exclusion", Some(json!({ "until_ms": week - 1 }))).await;
    assert_eq!(shorter.refusal(), (422, "bad_time"));
    let dossier = house.by(&admin, "GET", &format!("/api/staff/people/{}", ann.text("user")), None).await;
    let sanction = dossier.body["sanctions"][0]["id"].as_str().unwrap().to_owned();
    let lift = format!("/api/staff/sanctions/{sanction}/lift");
    let lift = house.by(&admin, "POST", &lift, Some(json!({ "reason": "he asked" }))).await;
    assert_eq!(lift.refusal(), (409, "not_lifted"));
}

#[tokio::test]
async fn who_limits_play_time_plays_so_long_in_a_day_on_all_devices_together() {
    held!();
    let house = House::new();
    let ann = house.member("ann").await;
    let limit = |token: String, minutes: Value| {
        let house = &house;
        async move { house.by(&token, "PUT", "/api/me/play-time", Some(json!({ "minutes": minutes }))).await }
    };
    for (wrong, refusal) in [
        (json!(14), (422, "bad_time")),
        (json!(1441), (422, "bad_time")),
        (json!(30.5), (400, "bad_request")),
        (json!(null), (400, "bad_request")),
    ] {
        assert_eq!(limit(ann.text("token"), wrong).await.refusal(), refusal);
    }
    let began = house.now();
    let me = limit(ann.text("token"), json!(60.0)).await;
    assert_eq!(
        (&me.body["play_time"]["minutes"], &me.body["can"]),
        (&json!(60), &json!(["play", "chat"])),
        "{}",
        me.body
    );
    assert!(house.heard().is_empty(), "no token lasts longer than there is time: none is void");
    // Two devices that both refresh before their tokens end, as clients do.
    let phone = house.sign_in("ann", PASSWORD).await;
    let mut devices = [house.refresh(&ann.text("refresh")).await, phone];
    let used_up = loop {
        for device in &mut devices {
            *device = house.refresh(&device.text("refresh")).await;
        }
        let claims = house.claims(&devices[0].text("token"));
        if !claims.can.has(Can::PLAY) {
            break claims;
        }
        assert!(claims.expires_ms() <= began + 60 * 60_000 + 1_000, "no longer than there is time");
        let lasts_ms = claims.expires_ms() - house.now();
        assert!(lasts_ms <= 181_000, "{lasts_ms}");
        house.later(lasts_ms / 2).await;
    };
    let used_ms = house.now() - began;
    assert!((3_560_000..=3_601_000).contains(&used_ms), "an hour, on both together: {used_ms}");
    assert_eq!((used_up.play_from_ms, used_up.can), (began + 86_400_000, Can::CHAT));
    for device in &devices {
        assert_eq!(
            (&device.body["play_from_ms"], &device.body["can"]),
            (&json!(used_up.play_from_ms), &json!(["chat"]))
        );
    }
    let token = devices[0].text("token");
    let me = house.by(&token, "GET", "/api/me", None).await;
    assert_eq!(
        (&me.body["play_time"]["play_from_ms"], &me.body["can"]),
        (&json!(used_up.play_from_ms), &json!(["chat"]))
    );
    // More comes after three days; that he asks for it is known, and takes nothing away.
    let asked = limit(token.clone(), json!(1440)).await;
    let next = &asked.body["play_time"]["next"];
    assert_eq!((&next["minutes"], &next["from_ms"]), (&json!(1440), &json!(house.now() + 3 * 86_400_000)));
    assert!(house.heard().is_empty());
    let export = house.by(&token, "GET", "/api/me/export", None).await;
    assert!(export.body.as_str().unwrap().contains("\"line\":\"play_time\""), "{}", export.body);
    // The token ends when the next day may begin, so that nobody waits longer.
    house.later(used_up.play_from_ms - house.now() - 300_000).await;
    let late = house.refresh(&devices[0].text("refresh")).await;
    assert_eq!(house.claims(&late.text("token")).expires_ms(), used_up.play_from_ms);
    house.later(300_000).await;
    let again = house.refresh(&late.text("refresh")).await;
    assert_eq!((&again.body["can"], &again.body["play_from_ms"]), (&json!(["play", "chat"]), &Value::Null));
    // And without a limit a token lasts as it did.
    house.later(3 * 86_400_000).await;
    let free = house.refresh(&again.text("refresh")).await;
    assert_eq!(
        house.claims(&free.text("token")).expires_ms(),
        (house.now() + TOKEN_MS).div_ceil(1_000) * 1_000
    );
    assert_eq!(house.by(&free.text("token"), "GET", "/api/me", None).await.body["play_time"], Value::Null);
}

#[tokio::test]
async fn a_tighter_limit_than_was_played_ends_play_on_live_sockets() {
    held!();
    let house = House::new();
    let ann = house.member("ann").await;
    let limit = async |token: &str, minutes: u32| {
        house.by(token, "PUT", "/api/me/play-time", Some(json!({ "minutes": minutes }))).await
    };
    assert_eq!(limit(&ann.text("token"), 120).await.status, 200);
    let mut session = house.refresh(&ann.text("refresh")).await;
    for _ in 0..20 {
        house.later(90_000).await;
        session = house.refresh(&session.text("refresh")).await;
    }
    assert!(house.heard().is_empty());
    let me = limit(&session.text("token"), 30).await;
    assert_eq!(me.body["can"], json!(["chat"]), "{}", me.body);
    assert_eq!(house.heard().len(), 1, "relays are told");
    assert_eq!(house.by(&session.text("token"), "GET", "/api/me", None).await.refusal(), (401, "bad_token"));
    house.later(1).await;
    let session = house.refresh(&session.text("refresh")).await;
    assert_eq!(session.body["can"], json!(["chat"]));
    // Who is gone leaves no limit.
    let gone = house
        .by(&session.text("token"), "POST", "/api/me/deletion", Some(json!({ "password": PASSWORD })))
        .await;
    assert_eq!(gone.status, 204, "{}", gone.body);
}

impl House {
    async fn by_until(&self, who: &Answer, until_ms: u64) -> Answer {
        self.by(&who.text("token"), "POST", "/api/me/self-exclusion", Some(json!({ "until_ms": until_ms })))
            .await
    }
}

#[tokio::test]
async fn what_is_known_is_told_without_secrets_and_who_deletes_himself_is_gone() {
    held!();
    let house = House::new();
    let ann = house.member("ann").await;
    let token = ann.text("token");
    let export = house.by(&token, "GET", "/api/me/export", None).await;
    let text = export.body.as_str().unwrap();
    let kinds: Vec<Value> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].clone()).collect();
    for kind in ["person", "login", "event"] {
        assert!(kinds.contains(&json!(kind)), "{text}");
    }
    assert!(!text.contains("argon2") && !text.contains(&ann.text("refresh")), "{text}");
    let delete = |body: Value| house.by(&token, "POST", "/api/me/deletion", Some(body));
    assert_eq!(delete(json!({})).await.refusal(), (403, "wrong_password"));
    assert_eq!(delete(json!({ "password": PASSWORD })).await.status, 204);
    assert_eq!(house.by(&token, "GET", "/api/me", None).await.refusal(), (401, "bad_token"));
    assert_eq!(house.refresh(&ann.text("refresh")).await.text("why"), "gone");
    assert_eq!(house.sign_in("ann", PASSWORD).await.refusal(), (401, "bad_credentials"));
    assert_ne!(house.member("ann").await.text("user"), ann.text("user"), "the handle is free, the id is not");
}

/// Says where people sit as the tests want it.
struct Seated(Mutex<Known>);

impl Seats for Seated {
    fn of<'a>(&'a self, _: &'a UserId) -> Pin<Box<dyn Future<Output = Known> + Send + 'a>> {
        let told = self.0.lock().unwrap().clone();
        Box::pin(async { told })
    }
}

#[tokio::test]
async fn who_sits_is_not_deleted_nor_is_anybody_of_whom_that_is_not_known() {
    held!();
    let seats = Arc::new(Seated(Mutex::new(Ok(Some(vec![RoomId::new("t7").unwrap()])))));
    let house = House::with_seats(seats.clone());
    let ann = house.member("ann").await;
    let token = ann.text("token");
    let delete = || house.by(&token, "POST", "/api/me/deletion", Some(json!({ "password": PASSWORD })));
    let refused = delete().await;
    assert_eq!((refused.refusal(), &refused.body["rooms"]), ((409, "seated"), &json!(["t7"])));
    *seats.0.lock().unwrap() = Err(NotKnown("a dealer worker does not answer"));
    let refused = delete().await;
    assert_eq!(refused.refusal(), (503, "seats_unknown"));
    assert!(refused.body["retry_after_ms"].is_u64() && refused.headers.contains_key("retry-after"));
    assert_eq!(house.by(&token, "GET", "/api/me", None).await.status, 200, "nothing has happened");
    // A guest is asked about, too.
    let guest = house.post("/api/guest", json!({ "name": "Bob" })).await.text("token");
    let refused = house.by(&guest, "POST", "/api/me/deletion", Some(json!({}))).await;
    assert_eq!(refused.refusal(), (503, "seats_unknown"));
    // Nobody can be asked: what has happened stands in the audit.
    *seats.0.lock().unwrap() = Ok(None);
    assert_eq!(delete().await.status, 204);
    let admin = house.admin("boss").await;
    let audit = house.by(&admin, "GET", "/api/staff/audit", None).await.body.to_string();
    assert!(audit.contains("nobody could say who sits where"), "{audit}");
}

#[tokio::test]
async fn staff_does_what_its_role_allows_and_all_of_it_is_audited() {
    held!();
    let house = House::new();
    let (ann, floor) = (house.member("ann").await, house.member("floor").await);
    let admin = house.admin("boss").await;
    let about = |who: &Answer, what: &str| format!("/api/staff/people/{}{what}", who.text("user"));
    let roles = house
        .by(&admin, "PUT", &about(&floor, "/roles"), Some(json!({ "roles": ["floor"], "reason": "hired" })))
        .await;
    assert_eq!((roles.status, &roles.body["roles"]), (200, &json!(["floor"])), "{}", roles.body);
    house.later(1).await;
    let floor = house.sign_in("floor", PASSWORD).await;
    let by_floor = floor.text("token");
    assert!(house.claims(&by_floor).roles.has(Roles::FLOOR));

    let impose = async |by: &str, whom: &str, kind: &str| {
        house
            .by(
                by,
                "POST",
                whom,
                Some(json!({ "kind": kind, "reason": "was rude", "until_ms": NOW_MS + 86_400_000 })),
            )
            .await
    };
    let ann_s = about(&ann, "/sanctions");
    let nobody = ann.text("token");
    for (by, path) in [(&nobody, ann_s.clone()), (&by_floor, about(&floor, "/sanctions"))] {
        assert_eq!(impose(by, &path, "mute").await.refusal(), (403, "not_allowed"), "{path}");
    }
    assert_eq!(impose(&by_floor, &ann_s, "ban").await.refusal(), (403, "not_allowed"));
    house.heard();
    let endless = json!({ "kind": "mute", "reason": "was rude", "until_ms": null });
    let endless = house.by(&by_floor, "POST", &ann_s, Some(endless)).await;
    assert_eq!(endless.refusal(), (400, "bad_request"), "no time is not for ever: it is left out for that");
    assert_eq!(impose(&by_floor, &ann_s, "mute").await.status, 201);
    let all = Bearer { user: UserId::new(&ann.text("user")).unwrap(), login: None };
    assert_eq!(house.heard(), std::slice::from_ref(&all));
    house.later(1).await;
    let muted = house.refresh(&ann.text("refresh")).await;
    assert!(!house.claims(&muted.text("token")).can.has(Can::CHAT));
    let ban = impose(&admin, &ann_s, "ban").await;
    assert_eq!((ban.status, house.heard()), (201, vec![all]));
    for banned in [house.refresh(&muted.text("refresh")).await, house.sign_in("ann", PASSWORD).await] {
        assert_eq!((banned.refusal(), banned.text("reason").as_str()), ((403, "banned"), "was rude"));
        assert_eq!(banned.body["until_ms"], NOW_MS + 86_400_000);
    }
    assert_eq!(
        house.sign_in("ann", "wrong password").await.refusal(),
        (401, "bad_credentials"),
        "nobody else hears of it"
    );
    let lift = format!("/api/staff/sanctions/{}/lift", ban.text("id"));
    assert_eq!(
        house.by(&by_floor, "POST", &lift, Some(json!({ "reason": "he is nice" }))).await.refusal(),
        (403, "not_allowed")
    );
    assert_eq!(house.by(&admin, "POST", &lift, Some(json!({ "reason": "he is nice" }))).await.status, 204);
    assert_eq!(house.sign_in("ann", PASSWORD).await.status, 201);
    let out =
        house.by(&by_floor, "POST", &about(&ann, "/sign-out"), Some(json!({ "reason": "lost phone" }))).await;
    assert_eq!(out.status, 204, "{}", out.body);
    assert_eq!(house.refresh(&muted.text("refresh")).await.text("why"), "staff");
    let boss = house.by(&admin, "GET", "/api/me", None).await;
    let last = house
        .by(&admin, "PUT", &about(&boss, "/roles"), Some(json!({ "roles": [], "reason": "tired" })))
        .await;
    assert_eq!(last.refusal(), (409, "last_admin"));
    let found = house.by(&by_floor, "GET", "/api/staff/people?q=ann", None).await;
    assert_eq!(found.body["people"][0]["user"], ann.text("user"));
    assert_eq!(house.by(&by_floor, "GET", "/api/staff/audit", None).await.refusal(), (403, "not_allowed"));
    let audit = house.by(&admin, "GET", "/api/staff/audit", None).await.body.to_string();
    for action in [
        "mute",
        "ban",
        "lifted",
        "signed_out_by_staff",
        "roles_set",
        "people_searched",
        "audit_seen",
        "was rude",
    ] {
        assert!(audit.contains(&format!("\"{action}\"")), "{action}: {audit}");
    }
    let whole = house.by(&admin, "GET", "/api/staff/audit/verify", None).await;
    assert_eq!(whole.body["good"], true);
    let link = house
        .by(&admin, "POST", &about(&ann, "/password-link"), Some(json!({ "reason": "he forgot" })))
        .await;
    let set = house
        .post("/api/passwords", json!({ "link": link.text("link"), "password": "another good one" }))
        .await;
    assert_eq!(set.status, 204);
    assert_eq!(house.sign_in("ann", "another good one").await.status, 201);
}

/// What somebody says of somebody else at a table.
async fn report(house: &House, by: &str, about: &str, room: &str) -> Answer {
    let said = json!({ "user": about, "room": room, "kind": "chat_abuse", "words": "  he said\nwords " });
    house.by(by, "POST", "/api/reports", Some(said)).await
}

#[tokio::test]
async fn a_report_reaches_staff_once_and_is_closed_with_a_reason_and_the_reported_never_hears_by_whom() {
    held!();
    let house = House::new();
    let (admin, bob) = (house.admin("boss").await, house.member("bob").await);
    let ann = house.post("/api/guest", json!({ "name": "Ann" })).await;
    let (by_ann, by_bob, bob) = (ann.text("token"), bob.text("token"), bob.text("user"));
    let filed = report(&house, &by_ann, &bob, "t1").await;
    assert_eq!((filed.status, filed.text("words").as_str()), (201, "he said words"), "{}", filed.body);
    assert_eq!(report(&house, &by_ann, &bob, "t1").await.refusal(), (409, "already_reported"));
    house.later(1).await;
    assert_eq!(report(&house, &by_ann, &bob, "t2").await.status, 201, "elsewhere it is another");
    let wordless = json!({ "user": bob, "room": "t3", "kind": "other" });
    assert_eq!(
        house.by(&by_ann, "POST", "/api/reports", Some(wordless)).await.refusal(),
        (422, "bad_report")
    );

    let list =
        async |by: &str, more: &str| house.by(by, "GET", &format!("/api/staff/reports{more}"), None).await;
    assert_eq!(list(&by_bob, "").await.refusal(), (403, "not_allowed"));
    let open = list(&admin, "").await.body;
    let rooms: Vec<_> = open["reports"].as_array().unwrap().iter().map(|it| &it["room"]).collect();
    assert_eq!(rooms, ["t1", "t2"]);
    let first = &open["reports"][0];
    assert_eq!((&first["user"], &first["by"]), (&json!(bob), &json!(ann.text("user"))));
    assert_eq!((&first["name"], &first["by_name"]), (&json!("bob"), &json!("Ann")));
    let id = filed.text("id");
    let rest = list(&admin, &format!("?user={bob}&after={id}")).await.body;
    assert_eq!(rest["reports"].as_array().unwrap().len(), 1);
    assert_eq!(list(&admin, "?after=r-none").await.refusal(), (404, "not_found"));

    let close = format!("/api/staff/reports/{id}/close");
    let found = Some(json!({ "reason": "warned him" }));
    assert_eq!(house.by(&by_bob, "POST", &close, found.clone()).await.refusal(), (403, "not_allowed"));
    assert_eq!(house.by(&admin, "POST", &close, Some(json!({ "reason": "" }))).await.refusal().0, 400);
    assert_eq!(house.by(&admin, "POST", &close, found.clone()).await.status, 204);
    assert_eq!(house.by(&admin, "POST", &close, found).await.refusal(), (404, "not_found"));
    let closed = list(&admin, "?closed=true").await.body;
    assert_eq!(
        (&closed["reports"][0]["id"], &closed["reports"][0]["reason"]),
        (&json!(id), &json!("warned him"))
    );
    house.later(1).await;
    assert_eq!(report(&house, &by_ann, &bob, "t1").await.status, 201, "it begins again");

    let audit = house.by(&admin, "GET", &format!("/api/staff/audit?subject={id}"), None).await.body;
    let actions: Vec<_> = audit["entries"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["audit_seen", "report_closed", "reported"]);
    let known = house.by(&by_bob, "GET", "/api/me/export", None).await.body.to_string();
    assert!(!known.contains("report") && !known.contains(&ann.text("user")), "{known}");
    let own = house.by(&by_ann, "GET", "/api/me/export", None).await.body.to_string();
    assert!(own.contains("he said words") && !own.contains("warned him"), "{own}");

    // What the reporter wrote goes with him; that he reported stays.
    house.by(&by_ann, "POST", "/api/me/deletion", Some(json!({}))).await;
    let left = list(&admin, "").await.body;
    assert_eq!(
        (&left["reports"][0]["words"], &left["reports"][0]["kind"]),
        (&json!(""), &json!("chat_abuse"))
    );
}

#[tokio::test]
async fn nobody_floods_staff_with_reports_and_staff_never_sees_who_has_reported_it() {
    held!();
    let house = House::new();
    let (admin, ann, bob) = (house.admin("boss").await, house.member("ann").await, house.member("bob").await);
    let (by_ann, bob_id) = (ann.text("token"), bob.text("user"));
    for room in 0..10 {
        assert_eq!(report(&house, &by_ann, &bob_id, &format!("t{room}")).await.status, 201);
    }
    let many = report(&house, &by_ann, &bob_id, "t10").await;
    assert_eq!(many.refusal(), (429, "many_reports"));
    assert_eq!(many.body["retry_after_ms"], 24 * 60 * 60 * 1_000 + 1);
    assert_eq!(report(&house, &by_ann, &bob_id, "t1").await.refusal(), (409, "already_reported"));
    assert_eq!(report(&house, &bob.text("token"), &ann.text("user"), "t1").await.status, 201, "others may");

    let path = format!("/api/staff/people/{bob_id}/roles");
    let hired = json!({ "roles": ["floor"], "reason": "hired" });
    assert_eq!(house.by(&admin, "PUT", &path, Some(hired)).await.status, 200);
    house.later(1).await;
    let by_bob = house.sign_in("bob", PASSWORD).await.text("token");
    let seen = house.by(&by_bob, "GET", "/api/staff/reports", None).await.body;
    let about: Vec<_> = seen["reports"].as_array().unwrap().iter().map(|it| &it["user"]).collect();
    assert_eq!(about, [&json!(ann.text("user"))], "not about himself");
    let all = house.by(&admin, "GET", "/api/staff/reports", None).await.body;
    assert_eq!(all["reports"].as_array().unwrap().len(), 11);
    let about_bob = house.by(&admin, "GET", &format!("/api/staff/reports?user={bob_id}"), None).await.body;
    let close = format!("/api/staff/reports/{}/close", about_bob["reports"][0]["id"].as_str().unwrap());
    let why = Some(json!({ "reason": "it was nothing" }));
    assert_eq!(house.by(&by_bob, "POST", &close, why).await.refusal(), (403, "not_allowed"));
}

#[tokio::test]
async fn a_browsers_refresh_token_is_in_a_cookie_that_other_sites_cannot_use() {
    held!();
    let house = House::new();
    for (origin, host, name, secure) in [
        ("https://cards.example", "cards.example", "__Host-cardhouse", true),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", "cardhouse", false),
    ] {
        let page = [("origin", origin), ("host", host), ("sec-fetch-site", "same-origin")];
        let guest =
            house.ask("POST", "/api/guest", &page, Some(json!({ "name": "Ann", "cookie": true }))).await;
        assert!(guest.body.get("refresh").is_none(), "{}", guest.body);
        let cookie = guest.cookies().remove(0);
        assert!(
            cookie.starts_with(&format!("{name}=r1.")) && cookie.contains("; HttpOnly; SameSite=Strict"),
            "{cookie}"
        );
        assert_eq!(cookie.contains("; Secure"), secure);
        let kept = cookie.split(';').next().unwrap();
        let with_cookie = [&page[..], &[("cookie", kept)]].concat();
        let ask = |headers: Vec<(&'static str, String)>| {
            let house = &house;
            async move {
                let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                house.ask("POST", "/api/refresh", &headers, Some(json!({ "cookie": true }))).await
            }
        };
        let owned = |headers: &[(&'static str, &str)]| {
            headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>()
        };
        let next = ask(owned(&with_cookie)).await;
        assert_eq!((next.status, next.text("user")), (200, guest.text("user")));
        for (stolen, code) in [
            (vec![("origin", "https://evil.example"), ("host", host), ("cookie", kept)], "wrong_origin"),
            (
                vec![("origin", origin), ("host", host), ("sec-fetch-site", "cross-site"), ("cookie", kept)],
                "wrong_origin",
            ),
        ] {
            assert_eq!(ask(owned(&stolen)).await.refusal(), (403, code));
        }
        let bearer = format!("Bearer {}", next.text("token"));
        let out = [&page[..], &[("authorization", bearer.as_str())]].concat();
        let out = house.ask("DELETE", "/api/sessions/current", &out, None).await;
        assert_eq!(out.status, 204);
        assert!(
            out.cookies()[0].starts_with(&format!("{name}=; ")) && out.cookies()[0].contains("Max-Age=0")
        );
    }
}

#[tokio::test]
async fn a_reception_that_died_before_it_could_tell_relays_tells_them_when_it_is_back() {
    held!();
    let house = House::new();
    let (ann, bob, cyd) = (house.member("ann").await, house.member("bob").await, house.member("cyd").await);
    let out = house.by(&ann.text("token"), "DELETE", "/api/sessions/current", None).await;
    assert_eq!(out.status, 204);
    let new = json!({ "old": PASSWORD, "new": "battery staple horse" });
    assert_eq!(house.by(&bob.text("token"), "PUT", "/api/me/password", Some(new)).await.status, 204);

    // Another process, which has heard of nothing.
    let tellers = Tellers::open(&Place::FileBeside(house.folder.path().join("cage.db"))).unwrap();
    let heard = Arc::new(Heard::default());
    let desk = Desk::new(house.keyring.clone(), Clock::starting_at(NOW_MS + TOKEN_MS - 1_000), TOKEN_MS);
    let people = People::new(tellers, keys(), desk, Cost { memory_kib: 8, passes: 1 }, heard.clone());
    let telling = tokio::spawn(async move { people.keep_tidy().await });
    let began = std::time::Instant::now();
    while heard.0.lock().unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody is told");
        tokio::task::yield_now().await;
    }
    telling.abort();
    let told = heard.0.lock().unwrap().clone();
    let logins: Vec<_> = told.iter().filter_map(|bearer| Some(bearer.login.as_ref()?.as_str())).collect();
    assert!(logins.contains(&ann.text("login").as_str()), "{told:?}");
    assert!(told.iter().all(|bearer| bearer.user.as_str() != cyd.text("user")), "{told:?}");
}

#[tokio::test]
async fn a_handle_that_is_spelt_otherwise_gives_no_more_guesses() {
    held!();
    let house = House::new();
    house.member("ann").await;
    for spelt in ["ann", "ANN", " ann", "Ann\t", "\u{a0}aNN\u{2003}"] {
        assert_eq!(
            house.sign_in(spelt, "wrong password").await.refusal(),
            (401, "bad_credentials"),
            "{spelt:?}"
        );
    }
    for spelt in ["ann", "aNn ", "\nANN"] {
        assert_eq!(house.sign_in(spelt, PASSWORD).await.refusal(), (423, "locked"), "{spelt:?}");
    }
}

#[tokio::test]
async fn a_refused_refresh_takes_no_cookie_away_that_another_tab_has_just_got() {
    held!();
    let house = House::new();
    let ann = house.member("ann").await;
    let first = ann.text("refresh");
    let second = house.refresh(&first).await.text("refresh");
    house.refresh(&second).await;
    house.later(60_000).await;
    for token in [first.as_str(), "none", &format!("{second}x")] {
        let cookie = format!("cardhouse={token}");
        let refused =
            house.ask("POST", "/api/refresh", &[("cookie", &cookie)], Some(json!({ "cookie": true }))).await;
        assert_eq!((refused.status, refused.cookies()), (401, Vec::new()), "{}", refused.body);
    }
}

/// The document, and what it says of a path and a method.
fn document() -> Value {
    serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap()
}

#[tokio::test]
async fn the_document_and_the_router_know_the_same_paths_methods_and_codes() {
    held!();
    let house = House::new();
    let document = document();
    let mut described: Vec<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut served = reception::api::paths();
    described.sort_unstable();
    served.sort_unstable();
    assert_eq!(described, served);
    for path in served {
        let asked = path.replace("{id}", "x");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = house.ask(method, &asked, &[], None).await;
            let operation = &document["paths"][path][method.to_lowercase()];
            assert_eq!(answer.status == 405, operation.is_null(), "{method} {path}: {}", answer.body);
            if !operation.is_null() && answer.status >= 400 {
                // What an empty request is refused with is described, too.
                let codes = operation["responses"][answer.status.to_string()].to_string();
                assert!(codes.contains(answer.refusal().1), "{method} {path}: {:?}", answer.refusal());
            }
        }
    }
}

#[tokio::test]
async fn a_house_says_whether_it_keeps_accounts_to_who_is_nobody_yet() {
    held!();
    let answer = House::new().ask("GET", "/api/house", &[], None).await;
    assert_eq!((answer.status, answer.body), (200, json!({ "accounts": true })));
}

#[tokio::test]
async fn a_house_without_a_database_says_that_it_keeps_no_accounts() {
    let desk = Desk::new(Arc::new(Keyring::in_memory()), Clock::starting_at(NOW_MS), TOKEN_MS);
    let config =
        ApiConfig { tokens_per_minute: 0, tokens_burst: 1, hosts: Vec::new(), allow_origin: Vec::new() };
    let router = reception::router(desk, config);
    for (method, path) in [("GET", "/api/me"), ("POST", "/api/sessions"), ("GET", "/api/staff/audit")] {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let answer = router.clone().oneshot(request.body(Body::from("{}")).unwrap()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 404, "{path}");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("no_accounts"), "{path}");
    }
    let request = Request::builder().uri("/api/house").body(Body::empty()).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), r#"{"accounts":false}"#);
}
