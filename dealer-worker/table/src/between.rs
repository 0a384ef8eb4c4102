//! The table's settings in the words of the rules.

use holdem::{
    AnteOrder, Chips, HandRules, Limit, Rake, Variant,
    between::{Ante, ButtonRule, EntryRule, NextHand, Occupant, Straddles, TableRules},
    seat::SEATS_MAX,
};
use protocol::table::{self as wire, AnteKind, BlindsOwed, GameVariant, LimitKind, SeatStatus, TableConfig};
use rooms::planted::{Fault, is_planted};

use super::{Table, state::index};

/// A hand takes so many players.
pub(super) const PLAYERS_MIN: u8 = 2;

pub(super) fn variant(config: &TableConfig) -> Variant {
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
            runs_max: config.runs_max,
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
            BlindsOwed::Nothing => EntryRule::NothingOwed,
            BlindsOwed::PostOrWait => EntryRule::PostBlinds,
            BlindsOwed::NoneMissed => EntryRule::Free,
        },
    }
}

impl Table {
    /// Whether the player of a seat takes part in the next hand, or waits for the big blind to do so.
    fn wants_in(status: SeatStatus) -> bool {
        matches!(status, SeatStatus::Playing | SeatStatus::Waiting)
    }

    /// Whether the players of this table are dealt in, present or not.
    pub(super) fn deals_in_absent(&self) -> bool {
        self.config().blinds_owed == BlindsOwed::NoneMissed
    }

    /// Whether there are players for a hand.
    pub(super) fn can_start(&self) -> bool {
        let all = self.deals_in_absent();
        let ready = self.players().filter(|(_, seat)| seat.stack > 0 && (all || Self::wants_in(seat.status)));
        self.running().is_none() && ready.count() >= usize::from(PLAYERS_MIN)
    }

    /// The next hand; `None` while there are too few players.
    pub(super) fn next_hand(&self) -> Option<NextHand> {
        let rules = rules(self.config());
        let occupants: Vec<Occupant> = self
            .players()
            .map(|(at, seat)| Occupant {
                seat: index(at),
                stack: Chips(seat.stack),
                sitting_out: !Self::wants_in(seat.status),
                posts_now: !self.place(at).waits,
                straddles: true,
            })
            .collect();
        let mut rotation = self.rotation;
        if is_planted(Fault::ForgivesBlinds) {
            for occupant in &occupants {
                rotation.leave(occupant.seat);
            }
        }
        rotation.next_hand(&rules, &occupants)
    }
}
