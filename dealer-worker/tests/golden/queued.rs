//! A queue in which players wait for any seat, and a table that it has opened.

use broker::node::{Asked, RoomSpec};
use protocol::{
    id::{RoomId, SessionId},
    table::TableConfig,
};
use queue::{Queue, QueueTable, Settings, at_table, line};
use rooms::room::Room as _;
use serde_json::json;
use tokio::time::{Duration, sleep};

use super::{Game, Scribe, is_read, is_written_as_it_stands, journal, words};
use crate::support::{Followed, Relay, room, user};

/// Some join, one leaves, one is gone for a while; two are sent to a table, of whom one does not come; the table closes.
const QUEUE: &str = include_str!("queue-release-6.journal");
const QUEUE_VIEW: &str = include_str!("queue-release-6.view.json");

/// The table.
const QUEUE_TABLE: &str = include_str!("queue_table-release-7.journal");
const QUEUE_TABLE_VIEW: &str = include_str!("queue_table-release-7.view.json");
const QUEUE_TABLE_BEFORE: (&str, &str) =
    (include_str!("queue_table-release-6.journal"), include_str!("queue_table-release-6.view.json"));

fn queue_word(event: &line::Event) -> &'static str {
    use line::Event as E;
    match event {
        E::Joined { .. } => "joined",
        E::Left { .. } => "left",
        E::Away { .. } => "away",
        E::Opens { .. } => "opens",
        E::Opened { .. } => "opened",
        E::Sent { .. } => "sent",
        E::Stands { .. } => "stands",
        E::Missed { .. } => "missed",
        E::Closed { .. } => "closed",
    }
}

fn table_word(event: &at_table::Event) -> &'static str {
    use at_table::Event as E;
    match event {
        E::Table(_) => "table",
        E::Heard => "heard",
        E::Told(_) => "told",
        E::Empty { .. } => "empty",
        E::Taken => "taken",
        E::Over => "over",
    }
}

const QUEUE_WORDS: usize = 9;
const TABLE_WORDS: usize = 6;

#[test]
fn a_queue_and_its_table_are_read_as_they_stand() {
    is_read::<Queue>(&journal(QUEUE), QUEUE_VIEW);
    is_read::<QueueTable>(&journal(QUEUE_TABLE), QUEUE_TABLE_VIEW);
    // It is read, and written no more.
    is_read::<QueueTable>(&journal(QUEUE_TABLE_BEFORE.0), QUEUE_TABLE_BEFORE.1);
    is_written_as_it_stands::<Queue>(&journal(QUEUE));
    is_written_as_it_stands::<QueueTable>(&journal(QUEUE_TABLE));
    assert_eq!(words::<Queue>(&journal(QUEUE), queue_word).len(), QUEUE_WORDS);
    assert_eq!(words::<QueueTable>(&journal(QUEUE_TABLE), table_word).len(), TABLE_WORDS);
}

#[tokio::test(start_paused = true)]
async fn a_queue_and_its_table_write_what_stands_in_their_golden_journals() {
    let mut scribe = Scribe::new(dealer_worker::kinds());
    let table = TableConfig { name: "Quick".into(), pause_ms: 1_000, runout_ms: 0, ..TableConfig::default() };
    let settings = Settings { id: room(1), table, opens_at: 2, tables_max: 8, idle_ms: 5_000 };
    scribe.house.open_room(&RoomSpec::new(Queue::NAME, &settings)).await;
    let worker = scribe.worker("w1", 4);
    let relay = Relay::new(&scribe.house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let asks = async |who: &str, session: u64, what: &str| {
        let what = json!({"a": what});
        let answer = relay.command(&room(1), &user(who), session, relay.next_n(), what).await;
        assert_eq!(answer.code(), "applied");
    };
    asks("cyd", 3, "join").await;
    asks("cyd", 3, "leave").await;
    asks("ann", 1, "join").await;
    for what in [
        Asked::Absent { user: user("ann"), session: SessionId(1) },
        Asked::Present { user: user("ann"), session: SessionId(1), anew: true },
    ] {
        relay.tell(&room(1), what).await;
        sleep(Duration::from_millis(rooms::Bounds::default().absence_grace_ms + 1_000)).await;
    }
    asks("bob", 2, "join").await;
    let sent = |who: &'static str| {
        move |followed: &Followed| followed.parts.get(&user(who)).is_some_and(|part| part["room"].is_string())
    };
    relay.until(&room(1), sent("bob")).await;
    let table = RoomId::new("t1.1").unwrap();
    relay.hear(&table).await;
    // The next owner begins with a keyframe, which whoever came late sees.
    worker.kill();
    let next = scribe.worker("w2", 4);
    relay.owned(&table).await;
    let game = Game { relay, room: table.clone(), players: vec![("ann", 1), ("bob", 2)] };
    game.asks("ann", json!({"a": "sit", "buy_in": 200})).await;
    // Bob does not come.
    sleep(Duration::from_secs(35)).await;
    game.asks("ann", json!({"a": "leave"})).await;
    game.relay.until(&table, |followed| followed.has_ended).await;
    next.kill();
    let _last = scribe.worker("w3", 4);
    game.relay.until(&room(1), |followed| followed.epochs.len() == 3).await;
    let queue = scribe.journal::<Queue>(&room(1));
    let table = scribe.journal::<QueueTable>(&table);
    is_written_as_it_stands::<Queue>(&queue);
    is_written_as_it_stands::<QueueTable>(&table);
    assert_eq!(words::<Queue>(&queue, queue_word), words::<Queue>(&journal(QUEUE), queue_word));
    assert_eq!(
        words::<QueueTable>(&table, table_word),
        words::<QueueTable>(&journal(QUEUE_TABLE), table_word)
    );
}
