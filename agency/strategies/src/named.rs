//! Strategies by name, for command lines.

use crate::{sensible::Temper, strategy::Strategy, style::Style};

/// The names, each with what it stands for.
pub const NAMES: [(&str, &str); 8] = [
    ("random", "anything that is legal, all-in as readily as the minimum"),
    ("tight", "few hands by their looks, and those for their worth"),
    ("loose", "many hands by their looks, raising when in doubt"),
    ("sensible-tight", "knows the game, plays few hands"),
    ("sensible-solid", "knows the game, plays as books recommend"),
    ("sensible-loose", "knows the game, plays many hands and bluffs"),
    ("pot-odds", "reckons what each action brings against what others may hold"),
    ("push-fold", "the same, and with a short stack all or nothing, as is best"),
];

/// The strategy of that name.
pub fn strategy(name: &str) -> Option<Box<dyn Strategy>> {
    let style = |style: Style| -> Option<Box<dyn Strategy>> { Some(Box::new(style)) };
    match name {
        "random" => style(Style::RandomLegal),
        "tight" => style(Style::Tight),
        "loose" => style(Style::LooseAggressive),
        "sensible-tight" => style(Style::Sensible(Temper::Tight)),
        "sensible-solid" => style(Style::Sensible(Temper::Solid)),
        "sensible-loose" => style(Style::Sensible(Temper::Loose)),
        "pot-odds" => style(Style::PotOdds),
        "push-fold" => style(Style::PushFold),
        _ => None,
    }
}
