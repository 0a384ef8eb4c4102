//! Clients that do not read.

use std::time::Duration;

use relay::RelayConfig;
use serde_json::json;

use crate::stage::{Stage, delta, keyframe, soon};

#[tokio::test]
async fn a_slow_reader_gets_a_keyframe_instead_of_what_it_missed_and_holds_nobody_up() {
    const LAST: u64 = 400;
    /// More than the kernel's own buffers hold, all frames together.
    const FRAME_BYTES: usize = 50_000;
    let stage = Stage::with(RelayConfig { queue_bytes_max: 20_000, ..RelayConfig::default() }).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut slow = stage.slow_client("slow").await;
    let mut fast = stage.client("fast").await;
    slow.watch("t1").await;
    fast.watch("t1").await;
    assert_eq!(fast.hear_brief().await, "keyframe 1-1");
    for seq in 2..=LAST {
        let draft =
            if seq % 20 == 0 { keyframe("t1", 1, seq) } else { delta("t1", 1, seq).private("slow", "mine") };
        stage.dealer.commit(draft.padded(FRAME_BYTES)).await;
        let tag = if seq % 20 == 0 { "keyframe" } else { "frame" };
        assert_eq!(fast.hear_brief().await, format!("{tag} 1-{seq}"));
    }
    // A delta is always the next one, a keyframe is always later.
    let mut at = 0;
    let mut jumps = 0;
    while at < LAST {
        let message = slow.hear().await;
        let seq = message["seq"].as_u64().unwrap();
        match message["t"].as_str().unwrap() {
            "frame" => assert_eq!(seq, at + 1),
            "keyframe" => {
                assert!(seq > at);
                jumps += u64::from(seq > at + 1);
            }
            "private" => assert_eq!(seq, at),
            other => panic!("{other}"),
        }
        at = seq;
    }
    assert!(jumps > 0, "it was caught up by a keyframe");
    slow.hear_nothing_more().await;
    stage.dealer.commit(delta("t1", 1, LAST + 1)).await;
    assert_eq!(slow.hear_brief().await, format!("frame 1-{}", LAST + 1));
}

#[tokio::test]
async fn an_answer_is_not_lost_while_its_client_does_not_read() {
    let stage = Stage::with(RelayConfig { queue_bytes_max: 20_000, ..RelayConfig::default() }).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut slow = stage.slow_client("slow").await;
    slow.ask("t1", 3, json!({})).await;
    ears.command().await;
    for seq in 2..=200 {
        let draft = delta("t1", 1, seq).padded(50_000);
        let draft = if seq == 150 { draft.caused_by("slow", slow.session, 3) } else { draft };
        stage.dealer.commit(draft).await;
    }
    stage.dealer.commit(keyframe("t1", 1, 201)).await;
    stage.dealer.commit(keyframe("t1", 1, 202)).await;
    let mut acks = 0;
    loop {
        let message = slow.hear().await;
        acks += u32::from(message["t"] == "ack");
        if message["seq"] == 202 {
            break;
        }
    }
    acks += slow.hear_rest().await.iter().filter(|brief| brief.starts_with("ack")).count() as u32;
    assert_eq!(acks, 1);
}

#[tokio::test]
async fn a_client_that_never_reads_is_let_go() {
    let config =
        RelayConfig { queue_bytes_max: 20_000, slow_ms: 1_000, close_ms: 200, ..RelayConfig::default() };
    let stage = Stage::with(config).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut slow = stage.slow_client("slow").await;
    slow.watch("t1").await;
    let flood = async {
        for seq in 2.. {
            stage.dealer.commit(delta("t1", 1, seq).padded(50_000)).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
            if stage.relay.connections() == 0 {
                break;
            }
        }
    };
    soon("it is let go", flood).await;
}
