//! Hands as people find them: over the router, on SQLite and on PostgreSQL.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request},
};
use broker::clock::Clock;
use cage::{
    Place, Tellers, Tx,
    history::{self, NewHand, Period},
    ledger,
    people::{
        person,
        refresh::{RefreshKey, RefreshKeys},
    },
    testing::postgres_server::PostgresServer,
};
use futures_util::TryStreamExt as _;
use hands::{
    HandRecord, Name, Viewer,
    testing::{START_MS, any_hand, cards_in, may_see, same_to, unseen},
};
use http_body_util::BodyExt as _;
use protocol::{
    id::{Position, RoomId, UserId},
    rights::Roles,
};
use reception::{
    Desk, Keyring, People,
    passwords::Cost,
    people::{FileAsked, Format, HandFile},
};
use serde_json::{Value, json};
use support::{Answer, Heard, ask, config};
use tower::ServiceExt as _;

const FORMS: [&str; 5] = [
    "application/json",
    "application/vnd.cardhouse.frames+json",
    "application/vnd.ohh+json",
    "application/x-phh",
    "text/plain",
];

/// A house, and three who play in it: Ann, Bob, and Cyd.
struct House {
    router: Router,
    people: Arc<People>,
    players: Vec<Player>,
    _folder: tempfile::TempDir,
}

#[derive(Clone)]
struct Player {
    user: UserId,
    token: String,
}

/// Opens the database apart from where tasks run: PostgreSQL's client may not be made there.
async fn open(place: Place) -> Tellers {
    tokio::task::spawn_blocking(move || Tellers::open(&place)).await.unwrap().unwrap()
}

/// A server of PostgreSQL and a database of it; nothing where there is none.
async fn postgres(name: &'static str) -> Option<(Arc<PostgresServer>, Place)> {
    let server = Arc::new(tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap()?);
    let made = server.clone();
    let url = tokio::task::spawn_blocking(move || made.database(name)).await.unwrap().unwrap();
    Some((server, Place::Postgres(url)))
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("cage.db"));
        Self::at(place, folder).await
    }

    async fn at(place: Place, folder: tempfile::TempDir) -> Self {
        let tellers = open(place).await;
        let euro = ["EUR:2".parse().unwrap(), "PLAY:0:10000:2000".parse().unwrap()];
        tellers.write("currencies", move |tx| ledger::define(tx, &euro)).await.unwrap();
        let desk = Desk::new(Arc::new(Keyring::in_memory()), Clock::starting_at(START_MS), 600_000);
        let keys = RefreshKeys::new(RefreshKey::new([7; 32]), Vec::new());
        let cost = Cost { memory_kib: 8, passes: 1 };
        let people = Arc::new(People::new(tellers, keys, desk, cost, Arc::new(Heard::default())));
        let router = reception::router_with_people(people.clone(), config());
        let mut house = Self { router, people, players: Vec::new(), _folder: folder };
        for name in ["Ann", "Bob", "Cyd"] {
            let guest = ask(&house.router, "POST", "/api/guest", &[], Some(json!({ "name": name }))).await;
            let player = Player { user: guest.text("user").parse().unwrap(), token: guest.text("token") };
            house.players.push(player);
        }
        house
    }

    fn users(&self) -> Vec<UserId> {
        self.players.iter().map(|player| player.user.clone()).collect()
    }

    async fn keep(&self, room: &str, records: &[HandRecord]) {
        self.keep_late(room, records, 0).await;
    }

    /// Of a table that is shown to its rail so late.
    async fn keep_late(&self, room: &str, records: &[HandRecord], late_ms: u32) {
        let hands: Vec<NewHand> = records
            .iter()
            .map(|record| NewHand { room: room_of(room), at: place(record), record: record.clone(), late_ms })
            .collect();
        let work = move |tx: &mut dyn Tx| hands.iter().try_for_each(|hand| history::keep(tx, hand).map(drop));
        self.people.tellers().write("hands", work).await.unwrap();
    }

    async fn get(&self, by: Option<&Player>, path: &str) -> Answer {
        self.get_as(by, path, "*/*").await
    }

    async fn get_as(&self, by: Option<&Player>, path: &str, accept: &str) -> Answer {
        let bearer = by.map(|player| format!("Bearer {}", player.token));
        let mut headers = vec![("accept", accept)];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        ask(&self.router, "GET", path, &headers, None).await
    }

    /// The numbers of the hands on a page of somebody's, and where it ends.
    async fn page(&self, by: &Player, query: &str) -> (Vec<u64>, Option<String>) {
        let answer = self.get(Some(by), &format!("/api/me/hands?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        let before = answer.body["before"].as_str().map(str::to_owned);
        (numbers(&answer.body), before)
    }
}

fn numbers(body: &Value) -> Vec<u64> {
    body["hands"].as_array().unwrap().iter().map(|hand| hand["number"].as_u64().unwrap()).collect()
}

fn room_of(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

fn place(record: &HandRecord) -> Position {
    Position::new(1, record.number * 10)
}

fn link(room: &str, record: &HandRecord) -> String {
    let name = Name { room: room_of(room), at: place(record) };
    format!("/api/hands/{name}")
}

/// Hands of these, one behind the other.
fn played(users: &[UserId], count: u64, seed: u64) -> Vec<HandRecord> {
    let mut prev = [0; 32];
    let hand = |number| {
        let record = any_hand(seed + number, number, prev, users);
        prev = record.hash;
        record
    };
    (1..=count).map(hand).collect()
}

#[tokio::test]
async fn who_has_played_finds_his_hands_page_by_page() {
    let house = House::new().await;
    let [ann, bob, cyd] = &house.players[..] else { panic!() };
    let with_bob = played(&house.users()[..2], 7, 1);
    house.keep("t1", &with_bob).await;
    let mut with_cyd = played(&[ann.user.clone(), cyd.user.clone()], 2, 100);
    with_cyd.iter_mut().for_each(|record| record.ended_ms += 60_000);
    house.keep("cup-1.2", &with_cyd).await;

    assert_eq!(house.page(bob, "").await, (vec![7, 6, 5, 4, 3, 2, 1], None));
    assert_eq!(house.page(ann, "").await, (vec![2, 1, 7, 6, 5, 4, 3, 2, 1], None));
    let (first, before) = house.page(ann, "limit=4").await;
    assert_eq!(first, [2, 1, 7, 6]);
    let (second, before) = house.page(ann, &format!("limit=4&before={}", before.unwrap())).await;
    assert_eq!(second, [5, 4, 3, 2]);
    let place = before.unwrap();
    assert_eq!(house.page(ann, &format!("limit=1&before={place}")).await, (vec![1], None));
    // A hand that ends meanwhile moves no page.
    let late = played(&house.users()[..2], 8, 1).pop().unwrap();
    house.keep("t1", &[late]).await;
    assert_eq!(house.page(ann, &format!("limit=4&before={place}")).await, (vec![1], None));

    assert_eq!(house.page(ann, "room=cup-1.2").await.0, [2, 1]);
    assert!(house.page(ann, "room=t9").await.0.is_empty());
    assert!(house.page(cyd, "room=t1").await.0.is_empty(), "he has played there no hand");
    let all = house.get(Some(bob), "/api/me/hands").await.body;
    let all = all["hands"].as_array().unwrap();
    let game = all[3]["game"].as_str().unwrap();
    let of_game = |hand: &&Value| hand["game"] == game;
    let expected: Vec<u64> =
        all.iter().filter(of_game).map(|hand| hand["number"].as_u64().unwrap()).collect();
    assert_eq!(house.page(bob, &format!("game={}", game.replace(' ', "%20"))).await.0, expected);
    let pots: BTreeSet<u64> = all.iter().map(|hand| hand["pot"].as_u64().unwrap()).collect();
    let large = pots.last().unwrap();
    let (largest, _) = house.page(bob, &format!("min_pot={large}")).await;
    assert!(!largest.is_empty() && largest.len() < 8, "{largest:?}");
    let (from, to) = (with_bob[2].ended_ms, with_bob[4].ended_ms);
    assert_eq!(house.page(bob, &format!("from={from}&to={to}")).await.0, [4, 3]);
    // Each line says what one has won.
    for hand in all {
        let seat = usize::try_from(hand["you"].as_u64().unwrap()).unwrap();
        assert_eq!(hand["players"][seat]["user"], json!(bob.user));
        assert_eq!(hand["players"][seat]["net"], hand["net"]);
    }
}

#[tokio::test]
async fn a_hand_is_found_by_its_name_in_the_form_that_is_wanted() {
    let house = House::new().await;
    let mut records = played(&house.users()[..2], 2, 7);
    records[0].currency = Some("EUR".into());
    house.keep("t1", &records).await;
    let path = link("t1", &records[0]);
    let ann = Some(&house.players[0]);
    for (form, declared) in FORMS.iter().zip([
        "application/json",
        "application/vnd.cardhouse.frames+json",
        "application/vnd.ohh+json",
        "application/x-phh; charset=utf-8",
        "text/plain; charset=utf-8",
    ]) {
        let answer = house.get_as(ann, &path, form).await;
        assert_eq!((answer.status, &answer.headers["content-type"].to_str().unwrap()), (200, &declared));
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let json = house.get(ann, &path).await.body;
    assert_eq!((&json["id"], &json["number"], &json["you"]), (&json!("t1.1-10"), &json!(1), &json!(0)));
    assert_eq!((&json["currency"], &json["digits"]), (&json!("EUR"), &json!(2)));
    assert!(json["events"].as_array().unwrap().len() > 4);
    let ohh = house.get_as(ann, &path, "application/vnd.ohh+json").await.body;
    assert_eq!((&ohh["ohh"]["currency"], &ohh["ohh"]["hero_player_id"]), (&json!("EUR"), &json!(0)));
    let stranger = house.get(Some(&house.players[2]), &path).await.body;
    assert_eq!((&stranger["you"], &stranger["net"]), (&Value::Null, &Value::Null));
    assert_eq!(house.get(None, &path).await.body, stranger, "a link is for everybody");
    assert_eq!(house.get_as(ann, &path, "image/png").await.refusal(), (406, "not_acceptable"));
    for form in FORMS {
        let answer = house.get_as(ann, &format!("{path}?names=hidden"), form).await.body.to_string();
        assert!(!answer.contains("Nick") && !answer.contains(house.players[1].user.as_str()), "{answer}");
    }
    for wrong in ["names=told", "names", "name=hidden"] {
        let answer = house.get(ann, &format!("{path}?{wrong}")).await;
        assert_eq!(answer.refusal(), (400, "bad_request"), "{wrong}");
    }
    let nobody = Player { token: "nonsense".into(), ..house.players[0].clone() };
    assert_eq!(house.get(Some(&nobody), &path).await.refusal(), (401, "bad_token"));
    for wrong in [
        "t1.1-11",
        "t2.1-10",
        "t1.2-10",
        "t1.01-10",
        "t1.1-10.",
        "t1",
        "..%2F..",
        "t1.1-99999999999999999999",
    ] {
        let answer = house.get(ann, &format!("/api/hands/{wrong}")).await;
        assert_eq!(answer.refusal(), (404, "not_found"), "{wrong}");
    }
    // The greatest number that can be said, and no database can hold.
    let far = house.get(ann, "/api/hands/t1.18446744073709551615-18446744073709551615").await;
    assert_eq!(far.refusal(), (404, "not_found"));
}

/// Names of hands can be guessed, links cannot.
#[tokio::test]
async fn a_stranger_walks_through_no_more_than_the_last_hands_of_a_table() {
    let house = House::new().await;
    let [ann, _, cyd] = &house.players[..] else { panic!() };
    let all = played(&house.users()[..2], 130, 1);
    house.keep("t1", &all).await;
    let mut open = 0;
    for record in &all {
        let path = link("t1", record);
        let own = house.get(Some(ann), &path).await;
        assert_eq!(own.status, 200, "whoever has played it finds it by its name");
        let by_link = format!("/api/hands/{}", own.text("link"));
        for stranger in [None, Some(cyd)] {
            let named = house.get(stranger, &path).await;
            let shared = house.get(stranger, &by_link).await;
            assert_eq!(
                (shared.status, &shared.body["id"]),
                (200, &own.body["id"]),
                "by its link it is anybody's"
            );
            assert!(shared.body.get("previous").is_none(), "nothing leads on from there");
            open += u32::from(named.status == 200 && stranger.is_none());
            assert_eq!(named.status == 200, record.number > 30, "hand {}", record.number);
        }
    }
    assert_eq!(open, 100, "those that the table's list tells");
    for wrong in ["aaaaaaaaaaaaaaaa", "AAAAAAAAAAAAAAAA", "aaaaaaaaaaaaaaa"] {
        assert_eq!(house.get(None, &format!("/api/hands/{wrong}")).await.status, 404);
    }
    // Links of a release before led by names, and still do.
    let old = |tx: &mut dyn Tx| {
        tx.run("DROP TRIGGER hand_witness_stays", &[])?;
        tx.run("UPDATE hand SET link = NULL, leaf = NULL, salt = NULL WHERE seq = 50", &[])
    };
    house.people.tellers().write("hands", old).await.unwrap();
    let path = link("t1", &all[4]);
    let stranger = house.get(None, &path).await;
    assert_eq!((stranger.status, &stranger.body["link"]), (200, &Value::Null));
    let link = house.get(Some(ann), &path).await.text("link");
    assert_eq!(house.get(Some(ann), &path).await.text("link"), link, "it gets one, once");
    assert_eq!(house.get(None, &format!("/api/hands/{link}")).await.status, 200);
    assert_eq!(house.get(None, &path).await.status, 200);
}

#[tokio::test]
async fn who_has_played_goes_from_hand_to_hand() {
    let house = House::new().await;
    let [ann, bob, cyd] = &house.players[..] else { panic!() };
    let all = played(&house.users()[..2], 3, 1);
    house.keep("t1", &all).await;
    let mut with_cyd = played(&[ann.user.clone(), cyd.user.clone()], 1, 100);
    with_cyd[0].ended_ms = all[1].ended_ms + 1;
    house.keep("t2", &with_cyd).await;
    let ways = async |by: &Player, path: String| {
        let body = house.get_as(Some(by), &path, FORMS[1]).await.body;
        ["previous", "next"].map(|way| body[way].as_str().map(str::to_owned))
    };
    let name = |room: &str, record: &HandRecord| Some(link(room, record)["/api/hands/".len()..].to_owned());
    assert_eq!(ways(ann, link("t1", &all[0])).await, [None, name("t1", &all[1])]);
    assert_eq!(ways(ann, link("t1", &all[1])).await, [name("t1", &all[0]), name("t2", &with_cyd[0])]);
    assert_eq!(ways(bob, link("t1", &all[1])).await, [name("t1", &all[0]), name("t1", &all[2])]);
}

#[tokio::test]
async fn a_table_has_its_last_hands_for_everybody() {
    let house = House::new().await;
    let records = played(&house.users(), 5, 3);
    house.keep("t1", &records).await;
    let answer = house.get(None, "/api/tables/t1/hands?limit=3").await;
    assert_eq!((answer.status, numbers(&answer.body)), (200, vec![5, 4, 3]));
    assert_eq!(answer.body["hands"][0]["you"], Value::Null);
    let by_a_player = house.get(Some(&house.players[0]), "/api/tables/t1/hands?limit=3").await;
    assert_eq!(by_a_player.body, answer.body, "his own cards are in his own list alone");
    assert!(numbers(&house.get(None, "/api/tables/t9/hands").await.body).is_empty());
    assert_eq!(house.get(None, "/api/tables/a%20b/hands").await.refusal(), (404, "not_found"));
}

#[tokio::test]
async fn a_hand_of_a_table_that_is_shown_late_is_its_players_alone_until_its_rail_has_seen_it() {
    let house = House::new().await;
    let [ann, _, cyd] = &house.players[..] else { panic!() };
    let mut records = played(&house.users()[..2], 4, 3);
    for (record, age_ms) in records.iter_mut().zip([900_000, 900_000 - 60_000, 30_000, 0]) {
        record.ended_ms = START_MS - age_ms;
    }
    house.keep_late("t1", &records, 900_000).await;
    assert_eq!(house.page(ann, "").await.0, [4, 3, 2, 1], "who has played them has them at once");
    for by in [None, Some(cyd), Some(ann)] {
        let last = house.get(by, "/api/tables/t1/hands").await;
        assert_eq!(numbers(&last.body), [1], "the list of the table is the rail's");
    }
    for record in &records {
        let path = link("t1", record);
        let own = house.get(Some(ann), &path).await;
        assert_eq!((own.status, own.text("link").len()), (200, 16));
        for path in [path, format!("/api/hands/{}", own.text("link"))] {
            for (by, form) in [None, Some(cyd)].into_iter().flat_map(|by| FORMS.map(|form| (by, form))) {
                let told = house.get_as(by, &path, form).await;
                match record.number {
                    1 => assert_eq!(told.status, 200, "{path} {form}"),
                    _ => assert_eq!(told.refusal(), (404, "not_found"), "{path} {form}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn what_the_list_of_a_table_tells_is_found_by_its_name_however_many_hands_are_not_due() {
    let house = House::new().await;
    let mut records = played(&house.users()[..2], 180, 3);
    for record in &mut records[120..] {
        record.ended_ms = START_MS;
    }
    records[..120].iter_mut().for_each(|record| record.ended_ms = START_MS - 900_000);
    house.keep_late("t1", &records, 900_000).await;
    let told = numbers(&house.get(None, "/api/tables/t1/hands?limit=100").await.body);
    assert_eq!(told, (21..=120).rev().collect::<Vec<u64>>());
    for record in &records {
        let is_told = told.contains(&record.number);
        let found = house.get(None, &link("t1", record)).await;
        assert_eq!(found.status == 200, is_told, "hand {}", record.number);
    }
}

#[tokio::test]
async fn who_has_deleted_himself_is_not_named_any_more() {
    let house = House::new().await;
    let [ann, bob, _] = &house.players[..] else { panic!() };
    let records = played(&house.users()[..2], 1, 5);
    house.keep("t1", &records).await;
    let path = link("t1", &records[0]);
    let told = async |form: &str| house.get_as(Some(ann), &path, form).await.body.to_string();
    for form in FORMS {
        assert!(told(form).await.contains("Nick 1"), "{form}");
    }
    let bearer = format!("Bearer {}", bob.token);
    let headers = [("authorization", bearer.as_str())];
    let gone = ask(&house.router, "POST", "/api/me/deletion", &headers, Some(json!({}))).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    let list = house.get(Some(ann), "/api/me/hands").await.body.to_string();
    let of_table = house.get(None, "/api/tables/t1/hands").await.body.to_string();
    let mut all = vec![list, of_table];
    for form in FORMS {
        all.push(told(form).await);
    }
    for told in all {
        assert!(told.contains("Nick 0"), "{told}");
        assert!(!told.contains("Nick 1") && !told.contains(bob.user.as_str()), "{told}");
    }
}

/// What the viewer of a hand did in it, counted once more from what he is told: VPIP, PFR, 3-bet, could, flop, showdown, won there, bets, calls.
fn counted(hand: &Value) -> [u64; 9] {
    let you = &hand["you"];
    let mut of = [0; 9];
    let mut folded = BTreeSet::new();
    let (mut flop, mut raises, mut raiser, mut won) = (false, 0, Value::Null, false);
    for event in hand["events"].as_array().unwrap() {
        let by_you = event["seat"] == *you;
        match event["e"].as_str().unwrap() {
            "street" if event["street"] == "flop" && event["run"] == 0 => {
                flop = true;
                of[4] = u64::from(!folded.contains(you.to_string().as_str()));
            }
            "acted" => {
                let kind = event["kind"].as_str().unwrap();
                if kind == "fold" {
                    folded.insert(event["seat"].to_string());
                }
                let (raise, call) = (matches!(kind, "bet" | "raise"), kind == "call");
                if by_you && flop {
                    of[7] += u64::from(raise);
                    of[8] += u64::from(call);
                } else if by_you {
                    let could = raises == 1 && raiser != *you;
                    of[3] |= u64::from(could);
                    of[2] |= u64::from(could && raise);
                    of[0] |= u64::from(raise || call);
                    of[1] |= u64::from(raise);
                }
                if raise && !flop {
                    (raises, raiser) = (raises + 1, event["seat"].clone());
                }
            }
            "won" => won |= by_you && event["amount"].as_u64().unwrap() > 0,
            _ => {}
        }
    }
    let left = hand["players"].as_array().unwrap().len() - folded.len();
    if left > 1 && !folded.contains(you.to_string().as_str()) {
        (of[5], of[6]) = (1, u64::from(won));
    }
    of
}

const COUNTS: [&str; 9] =
    ["vpip", "pfr", "three_bet", "three_bet_could", "flops", "showdowns", "showdowns_won", "bets", "calls"];

#[tokio::test]
async fn statistics_are_what_the_hands_come_to() {
    let house = House::new().await;
    let [ann, _, cyd] = &house.players[..] else { panic!() };
    let mut records = played(&house.users(), 90, 4_000);
    records.iter_mut().step_by(2).for_each(|record| record.currency = Some("EUR".into()));
    house.keep("t1", &records).await;
    let mut expected = BTreeMap::<(String, Option<String>), (u64, i64, [u64; 9])>::new();
    let mut in_all = [0; 9];
    for record in &records {
        let hand = house.get(Some(ann), &link("t1", record)).await.body;
        let game = hand["game"].as_str().unwrap().to_owned();
        let of = expected.entry((game, hand["currency"].as_str().map(str::to_owned))).or_default();
        of.0 += 1;
        of.1 += hand["net"].as_i64().unwrap();
        for ((sum, all), more) in of.2.iter_mut().zip(&mut in_all).zip(counted(&hand)) {
            *sum += more;
            *all += more;
        }
    }
    let told = house.get(Some(ann), "/api/me/stats").await.body;
    let games = told["games"].as_array().unwrap();
    assert!(games.len() > 4 && games.len() == expected.len(), "{told}");
    for (((game, currency), (hands, net, counts)), told) in expected.iter().zip(games) {
        assert_eq!((&told["game"], &told["currency"]), (&json!(game), &json!(currency)));
        assert_eq!((&told["hands"], &told["net"]), (&json!(hands), &json!(net)), "{told}");
        assert_eq!(told["digits"], if currency.is_some() { 2 } else { 0 });
        assert_eq!(COUNTS.map(|count| told[count].as_u64().unwrap()), *counts, "{told}");
        let of = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        for (rate, expected) in [
            ("vpip", of(counts[0], *hands)),
            ("pfr", of(counts[1], *hands)),
            ("three_bet", of(counts[2], counts[3])),
            ("wtsd", of(counts[5], counts[4])),
            ("wsd", of(counts[6], counts[5])),
            ("af", of(counts[7], counts[8])),
            // The big blind has two chips.
            ("bb_100", Some(*net as f64 / 2.0 * 100.0 / *hands as f64)),
        ] {
            let (rate, expected) = (told["rates"][rate].as_f64(), expected);
            assert_eq!(rate.is_some(), expected.is_some(), "{told}");
            let apart = rate.unwrap_or(0.0) - expected.unwrap_or(0.0);
            assert!(apart.abs() < 1e-9, "{rate:?} {expected:?} {told}");
        }
    }
    assert_eq!(told["all"]["hands"], 90);
    assert_eq!(COUNTS.map(|count| told["all"][count].as_u64().unwrap()), in_all);
    assert!(in_all.iter().all(|count| *count > 0), "each of them was there to be counted: {in_all:?}");

    let one = games[0]["game"].as_str().unwrap().replace(' ', "%20");
    let of_one = house.get(Some(ann), &format!("/api/me/stats?game={one}")).await.body;
    let same: Vec<_> = games.iter().filter(|game| game["game"] == games[0]["game"]).cloned().collect();
    assert_eq!(of_one["games"], json!(same));
    let to = records[0].ended_ms + 1;
    let first = house.get(Some(cyd), &format!("/api/me/stats?to={to}")).await.body;
    assert_eq!(first["all"]["hands"], 1);
    let none = house.get(Some(cyd), &format!("/api/me/stats?from={}", u64::MAX >> 11)).await.body;
    assert_eq!((&none["games"], &none["all"]["rates"]["vpip"]), (&json!([]), &Value::Null));
}

fn hands_in(file: &str, format: &str) -> Vec<String> {
    let names: Vec<&str> = match format {
        "phhs" => file.lines().filter_map(|line| line.strip_prefix("_id = '")?.strip_suffix('\'')).collect(),
        "ohh" => {
            let start = "    \"game_number\": \"";
            file.lines().filter_map(|line| line.strip_prefix(start)?.strip_suffix("\",")).collect()
        }
        _ => file.lines().filter_map(|line| Some(line.strip_prefix("Hand ")?.split_once(": ")?.0)).collect(),
    };
    names.into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn all_hands_of_a_period_come_in_a_file() {
    let house = House::new().await;
    let [ann, bob, cyd] = &house.players[..] else { panic!() };
    let records = played(&[ann.user.clone(), bob.user.clone()], 450, 9_000);
    house.keep("t1", &records).await;
    house.keep("t2", &played(&[bob.user.clone(), cyd.user.clone()], 3, 1)).await;
    let all: Vec<String> = records.iter().map(|record| format!("t1.{}", place(record))).collect();
    for format in ["phhs", "ohh", "text"] {
        let path = format!("/api/me/hands/export?format={format}");
        let answer = house.get(Some(ann), &path).await;
        let Value::String(file) = &answer.body else { panic!("{}", answer.body) };
        assert_eq!((answer.status, hands_in(file, format)), (200, all.clone()), "{format}");
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
        assert!(!answer.headers.contains_key("link") && !answer.headers.contains_key("content-encoding"));
        match format {
            "phhs" => {
                assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"hands.phhs\"");
                let read = holdem::phh::parse_all(file).unwrap();
                assert_eq!(read.len(), 450);
                for (record, number) in read.into_iter().zip(1..) {
                    let record = record.unwrap();
                    assert_eq!(record.name, number.to_string());
                    let replay = holdem::phh::Replay::of(&record);
                    assert!(replay.is_ok_and(|replay| replay.hand.ended()), "{record}");
                }
            }
            "ohh" => {
                for hand in file.split_terminator("\n\n") {
                    serde_json::from_str::<Value>(hand).unwrap();
                }
            }
            _ => {}
        }
        let (from, to) = (records[9].ended_ms, records[12].ended_ms);
        let some = house.get(Some(ann), &format!("{path}&from={from}&to={to}")).await.body;
        assert_eq!(hands_in(some.as_str().unwrap(), format), all[9..12]);
        let none = house.get(Some(cyd), &format!("{path}&from=9007199254740991")).await;
        assert_eq!((none.status, none.body), (200, json!("")));
    }
}

/// As bytes, with this said about codings.
async fn file_of(house: &House, by: &Player, path: &str, codings: &str) -> (HeaderMap, Vec<u8>) {
    let request = Request::get(path)
        .header("authorization", format!("Bearer {}", by.token))
        .header("accept-encoding", codings);
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 40_000))));
    let answer = house.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let headers = answer.headers().clone();
    (headers, answer.into_body().collect().await.unwrap().to_bytes().into())
}

#[tokio::test]
async fn a_file_is_packed_for_who_unpacks_it() {
    let house = House::new().await;
    let ann = &house.players[0];
    house.keep("t1", &played(&house.users()[..2], 250, 1)).await;
    let path = "/api/me/hands/export?format=ohh";
    let (headers, packed) = file_of(&house, ann, path, "br, gzip;q=0.5").await;
    assert_eq!(
        (&headers["content-encoding"], &headers["cache-control"]),
        (&"gzip".parse().unwrap(), &"no-store".parse().unwrap())
    );
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
    let (headers, plain) = file_of(&house, ann, path, "identity, gzip;q=0").await;
    assert!(!headers.contains_key("content-encoding"));
    assert!(unpacked == plain && packed.len() < plain.len() / 4, "{} of {}", packed.len(), plain.len());
}

#[tokio::test]
async fn many_hands_come_in_several_files_and_each_hand_in_one() {
    let house = House::new().await;
    let ann = &house.players[0];
    let mut records = played(&house.users()[..2], 23, 1);
    // Several end at one moment.
    records.iter_mut().for_each(|record| record.ended_ms = START_MS + record.number / 4);
    house.keep("t1", &records).await;
    let caller = house.people.caller(&ann.token).await.unwrap();
    let (mut found, mut files) = (Vec::new(), 0);
    let mut after = None;
    loop {
        let asked = FileAsked { after, most: 5, ..whole() };
        let HandFile { next, bytes } = house.people.hand_file(&caller, asked).await.unwrap();
        let parts: Vec<bytes::Bytes> = bytes.try_collect().await.unwrap();
        found.extend(hands_in(std::str::from_utf8(&parts.concat()).unwrap(), "text"));
        files += 1;
        after = next;
        if after.is_none() {
            break;
        }
    }
    let all: Vec<String> = records.iter().map(|record| format!("t1.{}", place(record))).collect();
    assert_eq!((files, found), (5, all));
}

/// All of one's hands, as text.
fn whole() -> FileAsked {
    FileAsked {
        period: Period { from_ms: 0, to_ms: u64::MAX },
        after: None,
        format: Format::Text,
        most: 10_000,
        is_packed: false,
    }
}

#[tokio::test]
async fn one_gets_one_file_at_a_time() {
    let house = House::new().await;
    let [ann, bob, _] = &house.players[..] else { panic!() };
    house.keep("t1", &played(&house.users()[..2], 3, 1)).await;
    let caller = house.people.caller(&ann.token).await.unwrap();
    let path = "/api/me/hands/export?format=text";
    let file = house.people.hand_file(&caller, whole()).await.unwrap();
    assert_eq!(house.get(Some(ann), path).await.refusal(), (503, "busy"));
    assert_eq!(house.get(Some(bob), path).await.status, 200, "others do not wait for her");
    drop(file);
    assert_eq!(house.get(Some(ann), path).await.status, 200, "who has gone counts no more");
    assert_eq!(house.get(Some(ann), path).await.status, 200, "nor does a file that was read");
}

/// A member with these roles.
async fn staff(house: &House, handle: &str, roles: Roles) -> Player {
    let wanted = json!({ "handle": handle, "password": "correct horse battery", "nick": handle });
    let member = ask(&house.router, "POST", "/api/accounts", &[], Some(wanted)).await;
    let player = Player { user: member.text("user").parse().unwrap(), token: member.text("token") };
    let user = player.user.clone();
    let set = move |tx: &mut dyn Tx| person::set_roles(tx, &user, roles.0);
    assert!(house.people.tellers().write("roles", set).await.unwrap());
    player
}

/// What is told of a hand that nobody is to be known by.
const TOLD_WITHOUT_NAMES: [&str; 15] = [
    "big_blind",
    "boards",
    "button",
    "currency",
    "digits",
    "events",
    "game",
    "id",
    "limit",
    "players",
    "pot",
    "rake",
    "seats",
    "small_blind",
    "variant",
];

#[tokio::test]
async fn collections_have_every_card_and_no_name_on_sqlite() {
    collections_have_every_card_and_no_name_for_whose_part_it_is(House::new().await).await;
}

#[tokio::test]
async fn collections_have_every_card_and_no_name_on_postgresql() {
    let Some((_server, place)) = postgres("collected").await else { return };
    let house = House::at(place, tempfile::tempdir().unwrap()).await;
    collections_have_every_card_and_no_name_for_whose_part_it_is(house).await;
}

async fn collections_have_every_card_and_no_name_for_whose_part_it_is(house: House) {
    let ann = &house.players[0];
    let path = "/api/training/hands";
    let admin = staff(&house, "boss", Roles::ADMIN.and(Roles::FLOOR)).await;
    let integrity = staff(&house, "iris", Roles::INTEGRITY).await;
    assert_eq!(house.get(None, path).await.refusal(), (401, "bad_token"));
    for by in [ann, &admin] {
        assert_eq!(house.get(Some(by), path).await.refusal(), (403, "not_allowed"));
    }
    let mut users = house.users();
    users[2] = UserId::new("bot-1").unwrap();
    let mut records = played(&users, 9, 60);
    let settled_ms = house.people.desk().now_ms() - 2 * 60 * 60 * 1_000;
    records.iter_mut().for_each(|record| record.ended_ms = settled_ms + record.number / 3);
    // The last one has ended a moment ago: it is not told yet.
    records[8].ended_ms = house.people.desk().now_ms();
    house.keep("t1", &records).await;
    let (mut lines, mut asked) = (Vec::new(), format!("{path}?limit=3"));
    loop {
        let answer = house.get(Some(&integrity), &asked).await;
        let again = house.get(Some(&integrity), &asked).await;
        assert_eq!((answer.status, &answer.body), (200, &again.body), "the same question, the same answer");
        assert_eq!(answer.headers["content-disposition"], again.headers["content-disposition"]);
        let Value::String(part) = &answer.body else { panic!("{}", answer.body) };
        lines.extend(part.lines().map(str::to_owned));
        let Some(next) = answer.headers.get("link") else { break };
        let next = next.to_str().unwrap();
        asked = next.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
    assert_eq!(lines.len(), 8);
    let mut pseudonyms = BTreeSet::new();
    for (line, record) in lines.iter().zip(&records) {
        let told: Value = serde_json::from_str(line).unwrap();
        let dealt = unseen(record, Viewer::Anybody).into_iter().chain(may_see(record, Viewer::Anybody));
        let cards: BTreeSet<_> = dealt.collect();
        for card in &cards {
            assert!(line.contains(&format!("\"{card}\"")), "{card} in {line}");
        }
        let fields: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, TOLD_WITHOUT_NAMES);
        assert!(!line.contains("Nick") && !line.contains("Reno") && !line.contains("\"t1"), "{line}");
        assert!(users.iter().all(|user| !line.contains(user.as_str())), "{line}");
        let players = told["players"].as_array().unwrap();
        pseudonyms.extend(players.iter().map(|player| player["user"].as_str().unwrap().to_owned()));
    }
    // The same people have the same names in all of them.
    assert_eq!(pseudonyms.len(), 3, "{pseudonyms:?}");
    assert_eq!(pseudonyms.iter().filter(|name| name.starts_with("b-")).count(), 1);
    for bad in ["limit=0", "limit=1001", "after=x", "user=g-other"] {
        let answer = house.get(Some(&integrity), &format!("{path}?{bad}")).await;
        assert_eq!(answer.refusal(), (400, "bad_request"), "{bad}");
    }
    let audit = house.get(Some(&admin), "/api/staff/audit").await.body.to_string();
    assert_eq!(audit.matches("hands_collected").count(), 6, "{audit}");
}

#[tokio::test]
async fn old_hands_are_forgotten_however_many_there_are() {
    tokio::time::pause();
    let house = House::new().await;
    let ann = &house.players[0];
    let mut records = played(&house.users()[..2], 1_205, 1);
    records.iter_mut().for_each(|record| record.ended_ms = START_MS + record.number);
    house.keep("t1", &records).await;
    tokio::time::advance(Duration::from_secs(5)).await;
    // The age of the thousand-two-hundred-and-third: it is not older than that.
    let age_ms = house.people.desk().now_ms() - records[1_202].ended_ms;
    house.people.forget_old_hands(age_ms).await;
    assert_eq!(house.page(ann, "").await.0, [1_205, 1_204, 1_203]);
    assert_eq!(house.get(Some(ann), &link("t1", &records[1_201])).await.refusal(), (404, "not_found"));
    assert_eq!(house.get(Some(ann), "/api/me/stats").await.body["all"]["hands"], 3);
    let file = house.get(Some(ann), "/api/me/hands/export?format=text").await.body;
    assert_eq!(hands_in(file.as_str().unwrap(), "text").len(), 3);
}

#[tokio::test]
async fn what_is_asked_badly_is_refused_and_finds_nothing_of_others() {
    let house = House::new().await;
    let [ann, bob, cyd] = &house.players[..] else { panic!() };
    house.keep("t1", &played(&[ann.user.clone(), bob.user.clone()], 3, 1)).await;
    house.keep("t2", &played(&[bob.user.clone(), cyd.user.clone()], 3, 50)).await;
    for bad in [
        "limit=0",
        "limit=101",
        "limit=4294967296",
        "limit=-1",
        "limit=x",
        "limit=",
        "min_pot=9007199254740992",
        "min_pot=-1",
        "from=1e3",
        "to=99999999999999999999",
        "room=",
        "room=a%20b",
        "room=%00",
        "game=%00",
        "before=",
        "before=t1.1-10",
        "before=1.t1.1-10.",
        "before=99999999999999999999.t1.1-10",
        "before=1.t1.1-10%27%20OR%201=1",
        "before=1.t1",
        "user=g-other",
        "person=bob",
        "limit=1&limit=2",
    ] {
        for path in ["/api/me/hands", "/api/tables/t1/hands"] {
            let answer = house.get(Some(ann), &format!("{path}?{bad}")).await;
            assert_eq!(answer.refusal(), (400, "bad_request"), "{path}?{bad}: {}", answer.body);
        }
    }
    for bad in [
        "hands/export",
        "hands/export?format=csv",
        "hands/export?format=",
        "hands/export?format=text&after=x",
        "hands/export?format=text&after=1.t1.1-010",
        "hands/export?format=text&limit=5",
        "hands/export?format=text&user=g-other",
        "hands/export?format=text&to=9007199254740992",
        "stats?from=-1",
        "stats?user=g-other",
        "stats?game=%00",
    ] {
        let answer = house.get(Some(ann), &format!("/api/me/{bad}")).await;
        assert_eq!(answer.refusal(), (400, "bad_request"), "{bad}: {}", answer.body);
    }
    for path in ["hands", "stats", "hands/export?format=text"] {
        let answer = house.get(None, &format!("/api/me/{path}")).await;
        assert_eq!(answer.refusal(), (401, "bad_token"), "{path}");
    }
    // A place in the list of another is only a moment: it leads to one's own hands, and to nothing else.
    let (_, of_bob) = house.page(bob, "limit=2").await;
    let of_bob = of_bob.unwrap();
    let by_bob = house.get(Some(bob), &format!("/api/me/hands?limit=100&before={of_bob}")).await.body;
    assert!(by_bob.to_string().contains("t2.1-"), "{by_bob}");
    let by_ann = house.get(Some(ann), &format!("/api/me/hands?limit=100&before={of_bob}")).await.body;
    assert!(!by_ann.to_string().contains("t2.1-"), "{by_ann}");
    let file = format!("/api/me/hands/export?format=text&after={of_bob}");
    assert!(!house.get(Some(ann), &file).await.body.to_string().contains("t2.1-"));
    for hand in by_ann["hands"].as_array().unwrap() {
        let own = usize::try_from(hand["you"].as_u64().unwrap()).unwrap();
        assert_eq!(hand["players"][own]["user"], json!(ann.user));
    }
}

/// All that somebody may ask about these hands, whether he gets it, and the bytes.
async fn all_answers(
    house: &House,
    by: Option<&Player>,
    records: &[HandRecord],
) -> Vec<(String, u16, String)> {
    let mut asked: Vec<(String, &str)> = vec![("/api/tables/t1/hands?limit=100".into(), FORMS[0])];
    if by.is_some() {
        let own = ["hands?limit=100", "stats"].map(str::to_owned);
        let files = ["phhs", "ohh", "text"].map(|format| format!("hands/export?format={format}"));
        asked.extend(own.into_iter().chain(files).map(|path| (format!("/api/me/{path}"), "*/*")));
    }
    asked.extend(records.iter().flat_map(|record| FORMS.map(|form| (link("t1", record), form))));
    let mut answers = Vec::new();
    for (path, form) in asked {
        let answer = house.get_as(by, &path, form).await;
        let told = match answer.body {
            Value::String(text) => text,
            mut other => {
                // It is random, and so tells nothing.
                if let Some(link) = other.get_mut("link") {
                    assert!(!link.take().is_null(), "{path} {form} is shared by nothing");
                }
                other.to_string()
            }
        };
        answers.push((format!("{path} {form}"), answer.status, told));
    }
    answers
}

async fn forget_all(house: &House, records: &[HandRecord]) {
    let forget = |tx: &mut dyn Tx| history::forget(tx, u64::MAX, 1_000);
    assert_eq!(house.people.tellers().write("hands", forget).await.unwrap(), records.len() as u64);
}

/// Where this viewer is told more of these hands than he was shown. Two judges: one looks for cards, and one compares with what he is told if all
/// that he was not shown is something else, as in `same`.
async fn breaches(
    house: &House,
    records: &[HandRecord],
    same: &[HandRecord],
    by: Option<&Player>,
    viewer: Viewer<'_>,
) -> Vec<String> {
    let mut both = Vec::new();
    for records in [records, same] {
        house.keep("t1", records).await;
        both.push(all_answers(house, by, records).await);
        forget_all(house, records).await;
    }
    let mut breaches = Vec::new();
    for ((asked, status, told), (_, _, of_same)) in both[0].iter().zip(&both[1]) {
        assert_eq!(*status, 200, "{asked}: {told}");
        if told != of_same {
            breaches.push(format!("{asked} differs"));
        }
        let one = records.iter().filter(|record| asked.starts_with(&format!("{} ", link("t1", record))));
        let of_all = || records.iter().flat_map(|record| may_see(record, viewer)).collect::<BTreeSet<_>>();
        let may = one.map(|record| may_see(record, viewer)).next().unwrap_or_else(of_all);
        let unseen: Vec<_> = cards_in(told).into_iter().filter(|card| !may.contains(card)).collect();
        if !unseen.is_empty() {
            breaches.push(format!("{asked} tells {unseen:?}"));
        }
    }
    breaches
}

/// Where who has not played is told something of hands that are kept of a table that is shown so late: anything that he is not told where there are none.
async fn early(house: &House, records: &[HandRecord], by: Option<&Player>, late_ms: u32) -> Vec<String> {
    let of_none = all_answers(house, by, records).await;
    house.keep_late("t1", records, late_ms).await;
    let told = all_answers(house, by, records).await;
    forget_all(house, records).await;
    let both = told.into_iter().zip(of_none);
    both.filter(|(told, of_none)| told != of_none).map(|((asked, ..), _)| asked).collect()
}

async fn nobody_gets_a_byte_of_a_hand_that_is_shown_late_before_it_is_due(
    place: Place,
    folder: tempfile::TempDir,
) {
    let house = House::at(place, folder).await;
    let [ann, _, cyd] = &house.players[..] else { panic!() };
    let mut records = played(&house.users()[..2], 8, 1_000);
    let late_ms = 60_000;
    for (record, age_ms) in records.iter_mut().zip(0..) {
        record.ended_ms = START_MS - age_ms;
    }
    for by in [None, Some(cyd)] {
        assert_eq!(early(&house, &records, by, late_ms).await, Vec::<String>::new());
        // Planted: the recorder forgets how late. The list tells of it, and each hand in each form.
        assert_eq!(early(&house, &records, by, 0).await.len(), 1 + records.len() * FORMS.len());
    }
    // Who has played them is told at once what he is told at any table, but for the list of all.
    let mut told = Vec::new();
    for late_ms in [0, late_ms] {
        house.keep_late("t1", &records, late_ms).await;
        told.push(all_answers(&house, Some(ann), &records).await);
        forget_all(&house, &records).await;
    }
    let differs: Vec<_> = told[0].iter().zip(&told[1]).filter(|(live, late)| live != late).collect();
    assert_eq!(differs.len(), 1, "{differs:?}");
    assert!(differs[0].0.0.starts_with("/api/tables/t1/hands"));
}

#[tokio::test]
async fn nobody_gets_a_byte_of_a_hand_that_is_shown_late_before_it_is_due_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("cage.db"));
    nobody_gets_a_byte_of_a_hand_that_is_shown_late_before_it_is_due(place, folder).await;
}

#[tokio::test]
async fn nobody_gets_a_byte_of_a_hand_that_is_shown_late_before_it_is_due_on_postgresql() {
    let Some((_server, place)) = postgres("late").await else { return };
    let folder = tempfile::tempdir().unwrap();
    nobody_gets_a_byte_of_a_hand_that_is_shown_late_before_it_is_due(place, folder).await;
}

async fn nobody_gets_a_byte_of_what_he_was_not_shown(place: Place, folder: tempfile::TempDir) {
    let house = House::at(place, folder).await;
    let records = played(&house.users(), 12, 1_000);
    let viewers = house.players.iter().map(Some).chain([None]);
    for (by, number) in viewers.zip(0..) {
        let viewer = by.map_or(Viewer::Anybody, |player| Viewer::User(&player.user));
        let unseen_count: usize = records.iter().map(|record| unseen(record, viewer).len()).sum();
        assert!(unseen_count > 10, "there is something to be hidden");
        let same: Vec<_> = records.iter().map(|record| same_to(record, viewer, 77)).collect();
        assert!(same.iter().zip(&records).all(|(same, record)| same.is_whole() && same.hash == record.hash));
        assert_ne!(same, records);
        let found = breaches(&house, &records, &same, by, viewer).await;
        assert_eq!(found, Vec::<String>::new(), "{viewer:?}");
        // Planted: who asks is taken for another. Both judges see it.
        let taken_for = &house.players[(number + 1) % house.players.len()];
        let found = breaches(&house, &records, &same, Some(taken_for), viewer).await;
        for what in [" tells ", " differs"] {
            assert!(found.iter().any(|breach| breach.contains(what)), "{what}: {found:?}");
        }
    }
}

#[tokio::test]
async fn nobody_gets_a_byte_of_what_he_was_not_shown_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("cage.db"));
    nobody_gets_a_byte_of_what_he_was_not_shown(place, folder).await;
}

#[tokio::test]
async fn nobody_gets_a_byte_of_what_he_was_not_shown_on_postgresql() {
    let Some((_server, place)) = postgres("hands").await else { return };
    nobody_gets_a_byte_of_what_he_was_not_shown(place, tempfile::tempdir().unwrap()).await;
}
