//! What watchers of a room get: joins, resumes, gaps, repeats, takeovers, losses.

use broker::wire::LinkState;
use protocol::id::Position;
use serde_json::json;

use crate::stage::{Stage, delta, keyframe};

#[tokio::test]
async fn a_watcher_gets_the_newest_keyframe_the_deltas_since_and_each_new_frame() {
    let stage = Stage::new().await;
    for draft in [keyframe("t1", 1, 1), delta("t1", 1, 2), keyframe("t1", 1, 3), delta("t1", 1, 4)] {
        stage.dealer.commit(draft).await;
    }
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_briefs(2).await, ["keyframe 1-3", "frame 1-4"]);
    stage.dealer.commit(delta("t1", 1, 5)).await;
    stage.dealer.commit(keyframe("t1", 1, 6)).await;
    assert_eq!(ann.hear_briefs(2).await, ["frame 1-5", "keyframe 1-6"]);
    ann.say(&json!({"t": "unwatch", "room": "t1"})).await;
    assert_eq!(ann.hear_brief().await, "unwatched");
    stage.dealer.commit(delta("t1", 1, 7)).await;
    ann.hear_nothing_more().await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_briefs(2).await, ["keyframe 1-6", "frame 1-7"]);
}

#[tokio::test]
async fn who_asks_upon_the_keyframe_is_answered_behind_all_that_came_since() {
    const FRAMES: u64 = 200;
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    for seq in 2..=FRAMES {
        stage.dealer.commit(delta("t1", 1, seq)).await;
    }
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    ann.say(&json!({"t": "ping", "at": 5})).await;
    let mut since: Vec<String> = (2..=FRAMES).map(|seq| format!("frame 1-{seq}")).collect();
    since.push("pong".into());
    assert_eq!(ann.hear_briefs(since.len()).await, since);
}

#[tokio::test]
async fn watching_twice_sends_nothing_twice() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn a_room_that_nobody_knows_is_refused_and_one_without_an_owner_is_waited_for() {
    let stage = Stage::with(relay::RelayConfig { absent_ms: 3_600_000, ..Default::default() }).await;
    stage.dealer.open("t1").await;
    let mut ann = stage.client("ann").await;
    ann.watch("nowhere").await;
    let error = ann.hear().await;
    assert_eq!((error["code"].as_str(), error["room"].as_str()), (Some("no_such_room"), Some("nowhere")));
    ann.watch("t1").await;
    ann.hear_nothing_more().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    // A room that was refused may be opened later, and is found as soon as it stands in the lobby.
    stage.dealer.commit(keyframe("nowhere", 1, 1)).await;
    stage.dealer.lobby(vec![crate::lobby::table("nowhere", 0)]).await;
    let found = async {
        loop {
            ann.watch("nowhere").await;
            match ann.hear_brief().await.as_str() {
                "error no_such_room" => {}
                other => return other.to_owned(),
            }
        }
    };
    assert_eq!(crate::stage::soon("finding it", found).await, "keyframe 1-1");
}

#[tokio::test]
async fn whoever_comes_back_gets_what_came_after_or_a_keyframe() {
    let stage = Stage::new().await;
    for draft in [keyframe("t1", 1, 1), delta("t1", 1, 2), delta("t1", 1, 3)] {
        stage.dealer.commit(draft).await;
    }
    stage.dealer.claim("t1", 2).await;
    for draft in [keyframe("t1", 2, 4), delta("t1", 2, 5)] {
        stage.dealer.commit(draft).await;
    }
    for (at, expected) in [
        ([1, 2], &["frame 1-3", "keyframe 2-4", "frame 2-5"][..]),
        ([1, 3], &["keyframe 2-4", "frame 2-5"]),
        ([2, 4], &["frame 2-5"]),
        ([2, 5], &[]),
        ([0, 0], &["keyframe 2-4", "frame 2-5"]),
        // Of an epoch in which the broker lost that frame.
        ([1, 5], &["notice history_lost", "keyframe 2-4", "frame 2-5"]),
        // Beyond all that the journal knows.
        ([2, 9], &["notice history_lost", "keyframe 2-4", "frame 2-5"]),
    ] {
        // On a relay that follows the room already, and on one that does not.
        for followed in [true, false] {
            let name = format!("bob{}", u8::from(followed));
            let fresh = if followed { None } else { Some(stage.another_relay().await) };
            let address = fresh.as_ref().map_or(stage.address, |fresh| fresh.address);
            let mut bob = stage.resume_at(address, &name, json!({"t1": at})).await;
            assert_eq!(bob.hear_briefs(expected.len()).await, expected, "{at:?}, followed: {followed}");
            bob.hear_nothing_more().await;
        }
    }
}

#[tokio::test]
async fn a_client_that_knows_more_than_the_relay_gets_what_came_after_that() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    // Committed, but the bus lost them.
    stage.dealer.store(&delta("t1", 1, 2)).await;
    stage.dealer.store(&delta("t1", 1, 3)).await;
    let mut bob = stage.resume("bob", None, json!({"t1": [1, 2]})).await;
    assert_eq!(bob.hear_brief().await, "frame 1-3");
    assert_eq!(ann.hear_briefs(2).await, ["frame 1-2", "frame 1-3"]);
}

#[tokio::test]
async fn a_gap_is_filled_from_the_journal_and_a_repeat_is_dropped() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    for seq in 2..=4 {
        stage.dealer.store(&delta("t1", 1, seq)).await;
    }
    stage.dealer.commit(delta("t1", 1, 5)).await;
    assert_eq!(ann.hear_briefs(4).await, ["frame 1-2", "frame 1-3", "frame 1-4", "frame 1-5"]);
    for seq in [3, 5, 2] {
        stage.dealer.publish(&delta("t1", 1, seq)).await;
    }
    stage.dealer.commit(delta("t1", 1, 6)).await;
    assert_eq!(ann.hear_brief().await, "frame 1-6");
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn frames_in_any_order_arrive_in_the_journals() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    let drafts: Vec<_> = (2..=8).map(|seq| delta("t1", 1, seq)).collect();
    for draft in &drafts {
        stage.dealer.store(draft).await;
    }
    for index in [3, 1, 6, 0, 0, 5, 2, 4] {
        stage.dealer.publish(&drafts[index]).await;
    }
    let expected: Vec<_> = (2..=8).map(|seq| format!("frame 1-{seq}")).collect();
    assert_eq!(ann.hear_briefs(7).await, expected);
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn a_gap_that_the_journal_cannot_fill_is_jumped_by_its_keyframe() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    for seq in 2..=4 {
        stage.dealer.store(&delta("t1", 1, seq)).await;
    }
    stage.dealer.commit_keeping(keyframe("t1", 1, 5), Position::new(1, 5)).await;
    stage.dealer.commit(delta("t1", 1, 6)).await;
    assert_eq!(ann.hear_briefs(2).await, ["keyframe 1-5", "frame 1-6"]);
}

#[tokio::test]
async fn a_takeover_looks_like_any_keyframe_and_the_old_owners_frames_are_dropped() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    stage.dealer.claim("t1", 2).await;
    stage.dealer.commit(keyframe("t1", 2, 2)).await;
    assert_eq!(ann.hear_brief().await, "keyframe 2-2");
    stage.dealer.publish(&delta("t1", 1, 2)).await;
    stage.dealer.publish(&delta("t1", 1, 3)).await;
    stage.dealer.commit(delta("t1", 2, 3)).await;
    assert_eq!(ann.hear_brief().await, "frame 2-3");
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn frames_that_the_broker_has_lost_are_told() {
    let stage = Stage::new().await;
    for draft in [keyframe("t1", 1, 1), delta("t1", 1, 2)] {
        stage.dealer.commit(draft).await;
    }
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_briefs(2).await, ["keyframe 1-1", "frame 1-2"]);
    // Published, so it had been acknowledged; and then the journal does not have it.
    stage.dealer.publish(&delta("t1", 1, 3)).await;
    assert_eq!(ann.hear_brief().await, "frame 1-3");
    stage.dealer.claim("t1", 2).await;
    stage.dealer.commit(keyframe("t1", 2, 3)).await;
    stage.dealer.commit(delta("t1", 2, 4)).await;
    assert_eq!(ann.hear_briefs(3).await, ["notice history_lost", "keyframe 2-3", "frame 2-4"]);
    ann.hear_nothing_more().await;
}

#[tokio::test]
async fn after_a_cut_from_the_bus_all_rooms_are_read_again() {
    let stage = Stage::new().await;
    let mut ann = stage.client("ann").await;
    for name in ["t1", "t2"] {
        stage.dealer.commit(keyframe(name, 1, 1)).await;
        ann.watch(name).await;
        assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    }
    stage.link.set(LinkState::Refusing);
    for name in ["t1", "t2"] {
        stage.dealer.commit(delta(name, 1, 2)).await;
    }
    stage.link.heal();
    let mut rooms = Vec::new();
    for _ in 0..2 {
        let frame = ann.hear_room_message().await;
        assert_eq!(crate::stage::brief(&frame), "frame 1-2");
        rooms.push(frame["room"].as_str().unwrap().to_owned());
    }
    rooms.sort();
    assert_eq!(rooms, ["t1", "t2"]);
}

#[tokio::test]
async fn a_room_out_of_reach_is_told_and_its_keyframe_comes_later() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    stage.link.set(LinkState::Refusing);
    ann.watch("t1").await;
    let error = ann.hear_room_message().await;
    assert_eq!((error["t"].as_str(), error["code"].as_str()), (Some("error"), Some("unavailable")));
    stage.link.heal();
    assert_eq!(crate::stage::brief(&ann.hear_room_message().await), "keyframe 1-1");
}

#[tokio::test]
async fn private_parts_go_right_behind_their_frame_and_to_their_user_alone() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).private("ann", "ANN-1").private("bob", "BOB-1")).await;
    let (mut ann, mut bob, mut eve) =
        (stage.client("ann").await, stage.client("bob").await, stage.client("eve").await);
    let mut ann_too = stage.client("ann").await;
    for client in [&mut ann, &mut bob, &mut eve, &mut ann_too] {
        client.watch("t1").await;
    }
    assert_eq!(eve.hear_brief().await, "keyframe 1-1");
    for client in [&mut ann, &mut bob, &mut ann_too] {
        assert_eq!(client.hear_briefs(2).await, ["keyframe 1-1", "private 1-1"]);
    }
    stage.dealer.commit(delta("t1", 1, 2).private("ann", "ANN-2")).await;
    stage.dealer.commit(delta("t1", 1, 3)).await;
    assert_eq!(ann.hear_briefs(3).await, ["frame 1-2", "private 1-2", "frame 1-3"]);
    assert_eq!(bob.hear_briefs(2).await, ["frame 1-2", "frame 1-3"]);
    let mut eve_back = stage.resume("eve", None, json!({"t1": [1, 1]})).await;
    let mut ann_back = stage.resume("ann", None, json!({"t1": [1, 1]})).await;
    assert_eq!(ann_back.hear_briefs(4).await, ["private 1-1", "frame 1-2", "private 1-2", "frame 1-3"]);
    assert_eq!(eve_back.hear_briefs(2).await, ["frame 1-2", "frame 1-3"]);
    for client in [&mut ann, &mut bob, &mut ann_too] {
        client.hear_rest().await;
    }
    eve.hear_rest().await;
    for (client, own) in [
        (&ann, &["ANN-1", "ANN-2"][..]),
        (&ann_too, &["ANN-1", "ANN-2"]),
        (&ann_back, &["ANN-1", "ANN-2"]),
        (&bob, &["BOB-1"]),
        (&eve, &[]),
        (&eve_back, &[]),
    ] {
        let bytes = String::from_utf8_lossy(&client.bytes);
        for secret in ["ANN-1", "ANN-2", "BOB-1", "THE-DECK"] {
            assert_eq!(bytes.contains(secret), own.contains(&secret), "{secret}, {own:?}");
        }
    }
}

#[tokio::test]
async fn a_frame_that_tells_nothing_to_all_comes_to_those_who_have_a_part_of_it_and_moves_the_others_on() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).private("bob", "BOB-1")).await;
    let (mut ann, mut bob) = (stage.client("ann").await, stage.client("bob").await);
    for client in [&mut ann, &mut bob] {
        client.watch("t1").await;
    }
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    assert_eq!(bob.hear_briefs(2).await, ["keyframe 1-1", "private 1-1"]);
    let sparse = |seq| delta("t1", 1, seq).for_its_parts_alone();
    stage.dealer.commit(sparse(2).private("bob", "BOB-2")).await;
    stage.dealer.commit(sparse(3)).await;
    stage.dealer.commit(sparse(4).private("bob", "BOB-4").private("eve", "EVE-4")).await;
    assert_eq!(bob.hear_briefs(2).await, ["private 1-2", "private 1-4"]);
    // Whose command tells something to another hears that it was applied, and no more.
    let mut dealer = stage.dealer.listen("t1").await;
    ann.ask("t1", 1, json!({"a": "put"})).await;
    dealer.command().await;
    stage.dealer.commit(sparse(5).private("bob", "BOB-5").caused_by("ann", ann.session, 1)).await;
    assert_eq!(ann.hear_brief().await, "ack 1 1-5");
    assert_eq!(bob.hear_brief().await, "private 1-5");
    stage.dealer.commit(delta("t1", 1, 6)).await;
    assert_eq!(ann.hear_brief().await, "frame 1-6");
    assert_eq!(bob.hear_brief().await, "frame 1-6");
    let mut bob_back = stage.resume("bob", None, json!({"t1": [1, 2]})).await;
    assert_eq!(bob_back.hear_briefs(4).await, ["private 1-2", "private 1-4", "private 1-5", "frame 1-6"]);
    let mut eve = stage.resume("eve", None, json!({"t1": [1, 1]})).await;
    assert_eq!(eve.hear_briefs(2).await, ["private 1-4", "frame 1-6"]);
    for (client, own) in [(&ann, ""), (&bob, "BOB"), (&eve, "EVE")] {
        let bytes = String::from_utf8_lossy(&client.bytes);
        for secret in ["BOB", "EVE"] {
            assert_eq!(bytes.contains(secret), own == secret, "{secret} at {own}");
        }
    }
}

/// Whoever has a seat is a member in all of its sessions.
#[tokio::test]
async fn what_is_for_the_rail_comes_to_whoever_has_no_seat_and_to_no_session_of_who_has_one() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).private("ann", "ANN-1").rail("RAIL-1", &["ann"])).await;
    let (mut ann, mut twin) = (stage.client("ann").await, stage.client("ann").await);
    let (mut bob, mut eve) = (stage.client("bob").await, stage.client("eve").await);
    for (client, part) in
        [(&mut ann, "private"), (&mut twin, "private"), (&mut bob, "rail"), (&mut eve, "rail")]
    {
        client.watch("t1").await;
        assert_eq!(client.hear_briefs(2).await, ["keyframe 1-1".to_owned(), format!("{part} 1-1")]);
    }
    // Bob sits down, and stands up again with the last of them.
    stage.dealer.commit(delta("t1", 1, 2).private("bob", "BOB-2").rail("RAIL-2", &["ann", "bob"])).await;
    stage.dealer.commit(delta("t1", 1, 3).rail("RAIL-3", &["ann", "bob"])).await;
    stage.dealer.commit(delta("t1", 1, 4).rail("RAIL-4", &["ann", "bob"])).await;
    stage.dealer.commit(delta("t1", 1, 5).rail("RAIL-5", &["ann"])).await;
    for seated in [&mut ann, &mut twin] {
        assert_eq!(seated.hear_briefs(4).await, ["frame 1-2", "frame 1-3", "frame 1-4", "frame 1-5"]);
    }
    let of_bob = ["frame 1-2", "private 1-2", "frame 1-3", "frame 1-4", "frame 1-5", "rail 1-5"];
    assert_eq!(bob.hear_briefs(6).await, of_bob);
    let of_eve =
        ["frame 1-2", "rail 1-2", "frame 1-3", "rail 1-3", "frame 1-4", "rail 1-4", "frame 1-5", "rail 1-5"];
    assert_eq!(eve.hear_briefs(8).await, of_eve);
    // Whoever comes back gets the last one once more, as of private parts, on whatever relay; and whoever watches again.
    let resumed = [
        ("eve", 3, &["rail 1-3", "frame 1-4", "rail 1-4", "frame 1-5", "rail 1-5"][..]),
        ("eve", 5, &["rail 1-5"]),
        ("bob", 4, &["private 1-2", "frame 1-5", "rail 1-5"]),
        ("ann", 4, &["private 1-1", "frame 1-5"]),
    ];
    for (who, at, expected) in resumed {
        let fresh = stage.another_relay().await;
        for address in [stage.address, fresh.address] {
            let mut back = stage.resume_at(address, who, json!({"t1": [1, at]})).await;
            assert_eq!(back.hear_briefs(expected.len()).await, *expected, "{who} {at}");
            back.hear_nothing_more().await;
        }
    }
    eve.watch("t1").await;
    assert_eq!(eve.hear_brief().await, "rail 1-5");
    // Where the journal begins behind the part: the keyframe has it.
    let keyframe_6 = keyframe("t1", 1, 6).private("ann", "ANN-6").rail("RAIL-6", &["ann"]);
    stage.dealer.commit_keeping(keyframe_6, Position::new(1, 5)).await;
    let fresh = stage.another_relay().await;
    let mut back = stage.resume_at(fresh.address, "eve", json!({"t1": [1, 5]})).await;
    assert_eq!(back.hear_briefs(2).await, ["keyframe 1-6", "rail 1-6"]);
    assert_eq!(ann.hear_brief().await, "keyframe 1-6");
    for seated in [&ann, &twin] {
        assert!(
            !String::from_utf8_lossy(&seated.bytes).contains("RAIL"),
            "whoever has a seat hears nothing of it"
        );
    }
}

/// A connection may break between a frame and its private part: what a client says that it has is no word about that.
#[tokio::test]
async fn whoever_comes_back_gets_its_private_part_once_more_before_all_else() {
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).private("ann", "none").private("bob", "none")).await;
    stage.dealer.commit(delta("t1", 1, 2).private("ann", "cards").private("bob", "cards")).await;
    stage.dealer.commit(delta("t1", 1, 3)).await;
    let until_the_keyframe = [
        ([1, 1], &["private 1-1", "frame 1-2", "private 1-2", "frame 1-3"][..]),
        ([1, 2], &["private 1-2", "frame 1-3"]),
        ([1, 3], &["private 1-2"]),
    ];
    let after_the_keyframe = [
        ([1, 2], &["private 1-2", "frame 1-3", "keyframe 1-4", "private 1-4", "frame 1-5"][..]),
        ([1, 3], &["private 1-2", "keyframe 1-4", "private 1-4", "frame 1-5"]),
        ([1, 4], &["private 1-4", "frame 1-5"]),
        ([1, 5], &["private 1-4"]),
    ];
    for (cases, trimmed) in [(&until_the_keyframe[..], false), (&after_the_keyframe[..], true)] {
        if trimmed {
            let keyframe = keyframe("t1", 1, 4).private("ann", "cards").private("bob", "cards");
            stage.dealer.commit(keyframe).await;
            stage.dealer.commit(delta("t1", 1, 5)).await;
        }
        for (at, expected) in cases {
            // On a relay that follows the room already, and on one that does not.
            for followed in [true, false] {
                let fresh = if followed { None } else { Some(stage.another_relay().await) };
                let address = fresh.as_ref().map_or(stage.address, |fresh| fresh.address);
                let mut ann = stage.resume_at(address, "ann", json!({"t1": at})).await;
                assert_eq!(ann.hear_briefs(expected.len()).await, *expected, "{at:?}, followed: {followed}");
                ann.hear_nothing_more().await;
            }
        }
    }
    // Where the journal begins behind the part: the keyframe has it.
    let keyframe_6 = keyframe("t1", 1, 6).private("ann", "cards").private("bob", "cards");
    stage.dealer.commit_keeping(keyframe_6, Position::new(1, 3)).await;
    let fresh = stage.another_relay().await;
    let mut ann = stage.resume_at(fresh.address, "ann", json!({"t1": [1, 3]})).await;
    assert_eq!(ann.hear_briefs(2).await, ["keyframe 1-6", "private 1-6"]);
    ann.hear_nothing_more().await;
    // Who asks to watch gets it too, be it for the second time.
    let mut bob = stage.client("bob").await;
    bob.watch("t1").await;
    assert_eq!(bob.hear_briefs(2).await, ["keyframe 1-6", "private 1-6"]);
    bob.watch("t1").await;
    assert_eq!(bob.hear_brief().await, "private 1-6");
    bob.hear_nothing_more().await;
    // A keyframe has a part for every member: who has none in the newest one is told nothing of the past.
    stage.dealer.commit(keyframe("t1", 1, 7).private("ann", "none")).await;
    let mut bob = stage.resume("bob", None, json!({"t1": [1, 7]})).await;
    bob.hear_nothing_more().await;
}

#[tokio::test]
async fn a_full_rail_gets_every_frame_in_order() {
    const RAIL: usize = 150;
    const FRAMES: u64 = 40;
    let stage = Stage::new().await;
    stage.dealer.commit(keyframe("t1", 1, 1).private("user7", "mine")).await;
    let mut rail = Vec::new();
    for index in 0..RAIL {
        let mut client = stage.client(&format!("user{index}")).await;
        client.watch("t1").await;
        assert_eq!(client.hear_brief().await, "keyframe 1-1");
        rail.push(client);
    }
    for seq in 2..=FRAMES {
        stage.dealer.commit(delta("t1", 1, seq)).await;
    }
    let expected: Vec<_> = (2..=FRAMES).map(|seq| format!("frame 1-{seq}")).collect();
    for (index, client) in rail.iter_mut().enumerate() {
        if index == 7 {
            assert_eq!(client.hear_brief().await, "private 1-1");
        }
        assert_eq!(client.hear_briefs(expected.len()).await, expected, "client {index}");
    }
}

#[tokio::test]
async fn frames_that_vanish_in_silence_are_found_in_the_journal() {
    let stage = Stage::with(relay::RelayConfig { quiet_ms: 10, ..Default::default() }).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    stage.dealer.store(&delta("t1", 1, 2)).await;
    assert_eq!(ann.hear_brief().await, "frame 1-2");
}

#[tokio::test]
async fn a_room_is_let_go_some_time_after_its_last_watcher() {
    let stage = Stage::with(relay::RelayConfig { linger_ms: 100, ..Default::default() }).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    assert_eq!(stage.relay.rooms(), 1);
    ann.say(&json!({"t": "unwatch", "room": "t1"})).await;
    assert_eq!(ann.hear_brief().await, "unwatched");
    stage.until("the room is let go", |stage| stage.relay.rooms() == 0).await;
    stage.dealer.commit(delta("t1", 1, 2)).await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_briefs(2).await, ["keyframe 1-1", "frame 1-2"]);
}

#[tokio::test]
async fn whoever_watches_a_room_that_ends_gets_its_last_frames_and_is_told() {
    let stage = Stage::with(relay::RelayConfig { linger_ms: 100, ..Default::default() }).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ears = stage.dealer.listen("t1").await;
    let (mut ann, mut bob) = (stage.client("ann").await, stage.client("bob").await);
    ann.watch("t1").await;
    bob.watch("t1").await;
    assert_eq!(
        (ann.hear_brief().await, bob.hear_brief().await),
        ("keyframe 1-1".into(), "keyframe 1-1".into())
    );
    ann.ask("t1", 1, json!({"a": "close"})).await;
    bob.ask("t1", 1, json!({"a": "sit"})).await;
    ears.command().await;
    ears.command().await;
    // The frame that closes it is lost on the bus; so the end finds a hole before it.
    stage.dealer.store(&delta("t1", 1, 2).caused_by("ann", ann.session, 1)).await;
    stage.dealer.end("t1", 1, 3, true).await;
    assert_eq!(ann.hear_briefs(3).await, ["frame 1-2", "ack 1 1-2", "unwatched"]);
    let told = bob.hear_briefs(3).await;
    assert_eq!(told, ["frame 1-2", "unwatched", "refused 1 no_such_room"], "what was not applied is refused");
    ann.hear_nothing_more().await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "error no_such_room");
    ann.ask("t1", 2, json!({"a": "sit"})).await;
    assert_eq!(ann.hear_until("refused").await["code"], "no_such_room");
    stage.until("the room is let go", |stage| stage.relay.rooms() == 0).await;
}

#[tokio::test]
async fn an_end_that_vanishes_in_silence_is_found_in_the_journal() {
    let config = relay::RelayConfig { quiet_ms: 10, linger_ms: 100, ..Default::default() };
    let stage = Stage::with(config).await;
    stage.dealer.commit(keyframe("t1", 1, 1)).await;
    let mut ann = stage.client("ann").await;
    ann.watch("t1").await;
    assert_eq!(ann.hear_brief().await, "keyframe 1-1");
    stage.dealer.end("t1", 1, 2, false).await;
    assert_eq!(ann.hear_brief().await, "unwatched");
    let ann = stage.resume("ann", Some(ann.session), json!({"t1": [1, 1]})).await;
    stage.until("the room is let go", |stage| stage.relay.rooms() == 0).await;
    drop(ann);
}
