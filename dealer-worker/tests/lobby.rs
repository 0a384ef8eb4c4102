//! What a worker tells of its rooms for the lobby, and in whose words.

mod support;

use std::sync::Arc;

use broker::{
    bus::Receiver,
    channel::Channel,
    lobby::{Line, LobbyNews},
    node::{NodeNews, Role, decode, encode},
};
use bytes::Bytes;
use protocol::table::TableConfig;
use tokio::{
    sync::mpsc,
    time::{Duration, sleep},
};
use tokio_util::task::AbortOnDropHandle;

use support::{House, node};

struct Ear(mpsc::UnboundedSender<LobbyNews>);

impl Receiver for Ear {
    fn deliver(&self, _: &str, payload: Bytes) {
        // Who asked has gone when the test ends.
        let _ = self.0.send(decode(&payload).unwrap());
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
    let since = tokio::time::Instant::now();
    assert_eq!(until(&mut heard, lines).await.0.len(), 2);
    let quiet_s = since.elapsed().as_secs();
    assert!((50..=61).contains(&quiet_s), "{quiet_s} s");
    ports.bus.publish(&Channel::lobby(), encode(&LobbyNews::Wanted)).await.unwrap();
    let since = tokio::time::Instant::now();
    assert_eq!(until(&mut heard, lines).await.0.len(), 2);
    assert!(since.elapsed().as_millis() <= 1_100);
}
