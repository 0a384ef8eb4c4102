//! The engine in lockstep with another program, which trains or judges players: JSON lines on standard input and output.
//!
//! A line asks, and is answered by a line; a line that is a list asks many things at once and is answered by as many. `at` names one of 4,096 places
//! at which a hand may lie (0 unless it is said), so that a list goes on with many hands at a time:
//!
//! ```text
//! {"new": {"stacks": [200, 200], "button": 0, "small_blind": 1, "big_blind": 2, "seed": "07…07"}}
//! {"street": "preflop", "board": [], "pot": 3, "bets": [1, 2], "stacks": [199, 198], "folded": [false, false], "hole": [["8d", "Kc"], ["2s", "9s"]],
//!  "turn": {"seat": 0, "call": 1, "raise": [4, 200]}}
//! {"do": {"raise": 6}}
//! {"do": "fold"}
//! {"street": "preflop", …, "turn": null, "net": [2, -2]}
//! ```
//!
//! `new` takes `seed` (64 hexadecimal digits, see `docs/rules.md`) or `deck` (cards from the top), and may say `ante`, `variant`, `limit` and `record`: then the hand's end is told
//! with its record in PHH. `do` is `fold`, `check`, `call` or `raise` to a total of the street. What is not possible is `{"refused": why}` and changes nothing. All cards are told:
//! whoever asks deals them out.

use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use holdem::{
    Action, Card, Chips, Deck, Event, Hand, HandRules, HandSetup, Limit, Post, PostKind, SEATS_MAX, Seed,
    Variant, phh::record_of,
};
use serde::{Deserialize, Serialize};

/// Places for hands.
const PLACES: usize = 4_096;

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Many(Vec<Request>),
    One(Request),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    at: usize,
    new: Option<New>,
    #[serde(rename = "do")]
    act: Option<Do>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    stacks: Vec<Chips>,
    button: u8,
    small_blind: Chips,
    big_blind: Chips,
    #[serde(default)]
    ante: Chips,
    #[serde(default)]
    variant: Game,
    #[serde(default)]
    limit: Bound,
    seed: Option<String>,
    deck: Option<Vec<Card>>,
    #[serde(default)]
    record: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Game {
    #[default]
    Holdem,
    ShortDeck,
    Omaha4,
    Omaha5,
    Omaha6,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Bound {
    #[default]
    NoLimit,
    PotLimit,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Do {
    Fold,
    Check,
    Call,
    Raise(Chips),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Seen(Box<Seen>),
    Refused { refused: String },
}

/// A hand as it is now.
#[derive(Serialize)]
struct Seen {
    street: &'static str,
    board: Vec<Card>,
    /// All chips in the middle.
    pot: Chips,
    bets: Vec<Chips>,
    stacks: Vec<Chips>,
    folded: Vec<bool>,
    /// Of all seats, when the hand begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    hole: Option<Vec<Vec<Card>>>,
    turn: Option<Turn>,
    /// What each has won or lost, when the hand is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    net: Option<Vec<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
}

#[derive(Serialize)]
struct Turn {
    seat: u8,
    /// `null`: checking is free.
    call: Option<Chips>,
    raise: Option<[Chips; 2]>,
}

/// A hand that is played.
struct Played {
    setup: HandSetup,
    hand: Hand,
    /// What happened, where a record is wanted.
    events: Option<Vec<Event>>,
}

fn main() -> std::io::Result<()> {
    let mut places: Vec<Option<Played>> = Vec::new();
    places.resize_with(PLACES, || None);
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        match serde_json::from_str(&line?) {
            Ok(Line::One(request)) => serde_json::to_writer(&mut out, &answer(&mut places, request))?,
            Ok(Line::Many(requests)) => {
                let answers: Vec<Answer> =
                    requests.into_iter().map(|request| answer(&mut places, request)).collect();
                serde_json::to_writer(&mut out, &answers)?;
            }
            Err(why) => serde_json::to_writer(&mut out, &Answer::Refused { refused: why.to_string() })?,
        }
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(places: &mut [Option<Played>], request: Request) -> Answer {
    let Some(place) = places.get_mut(request.at) else {
        return Answer::Refused { refused: format!("there are {PLACES} places") };
    };
    let done = match (request.new, request.act) {
        (Some(new), None) => begin(new).map(|played| Answer::Seen(Box::new(place.insert(played).seen(true)))),
        (None, Some(act)) => match place {
            Some(played) => played.act(&act).map(|()| Answer::Seen(Box::new(played.seen(false)))),
            None => Err("no hand lies there".into()),
        },
        _ => Err("either `new` or `do`".into()),
    };
    done.unwrap_or_else(|refused| Answer::Refused { refused })
}

fn begin(new: New) -> Result<Played, String> {
    let variant = match new.variant {
        Game::Holdem => Variant::Holdem,
        Game::ShortDeck => Variant::ShortDeck,
        Game::Omaha4 => Variant::Omaha,
        Game::Omaha5 => Variant::Omaha5,
        Game::Omaha6 => Variant::Omaha6,
    };
    let limit = match new.limit {
        Bound::NoLimit => Limit::NoLimit,
        Bound::PotLimit => Limit::PotLimit,
    };
    if !(2..=SEATS_MAX).contains(&new.stacks.len()) || usize::from(new.button) >= new.stacks.len() {
        return Err("two to ten stacks, and the button at one of them".into());
    }
    let deck = match (new.seed, new.deck) {
        (Some(seed), None) => Deck::shuffled(variant, &Seed(of_hex(&seed)?)),
        (None, Some(cards)) => in_order(variant, &cards)?,
        _ => return Err("either a `seed` or a `deck`".into()),
    };
    let rules = HandRules { variant, limit, ..HandRules::no_limit_holdem(new.small_blind, new.big_blind) };
    let mut setup = HandSetup::simple(rules, new.button, &new.stacks);
    if !new.ante.is_zero() {
        for seat in &mut setup.seats {
            seat.posts.push(Post { kind: PostKind::Ante, amount: new.ante });
        }
    }
    let mut events = new.record.then(Vec::new);
    let hand = Hand::start(&setup, deck, |event| events.iter_mut().for_each(|told| told.push(event)));
    Ok(Played { hand: hand.map_err(|why| why.to_string())?, setup, events })
}

/// The variant's whole deck, these cards first.
fn in_order(variant: Variant, cards: &[Card]) -> Result<Deck, String> {
    let mut left: Vec<Card> = variant.deck().collect();
    for card in cards {
        let at = left.iter().position(|one| one == card).ok_or(format!("{card} is not there, or twice"))?;
        left.remove(at);
    }
    Ok(Deck::from_order(cards.iter().copied().chain(left).map(Some)))
}

fn of_hex(text: &str) -> Result<[u8; 32], String> {
    let bad = || "a seed has 64 hexadecimal digits".to_string();
    if text.len() != 64 || !text.is_ascii() {
        return Err(bad());
    }
    let mut seed = [0; 32];
    for (at, byte) in seed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| bad())?;
    }
    Ok(seed)
}

impl Played {
    fn act(&mut self, act: &Do) -> Result<(), String> {
        let seat = self.hand.to_act().ok_or("the hand is over")?;
        let action = match *act {
            Do::Fold => Action::Fold,
            Do::Check => Action::Check,
            Do::Call => Action::Call,
            Do::Raise(to) => Action::RaiseTo(to),
        };
        let events = &mut self.events;
        let sink = |event| events.iter_mut().for_each(|told| told.push(event));
        self.hand.act(seat, action, sink).map_err(|refusal| refusal.to_string())
    }

    fn seen(&self, is_new: bool) -> Seen {
        let hand = &self.hand;
        let players = || hand.seats().map(|(_, player)| player);
        let turn = hand.to_act().zip(hand.legal_actions()).map(|(seat, legal)| Turn {
            seat: seat.get(),
            call: legal.call,
            raise: legal.raise.map(|range| [range.min_to, range.max_to]),
        });
        let over = hand.ended();
        let record = self.events.as_ref().filter(|_| over);
        Seen {
            street: match hand.board().len() {
                0 => "preflop",
                3 => "flop",
                4 => "turn",
                _ => "river",
            },
            board: hand.board().iter().flatten().collect(),
            pot: hand.pot_total(),
            bets: players().map(|player| player.bet()).collect(),
            stacks: players().map(|player| player.stack()).collect(),
            folded: players().map(|player| player.folded()).collect(),
            hole: is_new
                .then(|| players().map(|player| player.hole_cards().iter().flatten().collect()).collect()),
            turn,
            net: over.then(|| players().map(|player| player.net()).collect()),
            record: record.map(|events| record_of(&self.setup, events, 0).to_string()),
        }
    }
}
