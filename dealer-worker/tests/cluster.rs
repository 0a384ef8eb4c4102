//! Workers together: they share the rooms, take over from the dead, hand over to the living, and lose to the fence.

mod support;

use std::{collections::BTreeMap, sync::Arc};

use broker::{
    directory::{self, Partition},
    members::{Heard, Heartbeat, Members},
    node::{Asked, Role},
    shares::assign,
    wire::LinkState,
};
use protocol::{
    id::SessionId,
    table::{TableConfig, TableEvent},
};
use serde_json::json;
use tokio::{
    sync::Notify,
    time::{Duration, sleep},
};

use support::{Answer, House, Relay, by_partition, fast, node, play, room, rooms, until, user};

/// Waits until every table is with the worker that it is for, if these are all.
async fn until_shared(house: &House, tables: u32, workers: &[&str]) {
    let tables = rooms(tables);
    until(&by_partition(&tables, workers), async || house.claimers(&tables).await).await;
}

#[tokio::test(start_paused = true)]
async fn two_players_sit_and_play_hands_to_their_end() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    assert_eq!(relay.sit(&room(1), "ann", 1, 100).await.code(), "applied");
    assert_eq!(relay.sit(&room(1), "bob", 2, 100).await.code(), "applied");
    play(&relay, &room(1), &[("ann", 1), ("bob", 2)], 30).await;
    let followed = relay.followed(&room(1));
    assert!(followed.keyframes > 2, "keyframes come again and again: {}", followed.keyframes);
    assert_eq!(followed.privates[&user("ann")].cards.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn two_workers_share_the_rooms_and_a_third_gets_its_share() {
    let house = House::new();
    house.open(90, &fast()).await;
    let _first = house.worker("w1");
    let _second = house.worker("w2");
    until_shared(&house, 90, &["w1", "w2"]).await;
    let _third = house.worker("w3");
    until_shared(&house, 90, &["w1", "w2", "w3"]).await;
}

/// A newcomer does not know yet who lives, but what it is offered has been let go of.
#[tokio::test(start_paused = true)]
async fn a_newcomer_takes_at_once_what_it_is_offered() {
    const STEP: Duration = Duration::from_millis(10);
    let house = House::new();
    house.open(40, &fast()).await;
    let _first = house.worker("w1");
    until_shared(&house, 40, &["w1"]).await;
    // For so long rooms stay with whoever has just claimed them.
    sleep(Duration::from_secs(10)).await;
    let store = house.ports("observer").store;
    let _second = house.worker("w2");
    let mut without_owner: BTreeMap<String, u32> = BTreeMap::new();
    let mut handed_over = 0;
    let shares = assign(&["w1", "w2"].map(node));
    let is_for_second = |number: &u32| shares.of(Partition::of(&room(*number))) == Some(&node("w2"));
    let shares_of_second = u32::try_from((1..=40).filter(is_for_second).count()).unwrap();
    assert!(shares_of_second > 10);
    while handed_over < shares_of_second {
        handed_over = 0;
        for room in (1..=40).map(room) {
            let owner = directory::owner(&*store, &room).await.unwrap().unwrap();
            match owner.node {
                None => *without_owner.entry(room.to_string()).or_default() += 1,
                Some(node) => handed_over += u32::from(node.as_str() == "w2"),
            }
        }
        sleep(STEP).await;
    }
    let longest = without_owner.into_values().max().unwrap_or(0) * STEP;
    assert!(longest < Duration::from_millis(100), "a room had no owner for {longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_room_opened_later_is_found() {
    let house = House::new();
    let _worker = house.worker("w1");
    sleep(Duration::from_secs(1)).await;
    house.open(3, &fast()).await;
    until_shared(&house, 3, &["w1"]).await;
}

#[tokio::test(start_paused = true)]
async fn when_a_worker_is_killed_the_hand_goes_on_where_it_was() {
    let house = House::new();
    house.open(6, &fast()).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 6).await;
    for number in 1..=6 {
        relay.owned(&room(number)).await;
        relay.sit(&room(number), "ann", 1, 100).await;
        relay.sit(&room(number), "bob", 2, 100).await;
        play(&relay, &room(number), &[("ann", 1), ("bob", 2)], 3).await;
    }
    let _second = house.worker("w2");
    until_shared(&house, 6, &["w1", "w2"]).await;
    let claimers = house.claimers(&rooms(6)).await;
    let (orphan, _) = claimers.iter().find(|(_, claimer)| **claimer == Some(node("w1"))).unwrap();
    let turn = |followed: &support::Followed| followed.view().hand.as_ref()?.turn.clone();
    let before = relay.until(orphan, |followed| turn(followed).is_some()).await;
    first.kill();
    let after = relay.until(orphan, |followed| followed.epochs.len() > before.epochs.len()).await;
    let hand = |followed: &support::Followed| followed.view().hand.as_ref().unwrap().hand;
    assert_eq!(hand(&before), hand(&after), "the same hand");
    assert_eq!(turn(&before).unwrap().turn, turn(&after).unwrap().turn, "the same turn");
    until_shared(&house, 6, &["w2"]).await;
    for number in 1..=6 {
        play(&relay, &room(number), &[("ann", 1), ("bob", 2)], 5).await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_takeover_the_player_to_act_has_at_least_the_grace() {
    let house = House::new();
    house.open(1, &TableConfig { turn_ms: 1_000, bank_ms: 0, ..fast() }).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    relay.sit(&room(1), "ann", 1, 100).await;
    relay.sit(&room(1), "bob", 2, 100).await;
    let before = relay.until(&room(1), |followed| followed.view().hand.is_some()).await;
    first.kill();
    let _second = house.worker("w2");
    let after = relay
        .until(&room(1), |followed| matches!(followed.events.last(), Some(TableEvent::Bank { .. })))
        .await;
    let turn = |followed: &support::Followed| followed.view().hand.clone().unwrap().turn.unwrap();
    assert_eq!(turn(&before).turn, turn(&after).turn);
    let now = house.clock.now_ms();
    assert!(turn(&after).deadline_ms >= now + 4_000, "a grace of five seconds, a moment ago");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_stops_hands_its_rooms_over_in_the_middle_of_hands() {
    let house = House::new();
    house.open(8, &fast()).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 8).await;
    for number in 1..=8 {
        relay.owned(&room(number)).await;
        relay.sit(&room(number), "ann", 1, 100).await;
        relay.sit(&room(number), "bob", 2, 100).await;
    }
    let _second = house.worker("w2");
    until_shared(&house, 8, &["w1", "w2"]).await;
    let asked = tokio::time::Instant::now();
    first.stop().await;
    assert!(asked.elapsed() < Duration::from_millis(300), "nobody waits for a missed beat");
    until_shared(&house, 8, &["w2"]).await;
    for number in 1..=8 {
        play(&relay, &room(number), &[("ann", 1), ("bob", 2)], 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_sent_while_nobody_owns_the_room_is_applied_once_by_the_next_owner() {
    let house = House::new();
    house.open(1, &fast()).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    first.kill();
    let sit = json!({"a": "sit", "buy_in": 100});
    let (room, ann) = (room(1), user("ann"));
    let (answer, _second) = tokio::join!(relay.command(&room, &ann, 1, 1, sit.clone()), async {
        sleep(Duration::from_secs(2)).await;
        house.worker("w2")
    });
    assert_eq!(answer.code(), "applied");
    assert_eq!(relay.command(&room, &ann, 1, 1, sit).await, answer, "a repeat is answered the same");
    assert_eq!(relay.followed(&room).view().chips.bought, 100);
}

#[tokio::test(start_paused = true)]
async fn a_zombie_writes_nothing_and_drops_its_rooms() {
    let house = House::new();
    house.open(4, &fast()).await;
    let _first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 4).await;
    for number in 1..=4 {
        relay.owned(&room(number)).await;
        relay.sit(&room(number), "ann", 1, 100).await;
        relay.sit(&room(number), "bob", 2, 100).await;
    }
    let zombie = house.wire.link(&node("w1"));
    zombie.set(LinkState::Held);
    let _second = house.worker("w2");
    until_shared(&house, 4, &["w2"]).await;
    for number in 1..=4 {
        play(&relay, &room(number), &[("ann", 1), ("bob", 2)], 2).await;
    }
    zombie.heal();
    // It is back and gets its share again, by the ordinary way.
    until_shared(&house, 4, &["w1", "w2"]).await;
    for number in 1..=4 {
        play(&relay, &room(number), &[("ann", 1), ("bob", 2)], 3).await;
    }
}

/// A room that has nothing to commit does not run into the fence by itself.
#[tokio::test(start_paused = true)]
async fn a_zombie_of_an_idle_room_takes_it_anew_when_it_is_handed_back() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _workers = [house.worker("w1"), house.worker("w2")];
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let first = house.claimers(&rooms(1)).await[&room(1)].clone().unwrap();
    let zombie = house.wire.link(&first);
    zombie.set(LinkState::Held);
    relay.until(&room(1), |followed| followed.epochs.len() == 2).await;
    zombie.heal();
    // The room is assigned to it still, so the other one offers it.
    relay.until(&room(1), |followed| followed.epochs.len() == 3).await;
    assert_eq!(house.claimers(&rooms(1)).await[&room(1)], Some(first));
    assert_eq!(relay.sit(&room(1), "ann", 1, 100).await.code(), "applied");
}

#[tokio::test(start_paused = true)]
async fn a_second_session_takes_the_seat_and_the_first_is_told_and_refused() {
    let house = House::new();
    house.open(1, &fast()).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    relay.command(&room(1), &user("ann"), 1, 1, json!({"a": "sit", "buy_in": 100})).await;
    let present = |session, anew| Asked::Present { user: user("ann"), session: SessionId(session), anew };
    relay.tell(&room(1), present(2, true)).await;
    let sit_out = json!({"a": "sit_out"});
    let refused = relay.command(&room(1), &user("ann"), 1, 2, sit_out.clone()).await;
    assert_eq!(refused.code(), "other_session");
    let notices = relay.notices();
    assert_eq!((notices.len(), notices[0].1), (1, SessionId(1)));
    assert_eq!(notices[0].2["code"], "taken_over");
    assert_eq!(relay.command(&room(1), &user("ann"), 2, 1, sit_out.clone()).await.code(), "applied");

    // That the first is still there is told now and then; it does not want the seat back.
    relay.tell(&room(1), present(1, false)).await;
    assert_eq!(relay.command(&room(1), &user("ann"), 1, 9, sit_out.clone()).await.code(), "other_session");

    // The next owner knows it too, although both sessions are told to it as present.
    first.kill();
    let _second = house.worker("w2");
    let epochs = relay.followed(&room(1)).epochs.len();
    relay.until(&room(1), |followed| followed.epochs.len() > epochs).await;
    relay.tell(&room(1), present(2, false)).await;
    relay.tell(&room(1), present(1, false)).await;
    let come_back = json!({"a": "come_back"});
    assert_eq!(relay.command(&room(1), &user("ann"), 1, 10, come_back.clone()).await.code(), "other_session");
    // Watching again takes it back.
    relay.tell(&room(1), present(1, true)).await;
    assert_eq!(relay.command(&room(1), &user("ann"), 1, 11, come_back).await.code(), "applied");
    assert_eq!(relay.command(&room(1), &user("ann"), 2, 2, sit_out).await.code(), "other_session");
}

#[tokio::test(start_paused = true)]
async fn a_relay_whose_session_is_found_at_another_one_is_told() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let first = Relay::new(&house, "r1", 1).await;
    let second = Relay::new(&house, "r2", 1).await;
    first.owned(&room(1)).await;
    second.owned(&room(1)).await;
    first.command(&room(1), &user("ann"), 1, 1, json!({"a": "sit", "buy_in": 100})).await;
    first.command(&room(1), &user("ann"), 1, 2, json!({"a": "sit_out"})).await;
    assert_eq!(first.elsewhere(), []);
    let come_back = json!({"a": "come_back"});
    assert_eq!(second.command(&room(1), &user("ann"), 1, 3, come_back).await.code(), "applied");
    assert_eq!(first.until_elsewhere().await, [(user("ann"), SessionId(1))]);
    assert_eq!(second.elsewhere(), []);
    // Another session at another relay is another client.
    second.tell(&room(1), Asked::Present { user: user("ann"), session: SessionId(2), anew: true }).await;
    second.command(&room(1), &user("ann"), 2, 1, json!({"a": "sit_out"})).await;
    assert_eq!((first.elsewhere().len(), second.elsewhere().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn members_of_a_relay_that_dies_are_away_until_they_are_heard_of() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let mut dying = Relay::new(&house, "r1", 1).await;
    let relay = Relay::new(&house, "r2", 1).await;
    dying.owned(&room(1)).await;
    dying.sit(&room(1), "ann", 1, 100).await;
    relay.sit(&room(1), "bob", 2, 100).await;
    let away = |name: &'static str| {
        move |followed: &support::Followed| {
            let seat = followed.view().seat_of(&user(name)).unwrap();
            followed.view().seats[usize::from(seat)].as_ref().unwrap().away
        }
    };
    sleep(Duration::from_secs(1)).await;
    dying.fall_silent();
    let followed = relay.until(&room(1), away("ann")).await;
    assert!(!away("bob")(&followed));
    relay.tell(&room(1), Asked::Present { user: user("ann"), session: SessionId(1), anew: true }).await;
    relay.until(&room(1), |followed| !away("ann")(followed)).await;
    relay.tell(&room(1), Asked::Absent { user: user("ann"), session: SessionId(1) }).await;
    relay.until(&room(1), away("ann")).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_whose_connection_was_lost_has_relays_tell_again_who_is_there() {
    let house = House::new();
    house.open(1, &fast()).await;
    let _worker = house.worker("w1");
    let asked = Arc::new(Notify::new());
    let hear = {
        let asked = asked.clone();
        move |heard| {
            if heard == Heard::MissedBy(node("w1")) {
                asked.notify_one();
            }
        }
    };
    let relay = Members::start(house.ports("r1"), node("r1"), Role::Relay, Heartbeat::new(100, 400), hear);
    relay.watch().wait_for(|membership| membership.nodes.contains_key(&node("w1"))).await.unwrap();
    let link = house.wire.link(&node("w1"));
    link.set(LinkState::Refusing);
    link.heal();
    asked.notified().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_not_heard_of_after_a_takeover_is_away() {
    let house = House::new();
    house.open(1, &fast()).await;
    let first = house.worker("w1");
    let relay = Relay::new(&house, "r1", 1).await;
    relay.owned(&room(1)).await;
    // A command alone: nobody tells the next owner that this session is there.
    relay.command(&room(1), &user("ann"), 1, 1, json!({"a": "sit", "buy_in": 100})).await;
    first.kill();
    let _second = house.worker("w2");
    let away = |followed: &support::Followed| followed.view().seats.iter().flatten().any(|seat| seat.away);
    relay.until(&room(1), away).await;
    let chat = json!({"a": "chat", "text": "here"});
    assert!(matches!(relay.command(&room(1), &user("ann"), 1, 2, chat).await, Answer::Applied(_)));
    relay.until(&room(1), |followed| !away(followed)).await;
}

#[tokio::test(start_paused = true)]
async fn a_player_who_is_back_within_the_grace_was_never_away() {
    let house = House::new();
    house.open(1, &fast()).await;
    let config = house.config("w1");
    let grace = Duration::from_millis(config.bounds.absence_grace_ms);
    let _worker = house.worker_with("w1", config);
    let before = Relay::new(&house, "r1", 1).await;
    let after = Relay::new(&house, "r2", 1).await;
    after.owned(&room(1)).await;
    before.sit(&room(1), "ann", 1, 100).await;
    let session = SessionId(1);
    before.tell(&room(1), Asked::Absent { user: user("ann"), session }).await;
    sleep(grace / 2).await;
    after.tell(&room(1), Asked::Present { user: user("ann"), session, anew: true }).await;
    sleep(grace * 2).await;
    let followed = after.followed(&room(1));
    assert!(!followed.events.iter().any(|event| matches!(event, TableEvent::Away { .. })), "{followed:?}");
}
