//! A room whose rail is shown it late: what holds for the rail, and the frames that it has by now.
//!
//! Such a room has two windows here. Players get what the newest frames say, everybody else what those say that are old enough; both are
//! served by the same few lines ([`delivery`](crate::delivery)). Between the two stands the *line*: frames that are not due yet, in the journal's order.
//! It is bounded in bytes. What does not fit is left to the journal, which keeps it for longer than the delay, and is read again when there is room;
//! so it is, too, when the first of the rail comes, since a room that only players watch needs no line.
//!
//! What a room tells its rail [at once](RailPart::at_once) its owner has held back for as long as the delay. It stands beside all this: the newest is kept, and
//! goes to everybody who is behind and has not got it.
//!
//! Nobody waits for a single frame or for a single watcher: rooms with a line are [looked at](crate::works::Works::attend) now and then, and the
//! line is as exact as that. A frame may be late by it, and is never early.

use std::{collections::VecDeque, sync::LazyLock};

use broker::entry::{Delay, Entry, Kind, Private, Rail as RailPart};
use bytes::Bytes;
use protocol::{
    id::{Position, Seq, UserId},
    time::UnixMs,
};
use ws::Frame;

use crate::{
    planted::{Fault, is_planted},
    window::{Offered, Source, Window},
};

/// What a frame costs in the line beside its parts, bytes.
const FRAME_BYTES: usize = 256;

/// What is known of a room's rail.
#[derive(Default)]
pub(crate) struct Rail {
    /// What holds since the newest frame; `None`: it is live.
    delay: Option<Delay>,
    /// What the rail has; there once somebody is of it.
    behind: Option<Box<Behind>>,
    /// What it was told at once last.
    told: Option<Told>,
}

/// What the rail is told at once.
pub(crate) struct Told {
    /// With which frame.
    pub(crate) at: Position,
    except: Vec<UserId>,
    pub(crate) frame: Frame,
}

impl Told {
    /// Whether this user, who is of the rail, gets it.
    pub(crate) fn is_for(&self, user: &UserId) -> bool {
        !self.except.contains(user)
    }
}

impl Rail {
    /// Whether this user is shown the room late.
    pub(crate) fn is_behind(&self, user: &UserId) -> bool {
        self.delay.as_ref().is_some_and(|delay| !delay.live.contains(user))
    }

    /// By how much, milliseconds; 0: it is live.
    pub(crate) fn by_ms(&self) -> u32 {
        self.delay.as_ref().map_or(0, |delay| delay.ms)
    }

    /// What holds with a frame; whether that differs from what held before.
    pub(crate) fn holds(&mut self, delay: Option<&Delay>) -> bool {
        let differs = self.delay.as_ref() != delay;
        if differs {
            self.delay = delay.cloned();
        }
        differs
    }

    /// Takes what a frame that players get tells the rail at once. `begins_anew`: what came before it is gone, or not known.
    pub(crate) fn hears(&mut self, entry: &Entry, begins_anew: bool) {
        let part = entry.rail.as_ref().filter(|part| part.at_once && entry.delay.is_some());
        // A keyframe has once more what was told last.
        let is_repeated = entry.kind == Kind::Keyframe && self.told.is_some() && !begins_anew;
        if let Some(part) = part.filter(|_| !is_repeated) {
            let (except, frame) = (part.except.clone(), Frame::text_from_utf8_bytes(&part.bytes));
            self.told = Some(Told { at: entry.at, except, frame });
        } else if begins_anew {
            self.told = None;
        }
    }

    /// What it was told at once last.
    pub(crate) fn told(&self) -> Option<&Told> {
        self.told.as_ref()
    }

    /// Whether this user, who is live, is not any more with a frame with which this holds.
    pub(crate) fn ends_for(&self, user: &UserId, delay: Option<&Delay>) -> bool {
        !self.is_behind(user) && delay.is_some_and(|delay| !delay.live.contains(user))
    }

    /// The frames that are due. Empty, as long as they have not been read.
    pub(crate) fn window(&self) -> &Window {
        static NOTHING: LazyLock<Window> = LazyLock::new(Window::default);
        self.behind.as_ref().map_or(&NOTHING, |behind| &behind.window)
    }

    /// Whether [`Rail::window`] says what is due: the journal has been read for it.
    pub(crate) fn is_read(&self) -> bool {
        self.behind.as_ref().is_some_and(|behind| behind.is_read)
    }

    /// After which entry the journal is to be read for it, if it is.
    pub(crate) fn reads_after(&self, now_ms: UnixMs, bytes_max: usize) -> Option<Position> {
        self.behind.as_ref()?.reads_after(now_ms, bytes_max)
    }

    pub(crate) fn behind(&mut self) -> Option<&mut Behind> {
        self.behind.as_deref_mut()
    }

    /// Somebody is of the rail: its frames are kept from now on. `end`: the room's last frame here.
    pub(crate) fn begin(&mut self, end: Option<Position>) {
        self.behind.get_or_insert_with(|| Box::new(Behind::new(end.unwrap_or_default())));
    }
}

/// See the module.
pub(crate) struct Behind {
    window: Window,
    line: VecDeque<Late>,
    /// Of the line.
    bytes: usize,
    /// The last entry that is in the window or in the line, or was passed over.
    last: Position,
    /// The last entry that is known to be in the journal.
    known: Position,
    /// The journal has, or may have, entries between the two.
    lacks: bool,
    /// The journal has been read once.
    is_read: bool,
    /// It is not read sooner.
    read_after_ms: UnixMs,
}

struct Late {
    due_ms: UnixMs,
    bytes: usize,
    entry: Entry,
}

/// What time has brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Released {
    /// There are frames to deliver.
    pub(crate) any: bool,
    /// History from there on is not what it was.
    pub(crate) lost_from: Option<Seq>,
    /// The room has ended.
    pub(crate) ended: bool,
}

impl Behind {
    fn new(known: Position) -> Self {
        Self {
            window: Window::default(),
            line: VecDeque::new(),
            bytes: 0,
            last: Position::default(),
            known,
            lacks: true,
            is_read: false,
            read_after_ms: 0,
        }
    }

    fn reads_after(&self, now_ms: UnixMs, bytes_max: usize) -> Option<Position> {
        let has_room = self.bytes <= bytes_max / 2;
        (self.lacks && has_room && now_ms >= self.read_after_ms).then_some(self.last)
    }

    /// Whether there is anything that time brings.
    pub(crate) fn waits(&self) -> bool {
        self.lacks || !self.line.is_empty()
    }

    /// An entry that has just come to the players. `now_ms`: when; it is not older than that by the sender's clock either, so a relay whose clock is
    /// ahead shows nothing early.
    pub(crate) fn heard(&mut self, entry: &Entry, source: Source, now_ms: UnixMs, bytes_max: usize) {
        self.known = self.known.max(entry.at);
        if self.lacks || entry.at <= self.last {
            return;
        }
        let mut due_ms = due_ms(entry);
        if source == Source::Bus && due_ms > 0 {
            let delay_ms = entry.delay.as_ref().map_or(0, |delay| delay.ms);
            due_ms = due_ms.max(now_ms + UnixMs::from(delay_ms));
        }
        self.lacks = !self.put(entry, due_ms, bytes_max);
    }

    /// Entries that the journal has after [`Behind::last`]; `is_all`: it has no more.
    pub(crate) fn read(
        &mut self,
        entries: &[Entry],
        is_all: bool,
        now_ms: UnixMs,
        (bytes_max, pause_ms): (usize, u64),
        spare: usize,
    ) -> Released {
        let mut released = Released::default();
        for entry in entries {
            if entry.at <= self.last {
                continue;
            }
            if !self.put(entry, due_ms(entry), bytes_max) {
                self.is_read = true;
                return released;
            }
            // What is due needs no room in the line.
            released.add(self.release(now_ms, spare));
        }
        if !is_all {
            return released;
        }
        released.any |= !std::mem::replace(&mut self.is_read, true);
        self.lacks = self.last < self.known;
        // What is known and not there is lost, or comes: it is looked for again.
        self.read_after_ms = now_ms + pause_ms;
        released
    }

    /// Puts an entry into the line; `false` if there is no room.
    fn put(&mut self, entry: &Entry, due_ms: UnixMs, bytes_max: usize) -> bool {
        let bytes = FRAME_BYTES + parts_bytes(entry);
        // One that is larger than all room is taken when the line is empty: else nothing would come after it.
        if self.bytes + bytes > bytes_max && !self.line.is_empty() {
            return false;
        }
        self.last = entry.at;
        if entry.kind != Kind::Claim {
            self.bytes += bytes;
            self.line.push_back(Late { due_ms, bytes, entry: alone(entry) });
        }
        true
    }

    /// Moves what is due into the window.
    pub(crate) fn release(&mut self, now_ms: UnixMs, spare: usize) -> Released {
        let mut released = Released::default();
        let mut early = u32::from(is_planted(Fault::ShowsOneEarly));
        while let Some(front) = self.line.front() {
            if front.due_ms > now_ms {
                if early == 0 {
                    break;
                }
                early -= 1;
            }
            let Some(Late { entry, bytes, .. }) = self.line.pop_front() else { break };
            self.bytes -= bytes;
            match self.window.offer(&entry, Source::Journal, spare) {
                Offered::Old | Offered::Hole => {}
                Offered::Next | Offered::Anew => released.any = true,
                Offered::Lost(from) => {
                    released.any = true;
                    released.lost_from = Some(released.lost_from.map_or(from, |earlier| earlier.min(from)));
                }
                Offered::Ended => released.ended = true,
            }
        }
        released
    }

    /// The broker has lost what stood there: the rail is not shown what nobody has a part in any more.
    pub(crate) fn lose_from(&mut self, seq: Seq) {
        self.line.retain(|late| late.entry.at.seq() < seq);
        self.bytes = self.line.iter().map(|late| late.bytes).sum();
    }
}

impl Released {
    fn add(&mut self, more: Self) {
        let Self { any, lost_from, ended } = more;
        self.any |= any;
        self.ended |= ended;
        self.lost_from = match (self.lost_from, lost_from) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

fn due_ms(entry: &Entry) -> UnixMs {
    if entry.kind == Kind::Keyframe && is_planted(Fault::ShowsKeyframesLive) { 0 } else { entry.due_ms() }
}

fn parts_bytes(entry: &Entry) -> usize {
    let privates: usize = entry.privates.iter().map(|part| part.bytes.len()).sum();
    entry.public.len() + privates + entry.rail.as_ref().map_or(0, |rail| rail.bytes.len())
}

/// The entry in bytes of its own: those that it came in may be a journal's answer of many, and would live as long as one of them.
fn alone(entry: &Entry) -> Entry {
    let copy = |bytes: &Bytes| Bytes::copy_from_slice(bytes);
    let private = |part: &Private| Private { user: part.user.clone(), bytes: copy(&part.bytes) };
    let rail = |rail: &RailPart| RailPart { bytes: copy(&rail.bytes), ..rail.clone() };
    Entry {
        kind: entry.kind,
        room: entry.room.clone(),
        at: entry.at,
        cause: entry.cause.clone(),
        follows: entry.follows,
        at_ms: entry.at_ms,
        delay: None,
        places: None,
        privates: entry.privates.iter().map(private).collect(),
        rail: entry.rail.as_ref().filter(|rail| !rail.at_once).map(rail),
        public: copy(&entry.public),
        secret: Bytes::new(),
    }
}
