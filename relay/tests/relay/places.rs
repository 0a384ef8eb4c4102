//! A room that only so many may watch who have no part in it.

use broker::node::{Asked, ToRelay, ToRoom};
use protocol::id::Epoch;
use serde_json::json;

use crate::stage::{Client, Ears, Stage, delta, keyframe, room};

/// A relay's list: its number, how many of the first have a place, and who is on it.
struct List {
    round: u64,
    have: u32,
    names: Vec<String>,
}

async fn list(owner: &mut Ears) -> List {
    loop {
        if let ToRoom { what: Asked::Places { round, have, users, .. }, .. } = owner.next().await {
            return List { round, have, names: users.iter().map(ToString::to_string).collect() };
        }
    }
}

/// The next list with these on it, answered: those at these places have none.
async fn answers(stage: &Stage, owner: &mut Ears, names: &[&str], have: u32, without: &[u32]) {
    loop {
        let list = list(owner).await;
        if list.names != names {
            give(stage, list.round, &[], false).await;
            continue;
        }
        assert_eq!(list.have, have, "{names:?}");
        return give(stage, list.round, without, true).await;
    }
}

async fn give(stage: &Stage, round: u64, without: &[u32], is_full: bool) {
    let (room, epoch, without) = (room("t1"), Epoch(1), without.to_vec());
    stage.dealer.reply(&ToRelay::Places { room, epoch, round, without, is_full }).await;
}

async fn is_full(client: &mut Client) {
    let heard = client.hear().await;
    assert_eq!((heard["t"].as_str(), heard["code"].as_str()), (Some("error"), Some("rail_full")), "{heard}");
    assert_eq!(heard["room"], "t1");
}

/// Ann sits there, and two others may watch.
async fn stage() -> (Stage, Ears) {
    let stage = Stage::new().await;
    let owner = stage.dealer.listen("t1").await;
    stage.dealer.commit(keyframe("t1", 1, 1).private("ann", "seat").few(2, &["ann"])).await;
    (stage, owner)
}

#[tokio::test]
async fn nobody_gets_anything_without_a_place_but_who_has_a_part_in_the_room() {
    let (stage, mut owner) = stage().await;
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_briefs(2).await, ["keyframe 1-1", "private 1-1"]);
    stage.dealer.commit(delta("t1", 1, 2).few(2, &["ann"])).await;
    assert_eq!(ann.hear_brief().await, "frame 1-2");
    bob.hear_nothing_more().await;
    answers(&stage, &mut owner, &["bob"], 0, &[]).await;
    assert_eq!(bob.hear_briefs(2).await, ["keyframe 1-1", "frame 1-2"]);
}

#[tokio::test]
async fn who_is_too_many_is_told_and_may_ask_again() {
    let (stage, mut owner) = stage().await;
    let (mut bob, mut cho, mut dan) =
        (stage.client("bob").await, stage.client("cho").await, stage.client("dan").await);
    bob.watch("t1").await;
    answers(&stage, &mut owner, &["bob"], 0, &[]).await;
    assert_eq!(bob.hear_brief().await, "keyframe 1-1");
    cho.watch("t1").await;
    answers(&stage, &mut owner, &["bob", "cho"], 1, &[1]).await;
    is_full(&mut cho).await;
    cho.watch("t1").await;
    answers(&stage, &mut owner, &["bob", "cho"], 1, &[]).await;
    assert_eq!(cho.hear_brief().await, "keyframe 1-1");
    // Not even asked for: the two have all that there is.
    dan.watch("t1").await;
    answers(&stage, &mut owner, &["bob", "cho"], 2, &[]).await;
    is_full(&mut dan).await;
    drop(bob);
    answers(&stage, &mut owner, &["cho"], 1, &[]).await;
    dan.watch("t1").await;
    answers(&stage, &mut owner, &["cho", "dan"], 1, &[]).await;
    assert_eq!(dan.hear_brief().await, "keyframe 1-1");
}

#[tokio::test]
async fn a_user_has_one_place_however_many_sessions_watch() {
    let (stage, mut owner) = stage().await;
    let (mut bob, mut twin) = (stage.client("bob").await, stage.client("bob").await);
    for (client, have) in [(&mut bob, 0), (&mut twin, 1)] {
        client.watch("t1").await;
        answers(&stage, &mut owner, &["bob"], have, &[]).await;
        assert_eq!(client.hear_brief().await, "keyframe 1-1");
    }
}

#[tokio::test]
async fn whoever_stands_up_has_the_frame_with_which_he_does_and_then_needs_a_place() {
    let (stage, mut owner) = stage().await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_briefs(2).await, ["keyframe 1-1", "private 1-1"]);
    stage.dealer.commit(delta("t1", 1, 2).few(2, &["ann"])).await;
    stage.dealer.commit(delta("t1", 1, 3).few(2, &[])).await;
    assert_eq!(ann.hear_brief().await, "frame 1-2");
    answers(&stage, &mut owner, &["ann"], 0, &[]).await;
    assert_eq!(ann.hear_brief().await, "frame 1-3");
    stage.dealer.commit(delta("t1", 1, 4).few(2, &["ann"])).await;
    assert_eq!(ann.hear_brief().await, "frame 1-4");
    stage.dealer.commit(delta("t1", 1, 5).few(2, &[])).await;
    answers(&stage, &mut owner, &["ann"], 0, &[0]).await;
    is_full(&mut ann).await;
}

#[tokio::test]
async fn whoever_is_refused_has_the_answers_to_what_he_has_asked() {
    let (stage, mut owner) = stage().await;
    let mut bob = stage.client("bob").await;
    bob.ask("t1", 1, json!({"a": "sit"})).await;
    let session = bob.session;
    answers(&stage, &mut owner, &["bob"], 0, &[0]).await;
    is_full(&mut bob).await;
    let sits = delta("t1", 1, 2).few(2, &["ann", "bob"]).private("bob", "seat");
    stage.dealer.commit(sits.caused_by("bob", session, 1)).await;
    assert_eq!(bob.hear_brief().await, "ack 1 1-2");
    // Now he has a part in it.
    bob.watch("t1").await;
    assert_eq!(bob.hear_briefs(3).await, ["keyframe 1-1", "frame 1-2", "private 1-2"]);
}

#[tokio::test]
async fn an_answer_to_a_list_that_is_not_the_last_one_gives_nobody_a_place() {
    let (stage, mut owner) = stage().await;
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    let first = list(&mut owner).await;
    // It is said again, as nobody answers.
    let second = list(&mut owner).await;
    assert!(second.round > first.round);
    give(&stage, first.round, &[], true).await;
    bob.hear_nothing_more().await;
    answers(&stage, &mut owner, &["bob"], 0, &[]).await;
    assert_eq!(bob.hear_brief().await, "keyframe 1-1");
}

#[tokio::test]
async fn where_as_many_may_watch_as_come_nobody_is_listed() {
    let stage = Stage::new().await;
    let mut owner = stage.dealer.listen("t1").await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    assert_eq!(bob.hear_brief().await, "keyframe 1-1");
    bob.ask("t1", 1, json!({"a": "sit"})).await;
    let said = owner.next().await.what;
    assert!(matches!(said, Asked::Command { .. } | Asked::First { .. }), "{said:?}");
}
