//! A watched room: its frames are followed, and judged on the way.

use protocol::{
    id::{Position, RoomId, UserId},
    table::{Card, TableEvent, TablePrivate, TableView},
    talk::TalkView,
};
use serde_json::value::RawValue;

use crate::{
    breach::{Breach, Breaches},
    decision::Deeds,
    follower::{Fault, Follower, Step, When},
    others::{self, Other},
    referee::{self, Referee},
};

/// See the module.
#[derive(Debug)]
pub struct Watched {
    room: RoomId,
    follower: Follower,
    /// The room is no table.
    other: Option<Other>,
    referee: Referee,
    deeds: Deeds,
    /// A gap was seen and counted; until it is repaired no further gap is counted.
    gapped: bool,
    /// By how much it is shown later than to players, milliseconds.
    by_ms: u32,
    /// The hand in which the own cards were found missing: told once.
    cardless: u64,
}

/// A frame's way into the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The view has moved.
    Yes,
    /// A breach was counted.
    No,
    /// The same, and only a reconnect with resume puts it right.
    Missed,
}

impl Watched {
    /// Nothing heard yet.
    pub fn new(room: RoomId) -> Self {
        Self {
            room,
            follower: Follower::new(),
            other: None,
            referee: Referee::new(),
            deeds: Deeds::default(),
            gapped: false,
            by_ms: 0,
            cardless: 0,
        }
    }

    /// The room as it stands.
    pub fn follower(&self) -> &Follower {
        &self.follower
    }

    /// What was done in the hand that is on, as far as it was seen.
    pub fn deeds(&self) -> &Deeds {
        &self.deeds
    }

    /// The last frame that was taken, be the room of a kind that is known or not.
    pub fn at(&self) -> Position {
        self.other.as_ref().map_or(self.follower.at(), Other::at)
    }

    /// Whether a keyframe has said that it is none.
    pub fn is_no_table(&self) -> bool {
        self.other.is_some()
    }

    /// What is said there, if people talk there.
    pub fn talk(&self) -> Option<&TalkView> {
        self.other.as_ref()?.talk()
    }

    /// Where to resume on a new connection; `0-0` asks for a keyframe.
    pub fn resume_at(&mut self) -> Position {
        self.gapped = false;
        // It is told anew.
        self.by_ms = 0;
        if let Some(other) = &mut self.other {
            return other.resume();
        }
        if self.follower.view().is_none() {
            self.follower.forget();
        }
        self.follower.resume();
        self.follower.at()
    }

    /// The relay is asked to watch the room, and may be watching it already.
    pub fn asked_for(&mut self) {
        self.follower.resume();
        if let Some(other) = &mut self.other {
            other.resume();
        }
    }

    /// The relay has said that what was seen last is lost.
    pub fn history_lost(&mut self) {
        self.follower.rewind();
        self.other.iter_mut().for_each(Other::rewind);
    }

    /// The relay has said by how much the room is shown late from here on; 0: it is live.
    pub fn behind(&mut self, by_ms: u32) {
        self.by_ms = by_ms;
        self.follower.may_begin_anew();
        self.other.iter_mut().for_each(Other::may_begin_anew);
    }

    /// By how much the room is shown late, milliseconds; 0: it is live.
    pub fn by_ms(&self) -> u32 {
        self.by_ms
    }

    /// Whether the frame at `at`, or a later one, has been taken. True while a gap waits for its repair, and where the frame may tell something
    /// only to others, or comes later than its answer.
    pub fn has_seen(&self, at: Position) -> bool {
        self.gapped || self.by_ms > 0 || self.is_sparse() || self.at() >= at
    }

    /// Whether frames for others do not come.
    pub fn is_sparse(&self) -> bool {
        self.other.as_ref().is_some_and(Other::is_sparse)
    }

    /// How many own parts there were, in a room that counts them.
    pub fn count(&self) -> Option<u64> {
        self.other.as_ref()?.count()
    }

    /// Takes a delta. `named` is how many cards its text names.
    pub fn frame(
        &mut self,
        at: Position,
        events: &[TableEvent],
        named: usize,
        me: Option<&UserId>,
        breaches: &mut Breaches,
    ) -> Taken {
        self.expect_cards(at, me, breaches);
        Referee::no_other_cards(named, referee::cards_in_events(events) + self.looks_like_a_card(), breaches);
        let (referee, deeds) = (&mut self.referee, &mut self.deeds);
        let step = self.follower.delta(at, events, |when, event, view| {
            if when == When::Before {
                deeds.see(event, view);
            }
            referee.event(when, event, view, breaches);
        });
        self.judge(at, step, breaches)
    }

    /// Takes a keyframe.
    pub fn keyframe(
        &mut self,
        at: Position,
        view: Box<TableView>,
        named: usize,
        breaches: &mut Breaches,
    ) -> Taken {
        Referee::no_other_cards(named, referee::cards_in_view(&view) + self.looks_like_a_card(), breaches);
        let epoch_before = self.follower.at().epoch();
        let step = self.follower.keyframe(at, view);
        if step != Err(Fault::Repeat) {
            self.gapped = false;
            if matches!(step, Ok(Step::Rewound | Step::Joined)) {
                // The hands of a lost suffix may be dealt again, with other cards; those of a room that is shown late are seen again.
                self.referee = Referee::new();
            }
            if step != Ok(Step::Next) {
                self.referee.lose_track();
                self.deeds = Deeds::default();
            }
            if step == Ok(Step::Jumped) && at.epoch() > epoch_before {
                self.referee.doubt();
            }
            if let Some(view) = self.follower.view() {
                self.referee.keyframe(view, breaches);
            }
        }
        self.judge(at, step, breaches)
    }

    /// Takes a keyframe of a room that is no table.
    pub fn keyframe_of_other(
        &mut self,
        at: Position,
        kind: &str,
        sparse: bool,
        state: &RawValue,
        breaches: &mut Breaches,
    ) -> Taken {
        let read = self.other.get_or_insert_with(|| Other::of(kind)).keyframe(at, state, sparse);
        self.gapped &= !matches!(read, Ok(step) if step != Err(Fault::Repeat));
        self.judge_other(at, read, breaches)
    }

    /// Takes a delta in [such a room](Watched::is_no_table).
    pub fn frame_of_other(&mut self, at: Position, part: &RawValue, breaches: &mut Breaches) -> Taken {
        let Some(other) = &mut self.other else { return Taken::No };
        let read = other.frame(at, part);
        self.judge_other(at, read, breaches)
    }

    /// Takes an own part in [such a room](Watched::is_no_table).
    pub fn part_of_other(&mut self, at: Position, part: &RawValue, breaches: &mut Breaches) -> Taken {
        let Some(other) = &mut self.other else { return Taken::No };
        let read = other.own_part(at, part);
        self.judge_other(at, read, breaches)
    }

    fn judge_other(&mut self, at: Position, read: others::Taken, breaches: &mut Breaches) -> Taken {
        match read {
            Ok(step) => self.judge(at, step, breaches),
            Err(unreadable) => {
                breaches.count(Breach::Fold, || format!("{} {at}: {unreadable}", self.room));
                Taken::No
            }
        }
    }

    /// Takes the own part of a frame.
    pub fn own_part(
        &mut self,
        at: Position,
        part: TablePrivate,
        named: usize,
        me: &UserId,
        breaches: &mut Breaches,
    ) -> Taken {
        Referee::no_other_cards(named, part.cards.len() + self.looks_like_a_card(), breaches);
        if let Some(view) = self.follower.view() {
            // One that comes once more may be of a hand that is over, or of one that the user has left.
            let still_holds = dealt_in(view, me).is_some_and(|hand| hand == part.hand);
            if at == self.follower.at() || still_holds {
                self.referee.private(me, &part, view, breaches);
            }
        }
        let step = self.follower.own_part(at, part);
        self.judge(at, step, breaches)
    }

    /// Who is dealt in has its cards before a further delta: they come right behind their frame, or before all else after a resume.
    fn expect_cards(&mut self, before: Position, me: Option<&UserId>, breaches: &mut Breaches) {
        let (Some(view), Some(me), false) = (self.follower.view(), me, self.gapped) else { return };
        let Some(hand) = dealt_in(view, me) else { return };
        if self.follower.private().hand != hand && std::mem::replace(&mut self.cardless, hand) != hand {
            breaches.count(Breach::Gap, || {
                format!("{}: {me} has no cards in hand {hand}, and {before} comes already", self.room)
            });
        }
    }

    /// Counts what a frame did wrong.
    fn judge(&mut self, at: Position, step: Result<Step, Fault>, breaches: &mut Breaches) -> Taken {
        let (breach, taken) = match step {
            Ok(step) => {
                breaches.jumped += u64::from(step == Step::Jumped);
                breaches.lost += u64::from(step == Step::Rewound);
                return Taken::Yes;
            }
            Err(Fault::Gap) if std::mem::replace(&mut self.gapped, true) => return Taken::Missed,
            Err(Fault::Gap) => (Breach::Gap, Taken::Missed),
            Err(Fault::Repeat) => (Breach::Repeat, Taken::No),
            // A keyframe that differs was adopted; an event that did not fit leaves no view.
            Err(Fault::Fold) if self.has_view() => (Breach::Fold, Taken::Yes),
            Err(Fault::Fold) => (Breach::Fold, Taken::Missed),
        };
        breaches.count(breach, || format!("{} {at}, own position {}", self.room, self.at()));
        taken
    }

    fn has_view(&self) -> bool {
        self.follower.view().is_some() || self.talk().is_some()
    }

    fn looks_like_a_card(&self) -> usize {
        usize::from(Card::new(self.room.as_str()).is_some())
    }
}

/// The hand that is on, if the user was dealt in and has not folded.
fn dealt_in(view: &TableView, me: &UserId) -> Option<u64> {
    let hand = view.hand.as_ref().filter(|hand| hand.hole_cards > 0 && !hand.ended)?;
    let seat = view.seats[usize::from(view.seat_of(me)?)].as_ref()?;
    (seat.in_hand && !seat.folded).then_some(hand.hand)
}

#[cfg(test)]
mod tests {
    use protocol::table::{SeatStatus, TableConfig};

    use super::*;

    const AT: Position = Position(protocol::id::Epoch(1), protocol::id::Seq(1));

    fn ann() -> UserId {
        UserId::new("ann").unwrap()
    }

    /// A table at which ann was just dealt in.
    fn dealt() -> (Watched, Breaches) {
        let (mut watched, mut breaches) = (Watched::new(RoomId::new("t1").unwrap()), Breaches::default());
        let mut view = TableView::new(TableConfig::default());
        for (seat, user) in [(0, ann()), (1, UserId::new("bob").unwrap())] {
            let (name, status) = (user.to_string(), SeatStatus::Playing);
            view.apply(&TableEvent::Seated { seat, user, name, stack: 100, status, bank_ms: 0, bot: false })
                .unwrap();
        }
        view.apply(&TableEvent::HandStarted { hand: 1, button: 0, seats: vec![1, 0] }).unwrap();
        view.apply(&TableEvent::Dealt { cards: 2 }).unwrap();
        watched.keyframe(AT, Box::new(view), 0, &mut breaches);
        (watched, breaches)
    }

    fn next(watched: &mut Watched, breaches: &mut Breaches) {
        let at = watched.follower().at();
        let at = Position(at.epoch(), at.seq().next());
        assert_eq!(watched.frame(at, &[], 0, Some(&ann()), breaches), Taken::Yes);
    }

    fn own_part(watched: &mut Watched, hand: u64, breaches: &mut Breaches) -> Taken {
        let cards = ["As", "Ad"].map(|card| Card::new(card).unwrap()).into();
        watched.own_part(AT, TablePrivate { hand, cards, declined: None }, 2, &ann(), breaches)
    }

    #[test]
    fn cards_that_do_not_come_before_the_next_frame_are_missed_once() {
        let (mut watched, mut breaches) = dealt();
        next(&mut watched, &mut breaches);
        assert_eq!(breaches.gap, 1);
        next(&mut watched, &mut breaches);
        assert_eq!(breaches.gap, 1);
        let (mut watched, mut breaches) = dealt();
        own_part(&mut watched, 1, &mut breaches);
        next(&mut watched, &mut breaches);
        assert_eq!(breaches, Breaches::default());
    }

    #[test]
    fn cards_that_were_missed_come_once_more_after_a_resume() {
        let (mut watched, mut breaches) = dealt();
        watched.resume_at();
        assert_eq!(own_part(&mut watched, 1, &mut breaches), Taken::Yes);
        next(&mut watched, &mut breaches);
        assert_eq!(breaches, Breaches::default());
        watched.resume_at();
        assert_eq!(own_part(&mut watched, 1, &mut breaches), Taken::Yes, "though they are there");
        assert_eq!(breaches, Breaches::default());
    }

    #[test]
    fn a_part_of_a_hand_that_is_over_may_come_once_more() {
        let (mut watched, mut breaches) = dealt();
        own_part(&mut watched, 1, &mut breaches);
        let started = [
            TableEvent::HandEnded { hand: 1, next_ms: 5, hands: Vec::new() },
            TableEvent::HandStarted { hand: 2, button: 0, seats: vec![1] },
        ];
        let at = Position(AT.epoch(), AT.seq().next());
        assert_eq!(watched.frame(at, &started, 0, Some(&ann()), &mut breaches), Taken::Yes);
        watched.resume_at();
        assert_eq!(own_part(&mut watched, 1, &mut breaches), Taken::Yes);
        next(&mut watched, &mut breaches);
        assert_eq!(breaches, Breaches::default());
    }
}
