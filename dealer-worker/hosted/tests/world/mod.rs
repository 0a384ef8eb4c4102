//! A table with a host without a runtime: what is said to it is decided and applied, and what it would tell is looked at.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use broker::node::RoomSpec;
use hosted::{Hosted, Settings};
use protocol::{
    RefusalCode as Code,
    hosted::{Access, AiSeats, HostLeaves, HostedView},
    id::{Position, RoomId, UserId},
    rights::Rights,
    table::{TableConfig, TableView, WaitingList},
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rooms::room::{Input, Moment, Refusal, Room, errands::Ask};
use serde_json::{Value, json};

pub const IDLE_MS: u64 = 600_000;

pub struct World {
    pub room: Hosted,
    pub now: u64,
    seq: u64,
    rng: ChaCha8Rng,
    pub letters: Vec<RoomId>,
    /// What was asked of services, the first first.
    pub asked: Vec<Ask>,
}

pub fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

impl World {
    pub fn new(access: Access, host_leaves: HostLeaves) -> Self {
        Self::with(access, host_leaves, AiSeats::Marked)
    }

    pub fn with(access: Access, host_leaves: HostLeaves, ai: AiSeats) -> Self {
        let settings = Settings {
            table: TableConfig { pause_ms: 10, rathole_ms: 0, ..TableConfig::default() },
            host: user("ann"),
            access,
            host_leaves,
            floor: RoomId::new("floor-00").unwrap(),
            idle_ms: IDLE_MS,
            big_blind_max: 100,
            ai,
        };
        let room = Hosted::open(&RoomSpec::new(Hosted::NAME, &settings)).unwrap();
        let rng = ChaCha8Rng::seed_from_u64(1);
        let mut world = Self { room, now: 1_000, seq: 0, rng, letters: Vec::new(), asked: Vec::new() };
        world.wait(0);
        world
    }

    pub fn decide(&mut self, input: Input<'_>) -> Result<Vec<Value>, Refusal> {
        let moment = Moment { now: self.now, at: Position::new(1, self.seq + 1) };
        let decision = self.room.decide(input, moment, &mut self.rng)?;
        self.seq += 1;
        let mut after = self.room.clone();
        decision.events.iter().for_each(|event| after.apply(event, moment.at));
        assert!(after == decision.after, "the events of a decision lead to its state");
        let record = postcard::to_stdvec(&decision.after).unwrap();
        assert!(
            postcard::from_bytes::<Hosted>(&record).unwrap() == decision.after,
            "it is restored as it was"
        );
        self.letters.extend(decision.letters.iter().map(|said| said.to.clone()));
        self.asked.extend(decision.asks);
        self.room = decision.after;
        Ok(serde_json::from_str(decision.public.get()).unwrap())
    }

    pub fn says(&mut self, name: &str, what: Value) -> Result<Vec<Value>, Refusal> {
        let (user, body) = (user(name), what.to_string());
        self.decide(Input::Command { user: &user, name, rights: Rights::default(), body: body.as_bytes() })
    }

    #[track_caller]
    pub fn does(&mut self, name: &str, what: Value) -> Vec<Value> {
        self.says(name, what.clone()).unwrap_or_else(|refusal| panic!("{name} {what}: {refusal:?}"))
    }

    #[track_caller]
    pub fn may_not(&mut self, name: &str, what: Value, code: Code) {
        let refused = self.says(name, what.clone()).expect_err("it is refused");
        assert_eq!(refused.code, code, "{name} {what}: {}", refused.message);
    }

    /// Lets time pass, and does what is due.
    pub fn wait(&mut self, ms: u64) {
        let until = self.now + ms;
        for _ in 0..10_000 {
            match self.room.deadline().filter(|due| *due <= until) {
                Some(due) => {
                    self.now = self.now.max(due);
                    let told = self.decide(Input::Clock).unwrap();
                    drop(told);
                }
                None => {
                    self.now = until;
                    return;
                }
            }
        }
        panic!("something is due again and again");
    }

    pub fn view(&self) -> TableView {
        serde_json::from_str(self.room.view().get()).unwrap()
    }

    pub fn hosted(&self) -> HostedView {
        let state: Value = serde_json::from_str(self.room.view().get()).unwrap();
        serde_json::from_value(state["hosted"].clone()).unwrap()
    }

    pub fn sits(&self, name: &str) -> bool {
        self.view().seat_of(&user(name)).is_some()
    }

    pub fn in_hand(&self) -> bool {
        self.view().hand.is_some_and(|hand| !hand.ended)
    }

    /// Who waits, who of them is called, and to which seat.
    pub fn list(&self) -> (Vec<String>, Vec<(String, u8)>) {
        let state: Value = serde_json::from_str(self.room.view().get()).unwrap();
        let list: WaitingList = serde_json::from_value(state["waiting_list"].clone()).unwrap_or_default();
        let waiting = list.waiting.into_iter().map(|waiting| waiting.user.to_string());
        (waiting.collect(), list.called.into_iter().map(|call| (call.user.to_string(), call.seat)).collect())
    }

    pub fn is_listed(&self) -> bool {
        self.room.line(&RoomId::new("t-x").unwrap(), self.now).is_some()
    }

    /// Ann and Bob sit, and are in a hand.
    pub fn playing(access: Access, host_leaves: HostLeaves) -> Self {
        let mut world = Self::new(access, host_leaves);
        if access.is_guarded() {
            world.does("ann", json!({"a": "invite", "user": "bob"}));
        }
        world.does("ann", sit());
        world.does("bob", sit());
        world.wait(1);
        assert!(world.in_hand());
        world
    }
}

pub fn sit() -> Value {
    json!({"a": "sit", "buy_in": 200})
}

pub fn choice(big_blind: u64) -> Value {
    json!({"name": "Friday", "seats": 6, "small_blind": 1, "big_blind": big_blind, "buy_in_min": 100, "buy_in_max": 500, "turn_ms": 20_000})
}
