//! A watched room: its frames are followed, and judged on the way.

use shared::{
    id::{Position, RoomId, UserId},
    protocol::table::{Card, TableEvent, TablePrivate, TableView},
};

use crate::{
    breach::{Breach, Breaches},
    follower::{Fault, Follower, Step},
    referee::{self, Referee},
};

/// See the module.
#[derive(Debug)]
pub struct Watched {
    room: RoomId,
    follower: Follower,
    referee: Referee,
    /// A gap was seen and counted; until it is repaired no further gap is counted.
    gapped: bool,
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
        Self { room, follower: Follower::new(), referee: Referee::new(), gapped: false }
    }

    /// The room as it stands.
    pub fn follower(&self) -> &Follower {
        &self.follower
    }

    /// Where to resume on a new connection; `0-0` asks for a keyframe.
    pub fn resume_at(&mut self) -> Position {
        self.gapped = false;
        if self.follower.view().is_none() {
            self.follower.forget();
        }
        self.follower.at()
    }

    /// The relay has said that what was seen last is lost.
    pub fn history_lost(&mut self) {
        self.follower.rewind();
    }

    /// Whether the frame at `at`, or a later one, has been taken. True while a gap waits for its repair.
    pub fn has_seen(&self, at: Position) -> bool {
        self.gapped || self.follower.at() >= at
    }

    /// Takes a delta. `named` is how many cards its text names.
    pub fn frame(
        &mut self,
        at: Position,
        events: &[TableEvent],
        named: usize,
        breaches: &mut Breaches,
    ) -> Taken {
        Referee::no_other_cards(named, referee::cards_in_events(events) + self.looks_like_a_card(), breaches);
        let referee = &mut self.referee;
        let step =
            self.follower.delta(at, events, |when, event, view| referee.event(when, event, view, breaches));
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
            if step == Ok(Step::Rewound) {
                // The hands of a lost suffix may be dealt again, with other cards.
                self.referee = Referee::new();
            }
            if step != Ok(Step::Next) {
                self.referee.lose_track();
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
        if let Some(view) = self.follower.view().filter(|_| at == self.follower.at()) {
            self.referee.private(me, &part, view, breaches);
        }
        let step = self.follower.own_part(at, part);
        self.judge(at, step, breaches)
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
            Err(Fault::Fold) if self.follower.view().is_some() => (Breach::Fold, Taken::Yes),
            Err(Fault::Fold) => (Breach::Fold, Taken::Missed),
        };
        breaches.count(breach, || format!("{} {at}, own position {}", self.room, self.follower.at()));
        taken
    }

    fn looks_like_a_card(&self) -> usize {
        usize::from(Card::new(self.room.as_str()).is_some())
    }
}
