//! What all rooms of a worker share.

use std::sync::Arc;

use broker::{
    directory::Readers,
    entry::may_be_timed,
    members::Membership,
    ports::Ports,
    seal::{Form, Sealer},
};
use tokio::sync::watch;

use crate::{
    config::WorkerConfig,
    lobby::Board,
    replies::Replies,
    room::{errands::Services, kinds::Kinds, switchboard::Switchboard},
};

/// See the module.
pub struct Context {
    /// The world.
    pub ports: Ports,
    /// The settings.
    pub config: WorkerConfig,
    /// What it runs.
    pub kinds: Kinds,
    /// Who does their errands.
    pub services: Services,
    /// Seals and opens records.
    pub sealer: Arc<Sealer>,
    /// Where commands come from.
    pub switchboard: Switchboard,
    /// Where answers that are not frames go.
    pub replies: Replies,
    /// Where tables are written up for the lobby.
    pub board: Board,
    /// Who lives, and what the others read.
    pub membership: watch::Receiver<Arc<Membership>>,
}

impl Context {
    /// For whom the directory is written now.
    pub fn readers(&self) -> Readers {
        Readers::among(&self.membership.borrow())
    }

    /// Whether entries tell when they were decided; `None` as long as it is not known who lives: then they do as those before them.
    pub fn tells_time(&self) -> Option<bool> {
        let membership = self.membership.borrow();
        membership.settled.then(|| may_be_timed(&membership))
    }

    /// In which form records are written now: one that every living worker reads. `None` as long as it is not known who lives: then they
    /// are written as those before them.
    pub fn form(&self) -> Option<Form> {
        let membership = self.membership.borrow();
        membership.settled.then_some(match membership.workers_speak {
            ..2 => Form::Bare,
            2 => Form::Headed,
            3.. => Form::Versioned,
        })
    }
}
