//! What a room's owner is told about who watches.

use broker::node::{NodeNews, Role, SPEAKS, encode};
use protocol::id::NodeId;
use serde_json::json;

use crate::stage::{Stage, delta, keyframe, user};

#[tokio::test]
async fn members_come_and_go_and_spectators_do_not_matter() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).private("ann", "x")).await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut eve = stage.client("eve").await;
    eve.watch("t1").await;
    assert_eq!(eve.hear_brief().await, "keyframe 1-1");
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ears.presence().await, (true, user("ann"), ann.session));
    // Eve becomes a member by a part for her.
    stage.dealer.commit(delta("t1", 1, 2).private("eve", "y")).await;
    assert_eq!(ears.presence().await, (true, user("eve"), eve.session));
    // A new owner hears of both.
    stage.dealer.claim("t1", 2).await;
    stage.dealer.commit(keyframe("t1", 2, 3).private("ann", "x").private("eve", "y")).await;
    let mut told = [ears.presence().await.1, ears.presence().await.1];
    told.sort();
    assert_eq!(told, [user("ann"), user("eve")]);
    // Watching again is told, so that a seat can be taken back from another session.
    ann.watch("t1").await;
    assert_eq!(ears.presence().await, (true, user("ann"), ann.session));
    let session = ann.session;
    drop(ann);
    assert_eq!(ears.presence().await, (false, user("ann"), session));
    eve.say(&json!({"t": "unwatch", "room": "t1"})).await;
    assert_eq!(ears.presence().await, (false, user("eve"), eve.session));
}

#[tokio::test]
async fn whoever_has_a_command_accepted_is_a_member() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.ask("t1", 1, json!({})).await;
    ears.command().await;
    stage.dealer.commit(delta("t1", 1, 2).caused_by("ann", ann.session, 1)).await;
    assert_eq!(ears.presence().await, (true, user("ann"), ann.session));
}

#[tokio::test]
async fn a_session_that_moves_to_another_connection_was_never_away() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).private("ann", "x")).await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut first = stage.client("ann").await;
    first.watch("t1").await;
    assert_eq!(ears.presence().await, (true, user("ann"), first.session));
    let second = stage.resume("ann", Some(first.session), json!({"t1": [1, 1]})).await;
    assert_eq!(ears.presence().await, (true, user("ann"), first.session));
    assert_eq!(first.hear_close().await, 4008);
    drop(first);
    stage.until("the first connection is gone", |stage| stage.relay.connections() == 1).await;
    let session = second.session;
    drop(second);
    // The only departure is the second one's.
    assert_eq!(ears.presence().await, (false, user("ann"), session));
    stage.until("the second is gone too", |stage| stage.relay.connections() == 0).await;
    assert!(ears.so_far().is_empty());
}

#[tokio::test]
async fn who_is_here_is_told_again_when_an_owner_may_have_missed_it() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).private("ann", "x")).await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ears.presence().await, (true, user("ann"), ann.session));
    let beat = |beat, missed| {
        let (node, role, speaks) = (NodeId::new("owner").unwrap(), Role::Worker, SPEAKS);
        encode(&NodeNews::Beat {
            node,
            role,
            beat,
            sent_ms: 0,
            draining: false,
            speaks,
            missed,
            spares: false,
            door: None,
        })
    };
    for (n, missed) in [(1, 0), (2, 0), (3, 1)] {
        stage.tell_nodes(beat(n, missed)).await;
    }
    assert_eq!(ears.presence().await, (true, user("ann"), ann.session));
}
