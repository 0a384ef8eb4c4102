//! The tables whose chips are somebody's, as the ledger is held against them: whether they are there, and what each says that it holds.

use broker::{
    directory,
    ports::Ports,
    questions::{NotAnswered, Questions},
    store::Unavailable,
};
use money::holdings::{Holdings, Question};
use protocol::id::{NodeId, Position, RoomId, UserId};

/// Reaches tables through the broker. Dropping it ends its listening.
pub struct Floor {
    ports: Ports,
    questions: Questions,
}

impl Floor {
    /// `me` is a name that no node and no other reception has. Must be called within a runtime.
    pub fn start(ports: Ports, me: NodeId) -> Self {
        Self { questions: Questions::start(ports.clone(), me), ports }
    }

    /// Whether there is such a table.
    ///
    /// # Errors
    /// [`Unavailable`]: the directory cannot be read.
    pub(crate) async fn is_there(&self, table: &RoomId) -> Result<bool, Unavailable> {
        Ok(directory::spec(&*self.ports.store, table).await?.is_some())
    }

    /// What a table says that it holds, and up to which frame that is right. Who asks is one of the staff.
    ///
    /// # Errors
    /// [`NotAnswered`].
    ///
    /// # Panics
    /// Never: the question is JSON.
    pub(crate) async fn holdings(
        &self,
        table: &RoomId,
        by: &UserId,
    ) -> Result<(Position, Holdings), NotAnswered> {
        let question = serde_json::to_vec(&Question::of_chips()).expect("it is JSON");
        let (at, body) = self.questions.ask(table, by, question.into()).await?;
        let unread = |error| NotAnswered::Refused(format!("its answer does not read as one: {error}"));
        Ok((at, serde_json::from_str(&body).map_err(unread)?))
    }
}
