//! Tables of which nothing is left: who settles them, when, and what is looked at before.

mod support;

use std::{sync::Arc, time::Duration};

use axum::Router;
use broker::{
    bus::memory::MemoryBus,
    clock::Clock,
    directory::{self, Readers},
    node::RoomSpec,
    ports::Ports,
    queue::{Queue, maps::MapsQueue},
    store::memory::MemoryStore,
    wire::Wire,
};
use cage::{
    Place, Tellers, Tx,
    history::{NewHand, keep},
    ledger::{self, Answer as Answered},
    people::{
        person,
        refresh::{RefreshKey, RefreshKeys},
    },
};
use hands::{HandRecord, QUEUE, testing::hand};
use money::{Ask, Body as _, Currency, Paid, Stake};
use protocol::{
    id::{ErrandId, NodeId, Position, RoomId, UserId},
    rights::Roles,
};
use reception::{Desk, Keyring, People, cage_api, floor::Floor, passwords::Cost};
use serde_json::{Value, json};

use support::{Answer, Heard, ask, config};

const NOW_MS: u64 = 1_700_000_000_000;

struct House {
    router: Router,
    people: Arc<People>,
    ports: Ports,
    queue: Arc<dyn Queue>,
}

impl House {
    /// One whose reception reaches tables, or not.
    async fn new(has_floor: bool) -> Self {
        let tellers = Tellers::open(&Place::Memory).unwrap();
        let currencies = ["PLAY:0:1000:200"].map(|text| text.parse().unwrap());
        tellers.write("x", move |tx| ledger::define(tx, &currencies)).await.unwrap();
        let clock = Clock::starting_at(NOW_MS);
        let desk = Desk::new(Arc::new(Keyring::in_memory()), clock, 600_000_000);
        let keys = RefreshKeys::new(RefreshKey::new([7; 32]), Vec::new());
        let (wire, node) = (Wire::perfect(), NodeId::new("reception").unwrap());
        let store = Arc::new(MemoryStore::new(wire.clone(), &node));
        let ports = Ports { bus: Arc::new(MemoryBus::new(wire, &node)), store: store.clone(), clock };
        let queue: Arc<dyn Queue> = Arc::new(MapsQueue::new(store, clock, node.clone()));
        let cost = Cost { memory_kib: 8, passes: 1 };
        let people =
            People::new(tellers, keys, desk, cost, Arc::new(Heard::default())).with_hands(queue.clone());
        let people = if has_floor { people.with_floor(Floor::start(ports.clone(), node)) } else { people };
        let people = Arc::new(people);
        Self { router: reception::router_with_people(people.clone(), config()), people, ports, queue }
    }

    async fn member(&self, handle: &str, roles: Roles) -> String {
        let wanted = json!({ "handle": handle, "password": "correct horse battery", "nick": handle });
        let made = ask(&self.router, "POST", "/api/accounts", &[], Some(wanted)).await;
        let user = UserId::new(&made.text("user")).unwrap();
        self.do_it(move |tx| person::set_roles(tx, &user, roles.0)).await;
        made.text("token")
    }

    async fn do_it<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, cage::DbError> + Send + 'static,
    ) -> T {
        self.people.tellers().write("x", work).await.unwrap()
    }

    async fn settle(&self, token: &str, room: &str, reason: &str) -> Answer {
        let (bearer, asked) = (format!("Bearer {token}"), json!({ "room": room, "reason": reason }));
        ask(&self.router, "POST", "/api/staff/ledger/settle", &[("authorization", &bearer)], Some(asked))
            .await
    }

    async fn errand(&self, at: (u64, u64), ask: Ask) -> Result<Answered, cage_api::Unanswered> {
        let id = ErrandId { at: Position::new(at.0, at.1), n: 0 };
        cage_api::answer(&self.people, NOW_MS, room(), id, ask.write()).await
    }

    /// Ann and bob have brought 100 each, and ann has won 30.
    async fn is_played_at(&self) {
        for (seq, who) in [(2, "ann"), (3, "bob")] {
            let user = UserId::new(who).unwrap();
            let stake = Stake { user, currency: Currency::new("PLAY").unwrap(), amount: 100, nonce: 1 };
            self.errand((1, seq), Ask::BuyIn(stake)).await.unwrap();
        }
        let stacks =
            [("ann", 130), ("bob", 70)].map(|(who, stack)| (UserId::new(who).unwrap(), stack)).to_vec();
        let record = HandRecord { stacks, currency: Some("PLAY".into()), ..hand(1, [0; 32]) };
        let hand = NewHand { room: room(), at: Position::new(1, 9), record, late_ms: 0 };
        self.do_it(move |tx| keep(tx, &hand)).await;
    }

    async fn available(&self, who: &str) -> u64 {
        let user = UserId::new(who).unwrap();
        self.do_it(move |tx| ledger::balances(tx, NOW_MS, &user)).await.remove(0).available
    }
}

fn room() -> RoomId {
    RoomId::new("t1").unwrap()
}

/// More than a minute.
async fn later() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
}

const WHY: &str = "the broker has lost everything";

#[tokio::test]
async fn staff_settle_a_table_that_is_known_by_nobody_and_no_other() {
    let house = House::new(true).await;
    let (by_cat, by_floor) =
        (house.member("cat", Roles::CAGE).await, house.member("flo", Roles::FLOOR).await);
    assert_eq!(house.settle(&by_cat, "t1", WHY).await.refusal(), (404, "not_found"));
    house.is_played_at().await;
    assert_eq!(house.settle(&by_floor, "t1", WHY).await.refusal(), (403, "not_allowed"));
    assert_eq!(house.settle(&by_cat, "t1", "gone").await.refusal(), (400, "bad_request"));
    for unknown in ["t2", "", "../t1", "t 1"] {
        assert_eq!(house.settle(&by_cat, unknown, WHY).await.refusal(), (404, "not_found"), "{unknown}");
    }
    let refused = house.settle(&by_cat, "t1", WHY).await;
    assert_eq!(refused.refusal(), (409, "table_lives"));
    assert!(refused.text("message").contains("less than a minute ago"), "{}", refused.body);
    later().await;
    // It is in the directory, though nobody runs it at the moment.
    let spec = serde_json::to_vec(&RoomSpec::new("cash", &json!({}))).unwrap();
    directory::open(&*house.ports.store, &room(), spec.into(), Readers::OfThisRelease).await.unwrap();
    let refused = house.settle(&by_cat, "t1", WHY).await;
    assert_eq!(refused.refusal(), (409, "table_lives"));
    assert!(refused.text("message").contains("directory"), "{}", refused.body);
    directory::remove(&*house.ports.store, &room()).await.unwrap();
    // Hands wait that may be its last.
    house.queue.push(QUEUE, b"a hand".to_vec().into()).await.unwrap();
    assert_eq!(house.settle(&by_cat, "t1", WHY).await.refusal(), (409, "table_lives"));
    let taken = house.queue.take(QUEUE, "recorder", 1, Duration::from_secs(1)).await.unwrap();
    house.queue.done(QUEUE, &[taken[0].id.clone()]).await.unwrap();

    let settled = house.settle(&by_cat, "t1", WHY).await;
    let paid = json!([
        { "user": "ann", "currency": "PLAY", "amount": 130 },
        { "user": "bob", "currency": "PLAY", "amount": 70 },
    ]);
    assert_eq!(settled.headers["cache-control"], "no-store");
    assert_eq!(settled.body, json!({ "hand": "t1.1-9", "paid": paid, "variance": [] }));
    assert_eq!((house.available("ann").await, house.available("bob").await), (1_030, 970));
    later().await;
    let again = house.settle(&by_cat, "t1", WHY).await;
    assert_eq!((again.status, &again.body["paid"], &again.body["variance"]), (200, &json!([]), &json!([])));
    assert_eq!(house.available("ann").await, 1_030);
    let boss = house.member("boss", Roles::ADMIN).await;
    let bearer = format!("Bearer {boss}");
    let told = ask(&house.router, "GET", "/api/staff/audit", &[("authorization", &bearer)], None).await;
    let told = told.body["entries"].as_array().unwrap().clone();
    let of =
        |action: &str| told.iter().filter(|entry| entry["action"] == action).cloned().collect::<Vec<Value>>();
    assert_eq!((of("settled").len(), of("table_settled").len()), (2, 1), "{told:?}");
    assert_eq!((&of("settled")[1]["reason"], &of("settled")[1]["subject"]), (&json!(WHY), &json!("t1")));
}

#[tokio::test]
async fn a_reception_that_reaches_no_tables_settles_none() {
    let house = House::new(false).await;
    let by_cat = house.member("cat", Roles::CAGE).await;
    house.is_played_at().await;
    later().await;
    assert_eq!(house.settle(&by_cat, "t1", WHY).await.refusal(), (409, "table_lives"));
}

#[tokio::test]
async fn a_table_that_begins_anew_is_settled_when_its_last_hands_are_written_down_or_after_a_minute() {
    let anew = || Ask::Cut { follows: Position::default() };
    let nobody = || Ok(Answered::Done(Paid::default().write()));
    for is_written in [true, false] {
        let house = House::new(true).await;
        // One that is new waits for nothing.
        house.queue.push(QUEUE, b"a hand of another".to_vec().into()).await.unwrap();
        assert_eq!(house.errand((1, 1), anew()).await, nobody());
        house.is_played_at().await;
        for _ in 0..3 {
            assert!(house.errand((2, 1), anew()).await.is_err());
            assert_eq!(house.available("ann").await, 900, "nothing is done meanwhile");
        }
        if is_written {
            let taken = house.queue.take(QUEUE, "recorder", 1, Duration::from_secs(1)).await.unwrap();
            assert!(house.errand((2, 1), anew()).await.is_err(), "it is taken and may be written yet");
            house.queue.done(QUEUE, &[taken[0].id.clone()]).await.unwrap();
        } else {
            later().await;
        }
        for _ in 0..2 {
            assert_eq!(house.errand((2, 1), anew()).await, nobody());
            assert_eq!((house.available("ann").await, house.available("bob").await), (1_030, 970));
        }
    }
}
