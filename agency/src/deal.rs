//! One deal: the same cards, whoever sits where.

use holdem::{
    Chips, Deck, Event, Hand, HandRules, HandSetup, SEATS_MAX, Seed, ShowReason, Variant, card::BOARD_MAX,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strategies::{Deed, Spot, Strategy};

use crate::adjusted;

/// Chips of a big blind: so many that rounding does not matter.
pub const BIG_BLIND: u64 = 100;

/// A deal is a number of a match.
#[derive(Debug, Clone)]
pub struct Deal {
    setup: HandSetup,
    deck: Deck,
    chance: [u64; 2],
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Played {
    /// What each seat won or lost, chips, as the cards fell.
    pub nets: [i64; SEATS_MAX],
    /// The same, with the average over the cards that were still to come when all chips were in.
    pub adjusted: [f64; SEATS_MAX],
    /// Actions that the rules refused: checked or folded instead.
    pub illegal: u64,
}

impl Deal {
    /// Number `index` of the match with this seed: everybody begins with so many big blinds, the last seat has the button.
    pub fn new(seed: u64, index: u64, seats: u8, stack: u64) -> Self {
        let rules = HandRules::no_limit_holdem(Chips(BIG_BLIND / 2), Chips(BIG_BLIND));
        let stacks = vec![Chips(stack * BIG_BLIND); usize::from(seats)];
        let mut bytes = [0; 32];
        chance([seed, index], 0).fill_bytes(&mut bytes);
        Self {
            setup: HandSetup::simple(rules, seats - 1, &stacks),
            deck: Deck::shuffled(Variant::Holdem, &Seed(bytes)),
            chance: [seed, index],
        }
    }

    /// Plays it, with the strategy that `at` names for each seat. Each seat has chance of its own, and the same whoever sits there.
    pub fn play<'s>(&self, at: impl Fn(usize) -> &'s dyn Strategy) -> Played {
        // How many cards of the board lie, and how many did when all chips were in.
        let (mut lie, mut then) = (0, None);
        let mut see = |event: Event| match event {
            Event::StreetDealt { cards, .. } => lie += cards.len(),
            Event::Shown { why: ShowReason::AllIn, .. } => then = then.or(Some(lie)),
            _ => {}
        };
        let mut hand = Hand::start(&self.setup, self.deck.clone(), &mut see).expect("the setup is one");
        let mut rngs: Vec<_> = (0..SEATS_MAX).map(|seat| chance(self.chance, seat as u64 + 1)).collect();
        let (mut deeds, mut illegal) = (Vec::new(), 0);
        while let Some(spot) = Spot::of(&hand, &deeds) {
            let seat = spot.me;
            let mut action = at(seat.index()).decide(&spot, &mut rngs[seat.index()]);
            let deed = Deed::of(&hand, action);
            if hand.act(seat, action, &mut see).is_err() {
                illegal += 1;
                action = hand.timeout_action().expect("somebody is to act");
                hand.act(seat, action, &mut see).expect("that is always legal");
                deeds.extend(deed.map(|deed| Deed { did: did(action), paid: 0, ..deed }));
            } else {
                deeds.extend(deed);
            }
        }
        let mut nets = [0; SEATS_MAX];
        hand.seats().for_each(|(seat, player)| nets[seat.index()] = player.net());
        let then = then.filter(|cards| *cards < BOARD_MAX);
        let adjusted = adjusted::winnings(&hand, then, &mut chance(self.chance, 0));
        Played { nets, adjusted, illegal }
    }
}

fn did(action: holdem::Action) -> strategies::Did {
    if action == holdem::Action::Check { strategies::Did::Check } else { strategies::Did::Fold }
}

/// A stream of chance of its own for each seat of each deal.
fn chance([seed, index]: [u64; 2], stream: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&index.to_le_bytes());
    key[16..24].copy_from_slice(&stream.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}
