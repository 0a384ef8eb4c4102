//! A strategy at a table of the house: what a client sees is put in the words of strategies, and what they decide in those of the wire.

use holdem::{
    Action, Board, Card, Chips, HandRules, HoleCards, LegalActions, Limit, RaiseKind, RaiseRange, SeatIndex,
    Street, Variant,
};
use protocol::table::{
    ActKind, Card as WireCard, GameVariant, LimitKind, SeatView, StreetName, TableEvent, TableView, TurnView,
};
use rand::Rng;
use strategies::{Deed, Did, Seen, Spot, Strategy, Style};

/// What a bot does with its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What.
    pub kind: ActKind,
    /// The street's total after a bet or raise.
    pub to: Option<u64>,
}

/// Chooses a legal action for the player whose turn it is.
pub fn choose(strategy: &dyn Strategy, seen: Sight<'_>, rng: &mut dyn Rng) -> Choice {
    let turn = seen.turn;
    let bets = turn.raise.is_some_and(|limits| limits.bet);
    let choice = |kind, to| Choice { kind, to };
    let Some(spot) = seen.spot() else {
        return choice(if turn.call.is_none() { ActKind::Check } else { ActKind::Fold }, None);
    };
    match strategy.decide(&spot, rng) {
        Action::Fold => choice(ActKind::Fold, None),
        Action::Check => choice(ActKind::Check, None),
        Action::Call => choice(ActKind::Call, None),
        Action::RaiseTo(to) => choice(if bets { ActKind::Bet } else { ActKind::Raise }, Some(to.0)),
    }
}

/// What the player of a turn sees.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The turn.
    pub turn: &'a TurnView,
    /// The table.
    pub view: &'a TableView,
    /// His cards; empty if he does not know them.
    pub hole: &'a [WireCard],
    /// What was done in the hand.
    pub deeds: &'a Deeds,
    /// What is paid for places.
    pub prizes: &'a Prizes,
}

/// What is paid for places in a tournament; none where chips are chips.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prizes {
    /// The first place's first.
    pub places: Vec<u64>,
    /// How many play for them.
    pub entries: u32,
}

impl Sight<'_> {
    /// The same in the words of strategies; `None` if there is no such hand.
    fn spot(self) -> Option<Spot> {
        let Self { turn, view, hole, deeds, prizes } = self;
        let hand = view.hand.as_ref()?;
        let config = &view.config;
        let limit = match config.limit {
            LimitKind::NoLimit => Limit::NoLimit,
            LimitKind::PotLimit => Limit::PotLimit,
        };
        let kind = |bet| if bet { RaiseKind::Bet } else { RaiseKind::Raise };
        let rules = HandRules {
            variant: variant(config.variant),
            limit,
            ..HandRules::no_limit_holdem(Chips(config.small_blind), Chips(config.big_blind))
        };
        let seated = (0..).map_while(SeatIndex::new).zip(&view.seats);
        let seen = |(seat, player): (SeatIndex, &Option<SeatView>)| {
            let player = player.as_ref().filter(|player| player.in_hand)?;
            Some(Seen { seat, stack: player.stack, bet: player.bet, folded: player.folded })
        };
        let pots: u64 = hand.pots.iter().map(|pot| pot.amount).sum();
        let bets: u64 = view.seats.iter().flatten().map(|seat| seat.bet).sum();
        Some(Spot {
            rules,
            button: SeatIndex::new(hand.button)?,
            me: SeatIndex::new(turn.seat)?,
            hole: hole.iter().map(|card| known(*card)).collect::<HoleCards>(),
            board: hand.boards.first().into_iter().flatten().map(|card| known(*card)).collect::<Board>(),
            street: street(hand.street),
            players: seated.filter_map(seen).collect(),
            pot: pots + bets,
            legal: LegalActions {
                fold: true,
                check: turn.call.is_none(),
                call: turn.call.map(Chips),
                raise: turn.raise.map(|limits| RaiseRange {
                    kind: kind(limits.bet),
                    min_to: Chips(limits.min),
                    max_to: Chips(limits.max),
                }),
            },
            deeds: deeds.of_hand(hand.hand).to_vec(),
            // Who is at other tables counts for what chips are worth, and is not seen.
            prizes: if prizes.entries <= u32::from(config.seats) {
                prizes.places.clone()
            } else {
                Vec::new()
            },
        })
    }
}

/// What was done in the hand that is on, as far as it was seen.
#[derive(Debug, Clone, Default)]
pub struct Deeds {
    hand: u64,
    deeds: Vec<Deed>,
}

impl Deeds {
    /// Takes an event, before the view does.
    pub fn see(&mut self, event: &TableEvent, view: &TableView) {
        match event {
            TableEvent::HandStarted { hand, .. } => *self = Self { hand: *hand, deeds: Vec::new() },
            TableEvent::Acted(acted) => {
                let Some(hand) = view.hand.as_ref() else { return };
                if self.hand != hand.hand {
                    // Its beginning was not seen.
                    *self = Self { hand: hand.hand, deeds: Vec::new() };
                }
                let Some(seat) = SeatIndex::new(acted.seat) else { return };
                let highest = view.seats.iter().flatten().map(|seat| seat.bet).max().unwrap_or(0);
                let player = view.seats.get(seat.index()).and_then(Option::as_ref);
                let (bet, stack) = player.map_or((0, 0), |player| (player.bet, player.stack));
                let pots: u64 = hand.pots.iter().map(|pot| pot.amount).sum();
                let bets: u64 = view.seats.iter().flatten().map(|seat| seat.bet).sum();
                let did = match acted.kind {
                    ActKind::Fold => Did::Fold,
                    ActKind::Check => Did::Check,
                    ActKind::Call => Did::Call,
                    ActKind::Bet | ActKind::Raise => Did::Raise,
                };
                let (street, owed) = (street(hand.street), highest.saturating_sub(bet).min(stack));
                self.deeds.push(Deed { seat, street, did, paid: acted.amount, owed, pot: pots + bets });
            }
            _ => {}
        }
    }

    fn of_hand(&self, hand: u64) -> &[Deed] {
        if self.hand == hand { &self.deeds } else { &[] }
    }
}

/// How long a turn is thought about, as a part of what is usual: by who plays sensibly little about what is free, long about what costs
/// much.
pub(crate) fn pondering(style: Style, turn: &TurnView, view: &TableView) -> f64 {
    let stack = view.seats.get(usize::from(turn.seat)).and_then(Option::as_ref).map_or(0, |me| me.stack);
    match turn.call {
        _ if style.is_of_crowd() => 1.0,
        None => 0.7,
        Some(call) if call.saturating_mul(4) >= stack => 1.6,
        Some(_) => 1.0,
    }
}

/// A card of the wire in the words of the rules.
///
/// # Panics
/// Never: both write rank then suit.
fn known(card: WireCard) -> Card {
    card.as_str().parse().expect("a card is written rank then suit")
}

fn variant(game: GameVariant) -> Variant {
    match game {
        GameVariant::Holdem => Variant::Holdem,
        GameVariant::ShortDeck => Variant::ShortDeck,
        GameVariant::Omaha4 => Variant::Omaha,
        GameVariant::Omaha5 => Variant::Omaha5,
        GameVariant::Omaha6 => Variant::Omaha6,
    }
}

const fn street(street: StreetName) -> Street {
    match street {
        StreetName::Preflop => Street::Preflop,
        StreetName::Flop => Street::Flop,
        StreetName::Turn => Street::Turn,
        StreetName::River | StreetName::Showdown => Street::River,
    }
}
