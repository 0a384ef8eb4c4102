//! The shuffle: the test vectors that `docs/rules.md` publishes, and that it is a fair one.

use holdem::{Card, Deck, Seed, Variant};

fn order(variant: Variant, seed: &Seed) -> String {
    Deck::shuffled(variant, seed).order().iter().flatten().map(Card::to_string).collect()
}

/// The published vectors: variant, seed, order from the top.
fn vectors() -> Vec<(Variant, Seed, String)> {
    let docs = include_str!("../../docs/rules.md");
    let section = docs.split("## Shuffle").nth(1).expect("docs/rules.md has a section on the shuffle");
    let rows = section.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let variant = match *cells.get(1)? {
            "52 cards" => Variant::Holdem,
            "36 cards" => Variant::ShortDeck,
            _ => return None,
        };
        let byte =
            |at: usize| u8::from_str_radix(&cells[2][2 * at..2 * at + 2], 16).expect("hexadecimal digits");
        Some((variant, Seed(std::array::from_fn(byte)), cells[3].to_owned()))
    });
    rows.collect()
}

#[test]
fn the_published_vectors_come_out() {
    let vectors = vectors();
    assert!(vectors.len() >= 4, "the docs publish several vectors");
    for (variant, seed, expected) in vectors {
        assert_eq!(order(variant, &seed), expected);
    }
}

#[test]
fn a_shuffled_deck_has_every_card_once() {
    for variant in [Variant::Holdem, Variant::ShortDeck] {
        let mut cards: Vec<Card> =
            Deck::shuffled(variant, &Seed([3; 32])).order().iter().copied().flatten().collect();
        cards.sort_unstable();
        assert!(cards.into_iter().eq(variant.deck()));
    }
}

#[test]
fn every_card_comes_to_every_place_equally_often() {
    const SHUFFLES: u64 = 20_000;
    let mut counts = vec![[0u64; 52]; 52];
    for number in 0..SHUFFLES {
        let mut seed = Seed([0; 32]);
        seed.0[..8].copy_from_slice(&number.to_le_bytes());
        for (place, card) in Deck::shuffled(Variant::Holdem, &seed).order().iter().flatten().enumerate() {
            counts[place][card.get() as usize] += 1;
        }
    }
    // Chi-squared over 52 places and 52 cards with 51 * 51 degrees of freedom: mean 2,601, standard deviation 72.
    let expected = SHUFFLES as f64 / 52.0;
    let chi_squared: f64 = counts.iter().flatten().map(|&n| (n as f64 - expected).powi(2) / expected).sum();
    assert!((2_200.0..3_000.0).contains(&chi_squared), "{chi_squared}");
}

#[test]
fn a_seed_does_not_show_in_debug_output() {
    assert_eq!(format!("{:?}", Seed([7; 32])), "Seed(secret)");
}
