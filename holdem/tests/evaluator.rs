//! The evaluator against a second crate that shares no code or table with it, and against the known frequencies of the
//! hand classes.

use std::collections::HashMap;

use aya_poker::base::{Card as AyaCard, Hand as AyaHand};
use holdem::evaluate::{HandClass, Strength, best, strength};
use holdem::{Board, Card, HoleCards, Variant};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// Random hands per game that are cross-checked; the game whose tables differ most gets the most.
const HOLDEM_HANDS: usize = 1_000_000;
const SHORT_DECK_HANDS: usize = 250_000;
const OMAHA_HANDS: usize = 20_000;

fn aya(cards: impl Iterator<Item = Card>) -> AyaHand {
    let cards: Vec<AyaCard> =
        cards.map(|card| card.to_string().parse().expect("both write cards alike")).collect();
    cards.iter().collect()
}

/// Collects pairs of ranks of the two evaluators, and checks that they order all hands alike: each rank of one belongs to
/// one rank of the other, and greater to greater.
#[derive(Default)]
struct SameOrder {
    pairs: HashMap<u16, Strength>,
}

impl SameOrder {
    fn add(&mut self, theirs: u16, ours: Strength) {
        let known = *self.pairs.entry(theirs).or_insert(ours);
        assert_eq!(known, ours, "hands that are equal for one are equal for the other");
    }

    fn check(self) {
        let mut pairs: Vec<(u16, Strength)> = self.pairs.into_iter().collect();
        pairs.sort_unstable();
        assert!(
            pairs.windows(2).all(|pair| pair[0].1 < pair[1].1),
            "greater for one is greater for the other"
        );
    }
}

/// Random deals of `each` hole cards and a board.
fn random_deals(
    variant: Variant,
    each: usize,
    count: usize,
    seed: u64,
) -> impl Iterator<Item = (Vec<Card>, Vec<Card>)> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut deck: Vec<Card> = variant.deck().collect();
    (0..count).map(move |_| {
        let (dealt, _) = deck.partial_shuffle(&mut random, each + 5);
        (dealt[..each].to_vec(), dealt[each..].to_vec())
    })
}

fn ours(variant: Variant, hole: &[Card], board: &[Card]) -> Strength {
    let (hole, board): (HoleCards, Board) = (hole.iter().copied().collect(), board.iter().copied().collect());
    strength(variant, &hole, &board).expect("all cards are known")
}

#[test]
fn seven_card_hands_rank_as_in_the_other_crate() {
    let parse = |card: Card| card.to_string().parse().expect("both write cards alike");
    let by_number: Vec<AyaCard> = Card::all().map(parse).collect();
    let mut order = SameOrder::default();
    for (hole, board) in random_deals(Variant::Holdem, 2, HOLDEM_HANDS, 1) {
        let hand: AyaHand = hole.iter().chain(&board).map(|card| &by_number[card.get() as usize]).collect();
        order.add(aya_poker::poker_rank(&hand).0, ours(Variant::Holdem, &hole, &board));
    }
    assert!(order.pairs.len() > 4_000, "nearly all of the 4,824 ranks of seven cards were seen");
    order.check();
}

#[test]
fn short_deck_hands_rank_as_in_the_other_crate() {
    let mut order = SameOrder::default();
    for (hole, board) in random_deals(Variant::ShortDeck, 2, SHORT_DECK_HANDS, 2) {
        let hand = aya(hole.iter().chain(&board).copied());
        order.add(aya_poker::short_deck_rank(&hand).0, ours(Variant::ShortDeck, &hole, &board));
    }
    order.check();
}

#[test]
fn omaha_hands_rank_as_in_the_other_crate() {
    let mut order = SameOrder::default();
    for (hole, board) in random_deals(Variant::Omaha, 4, OMAHA_HANDS, 3) {
        let (their_hole, their_board) = (aya(hole.iter().copied()), aya(board.iter().copied()));
        order.add(aya_poker::omaha_rank(&their_hole, &their_board).0, ours(Variant::Omaha, &hole, &board));
    }
    order.check();
}

#[test]
fn five_and_six_card_omaha_play_the_best_of_their_four_card_hands() {
    for (variant, each) in [(Variant::Omaha5, 5), (Variant::Omaha6, 6)] {
        for (hole, board) in random_deals(variant, each, 500, 4) {
            let of_four = four_of(&hole).map(|four| ours(Variant::Omaha, &four, &board)).max();
            assert_eq!(Some(ours(variant, &hole, &board)), of_four);
        }
    }
}

fn four_of(hole: &[Card]) -> impl Iterator<Item = Vec<Card>> + '_ {
    (0..1u32 << hole.len()).filter(|mask| mask.count_ones() == 4).map(|mask| {
        hole.iter().enumerate().filter(|(at, _)| mask & 1 << at != 0).map(|(_, &card)| card).collect()
    })
}

/// Counts the classes of all hands of `size` cards of a deck.
fn count_classes(variant: Variant, size: usize) -> [u64; 9] {
    fn extend(variant: Variant, deck: &[Card], hand: &mut Vec<Card>, size: usize, counts: &mut [u64; 9]) {
        if hand.len() == size {
            counts[best(variant, hand.iter().copied()).class() as usize] += 1;
            return;
        }
        for (at, &card) in deck.iter().enumerate() {
            hand.push(card);
            extend(variant, &deck[at + 1..], hand, size, counts);
            hand.pop();
        }
    }
    let deck: Vec<Card> = variant.deck().collect();
    let mut counts = [0; 9];
    extend(variant, &deck, &mut Vec::new(), size, &mut counts);
    counts
}

#[test]
fn all_five_card_hands_have_the_known_class_frequencies() {
    let counts = count_classes(Variant::Holdem, 5);
    assert_eq!(counts, [1_302_540, 1_098_240, 123_552, 54_912, 10_200, 5_108, 3_744, 624, 40]);
    assert_eq!(counts.iter().sum::<u64>(), 2_598_960);
}

#[test]
fn all_five_card_short_deck_hands_have_the_frequencies_of_nine_ranks() {
    // By counting: pairs 9 * 6 * C(8,3) * 64, and so on; straights are the six from A-6-7-8-9 to T-J-Q-K-A.
    let counts = count_classes(Variant::ShortDeck, 5);
    let straight_flushes = 6 * 4;
    let straights = 6 * 1_024 - straight_flushes;
    let flushes = 4 * 126 - straight_flushes;
    let high_cards = 126 * 1_024 - straights - flushes - straight_flushes;
    assert_eq!(
        counts,
        [high_cards, 193_536, 36_288, 16_128, straights, flushes, 1_728, 288, straight_flushes]
    );
    assert_eq!(counts.iter().sum::<u64>(), 376_992);
}

#[test]
#[ignore = "133,784,560 hands: some ten seconds with --release"]
fn all_seven_card_hands_have_the_known_class_frequencies() {
    let counts = count_classes(Variant::Holdem, 7);
    assert_eq!(
        counts,
        [23_294_460, 58_627_800, 31_433_400, 6_461_620, 6_180_020, 4_047_644, 3_473_184, 224_848, 41_584]
    );
    assert_eq!(counts.iter().sum::<u64>(), 133_784_560);
}

#[test]
fn in_short_deck_a_flush_beats_a_full_house_and_the_ace_plays_below_the_six() {
    let rank = |text: &str| {
        let cards: Vec<Card> = (0..5).map(|at| text[2 * at..2 * at + 2].parse().expect("a card")).collect();
        best(Variant::ShortDeck, cards.into_iter())
    };
    let (flush, full_house) = (rank("AhKhTh8h6h"), rank("AsAdAhKsKd"));
    assert!(flush > full_house && rank("AsAdAhAcKd") > flush);
    let wheel = rank("As6d7h8c9d");
    assert_eq!(wheel.class(), HandClass::Straight);
    assert!(wheel > rank("AsAdAhKsQd") && wheel < rank("6d7h8c9dTs"));
    assert_eq!(rank("As6s7s8s9s").class(), HandClass::StraightFlush);
}
