//! What a room wants of a service outside: a room to be opened, later chips of the cage.
//!
//! An errand is a fact in the room's journal before anybody hears of it, and its name is the place where it was decided. It is
//! repeated, by whoever owns the room, until the service has answered; the service answers each name once and for ever. So an errand
//! that was decided is done once, whatever process dies, and its outcome is applied once, since it is a fact in the journal too.

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use shared::id::{Position, RoomId};

/// So many errands of a room that want an answer may be open; commands that would add to them are refused as `busy`.
pub const ERRANDS_MAX: usize = 32;

/// The name of an errand among those of its room: given once, and never in two histories, since epochs are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ErrandId {
    /// The frame that decided it.
    pub at: Position,
    /// Which of that frame's, from 0.
    pub n: u16,
}

impl std::fmt::Display for ErrandId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.at, self.n)
    }
}

/// What is asked of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The service's name.
    pub of: Cow<'static, str>,
    /// In the service's words.
    pub body: Vec<u8>,
    /// The room decides on the outcome ([`Input::Outcome`](super::Input::Outcome)). Else it has done its part with the asking, and no outcome
    /// but that it is done is one: a refusal is repeated for ever, and told to the operator.
    pub wants_answer: bool,
}

/// An ask with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// Its name.
    pub id: ErrandId,
    /// What is asked.
    pub ask: Ask,
}

/// How a service has answered. The same errand gets the same answer for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is done.
    Done(Bytes),
    /// It is not, nor will it be.
    Refused(Bytes),
}

/// The service cannot be reached or did not answer in time: whether it is done is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the service is away: {0}")]
pub struct Away(pub String);

/// Does errands.
pub trait Service: Send + Sync + 'static {
    /// Does an errand, unless it was done, and says what came of it.
    ///
    /// # Errors
    /// [`Away`]: the errand will be asked again.
    fn ask(&self, room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>>;
}

/// Services by their names.
#[derive(Clone, Default)]
pub struct Services(Vec<(&'static str, Arc<dyn Service>)>);

impl Services {
    /// Adds a service, in the place of any that had its name.
    pub fn put(&mut self, name: &'static str, service: Arc<dyn Service>) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, service));
    }

    /// Does an errand.
    ///
    /// # Errors
    /// [`Away`], also if there is no such service here: a later release may have it.
    pub async fn ask(&self, room: &RoomId, errand: &Errand) -> Result<Outcome, Away> {
        match self.0.iter().find(|(name, _)| *name == errand.ask.of) {
            Some((_, service)) => service.ask(room, errand).await,
            None => Err(Away(format!("this worker knows no service {}", errand.ask.of))),
        }
    }
}

/// The errands of a room that are not settled, oldest first: a part of its journaled state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errands(VecDeque<Errand>);

impl Errands {
    /// A frame has decided these, and settled those.
    pub fn apply(&mut self, at: Position, asks: &[Ask], settled: &[ErrandId]) {
        self.0.retain(|errand| !settled.contains(&errand.id));
        let named = |(ask, n): (&Ask, u16)| Errand { id: ErrandId { at, n }, ask: ask.clone() };
        self.0.extend(asks.iter().zip(0..).map(named));
    }

    /// The one of this name, if it is not settled.
    pub fn get(&self, id: ErrandId) -> Option<&Errand> {
        self.0.iter().find(|errand| errand.id == id)
    }

    /// All, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Errand> {
        self.0.iter()
    }

    /// How many want an answer.
    pub fn waiting(&self) -> usize {
        self.0.iter().filter(|errand| errand.ask.wants_answer).count()
    }
}
