//! One journal as the shadow has read it: each entry is judged by those before it, and folded into what the room shows.

use std::collections::{BTreeMap, BTreeSet};

use broker::{
    entry::{Entry, Kind, Places},
    store::Stored,
};
use bytes::Bytes;
use player::{
    fair_play::FairPlay,
    follower::{Fault, Follower, Step},
};
use protocol::{
    id::{NodeId, Position, RoomId, Seq, SessionId, UserId},
    table::{TableEvent, TableView},
    time::UnixMs,
};

use super::{
    Promise,
    cards::Cards,
    dealt::Dealt,
    digest,
    doors::Doorkeeper,
    parts::Parts,
    rail::{Railed, Seats, TakenSeats},
    spoken::Spoken,
    usher::Usher,
};
use crate::judge::{counter::Figures, money::Purses};

/// Views are kept for so many frames.
const VIEWS_KEPT: usize = 256;

/// What stands in frames is kept for so many.
pub(super) const FRAMES_KEPT: usize = 4_096;

/// A part of a tournament.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfContest {
    Itself,
    Table,
}

/// See the module.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) last: Position,
    pub(super) follower: Follower,
    /// What a counter's frames add up to; `None` for other rooms.
    pub(super) figures: Option<Figures>,
    /// What is said in a room in which people talk; `None` for other rooms.
    pub(super) talk: Option<Spoken>,
    /// What a postbox has told whom; `None` for other rooms.
    pub(super) parts: Option<Parts>,
    /// Who may do what at a table that a player has opened; `None` for other rooms.
    pub(super) keeper: Option<Doorkeeper>,
    /// Who may take which seat of a table.
    pub(super) usher: Usher,
    /// It is a room of the floor.
    pub(super) is_floor: bool,
    /// It is a queue, or a table of one.
    pub(super) of_queue: bool,
    /// It is a room of jobs.
    pub(super) of_jobs: bool,
    /// It is a tournament, or a table of one.
    pub(super) of_contest: Option<OfContest>,
    /// The last entry, if the room has ended.
    pub(super) ended: Option<Position>,
    pub(super) fair_play: FairPlay,
    /// What players have brought and taken home.
    pub(super) purses: Purses,
    /// A hole was seen (only possible after a loss): no fold until the next keyframe.
    pub(super) torn: bool,
    /// The broker has lost entries of it.
    pub(super) lossy: bool,
    /// Where the journal began when frames were last missing between two reads; what is older has been trimmed.
    pub(super) kept_from: Position,
    /// Between these something stood that was not read.
    pub(super) unread: Vec<(Position, Position)>,
    /// What stands where: the causes, and the parts for single users. The last [`FRAMES_KEPT`].
    pub(super) frames: BTreeMap<Position, Frame>,
    pub(super) frames_seen: u64,
    /// Who made the last claim.
    pub(super) owner: Option<NodeId>,
    /// Where each command was applied.
    pub(super) applied: BTreeMap<Cause, Position>,
    /// Commands of which their senders were told that they were not applied and never will be.
    pub(super) refused: BTreeSet<Cause>,
    /// Views after the frames, to compare with clients'.
    pub(super) views: BTreeMap<Position, TableView>,
    /// Who has a part in a counter.
    pub(super) seats: Seats,
    /// It is, or was by a frame that the broker has lost, shown late to whoever has no part in it.
    pub(super) late: bool,
    /// How many sit at a table, for who looks at the lobby.
    pub(super) taken: TakenSeats,
    /// What a counter answers after its frames to who asks for its total.
    pub(super) totals: BTreeMap<Position, serde_json::Value>,
    pub(super) hands_ended: u64,
    /// What it has told its rail of players' cards.
    pub(super) cards: Cards,
    /// Which hands were dealt to their end.
    pub(super) dealt: Dealt,
    /// Of all positions and public parts so far.
    pub(super) digest: u64,
}

/// Whose command: user, session, counter.
pub(super) type Cause = (UserId, SessionId, u64);

pub(super) struct Frame {
    pub(super) cause: Option<Cause>,
    pub(super) privates: Vec<(UserId, Bytes)>,
    pub(super) railed: Railed,
    /// When it was decided, if it says so.
    pub(super) at_ms: Option<UnixMs>,
    /// When the rail may get it, and who gets it before.
    pub(super) due_ms: UnixMs,
    pub(super) live: Vec<UserId>,
    /// How many may watch, if not as many as come.
    pub(super) places: Option<Places>,
}

/// Only what the shadow needs of a frame's text.
#[derive(serde::Deserialize)]
struct Text {
    #[serde(default)]
    events: Vec<TableEvent>,
    state: Option<Box<TableView>>,
}

impl Journal {
    pub(super) fn is_table(&self) -> bool {
        let is_tournament = self.of_contest == Some(OfContest::Itself);
        self.figures.is_none() && self.talk.is_none() && self.parts.is_none() && !is_tournament
    }

    /// Whether frames are missing between what was read and what is read now.
    pub(super) fn is_left_out_before(&self, read: &[Stored]) -> bool {
        let last = self.frames.last_key_value().map_or(Seq(0), |(at, _)| at.seq());
        let next = read.iter().map(|stored| stored.at.seq()).find(|seq| *seq > Seq(0));
        next.is_some_and(|next| next > last.next())
    }

    pub(super) fn take(&mut self, entry: Entry, room: &RoomId, broken: &mut Vec<(Promise, String)>) {
        let at = entry.at;
        let numbers = [at.epoch().0.to_le_bytes(), at.seq().0.to_le_bytes()];
        self.digest = digest(self.digest, numbers.into_iter().flatten().chain(entry.public.iter().copied()));
        if entry.kind == Kind::Claim {
            self.owner = std::str::from_utf8(&entry.secret).ok().and_then(|name| NodeId::new(name).ok());
            if at.seq().0 != 0 {
                broken.push((
                    Promise::Linear,
                    format!("{room} {at}: a claim that is not the first of its epoch"),
                ));
            }
            return;
        }
        if self.lossy && entry.kind == Kind::Keyframe {
            self.go_back_before(at.seq());
        }
        let before = self.frames.last_key_value().map_or_else(Position::default, |last| *last.0);
        if at.seq() != before.seq().next() {
            let is_further_on = entry.kind == Kind::Keyframe && at.seq() > before.seq();
            // Not even a keyframe may leave a number out; but what stood before it may be trimmed before it was read, at once
            // when the next keyframe comes right behind.
            let was_trimmed = is_further_on && self.kept_from >= at;
            // A keyframe of a new epoch after a loss may be further on: its owner still knew what was lost.
            let knew_more = is_further_on && self.lossy && at.epoch() > before.epoch();
            let mends = was_trimmed || knew_more;
            self.torn = !mends;
            if mends {
                self.unread.push((before, at));
                self.parts.iter_mut().for_each(Parts::forget);
                self.figures.iter_mut().for_each(Figures::forget);
            }
            if !self.lossy && !mends {
                broken.push((
                    Promise::Linear,
                    format!("{room} {at} ({:?}): follows {before}, and nothing was lost", entry.kind),
                ));
            }
        }
        if self.lossy && at.epoch() > before.epoch() && entry.kind != Kind::Keyframe {
            // The keyframe went with what was lost; the owner has not noticed yet.
            self.torn = true;
        } else if at.epoch() > before.epoch() && entry.kind != Kind::Keyframe {
            broken.push((
                Promise::Linear,
                format!("{room} {at}: an epoch that does not begin with a keyframe"),
            ));
        }
        if let Some(end) = self.ended.filter(|_| !self.lossy) {
            broken.push((Promise::Linear, format!("{room} {at}: follows the end at {end}")));
        }
        if entry.kind == Kind::End {
            self.ended = Some(at);
            let (privates, railed) = (Vec::new(), Railed::default());
            let (at_ms, live) = (None, Vec::new());
            self.frames
                .insert(at, Frame { cause: None, privates, railed, at_ms, due_ms: 0, live, places: None });
            return;
        }
        if self.is_table() {
            if self.torn {
                self.usher.forget();
            }
            self.usher.take(room, &entry, (self.lossy, self.of_queue), broken);
        }
        let railed = match self.figures {
            Some(_) => self.seats.take(&entry),
            None => Railed::of(&entry),
        };
        if self.is_table() && entry.kind == Kind::Keyframe {
            self.cards.keyframe(&entry.public);
        }
        let (at_ms, due_ms) = (entry.at_ms, entry.due_ms());
        self.late |= entry.delay.is_some();
        let live = entry.delay.map(|delay| delay.live).unwrap_or_default();
        let places = entry.places;
        let cause = entry.cause.map(|cause| (cause.user, cause.session, cause.n));
        if let Some(cause) = &cause
            && let Some(first) = self.applied.insert(cause.clone(), at)
        {
            broken.push((Promise::Once, format!("{room} {at}: {cause:?} was applied at {first} already")));
        }
        if let Some((user, _, n)) = cause.as_ref().filter(|cause| self.refused.contains(*cause)) {
            let what = format!("{room} {at}: applies {n} of {user}, who was told that it never would be");
            broken.push((Promise::Once, what));
        }
        if let Some(parts) = &mut self.parts {
            let whole = entry.kind == Kind::Keyframe;
            parts.take(at, &entry.privates, whole, std::mem::take(&mut self.torn), room, broken);
        }
        let privates = entry.privates.into_iter().map(|part| (part.user, part.bytes)).collect();
        self.frames.insert(at, Frame { cause, privates, railed, at_ms, due_ms, live, places });
        self.frames_seen += 1;
        if self.frames.len() > FRAMES_KEPT {
            self.frames.pop_first();
        }
        // What a tournament tells is folded where its tables are seen, too.
        if self.parts.is_some() || self.of_contest == Some(OfContest::Itself) {
            return;
        }
        if self.figures.is_some() {
            return self.count(at, &entry.public, room, broken);
        }
        if let Some(spoken) = &mut self.talk {
            return spoken.take(at, &entry.public, std::mem::take(&mut self.torn), self.lossy, room, broken);
        }
        match serde_json::from_slice(&entry.public) {
            Ok(text) => self.fold(at, text, room, broken),
            Err(error) => broken.push((Promise::Fold, format!("{room} {at}: {error}"))),
        }
    }

    fn count(&mut self, at: Position, public: &[u8], room: &RoomId, broken: &mut Vec<(Promise, String)>) {
        let Some(figures) = &mut self.figures else { return };
        let mut text: serde_json::Value = match serde_json::from_slice(public) {
            Ok(text) => text,
            Err(error) => return broken.push((Promise::Fold, format!("{room} {at}: {error}"))),
        };
        match text["state"].take() {
            serde_json::Value::Null if self.torn => {}
            serde_json::Value::Null => figures.events(text["events"].as_array().map_or(&[], Vec::as_slice)),
            state => {
                if std::mem::take(&mut self.torn) {
                    figures.forget();
                }
                if !figures.keyframe(state) && !self.lossy {
                    broken.push((
                        Promise::Fold,
                        format!("{room} {at}: is not what the frames before it add up to"),
                    ));
                }
            }
        }
        if let Some(total) = figures.total() {
            keep(&mut self.totals, at, total);
        }
    }

    fn fold(&mut self, at: Position, text: Text, room: &RoomId, broken: &mut Vec<(Promise, String)>) {
        let (mut unbalanced, mut unfair) = (false, Vec::new());
        let mut seated: BTreeSet<UserId> = self.seated().collect();
        let step = match text.state {
            Some(state) => {
                if self.torn {
                    self.follower.forget();
                    self.torn = false;
                }
                // It has nobody sit down or leave. Who else sat there did so by what is lost.
                seated.clear();
                unbalanced = !state.conserves_chips();
                self.follower.keyframe(at, state)
            }
            None if self.torn => return,
            None => {
                let (fair_play, purses) = (&mut self.fair_play, &mut self.purses);
                self.follower.delta(at, &text.events, |when, event, view| {
                    unbalanced |= !view.conserves_chips();
                    unfair.extend(fair_play.event(when, event, view));
                    purses.event(when, event, view);
                })
            }
        };
        if step != Ok(Step::Next) {
            self.fair_play.forget();
        }
        let ended = |event: &&TableEvent| matches!(event, TableEvent::HandEnded { .. });
        self.hands_ended += text.events.iter().filter(ended).count() as u64;
        self.dealt.take(at, &text.events);
        seated.extend(self.seated());
        if let Some(frame) = self.frames.get_mut(&at) {
            self.cards.take(at, frame, &text.events, &seated, room, broken);
            frame.railed.seated.extend(seated);
        }
        if unbalanced {
            broken.push((Promise::Chips, format!("{room} {at}: chips do not add up")));
        }
        broken.extend(unfair.into_iter().map(|what| (Promise::Rules, format!("{room} {at}: {what}"))));
        broken.extend(breach(step, self.lossy).map(|what| (Promise::Fold, format!("{room} {at}: {what}"))));
        if let Some(view) = self.follower.view() {
            let due_ms = self.frames.get(&at).map_or(0, |frame| frame.due_ms);
            let taken = view.seats.iter().flatten().count();
            self.taken.take(due_ms, u32::try_from(taken).unwrap_or(u32::MAX));
            keep(&mut self.views, at, view.clone());
        }
    }

    /// Who sits at a table.
    fn seated(&self) -> impl Iterator<Item = UserId> {
        let seats = self.follower.view().into_iter().flat_map(|view| view.seats.iter().flatten());
        seats.map(|seat| seat.user.clone())
    }

    /// The broker may have lost frames unnoticed: those that a keyframe stands in for are gone.
    fn go_back_before(&mut self, seq: Seq) {
        self.cards.forget();
        self.dealt.lose(|at| at.seq() >= seq);
        while let Some(last) = self.frames.last_entry().filter(|last| last.key().seq() >= seq) {
            if let Some(cause) = last.remove().cause {
                self.applied.remove(&cause);
            }
            self.torn = true;
        }
    }

    /// The broker has lost what came after `last`.
    pub(super) fn forget_after(&mut self, last: Position) {
        self.last = last;
        self.lossy = true;
        self.cards.forget();
        let after = Position(last.epoch(), last.seq().next());
        self.dealt.lose(|at| *at > last);
        for lost in self.frames.split_off(&after).into_values() {
            if let Some(cause) = lost.cause {
                self.applied.remove(&cause);
            }
        }
        self.views.split_off(&after);
        self.totals.split_off(&after);
        self.ended = self.ended.filter(|end| *end <= last);
        if let Some(figures) = &mut self.figures {
            figures.forget();
            self.torn = true;
        }
        if let Some(spoken) = &mut self.talk {
            spoken.forget_after(after);
        }
        if let Some(parts) = &mut self.parts {
            parts.forget();
        }
        self.usher.forget();
        self.fair_play.forget();
        self.follower.forget();
        if let Some((at, view)) = self.views.last_key_value() {
            self.follower
                .keyframe(*at, Box::new(view.clone()))
                .expect("a follower that has forgotten takes anything");
        } else {
            self.torn = true;
        }
    }
}

/// What is wrong with how a frame fits in. `lossy`: the broker may have lost some.
pub(super) fn breach(step: Result<Step, Fault>, lossy: bool) -> Option<String> {
    match step {
        Err(fault) => Some(format!("{fault:?}")),
        Ok(Step::Rewound) if !lossy => Some("goes back, and nothing was lost".into()),
        Ok(_) => None,
    }
}

/// Keeps what was seen after a frame, and forgets the oldest of too many.
pub(super) fn keep<V>(seen: &mut BTreeMap<Position, V>, at: Position, what: V) {
    seen.insert(at, what);
    if seen.len() > VIEWS_KEPT {
        seen.pop_first();
    }
}
