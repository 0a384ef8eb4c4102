//! What players are promised at a cash table, one by one.

use protocol::{
    RefusalCode as Code,
    table::{Declined, DeclinedCode, SeatStatus, TableEvent},
};
use serde_json::json;

use crate::{
    bank::Planted,
    world::{PURSE, World, user},
};

fn seated(players: &[&str]) -> World {
    let mut world = World::new(1, &["ann", "bob", "cid"]);
    for who in players {
        world.does(who, &json!({"a": "sit", "buy_in": 200})).unwrap();
        world.settles();
    }
    world
}

/// Two players in their first hand.
fn playing() -> World {
    let mut world = seated(&["ann", "bob"]);
    world.passes(1);
    assert!(world.view()["hand"]["turn"].is_object(), "a hand is on");
    world
}

fn fold(world: &mut World) -> String {
    let view = world.view();
    let turn = &view["hand"]["turn"];
    let seat = usize::try_from(turn["seat"].as_u64().unwrap()).unwrap();
    let who = view["seats"][seat]["user"].as_str().unwrap().to_owned();
    let act = json!({"a": "act", "hand": view["hand"]["hand"], "turn": turn["turn"], "kind": "fold"});
    world.does(&who, &act).unwrap();
    who
}

#[test]
fn a_seat_waits_for_its_chips_and_is_nobody_elses() {
    let mut world = seated(&[]);
    world.does("ann", &json!({"a": "sit", "seat": 2, "buy_in": 200})).unwrap();
    assert!(
        matches!(&world.seen[..], [TableEvent::Reserved { seat: 2, user: ann, .. }] if *ann == user("ann"))
    );
    assert_eq!(world.view()["reserved"][0]["user"], "ann");
    assert_eq!(world.view()["currency"], "PLAY");
    let refused = world.does("bob", &json!({"a": "sit", "seat": 2, "buy_in": 200})).unwrap_err();
    assert_eq!(refused.code, Code::SeatTaken);
    assert_eq!(world.does("ann", &json!({"a": "sit", "buy_in": 200})).unwrap_err().code, Code::AlreadySeated);
    assert_eq!(world.balance("ann"), PURSE, "nothing is paid yet");
    world.settles();
    assert!(matches!(&world.seen[..], [TableEvent::Seated { seat: 2, stack: 200, .. }]));
    assert_eq!((world.balance("ann"), world.bank.table), (PURSE - 200, 200));
    assert_eq!(world.view()["reserved"], json!([]));
}

#[test]
fn who_owns_less_is_told_so_alone_and_the_seat_is_free() {
    let mut world = seated(&[]);
    *world.bank.players.get_mut(&user("ann")).unwrap() = 30;
    world.does("ann", &json!({"a": "sit", "buy_in": 200})).unwrap();
    world.settles();
    assert!(matches!(&world.seen[..], [TableEvent::Freed { seat: 0 }]));
    let declined = Declined { amount: 200, code: DeclinedCode::Insufficient };
    assert_eq!(world.privates[&user("ann")].declined, Some(declined));
    assert_eq!(world.balance("ann"), 30);
    world.does("bob", &json!({"a": "sit", "seat": 0, "buy_in": 200})).unwrap();
}

#[test]
fn whoever_leaves_before_the_chips_have_come_keeps_them() {
    for is_done_before in [false, true] {
        let mut world = seated(&[]);
        world.does("ann", &json!({"a": "sit", "buy_in": 200})).unwrap();
        if is_done_before {
            world.send();
            let id = *world.on_their_way.keys().next().unwrap();
            world.arrives(id, false);
            assert_eq!(world.balance("ann"), PURSE - 200);
        }
        world.does("ann", &json!({"a": "leave"})).unwrap();
        assert!(matches!(&world.seen[..], [TableEvent::Freed { .. }]));
        world.settles();
        assert_eq!((world.balance("ann"), world.bank.table), (PURSE, 0));
    }
}

#[test]
fn a_cage_that_does_not_answer_holds_a_seat_for_fifteen_seconds_and_nobody_else_for_more_than_two() {
    let mut world = seated(&[]);
    world.does("ann", &json!({"a": "sit", "buy_in": 200})).unwrap();
    world.does("bob", &json!({"a": "sit", "buy_in": 200})).unwrap();
    world.passes(2_001);
    assert_eq!(world.does("cid", &json!({"a": "sit", "buy_in": 200})).unwrap_err().code, Code::Unavailable);
    world.passes(13_000);
    assert_eq!(world.privates[&user("ann")].declined.unwrap().code, DeclinedCode::CageAway);
    assert_eq!(world.view()["reserved"], json!([]));
    world.does("cid", &json!({"a": "sit", "buy_in": 200})).unwrap();
    world.settles();
    assert_eq!((world.balance("ann"), world.balance("cid"), world.bank.table), (PURSE, PURSE - 200, 200));
}

#[test]
fn a_top_up_in_a_hand_is_paid_at_once_and_goes_with_whoever_leaves() {
    let mut world = playing();
    world.does("ann", &json!({"a": "top_up", "amount": 50})).unwrap();
    let again = world.does("ann", &json!({"a": "top_up", "amount": 50})).unwrap_err();
    assert_eq!(again.code, Code::Busy);
    world.settles();
    assert!(matches!(&world.seen[..], [TableEvent::TopUpPromised { amount: 50, .. }]));
    assert_eq!(world.balance("ann"), PURSE - 250);
    world.does("ann", &json!({"a": "leave"})).unwrap();
    if world.at_the_table() == 450 {
        fold(&mut world);
    }
    world.settles();
    assert_eq!(world.balance("ann") + world.bank.table, PURSE + 200, "her blind is bob's");
    assert_eq!(world.bank.table, world.at_the_table());
}

#[test]
fn of_a_top_up_that_does_not_fit_any_more_the_rest_goes_back() {
    let mut world = playing();
    world.does("ann", &json!({"a": "top_up", "amount": 200})).unwrap();
    world.does("bob", &json!({"a": "top_up", "amount": 200})).unwrap();
    world.settles();
    let folded = fold(&mut world);
    world.settles();
    let winner = if folded == "ann" { "bob" } else { "ann" };
    assert!(world.balance(winner) > PURSE - 400, "what would have made more than 400 goes back");
    assert_eq!(world.balance(&folded), PURSE - 400);
    assert_eq!(world.bank.table, world.at_the_table());
}

#[test]
fn the_house_has_its_share_of_each_hand() {
    let mut world = playing();
    // Both see a flop, then somebody folds: there is a drop.
    for (kind, to) in [("raise", Some(30)), ("call", None)] {
        let view = world.view();
        let turn = &view["hand"]["turn"];
        let seat = usize::try_from(turn["seat"].as_u64().unwrap()).unwrap();
        let who = view["seats"][seat]["user"].as_str().unwrap().to_owned();
        let mut act = json!({"a": "act", "hand": view["hand"]["hand"], "turn": turn["turn"], "kind": kind});
        if let Some(to) = to {
            act["to"] = json!(to);
        }
        world.does(&who, &act).unwrap();
    }
    fold(&mut world);
    world.settles();
    let raked = i64::try_from(world.view()["chips"]["raked"].as_u64().unwrap()).unwrap();
    assert_eq!((raked, world.bank.rake), (3, 3), "raked, and booked");
    assert_eq!(world.bank.table, world.at_the_table());
}

#[test]
fn whoever_loses_the_connection_while_the_seat_waits_is_away_when_seated() {
    let mut world = seated(&[]);
    world.does("ann", &json!({"a": "sit", "buy_in": 200})).unwrap();
    world.away("ann", true);
    world.settles();
    assert_eq!(world.view()["seats"][0]["away"], true);
}

/// Bob and cid were paid in a branch that is lost; what bob owned then, and what he owns in the end.
fn paid_in_a_lost_branch(planted: Option<Planted>) -> (World, i64, i64) {
    let mut world = playing();
    world.bank.planted = planted;
    let before = world.entries();
    world.does("cid", &json!({"a": "sit", "buy_in": 300})).unwrap();
    world.settles();
    world.does("cid", &json!({"a": "leave"})).unwrap();
    world.does("bob", &json!({"a": "leave"})).unwrap();
    let _ = fold_if_on(&mut world);
    world.settles();
    assert_eq!(world.balance("cid"), PURSE);
    let bob = world.balance("bob");
    let lost = world.entries() - before;
    world.is_taken_over(lost);
    world.settles();
    assert_eq!((world.balance("bob"), world.balance("cid")), (bob, PURSE), "paid stays paid");
    let _ = world.does("bob", &json!({"a": "leave"}));
    for _ in 0..5 {
        let _ = fold_if_on(&mut world);
        world.settles();
    }
    assert_eq!(world.bank.table, world.at_the_table());
    let after = world.balance("bob");
    (world, bob, after)
}

#[test]
fn whoever_was_paid_in_a_branch_that_is_lost_has_nothing_more_there() {
    let (mut world, before, after) = paid_in_a_lost_branch(None);
    assert!(before > PURSE - 200, "he was paid");
    assert_eq!(after, before, "once");
    // He may come again, with new chips.
    world.does("bob", &json!({"a": "sit", "buy_in": 100})).unwrap();
    world.settles();
    assert_eq!(world.balance("bob"), after - 100);
    let (_, before, after) = paid_in_a_lost_branch(Some(Planted::NamesNobody));
    assert!(after > before, "a cage that does not tell whom it has paid is found");
}

#[test]
fn the_seat_of_whoever_was_paid_in_a_lost_branch_ends_with_the_hand() {
    let mut world = playing();
    let before = world.entries();
    world.does("bob", &json!({"a": "leave"})).unwrap();
    let _ = fold_if_on(&mut world);
    world.settles();
    let lost = world.entries() - before;
    world.is_taken_over(lost);
    world.settles();
    assert_eq!(world.view()["seats"][1]["status"], json!(SeatStatus::Leaving));
    for again in [json!({"a": "top_up", "amount": 10}), json!({"a": "come_back"})] {
        assert_eq!(world.does("bob", &again).unwrap_err().code, Code::NotAllowed);
    }
}

fn fold_if_on(world: &mut World) -> Option<String> {
    world.view()["hand"]["turn"].is_object().then(|| fold(world))
}

#[test]
fn a_store_that_has_lost_the_whole_table_costs_nobody_his_chips() {
    let mut world = seated(&["ann", "bob"]);
    world.is_anew();
    assert_eq!(world.at_the_table(), 0);
    world.settles();
    assert_eq!((world.balance("ann"), world.balance("bob"), world.bank.table), (PURSE, PURSE, 0));
}

/// Found by life 1136 of the walk with losses: the dead owner had given the buy-in up, and nobody knows that any more.
#[test]
fn what_was_asked_before_a_loss_is_answered_only_behind_the_cut() {
    let mut world = seated(&[]);
    world.does("ann", &json!({"a": "sit", "buy_in": 200})).unwrap();
    world.send();
    world.passes(20_000);
    world.send();
    assert_eq!(world.view()["reserved"], json!([]), "she waits no longer");
    let of_the_dead: Vec<_> = world.on_their_way.keys().copied().collect();
    world.is_taken_over(1);
    assert_eq!(world.view()["reserved"][0]["user"], "ann", "that is lost");
    // What the dead owner has sent arrives: the buy-in, with its answer, and that it is given up.
    assert_eq!(of_the_dead.len(), 2);
    of_the_dead.into_iter().for_each(|id| world.arrives(id, true));
    world.settles();
    assert_eq!((world.at_the_table(), world.bank.table, world.balance("ann")), (0, 0, PURSE));
}

#[test]
fn whoever_waits_for_a_seat_pays_when_he_sits_down_and_may_bring_less_when_he_owns_less() {
    let mut world = World::new(1, &["ann", "bob", "cid", "dan", "eve", "fay"]);
    for who in ["ann", "bob", "cid", "dan"] {
        world.does(who, &json!({"a": "sit", "buy_in": 200})).unwrap();
        world.settles();
    }
    *world.bank.players.get_mut(&user("eve")).unwrap() = 100;
    for who in ["eve", "fay"] {
        world.does(who, &json!({"a": "wait"})).unwrap();
    }
    assert_eq!((world.balance("eve"), world.bank.table), (100, 800), "waiting costs nothing");
    world.does("dan", &json!({"a": "leave"})).unwrap();
    world.settles();
    let list = |world: &World| world.view()["waiting_list"].clone();
    assert_eq!(list(&world)["called"][0]["user"], "eve");
    assert_eq!(world.does("fay", &json!({"a": "sit", "buy_in": 200})).unwrap_err().code, Code::NoSeat);
    // More than she owns: the seat stays hers until the call is over.
    world.does("eve", &json!({"a": "sit", "buy_in": 200})).unwrap();
    world.settles();
    assert_eq!(list(&world)["called"][0]["user"], "eve");
    world.does("eve", &json!({"a": "sit", "buy_in": 100})).unwrap();
    world.settles();
    assert_eq!((world.balance("eve"), world.bank.table), (0, 700));
    assert_eq!(list(&world)["waiting"][0]["user"], "fay");
    assert_eq!(list(&world)["called"], json!([]));
}

#[test]
fn a_seat_that_waits_for_chips_is_called_to_nobody_and_the_next_is_called_when_none_come() {
    let mut world = World::new(1, &["ann", "bob", "cid", "dan", "eve"]);
    for who in ["ann", "bob", "cid"] {
        world.does(who, &json!({"a": "sit", "buy_in": 200})).unwrap();
        world.settles();
    }
    *world.bank.players.get_mut(&user("dan")).unwrap() = 0;
    world.does("dan", &json!({"a": "sit", "buy_in": 200})).unwrap();
    assert_eq!(world.does("dan", &json!({"a": "wait"})).unwrap_err().code, Code::AlreadySeated);
    world.does("eve", &json!({"a": "wait"})).unwrap();
    assert_eq!(world.view()["waiting_list"]["called"], json!([]));
    world.settles();
    assert_eq!(world.view()["waiting_list"]["called"][0]["user"], "eve");
}
