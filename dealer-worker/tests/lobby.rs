//! What a worker tells of its rooms for the lobby, and in whose words.

mod support;

use std::sync::Arc;

use broker::{
    bus::Receiver,
    channel::Channel,
    lobby::{Line, LobbyNews},
    node::{NodeNews, Role, RoomSpec, decode, encode},
};
use bytes::Bytes;
use protocol::{rail::RailConfig, table::TableConfig};
use rooms::planted::{Fault, plant};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, sleep},
};
use tokio_util::task::AbortOnDropHandle;

use support::{House, Relay, node, room};

struct Ear(mpsc::UnboundedSender<LobbyNews>);

impl Receiver for Ear {
    fn deliver(&self, _: &str, payload: Bytes) {
        // Who asked has gone when the test ends.
        let _ = self.0.send(decode(&payload).unwrap());
    }

    fn missed(&self) {}
}

/// The same with the time at which each came.
struct Timed(mpsc::UnboundedSender<(Instant, LobbyNews)>);

impl Receiver for Timed {
    fn deliver(&self, _: &str, payload: Bytes) {
        let _ = self.0.send((Instant::now(), decode(&payload).unwrap()));
    }

    fn missed(&self) {}
}

/// A relay of which nothing is there but its heartbeat, until it is dropped or says goodbye.
fn relay(house: &House, name: &str, speaks: u16) -> AbortOnDropHandle<()> {
    let (ports, relay) = (house.ports(name), node(name));
    AbortOnDropHandle::new(tokio::spawn(async move {
        for beat in 1.. {
            let role = Role::Relay;
            let beat = NodeNews::Beat {
                node: relay.clone(),
                role,
                beat,
                sent_ms: 0,
                draining: false,
                speaks,
                missed: 0,
                spares: false,
                door: None,
            };
            ports.bus.publish(&Channel::nodes(), encode(&beat)).await.unwrap();
            sleep(Duration::from_millis(100)).await;
        }
    }))
}

/// The next news that are said in these words; whether anything else was said before.
async fn until<T>(
    heard: &mut mpsc::UnboundedReceiver<LobbyNews>,
    words: impl Fn(&LobbyNews) -> Option<T>,
) -> (T, bool) {
    let mut others = false;
    loop {
        let news = heard.recv().await.expect("the ear is there");
        match words(&news) {
            Some(found) => return (found, others),
            None => others = true,
        }
    }
}

fn tables(news: &LobbyNews) -> Option<Vec<Line>> {
    match news {
        LobbyNews::Tables { tables, .. } => Some(tables.iter().cloned().map(Line::from).collect()),
        _ => None,
    }
}

fn lines(news: &LobbyNews) -> Option<Vec<Line>> {
    match news {
        LobbyNews::Lines { lines, .. } => Some(lines.clone()),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn rooms_are_told_in_words_that_every_living_relay_reads_and_anew_when_they_change() {
    let house = House::new();
    house.open(3, &TableConfig::default()).await;
    let (ear, mut heard) = mpsc::unbounded_channel();
    let ports = house.ports("listener");
    let subscription = ports.bus.subscriber(Arc::new(Ear(ear)));
    subscription.subscribe(&Channel::lobby()).await.unwrap();
    let _new = relay(&house, "relay-new", 3);
    let earlier = relay(&house, "relay-earlier", 2);
    let _worker = house.worker("w1");

    let (mut known, _) = until(&mut heard, tables).await;
    while known.len() < 3 {
        known.extend(until(&mut heard, tables).await.0);
    }
    // An earlier relay forgets after half a minute what it does not hear of.
    for _ in 0..3 {
        let (again, others) = until(&mut heard, tables).await;
        assert!(again.len() == 3 && !others, "all of them, and nothing that it cannot read");
    }
    drop(earlier);
    let (told, _) = until(&mut heard, lines).await;
    assert_eq!(told, known, "the same, in words that the others read");
    let _earlier = relay(&house, "relay-earlier-2", 2);
    let (again, others) = until(&mut heard, tables).await;
    assert!(again == known && !others, "at once, though nothing has changed");
}

/// How late a table is shown, seconds.
const LATE_S: u64 = 40;

/// What the lobby says of a table that is shown late: how many sit there, and how many seconds after the beginning that was told. ann sits down after
/// ten seconds and bob after twenty; the worker dies at `dies`, if it does.
async fn told_late(fault: Option<Fault>, dies: Option<u64>) -> Vec<(u64, u32)> {
    plant(fault);
    let house = House::new();
    let (ear, mut heard) = mpsc::unbounded_channel();
    let ports = house.ports("listener");
    let subscription = ports.bus.subscriber(Arc::new(Timed(ear)));
    subscription.subscribe(&Channel::lobby()).await.unwrap();
    let rail = RailConfig::late(LATE_S as u32 * 1_000);
    house.open_room(&RoomSpec::new("table", &TableConfig::default()).with_rail(rail)).await;
    let worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let began = Instant::now();
    let mut workers = vec![worker];
    for second in 1..=200 {
        sleep(Duration::from_secs(1)).await;
        match second {
            10 => assert_eq!(relay.sit(&room(1), "ann", 1, 200).await.code(), "applied"),
            20 => assert_eq!(relay.sit(&room(1), "bob", 2, 200).await.code(), "applied"),
            _ => {}
        }
        if dies == Some(second) {
            workers.remove(0).kill();
            workers.push(house.worker("w2"));
        }
    }
    plant(None);
    let mut told: Vec<(u64, u32)> = Vec::new();
    while let Ok((at, news)) = heard.try_recv() {
        let taken: Vec<u32> = match news {
            LobbyNews::Lines { lines, .. } => lines.iter().map(|line| line.taken).collect(),
            LobbyNews::Changes { changes, .. } => changes.iter().map(|change| change.taken).collect(),
            _ => Vec::new(),
        };
        told.extend(taken.into_iter().map(|taken| (at.saturating_duration_since(began).as_secs(), taken)));
    }
    told.dedup_by_key(|(_, taken)| *taken);
    told
}

/// The second in which the lobby first says that so many sit there.
fn first(told: &[(u64, u32)], taken: u32) -> Option<u64> {
    told.iter().find(|(_, seats)| *seats == taken).map(|(at, _)| *at)
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_shown_late_stands_in_the_lobby_as_its_rail_sees_it() {
    let told = told_late(None, None).await;
    assert_eq!(
        first(&told, 0),
        Some(0),
        "of a table that was just opened there is nothing to hide: {told:?}"
    );
    assert!(matches!(first(&told, 1), Some(50..=53)) && matches!(first(&told, 2), Some(60..=63)), "{told:?}");
    let live = told_late(Some(Fault::ListsLive), None).await;
    assert!(first(&live, 2) < Some(30), "that would be seen: {live:?}");
}

#[tokio::test(start_paused = true)]
async fn a_new_owner_tells_the_lobby_nothing_of_it_that_is_not_due() {
    for dies in [15, 30, 55] {
        let told = told_late(None, Some(dies)).await;
        assert!(first(&told, 1).is_none_or(|at| at >= 50), "{dies}: {told:?}");
        assert!(matches!(first(&told, 2), Some(60..=110)), "{dies}: {told:?}");
        assert_eq!(told.last().unwrap().1, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_gets_all_rooms_with_the_next_news_and_otherwise_they_come_every_minute() {
    let house = House::new();
    house.open(2, &TableConfig::default()).await;
    let (ear, mut heard) = mpsc::unbounded_channel();
    let ports = house.ports("listener");
    let subscription = ports.bus.subscriber(Arc::new(Ear(ear)));
    subscription.subscribe(&Channel::lobby()).await.unwrap();
    let _relay = relay(&house, "relay-new", 3);
    let _worker = house.worker("w1");
    while until(&mut heard, lines).await.0.len() < 2 {}
    let since = Instant::now();
    assert_eq!(until(&mut heard, lines).await.0.len(), 2);
    let quiet_s = since.elapsed().as_secs();
    assert!((50..=61).contains(&quiet_s), "{quiet_s} s");
    ports.bus.publish(&Channel::lobby(), encode(&LobbyNews::Wanted)).await.unwrap();
    let since = Instant::now();
    assert_eq!(until(&mut heard, lines).await.0.len(), 2);
    assert!(since.elapsed().as_millis() <= 1_100);
}
