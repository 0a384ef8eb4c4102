//! What the next owner of a room reads: sealed records, never the JSON that clients get (`docs/decisions/0001`).
//!
//! A keyframe's record is the whole [`Journaled`] state, a delta's record the events and what else changed with them.
//! [`Journaled::apply`] is the only way in which that state changes, live and on restoring.
//!
//! A record outlives the release that wrote it: a deploy takes tables over in the middle of a hand. So it begins with a head
//! (all in postcard, one after the other, and nothing may follow):
//!
//! ```text
//! u8 kind of room, u16 schema of that kind, u8 version of the runtime's part (1)
//! then, of a keyframe:  answers, sessions, errands, letters, the room
//!      of a delta:      who plays from now on, time, errands asked and settled, letters, the room's events
//! ```
//!
//! The release after the first one wrote the head without the runtime's version, and knew no errands and no letters ([`Form::Headed`]). The first release wrote no head ([`Form::Bare`]), and had rooms of one kind. All are read, and are written as long as a worker lives that reads nothing
//! else ([`Membership::workers_speak`](broker::members::Membership)).

use broker::{
    entry::{Cause, Entry},
    seal::{Form, Sealer, Unsealable},
};
use protocol::{
    id::{Position, SessionId, UserId},
    time::UnixMs,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    FirstRelease, Room,
    answers::{Applied, Memory, first_release},
    any::{AnyEvents, AnyRoom, Kind},
    errands::{Ask, ErrandId, Errands},
    letters::{self, Correspondence},
    presence::Sessions,
};

/// The version of the runtime's part.
const RUNTIME: u8 = 1;

/// Records without a head are of rooms of this kind.
const KIND_OF_THE_FIRST_RELEASE: u8 = 1;

/// The state of a room and what the runtime must remember with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Journaled<R> {
    /// The room itself.
    pub room: R,
    /// Which commands were applied, and where.
    pub applied: Applied,
    /// Which sessions play.
    pub sessions: Sessions,
    /// What is to be done outside.
    pub errands: Errands,
    /// What it has said to other rooms and heard from them.
    pub letters: Correspondence,
}

/// A delta's record, with the room's events as a list of these, or as the runtime holds them.
#[derive(Debug, Clone, PartialEq)]
pub struct Delta<L> {
    /// The facts.
    pub events: L,
    /// This session plays for this member from now on.
    pub plays: Option<(UserId, SessionId)>,
    /// When it was decided; 0 in records of the first release.
    pub at_ms: UnixMs,
    /// Errands that were decided with it.
    pub asks: Vec<Ask>,
    /// Errands that are over with it.
    pub settled: Vec<ErrandId>,
    /// Letters that were said and heard with it, if any were.
    pub letters: Option<Box<letters::Delta>>,
}

impl<L> Delta<L> {
    /// Of events and nothing else.
    pub fn of(events: L, at_ms: UnixMs) -> Self {
        Self { events, plays: None, at_ms, asks: Vec::new(), settled: Vec::new(), letters: None }
    }
}

/// A record that is no record of this room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// See [`Unsealable`].
    #[error(transparent)]
    Sealed(#[from] Unsealable),
    /// It opens, but is not what its head says.
    #[error("a record that does not read as what it says it is: {0}")]
    Foreign(#[from] postcard::Error),
    /// It is of another kind of room.
    #[error("a record of a room of kind {0}")]
    Kind(u8),
    /// A later release wrote it, or one that is too old.
    #[error("a record of schema {schema}; this release reads up to {known}")]
    Schema {
        /// The record's.
        schema: u16,
        /// The latest known.
        known: u16,
    },
    /// A later release wrote it.
    #[error("a record whose runtime part has version {0}, this release reads version {RUNTIME}")]
    Runtime(u8),
    /// It is followed by something.
    #[error("a record with {0} bytes too many")]
    TooLong(usize),
}

/// Takes a value off the front of a record.
///
/// # Errors
/// [`BadRecord::Foreign`].
pub fn take<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, BadRecord> {
    let (value, rest) = postcard::take_from_bytes(bytes)?;
    *bytes = rest;
    Ok(value)
}

/// Puts a value at the end of a record.
///
/// # Panics
/// Never: what records hold has known lengths.
pub fn put<T: Serialize + ?Sized>(bytes: Vec<u8>, value: &T) -> Vec<u8> {
    postcard::to_extend(value, bytes).expect("what records hold has known lengths")
}

/// What can be sealed into an entry.
pub trait Record: Sized {
    /// The record's bytes in this form.
    fn write(&self, form: Form) -> Vec<u8>;

    /// Reads it again; `now` stands in for times that the form does not tell.
    ///
    /// # Errors
    /// [`BadRecord`], whatever the bytes are; never a panic.
    fn read(form: Form, bytes: &[u8], now: UnixMs) -> Result<Self, BadRecord>;
}

/// Reads a record, as [`Record::read`] does.
pub(super) type Read<T> = fn(Form, &[u8], UnixMs) -> Result<T, BadRecord>;

/// The head of a record in a form that has one.
fn head(kind: &Kind, form: Form) -> Vec<u8> {
    let schema = if form == Form::Headed { (kind.headed_schema)() } else { kind.schema };
    let head = put(put(Vec::new(), &kind.number), &schema);
    if form == Form::Headed { head } else { put(head, &RUNTIME) }
}

/// How rooms of a kind are written in a form, if not as now.
fn words<R: Room>(form: Form) -> Option<FirstRelease<R>> {
    match form {
        Form::Bare => {
            Some(R::first_release().expect("only kinds of the first release are written without a head"))
        }
        Form::Headed => R::second_release().map(|(_, words)| words),
        Form::Versioned => None,
    }
}

/// Puts a room into a record of this form.
pub(super) fn write_room<R: Room>(room: &R, form: Form, record: Vec<u8>) -> Vec<u8> {
    match words::<R>(form) {
        Some(words) => (words.write)(room, record),
        None => put(record, room),
    }
}

/// The same for events.
pub(super) fn write_events<R: Room>(events: &[R::Event], form: Form, record: Vec<u8>) -> Vec<u8> {
    match words::<R>(form) {
        Some(words) => (words.write_events)(record, events),
        None => put(record, events),
    }
}

/// The form in which a room of this kind is written where records have this form: a kind that came later is read by no worker of the
/// first release in any.
pub(super) fn form_of(kind: &Kind, form: Form) -> Form {
    let oldest = match kind.since {
        1 => Form::Bare,
        2 => Form::Headed,
        _ => Form::Versioned,
    };
    form.max(oldest)
}

/// The schema of records without a head.
fn first_schema<R: Room>() -> Result<u16, BadRecord> {
    if R::KIND == KIND_OF_THE_FIRST_RELEASE { Ok(1) } else { Err(BadRecord::Kind(KIND_OF_THE_FIRST_RELEASE)) }
}

/// For kinds that have had one schema so far: whether that is it.
///
/// # Errors
/// [`BadRecord::Schema`].
pub fn is_of<R: Room>(schema: u16) -> Result<(), BadRecord> {
    let known = R::SCHEMA;
    if schema == known { Ok(()) } else { Err(BadRecord::Schema { schema, known }) }
}

/// Of which kind of room an opened record is.
///
/// # Errors
/// [`BadRecord::Foreign`].
pub fn kind(form: Form, mut record: &[u8]) -> Result<u8, BadRecord> {
    match form {
        Form::Bare => Ok(KIND_OF_THE_FIRST_RELEASE),
        Form::Headed | Form::Versioned => take(&mut record),
    }
}

/// Takes the head off; answers the schema.
fn take_head(kind: u8, form: Form, bytes: &mut &[u8]) -> Result<u16, BadRecord> {
    let read: u8 = take(bytes)?;
    if read != kind {
        return Err(BadRecord::Kind(read));
    }
    let schema = take(bytes)?;
    if form == Form::Versioned {
        match take(bytes)? {
            RUNTIME => {}
            other => return Err(BadRecord::Runtime(other)),
        }
    }
    Ok(schema)
}

fn end<T>(read: T, left: &[u8]) -> Result<T, BadRecord> {
    if left.is_empty() { Ok(read) } else { Err(BadRecord::TooLong(left.len())) }
}

/// A keyframe's record of this kind and form, whose room `write_room` writes.
fn write_state<R>(
    state: &Journaled<R>,
    kind: &Kind,
    form: Form,
    write_room: impl FnOnce(&R, Vec<u8>) -> Vec<u8>,
) -> Vec<u8> {
    let Journaled { room, applied, sessions, errands, letters } = state;
    // What is only to be told is not told again by whoever reads no errands.
    let says_all = errands.waiting() == 0 && letters.is_empty();
    assert!(form == Form::Versioned || says_all, "a form that holds errands and letters");
    match form {
        Form::Bare => {
            let record = write_room(room, Vec::new());
            put(put(record, &first_release::Applied::of(applied)), sessions)
        }
        Form::Headed => write_room(room, put(put(head(kind, form), applied), sessions)),
        Form::Versioned => {
            let record = put(put(head(kind, form), applied), sessions);
            write_room(room, put(put(record, errands), letters))
        }
    }
}

/// A delta's record of this kind and form, whose events `write_events` writes.
fn write_delta<L>(
    delta: &Delta<L>,
    kind: &Kind,
    form: Form,
    write_events: impl FnOnce(&L, Vec<u8>) -> Vec<u8>,
) -> Vec<u8> {
    let Delta { events, plays, at_ms, asks, settled, letters } = delta;
    let says_all = !asks.iter().any(|ask| ask.wants_answer) && letters.is_none();
    assert!(form == Form::Versioned || says_all, "a form that holds errands and letters");
    match form {
        Form::Bare => put(write_events(events, Vec::new()), plays),
        Form::Headed => write_events(events, put(put(head(kind, form), plays), at_ms)),
        Form::Versioned => {
            let record = put(put(head(kind, form), plays), at_ms);
            write_events(events, put(put(put(record, asks), settled), letters))
        }
    }
}

impl<R: Room> Record for Journaled<R> {
    fn write(&self, form: Form) -> Vec<u8> {
        write_state(self, Kind::of::<R>(), form, |room, record| write_room(room, form, record))
    }

    fn read(form: Form, bytes: &[u8], now: UnixMs) -> Result<Self, BadRecord> {
        let mut left = bytes;
        let read = match form {
            Form::Bare => {
                let room = R::read(first_schema::<R>()?, &mut left)?;
                let applied: first_release::Applied = take(&mut left)?;
                let (applied, sessions) = (applied.read(now), take(&mut left)?);
                let (errands, letters) = (Errands::default(), Correspondence::default());
                Self { room, applied, sessions, errands, letters }
            }
            Form::Headed | Form::Versioned => {
                let schema = take_head(R::KIND, form, &mut left)?;
                let (applied, sessions) = (take(&mut left)?, take(&mut left)?);
                let (errands, letters) = match form {
                    Form::Versioned => (take(&mut left)?, take(&mut left)?),
                    _ => (Errands::default(), Correspondence::default()),
                };
                Self { room: R::read(schema, &mut left)?, applied, sessions, errands, letters }
            }
        };
        end(read, left)
    }
}

/// A delta's record with the room that it is of: its events alone do not say.
pub struct DeltaOf<'a, R: Room>(pub std::borrow::Cow<'a, Delta<Vec<R::Event>>>);

impl<R: Room> Record for DeltaOf<'_, R> {
    fn write(&self, form: Form) -> Vec<u8> {
        let write_events = |events: &Vec<R::Event>, record| write_events::<R>(events, form, record);
        write_delta(&self.0, Kind::of::<R>(), form, write_events)
    }

    fn read(form: Form, bytes: &[u8], _now: UnixMs) -> Result<Self, BadRecord> {
        let mut left = bytes;
        let read = match form {
            Form::Bare => {
                let events = R::read_events(first_schema::<R>()?, &mut left)?;
                Delta { plays: take(&mut left)?, ..Delta::of(events, 0) }
            }
            Form::Headed => {
                let schema = take_head(R::KIND, form, &mut left)?;
                let (plays, at_ms) = (take(&mut left)?, take(&mut left)?);
                Delta { plays, ..Delta::of(R::read_events(schema, &mut left)?, at_ms) }
            }
            Form::Versioned => {
                let schema = take_head(R::KIND, form, &mut left)?;
                let (plays, at_ms) = (take(&mut left)?, take(&mut left)?);
                let (asks, settled, letters) = (take(&mut left)?, take(&mut left)?, take(&mut left)?);
                Delta {
                    plays,
                    asks,
                    settled,
                    letters,
                    ..Delta::of(R::read_events(schema, &mut left)?, at_ms)
                }
            }
        };
        end(Self(std::borrow::Cow::Owned(read)), left)
    }
}

impl<R: Room> Journaled<R> {
    /// Does what a committed delta says.
    pub fn apply(
        &mut self,
        delta: &Delta<Vec<R::Event>>,
        cause: Option<&Cause>,
        at: Position,
        memory: &Memory,
    ) {
        for event in &delta.events {
            self.room.apply(event, at);
        }
        self.settle(delta, cause, at, memory, R::is_member);
    }
}

impl Journaled<AnyRoom> {
    /// See [`Record::write`].
    pub(super) fn write_any(&self, kind: &Kind, form: Form) -> Vec<u8> {
        write_state(self, kind, form, |room, record| room.write(form, record))
    }

    /// Does what a committed delta says.
    pub(super) fn apply_any(
        &mut self,
        delta: &Delta<AnyEvents>,
        cause: Option<&Cause>,
        at: Position,
        memory: &Memory,
    ) {
        self.room.apply(&delta.events, at);
        self.settle(delta, cause, at, memory, |room, user| room.is_member(user));
    }

    /// The same for an owner who has the room's state after the events already.
    pub(super) fn adopt(
        &mut self,
        after: AnyRoom,
        delta: &Delta<AnyEvents>,
        cause: Option<&Cause>,
        at: Position,
        memory: &Memory,
    ) {
        self.room = after;
        self.settle(delta, cause, at, memory, |room, user| room.is_member(user));
    }
}

impl Delta<AnyEvents> {
    /// See [`Record::write`].
    pub(super) fn write_any(&self, kind: &Kind, form: Form) -> Vec<u8> {
        write_delta(self, kind, form, |events, record| events.write(form, record))
    }
}

impl<R> Journaled<R> {
    /// A new room.
    pub fn new(room: R) -> Self {
        Self {
            room,
            applied: Applied::default(),
            sessions: Sessions::default(),
            errands: Errands::default(),
            letters: Correspondence::default(),
        }
    }

    /// Does all that a delta says beside its events.
    fn settle<L>(
        &mut self,
        delta: &Delta<L>,
        cause: Option<&Cause>,
        at: Position,
        memory: &Memory,
        is_member: impl Fn(&R, &UserId) -> bool,
    ) {
        self.errands.apply(at, &delta.asks, &delta.settled);
        if let Some(letters) = &delta.letters {
            self.letters.apply(letters, at, delta.at_ms);
        }
        let room = &self.room;
        if let Some(cause) = cause {
            self.applied.remember(cause, at, delta.at_ms);
            self.applied.forget(memory, delta.at_ms, |user| is_member(room, user), |_, _| false);
        }
        if let Some((user, session)) = &delta.plays {
            self.sessions.play(user, *session);
        }
        self.sessions.retain(|user| is_member(room, user));
    }
}

/// Seals a record for an entry.
pub fn seal(sealer: &Sealer, entry: &mut Entry, form: Form, record: &impl Record) {
    seal_written(sealer, entry, form, &record.write(form));
}

/// The same for one that is written in that form.
pub(super) fn seal_written(sealer: &Sealer, entry: &mut Entry, form: Form, record: &[u8]) {
    entry.secret = sealer.seal(&entry.room, entry.at, form, record);
}

/// Opens an entry's record.
///
/// # Errors
/// [`BadRecord`]: the wrong key, or a record that this release does not read.
pub fn open<T: Record>(sealer: &Sealer, entry: &Entry, now: UnixMs) -> Result<T, BadRecord> {
    open_by(T::read, sealer, entry, now)
}

/// The same with what reads it.
pub(super) fn open_by<T>(read: Read<T>, sealer: &Sealer, entry: &Entry, now: UnixMs) -> Result<T, BadRecord> {
    let (form, plain) = sealer.open(&entry.room, entry.at, &entry.secret)?;
    read(form, &plain, now)
}
