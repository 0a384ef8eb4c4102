//! Lobby news.

use relay::RelayConfig;
use serde_json::{Value, json};
use shared::protocol::lobby::TableSummary;

use crate::stage::{Stage, room};

pub(crate) fn table(name: &str, taken: u8) -> TableSummary {
    TableSummary {
        room: room(name),
        name: format!("Table {name}"),
        game: "NL Hold'em".into(),
        small_blind: 1,
        big_blind: 2,
        buy_in_min: 80,
        buy_in_max: 400,
        seats: 6,
        taken,
        waiting: 0,
        average_pot: 12,
        hands_per_hour: 80,
    }
}

fn names(message: &Value) -> Vec<(&str, u64)> {
    let tables = message["tables"].as_array().unwrap();
    tables.iter().map(|table| (table["room"].as_str().unwrap(), table["taken"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn a_viewer_gets_all_tables_and_then_what_changes() {
    let stage = Stage::with(RelayConfig { lobby_every_ms: 100, ..RelayConfig::default() }).await;
    let mut early = stage.client("early").await;
    early.say(&json!({"t": "lobby", "on": true})).await;
    assert_eq!(names(&early.hear_until("lobby").await), []);
    stage.dealer.lobby(vec![table("t2", 1), table("t1", 0)]).await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let delta = early.hear_until("lobby_delta").await;
        seen.extend(names(&delta).into_iter().map(|(name, taken)| (name.to_owned(), taken)));
    }
    assert_eq!(seen, [("t1".to_owned(), 0), ("t2".to_owned(), 1)]);

    let mut late = stage.client("late").await;
    late.say(&json!({"t": "lobby", "on": true})).await;
    assert_eq!(names(&late.hear_until("lobby").await), [("t1", 0), ("t2", 1)]);
    // What has not changed is no news.
    stage.dealer.lobby(vec![table("t2", 1), table("t1", 3)]).await;
    for viewer in [&mut early, &mut late] {
        assert_eq!(names(&viewer.hear_until("lobby_delta").await), [("t1", 3)]);
    }
    early.say(&json!({"t": "lobby", "on": false})).await;
    early.hear_nothing_more().await;
    stage.dealer.lobby(vec![table("t1", 4)]).await;
    assert_eq!(names(&late.hear_until("lobby_delta").await), [("t1", 4)]);
    early.hear_nothing_more().await;
}

#[tokio::test]
async fn a_table_of_which_nothing_is_heard_is_gone() {
    let config = RelayConfig { lobby_every_ms: 50, lobby_forget_ms: 300, ..RelayConfig::default() };
    let stage = Stage::with(config).await;
    let mut ann = stage.client("ann").await;
    ann.say(&json!({"t": "lobby", "on": true})).await;
    ann.hear_until("lobby").await;
    stage.dealer.lobby(vec![table("t1", 1)]).await;
    assert_eq!(names(&ann.hear_until("lobby_delta").await), [("t1", 1)]);
    let delta = ann.hear_until("lobby_delta").await;
    assert_eq!(names(&delta), []);
    assert_eq!(delta["gone"], json!(["t1"]));
}

#[tokio::test]
async fn a_viewer_that_does_not_read_gets_the_whole_lobby_when_it_does() {
    const LAST: u8 = 200;
    let config = RelayConfig { lobby_every_ms: 10, queue_bytes_max: 20_000, ..RelayConfig::default() };
    let stage = Stage::with(config).await;
    let mut slow = stage.slow_client("slow").await;
    slow.say(&json!({"t": "lobby", "on": true})).await;
    let mut fast = stage.client("fast").await;
    fast.say(&json!({"t": "lobby", "on": true})).await;
    let crowd = |taken| (0..300).map(|n| table(&format!("t{n:03}"), taken)).collect::<Vec<_>>();
    // Until the slow one's queue must be full: it reads nothing, and 300 tables are some 60 kB, and the kernel holds some MB.
    for taken in 1..=LAST {
        stage.dealer.lobby(crowd(taken)).await;
        let mut left = 300;
        while left > 0 {
            left -= names(&fast.hear_until("lobby_delta").await).len();
        }
    }
    // Whatever it gets, in the end it knows what there is.
    let mut known = std::collections::BTreeMap::new();
    let mut wholes = 0;
    while known.len() < 300 || known.values().any(|&seats| seats != u64::from(LAST)) {
        let message = slow.hear().await;
        if message["t"] == "lobby" {
            wholes += 1;
            known.clear();
        }
        known.extend(names(&message).into_iter().map(|(name, taken)| (name.to_owned(), taken)));
    }
    assert!(wholes > 1, "it was caught up by a whole lobby");
}
