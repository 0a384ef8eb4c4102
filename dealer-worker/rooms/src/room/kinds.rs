//! Which kinds of rooms a worker runs, and who does their errands. It is the one place where the runtime meets them, and it knows them by what they are called.

use std::sync::Arc;

use broker::node::RoomSpec;

use super::{
    Room,
    any::Kind,
    errands::{Service, Services},
    runtime::{self, Ended, Start},
    takeover::{Claimer, NotTaken},
};

/// See the module.
#[derive(Clone, Default)]
pub struct Kinds {
    kinds: Vec<&'static Kind>,
    services: Services,
}

impl Kinds {
    /// The same kinds and one more.
    ///
    /// # Panics
    /// If there is one of its name or number.
    #[must_use]
    pub fn with<R: Room>(mut self) -> Self {
        let new = Kind::of::<R>();
        let (name, number) = (new.name, new.number);
        let is_taken = self.kinds.iter().any(|kind| kind.name == name || kind.number == number);
        assert!(!is_taken, "two kinds of rooms have the name {name} or the number {number}");
        self.kinds.push(new);
        self
    }

    /// The same with a service that does errands of this name.
    #[must_use]
    pub fn served_by(mut self, name: &'static str, service: Arc<dyn Service>) -> Self {
        self.services.put(name, service);
        self
    }

    /// Who does the rooms' errands.
    pub(crate) fn services(&self) -> Services {
        self.services.clone()
    }

    /// Takes a room over, whatever its kind, and runs it until it is fenced or let go of.
    pub async fn run(&self, start: Start) -> Ended {
        let (context, room) = (start.context.clone(), start.room.clone());
        let ended = match self.kind_of(&start).await {
            Ok((kind, spec)) => runtime::run(start, kind, spec).await,
            Err(why) => Ended::NotTaken(why),
        };
        match ended {
            // Whoever has ended it did not get so far.
            Ended::NotTaken(NotTaken::Over(epoch)) => {
                Ended::Over { epoch, is_buried: runtime::bury(&context, &room, epoch).await }
            }
            ended => ended,
        }
    }

    async fn kind_of(&self, start: &Start) -> Result<(&'static Kind, Option<RoomSpec>), NotTaken> {
        let claimer = Claimer::of(&start.context);
        if let Some(spec) = claimer.spec(&start.room).await? {
            let kind = self.kinds.iter().find(|kind| kind.name == spec.kind).copied();
            return Ok((kind.ok_or_else(|| NotTaken::Kind(spec.kind.clone()))?, Some(spec)));
        }
        let number = claimer.kind_of_journal(&start.room).await?.ok_or(NotTaken::Unknown)?;
        let kind = self.kinds.iter().find(|kind| kind.number == number).copied();
        Ok((kind.ok_or_else(|| NotTaken::Kind(format!("number {number}")))?, None))
    }
}
