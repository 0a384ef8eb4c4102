//! Hands as people find them: over the router, on SQLite and on PostgreSQL.

mod support;

use std::{collections::BTreeSet, sync::Arc};

use axum::Router;
use broker::clock::Clock;
use cage::{
    Place, Tellers, Tx,
    history::{self, NewHand},
    ledger,
    people::refresh::{RefreshKey, RefreshKeys},
    testing::postgres_server::PostgresServer,
};
use hands::{
    HandRecord, Name, Viewer,
    testing::{START_MS, any_hand, cards_in, may_see, same_to, unseen},
};
use protocol::id::{Position, RoomId, UserId};
use reception::{Desk, Keyring, People, passwords::Cost};
use serde_json::{Value, json};
use support::{Answer, Heard, ask, config};

const FORMS: [&str; 4] = ["application/json", "application/vnd.ohh+json", "application/x-phh", "text/plain"];

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
        let hands: Vec<NewHand> = records
            .iter()
            .map(|record| NewHand { room: room_of(room), at: place(record), record: record.clone() })
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
    assert_eq!(house.get(None, "/api/me/hands").await.refusal(), (401, "bad_token"));
    // A place in the list of another is only a moment: it leads to one's own hands, and to nothing else.
    let (_, of_bob) = house.page(bob, "limit=2").await;
    let of_bob = of_bob.unwrap();
    let by_bob = house.get(Some(bob), &format!("/api/me/hands?limit=100&before={of_bob}")).await.body;
    assert!(by_bob.to_string().contains("t2.1-"), "{by_bob}");
    let by_ann = house.get(Some(ann), &format!("/api/me/hands?limit=100&before={of_bob}")).await.body;
    assert!(!by_ann.to_string().contains("t2.1-"), "{by_ann}");
    for hand in by_ann["hands"].as_array().unwrap() {
        let own = usize::try_from(hand["you"].as_u64().unwrap()).unwrap();
        assert_eq!(hand["players"][own]["user"], json!(ann.user));
    }
}

/// All that somebody may ask about these hands, and the bytes that he gets.
async fn all_answers(house: &House, by: Option<&Player>, records: &[HandRecord]) -> Vec<(String, String)> {
    let mut asked: Vec<(String, &str)> = vec![("/api/tables/t1/hands?limit=100".into(), FORMS[0])];
    if by.is_some() {
        asked.push(("/api/me/hands?limit=100".into(), FORMS[0]));
    }
    asked.extend(records.iter().flat_map(|record| FORMS.map(|form| (link("t1", record), form))));
    let mut answers = Vec::new();
    for (path, form) in asked {
        let answer = house.get_as(by, &path, form).await;
        assert_eq!(answer.status, 200, "{path} {form}: {}", answer.body);
        let told = match answer.body {
            Value::String(text) => text,
            other => other.to_string(),
        };
        answers.push((format!("{path} {form}"), told));
    }
    answers
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
        let forget = |tx: &mut dyn Tx| history::forget(tx, u64::MAX, 1_000);
        assert_eq!(house.people.tellers().write("hands", forget).await.unwrap(), records.len() as u64);
    }
    let mut breaches = Vec::new();
    for ((asked, told), (_, of_same)) in both[0].iter().zip(&both[1]) {
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
    let Some(server) = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap() else {
        return;
    };
    let server = Arc::new(server);
    let made = server.clone();
    let url = tokio::task::spawn_blocking(move || made.database("hands")).await.unwrap().unwrap();
    let folder = tempfile::tempdir().unwrap();
    nobody_gets_a_byte_of_what_he_was_not_shown(Place::Postgres(url), folder).await;
}
