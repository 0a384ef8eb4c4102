//! A watched room that is no table: what is known of it here.

use protocol::{
    id::Position,
    talk::{TalkEvent, TalkView},
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    follower::{Fault, Follower, Step},
    incoming::{Unreadable, events},
    kind::{Kind, Talk, Unknown},
};

/// See the module.
#[derive(Debug)]
pub(crate) enum Other {
    /// People talk there.
    Talk(Follower<Talk>),
    /// Rooms of its kind are not known here.
    Unknown(Follower<Unknown>),
}

/// How a frame fits in, if it can be read at all.
pub(crate) type Taken = Result<Result<Step, Fault>, Unreadable>;

/// Of the one kind or the other, the same.
macro_rules! whichever {
    ($other:expr, $follower:ident => $what:expr) => {
        match $other {
            Self::Talk($follower) => $what,
            Self::Unknown($follower) => $what,
        }
    };
}

impl Other {
    /// Nothing seen yet of a room of this kind.
    pub(crate) fn of(kind: &str) -> Self {
        match kind {
            protocol::talk::KIND => Self::Talk(Follower::new()),
            _ => Self::Unknown(Follower::new()),
        }
    }

    /// What is said there, if people talk there.
    pub(crate) fn talk(&self) -> Option<&TalkView> {
        match self {
            Self::Talk(follower) => follower.view(),
            Self::Unknown(_) => None,
        }
    }

    /// See [`Follower::at`].
    pub(crate) fn at(&self) -> Position {
        whichever!(self, follower => follower.at())
    }

    /// See [`Follower::resume`]; where to go on from.
    pub(crate) fn resume(&mut self) -> Position {
        whichever!(self, follower => {
            if follower.view().is_none() {
                follower.forget();
            }
            follower.resume();
            follower.at()
        })
    }

    /// See [`Follower::rewind`].
    pub(crate) fn rewind(&mut self) {
        whichever!(self, follower => follower.rewind());
    }

    /// See [`Follower::may_begin_anew`].
    pub(crate) fn may_begin_anew(&mut self) {
        whichever!(self, follower => follower.may_begin_anew());
    }

    /// How many own parts there were, in a room that counts them.
    pub(crate) fn count(&self) -> Option<u64> {
        match self {
            Self::Talk(_) => None,
            Self::Unknown(follower) => follower.private().k,
        }
    }

    /// See [`Follower::is_sparse`].
    pub(crate) fn is_sparse(&self) -> bool {
        whichever!(self, follower => follower.is_sparse())
    }

    /// Takes a keyframe's `state`.
    ///
    /// # Errors
    /// [`Unreadable`] when it is none of the room's kind.
    pub(crate) fn keyframe(&mut self, at: Position, state: &RawValue, sparse: bool) -> Taken {
        whichever!(self, follower => follower.set_sparse(sparse));
        match self {
            Self::Talk(follower) => Ok(follower.keyframe(at, Box::new(serde_json::from_str(state.get())?))),
            Self::Unknown(follower) => Ok(follower.keyframe(at, Box::new(()))),
        }
    }

    /// Takes a delta's `events`.
    ///
    /// # Errors
    /// [`Unreadable`] when they are none of the room's kind.
    pub(crate) fn frame(&mut self, at: Position, part: &RawValue) -> Taken {
        match self {
            Self::Talk(follower) => fold::<Talk, TalkEvent>(follower, at, part),
            Self::Unknown(follower) => Ok(follower.delta(at, &[], |_, (), ()| {})),
        }
    }

    /// Takes an own part, of which nothing is known here but its count.
    ///
    /// # Errors
    /// [`Unreadable`] when it is none.
    pub(crate) fn own_part(&mut self, at: Position, part: &RawValue) -> Taken {
        match self {
            Self::Talk(follower) => Ok(follower.own_part(at, ())),
            Self::Unknown(follower) => Ok(follower.own_part(at, serde_json::from_str(part.get())?)),
        }
    }
}

fn fold<K: Kind<Event = E>, E: DeserializeOwned>(
    follower: &mut Follower<K>,
    at: Position,
    part: &RawValue,
) -> Taken {
    Ok(follower.delta(at, &events(part.get())?, |_, _, _| {}))
}
