//! Commands: answered exactly once, whatever the bus loses or repeats.

use broker::{
    node::{Asked, NodeNews, Role, ToRelay, encode},
    wire::LinkState,
};
use protocol::id::{Epoch, NodeId, Position, SessionId};
use serde_json::json;

use crate::stage::{Client, Ears, HeardCommand, Stage, delta, keyframe, room, user};

async fn stage() -> Stage {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    stage
}

fn refused(session: SessionId, n: u64) -> ToRelay {
    let body = json!({"t": "refused", "n": n, "room": "t1", "code": "late", "message": "too late"});
    let (body, epoch) = (body.to_string().into(), Epoch(1));
    ToRelay::Refused { user: user("ann"), session, n, room: room("t1"), body, epoch }
}

#[tokio::test]
async fn a_refusal_by_an_owner_that_has_lost_the_room_is_no_answer() {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.ask("t1", 1, json!({})).await;
    ears.command().await;
    stage.dealer.claim("t1", 2).await;
    stage.dealer.commit(keyframe("t1", 2, 2)).await;
    while ears.command().await.epoch != 2 {}
    stage.dealer.reply(&refused(ann.session, 1)).await;
    stage.dealer.commit(delta("t1", 2, 3).caused_by("ann", ann.session, 1)).await;
    assert_eq!(ann.hear_until("ack").await["n"], 1);
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn a_command_reaches_the_owner_and_its_ack_stands_behind_its_frame() {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    assert_eq!(bob.hear_brief().await, "keyframe 1-1");
    // Not watched before: asking watches.
    ann.ask("t1", 7, json!({"a": "leave"})).await;
    let heard = ears.command().await;
    let body = r#"{"a":"leave"}"#.into();
    assert_eq!(heard, HeardCommand { epoch: 1, user: user("ann"), session: ann.session, n: 7, body });
    stage.dealer.commit(delta("t1", 1, 2).caused_by("ann", ann.session, 7).private("ann", "x")).await;
    stage.dealer.commit(delta("t1", 1, 3)).await;
    assert_eq!(
        ann.hear_briefs(5).await,
        ["keyframe 1-1", "frame 1-2", "private 1-2", "ack 7 1-2", "frame 1-3"]
    );
    assert_eq!(bob.hear_briefs(2).await, ["frame 1-2", "frame 1-3"]);
    ann.hear_nothing_more().await;
    bob.hear_nothing_more().await;
}

#[tokio::test]
async fn an_unanswered_command_is_repeated_and_every_answer_comes_once() {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.ask("t1", 1, json!({})).await;
    for _ in 0..3 {
        assert_eq!(ears.command().await.n, 1);
    }
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    for _ in 0..3 {
        stage.dealer.reply(&refused(ann.session, 1)).await;
    }
    assert_eq!(ann.hear_brief().await, "refused 1 late");
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn an_answer_whose_frame_was_lost_is_found_in_the_journal_by_the_retry() {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.ask("t1", 1, json!({})).await;
    ears.command().await;
    stage.dealer.store(&delta("t1", 1, 2).caused_by("ann", ann.session, 1)).await;
    assert_eq!(ann.hear_briefs(3).await, ["keyframe 1-1", "frame 1-2", "ack 1 1-2"]);
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn applied_before_its_frame_waits_for_the_frame() {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.ask("t1", 1, json!({})).await;
    ears.command().await;
    stage.dealer.store(&delta("t1", 1, 2).caused_by("ann", ann.session, 1)).await;
    let at = Position::new(1, 2);
    let applied = ToRelay::Applied { user: user("ann"), session: ann.session, n: 1, room: room("t1"), at };
    stage.dealer.reply(&applied).await;
    stage.dealer.reply(&applied).await;
    assert_eq!(ann.hear_briefs(3).await, ["keyframe 1-1", "frame 1-2", "ack 1 1-2"]);
    stage.dealer.publish(&delta("t1", 1, 2).caused_by("ann", ann.session, 1)).await;
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn one_command_is_on_its_way_at_a_time_and_the_others_follow_in_order() {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    for n in 1..=3 {
        ann.ask("t1", n, json!({})).await;
    }
    for n in 1..=3 {
        assert_eq!(ears.command().await.n, n);
        // None but repetitions until it is answered.
        assert!(ears.so_far().iter().all(|said| said.epoch.0 == 1));
        stage.dealer.commit(delta("t1", 1, n + 1).caused_by("ann", ann.session, n)).await;
    }
    assert_eq!(
        ann.hear_briefs(7).await,
        ["keyframe 1-1", "frame 1-2", "ack 1 1-2", "frame 1-3", "ack 2 1-3", "frame 1-4", "ack 3 1-4"]
    );
}

#[tokio::test]
async fn n_must_grow_and_a_repeat_in_flight_is_ignored() {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.ask("t1", 5, json!({})).await;
    ann.ask("t1", 5, json!({})).await;
    ann.ask("t1", 4, json!({})).await;
    let heard = ann.hear_until("refused").await;
    assert_eq!(heard["code"], "stale_n");
    assert_eq!(heard["n"], 4);
    ears.command().await;
    stage.dealer.commit(delta("t1", 1, 2).caused_by("ann", ann.session, 5)).await;
    assert_eq!(ann.hear_until("ack").await["n"], 5);
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn a_new_owner_is_asked_at_once_in_its_epoch() {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.ask("t1", 1, json!({})).await;
    assert_eq!(ears.command().await.epoch, 1);
    stage.dealer.claim("t1", 2).await;
    stage.dealer.commit(keyframe("t1", 2, 2)).await;
    loop {
        if ears.command().await.epoch == 2 {
            break;
        }
    }
    stage.dealer.commit(delta("t1", 2, 3).caused_by("ann", ann.session, 1)).await;
    assert_eq!(ann.hear_briefs(4).await, ["keyframe 1-1", "keyframe 2-2", "frame 2-3", "ack 1 2-3"]);
}

#[tokio::test]
async fn a_command_to_a_room_without_an_owner_waits_for_the_first_one() {
    let stage = Stage::new().await;
    stage.dealer.open("t1").await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.ask("t1", 1, json!({})).await;
    ann.hear_nothing_more().await;
    assert!(ears.so_far().is_empty());
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    assert_eq!(ears.command().await.epoch, 1);
}

#[tokio::test]
async fn a_command_to_a_room_that_nobody_knows_is_refused() {
    let stage = Stage::new().await;
    let mut ann = stage.client("ann").await;
    ann.ask("nowhere", 1, json!({})).await;
    assert_eq!(ann.hear_brief().await, "refused 1 no_such_room");
    ann.hear_nothing_more().await;
}

/// Found by the simulator, seed 1795947402: the relay died, the room ended, and whoever came back with a command had the refusal alone,
/// and went on waiting for frames.
#[tokio::test]
async fn whoever_goes_on_from_a_frame_of_a_room_that_is_gone_is_told_so_even_with_a_command_in_flight() {
    let stage = Stage::new().await;
    let first = stage.client("ann").await;
    let session = first.session;
    drop(first);
    // Whether there is such a room is asked when the store answers again: behind the command.
    stage.link.set(LinkState::Refusing);
    let mut ann = stage.resume("ann", Some(session), json!({"gone": [1, 4]})).await;
    assert_eq!(ann.hear_brief().await, "error unavailable");
    ann.ask("gone", 1, json!({})).await;
    ann.hear_nothing_more().await;
    stage.link.heal();
    let mut told = ann.hear_briefs(2).await;
    told.sort();
    assert_eq!(told, ["error no_such_room", "refused 1 forgotten"]);
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn a_session_that_comes_back_is_answered_from_the_window_for_what_was_applied_meanwhile() {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.ask("t1", 1, json!({})).await;
    ears.command().await;
    let session = ann.session;
    drop(ann);
    stage.until("ann is gone", |stage| stage.relay.connections() == 0).await;
    stage.dealer.commit(delta("t1", 1, 2).caused_by("ann", session, 1)).await;
    let mut ann = stage.resume("ann", Some(session), json!({"t1": [1, 1]})).await;
    assert_eq!(ann.session, session);
    assert_eq!(ann.hear_brief().await, "frame 1-2");
    ears.so_far();
    ann.ask("t1", 1, json!({})).await;
    assert_eq!(ann.hear_brief().await, "ack 1 1-2");
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn a_session_on_a_second_connection_closes_the_first() {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut first = stage.client("ann").await;
    first.ask("t1", 1, json!({})).await;
    ears.command().await;
    let mut second = stage.resume("ann", Some(first.session), json!({"t1": [1, 1]})).await;
    assert_eq!(first.hear_close().await, 4008);
    second.ask("t1", 1, json!({})).await;
    stage.dealer.commit(delta("t1", 1, 2).caused_by("ann", second.session, 1)).await;
    assert_eq!(second.hear_until("ack").await["n"], 1);
    second.hear_nothing_more().await;
    // Another user's session of the same number is another session.
    let mut eve = stage.resume("eve", Some(second.session), json!({})).await;
    eve.hear_nothing_more().await;
    second.hear_nothing_more().await;
}

/// Two clients that hold one session may both use a number: who is told that its command was applied must be the one whose was.
#[tokio::test]
async fn a_command_is_not_acknowledged_for_another_one_with_its_number() {
    let stage = stage().await;
    let other = stage.another_relay().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut first = stage.client("ann").await;
    first.ask("t1", 5, json!({"a": "one"})).await;
    ears.command().await;
    let session = first.session;
    let mut second = Client::connect(other.address).await;
    second.hello(&stage.token("ann"), json!({"session": session})).await;
    assert_eq!(first.hear_close().await, 4008);
    // Both are on their way when one is applied.
    second.ask("t1", 5, json!({"a": "another"})).await;
    while ears.command().await.body != r#"{"a":"another"}"# {}
    let applied = || delta("t1", 1, 2).caused_by("ann", session, 5).said(r#"{"a":"one"}"#);
    stage.dealer.commit(applied()).await;
    assert_eq!(second.hear_briefs(3).await, ["keyframe 1-1", "refused 5 stale_n", "frame 1-2"]);
    // It was applied when the other comes.
    for (said, answer) in [("one", "ack 5 1-2"), ("another", "refused 5 stale_n")] {
        let mut again = stage.resume("ann", Some(session), json!({"t1": [1, 2]})).await;
        again.ask("t1", 5, json!({"a": said})).await;
        assert_eq!(again.hear_brief().await, answer);
        again.hear_nothing_more().await;
    }
}

/// Be it in the lobby: it watches no room.
#[tokio::test]
async fn a_session_at_a_second_relay_closes_the_connection_at_the_first() {
    let stage = stage().await;
    let other = stage.another_relay().await;
    let mut first = stage.client("ann").await;
    let mut eve = stage.resume("eve", Some(first.session), json!({})).await;
    let with_session = json!({"session": first.session});
    let mut second = Client::connect(other.address).await;
    second.hello(&stage.token("ann"), with_session.clone()).await;
    assert_eq!(first.hear_close().await, 4008);
    second.hear_nothing_more().await;
    // And back.
    let mut third = stage.connect().await;
    third.hello(&stage.token("ann"), with_session).await;
    assert_eq!(second.hear_close().await, 4008);
    third.hear_nothing_more().await;
    // Another user's session of the same number is another session.
    eve.hear_nothing_more().await;
}

/// A client that finds a relay silent goes on elsewhere; when the relay is back it hears a hello that nobody waits for.
#[tokio::test]
async fn a_hello_of_a_connection_that_has_gone_already_closes_no_other() {
    let stage = stage().await;
    let other = stage.another_relay().await;
    let mut ann = stage.client("ann").await;
    let mut bob = stage.client("bob").await;
    let mut late = Client::connect(other.address).await;
    late.say(&json!({"t": "hello", "token": stage.token("ann"), "session": ann.session})).await;
    drop(late);
    // What the other relay tells after that has come when bob is closed.
    let mut bob_there = Client::connect(other.address).await;
    bob_there.hello(&stage.token("bob"), json!({"session": bob.session})).await;
    assert_eq!(bob.hear_close().await, 4008);
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn a_session_that_a_relay_was_not_told_of_is_closed_there_when_the_owner_finds_it_at_two() {
    let stage = stage().await;
    let other = stage.another_relay().await;
    let mut first = stage.client("ann").await;
    stage.link.set(LinkState::Refusing);
    let began_ms = stage.clock.now_ms();
    stage
        .until("the second is later by more than the bus takes", |stage| stage.clock.now_ms() > began_ms + 50)
        .await;
    let mut second = Client::connect(other.address).await;
    second.hello(&stage.token("ann"), json!({"session": first.session})).await;
    first.hear_rest().await;
    stage.link.heal();
    stage.dealer.reply(&ToRelay::Elsewhere { user: user("ann"), session: first.session }).await;
    assert_eq!(first.hear_close().await, 4008);
    second.hear_nothing_more().await;
}

/// Ann has asked something, and watches no more before it is answered.
async fn unwatched_with_a_command_on_its_way() -> (Stage, Ears, Client) {
    let stage = stage().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    ann.ask("t1", 1, json!({})).await;
    ears.command().await;
    ann.say(&json!({"t": "unwatch", "room": "t1"})).await;
    assert_eq!(ann.hear_briefs(2).await, ["keyframe 1-1", "unwatched"]);
    (stage, ears, ann)
}

#[tokio::test]
async fn unwatching_does_not_cost_the_answer() {
    let (stage, _ears, mut ann) = unwatched_with_a_command_on_its_way().await;
    stage.dealer.commit(delta("t1", 1, 2)).await;
    stage.dealer.commit(delta("t1", 1, 3).caused_by("ann", ann.session, 1)).await;
    assert_eq!(ann.hear_brief().await, "ack 1 1-3");
    ann.watch("t1").await;
    assert_eq!(ann.hear_briefs(3).await, ["keyframe 1-1", "frame 1-2", "frame 1-3"]);
}

#[tokio::test]
async fn a_command_has_a_room_watched_again_that_still_owes_an_answer() {
    let (stage, mut ears, mut ann) = unwatched_with_a_command_on_its_way().await;
    ann.ask("t1", 2, json!({})).await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    stage.dealer.commit(delta("t1", 1, 2).caused_by("ann", ann.session, 1)).await;
    assert_eq!(ann.hear_briefs(2).await, ["frame 1-2", "ack 1 1-2"]);
    ears.command().await;
    stage.dealer.commit(delta("t1", 1, 3).caused_by("ann", ann.session, 2)).await;
    assert_eq!(ann.hear_briefs(2).await, ["frame 1-3", "ack 2 1-3"]);
}

#[tokio::test]
async fn a_notice_reaches_its_session_alone() {
    let stage = stage().await;
    let mut ann = stage.client("ann").await;
    let mut ann_too = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    let body = json!({"t": "notice", "room": "t1", "code": "taken_over", "message": "elsewhere"});
    let body = body.to_string().into();
    let notice = ToRelay::Notice { user: user("ann"), session: ann.session, room: room("t1"), body };
    stage.dealer.reply(&notice).await;
    assert_eq!(ann.hear_brief().await, "notice taken_over");
    ann_too.hear_nothing_more().await;
}

/// Has a command sent and refused; whether the relay vouches that it was never sent before.
async fn is_vouched_for(stage: &Stage, ears: &mut Ears, client: &mut Client, n: u64) -> bool {
    client.ask("t1", n, json!({})).await;
    let first = loop {
        match ears.next().await.what {
            Asked::First { n: heard, .. } if heard == n => break true,
            Asked::Command { n: heard, .. } if heard == n => break false,
            _ => {}
        }
    };
    stage.dealer.reply(&refused(client.session, n)).await;
    assert_eq!(client.hear_until("refused").await["n"], n);
    first
}

#[tokio::test]
async fn the_relay_vouches_for_a_command_that_was_never_sent_before_and_for_no_other() {
    let stage = Stage::patient().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    let mut n = 1;
    // Until it has heard who lives, an owner might be of the first release.
    while !is_vouched_for(&stage, &mut ears, &mut ann, n).await {
        n += 1;
    }
    n += 1;
    ann.ask("t1", n, json!({})).await;
    assert!(matches!(ears.next().await.what, Asked::First { .. }));
    assert!(matches!(ears.next().await.what, Asked::Command { .. }), "a repetition is none");
    let session = ann.session;
    drop(ann);
    let mut ann = stage.resume("ann", Some(session), json!({})).await;
    assert!(!is_vouched_for(&stage, &mut ears, &mut ann, n).await, "it may be a repeat");
    assert!(!is_vouched_for(&stage, &mut ears, &mut ann, n + 1).await, "and so may any other");
    ann.say(&json!({"t": "count", "n": n + 2})).await;
    assert!(!is_vouched_for(&stage, &mut ears, &mut ann, n + 2).await);
    assert!(is_vouched_for(&stage, &mut ears, &mut ann, n + 3).await);
}

#[tokio::test]
async fn nothing_is_said_that_a_living_worker_of_the_first_release_cannot_read() {
    let stage = Stage::patient().await;
    let mut ears = stage.dealer.listen("t1").await;
    let mut ann = stage.client("ann").await;
    let mut n = 1;
    while !is_vouched_for(&stage, &mut ears, &mut ann, n).await {
        n += 1;
    }
    let node = NodeId::new("older").unwrap();
    for beat in 1.. {
        let beat = NodeNews::Beat {
            node: node.clone(),
            role: Role::Worker,
            beat,
            sent_ms: 0,
            draining: false,
            speaks: 2,
            missed: 0,
            spares: false,
            door: None,
        };
        let beat = encode(&beat);
        // A beat of the first release ends before its last four bytes.
        stage.tell_nodes(beat.slice(..beat.len() - 4)).await;
        n += 1;
        if !is_vouched_for(&stage, &mut ears, &mut ann, n).await {
            break;
        }
    }
    let gone = encode(&NodeNews::Gone { node });
    stage.tell_nodes(gone).await;
    n += 1;
    while !is_vouched_for(&stage, &mut ears, &mut ann, n).await {
        n += 1;
    }
}
