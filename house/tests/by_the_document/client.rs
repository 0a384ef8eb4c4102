//! The client: a token, a session over many connections, commands until they are answered, and one table.

use std::{collections::BTreeMap, net::SocketAddr, thread, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::{fold, http, shape::Shapes, wire::Wire};

/// A client plays so many hands at least.
pub(crate) const HANDS: u64 = 25;

/// And its connection is cut so often at least.
pub(crate) const CUTS: u64 = 15;

const ROOM: &str = "t1";

/// What a client has been through.
#[derive(Debug, Default)]
pub(crate) struct Story {
    pub(crate) hands: u64,
    pub(crate) cuts: u64,
    /// Commands that were sent again on a later connection.
    pub(crate) repeated: u64,
    pub(crate) acks: u64,
    pub(crate) refusals: BTreeMap<String, u64>,
    /// Keyframes that came right behind the own state and were equal to it.
    pub(crate) keyframes_equal: u64,
    /// Keyframes that went past frames not seen.
    pub(crate) jumps: u64,
    pub(crate) events: u64,
}

pub(crate) struct Client {
    address: SocketAddr,
    token: Value,
    user: Value,
    session: Option<Value>,
    n: u64,
    /// Without an answer so far.
    waiting: BTreeMap<u64, Value>,
    /// `[epoch, seq]` of the last frame or keyframe.
    at: (u64, u64),
    state: Value,
    /// The hand and turn that was answered last.
    acted: (u64, u64),
    rng: StdRng,
    shapes: Shapes,
    story: Story,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, name: &str, seed: u64) -> Self {
        let issued = http::post(address, "/api/guest", &json!({"name": name}));
        assert_eq!(issued.status, 201, "{issued:?}");
        Self {
            address,
            token: issued.body["token"].clone(),
            user: issued.body["user"].clone(),
            session: None,
            n: 0,
            waiting: BTreeMap::new(),
            at: (0, 0),
            state: Value::Null,
            acted: (0, 0),
            rng: StdRng::seed_from_u64(seed),
            shapes: Shapes::of_the_document(),
            story: Story::default(),
        }
    }

    /// Plays over as many connections as it takes.
    pub(crate) fn play(mut self) -> Story {
        while !self.is_done() {
            self.visit();
            thread::sleep(Duration::from_millis(self.rng.random_range(0..50)));
        }
        self.story
    }

    fn is_done(&self) -> bool {
        self.story.hands >= HANDS
            && self.story.cuts >= CUTS
            && self.story.keyframes_equal >= 3
            && self.story.repeated > 0
    }

    /// One connection, which is cut after some messages or in the middle of saying something.
    fn visit(&mut self) {
        let mut wire = Wire::open(self.address);
        let mut hello = json!({"t": "hello", "token": self.token});
        if let Some(session) = &self.session {
            hello["session"] = session.clone();
        }
        if self.at != (0, 0) {
            hello["resume"] = json!({ROOM: [self.at.0, self.at.1]});
        }
        wire.say(&hello);
        let mut left = self.rng.random_range(3..150);
        let mut greeted = false;
        while left > 0 {
            let message = wire.hear().unwrap_or_else(|code| panic!("closed with {code:?}"));
            self.shapes.check(&message);
            if message["t"] == "welcome" {
                greeted = true;
                let goes_on = self.session.is_some();
                self.welcomed(&message);
                if goes_on && message["counts"] == true {
                    wire.say(&json!({"t": "count", "n": self.n}));
                }
                for command in self.waiting.values() {
                    wire.say(command);
                    self.story.repeated += 1;
                }
                if self.at == (0, 0) {
                    wire.say(&json!({"t": "watch", "room": ROOM}));
                }
            } else {
                assert!(greeted, "the welcome comes first: {message}");
                self.hear(&message);
            }
            if let Some(command) = self.next_command() {
                self.n += 1;
                let command = json!({"t": "do", "n": self.n, "room": ROOM, "do": command});
                wire.say(&command);
                self.waiting.insert(self.n, command);
                if self.rng.random_bool(0.1) {
                    break;
                }
            }
            left -= 1;
        }
        // The socket is dropped without a word.
        self.story.cuts += 1;
    }

    fn welcomed(&mut self, welcome: &Value) {
        assert_eq!(welcome["user"], self.user);
        let session = self.session.get_or_insert_with(|| welcome["session"].clone());
        assert_eq!(*session, welcome["session"], "the session goes on");
    }

    fn hear(&mut self, message: &Value) {
        match message["t"].as_str().unwrap() {
            "keyframe" => self.keyframe(message),
            "frame" => self.frame(message),
            "ack" => {
                self.answered(message);
                let at = (message["epoch"].as_u64().unwrap(), message["seq"].as_u64().unwrap());
                assert!(at <= self.at, "{message} before its frame, at {:?}", self.at);
                self.story.acks += 1;
            }
            "refused" => {
                self.answered(message);
                let code = message["code"].as_str().unwrap().to_owned();
                let ours = ["bad_command", "no_such_room", "stale_n", "illegal", "not_your_turn"];
                assert!(!ours.contains(&code.as_str()), "{message}");
                // Whatever it was, the turn may still be on.
                self.acted = (0, 0);
                *self.story.refusals.entry(code).or_default() += 1;
            }
            "error" => panic!("{message}"),
            "notice" => assert_ne!(message["code"], "history_lost", "{message}"),
            // The own cards, which this client does not look at; a later house may say more.
            _ => {}
        }
    }

    fn answered(&mut self, answer: &Value) {
        let n = answer["n"].as_u64().unwrap();
        assert!(self.waiting.remove(&n).is_some(), "answered twice or never asked: {answer}");
    }

    fn keyframe(&mut self, message: &Value) {
        let at = (message["epoch"].as_u64().unwrap(), message["seq"].as_u64().unwrap());
        if at.1 <= self.at.1 {
            assert!(at.0 <= self.at.0, "the broker, which is memory, has lost frames: {message}");
            return;
        }
        let (state, is_first) = (&message["state"], self.at == (0, 0));
        if !is_first && at.1 == self.at.1 + 1 {
            assert_eq!(self.state, *state, "the keyframe {at:?} is not what the frames before it add up to");
            self.story.keyframes_equal += 1;
        }
        self.story.jumps += u64::from(!is_first && at.1 > self.at.1 + 1);
        (self.at, self.state) = (at, state.clone());
    }

    fn frame(&mut self, message: &Value) {
        let at = (message["epoch"].as_u64().unwrap(), message["seq"].as_u64().unwrap());
        if at.1 <= self.at.1 {
            return;
        }
        assert_eq!(at.1, self.at.1 + 1, "something was missed: {message}, at {:?}", self.at);
        self.at = at;
        for event in message["events"].as_array().unwrap() {
            fold::apply(&mut self.state, event);
            assert!(fold::adds_up(&self.state), "the chips do not add up after {event}");
            self.story.events += 1;
            let played = self.seat().is_some_and(|seat| self.state["seats"][seat]["in_hand"] == true);
            self.story.hands += u64::from(event["e"] == "hand_ended" && played);
        }
    }

    fn seat(&self) -> Option<usize> {
        self.state["seats"].as_array()?.iter().position(|seat| seat["user"] == self.user)
    }

    /// What to ask of the table now, one thing at a time.
    fn next_command(&mut self) -> Option<Value> {
        if self.state.is_null() || !self.waiting.is_empty() {
            return None;
        }
        let config = &self.state["config"];
        let buy_in = config["buy_in_min"].clone();
        let Some(seat) = self.seat() else {
            return Some(json!({"a": "sit", "buy_in": buy_in, "wait_for_big_blind": false}));
        };
        let (own, hand) = (&self.state["seats"][seat], &self.state["hand"]);
        let is_on = own["in_hand"] == true && hand["ended"] == false;
        if own["stack"] == 0 && !is_on {
            return Some(json!({"a": "top_up", "amount": buy_in}));
        }
        if own["status"] == "sitting_out" {
            return Some(json!({"a": "come_back"}));
        }
        if self.rng.random_bool(0.01) {
            return Some(json!({"a": "chat", "text": "nice hand"}));
        }
        let turn = &hand["turn"];
        if turn.is_null() || turn["seat"] != seat {
            return None;
        }
        let named = (hand["hand"].as_u64().unwrap(), turn["turn"].as_u64().unwrap());
        if std::mem::replace(&mut self.acted, named) == named {
            return None;
        }
        let mut act = json!({"a": "act", "hand": named.0, "turn": named.1});
        let can_check = turn["call"].is_null();
        act["kind"] = match self.rng.random_range(0..10) {
            0 | 1 if !can_check => json!("fold"),
            2 | 3 if !turn["raise"].is_null() => {
                let raise = &turn["raise"];
                let least = self.rng.random_bool(0.8);
                act["to"] = raise[if least { "min" } else { "max" }].clone();
                json!(if raise["bet"] == true { "bet" } else { "raise" })
            }
            _ if can_check => json!("check"),
            _ => json!("call"),
        };
        Some(act)
    }
}
