//! A room that is shown late to all who have no part in it.

use serde_json::json;

use crate::stage::{Client, Draft, Stage, delta, end, keyframe};

/// So late that it never comes within a test.
const NEVER_MS: u32 = 900_000;

/// Long past, so that it is due.
const PAST_MS: u64 = 1;

/// A relay, and a room of which the first three frames are due and the next three are not; ann sits there since the fifth.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    let now_ms = stage.clock.now_ms();
    for draft in [
        keyframe("t1", 1, 4).late((PAST_MS, NEVER_MS), &[]),
        delta("t1", 1, 5).late((PAST_MS, NEVER_MS), &["ann"]),
        delta("t1", 1, 6).late((PAST_MS, NEVER_MS), &["ann"]),
        delta("t1", 1, 7).late((now_ms, NEVER_MS), &["ann"]),
        keyframe("t1", 1, 8).late((now_ms, NEVER_MS), &["ann"]),
        delta("t1", 1, 9).late((now_ms, NEVER_MS), &["ann"]),
    ] {
        stage.dealer.commit(draft).await;
    }
    stage
}

fn now(stage: &Stage, draft: Draft, live: &[&str]) -> Draft {
    draft.late((stage.clock.now_ms(), NEVER_MS), live)
}

async fn is_behind(client: &mut Client, by_ms: u32) {
    let heard = client.hear().await;
    assert_eq!(
        (heard["t"].as_str(), heard["by_ms"].as_u64()),
        (Some("behind"), Some(by_ms.into())),
        "{heard}"
    );
}

#[tokio::test]
async fn the_rail_gets_what_is_old_enough_and_players_get_everything_in_all_their_sessions() {
    let stage = stage().await;
    let (mut bob, mut ann, mut twin) =
        (stage.client("bob").await, stage.client("ann").await, stage.client("ann").await);
    for client in [&mut bob, &mut ann, &mut twin] {
        client.watch("t1").await;
    }
    is_behind(&mut bob, NEVER_MS).await;
    assert_eq!(bob.hear_briefs(3).await, ["keyframe 1-4", "frame 1-5", "frame 1-6"]);
    for client in [&mut ann, &mut twin] {
        assert_eq!(client.hear_briefs(2).await, ["keyframe 1-8", "frame 1-9"]);
    }
    stage.dealer.commit(now(&stage, delta("t1", 1, 10), &["ann"])).await;
    for client in [&mut ann, &mut twin] {
        assert_eq!(client.hear_brief().await, "frame 1-10");
    }
    bob.hear_nothing_more().await;
}

#[tokio::test]
async fn the_rail_gets_a_frame_when_its_time_has_come() {
    let stage = Stage::new().await;
    stage.dealer.commit(now(&stage, keyframe("t1", 1, 1), &[])).await;
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    is_behind(&mut bob, NEVER_MS).await;
    // Of a room that was just opened there is nothing to hide.
    assert_eq!(bob.hear_brief().await, "keyframe 1-1");
    let decided_ms = stage.clock.now_ms();
    stage.dealer.commit(delta("t1", 1, 2).late((decided_ms, 300), &[])).await;
    loop {
        match bob.hear_brief().await.as_str() {
            "behind" => {}
            other => break assert_eq!(other, "frame 1-2"),
        }
    }
    assert!(stage.clock.now_ms() >= decided_ms + 300);
}

#[tokio::test]
async fn whoever_sits_down_gets_the_rest_at_once_and_who_stands_up_begins_anew_on_the_rail() {
    let stage = stage().await;
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    is_behind(&mut bob, NEVER_MS).await;
    assert_eq!(bob.hear_briefs(3).await, ["keyframe 1-4", "frame 1-5", "frame 1-6"]);
    stage.dealer.commit(now(&stage, delta("t1", 1, 10), &["ann", "bob"])).await;
    is_behind(&mut bob, 0).await;
    let rest = ["frame 1-7", "keyframe 1-8", "frame 1-9", "frame 1-10"];
    assert_eq!(bob.hear_briefs(4).await, rest, "it goes on from where it was");
    let mut twin = stage.client("bob").await;
    twin.watch("t1").await;
    assert_eq!(twin.hear_briefs(3).await, ["keyframe 1-8", "frame 1-9", "frame 1-10"]);
    // With the frame in which he stands up he still has a part in it.
    stage.dealer.commit(now(&stage, delta("t1", 1, 11), &["ann", "bob"])).await;
    stage.dealer.commit(now(&stage, delta("t1", 1, 12), &["ann"])).await;
    for client in [&mut bob, &mut twin] {
        assert_eq!(client.hear_brief().await, "frame 1-11");
        is_behind(client, NEVER_MS).await;
        assert_eq!(client.hear_briefs(3).await, ["keyframe 1-4", "frame 1-5", "frame 1-6"]);
        client.hear_nothing_more().await;
    }
}

#[tokio::test]
async fn whoever_comes_back_goes_on_where_it_was_unless_that_is_more_than_it_may_have() {
    let stage = stage().await;
    for (name, at, expected) in [
        ("bob", [1, 5], &["behind", "frame 1-6"][..]),
        ("bob", [1, 6], &["behind"]),
        // Said to it when it had a part in the room.
        ("bob", [1, 9], &["behind", "keyframe 1-4", "frame 1-5", "frame 1-6"]),
        ("bob", [0, 0], &["behind", "keyframe 1-4", "frame 1-5", "frame 1-6"]),
        ("ann", [1, 6], &["frame 1-7", "keyframe 1-8", "frame 1-9"]),
        ("ann", [1, 9], &[]),
    ] {
        for followed in [true, false] {
            let fresh = if followed { None } else { Some(stage.another_relay().await) };
            let address = fresh.as_ref().map_or(stage.address, |fresh| fresh.address);
            let mut client = stage.resume_at(address, name, json!({"t1": at})).await;
            assert_eq!(client.hear_briefs(expected.len()).await, expected, "{name} {at:?} {followed}");
            client.hear_nothing_more().await;
        }
    }
}

#[tokio::test]
async fn who_watches_late_is_answered_at_once() {
    let stage = stage().await;
    let mut bob = stage.client("bob").await;
    let mut ears = stage.dealer.listen("t1").await;
    bob.watch("t1").await;
    assert_eq!(bob.hear_briefs(4).await, ["behind", "keyframe 1-4", "frame 1-5", "frame 1-6"]);
    bob.say(&json!({"t": "do", "n": 1, "room": "t1", "do": {"a": "chat", "text": "hi"}})).await;
    let session = ears.command().await.session;
    let said = delta("t1", 1, 10).caused_by("bob", session, 1);
    stage.dealer.commit(now(&stage, said, &["ann"])).await;
    assert_eq!(bob.hear().await["t"], "ack");
    bob.hear_nothing_more().await;
}

#[tokio::test]
async fn who_watches_late_is_answered_also_when_the_answer_and_the_end_come_together() {
    let stage = stage().await;
    let mut bob = stage.client("bob").await;
    let mut ears = stage.dealer.listen("t1").await;
    bob.watch("t1").await;
    assert_eq!(bob.hear_briefs(4).await, ["behind", "keyframe 1-4", "frame 1-5", "frame 1-6"]);
    bob.ask("t1", 1, json!({"a": "close"})).await;
    let session = ears.command().await.session;
    // Of the frame the relay hears only by the hole in front of the end.
    stage.dealer.store(&now(&stage, delta("t1", 1, 10).caused_by("bob", session, 1), &["ann"])).await;
    stage.dealer.commit(now(&stage, end("t1", 1, 11), &["ann"])).await;
    assert_eq!(bob.hear_brief().await, "ack 1 1-10");
    bob.hear_nothing_more().await;
}

#[tokio::test]
async fn frames_that_do_not_fit_into_the_relay_are_read_when_they_are_due() {
    let config = relay::RelayConfig { rail_bytes_max: 1_000, ..Default::default() };
    let stage = Stage::with(config).await;
    let begun_ms = stage.clock.now_ms();
    stage.dealer.commit(keyframe("t1", 1, 1).late((PAST_MS, 300), &[])).await;
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    assert_eq!(bob.hear_briefs(2).await, ["behind", "keyframe 1-1"]);
    for seq in 2..=40 {
        stage.dealer.commit(delta("t1", 1, seq).late((begun_ms + 10 * seq, 300), &[])).await;
    }
    let expected: Vec<_> = (2..=40).map(|seq| format!("frame 1-{seq}")).collect();
    assert_eq!(bob.hear_briefs(39).await, expected);
    assert!(stage.clock.now_ms() >= begun_ms + 400 + 300);
}

#[tokio::test]
async fn a_room_that_has_ended_ends_for_the_rail_when_that_is_due() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).late((PAST_MS, 300), &[])).await;
    let (mut bob, mut ann) = (stage.client("bob").await, stage.client("ann").await);
    for client in [&mut bob, &mut ann] {
        client.watch("t1").await;
        assert_eq!(client.hear_briefs(2).await, ["behind", "keyframe 1-1"]);
    }
    let now_ms = stage.clock.now_ms();
    stage.dealer.commit(delta("t1", 1, 2).late((now_ms, 300), &["ann"])).await;
    stage.dealer.commit(end("t1", 1, 3).late((now_ms, 300), &["ann"])).await;
    assert_eq!(ann.hear_briefs(3).await, ["behind", "frame 1-2", "unwatched"]);
    assert_eq!(bob.hear_briefs(2).await, ["frame 1-2", "unwatched"]);
    assert!(stage.clock.now_ms() >= now_ms + 300);
}

#[tokio::test]
async fn who_is_answered_by_a_room_that_has_ended_is_told_first_that_its_frames_come_later() {
    let stage = Stage::new().await;
    let mut bob = stage.client("bob").await;
    let late = (stage.clock.now_ms(), 300);
    stage.dealer.store(&keyframe("t1", 1, 1).late(late, &[])).await;
    stage.dealer.store(&delta("t1", 1, 2).caused_by("bob", bob.session, 1).late(late, &[])).await;
    stage.dealer.store(&end("t1", 1, 3).late(late, &[])).await;
    // All of it comes at once, and nothing of it is due.
    bob.ask("t1", 1, json!({})).await;
    assert_eq!(bob.hear_briefs(2).await, ["behind", "ack 1 1-2"]);
    assert_eq!(bob.hear_briefs(3).await, ["keyframe 1-1", "frame 1-2", "unwatched"]);
}

#[tokio::test]
async fn what_the_broker_has_lost_before_it_was_due_is_not_shown_to_the_rail() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).late((PAST_MS, 300), &[])).await;
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    assert_eq!(bob.hear_briefs(2).await, ["behind", "keyframe 1-1"]);
    // Seen by players, and then lost: the room goes on from its first frame.
    stage.dealer.publish(&delta("t1", 1, 2).late((stage.clock.now_ms(), 300), &[])).await;
    stage.dealer.claim("t1", 2).await;
    stage.dealer.commit(keyframe("t1", 2, 2).late((PAST_MS, 300), &[])).await;
    assert_eq!(bob.hear_brief().await, "keyframe 2-2");
}

fn told(stage: &Stage, draft: Draft, what: &str, except: &[&str]) -> Draft {
    now(stage, draft.rail(what, except), except).told_at_once()
}

#[tokio::test]
async fn what_the_rail_is_told_at_once_comes_beside_late_frames_and_to_nobody_who_is_excepted() {
    let stage = stage().await;
    let mut clients = Vec::new();
    for (name, rest) in [("bob", 3), ("dan", 3), ("ann", 2)] {
        let mut client = stage.client(name).await;
        client.watch("t1").await;
        client.hear_briefs(rest + usize::from(name != "ann")).await;
        clients.push(client);
    }
    let [bob, dan, ann] = &mut clients[..] else { unreachable!() };
    // Whoever waits for a seat is shown the table late, and is not told either.
    let draft = told(&stage, delta("t1", 1, 10), "cards", &["ann", "dan"]);
    stage.dealer.commit(now(&stage, draft, &["ann"])).await;
    assert_eq!(bob.hear_brief().await, "rail 1-10");
    assert_eq!(ann.hear_brief().await, "frame 1-10");
    // Once more by whoever asks again, and comes; and not by each keyframe.
    let draft = told(&stage, keyframe("t1", 1, 11), "cards", &["ann", "dan"]);
    stage.dealer.commit(now(&stage, draft, &["ann"])).await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-11");
    bob.hear_nothing_more().await;
    bob.watch("t1").await;
    assert_eq!(bob.hear_brief().await, "rail 1-10");
    for followed in [true, false] {
        let fresh = if followed { None } else { Some(stage.another_relay().await) };
        let address = fresh.as_ref().map_or(stage.address, |fresh| fresh.address);
        let mut late = stage.resume_at(address, "eve", json!({"t1": [1, 6]})).await;
        assert_eq!(late.hear_briefs(2).await, ["behind", "rail 1-10"], "{followed}");
        late.hear_nothing_more().await;
    }
    dan.hear_nothing_more().await;
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn who_stands_up_is_told_what_the_rail_was_told_and_who_sits_down_is_not() {
    let stage = stage().await;
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    bob.hear_briefs(4).await;
    stage.dealer.commit(now(&stage, delta("t1", 1, 10), &["ann", "bob"])).await;
    bob.hear_briefs(5).await;
    stage.dealer.commit(told(&stage, delta("t1", 1, 11), "cards", &["ann", "bob"])).await;
    assert_eq!(bob.hear_brief().await, "frame 1-11");
    // Of a hand in which he had a part.
    stage.dealer.commit(now(&stage, delta("t1", 1, 12), &["ann"])).await;
    assert_eq!(bob.hear_briefs(4).await, ["behind", "keyframe 1-4", "frame 1-5", "frame 1-6"]);
    bob.hear_nothing_more().await;
    stage.dealer.commit(told(&stage, delta("t1", 1, 13), "more", &["ann"])).await;
    assert_eq!(bob.hear_brief().await, "rail 1-13");
}

#[tokio::test]
async fn what_the_rail_was_told_at_once_and_the_broker_has_lost_is_told_nobody_more() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).late((PAST_MS, 300), &[])).await;
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    assert_eq!(bob.hear_briefs(2).await, ["behind", "keyframe 1-1"]);
    stage.dealer.publish(&told(&stage, delta("t1", 1, 2), "cards", &[])).await;
    assert_eq!(bob.hear_brief().await, "behind");
    assert_eq!(bob.hear_brief().await, "rail 1-2");
    stage.dealer.claim("t1", 2).await;
    stage.dealer.commit(keyframe("t1", 2, 2).late((PAST_MS, 300), &[])).await;
    let mut eve = stage.client("eve").await;
    eve.watch("t1").await;
    loop {
        let heard = eve.hear_brief().await;
        assert!(!heard.starts_with("rail"), "{heard}");
        if heard == "keyframe 2-2" {
            break;
        }
    }
    eve.hear_nothing_more().await;
}
