//! Lobby news.

use std::collections::BTreeMap;

use broker::{
    lobby::{Line, LobbyNews, TableSummary},
    node::{NodeNews, encode},
};
use protocol::{
    ClientOut,
    id::{Epoch, NodeId},
    lobby::{Delta, Seen, Whole},
};
use relay::RelayConfig;
use serde_json::{Value, json};
use tokio::time::{Duration, timeout};

use crate::stage::{Client, Stage, room};

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
    assert_eq!(seen, [("t2".to_owned(), 1), ("t1".to_owned(), 0)], "by players");

    let mut late = stage.client("late").await;
    late.say(&json!({"t": "lobby", "on": true})).await;
    assert_eq!(names(&late.hear_until("lobby").await), [("t2", 1), ("t1", 0)]);
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
    let crowd = |taken| (0..150).map(|n| table(&format!("t{n:03}"), taken)).collect::<Vec<_>>();
    // Until the slow one's queue must be full: it reads nothing, and 150 tables are some 30 kB, and the kernel holds some MB.
    for taken in 1..=LAST {
        stage.dealer.lobby(crowd(taken)).await;
        let mut left = 150;
        while left > 0 {
            left -= names(&fast.hear_until("lobby_delta").await).len();
        }
    }
    // Whatever it gets, in the end it knows what there is.
    let mut known = BTreeMap::new();
    let mut wholes = 0;
    while known.len() < 150 || known.values().any(|&seats| seats != u64::from(LAST)) {
        let message = slow.hear().await;
        if message["t"] == "lobby" {
            wholes += 1;
            known.clear();
        }
        known.extend(names(&message).into_iter().map(|(name, taken)| (name.to_owned(), taken)));
    }
    assert!(wholes > 1, "it was caught up by a whole lobby");
}

fn node() -> NodeId {
    NodeId::new("dealer-1").unwrap()
}

/// Tells of rooms as workers do, whole.
async fn tell(stage: &Stage, lines: Vec<Line>) {
    stage.dealer.lobby_news(&LobbyNews::Lines { node: node(), lines }).await;
}

async fn look(client: &mut Client, v: u8, view: Value) {
    client.say(&json!({"t": "lobby", "on": true, "v": v, "view": view})).await;
}

/// Far longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);

/// What the client sees once it has heard what it waits for: the rooms of its page, and how many there are on all.
async fn sees(client: &mut Client, seen: &mut Seen, total: u64, rooms: &[&str]) {
    loop {
        let now: Vec<_> = seen.order.iter().map(|room| room.as_str()).collect();
        if (seen.total, now.as_slice()) == (total, rooms) {
            return;
        }
        let text = timeout(SOON, client.hear_text()).await;
        let text = text.unwrap_or_else(|_| panic!("{total} and {rooms:?} are waited for, {now:?} is seen"));
        match serde_json::from_str(&text).unwrap() {
            ClientOut::Lobby(Whole::Page(page)) => *seen = Seen::begin(page),
            ClientOut::LobbyDelta(Delta::Page(delta)) => seen.fold(delta),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_view_is_a_page_of_what_fits_in_its_order_and_its_news_are_sparse() {
    let stage = Stage::with(RelayConfig { lobby_every_ms: 50, ..RelayConfig::default() }).await;
    let mut ann = stage.client("ann").await;
    let (first, mut seen) = (Line::from(table("t1", 1)), Seen::default());
    let mut queue = Line { kind: "queue".into(), ..Line::from(table("q1", 5)) };
    queue.more.0.insert("stakes".into(), json!({"odd": true}));
    let full = Line::from(table("t6", 6));
    tell(&stage, vec![first.clone(), Line::from(table("t2", 2)), Line::from(table("t3", 3)), queue, full])
        .await;
    look(&mut ann, 9, json!({"kind": "table", "free": 1, "count": 2})).await;
    sees(&mut ann, &mut seen, 3, &["t3", "t2"]).await;

    let changed = Line { taken: 5, ..first.clone() };
    let news = LobbyNews::Changes { node: node(), changes: vec![changed.since(&first).unwrap()] };
    stage.dealer.lobby_news(&news).await;
    let delta = ann.hear_until("lobby_delta").await;
    assert_eq!(delta["set"][0]["name"], "Table t1", "it is new on the page, so whole: {delta}");
    assert_eq!((&delta["order"], &delta["gone"]), (&json!(["t1", "t3"]), &json!(["t2"])));

    let closed = NodeNews::Closed { room: room("t2"), epoch: Epoch(1) };
    stage.tell_nodes(encode(&closed)).await;
    let delta = ann.hear_until("lobby_delta").await;
    assert_eq!(
        delta,
        json!({"t": "lobby_delta", "v": 9, "total": 2, "players": 8}),
        "it has ended, behind the page"
    );
    let again = Line { taken: 4, ..changed.clone() };
    let changes = vec![again.since(&changed).unwrap()];
    stage.dealer.lobby_news(&LobbyNews::Changes { node: node(), changes }).await;
    let delta = ann.hear_until("lobby_delta").await;
    let set = json!([{"room": "t1", "taken": 4}]);
    assert_eq!(delta, json!({"t": "lobby_delta", "v": 9, "total": 2, "players": 7, "set": set}));
    look(&mut ann, 10, json!({"kind": "queue"})).await;
    let page = ann.hear_until("lobby").await;
    assert_eq!(
        (&page["v"], &page["rows"][0]["stakes"]),
        (&json!(10), &json!({"odd": true})),
        "handed on: {page}"
    );
}

#[tokio::test]
async fn a_bad_view_is_refused_and_the_one_before_goes_on() {
    let stage = Stage::with(RelayConfig { lobby_every_ms: 50, ..RelayConfig::default() }).await;
    let mut ann = stage.client("ann").await;
    let mut seen = Seen::default();
    look(&mut ann, 1, json!({"text": "table"})).await;
    sees(&mut ann, &mut seen, 0, &[]).await;
    for bad in [
        json!({"count": 1_000_000}),
        json!({"sort": "colour"}),
        json!([]),
        json!({"text": "x".repeat(9_000)}),
    ] {
        look(&mut ann, 2, bad).await;
        assert_eq!(ann.hear_until("error").await["code"], "bad_message");
    }
    tell(&stage, vec![Line::from(table("t1", 1))]).await;
    sees(&mut ann, &mut seen, 1, &["t1"]).await;
}

#[tokio::test]
async fn views_beyond_the_bound_are_coarser_and_their_viewers_are_told() {
    let config = RelayConfig { lobby_every_ms: 50, lobby_views_max: 2, ..RelayConfig::default() };
    let stage = Stage::with(config).await;
    let mut clients = Vec::new();
    for text in ["a", "b", "b", "c"] {
        let mut client = stage.client("ann").await;
        look(&mut client, 1, json!({"text": text, "sort": "name"})).await;
        let first = client.hear().await;
        assert_eq!(first["t"], if text == "c" { "notice" } else { "lobby" }, "{first}");
        if text == "c" {
            assert_eq!(first["code"], "view_rounded");
            client.hear_until("lobby").await;
        }
        clients.push(client);
    }
    tell(&stage, vec![Line::from(table("t1", 1))]).await;
    let rounded = clients.last_mut().unwrap();
    assert_eq!(
        rounded.hear_until("lobby_delta").await["order"],
        json!(["t1"]),
        "though there is no c in its name"
    );
    // As soon as a view is not looked at any more there is room for another.
    clients[0].say(&json!({"t": "lobby", "on": false})).await;
    clients[0].hear_rest().await;
    let rounded = clients.last_mut().unwrap();
    look(rounded, 2, json!({"text": "c", "sort": "name"})).await;
    assert_eq!(rounded.hear_until("lobby").await["total"], 0);
}

#[tokio::test]
async fn who_names_no_view_sees_tables_alone_however_many_views_there_are() {
    let config = RelayConfig { lobby_every_ms: 50, lobby_views_max: 0, ..RelayConfig::default() };
    let stage = Stage::with(config).await;
    let (mut by_view, mut seen) = (stage.client("bob").await, Seen::default());
    look(&mut by_view, 1, json!({})).await;
    let queue = Line { kind: "queue".into(), ..Line::from(table("q1", 5)) };
    tell(&stage, vec![queue, Line::from(table("t1", 1))]).await;
    sees(&mut by_view, &mut seen, 2, &["q1", "t1"]).await;
    let mut ann = stage.client("ann").await;
    ann.say(&json!({"t": "lobby", "on": true})).await;
    let first = ann.hear().await;
    assert_eq!(first["t"], "lobby", "clients of the first releases know no notice of views: {first}");
    assert_eq!(names(&first), [("t1", 1)], "and take every room for a table");
}

/// Ten connections ask for another view each time, as fast as they may, some of it garbage: everybody else sees what there is, at
/// the usual pace, and the relay keeps no more views than it may.
#[tokio::test]
async fn strangers_who_change_their_views_all_the_time_are_bounded_and_slow_nobody_down() {
    let config = RelayConfig {
        lobby_every_ms: 50,
        lobby_views_max: 20,
        lobby_rows_per_round_max: 2_000,
        messages_per_s: 100_000,
        messages_burst: 100_000,
        ..RelayConfig::default()
    };
    let stage = Stage::with(config).await;
    let (mut honest, mut seen) = (stage.client("ann").await, Seen::default());
    tell(&stage, (0..500).map(|n| Line::from(table(&format!("t{n:03}"), 1))).collect()).await;
    look(&mut honest, 1, json!({"text": "t499", "sort": "players"})).await;
    sees(&mut honest, &mut seen, 1, &["t499"]).await;
    let mut strangers = Vec::new();
    for _ in 0..10 {
        strangers.push(stage.client("eve").await);
    }
    for round in 0..300_u32 {
        for (stranger, client) in strangers.iter_mut().enumerate() {
            let view = match (round as usize + stranger) % 4 {
                0 => json!({"text": format!("{round} {stranger}"), "from": round, "count": 100}),
                1 => json!({"bb": [round, round + 7], "from": u32::MAX, "desc": true, "sort": "name"}),
                2 => json!({"count": round, "seats": [1, 2, 3, 4, 5, 6, 7, 8, 9], "\u{0}": {}}),
                _ => json!("\u{1F0A1}".repeat(round as usize)),
            };
            look(client, (round % 256) as u8, view).await;
        }
        if round % 100 == 99 {
            // In the midst of it: as soon as it is told the honest viewer sees it.
            let taken = (2 + round / 100) as u8;
            tell(&stage, vec![Line::from(table("t499", taken))]).await;
            let delta = honest.hear_until("lobby_delta").await;
            assert_eq!(delta["set"], json!([{"room": "t499", "taken": taken}]));
        }
    }
    let mut answers = BTreeMap::new();
    for client in &mut strangers {
        client.say(&json!({"t": "ping", "at": 5})).await;
        loop {
            let message = client.hear().await;
            *answers.entry(message["t"].as_str().unwrap().to_owned()).or_insert(0) += 1;
            if message["t"] == "pong" {
                break;
            }
        }
        // What it has asked for last comes, sooner or later.
        look(client, 77, json!({"text": "t007"})).await;
        while client.hear_until("lobby").await["v"] != 77 {}
    }
    assert_eq!(answers["error"], 10 * 150, "{answers:?}");
}

#[tokio::test]
async fn pages_that_are_asked_for_too_fast_wait_for_the_next_news_and_only_the_last_comes() {
    let stage = Stage::with(RelayConfig { lobby_every_ms: 1_500, ..RelayConfig::default() }).await;
    let mut ann = stage.client("ann").await;
    tell(&stage, vec![Line::from(table("t1", 1))]).await;
    // A round has just ended.
    look(&mut ann, 99, json!({})).await;
    while ann.hear().await["total"] != 1 {}
    for v in 0..50 {
        look(&mut ann, v, json!({"from": v})).await;
    }
    let mut heard = Vec::new();
    while heard.last() != Some(&49) {
        heard.push(ann.hear_until("lobby").await["v"].as_u64().unwrap());
    }
    assert!(
        heard.len() <= 2 * 5,
        "four answers and a last one in the one or two rounds that this took: {heard:?}"
    );
}
