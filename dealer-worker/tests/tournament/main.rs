//! Tournaments that run on workers: they come to their prizes whatever dies, and every entry is at exactly one place.

mod loss;
mod storm;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use broker::{
    directory::{self, Readers},
    entry::{Entry, Kind},
    node::RoomSpec,
    store::Store as _,
};
use protocol::{
    id::{RoomId, UserId},
    table::{TableEvent, TableView},
    tournament::{HandForHand, Level, Starts, Ties, TournamentConfig, TournamentEvent},
};
use rooms::{
    open_room,
    room::{Room as _, journal::ended},
};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};
use tournament::{Settings, Tournament};

use support::{House, Relay, room, until, user};

/// The house's clock begins then.
const BEGAN_MS: u64 = 1_700_000_000_000;

/// The tournament.
fn cup() -> RoomId {
    room(1)
}

fn table(number: usize) -> RoomId {
    RoomId::new(&format!("{}.{number}", cup())).unwrap()
}

/// Blinds grow so fast that nobody needs to act.
fn fast(seats: u8, entries: u32) -> TournamentConfig {
    let level = |at: u32| {
        let big_blind = 20 << at;
        Level::Play { small_blind: big_blind / 2, big_blind, ante: 0, ms: 10_000 }
    };
    TournamentConfig {
        seats,
        entries_min: 2,
        entries_max: entries,
        starts: Starts::WhenFull,
        levels: (0..12).map(level).collect(),
        hand_for_hand: HandForHand { margin: 2, ties: Ties::Stacks, hand_ms: 5_000 },
        stack: 400,
        turn_ms: 200,
        bank_ms: 0,
        pause_ms: 100,
        runout_ms: 0,
        deal_in_ms: 500,
        linger_ms: 2_000,
        ..TournamentConfig::default()
    }
}

fn spec(config: TournamentConfig) -> RoomSpec {
    let (template, number, repeats, every_ms) = ("cup".into(), 1, false, 0);
    let settings =
        Settings { id: cup(), template, number, repeats, every_ms, price: None, tournament: config };
    RoomSpec::new(Tournament::NAME, &settings)
}

async fn open(house: &House, config: TournamentConfig) {
    let spec = spec(config);
    assert!(open_room(&house.ports("floor"), &cup(), &spec, Readers::OfThisRelease).await.unwrap());
}

async fn register(relay: &Relay, name: &str) {
    loop {
        let answer = relay.command(&cup(), &user(name), 1, relay.next_n(), json!({"a": "register"})).await;
        match answer.code() {
            "applied" | "unchanged" => return,
            "busy" | "unavailable" => sleep(answer.retry_after()).await,
            code => panic!("{code}"),
        }
    }
}

/// All public parts of a journal, keyframes beside deltas, as clients get them.
async fn told(house: &House, room: &RoomId) -> Vec<(Kind, Value)> {
    let entries = house.store.read(room, None, 100_000).await.unwrap();
    let entries = entries.into_iter().map(|stored| Entry::decode(stored.bytes).unwrap());
    let shown = entries
        .filter(|entry| matches!(entry.kind, Kind::Delta | Kind::Keyframe) && !entry.public.is_empty());
    shown.map(|entry| (entry.kind, serde_json::from_slice(&entry.public).unwrap())).collect()
}

/// Who sits where by a table's journal.
async fn seated(house: &House, room: &RoomId) -> BTreeMap<UserId, u64> {
    let mut view: Option<TableView> = None;
    for (kind, public) in told(house, room).await {
        match (kind, &mut view) {
            (Kind::Keyframe, view) => *view = Some(serde_json::from_value(public["state"].clone()).unwrap()),
            (_, Some(view)) => {
                for event in public["events"].as_array().unwrap() {
                    view.apply(&serde_json::from_value::<TableEvent>(event.clone()).unwrap()).unwrap();
                }
            }
            _ => {}
        }
    }
    let seats = view.iter().flat_map(|view| view.seats.iter().flatten());
    seats.map(|seat| (seat.user.clone(), seat.stack)).collect()
}

/// The last state of the tournament, by its journal.
async fn state(house: &House) -> Value {
    let mut state = Value::Null;
    for (kind, public) in told(house, &cup()).await {
        if kind == Kind::Keyframe {
            state = public["state"].clone();
            continue;
        }
        for event in public["events"].as_array().unwrap() {
            if let TournamentEvent::Now { set } = serde_json::from_value(event.clone()).unwrap() {
                state.as_object_mut().unwrap().extend(set);
            }
        }
    }
    state
}

/// Every entry has one place, and prizes come to the pool.
fn judge(state: &Value, entries: usize) {
    assert_eq!(state["phase"], "ended", "{state}");
    let top = state["top"].as_array().unwrap();
    let places: BTreeSet<u64> = top.iter().map(|line| line["place"].as_u64().expect("a place")).collect();
    assert_eq!(top.len(), entries);
    assert!(places.contains(&1), "{places:?}");
    let sum: u64 = top.iter().map(|line| line["prize"].as_u64().unwrap()).sum();
    assert_eq!(sum, entries as u64 * 100);
}

async fn has_ended(house: &House) -> bool {
    let last = house.store.last(&cup()).await.unwrap();
    last.as_ref().is_some_and(|last| ended(last).is_some())
}

#[tokio::test(start_paused = true)]
async fn a_sit_and_go_runs_to_its_prizes_and_is_nowhere_then() {
    let house = House::new();
    open(&house, fast(6, 6)).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&cup()).await;
    for number in 1..=6 {
        register(&relay, &format!("p{number}")).await;
    }
    while state(&house).await["phase"] != "ended" {
        assert!(house.clock.now_ms() < BEGAN_MS + 600_000, "{}", state(&house).await);
        sleep(Duration::from_secs(1)).await;
    }
    judge(&state(&house).await, 6);
    until(&true, async || has_ended(&house).await).await;
    until(&0, async || directory::specs(&house.store).await.unwrap().len()).await;
}

#[tokio::test(start_paused = true)]
async fn several_tables_come_to_one_winner_while_workers_die_and_nobody_is_at_two_places() {
    let house = House::new();
    open(&house, fast(4, 10)).await;
    let mut workers = vec![house.worker("w0"), house.worker("x0")];
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&cup()).await;
    for number in 1..=10 {
        register(&relay, &format!("p{number}")).await;
    }
    let mut round = 0;
    while state(&house).await["phase"] != "ended" {
        round += 1;
        assert!(round < 400, "{}", state(&house).await);
        sleep(Duration::from_millis(1_700)).await;
        let mut at: BTreeMap<UserId, usize> = BTreeMap::new();
        for number in 1..=6 {
            for (user, _) in seated(&house, &table(number)).await {
                let Some(other) = at.insert(user.clone(), number) else { continue };
                // He may have gone since that was read.
                let is_still = seated(&house, &table(other)).await.contains_key(&user);
                assert!(!is_still, "{user} sits at tables {other} and {number}");
            }
        }
        if round % 3 == 0 {
            workers.remove(0).kill();
            workers.push(house.worker(&format!("w{round}")));
        }
    }
    judge(&state(&house).await, 10);
}
