//! What somebody has, as clients see it, and what staff does about it.

mod support;

use std::{sync::Arc, time::Duration};

use axum::Router;
use broker::clock::Clock;
use cage::{
    Place, Tellers, Tx,
    ledger::{self, Answer as Answered},
    people::{
        person,
        refresh::{RefreshKey, RefreshKeys},
    },
};
use money::{Ask, Body as _, Currency, Share, Stake};
use protocol::{
    id::{ErrandId, Position, RoomId, UserId},
    rights::Roles,
};
use reception::{Desk, Keyring, People, passwords::Cost};
use serde_json::{Value, json};

use support::{Answer, Heard, ask, config};

const NOW_MS: u64 = 1_700_000_000_000;
const DAY_MS: u64 = 86_400_000;
const PASSWORD: &str = "correct horse battery";

struct House {
    router: Router,
    people: Arc<People>,
}

impl House {
    async fn new() -> Self {
        let tellers = Tellers::open(&Place::Memory).unwrap();
        let currencies = ["PLAY:0:1000:200", "EUR:2"].map(|text| text.parse().unwrap());
        tellers.write("x", move |tx| ledger::define(tx, &currencies)).await.unwrap();
        let desk = Desk::new(Arc::new(Keyring::in_memory()), Clock::starting_at(NOW_MS), 600_000_000);
        let keys = RefreshKeys::new(RefreshKey::new([7; 32]), Vec::new());
        let cost = Cost { memory_kib: 8, passes: 1 };
        let people = Arc::new(People::new(tellers, keys, desk, cost, Arc::new(Heard::default())));
        let router = reception::router_with_people(people.clone(), config());
        Self { router, people }
    }

    async fn member(&self, handle: &str, roles: Roles) -> (String, String) {
        let wanted = json!({ "handle": handle, "password": PASSWORD, "nick": handle });
        let made = ask(&self.router, "POST", "/api/accounts", &[], Some(wanted)).await;
        let user = UserId::new(&made.text("user")).unwrap();
        self.do_it(move |tx| person::set_roles(tx, &user, roles.0)).await;
        (made.text("user"), made.text("token"))
    }

    async fn do_it<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, cage::DbError> + Send + 'static,
    ) -> T {
        self.people.tellers().write("x", work).await.unwrap()
    }

    async fn by(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        ask(&self.router, method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    /// A table asks.
    async fn errand(&self, seq: u64, ask: Ask) {
        let (room, body) = (RoomId::new("t1").unwrap(), ask.write());
        let id = ErrandId { at: Position::new(1, seq), n: 0 };
        let answer = self.do_it(move |tx| ledger::answer(tx, NOW_MS, &room, id, &body)).await;
        assert_eq!(answer, Answered::Done(Vec::new()));
    }
}

fn play() -> Currency {
    Currency::new("PLAY").unwrap()
}

fn buy(who: &str, amount: u64) -> Ask {
    Ask::BuyIn(Stake { user: UserId::new(who).unwrap(), currency: play(), amount, nonce: 1 })
}

fn cash_out(who: &str, amount: u64) -> Ask {
    Ask::CashOut(Share { user: UserId::new(who).unwrap(), currency: play(), amount })
}

#[tokio::test]
async fn a_player_sees_what_he_has_and_what_has_moved_it_and_is_refilled_once_a_day() {
    tokio::time::pause();
    let house = House::new().await;
    let (ann, token) = house.member("ann", Roles::NONE).await;
    let (_, other) = house.member("bob", Roles::NONE).await;
    let balances = house.by(&token, "GET", "/api/me/balances", None).await;
    assert_eq!(balances.headers["cache-control"], "no-store");
    let balances = balances.body["balances"].clone();
    assert_eq!((&balances[0]["currency"], &balances[0]["digits"]), (&json!("EUR"), &json!(2)));
    assert_eq!((&balances[1]["available"], &balances[1]["in_play"]), (&json!(1_000), &json!([])));
    let refill = || house.by(&token, "POST", "/api/me/refill", Some(json!({ "currency": "PLAY" })));
    assert_eq!(refill().await.refusal(), (409, "has_enough"));
    house.errand(1, buy(&ann, 900)).await;
    house.errand(2, cash_out(&ann, 50)).await;
    house.errand(3, buy(&ann, 100)).await;
    let balances = house.by(&token, "GET", "/api/me/balances", None).await.body["balances"].clone();
    let play = json!({
        "currency": "PLAY", "digits": 0, "play": true, "refill": 200, "available": 50, "frozen": false,
        "in_play": [{ "room": "t1", "amount": 100 }],
    });
    assert_eq!(balances[1], play);
    assert_eq!(refill().await.body, json!({ "given": 50 }));
    assert_eq!(refill().await.refusal(), (409, "had_today"));
    tokio::time::advance(Duration::from_millis(DAY_MS)).await;
    assert_eq!(refill().await.refusal(), (409, "has_enough"));
    house.errand(4, cash_out(&ann, 0)).await;
    assert_eq!(refill().await.body, json!({ "given": 100 }));
    for code in ["EUR", "NONE", "x"] {
        let none = house.by(&token, "POST", "/api/me/refill", Some(json!({ "currency": code }))).await;
        assert_eq!(none.refusal(), (404, "not_found"), "{code}");
    }
    let lines = house.by(&token, "GET", "/api/me/statement?currency=PLAY", None).await.body["lines"].clone();
    let kinds: Vec<_> = lines.as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["refill", "refill", "buy_in", "cash_out", "buy_in", "grant"]);
    let out = json!({ "number": 3, "at_ms": NOW_MS, "kind": "cash_out", "room": "t1", "change": 50, "balance": 150 });
    assert_eq!(lines[3], out);
    let page = house.by(&token, "GET", "/api/me/statement?currency=PLAY&before=3", None).await;
    assert_eq!(page.body["lines"].as_array().unwrap().len(), 2);
    let strange = house.by(&token, "GET", "/api/me/statement?currency=NONE", None).await;
    assert_eq!(strange.refusal(), (404, "not_found"));
    let his = house.by(&other, "GET", "/api/me/statement?currency=PLAY", None).await;
    assert_eq!(his.body["lines"], json!([]), "nobody sees another's");
    for path in ["/api/me/balances", "/api/me/statement?currency=PLAY"] {
        assert_eq!(house.by("x", "GET", path, None).await.refusal(), (401, "bad_token"));
    }
}

#[tokio::test]
async fn staff_moves_chips_once_with_a_reason_much_by_two_and_all_of_it_is_audited() {
    tokio::time::pause();
    let house = House::new().await;
    let (ann, by_ann) = house.member("ann", Roles::CAGE).await;
    let (_, by_cat) = house.member("cat", Roles::CAGE).await;
    let (_, by_floor) = house.member("floor", Roles::FLOOR).await;
    let (_, by_boss) = house.member("boss", Roles::ADMIN).await;
    let (bob, by_bob) = house.member("bob", Roles::NONE).await;
    let wanted = |name: &str, change: i64| json!({ "name": name, "user": bob, "currency": "PLAY", "change": change, "reason": "won a bet with us" });
    let adjust = |by: &str, wanted: Value| {
        let by = by.to_owned();
        let house = &house;
        async move { house.by(&by, "POST", "/api/staff/ledger/adjust", Some(wanted)).await }
    };
    for (by, path) in [(&by_bob, "audit"), (&by_floor, "proposals"), (&by_floor, "audit")] {
        let refused = house.by(by, "GET", &format!("/api/staff/ledger/{path}"), None).await;
        assert_eq!(refused.refusal(), (403, "not_allowed"), "{path}");
    }
    assert_eq!(adjust(&by_bob, wanted("a", 1)).await.refusal(), (403, "not_allowed"));
    let own = json!({ "name": "a", "user": ann, "currency": "PLAY", "change": 1, "reason": "I need chips" });
    assert_eq!(adjust(&by_ann, own).await.refusal(), (403, "not_allowed"), "nobody gives to himself");
    for _ in 0..2 {
        let done = adjust(&by_ann, wanted("a-1", 500)).await;
        assert_eq!((done.status, done.text("came").as_str()), (200, "done"));
    }
    assert_eq!(adjust(&by_ann, wanted("a-1", 501)).await.refusal(), (409, "other_request"));
    assert_eq!(adjust(&by_ann, wanted("a-2", -1_501)).await.refusal(), (409, "insufficient"));
    let short = json!({ "name": "a-3", "user": bob, "currency": "PLAY", "change": 1, "reason": "because " });
    for bad in [short, wanted("", 1), wanted("a:b", 1), wanted("a-3", 0)] {
        assert_eq!(adjust(&by_ann, bad).await.refusal(), (400, "bad_request"));
    }
    let mut nobody = wanted("a-3", 1);
    nobody["user"] = json!("u-nobody");
    assert_eq!(adjust(&by_ann, nobody).await.refusal(), (404, "not_found"));
    let proposed = adjust(&by_ann, wanted("b-1", 100_001)).await;
    assert_eq!((proposed.status, proposed.text("came").as_str()), (202, "proposed"));
    let listed = house.by(&by_cat, "GET", "/api/staff/ledger/proposals", None).await.body;
    assert_eq!(
        (&listed["proposals"][0]["name"], &listed["proposals"][0]["by"]),
        (&json!("b-1"), &json!(ann))
    );
    let decide = |by: &str, name: &str, decision: &str| {
        let (by, path) = (by.to_owned(), format!("/api/staff/ledger/proposals/{name}"));
        let (house, decision) = (&house, json!({ "decision": decision }));
        async move { house.by(&by, "POST", &path, Some(decision)).await }
    };
    assert_eq!(decide(&by_ann, "b-1", "confirm").await.refusal(), (403, "not_allowed"));
    assert_eq!(decide(&by_floor, "b-1", "confirm").await.refusal(), (403, "not_allowed"));
    assert_eq!(decide(&by_cat, "b-9", "confirm").await.refusal(), (404, "not_found"));
    assert_eq!(decide(&by_cat, "b-1", "confirm").await.text("came"), "done");
    assert_eq!(decide(&by_cat, "b-1", "confirm").await.refusal(), (404, "not_found"));
    adjust(&by_ann, wanted("b-2", -100_001)).await;
    assert_eq!(decide(&by_ann, "b-2", "withdraw").await.text("came"), "dropped");
    let balances = house.by(&by_bob, "GET", "/api/me/balances", None).await.body["balances"].clone();
    assert_eq!(balances[1]["available"], 1_000 + 500 + 100_001);
    let audit = house.by(&by_boss, "GET", "/api/staff/ledger/audit", None).await.body;
    assert_eq!((&audit["good"], &audit["conflicts"]), (&json!(true), &json!(1)));
    assert_eq!(
        (&audit["complete"], &audit["tables"]),
        (&json!(false), &Value::Null),
        "no table can be reached"
    );
    let play = json!({
        "currency": "PLAY", "players": 101_501, "tables": 0, "sum": 0, "variance": 0,
        "house": { "bank": -100_501, "promo": -1_000 },
    });
    assert_eq!(audit["currencies"], json!([play]));
    let events = house.by(&by_boss, "GET", "/api/staff/audit", None).await.body.to_string();
    for told in [
        "adjusted",
        "adjustment_confirmed",
        "adjustment_withdrawn",
        "ledger_audited",
        "proposals_seen",
        "won a bet with us",
        "b-1: 100001 PLAY done",
    ] {
        assert!(events.contains(told), "{told}: {events}");
    }
}

#[tokio::test]
async fn nobody_is_deleted_whose_chips_would_be_nobodys_and_he_is_told_what_to_do() {
    let house = House::new().await;
    let (_, by_staff) = house.member("cat", Roles::CAGE).await;
    let (ann, token) = house.member("ann", Roles::NONE).await;
    let delete = || house.by(&token, "POST", "/api/me/deletion", Some(json!({ "password": PASSWORD })));
    let adjust = async |name: &str, change: i64| {
        let wanted = json!({ "name": name, "user": ann, "currency": "EUR", "change": change, "reason": "paid in cash" });
        let done = house.by(&by_staff, "POST", "/api/staff/ledger/adjust", Some(wanted)).await;
        assert_eq!(done.status, 200, "{}", done.body);
    };
    house.errand(1, buy(&ann, 900)).await;
    let refused = delete().await;
    assert_eq!(refused.refusal(), (409, "has_chips"));
    assert_eq!((&refused.body["rooms"], &refused.body["currencies"]), (&json!(["t1"]), &json!([])));
    assert!(refused.text("message").contains("(t1); leave it first"), "{}", refused.body);
    adjust("in-1", 250).await;
    let refused = delete().await;
    assert_eq!((&refused.body["rooms"], &refused.body["currencies"]), (&json!(["t1"]), &json!(["EUR"])));
    house.errand(2, cash_out(&ann, 850)).await;
    let refused = delete().await;
    assert_eq!((&refused.body["rooms"], &refused.body["currencies"]), (&json!([]), &json!(["EUR"])));
    assert!(refused.text("message").contains("pay you out first"), "{}", refused.body);
    let balances = house.by(&token, "GET", "/api/me/balances", None).await;
    assert_eq!(balances.status, 200, "who is refused goes on as before");
    adjust("out-1", -250).await;
    assert_eq!(delete().await.status, 204, "play money keeps nobody");
}

#[tokio::test]
async fn an_export_holds_what_somebody_owns_and_all_that_has_moved_it() {
    let house = House::new().await;
    let (ann, token) = house.member("ann", Roles::NONE).await;
    house.errand(1, buy(&ann, 900)).await;
    house.errand(2, cash_out(&ann, 850)).await;
    let export = house.by(&token, "GET", "/api/me/export", None).await.body;
    let lines = export.as_str().unwrap().lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_kind = |kind: &str| {
        lines.clone().filter(|line| line["line"] == kind).map(|line| line[kind].clone()).collect::<Vec<_>>()
    };
    let balances = of_kind("balance");
    assert_eq!((&balances[0]["currency"], &balances[0]["available"]), (&json!("EUR"), &json!(0)));
    assert_eq!((&balances[1]["currency"], &balances[1]["available"]), (&json!("PLAY"), &json!(950)));
    let moved = of_kind("statement");
    let told: Vec<_> = moved
        .iter()
        .map(|line| (line["kind"].as_str().unwrap(), line["balance"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("cash_out", 950), ("buy_in", 100), ("grant", 1_000)]);
    assert!(moved.iter().all(|line| line["currency"] == "PLAY"));
}
