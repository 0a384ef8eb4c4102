//! In which words entries are written: those that every living node reads, and no others are found by one that comes.

mod support;

use broker::{
    entry::{Entry, Kind},
    node::Role,
    store::{Store, Stored},
};
use rooms::Bounds;
use tokio_util::task::AbortOnDropHandle;

use support::{House, Relay, Running, fast, node, of_the_release_before, play, release_2, room, until};

/// A node of the release before of which nothing is there but its heartbeat, until it is dropped.
fn old(house: &House, name: &str, role: Role) -> AbortOnDropHandle<()> {
    of_the_release_before(house.ports(name), node(name), role)
}

fn worker(house: &House, name: &str) -> Running {
    house.worker_with(name, house.config_within(name, Bounds { keyframe_every: 16, ..Bounds::default() }))
}

async fn journal(house: &House) -> Vec<Stored> {
    house.store.read(&room(1), None, 10_000).await.unwrap()
}

async fn entries(house: &House) -> Vec<Entry> {
    let decoded = |stored: Stored| Entry::decode(stored.bytes).unwrap();
    journal(house).await.into_iter().map(decoded).collect()
}

/// Whether the release before reads all that stands in the journal.
async fn is_read_by(house: &House, role: Role) -> bool {
    let journal = journal(house).await;
    let kinds: Vec<Kind> = entries(house).await.iter().map(|entry| entry.kind).collect();
    let keyframe = kinds.iter().rposition(|kind| *kind == Kind::Keyframe).unwrap();
    let reads = |(at, stored): (usize, &Stored)| {
        release_2::reads(&stored.bytes, role == Role::Worker && at >= keyframe)
    };
    journal.iter().enumerate().all(reads)
}

const PLAYERS: [(&str, u64); 2] = [("ann", 1), ("bob", 2)];

async fn seated(house: &House) -> Relay {
    let relay = Relay::new(house, "r1", 1).await;
    relay.owned(&room(1)).await;
    for (name, session) in PLAYERS {
        assert_eq!(relay.sit(&room(1), name, session, 400).await.code(), "applied");
    }
    relay
}

/// Plays on until entries tell when they were decided.
async fn until_timed(house: &House, relay: &Relay) {
    while !entries(house).await.iter().any(|entry| entry.at_ms.is_some()) {
        play(relay, &room(1), &PLAYERS, 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn entries_tell_when_they_were_decided() {
    let house = House::new();
    house.open(1, &fast()).await;
    let begun = house.clock.now_ms();
    let _worker = worker(&house, "w1");
    let relay = seated(&house).await;
    play(&relay, &room(1), &PLAYERS, 6).await;
    let mut last = begun;
    for entry in entries(&house).await {
        let is_frame = matches!(entry.kind, Kind::Delta | Kind::Keyframe);
        assert_eq!(entry.at_ms.is_some(), is_frame, "at {}", entry.at);
        let at_ms = entry.at_ms.unwrap_or(last);
        assert!((last..=house.clock.now_ms()).contains(&at_ms), "at {}: {at_ms} after {last}", entry.at);
        last = at_ms;
    }
    assert!(last > begun);
}

/// What nobody could take back: an older node that comes finds nothing that it does not read.
#[tokio::test(start_paused = true)]
async fn an_older_node_finds_nothing_that_it_does_not_read() {
    for role in [Role::Relay, Role::Worker] {
        let house = House::new();
        house.open(1, &fast()).await;
        let before = old(&house, "old", Role::Relay);
        let _worker = worker(&house, "w1");
        let relay = seated(&house).await;
        play(&relay, &room(1), &PLAYERS, 6).await;
        assert!(is_read_by(&house, Role::Relay).await, "while it lives");
        drop(before);
        until_timed(&house, &relay).await;
        assert!(!is_read_by(&house, role).await);
        let back = old(&house, "old", role);
        until(&true, async || is_read_by(&house, role).await).await;
        if role == Role::Relay {
            play(&relay, &room(1), &PLAYERS, 6).await;
            assert!(is_read_by(&house, role).await);
        }
        drop(back);
        until_timed(&house, &relay).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_a_room_over_leaves_nothing_that_an_older_node_does_not_read() {
    let house = House::new();
    house.open(1, &fast()).await;
    let first = worker(&house, "w1");
    let relay = seated(&house).await;
    until_timed(&house, &relay).await;
    first.kill();
    let _old = old(&house, "old", Role::Relay);
    let _next = worker(&house, "w2");
    relay.until(&room(1), |followed| followed.epochs.len() == 2).await;
    assert!(is_read_by(&house, Role::Relay).await);
    play(&relay, &room(1), &PLAYERS, 2).await;
    assert!(is_read_by(&house, Role::Relay).await);
}
