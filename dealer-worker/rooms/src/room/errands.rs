//! What a room wants of a service outside: a room to be opened, later chips of the cage.
//!
//! An errand is a fact in the room's journal before anybody hears of it, and its name is the place where it was decided. It is
//! repeated, by whoever owns the room, until the service has answered; the service answers each name once and for ever. So an errand
//! that was decided is done once, whatever process dies, and its outcome is applied once, since it is a fact in the journal too.
//!
//! A room may give an errand up ([`Decision::gives_up`](super::Decision::gives_up)): it is not asked any more, and its outcome is nobody's. Whether
//! it was done nobody knows then; so a room that gives one up asks the service, in the same decision, to undo it, whatever became of it.
//!
//! When the store loses the end of a journal while its owner dies, services have done what is not part of the history any more. A room
//! that asks for what must not stand then tells the service, as the first thing that its new owner decides, behind which position
//! it goes on: that of its last decision (which it has from [`Room::apply`](super::Room::apply)), and not the new owner's
//! keyframe. It [goes first](Ask::goes_first): what was asked before the loss is asked again behind it, so that nothing from the lost branch comes
//! in between. A service that is told so undoes what was decided behind it in earlier epochs, also what comes to it later.

use std::{
    borrow::Cow,
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
pub use protocol::id::ErrandId;
use protocol::id::{Position, RoomId};
use serde::{Deserialize, Serialize};

use crate::planted::{Fault, is_planted};

/// So many errands of a room that want an answer may be open; commands that would add to them are refused as `busy`.
pub const ERRANDS_MAX: usize = 32;

/// And with so many open in all, what is asked for again and again and given up each time among them.
pub const OPEN_MAX: usize = 256;

/// So many of the last things that a service was [told](super::Room::TELLS) stay open, and are told again when the store may have lost something: a
/// broker that another takes the place of loses a second or two, and no table finishes more hands in that.
pub const TOLD_KEPT: usize = 4;

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
    /// It is asked before what the room has asked of this service earlier and is not done.
    pub goes_first: bool,
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

    /// The same for a room that shows itself to its [rail](protocol::rail) so much later, milliseconds: what the service tells others of it must
    /// wait as long.
    ///
    /// # Errors
    /// As of [`Service::ask`].
    fn ask_late(&self, room: &RoomId, errand: &Errand, late_ms: u32) -> BoxFuture<'_, Result<Outcome, Away>> {
        let _ = late_ms;
        self.ask(room, errand)
    }
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

    /// Does an errand of a room that shows itself to its rail so much later, milliseconds.
    ///
    /// # Errors
    /// [`Away`], also if there is no such service here: a later release may have it.
    pub async fn ask(&self, room: &RoomId, errand: &Errand, late_ms: u32) -> Result<Outcome, Away> {
        match self.0.iter().find(|(name, _)| *name == errand.ask.of) {
            Some((_, service)) => service.ask_late(room, errand, late_ms).await,
            None => Err(Away(format!("this worker knows no service {}", errand.ask.of))),
        }
    }
}

/// The errands of a room that are not settled, in the order in which they are asked: a part of its journaled state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errands(VecDeque<Errand>);

impl Errands {
    /// A frame has decided these, and settled those.
    pub fn apply(&mut self, at: Position, asks: &[Ask], settled: &[ErrandId]) {
        self.0.retain(|errand| !settled.contains(&errand.id));
        let named = |(ask, n): (&Ask, u16)| Errand { id: ErrandId { at, n }, ask: ask.clone() };
        for errand in asks.iter().zip(0..).map(named) {
            match errand.ask.goes_first {
                true => self.0.push_front(errand),
                false => self.0.push_back(errand),
            }
        }
    }

    /// The one of this name, if it is not settled.
    pub fn get(&self, id: ErrandId) -> Option<&Errand> {
        self.0.iter().find(|errand| errand.id == id)
    }

    /// All, in that order.
    pub fn iter(&self) -> impl Iterator<Item = &Errand> {
        self.0.iter()
    }

    /// Those that this service was asked.
    pub fn of(&self, service: &str) -> impl DoubleEndedIterator<Item = &Errand> {
        self.0.iter().filter(move |errand| errand.ask.of == service)
    }

    /// The names of those, the last one first.
    pub fn last_of(&self, service: &str) -> impl Iterator<Item = ErrandId> {
        self.of(service).rev().map(|errand| errand.id)
    }

    /// How many there are.
    pub fn open(&self) -> usize {
        self.0.len()
    }

    /// How many want an answer.
    pub fn waiting(&self) -> usize {
        self.0.iter().filter(|errand| errand.ask.wants_answer).count()
    }
}

/// What an owner knows of its room's errands beside the journal. The next owner begins anew, and asks once more, to no effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Done, and not settled in any frame yet.
    done: BTreeSet<ErrandId>,
}

/// What follows from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// Nothing: it was settled before.
    Nothing,
    /// The room decides on it.
    Decide(Errand),
    /// It is settled with the next frame, whatever that is.
    Done,
    /// It was refused and must be done.
    AskAgain(Errand),
}

impl Round {
    /// The errands that are to be asked: of each service the first that is not done.
    pub fn due<'a>(&self, errands: &'a Errands) -> impl Iterator<Item = &'a Errand> {
        let mut services = BTreeSet::new();
        let open = errands.iter().filter(|errand| !self.done.contains(&errand.id));
        open.filter(move |errand| services.insert(&errand.ask.of))
    }

    /// Whether nothing is to be done any more.
    pub fn are_done(&self, errands: &Errands) -> bool {
        errands.iter().all(|errand| self.done.contains(&errand.id))
    }

    /// A service has answered. An answer counts for what is asked now: one that comes from before something that [goes first](Ask::goes_first)
    /// may not be so any more when that is done. It is asked again behind it.
    pub fn answered(&mut self, errands: &Errands, id: ErrandId, outcome: &Outcome) -> Answered {
        let asked = self.due(errands).find(|errand| errand.id == id);
        match asked {
            None => Answered::Nothing,
            Some(errand) if errand.ask.wants_answer => Answered::Decide(errand.clone()),
            Some(_) if matches!(outcome, Outcome::Done(_)) => {
                self.mark_done(id);
                Answered::Done
            }
            Some(errand) => Answered::AskAgain(errand.clone()),
        }
    }

    /// An errand is done.
    pub fn mark_done(&mut self, id: ErrandId) {
        self.done.insert(id);
    }

    /// What a frame settles: what is done, and these.
    pub fn settled(&self, with: impl IntoIterator<Item = ErrandId>) -> Vec<ErrandId> {
        self.done.iter().copied().chain(with).collect()
    }

    /// A frame that settles these is in the journal.
    pub fn committed(&mut self, settled: &[ErrandId]) {
        self.done.retain(|id| !settled.contains(id));
    }

    /// Whether this service has done all that it was asked.
    pub fn has_done(&self, errands: &Errands, service: &str) -> bool {
        errands.of(service).all(|errand| self.done.contains(&errand.id))
    }

    /// What this service has done and may have lost is to be asked again, as far as it is not settled.
    pub fn ask_again(&mut self, errands: &Errands, service: &str) {
        let last = errands.last_of(service).next();
        for errand in errands.of(service) {
            if !is_planted(Fault::TellsLastAgain) || Some(errand.id) == last {
                self.done.remove(&errand.id);
            }
        }
    }

    /// What is done and not settled.
    pub fn done(&self) -> impl Iterator<Item = ErrandId> {
        self.done.iter().copied()
    }
}
