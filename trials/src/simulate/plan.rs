//! What a seed decides: how large the house is, what goes wrong all the time, and which blows fall when.

use broker::wire::{fault::Operation, seeded::Rates};
use protocol::{
    rail::RailCards,
    table::TableConfig,
    tournament::{HandForHand, Level, Payouts, Ties, TournamentConfig},
};
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use rooms::room::{answers::Memory, mailbox::Bound};
use tokio::time::Duration;

use super::{faults::Tripwire, planted::Planted, standing::Standing};

/// A room's mailbox where it is not to be felt.
const MAILBOX: Bound = Bound { messages: 256, bytes: 128 * 1_024 };

/// So many flood a table, where they do.
const FLOODERS: usize = 40;

/// It takes a while until a table on a slow broker has an owner; then it is flooded for so long.
const FLOODED_FROM: Duration = Duration::from_secs(12);
const FLOODED_FOR: Duration = Duration::from_secs(8);

/// An operation on the broker takes up to so long each way where a table is flooded. Where it took no time, a table would have done
/// what is asked before anything waits.
const FLOODED_SLOW_MAX: Duration = Duration::from_millis(80);

/// A run. Two runs of one plan are the same to the last byte of every journal.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where all of the run's randomness comes from.
    pub seed: u64,
    /// How many relays there are.
    pub relays: usize,
    /// How many dealer workers there are.
    pub workers: usize,
    /// So many of the relays are of the release before.
    pub(super) earlier_relays: usize,
    /// How many pits there are besides: processes that are relay and dealer worker.
    pub pits: usize,
    /// Players are led to the pit of their table.
    pub(super) leads: bool,
    /// How many tables there are.
    pub tables: usize,
    /// How many bots there are.
    pub bots: usize,
    /// So many of the bots' users are logged in twice: another bot plays for each of them too.
    pub twins: usize,
    /// So many others have no seat, and talk.
    pub strangers: usize,
    /// So many rooms are counters, and not tables.
    pub counters: usize,
    /// So many others only ask questions.
    pub askers: usize,
    /// So many others open tables of their own, and as many of them are rude.
    pub hosts: usize,
    /// So many agencies play for the AI players whom those who open tables invite; none: there are none.
    pub agencies: usize,
    /// So many others wait for seats, where tables are small, as many are rude, and as many do not come when they are called.
    pub waiters: usize,
    /// So many others wait in a queue, as many are rude, and as many do not come when they are called.
    pub seekers: usize,
    /// So many others do what as many want done, and as many of these are rude.
    pub workmen: usize,
    /// So many others press onto the rails of rooms of their own, on which there are only so many places.
    pub pressers: usize,
    /// How many rooms these are, and how many may watch each.
    pub(super) narrow: usize,
    pub(super) viewers_max: u32,
    /// How many seats a table has.
    pub seats: u8,
    /// Tables and counters are shown to their rails so late; 0: live.
    pub(super) rail_delay_ms: u32,
    /// What those see of cards.
    pub(super) rail_cards: RailCards,
    /// There is a tournament.
    pub(super) contest: Option<Contest>,
    /// The chips of the tables are somebody's: they come from a ledger.
    pub(super) money: bool,
    /// How often the ledger is not reached, or its answer lost.
    pub(super) money_troubles: f64,
    /// So many recorders write down which hands were played; none: nobody does.
    pub recorders: usize,
    /// How often the database does not take them, or is not heard to have taken them; and how often the queue delays or doubles what is told.
    pub(super) recording_troubles: f64,
    /// How often a service does not answer, or answers and is not heard.
    pub(super) troubles: f64,
    /// They are a crowd: they come together to one table, are somebody new after almost every word, and soon go.
    pub(super) crowd: bool,
    /// How often a connection is cut right before an answer or a private part.
    pub(super) cuts: f64,
    /// How often a bot moves its session to another connection and keeps the first, after a message.
    pub(super) moves: f64,
    /// How many commands a room remembers.
    pub(super) memory: Memory,
    /// How much waits in a queue of a room's mailbox at most.
    pub(super) mailbox: Bound,
    /// The first table is flooded.
    pub(super) flood: Option<Flood>,
    /// How long things go wrong, virtual time.
    pub stormy: Duration,
    /// What goes wrong with single operations and messages meanwhile.
    pub(super) rates: Rates,
    /// No news of revoked tokens reaches a relay.
    pub(super) revokes_unheard: bool,
    /// A fault of our own making that the judges must catch.
    pub(super) planted: Option<Planted>,
    /// Blows, in order of time.
    pub(super) blows: Vec<(Duration, Blow)>,
}

/// A crowd that asks one table for more than it can do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flood {
    /// How many they are.
    pub(super) guests: usize,
    /// When they begin and when they end.
    pub(super) from: Duration,
    pub(super) until: Duration,
    /// Most of what they say is long: the bytes fill the mailbox, and not the messages.
    pub(super) long_winded: bool,
}

/// A tournament.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    /// What it is set to. What begins at a time does so that long after the run.
    pub(super) config: TournamentConfig,
    pub(super) starts_after: Option<Duration>,
    /// So many guests want to take part.
    pub(super) entrants: usize,
    /// Entries cost chips that are somebody's, and so much beside what they add to the prizes.
    pub(super) fee: Option<u64>,
}

impl Contest {
    /// A small one in which blinds grow fast: a sit & go, or one that begins at a time.
    fn of(rng: &mut ChaCha8Rng) -> Self {
        let level = |at: u32| {
            let big_blind = 20 << at;
            Level::Play { small_blind: big_blind / 2, big_blind, ante: 0, ms: 8_000 }
        };
        let entries: u32 = rng.random_range(6..=18);
        let is_scheduled = rng.random_bool(0.5);
        // Almost everybody has a prize, so that places are shared that have one; or it is as the house has it.
        let parts = Payouts::Parts(vec![3_500, 2_500, 1_500, 1_500, 1_000]);
        let config = TournamentConfig {
            name: "Cup".into(),
            seats: *[3, 4, 6].choose(rng).expect("there are some"),
            entries_min: 2,
            entries_max: entries,
            late_levels: if is_scheduled { rng.random_range(0..=2) } else { 0 },
            stack: 400,
            levels: (0..12).map(level).collect(),
            payouts: if rng.random_bool(0.5) { parts } else { Payouts::Auto },
            hand_for_hand: HandForHand {
                margin: rng.random_range(0..=3),
                ties: *[Ties::Stacks, Ties::Tables].choose(rng).expect("there are some"),
                hand_ms: 4_000,
            },
            final_redraw: rng.random_bool(0.5),
            turn_ms: 1_500,
            bank_ms: 1_000,
            pause_ms: 300,
            runout_ms: 100,
            deal_in_ms: 1_000,
            linger_ms: 2_000,
            ..TournamentConfig::default()
        };
        let starts_after = is_scheduled.then(|| Duration::from_millis(rng.random_range(4_000..=12_000)));
        let more = rng.random_range(1..=3);
        Self { config, starts_after, entrants: usize::try_from(entries).unwrap_or(0) + more, fee: None }
    }

    /// What an entry costs of what is somebody's.
    pub(super) fn cost(&self) -> Option<u64> {
        self.fee.map(|fee| self.config.buy_in + fee)
    }
}

/// What befalls the house at one moment. Nodes are named by their places, modulo how many there are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Blow {
    /// SIGKILL, and a new process in its place after a while.
    Kill(Place, Duration),
    /// Dies in the middle of one of its next operations; a new process after a while.
    Trip(Place, Tripwire, Duration),
    /// SIGTERM, and a new process in its place.
    Drain(Place),
    /// SIGSTOP, and SIGCONT after a while.
    Hold(Place, Duration),
    /// Cut from the broker, and back after a while.
    Cut(Place, Duration),
    /// Hears nothing, without an error, for a while.
    Silence(Place, Duration),
    /// The broker fails over to a replica that lacks the last writes.
    Lose(usize),
    /// The broker is restarted with all that it had: nobody reaches it for a while, and everybody connects anew.
    Restart(Duration),
    /// The broker says no to all that would write, for a while.
    Refuse(Duration),
    /// Tokens of the bot with this index are revoked: it stands otherwise with the house from now on.
    Revoke(usize, Standing),
}

impl Blow {
    /// Whom it befalls, if that is one process.
    fn place(&self) -> Option<Place> {
        match self {
            Self::Kill(place, _)
            | Self::Trip(place, ..)
            | Self::Drain(place)
            | Self::Hold(place, _)
            | Self::Cut(place, _)
            | Self::Silence(place, _) => Some(*place),
            _ => None,
        }
    }

    /// What reports call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kill(Place::Relay(_), _) => "relay_killed",
            Self::Kill(Place::Worker(_), _) => "worker_killed",
            Self::Kill(Place::Recorder(_), _) => "recorder_killed",
            Self::Kill(Place::Pit(_), _) => "pit_killed",
            Self::Trip(Place::Relay(_), ..) => "relay_killed_in_an_operation",
            Self::Trip(Place::Worker(_), ..) => "worker_killed_in_an_operation",
            Self::Trip(Place::Recorder(_), ..) => "recorder_killed_in_an_operation",
            Self::Trip(Place::Pit(_), ..) => "pit_killed_in_an_operation",
            Self::Drain(Place::Relay(_)) => "relay_stopped",
            Self::Drain(Place::Worker(_)) => "worker_stopped",
            Self::Drain(Place::Recorder(_)) => "recorder_stopped",
            Self::Drain(Place::Pit(_)) => "pit_stopped",
            Self::Kill(Place::Agency(_), _) => "agency_killed",
            Self::Trip(Place::Agency(_), ..) => "agency_killed_in_an_operation",
            Self::Drain(Place::Agency(_)) => "agency_stopped",
            Self::Hold(..) => "held",
            Self::Cut(..) => "cut",
            Self::Silence(..) => "silenced",
            Self::Lose(_) => "broker_lost_writes",
            Self::Restart(_) => "broker_restarted",
            Self::Refuse(_) => "broker_refused_writes",
            Self::Revoke(..) => "revoked",
        }
    }
}

/// A place for a process.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// The relay with this index.
    Relay(usize),
    /// The worker with this index.
    Worker(usize),
    /// The recorder with this index.
    Recorder(usize),
    /// The pit with this index.
    Pit(usize),
    /// The agency with this index.
    Agency(usize),
}

impl Plan {
    /// The plan of a seed: a small house in bad weather.
    pub fn of(seed: u64) -> Self {
        let mut plan = Self::split(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x40de);
        if rng.random_bool(0.3) {
            plan.add_pits(&mut rng);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x91ace);
        if rng.random_bool(0.25) {
            plan.add_pressers(&mut rng);
        }
        plan
    }

    /// More want to watch than may.
    fn add_pressers(&mut self, rng: &mut ChaCha8Rng) {
        (self.narrow, self.viewers_max) = (rng.random_range(1..=2), rng.random_range(1..=3));
        self.pressers = self.viewers_max as usize + rng.random_range(1..=4);
    }

    /// The plan of a seed in a house in which more want to watch than may.
    pub fn pressing(seed: u64) -> Self {
        let mut plan = Self::of(seed);
        plan.add_pressers(&mut ChaCha8Rng::seed_from_u64(seed ^ 0x91acf));
        plan
    }

    /// The same in fair weather, for longer.
    pub fn pressing_calmly(seed: u64) -> Self {
        let mut plan = Self::calm(seed, 2, 1, 1, 2, Duration::from_secs(120));
        plan.add_pressers(&mut ChaCha8Rng::seed_from_u64(seed ^ 0x91acf));
        plan
    }

    /// The same with a process each for relays and dealer workers, as all were before there were pits.
    pub fn split(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let tables = rng.random_range(1..=4);
        let stormy = Duration::from_secs(rng.random_range(10..=30));
        let mut plan = Self {
            seed,
            relays: rng.random_range(1..=3),
            workers: rng.random_range(1..=3),
            earlier_relays: 0,
            pits: 0,
            leads: false,
            tables,
            bots: tables * rng.random_range(2..=5),
            twins: 0,
            strangers: 0,
            counters: 0,
            askers: 0,
            hosts: 0,
            agencies: 0,
            waiters: 0,
            seekers: 0,
            workmen: 0,
            pressers: 0,
            narrow: 0,
            viewers_max: 0,
            seats: TableConfig::default().seats,
            rail_delay_ms: 0,
            rail_cards: RailCards::Never,
            contest: None,
            money: false,
            money_troubles: 0.0,
            recorders: 0,
            recording_troubles: 0.0,
            troubles: 0.0,
            crowd: false,
            cuts: 0.0,
            moves: 0.0,
            memory: Memory::default(),
            mailbox: MAILBOX,
            flood: None,
            stormy,
            rates: rates(&mut rng),
            blows: Vec::new(),
            revokes_unheard: false,
            planted: None,
        };
        plan.blows = blows(&mut rng, stormy);
        if rng.random_bool(0.2) {
            let at = stormy.mul_f64(rng.random_range(0.1..0.9));
            let down = Duration::from_millis(rng.random_range(10..=6_000));
            plan.blows.push((at, Blow::Restart(down)));
            plan.blows.sort_by_key(|(at, _)| *at);
        }
        if rng.random_bool(0.3) {
            plan.twins = rng.random_range(1..=plan.bots);
        }
        if rng.random_bool(0.2) {
            plan.mailbox.messages = rng.random_range(1..=3);
        }
        if rng.random_bool(0.5) {
            plan.rates.behind = rng.random_range(0.0..=0.5);
        }
        // A broker that has lost writes has its map of rooms written again, which it must not refuse.
        let loses = plan.blows.iter().any(|(_, blow)| matches!(blow, Blow::Lose(_)));
        if !loses && rng.random_bool(0.25) {
            let at = stormy.mul_f64(rng.random_range(0.1..0.9));
            let how_long = Duration::from_millis(rng.random_range(100..=12_000));
            plan.blows.push((at, Blow::Refuse(how_long)));
            plan.blows.sort_by_key(|(at, _)| *at);
        }
        plan.add_strangers(&mut rng);
        if rng.random_bool(0.4) {
            plan.counters = rng.random_range(1..=3);
            plan.troubles = rng.random_range(0.0..0.5);
        }
        if rng.random_bool(0.5) {
            plan.askers = rng.random_range(1..=3);
        }
        // Drawn apart, so that what seeds have decided before there was money is what they decide.
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x303e);
        plan.money = rng.random_bool(0.5);
        if rng.random_bool(0.7) {
            plan.money_troubles = rng.random_range(0.0..0.4);
        }
        // The same again. Of tables that the broker has lost nobody knows who was the host.
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xf100);
        if rng.random_bool(0.3) && !loses {
            plan.hosts = rng.random_range(1..=2);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xa9e7);
        if plan.hosts > 0 && rng.random_bool(0.5) {
            plan.add_agencies(&mut rng);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xca11);
        if rng.random_bool(0.2) {
            plan.add_waiters(rng.random_range(2..=4));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eec);
        if rng.random_bool(0.12) && !loses {
            plan.seekers = rng.random_range(1..=2);
        }
        // The same. A tournament takes longer than all else, so it is in few. What holds of one whose journal the broker has lost a part of is
        // tested by itself.
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x70c0);
        if rng.random_bool(0.12) && !loses {
            plan.contest = Some(Contest::of(&mut rng));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x10b5);
        if rng.random_bool(0.12) && !loses {
            plan.workmen = rng.random_range(2..=4);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xfee5);
        if plan.money
            && let Some(contest) = &mut plan.contest
            && rng.random_bool(0.7)
        {
            contest.fee = Some(rng.random_range(0..=30));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x4ec0);
        if rng.random_bool(0.25) {
            plan.add_recorders(&mut rng);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x4a11);
        if rng.random_bool(0.3) {
            plan.rail_delay_ms = rng.random_range(200..=8_000);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xca4d);
        if rng.random_bool(0.3) {
            plan.rail_cards = cards(plan.rail_delay_ms, &mut rng);
        }
        plan
    }

    /// The same, with counters that write to each other, at several workers.
    pub fn writing(seed: u64) -> Self {
        let plan = Self::of(seed);
        Self { workers: plan.workers.max(2), counters: 3, seekers: 0, contest: None, ..plan }
    }

    /// The plan of a seed in a house that shows its rooms late to all who have no part in them.
    pub fn delaying(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x4a12);
        let plan = Self::of(seed);
        let (rail_delay_ms, counters) = (rng.random_range(200..=8_000), plan.counters.max(1));
        Self { rail_delay_ms, counters, hosts: 0, contest: None, ..plan.without_agencies() }
    }

    /// The plan of a seed in a house whose rails see cards.
    pub fn showing_cards(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xca4e);
        let plan = if rng.random_bool(0.6) { Self::delaying(seed) } else { Self::of(seed) };
        Self { rail_cards: cards(plan.rail_delay_ms, &mut rng), contest: None, ..plan }
    }

    /// The plan of a seed in a house that keeps hands.
    pub fn keeping(seed: u64) -> Self {
        let mut plan = Self::of(seed);
        if plan.recorders == 0 {
            plan.add_recorders(&mut ChaCha8Rng::seed_from_u64(seed ^ 0x4ec1));
        }
        plan
    }

    /// The same of one that shows its rooms late, too.
    pub fn keeping_late(seed: u64) -> Self {
        let Self { rail_delay_ms, counters, hosts, contest, .. } = Self::delaying(seed);
        Self { rail_delay_ms, counters, hosts, contest, ..Self::keeping(seed) }
    }

    /// Hands are written down, by some who die at it.
    fn add_recorders(&mut self, rng: &mut ChaCha8Rng) {
        self.recorders = rng.random_range(1..=2);
        if rng.random_bool(0.7) {
            self.recording_troubles = rng.random_range(0.0..0.3);
        }
        for _ in 0..rng.random_range(1..=6) {
            let at = self.stormy.mul_f64(rng.random_range(0.1..1.0));
            let place = Place::Recorder(rng.random_range(0..2));
            let long = Duration::from_millis(rng.random_range(100..=8_000));
            let blow = match rng.random_range(0..7) {
                0..3 => Blow::Kill(place, long),
                3..5 => {
                    let (passes, applied) = (rng.random_range(0..60), rng.random_bool(0.5));
                    Blow::Trip(place, Tripwire { operation: Operation::Map, passes, applied }, long)
                }
                5 => Blow::Hold(place, long),
                _ => Blow::Cut(place, long),
            };
            self.blows.push((at, blow));
        }
        self.blows.sort_by_key(|(at, _)| *at);
    }

    /// AI players are played for, by agencies that die at it.
    fn add_agencies(&mut self, rng: &mut ChaCha8Rng) {
        self.agencies = rng.random_range(1..=2);
        for _ in 0..rng.random_range(1..=6) {
            let at = self.stormy.mul_f64(rng.random_range(0.1..1.0));
            let place = Place::Agency(rng.random_range(0..2));
            let long = Duration::from_millis(rng.random_range(100..=8_000));
            let blow = match rng.random_range(0..6) {
                0..3 => Blow::Kill(place, long),
                3 => {
                    let (passes, applied) = (rng.random_range(0..60), rng.random_bool(0.5));
                    Blow::Trip(place, Tripwire { operation: Operation::Map, passes, applied }, long)
                }
                4 => Blow::Hold(place, long),
                _ => Blow::Cut(place, long),
            };
            self.blows.push((at, blow));
        }
        self.blows.sort_by_key(|(at, _)| *at);
    }

    /// The plan of a seed in a house in which players open tables and invite AI players.
    pub fn inviting(seed: u64) -> Self {
        let mut plan = Self::hosting(seed);
        if plan.agencies == 0 {
            plan.add_agencies(&mut ChaCha8Rng::seed_from_u64(seed ^ 0xa9e8));
        }
        // Whoever is cut off comes back, and finds somebody else on the seat.
        plan.cuts = plan.cuts.max(0.05);
        plan
    }

    /// The plan of a seed in a house in which there are more players than seats.
    pub fn waiting(seed: u64) -> Self {
        let mut plan = Self::of(seed);
        plan.add_waiters(3);
        plan
    }

    /// The plan of a seed in a house with a queue.
    pub fn seeking(seed: u64) -> Self {
        let mut plan = Self::of(seed);
        plan.blows.retain(|(_, blow)| !matches!(blow, Blow::Lose(_)));
        Self { seekers: 2, hosts: 0, waiters: 0, contest: None, ..plan.without_agencies() }
    }

    /// The plan of a seed in a house in which some do what others want done.
    pub fn working(seed: u64) -> Self {
        let mut plan = Self::of(seed);
        plan.blows.retain(|(_, blow)| !matches!(blow, Blow::Lose(_)));
        Self { workmen: 4, hosts: 0, waiters: 0, seekers: 0, contest: None, ..plan.without_agencies() }
    }

    /// Tables get so few seats that whoever comes must wait.
    fn add_waiters(&mut self, waiters: usize) {
        (self.waiters, self.seats, self.bots) = (waiters, 3, 2 * self.tables);
        self.twins = self.twins.min(self.bots);
    }

    /// The plan of a seed in a house in which there is a tournament, and little else.
    pub fn contesting(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x70c1);
        let mut plan = Self::of(seed);
        plan.blows.retain(|(_, blow)| !matches!(blow, Blow::Lose(_)));
        let (contest, crowd) = (Some(Contest::of(&mut rng)), false);
        Self {
            tables: 1,
            bots: 2,
            twins: 0,
            strangers: 1,
            counters: 0,
            hosts: 0,
            waiters: 0,
            seekers: 0,
            workmen: 0,
            contest,
            crowd,
            ..plan.without_agencies()
        }
    }

    /// The same, whose entries cost chips that are somebody's.
    pub fn contesting_for_money(seed: u64) -> Self {
        let mut plan = Self::contesting(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xfee6);
        let fee = Some(rng.random_range(0..=30));
        plan.contest.iter_mut().for_each(|contest| contest.fee = fee);
        Self { money: true, money_troubles: rng.random_range(0.0..0.4), ..plan }
    }

    /// The plan of a seed in a house in which players open tables.
    pub fn hosting(seed: u64) -> Self {
        let mut plan = Self::of(seed);
        plan.blows.retain(|(_, blow)| !matches!(blow, Blow::Lose(_)));
        Self { hosts: 2, contest: None, ..plan }
    }

    /// The plan of a seed as it was before there were recorders.
    fn unrecorded(seed: u64) -> Self {
        let mut plan = Self::split(seed);
        plan.recorders = 0;
        plan.blows.retain(|(_, blow)| !matches!(blow.place(), Some(Place::Recorder(_))));
        plan
    }

    /// The plan of a seed in a house whose chips are nobody's.
    pub fn without_money(seed: u64) -> Self {
        Self { money: false, hosts: 0, contest: None, ..Self::unrecorded(seed).without_agencies() }
    }

    /// The same where they are somebody's.
    pub fn with_money(seed: u64) -> Self {
        Self { money: true, hosts: 0, contest: None, ..Self::unrecorded(seed).without_agencies() }
    }

    fn without_agencies(mut self) -> Self {
        self.blows.retain(|(_, blow)| !matches!(blow.place(), Some(Place::Agency(_))));
        Self { agencies: 0, ..self }
    }

    fn add_strangers(&mut self, rng: &mut ChaCha8Rng) {
        self.crowd = rng.random_bool(0.1);
        // A crowd is more than any table need remember.
        self.strangers = if self.crowd { rng.random_range(40..=60) } else { rng.random_range(0..=3) };
        if self.crowd || rng.random_bool(0.5) {
            self.cuts = rng.random_range(0.01..0.1);
        }
        if rng.random_bool(0.3) {
            self.moves = 0.005;
        }
        // So little that a room forgets whoever stays away for some seconds; and more than twice what a message takes.
        if rng.random_bool(0.4) {
            let (sessions_of_member, keep_ms) = (rng.random_range(1..=8), rng.random_range(500..=5_000_u64));
            let keep_ms = keep_ms.max(1_000);
            self.memory = Memory { sessions_of_member, others_min: 2, others_max: 1_024, keep_ms };
        }
    }

    /// One small house in fair weather, in which one worker dies in the middle of an operation: of one of its next operations of
    /// that kind, after `passes` of them, before or after the broker has done it. A new worker takes its place.
    pub fn tripping(seed: u64, operation: Operation, passes: u32, applied: bool) -> Self {
        let wire = Tripwire { operation, passes, applied };
        let stormy = Duration::from_secs(10);
        let blow = Blow::Trip(Place::Worker(0), wire, Duration::from_secs(1));
        Self { blows: vec![(Duration::from_millis(1), blow)], ..Self::calm(seed, 1, 1, 1, 3, stormy) }
    }

    /// Two relays in fair weather, between which bots move and leave their first connections open.
    pub fn moving(seed: u64) -> Self {
        Self { moves: 0.02, ..Self::calm(seed, 2, 1, 2, 6, Duration::from_secs(20)) }
    }

    /// Two relays that hear no news of revocations, while users are banned for some seconds, or muted, in the middle of their hands; now and then a
    /// relay or a worker dies. All of them reach the broker, as far as they live.
    pub fn revoking(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x4009);
        let stormy = Duration::from_secs(60);
        let mut plan = Self { revokes_unheard: true, ..Self::calm(seed, 2, 2, 2, 6, stormy) };
        let mut at = Duration::from_secs(3);
        while at < stormy {
            let bot = rng.random_range(0..plan.bots);
            let standing = match rng.random_range(0..3) {
                0 => Standing::BannedFor(Duration::from_millis(rng.random_range(500..=4_000))),
                1 => Standing::Muted,
                _ => Standing::Good,
            };
            plan.blows.push((at, Blow::Revoke(bot, standing)));
            at += Duration::from_millis(rng.random_range(500..=4_000));
        }
        for place in [Place::Relay(0), Place::Worker(1)] {
            let at = stormy.mul_f64(rng.random_range(0.2..0.9));
            plan.blows.push((at, Blow::Kill(place, Duration::from_millis(rng.random_range(100..=2_000)))));
        }
        plan.blows.sort_by_key(|(at, _)| *at);
        plan
    }

    /// A house on a slow broker, in which forty strangers ask the only table for something as fast as they are answered: many short
    /// messages, or long ones.
    pub fn flooding(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xf100d);
        let long_winded = rng.random_bool(0.5);
        let mailbox = match long_winded {
            true => Bound { bytes: rng.random_range(64..=96) * 1_024, ..MAILBOX },
            // Fewer than they are, in all queues together, or more.
            false => Bound { messages: rng.random_range(8..=48), ..MAILBOX },
        };
        let rates = Rates { slow: 1.0, slow_max: FLOODED_SLOW_MAX, ..Rates::default() };
        let (from, until) = (FLOODED_FROM, FLOODED_FROM + FLOODED_FOR);
        let flood = Some(Flood { guests: FLOODERS, from, until, long_winded });
        Self { flood, mailbox, rates, ..Self::calm(seed, 2, 1, 1, 4, until) }
    }

    /// Whether nothing goes wrong in it.
    pub(super) fn is_calm(&self) -> bool {
        self.rates == Rates::default() && self.blows.is_empty() && self.twins == 0 && self.cuts == 0.0
    }

    /// The same plan with a fault of our own making.
    pub fn with(mut self, planted: Planted) -> Self {
        if planted == Planted::EvictsAnybody {
            // As the first release did: the sessions that commanded last, whoever they were.
            self.memory = Memory { sessions_of_member: 0, others_min: 64, others_max: 1_024, keep_ms: 0 };
        }
        Self { planted: Some(planted), ..self }
    }

    /// A house of a given size without blows, for the ratio of virtual to real time.
    pub fn calm(
        seed: u64,
        relays: usize,
        workers: usize,
        tables: usize,
        bots: usize,
        stormy: Duration,
    ) -> Self {
        Self {
            seed,
            relays,
            workers,
            earlier_relays: 0,
            pits: 0,
            leads: false,
            tables,
            bots,
            twins: 0,
            strangers: 0,
            counters: 0,
            askers: 0,
            hosts: 0,
            agencies: 0,
            waiters: 0,
            seekers: 0,
            workmen: 0,
            pressers: 0,
            narrow: 0,
            viewers_max: 0,
            seats: TableConfig::default().seats,
            rail_delay_ms: 0,
            rail_cards: RailCards::Never,
            contest: None,
            money: false,
            money_troubles: 0.0,
            recorders: 0,
            recording_troubles: 0.0,
            troubles: 0.0,
            crowd: false,
            cuts: 0.0,
            moves: 0.0,
            memory: Memory::default(),
            mailbox: MAILBOX,
            flood: None,
            stormy,
            rates: Rates::default(),
            blows: Vec::new(),
            revokes_unheard: false,
            planted: None,
        }
    }
}

/// Half of the runs have a perfect network, so that blows are also seen by themselves.
fn rates(rng: &mut ChaCha8Rng) -> Rates {
    if rng.random_bool(0.5) {
        return Rates::default();
    }
    let mut up_to = |most: f64| rng.random_range(0.0..=most);
    Rates {
        refused: up_to(0.02),
        answer_lost: up_to(0.02),
        // An operation that never ends does not exist: the real adapter gives up on it.
        hangs: 0.0,
        behind: 0.0,
        slow: up_to(0.3),
        slow_max: Duration::from_millis(40),
        dropped: up_to(0.05),
        duplicated: up_to(0.05),
        late: up_to(0.1),
        late_max: Duration::from_millis(400),
    }
}

fn blows(rng: &mut ChaCha8Rng, stormy: Duration) -> Vec<(Duration, Blow)> {
    // A broker that loses writes excuses much; most runs must do without the excuse.
    let may_lose = rng.random_bool(0.15);
    let mut at = Duration::ZERO;
    let mut blows = Vec::new();
    loop {
        at += Duration::from_millis(rng.random_range(200..=5_000));
        if at >= stormy {
            return blows;
        }
        blows.push((at, blow(rng, may_lose)));
    }
}

fn blow(rng: &mut ChaCha8Rng, may_lose: bool) -> Blow {
    let index = rng.random_range(0..8);
    let place = if rng.random_bool(0.65) { Place::Worker(index) } else { Place::Relay(index) };
    let long = Duration::from_millis(rng.random_range(100..=8_000));
    match rng.random_range(0..if may_lose { 16 } else { 13 }) {
        0..3 => Blow::Kill(place, long),
        3..6 => Blow::Trip(place, tripwire(rng), long),
        6..8 => Blow::Drain(place),
        8..10 => Blow::Hold(place, long),
        10..12 => Blow::Cut(place, long),
        12 => Blow::Silence(place, long),
        _ => Blow::Lose(rng.random_range(1..=60)),
    }
}

fn tripwire(rng: &mut ChaCha8Rng) -> Tripwire {
    let operations = [
        Operation::Append,
        Operation::Append,
        Operation::Publish,
        Operation::Read,
        Operation::Map,
        Operation::Subscribe,
    ];
    Tripwire {
        operation: *operations.choose(rng).expect("there are operations"),
        passes: rng.random_range(0..20),
        applied: rng.random_bool(0.5),
    }
}

/// What the rail of tables that are so late sees of cards, if it sees any.
fn cards(delay_ms: u32, rng: &mut ChaCha8Rng) -> RailCards {
    if delay_ms > 0 && rng.random_bool(0.5) { RailCards::Delayed } else { RailCards::AfterHand }
}
