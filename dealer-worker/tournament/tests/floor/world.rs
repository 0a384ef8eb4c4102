//! The rooms, the letters between them, and who plays.

use std::collections::{BTreeMap, VecDeque};

use broker::node::RoomSpec;
use money::{
    Currency,
    holdings::{Holdings, Question},
};
use player::tournament_referee::TournamentReferee;
use protocol::{
    id::{Position, RoomId, UserId},
    rights::{Rights, Roles},
    table::{ActKind, TableCommand, TableEvent, TableView},
    time::UnixMs,
    tournament::{Starts, TournamentConfig, TournamentEvent},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng},
};
use rooms::room::{
    Input, Moment, Refusal, Room,
    errands::{Errand, ErrandId, Errands, Outcome},
    letters::{LetterId, Said},
};
use serde_json::{Value, json};
use tournament::{
    Price, Settings, Tournament, TournamentTable,
    letters::{ToTable, ToTournament, read},
};

use crate::bank::Bank;

/// When it all begins.
pub(crate) const BEGINS_MS: UnixMs = 1_800_000_000_000;

/// So long a tournament waits before that for an answer of whoever may know it.
const WAITS_MS: u64 = 5_000;

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// One letter on its way.
#[derive(Clone)]
struct OnTheWay {
    from: RoomId,
    id: LetterId,
    said: Said,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) now: UnixMs,
    rng: ChaCha8Rng,
    pub(crate) id: RoomId,
    pub(crate) tournament: Tournament,
    pub(crate) state: serde_json::Map<String, Value>,
    pub(crate) tables: BTreeMap<RoomId, TournamentTable>,
    pub(crate) views: BTreeMap<RoomId, TableView>,
    pub(crate) told: Vec<TournamentEvent>,
    pub(crate) seen: Vec<(RoomId, TableEvent)>,
    pub(crate) opened: Vec<RoomId>,
    seqs: BTreeMap<RoomId, u64>,
    letters: VecDeque<OnTheWay>,
    errands: VecDeque<Errand>,
    /// Where entries cost chips that are somebody's.
    pub(crate) bank: Bank,
    /// It does nothing.
    pub(crate) is_bank_away: bool,
    /// Of the tournament's owner.
    pub(crate) epoch: u64,
    pub(crate) referee: TournamentReferee,
    /// Players go all-in that often, in a hundred.
    pub(crate) wild: u64,
    /// So often in a hundred what is to be heard waits, and play goes on.
    pub(crate) slow: u64,
}

impl World {
    pub(crate) fn new(seed: u64, config: TournamentConfig) -> Self {
        Self::every(seed, config, 0)
    }

    pub(crate) fn every(seed: u64, config: TournamentConfig, every_ms: u64) -> Self {
        Self::at(seed, config, every_ms, None)
    }

    /// Entries cost so much of what these players have.
    pub(crate) fn paid(seed: u64, config: TournamentConfig, fee: u64, players: &[(&str, i64)]) -> Self {
        let price = Price { currency: Currency::new("PLAY").unwrap(), fee };
        let mut world = Self::at(seed, config, 0, Some(price));
        world.bank.players = players.iter().map(|(name, chips)| (user(name), *chips)).collect();
        world
    }

    fn at(seed: u64, config: TournamentConfig, every_ms: u64, price: Option<Price>) -> Self {
        let id = RoomId::new("cup-1").unwrap();
        let settings = Settings {
            id: id.clone(),
            template: "cup".into(),
            number: 1,
            repeats: true,
            every_ms,
            price,
            tournament: config.clone(),
        };
        let spec = RoomSpec::new(Tournament::NAME, &settings);
        let tournament = Tournament::open(&spec).unwrap();
        let state = serde_json::from_str(tournament.view().get()).unwrap();
        let mut world = Self {
            now: BEGINS_MS - WAITS_MS,
            rng: ChaCha8Rng::seed_from_u64(seed),
            state,
            id,
            tournament,
            tables: BTreeMap::new(),
            views: BTreeMap::new(),
            told: Vec::new(),
            seen: Vec::new(),
            opened: Vec::new(),
            seqs: BTreeMap::new(),
            letters: VecDeque::new(),
            errands: VecDeque::new(),
            bank: Bank::default(),
            is_bank_away: false,
            epoch: 1,
            referee: TournamentReferee::new(config),
            wild: 30,
            slow: 0,
        };
        // It asks what was said before, and nobody answers.
        world.at_tournament(Input::Clock).unwrap();
        world.now = BEGINS_MS;
        world.at_tournament(Input::Clock).unwrap();
        world
    }

    fn moment(&self, room: &RoomId) -> Moment {
        let seq = self.seqs.get(room).copied().unwrap_or(0) + 1;
        let epoch = if *room == self.id { self.epoch } else { 1 };
        Moment { now: self.now, at: Position::new(epoch, seq) }
    }

    /// Somebody asks the tournament for something.
    pub(crate) fn ask(&mut self, name: &str, what: Value) -> Result<(), Refusal> {
        self.ask_with(name, Rights::default(), what)
    }

    /// A director does.
    pub(crate) fn direct(&mut self, what: Value) -> Result<(), Refusal> {
        self.ask_with("director", Rights { roles: Roles::FLOOR, ..Rights::default() }, what)
    }

    fn ask_with(&mut self, name: &str, rights: Rights, what: Value) -> Result<(), Refusal> {
        let (user, body) = (user(name), what.to_string());
        self.at_tournament(Input::Command { user: &user, name, rights, body: body.as_bytes() })
    }

    pub(crate) fn register(&mut self, count: usize) {
        for number in 1..=count {
            self.ask(&format!("p{number}"), json!({"a": "register"})).unwrap();
        }
    }

    pub(crate) fn register_one(&mut self, name: &str) {
        self.ask(name, json!({"a": "register"})).unwrap();
    }

    pub(crate) fn at_tournament(&mut self, input: Input<'_>) -> Result<(), Refusal> {
        let id = self.id.clone();
        let moment = self.moment(&id);
        let decision = self.tournament.decide(input, moment, &mut self.rng)?;
        let mut applied = self.tournament.clone();
        decision.events.iter().for_each(|event| applied.apply(event, moment.at));
        assert!(applied == decision.after, "deciding and applying come to the same");
        *self.seqs.entry(id.clone()).or_default() += 1;
        self.tournament = decision.after;
        self.told_to_clients(decision.public.get());
        self.sent(&id, moment, decision.letters);
        self.errands.retain(|errand| !decision.gives_up.contains(&errand.id));
        for (n, ask) in (0..).zip(decision.asks) {
            let errand = Errand { id: ErrandId { at: moment.at, n }, ask };
            if errand.ask.goes_first {
                self.errands.push_front(errand)
            } else {
                self.errands.push_back(errand)
            }
        }
        Ok(())
    }

    fn told_to_clients(&mut self, events: &str) {
        let events: Vec<TournamentEvent> = serde_json::from_str(events).unwrap();
        for event in &events {
            if let TournamentEvent::Now { set } = event {
                self.state.extend(set.clone());
            }
        }
        let whole: serde_json::Map<String, Value> =
            serde_json::from_str(self.tournament.view().get()).unwrap();
        assert_eq!(self.state, whole, "what clients have folded is what there is");
        events.iter().for_each(|event| self.referee.hears(event));
        self.told.extend(events);
    }

    pub(crate) fn at_table(&mut self, room: &RoomId, input: Input<'_>) -> Result<(), Refusal> {
        let moment = self.moment(room);
        let before = &self.tables[room];
        let decision = before.decide(input, moment, &mut self.rng)?;
        let mut applied = before.clone();
        decision.events.iter().for_each(|event| applied.apply(event, moment.at));
        assert!(applied == decision.after, "deciding and applying come to the same");
        *self.seqs.entry(room.clone()).or_default() += 1;
        let seen: Vec<TableEvent> = serde_json::from_str(decision.public.get()).unwrap();
        let view = self.views.get_mut(room).unwrap();
        if let Ok(clock) = serde_json::from_value(self.state["clock"].clone()) {
            self.referee.clock(clock);
        }
        for event in &seen {
            view.apply(event).unwrap();
            self.referee.sees(self.now, room, event, view);
        }
        self.seen.extend(seen.into_iter().map(|event| (room.clone(), event)));
        self.tables.insert(room.clone(), decision.after);
        self.sent(room, moment, decision.letters);
        Ok(())
    }

    fn sent(&mut self, from: &RoomId, moment: Moment, letters: Vec<Said>) {
        for (said, index) in letters.into_iter().zip(0..) {
            let id = LetterId { at: moment.at, index };
            self.letters.push_back(OnTheWay { from: from.clone(), id, said });
        }
    }

    /// Does one thing that is due, without time passing. Answers whether there was one.
    pub(crate) fn step(&mut self) -> bool {
        let can_be_done = |errand: &Errand| errand.ask.of != money::SERVICE || !self.is_bank_away;
        if let Some(at) = self.errands.iter().position(can_be_done) {
            let errand = self.errands.remove(at).unwrap();
            if errand.ask.of == money::SERVICE {
                self.banks(&errand)
            } else {
                self.open(&errand)
            }
            return true;
        }
        // Letters of different pairs of rooms come in any order.
        if !self.letters.is_empty() && (self.slow == 0 || self.rng.next_u64() % 100 >= self.slow) {
            let drawn = usize::try_from(self.rng.next_u64() % self.letters.len() as u64).unwrap();
            let (from, to) = (self.letters[drawn].from.clone(), self.letters[drawn].said.to.clone());
            let first = self.letters.iter().position(|one| one.from == from && one.said.to == to).unwrap();
            let OnTheWay { from, id, said } = self.letters.remove(first).unwrap();
            let input = Input::Told { from: &from, letter: id, body: said.body.as_bytes() };
            if said.to == self.id {
                self.at_tournament(input).unwrap();
            } else if self.tables.contains_key(&said.to) {
                self.at_table(&said.to, input).unwrap();
            }
            self.judge();
            return true;
        }
        if self.tournament.deadline().is_some_and(|at| at <= self.now) {
            self.at_tournament(Input::Clock).unwrap();
            return true;
        }
        let due = self.tables.iter().find(|(_, table)| table.deadline().is_some_and(|at| at <= self.now));
        if let Some(room) = due.map(|(room, _)| room.clone()) {
            self.at_table(&room, Input::Clock).unwrap();
            self.judge();
            return true;
        }
        false
    }

    fn banks(&mut self, errand: &Errand) {
        let outcome = self.bank.hear(errand.id, &errand.ask.body);
        if errand.ask.wants_answer {
            self.at_tournament(Input::Outcome { errand, outcome: &outcome }).unwrap();
        }
    }

    /// What the tournament says that lies there.
    pub(crate) fn chips(&self) -> u64 {
        let question = serde_json::to_vec(&Question::of_chips()).unwrap();
        let answer = self.tournament.answer_with(&user("ann"), &question, &Errands::default()).unwrap();
        serde_json::from_str::<Holdings>(answer.get()).unwrap().chips
    }

    /// Where somebody belongs.
    pub(crate) fn me(&self, name: &str) -> Value {
        let answer = self.tournament.answer(&user(name), br#"{"about":"me"}"#).unwrap();
        serde_json::from_str(answer.get()).unwrap()
    }

    /// The owner dies, and the next one knows what it knew then.
    pub(crate) fn goes_on_from(&mut self, before: Self) {
        let bank = std::mem::take(&mut self.bank);
        *self = Self { bank, epoch: self.epoch + 1, ..before };
        self.at_tournament(Input::TakenOver { grace_ms: 0, frames_lost: 1 }).unwrap();
    }

    fn open(&mut self, errand: &Errand) {
        let (_, room, spec): (u8, RoomId, Vec<u8>) = postcard_from(&errand.ask.body);
        let spec: RoomSpec = serde_json::from_slice(&spec).unwrap();
        self.opened.push(room.clone());
        if spec.kind == TournamentTable::NAME {
            let table = TournamentTable::open(&spec).unwrap();
            let view: TableView = serde_json::from_str(table.view().get()).unwrap();
            self.views.insert(room.clone(), view);
            self.tables.insert(room, table);
        }
        let outcome = Outcome::Done(Default::default());
        self.at_tournament(Input::Outcome { errand, outcome: &outcome }).unwrap();
    }

    /// Everything that is due now, with players that do not act.
    pub(crate) fn calm(&mut self) {
        while self.step() {}
    }

    /// Somebody whose turn it is acts, or time goes on to the next deadline. Answers whether there was anything.
    pub(crate) fn go_on(&mut self) -> bool {
        if self.step() {
            return true;
        }
        let turns = self.views.iter().filter_map(|(room, view)| {
            let hand = view.hand.as_ref()?;
            let turn = hand.turn.clone()?;
            let user = view.seats[usize::from(turn.seat)].as_ref()?.user.clone();
            Some((room.clone(), user, hand.hand, turn))
        });
        let turns: Vec<_> = turns.collect();
        if !turns.is_empty() {
            let at = usize::try_from(self.rng.next_u64() % turns.len() as u64).unwrap();
            let (room, user, hand, turn) = turns[at].clone();
            let (kind, to) = match (self.rng.next_u64() % 100 < self.wild, turn.raise, turn.call) {
                (true, Some(raise), _) => {
                    (if raise.bet { ActKind::Bet } else { ActKind::Raise }, Some(raise.max))
                }
                (true, None, Some(_)) => (ActKind::Call, None),
                (false, _, Some(_)) if !self.rng.next_u64().is_multiple_of(3) => (ActKind::Fold, None),
                (_, _, Some(_)) => (ActKind::Call, None),
                (_, _, None) => (ActKind::Check, None),
            };
            let act = serde_json::to_string(&TableCommand::Act { hand, turn: turn.turn, kind, to }).unwrap();
            let (name, rights) = (user.as_str().to_owned(), Rights::default());
            self.now += 500;
            self.at_table(&room, Input::Command { user: &user, name: &name, rights, body: act.as_bytes() })
                .unwrap();
            self.judge();
            return true;
        }
        let tables = self.tables.values().filter(|table| !table.is_over()).filter_map(Room::deadline);
        let next = tables.chain(self.tournament.deadline()).min();
        match next {
            Some(at) => {
                self.now = self.now.max(at);
                true
            }
            None => !self.letters.is_empty(),
        }
    }

    /// Plays to the end.
    pub(crate) fn play(&mut self) {
        for _ in 0..400_000 {
            if self.tournament.is_over() {
                return;
            }
            assert!(self.go_on(), "the tournament stands still");
        }
        panic!("it does not come to an end");
    }

    /// Entries and chips, wherever they are at this moment.
    fn judge(&mut self) {
        let mut holders: BTreeMap<UserId, Vec<String>> = BTreeMap::new();
        let mut chips = 0_i128;
        for (room, view) in self.views.iter().filter(|(room, _)| !self.tables[*room].is_over()) {
            chips += i128::from(view.on_table());
            for seat in view.seats.iter().flatten() {
                holders.entry(seat.user.clone()).or_default().push(room.to_string());
            }
        }
        for letter in &self.letters {
            let body = letter.said.body.as_bytes();
            if letter.said.to == self.id {
                for (entry, stack) in read::<ToTournament>(body).iter().flat_map(ToTournament::leavers) {
                    chips += i128::from(stack);
                    let user = self.referee.user_of(entry).unwrap().clone();
                    holders.entry(user).or_default().push("released".into());
                }
            } else if let Some(ToTable::Seat(arrival)) = read(body) {
                chips += i128::from(arrival.stack);
                holders.entry(arrival.user).or_default().push("sent".into());
            }
        }
        for (user, stack) in self.tournament.waiting() {
            chips += i128::from(stack);
            holders.entry(user).or_default().push("waiting".into());
        }
        self.referee.judge(holders, chips);
    }
}

fn postcard_from(bytes: &[u8]) -> (u8, RoomId, Vec<u8>) {
    let (version, room, spec): (u8, RoomId, bytes::Bytes) = postcard::from_bytes(bytes).unwrap();
    (version, room, spec.to_vec())
}

/// A sit & go, played fast.
pub(crate) fn sng(seats: u8) -> TournamentConfig {
    tournament::presets::sit_and_go(seats, tournament::presets::Speed::Hyper)
}

/// A tournament of several tables that begins in ten minutes.
pub(crate) fn mtt(seats: u8, entries_max: u32) -> TournamentConfig {
    TournamentConfig {
        name: "Cup".into(),
        seats,
        entries_min: 2,
        entries_max,
        starts: Starts::AtMs(BEGINS_MS + 600_000),
        ..sng(6)
    }
}
