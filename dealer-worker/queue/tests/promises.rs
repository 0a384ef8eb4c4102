//! A queue and its tables, whose letters come when they come: who waits is sent to one table, once, and a table is opened when enough wait.

use std::collections::{BTreeMap, VecDeque};

use broker::node::RoomSpec;
use protocol::{
    RefusalCode as Code,
    id::{Position, RoomId, UserId},
    queue::QueuePrivate,
    rights::{Can, Rights},
    table::{TableConfig, WaitingList},
};
use queue::{
    Queue, QueueTable, Settings, at_table,
    letters::{ToQueue, read},
};
use rand::{RngExt, SeedableRng, seq::IteratorRandom};
use rand_chacha::ChaCha8Rng;
use rooms::room::{
    Input, Moment, Refusal, Room,
    errands::{Ask, Errand, ErrandId, Outcome},
    letters::{LetterId, Reference},
};
use serde_json::{Value, json};
use table::missed::PAUSES_MS;

const START_MS: u64 = 1_700_000_000_000;

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn id(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

/// Letters from one room to another that are not heard yet.
type Mail = BTreeMap<(RoomId, RoomId), VecDeque<(LetterId, Vec<u8>)>>;

/// What somebody asks, or is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Join,
    Place,
    Room,
    Nothing,
}

struct World {
    queue: Queue,
    logs: BTreeMap<UserId, Vec<Said>>,
    tables: BTreeMap<RoomId, QueueTable>,
    /// Tables that are asked for and not there yet.
    asked: Vec<(ErrandId, Ask)>,
    mail: Mail,
    parts: BTreeMap<UserId, Vec<QueuePrivate>>,
    now: u64,
    seq: u64,
    rng: ChaCha8Rng,
}

impl World {
    fn new(opens_at: u8, seats: u8, seed: u64) -> Self {
        let table = TableConfig { name: "Aspen".into(), seats, rathole_ms: 0, ..TableConfig::default() };
        let settings = Settings { id: id("q"), table, opens_at, tables_max: 8, idle_ms: 60_000 };
        Self {
            logs: BTreeMap::new(),
            queue: Queue::open(&RoomSpec::new(Queue::NAME, &settings)).unwrap(),
            tables: BTreeMap::new(),
            asked: Vec::new(),
            mail: Mail::new(),
            parts: BTreeMap::new(),
            now: START_MS,
            seq: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    fn moment(&mut self) -> Moment {
        self.seq += 1;
        Moment { now: self.now, at: Position::new(1, self.seq) }
    }

    fn at_queue(&mut self, input: Input<'_>) -> Result<(), Refusal> {
        let moment = self.moment();
        let decision = self.queue.decide(input, moment, &mut self.rng)?;
        if let Input::Command { user, body, .. } = input
            && body == br#"{"a":"join"}"#
        {
            self.logs.entry(user.clone()).or_default().push(Said::Join);
        }
        decision.events.iter().for_each(|event| self.queue.apply(event, moment.at));
        assert!(self.queue == decision.after, "events lead to the decided state");
        for (n, ask) in decision.asks.into_iter().enumerate() {
            self.asked.push((ErrandId { at: moment.at, n: u16::try_from(n).unwrap() }, ask));
        }
        for (who, part) in decision.privates {
            let part: QueuePrivate = serde_json::from_str(part.get()).unwrap();
            let what = match (&part.place, &part.room) {
                (Some(_), _) => Said::Place,
                (None, Some(_)) => Said::Room,
                (None, None) => Said::Nothing,
            };
            self.logs.entry(who.clone()).or_default().push(what);
            let parts = self.parts.entry(who).or_default();
            assert_eq!(part.k, parts.last().map_or(0, |last| last.k) + 1, "none is left out");
            parts.push(part);
        }
        self.post(&id("q"), moment, decision.letters);
        Ok(())
    }

    fn at_table(&mut self, room: &RoomId, input: Input<'_>) -> Result<(), Refusal> {
        let moment = self.moment();
        let table = self.tables.get_mut(room).expect("it is there");
        let decision = table.decide(input, moment, &mut self.rng)?;
        decision.events.iter().for_each(|event| table.apply(event, moment.at));
        assert!(*table == decision.after, "events lead to the decided state");
        self.post(room, moment, decision.letters);
        Ok(())
    }

    fn post(&mut self, from: &RoomId, moment: Moment, letters: Vec<rooms::room::letters::Said>) {
        for (index, said) in letters.into_iter().enumerate() {
            let letter = LetterId { at: moment.at, index: u16::try_from(index).unwrap() };
            let way = self.mail.entry((from.clone(), said.to)).or_default();
            way.push_back((letter, said.body.as_bytes().to_vec()));
        }
    }

    fn asks(&mut self, name: &str, what: &str) -> Result<(), Refusal> {
        let (who, body) = (user(name), json!({"a": what}).to_string());
        let input = Input::Command { user: &who, name, rights: Rights::default(), body: body.as_bytes() };
        self.at_queue(input)
    }

    fn joins(&mut self, name: &str) {
        self.asks(name, "join").unwrap();
    }

    /// What somebody has asked and was told, in that order.
    fn log(&self, name: &str) -> Vec<Said> {
        self.logs.get(&user(name)).cloned().unwrap_or_default()
    }

    fn says(&mut self, room: &RoomId, name: &str, what: &Value) -> Result<(), Refusal> {
        let (who, body) = (user(name), what.to_string());
        let input = Input::Command { user: &who, name, rights: Rights::default(), body: body.as_bytes() };
        self.at_table(room, input)
    }

    fn sits(&mut self, room: &RoomId, name: &str) {
        self.says(room, name, &json!({"a": "sit", "buy_in": 200})).unwrap();
    }

    /// A table that was asked for is there.
    fn opens(&mut self) -> bool {
        if self.asked.is_empty() {
            return false;
        }
        let (id, ask) = self.asked.remove(0);
        let (_, room, spec): (u8, RoomId, Vec<u8>) = postcard::from_bytes(&ask.body).unwrap();
        let spec: RoomSpec = serde_json::from_slice(&spec).unwrap();
        self.tables.insert(room, QueueTable::open(&spec).unwrap());
        let errand = Errand { id, ask };
        self.at_queue(Input::Outcome { errand: &errand, outcome: &Outcome::Done(Vec::new().into()) })
            .unwrap();
        true
    }

    /// A letter comes.
    fn delivers(&mut self, from: &RoomId, to: &RoomId) {
        let Some((letter, body)) =
            self.mail.get_mut(&(from.clone(), to.clone())).and_then(VecDeque::pop_front)
        else {
            return;
        };
        let input = Input::Told { from, letter, body: &body };
        if *to == id("q") {
            self.at_queue(input).unwrap();
            // Whatever has ended is gone, and what was on the way there is heard by nobody.
            if read::<ToQueue>(&body) == Some(ToQueue::Over) {
                self.tables.remove(from);
                self.mail.remove(&(to.clone(), from.clone()));
            }
        } else if self.tables.contains_key(to) {
            self.at_table(to, input).unwrap();
        }
    }

    fn on_the_way(&self) -> Vec<(RoomId, RoomId)> {
        self.mail.iter().filter(|(_, letters)| !letters.is_empty()).map(|(way, _)| way.clone()).collect()
    }

    /// Everything that is on its way comes, and time passes as far as nothing else is due.
    fn settles(&mut self) {
        loop {
            if let Some((from, to)) = self.on_the_way().first().cloned() {
                self.delivers(&from, &to);
            } else if !self.opens() && !self.ticks(self.now) {
                return;
            }
        }
    }

    /// The clock of one room that is due by then.
    fn ticks(&mut self, until: u64) -> bool {
        let due = |at: Option<u64>| at.is_some_and(|at| at <= until);
        let table = self.tables.iter().find(|(_, table)| due(table.deadline())).map(|(room, _)| room.clone());
        if let Some(room) = table {
            self.now = self.now.max(self.tables[&room].deadline().unwrap());
            self.at_table(&room, Input::Clock).unwrap();
            return true;
        }
        let queue = due(self.queue.deadline());
        if queue {
            self.now = self.now.max(self.queue.deadline().unwrap());
            self.at_queue(Input::Clock).unwrap();
        }
        queue
    }

    fn passes(&mut self, ms: u64) {
        let until = self.now + ms;
        self.settles();
        while self.ticks(until) {
            self.settles();
        }
        self.now = until;
    }

    fn told(&self, name: &str) -> QueuePrivate {
        self.parts.get(&user(name)).and_then(|parts| parts.last().cloned()).unwrap_or_default()
    }

    fn list(&self, room: &RoomId) -> WaitingList {
        let view: Value = serde_json::from_str(self.tables[room].view().get()).unwrap();
        serde_json::from_value(view["waiting_list"].clone()).unwrap_or_default()
    }

    fn called(&self, room: &RoomId) -> Vec<String> {
        self.list(room).called.iter().map(|call| call.user.to_string()).collect()
    }
}

#[test]
fn one_who_waits_opens_nothing_and_the_second_opens_a_table_for_both() {
    let mut world = World::new(2, 6, 1);
    world.joins("ann");
    world.settles();
    assert_eq!((world.told("ann").place, world.tables.len()), (Some(1), 0));
    world.joins("bob");
    assert_eq!(world.told("bob").place, Some(2));
    world.settles();
    let room = id("q.1");
    assert_eq!((world.told("ann").room, world.told("bob").room), (Some(room.clone()), Some(room.clone())));
    assert_eq!(world.called(&room), ["ann", "bob"]);
    for name in ["ann", "bob"] {
        world.sits(&room, name);
    }
    // Whoever comes then is sent there at once.
    world.settles();
    world.joins("cid");
    world.settles();
    assert_eq!((world.told("cid").room, world.tables.len()), (Some(room), 1));
}

#[test]
fn where_all_tables_are_full_the_next_two_open_another_and_one_waits_until_a_seat_comes_free() {
    let mut world = World::new(2, 2, 1);
    for name in ["ann", "bob"] {
        world.joins(name);
    }
    world.settles();
    for name in ["ann", "bob"] {
        world.sits(&id("q.1"), name);
    }
    world.settles();
    world.joins("cid");
    world.settles();
    assert_eq!((world.told("cid").place, world.tables.len()), (Some(1), 1));
    world.says(&id("q.1"), "ann", &json!({"a": "leave"})).unwrap();
    while world.told("cid").room.is_none() {
        world.passes(1_000);
    }
    assert_eq!(world.told("cid").room, Some(id("q.1")));
    world.sits(&id("q.1"), "cid");
    world.settles();
    for name in ["dan", "eve"] {
        world.joins(name);
    }
    world.settles();
    assert_eq!((world.told("dan").room, world.told("eve").room), (Some(id("q.2")), Some(id("q.2"))));
}

#[test]
fn whoever_is_sent_to_a_table_that_has_just_closed_waits_again_before_all_others() {
    let mut world = World::new(1, 2, 1);
    world.joins("ann");
    world.settles();
    assert_eq!(world.called(&id("q.1")), ["ann"]);
    world.says(&id("q.1"), "ann", &json!({"a": "stop_waiting"})).unwrap();
    world.settles();
    // The word that the table closes and the word that somebody comes cross each other.
    let until = world.now + 60_000;
    while world.on_the_way().is_empty() {
        assert!(world.ticks(until), "it closes");
    }
    world.joins("bob");
    assert_eq!(world.told("bob").room, Some(id("q.1")));
    world.settles();
    assert_eq!(world.told("bob").room, Some(id("q.2")));
    assert_eq!(world.called(&id("q.2")), ["bob"]);
}

#[test]
fn whoever_lets_calls_pass_may_not_wait_again_for_a_while_and_opens_no_tables() {
    let mut world = World::new(2, 6, 1);
    for name in ["ann", "bob"] {
        world.joins(name);
    }
    world.passes(30_000);
    let refusal = world.asks("ann", "join").unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms), (Code::CallMissed, Some(PAUSES_MS[0])));
    world.passes(60_000);
    assert_eq!(world.tables.len(), 0, "a table at which nobody sits closes");
    world.passes(PAUSES_MS[0]);
    world.joins("ann");
}

#[test]
fn whoever_is_gone_for_a_minute_waits_no_more_and_nobody_waits_for_whoever_is_gone() {
    let mut world = World::new(2, 6, 1);
    world.joins("ann");
    world.at_queue(Input::Away { user: &user("ann"), away: true }).unwrap();
    world.joins("bob");
    world.passes(30_000);
    assert_eq!(world.tables.len(), 0);
    world.at_queue(Input::Away { user: &user("ann"), away: false }).unwrap();
    world.settles();
    assert_eq!(world.called(&id("q.1")), ["ann", "bob"]);
    world.joins("cid");
    world.settles();
    assert_eq!(world.told("cid").room, Some(id("q.1")));
    let mut world = World::new(2, 6, 1);
    world.joins("ann");
    world.at_queue(Input::Away { user: &user("ann"), away: true }).unwrap();
    world.passes(60_000);
    assert_eq!((world.told("ann").place, world.told("ann").room), (None, None));
}

#[test]
fn what_is_not_asked_rightly_is_refused() {
    let mut world = World::new(2, 6, 1);
    world.joins("ann");
    assert_eq!(world.asks("ann", "join").unwrap_err().code, Code::Unchanged);
    world.asks("ann", "leave").unwrap();
    assert_eq!(world.asks("ann", "leave").unwrap_err().code, Code::Unchanged);
    assert_eq!(world.asks("ann", "accept").unwrap_err().code, Code::BadCommand);
    world.joins("bob");
    let nothing = Rights { can: Can::ALL.without(Can::PLAY), ..Rights::default() };
    let mut says = |name: &str, what: &str| {
        let (who, body) = (user(name), json!({"a": what}).to_string());
        world.at_queue(Input::Command { user: &who, name, rights: nothing, body: body.as_bytes() })
    };
    assert_eq!(says("cid", "join").unwrap_err().code, Code::NotAllowed);
    says("bob", "leave").unwrap();
}

/// Letters cross each other in any order; people come, go, sit, leave, miss calls.
#[test]
fn every_ticket_comes_to_one_table_whatever_crosses_what() {
    for seed in 0..40 {
        let mut world = World::new(2, 3, seed);
        let names: Vec<String> = (0..12).map(|number| format!("u{number}")).collect();
        for _ in 0..600 {
            let name = names.iter().choose(&mut world.rng).unwrap().as_str();
            let ways = world.on_the_way();
            match world.rng.random_range(0..12) {
                0 | 1 => drop(world.asks(name, "join")),
                2 if world.rng.random_bool(0.2) => {
                    let _ = world.asks(name, "leave");
                }
                3..7 => {
                    if let Some((from, to)) = ways.into_iter().choose(&mut world.rng) {
                        world.delivers(&from, &to);
                    }
                }
                7 => _ = world.opens(),
                8 | 9 => {
                    let room = world.tables.keys().choose(&mut world.rng).cloned();
                    let what = if world.rng.random_bool(0.7) { "sit" } else { "leave" };
                    let what =
                        if what == "sit" { json!({"a": what, "buy_in": 200}) } else { json!({"a": what}) };
                    let _ = room.map(|room| world.says(&room, name, &what));
                }
                10 => {
                    let away = world.rng.random_bool(0.5);
                    world.at_queue(Input::Away { user: &user(name), away }).unwrap();
                }
                _ => {
                    let ms = world.rng.random_range(0..8_000);
                    let until = world.now + ms;
                    while world.rng.random_bool(0.8) && world.ticks(until) {}
                    world.now = until.max(world.now);
                }
            }
        }
        names.iter().for_each(|name| world.at_queue(Input::Away { user: &user(name), away: false }).unwrap());
        world.passes(600_000);
        for name in &names {
            // Whoever is sent somewhere has waited since he was sent somewhere before: he has asked, or a table that closed has given him back.
            let mut waits = false;
            for said in world.log(name) {
                assert!(said != Said::Room || waits, "seed {seed}: {name}: {:?}", world.log(name));
                waits = matches!(said, Said::Join | Said::Place);
            }
        }
        let waiting = names.iter().filter(|name| world.told(name).place.is_some()).count();
        assert!(waiting < 2, "seed {seed}: {waiting} wait, and nothing is opened for them");
    }
}

/// What the queue had said and its journal has lost the table knows: nobody is sent twice.
#[test]
fn whom_a_queue_has_sent_and_forgotten_it_does_not_send_again() {
    let mut world = World::new(2, 6, 1);
    for name in ["ann", "bob"] {
        world.joins(name);
    }
    let before = world.queue.clone();
    world.opens();
    let sent: Vec<_> = world.mail.values().flatten().cloned().collect();
    assert_eq!(sent.len(), 2);
    world.queue = before;
    world.parts.clear();
    let letters: Vec<_> = sent
        .into_iter()
        .map(|(id, body)| {
            let body = rooms::room::letters::Body::new(body).unwrap();
            let re: Vec<Reference> = Vec::new();
            (self::id("q.1"), rooms::room::letters::Letter { id, prev: None, re, body })
        })
        .collect();
    let moment = world.moment();
    let decision = world.queue.decide(Input::Recalled { letters: &letters }, moment, &mut world.rng).unwrap();
    assert_eq!((decision.letters.len(), decision.asks.len()), (0, 0), "nothing is said once more");
    assert_eq!(decision.privates.len(), 2, "and both are told where they are");
}

/// The settings are what a deploy may read.
#[test]
fn settings_are_read_as_they_are_written() {
    let settings = at_table::Settings { table: TableConfig::default(), queue: id("q"), idle_ms: 1 };
    let spec = RoomSpec::new(QueueTable::NAME, &settings);
    assert_eq!(spec.read::<at_table::Settings>().unwrap(), settings);
}
