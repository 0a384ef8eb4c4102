//! Tournaments in bad weather, drawn from a seed: messages lost, doubled and late, answers of the store lost, workers that die, and strangers who ask for
//! what they cannot have. A judge reads the journals.

use std::{collections::BTreeMap, sync::Arc};

use broker::{
    bus::memory::MemoryBus,
    store::memory::MemoryStore,
    wire::{
        Wire,
        fault::{Copies, Fate, Faults, Operation, one_copy},
        seeded::{Rates, SeededFaults},
    },
};
use protocol::{id::NodeId, tournament::TournamentEvent};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng},
};
use rooms::planted::{Fault, plant};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::{
    BEGAN_MS, cup, fast, has_ended, open, seated, state,
    support::{House, Relay, node, user},
    table, told,
};

/// What goes wrong, but for whoever looks on.
struct Weather(SeededFaults);

impl Weather {
    fn spares(node: &NodeId) -> bool {
        ["floor", "r1"].contains(&node.as_str())
    }
}

impl Faults for Weather {
    fn operation(&self, node: &NodeId, operation: Operation) -> Fate {
        if Self::spares(node) { Fate::FINE } else { self.0.operation(node, operation) }
    }

    fn delivery(&self, from: &NodeId, to: &NodeId, channel: &str) -> Copies {
        let is_heard = Self::spares(from) || Self::spares(to);
        if is_heard { one_copy() } else { self.0.delivery(from, to, channel) }
    }
}

fn rates() -> Rates {
    Rates {
        dropped: 0.1,
        duplicated: 0.1,
        late: 0.1,
        late_max: Duration::from_millis(600),
        answer_lost: 0.01,
        refused: 0.01,
        ..Rates::default()
    }
}

/// What is broken, in words; nothing in a good run.
async fn run(seed: u64, fault: Option<Fault>) -> Vec<String> {
    plant(fault);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let weather = Weather(SeededFaults::new(ChaCha8Rng::seed_from_u64(seed ^ 0x57a7), rates()));
    let wire = Wire::with_faults(Arc::new(weather));
    let floor = node("floor");
    let house = House {
        bus: MemoryBus::new(wire.clone(), &floor),
        store: MemoryStore::new(wire.clone(), &floor),
        ..House::on(wire)
    };
    let entries = 5 + usize::try_from(rng.next_u64() % 5).unwrap();
    open(&house, fast(3, u32::try_from(entries).unwrap())).await;
    let mut workers = vec![house.worker("w0"), house.worker("x0")];
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&cup()).await;
    let mut broken = Vec::new();
    for number in 1..=entries {
        ask(&relay, &format!("p{number}"), json!({"a": "register"}), &["applied", "unchanged"], &mut broken)
            .await;
        if number == 2 {
            strangers(&relay, &mut broken).await;
        }
    }
    let (mut round, mut has_begun) = (0, false);
    loop {
        let state = state(&house).await;
        one_place(&house, &mut broken).await;
        if state["phase"] == "ended" || !broken.is_empty() {
            break;
        }
        if house.clock.now_ms() > BEGAN_MS + 600_000 {
            broken.push(format!("it does not end: {state}"));
            break;
        }
        round += 1;
        sleep(Duration::from_millis(500 + rng.next_u64() % 2_000)).await;
        if rng.next_u64().is_multiple_of(4) {
            let at = usize::try_from(rng.next_u64() % 2).unwrap();
            workers.remove(at).kill();
            workers.push(house.worker(&format!("w{round}")));
        }
        // Once everybody knows how it has begun, nobody may undo it.
        let begins = !has_begun && state["phase"] == "running";
        has_begun |= begins;
        if begins {
            let late = ["late", "stale_n", "forgotten"];
            ask(&relay, "p1", json!({"a": "unregister"}), &late, &mut broken).await;
        }
    }
    if broken.is_empty() {
        places(&house, entries, &mut broken).await;
        ends(&house, &mut broken).await;
    }
    plant(None);
    broken
}

/// Says a command until it is answered by more than that the room cannot now.
async fn ask(relay: &Relay, name: &str, what: Value, right: &[&str], broken: &mut Vec<String>) {
    loop {
        let answer = relay.command(&cup(), &user(name), 1, relay.next_n(), what.clone()).await;
        match answer.code() {
            "busy" | "unavailable" => sleep(answer.retry_after()).await,
            code if right.contains(&code) => return,
            code => return broken.push(format!("{name} is told {code} for {what}")),
        }
    }
}

/// Whoever has no business there.
async fn strangers(relay: &Relay, broken: &mut Vec<String>) {
    ask(relay, "p1", json!({"a": "register"}), &["unchanged"], broken).await;
    ask(relay, "mallory", json!({"a": "unregister"}), &["not_seated"], broken).await;
    ask(relay, "mallory", json!({"a": "sit", "buy_in": 5}), &["bad_command"], broken).await;
    for what in ["pause", "resume", "cancel"] {
        ask(relay, "mallory", json!({"a": what}), &["not_allowed"], broken).await;
    }
    ask(relay, "mallory", json!({"a": "add_time", "ms": 1}), &["not_allowed"], broken).await;
}

/// Nobody sits at two tables.
async fn one_place(house: &House, broken: &mut Vec<String>) {
    let mut at = BTreeMap::new();
    for number in 1..=6 {
        for (user, _) in seated(house, &table(number)).await {
            let Some(other) = at.insert(user.clone(), number) else { continue };
            // He may have gone since that was read.
            if seated(house, &table(other)).await.contains_key(&user) {
                broken.push(format!("{user} sits at tables {other} and {number}"));
            }
        }
    }
}

/// Places and prizes as they follow from who went out when, by the tournament's journal.
async fn places(house: &House, entries: usize, broken: &mut Vec<String>) {
    let (mut placed, mut winner) = (BTreeMap::new(), None);
    let state = state(house).await;
    for line in state["top"].as_array().unwrap() {
        placed.insert(
            line["user"].as_str().unwrap().to_owned(),
            (line["place"].as_u64(), line["prize"].as_u64().unwrap()),
        );
    }
    for (_, public) in told(house, &cup()).await {
        for event in public["events"].as_array().into_iter().flatten() {
            if let TournamentEvent::Ended { winner: who } = serde_json::from_value(event.clone()).unwrap() {
                winner = Some(who.to_string());
            }
        }
    }
    if placed.len() != entries || placed.values().any(|(place, _)| place.is_none()) {
        broken.push(format!("{entries} entries have the places {placed:?}"));
    }
    let sum: u64 = placed.values().map(|(_, prize)| prize).sum();
    if sum != entries as u64 * 100 {
        broken.push(format!("prizes of {sum}: {placed:?}"));
    }
    // The journal may have gone on to a keyframe since.
    if let Some(winner) = winner
        && placed.get(&winner).is_none_or(|(place, _)| *place != Some(1))
    {
        broken.push(format!("{winner} has won, and has {:?}", placed.get(&winner)));
    }
}

/// What has ended is nowhere.
async fn ends(house: &House, broken: &mut Vec<String>) {
    for _ in 0..120 {
        let left = broker::directory::specs(&house.store).await.unwrap();
        if left.is_empty() && has_ended(house).await {
            return;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let left: Vec<_> = broker::directory::specs(&house.store).await.unwrap().into_keys().collect();
    broken.push(format!("what has ended is still there: {left:?}"));
}

#[tokio::test(start_paused = true)]
async fn whatever_the_weather_every_entry_is_at_one_place_and_has_its_prize() {
    let seeds = std::env::var("TOURNAMENT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(6);
    for seed in 0..seeds {
        let broken = run(seed, None).await;
        assert!(broken.is_empty(), "seed {seed}: {broken:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_is_given_twice_is_caught() {
    caught(Fault::SeatsTwice, "tables").await;
}

#[tokio::test(start_paused = true)]
async fn a_tournament_that_is_not_told_who_has_left_a_table_is_caught() {
    caught(Fault::ForgetsReleased, "does not end").await;
}

#[tokio::test(start_paused = true)]
async fn tables_that_stay_are_caught() {
    caught(Fault::LeavesTables, "still there").await;
}

async fn caught(fault: Fault, told: &str) {
    for seed in 0..50 {
        let broken = run(seed, Some(fault)).await;
        if broken.iter().any(|what| what.contains(told)) {
            return;
        }
    }
    panic!("{fault:?} was not caught in 50 seeds");
}
