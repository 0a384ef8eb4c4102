//! What every strategy keeps: it does what is legal, and knows what a player may know.

use holdem::{Action, Card, Chips, Deck, Hand, HandRules, HandSetup, HoleCards, Limit, Seed, Variant};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strategies::{Deed, Spot, Strategy, named};

fn rules(variant: Variant, limit: Limit) -> HandRules {
    HandRules { variant, limit, ..HandRules::no_limit_holdem(Chips(5), Chips(10)) }
}

fn any(rng: &mut ChaCha8Rng, legal: holdem::LegalActions) -> Action {
    match (rng.random_range(0..8), legal.raise) {
        (0, Some(raise)) => Action::RaiseTo(Chips(rng.random_range(raise.min_to.0..=raise.max_to.0))),
        (1, _) => Action::Fold,
        _ if legal.check => Action::Check,
        _ => Action::Call,
    }
}

/// A hand, and what was done in it.
type At = (Hand, Vec<Deed>);

/// A hand that was played at random until somebody is to act for the `turns`th time; `None` if it is over before.
fn at_some_point(setup: &HandSetup, deck: Deck, seed: u64, turns: usize) -> Option<At> {
    let mut hand = Hand::start(setup, deck, |_| {}).unwrap();
    let (mut rng, mut deeds) = (ChaCha8Rng::seed_from_u64(seed), Vec::new());
    for _ in 0..turns {
        let action = any(&mut rng, hand.legal_actions()?);
        deeds.extend(Deed::of(&hand, action));
        hand.act(hand.to_act()?, action, |_| {}).unwrap();
    }
    hand.to_act().map(|_| (hand, deeds))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_strategy_does_only_what_is_legal(
        seed: u64, turns in 0usize..24, stacks in prop::collection::vec(1u64..3_000, 2..8),
        variant in prop::sample::select(&[Variant::Holdem, Variant::Holdem, Variant::ShortDeck, Variant::Omaha][..]),
        pot_limit: bool, forgotten: bool,
    ) {
        let limit = if pot_limit { Limit::PotLimit } else { Limit::NoLimit };
        let stacks: Vec<Chips> = stacks.into_iter().map(Chips).collect();
        let setup = HandSetup::simple(rules(variant, limit), 0, &stacks);
        let deck = Deck::shuffled(variant, &Seed([seed as u8; 32]));
        if let Some((hand, deeds)) = at_some_point(&setup, deck, seed, turns) {
            // Who comes late has not seen what was done.
            let spot = Spot::of(&hand, if forgotten { &[] } else { &deeds }).unwrap();
            for (name, _) in named::NAMES {
                let strategy = named::strategy(name).unwrap();
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let action = strategy.decide(&spot, &mut rng);
                let mut after = hand.clone();
                prop_assert!(after.act(spot.me, action, |_| {}).is_ok(), "{name} {action:?} {:?}", spot.legal);
                // The same chance, the same action; and none of what it keeps for later changes that.
                prop_assert_eq!(strategy.decide(&spot, &mut ChaCha8Rng::seed_from_u64(seed)), action, "{}", name);
            }
        }
    }

    #[test]
    fn what_a_player_knows_does_not_depend_on_what_he_may_not_know(seed: u64, turns in 0usize..24, seats in 2u8..7) {
        let differs = |knows: fn(&Hand, &[Deed]) -> Option<Spot>| -> bool {
            let (one, other) = twins(seed, turns, seats);
            let [one, other] = [one, other].map(|hand| hand.and_then(|(hand, deeds)| knows(&hand, &deeds)));
            one != other
        };
        prop_assert!(!differs(Spot::of));
        // The check can fail: who looks at the card on top of the deck knows more.
        let peeks = |hand: &Hand, deeds: &[Deed]| {
            let top = hand.deck().order().get(hand.deck().dealt()).copied().flatten();
            let spot = Spot::of(hand, deeds)?;
            Some(Spot { hole: HoleCards::from_iter(top), ..spot })
        };
        if twins(seed, turns, seats).0.is_some() {
            prop_assert!(differs(peeks), "a peek was not seen");
        }
    }
}

/// The same hand twice, as far as the player to act can know: cards of others and those to come lie otherwise.
fn twins(seed: u64, turns: usize, seats: u8) -> (Option<At>, Option<At>) {
    let stacks = vec![Chips(2_000); usize::from(seats)];
    let setup = HandSetup::simple(rules(Variant::Holdem, Limit::NoLimit), 0, &stacks);
    let deck = Deck::shuffled(Variant::Holdem, &Seed([seed as u8; 32]));
    let Some((hand, deeds)) = at_some_point(&setup, deck.clone(), seed, turns) else { return (None, None) };
    let me = hand.player(hand.to_act().unwrap()).unwrap().hole_cards();
    let seen: Vec<Card> = me.iter().chain(hand.board().iter()).flatten().collect();
    let order: Vec<Card> = deck.order().iter().copied().flatten().collect();
    let hidden: Vec<usize> = (0..order.len()).filter(|at| !seen.contains(&order[*at])).collect();
    let mut moved = hidden.clone();
    // Nothing stays where it was, so that each hidden card is another one.
    moved.rotate_left(1 + (seed as usize) % (hidden.len() - 1));
    let mut other = order.clone();
    hidden.iter().zip(&moved).for_each(|(to, from)| other[*to] = order[*from]);
    let other = Deck::from_order(other.into_iter().map(Some));
    (Some((hand, deeds)), at_some_point(&setup, other, seed, turns))
}
