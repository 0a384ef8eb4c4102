//! The runtime that every kind of room gets: a [`Room`] is a deterministic state machine, the runtime gives it a
//! mailbox, deduplication, presence, a clock, durable frames, takeover and hand-over.
//!
//! In reading order:
//!
//! - this file: what a kind of room must be able to do.
//! - [`mailbox`]: what waits for a room; [`switchboard`]: from channels to mailboxes.
//! - [`answers`]: exactly once; [`refusals`]: what of that the next owner must know and no journal says; [`presence`]: which session plays for a member; [`places`]: who may watch where only so many may; [`talk`]: how fast users may talk.
//! - [`errands`]: what rooms want of services outside.
//! - [`chance`]: randomness that does not tell what was drawn from it.
//! - [`frame`] and [`record`]: what an entry holds for clients, and for the next owner.
//! - [`journal`]: committing, and finding out what became of a commit.
//! - [`kinds`]: which kinds of rooms a worker runs; [`any`]: a room of whatever kind, as the runtime holds it.
//! - [`takeover`]: claiming a room and restoring it.
//! - [`letters`]: what rooms write to each other.
//! - [`runtime`]: the loop that puts all this together; in it `stall`: a room that cannot store anything.

pub mod answers;
mod any;
pub mod chance;
pub mod errands;
pub mod frame;
pub mod journal;
pub mod kinds;
pub mod letters;
pub mod mailbox;
pub mod places;
pub mod presence;
pub mod record;
pub mod refusals;
pub mod runtime;
pub mod switchboard;
pub mod takeover;
pub mod talk;

use broker::{lobby::Line, node::RoomSpec};
use protocol::{
    RefusalCode,
    id::{Position, RoomId, UserId},
    rights::Rights,
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use smallvec::SmallVec;

use self::{
    errands::{Ask, Errand, ErrandId, Errands, Outcome},
    letters::{Letter, LetterId, Said},
    record::BadRecord,
};

/// What a room tells, as clients get it.
///
/// # Panics
/// If it is no JSON: a fault of ours.
pub fn json<T: Serialize + ?Sized>(part: &T) -> Box<RawValue> {
    to_raw_value(part).expect("what rooms tell is JSON")
}

/// A kind of room: a state machine without I/O, clock or randomness of its own.
///
/// Its serialized form is what a keyframe's sealed record holds, so that another worker can go on with it; see [`record`].
pub trait Room: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// A fact in the room's own words: what the journal's sealed records hold.
    type Event: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The number of this kind of room in records. Given once and for ever.
    const KIND: u8;

    /// What the first release that has this kind of room [speaks](broker::node::SPEAKS).
    const SINCE: u16;

    /// What it is called in the map of rooms and in keyframes. Given once and for ever.
    const NAME: &'static str;

    /// As which kind clients follow it, if it tells them what rooms of another kind do, and perhaps more: its name in keyframes.
    const SEEN_AS: &'static str = Self::NAME;

    /// The version of what this kind of room writes into records; grows by one with every change of it.
    const SCHEMA: u16;

    /// Whether rooms of this kind write to others or hear from them. If not, they do not listen.
    const WRITES_LETTERS: bool = false;

    /// Whether what it says is mostly for single users: then a decision whose [public part](Decision::public) is empty comes to nobody but
    /// those who have a part of it, and each private part says in `k` how many the user has got, it included.
    const SPARSE: bool = false;

    /// Whether it is shown late where its rail is set to be. A kind that is not shows itself live, and is set so for the rooms that it opens: every
    /// room is shown as late as the one that has opened it.
    const SHOWN_LATE: bool = true;

    /// Whether its rail, where that is shown it late, is told [what is for it](Decision::rail) at once all the same: such a kind holds that back by
    /// itself, for as long as the delay, so that it is nowhere before it is due.
    const TELLS_RAIL_AT_ONCE: bool = false;

    /// A service that it tells, by errands that want no answer, of what it has finished. The last ones that it was told [stay open](errands::TOLD_KEPT)
    /// until others are: so every new owner tells them once more, and so does an owner whose store may have lost something.
    const TELLS: Option<&'static str> = None;

    /// Takes a room off a record that was written in this schema, which may be an older one.
    ///
    /// # Errors
    /// [`BadRecord`].
    fn read(schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord>;

    /// The same for a delta's events.
    ///
    /// # Errors
    /// [`BadRecord`].
    fn read_events(schema: u16, record: &mut &[u8]) -> Result<Vec<Self::Event>, BadRecord>;

    /// How the first release wrote it; `None` for kinds that came [later](Room::SINCE).
    fn first_release() -> Option<FirstRelease<Self>> {
        None
    }

    /// How the release after the first one wrote it, and in which schema; `None` if as now, and for kinds that came [later](Room::SINCE).
    fn second_release() -> Option<(u16, FirstRelease<Self>)> {
        None
    }

    /// A new room.
    ///
    /// # Errors
    /// [`BadSpec`].
    fn open(spec: &RoomSpec) -> Result<Self, BadSpec>;

    /// Decides what follows from an input now. Nothing has changed until the decision is committed. What is drawn from `rng` tells nothing
    /// of what was drawn before or will be: what must stay secret for a while is drawn when it is needed, and forgotten when it is over.
    ///
    /// # Errors
    /// A [`Refusal`]; only for [`Input::Command`].
    fn decide(&self, input: Input<'_>, moment: Moment, rng: &mut dyn Rng) -> Result<Decision<Self>, Refusal>;

    /// Does what an event of the frame there says. Live and on restoring it is the same function.
    fn apply(&mut self, event: &Self::Event, at: Position);

    /// When [`Input::Clock`] is due; `None` while nothing is.
    fn deadline(&self) -> Option<UnixMs>;

    /// Whether its clock stands until the service that it [tells](Room::TELLS) has heard all: nothing new begins before.
    fn waits_to_be_heard(&self) -> bool {
        false
    }

    /// Whether there will be nothing more to decide, but outcomes: once the last errand is settled, the room ends, and is nowhere.
    /// Until then it refuses whatever is commanded.
    fn is_over(&self) -> bool {
        false
    }

    /// From whom it hears letters. It may write to others, who hear it if it is among theirs.
    fn peers(&self) -> Vec<RoomId> {
        Vec::new()
    }

    /// Whether it hears letters of this room.
    fn hears(&self, room: &RoomId) -> bool {
        self.peers().contains(room)
    }

    /// Whether it expects no more letters of a room that it has heard. When that one has ended it is forgotten, which else waits for the
    /// next owner.
    fn has_done_with(&self, room: &RoomId) -> bool {
        let _ = room;
        false
    }

    /// The state as everybody sees it: a keyframe's `state`.
    fn view(&self) -> Box<RawValue>;

    /// What each member sees beyond that, members without secrets included: relays learn from it who is a member.
    fn privates(&self) -> Vec<(UserId, Box<RawValue>)>;

    /// What all who watch and are no members see beyond what everybody sees: the newest of what [decisions](Decision::rail) have told them.
    /// A kind that tells its rail nothing leaves this out; a [sparse](Room::SPARSE) one cannot tell it anything.
    fn rail(&self) -> Option<Box<RawValue>> {
        None
    }

    /// Answers a question of anybody's, given as the JSON text of its `q`, with what this user may know. It is asked of committed states
    /// only.
    ///
    /// # Errors
    /// A [`Refusal`], mostly [`RefusalCode::BadQuestion`].
    fn answer(&self, user: &UserId, question: &[u8]) -> Result<Box<RawValue>, Refusal> {
        let _ = (user, question);
        Err(Refusal::new(RefusalCode::BadQuestion, "rooms of this kind answer no questions"))
    }

    /// The same for a kind that also tells what it has asked of services outside and is not settled.
    ///
    /// # Errors
    /// As of [`Room::answer`].
    fn answer_with(
        &self,
        user: &UserId,
        question: &[u8],
        errands: &Errands,
    ) -> Result<Box<RawValue>, Refusal> {
        let _ = errands;
        self.answer(user, question)
    }

    /// Whether it matters to the room where this user is.
    fn is_member(&self, user: &UserId) -> bool;

    /// All of them, in a fixed order.
    fn members(&self) -> Vec<UserId>;

    /// Who is shown the room at once where its rail is shown it late: who must see what happens to act on it. All members, unless some of them
    /// only wait for something.
    fn live(&self) -> Vec<UserId> {
        self.members()
    }

    /// Who needs no place on the rail where only so many may watch: who has a part in the room, of whatever kind. All members, and who must see what
    /// happens.
    fn insiders(&self) -> Vec<UserId> {
        let mut insiders = self.members();
        insiders.extend(self.live());
        insiders
    }

    /// The room's line in the lobby; `None` for one that is not shown there.
    fn line(&self, room: &RoomId, now: UnixMs) -> Option<Line>;
}

/// Writing records as an earlier release did, as far as its words go, for workers of that release.
pub struct FirstRelease<R: Room> {
    /// Puts the room into a record.
    pub write: fn(&R, Vec<u8>) -> Vec<u8>,
    /// The same for a delta's events.
    pub write_events: fn(Vec<u8>, &[R::Event]) -> Vec<u8>,
}

/// A spec that describes no room of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSpec(pub String);

impl From<serde_json::Error> for BadSpec {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// When and where something is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub now: UnixMs,
    /// Where the frame will stand, if there is one: the name of what is decided.
    pub at: Position,
}

/// What a room decides on.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A client asks something. An accepted command has at least one event.
    Command {
        /// Who.
        user: &'a UserId,
        /// The name that others see.
        name: &'a str,
        /// What their token says that they may do.
        rights: Rights,
        /// The JSON text of the command's `do`.
        body: &'a [u8],
    },
    /// A member's connection is gone, or is back. Told on every change and perhaps again.
    Away {
        /// Whose.
        user: &'a UserId,
        /// Gone?
        away: bool,
    },
    /// The deadline has passed.
    Clock,
    /// This worker has taken the room over; told right after the restored keyframe. Told again, without a loss, when the room goes
    /// on after it could not store anything for a while.
    TakenOver {
        /// Whoever is to act has at least so long, milliseconds.
        grace_ms: u64,
        /// Acknowledged frames that the journal no longer held, at least.
        frames_lost: u64,
    },
    /// An errand that wanted an answer has one. Told once; the errand is settled with the frame.
    Outcome {
        /// Which.
        errand: &'a Errand,
        /// What came of it.
        outcome: &'a Outcome,
    },
    /// Another room has written: told once, and in the order in which that room wrote.
    Told {
        /// Who.
        from: &'a RoomId,
        /// The letter's name, to be referred to by a letter that uses it up.
        letter: LetterId,
        /// What it says.
        body: &'a [u8],
    },
    /// After a takeover every room has said what it has heard from this one. These letters this room has written and forgotten, since the
    /// store has lost the end of its journal: they are said, and whoever heard them has acted on them. Mostly there are none. Letters
    /// are told from now on.
    Recalled {
        /// To whom, in the order in which they were written.
        letters: &'a [(RoomId, Letter)],
    },
    /// A room has ended to which this one has written, or from which it has heard. What it was told last is not heard by anybody.
    Gone {
        /// Which.
        room: &'a RoomId,
    },
    /// What this room and another one remember of their letters cannot be reconciled: they write to each other no more. Told again after a takeover.
    Diverged {
        /// The other.
        from: &'a RoomId,
    },
}

/// What decisions are about: a [`Room`] of one kind, or, in the runtime, of any.
pub trait Held {
    /// What happens there, in the room's own words.
    type Events;
}

impl<R: Room> Held for R {
    type Events = Vec<R::Event>;
}

/// What is to be committed.
#[derive(Debug, Clone)]
pub struct Decision<R: Held> {
    /// The facts. None: there is nothing to commit.
    pub events: R::Events,
    /// The frame's `events`: a JSON array.
    pub public: Box<RawValue>,
    /// What single users get with the frame.
    pub privates: Vec<(UserId, Box<RawValue>)>,
    /// What the rail gets with the frame: all who watch, but for those who are members before it or after it. It replaces what the rail was
    /// told before, so [`Room::rail`] is it from now on.
    pub rail: Option<Box<RawValue>>,
    /// What is to be done outside, once this is durable.
    pub asks: Vec<Ask>,
    /// Errands that are given up: they are not asked any more, and their outcomes are nobody's.
    pub gives_up: Vec<ErrandId>,
    /// What is said to other rooms, once this is durable.
    pub letters: Vec<Said>,
    /// The state with all events applied.
    pub after: R,
    /// Whether members, or anything else in the room's line in the lobby, may have changed.
    pub lobby: bool,
    /// What has happened how often, by the names of the metrics that count it.
    pub counts: SmallVec<[(&'static str, u64); 1]>,
    /// It is somebody's talk and nothing else: the runtime lets each user say only so much.
    pub is_talk: bool,
}

/// What has happened so often, for [`Decision::counts`].
pub fn counted(what: &'static str, count: u64) -> SmallVec<[(&'static str, u64); 1]> {
    (count > 0).then_some((what, count)).into_iter().collect()
}

impl<R: Room> Decision<R> {
    /// Nothing changes.
    pub fn nothing(room: R) -> Self {
        Self {
            events: Vec::new(),
            public: RawValue::from_string("[]".into()).expect("that is JSON"),
            privates: Vec::new(),
            rail: None,
            asks: Vec::new(),
            gives_up: Vec::new(),
            letters: Vec::new(),
            after: room,
            lobby: false,
            counts: SmallVec::new(),
            is_talk: false,
        }
    }
}

/// Why a command was not accepted.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people.
    pub message: String,
    /// What would be legal, in the words of the room's kind.
    pub legal: Option<Box<RawValue>>,
    /// Try again after so many milliseconds; nothing where waiting does not help.
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal without a list of what is legal.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), legal: None, retry_after_ms: None }
    }

    /// One that holds for so long.
    pub fn for_now(code: RefusalCode, message: impl Into<String>, retry_after_ms: u64) -> Self {
        Self { retry_after_ms: Some(retry_after_ms), ..Self::new(code, message) }
    }
}
