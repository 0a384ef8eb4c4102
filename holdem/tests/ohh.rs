//! Open Hand History against its own specification: a JSON schema written from its pages, and what no schema can say.

mod dealt;
mod invariants;

use std::collections::BTreeSet;

use boon::{Compiler, SchemaIndex, Schemas};
use dealt::{Dealt, blinds, deck, run_twice, seat};
use holdem::history::{Occasion, Speed, Tournament, View, ohh};
use holdem::phh::decimal::Decimal;
use holdem::phh::{Record, Replay, Verdict};
use holdem::{Chips, Event, Hand, HandSetup, Limit, Post, PostKind, SeatIndex, Street, Variant};
use invariants::Choices;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// The specification as a schema.
struct Specification {
    schemas: Schemas,
    hand: SchemaIndex,
}

impl Specification {
    fn new() -> Specification {
        const PLACE: &str = "https://localhost/ohh.json";
        let schema = serde_json::from_str(include_str!("ohh/schema-1.4.7.json")).expect("JSON");
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.add_resource(PLACE, schema).expect("a place for it");
        let hand = compiler.compile(PLACE, &mut schemas).expect("a schema");
        Specification { schemas, hand }
    }

    fn allows(&self, document: &Value) -> Result<(), String> {
        self.schemas.validate(document, self.hand).map_err(|error| format!("{error:#}"))
    }
}

fn occasion() -> Occasion {
    Occasion {
        site: "Cardhouse".to_owned(),
        hand: "42".to_owned(),
        table: "Jacks".to_owned(),
        table_size: 10,
        started_at: "2026-01-31T18:00:00Z".to_owned(),
        currency: "EUR".to_owned(),
        scale: 2,
        tournament: None,
        names: ["Ann", "Bob", "Cy"].map(str::to_owned).to_vec(),
    }
}

fn tournament() -> Tournament {
    Tournament {
        number: "T7".to_owned(),
        name: "The Sunday one".to_owned(),
        started_at: "2026-01-31T17:00:00Z".to_owned(),
        currency: "EUR".to_owned(),
        buy_in: Decimal::from(9),
        fee: Decimal::from(1),
        initial_stack: Chips(1_500),
        multi_table: true,
        sit_and_go: false,
        speed: Speed::Hyper,
        level_seconds: 180,
    }
}

/// A hand of any game, and what happened after it: now and then without blinds, with short stacks, with cards shown when
/// it was over.
fn any_hand(random: &mut StdRng) -> (HandSetup, Hand, Vec<Event>) {
    let bytes: Vec<u8> = (0..1_000).map(|_| random.random()).collect();
    let mut choices = Choices(&bytes);
    let mut setup = invariants::any_setup(&mut choices);
    if random.random_range(0..3) == 0 {
        let ante = Post { kind: PostKind::Ante, amount: setup.rules.big_blind };
        setup.seats.iter_mut().for_each(|seat| seat.posts = [ante].into_iter().collect());
    }
    if random.random_range(0..3) == 0 {
        let big_blind = setup.rules.big_blind.0;
        setup.seats.iter_mut().for_each(|seat| seat.stack = Chips(random.random_range(1..=8 * big_blind)));
    }
    // Quiet hands, in which nobody folds or raises, come to showdowns where the beaten may muck.
    let quiet: Vec<u8> = bytes.iter().map(|byte| byte | 4).collect();
    let mut choices = if random.random_range(0..4) == 0 { Choices(&quiet) } else { choices };
    let (mut hand, mut events) = invariants::play_and_check_setup(&setup, &mut choices);
    let seats: Vec<SeatIndex> = hand.seats().map(|(seat, _)| seat).collect();
    for seat in seats.into_iter().filter(|_| random.random_range(0..4) == 0) {
        // Refused where the cards were seen already.
        let _ = hand.show(seat, |event| events.push(event));
    }
    (setup, hand, events)
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

fn actions(hand: &Value) -> impl Iterator<Item = &Value> {
    list(hand, "rounds").iter().flat_map(|round| list(round, "actions"))
}

/// An amount in hundredths.
fn cents(value: &Value) -> u64 {
    (value.as_f64().expect("a number") * 100.0).round() as u64
}

/// What no schema says: order and numbering, sums, all-ins, and that no card is told which this view may not see.
fn check(document: &Value, events: &[Event], hand: &Hand, own: Option<SeatIndex>, everything: bool) {
    let told = &document["ohh"];
    let rounds = list(told, "rounds");
    for (id, round) in rounds.iter().enumerate() {
        assert_eq!(round["id"], id);
        for (number, action) in list(round, "actions").iter().enumerate() {
            assert_eq!(action["action_number"], number, "counted from 0 in each round");
        }
        assert!(round["street"] != "Showdown" || id + 1 == rounds.len(), "the showdown is last");
    }
    let put_in = |id: &Value| {
        actions(told).filter(|a| a["player_id"] == *id).map(|a| cents(&a["amount"])).sum::<u64>()
    };
    for player in list(told, "players") {
        let all_in = actions(told).any(|a| a["player_id"] == player["id"] && a["is_allin"] == true);
        assert_eq!(all_in, put_in(&player["id"]) == cents(&player["starting_stack"]), "{player}");
    }
    let returned: u64 = events
        .iter()
        .map(|event| match event {
            Event::UncalledReturned { amount, .. } => amount.0,
            _ => 0,
        })
        .sum();
    let pots = list(told, "pots");
    for (number, pot) in pots.iter().enumerate() {
        assert_eq!(pot["number"], number);
        let won: u64 = list(pot, "player_wins").iter().map(|win| cents(&win["win_amount"])).sum();
        assert_eq!(won + cents(&pot["rake"]), cents(&pot["amount"]));
    }
    let all: u64 = list(told, "players").iter().map(|player| put_in(&player["id"])).sum();
    assert_eq!(
        all - returned,
        pots.iter().map(|pot| cents(&pot["amount"])).sum::<u64>(),
        "pots hold what was put in"
    );

    let cards = |value: &Value| list(value, "cards").iter().map(ToString::to_string).collect::<Vec<_>>();
    let seen: BTreeSet<String> = rounds.iter().flat_map(cards).chain(actions(told).flat_map(cards)).collect();
    let open = hand.seats().filter(|&(seat, player)| player.shown() || own == Some(seat) || everything);
    let may_see: BTreeSet<String> = open
        .flat_map(|(_, player)| player.hole_cards().iter().flatten())
        .chain(hand.boards().iter().flat_map(|board| board.iter().flatten()))
        .map(|card| format!("\"{card}\""))
        .collect();
    assert_eq!(seen, may_see, "no card more, and none forgotten");
}

/// What a run of random hands must have met to say anything.
#[derive(Default)]
struct Met {
    games: BTreeSet<String>,
    several_boards: usize,
    side_pots: usize,
    mucked: usize,
    shown_before_the_river: usize,
    shown_after: usize,
    opened_without_blinds: usize,
    tournaments: usize,
}

impl Met {
    fn note(&mut self, setup: &HandSetup, hand: &Hand, events: &[Event]) {
        self.games.insert(format!("{:?} {:?}", setup.rules.variant, setup.rules.limit));
        let any = |what: &dyn Fn(&Event) -> bool| usize::from(events.iter().any(what));
        self.several_boards += usize::from(hand.boards().len() > 1);
        self.side_pots += any(&|event| matches!(event, Event::PotAwarded { pot: 2.., .. }));
        self.mucked += any(&|event| matches!(event, Event::Mucked { .. }));
        let position = |what: &dyn Fn(&Event) -> bool| events.iter().position(what);
        let shown = position(&|event| matches!(event, Event::Shown { .. }));
        let river = position(&|event| matches!(event, Event::StreetDealt { street: Street::River, .. }));
        let turn = position(&|event| matches!(event, Event::StreetDealt { street: Street::Turn, .. }));
        self.shown_before_the_river +=
            usize::from(shown.is_some_and(|at| turn > Some(at) && river > Some(at)));
        let end = position(&|event| matches!(event, Event::HandEnded));
        self.shown_after += usize::from(events.len() - 1 > end.expect("it ended"));
        let blinds = setup.seats.iter().flat_map(|seat| &seat.posts).any(|post| post.kind.is_live());
        let flop = position(&|event| matches!(event, Event::StreetDealt { .. })).unwrap_or(events.len());
        let bet = |event: &Event| matches!(event, Event::Acted { did: holdem::Did::BetTo(_), .. });
        self.opened_without_blinds += usize::from(!blinds && events[..flop].iter().any(bet));
    }
}

/// All variants and limits, in every view.
fn validate_random_hands(count: usize, seed: u64) {
    let specification = Specification::new();
    let mut random = StdRng::seed_from_u64(seed);
    let mut met = Met::default();
    for number in 0..count {
        let (setup, hand, events) = any_hand(&mut random);
        met.note(&setup, &hand, &events);
        let tournament = (random.random_range(0..3) == 0).then(tournament);
        met.tournaments += usize::from(tournament.is_some());
        let occasion = Occasion { tournament, ..occasion() };
        let dealt_in: Vec<SeatIndex> = hand.dealt_in().iter().collect();
        let own = View::Player(dealt_in[random.random_range(0..dealt_in.len())]);
        let anybody = View::Player(seat(random.random_range(0..10)));
        for view in [View::Public, View::All, own, anybody] {
            let document = ohh::render(&setup, &events, &occasion, view);
            let document: Value = serde_json::from_str(&document).expect("JSON");
            let fits = specification.allows(&document);
            assert!(fits.is_ok(), "hand {number}, {view:?}: {}\n{document:#}", fits.unwrap_err());
            let own = match view {
                View::Player(seat) => Some(seat),
                View::Public | View::All => None,
            };
            check(&document, &events, &hand, own, view == View::All);
        }
    }
    assert_eq!(met.games.len(), 10, "{:?}", met.games);
    let Met { several_boards, side_pots, mucked, shown_before_the_river, shown_after, .. } = met;
    let counts = [several_boards, side_pots, mucked, shown_before_the_river, shown_after];
    let counts = counts.into_iter().chain([met.opened_without_blinds, met.tournaments]);
    let counts: Vec<usize> = counts.collect();
    assert!(counts.iter().all(|&met| met >= count / 100), "what was met of {count} hands: {counts:?}");
}

#[test]
fn a_thousand_random_hands_are_valid_in_every_view() {
    validate_random_hands(1_000, 24);
}

/// Seats 0 and 2 are all-in on the flop; seat 1 folded.
fn told(view: View) -> Value {
    let (setup, hand) = run_twice();
    let document = ohh::render(&setup, &hand.events, &occasion(), view);
    assert!(document.contains("\"amount\": 0.5,"), "exact decimals");
    serde_json::from_str(&document).expect("JSON")
}

#[test]
fn the_schema_refuses_what_the_specification_forbids() {
    let specification = Specification::new();
    let good = told(View::Public);
    specification.allows(&good).expect("a history of ours");
    let showdown = list(&good["ohh"], "rounds").len() - 1;
    let shown = good["ohh"]["rounds"][showdown]["actions"][0].clone();
    for (place, value, why) in [
        ("/ohh/rounds/1/actions/0", shown, "cards are shown in a betting round"),
        ("/ohh/rounds/0/actions/2/action", json!("Bet"), "a bet before the flop"),
        ("/ohh/flags", json!(["Run_It_Twice"]), "nobody's view, and not observed"),
        ("/ohh/hero_player_id", json!(0), "observed, and with a hero"),
        ("/ohh/tournament", json!(true), "a tournament of which nothing is told"),
        ("/ohh/rounds/0/street", json!("Flop"), "no first round"),
        ("/ohh/rounds/1/cards", json!(["2c", "7h"]), "a flop of two cards"),
        ("/ohh/rounds/1/cards/0", json!("2C"), "no card"),
        ("/ohh/game_type", json!("Short Deck"), "no game of the specification"),
        ("/ohh/currency", json!("chips"), "no code of a currency"),
        ("/ohh/start_date_utc", json!("yesterday"), "no time"),
    ] {
        let mut bad = good.clone();
        let (parent, field) = place.rsplit_once('/').expect("a place below another");
        let parent = bad.pointer_mut(parent).expect("a place in the history");
        match field.parse::<usize>() {
            Ok(at) => parent[at] = value,
            Err(_) => parent[field] = value,
        }
        assert!(specification.allows(&bad).is_err(), "{why}");
    }
}

#[test]
fn the_public_view_tells_the_hand_and_only_the_cards_that_were_shown() {
    let document = told(View::Public);
    assert!(!document.to_string().contains("7c"), "Bob folded unseen; the seven of clubs was his");
    let hand = &document["ohh"];
    assert_eq!(hand["spec_version"], "1.4.7");
    assert_eq!((&hand["dealer_seat"], &hand["table_size"]), (&json!(3), &json!(10)));
    assert_eq!(hand["flags"], json!(["Run_It_Twice", "Observed"]));
    assert_eq!((hand.get("hero_player_id"), hand.get("tournament")), (None, None));
    assert_eq!(hand["bet_limit"]["bet_type"], "NL");
    let streets: Vec<&str> =
        list(hand, "rounds").iter().filter_map(|round| round["street"].as_str()).collect();
    assert_eq!(streets, ["Preflop", "Flop", "Turn", "River", "Turn", "River", "Showdown"]);
    let pot = &hand["pots"][0];
    assert_eq!((&pot["amount"], &pot["rake"]), (&json!(21), &json!(0.3)));
    assert_eq!(list(pot, "player_wins").len(), 2);
}

#[test]
fn all_in_hands_are_shown_in_a_showdown_round_although_streets_are_to_come() {
    let document = told(View::Public);
    let rounds = list(&document["ohh"], "rounds");
    let shows =
        |round: &Value| list(round, "actions").iter().filter(|a| a["action"] == "Shows Cards").count();
    assert_eq!(rounds.iter().map(shows).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 2]);
    let first = json!({
        "action_number": 0, "player_id": 0, "action": "Shows Cards", "amount": 0, "is_allin": false, "cards": ["As", "Ad"],
    });
    assert_eq!(rounds[6]["actions"][0], first);
}

#[test]
fn a_players_own_view_tells_his_cards_and_is_not_observed() {
    let document = told(View::Player(seat(1)));
    let hand = &document["ohh"];
    assert_eq!((&hand["hero_player_id"], &hand["flags"]), (&json!(1), &json!(["Run_It_Twice"])));
    let dealt: Vec<&Value> = actions(hand).filter(|action| action["action"] == "Dealt Cards").collect();
    assert_eq!((dealt.len(), &dealt[0]["cards"]), (1, &json!(["7c", "2d"])));
    let stranger = told(View::Player(seat(7)));
    assert_eq!(stranger["ohh"]["flags"], json!(["Run_It_Twice", "Observed"]), "he was not dealt in");
}

#[test]
fn who_mucks_is_told_with_his_cards_to_himself_alone() {
    let deck = deck(&["AsAd", "7c2d"], "QhJh8s4c3d");
    let mut hand = Dealt::simple_with(blinds(50, 100), &[1_000, 1_000], deck);
    (0..4).for_each(|_| hand.quietly_to_next_street());
    let setup = HandSetup::simple(blinds(50, 100), 1, &[Chips(1_000); 2]);
    assert_eq!(hand.mucked().len(), 1, "the loser need not show");
    let loser = seat(hand.mucked()[0]);
    let muck = |view| -> Value {
        let document = ohh::render(&setup, &hand.events, &occasion(), view);
        let document: Value = serde_json::from_str(&document).expect("JSON");
        actions(&document["ohh"]).find(|a| a["action"] == "Mucks Cards").expect("a muck").clone()
    };
    assert_eq!(muck(View::Public).get("cards"), None);
    assert_eq!(list(&muck(View::Player(loser)), "cards").len(), 2);
}

#[test]
fn who_opens_before_the_flop_without_blinds_raises() {
    let mut setup = HandSetup::simple(blinds(0, 100), 2, &[Chips(1_000); 3]);
    let ante = Post { kind: PostKind::Ante, amount: Chips(10) };
    setup.seats.iter_mut().for_each(|seat| seat.posts = [ante].into_iter().collect());
    let mut hand = Dealt::start(&setup, holdem::Deck::shuffled(Variant::Holdem, &holdem::Seed([7; 32])));
    let opener = hand.actor().expect("somebody opens");
    hand.to(opener, 300);
    hand.quietly_to_next_street();
    let opener = hand.actor().expect("somebody is first");
    hand.to(opener, 100);
    let document = ohh::render(&setup, &hand.events, &occasion(), View::Public);
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let wagers = actions(&document["ohh"]).filter(|a| a["amount"].as_f64() >= Some(1.0));
    let wagers: Vec<&str> = wagers.filter_map(|a| a["action"].as_str()).collect();
    assert_eq!(wagers, ["Raise", "Call", "Call", "Bet"]);
    assert_eq!(setup.rules.limit, Limit::NoLimit);
}

/// Two turns and rivers, both won by one player: his cards are shown once, and the pot is collected once.
#[test]
fn a_hand_run_twice_is_shown_and_collected_once() {
    let hand: Record = "variant = 'PO'
antes = [0, 0, 0]
blinds_or_straddles = [2, 4, 0]
min_bet = 4
starting_stacks = [400, 400, 200]
actions = ['d dh p1 KdTd5dJc', 'd dh p2 ????????', 'd dh p3 8cQd5sJd', 'p3 cbr 12', 'p1 cc', 'p2 cc',
  'd db 5h5cTc', 'p1 cc', 'p2 cc', 'p3 cbr 24', 'p1 cbr 65', 'p2 f', 'p3 cbr 188', 'p1 cc',
  'd db Ac', 'd db 9d', 'd db 6s', 'd db 2d', 'p1 sm KdTd5dJc', 'p3 sm 8cQd5sJd']
finishing_stacks = [610.5, 388, 0]
_rake = 1.50"
        .parse()
        .expect("a hand");
    let replay = Replay::of(&hand).expect("a hand");
    assert_eq!((replay.hand.boards().len(), replay.verdict(&hand)), (2, Verdict::Matches));
    let occasion = Occasion { scale: 0, ..occasion() };
    let document = ohh::render(&replay.setup, &replay.events, &occasion, View::Public);
    let document: Value = serde_json::from_str(&document).expect("JSON");
    Specification::new().allows(&document).expect("a valid history");
    let shown = actions(&document["ohh"]).filter(|action| action["action"] == "Shows Cards").count();
    assert_eq!(shown, 2, "each once");
    let wins = json!([{ "player_id": 0, "win_amount": 412 }]);
    assert_eq!(document["ohh"]["pots"][0]["player_wins"], wins);
}

/// The big blind wins the small blind: what he has more in was never called.
#[test]
fn a_walk_leaves_two_small_blinds_in_the_pot() {
    let setup = HandSetup::simple(blinds(25, 50), 2, &[Chips(991), Chips(6_027), Chips(5_862)]);
    let mut hand = Dealt::start(&setup, holdem::Deck::shuffled(Variant::Holdem, &holdem::Seed([7; 32])));
    hand.fold(2);
    hand.fold(0);
    let document = ohh::render(&setup, &hand.events, &occasion(), View::Public);
    let document: Value = serde_json::from_str(&document).expect("JSON");
    Specification::new().allows(&document).expect("a valid history");
    let pots = json!([{
        "number": 0, "amount": 0.5, "rake": 0, "player_wins": [{ "player_id": 1, "win_amount": 0.5 }],
    }]);
    assert_eq!(document["ohh"]["pots"], pots);
    assert_eq!(list(&document["ohh"], "rounds").len(), 1, "nothing was shown or mucked");
}

#[test]
fn a_tournament_hand_tells_of_its_tournament() {
    let (setup, hand) = run_twice();
    let occasion = Occasion { tournament: Some(tournament()), ..occasion() };
    let document = ohh::render(&setup, &hand.events, &occasion, View::Public);
    let document: Value = serde_json::from_str(&document).expect("JSON");
    Specification::new().allows(&document).expect("a valid history");
    assert_eq!(document["ohh"]["tournament"], true);
    let expected = json!({
        "tournament_number": "T7",
        "name": "The Sunday one",
        "start_date_utc": "2026-01-31T17:00:00Z",
        "currency": "EUR",
        "buyin_amount": 9,
        "fee_amount": 1,
        "initial_stack": 1_500,
        "type": "MTT",
        "flags": [],
        "speed": { "type": "Hyper-Turbo", "round_time": 180 },
    });
    assert_eq!(document["ohh"]["tournament_info"], expected);
}
