//! `trials simulate tournament`: one tournament of any size, its rooms as they are and nothing around them: no relays, no workers, no broker.
//!
//! The tournament and its tables decide what they are told; letters between them take a while, each its own, and now and then much longer, as
//! those that a bus loses and that are said again. Players decide by chance between all their chips and none. A referee of its own
//! ([`TournamentReferee`]) holds everything against what anybody is told.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Instant,
};

use broker::node::RoomSpec;
use bytes::Bytes;
use ops::outlet::{finish_wholly, say, tell};
use player::tournament_referee::TournamentReferee;
use protocol::{
    id::{Position, RoomId, UserId},
    rights::Rights,
    table::{ActKind, TableCommand, TableEvent, TableView},
    time::UnixMs,
    tournament::{Phase, Starts, TournamentConfig, TournamentEvent},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rooms::room::{
    Input, Moment, Room,
    errands::{Ask, Errand, ErrandId, Outcome},
    letters::{LetterId, Said},
};
use serde::Serialize;
use tournament::{
    Settings, Tournament, TournamentTable,
    letters::{ToTable, ToTournament, read},
    presets::{Speed, sit_and_go},
};

/// When it all begins.
const BEGINS_MS: UnixMs = 1_800_000_000_000;

/// A letter takes so long, milliseconds; one of fifty is lost and said again.
const LETTER_MS: u64 = 20;
const AGAIN_MS: u64 = 250;

/// Who is where, and all chips, are counted after so many steps.
const JUDGED_EVERY: u64 = 20_000;

/// More steps than any tournament takes for each entry.
const STEPS_OF_ENTRY_MAX: u64 = 50_000;

/// Plays whole tournaments by themselves.
#[derive(Debug, clap::Args)]
pub struct TournamentArgs {
    /// How many take part.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    entries: u32,
    /// Seats at a table.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(2..=10))]
    seats: u8,
    /// Which seeds: from this one on.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// So many of them, one after the other.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Print one line of JSON for each.
    #[arg(long)]
    json: bool,
}

/// What came of one.
#[derive(Debug, Default, Serialize)]
pub struct Played {
    /// Of which seed.
    pub seed: u64,
    /// How many took part.
    pub entries: u32,
    /// How many tables there were.
    pub tables: usize,
    /// Hands that ended.
    pub hands: u64,
    /// Decisions of the tournament, and of its tables.
    pub decisions: u64,
    /// The same.
    pub at_tables: u64,
    /// Letters that were heard.
    pub letters: u64,
    /// Players that were moved to another table.
    pub moved: u64,
    /// How long it took on its own clock, seconds.
    pub virtual_seconds: f64,
    /// And how long it took.
    pub wall_seconds: f64,
    /// The part of that in which people registered.
    pub registered_seconds: f64,
    /// What the referee has found, the first ones.
    pub faults: Vec<String>,
}

impl TournamentArgs {
    /// Plays all; answers whether every promise was kept.
    pub fn run(&self) -> bool {
        let mut is_well = true;
        for seed in self.seed..self.seed.saturating_add(self.seeds) {
            let played = play(seed, self.entries, self.seats);
            is_well &= played.faults.is_empty();
            let line = if self.json {
                serde_json::to_string(&played).unwrap_or_default()
            } else {
                let Played { tables, hands, letters, moved, wall_seconds, virtual_seconds, .. } = &played;
                format!(
                    "seed {seed}: {} entries at {tables} tables, {hands} hands, {letters} letters, {moved} moved; \
                     {virtual_seconds:.0} s in {wall_seconds:.1} s",
                    played.entries
                )
            };
            say(format_args!("{line}"));
            played.faults.iter().for_each(|fault| tell(format_args!("seed {seed}: {fault}")));
        }
        finish_wholly();
        is_well
    }
}

/// Plays one to its end.
pub fn play(seed: u64, entries: u32, seats: u8) -> Played {
    let began = Instant::now();
    let mut stage = Stage::new(seed, entries, seats);
    stage.register(entries);
    let registered = began.elapsed();
    stage.play();
    stage.referee.finish();
    let faults = stage.referee.faults().iter().take(10).map(|(wrong, what)| format!("{wrong:?}: {what}"));
    let faults = faults.chain(stage.stuck.take()).collect();
    Played {
        seed,
        entries,
        tables: stage.tables.len(),
        virtual_seconds: (stage.now - BEGINS_MS) as f64 / 1_000.0,
        wall_seconds: began.elapsed().as_secs_f64(),
        registered_seconds: registered.as_secs_f64(),
        faults,
        ..stage.counted
    }
}

/// What is due, the earliest first; of one moment in the order in which it was found due.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: UnixMs,
    order: u64,
    what: What,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// The tournament's clock, or a table's.
    Clock(Option<usize>),
    /// Somebody's turn.
    Turn { table: usize, hand: u64, turn: u64 },
    /// A letter of those on the way.
    Letter(u64),
}

/// A table, and what anybody sees of it.
struct Seen {
    room: RoomId,
    table: TournamentTable,
    view: TableView,
    seq: u64,
    /// Until when its clock is in the queue.
    due: Option<UnixMs>,
    /// The turn that is.
    turn: Option<(u64, u64)>,
}

struct OnTheWay {
    from: RoomId,
    id: LetterId,
    said: Said,
}

struct Stage {
    now: UnixMs,
    rng: ChaCha8Rng,
    id: RoomId,
    tournament: Tournament,
    seq: u64,
    due: Option<UnixMs>,
    tables: Vec<Seen>,
    by_room: BTreeMap<RoomId, usize>,
    queue: BinaryHeap<Reverse<Due>>,
    order: u64,
    letters: BTreeMap<u64, OnTheWay>,
    /// When the last letter from the one to the other comes.
    ways: BTreeMap<(RoomId, RoomId), UnixMs>,
    errands: Vec<Errand>,
    referee: TournamentReferee,
    counted: Played,
    tournament_entries: u32,
    stuck: Option<String>,
}

impl Stage {
    fn new(seed: u64, entries: u32, seats: u8) -> Self {
        let config = TournamentConfig {
            name: "Cup".into(),
            seats,
            entries_min: 2,
            entries_max: entries,
            starts: Starts::AtMs(BEGINS_MS + 600_000),
            ..sit_and_go(6, Speed::Hyper)
        };
        let id = RoomId::new("cup-1").expect("a name");
        let settings = Settings::once(id.clone(), "cup", config.clone());
        let tournament = Tournament::open(&RoomSpec::new(Tournament::NAME, &settings)).expect("settings");
        let mut stage = Self {
            now: BEGINS_MS,
            rng: ChaCha8Rng::seed_from_u64(seed),
            id,
            tournament,
            seq: 0,
            due: None,
            tables: Vec::new(),
            by_room: BTreeMap::new(),
            queue: BinaryHeap::new(),
            order: 0,
            letters: BTreeMap::new(),
            ways: BTreeMap::new(),
            errands: Vec::new(),
            referee: TournamentReferee::new(config),
            counted: Played::default(),
            tournament_entries: entries,
            stuck: None,
        };
        stage.look();
        stage
    }

    fn register(&mut self, entries: u32) {
        for number in 1..=entries {
            let name = format!("p{number}");
            let user = UserId::new(&name).expect("a name");
            let body = br#"{"a":"register"}"#;
            self.at_tournament(Input::Command { user: &user, name: &name, rights: Rights::default(), body });
        }
    }

    fn play(&mut self) {
        let mut steps = 0_u64;
        while self.tournament.phase() != Phase::Ended {
            let Some(Reverse(due)) = self.queue.pop() else {
                self.stuck = Some("the tournament stands still".into());
                return;
            };
            self.now = self.now.max(due.at);
            match due.what {
                What::Clock(None) => {
                    if std::mem::take(&mut self.due).is_some() && is_due(self.tournament.deadline(), self.now)
                    {
                        self.at_tournament(Input::Clock);
                    }
                    self.look();
                }
                What::Clock(Some(at)) => {
                    self.tables[at].due = None;
                    if is_due(self.tables[at].table.deadline(), self.now) {
                        self.at_table(at, Input::Clock);
                    }
                    self.look_at(at);
                }
                What::Turn { table, hand, turn } => {
                    if self.tables[table].turn == Some((hand, turn)) {
                        self.acts(table);
                    }
                }
                What::Letter(number) => self.delivers(number),
            }
            while let Some(errand) = self.errands.pop() {
                self.opens(&errand);
            }
            steps += 1;
            if steps > u64::from(self.tournament_entries) * STEPS_OF_ENTRY_MAX {
                self.stuck = Some("the tournament does not come to an end".into());
                return;
            }
            if steps.is_multiple_of(JUDGED_EVERY) {
                self.judge();
            }
        }
        self.judge();
    }

    fn due(&mut self, at: UnixMs, what: What) {
        self.order += 1;
        self.queue.push(Reverse(Due { at, order: self.order, what }));
    }

    /// Puts the tournament's clock into the queue, unless it stands there as early.
    fn look(&mut self) {
        let Some(at) = self.tournament.deadline() else { return };
        if self.due.is_none_or(|known| known > at) {
            self.due = Some(at);
            self.due(at.max(self.now), What::Clock(None));
        }
    }

    fn look_at(&mut self, table: usize) {
        let seen = &self.tables[table];
        if seen.table.is_over() {
            return;
        }
        if let Some(at) = seen.table.deadline()
            && seen.due.is_none_or(|known| known > at)
        {
            self.tables[table].due = Some(at);
            self.due(at.max(self.now), What::Clock(Some(table)));
        }
        let hand = self.tables[table].view.hand.as_ref();
        let turn = hand.and_then(|hand| Some((hand.hand, hand.turn.as_ref()?.turn)));
        if turn != self.tables[table].turn {
            self.tables[table].turn = turn;
            if let Some((hand, turn)) = turn {
                let thinks = self.rng.random_range(200..1_200);
                self.due(self.now + thinks, What::Turn { table, hand, turn });
            }
        }
    }

    fn at_tournament(&mut self, input: Input<'_>) {
        self.seq += 1;
        self.counted.decisions += 1;
        let moment = Moment { now: self.now, at: Position::new(1, self.seq) };
        let decision =
            self.tournament.decide(input, moment, &mut self.rng).expect("nothing is asked wrongly");
        self.tournament = decision.after;
        let events: Vec<TournamentEvent> =
            serde_json::from_str(decision.public.get()).expect("what is told is read");
        for event in &events {
            if let TournamentEvent::Now { set } = event
                && let Some(Ok(clock)) = set.get("clock").cloned().map(serde_json::from_value)
            {
                self.referee.clock(clock);
            }
            self.counted.moved += u64::from(matches!(event, TournamentEvent::Moved { .. }));
            self.referee.hears(event);
        }
        let id = self.id.clone();
        self.sent(&id, moment, decision.letters);
        let asks = (0..).zip(decision.asks);
        self.errands
            .extend(asks.map(|(n, ask): (u16, Ask)| Errand { id: ErrandId { at: moment.at, n }, ask }));
        self.look();
    }

    fn at_table(&mut self, table: usize, input: Input<'_>) {
        self.counted.at_tables += 1;
        let seen = &mut self.tables[table];
        seen.seq += 1;
        let moment = Moment { now: self.now, at: Position::new(1, seen.seq) };
        let decision = seen.table.decide(input, moment, &mut self.rng).expect("nothing is asked wrongly");
        seen.table = decision.after;
        let events: Vec<TableEvent> =
            serde_json::from_str(decision.public.get()).expect("what is told is read");
        for event in &events {
            seen.view.apply(event).expect("events follow from each other");
            self.counted.hands += u64::from(matches!(event, TableEvent::HandEnded { .. }));
            self.referee.sees(self.now, &seen.room, event, &seen.view);
        }
        let room = seen.room.clone();
        self.sent(&room, moment, decision.letters);
        self.look_at(table);
    }

    fn sent(&mut self, from: &RoomId, moment: Moment, letters: Vec<Said>) {
        for (said, index) in letters.into_iter().zip(0..) {
            let again = if self.rng.random_bool(0.02) { AGAIN_MS } else { 0 };
            let takes = self.rng.random_range(0..LETTER_MS) + again;
            // Those of one room to another come in the order in which they were said.
            let last = self.ways.entry((from.clone(), said.to.clone())).or_default();
            let at = (self.now + takes).max(*last);
            *last = at;
            self.order += 1;
            let number = self.order;
            let id = LetterId { at: moment.at, index };
            self.letters.insert(number, OnTheWay { from: from.clone(), id, said });
            self.due(at, What::Letter(number));
        }
    }

    fn delivers(&mut self, number: u64) {
        let OnTheWay { from, id, said } = self.letters.remove(&number).expect("it is on the way");
        self.counted.letters += 1;
        let input = Input::Told { from: &from, letter: id, body: said.body.as_bytes() };
        if said.to == self.id {
            self.at_tournament(input);
        } else if let Some(table) = self.by_room.get(&said.to).copied() {
            self.at_table(table, input);
        }
    }

    fn opens(&mut self, errand: &Errand) {
        let (_, room, spec): (u8, RoomId, Bytes) =
            postcard::from_bytes(&errand.ask.body).expect("rooms are asked for in these words");
        let spec: RoomSpec = serde_json::from_slice(&spec).expect("a spec");
        let table = TournamentTable::open(&spec).expect("settings");
        let view: TableView = serde_json::from_str(table.view().get()).expect("a table's state");
        let at = self.tables.len();
        self.by_room.insert(room.clone(), at);
        self.tables.push(Seen { room, table, view, seq: 0, due: None, turn: None });
        let outcome = Outcome::Done(Bytes::new());
        self.at_tournament(Input::Outcome { errand, outcome: &outcome });
        self.look_at(at);
    }

    /// All in, or not: one decision, mostly.
    fn acts(&mut self, table: usize) {
        let view = &self.tables[table].view;
        let Some((hand, turn)) = view.hand.as_ref().and_then(|hand| Some((hand.hand, hand.turn.as_ref()?)))
        else {
            return;
        };
        let Some(user) = view.seats[usize::from(turn.seat)].as_ref().map(|seat| seat.user.clone()) else {
            return;
        };
        let (kind, to) = match (self.rng.random_bool(0.2), &turn.raise, turn.call) {
            (true, Some(raise), _) if raise.bet => (ActKind::Bet, Some(raise.max)),
            (true, Some(raise), _) => (ActKind::Raise, Some(raise.max)),
            (true, None, Some(_)) => (ActKind::Call, None),
            (_, _, Some(_)) => (ActKind::Fold, None),
            (_, _, None) => (ActKind::Check, None),
        };
        let act = TableCommand::Act { hand, turn: turn.turn, kind, to };
        let (body, name) = (serde_json::to_string(&act).expect("JSON"), user.as_str().to_owned());
        let rights = Rights::default();
        self.at_table(table, Input::Command { user: &user, name: &name, rights, body: body.as_bytes() });
    }

    /// Entries and chips, wherever they are at this moment.
    fn judge(&mut self) {
        let mut holders: BTreeMap<UserId, Vec<String>> = BTreeMap::new();
        let mut chips = 0_i128;
        for seen in self.tables.iter().filter(|seen| !seen.table.is_over()) {
            chips += i128::from(seen.view.on_table());
            for seat in seen.view.seats.iter().flatten() {
                holders.entry(seat.user.clone()).or_default().push(seen.room.to_string());
            }
        }
        for letter in self.letters.values() {
            let body = letter.said.body.as_bytes();
            if letter.said.to == self.id {
                for (entry, stack) in read::<ToTournament>(body).iter().flat_map(ToTournament::leavers) {
                    chips += i128::from(stack);
                    let user = self.referee.user_of(entry).cloned();
                    user.into_iter()
                        .for_each(|user| holders.entry(user).or_default().push("released".into()));
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

fn is_due(at: Option<UnixMs>, now: UnixMs) -> bool {
    at.is_some_and(|at| at <= now)
}
