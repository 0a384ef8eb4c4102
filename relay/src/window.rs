//! The frames of one room that a relay keeps: the newest keyframe, what came after it, and some of what came before,
//! each framed once for all sockets.
//!
//! Within a window `seq` has no hole and epochs never fall. What a client needs is found from its position alone.

use std::{cmp::Ordering, collections::VecDeque};

use broker::entry::{Cause, Entry, Kind};
use protocol::id::{Epoch, Position, Seq, UserId};
use smallvec::SmallVec;
use ws::Frame;

/// A frame as sockets get it.
pub(crate) struct Kept {
    pub(crate) at: Position,
    pub(crate) keyframe: bool,
    /// Of a keyframe: the epoch of the frame before it.
    follows: Option<Epoch>,
    /// `None`: it tells something only to those who have a part of it.
    pub(crate) public: Option<Frame>,
    pub(crate) privates: SmallVec<[(UserId, Frame); 2]>,
    /// Who gets nothing of the rail's part, and the part.
    rail: Option<(Vec<UserId>, Frame)>,
    pub(crate) cause: Option<Cause>,
}

impl Kept {
    fn new(entry: &Entry) -> Self {
        // Copied: the entry's buffer may be a journal's answer of many entries, and would live as long as one of them.
        let private =
            |part: &broker::entry::Private| (part.user.clone(), Frame::text_from_utf8_bytes(&part.bytes));
        Self {
            at: entry.at,
            keyframe: entry.kind == Kind::Keyframe,
            follows: entry.follows,
            public: (!entry.public.is_empty()).then(|| Frame::text_from_utf8_bytes(&entry.public)),
            privates: entry.privates.iter().map(private).collect(),
            // What is told at once is told beside the frames.
            rail: entry
                .rail
                .as_ref()
                .filter(|rail| !(rail.at_once && entry.delay.is_some()))
                .map(|rail| (rail.except.clone(), Frame::text_from_utf8_bytes(&rail.bytes))),
            cause: entry.cause.clone(),
        }
    }

    /// The part for this user alone; or the rail's, if the user has no part in the room.
    pub(crate) fn part(&self, user: &UserId) -> Option<&Frame> {
        let own = self.privates.iter().find(|(of, _)| of == user).map(|(_, frame)| frame);
        let rail = || self.rail.as_ref().filter(|(except, _)| !except.contains(user));
        own.or_else(|| rail().map(|(_, frame)| frame))
    }
}

/// Where an entry comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The bus: there may be others before it that were lost on the way.
    Bus,
    /// The journal: what is not before it there is nowhere.
    Journal,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is the next.
    Next,
    /// The window begins anew with this keyframe; whoever was behind takes it over.
    Anew,
    /// The window begins anew with this keyframe, which does not continue what the window had: the broker lost frames. Whoever
    /// has a frame of this number or a later one has one that is gone.
    Lost(Seq),
    /// It is here already, or was fenced.
    Old,
    /// Something is missing before it.
    Hole,
    /// The room has ended: nothing follows.
    Ended,
}

/// Where a client's position stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The client continues from here.
    In,
    /// What comes next is gone: the client takes a keyframe.
    Before,
    /// The client knows more than the window.
    Ahead,
    /// The client has a frame that this history does not contain.
    Elsewhere,
}

/// Whether two commands of a session with one number are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Same {
    /// They say the same, or nobody knows any more what the first one said.
    AsFarAsKnown,
    /// They do not.
    No,
}

impl Same {
    /// `applied` caused a frame.
    pub(crate) fn of(applied: &Cause, said: Option<u64>) -> Self {
        match (applied.said, said) {
            (Some(applied), Some(said)) if applied != said => Self::No,
            _ => Self::AsFarAsKnown,
        }
    }
}

/// What one user alone, or the rail, has been told last.
#[derive(Debug)]
pub(crate) enum Part<'a> {
    /// This.
    Is(&'a Frame),
    /// Nothing since the newest keyframe, nor with it.
    Nothing,
    /// It stands before the window.
    Gone,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Window {
    frames: VecDeque<Kept>,
    /// Index of the newest keyframe, if there are frames.
    keyframe: usize,
}

impl Window {
    /// The position of the last frame; `None` as long as no keyframe was seen.
    pub(crate) fn end(&self) -> Option<Position> {
        self.frames.back().map(|frame| frame.at)
    }

    /// Where the frame of this number stands, if it is here.
    pub(crate) fn position(&self, seq: Seq) -> Option<Position> {
        let first = self.frames.front()?.at.seq().0;
        let index = usize::try_from(seq.0.checked_sub(first)?).ok()?;
        self.frames.get(index).map(|frame| frame.at)
    }

    /// The newest keyframe and what came after it.
    pub(crate) fn since_keyframe(&self) -> impl Iterator<Item = &Kept> {
        self.frames.range(self.keyframe..)
    }

    /// The frames after `seq`, if they are all here.
    pub(crate) fn since(&self, seq: Seq) -> Option<impl ExactSizeIterator<Item = &Kept>> {
        let first = self.frames.front()?.at.seq().0;
        let index = usize::try_from((seq.0 + 1).checked_sub(first)?).ok()?;
        (index <= self.frames.len()).then(|| self.frames.range(index..))
    }

    /// What this user alone has been told by the frame `seq`, or as one of the rail. A keyframe has a part for every member, and one for the
    /// rail, so what is older says nothing.
    pub(crate) fn part_by(&self, user: &UserId, seq: Seq) -> Part<'_> {
        let first = self.frames.front().map_or(Seq(0), |first| first.at.seq());
        let count = (seq.0 + 1).saturating_sub(first.0).min(self.frames.len() as u64) as usize;
        for kept in self.frames.range(..count).rev() {
            match kept.part(user) {
                Some(part) => return Part::Is(part),
                None if kept.keyframe => return Part::Nothing,
                None => {}
            }
        }
        Part::Gone
    }

    /// Whether the room tells its rail something.
    pub(crate) fn tells_rail(&self) -> bool {
        self.frames.get(self.keyframe).is_some_and(|kept| kept.rail.is_some())
    }

    pub(crate) fn last(&self) -> Option<&Kept> {
        self.frames.back()
    }

    /// The frame that answers a command, and whether it is of another one with the same number. Those of a session are applied in the order of their `n`, so an earlier one ends the search:
    /// a command that is new, as almost every one is, is not looked for in the whole window.
    pub(crate) fn caused_by(&self, cause: &Cause) -> Option<(Position, Same)> {
        let of_session = |known: &&Cause| known.session == cause.session && known.user == cause.user;
        let causes = self.frames.iter().rev().filter_map(|frame| {
            let known = frame.cause.as_ref().filter(of_session)?;
            Some((known, frame.at))
        });
        let mut causes = causes.take_while(|(known, _)| known.n >= cause.n);
        causes.find(|(known, _)| known.n == cause.n).map(|(known, at)| (at, Same::of(known, cause.said)))
    }

    /// Whether the frame there, if it is here, was caused by what was said.
    pub(crate) fn was_caused_by(&self, at: Position, said: Option<u64>) -> Same {
        let frame = self.frames.iter().rev().find(|frame| frame.at == at);
        let cause = frame.and_then(|frame| frame.cause.as_ref());
        cause.map_or(Same::AsFarAsKnown, |known| Same::of(known, said))
    }

    /// Where a client that has everything up to `at` stands.
    pub(crate) fn place(&self, at: Position) -> Place {
        let (Some(first), Some(end)) = (self.frames.front(), self.end()) else { return Place::Ahead };
        // Of a later epoch, too: if the journal does not know it either, its claim was lost.
        if at.seq() > end.seq() || at > end {
            return Place::Ahead;
        }
        if let Some(index) = at.seq().0.checked_sub(first.at.seq().0) {
            let same = self.frames[usize::try_from(index).expect("the window is in memory")].at;
            return match same.epoch() == at.epoch() {
                true => Place::In,
                false => Place::Elsewhere,
            };
        }
        // A keyframe needs nothing before it; it only says whether what the client has is what it follows.
        let right_before = at.seq().next() == first.at.seq() && first.keyframe;
        match first.follows {
            Some(epoch) if right_before && epoch != at.epoch() => Place::Elsewhere,
            _ if right_before => Place::In,
            _ => Place::Before,
        }
    }

    /// Takes an entry in, if it fits; keeps `spare` frames even if they are older than the keyframe before the last.
    pub(crate) fn offer(&mut self, entry: &Entry, source: Source, spare: usize) -> Offered {
        let keyframe = match entry.kind {
            // A claim is no frame; the keyframe after it says all.
            Kind::Claim => return Offered::Old,
            Kind::Delta => false,
            Kind::Keyframe => true,
            Kind::End => return self.offer_end(entry.at, source),
        };
        let Some(end) = self.end() else {
            return if keyframe { self.begin(entry, Offered::Anew) } else { Offered::Hole };
        };
        let next = end.seq().next();
        if entry.at <= end {
            return Offered::Old;
        }
        // Frames of the new epoch that were missed may have replaced frames that are here: only the journal tells.
        if entry.at.epoch() > end.epoch() && source == Source::Bus {
            return Offered::Hole;
        }
        let goes_back = entry.at.seq() < next || entry.follows.is_some_and(|epoch| epoch != end.epoch());
        match entry.at.seq().cmp(&next) {
            Ordering::Less | Ordering::Equal if keyframe && goes_back => {
                let first_lost = self.first_lost(entry);
                self.begin(entry, Offered::Lost(first_lost))
            }
            Ordering::Equal if keyframe || entry.at.epoch() == end.epoch() => {
                self.append(entry, spare);
                Offered::Next
            }
            Ordering::Greater if keyframe && source == Source::Journal => self.begin(entry, Offered::Anew),
            _ => Offered::Hole,
        }
    }

    /// The last entry comes after all others; from the bus, perhaps too early.
    fn offer_end(&self, at: Position, source: Source) -> Offered {
        let is_next = |end: Position| at == Position(end.epoch(), end.seq().next());
        match self.end() {
            Some(end) if at <= end => Offered::Old,
            end if source == Source::Journal || end.is_some_and(is_next) => Offered::Ended,
            _ => Offered::Hole,
        }
    }

    /// From which number on frames that were here are gone: the keyframe's own, or the one before it, if it follows another.
    fn first_lost(&self, keyframe: &Entry) -> Seq {
        let before = self.frames.iter().rev().find(|frame| frame.at.seq().next() == keyframe.at.seq());
        match (before, keyframe.follows) {
            (Some(before), Some(epoch)) if before.at.epoch() != epoch => before.at.seq(),
            _ => keyframe.at.seq(),
        }
    }

    fn begin(&mut self, entry: &Entry, how: Offered) -> Offered {
        self.frames.clear();
        self.frames.push_back(Kept::new(entry));
        self.keyframe = 0;
        how
    }

    fn append(&mut self, entry: &Entry, spare: usize) {
        if entry.kind == Kind::Keyframe {
            // What stands before the keyframe that was the newest until now is history, beyond the spare frames.
            let excess = (self.frames.len() + 1).saturating_sub(spare).min(self.keyframe);
            self.frames.drain(..excess);
            self.keyframe = self.frames.len();
        }
        self.frames.push_back(Kept::new(entry));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use protocol::id::{RoomId, SessionId};

    use super::*;

    fn entry(kind: Kind, epoch: u64, seq: u64) -> Entry {
        Entry {
            kind,
            room: RoomId::new("t1").unwrap(),
            at: Position::new(epoch, seq),
            cause: None,
            follows: None,
            at_ms: None,
            delay: None,
            places: None,
            rail: None,
            privates: SmallVec::new(),
            public: Bytes::from_static(b"{}"),
            secret: Bytes::new(),
        }
    }

    fn window(entries: &[(Kind, u64, u64)]) -> Window {
        let mut window = Window::default();
        for &(kind, epoch, seq) in entries {
            let offered = window.offer(&entry(kind, epoch, seq), Source::Journal, 0);
            assert!(matches!(offered, Offered::Next | Offered::Anew), "{epoch}-{seq}: {offered:?}");
        }
        window
    }

    fn positions(window: &Window) -> Vec<(u64, u64)> {
        window.frames.iter().map(|frame| (frame.at.epoch().0, frame.at.seq().0)).collect()
    }

    use Kind::{Delta as D, Keyframe as K};

    #[test]
    fn a_repeat_is_old_and_a_gap_is_a_hole() {
        let mut window = window(&[(K, 1, 5), (D, 1, 6)]);
        for (kind, epoch, seq, expected) in [
            (D, 1, 6, Offered::Old),
            (K, 2, 7, Offered::Hole),
            (D, 1, 8, Offered::Hole),
            (K, 1, 8, Offered::Hole),
            (D, 2, 7, Offered::Hole),
            (K, 2, 8, Offered::Hole),
            (D, 0, 7, Offered::Old),
            (D, 1, 7, Offered::Next),
        ] {
            assert_eq!(window.offer(&entry(kind, epoch, seq), Source::Bus, 0), expected, "{epoch}-{seq}");
        }
        assert_eq!(positions(&window), [(1, 5), (1, 6), (1, 7)]);
    }

    #[test]
    fn an_epoch_is_believed_from_the_journal_only() {
        let mut window = window(&[(K, 1, 5), (D, 1, 6)]);
        assert_eq!(window.offer(&entry(K, 2, 7), Source::Bus, 0), Offered::Hole);
        assert_eq!(window.offer(&entry(Kind::Claim, 2, 0), Source::Journal, 0), Offered::Old);
        assert_eq!(window.offer(&entry(K, 2, 7), Source::Journal, 0), Offered::Next);
    }

    #[test]
    fn a_keyframe_that_is_not_beyond_the_end_means_that_frames_were_lost() {
        let mut window = window(&[(K, 1, 5), (D, 1, 6), (K, 2, 7), (D, 2, 8)]);
        assert_eq!(window.offer(&entry(K, 3, 8), Source::Journal, 0), Offered::Lost(Seq(8)));
        assert_eq!(positions(&window), [(3, 8)]);
    }

    #[test]
    fn a_keyframe_that_follows_another_frame_than_the_last_means_that_that_was_lost() {
        let keyframe = |seq, follows| Entry { follows: Some(Epoch(follows)), ..entry(K, 3, seq) };
        let frames = [(K, 1, 5), (D, 1, 6), (K, 2, 7), (D, 2, 8)];
        assert_eq!(window(&frames).offer(&keyframe(9, 2), Source::Journal, 0), Offered::Next);
        assert_eq!(window(&frames).offer(&keyframe(9, 1), Source::Journal, 0), Offered::Lost(Seq(8)));
        assert_eq!(window(&frames).offer(&keyframe(8, 2), Source::Journal, 0), Offered::Lost(Seq(8)));
        assert_eq!(window(&frames).offer(&keyframe(8, 1), Source::Journal, 0), Offered::Lost(Seq(7)));
        let mut anew = Window::default();
        assert_eq!(anew.offer(&keyframe(9, 1), Source::Journal, 0), Offered::Anew);
        assert_eq!(anew.place(Position::new(1, 8)), Place::In);
        assert_eq!(anew.place(Position::new(2, 8)), Place::Elsewhere);
    }

    #[test]
    fn a_keyframe_beyond_a_trimmed_journal_begins_anew() {
        let mut window = window(&[(K, 1, 5), (D, 1, 6)]);
        assert_eq!(window.offer(&entry(D, 1, 9), Source::Journal, 0), Offered::Hole);
        assert_eq!(window.offer(&entry(K, 1, 10), Source::Journal, 0), Offered::Anew);
        assert_eq!(positions(&window), [(1, 10)]);
    }

    #[test]
    fn a_keyframe_drops_what_stands_before_the_previous_one_except_the_spare_frames() {
        let frames = [(K, 1, 1), (D, 1, 2), (K, 1, 3), (D, 1, 4), (K, 1, 5)];
        assert_eq!(positions(&window(&frames)), [(1, 3), (1, 4), (1, 5)]);
        let mut roomy = Window::default();
        for (kind, epoch, seq) in frames {
            roomy.offer(&entry(kind, epoch, seq), Source::Bus, 4);
        }
        assert_eq!(positions(&roomy), [(1, 2), (1, 3), (1, 4), (1, 5)]);
        assert_eq!(roomy.since_keyframe().count(), 1);
    }

    #[test]
    fn a_room_ends_after_its_last_frame_or_when_the_journal_says_so() {
        let mut window = window(&[(K, 1, 5), (D, 1, 6)]);
        for (epoch, seq, source, expected) in [
            (1, 6, Source::Bus, Offered::Old),
            (1, 8, Source::Bus, Offered::Hole),
            (2, 7, Source::Bus, Offered::Hole),
            (1, 7, Source::Bus, Offered::Ended),
            (2, 9, Source::Journal, Offered::Ended),
        ] {
            assert_eq!(window.offer(&entry(Kind::End, epoch, seq), source, 0), expected, "{epoch}-{seq}");
        }
        assert_eq!(Window::default().offer(&entry(Kind::End, 1, 7), Source::Bus, 0), Offered::Hole);
    }

    #[test]
    fn the_last_part_of_a_user_is_found_as_far_back_as_a_keyframe() {
        let (ann, bob) = (UserId::new("ann").unwrap(), UserId::new("bob").unwrap());
        let part = |user: &UserId, bytes| broker::entry::Private { user: user.clone(), bytes };
        let mut window = Window::default();
        for (kind, seq, for_ann) in [(K, 1, true), (D, 2, true), (D, 3, false), (K, 4, false), (D, 5, true)] {
            let mut entry = entry(kind, 1, seq);
            if for_ann {
                entry.privates.push(part(&ann, Bytes::from(format!("ann-{seq}"))));
            }
            window.offer(&entry, Source::Bus, 2);
        }
        assert_eq!(positions(&window), [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]);
        let says = |user, seq| match window.part_by(user, Seq(seq)) {
            Part::Is(frame) => String::from_utf8_lossy(&frame.as_bytes()[2..]).into_owned(),
            other => format!("{other:?}"),
        };
        let found: Vec<String> = (0..=6).map(|seq| says(&ann, seq)).collect();
        assert_eq!(found, ["Gone", "ann-1", "ann-2", "ann-2", "Nothing", "ann-5", "ann-5"]);
        assert_eq!((says(&bob, 0), says(&bob, 3)), ("Gone".into(), "Nothing".into()));
        // A window that was trimmed up to a delta.
        window.offer(&entry(K, 1, 6), Source::Bus, 5);
        assert_eq!(positions(&window)[0], (1, 2));
        assert!(matches!(window.part_by(&bob, Seq(3)), Part::Gone));
    }

    #[test]
    fn the_part_for_the_rail_is_the_last_part_of_whoever_has_none_of_their_own() {
        let (ann, bob) = (UserId::new("ann").unwrap(), UserId::new("bob").unwrap());
        let mut window = Window::default();
        // Bob sits down with the third frame.
        for (kind, seq, except) in
            [(K, 1, &[&ann][..]), (D, 2, &[&ann]), (D, 3, &[&ann, &bob]), (D, 4, &[&ann, &bob])]
        {
            let mut entry = entry(kind, 1, seq);
            let except = except.iter().map(|user| (*user).clone()).collect();
            entry.rail = Some(broker::entry::Rail {
                except,
                bytes: Bytes::from(format!("rail-{seq}")),
                at_once: false,
            });
            let own = if kind == K { Some(&ann) } else { (seq == 3).then_some(&bob) };
            let part = |user: &UserId| broker::entry::Private {
                user: user.clone(),
                bytes: Bytes::from_static(b"own"),
            };
            entry.privates.extend(own.map(part));
            window.offer(&entry, Source::Bus, 2);
        }
        let says = |user: &str, seq| match window.part_by(&UserId::new(user).unwrap(), Seq(seq)) {
            Part::Is(frame) => String::from_utf8_lossy(&frame.as_bytes()[2..]).into_owned(),
            other => format!("{other:?}"),
        };
        let all = |user: &str| (1..=4).map(|seq| says(user, seq)).collect::<Vec<_>>();
        assert_eq!(all("ann"), ["own"; 4]);
        assert_eq!(all("bob"), ["rail-1", "rail-2", "own", "own"]);
        assert_eq!(all("eve"), ["rail-1", "rail-2", "rail-3", "rail-4"]);
        assert!(window.tells_rail());
    }

    #[test]
    fn the_answer_to_a_repeated_command_is_found_behind_later_ones_of_its_session() {
        let cause = |user: &str, session, n| Cause {
            user: UserId::new(user).unwrap(),
            session: SessionId(session),
            n,
            said: Some(100 + n),
        };
        let mut window = window(&[(K, 1, 1)]);
        for (seq, cause) in [cause("ann", 1, 4), cause("bob", 2, 9), cause("ann", 1, 7), cause("ann", 3, 5)]
            .into_iter()
            .enumerate()
        {
            let delta = Entry { cause: Some(cause), ..entry(D, 1, seq as u64 + 2) };
            window.offer(&delta, Source::Bus, 0);
        }
        let found = |user, session, n| window.caused_by(&cause(user, session, n)).map(|(at, _)| at.seq().0);
        assert_eq!(found("ann", 1, 4), Some(2));
        assert_eq!(found("ann", 1, 7), Some(4));
        assert_eq!(found("ann", 3, 5), Some(5), "each session counts by itself");
        for (user, session, n) in [("ann", 1, 5), ("ann", 1, 8), ("ann", 1, 3), ("bob", 1, 4), ("bob", 4, 9)]
        {
            assert_eq!(found(user, session, n), None, "{user} {session} {n}");
        }
        let at = Position::new(1, 2);
        for (said, same) in [(Some(104), Same::AsFarAsKnown), (None, Same::AsFarAsKnown), (Some(1), Same::No)]
        {
            let asked = Cause { said, ..cause("ann", 1, 4) };
            assert_eq!(window.caused_by(&asked), Some((at, same)));
            assert_eq!(window.was_caused_by(at, said), same);
        }
        assert_eq!(window.was_caused_by(Position::new(1, 1), Some(1)), Same::AsFarAsKnown);
    }

    #[test]
    fn a_client_is_placed_by_seq_and_epoch() {
        let window = window(&[(K, 1, 5), (D, 1, 6), (K, 2, 7), (D, 2, 8)]);
        for (at, place) in [
            ((1, 4), Place::In),
            ((3, 4), Place::Ahead),
            ((1, 3), Place::Before),
            ((1, 6), Place::In),
            ((1, 7), Place::Elsewhere),
            ((2, 7), Place::In),
            ((2, 6), Place::Elsewhere),
            ((2, 9), Place::Ahead),
            ((3, 8), Place::Ahead),
        ] {
            assert_eq!(window.place(Position::new(at.0, at.1)), place, "{at:?}");
        }
        assert_eq!(window.since(Seq(4)).unwrap().len(), 4);
        assert_eq!(window.since(Seq(8)).unwrap().len(), 0);
        assert!(window.since(Seq(3)).is_none());
        assert!(window.since(Seq(9)).is_none());
    }
}
