//! What a client must know of a kind of room to follow it.

use std::fmt::Debug;

use protocol::{
    table::{TableEvent, TablePrivate, TableView},
    talk::{TalkEvent, TalkView},
};

/// A kind of room.
pub trait Kind {
    /// A keyframe's `state`.
    type View: Debug + PartialEq;
    /// One of a frame's `events`.
    type Event;
    /// A `private` part.
    type Private: Debug + Default;

    /// How many parts the user has got by this one, where a room counts them.
    fn count(_: &Self::Private) -> Option<u64> {
        None
    }

    /// Folds an event into the view.
    ///
    /// # Errors
    /// If it does not fit.
    fn apply(view: &mut Self::View, event: &Self::Event) -> Result<(), Misfit>;
}

/// An event that does not fit the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit;

/// The rooms in which hands are dealt.
#[derive(Debug)]
pub enum Table {}

impl Kind for Table {
    type View = TableView;
    type Event = TableEvent;
    type Private = TablePrivate;

    fn apply(view: &mut TableView, event: &TableEvent) -> Result<(), Misfit> {
        view.apply(event).map_err(|_| Misfit)
    }
}

/// The rooms in which people talk.
#[derive(Debug)]
pub enum Talk {}

impl Kind for Talk {
    type View = TalkView;
    type Event = TalkEvent;
    type Private = ();

    fn apply(view: &mut TalkView, event: &TalkEvent) -> Result<(), Misfit> {
        view.apply(event);
        Ok(())
    }
}

/// Rooms of a kind that this client does not know: their positions are followed, and nothing is seen of them.
#[derive(Debug)]
pub enum Unknown {}

/// What any private part may hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Counted {
    /// How many parts the user has got by this one.
    #[serde(default)]
    pub k: Option<u64>,
}

impl Kind for Unknown {
    type View = ();
    type Event = ();
    type Private = Counted;

    fn count(part: &Counted) -> Option<u64> {
        part.k
    }

    fn apply((): &mut (), (): &()) -> Result<(), Misfit> {
        Ok(())
    }
}
