//! A hand once more, as its table told it: the keyframe before it and the frames with their times, for whoever follows a table to follow.
//!
//! It is made of what may be [seen] of the hand, by what made the frames that were played ([`project`]). So it is equal to them, event by event and
//! millisecond by millisecond, and tells no card that its viewer was not shown. What a record does not hold is not made up:
//!
//! [seen]: crate::seen
//!
//! | | here |
//! | --- | --- |
//! | who sat at the table and was not dealt in, and what happened around the hand | nothing |
//! | until when a turn might have lasted | until it was over, which is known |
//! | whether the clock acted for somebody | no: `timeout` is false |
//! | a turn of somebody who had left, or was not there, and for whom the house acted at once | is told, and has no length |
//! | when the next hand began at the earliest | when this one ended |
//! | settings that have no part in the hand, such as the turn time | those of a table that is not told otherwise |
//!
//! Frames are finer than the table's, so that one can go from each thing that happens to the next: one for how the hand begins, and for
//! each decision of a player, each street, and the showdown.

use holdem::{Deck, Event, Hand, HandSetup, Limit, PostKind, SeatIndex, Variant};
use protocol::{
    ClientOut,
    id::{Epoch, RoomId, Seq, UserId},
    table::{
        AnteKind, ChipCount, GameVariant, LimitKind, RakeRule, SeatStatus, SeatView, Straddles, TableConfig,
        TableEvent, TablePrivate, TableView,
    },
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{Seen, project, seen::SeenPlayer};

/// A hand as one viewer saw it, or may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The table before the hand: those who are dealt in, and their chips.
    pub start: TableView,
    /// What happened.
    pub frames: Vec<Frame>,
    /// The user of the viewer's seat in this replay, and what only he saw; none if he was not dealt in.
    pub own: Option<(UserId, TablePrivate)>,
}

/// What is seen in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// How long after the hand began, milliseconds.
    pub after_ms: u32,
    /// What is seen.
    pub events: Vec<TableEvent>,
}

/// Messages that come at one time.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// How long after the hand began, milliseconds.
    pub at_ms: u32,
    /// What the table said: `keyframe`, `frame`, `private`.
    pub messages: Vec<ClientOut>,
}

impl Replay {
    /// A hand as its viewer may see it. Whoever is not named is called by his seat: `p1`, `P1`.
    ///
    /// # Panics
    /// If the events are not of a hand that is set up so: no table tells of one.
    pub fn of(seen: &Seen) -> Self {
        let start = start(seen);
        let own = seen.you.and_then(|you| {
            let player = seen.players.iter().find(|player| player.seat == you)?;
            Some((user(player), own_part(seen, you)))
        });
        Self { frames: Playing::of(seen, &start).play(), start, own }
    }

    /// As a table of this name says it to whoever follows it, in an epoch of its own: first the keyframe, then a frame a step. It
    /// carries as many bytes for each viewer as it has to, and no card that he has not seen.
    ///
    /// # Panics
    /// Never: what tables tell is JSON.
    pub fn told(&self, room: &RoomId) -> Vec<Step> {
        let (epoch, room) = (Epoch(1), || room.clone());
        let keyframe = ClientOut::Keyframe {
            room: room(),
            epoch,
            seq: Seq(1),
            kind: "table".into(),
            sparse: false,
            state: json(&self.start),
        };
        let mut steps = vec![Step { at_ms: 0, messages: vec![keyframe] }];
        for (seq, frame) in (2..).map(Seq).zip(&self.frames) {
            let mut messages =
                vec![ClientOut::Frame { room: room(), epoch, seq, events: json(&frame.events) }];
            // The cards come with the frame in which they are dealt.
            if let (Seq(2), Some((_, own))) = (seq, &self.own) {
                messages.push(ClientOut::Private { room: room(), epoch, seq, private: json(own) });
            }
            steps.push(Step { at_ms: frame.after_ms, messages });
        }
        steps
    }
}

fn json<T: Serialize + ?Sized>(part: &T) -> Box<RawValue> {
    to_raw_value(part).expect("what a table tells is JSON")
}

/// What is seen of a hand while it goes on.
struct Playing<'a> {
    seen: &'a Seen,
    hand: Hand,
    view: TableView,
    turns: u64,
    frames: Vec<Frame>,
}

impl<'a> Playing<'a> {
    fn of(seen: &'a Seen, start: &TableView) -> Self {
        let hand = Hand::new(&seen.setup, Deck::unknown()).expect("a hand that was played");
        Self { seen, hand, view: start.clone(), turns: 0, frames: Vec::new() }
    }

    fn play(mut self) -> Vec<Frame> {
        let (hand, button) = (self.seen.number, self.hand.button());
        let seats = self.hand.dealt_in().clockwise_from(button).map(SeatIndex::get).collect();
        self.frames.push(Frame { after_ms: 0, events: Vec::new() });
        self.see(vec![TableEvent::HandStarted { hand, button: button.get(), seats }]);
        let events = &self.seen.events;
        let mut before = None;
        for (at, (after_ms, event)) in events.iter().enumerate() {
            if before.is_some_and(|before| begins_frame(before, event)) {
                self.frames.push(Frame { after_ms: *after_ms, events: Vec::new() });
            }
            self.take(event);
            let next = events.get(at + 1);
            let over_ms = self.seen.started_ms + u64::from(next.map_or(*after_ms, |(after_ms, _)| *after_ms));
            self.ask(event, next.map(|(_, event)| event), over_ms);
            before = Some(event);
        }
        self.frames
    }

    fn take(&mut self, event: &Event) {
        // Nobody's cards are in what follows, but those that are shown: own cards are a part of their own.
        let Some(event) = event.public() else { return };
        let mut seen = Vec::new();
        project::before(&self.hand, &self.view, &event, false, &mut seen);
        self.hand.apply(&event);
        project::after(&self.hand, &event, &mut seen);
        if event == Event::HandEnded {
            let (hand, next_ms) = (self.seen.number, self.seen.ended_ms);
            let hands = project::shown_hands(&self.hand);
            seen.push(TableEvent::HandEnded { hand, next_ms, hands });
        }
        self.see(seen);
    }

    /// What the table says besides: whose turn it is, and who is asked on how many boards the rest shall be dealt.
    fn ask(&mut self, event: &Event, next: Option<&Event>, over_ms: u64) {
        if let Event::RunsOffered { max } = *event {
            let seats = self.hand.run_voters().map(SeatIndex::get).collect();
            self.see(vec![TableEvent::RunsOffered { max, seats, deadline_ms: over_ms }]);
        }
        if matches!(next, Some(Event::Acted { .. })) {
            self.turns += 1;
            let turn = project::turn(&self.hand, self.turns, over_ms).expect("whoever acts is to act");
            self.see(vec![TableEvent::Turn(turn)]);
        }
    }

    fn see(&mut self, seen: Vec<TableEvent>) {
        for event in &seen {
            self.view.apply(event).expect("what is seen of a hand fits its table");
        }
        self.frames.last_mut().expect("the first frame is there").events.extend(seen);
    }
}

/// Whether something else begins with this event.
fn begins_frame(before: &Event, event: &Event) -> bool {
    match event {
        Event::Acted { .. } | Event::RunsVoted { .. } | Event::StreetDealt { .. } => true,
        // What happens when no betting is left comes with the first of it.
        event => pays(event) && !pays(before),
    }
}

fn pays(event: &Event) -> bool {
    matches!(
        event,
        Event::Shown { .. }
            | Event::Mucked { .. }
            | Event::RakeTaken { .. }
            | Event::PotAwarded { .. }
            | Event::HandEnded
            | Event::RunsOffered { .. }
    )
}

/// The table before the hand.
fn start(seen: &Seen) -> TableView {
    let mut view = TableView::new(config(seen));
    for player in &seen.players {
        let dealt = seen.setup.seats.iter().find(|dealt| dealt.seat == player.seat);
        let stack = dealt.map_or(0, |dealt| dealt.stack.0);
        let name = player.name.clone().unwrap_or_else(|| format!("P{}", player.seat.get() + 1));
        view.seats[player.seat.index()] = Some(SeatView {
            user: user(player),
            name,
            stack,
            bet: 0,
            top_up: 0,
            status: SeatStatus::Playing,
            away: false,
            bank_ms: 0,
            in_hand: false,
            folded: false,
            shown: Vec::new(),
        });
    }
    view.chips = ChipCount { bought: view.on_table(), ..ChipCount::default() };
    view
}

/// The user of a player, as the replay has it.
fn user(player: &SeenPlayer) -> UserId {
    let unnamed = || UserId::new(&format!("p{}", player.seat.get() + 1)).expect("a name");
    player.user.clone().unwrap_or_else(unnamed)
}

/// What only the player of a seat saw.
fn own_part(seen: &Seen, you: SeatIndex) -> TablePrivate {
    let dealt = seen.events.iter().find_map(|(_, event)| match event {
        Event::HoleDealt { seat, cards } if *seat == you => Some(*cards),
        _ => None,
    });
    let cards = dealt.iter().flat_map(|cards| cards.iter()).flatten().map(project::card).collect();
    TablePrivate { hand: seen.number, cards, declined: None }
}

/// What the table was set to, as far as the hand shows it.
fn config(seen: &Seen) -> TableConfig {
    let rules = &seen.setup.rules;
    let (ante_kind, ante) = ante(&seen.setup);
    TableConfig {
        name: seen.table.clone(),
        seats: seen.seats,
        variant: match rules.variant {
            Variant::Holdem => GameVariant::Holdem,
            Variant::ShortDeck => GameVariant::ShortDeck,
            Variant::Omaha => GameVariant::Omaha4,
            Variant::Omaha5 => GameVariant::Omaha5,
            Variant::Omaha6 => GameVariant::Omaha6,
        },
        limit: match rules.limit {
            Limit::NoLimit => LimitKind::NoLimit,
            Limit::PotLimit => LimitKind::PotLimit,
        },
        small_blind: rules.small_blind.0,
        big_blind: rules.big_blind.0,
        ante_kind,
        ante,
        straddles: straddles(&seen.setup),
        rake: RakeRule {
            basis_points: rules.rake.basis_points,
            cap: rules.rake.caps.iter().map(|cap| cap.0).max().unwrap_or(0),
        },
        runs_max: rules.runs_max,
        ..TableConfig::default()
    }
}

/// Who pays an ante, and how much.
fn ante(setup: &HandSetup) -> (AnteKind, u64) {
    let due = |kind: PostKind| {
        let mut posts =
            setup.seats.iter().flat_map(|dealt| dealt.posts.iter().map(|post| (dealt.seat, post)));
        posts.find(|(_, post)| post.kind == kind).map(|(seat, post)| (seat, post.amount.0))
    };
    match (due(PostKind::Ante), due(PostKind::TableAnte)) {
        (Some((_, amount)), _) => (AnteKind::EachPlayer, amount),
        (None, Some((seat, amount))) if seat == setup.button => (AnteKind::Button, amount),
        (None, Some((_, amount))) => (AnteKind::BigBlind, amount),
        (None, None) => (AnteKind::EachPlayer, 0),
    }
}

fn straddles(setup: &HandSetup) -> Straddles {
    let straddles = |kind: PostKind| kind == PostKind::Straddle;
    let who = setup.seats.iter().find(|dealt| dealt.posts.iter().any(|post| straddles(post.kind)));
    match who {
        Some(dealt) if dealt.seat == setup.button => Straddles::Button,
        Some(_) => Straddles::UnderTheGun,
        None => Straddles::None,
    }
}
