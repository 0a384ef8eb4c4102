//! Sensible bots, as the house has them, play a sensible game: measured over hands at a real table, from one seed.

use std::collections::BTreeMap;

use player::{
    Style, Temper,
    decision::{Deeds, Prizes, Sight, choose},
};
use protocol::{
    id::{Position, UserId},
    rights::Rights,
    table::{
        ActKind, BlindsOwed, Card, SeatStatus, StreetName, TableConfig, TableEvent, TablePrivate, TableView,
    },
};
use rand_chacha::{ChaCha8Rng, ChaCha20Rng, rand_core::SeedableRng};
use rooms::room::{Input, Moment, Room};
use serde_json::{Value, json};
use table::Table;

const SEATS: u8 = 6;
const BIG_BLIND: u64 = 2;
const STACK: u64 = 200;

/// Enough for the bounds below to hold with room to spare.
const HANDS: u32 = 600;

/// An all-in of more big blinds than this before the flop is to be had with good cards alone.
const DEEP: u64 = 20;

/// What one bot did.
#[derive(Debug, Default, Clone)]
struct Record {
    hands: u32,
    /// Hands in which chips were put in by choice before the flop, and those with a raise.
    played: u32,
    raised: u32,
    /// Won or lost, chips, hand by hand.
    results: Vec<i64>,
}

/// An all-in before the flop, deep.
#[derive(Debug)]
struct Shove {
    cards: Vec<Card>,
    big_blinds: u64,
}

#[derive(Debug, Default)]
struct Tally {
    records: Vec<Record>,
    shoves: Vec<Shove>,
}

/// A table of bots, without clock and wire. All begin each hand with the same stack.
struct Play {
    table: Table,
    now: u64,
    rng: ChaCha20Rng,
    minds: ChaCha8Rng,
    cards: BTreeMap<String, Vec<Card>>,
    styles: Vec<Style>,
}

fn name(seat: usize) -> String {
    format!("bot-{seat}")
}

impl Play {
    fn new(styles: Vec<Style>, seed: u64) -> Self {
        let config = TableConfig {
            seats: SEATS,
            small_blind: BIG_BLIND / 2,
            big_blind: BIG_BLIND,
            buy_in_min: STACK,
            buy_in_max: STACK,
            runout_ms: 0,
            // So that everybody begins every hand with the same stack.
            blinds_owed: BlindsOwed::Nothing,
            rathole_ms: 0,
            ..TableConfig::default()
        };
        let mut play = Self {
            table: Table::new(config),
            now: 0,
            rng: ChaCha20Rng::seed_from_u64(seed),
            minds: ChaCha8Rng::seed_from_u64(seed),
            cards: BTreeMap::new(),
            styles,
        };
        (0..play.styles.len()).for_each(|seat| play.sit(seat));
        play
    }

    fn view(&self) -> &TableView {
        self.table.public()
    }

    /// Decides and applies; what everybody sees of it.
    fn decide(&mut self, input: Input<'_>) -> Vec<TableEvent> {
        let moment = Moment { now: self.now, at: Position::default() };
        let decision = self.table.decide(input, moment, &mut self.rng).expect("what a bot does is legal");
        for (user, private) in &decision.privates {
            let private: TablePrivate = serde_json::from_str(private.get()).unwrap();
            self.cards.insert(user.to_string(), private.cards);
        }
        self.table = decision.after;
        serde_json::from_str(decision.public.get()).unwrap()
    }

    fn command(&mut self, seat: usize, what: &Value) -> Vec<TableEvent> {
        let (user, body) = (UserId::new(&name(seat)).unwrap(), what.to_string());
        self.decide(Input::Command {
            user: &user,
            name: user.as_str(),
            rights: Rights::default(),
            body: body.as_bytes(),
        })
    }

    fn sit(&mut self, seat: usize) {
        self.command(seat, &json!({"a": "sit", "seat": seat, "buy_in": STACK}));
    }

    /// The clock, until a hand has begun or nothing more happens.
    fn tick(&mut self) {
        if let Some(due) = self.table.deadline() {
            self.now = self.now.max(due);
            self.decide(Input::Clock);
        }
    }

    /// One hand; everybody comes to it with a whole stack.
    fn hand(&mut self, tally: &mut Tally) {
        for seat in 0..self.styles.len() {
            let player = self.view().seats[seat].as_ref().expect("bots stay");
            if player.stack != STACK || player.status != SeatStatus::Playing {
                self.command(seat, &json!({"a": "leave"}));
                self.sit(seat);
            }
        }
        while self.view().hand.as_ref().is_none_or(|hand| hand.ended) {
            self.tick();
        }
        let dealt: Vec<bool> =
            self.view().seats.iter().map(|seat| seat.as_ref().is_some_and(|seat| seat.in_hand)).collect();
        let (mut played, mut raised) = (vec![false; dealt.len()], vec![false; dealt.len()]);
        while self.view().hand.as_ref().is_some_and(|hand| !hand.ended) {
            let Some(turn) = self.view().hand.as_ref().and_then(|hand| hand.turn.clone()) else {
                self.tick();
                continue;
            };
            let seat = usize::from(turn.seat);
            let cards = self.cards[&name(seat)].clone();
            let before_flop =
                self.view().hand.as_ref().is_some_and(|hand| hand.street == StreetName::Preflop);
            let (view, deeds, prizes) = (self.table.public(), &Deeds::default(), &Prizes::default());
            let seen = Sight { turn: &turn, view, hole: &cards, deeds, prizes };
            let choice = choose(&self.styles[seat], seen, &mut self.minds);
            let hand = self.view().hand.as_ref().map(|hand| hand.hand);
            let act =
                json!({"a": "act", "hand": hand, "turn": turn.turn, "kind": choice.kind, "to": choice.to});
            for event in self.command(seat, &act) {
                let TableEvent::Acted(acted) = event else { continue };
                if before_flop {
                    played[seat] |= !matches!(acted.kind, ActKind::Fold | ActKind::Check);
                    raised[seat] |= matches!(acted.kind, ActKind::Bet | ActKind::Raise);
                    let big_blinds = acted.to / BIG_BLIND;
                    if acted.all_in && big_blinds > DEEP {
                        tally.shoves.push(Shove { cards: cards.clone(), big_blinds });
                    }
                }
            }
        }
        tally.records.resize(dealt.len(), Record::default());
        for (seat, record) in tally.records.iter_mut().enumerate().filter(|(seat, _)| dealt[*seat]) {
            let stack = self.table.public().seats[seat].as_ref().map_or(0, |player| player.stack);
            record.hands += 1;
            record.played += u32::from(played[seat]);
            record.raised += u32::from(raised[seat]);
            record.results.push(stack as i64 - STACK as i64);
        }
    }
}

fn played(styles: Vec<Style>, hands: u32, seed: u64) -> Tally {
    let (mut play, mut tally) = (Play::new(styles, seed), Tally::default());
    (0..hands).for_each(|_| play.hand(&mut tally));
    tally
}

/// Hands of two cards, as players write them: `64o`, `AKs`, `QQ`.
fn class(cards: &[Card]) -> String {
    let mut cards: Vec<&str> = cards.iter().map(Card::as_str).collect();
    cards.sort_by_key(|card| std::cmp::Reverse("23456789TJQKA".find(&card[..1])));
    let suited = if cards[0][..1] == cards[1][..1] {
        ""
    } else if cards[0][1..] == cards[1][1..] {
        "s"
    } else {
        "o"
    };
    format!("{}{}{suited}", &cards[0][..1], &cards[1][..1])
}

/// With which a player who knows the game may have more than twenty big blinds in before the flop.
fn is_good(cards: &[Card]) -> bool {
    const GOOD: [&str; 12] = ["AA", "KK", "QQ", "JJ", "TT", "99", "AKs", "AKo", "AQs", "AJs", "KQs", "AQo"];
    GOOD.contains(&class(cards).as_str())
}

/// A mean and half the width of its 95 % interval.
fn mean(results: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for result in results {
        count += 1.0;
        sum += result;
        squares += result * result;
    }
    let mean: f64 = sum / count;
    (mean, 1.96 * ((squares / count - mean * mean) / count).sqrt())
}

fn sensible() -> Vec<Style> {
    (0..usize::from(SEATS)).map(Style::of_house).collect()
}

#[test]
fn nobody_shoves_a_deep_stack_before_the_flop_without_a_good_hand() {
    let tally = played(sensible(), HANDS, 1);
    let bad = |tally: &Tally| -> Vec<String> {
        let bad = tally.shoves.iter().filter(|shove| !is_good(&shove.cards));
        bad.map(|shove| format!("{} for {}", class(&shove.cards), shove.big_blinds)).collect()
    };
    println!("{HANDS} hands: {} deep all-ins before the flop", tally.shoves.len());
    assert_eq!(bad(&tally), Vec::<String>::new());
    // The check can fail: who plays at random does it all the time.
    let random = played(vec![Style::RandomLegal; usize::from(SEATS)], 100, 1);
    assert!(bad(&random).len() > 20, "{:?}", random.shoves);
}

#[test]
fn each_temper_plays_and_raises_as_many_hands_as_people_of_its_kind() {
    let tally = played(sensible(), HANDS, 2);
    let share = |temper: Temper| {
        let kind = Style::Sensible(temper);
        let of_kind = sensible().into_iter().zip(&tally.records).filter(move |(style, _)| *style == kind);
        let sum = of_kind.fold((0, 0, 0), |sum, (_, record)| {
            (sum.0 + record.hands, sum.1 + record.played, sum.2 + record.raised)
        });
        let percent = |count: u32| 100.0 * f64::from(count) / f64::from(sum.0);
        println!("{temper:?}: plays {:.1} %, raises {:.1} %", percent(sum.1), percent(sum.2));
        (percent(sum.1), percent(sum.2))
    };
    let bounds = [
        (Temper::Tight, 10.0..24.0, 7.0..20.0),
        (Temper::Solid, 15.0..32.0, 10.0..26.0),
        (Temper::Loose, 22.0..44.0, 13.0..34.0),
    ];
    let mut before = 0.0;
    for (temper, plays, raises) in bounds {
        let (played, raised) = share(temper);
        assert!(plays.contains(&played) && raises.contains(&raised), "{temper:?} {played} {raised}");
        assert!(played > before && raised < played, "{temper:?}");
        before = played;
    }
}

#[test]
fn sensible_players_beat_those_who_play_at_random() {
    let styles: Vec<Style> = (0..usize::from(SEATS))
        .map(|i| if i % 2 == 0 { Style::of_house(i / 2) } else { Style::RandomLegal })
        .collect();
    let tally = played(styles, HANDS, 3);
    let of_hand = |hand: usize| -> f64 {
        let sensible = tally.records.iter().step_by(2).map(|record| record.results[hand]);
        sensible.sum::<i64>() as f64 / 3.0 / BIG_BLIND as f64
    };
    let (won, error) = mean((0..HANDS as usize).map(|hand| 100.0 * of_hand(hand)));
    println!("sensible against random: {won:.0} big blinds in 100 hands, +-{error:.0}");
    assert!(won - error > 50.0, "{won} +-{error}");
}
