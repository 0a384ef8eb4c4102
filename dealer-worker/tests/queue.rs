//! A queue whose owner is killed again and again: each ticket is served once.

mod support;

use std::collections::BTreeMap;

use broker::{
    entry::{Entry, Kind},
    node::RoomSpec,
};
use protocol::{
    id::{RoomId, UserId},
    queue::QueuePrivate,
    table::{TableConfig, TableEvent},
};
use queue::{Queue, Settings};
use rooms::room::Room as _;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use support::{House, Relay, room, user};

const KILLS: usize = 100;

/// A part of one user's.
#[derive(serde::Deserialize)]
struct OwnPart {
    private: QueuePrivate,
}

/// A new owner hears its tables first, and has whoever comes then ask again.
async fn joins(relay: &Relay, who: usize) {
    let user = user(&format!("u{who}"));
    loop {
        let answer = relay.command(&room(1), &user, 1, relay.next_n(), json!({"a": "join"})).await;
        match answer.code() {
            "applied" => return,
            "busy" => sleep(answer.retry_after()).await,
            code => panic!("{user}: {code}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_ticket_is_served_once_though_the_owner_of_the_queue_is_killed_a_hundred_times() {
    let house = House::new();
    let table = TableConfig { seats: 3, ..TableConfig::default() };
    let settings = Settings { id: room(1), table, opens_at: 2, tables_max: 1_000, idle_ms: 1_000_000 };
    let mut written = house.store.witness();
    house.open_room(&RoomSpec::new(Queue::NAME, &settings)).await;
    let relay = Relay::new(&house, "r1", 1).await;
    let mut worker = house.worker("w0");
    relay.owned(&room(1)).await;
    for kill in 0..KILLS {
        // The queue has said to open a table, has heard that it is there, has sent somebody, or has done nothing yet.
        for who in [2 * kill, 2 * kill + 1] {
            joins(&relay, who).await;
        }
        sleep(Duration::from_millis((kill as u64 * 7) % 40)).await;
        worker.kill();
        worker = house.worker(&format!("w{}", kill + 1));
    }
    sleep(Duration::from_secs(60)).await;
    let mut served: BTreeMap<UserId, Vec<RoomId>> = BTreeMap::new();
    let mut listed: BTreeMap<UserId, Vec<RoomId>> = BTreeMap::new();
    while let Ok((of, stored)) = written.try_recv() {
        let entry = Entry::decode(stored.bytes).unwrap();
        if entry.kind != Kind::Delta {
            continue;
        }
        if of == room(1) {
            for part in &entry.privates {
                let OwnPart { private } = serde_json::from_slice(&part.bytes).unwrap();
                served.entry(part.user.clone()).or_default().extend(private.room);
            }
            continue;
        }
        let public: Value = serde_json::from_slice(&entry.public).unwrap();
        let events: Vec<TableEvent> = serde_json::from_value(public["events"].clone()).unwrap();
        for event in events {
            let TableEvent::WaitingList { waiting_list } = event else { continue };
            for call in waiting_list.called {
                let rooms = listed.entry(call.user).or_default();
                if rooms.last() != Some(&of) {
                    rooms.push(of.clone());
                }
            }
        }
    }
    assert_eq!(served.len(), 2 * KILLS);
    for (user, rooms) in &served {
        assert_eq!(rooms.len(), 1, "{user} was sent to {rooms:?}");
        assert_eq!(listed.get(user), Some(rooms), "{user} is called where he was sent, and nowhere else");
    }
}
