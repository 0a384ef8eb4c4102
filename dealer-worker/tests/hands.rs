//! Every hand that is over is told, once or more, to whoever keeps hands; whatever dies or is lost.

mod support;

use std::{collections::BTreeSet, sync::Arc};

use broker::{
    node::RoomSpec,
    queue::{Queue, maps::MapsQueue},
    seal::Sealer,
    store::Store,
};
use dealer_worker::hands::Recording;
use futures_util::future::BoxFuture;
use hands::{HandRecord, QUEUE, Sent};
use protocol::{
    id::{Position, RoomId},
    rail::RailConfig,
    table::TableConfig,
};
use rooms::{
    planted::{Fault, plant},
    room::errands::{Away, Errand, Outcome, Service, TOLD_KEPT},
};
use tokio::{
    sync::watch,
    time::{Duration, sleep},
};

use support::{House, Relay, fast, node, play, room};

const PLAYERS: [(&str, u64); 2] = [("ann", 1), ("bob", 2)];

/// A house that keeps hands.
fn house() -> (House, Arc<dyn Queue>) {
    let house = House::new();
    let store: Arc<dyn Store> = Arc::new(house.store.handle(&node("recorder")));
    let queue: Arc<dyn Queue> = Arc::new(MapsQueue::new(store, house.clock, node("recorder")));
    let recording = Recording::new(queue.clone(), Arc::new(Sealer::new(&house.seal_key)));
    let kinds = dealer_worker::kinds().served_by(hands::SERVICE, Arc::new(recording));
    (House { kinds, ..house }, queue)
}

async fn seated(house: &House, config: &TableConfig) -> Relay {
    house.open(1, config).await;
    let relay = Relay::new(house, "r1", 1).await;
    relay.owned(&room(1)).await;
    for (name, session) in PLAYERS {
        assert_eq!(relay.sit(&room(1), name, session, 200).await.code(), "applied");
    }
    relay
}

/// Plays the first hand to its end.
async fn first_hand(relay: &Relay) {
    relay.until(&room(1), |room| room.view().hand.is_some()).await;
    play(relay, &room(1), &PLAYERS, 0).await;
}

/// All that was told so far, with the places of the frames that told it.
async fn told(house: &House, queue: &Arc<dyn Queue>) -> Vec<(Position, HandRecord)> {
    let sealer = Sealer::new(&house.seal_key);
    let taken = queue.take(QUEUE, "test", 10_000, Duration::ZERO).await.unwrap();
    let one = |message: &[u8]| {
        let Sent { room, at, sealed, .. } = Sent::read(message).unwrap();
        let (_, record) = sealer.open(&room, at, &sealed).unwrap();
        (at, HandRecord::read(&record).unwrap())
    };
    taken.iter().map(|taken| one(&taken.message)).collect()
}

async fn told_until(house: &House, queue: &Arc<dyn Queue>, count: usize) -> Vec<(Position, HandRecord)> {
    let mut all = Vec::new();
    for _ in 0..600 {
        all.extend(told(house, queue).await);
        if all.len() >= count {
            return all;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("{} of {count} hands were told", all.len());
}

#[tokio::test(start_paused = true)]
async fn every_hand_is_told_with_all_that_happened_and_its_place_in_the_chain() {
    let (house, queue) = house();
    let _worker = house.worker("w1");
    let relay = seated(&house, &fast()).await;
    play(&relay, &room(1), &PLAYERS, 12).await;
    let told = told_until(&house, &queue, 12).await;
    let mut prev = [0; 32];
    for (number, (_, record)) in (1..).zip(&told) {
        assert_eq!((record.number, record.prev), (number, prev));
        assert!(record.is_whole());
        prev = record.hash;
        assert_eq!(record.players.len(), 2);
        assert!(
            record.started_ms >= house.clock.now_ms() - 3_600_000 && record.ended_ms >= record.started_ms
        );
        assert!(record.events.is_sorted_by_key(|(after_ms, _)| *after_ms));
        // Played again it comes to the same: who has what.
        let mut hand = holdem::Hand::new(&record.setup, holdem::Deck::unknown()).unwrap();
        record.facts().iter().for_each(|event| hand.apply(event));
        assert!(hand.ended());
        for player in &record.players {
            let stack = hand.player(holdem::SeatIndex::new(player.seat).unwrap()).unwrap().stack().0;
            assert!(record.stacks.contains(&(player.user.clone(), stack)), "{record:?}");
        }
    }
    let mut other = told[3].1.clone();
    other.events.swap(2, 3);
    assert!(!other.is_whole());
}

/// Hears hands when it is open.
struct Gate {
    is_open: watch::Receiver<bool>,
}

impl Service for Gate {
    fn ask(&self, _room: &RoomId, _errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        let is_open = *self.is_open.borrow();
        Box::pin(async move {
            if is_open { Ok(Outcome::Done(bytes::Bytes::new())) } else { Err(Away("not open".into())) }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn no_hand_begins_before_the_last_one_is_heard_of_also_without_a_pause() {
    for pause_ms in [0, 10] {
        let (open, is_open) = watch::channel(true);
        let kinds = dealer_worker::kinds().served_by(hands::SERVICE, Arc::new(Gate { is_open }));
        let house = House { kinds, ..House::new() };
        let _worker = house.worker("w1");
        let relay = seated(&house, &TableConfig { pause_ms, ..fast() }).await;
        play(&relay, &room(1), &PLAYERS, 2).await;
        open.send(false).unwrap();
        // The one that is played is played to its end, by its players and by the clock.
        let hand = |relay: &Relay| relay.followed(&room(1)).view().hand.clone().unwrap();
        let running =
            relay.until(&room(1), |room| room.view().hand.as_ref().is_some_and(|hand| !hand.ended)).await;
        let number = running.view().hand.as_ref().unwrap().hand;
        relay.until(&room(1), |room| room.view().hand.as_ref().is_some_and(|hand| hand.ended)).await;
        sleep(Duration::from_secs(60)).await;
        assert!(hand(&relay).ended && hand(&relay).hand == number, "it waits");
        assert_eq!(relay.sit(&room(1), "cyd", 3, 200).await.code(), "applied", "and is a table all the same");
        open.send(true).unwrap();
        relay.until(&room(1), |room| room.view().hand.as_ref().is_some_and(|hand| hand.hand > number)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hand_says_how_late_its_table_is_shown_to_its_rail() {
    let (house, queue) = house();
    let spec = RoomSpec::new("table", &TableConfig { pause_ms: 600_000, ..fast() });
    house.open_room(&spec.with_rail(RailConfig::late(30_000))).await;
    let late = async || {
        let taken = queue.take(QUEUE, "test", 10, Duration::ZERO).await.unwrap();
        taken.iter().map(|taken| Sent::read(&taken.message).unwrap().late_ms).collect::<Vec<_>>()
    };
    let worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    for (name, session) in PLAYERS {
        assert_eq!(relay.sit(&room(1), name, session, 200).await.code(), "applied");
    }
    first_hand(&relay).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(late().await, [30_000]);
    worker.kill();
    let _next = house.worker("w2");
    relay.until(&room(1), |room| room.epochs.len() >= 2).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(late().await, [30_000], "a new owner says the same");
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_tells_the_last_hand_once_more_by_the_same_name() {
    let (house, queue) = house();
    let worker = house.worker("w1");
    let relay = seated(&house, &TableConfig { pause_ms: 600_000, ..fast() }).await;
    first_hand(&relay).await;
    let (at, record) = told_until(&house, &queue, 1).await.remove(0);
    // What comes after it settles nothing of it.
    assert_eq!(relay.sit(&room(1), "cyd", 3, 200).await.code(), "applied");
    worker.kill();
    let _next = house.worker("w2");
    assert_eq!(told_until(&house, &queue, 1).await, [(at, record)]);
}

/// Whether a hand is told again whose message the store has lost, as an owner with this fault does it.
async fn is_told_again(fault: Option<Fault>) -> bool {
    plant(fault);
    let (house, queue) = house();
    let _worker = house.worker("w1");
    let relay = seated(&house, &TableConfig { pause_ms: 600_000, ..fast() }).await;
    first_hand(&relay).await;
    let before: BTreeSet<Position> = told_until(&house, &queue, 1).await.iter().map(|(at, _)| *at).collect();
    // Taken by the test and pushed: what the store loses last.
    house.store.lose_suffix(2);
    for _ in 0..100 {
        let again: BTreeSet<Position> = told(&house, &queue).await.iter().map(|(at, _)| *at).collect();
        if !again.is_empty() {
            plant(None);
            assert_eq!(again, before);
            return true;
        }
        sleep(Duration::from_millis(100)).await;
    }
    plant(None);
    false
}

#[tokio::test(start_paused = true)]
async fn an_owner_whose_store_may_have_lost_something_tells_the_last_hand_once_more() {
    assert!(is_told_again(None).await);
    assert!(!is_told_again(Some(Fault::TellsOnce)).await, "the test sees who does not");
}

/// Whether all hands are told once more that ended within what a store may have lost, with this fault or none.
async fn are_told_again(fault: Option<Fault>) -> bool {
    plant(fault);
    let (house, queue) = house();
    let _worker = house.worker("w1");
    let relay = seated(&house, &fast()).await;
    play(&relay, &room(1), &PLAYERS, TOLD_KEPT as u64).await;
    let before: BTreeSet<Position> =
        told_until(&house, &queue, TOLD_KEPT).await.iter().map(|(at, _)| *at).collect();
    let mut missing: BTreeSet<Position> = before.iter().rev().take(TOLD_KEPT - 1).copied().collect();
    // Nobody plays on, but the clock: far fewer than one hand is over until the owner knows.
    house.store.lose_suffix(40);
    for _ in 0..100 {
        told(&house, &queue).await.iter().for_each(|(at, _)| {
            missing.remove(at);
        });
        if missing.is_empty() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    plant(None);
    missing.is_empty()
}

#[tokio::test(start_paused = true)]
async fn all_hands_are_told_once_more_that_ended_within_what_the_store_may_have_lost() {
    assert!(are_told_again(None).await);
    assert!(!are_told_again(Some(Fault::TellsLastAgain)).await, "the test sees who tells the last one alone");
}

#[tokio::test(start_paused = true)]
async fn a_table_that_tells_nobody_is_found_out() {
    plant(Some(Fault::TellsNoHands));
    let (house, queue) = house();
    let _worker = house.worker("w1");
    let relay = seated(&house, &fast()).await;
    play(&relay, &room(1), &PLAYERS, 3).await;
    sleep(Duration::from_secs(5)).await;
    assert!(told(&house, &queue).await.is_empty());
    plant(None);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_hand_that_is_told_is_sent_in_the_clear() {
    let (house, queue) = house();
    let _worker = house.worker("w1");
    let relay = seated(&house, &fast()).await;
    play(&relay, &room(1), &PLAYERS, 3).await;
    sleep(Duration::from_secs(1)).await;
    let taken = queue.take(QUEUE, "test", 10, Duration::ZERO).await.unwrap();
    assert!(taken.len() >= 3);
    for message in taken {
        let sent = Sent::read(&message.message).unwrap();
        let (_, record) = Sealer::new(&house.seal_key).open(&sent.room, sent.at, &sent.sealed).unwrap();
        let own = record.windows(16).next().unwrap();
        assert!(!message.message.windows(16).any(|window| window == own));
        // Nor does it open elsewhere.
        let elsewhere = Sealer::new(&house.seal_key).open(&room(2), sent.at, &sent.sealed);
        assert!(elsewhere.is_err());
    }
}
