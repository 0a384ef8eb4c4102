//! The table by itself: what players are promised, and that nothing is lost or made up whatever they do.

use std::borrow::Cow;

use broker::{entry::Cause, seal::Form};
use holdem::{Deck, Seed, Variant};
use proptest::prelude::*;
use protocol::{
    RefusalCode as Code,
    id::{Position, SessionId, UserId},
    rights::{Can, Rights},
    table::{
        AnteKind, BlindKind, BlindsOwed, ButtonRule, GameVariant, HandView, LimitKind, RakeRule, SeatStatus,
        SeatView, Straddles, TableConfig, TableEvent, TablePrivate, TableView, TurnView,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rooms::room::{
    Decision, Input, Moment, Refusal, Room,
    answers::Memory,
    record::{Delta, DeltaOf, Journaled, Record},
};
use serde_json::{Value, json};
use table::{Draft, Event, Table};

const START_MS: u64 = 1_700_000_000_000;

/// A table, its clock, a client's view of it, and its journal.
struct Game {
    state: Journaled<Table>,
    folded: TableView,
    events: Vec<TableEvent>,
    journal: Vec<(Delta<Vec<Event>>, Option<Cause>)>,
    now: u64,
    /// What those who command may do.
    rights: Rights,
    rng: ChaCha20Rng,
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn config() -> TableConfig {
    TableConfig { pause_ms: 1_000, runout_ms: 0, bank_ms: 0, ..TableConfig::default() }
}

impl Game {
    fn new(config: TableConfig) -> Self {
        Self {
            folded: TableView::new(config.clone()),
            state: Journaled::new(Table::new(config)),
            events: Vec::new(),
            journal: Vec::new(),
            now: START_MS,
            rights: Rights::default(),
            rng: ChaCha20Rng::seed_from_u64(42),
        }
    }

    /// With these players, the first hand begun.
    fn started(config: TableConfig, names: &[&str]) -> Self {
        let mut game = Self::new(config);
        for name in names {
            game.ok(name, json!({"a": "sit", "buy_in": 100}));
        }
        game.tick();
        game
    }

    fn commit(&mut self, decision: Decision<Table>, cause: Option<Cause>) {
        let seen: Vec<TableEvent> = serde_json::from_str(decision.public.get()).unwrap();
        for event in &seen {
            self.folded.apply(event).unwrap();
            assert!(self.folded.conserves_chips(), "{event:?}");
            if let TableEvent::Collected { pots } = event {
                let in_it = |seat: &u8| self.folded.seats[usize::from(*seat)].as_ref();
                let named = pots.iter().flat_map(|pot| &pot.seats).map(in_it);
                assert!(named.flatten().all(|player| player.in_hand && !player.folded), "{event:?}");
            }
            if let TableEvent::ToppedUp { seat, .. } = event {
                let stack = self.folded.seats[usize::from(*seat)].as_ref().unwrap().stack;
                assert!(stack <= self.folded.config.buy_in_max, "{event:?} brings the stack to {stack}");
            }
        }
        self.events.extend(seen);
        let at = Position::new(1, self.journal.len() as u64 + 1);
        let delta = Delta::of(decision.events, self.now);
        self.state.apply(&delta, cause.as_ref(), at, &Memory::default());
        assert!(self.state.room == decision.after, "events lead to the decided state");
        assert_eq!(self.state.room.public(), &self.folded, "a client's fold is the table's view");
        let keyframe: TableView = serde_json::from_str(self.state.room.view().get()).unwrap();
        assert_eq!(keyframe, self.folded, "a keyframe is that view");
        self.journal.push((delta, cause));
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, at: Position::new(1, self.journal.len() as u64 + 1) }
    }

    fn command(&mut self, name: &str, what: &Value) -> Result<(), Refusal> {
        self.command_as(name, name, what)
    }

    /// By a user whose token has another name than the user's id.
    fn command_as(&mut self, who: &str, name: &str, what: &Value) -> Result<(), Refusal> {
        let (who, body) = (user(who), what.to_string());
        let input = Input::Command { user: &who, name, rights: self.rights, body: body.as_bytes() };
        let decision = self.state.room.decide(input, self.moment(), &mut self.rng)?;
        assert!(!decision.events.is_empty());
        let n = self.journal.len() as u64 + 1;
        let cause = Cause { user: who, session: SessionId(1), n, said: None };
        self.commit(decision, Some(cause));
        Ok(())
    }

    fn ok(&mut self, name: &str, what: Value) {
        if let Err(refusal) = self.command(name, &what) {
            panic!("{name} {what}: {refusal:?}");
        }
    }

    fn refused(&mut self, name: &str, what: Value) -> Code {
        self.command(name, &what).expect_err("refused").code
    }

    /// Moves the clock to the next deadline.
    fn tick(&mut self) -> bool {
        let Some(due) = self.state.room.deadline() else { return false };
        self.now = self.now.max(due);
        let decision = self.state.room.decide(Input::Clock, self.moment(), &mut self.rng).unwrap();
        assert!(!decision.events.is_empty(), "a due clock decides something");
        self.commit(decision, None);
        true
    }

    fn tell(&mut self, input: Input<'_>) {
        let decision = self.state.room.decide(input, self.moment(), &mut self.rng).unwrap();
        if !decision.events.is_empty() {
            self.commit(decision, None);
        }
    }

    /// What rooms that are built around a table decide at it.
    fn change<E>(&mut self, decide: impl FnOnce(&mut Draft) -> Result<(), E>) -> Result<(), E> {
        let mut draft = Draft::of(&self.state.room, self.moment());
        decide(&mut draft)?;
        self.commit(draft.decision(), None);
        Ok(())
    }

    fn away(&mut self, name: &str, away: bool) {
        self.tell(Input::Away { user: &user(name), away });
    }

    fn turn(&self) -> TurnView {
        self.folded.hand.as_ref().and_then(|hand| hand.turn.clone()).expect("a turn")
    }

    fn hand(&self) -> u64 {
        self.folded.hand.as_ref().map_or(0, |hand| hand.hand)
    }

    fn to_act(&self) -> String {
        self.folded.seats[usize::from(self.turn().seat)].as_ref().unwrap().user.as_str().to_owned()
    }

    fn act(&mut self, kind: &str, to: Option<u64>) {
        let (name, hand, turn) = (self.to_act(), self.hand(), self.turn().turn);
        let mut what = json!({"a": "act", "hand": hand, "turn": turn, "kind": kind});
        if let Some(to) = to {
            what["to"] = json!(to);
        }
        self.ok(&name, what);
    }

    fn seat(&self, name: &str) -> Option<&SeatView> {
        self.folded.seats.iter().flatten().find(|seat| seat.user.as_str() == name)
    }

    fn all_in(&mut self) {
        match self.turn().raise {
            Some(raise) => self.act(if raise.bet { "bet" } else { "raise" }, Some(raise.max)),
            None => self.act("call", None),
        }
    }
}

#[test]
fn buy_ins_and_seats_have_their_limits() {
    let mut game = Game::new(TableConfig { seats: 2, ..config() });
    assert_eq!(game.refused("ann", json!({"a": "sit", "buy_in": 79})), Code::BadAmount);
    assert_eq!(game.refused("ann", json!({"a": "sit", "buy_in": 401})), Code::BadAmount);
    assert_eq!(game.refused("ann", json!({"a": "sit", "seat": 2, "buy_in": 100})), Code::NoSeat);
    game.ok("ann", json!({"a": "sit", "seat": 1, "buy_in": 80}));
    assert_eq!(game.refused("ann", json!({"a": "sit", "buy_in": 100})), Code::AlreadySeated);
    assert_eq!(game.refused("bob", json!({"a": "sit", "seat": 1, "buy_in": 100})), Code::SeatTaken);
    game.ok("bob", json!({"a": "sit", "buy_in": 400}));
    assert_eq!(game.refused("eve", json!({"a": "sit", "buy_in": 100})), Code::NoSeat);
    assert_eq!(game.refused("eve", json!({"a": "leave"})), Code::NotSeated);
    assert_eq!(game.refused("eve", json!({"a": "dance"})), Code::BadCommand);
    assert_eq!(game.refused("eve", json!({"a": "chat", "text": " "})), Code::BadText);
    game.ok("eve", json!({"a": "chat", "text": "who may watch may talk"}));
}

#[test]
fn who_may_not_talk_is_refused_and_plays_on() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    game.rights = Rights { can: Can::ALL.without(Can::CHAT), ..Rights::default() };
    for name in ["ann", "eve"] {
        assert_eq!(game.refused(name, json!({"a": "chat", "text": "hi"})), Code::NotAllowed);
    }
    game.act("call", None);
    game.ok("cyd", json!({"a": "sit", "buy_in": 100}));
    game.rights = Rights::default();
    game.ok("ann", json!({"a": "chat", "text": "hi"}));
}

#[test]
fn who_may_not_play_any_more_plays_the_hand_that_is_on_and_is_dealt_no_other() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    game.rights = Rights { can: Can::ALL.without(Can::PLAY), ..Rights::default() };
    assert_eq!(game.refused("cyd", json!({"a": "sit", "buy_in": 100})), Code::NotAllowed);
    let name = game.to_act();
    assert_eq!(game.refused(&name, json!({"a": "top_up", "amount": 50})), Code::NotAllowed);
    game.act("call", None);
    assert_eq!(game.seat(&name).unwrap().status, SeatStatus::SittingOut);
    // The hand goes on to its end, with both.
    let barred = game.rights;
    for _ in 0..7 {
        game.rights = if game.to_act() == name { barred } else { Rights::default() };
        game.act("check", None);
    }
    assert!(game.folded.hand.as_ref().unwrap().ended);
    let due = game.state.room.deadline();
    assert!(due.is_none_or(|due| due > game.now + 60_000), "no other is dealt: {due:?}");
    game.rights = barred;
    assert_eq!(game.refused(&name, json!({"a": "come_back"})), Code::NotAllowed);
    game.ok(&name, json!({"a": "chat", "text": "goodbye"}));
    game.ok(&name, json!({"a": "leave"}));
}

/// The table may be shown to him late, and he may ask as often as he likes.
#[test]
fn who_has_no_seat_is_told_nothing_of_the_hand_when_he_is_refused_something() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    let again = game.now + 90 * 60_000;
    let told = |game: &mut Game, name: &str, command: Value| {
        let legal = game.command(name, &command).unwrap_err().legal.expect("something is said of it");
        let legal: Value = serde_json::from_str(legal.get()).unwrap();
        [legal["hand"] != 0, !legal["turn"].is_null()]
    };
    assert_eq!(told(&mut game, "cyd", json!({"a": "sit", "buy_in": 1})), [false, false]);
    let late = json!({"a": "act", "hand": 0, "turn": 0, "kind": "fold"});
    assert_eq!(told(&mut game, "ann", late), [true, true], "who has one is");
    game.rights = Rights { can: Can::CHAT, play_from_ms: again, ..Rights::default() };
    for command in [json!({"a": "sit", "buy_in": 100}), json!({"a": "wait"})] {
        assert_eq!(told(&mut game, "cyd", command), [false, false]);
    }
}

#[test]
fn who_has_used_up_the_play_time_is_told_when_it_begins_again() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    let again = game.now + 90 * 60_000;
    game.rights = Rights { can: Can::CHAT, play_from_ms: again, ..Rights::default() };
    for (name, command) in
        [("cyd", json!({"a": "sit", "buy_in": 100})), ("ann", json!({"a": "top_up", "amount": 50}))]
    {
        let refusal = game.command(name, &command).unwrap_err();
        assert_eq!(refusal.code, Code::PlayTimeUsed);
        assert!(refusal.message.ends_with("in 90 minutes"), "{}", refusal.message);
        let legal: Value = serde_json::from_str(refusal.legal.unwrap().get()).unwrap();
        assert_eq!(legal["play_from_ms"], again);
    }
    // A token that has outlasted it: what it lacks, it lacks until there is another.
    game.now = again;
    assert_eq!(game.refused("cyd", json!({"a": "sit", "buy_in": 100})), Code::NotAllowed);
}

#[test]
fn where_the_absent_are_dealt_in_who_may_not_play_any_more_plays_on() {
    let config = TableConfig { blinds_owed: BlindsOwed::NoneMissed, ..config() };
    let mut game = Game::started(config, &["ann", "bob"]);
    game.rights = Rights { can: Can::CHAT, ..Rights::default() };
    let name = game.to_act();
    game.act("call", None);
    assert_eq!(game.seat(&name).unwrap().status, SeatStatus::Playing);
}

#[test]
fn a_top_up_in_a_hand_comes_into_play_with_the_next() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    let stack = game.seat("ann").unwrap().stack;
    game.ok("ann", json!({"a": "top_up", "amount": 50}));
    assert_eq!(game.seat("ann").unwrap().stack, stack, "not in this hand");
    let most = 400 - game.seat("ann").unwrap().stack - game.seat("ann").unwrap().bet - 50;
    assert_eq!(game.refused("ann", json!({"a": "top_up", "amount": most + 1})), Code::BadAmount);
    game.act("fold", None);
    assert_eq!(game.folded.chips.bought, 250);
}

#[test]
fn a_top_up_in_a_hand_is_acknowledged_by_an_event_of_its_own_and_adds_up_within_the_largest_buy_in() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    let bet = game.seat("ann").unwrap().bet;
    game.ok("ann", json!({"a": "top_up", "amount": 120}));
    assert!(matches!(game.events.last(), Some(TableEvent::TopUpPromised { amount: 120, .. })));
    game.ok("ann", json!({"a": "top_up", "amount": 180}));
    let ann = game.seat("ann").unwrap();
    assert_eq!((ann.top_up, ann.stack + bet), (300, 100), "the page can say what comes after the hand");
    assert_eq!(game.refused("ann", json!({"a": "top_up", "amount": 1})), Code::BadAmount, "400 in sum");
}

/// Both players all-in for 400 with the board still to be dealt.
fn all_in_for_400() -> Game {
    let mut game = Game::new(TableConfig { runout_ms: 900, ..config() });
    for name in ["ann", "bob"] {
        game.ok(name, json!({"a": "sit", "buy_in": 400}));
    }
    game.tick();
    game.all_in();
    game.all_in();
    game
}

impl Game {
    /// Lets streets without betting pass until the hand has ended.
    fn run_out(&mut self) {
        while !self.folded.hand.as_ref().unwrap().ended {
            self.tick();
        }
    }

    /// Who has won the hand of two.
    fn winner_and_loser(&self) -> (&'static str, &'static str) {
        let stack = |name| self.seat(name).map_or(0, |seat| seat.stack);
        if stack("ann") > stack("bob") { ("ann", "bob") } else { ("bob", "ann") }
    }
}

#[test]
fn a_top_up_that_was_promised_in_a_hand_never_brings_the_winner_above_the_largest_buy_in() {
    let mut game = all_in_for_400();
    for name in ["ann", "bob"] {
        game.ok(name, json!({"a": "top_up", "amount": 400}));
    }
    game.run_out();
    let (winner, loser) = game.winner_and_loser();
    let (won, lost) = (game.seat(winner).unwrap().clone(), game.seat(loser).unwrap().clone());
    assert_eq!((won.stack, won.top_up), (800, 0), "what he has won, and no more");
    assert_eq!((lost.stack, lost.top_up, lost.status), (400, 0, SeatStatus::Playing));
    let seat = game.folded.seat_of(&user(winner)).unwrap();
    assert!(game.events.contains(&TableEvent::TopUpLapsed { seat, amount: 400 }), "and he is told");
}

#[test]
fn of_a_promised_top_up_comes_what_still_fits() {
    let mut game = Game::new(config());
    for (name, buy_in) in [("ann", 397), ("bob", 397)] {
        game.ok(name, json!({"a": "sit", "buy_in": buy_in}));
    }
    game.tick();
    let raiser = game.to_act();
    game.ok(&raiser, json!({"a": "top_up", "amount": 3}));
    game.act("raise", Some(4));
    game.act("fold", None);
    let (seat, player) = (game.folded.seat_of(&user(&raiser)).unwrap(), game.seat(&raiser).unwrap());
    assert_eq!((player.stack, player.top_up), (400, 0), "the big blind won, and 1 of 3");
    let last: Vec<&TableEvent> = game.events.iter().rev().take(2).collect();
    assert_eq!(
        last,
        [&TableEvent::TopUpLapsed { seat, amount: 2 }, &TableEvent::ToppedUp { seat, amount: 1 }]
    );
}

#[test]
fn who_has_lost_all_needs_the_smallest_buy_in_and_a_smaller_promise_does_not_come() {
    for (amount, comes) in [(1, false), (79, false), (80, true)] {
        let mut game = all_in_for_400();
        for name in ["ann", "bob"] {
            game.ok(name, json!({"a": "top_up", "amount": amount}));
        }
        game.run_out();
        let (_, loser) = game.winner_and_loser();
        let (seat, lost) = (game.folded.seat_of(&user(loser)).unwrap(), game.seat(loser).unwrap());
        if comes {
            assert_eq!((lost.stack, lost.status), (80, SeatStatus::Playing));
        } else {
            assert_eq!(
                (lost.stack, lost.top_up, lost.status),
                (0, 0, SeatStatus::SittingOut),
                "like who is broke"
            );
            assert!(game.events.contains(&TableEvent::TopUpLapsed { seat, amount }), "and he is told");
        }
    }
}

#[test]
fn who_comes_again_within_half_an_hour_brings_at_least_what_he_left_with() {
    let mut game = all_in_for_400();
    game.run_out();
    let (winner, _) = game.winner_and_loser();
    game.ok(winner, json!({"a": "leave"}));
    for buy_in in [80, 400, 799] {
        let sit = json!({"a": "sit", "buy_in": buy_in});
        let refusal = game.command(winner, &sit).unwrap_err();
        assert_eq!(refusal.code, Code::LeftWithMore);
        assert!(refusal.message.contains("bring 800"), "{}", refusal.message);
        let legal: Value = serde_json::from_str(refusal.legal.unwrap().get()).unwrap();
        assert_eq!(legal["buy_in"], json!({"min": 800, "max": 800}), "above what newcomers may bring");
    }
    assert_eq!(game.refused(winner, json!({"a": "sit", "buy_in": 801})), Code::BadAmount);
    game.ok(winner, json!({"a": "sit", "buy_in": 800}));
    // What he leaves with now is what counts the next time, however often he comes.
    game.ok(winner, json!({"a": "leave"}));
    assert_eq!(game.refused(winner, json!({"a": "sit", "buy_in": 80})), Code::LeftWithMore);
    game.now += 30 * 60 * 1_000;
    game.ok(winner, json!({"a": "sit", "buy_in": 80}));
}

#[test]
fn a_table_without_that_rule_lets_anybody_come_again_with_the_smallest_buy_in() {
    let mut game = Game::new(TableConfig { rathole_ms: 0, ..config() });
    game.ok("ann", json!({"a": "sit", "buy_in": 400}));
    game.ok("ann", json!({"a": "leave"}));
    game.ok("ann", json!({"a": "sit", "buy_in": 80}));
}

#[test]
fn who_left_with_less_than_the_smallest_buy_in_brings_the_smallest() {
    let mut game = all_in_for_400();
    game.run_out();
    let (_, loser) = game.winner_and_loser();
    game.ok(loser, json!({"a": "leave"}));
    assert_eq!(game.refused(loser, json!({"a": "sit", "buy_in": 79})), Code::BadAmount);
    game.ok(loser, json!({"a": "sit", "buy_in": 80}));
}

impl Game {
    /// Plays the hand on the table to its end, folding.
    fn fold_out(&mut self) {
        while self.folded.hand.as_ref().unwrap().turn.is_some() {
            self.act("fold", None);
        }
    }

    /// Folds hands, and begins further ones, until `done`.
    fn fold_until(&mut self, done: impl Fn(&Self) -> bool) {
        for _ in 0..50 {
            if done(self) {
                return;
            }
            self.fold_out();
            self.tick();
        }
        panic!("never done");
    }

    /// What a player posted in the hand on the table.
    fn posts(&self, name: &str) -> Vec<BlindKind> {
        let at = self.folded.seat_of(&user(name)).unwrap();
        let began = self.events.iter().rposition(|event| matches!(event, TableEvent::HandStarted { .. }));
        let posted = self.events[began.unwrap()..].iter().filter_map(|event| match event {
            TableEvent::Posted { seat, blind, .. } if *seat == at => Some(*blind),
            _ => None,
        });
        posted.collect()
    }
}

#[test]
fn at_the_defaults_who_sits_out_just_for_his_big_blind_pays_it_before_he_is_dealt_in_again() {
    let mut game = Game::new(config());
    for name in ["ann", "bob", "cid", "dan"] {
        game.ok(name, json!({"a": "sit", "buy_in": 400}));
    }
    let (mut dealt_in, mut paid) = (0, 0);
    for _ in 0..93 {
        // The big blind reaches him next when it was on his right-hand neighbour.
        let is_next = game.folded.hand.is_some() && game.posts("cid").contains(&BlindKind::Big);
        match (is_next, game.seat("dan").unwrap().status) {
            (true, SeatStatus::Playing) => game.ok("dan", json!({"a": "sit_out"})),
            (false, SeatStatus::SittingOut) => game.ok("dan", json!({"a": "come_back"})),
            _ => {}
        }
        game.tick();
        dealt_in += u32::from(game.seat("dan").unwrap().in_hand);
        let blind = |blind: &BlindKind| matches!(blind, BlindKind::Big | BlindKind::Live);
        paid += u32::from(game.posts("dan").iter().any(blind));
        game.fold_out();
        assert_eq!(game.folded.hand.as_ref().map(|hand| hand.ended), Some(true));
    }
    assert!(dealt_in > 30, "he plays {dealt_in} of 93");
    assert!(paid * 4 >= dealt_in, "and pays a big blind in {paid} of {dealt_in}, one a round at least");
}

#[test]
fn leaving_and_sitting_down_again_does_not_pay_the_blinds_that_are_owed() {
    let mut game = Game::started(config(), &["ann", "bob", "cid", "dan"]);
    game.fold_until(|game| game.posts("dan").contains(&BlindKind::Big));
    game.fold_until(|game| game.posts("cid").contains(&BlindKind::Big));
    game.ok("dan", json!({"a": "sit_out"}));
    // Both blinds pass him.
    game.fold_until(|game| game.posts("bob").contains(&BlindKind::Big));
    game.fold_out();
    game.ok("dan", json!({"a": "leave"}));
    game.ok("dan", json!({"a": "sit", "seat": 3, "buy_in": 100}));
    game.fold_until(|game| game.seat("dan").unwrap().in_hand);
    assert_eq!(
        game.posts("dan"),
        [BlindKind::Live, BlindKind::Dead],
        "and not as a newcomer the big blind alone"
    );
}

#[test]
fn who_comes_back_to_a_cash_table_and_waits_owes_the_small_blind_too_once_it_has_passed() {
    let mut game = Game::started(config(), &["ann", "bob", "cid", "dan"]);
    game.fold_until(|game| game.posts("cid").contains(&BlindKind::Big));
    game.ok("dan", json!({"a": "sit_out"}));
    game.fold_until(|game| game.posts("ann").contains(&BlindKind::Big));
    game.ok("dan", json!({"a": "come_back", "wait_for_big_blind": true}));
    game.fold_until(|game| game.posts("bob").contains(&BlindKind::Big));
    game.ok("dan", json!({"a": "sit_out"}));
    game.ok("dan", json!({"a": "come_back"}));
    game.fold_until(|game| game.seat("dan").unwrap().in_hand);
    assert_eq!(game.posts("dan"), [BlindKind::Live, BlindKind::Dead]);
}

#[test]
fn at_tables_where_nothing_is_owed_nobody_new_is_dealt_in_between_small_blind_and_button() {
    for blinds_owed in [BlindsOwed::Nothing, BlindsOwed::NoneMissed] {
        let mut game = Game::new(TableConfig { blinds_owed, ..config() });
        for (name, seat) in [("ann", 0), ("bob", 1), ("cid", 3), ("dan", 5)] {
            game.ok(name, json!({"a": "sit", "seat": seat, "buy_in": 100}));
        }
        // The button on 0, then on 1 with the small blind on 3.
        game.tick();
        game.ok("eve", json!({"a": "sit", "seat": 2, "buy_in": 100}));
        game.fold_out();
        game.tick();
        assert_eq!(game.folded.hand.as_ref().map(|hand| hand.button), Some(1));
        let eve = game.seat("eve").unwrap();
        assert_eq!((eve.in_hand, eve.status), (false, SeatStatus::Waiting), "{blinds_owed:?}");
        game.fold_out();
        game.tick();
        let eve = game.seat("eve").unwrap();
        assert_eq!((eve.in_hand, eve.status), (true, SeatStatus::Playing), "{blinds_owed:?}");
        assert_eq!(game.posts("eve"), []);
    }
}

#[test]
fn in_a_tournament_who_sits_out_is_dealt_in_and_blinded_off_without_holding_the_others_up() {
    let mut game = Game::started(
        TableConfig { blinds_owed: BlindsOwed::NoneMissed, ..config() },
        &["ann", "bob", "cid"],
    );
    // It is his turn, or will be: either way the clock plays at once.
    game.ok("cid", json!({"a": "sit_out"}));
    let mut posted = 0;
    for _ in 0..200 {
        assert!(
            game.seat("cid").is_some_and(|cid| cid.status == SeatStatus::SittingOut),
            "he keeps the seat"
        );
        while game.folded.hand.as_ref().unwrap().turn.is_some() {
            assert_ne!(game.to_act(), "cid", "he has no turn that the others would wait for");
            match game.turn() {
                TurnView { raise: Some(raise), .. } if raise.bet => game.act("bet", Some(raise.min)),
                TurnView { call, .. } => game.act(if call.is_some() { "call" } else { "check" }, None),
            }
        }
        if game.seat("cid").unwrap().stack == 0 || game.folded.seats.iter().flatten().count() < 2 {
            break;
        }
        for name in ["ann", "bob"] {
            if game.seat(name).unwrap().stack < 80 {
                game.ok(name, json!({"a": "top_up", "amount": 100}));
            }
            if game.seat(name).unwrap().status == SeatStatus::SittingOut {
                game.ok(name, json!({"a": "come_back"}));
            }
        }
        game.tick();
        assert!(game.seat("cid").unwrap().in_hand, "everybody with chips is dealt in");
        posted += game.posts("cid").len();
    }
    assert_eq!(game.seat("cid").map(|cid| cid.stack), Some(0), "blinded off, {posted} times");
}

#[test]
fn the_blinds_of_two_who_sit_out_go_round_in_a_tournament() {
    let mut game =
        Game::started(TableConfig { blinds_owed: BlindsOwed::NoneMissed, ..config() }, &["ann", "bob"]);
    for name in ["ann", "bob"] {
        game.ok(name, json!({"a": "sit_out"}));
    }
    let hand = game.hand();
    game.tick();
    game.tick();
    assert_eq!(game.hand(), hand + 2);
    game.ok("ann", json!({"a": "come_back"}));
    // As the big blind she wins without a turn, then she has the first one.
    game.tick();
    if game.folded.hand.as_ref().unwrap().ended {
        game.tick();
    }
    assert_eq!(game.to_act(), "ann");
}

#[test]
fn an_action_for_another_turn_is_late_and_changes_nothing() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    let (first, hand, turn) = (game.to_act(), game.hand(), game.turn().turn);
    game.act("call", None);
    let late = json!({"a": "act", "hand": hand, "turn": turn, "kind": "fold"});
    assert_eq!(game.refused(&first, late), Code::Late);
    let second = game.turn().turn;
    let others = json!({"a": "act", "hand": hand, "turn": second, "kind": "check"});
    assert_eq!(game.refused(&first, others), Code::NotYourTurn);
    let refusal = {
        let name = game.to_act();
        let raise = json!({"a": "act", "hand": hand, "turn": second, "kind": "raise", "to": 3});
        game.command(&name, &raise).unwrap_err()
    };
    assert_eq!(refusal.code, Code::Illegal);
    let legal: Value = serde_json::from_str(refusal.legal.unwrap().get()).unwrap();
    assert_eq!(legal["turn"]["raise"]["min"], 4, "a refusal says what is legal");
}

#[test]
fn who_leaves_in_a_hand_folds_at_the_turn_and_goes_with_the_rest() {
    let mut game = Game::started(config(), &["ann", "bob", "cid"]);
    let leaver = {
        let first = game.to_act();
        ["ann", "bob", "cid"].into_iter().find(|name| *name != first).unwrap()
    };
    game.ok(leaver, json!({"a": "leave"}));
    assert_eq!(game.seat(leaver).unwrap().status, SeatStatus::Leaving);
    assert_eq!(game.refused(leaver, json!({"a": "leave"})), Code::Unchanged);
    while game.seat(leaver).is_some() {
        assert_ne!(game.to_act(), leaver, "the table folds for who has left");
        game.act(if game.turn().call.is_some() { "call" } else { "check" }, None);
    }
    assert_eq!(game.folded.chips.cashed, 300 - game.folded.on_table());
}

#[test]
fn a_pot_names_nobody_who_folded_without_a_bet_or_mucked_at_showdown() {
    let settings = TableConfig { blinds_owed: BlindsOwed::Nothing, rathole_ms: 0, ..config() };
    let mut game = Game::started(settings, &["ann", "bob", "cid"]);
    for _ in 0..20 {
        // Called to the river and checked there, but for the last, who leaves instead.
        while game.folded.hand.as_ref().unwrap().boards[0].len() < 5 {
            game.act(if game.turn().call.is_some() { "call" } else { "check" }, None);
        }
        game.act("check", None);
        game.act("check", None);
        let leaver = game.to_act();
        game.ok(&leaver, json!({"a": "leave"}));
        assert!(game.folded.hand.as_ref().unwrap().ended);
        game.ok(&leaver, json!({"a": "sit", "buy_in": 100}));
        for name in ["ann", "bob", "cid"] {
            if game.seat(name).unwrap().stack < 50 {
                game.ok(name, json!({"a": "top_up", "amount": 100}));
            }
        }
        game.tick();
    }
    assert!(game.events.iter().any(|event| matches!(event, TableEvent::Mucked { .. })));
}

#[test]
fn the_clock_checks_if_it_is_free_and_folds_otherwise_after_the_time_bank() {
    let mut game = Game::started(TableConfig { bank_ms: 30_000, away_turns: 9, ..config() }, &["ann", "bob"]);
    let sleeper = game.to_act();
    game.tick();
    assert_eq!(game.turn().deadline_ms, game.now + 30_000, "the time bank");
    game.tick();
    let acted = game.events.iter().find_map(|event| match event {
        TableEvent::Acted(acted) => Some(acted.clone()),
        _ => None,
    });
    assert!(acted.is_some_and(|acted| acted.timeout));
    assert!(game.seat(&sleeper).unwrap().folded);
    assert_eq!(game.seat(&sleeper).unwrap().bank_ms, 0);
    // In the next hand the bank has grown, and a free check is taken.
    game.tick();
    assert!(game.seat(&sleeper).unwrap().bank_ms > 0);
    game.act("call", None);
    game.tick();
    game.tick();
    assert!(!game.folded.seats.iter().flatten().any(|seat| seat.folded), "a check was free");
}

#[test]
fn a_disconnected_player_has_extra_time_then_sits_out_then_loses_the_seat() {
    let mut game = Game::started(TableConfig { away_turns: 1, ..config() }, &["ann", "bob"]);
    let gone = game.to_act();
    game.away(&gone, true);
    assert!(game.seat(&gone).unwrap().away, "the others see it");
    game.tick();
    assert_eq!(game.turn().deadline_ms, game.now + 15_000, "extra time");
    assert_eq!(game.to_act(), gone);
    game.tick();
    assert_eq!(game.seat(&gone).unwrap().status, SeatStatus::SittingOut);
    game.tick();
    assert_eq!(game.seat(&gone), None, "the seat is given up");
    assert_eq!(game.now, START_MS + 30_000 + 300_000 - 30_000, "counted from when the connection was lost");
}

#[test]
fn the_extra_time_of_the_disconnected_comes_once_a_hand_at_most() {
    let mut game = Game::started(TableConfig { away_turns: 9, ..config() }, &["ann", "bob"]);
    let (gone, other) = (game.to_act(), if game.to_act() == "ann" { "bob" } else { "ann" });
    game.away(&gone, true);
    game.tick();
    assert_eq!(game.turn().deadline_ms, game.now + 15_000, "extra time");
    game.away(&gone, false);
    game.act("call", None);
    game.act("check", None);
    // The flop: the other one is first to act.
    assert_eq!(game.to_act(), other);
    game.act("check", None);
    game.away(&gone, true);
    game.tick();
    assert_eq!(game.folded.hand.as_ref().unwrap().boards[0].len(), 4, "the clock has checked at once");
}

#[test]
fn the_extra_time_of_the_disconnected_comes_from_a_share_that_refills() {
    let settings = TableConfig { away_turns: 99, away_bank_ms: 40_000, away_refill_ms: 1_000, ..config() };
    let mut game = Game::started(settings, &["ann", "bob"]);
    game.away("ann", true);
    let mut extra = Vec::new();
    for _ in 0..12 {
        while game.folded.hand.as_ref().unwrap().turn.is_some() {
            if game.to_act() == "ann" {
                let due = game.turn().deadline_ms;
                game.tick();
                let got = game.folded.hand.as_ref().and_then(|hand| hand.turn.as_ref());
                if let Some(turn) = got.filter(|turn| turn.deadline_ms > due && game.to_act() == "ann") {
                    extra.push(turn.deadline_ms - due);
                    game.tick();
                }
            } else {
                game.act(if game.turn().call.is_some() { "call" } else { "check" }, None);
            }
        }
        game.tick();
    }
    assert_eq!(
        extra[..5],
        [15_000, 15_000, 12_000, 1_000, 1_000],
        "two whole ones, what is left, what grows"
    );
    assert!(extra.iter().sum::<u64>() <= 40_000 + 12 * 1_000, "{extra:?}");
}

#[test]
fn extra_time_that_was_not_needed_is_not_used_up() {
    let settings = TableConfig { away_bank_ms: 20_000, away_refill_ms: 0, ..config() };
    let mut game = Game::started(settings, &["ann", "bob"]);
    for expected in [15_000, 15_000, 15_000] {
        while game.to_act() != "ann" {
            game.act(if game.turn().call.is_some() { "call" } else { "check" }, None);
        }
        game.away("ann", true);
        game.tick();
        assert_eq!(game.turn().deadline_ms, game.now + expected);
        game.now += 1_000;
        game.away("ann", false);
        game.fold_out();
        game.tick();
    }
}

#[test]
fn who_has_no_extra_time_left_has_the_time_bank_like_everybody() {
    let settings = TableConfig { away_bank_ms: 0, bank_ms: 30_000, away_turns: 9, ..config() };
    let mut game = Game::started(settings, &["ann", "bob"]);
    let gone = game.to_act();
    game.away(&gone, true);
    game.tick();
    assert_eq!((game.to_act(), game.turn().deadline_ms), (gone, game.now + 30_000));
}

#[test]
fn a_player_who_comes_back_in_time_keeps_the_seat_and_the_turn() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    let back = game.to_act();
    game.away(&back, true);
    game.tick();
    game.away(&back, false);
    game.act("call", None);
    assert!(!game.seat(&back).unwrap().away);
    assert_eq!(game.seat(&back).unwrap().status, SeatStatus::Playing);
}

#[test]
fn streets_without_betting_are_shown_one_by_one() {
    let mut game = Game::started(TableConfig { runout_ms: 900, ..config() }, &["ann", "bob"]);
    game.all_in();
    game.all_in();
    let cards = |game: &Game| game.folded.hand.as_ref().unwrap().boards[0].len();
    let shown =
        |game: &Game| game.folded.seats.iter().flatten().filter(|seat| !seat.shown.is_empty()).count();
    assert_eq!((cards(&game), shown(&game)), (0, 2), "hands are tabled at once (TDA 16)");
    for expected in [3, 4, 5] {
        let before = game.now;
        game.tick();
        assert_eq!((cards(&game), game.now - before), (expected, 900));
    }
    assert!(!game.folded.hand.as_ref().unwrap().ended);
    game.tick();
    assert!(game.folded.hand.as_ref().unwrap().ended);
}

#[test]
fn what_hands_make_is_told_at_the_end_of_an_all_in_too() {
    let mut game = all_in_for_400();
    game.run_out();
    let (winner, _) = game.winner_and_loser();
    let seat =
        game.folded.seats.iter().position(|seat| seat.as_ref().is_some_and(|it| it.user == user(winner)));
    let told = game.events.iter().find_map(|event| match event {
        TableEvent::HandEnded { hands, .. } => Some(hands),
        _ => None,
    });
    let told = told.unwrap();
    assert_eq!(told.iter().map(|hand| (hand.seat, hand.run)).collect::<Vec<_>>(), [(0, 0), (1, 0)]);
    for hand in told {
        let hole = &game.folded.seats[usize::from(hand.seat)].as_ref().unwrap().shown;
        let board = &game.folded.hand.as_ref().unwrap().boards[0];
        assert_eq!(hand.cards.len(), 5);
        assert!(hand.cards.iter().all(|card| hole.contains(card) || board.contains(card)), "{hand:?}");
        assert!(!hand.ranks.is_empty());
    }
    let won = game.events.iter().filter_map(|event| match event {
        TableEvent::Won { seat, run, .. } => Some((usize::from(*seat), *run)),
        _ => None,
    });
    assert!(won.clone().all(|(_, run)| run == 0) && won.clone().any(|(at, _)| Some(at) == seat));
}

#[test]
fn a_hand_that_is_shown_on_a_complete_board_tells_what_it_makes_at_once() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    while !game.folded.hand.as_ref().unwrap().ended {
        let kind = if game.turn().call.is_some() { "call" } else { "check" };
        game.act(kind, None);
    }
    let shown = game.events.iter().filter_map(|event| match event {
        TableEvent::Shown { seat, rank, hands, .. } => Some((*seat, rank, hands)),
        _ => None,
    });
    assert!(shown.clone().count() > 0);
    for (seat, rank, hands) in shown {
        let [made] = &hands[..] else { panic!("one board, one hand: {hands:?}") };
        let class = serde_json::to_value(made.class).unwrap();
        assert_eq!((made.seat, class.as_str().unwrap().replace('_', " ")), (seat, rank.clone()));
    }
}

#[test]
fn a_winner_may_show_after_the_hand_and_only_then() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    game.ok("ann", json!({"a": "chat", "text": "hi"}));
    assert_eq!(game.refused("ann", json!({"a": "show"})), Code::InHand);
    game.act("fold", None);
    game.ok("ann", json!({"a": "show"}));
    assert_eq!(game.seat("ann").unwrap().shown.len(), 2);
    assert_eq!(game.refused("ann", json!({"a": "show"})), Code::Unchanged);
    game.ok("cid", json!({"a": "sit", "buy_in": 100}));
    assert_eq!(game.refused("cid", json!({"a": "show"})), Code::Illegal);
}

#[test]
fn a_winner_may_show_one_card_and_then_the_other_and_every_release_reads_that() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    let private = |game: &Game, name: &str| {
        let privates = game.state.room.privates();
        let (_, part) = privates.into_iter().find(|(who, _)| *who == user(name)).unwrap();
        serde_json::from_str::<TablePrivate>(part.get()).unwrap().cards
    };
    let (mine, his) = (private(&game, "ann"), private(&game, "bob"));
    assert_eq!(game.refused("ann", json!({"a": "show", "cards": [mine[1]]})), Code::InHand);
    game.act("fold", None);
    for (cards, code) in [
        (json!([his[0]]), Code::Illegal),
        (json!([mine[0], his[0]]), Code::Illegal),
        (json!([]), Code::BadCommand),
        (json!("As"), Code::BadCommand),
    ] {
        assert_eq!(game.refused("ann", json!({"a": "show", "cards": cards})), code, "{cards}");
    }
    game.ok("ann", json!({"a": "show", "cards": [mine[1]]}));
    assert_eq!(game.seat("ann").unwrap().shown, [mine[1]]);
    assert_eq!(private(&game, "ann"), mine, "she still holds both");
    let public = game.state.room.view().get().to_owned() + &serde_json::to_string(&game.events).unwrap();
    assert!(!public.contains(&format!("\"{}\"", mine[0])), "the other stays down");
    assert!(game.events.iter().any(
        |event| matches!(event, TableEvent::Shown { rank, hands, .. } if rank.is_empty() && hands.is_empty())
    ));
    assert_eq!(game.refused("ann", json!({"a": "show", "cards": [mine[1]]})), Code::Unchanged);
    // A fact of the hand in the words that there were before.
    let last = |game: &Game| game.journal.last().unwrap().0.events.clone();
    assert!(matches!(&last(&game)[..], [Event::Hand { event: holdem::Event::Shown { .. }, timeout: false }]));

    game.ok("ann", json!({"a": "show", "cards": [mine[0], mine[0]]}));
    assert_eq!(game.seat("ann").unwrap().shown, mine, "as they were dealt");
    assert_eq!(game.refused("ann", json!({"a": "show"})), Code::Unchanged);
    game.ok("bob", json!({"a": "show", "cards": [his[0]]}));
    game.ok("bob", json!({"a": "show"}));
    assert_eq!(game.seat("bob").unwrap().shown, his);
}

#[test]
fn hole_cards_are_in_the_private_parts_of_those_who_hold_them_and_nowhere_else() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    game.ok("cid", json!({"a": "sit", "buy_in": 100}));
    let privates = game.state.room.privates();
    let cards = |name: &str| {
        let private = &privates.iter().find(|(who, _)| *who == user(name)).unwrap().1;
        serde_json::from_str::<TablePrivate>(private.get()).unwrap().cards
    };
    assert_eq!((cards("ann").len(), cards("bob").len(), cards("cid").len()), (2, 2, 0));
    let public = game.state.room.view().get().to_owned() + &serde_json::to_string(&game.events).unwrap();
    for card in cards("ann").iter().chain(&cards("bob")) {
        assert!(!public.contains(&format!("\"{card}\"")), "a hole card in public");
    }
}

#[test]
fn who_takes_a_seat_of_the_last_hand_does_not_see_its_cards() {
    let mut game = Game::started(TableConfig { seats: 2, ..config() }, &["ann", "bob"]);
    game.act("fold", None);
    game.ok("ann", json!({"a": "leave"}));
    game.ok("eve", json!({"a": "sit", "buy_in": 100}));
    let privates = game.state.room.privates();
    let eve = &privates.iter().find(|(who, _)| *who == user("eve")).unwrap().1;
    assert_eq!(serde_json::from_str::<TablePrivate>(eve.get()).unwrap(), TablePrivate::default());
    assert_eq!(game.refused("eve", json!({"a": "show"})), Code::Illegal);
}

#[test]
fn who_has_lost_everything_sits_out_and_comes_back_with_new_chips() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    let mut broke = None;
    while broke.is_none() {
        while game.folded.hand.as_ref().is_some_and(|hand| hand.turn.is_some()) {
            game.all_in();
        }
        broke = game.folded.seats.iter().flatten().find(|seat| seat.stack == 0).map(|seat| seat.user.clone());
        if broke.is_none() {
            game.tick();
        }
    }
    let broke = broke.unwrap();
    let broke = broke.as_str();
    assert_eq!(game.seat(broke).unwrap().status, SeatStatus::SittingOut);
    assert_eq!(game.refused(broke, json!({"a": "come_back"})), Code::BadAmount);
    assert_eq!(game.refused(broke, json!({"a": "top_up", "amount": 1})), Code::BadAmount);
    game.ok(broke, json!({"a": "top_up", "amount": 80}));
    game.ok(broke, json!({"a": "come_back"}));
    let hand = game.hand();
    game.tick();
    assert_eq!(game.hand(), hand + 1);
}

#[test]
fn a_newcomer_who_waits_for_the_big_blind_is_dealt_in_with_it() {
    let mut game = Game::started(
        TableConfig { blinds_owed: BlindsOwed::PostOrWait, ..config() },
        &["ann", "bob", "cid"],
    );
    game.ok("dan", json!({"a": "sit", "buy_in": 100, "wait_for_big_blind": true}));
    assert_eq!(game.seat("dan").unwrap().status, SeatStatus::Waiting);
    while game.seat("dan").unwrap().status == SeatStatus::Waiting {
        while game.folded.hand.as_ref().unwrap().turn.is_some() {
            game.act("fold", None);
        }
        game.tick();
    }
    let seat = game.folded.seat_of(&user("dan")).unwrap();
    let started =
        game.events.iter().rposition(|event| matches!(event, TableEvent::HandStarted { .. })).unwrap();
    let posted_big = game.events[started..].iter().any(|event| {
        matches!(event, TableEvent::Posted { seat: who, blind, .. }
            if *who == seat && *blind == BlindKind::Big)
    });
    assert!(posted_big);
}

#[test]
fn the_game_is_the_one_that_the_settings_say() {
    let settings = TableConfig {
        variant: GameVariant::Omaha4,
        limit: LimitKind::PotLimit,
        ante: 4,
        ante_kind: AnteKind::BigBlind,
        straddles: Straddles::UnderTheGun,
        rake: RakeRule { basis_points: 1_000, cap: 3 },
        ..config()
    };
    let mut game = Game::started(settings, &["ann", "bob", "cid"]);
    for (_, private) in game.state.room.privates() {
        assert_eq!(serde_json::from_str::<TablePrivate>(private.get()).unwrap().cards.len(), 4);
    }
    let bets: Vec<u64> = game.folded.seats.iter().flatten().map(|seat| seat.bet).collect();
    assert_eq!(bets.iter().sum::<u64>(), 1 + 2 + 4, "both blinds and the straddle");
    let chips: u64 = game.folded.seats.iter().flatten().map(|seat| seat.stack + seat.bet).sum();
    assert_eq!(chips, 300 - 4, "one ante for the table");
    // The small blind calls 3 more into a pot of 11 and raises as much as then lies there.
    assert_eq!(game.turn().raise.map(|raise| (raise.min, raise.max)), Some((8, 4 + 11 + 3)));
    while game.folded.hand.as_ref().unwrap().turn.is_some() {
        game.act(if game.turn().call.is_some() { "call" } else { "check" }, None);
    }
    assert_eq!(game.folded.chips.raked, 1, "a tenth of 16, rounded down");
}

/// Two players all-in before the flop, at a table that runs a hand on so many boards.
fn all_in_where_boards_are_offered(runs_max: u8, runout_ms: u64) -> Game {
    let settings = TableConfig { runs_max, runout_ms, ..config() };
    let mut game = Game::started(settings, &["ann", "bob"]);
    game.all_in();
    game.act("call", None);
    game
}

impl Game {
    fn hand_view(&self) -> &HandView {
        self.folded.hand.as_ref().unwrap()
    }

    fn runs(&mut self, name: &str, boards: u8) -> Result<(), Code> {
        let what = json!({"a": "runs", "hand": self.hand(), "boards": boards});
        self.command(name, &what).map_err(|refusal| refusal.code)
    }

    fn ends_on_boards(&mut self, boards: usize) {
        while !self.hand_view().ended {
            assert!(self.tick());
        }
        let dealt = &self.hand_view().boards;
        assert_eq!(dealt.iter().map(Vec::len).collect::<Vec<_>>(), vec![5; boards], "{dealt:?}");
        let won = self.events.iter().filter_map(|event| match event {
            TableEvent::Won { amount, run, .. } => Some((*run, *amount)),
            _ => None,
        });
        let won: Vec<(u8, u64)> = won.collect();
        assert_eq!(won.iter().map(|(_, amount)| amount).sum::<u64>(), 200, "{won:?}");
        assert!((0u8..).take(boards).all(|board| won.iter().any(|(run, _)| *run == board)), "{won:?}");
    }
}

#[test]
fn a_hand_is_run_twice_when_all_who_are_in_it_want_that() {
    for (runs_max, runout_ms) in [(2, 0), (2, 900), (3, 900)] {
        let mut game = all_in_where_boards_are_offered(runs_max, runout_ms);
        let runs = game.hand_view().runs.clone().unwrap();
        assert_eq!((runs.max, runs.seats.len()), (runs_max, 2));
        assert!(
            game.folded.seats.iter().flatten().all(|seat| seat.shown.len() == 2),
            "they see what they have"
        );
        game.runs("bob", runs_max).unwrap();
        assert_eq!(game.runs("bob", 2), Err(Code::Unchanged));
        assert_eq!(game.hand_view().runs.as_ref().unwrap().seats.len(), 1);
        // The least that anybody wants.
        game.runs("ann", 2).unwrap();
        assert_eq!(game.runs("ann", 2), Err(Code::Late));
        assert_eq!(game.hand_view().boards.len(), 2);
        assert_eq!(game.hand_view().boards[0].is_empty(), runout_ms > 0, "streets are shown one by one");
        game.ends_on_boards(2);
    }
}

#[test]
fn whoever_wants_one_board_has_decided_it() {
    let mut game = all_in_where_boards_are_offered(3, 0);
    game.runs("ann", 1).unwrap();
    game.ends_on_boards(1);
}

#[test]
fn whoever_does_not_answer_in_time_wants_one_board() {
    let mut game = all_in_where_boards_are_offered(2, 0);
    game.runs("ann", 2).unwrap();
    let due = game.state.room.deadline().unwrap();
    assert!((1..=10_000).contains(&(due - game.now)));
    game.ends_on_boards(1);
}

#[test]
fn nobody_waits_for_the_answer_of_who_is_away_or_goes() {
    let settings = TableConfig { runs_max: 2, ..config() };
    let mut game = Game::started(settings, &["ann", "bob"]);
    game.all_in();
    game.away("ann", true);
    game.act("call", None);
    assert!(game.hand_view().ended, "there is nobody to ask");
    game.ends_on_boards(1);
    let mut game = all_in_where_boards_are_offered(2, 0);
    game.runs("bob", 2).unwrap();
    game.ok("ann", json!({"a": "leave"}));
    game.ends_on_boards(1);
}

#[test]
fn only_who_is_in_the_hand_has_a_say_in_how_often_it_is_run() {
    let settings = TableConfig { runs_max: 2, ..config() };
    let mut game = Game::started(settings, &["ann", "bob", "cid"]);
    let folds = game.to_act();
    assert_eq!(game.runs(&folds, 2), Err(Code::Late));
    game.act("fold", None);
    game.all_in();
    game.act("call", None);
    assert_eq!(game.runs(&folds, 2), Err(Code::NotYourTurn));
    assert_eq!(game.runs("eve", 2), Err(Code::NotSeated));
    for name in ["ann", "bob", "cid"].into_iter().filter(|name| **name != *folds) {
        for boards in [0, 3] {
            assert_eq!(game.runs(name, boards), Err(Code::Illegal));
        }
        game.runs(name, 2).unwrap();
    }
    while !game.hand_view().ended {
        game.tick();
    }
    assert_eq!(game.hand_view().boards.len(), 2);
}

#[test]
fn after_a_takeover_there_is_time_for_the_answer() {
    let mut game = all_in_where_boards_are_offered(2, 0);
    let due = game.state.room.deadline().unwrap();
    game.now = due + 5_000;
    game.tell(Input::TakenOver { grace_ms: 3_000, frames_lost: 0 });
    assert_eq!(game.state.room.deadline(), Some(due + 8_000));
    game.runs("ann", 2).unwrap();
    game.runs("bob", 2).unwrap();
    game.ends_on_boards(2);
}

#[test]
fn settings_that_no_game_can_be_dealt_by_open_no_table() {
    use table::settings::{BadConfig, check};
    let ten_handed_omaha = TableConfig { variant: GameVariant::Omaha6, seats: 10, ..config() };
    assert_eq!(check(&ten_handed_omaha), Err(BadConfig::Seats { seats: 10, most: 7 }));
    for runs_max in [0, 4] {
        assert_eq!(check(&TableConfig { runs_max, ..config() }), Err(BadConfig::Runs(runs_max)));
    }
    let whole_and_more = RakeRule { basis_points: 10_001, cap: 1 };
    assert_eq!(check(&TableConfig { rake: whole_and_more, ..config() }), Err(BadConfig::Rake(10_001)));
    assert_eq!(check(&config()), Ok(()));
}

#[test]
fn a_table_is_set_to_something_else_between_hands_and_keeps_its_seats() {
    use table::settings::{BadChange, BadConfig, change};
    let mut game = Game::started(config(), &["ann", "bob", "cid"]);
    let omaha = TableConfig {
        variant: GameVariant::Omaha4,
        small_blind: 3,
        big_blind: 6,
        buy_in_min: 240,
        ..game.folded.config.clone()
    };
    assert_eq!(game.change(|draft| change(draft, omaha.clone())), Err(BadChange::InHand));
    while game.folded.hand.as_ref().unwrap().turn.is_some() {
        game.act("fold", None);
    }
    let wider = TableConfig { seats: omaha.seats + 1, ..omaha.clone() };
    let seats = BadChange::Seats { has: omaha.seats, asked: omaha.seats + 1 };
    assert_eq!(game.change(|draft| change(draft, wider)), Err(seats));
    let no_blind = TableConfig { big_blind: 0, ..omaha.clone() };
    assert_eq!(game.change(|draft| change(draft, no_blind)), Err(BadChange::Config(BadConfig::NoBigBlind)));
    let chips = game.folded.chips;
    game.change(|draft| change(draft, omaha.clone())).unwrap();
    assert_eq!((&game.folded.config, game.folded.chips), (&omaha, chips));
    let hand = game.hand();
    while game.hand() == hand {
        assert!(game.tick());
    }
    for (_, private) in game.state.room.privates() {
        assert_eq!(serde_json::from_str::<TablePrivate>(private.get()).unwrap().cards.len(), 4);
    }
    let bets: u64 = game.folded.seats.iter().flatten().map(|seat| seat.bet).sum();
    assert_eq!(bets, 3 + 6);
}

/// What somebody may do, by numbers.
#[derive(Debug, Clone)]
enum Step {
    Command { who: usize, what: usize, amount: u64 },
    Act { what: usize, amount: u64 },
    Away { who: usize, away: bool },
    Tick,
    Wait { ms: u64 },
}

const NAMES: [&str; 7] = ["ann", "bob", "cid", "dan", "eve", "flo", "gus"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..NAMES.len(), 0..8usize, 0..450u64)
            .prop_map(|(who, what, amount)| Step::Command { who, what, amount }),
        12 => (0..6usize, 0..450u64).prop_map(|(what, amount)| Step::Act { what, amount }),
        1 => (0..NAMES.len(), any::<bool>()).prop_map(|(who, away)| Step::Away { who, away }),
        4 => Just(Step::Tick),
        1 => (0..400_000u64).prop_map(|ms| Step::Wait { ms }),
    ]
}

fn settings() -> impl Strategy<Value = TableConfig> {
    let kinds = (0..5usize, 2..=6u8, 0..3usize, any::<bool>(), 0..3u64, 0..1_000u16, 0..3usize);
    (kinds, any::<bool>(), 0..2u64).prop_map(
        |((variant, seats, owed, pot_limit, ante, rake, straddle), moving, pace)| {
            let variants = [
                GameVariant::Holdem,
                GameVariant::Omaha4,
                GameVariant::Omaha5,
                GameVariant::Omaha6,
                GameVariant::ShortDeck,
            ];
            let antes = [AnteKind::EachPlayer, AnteKind::BigBlind, AnteKind::Button];
            TableConfig {
                variant: variants[variant],
                seats,
                limit: if pot_limit { LimitKind::PotLimit } else { LimitKind::NoLimit },
                ante,
                ante_kind: antes[straddle],
                straddles: [Straddles::None, Straddles::UnderTheGun, Straddles::Button][straddle],
                button_rule: if moving { ButtonRule::Moving } else { ButtonRule::Dead },
                blinds_owed: [BlindsOwed::PostOrWait, BlindsOwed::Nothing, BlindsOwed::NoneMissed][owed],
                rake: RakeRule { basis_points: rake, cap: 5 },
                buy_in_min: 1,
                runs_max: 1 + (rake % 3) as u8,
                runout_ms: pace * 900,
                bank_ms: 5_000,
                ..TableConfig::default()
            }
        },
    )
}

impl Game {
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Command { who, what, amount } => {
                let what = match what {
                    0 | 1 => json!({"a": "sit", "buy_in": amount, "wait_for_big_blind": amount % 2 == 0}),
                    2 => json!({"a": "leave"}),
                    3 => json!({"a": "top_up", "amount": amount}),
                    4 => json!({"a": "sit_out"}),
                    5 => json!({"a": "come_back"}),
                    6 => json!({"a": "runs", "hand": self.hand(), "boards": amount % 5}),
                    _ if amount % 2 == 0 => json!({"a": "show"}),
                    _ => self.shows_one(NAMES[who], amount / 2),
                };
                let _ = self.command(NAMES[who], &what);
            }
            Step::Act { what, amount } => {
                let Some(turn) = self.folded.hand.as_ref().and_then(|hand| hand.turn.clone()) else {
                    return self.answer_or_tick(amount);
                };
                match (what, turn.call, turn.raise) {
                    (0, _, _) => self.act("fold", None),
                    (1..=3, Some(_), _) => self.act("call", None),
                    (1..=3, None, _) => self.act("check", None),
                    (4, _, Some(raise)) => {
                        let to = raise.min.max(amount).min(raise.max);
                        self.act(if raise.bet { "bet" } else { "raise" }, Some(to));
                    }
                    _ => self.all_in_if_possible(),
                }
            }
            Step::Away { who, away } => self.away(NAMES[who], away),
            Step::Tick => {
                self.tick();
            }
            Step::Wait { ms } => {
                let until = self.now + ms;
                for _ in 0..50 {
                    if self.state.room.deadline().is_none_or(|due| due > until) {
                        break;
                    }
                    self.tick();
                }
                self.now = self.now.max(until);
            }
        }
    }

    /// Whoever is asked how many boards to deal says it, mostly the same as the others.
    fn answer_or_tick(&mut self, amount: u64) {
        let Some(runs) = self.folded.hand.as_ref().and_then(|hand| hand.runs.clone()) else {
            self.tick();
            return;
        };
        let who = self.folded.seats[usize::from(runs.seats[0])].as_ref().unwrap().user.clone();
        let boards = if amount.is_multiple_of(8) { 1 } else { runs.max };
        self.ok(who.as_str(), json!({"a": "runs", "hand": self.hand(), "boards": boards}));
    }

    /// One of the player's cards.
    fn shows_one(&self, name: &str, which: u64) -> Value {
        let privates = self.state.room.privates();
        let part = privates.iter().find(|(who, _)| *who == user(name));
        let cards = part
            .map_or(Vec::new(), |(_, part)| serde_json::from_str::<TablePrivate>(part.get()).unwrap().cards);
        let card = cards.get(which as usize % cards.len().max(1));
        json!({"a": "show", "cards": card.into_iter().collect::<Vec<_>>()})
    }

    fn all_in_if_possible(&mut self) {
        let turn = self.turn();
        match (turn.raise, turn.call) {
            (Some(raise), _) => self.act(if raise.bet { "bet" } else { "raise" }, Some(raise.max)),
            (None, Some(_)) => self.act("call", None),
            (None, None) => self.act("check", None),
        }
    }
}

proptest! {
    /// Chips, the client's fold and the events are checked at every commit by [`Game`]; here also that a new owner who
    /// starts from a keyframe anywhere and applies the records after it has the same state.
    #[test]
    fn whatever_players_do_a_new_owner_restores_the_same_table(
        settings in settings(),
        steps in prop::collection::vec(step(), 1..150),
        crash_at in any::<prop::sample::Index>(),
    ) {
        let mut game = Game::new(settings);
        let crash_at = crash_at.index(steps.len());
        let mut keyframe = None;
        for (at, step) in steps.iter().enumerate() {
            if at == crash_at {
                keyframe = Some((game.state.write(Form::Versioned), game.journal.len()));
            }
            game.step(step);
        }
        let (keyframe, written) = keyframe.unwrap();
        let mut restored = Journaled::<Table>::read(Form::Versioned, &keyframe, game.now).unwrap();
        for (at, (delta, cause)) in game.journal.iter().enumerate().skip(written) {
            let record = DeltaOf::<Table>(Cow::Borrowed(delta)).write(Form::Versioned);
            let DeltaOf(delta) = DeltaOf::<Table>::read(Form::Versioned, &record, game.now).unwrap();
            restored.apply(&delta, cause.as_ref(), Position::new(1, at as u64 + 1), &Memory::default());
        }
        prop_assert!(restored == game.state);
        prop_assert!(restored.room.view().get() == game.state.room.view().get());
    }
}

/// Sits down with these names, in the order of the seats; and what the others then see.
fn seated_as(names: &[&str]) -> (Game, Vec<String>) {
    let mut game = Game::new(TableConfig { seats: 10, ..config() });
    for (at, name) in names.iter().enumerate() {
        game.command_as(&format!("g-{at}"), name, &json!({"a": "sit", "buy_in": 100})).unwrap();
    }
    let seen = game.folded.seats.iter().flatten().map(|seat| seat.name.clone()).collect();
    (game, seen)
}

#[test]
fn no_two_players_at_a_table_look_alike() {
    let (game, seen) = seated_as(&[
        "Mark",
        "M\u{430}rk",
        "MARK",
        "Mark 2",
        "modern",
        "modem",
        "abcdefghijklmnopqrst",
        "abcdefghijklmnopqrsT",
    ]);
    let expected = [
        "Mark",
        "M\u{430}rk 2",
        "MARK 3",
        "Mark 2 2",
        "modern",
        "modem 2",
        "abcdefghijklmnopqrst",
        "abcdefghijklmnopqr 2",
    ];
    assert_eq!(seen, expected);
    drop(game);
    let (_, again) = seated_as(&["Mark", "M\u{430}rk", "MARK"]);
    assert_eq!(again, expected[..3], "it follows from the table alone");
}

#[test]
fn nobody_on_the_rail_talks_in_the_name_of_a_player() {
    let (mut game, _) = seated_as(&["Ann", "Ann"]);
    let mut said_by = |who: &str, name: &str| {
        game.command_as(who, name, &json!({"a": "chat", "text": "hi"})).unwrap();
        match game.events.last() {
            Some(TableEvent::Chat { name, .. }) => name.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(said_by("g-1", "Ann"), "Ann 2", "as the seat is called");
    assert_eq!(said_by("g-7", "\u{410}nn"), "\u{410}nn 3");
    assert_eq!(said_by("g-8", "Bob"), "Bob");
}

#[test]
fn a_token_with_a_name_of_an_older_house_is_shown_by_what_can_be_seen_of_it() {
    let (_, seen) =
        seated_as(&["\u{fe0f}", "Cleo (bot)", "\u{202e}nnA", "Z\u{30d}\u{30d}\u{30d}\u{30d}\u{30d}\u{30d}"]);
    assert_eq!(seen, ["Guest", "Guest 2", "nnA", "Z"]);
}

#[test]
fn a_bot_is_told_by_its_user_and_by_nothing_that_a_guest_may_choose() {
    let mut game = Game::new(config());
    for (who, name) in [("bot-1", "Cleo"), ("g-bot-1", "Cleo (bot)")] {
        game.command_as(who, name, &json!({"a": "sit", "buy_in": 100})).unwrap();
        game.command_as(who, name, &json!({"a": "chat", "text": "hi"})).unwrap();
    }
    let told: Vec<bool> = game
        .events
        .iter()
        .filter_map(|event| match event {
            TableEvent::Seated { bot, .. } | TableEvent::Chat { bot, .. } => Some(*bot),
            _ => None,
        })
        .collect();
    assert_eq!(told, [true, true, false, false]);
    let view: Value = serde_json::from_str(game.state.room.view().get()).unwrap();
    assert_eq!([0, 1].map(|at| view["seats"][at]["bot"].clone()), [json!(true), json!(false)]);
}

#[test]
fn what_cannot_be_read_is_not_said() {
    let (mut game, _) = seated_as(&["Ann"]);
    for text in [
        "",
        " ",
        "a\nb",
        "\u{202e}abc",
        "a\u{2067}bc",
        &format!("Z{}", "\u{30d}".repeat(190)),
        "\u{3164}",
        &"x".repeat(201),
    ] {
        let refusal = game.command_as("g-0", "Ann", &json!({"a": "chat", "text": text})).unwrap_err();
        assert_eq!(refusal.code, Code::BadText, "{text:?}");
    }
    game.command_as("g-0", "Ann", &json!({"a": "chat", "text": " می\u{200c}خواهم  👨\u{200d}👩\u{200d}👧 "}))
        .unwrap();
    let said = game.events.last().unwrap();
    assert!(
        matches!(said, TableEvent::Chat { text, .. } if text == "می\u{200c}خواهم 👨\u{200d}👩\u{200d}👧"),
        "{said:?}"
    );
}

/// What there is to read in the memory of a table: the seed, or the cards that were never dealt.
fn tells_of_deck(game: &Game, seed: &Seed) -> bool {
    let kept = game.state.write(Form::Versioned);
    let deck = Deck::shuffled(Variant::Holdem, seed);
    let undealt = postcard::to_stdvec(&deck.order()[20..50]).unwrap();
    let holds = |secret: &[u8]| kept.windows(secret.len()).any(|part| part == secret);
    // Before the cards stands how many they are.
    holds(&seed.0) || holds(&undealt[1..])
}

#[test]
fn a_table_keeps_nothing_from_which_the_deck_of_a_hand_that_is_over_follows() {
    let mut game = Game::started(config(), &["ann", "bob"]);
    for _ in 0..5 {
        let seeds =
            game.journal.iter().flat_map(|(delta, _)| &delta.events).filter_map(|event| match event {
                Event::HandStarted { seed, .. } => Some(*seed),
                _ => None,
            });
        let seeds: Vec<Seed> = seeds.collect();
        let (now, before) = seeds.split_last().unwrap();
        assert!(tells_of_deck(&game, now), "it is needed while the hand goes on");
        assert!(!before.iter().any(|seed| tells_of_deck(&game, seed)));
        while !game.folded.hand.as_ref().unwrap().ended {
            game.act(if game.turn().call.is_some() { "call" } else { "check" }, None);
        }
        assert!(!seeds.iter().any(|seed| tells_of_deck(&game, seed)), "it is over");
        game.tick();
    }
}
