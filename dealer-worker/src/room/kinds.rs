//! Which kinds of rooms a worker runs. It is the one place where the runtime meets them, and it knows them by what they are called.

use futures_util::future::BoxFuture;
use shared::node::RoomSpec;

use super::{
    Room,
    runtime::{self, Ended, Start},
    takeover::{Claimer, NotTaken},
};

/// See the module.
#[derive(Clone, Default)]
pub struct Kinds(Vec<Kind>);

#[derive(Clone)]
struct Kind {
    name: &'static str,
    number: u8,
    run: fn(Start, Option<RoomSpec>) -> BoxFuture<'static, Ended>,
}

impl Kinds {
    /// The same kinds and one more.
    ///
    /// # Panics
    /// If there is one of its name or number.
    #[must_use]
    pub fn with<R: Room>(mut self) -> Self {
        let (name, number) = (R::NAME, R::KIND);
        let is_taken = self.0.iter().any(|kind| kind.name == name || kind.number == number);
        assert!(!is_taken, "two kinds of rooms have the name {name} or the number {number}");
        self.0.push(Kind { name, number, run: |start, spec| Box::pin(runtime::run::<R>(start, spec)) });
        self
    }

    /// Takes a room over, whatever its kind, and runs it until it is fenced or let go of.
    pub async fn run(&self, start: Start) -> Ended {
        match self.kind_of(&start).await {
            Ok((kind, spec)) => (kind.run)(start, spec).await,
            Err(why) => Ended::NotTaken(why),
        }
    }

    async fn kind_of(&self, start: &Start) -> Result<(&Kind, Option<RoomSpec>), NotTaken> {
        let claimer = Claimer::of(&start.context);
        if let Some(spec) = claimer.spec(&start.room).await? {
            let kind = self.0.iter().find(|kind| kind.name == spec.kind);
            return Ok((kind.ok_or_else(|| NotTaken::Kind(spec.kind.clone()))?, Some(spec)));
        }
        let number = claimer.kind_of_journal(&start.room).await?.ok_or(NotTaken::Unknown)?;
        let kind = self.0.iter().find(|kind| kind.number == number);
        Ok((kind.ok_or_else(|| NotTaken::Kind(format!("number {number}")))?, None))
    }
}
