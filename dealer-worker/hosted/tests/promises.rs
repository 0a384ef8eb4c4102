//! What a table with a host promises, decided and applied without a runtime.

mod world;

use hosted::Hosted;
use protocol::{
    RefusalCode as Code,
    hosted::{Access, HostLeaves, HostedAnswer},
    id::RoomId,
};
use rooms::room::Room;
use serde_json::json;

use self::world::{IDLE_MS, World, choice, sit, user};

#[test]
fn only_a_public_table_stands_in_the_lobby() {
    for access in [Access::Public, Access::Unlisted, Access::Code, Access::Approve] {
        assert_eq!(World::new(access, HostLeaves::PassOn).is_listed(), access == Access::Public);
    }
    let mut world = World::new(Access::Public, HostLeaves::PassOn);
    world.does("ann", json!({"a": "door", "access": "unlisted"}));
    assert!(!world.is_listed());
}

#[test]
fn who_must_be_let_in_knocks_is_approved_and_has_a_seat_kept() {
    let mut world = World::new(Access::Approve, HostLeaves::PassOn);
    world.may_not("bob", sit(), Code::NotLetIn);
    world.does("bob", json!({"a": "knock"}));
    world.may_not("bob", json!({"a": "knock"}), Code::Unchanged);
    assert_eq!(world.hosted().knocking[0].name, "bob");
    world.may_not("bob", json!({"a": "approve", "user": "bob"}), Code::NotAllowed);
    world.does("ann", json!({"a": "approve", "user": "bob"}));
    let kept = world.hosted().kept[0].clone();
    world.does("ann", json!({"a": "sit", "seat": 1, "buy_in": 200}));
    world.does("ann", json!({"a": "invite", "user": "cyd"}));
    world.may_not("cyd", json!({"a": "sit", "seat": kept.seat, "buy_in": 200}), Code::SeatTaken);
    world.does("bob", sit());
    assert_eq!(world.view().seat_of(&user("bob")), Some(kept.seat));
    assert!(!world.hosted().kept.iter().any(|kept| kept.user == user("bob")));
    world.may_not("dan", sit(), Code::NotLetIn);
}

#[test]
fn a_kept_seat_is_free_again_after_a_while_and_who_was_let_in_still_may_sit() {
    let mut world = World::new(Access::Approve, HostLeaves::PassOn);
    world.does("ann", json!({"a": "invite", "user": "bob"}));
    assert_eq!(world.hosted().kept.len(), 1);
    world.wait(120_000);
    assert!(world.hosted().kept.is_empty());
    world.does("bob", sit());
}

#[test]
fn the_host_and_whoever_has_or_waits_for_a_seat_needs_no_place_to_watch() {
    let mut world = World::new(Access::Approve, HostLeaves::PassOn);
    let needs_none = |world: &World, name: &str| world.room.insiders().contains(&user(name));
    assert!(needs_none(&world, "ann"), "the host, though she has no seat");
    assert!(!needs_none(&world, "bob"));
    world.does("ann", json!({"a": "invite", "user": "bob"}));
    assert!(needs_none(&world, "bob"), "a seat is kept for him");
    world.does("bob", sit());
    assert!(needs_none(&world, "bob"));
    world.does("bob", json!({"a": "leave"}));
    assert!(!needs_none(&world, "bob"));
}

#[test]
fn the_code_opens_the_door_and_nothing_else_does() {
    let mut world = World::new(Access::Code, HostLeaves::PassOn);
    world.may_not("bob", json!({"a": "knock", "code": "q4xm91ab"}), Code::WrongCode);
    world.may_not("ann", json!({"a": "door", "access": "code", "code": "q4-x"}), Code::BadSettings);
    world.does("ann", json!({"a": "door", "access": "code", "code": "Q4XM-91ab"}));
    world.may_not("bob", json!({"a": "knock", "code": "q4xm91aa"}), Code::WrongCode);
    world.may_not("bob", json!({"a": "knock"}), Code::NotLetIn);
    world.may_not("bob", sit(), Code::NotLetIn);
    world.does("bob", json!({"a": "knock", "code": "q4xm 91AB"}));
    world.does("bob", sit());
    assert!(!world.room.view().get().to_lowercase().contains("q4xm"), "it is told nobody");
}

#[test]
fn who_is_kicked_plays_the_hand_to_its_end_and_leaves_with_his_chips() {
    let mut world = World::playing(Access::Unlisted, HostLeaves::PassOn);
    world.does("ann", json!({"a": "kick", "user": "bob"}));
    assert!(world.sits("bob") && !world.view().seats.iter().flatten().any(|seat| seat.folded));
    world.may_not("bob", json!({"a": "come_back"}), Code::NotAllowed);
    world.may_not("bob", json!({"a": "top_up", "amount": 10}), Code::NotAllowed);
    world.wait(60_000);
    assert!(!world.sits("bob") && !world.in_hand());
    assert_eq!(world.view().chips.bought, world.view().on_table() + world.view().chips.cashed);
    assert!(world.hosted().leaving.is_empty());
    world.does("bob", sit());
    world.does("ann", json!({"a": "kick", "user": "bob", "ban": true}));
    world.wait(60_000);
    world.may_not("bob", sit(), Code::NotAllowed);
    world.does("ann", json!({"a": "invite", "user": "bob"}));
    world.does("bob", sit());
}

#[test]
fn a_table_bans_so_many_and_no_more() {
    let mut world = World::new(Access::Unlisted, HostLeaves::PassOn);
    for number in 0..32 {
        world.does("ann", json!({"a": "kick", "user": format!("u{number}"), "ban": true}));
    }
    world.may_not("ann", json!({"a": "kick", "user": "u99", "ban": true}), Code::TooMany);
}

#[test]
fn nobody_but_the_host_commands_and_the_host_is_not_kicked() {
    let mut world = World::playing(Access::Public, HostLeaves::PassOn);
    for what in [
        json!({"a": "close"}),
        json!({"a": "pause"}),
        json!({"a": "resume"}),
        json!({"a": "kick", "user": "ann"}),
        json!({"a": "invite", "user": "cyd"}),
        json!({"a": "deny", "user": "cyd"}),
        json!({"a": "set", "config": choice(4)}),
        json!({"a": "door", "access": "unlisted"}),
        json!({"a": "hand_over", "user": "bob"}),
    ] {
        world.may_not("bob", what, Code::NotAllowed);
    }
    world.may_not("ann", json!({"a": "kick", "user": "ann"}), Code::Illegal);
    world.may_not("ann", json!({"a": "close", "now": true}), Code::BadCommand);
    world.may_not("ann", json!({"a": "hand_over", "user": "cyd"}), Code::NotSeated);
    world.does("ann", json!({"a": "hand_over", "user": "bob"}));
    world.may_not("ann", json!({"a": "pause"}), Code::NotAllowed);
    world.does("bob", json!({"a": "pause"}));
}

#[test]
fn a_pause_begins_with_the_end_of_the_hand_and_is_over_by_itself() {
    let mut world = World::playing(Access::Public, HostLeaves::PassOn);
    world.does("ann", json!({"a": "pause"}));
    assert!(world.in_hand(), "the hand goes on");
    world.wait(60_000);
    let hand = world.view().hand.unwrap().hand;
    world.wait(20 * 60_000);
    assert!(!world.in_hand() && world.view().hand.unwrap().hand == hand);
    assert!(world.sits("ann") && world.sits("bob"), "nobody loses a seat meanwhile");
    world.wait(20 * 60_000);
    assert!(world.hosted().paused_ms.is_none());
    assert!(world.view().hand.unwrap().hand > hand);
}

#[test]
fn settings_change_when_the_hand_has_ended() {
    let mut world = World::playing(Access::Public, HostLeaves::PassOn);
    world.may_not("ann", json!({"a": "set", "config": choice(200)}), Code::BadSettings);
    let mut other = choice(4);
    other["seats"] = json!(9);
    world.may_not("ann", json!({"a": "set", "config": other}), Code::BadSettings);
    world.does("ann", json!({"a": "set", "config": choice(4)}));
    assert_eq!((world.view().config.big_blind, world.hosted().pending), (2, true));
    world.wait(60_000);
    assert_eq!((world.view().config.big_blind, world.hosted().pending), (4, false));
    assert_eq!(world.view().config.name, "Friday");
}

#[test]
fn a_table_that_is_closed_ends_with_its_hand_and_tells_the_floor_once() {
    let mut world = World::playing(Access::Public, HostLeaves::PassOn);
    world.does("ann", json!({"a": "close"}));
    world.may_not("cyd", sit(), Code::NotAllowed);
    assert!(!world.room.is_over() && world.letters.is_empty());
    world.wait(60_000);
    assert!(world.room.is_over() && !world.sits("ann") && !world.sits("bob"));
    assert_eq!(world.letters, [RoomId::new("floor-00").unwrap()]);
    world.may_not("ann", json!({"a": "close"}), Code::NotAllowed);
    world.may_not("ann", sit(), Code::NotAllowed);
    assert_eq!(world.room.deadline(), None);
}

#[test]
fn when_the_host_leaves_who_has_sat_longest_is_the_host_or_the_table_closes() {
    let mut world = World::playing(Access::Public, HostLeaves::PassOn);
    world.does("cyd", sit());
    world.does("ann", json!({"a": "leave"}));
    world.wait(60_000);
    assert_eq!(world.hosted().host, user("bob"));
    let mut world = World::playing(Access::Public, HostLeaves::Close);
    world.does("ann", json!({"a": "leave"}));
    world.wait(60_000);
    assert!(world.room.is_over());
    // Who is alone there stays the host of an empty table.
    let mut world = World::new(Access::Public, HostLeaves::PassOn);
    world.does("ann", sit());
    world.does("ann", json!({"a": "leave"}));
    assert_eq!(world.hosted().host, user("ann"));
}

#[test]
fn a_table_at_which_nobody_sits_closes_after_a_while() {
    let mut world = World::new(Access::Public, HostLeaves::PassOn);
    world.wait(IDLE_MS / 2);
    world.does("bob", sit());
    world.wait(IDLE_MS / 4);
    world.does("bob", json!({"a": "leave"}));
    world.wait(IDLE_MS - 1);
    assert!(!world.room.is_over());
    world.wait(1);
    assert!(world.room.is_over());
}

#[test]
fn the_ledger_says_who_has_brought_and_taken_what() {
    let mut world = World::playing(Access::Public, HostLeaves::PassOn);
    world.does("ann", json!({"a": "leave"}));
    world.wait(60_000);
    world.does("ann", json!({"a": "sit", "buy_in": 200}));
    world.does("bob", json!({"a": "top_up", "amount": 50}));
    world.wait(60_000);
    let answer = world.room.answer(&user("cyd"), br#"{"about":"ledger"}"#).unwrap();
    let HostedAnswer::Ledger { lines, others } = serde_json::from_str(answer.get()).unwrap();
    assert_eq!(lines.iter().map(|line| line.user.as_str()).collect::<Vec<_>>(), ["ann", "bob"]);
    assert_eq!((lines[0].brought, lines[1].brought), (400, 250));
    let view = world.view();
    let (brought, took): (u64, u64) =
        lines.iter().fold((0, 0), |(brought, took), line| (brought + line.brought, took + line.took));
    assert_eq!((brought + others.brought, took + others.took), (view.chips.bought, view.chips.cashed));
    let refused = world.room.answer(&user("cyd"), br#"{"about":"codes"}"#).unwrap_err();
    assert_eq!(refused.code, Code::BadQuestion);
}

#[test]
fn a_ledger_of_many_players_still_adds_up() {
    let mut world = World::new(Access::Public, HostLeaves::PassOn);
    for number in 0..250 {
        let name = format!("u{number}");
        world.does(&name, sit());
        world.does(&name, json!({"a": "leave"}));
    }
    let answer = world.room.answer(&user("ann"), br#"{"about":"ledger"}"#).unwrap();
    assert!(answer.get().len() < 32 * 1_024, "{}", answer.get().len());
    let HostedAnswer::Ledger { lines, others } = serde_json::from_str(answer.get()).unwrap();
    assert_eq!(lines.len(), 100);
    assert_eq!(lines.iter().map(|line| line.brought).sum::<u64>() + others.brought, 250 * 200);
}

/// A full table of six.
fn full(access: Access) -> World {
    let mut world = World::new(access, HostLeaves::PassOn);
    for name in ["ann", "bob", "cid", "dan", "eve", "fay"] {
        if name != "ann" && access == Access::Approve {
            world.does("ann", json!({"a": "invite", "user": name}));
        }
        world.does(name, json!({"a": "sit", "buy_in": 200}));
    }
    world
}

#[test]
fn whoever_waits_at_a_full_table_is_called_in_turn_and_nobody_takes_the_seat() {
    let mut world = full(Access::Public);
    world.may_not("gus", json!({"a": "sit", "buy_in": 200}), Code::NoSeat);
    for name in ["gus", "hal", "ida"] {
        world.does(name, json!({"a": "wait"}));
    }
    world.may_not("gus", json!({"a": "wait"}), Code::Unchanged);
    world.may_not("bob", json!({"a": "wait"}), Code::AlreadySeated);
    while world.in_hand() {
        world.wait(100);
    }
    world.does("bob", json!({"a": "leave"}));
    assert_eq!(world.list(), (vec!["hal".into(), "ida".into()], vec![("gus".into(), 1)]));
    world.may_not("joe", json!({"a": "sit", "seat": 1, "buy_in": 200}), Code::SeatTaken);
    world.may_not("joe", json!({"a": "sit", "buy_in": 200}), Code::NoSeat);
    world.does("gus", json!({"a": "sit", "buy_in": 200}));
    assert!(world.sits("gus"));
    assert_eq!(world.list(), (vec!["hal".into(), "ida".into()], vec![]));
}

#[test]
fn a_host_who_bans_somebody_takes_him_off_the_waiting_list_and_one_who_closes_all() {
    let mut world = full(Access::Public);
    for name in ["gus", "hal"] {
        world.does(name, json!({"a": "wait"}));
    }
    world.does("ann", json!({"a": "kick", "user": "gus", "ban": true}));
    assert_eq!(world.list().0, ["hal"]);
    world.may_not("gus", json!({"a": "wait"}), Code::NotAllowed);
    world.does("ann", json!({"a": "close"}));
    assert_eq!(world.list(), (vec![], vec![]));
    world.may_not("hal", json!({"a": "wait"}), Code::NotAllowed);
}

#[test]
fn where_the_host_decides_nobody_waits_whom_he_has_not_let_in() {
    let mut world = full(Access::Approve);
    world.may_not("gus", json!({"a": "wait"}), Code::NotLetIn);
    world.does("ann", json!({"a": "invite", "user": "gus"}));
    world.does("gus", json!({"a": "wait"}));
    assert_eq!(world.list().0, ["gus"]);
    let mut world = full(Access::Public);
    world.does("gus", json!({"a": "wait"}));
    world.does("ann", json!({"a": "door", "access": "approve"}));
    assert_eq!(world.list().0, Vec::<String>::new(), "who waited while it was open is not let in by that");
}

#[test]
fn a_call_runs_out_while_the_table_pauses() {
    let mut world = full(Access::Public);
    world.does("gus", json!({"a": "wait"}));
    world.does("hal", json!({"a": "wait"}));
    world.does("ann", json!({"a": "pause"}));
    while world.in_hand() {
        world.wait(100);
    }
    world.does("bob", json!({"a": "leave"}));
    assert_eq!(world.list(), (vec!["hal".into()], vec![("gus".into(), 1)]));
    world.wait(30_000);
    assert_eq!(world.list(), (vec![], vec![("hal".into(), 1)]));
    world.wait(30_000);
    assert_eq!(world.list(), (vec![], vec![]));
}

/// What releases before stored of such a table is that of the table with some fields fewer, and then the rest; before there were AI players without
/// those, who stand at the end: which may sit there, none, and that none was invited.
#[test]
fn a_table_that_was_stored_before_it_had_a_waiting_list_told_its_rail_anything_or_had_ai_players_is_read() {
    let world = full(Access::Public);
    let mut record = postcard::to_stdvec(&world.room).unwrap();
    assert!(Hosted::read(5, &mut &record[..]).unwrap() == world.room);
    let ai = record.split_off(record.len() - 3);
    assert_eq!(ai, [1, 0, 0]);
    let without = |at: usize, bytes: usize| [&record[..at], &record[at + bytes..]].concat();
    let (at, table) = (0..record.len() - 8)
        .find_map(|at| {
            let without = without(at, 8);
            let read = Hosted::read(1, &mut &without[..]).ok()?;
            (read == world.room && at > 200).then_some((at, without))
        })
        .expect("an empty waiting list is four bytes, and so is a rail that is told nothing");
    assert_eq!(record[at..at + 8], [0; 8]);
    assert!(Hosted::read(6, &mut &table[..]).is_err(), "of a later release");
    assert!(Hosted::read(2, &mut &without(at, 6)[..]).unwrap() == world.room);
    assert!(Hosted::read(3, &mut &without(at, 4)[..]).unwrap() == world.room);
    assert!(Hosted::read(4, &mut &[without(at, 4), ai].concat()[..]).unwrap() == world.room);
}
