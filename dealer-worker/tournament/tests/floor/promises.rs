//! What a tournament promises.

use std::collections::BTreeMap;

use protocol::{
    RefusalCode as Code,
    id::{Position, RoomId},
    rights::Rights,
    table::{SeatStatus, TableEvent},
    tournament::{HandForHand, Level, Phase, Starts, Ties, TournamentConfig, TournamentEvent as Seen},
};
use rooms::{
    planted::{Fault, plant},
    room::{Input, Room as _, letters::LetterId},
};
use serde_json::json;
use tournament::letters::{ToTournament, write};

use crate::world::{BEGINS_MS, World, mtt, sng};

/// Played to its end, by fair players and a strict referee.
fn played(seed: u64, config: TournamentConfig, entries: usize) -> World {
    let mut world = World::new(seed, config);
    world.register(entries);
    world.play();
    world.referee.finish();
    world
}

fn fair(seed: u64, config: TournamentConfig, entries: usize) -> World {
    let world = played(seed, config, entries);
    assert!(
        world.referee.faults().is_empty(),
        "seed {seed}: {:?}",
        &world.referee.faults()[..world.referee.faults().len().min(5)]
    );
    world
}

fn code(world: &mut World, name: &str, what: serde_json::Value) -> Option<Code> {
    world.ask(name, what).err().map(|refusal| refusal.code)
}

#[test]
fn a_sit_and_go_is_played_from_the_last_registration_to_the_prizes() {
    for (seats, seed) in [(2, 1), (6, 2), (9, 3)] {
        let world = fair(seed, sng(seats), seats.into());
        assert_eq!(world.state["phase"], json!(Phase::Ended));
        let first = world.told.iter().find_map(|event| match event {
            Seen::Placed { place: 1, prize, .. } => Some(*prize),
            _ => None,
        });
        let expected = match seats {
            2 => 200,
            6 => 390,
            _ => 450,
        };
        assert_eq!(first, Some(expected));
        assert_eq!(world.tables.len(), 1);
        assert!(world.tables.values().all(|table| table.is_over()), "its table is gone");
    }
}

#[test]
fn the_next_of_its_kind_takes_entries_when_one_begins() {
    let mut world = World::new(1, sng(2));
    world.register(1);
    world.calm();
    assert!(world.opened.is_empty());
    world.register_one("p2");
    world.calm();
    let next = RoomId::new("cup-2").unwrap();
    assert!(world.opened.contains(&next));
    assert_eq!(world.state["next"], json!(next));
}

#[test]
fn who_cannot_register_or_unregister_is_told_why() {
    let mut world = World::new(1, sng(2));
    assert_eq!(code(&mut world, "ann", json!({"a": "unregister"})), Some(Code::NotSeated));
    assert_eq!(code(&mut world, "ann", json!({"a": "register"})), None);
    assert_eq!(code(&mut world, "ann", json!({"a": "register"})), Some(Code::Unchanged));
    assert_eq!(code(&mut world, "ann", json!({"a": "unregister"})), None);
    assert_eq!(code(&mut world, "ann", json!({"a": "register"})), None);
    assert_eq!(code(&mut world, "bob", json!({"a": "register"})), None);
    assert_eq!(code(&mut world, "carl", json!({"a": "register"})), Some(Code::Late));
    assert_eq!(code(&mut world, "ann", json!({"a": "unregister"})), Some(Code::Late));
    assert_eq!(code(&mut world, "ann", json!({"a": "sit", "buy_in": 1})), Some(Code::BadCommand));
    let directs = [
        json!({"a": "pause"}),
        json!({"a": "cancel"}),
        json!({"a": "add_time", "ms": 1}),
        json!({"a": "penalty", "entry": 1, "hands": 1}),
        json!({"a": "disqualify", "entry": 1}),
    ];
    for what in directs {
        assert_eq!(code(&mut world, "ann", what), Some(Code::NotAllowed));
    }
}

#[test]
fn nobody_sits_down_at_a_tournaments_table_leaves_it_or_brings_chips() {
    let mut world = World::new(1, sng(2));
    world.register(2);
    world.calm();
    let room = world.tables.keys().next().unwrap().clone();
    for what in
        [json!({"a": "sit", "buy_in": 500}), json!({"a": "leave"}), json!({"a": "top_up", "amount": 5})]
    {
        let (user, body) = (crate::world::user("p1"), what.to_string());
        let input =
            Input::Command { user: &user, name: "p1", rights: Rights::default(), body: body.as_bytes() };
        assert_eq!(world.at_table(&room, input).unwrap_err().code, Code::NotAllowed, "{what}");
    }
}

#[test]
fn many_tables_come_to_one_and_every_entry_has_its_place() {
    for seed in 0..12 {
        let (seats, entries) = [(6, 18), (9, 27), (6, 31), (2, 8)][usize::try_from(seed % 4).unwrap()];
        fair(seed, mtt(seats, 100), entries);
    }
}

/// Else he and the letter that turns him away would go to and fro as fast as letters do: found by a tournament that seats somebody twice.
#[test]
fn whoever_was_turned_away_by_a_table_is_not_sent_again_at_once() {
    let mut world = World::new(1, TournamentConfig { late_levels: 1, ..mtt(6, 100) });
    world.register(5);
    while world.state["phase"] != json!(Phase::Running) {
        assert!(world.go_on());
    }
    world.calm();
    world.register_one("late");
    let (from, letter) = (RoomId::new("cup-1.1").unwrap(), LetterId { at: Position::new(1, 999), index: 0 });
    let told = write(&ToTournament::NoSeat { entry: 6 });
    world.at_tournament(Input::Told { from: &from, letter, body: told.as_bytes() }).unwrap();
    assert_eq!(world.tournament.waiting().count(), 1, "he is nowhere yet");
    assert_eq!(world.tournament.deadline(), Some(world.now + 500));
    world.now += 500;
    world.at_tournament(Input::Clock).unwrap();
    assert_eq!(world.tournament.waiting().count(), 0, "he is on the way");
}

/// Found by losing what the broker had written: nothing more is said at tables of one player.
#[test]
fn where_steps_leave_one_player_at_each_of_two_tables_they_come_together() {
    let hand_for_hand = HandForHand { margin: 2, ties: Ties::Stacks, hand_ms: 5_000 };
    let mut in_step = 0;
    for (seed, final_redraw) in (0..24).zip([true, false].into_iter().cycle()) {
        let config = TournamentConfig { final_redraw, hand_for_hand, ..mtt(3, 6) };
        let world = fair(seed, config, 6);
        in_step += u32::from(world.told.iter().any(|event| matches!(event, Seen::HandForHand { on: false })));
    }
    assert!(in_step > 12, "steps have ended in {in_step} only");
}

#[test]
fn with_few_entries_it_is_called_off_and_the_next_takes_entries() {
    let config = TournamentConfig { entries_min: 3, ..mtt(6, 100) };
    let mut world = World::every(1, config, 1_800_000);
    world.register(2);
    world.play();
    assert_eq!(world.state["phase"], json!(Phase::Cancelled));
    assert!(world.tables.is_empty());
    assert_eq!(world.opened, [RoomId::new("cup-2").unwrap()]);
}

#[test]
fn who_comes_late_is_seated_with_a_whole_stack_and_who_went_out_before_has_his_place_when_that_is_over() {
    let late = TournamentConfig { late_levels: 2, hand_for_hand: never(), ..mtt(6, 40) };
    for seed in 0..6 {
        let mut world = World::new(seed, late.clone());
        world.register(7);
        world.wild = 60;
        let mut more = 8;
        while !world.tournament.is_over() && more < 100_000 {
            if world.state["phase"] == json!(Phase::Running) && world.state["open"] == true && more <= 20 {
                world.register_one(&format!("p{more}"));
                more += 1;
            }
            assert!(world.go_on());
        }
        let closed = world.told.iter().position(|event| *event == Seen::RegistrationClosed).unwrap();
        let placed = world.told.iter().position(|event| matches!(event, Seen::Placed { .. })).unwrap();
        assert!(closed < placed);
        world.referee.finish();
        assert!(world.referee.faults().is_empty(), "{seed}: {:?}", world.referee.faults());
    }
}

#[test]
fn levels_are_those_of_the_schedule_and_no_hand_begins_in_a_break() {
    let play = |big_blind: u64| Level::Play { small_blind: big_blind / 2, big_blind, ante: 0, ms: 60_000 };
    let levels =
        vec![play(20), play(40), Level::Break { ms: 120_000 }, play(80), play(160), play(400), play(1_000)];
    let mut world = World::new(3, TournamentConfig { levels, stack: 3_000, ..sng(6) });
    world.wild = 3;
    world.register(6);
    let (begins, ends) = (BEGINS_MS + 5_000 + 120_000, BEGINS_MS + 5_000 + 240_000);
    let mut before = 0;
    while !world.tournament.is_over() {
        assert!(world.go_on());
        for (_, event) in &world.seen[before..] {
            let is_break = (begins..ends).contains(&world.now);
            assert!(
                !(is_break && matches!(event, TableEvent::HandStarted { .. })),
                "at {}",
                world.now - BEGINS_MS
            );
        }
        before = world.seen.len();
    }
    assert!(world.now > ends, "it has lasted beyond the break");
    world.referee.finish();
    assert!(world.referee.faults().is_empty(), "{:?}", world.referee.faults());
}

#[test]
fn a_paused_tournament_deals_no_hand_and_goes_on_where_it_was() {
    let mut world = World::new(3, sng(6));
    world.register(6);
    while world.seen.iter().filter(|(_, event)| matches!(event, TableEvent::HandEnded { .. })).count() < 2 {
        world.go_on();
    }
    world.direct(json!({"a": "pause"})).unwrap();
    assert_eq!(world.direct(json!({"a": "pause"})).unwrap_err().code, Code::Unchanged);
    while world.go_on() {}
    let hands = |world: &World| {
        world.seen.iter().filter(|(_, event)| matches!(event, TableEvent::HandStarted { .. })).count()
    };
    let before = hands(&world);
    world.now += 3_600_000;
    world.direct(json!({"a": "resume"})).unwrap();
    world.play();
    assert!(hands(&world) > before);
    world.referee.finish();
    assert!(world.referee.faults().is_empty(), "{:?}", world.referee.faults());
}

fn never() -> HandForHand {
    HandForHand { margin: 0, ties: Ties::Stacks, hand_ms: 0 }
}

/// Tables play in step near the money: no table is a hand ahead of another.
#[test]
fn near_the_money_no_table_is_a_hand_ahead() {
    let mut steps = 0;
    let hand_for_hand = HandForHand { margin: 4, ties: Ties::Stacks, hand_ms: 120_000 };
    for seed in 0..10 {
        let config = TournamentConfig { final_redraw: false, payouts: parts(8), hand_for_hand, ..mtt(6, 40) };
        let mut world = World::new(seed, config);
        world.register(20);
        let (mut before, mut on) = (0, false);
        let mut hands: BTreeMap<RoomId, u32> = BTreeMap::new();
        while !world.tournament.is_over() {
            assert!(world.go_on());
            let is_on = world.state["hand_for_hand"] == true;
            if is_on && !on {
                hands.clear();
            }
            on = is_on;
            for (room, event) in &world.seen[before..] {
                if on && matches!(event, TableEvent::HandStarted { .. }) {
                    *hands.entry(room.clone()).or_default() += 1;
                    steps += 1;
                }
            }
            before = world.seen.len();
            let open: Vec<u32> = hands
                .iter()
                .filter(|(room, _)| !world.tables[*room].is_over())
                .map(|(_, hands)| *hands)
                .collect();
            if let (Some(most), Some(least)) = (open.iter().max(), open.iter().min()) {
                assert!(!on || most - least <= 1, "seed {seed}: {hands:?}");
            }
        }
        world.referee.finish();
        assert!(world.referee.faults().is_empty(), "{seed}: {:?}", world.referee.faults());
    }
    assert!(steps > 10, "they have played in step: {steps}");
}

/// A table hears late that tables play in step, and plays on meanwhile: who goes out there in one hand has a worse place than who does in the next,
/// however many chips both had.
#[test]
fn who_goes_out_before_the_table_has_heard_of_the_step_is_placed_by_hands() {
    let hand_for_hand = HandForHand { margin: 8, ties: Ties::Stacks, hand_ms: 1_000 };
    for seed in 0..40 {
        let config = TournamentConfig { final_redraw: false, payouts: parts(4), hand_for_hand, ..mtt(6, 40) };
        let mut world = World::new(seed, config);
        world.register(18);
        (world.wild, world.slow) = (60, 95);
        while !world.tournament.is_over() {
            assert!(world.go_on());
        }
        world.referee.finish();
        assert!(world.referee.faults().is_empty(), "{seed}: {:?}", world.referee.faults());
    }
}

fn parts(places: u16) -> protocol::tournament::Payouts {
    let each = 10_000 / places;
    let mut parts = vec![each; usize::from(places)];
    parts[0] += 10_000 - each * places;
    protocol::tournament::Payouts::Parts(parts)
}

#[test]
fn the_last_tables_seats_are_drawn_anew_and_it_deals_when_all_are_there() {
    let world = fair(5, TournamentConfig { hand_for_hand: never(), ..mtt(6, 40) }, 14);
    let last = world.tables.keys().last().unwrap();
    let first_hand = world.seen.iter().find_map(|(room, event)| match event {
        TableEvent::HandStarted { seats, .. } if room == last => Some(seats.len()),
        _ => None,
    });
    assert_eq!(first_hand, Some(6), "all six at once");
}

#[test]
fn players_are_moved_between_tables_and_arrive() {
    let mut moves = 0;
    for seed in 0..12 {
        let world = fair(seed, TournamentConfig { hand_for_hand: never(), ..mtt(6, 60) }, 33);
        moves += world.seen.iter().filter(|(_, event)| matches!(event, TableEvent::Moved { .. })).count();
    }
    assert!(moves > 50, "{moves}");
}

#[test]
fn everybody_with_chips_is_dealt_in_present_or_not() {
    let mut world = World::new(3, sng(6));
    world.register(6);
    world.calm();
    // Nobody acts: the clock plays for all, and blinds take their chips.
    for _ in 0..200_000 {
        if world.tournament.is_over() {
            break;
        }
        if !world.step() {
            let next = world
                .tables
                .values()
                .filter_map(|table| table.deadline())
                .chain(world.tournament.deadline())
                .min();
            world.now = world.now.max(next.expect("something is due"));
        }
    }
    assert_eq!(world.state["phase"], json!(Phase::Ended));
    world.referee.finish();
    assert!(world.referee.faults().is_empty(), "{:?}", world.referee.faults());
}

#[test]
fn planted_faults_are_caught() {
    for (fault, entries, told) in [
        (Fault::ForgetsReleased, 20, "is at"),
        (Fault::SeatsTwice, 20, "is at"),
        (Fault::LevelsByOwnStart, 6, "are due"),
        (Fault::PaysSharersWhole, 6, "the pool is"),
        (Fault::RanksByNumber, 9, "with"),
    ] {
        let caught = (0..50).find(|seed| {
            plant(Some(fault));
            let world = std::panic::catch_unwind(|| {
                let config = if entries > 10 {
                    TournamentConfig { hand_for_hand: never(), ..mtt(6, 60) }
                } else {
                    sng(u8::try_from(entries).unwrap())
                };
                let mut world = World::new(*seed, config);
                world.wild = if fault == Fault::LevelsByOwnStart { 3 } else { 70 };
                world.register(entries);
                for _ in 0..20_000 {
                    if world.tournament.is_over() || !world.referee.faults().is_empty() || !world.go_on() {
                        break;
                    }
                }
                if world.tournament.is_over() {
                    world.referee.finish();
                }
                world.referee.take_faults()
            });
            plant(None);
            world.is_ok_and(|faults| faults.iter().any(|(_, fault)| fault.contains(told)))
        });
        assert!(caught.is_some(), "{fault:?} was not caught in 50 seeds");
    }
}

#[test]
fn it_begins_at_its_time_and_not_before() {
    let mut world = World::new(1, mtt(6, 100));
    world.register(12);
    world.calm();
    assert_eq!(world.state["phase"], json!(Phase::Registering));
    assert_eq!(world.tournament.deadline(), Some(BEGINS_MS + 600_000));
    assert!(matches!(mtt(6, 100).starts, Starts::AtMs(_)));
    world.now = BEGINS_MS + 600_000;
    world.calm();
    assert_eq!((&world.state["phase"], world.tables.len()), (&json!(Phase::Running), 2));
}

/// A tournament of three tables, being played.
fn begun(seed: u64) -> World {
    let mut world = World::new(seed, mtt(6, 100));
    world.register(15);
    while world.seen.is_empty() {
        assert!(world.go_on());
    }
    world
}

/// Hands that have begun at the table at which somebody sits, in which he is dealt in.
fn dealt(world: &World, name: &str) -> usize {
    let user = crate::world::user(name);
    let mut seat = None;
    let mut hands = 0;
    for (room, event) in &world.seen {
        match event {
            TableEvent::Seated { seat: at, user: who, .. } if *who == user => {
                seat = Some((room.clone(), *at))
            }
            TableEvent::Left { seat: at, .. } if seat == Some((room.clone(), *at)) => seat = None,
            TableEvent::HandStarted { seats, .. } => {
                let is_in = seat.as_ref().is_some_and(|(of, at)| of == room && seats.contains(at));
                hands += usize::from(is_in);
            }
            _ => {}
        }
    }
    hands
}

fn status(world: &World, name: &str) -> Option<SeatStatus> {
    let user = crate::world::user(name);
    let seats = world.views.values().flat_map(|view| view.seats.iter().flatten());
    seats.filter(|seat| seat.user == user).map(|seat| seat.status).next()
}

#[test]
fn rule_71_a_penalty_is_sat_out_for_so_many_hands_wherever_one_is_moved() {
    for seed in 0..6 {
        let mut world = begun(seed);
        assert_eq!(
            world.direct(json!({"a": "penalty", "entry": 99, "hands": 1})).unwrap_err().code,
            Code::NotSeated
        );
        assert_eq!(
            world.direct(json!({"a": "penalty", "entry": 1, "hands": 101})).unwrap_err().code,
            Code::BadAmount
        );
        world.direct(json!({"a": "penalty", "entry": 1, "hands": 4})).unwrap();
        world.calm();
        assert_eq!(status(&world, "p1"), Some(SeatStatus::SittingOut));
        let (table, before) = (crate::world::user("p1"), dealt(&world, "p1"));
        let room = world.tables.keys().find(|room| world.views[*room].seat_of(&table).is_some());
        let room = room.unwrap().clone();
        let body = json!({"a": "come_back"}).to_string();
        let back =
            Input::Command { user: &table, name: "p1", rights: Rights::default(), body: body.as_bytes() };
        assert_eq!(world.at_table(&room, back).unwrap_err().code, Code::NotAllowed);
        while status(&world, "p1") != Some(SeatStatus::Playing)
            && world.state["phase"] == json!(Phase::Running)
        {
            assert!(world.go_on());
            assert!(dealt(&world, "p1") <= before + 4, "seed {seed}: he sits out too long");
        }
        let is_back = status(&world, "p1") == Some(SeatStatus::Playing);
        assert!(!is_back || dealt(&world, "p1") == before + 4, "seed {seed}: he is back too soon");
        world.play();
        world.referee.finish();
        assert_eq!(world.referee.faults(), [], "seed {seed}");
    }
}

#[test]
fn rule_71_whoever_is_disqualified_goes_when_the_hand_is_over_and_nobody_has_his_chips() {
    for seed in 0..12 {
        let mut world = begun(seed);
        // In the middle of a hand, while he is moved, or in the step of a bubble.
        for _ in 0..seed * 40 {
            world.go_on();
        }
        let Ok(()) = world.direct(json!({"a": "disqualify", "entry": 1})) else { continue };
        let again = world.direct(json!({"a": "disqualify", "entry": 1})).unwrap_err().code;
        assert!([Code::Unchanged, Code::NotSeated].contains(&again), "{again:?}");
        world.play();
        world.referee.finish();
        assert_eq!(world.referee.faults(), [], "seed {seed}");
        let out =
            world.told.iter().filter(|event| matches!(event, Seen::Disqualified { entry: 1, .. })).count();
        let busted = world.told.iter().any(|event| matches!(event, Seen::Busted { entry: 1, .. }));
        assert_eq!(
            out,
            usize::from(!busted),
            "seed {seed}: he loses all in the hand that is on, or he is taken out"
        );
        let place = |of: u32| {
            world.told.iter().find_map(|event| match event {
                Seen::Placed { entry, place, .. } if *entry == of => Some(*place),
                _ => None,
            })
        };
        assert!(place(1).is_some_and(|place| place > 1), "seed {seed}: {:?}", place(1));
    }
}

#[test]
fn whoever_is_left_when_the_other_is_disqualified_has_won() {
    let mut world = World::new(3, sng(2));
    world.register(2);
    while world.seen.is_empty() {
        assert!(world.go_on());
    }
    world.direct(json!({"a": "disqualify", "entry": 2})).unwrap();
    world.play();
    world.referee.finish();
    assert_eq!(world.referee.faults(), []);
    let won = |event: &Seen| matches!(event, Seen::Ended { winner } if *winner == crate::world::user("p1"));
    assert!(
        world.told.iter().any(won) || world.told.iter().any(|event| matches!(event, Seen::Busted { .. }))
    );
}
