//! A cash table with its journal, the errands of its owners that are on their way, and the cage.

use std::collections::BTreeMap;

use broker::{node::RoomSpec, seal::Form};
use bytes::Bytes;
use cash::{Cash, Event, Settings};
use hands::HandRecord;
use money::Currency;
use protocol::{
    id::{ErrandId, Position, UserId},
    rights::Rights,
    table::{RakeRule, TableConfig, TableEvent, TablePrivate},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng as _};
use rooms::room::{
    Input, Moment, Refusal, Room as _,
    answers::Memory,
    errands::{Answered, Errand, Outcome, Round},
    record::{Delta, DeltaOf, Journaled, Record as _},
};
use serde_json::Value;

use crate::bank::Bank;

/// See the module.
pub(crate) struct World {
    pub(crate) state: Journaled<Cash>,
    /// What each entry holds, and the table after it.
    journal: Vec<(Position, Vec<u8>)>,
    round: Round,
    pub(crate) bank: Bank,
    /// Errands on their way; a dead owner's too.
    pub(crate) on_their_way: BTreeMap<ErrandId, Errand>,
    pub(crate) now: u64,
    pub(crate) has_lost: bool,
    pub(crate) rng: ChaCha8Rng,
    /// What everybody saw last.
    pub(crate) seen: Vec<TableEvent>,
    /// What single players saw last.
    pub(crate) privates: BTreeMap<UserId, TablePrivate>,
}

/// Chips that each player has at first.
pub(crate) const PURSE: i64 = 5_000;

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub(crate) fn settings() -> Settings {
    let rake = RakeRule { basis_points: 500, cap: 10 };
    let table = TableConfig {
        seats: 4,
        rake,
        pause_ms: 0,
        runout_ms: 0,
        rathole_ms: 0,
        buy_in_min: 40,
        buy_in_max: 400,
        ..TableConfig::default()
    };
    Settings { currency: Currency::new("PLAY").unwrap(), table }
}

impl World {
    pub(crate) fn new(seed: u64, players: &[&str]) -> Self {
        let spec = RoomSpec::new(Cash::NAME, &settings());
        let state = Journaled::new(Cash::open(&spec).unwrap());
        let mut bank = Bank::default();
        bank.players.extend(players.iter().map(|name| (user(name), PURSE)));
        let at = Position::new(1, 1);
        let journal = vec![(at, state.write(Form::Versioned))];
        let mut world = Self {
            state,
            journal,
            round: Round::default(),
            bank,
            on_their_way: BTreeMap::new(),
            now: 1_000_000,
            has_lost: false,
            rng: ChaCha8Rng::seed_from_u64(seed),
            seen: Vec::new(),
            privates: BTreeMap::new(),
        };
        // It tells the cage that there was nothing before.
        world.passes(0);
        world.settles();
        world
    }

    fn last(&self) -> Position {
        self.journal.last().unwrap().0
    }

    /// Decides and commits; the record is read again as a successor would.
    fn commit(&mut self, input: Input<'_>, settles: Option<ErrandId>) -> Result<(), Refusal> {
        let at = Position::new(self.last().epoch().0, self.last().seq().0 + 1);
        let decision = self.state.room.decide(input, Moment { now: self.now, at }, &mut self.rng)?;
        self.seen = serde_json::from_str(decision.public.get()).unwrap();
        let read = |part: &serde_json::value::RawValue| serde_json::from_str(part.get()).unwrap();
        self.privates = decision.privates.iter().map(|(user, part)| (user.clone(), read(part))).collect();
        if decision.events.is_empty() && settles.is_none() {
            assert!(decision.asks.is_empty(), "what is asked follows from something");
            return Ok(());
        }
        let settled = self.round.settled(settles.into_iter().chain(decision.gives_up));
        let delta = Delta { asks: decision.asks, settled, ..Delta::of(decision.events, self.now) };
        let written = DeltaOf::<Cash>(std::borrow::Cow::Borrowed(&delta)).write(Form::Versioned);
        let delta: Delta<Vec<Event>> =
            DeltaOf::<Cash>::read(Form::Versioned, &written, self.now).unwrap().0.into_owned();
        self.state.apply(&delta, None, at, &Memory::default());
        assert!(self.state.room == decision.after, "the events of a decision lead to its state");
        self.round.committed(&delta.settled);
        self.journal.push((at, self.state.write(Form::Versioned)));
        Ok(())
    }

    pub(crate) fn does(&mut self, who: &str, command: &Value) -> Result<(), Refusal> {
        let (user, body) = (user(who), command.to_string());
        let rights = Rights::default();
        self.commit(Input::Command { user: &user, name: who, rights, body: body.as_bytes() }, None)
    }

    pub(crate) fn away(&mut self, who: &str, away: bool) {
        self.commit(Input::Away { user: &user(who), away }, None).unwrap();
    }

    /// The clock, if something is due then.
    pub(crate) fn passes(&mut self, ms: u64) {
        self.now += ms;
        if self.state.room.deadline().is_some_and(|due| due <= self.now) {
            self.commit(Input::Clock, None).unwrap();
        }
    }

    /// The owner dies, and so many entries are lost. A successor goes on.
    pub(crate) fn is_taken_over(&mut self, lost: usize) {
        let epoch = self.last().epoch().0 + 1;
        self.has_lost |= lost > 0;
        self.journal.truncate((self.journal.len() - lost).max(1));
        let (at, record) = self.journal.last().unwrap();
        self.state = Journaled::read(Form::Versioned, record, self.now).unwrap();
        let at = Position::new(epoch, at.seq().0 + 1);
        self.journal.push((at, record.clone()));
        self.round = Round::default();
        self.commit(Input::TakenOver { grace_ms: 0, frames_lost: 0 }, None).unwrap();
    }

    /// The owner dies, and of the table nothing is left. A successor opens it anew.
    pub(crate) fn is_anew(&mut self) {
        let epoch = self.last().epoch().0 + 1;
        self.has_lost = true;
        self.state = Journaled::new(Cash::open(&RoomSpec::new(Cash::NAME, &settings())).unwrap());
        self.journal = vec![(Position::new(epoch, 1), self.state.write(Form::Versioned))];
        self.round = Round::default();
        self.passes(0);
    }

    /// So many entries could be lost.
    pub(crate) fn entries(&self) -> usize {
        self.journal.len()
    }

    /// The errands that are due are sent.
    pub(crate) fn send(&mut self) {
        let due: Vec<Errand> = self.round.due(&self.state.errands).cloned().collect();
        let (due, told): (Vec<_>, Vec<_>) =
            due.into_iter().partition(|errand| errand.ask.of == money::SERVICE);
        for errand in told {
            // Of a hand that is over. It is heard at once: chips are what this is about.
            let record = HandRecord::read(&errand.ask.body).unwrap();
            assert_eq!((record.currency.as_deref(), record.is_whole()), (Some("PLAY"), true));
            self.answered(errand.id, &Outcome::Done(Bytes::new()));
        }
        self.on_their_way.extend(due.into_iter().map(|errand| (errand.id, errand)));
    }

    /// One that is on its way arrives; perhaps its answer does, too.
    pub(crate) fn arrives(&mut self, id: ErrandId, is_answered: bool) {
        let Some(errand) = self.on_their_way.remove(&id) else { return };
        let outcome = self.bank.hear(id, &errand.ask.body);
        if is_answered {
            self.answered(id, &outcome);
        }
    }

    fn answered(&mut self, id: ErrandId, outcome: &Outcome) {
        match self.round.answered(&self.state.errands, id, outcome) {
            Answered::Decide(errand) => {
                self.commit(Input::Outcome { errand: &errand, outcome }, Some(id)).unwrap();
            }
            Answered::Done | Answered::Nothing => {}
            Answered::AskAgain(errand) => panic!("what must be done was refused: {errand:?} {outcome:?}"),
        }
    }

    /// Everything that is to be done is.
    pub(crate) fn settles(&mut self) {
        loop {
            self.send();
            let Some(id) = self.on_their_way.keys().next().copied() else { break };
            self.arrives(id, true);
        }
    }

    /// What lies on the table and what was brought for later.
    pub(crate) fn at_the_table(&self) -> i64 {
        let view: protocol::table::TableView = serde_json::from_str(self.state.room.view().get()).unwrap();
        let promised: u64 = view.seats.iter().flatten().map(|seat| seat.top_up).sum();
        i64::try_from(view.on_table() + promised).unwrap()
    }

    pub(crate) fn view(&self) -> Value {
        serde_json::from_str(self.state.room.view().get()).unwrap()
    }

    pub(crate) fn balance(&self, who: &str) -> i64 {
        self.bank.players[&user(who)]
    }
}
