//! Delivering: a watcher gets what lies between its cursor and the window's end.
//!
//! The same few lines serve a new frame, a join, a resume, a repaired gap, a takeover, and a slow reader that has
//! drained. A frame's private part goes right behind it, and then the answer to the command that caused it. Who comes back gets
//! the private part that it should have by then once more, before anything else.

use std::sync::Arc;

use protocol::{
    ClientOut,
    client_out::NoticeCode,
    id::{Position, RoomId, Seq, SessionId, UserId},
};
use smallvec::SmallVec;
use ws::{Frame, Pushed};

use crate::{
    commands::{Asks, Owed},
    peer::{Peer, frame},
    places::RailPlace,
    planted::{Fault, is_planted},
    rail::Rail,
    window::{Kept, Part, Place, Window},
    works::Works,
};

/// What goes out in one go, in order; on the stack for what is usual.
type Batch = SmallVec<[Frame; 8]>;

/// A connection that watches.
pub(crate) struct Watcher {
    /// It needs a place, and may have one; `None`: it needs none.
    pub(crate) place: Option<RailPlace>,
    pub(crate) peer: Arc<Peer>,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) cursor: Cursor,
    /// Its queue was full: it gets nothing until that is drained.
    pub(crate) lagging: bool,
    /// It has asked to watch, or to go on: the last part for its user alone, or for the rail, is sent once more, whatever it says that it has.
    pub(crate) part_due: bool,
    /// It unwatched while commands were in flight: it gets their answers and nothing else.
    pub(crate) muted: bool,
    /// It is of a rail that is shown the room late.
    pub(crate) behind: bool,
    /// By how much it was told to be, milliseconds; `None`: it is told (again) whatever that is, before anything else.
    pub(crate) told_by_ms: Option<u32>,
    /// The frame with which it was [told](crate::rail::Told) something at once last.
    pub(crate) told_at: Option<Position>,
    /// The owner is told when it comes and goes.
    pub(crate) member: bool,
    /// Most watchers never ask.
    pub(crate) asks: Option<Box<Asks>>,
}

/// How far a watcher is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cursor {
    /// It has nothing, or nothing that continues: it gets the newest keyframe.
    Nothing,
    /// It says that it has everything up to there. Settled against the window, at the latest after a journal read that
    /// began later than the one of this number.
    Said(Position, u32),
    /// It has a frame that is not part of the history any more: it gets the newest keyframe, and is told.
    Lost,
    /// It has everything up to there.
    At(Seq),
}

impl Watcher {
    /// Sends what is due; how many frames that were.
    pub(crate) fn deliver(&mut self, live: &Window, rail: &Rail, room: &RoomId, works: &Works) -> u64 {
        // Answers wait too, for their frames or for the word that there is no place.
        if !self.muted && self.place.is_some_and(|place| !place.is_held(works.now_ms())) {
            return 0;
        }
        self.deliver_frames(live, rail, room, works) + self.deliver_told(rail, works)
    }

    /// What the rail is told at once, behind all that it has by now.
    fn deliver_told(&mut self, rail: &Rail, works: &Works) -> u64 {
        let may_have = self.behind && !self.lagging && !self.muted && self.has_any();
        let told = rail.told().filter(|told| may_have && self.told_at != Some(told.at));
        let Some(told) = told.filter(|told| told.is_for(&self.user)) else { return 0 };
        match self.peer.socket.push(&told.frame) {
            Pushed::Written | Pushed::Queued => {
                self.told_at = Some(told.at);
                return 1;
            }
            Pushed::Full => works.metrics.lagging.increment(1),
            Pushed::Closed => {}
        }
        self.lagging = true;
        0
    }

    fn deliver_frames(&mut self, live: &Window, rail: &Rail, room: &RoomId, works: &Works) -> u64 {
        let Some(live_end) = live.end() else { return 0 };
        if self.lagging || self.behind && !rail.is_read() {
            return 0;
        }
        if let Cursor::Said(at, _) = self.cursor {
            self.cursor = match live.place(at) {
                // What a client has that is not due was said to it when it was live: it begins anew.
                Place::In | Place::Before if self.behind => match rail.window().place(at) {
                    Place::In => Cursor::At(at.seq()),
                    Place::Before | Place::Ahead | Place::Elsewhere => Cursor::Nothing,
                },
                Place::In => Cursor::At(at.seq()),
                Place::Before => Cursor::Nothing,
                Place::Elsewhere => {
                    works.metrics.resume_claims.increment(1);
                    Cursor::Lost
                }
                // The journal may know more than the window: wait for it.
                Place::Ahead => return 0,
            };
        }
        let (window, by_ms) = if self.behind { (rail.window(), rail.by_ms()) } else { (live, 0) };
        let is_told = self.told_by_ms == Some(by_ms) || self.muted;
        let Some(end) = window.end() else { return self.deliver_answers(live_end, by_ms, room, works) };
        // A connection may have broken between a frame and its private part: nobody knows whether the client has that.
        let part = match self.cursor {
            Cursor::At(seq) if self.part_due && !self.muted => match window.part_by(&self.user, seq) {
                Part::Is(part) => Some(part),
                Part::Gone if self.member || window.tells_rail() => {
                    self.cursor = Cursor::Nothing;
                    None
                }
                Part::Nothing | Part::Gone => None,
            },
            _ => None,
        };
        let owed = self.asks.as_ref().map_or(&[][..], |asks| asks.owed());
        let (pushed, delivered, still_owed) = match self.cursor {
            Cursor::At(seq) if seq == end.seq() && owed.is_empty() && part.is_none() && is_told => {
                self.part_due = false;
                return 0;
            }
            Cursor::At(seq)
                if seq.next() == end.seq() && owed.is_empty() && part.is_none() && !self.muted && is_told =>
            {
                let last = window.last().expect("the window has an end");
                match (&last.public, last.part(&self.user)) {
                    // What most watchers get most of the time: one shared frame, nothing copied or allocated.
                    (Some(one), None) | (None, Some(one)) => (self.peer.socket.push(one), 1, Owed::new()),
                    (Some(public), Some(private)) => {
                        let both = [public.clone(), private.clone()];
                        (self.peer.socket.push_all(&both), 2, Owed::new())
                    }
                    (None, None) => (Pushed::Written, 0, Owed::new()),
                }
            }
            _ => {
                let tells = (!is_told).then_some(by_ms);
                let (batch, still_owed) = self.batch(window, live_end, (part, tells), owed, room);
                if batch.is_empty() {
                    (Pushed::Written, 0, still_owed)
                } else {
                    (self.peer.socket.push_all(&batch), batch.len() as u64, still_owed)
                }
            }
        };
        if self.takes(pushed, by_ms, still_owed, works) {
            self.cursor = Cursor::At(end.seq());
            self.part_due = false;
            return delivered;
        }
        0
    }

    /// What was sent is on its way, and with it the answers but those that are `still_owed`; `false` if there was no room for it, or nobody is
    /// there.
    fn takes(&mut self, pushed: Pushed, by_ms: u32, still_owed: Owed, works: &Works) -> bool {
        match pushed {
            Pushed::Written | Pushed::Queued => {
                self.told_by_ms = if self.muted { self.told_by_ms } else { Some(by_ms) };
                if let Some(asks) = &mut self.asks {
                    works.metrics.acks.increment(asks.paid(still_owed));
                }
                return true;
            }
            Pushed::Full => works.metrics.lagging.increment(1),
            Pushed::Closed => {}
        }
        // Where nobody is there, nothing is worth trying until the connection's task has taken the watcher out.
        self.lagging = true;
        false
    }

    /// The rail has nothing yet, and may have asked something all the same.
    fn deliver_answers(&mut self, live_end: Position, by_ms: u32, room: &RoomId, works: &Works) -> u64 {
        let is_told = self.told_by_ms == Some(by_ms) || self.muted;
        let owed = self.asks.as_ref().map_or(&[][..], |asks| asks.owed());
        let mut batch: Batch = (!is_told).then(|| behind(room, by_ms)).into_iter().collect();
        let (due, still_owed): (Owed, Owed) = owed.iter().copied().partition(|(_, at)| *at <= live_end);
        batch.extend(due.iter().map(|(n, at)| ack(*n, room, *at)));
        if batch.is_empty() {
            return 0;
        }
        let pushed = self.peer.socket.push_all(&batch);
        let is_sent = self.takes(pushed, by_ms, still_owed, works);
        if is_sent { batch.len() as u64 } else { 0 }
    }

    /// Tells it that it is shown the room late, unless it knows: an answer comes sooner than its frame does.
    pub(crate) fn tell_behind(&mut self, rail: &Rail, room: &RoomId, works: &Works) {
        let by_ms = rail.by_ms();
        if self.behind && !self.muted && self.told_by_ms != Some(by_ms) {
            self.peer.answer(&behind(room, by_ms), works.now_ms());
            self.told_by_ms = Some(by_ms);
        }
    }

    /// Puts it among those who are live, or among those who are shown the room late. Whoever becomes live goes on from where it is, the rest of what
    /// others have had comes at once; whoever is not any more begins anew.
    pub(crate) fn turns(&mut self, behind: bool, live: &Window, rail: &Rail) {
        if self.behind == behind || !self.behind && is_planted(Fault::KeepsWhoStoodUpLive) && self.has_any() {
            return;
        }
        self.behind = behind;
        self.told_at = None;
        // What it has may be later than what comes, also where it stood up and sat down again before it was told: it must know. Who has
        // got nothing yet takes the room for live.
        if self.has_any() || self.told_by_ms != Some(0) {
            self.told_by_ms = None;
        }
        self.cursor = match self.cursor {
            // What a client says that it has is looked for when the time has come.
            Cursor::Said(at, read) => Cursor::Said(at, read),
            _ if behind => Cursor::Nothing,
            Cursor::At(seq) => match rail.window().position(seq).map(|at| live.place(at)) {
                Some(Place::In) => Cursor::At(seq),
                Some(Place::Before) | None => Cursor::Nothing,
                Some(Place::Elsewhere | Place::Ahead) => Cursor::Lost,
            },
            other => other,
        };
    }

    fn has_any(&self) -> bool {
        matches!(self.cursor, Cursor::At(_))
    }

    /// All that a watcher needs who is not simply one frame behind, and which answers are owed still after that. To who is shown the room late
    /// those come at once, and not with their frames. `tells`: how late that is, if it is to be told.
    fn batch(
        &self,
        window: &Window,
        live_end: Position,
        (part, tells): (Option<&Frame>, Option<u32>),
        owed: &[(u64, Position)],
        room: &RoomId,
    ) -> (Batch, Owed) {
        let mut batch: Batch = tells.map(|by_ms| behind(room, by_ms)).into_iter().collect();
        batch.extend(part.cloned());
        let mut owed = Owed::from_slice(owed);
        let mut pay = |batch: &mut Batch, up_to: Position| {
            owed.retain(|&mut (n, at)| {
                if at <= up_to {
                    batch.push(ack(n, room, at));
                }
                at > up_to
            });
        };
        let mut send = |batch: &mut Batch, kept: &Kept| {
            if !self.muted {
                batch.extend(kept.public.clone());
                batch.extend(kept.part(&self.user).cloned());
            }
            pay(batch, kept.at);
        };
        let since = match self.cursor {
            Cursor::At(seq) => window.since(seq),
            Cursor::Lost if !self.muted => {
                batch.push(frame(&ClientOut::Notice {
                    room: Some(room.clone()),
                    code: NoticeCode::HistoryLost,
                    message: "the last frames were lost; the room goes on from here".into(),
                }));
                None
            }
            _ => None,
        };
        match since {
            Some(frames) => frames.for_each(|kept| send(&mut batch, kept)),
            None => window.since_keyframe().for_each(|kept| send(&mut batch, kept)),
        }
        pay(&mut batch, live_end);
        (batch, owed)
    }

    /// Gives a watcher up that claims more than the journal of a read which began after it came.
    pub(crate) fn settle(&mut self, window: &Window, read: u32) -> bool {
        match self.cursor {
            Cursor::Said(at, before) if before < read && window.place(at) == Place::Ahead => {
                self.cursor = Cursor::Lost;
                true
            }
            _ => false,
        }
    }
}

fn behind(room: &RoomId, by_ms: u32) -> Frame {
    frame(&ClientOut::Behind { room: room.clone(), by_ms })
}

pub(crate) fn ack(n: u64, room: &RoomId, at: Position) -> Frame {
    frame(&ClientOut::Ack { n, room: room.clone(), epoch: at.epoch(), seq: at.seq() })
}
