//! The waiting list of a table: whoever does not come when he is called keeps no seat empty for long.

use proptest::prelude::*;
use protocol::{
    RefusalCode as Code,
    id::{Position, UserId},
    rights::Rights,
    table::{TableConfig, WaitingList},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rooms::room::{Decision, Input, Moment, Refusal, Room};
use serde_json::{Value, json};
use table::{Table, missed::PAUSES_MS, waiting::CALL_MS};

const START_MS: u64 = 1_700_000_000_000;

/// Whoever wants something looks so often.
const STEP_MS: u64 = 5_000;

struct World {
    table: Table,
    now: u64,
    seq: u64,
    rng: ChaCha8Rng,
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn sit() -> Value {
    json!({"a": "sit", "buy_in": 200})
}

fn wait() -> Value {
    json!({"a": "wait"})
}

impl World {
    /// Three seats, all taken; ann and bob look on from theirs, so that no hand is dealt unless two others play.
    fn full(seed: u64) -> Self {
        let sit_out_ms = 100 * 3_600_000;
        let config =
            TableConfig { seats: 3, pause_ms: 1_000, rathole_ms: 0, sit_out_ms, ..TableConfig::default() };
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let mut world = Self { table: Table::new(config), now: START_MS, seq: 0, rng };
        for name in ["ann", "bob"] {
            world.does(name, &sit());
            world.does(name, &json!({"a": "sit_out"}));
        }
        world.does("cid", &sit());
        world
    }

    fn commit(&mut self, decision: Decision<Table>) {
        for event in &decision.events {
            self.table.apply(event, Position::new(1, self.seq));
        }
        assert!(self.table == decision.after, "events lead to the decided state");
    }

    fn decide(&mut self, input: Input<'_>) -> Result<(), Refusal> {
        self.seq += 1;
        let moment = Moment { now: self.now, at: Position::new(1, self.seq) };
        let decision = self.table.decide(input, moment, &mut self.rng)?;
        self.commit(decision);
        Ok(())
    }

    fn says(&mut self, name: &str, what: &Value) -> Result<(), Refusal> {
        let (user, body) = (user(name), what.to_string());
        self.decide(Input::Command { user: &user, name, rights: Rights::default(), body: body.as_bytes() })
    }

    fn does(&mut self, name: &str, what: &Value) {
        self.says(name, what).unwrap_or_else(|refusal| panic!("{name} {what}: {refusal:?}"));
    }

    fn refused(&mut self, name: &str, what: &Value) -> Refusal {
        self.says(name, what).expect_err("refused")
    }

    /// Time passes, and the clock does what is due.
    fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        while let Some(due) = self.table.deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.decide(Input::Clock).unwrap();
        }
        self.now = until;
    }

    fn list(&self) -> WaitingList {
        let view: Value = serde_json::from_str(self.table.view().get()).unwrap();
        serde_json::from_value(view["waiting_list"].clone()).unwrap_or_default()
    }

    fn called(&self) -> Option<String> {
        self.list().called.first().map(|call| call.user.to_string())
    }

    fn waits(&self, name: &str) -> bool {
        self.list().waiting.iter().any(|waiting| waiting.user == user(name))
    }

    fn sits(&self, name: &str) -> bool {
        self.table.seat_of(&user(name)).is_some()
    }
}

/// Whoever waits after `absent` has missed the call for the only seat that was free; that one is called to `hal` now.
fn missed_by(how: impl FnOnce(&mut World)) -> World {
    let mut world = World::full(1);
    for name in ["absent", "hal"] {
        world.does(name, &wait());
    }
    world.does("cid", &json!({"a": "leave"}));
    assert_eq!(world.called().as_deref(), Some("absent"));
    how(&mut world);
    assert_eq!(world.called().as_deref(), Some("hal"));
    world
}

#[test]
fn whoever_lets_a_call_run_out_or_gives_it_up_or_leaves_before_a_hand_may_not_wait_again_for_a_while() {
    let runs_out = |world: &mut World| world.pass(CALL_MS);
    let gives_up = |world: &mut World| world.does("absent", &json!({"a": "stop_waiting"}));
    let leaves = |world: &mut World| {
        world.does("absent", &sit());
        world.does("absent", &json!({"a": "leave"}));
    };
    for how in [&runs_out as &dyn Fn(&mut World), &gives_up, &leaves] {
        let mut world = missed_by(how);
        let refusal = world.refused("absent", &wait());
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::CallMissed, Some(PAUSES_MS[0])));
        world.does("hal", &sit());
        world.pass(PAUSES_MS[0] - 1);
        assert_eq!(world.refused("absent", &wait()).code, Code::CallMissed);
        world.pass(1);
        world.does("absent", &wait());
    }
}

#[test]
fn whoever_misses_calls_sits_down_where_a_seat_is_free() {
    let mut world = missed_by(|world| world.pass(CALL_MS));
    world.pass(CALL_MS);
    assert_eq!(world.called(), None);
    world.does("absent", &sit());
}

#[test]
fn whoever_gives_up_waiting_before_he_is_called_waits_again_at_once() {
    let mut world = World::full(1);
    world.does("hal", &wait());
    world.does("hal", &json!({"a": "stop_waiting"}));
    world.does("hal", &wait());
}

#[test]
fn whoever_is_called_and_plays_a_hand_has_come() {
    let mut world = World::full(1);
    world.does("hal", &wait());
    world.does("cid", &json!({"a": "leave"}));
    world.does("hal", &sit());
    world.does("ann", &json!({"a": "come_back"}));
    world.pass(120_000);
    assert!(world.table.hand() > 0);
    world.does("hal", &json!({"a": "leave"}));
    world.pass(120_000);
    world.does("ida", &sit());
    world.does("hal", &wait());
}

/// What an absent one does of which nobody has a seat.
fn abuse(world: &mut World, name: &str) {
    if world.called().as_deref() == Some(name) {
        match world.rng.random_range(0..12) {
            0 | 1 => world.does(name, &json!({"a": "stop_waiting"})),
            2 => {
                world.does(name, &sit());
                world.does(name, &json!({"a": "leave"}));
            }
            _ => {}
        }
    } else if !world.waits(name) {
        let _ = world.says(name, &wait());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// In an hour each of them holds up a seat three times, for half a minute at most. Without that they held it all the time.
    #[test]
    fn however_many_wait_and_never_come_keep_a_seat_empty_for_three_calls_of_each_in_an_hour(
        absent in 1_usize..10,
        seed: u64,
    ) {
        let names: Vec<String> = (0..absent).map(|number| format!("absent{number}")).collect();
        let mut world = World::full(seed);
        let (mut held_ms, mut played_ms, mut sat_for) = (0, 0, 0);
        // Others, each of whom comes once and stays for half a minute.
        let (mut others, mut hal) = (0, "hal".to_owned());
        names.iter().for_each(|name| abuse(&mut world, name));
        world.does("cid", &json!({"a": "leave"}));
        for _ in 0..3_600_000 / STEP_MS {
            names.iter().for_each(|name| abuse(&mut world, name));
            match world.called() {
                Some(called) if called == hal => world.does(&hal, &sit()),
                Some(_) => held_ms += STEP_MS,
                None => {}
            }
            if world.sits(&hal) {
                (played_ms, sat_for) = (played_ms + STEP_MS, sat_for + STEP_MS);
                if sat_for == 30_000 {
                    world.does(&hal, &json!({"a": "leave"}));
                    (sat_for, others) = (0, others + 1);
                    hal = format!("hal{others}");
                }
            } else if !world.waits(&hal) && world.says(&hal, &wait()).is_err() {
                // A seat is free, or the list is full.
                let _ = world.says(&hal, &sit());
            }
            world.pass(STEP_MS);
        }
        let absent = u64::try_from(absent).unwrap();
        prop_assert!(held_ms <= absent * 3 * (CALL_MS + STEP_MS), "{held_ms} ms by {absent}");
        prop_assert!(played_ms > 0, "nobody else has come to play");
    }
}
