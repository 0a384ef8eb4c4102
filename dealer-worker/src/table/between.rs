//! The table's settings in the words of the rules, and what makes settings valid.

use holdem::{
    AnteOrder, Chips, HandRules, Limit, Rake, Variant,
    between::{Ante, ButtonRule, EntryRule, NextHand, Occupant, Straddles, TableRules},
    seat::SEATS_MAX,
};
use shared::protocol::table::{
    self as wire, AnteKind, BlindsOwed, GameVariant, LimitKind, SeatStatus, TableConfig,
};

use super::{Table, state::index};

/// A hand takes so many players.
pub(super) const PLAYERS_MIN: u8 = 2;

/// The largest buy-in, blind or ante that a table may be set to, chips: a table's sum stays far below what JSON
/// numbers carry.
pub const STAKE_MAX: u64 = 1 << 40;

/// Settings that describe no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadConfig {
    /// Seats.
    #[error("a table of this game has 2 to {0} seats")]
    Seats(usize),
    /// Blinds and ante.
    #[error("the big blind is at least 1, the small blind at most as much, and no stake above {STAKE_MAX}")]
    Stakes,
    /// Buy-ins.
    #[error("the buy-ins are at least 1, the smallest at most the largest, and that at most {STAKE_MAX}")]
    BuyIns,
    /// Rake.
    #[error("the rake is at most 10,000 basis points")]
    Rake,
    /// Boards.
    #[error("players cannot agree on several boards yet: a hand is run once")]
    Runs,
    /// Times.
    #[error("a turn has at least a millisecond")]
    Times,
}

/// Checks settings before a table is opened with them.
///
/// # Errors
/// [`BadConfig`] says what is wrong.
pub fn check(config: &TableConfig) -> Result<(), BadConfig> {
    let seats_max = variant(config).players_max();
    if !(usize::from(PLAYERS_MIN)..=seats_max).contains(&usize::from(config.seats)) {
        return Err(BadConfig::Seats(seats_max));
    }
    let stakes = [config.small_blind, config.big_blind, config.ante, config.rake.cap];
    if config.big_blind == 0
        || config.small_blind > config.big_blind
        || stakes.iter().any(|stake| *stake > STAKE_MAX)
    {
        return Err(BadConfig::Stakes);
    }
    if config.buy_in_min == 0 || config.buy_in_min > config.buy_in_max || config.buy_in_max > STAKE_MAX {
        return Err(BadConfig::BuyIns);
    }
    if config.rake.basis_points > 10_000 {
        return Err(BadConfig::Rake);
    }
    if config.runs_max != 1 {
        return Err(BadConfig::Runs);
    }
    if config.turn_ms == 0 {
        return Err(BadConfig::Times);
    }
    Ok(())
}

fn variant(config: &TableConfig) -> Variant {
    match config.variant {
        GameVariant::Holdem => Variant::Holdem,
        GameVariant::ShortDeck => Variant::ShortDeck,
        GameVariant::Omaha4 => Variant::Omaha,
        GameVariant::Omaha5 => Variant::Omaha5,
        GameVariant::Omaha6 => Variant::Omaha6,
    }
}

fn rules(config: &TableConfig) -> TableRules {
    let ante = match (config.ante_kind, Chips(config.ante)) {
        (_, Chips::ZERO) => Ante::None,
        (AnteKind::EachPlayer, ante) => Ante::PerPlayer(ante),
        (AnteKind::BigBlind, ante) => Ante::BigBlind(ante),
        (AnteKind::Button, ante) => Ante::Button(ante),
    };
    TableRules {
        hand: HandRules {
            variant: variant(config),
            limit: match config.limit {
                LimitKind::NoLimit => Limit::NoLimit,
                LimitKind::PotLimit => Limit::PotLimit,
            },
            small_blind: Chips(config.small_blind),
            big_blind: Chips(config.big_blind),
            ante_order: match config.ante_kind {
                AnteKind::EachPlayer => AnteOrder::BeforeBlinds,
                AnteKind::BigBlind | AnteKind::Button => AnteOrder::AfterBlinds,
            },
            rake: Rake {
                basis_points: config.rake.basis_points,
                caps: [Chips(config.rake.cap); SEATS_MAX - 1],
            },
            // Players have no command yet to agree on several boards, so none are offered.
            runs_max: 1,
        },
        ante,
        straddles: match config.straddles {
            wire::Straddles::None => Straddles::None,
            wire::Straddles::UnderTheGun => Straddles::UnderTheGun,
            wire::Straddles::Button => Straddles::Button,
        },
        button: match config.button_rule {
            wire::ButtonRule::Dead => ButtonRule::Dead,
            wire::ButtonRule::Moving => ButtonRule::Moving,
        },
        entry: match config.blinds_owed {
            BlindsOwed::Nothing => EntryRule::Free,
            BlindsOwed::PostOrWait => EntryRule::PostBlinds,
        },
    }
}

impl Table {
    /// Whether the player of a seat takes part in the next hand, or waits for the big blind to do so.
    fn wants_in(status: SeatStatus) -> bool {
        matches!(status, SeatStatus::Playing | SeatStatus::Waiting)
    }

    /// Whether there are players for a hand.
    pub(super) fn can_start(&self) -> bool {
        let ready = self.players().filter(|(_, seat)| seat.stack > 0 && Self::wants_in(seat.status));
        self.running().is_none() && ready.count() >= usize::from(PLAYERS_MIN)
    }

    /// The next hand; `None` while there are too few players.
    pub(super) fn next_hand(&self) -> Option<NextHand> {
        let rules = rules(self.config());
        let occupants: Vec<Occupant> = self
            .players()
            // Under the free rule, which is made for tournaments, who sits out would be dealt in.
            .filter(|(_, seat)| rules.entry == EntryRule::PostBlinds || Self::wants_in(seat.status))
            .map(|(at, seat)| Occupant {
                seat: index(at),
                stack: Chips(seat.stack),
                sitting_out: !Self::wants_in(seat.status),
                posts_now: !self.place(at).waits,
                straddles: true,
            })
            .collect();
        self.rotation.next_hand(&rules, &occupants)
    }
}
