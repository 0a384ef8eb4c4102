//! A room of whatever kind, as the runtime holds it.
//!
//! Kinds are types where they are written and where they are [registered](super::kinds), and nowhere else: what the runtime does with rooms is
//! compiled once, and not once for each kind. So a [`Kind`] says of its rooms what [`Room`] says in constants, and an [`AnyRoom`] does what a
//! [`Room`] does, each behind a pointer.

use std::{
    any::Any,
    ops::{Deref, DerefMut},
};

use broker::{lobby::Line, node::RoomSpec, seal::Form};
use protocol::{
    id::{Position, RoomId, UserId},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use serde_json::value::RawValue;

use super::{
    BadSpec, Decision, Held, Input, Moment, Refusal, Room,
    errands::Errands,
    record::{self, Delta, DeltaOf, Journaled, Record as _},
};

/// What holds for all rooms of a kind: the constants of [`Room`] under their names, and how such rooms come into being.
pub(crate) struct Kind {
    pub(super) number: u8,
    pub(super) since: u16,
    pub(super) name: &'static str,
    pub(super) seen_as: &'static str,
    pub(super) schema: u16,
    pub(super) writes_letters: bool,
    pub(super) sparse: bool,
    pub(super) shown_late: bool,
    pub(super) tells_rail_at_once: bool,
    pub(super) tells: Option<&'static str>,
    /// The schema of records in [`Form::Headed`].
    pub(super) headed_schema: fn() -> u16,
    /// A new room.
    pub(super) open: fn(&RoomSpec) -> Result<AnyRoom, BadSpec>,
    /// Reads a keyframe's record.
    pub(super) read: record::Read<Journaled<AnyRoom>>,
    /// Reads a delta's record.
    pub(super) read_delta: record::Read<Delta<AnyEvents>>,
}

impl Kind {
    /// The kind of these rooms.
    pub(super) fn of<R: Room>() -> &'static Self {
        const {
            &Self {
                number: R::KIND,
                since: R::SINCE,
                name: R::NAME,
                seen_as: R::SEEN_AS,
                schema: R::SCHEMA,
                writes_letters: R::WRITES_LETTERS,
                sparse: R::SPARSE,
                shown_late: R::SHOWN_LATE,
                tells_rail_at_once: R::TELLS_RAIL_AT_ONCE,
                tells: R::TELLS,
                headed_schema: || R::second_release().map_or(R::SCHEMA, |(schema, _)| schema),
                open: |spec| R::open(spec).map(AnyRoom::new),
                read: |form, bytes, now| {
                    let Journaled { room, applied, sessions, errands, letters } =
                        Journaled::<R>::read(form, bytes, now)?;
                    Ok(Journaled { room: AnyRoom::new(room), applied, sessions, errands, letters })
                },
                read_delta: |form, bytes, now| {
                    let Delta { events, plays, at_ms, asks, settled, letters } =
                        DeltaOf::<R>::read(form, bytes, now)?.0.into_owned();
                    Ok(Delta { events: AnyEvents::of::<R>(events), plays, at_ms, asks, settled, letters })
                },
            }
        }
    }
}

/// What rooms of all kinds do: see [`Room`], whose words these are, and [`AnyRoom`].
pub(crate) trait Erased: Any + Send + Sync {
    /// The same once more.
    fn copy(&self) -> AnyRoom;

    fn equals(&self, other: &AnyRoom) -> bool;

    /// Puts it into a record of this form.
    fn write(&self, form: Form, record: Vec<u8>) -> Vec<u8>;

    fn decide(
        &self,
        input: Input<'_>,
        moment: Moment,
        rng: &mut dyn Rng,
    ) -> Result<Decision<AnyRoom>, Refusal>;

    /// See [`Decision::nothing`].
    fn nothing(&self) -> Decision<AnyRoom>;

    /// Does what all these events say, which are of its kind.
    fn apply(&mut self, events: &AnyEvents, at: Position);

    fn deadline(&self) -> Option<UnixMs>;

    fn waits_to_be_heard(&self) -> bool;

    fn is_over(&self) -> bool;

    fn peers(&self) -> Vec<RoomId>;

    fn hears(&self, room: &RoomId) -> bool;

    fn has_done_with(&self, room: &RoomId) -> bool;

    fn view(&self) -> Box<RawValue>;

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)>;

    fn rail(&self) -> Option<Box<RawValue>>;

    fn answer_with(
        &self,
        user: &UserId,
        question: &[u8],
        errands: &Errands,
    ) -> Result<Box<RawValue>, Refusal>;

    fn is_member(&self, user: &UserId) -> bool;

    fn members(&self) -> Vec<UserId>;

    fn live(&self) -> Vec<UserId>;

    fn insiders(&self) -> Vec<UserId>;

    fn line(&self, room: &RoomId, now: UnixMs) -> Option<Line>;
}

impl<R: Room> Erased for R {
    fn copy(&self) -> AnyRoom {
        AnyRoom::new(self.clone())
    }

    fn equals(&self, other: &AnyRoom) -> bool {
        let other: &dyn Any = &*other.0;
        other.downcast_ref::<R>() == Some(self)
    }

    fn write(&self, form: Form, record: Vec<u8>) -> Vec<u8> {
        record::write_room(self, form, record)
    }

    fn decide(
        &self,
        input: Input<'_>,
        moment: Moment,
        rng: &mut dyn Rng,
    ) -> Result<Decision<AnyRoom>, Refusal> {
        Room::decide(self, input, moment, rng).map(any)
    }

    fn nothing(&self) -> Decision<AnyRoom> {
        any(Decision::nothing(self.clone()))
    }

    fn apply(&mut self, events: &AnyEvents, at: Position) {
        let events: &dyn Any = &*events.0;
        let Events::<R>(events) = events.downcast_ref().expect("events of its own kind");
        events.iter().for_each(|event| Room::apply(self, event, at));
    }

    fn deadline(&self) -> Option<UnixMs> {
        Room::deadline(self)
    }

    fn waits_to_be_heard(&self) -> bool {
        Room::waits_to_be_heard(self)
    }

    fn is_over(&self) -> bool {
        Room::is_over(self)
    }

    fn peers(&self) -> Vec<RoomId> {
        Room::peers(self)
    }

    fn hears(&self, room: &RoomId) -> bool {
        Room::hears(self, room)
    }

    fn has_done_with(&self, room: &RoomId) -> bool {
        Room::has_done_with(self, room)
    }

    fn view(&self) -> Box<RawValue> {
        Room::view(self)
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        Room::privates(self)
    }

    fn rail(&self) -> Option<Box<RawValue>> {
        Room::rail(self)
    }

    fn answer_with(
        &self,
        user: &UserId,
        question: &[u8],
        errands: &Errands,
    ) -> Result<Box<RawValue>, Refusal> {
        Room::answer_with(self, user, question, errands)
    }

    fn is_member(&self, user: &UserId) -> bool {
        Room::is_member(self, user)
    }

    fn members(&self) -> Vec<UserId> {
        Room::members(self)
    }

    fn live(&self) -> Vec<UserId> {
        Room::live(self)
    }

    fn insiders(&self) -> Vec<UserId> {
        Room::insiders(self)
    }

    fn line(&self, room: &RoomId, now: UnixMs) -> Option<Line> {
        Room::line(self, room, now)
    }
}

/// A room of any kind.
pub(crate) struct AnyRoom(Box<dyn Erased>);

impl AnyRoom {
    /// This room.
    pub(super) fn new<R: Room>(room: R) -> Self {
        Self(Box::new(room))
    }
}

impl Deref for AnyRoom {
    type Target = dyn Erased;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl DerefMut for AnyRoom {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut *self.0
    }
}

impl Clone for AnyRoom {
    fn clone(&self) -> Self {
        self.copy()
    }
}

impl PartialEq for AnyRoom {
    fn eq(&self, other: &Self) -> bool {
        self.equals(other)
    }
}

impl Held for AnyRoom {
    type Events = AnyEvents;
}

/// Events of a room of any kind, in the order in which they happen.
pub(crate) struct AnyEvents(Box<dyn ErasedEvents>);

trait ErasedEvents: Any + Send + Sync {
    fn is_empty(&self) -> bool;
    fn write(&self, form: Form, record: Vec<u8>) -> Vec<u8>;
}

struct Events<R: Room>(Vec<R::Event>);

impl<R: Room> ErasedEvents for Events<R> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn write(&self, form: Form, record: Vec<u8>) -> Vec<u8> {
        record::write_events::<R>(&self.0, form, record)
    }
}

impl AnyEvents {
    fn of<R: Room>(events: Vec<R::Event>) -> Self {
        Self(Box::new(Events::<R>(events)))
    }

    /// Nothing happens.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts them into a record of this form.
    pub(super) fn write(&self, form: Form, record: Vec<u8>) -> Vec<u8> {
        self.0.write(form, record)
    }
}

/// What a room has decided, as the runtime holds it.
fn any<R: Room>(decision: Decision<R>) -> Decision<AnyRoom> {
    let Decision { events, public, privates, rail, asks, gives_up, letters, after, lobby, counts, is_talk } =
        decision;
    Decision {
        events: AnyEvents::of::<R>(events),
        public,
        privates,
        rail,
        asks,
        gives_up,
        letters,
        after: AnyRoom::new(after),
        lobby,
        counts,
        is_talk,
    }
}
