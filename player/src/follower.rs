//! One room followed: keyframes and deltas folded into a view by one rule.
//!
//! *A delta must be my seq + 1; a keyframe of a later position replaces what I have.* What does not keep to the rule
//! leaves the view as it was and is told as a [`Fault`].
//!
//! In a *sparse* room, which tells most things to single users, numbers that are left out are those of frames for others; there the own parts
//! are counted instead.

use protocol::id::Position;

use crate::kind::{Kind, Table};

/// A room as its frames have told it so far.
#[derive(Debug)]
pub struct Follower<K: Kind = Table> {
    at: Position,
    view: Option<Box<K::View>>,
    private: K::Private,
    private_at: Position,
    /// The relay has said that frames were lost: the next keyframe is taken wherever it stands.
    rewinds: bool,
    /// The relay has said that what comes from here on is older than what players get: if a keyframe is next it is taken wherever it stands.
    anew: bool,
    /// The room was resumed, or asked for: an own part may come once more.
    resumed: bool,
    /// Frames for others do not come.
    sparse: bool,
    /// How many own parts there were, if the room is sparse and has said so since the last keyframe.
    count: Option<u64>,
}

/// How a frame that keeps to the rule fits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The first keyframe.
    Joined,
    /// The frame after mine.
    Next,
    /// A keyframe further on: frames were left out (slow reader, resume beyond the window). Legal.
    Jumped,
    /// A keyframe that does not continue what I had, which the broker has lost.
    Rewound,
    /// My own part of the frame.
    Private,
}

/// A frame that breaks the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Something was left out, or there was no keyframe (of this epoch) before.
    Gap,
    /// Seen already, or of an older epoch.
    Repeat,
    /// The view that frames add up to is not the keyframe's, or an event does not fit the view.
    Fold,
}

impl<K: Kind> Default for Follower<K> {
    fn default() -> Self {
        Self {
            at: Position::default(),
            view: None,
            private: K::Private::default(),
            private_at: Position::default(),
            rewinds: false,
            anew: false,
            resumed: false,
            sparse: false,
            count: None,
        }
    }
}

impl<K: Kind> Follower<K> {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The last frame that was taken; `0-0` before the first.
    pub fn at(&self) -> Position {
        self.at
    }

    /// The state; `None` before the first keyframe and after an event that did not fit.
    pub fn view(&self) -> Option<&K::View> {
        self.view.as_deref()
    }

    /// What only this user sees.
    pub fn private(&self) -> &K::Private {
        &self.private
    }

    /// Of which frame it is: after a resume perhaps of one long before the last.
    pub fn private_at(&self) -> Position {
        self.private_at
    }

    /// Forgets everything, to begin with a keyframe.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// A new connection goes on from where this one was, or the relay is asked to watch, and may be watching already.
    pub fn resume(&mut self) {
        self.resumed = true;
    }

    /// The relay has said that what was seen last is lost (`history_lost`): the next keyframe replaces it, wherever it
    /// stands.
    pub fn rewind(&mut self) {
        self.rewinds = self.at != Position::default();
    }

    /// The relay has said how late the room is shown from here on (`behind`): a keyframe that comes next replaces what is there, wherever it stands.
    pub fn may_begin_anew(&mut self) {
        self.anew = self.at != Position::default();
    }

    /// The next keyframe's room is [sparse](Follower), or is not.
    pub fn set_sparse(&mut self, sparse: bool) {
        self.sparse = sparse;
    }

    /// Whether frames for others do not come.
    pub fn is_sparse(&self) -> bool {
        self.sparse
    }

    /// Takes a keyframe.
    ///
    /// # Errors
    /// [`Fault::Repeat`]; or [`Fault::Fold`] when it directly follows the own view and differs (it is adopted then), unless a
    /// loss was told.
    pub fn keyframe(&mut self, at: Position, state: Box<K::View>) -> Result<Step, Fault> {
        if std::mem::take(&mut self.anew) && at <= self.at {
            *self = Self { at, view: Some(state), sparse: self.sparse, ..Self::default() };
            return Ok(Step::Joined);
        }
        if std::mem::take(&mut self.rewinds) && (at <= self.at || at.seq() <= self.at.seq().next()) {
            *self = Self { at, view: Some(state), sparse: self.sparse, ..Self::default() };
            return Ok(Step::Rewound);
        }
        if at.epoch() < self.at.epoch() || (at.epoch() == self.at.epoch() && at.seq() <= self.at.seq()) {
            return Err(Fault::Repeat);
        }
        // It has a part for every member, which says how many there were.
        self.count = None;
        let step = match &self.view {
            _ if self.at == Position::default() => Ok(Step::Joined),
            _ if at.seq() <= self.at.seq() => Ok(Step::Rewound),
            Some(own) if at.seq() == self.at.seq().next() => {
                if **own == *state {
                    Ok(Step::Next)
                } else {
                    Err(Fault::Fold)
                }
            }
            _ => Ok(Step::Jumped),
        };
        self.at = at;
        self.view = Some(state);
        step
    }

    /// Takes a delta; `each` sees every event with the view before it and the view after it has been applied.
    ///
    /// # Errors
    /// [`Fault`]; after [`Fault::Fold`] there is no view until the next keyframe.
    pub fn delta(
        &mut self,
        at: Position,
        events: &[K::Event],
        mut each: impl FnMut(When, &K::Event, &K::View),
    ) -> Result<Step, Fault> {
        if at.epoch() < self.at.epoch() || (at.epoch() == self.at.epoch() && at.seq() <= self.at.seq()) {
            return Err(Fault::Repeat);
        }
        if at.epoch() != self.at.epoch() || !(self.sparse || at.seq() == self.at.seq().next()) {
            return Err(Fault::Gap);
        }
        self.at = at;
        self.anew = false;
        // Without a view (an earlier event did not fit) only positions are followed until a keyframe comes.
        let Some(view) = &mut self.view else { return Ok(Step::Next) };
        for event in events {
            each(When::Before, event, view);
            if K::apply(view, event).is_err() {
                self.view = None;
                return Err(Fault::Fold);
            }
            each(When::After, event, view);
        }
        Ok(Step::Next)
    }

    /// Takes the user's own part of the frame just taken; after [`Follower::resume`], of any that was taken before.
    ///
    /// # Errors
    /// [`Fault::Gap`] when its frame has not been seen, [`Fault::Repeat`] when a later one has, or it came before.
    pub fn own_part(&mut self, at: Position, private: K::Private) -> Result<Step, Fault> {
        if at > self.at && !(self.sparse && at.epoch() == self.at.epoch()) {
            return Err(Fault::Gap);
        }
        let is_late = at < self.at || self.private_at == at;
        if is_late && !(self.private_at <= at && std::mem::take(&mut self.resumed)) {
            return Err(Fault::Repeat);
        }
        if self.sparse {
            let count = K::count(&private);
            if self.is_left_out_before(count, is_late) {
                return Err(Fault::Gap);
            }
            // Nothing was said to others, who did not get the frame.
            (self.at, self.count) = (self.at.max(at), count);
        }
        self.private_at = at;
        self.private = private;
        Ok(Step::Private)
    }

    /// Whether an own part is missing between the last one and the one of this number. One that comes once more has the last one's.
    fn is_left_out_before(&self, count: Option<u64>, comes_again: bool) -> bool {
        match (self.count, count) {
            (Some(known), Some(count)) => count != known + 1 && !(comes_again && count == known),
            _ => false,
        }
    }
}

/// When the observer of [`Follower::delta`] is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The event is about to be applied.
    Before,
    /// It has been.
    After,
}

#[cfg(test)]
mod tests {
    use protocol::{
        id::UserId,
        table::{SeatStatus, TableConfig, TableEvent, TablePrivate, TableView},
    };

    use super::*;
    use crate::kind::{Counted, Unknown};

    fn at(epoch: u64, seq: u64) -> Position {
        Position::new(epoch, seq)
    }

    fn empty() -> Box<TableView> {
        Box::new(TableView::new(TableConfig::default()))
    }

    fn seated() -> TableEvent {
        let user = UserId::new("ann").unwrap();
        TableEvent::Seated {
            seat: 1,
            user,
            name: "Ann".into(),
            bot: false,
            stack: 100,
            status: SeatStatus::Playing,
            bank_ms: 0,
        }
    }

    fn joined() -> Follower {
        let mut follower = Follower::<Table>::new();
        assert_eq!(follower.keyframe(at(1, 4), empty()), Ok(Step::Joined));
        follower
    }

    fn delta(follower: &mut Follower, at: Position) -> Result<Step, Fault> {
        follower.delta(at, &[], |_, _, _| {})
    }

    #[test]
    fn a_delta_without_a_keyframe_is_a_gap() {
        assert_eq!(delta(&mut Follower::<Table>::new(), at(1, 1)), Err(Fault::Gap));
    }

    #[test]
    fn a_delta_must_be_the_next() {
        let mut follower = joined();
        assert_eq!(delta(&mut follower, at(1, 5)), Ok(Step::Next));
        assert_eq!(delta(&mut follower, at(1, 7)), Err(Fault::Gap));
        assert_eq!(delta(&mut follower, at(1, 5)), Err(Fault::Repeat));
        assert_eq!(delta(&mut follower, at(2, 6)), Err(Fault::Gap), "a new epoch begins with a keyframe");
        assert_eq!(delta(&mut follower, at(1, 6)), Ok(Step::Next));
    }

    #[test]
    fn a_keyframe_right_behind_must_equal_the_own_view() {
        let mut follower = joined();
        assert_eq!(follower.delta(at(1, 5), &[seated()], |_, _, _| {}), Ok(Step::Next));
        let same = Box::new(follower.view().unwrap().clone());
        assert_eq!(
            follower.keyframe(at(2, 6), same),
            Ok(Step::Next),
            "a takeover looks like any other keyframe"
        );
        assert_eq!(follower.keyframe(at(2, 7), empty()), Err(Fault::Fold));
    }

    #[test]
    fn the_next_keyframe_may_differ_when_a_loss_was_told() {
        let mut follower = joined();
        assert_eq!(follower.delta(at(1, 5), &[seated()], |_, _, _| {}), Ok(Step::Next));
        follower.rewind();
        assert_eq!(follower.keyframe(at(2, 6), empty()), Ok(Step::Rewound));
        assert_eq!(follower.view(), Some(&*empty()));
    }

    #[test]
    fn keyframes_jump_forward_and_rewind_only_with_a_new_epoch() {
        let mut follower = joined();
        assert_eq!(follower.keyframe(at(1, 20), empty()), Ok(Step::Jumped));
        assert_eq!(follower.keyframe(at(1, 20), empty()), Err(Fault::Repeat));
        assert_eq!(follower.keyframe(at(2, 15), empty()), Ok(Step::Rewound));
        assert_eq!(delta(&mut follower, at(2, 16)), Ok(Step::Next));
        assert_eq!(delta(&mut follower, at(1, 21)), Err(Fault::Repeat), "an older epoch is over");
    }

    #[test]
    fn who_is_shown_a_room_late_from_now_on_begins_anew_or_goes_on() {
        let mut follower = joined();
        follower.may_begin_anew();
        let before = follower.at();
        let next = Position(before.epoch(), before.seq().next());
        assert_eq!(follower.delta(next, &[], |_, _, _| {}), Ok(Step::Next), "it was late before");
        assert_eq!(follower.keyframe(before, empty()), Err(Fault::Repeat), "and begins nothing any more");
        follower.may_begin_anew();
        assert_eq!(follower.keyframe(at(1, 1), empty()), Ok(Step::Joined));
        assert_eq!(follower.keyframe(at(1, 1), empty()), Err(Fault::Repeat));
    }

    #[test]
    fn a_loss_that_is_told_rewinds_within_an_epoch_and_once() {
        let mut follower = joined();
        follower.rewind();
        assert_eq!(follower.keyframe(at(1, 2), empty()), Ok(Step::Rewound));
        assert_eq!(delta(&mut follower, at(1, 3)), Ok(Step::Next));
        assert_eq!(follower.keyframe(at(1, 2), empty()), Err(Fault::Repeat));
    }

    #[test]
    fn an_event_that_does_not_fit_ends_the_view_until_a_keyframe() {
        let mut follower = joined();
        let left = TableEvent::Left { seat: 3, stack: 5 };
        assert_eq!(follower.delta(at(1, 5), &[left], |_, _, _| {}), Err(Fault::Fold));
        assert!(follower.view().is_none());
        assert_eq!(delta(&mut follower, at(1, 6)), Ok(Step::Next));
        assert_eq!(follower.keyframe(at(1, 7), empty()), Ok(Step::Jumped));
        assert!(follower.view().is_some());
    }

    fn part(follower: &mut Follower<Unknown>, epoch: u64, seq: u64, k: u64) -> Result<Step, Fault> {
        follower.own_part(at(epoch, seq), Counted { k: Some(k) })
    }

    fn sparse() -> Follower<Unknown> {
        let mut follower = Follower::<Unknown>::new();
        follower.set_sparse(true);
        assert_eq!(follower.keyframe(at(1, 4), Box::new(())), Ok(Step::Joined));
        follower
    }

    #[test]
    fn in_a_sparse_room_frames_for_others_are_not_missed() {
        let mut follower = sparse();
        assert_eq!(part(&mut follower, 1, 4, 7), Ok(Step::Private));
        assert_eq!(part(&mut follower, 1, 9, 8), Ok(Step::Private), "nobody else has got 9");
        assert_eq!(follower.at(), at(1, 9));
        assert_eq!(follower.delta(at(1, 12), &[], |_, (), ()| {}), Ok(Step::Next));
        assert_eq!(part(&mut follower, 1, 12, 9), Ok(Step::Private));
        assert_eq!(follower.delta(at(1, 12), &[], |_, (), ()| {}), Err(Fault::Repeat));
        assert_eq!(part(&mut follower, 1, 10, 9), Err(Fault::Repeat));
        assert_eq!(part(&mut follower, 2, 13, 10), Err(Fault::Gap), "a new epoch begins with a keyframe");
    }

    #[test]
    fn in_a_sparse_room_own_parts_are_counted() {
        let mut follower = sparse();
        assert_eq!(part(&mut follower, 1, 6, 1), Ok(Step::Private));
        assert_eq!(part(&mut follower, 1, 8, 3), Err(Fault::Gap), "the second one was left out");
        let mut follower = sparse();
        assert_eq!(part(&mut follower, 1, 6, 1), Ok(Step::Private));
        follower.resume();
        assert_eq!(part(&mut follower, 1, 6, 1), Ok(Step::Private), "the relay cannot know");
        assert_eq!(part(&mut follower, 1, 8, 2), Ok(Step::Private));
        assert_eq!(follower.keyframe(at(1, 40), Box::new(())), Ok(Step::Jumped));
        assert_eq!(part(&mut follower, 1, 40, 9), Ok(Step::Private), "a keyframe says how many there were");
        assert_eq!(part(&mut follower, 1, 44, 11), Err(Fault::Gap));
    }

    #[test]
    fn an_own_part_belongs_to_the_frame_before_it() {
        let mut follower = joined();
        let part = TablePrivate { hand: 1, ..TablePrivate::default() };
        assert_eq!(follower.own_part(at(1, 5), part.clone()), Err(Fault::Gap));
        assert_eq!(follower.own_part(at(1, 4), part.clone()), Ok(Step::Private));
        assert_eq!(follower.own_part(at(1, 4), part), Err(Fault::Repeat));
    }

    #[test]
    fn the_newest_own_part_comes_once_more_after_a_resume() {
        let mut follower = joined();
        let part = || TablePrivate { hand: 1, ..TablePrivate::default() };
        assert_eq!(delta(&mut follower, at(1, 5)), Ok(Step::Next));
        follower.resume();
        assert_eq!(follower.own_part(at(1, 4), part()), Ok(Step::Private), "it was missed");
        assert_eq!(follower.own_part(at(1, 4), part()), Err(Fault::Repeat));
        follower.resume();
        assert_eq!(follower.own_part(at(1, 4), part()), Ok(Step::Private), "the relay cannot know");
        follower.resume();
        assert_eq!(delta(&mut follower, at(1, 6)), Ok(Step::Next));
        assert_eq!(
            follower.own_part(at(1, 5), part()),
            Ok(Step::Private),
            "who asks to watch may have frames"
        );
        assert_eq!(follower.own_part(at(1, 6), part()), Ok(Step::Private));
        follower.resume();
        assert_eq!(follower.own_part(at(1, 4), part()), Err(Fault::Repeat), "a later one is there");
    }
}
