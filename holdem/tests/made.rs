//! What the house makes of cards is what the page makes of them: both are held to the same deals.

use holdem::made::made;
use holdem::{Board, Card, HoleCards, Variant};
use serde_json::Value;

/// Deals of every variant, with what they make.
const DEALS: &str = include_str!("../../web/tests/hands.json");

fn variant(name: &str) -> Variant {
    match name {
        "holdem" => Variant::Holdem,
        "omaha4" => Variant::Omaha,
        "omaha5" => Variant::Omaha5,
        "omaha6" => Variant::Omaha6,
        "short_deck" => Variant::ShortDeck,
        _ => panic!("{name} is no variant"),
    }
}

#[test]
fn the_house_and_the_page_make_the_same_of_the_same_cards() {
    let deals: Vec<Value> = serde_json::from_str(DEALS).unwrap();
    assert!(deals.len() > 200);
    for deal in deals {
        let text = |key: &str| deal[key].as_str().unwrap();
        let cards = |key: &str| text(key).split(' ').map(|card| card.parse::<Card>().unwrap());
        let (hole, board): (HoleCards, Board) = (cards("hole").collect(), cards("board").collect());
        let found = made(variant(text("variant")), &hole, &board).unwrap();
        let class = found.strength.class().to_string().replace(' ', "_");
        let five = found.cards.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(
            (class.as_str(), found.ranks().as_str(), five.as_str()),
            (text("class"), text("ranks"), text("cards")),
            "{deal}"
        );
    }
}
