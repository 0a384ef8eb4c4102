//! A tournament that is played while things go wrong: who plays in it, and what it comes to.

use broker::{directory::Readers, node::RoomSpec, ports::Ports, store::Unavailable};
use loadtest::swarm::moves::Moves;
use money::Currency;
use protocol::{
    id::RoomId,
    tournament::{HandForHand, Level, Starts, Ties, TournamentConfig},
};
use rooms::{open_room, room::Room as _};
use serde::Serialize;
use tokio::time::{Duration, Instant};
use tournament::{Price, Settings, Tournament};

use super::report::Quantiles;
use crate::judge::shadow::ContestProgress;

/// One in so many comes when it has begun.
const LATE: usize = 20;

/// So many register within a second.
const REGISTERED_A_SECOND: u64 = 100;

/// And the rest has so long, in which things go wrong already.
const BEGINS_LATER: Duration = Duration::from_secs(10);

/// Blinds grow twofold with each of so many levels; with the last of them few hands are left to be played.
const LEVELS: u32 = 12;

/// What each begins with, in big blinds.
const STACK: u64 = 50;

/// Where an entry costs something: what it adds to the prizes, and what the house has of it, in the currency's smallest unit.
const BUY_IN: u64 = 500;
const FEE: u64 = 50;

/// When the last level has been played for so long, it has a winner, or never will.
const WITHIN: Duration = Duration::from_secs(600);

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Cup {
    pub(super) room: RoomId,
    pub(super) config: TournamentConfig,
    /// What entries cost chips of.
    pub(super) currency: Option<Currency>,
    /// When it begins.
    begins: Duration,
    pub(super) moves: Moves,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Played {
    /// How many took part.
    pub entries: usize,
    /// Whose account was held against what he has paid and won.
    pub accounts: usize,
    /// From the first hand's cards to the winner, seconds.
    pub seconds: f64,
    /// Players who came from one table to another.
    pub moved: u64,
    /// From the frame in which somebody left a table to that in which he sat at another, by the journals, milliseconds.
    pub move_ms: Quantiles,
    /// The same as the players saw it, from frame to keyframe, microseconds.
    pub seen_us: Quantiles,
    /// From being entered to having a seat, of those who came when it was played, milliseconds.
    pub late_ms: Quantiles,
    /// Owners after the first.
    pub owners: u64,
    /// How long each waited for what tables remember, milliseconds.
    pub waited_ms: Quantiles,
}

impl Cup {
    /// Opens it for so many, whose entries cost chips of a currency, if there is one.
    ///
    /// # Errors
    /// When the store is out of reach.
    pub(super) async fn open(
        entries: u32,
        level: Duration,
        currency: Option<Currency>,
        ports: &Ports,
    ) -> Result<Self, Unavailable> {
        let begins = Duration::from_secs(u64::from(entries) / REGISTERED_A_SECOND) + BEGINS_LATER;
        let ms = |time: Duration| u64::try_from(time.as_millis()).expect("a short time");
        let blinds = |at: u32| {
            let big_blind = 20 << at;
            Level::Play { small_blind: big_blind / 2, big_blind, ante: 0, ms: ms(level) }
        };
        let config = TournamentConfig {
            name: "Cup".into(),
            seats: 6,
            entries_min: 2,
            entries_max: entries,
            starts: Starts::AtMs(ports.clock.now_ms() + ms(begins)),
            late_levels: 1,
            stack: STACK * 20,
            buy_in: if currency.is_some() { BUY_IN } else { 0 },
            levels: (0..LEVELS).map(blinds).collect(),
            hand_for_hand: HandForHand { margin: 1, ties: Ties::Stacks, hand_ms: 4_000 },
            turn_ms: 5_000,
            bank_ms: 5_000,
            pause_ms: 300,
            runout_ms: 100,
            deal_in_ms: 2_000,
            linger_ms: 2_000,
            ..TournamentConfig::default()
        };
        let room = RoomId::new("cup-1").expect("a name");
        let price = currency.map(|currency| Price { currency, fee: FEE });
        let settings = Settings::once(room.clone(), "cup", config.clone()).at(price);
        let spec = RoomSpec::new(Tournament::NAME, &settings);
        open_room(ports, &room, &spec, Readers::OfThisRelease).await?;
        Ok(Self { room, config, currency, begins, moves: Moves::default() })
    }

    /// What an entry costs.
    pub(super) fn cost(&self) -> u64 {
        BUY_IN + FEE
    }

    /// How many take part.
    pub(super) fn entries(&self) -> usize {
        usize::try_from(self.config.entries_max).unwrap_or(usize::MAX)
    }

    /// When one of them registers.
    pub(super) fn registers(&self, number: usize, now: Instant) -> Instant {
        let late = match number % LATE {
            0 => self.begins + Duration::from_secs(4),
            _ => Duration::ZERO,
        };
        now + late + Duration::from_millis(number as u64 * 1_000 / REGISTERED_A_SECOND)
    }

    /// It has a winner by then.
    pub(super) fn ends_within(&self) -> Duration {
        let levels: u64 = self.config.levels.iter().map(|level| level.ms()).sum();
        self.begins + Duration::from_millis(levels) + WITHIN
    }

    /// What came of it, by its journals and by those who played.
    pub(super) fn played(&self, by_journals: ContestProgress) -> Played {
        let ContestProgress {
            entries, began_ms, ended_ms, moved, move_ms, late_ms, owners, waited_ms, ..
        } = by_journals;
        let took = began_ms.zip(ended_ms).map_or(0, |(began, ended)| ended.saturating_sub(began));
        Played {
            entries,
            accounts: 0,
            seconds: took as f64 / 1_000.0,
            moved,
            move_ms: Quantiles::of(move_ms),
            seen_us: Quantiles::of(self.moves.take()),
            late_ms: Quantiles::of(late_ms),
            owners,
            waited_ms: Quantiles::of(waited_ms),
        }
    }
}
