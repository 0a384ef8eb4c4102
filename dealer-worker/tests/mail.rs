//! Letters between rooms that run: counters pass on to each other, each letter once and in order, whatever dies or is lost.

mod support;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use broker::{
    bus::{Bus, Receiver},
    channel::Channel,
    directory,
    entry::{Entry, Kind},
    node::RoomSpec,
    store::Store,
    wire::{
        LinkState, Wire,
        fault::{Copies, Fate, Faults, Operation, one_copy},
        seeded::{Rates, SeededFaults},
    },
};
use bytes::Bytes;
use protocol::id::{NodeId, Position, RoomId};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rooms::{
    Bounds, Kinds, planted,
    room::letters::{Mail, What},
    testing::{
        Counter,
        counter::{Passed, Settings},
    },
};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use support::{Followed, House, Relay, Running, node, room, rooms, user};

/// So many counters, each of which may pass on to any other.
async fn open(counters: u32, wire: Arc<Wire>) -> House {
    let house = House { kinds: Kinds::default().with::<Counter>(), ..House::on(wire) };
    let peers = |me| (1..=counters).filter(move |other| *other != me).map(room).collect();
    let settings = |me| Settings { peers: peers(me), ..Settings::default() };
    let specs: Vec<RoomSpec> = (1..=counters).map(|me| RoomSpec::new("counter", &settings(me))).collect();
    house.open_rooms(&specs).await;
    house
}

fn worker(house: &House, name: &str) -> Running {
    house.worker_with(name, house.config_within(name, Bounds { keyframe_every: 5, ..Bounds::default() }))
}

async fn ask(relay: &Relay, of: u32, what: Value) {
    loop {
        let answer = relay.command(&room(of), &user("ann"), 1, relay.next_n(), what.clone()).await;
        match answer.code() {
            "applied" => return,
            "busy" | "unavailable" => sleep(answer.retry_after()).await,
            code => panic!("{code} for {what}"),
        }
    }
}

/// Adds so much to each.
async fn add(relay: &Relay, counters: u32, by: u64) {
    for number in 1..=counters {
        ask(relay, number, json!({"a": "add", "by": by})).await;
    }
}

/// A relay that watches so many counters, when each has an owner and so much to pass on.
async fn stocked(house: &House, counters: u32, by: u64) -> Relay {
    let relay = Relay::new(house, "r1", counters).await;
    for number in 1..=counters {
        relay.owned(&room(number)).await;
    }
    add(&relay, counters, by).await;
    relay
}

async fn pass_on(relay: &Relay, from: u32, to: u32, by: u64) {
    ask(relay, from, json!({"a": "send", "to": room(to), "by": by})).await;
}

/// What a counter has passed on to another (`sent`, `to`) or got from it (`received`, `from`): of its last keyframe, and of the events since.
fn passed(followed: &Followed, e: &str, field: &str, other: &RoomId) -> Passed {
    let state = followed.state.as_ref().and_then(|state| state[e].get(other.as_str()));
    let known = state.map_or(Passed::default(), |state| serde_json::from_value(state.clone()).unwrap());
    let events = followed.told.iter().filter(|event| event["e"] == e && event[field] == other.as_str());
    events.fold(known, |known, event| Passed {
        letters: known.letters + 1,
        amount: known.amount + event["amount"].as_u64().unwrap(),
    })
}

/// Waits until the second has heard so many letters of the first, and judges that it has heard what was said.
async fn heard(relay: &Relay, from: u32, to: u32, letters: u64) -> Passed {
    let said = |followed: &Followed| passed(followed, "sent", "to", &room(to));
    let got = |followed: &Followed| passed(followed, "received", "from", &room(from));
    let heard = relay.until(&room(to), |followed| got(followed).letters >= letters).await;
    let sender = relay.until(&room(from), |followed| said(followed).letters >= letters).await;
    assert_eq!(said(&sender), got(&heard), "{from} to {to}");
    assert_eq!(heard.state.as_ref().unwrap()["misheard"], 0);
    for event in heard.told.iter().filter(|event| event["e"] == "received") {
        assert!(event["number"].as_u64().unwrap() <= got(&heard).letters);
    }
    got(&heard)
}

#[tokio::test(start_paused = true)]
async fn a_letter_is_told_once_and_in_order_and_the_answer_goes_back() {
    let house = open(3, Wire::perfect()).await;
    let (_first, _second) = (worker(&house, "w1"), worker(&house, "w2"));
    let relay = stocked(&house, 3, 500).await;
    for by in 1..=20 {
        pass_on(&relay, 1, 2, by).await;
        pass_on(&relay, 2, 1, 2 * by).await;
        pass_on(&relay, 2, 3, 1).await;
    }
    assert_eq!(heard(&relay, 1, 2, 20).await, Passed { letters: 20, amount: 210 });
    assert_eq!(heard(&relay, 2, 1, 20).await, Passed { letters: 20, amount: 420 });
    assert_eq!(heard(&relay, 2, 3, 20).await, Passed { letters: 20, amount: 20 });
}

#[tokio::test(start_paused = true)]
async fn a_room_that_nobody_expects_is_not_heard() {
    let house = House { kinds: Kinds::default().with::<Counter>(), ..House::new() };
    let alone = RoomSpec::new("counter", &Settings::default());
    house.open_rooms(&[alone.clone(), alone]).await;
    let _worker = worker(&house, "w1");
    let relay = stocked(&house, 2, 10).await;
    pass_on(&relay, 1, 2, 1).await;
    let garbage: [&[u8]; 4] = [b"", b"\x01", b"\x02rubbish", b"\x01\x02t1\x01\x02\x01"];
    for bytes in garbage {
        house.bus.publish(&Channel::mail(&room(2)), Bytes::from_static(bytes)).await.unwrap();
    }
    sleep(Duration::from_secs(20)).await;
    ask(&relay, 2, json!({"a": "add", "by": 1})).await;
    assert_eq!(passed(&relay.followed(&room(2)), "received", "from", &room(1)), Passed::default());
}

#[tokio::test(start_paused = true)]
async fn letters_go_on_with_whoever_takes_the_rooms_over() {
    let house = open(2, Wire::perfect()).await;
    let mut running = vec![worker(&house, "w0")];
    let relay = stocked(&house, 2, 1_000).await;
    add(&relay, 2, 1_000).await;
    for round in 1..=8 {
        running.push(worker(&house, &format!("w{round}")));
        for by in 1..=5 {
            pass_on(&relay, 1, 2, by).await;
            pass_on(&relay, 2, 1, 10 * by).await;
        }
        let old = running.remove(0);
        if round % 2 == 0 { old.kill() } else { old.stop().await }
    }
    assert_eq!(heard(&relay, 1, 2, 40).await, Passed { letters: 40, amount: 8 * 15 });
    assert_eq!(heard(&relay, 2, 1, 40).await, Passed { letters: 40, amount: 8 * 150 });
    assert!(relay.followed(&room(1)).epochs.len() > 2);
}

#[tokio::test(start_paused = true)]
async fn letters_survive_a_bus_that_loses_doubles_and_delays() {
    let faults = Arc::new(SeededFaults::new(ChaCha8Rng::seed_from_u64(1), Rates::default()));
    let house = open(2, Wire::with_faults(faults.clone())).await;
    let (_first, _second) = (worker(&house, "w1"), worker(&house, "w2"));
    let relay = stocked(&house, 2, 1_000).await;
    let late_max = Duration::from_millis(700);
    faults.set_rates(Rates {
        dropped: 0.2,
        duplicated: 0.2,
        late: 0.2,
        late_max,
        answer_lost: 0.02,
        ..Rates::default()
    });
    for by in 1..=30 {
        pass_on(&relay, 1, 2, by).await;
        pass_on(&relay, 2, 1, 1).await;
    }
    faults.set_rates(Rates::default());
    assert_eq!(heard(&relay, 1, 2, 30).await.amount, 465);
    assert_eq!(heard(&relay, 2, 1, 30).await.amount, 30);
}

/// A worker that is cut off goes on with what it has, and nobody hears it once another has the room.
#[tokio::test(start_paused = true)]
async fn a_zombie_is_not_heard_by_other_rooms() {
    let house = open(2, Wire::perfect()).await;
    let zombie = worker(&house, "w1");
    let relay = stocked(&house, 2, 1_000).await;
    pass_on(&relay, 1, 2, 1).await;
    heard(&relay, 1, 2, 1).await;
    let link = house.wire.link(&node("w1"));
    link.set(LinkState::Held);
    pass_on_unheard(&relay).await;
    let _worker = worker(&house, "w2");
    relay.until(&room(1), |room| room.epochs.len() == 2).await;
    relay.until(&room(2), |room| room.epochs.len() == 2).await;
    pass_on(&relay, 1, 2, 10).await;
    heard(&relay, 1, 2, 2).await;
    link.heal();
    sleep(Duration::from_secs(30)).await;
    pass_on(&relay, 1, 2, 100).await;
    assert_eq!(heard(&relay, 1, 2, 3).await, Passed { letters: 3, amount: 111 });
    drop(zombie);
}

/// What is asked of an owner that is cut off: it may come to it, and is too late then.
async fn pass_on_unheard(relay: &Relay) {
    let what = json!({"a": "send", "to": room(2), "by": 1_000_000});
    relay.send(&room(1), &user("ann"), 1, relay.next_n(), &what).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_store_loses_while_an_owner_dies_is_recalled() {
    let mut entries_lost = 0;
    for lost in 1..=12 {
        let house = open(2, Wire::with_faults(Arc::new(KeepsLetters(false.into())))).await;
        let mut workers = BTreeMap::from([(node("w1"), house.worker("w1"))]);
        let relay = stocked(&house, 2, 100).await;
        let both = || async {
            let claimers = house.claimers(&rooms(2)).await;
            let owner = |number| claimers[&room(number)].clone().unwrap();
            (owner(1), owner(2))
        };
        // Rooms fall to workers by chance of their names: another worker comes until it gets one of the two.
        for number in 2.. {
            let name = node(&format!("w{number}"));
            workers.insert(name.clone(), house.worker(name.as_str()));
            sleep(Duration::from_secs(3)).await;
            let (first, second) = both().await;
            if first != second {
                break;
            }
            workers.remove(&name).unwrap().stop().await;
        }
        ask(&relay, 1, json!({"a": "add", "by": 1})).await;
        for by in 1..=4 {
            pass_on(&relay, 1, 2, by).await;
        }
        let got = |followed: &Followed| passed(followed, "received", "from", &room(1));
        relay.until(&room(2), |followed| got(followed).letters == 4).await;
        let (owner, _) = both().await;
        workers.remove(&owner).unwrap().kill();
        entries_lost += house.store.lose_suffix(lost);
        let _next = house.worker("next");
        // The sender has forgotten up to four letters, and learns of them before it says the fifth.
        let before = relay.followed(&room(1)).epochs.len();
        relay.until(&room(1), |followed| followed.epochs.len() > before).await;
        ask(&relay, 1, json!({"a": "add", "by": 100})).await;
        pass_on(&relay, 1, 2, 10).await;
        assert_eq!(heard(&relay, 1, 2, 5).await, Passed { letters: 5, amount: 20 }, "{lost} writes lost");
    }
    assert!(entries_lost > 30, "{entries_lost}");
}

#[tokio::test(start_paused = true)]
async fn a_room_that_has_lost_more_than_the_other_keeps_is_told() {
    let house = open(2, Wire::perfect()).await;
    let first = worker(&house, "w1");
    let relay = stocked(&house, 2, 100).await;
    for _ in 1..=20 {
        pass_on(&relay, 1, 2, 1).await;
    }
    heard(&relay, 1, 2, 20).await;
    assert!(house.store.forget(&room(1)));
    first.kill();
    let _next = worker(&house, "w2");
    for number in 1..=2 {
        let other = room(3 - number);
        let told = |followed: &Followed| {
            let in_state =
                followed.state.as_ref().map_or(0, |state| state["diverged"].as_array().unwrap().len());
            in_state + followed.told.iter().filter(|event| event["e"] == "diverged").count() > 0
        };
        let followed = relay.until(&room(number), told).await;
        assert!(format!("{followed:?}").contains(other.as_str()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_ends_only_when_its_letters_have_arrived() {
    let faults = Arc::new(KeepsLetters(false.into()));
    let house = open(2, Wire::with_faults(faults.clone())).await;
    let _worker = worker(&house, "w1");
    let relay = stocked(&house, 2, 100).await;
    pass_on(&relay, 1, 2, 1).await;
    heard(&relay, 1, 2, 1).await;
    faults.0.store(true, Relaxed);
    pass_on(&relay, 1, 2, 7).await;
    ask(&relay, 1, json!({"a": "close"})).await;
    sleep(Duration::from_secs(30)).await;
    assert!(directory::spec(&house.store, &room(1)).await.unwrap().is_some(), "it is there still");
    faults.0.store(false, Relaxed);
    relay.until(&room(1), |followed| followed.has_ended).await;
    assert_eq!(
        heard(&relay, 1, 2, 2).await,
        Passed { letters: 2, amount: 8 },
        "no letter dies with its room"
    );
}

#[tokio::test(start_paused = true)]
async fn a_room_that_has_ended_is_not_waited_for() {
    let house = open(3, Wire::perfect()).await;
    let worker_of_old = worker(&house, "w1");
    let relay = stocked(&house, 3, 100).await;
    pass_on(&relay, 1, 3, 1).await;
    pass_on(&relay, 3, 1, 2).await;
    heard(&relay, 3, 1, 1).await;
    ask(&relay, 3, json!({"a": "close"})).await;
    relay.until(&room(3), |followed| followed.has_ended).await;
    // Written to once more, it does not answer.
    pass_on(&relay, 1, 3, 5).await;
    let gone = |followed: &Followed| {
        let state = followed.state.as_ref().map_or(0, |state| state["gone"].as_u64().unwrap());
        state as usize + followed.told.iter().filter(|event| event["e"] == "gone").count()
    };
    relay.until(&room(1), |followed| gone(followed) == 1).await;
    // Whoever takes the others over waits for nobody who is not there, even when the ended one's journal has expired.
    sleep(Duration::from_secs(5)).await;
    assert!(house.store.forget(&room(3)));
    let _next = worker(&house, "w2");
    worker_of_old.kill();
    relay.until(&room(1), |followed| followed.epochs.len() == 2).await;
    pass_on(&relay, 1, 2, 10).await;
    assert_eq!(heard(&relay, 1, 2, 1).await, Passed { letters: 1, amount: 10 });
    pass_on(&relay, 2, 1, 20).await;
    assert_eq!(heard(&relay, 2, 1, 1).await, Passed { letters: 1, amount: 20 });
}

/// Seen elsewhere (hyperbahn 71, teranode 1462): looking after peers that were gone, one after the other, kept a loop from all that was
/// asked of it meanwhile.
#[tokio::test(start_paused = true)]
async fn a_room_that_looks_for_many_others_in_vain_goes_on_meanwhile() {
    let hangs = Arc::new(ReadsHang(false.into()));
    let house =
        House { kinds: Kinds::default().with::<Counter>(), ..House::on(Wire::with_faults(hangs.clone())) };
    let settings = Settings { peers: (2..=100).map(room).collect(), ..Settings::default() };
    house.open_rooms(&[RoomSpec::new("counter", &settings)]).await;
    let _worker = worker(&house, "w1");
    let relay = stocked(&house, 1, 100).await;
    hangs.0.store(true, Relaxed);
    // Until it looks for all of them.
    sleep(Duration::from_secs(10)).await;
    for _ in 0..20 {
        let asked = Instant::now();
        add(&relay, 1, 1).await;
        assert!(asked.elapsed() <= Duration::from_secs(1), "{:?}", asked.elapsed());
    }
}

/// What the worker w1 reads of journals is never answered, while it is so.
struct ReadsHang(AtomicBool);

impl Faults for ReadsHang {
    fn operation(&self, of: &NodeId, operation: Operation) -> Fate {
        let hangs = operation == Operation::Read && *of == node("w1") && self.0.load(Relaxed);
        if hangs { Fate::HANGS } else { Fate::FINE }
    }

    fn delivery(&self, _: &NodeId, _: &NodeId, _: &str) -> Copies {
        one_copy()
    }
}

/// No mail comes through, while it is so.
struct KeepsLetters(AtomicBool);

impl Faults for KeepsLetters {
    fn operation(&self, _: &NodeId, _: Operation) -> Fate {
        Fate::FINE
    }

    fn delivery(&self, _: &NodeId, _: &NodeId, channel: &str) -> Copies {
        let keeps = channel.ends_with(":mail") && self.0.load(Relaxed);
        if keeps { Copies::new() } else { one_copy() }
    }
}

/// Looks at every letter on the bus.
#[derive(Default)]
struct Censor {
    seen: Mutex<Vec<(RoomId, Position)>>,
}

impl Receiver for Censor {
    fn deliver(&self, _: &str, payload: Bytes) {
        let mail = Mail::decode(&payload).unwrap();
        if let What::Letters(letters) = mail.what {
            let seen = letters.into_iter().map(|letter| (mail.from.clone(), letter.id.at));
            self.seen.lock().unwrap().extend(seen);
        }
    }

    fn missed(&self) {}
}

/// Passes on while the store refuses to write; how many letters were seen on the bus whose entry was not in the journal in the end.
async fn letters_of_nothing() -> usize {
    let house = open(2, Wire::perfect()).await;
    let _worker = worker(&house, "w1");
    let relay = stocked(&house, 2, 100).await;
    pass_on(&relay, 1, 2, 1).await;
    heard(&relay, 1, 2, 1).await;
    let censor = Arc::new(Censor::default());
    let subscription = house.bus.subscriber(censor.clone());
    subscription.subscribe(&Channel::mail(&room(2))).await.unwrap();
    house.store.refuse_writes(Some("READONLY"));
    let what = json!({"a": "send", "to": room(2), "by": 2});
    let refused = relay.new_command(&room(1), &user("ann"), 1, relay.next_n(), what).await;
    assert_eq!(refused.code(), "unavailable");
    house.store.refuse_writes(None);
    pass_on(&relay, 1, 2, 4).await;
    sleep(Duration::from_secs(30)).await;
    let entries = house.store.read(&room(1), None, 10_000).await.unwrap();
    let entries = entries.into_iter().map(|stored| Entry::decode(stored.bytes).unwrap());
    let decided: Vec<Position> =
        entries.filter(|entry| entry.kind == Kind::Delta).map(|entry| entry.at).collect();
    let seen = censor.seen.lock().unwrap().clone();
    assert!(!seen.is_empty());
    seen.iter().filter(|(_, at)| !decided.contains(at)).count()
}

#[tokio::test(start_paused = true)]
async fn no_letter_is_seen_before_it_is_durable_and_one_that_is_gets_caught() {
    assert_eq!(letters_of_nothing().await, 0);
    planted::plant(Some(planted::Fault::SendsLettersEarly));
    let seen = letters_of_nothing().await;
    planted::plant(None);
    assert!(seen > 0);
}
