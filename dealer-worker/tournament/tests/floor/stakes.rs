//! Entries that cost chips which are somebody's: not one is made or lost, whatever becomes of the tournament and its owner.

use protocol::{
    RefusalCode as Code,
    tournament::{Phase, TournamentConfig},
};
use rooms::{
    planted::{Fault, plant},
    room::Room as _,
};
use serde_json::json;

use crate::world::{BEGINS_MS, World, mtt, sng, user};

/// What an entry adds to the prizes, and what the house has of it.
const BUY_IN: u64 = 100;
const FEE: u64 = 10;

fn three() -> TournamentConfig {
    TournamentConfig { entries_min: 3, entries_max: 3, buy_in: BUY_IN, ..sng(3) }
}

fn asks(world: &mut World, name: &str, what: &str) -> Option<Code> {
    world.ask(name, json!({"a": what})).err().map(|refusal| refusal.code)
}

fn balance(world: &World, name: &str) -> i64 {
    world.bank.players.get(&user(name)).copied().unwrap_or_default()
}

/// Three who have a thousand each have played it to its end.
fn played(seed: u64) -> World {
    let mut world = World::paid(seed, three(), FEE, &[("p1", 1_000), ("p2", 1_000), ("p3", 1_000)]);
    world.register(3);
    world.play();
    world
}

#[test]
fn entries_are_paid_for_before_they_count_and_prizes_are_paid_by_themselves() {
    let mut world = World::paid(1, three(), FEE, &[("p1", 1_000), ("p2", 1_000), ("p3", 1_000)]);
    world.register(3);
    assert_eq!((world.state["entries"].clone(), world.me("p1")["paying"].clone()), (json!(0), json!(true)));
    assert_eq!((world.state["currency"].clone(), world.state["fee"].clone()), (json!("PLAY"), json!(FEE)));
    world.play();
    world.referee.finish();
    assert!(world.referee.faults().is_empty(), "{:?}", world.referee.faults());
    let mut balances = ["p1", "p2", "p3"].map(|name| balance(&world, name));
    balances.sort_unstable();
    // Of three entries the first two are paid, 65 and 35 in a hundred.
    assert_eq!(balances, [890, 890 + 105, 890 + 195]);
    assert_eq!((world.bank.rake, world.bank.table, world.bank.variance, world.chips()), (30, 0, 0, 0));
    plant(Some(Fault::PaysPrizesOneTooMany));
    let world = played(1);
    plant(None);
    assert_ne!(world.bank.table, 0, "the account of a tournament that is over is empty, or chips were made");
}

#[test]
fn who_has_too_little_is_told_so_and_takes_no_place() {
    let mut world = World::paid(2, three(), FEE, &[("p1", 1_000), ("p2", 109), ("p3", 1_000), ("p4", 110)]);
    world.register(3);
    world.calm();
    assert_eq!(world.me("p2"), json!({"about": "me", "me": null, "declined": "insufficient"}));
    assert_eq!(world.state["entries"], json!(2));
    assert_eq!(asks(&mut world, "p4", "register"), None);
    assert_eq!(asks(&mut world, "p4", "register"), Some(Code::Unchanged), "it is asked once");
    assert_eq!(asks(&mut world, "p2", "register"), Some(Code::NoSeat), "the last place waits for its chips");
    world.play();
    assert_eq!((balance(&world, "p2"), world.bank.sum(), world.bank.table), (109, 2_219, 0));
}

#[test]
fn who_does_not_take_part_after_all_gets_everything_back() {
    let mut world = World::paid(3, three(), FEE, &[("p1", 1_000), ("p2", 1_000), ("p3", 1_000)]);
    assert_eq!(asks(&mut world, "p1", "unregister"), Some(Code::NotSeated));
    // Before the cage has answered, and behind that.
    assert_eq!(asks(&mut world, "p1", "register"), None);
    assert_eq!(asks(&mut world, "p1", "unregister"), None);
    world.calm();
    assert_eq!(
        (world.me("p1")["me"].clone(), balance(&world, "p1"), world.bank.table),
        (json!(null), 1_000, 0)
    );
    assert_eq!(asks(&mut world, "p1", "register"), None);
    world.calm();
    assert_eq!((balance(&world, "p1"), world.chips()), (890, 110));
    assert_eq!(asks(&mut world, "p1", "unregister"), None);
    world.calm();
    assert_eq!((balance(&world, "p1"), world.bank.table, world.chips()), (1_000, 0, 0));
    world.register(3);
    world.play();
    assert_eq!((world.bank.sum(), world.bank.table), (3_000, 0));
}

#[test]
fn a_tournament_that_is_called_off_gives_all_back_before_it_goes() {
    let entries: Vec<String> = (1..=150).map(|number| format!("p{number}")).collect();
    let players: Vec<(&str, i64)> = entries.iter().map(|name| (&**name, 1_000)).collect();
    let mut world = World::paid(4, TournamentConfig { linger_ms: 0, ..mtt(6, 200) }, FEE, &players);
    world.register(150);
    world.calm();
    assert_eq!(world.chips(), 150 * (BUY_IN + FEE));
    world.is_bank_away = true;
    assert_eq!(asks(&mut world, "late", "register"), None, "his chips are asked for");
    world.direct(json!({"a": "cancel"})).unwrap();
    world.calm();
    assert!(!world.tournament.is_over(), "somebody's chips are still asked for");
    world.is_bank_away = false;
    world.play();
    // A room that is over is there until all that it has asked is done.
    world.calm();
    assert_eq!((world.bank.table, world.chips(), balance(&world, "late")), (0, 0, 0));
    assert!(entries.iter().all(|name| balance(&world, name) == 1_000));
}

/// As in ao-org/argentum-online-server#838, where it stayed with the house.
#[test]
fn what_begins_with_too_few_gives_back_what_they_have_paid() {
    let config = TournamentConfig { buy_in: BUY_IN, linger_ms: 0, ..mtt(6, 9) };
    let mut world = World::paid(7, config, FEE, &[("p1", 1_000)]);
    world.register(1);
    world.play();
    world.calm();
    assert_eq!(world.state["phase"], json!(Phase::Cancelled));
    assert_eq!((balance(&world, "p1"), world.bank.table, world.bank.rake), (1_000, 0, 0));
}

#[test]
fn a_cage_that_is_away_is_waited_for_and_then_not_any_more() {
    let mut world = World::paid(5, three(), FEE, &[("p1", 1_000), ("p2", 1_000), ("p3", 1_000)]);
    world.calm();
    world.is_bank_away = true;
    assert_eq!(asks(&mut world, "p1", "register"), None);
    world.now += 2_001;
    let refusal = world.ask("p2", json!({"a": "register"})).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms.is_some()), (Code::Unavailable, true));
    world.now += 13_000;
    world.calm();
    assert_eq!(world.me("p1"), json!({"about": "me", "me": null, "declined": "cage_away"}));
    world.is_bank_away = false;
    world.register(3);
    world.play();
    assert_eq!((world.bank.sum(), world.bank.table), (3_000, 0));
}

/// What somebody has in the end whose chips come when registration is over.
fn came_too_late() -> (i64, i64) {
    let mut world = World::paid(
        6,
        TournamentConfig { buy_in: BUY_IN, ..mtt(6, 9) },
        FEE,
        &[("p1", 1_000), ("p2", 1_000), ("late", 1_000)],
    );
    world.register(2);
    world.calm();
    world.now = BEGINS_MS + 600_000 - 100;
    world.is_bank_away = true;
    assert_eq!(asks(&mut world, "late", "register"), None);
    world.now += 100;
    world.calm();
    assert_eq!(world.state["phase"], json!(Phase::Running));
    world.is_bank_away = false;
    world.play();
    (balance(&world, "late"), world.bank.table)
}

#[test]
fn chips_that_come_when_registration_is_over_go_back() {
    assert_eq!(came_too_late(), (1_000, 0));
    plant(Some(Fault::KeepsStakes));
    let kept = came_too_late();
    plant(None);
    assert_ne!(kept, (1_000, 0), "they stay with a tournament in which he plays no part");
}

/// Somebody's registration, or the end with its prizes, is in a branch of the journal that is lost.
fn after_a_loss(seed: u64, until: impl Fn(&World) -> bool) -> World {
    let mut world = World::paid(seed, three(), FEE, &[("p1", 1_000), ("p2", 1_000), ("p3", 1_000)]);
    world.calm();
    world.register(2);
    world.calm();
    world.ask("p3", json!({"a": "register"})).unwrap();
    let mut before = world.clone();
    while !until(&world) {
        before = world.clone();
        assert!(world.go_on(), "it stands still");
    }
    world.calm();
    world.goes_on_from(before);
    world
}

#[test]
fn an_entry_that_was_paid_for_in_a_lost_branch_is_given_back() {
    for seed in 0..20 {
        let mut world = after_a_loss(seed, |world| world.chips() > 2 * (BUY_IN + FEE));
        world.calm();
        // What he had asked for before is asked again, under the same name or not at all.
        if world.state["entries"] == json!(2) {
            assert_eq!(balance(&world, "p3"), 1_000);
            world.register_one("p3");
        }
        world.play();
        assert_eq!((world.bank.sum(), world.bank.table, world.chips()), (3_000, 0, 0), "seed {seed}");
    }
}

#[test]
fn a_prize_that_was_paid_in_a_lost_branch_is_paid_once() {
    for seed in 0..20 {
        let mut world = after_a_loss(seed, |world| world.state["phase"] == json!(Phase::Ended));
        world.play();
        let sum: i64 = ["p1", "p2", "p3"].iter().map(|name| balance(&world, name)).sum();
        let (rake, variance) = (world.bank.rake, world.bank.variance);
        assert_eq!((sum, rake, variance, world.bank.table), (2_970, 30, 0, 0), "seed {seed}");
    }
}
