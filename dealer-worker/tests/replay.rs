//! Hands that tables have recorded, played once more: what is seen then is what was seen, and no card more.

use std::collections::BTreeSet;

use hands::{HandRecord, Replay, Seen, Viewer, replay::Step};
use protocol::{
    ClientOut,
    id::{Position, RoomId, UserId},
    rights::Rights,
    table::{
        AnteKind, BlindsOwed, ButtonRule, GameVariant, LimitKind, RakeRule, SeatStatus, Straddles,
        TableConfig, TableEvent, TablePrivate, TableView,
    },
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use rooms::room::{
    Decision, Input, Moment, Room,
    answers::Memory,
    record::{Delta, Journaled},
};
use serde_json::{Value, json};
use table::Table;

const START_MS: u64 = 1_700_000_000_000;
const NAMES: [&str; 7] = ["Annika", "Bobby", "Cidney", "Dannie", "Evelyn", "Florian", "Gustav"];

/// A hand as it was played, and as it was recorded.
struct Played {
    record: HandRecord,
    /// What everybody saw, and how long after the hand began.
    seen: Vec<(u64, TableEvent)>,
    /// What each player saw alone.
    own: Vec<(UserId, TablePrivate)>,
    /// Seats whose players sat out or were leaving at some time of it.
    absent: BTreeSet<u8>,
    /// The table at its end.
    view: TableView,
}

/// A table whose players do whatever comes to their minds.
struct Game {
    state: Journaled<Table>,
    view: TableView,
    now: u64,
    seq: u64,
    rng: ChaCha20Rng,
    began_ms: u64,
    seen: Vec<(u64, TableEvent)>,
    own: Vec<(UserId, TablePrivate)>,
    absent: BTreeSet<u8>,
    played: Vec<Played>,
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

impl Game {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let config = settings(&mut rng);
        Self {
            view: TableView::new(config.clone()),
            state: Journaled::new(Table::new(config)),
            now: START_MS,
            seq: 0,
            rng,
            began_ms: 0,
            seen: Vec::new(),
            own: Vec::new(),
            absent: BTreeSet::new(),
            played: Vec::new(),
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        below(&mut self.rng, end)
    }

    fn commit(&mut self, decision: Decision<Table>) {
        self.seq += 1;
        let events: Vec<TableEvent> = serde_json::from_str(decision.public.get()).unwrap();
        for event in events {
            self.view.apply(&event).unwrap();
            if matches!(event, TableEvent::HandStarted { .. }) {
                self.began_ms = self.now;
                self.seen.clear();
                self.absent.clear();
                let private = |text: &str| serde_json::from_str::<TablePrivate>(text).unwrap();
                self.own = decision
                    .privates
                    .iter()
                    .map(|(user, part)| (user.clone(), private(part.get())))
                    .collect();
                self.own.retain(|(_, own)| !own.cards.is_empty());
            }
            let is_absent = |status| matches!(status, SeatStatus::SittingOut | SeatStatus::Leaving);
            let seats = (0..).zip(&self.view.seats);
            let absent = seats.filter(|(_, seat)| seat.as_ref().is_some_and(|seat| is_absent(seat.status)));
            self.absent.extend(absent.map(|(at, _)| at));
            let is_end = matches!(event, TableEvent::HandEnded { .. });
            self.seen.push((self.now - self.began_ms, event));
            if is_end {
                let [told] = &decision.asks[..] else { panic!("a hand that is over is told") };
                let record = HandRecord::read(&told.body).unwrap();
                let (seen, own) = (std::mem::take(&mut self.seen), self.own.clone());
                let (absent, view) = (self.absent.clone(), self.view.clone());
                self.played.push(Played { record, seen, own, absent, view });
            }
        }
        let delta = Delta::of(decision.events, self.now);
        self.state.apply(&delta, None, Position::new(1, self.seq), &Memory::default());
    }

    fn tell(&mut self, input: Input<'_>) {
        let moment = Moment { now: self.now, at: Position::new(1, self.seq + 1) };
        if let Ok(decision) = self.state.room.decide(input, moment, &mut self.rng)
            && !decision.events.is_empty()
        {
            self.commit(decision);
        }
    }

    fn command(&mut self, name: &str, what: &Value) {
        let (user, body) = (user(name), what.to_string());
        let rights = Rights::default();
        self.tell(Input::Command { user: &user, name, rights, body: body.as_bytes() });
    }

    /// Something happens.
    fn step(&mut self) {
        self.now += self.below(3) * self.below(800);
        let who = NAMES[usize::try_from(self.below(7)).unwrap()];
        let amount = self.below(450);
        match self.below(24) {
            0 | 1 => {
                let what =
                    json!({"a": "sit", "buy_in": amount, "wait_for_big_blind": amount.is_multiple_of(2)});
                self.command(who, &what);
            }
            2 if amount.is_multiple_of(4) => self.command(who, &json!({"a": "leave"})),
            2 => self.command(who, &json!({"a": "top_up", "amount": amount})),
            3 if amount.is_multiple_of(3) => self.command(who, &json!({"a": "sit_out"})),
            3 => self.command(who, &json!({"a": "come_back"})),
            4 => self.tell(Input::Away { user: &user(who), away: amount.is_multiple_of(3) }),
            5 => self.command(who, &json!({"a": "chat", "text": "As Kd"})),
            6 => self.command(who, &json!({"a": "show"})),
            7..=9 => self.tick(),
            _ => self.act(amount),
        }
    }

    fn tick(&mut self) {
        if let Some(due) = self.state.room.deadline() {
            self.now = self.now.max(due);
            self.tell(Input::Clock);
        }
    }

    /// Whoever is to act does, or says how many boards there shall be.
    fn act(&mut self, amount: u64) {
        let Some(hand) = self.view.hand.clone() else { return self.tick() };
        let name = |seat: u8| self.view.seats[usize::from(seat)].as_ref().unwrap().user.clone();
        if let Some(runs) = hand.runs {
            let boards = if amount.is_multiple_of(8) { 1 } else { runs.max };
            let what = json!({"a": "runs", "hand": hand.hand, "boards": boards});
            return self.command(name(runs.seats[0]).as_str(), &what);
        }
        let Some(turn) = hand.turn else { return self.tick() };
        let (kind, to) = match (self.rng.next_u32() % 8, turn.call, turn.raise) {
            (0, ..) => ("fold", None),
            (1, _, Some(raise)) => (if raise.bet { "bet" } else { "raise" }, Some(raise.max)),
            (2 | 3, _, Some(raise)) => {
                (if raise.bet { "bet" } else { "raise" }, Some(raise.min.max(amount).min(raise.max)))
            }
            (_, Some(_), _) => ("call", None),
            _ => ("check", None),
        };
        let what = json!({"a": "act", "hand": hand.hand, "turn": turn.turn, "kind": kind, "to": to});
        let what = if to.is_some() { what } else { without_to(what) };
        self.command(name(turn.seat).as_str(), &what);
    }
}

fn without_to(mut what: Value) -> Value {
    what.as_object_mut().unwrap().remove("to");
    what
}

fn below(rng: &mut impl Rng, end: u64) -> u64 {
    rng.next_u64() % end
}

fn settings(rng: &mut impl Rng) -> TableConfig {
    let mut any = |end| usize::try_from(below(rng, end)).unwrap();
    use GameVariant as G;
    let kind = any(3);
    TableConfig {
        variant: [G::Holdem, G::Omaha4, G::Omaha5, G::Omaha6, G::ShortDeck][any(5)],
        seats: u8::try_from(2 + any(5)).unwrap(),
        limit: [LimitKind::NoLimit, LimitKind::PotLimit][any(2)],
        ante: any(3) as u64,
        ante_kind: [AnteKind::EachPlayer, AnteKind::BigBlind, AnteKind::Button][kind],
        straddles: [Straddles::None, Straddles::UnderTheGun, Straddles::Button][any(3)],
        button_rule: [ButtonRule::Dead, ButtonRule::Moving][any(2)],
        blinds_owed: [BlindsOwed::PostOrWait, BlindsOwed::Nothing, BlindsOwed::NoneMissed][any(3)],
        rake: RakeRule { basis_points: u16::try_from(any(1_000)).unwrap(), cap: 5 },
        buy_in_min: 1,
        runs_max: u8::try_from(1 + any(3)).unwrap(),
        runout_ms: [0, 900][any(2)],
        bank_ms: 5_000,
        rathole_ms: 0,
        ..TableConfig::default()
    }
}

/// So many hands at least, of tables of all kinds.
fn hands(least: usize) -> Vec<Played> {
    let mut all = Vec::new();
    for seed in 0.. {
        let mut game = Game::new(seed);
        (0..600).for_each(|_| game.step());
        all.append(&mut game.played);
        if all.len() >= least {
            break;
        }
    }
    all
}

/// What is the hand's, and in the record.
fn of_hand(event: &TableEvent) -> Option<TableEvent> {
    use TableEvent as E;
    let mut event = event.clone();
    match &mut event {
        E::HandStarted { .. }
        | E::Posted { .. }
        | E::Dealt { .. }
        | E::Returned { .. }
        | E::Collected { .. }
        | E::RunsVoted { .. }
        | E::RunsAgreed { .. }
        | E::Street { .. }
        | E::Shown { .. }
        | E::Mucked { .. }
        | E::Raked { .. }
        | E::Won { .. } => {}
        E::Turn(turn) => (turn.turn, turn.deadline_ms) = (0, 0),
        E::Acted(acted) => acted.timeout = false,
        E::RunsOffered { deadline_ms, .. } => *deadline_ms = 0,
        E::HandEnded { next_ms, .. } => *next_ms = 0,
        E::Seated { .. }
        | E::Reserved { .. }
        | E::Freed { .. }
        | E::WaitingList { .. }
        | E::Moved { .. }
        | E::Busted { .. }
        | E::Hosted { .. }
        | E::Left { .. }
        | E::TopUpPromised { .. }
        | E::ToppedUp { .. }
        | E::TopUpLapsed { .. }
        | E::Status { .. }
        | E::Away { .. }
        | E::Configured { .. }
        | E::Bank { .. }
        | E::BankLeft { .. }
        | E::Chat { .. }
        | E::HistoryLost { .. } => return None,
    }
    Some(event)
}

/// What of a replay was not played so; nothing if all was. In its count are the turns of those for whom the house acted at once.
fn difference(played: &Played, replay: &Replay, at_once: &mut usize) -> Option<String> {
    let seen = |(after_ms, event): &(u64, TableEvent)| Some((*after_ms, of_hand(event)?));
    let was: Vec<_> = played.seen.iter().filter_map(seen).collect();
    let flat = replay
        .frames
        .iter()
        .flat_map(|frame| frame.events.iter().map(|event| (u64::from(frame.after_ms), event.clone())));
    let is: Vec<_> = flat.filter_map(|event| seen(&event)).collect();
    let (mut was, mut is) = (was.iter().peekable(), is.iter().peekable());
    while let Some(event) = is.next() {
        if was.next_if_eq(&event).is_some() {
            continue;
        }
        let TableEvent::Turn(turn) = &event.1 else {
            return Some(format!("{event:?}, not {:?}", was.peek()));
        };
        let acts = |(after_ms, next): &(u64, TableEvent)| {
            matches!(next, TableEvent::Acted(acted) if acted.seat == turn.seat) && *after_ms == event.0
        };
        if !played.absent.contains(&turn.seat) || !is.peek().is_some_and(|next| acts(next)) {
            return Some(format!("{event:?}, not {:?}", was.peek()));
        }
        *at_once += 1;
    }
    was.next().map(|event| format!("nothing, not {event:?}"))
}

/// All cards that are in what a viewer gets, whatever they are part of.
fn cards(bytes: &str) -> BTreeSet<String> {
    let words = bytes.split('"').filter(|word| word.len() == 2);
    let is_card = |word: &&str| "23456789TJQKA".contains(&word[..1]) && "cdhs".contains(&word[1..]);
    words.filter(is_card).map(str::to_owned).collect()
}

/// The hand as somebody may see it who has its name.
fn public(record: &HandRecord) -> Replay {
    Replay::of(&Seen::of(record, Viewer::Anybody))
}

fn own(record: &HandRecord, user: &UserId) -> Replay {
    Replay::of(&Seen::of(record, Viewer::User(user)))
}

fn said(replay: &Replay) -> String {
    serde_json::to_string(&replay.told(&RoomId::new("t1").unwrap())).unwrap()
}

/// What somebody may see who has seen the hand, and these cards of his own.
fn may_see(played: &Played, own: Option<&TablePrivate>) -> BTreeSet<String> {
    let shown = serde_json::to_string(&played.seen).unwrap();
    let own = own.map(|own| serde_json::to_string(own).unwrap()).unwrap_or_default();
    cards(&shown).into_iter().chain(cards(&own)).collect()
}

#[test]
fn a_thousand_hands_are_seen_again_as_they_were_played_by_everybody_and_no_card_more() {
    let hands = hands(1_000);
    let (mut at_once, mut turns, mut cards_seen) = (0, 0, 0);
    for played in &hands {
        let number = played.record.number;
        let stranger = user("stranger");
        let seen = public(&played.record);
        assert_eq!(difference(played, &seen, &mut at_once), None, "hand {number}");
        assert_eq!(own(&played.record, &stranger), seen);
        assert_eq!(seen.own, None);
        turns += played.seen.iter().filter(|(_, event)| matches!(event, TableEvent::Turn(_))).count();
        assert!(cards(&said(&seen)).is_subset(&may_see(played, None)));

        assert_eq!(played.own.len(), played.record.players.len());
        for (who, part) in &played.own {
            let replay = own(&played.record, who);
            assert_eq!(replay.own, Some((who.clone(), part.clone())), "his own cards");
            assert_eq!((&replay.start, &replay.frames), (&seen.start, &seen.frames));
            let told = cards(&said(&replay));
            assert!(told.is_subset(&may_see(played, Some(part))) && told.len() >= part.cards.len());
            cards_seen += told.len();
            // Whoever has folded and not shown is seen by nobody else: so the judge sees a card that is too much.
            let hidden = part.cards.iter().any(|card| !may_see(played, None).contains(card.as_str()));
            assert_eq!(hidden, !told.is_subset(&may_see(played, None)));
        }
    }
    assert!(at_once > 0 && turns > 1_000, "{at_once}, {turns} turns");
    println!("{} hands, {turns} turns, {at_once} at once, {cards_seen} cards", hands.len());
}

#[test]
fn what_a_replay_says_adds_up_to_the_table_at_the_end_of_the_hand() {
    let room = RoomId::new("t1").unwrap();
    for played in hands(200) {
        let replay = own(&played.record, &played.record.players[0].user);
        let mut view = None;
        let mut next = 1;
        let (mut part, mut before_ms) = (None, 0);
        for Step { at_ms, messages } in replay.told(&room) {
            assert!(at_ms >= before_ms);
            before_ms = at_ms;
            for message in messages {
                match message {
                    ClientOut::Keyframe { seq, state, .. } => {
                        assert_eq!((seq.0, next), (1, 1));
                        view = Some(serde_json::from_str::<TableView>(state.get()).unwrap());
                    }
                    ClientOut::Frame { seq, events, .. } => {
                        next += 1;
                        assert_eq!(seq.0, next);
                        let view = view.as_mut().unwrap();
                        for event in serde_json::from_str::<Vec<TableEvent>>(events.get()).unwrap() {
                            view.apply(&event).unwrap();
                            assert!(view.conserves_chips());
                        }
                    }
                    ClientOut::Private { seq, private, .. } => {
                        assert_eq!(seq.0, next);
                        part = Some(serde_json::from_str::<TablePrivate>(private.get()).unwrap());
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(u64::from(before_ms), played.record.ended_ms - played.record.started_ms);
        assert_eq!(part.as_ref(), replay.own.as_ref().map(|(_, own)| own));
        let view = view.unwrap();
        for (is, was) in view.seats.iter().zip(&played.view.seats) {
            let Some(is) = is else { continue };
            let was = was.as_ref().unwrap();
            let seat = |seat: &protocol::table::SeatView| {
                (
                    seat.user.clone(),
                    seat.name.clone(),
                    seat.stack,
                    seat.bet,
                    seat.in_hand,
                    seat.folded,
                    seat.shown.clone(),
                )
            };
            assert_eq!(seat(is), seat(was));
        }
        assert_eq!(view.hand, played.view.hand);
        let (is, was) = (&view.config, &played.view.config);
        let setting = |of: &TableConfig| {
            (
                of.name.clone(),
                of.seats,
                of.variant,
                of.limit,
                of.small_blind,
                of.big_blind,
                of.rake,
                of.runs_max,
            )
        };
        assert_eq!(setting(is), setting(was));
        // All pay it: so it is known whenever it is due. Who pays it for all may have no seat.
        if was.ante_kind == AnteKind::EachPlayer {
            assert_eq!((is.ante, is.ante_kind), (was.ante, was.ante_kind));
        }
    }
}

#[test]
fn a_replay_without_names_says_nothing_of_who_has_played() {
    for played in hands(50) {
        let viewer = &played.record.players[0];
        let seen = Seen::of(&played.record, Viewer::User(&viewer.user));
        let hidden = Replay::of(&seen.without_names(|_| true));
        let text = said(&hidden);
        for player in &played.record.players {
            assert!(!text.contains(player.user.as_str()) && !text.contains(&player.name));
        }
        let told = own(&played.record, &viewer.user);
        assert!(said(&told).contains(viewer.user.as_str()), "the test sees who is named");
        assert_eq!(hidden.frames, told.frames, "nothing else is different");
        let (who, part) = hidden.own.unwrap();
        assert_eq!(who, user(&format!("p{}", viewer.seat + 1)));
        assert_eq!(Some(part), told.own.map(|(_, own)| own));
    }
}

#[test]
fn a_hand_that_was_played_otherwise_is_found_out() {
    let mut found = 0;
    for played in hands(50) {
        let mut other = played.record.clone();
        // Somebody had a millisecond more, from here on.
        for (after_ms, _) in other.events.iter_mut().rev().take(4) {
            *after_ms += 1;
        }
        let replay = public(&other);
        found += usize::from(difference(&played, &replay, &mut 0).is_some());
        let mut other = public(&played.record);
        let last = other.frames.last_mut().unwrap();
        last.events.pop();
        assert!(difference(&played, &other, &mut 0).is_some(), "an event too few");
    }
    assert!(found >= 50, "{found}");
}
