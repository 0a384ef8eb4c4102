//! Who has a part in this worker's rooms, told to a reception that asks.

use broker::{
    channel::Channel,
    node::{ToReception, encode},
};
use protocol::id::{NodeId, UserId};
use tracing::debug;

use super::Placement;

/// Rooms that are told at most: whoever leaves them may ask again.
const ROOMS_TOLD_MAX: usize = 16;

impl Placement {
    /// Answers without waiting for it: if it is lost, reception says that it does not know.
    pub(super) fn tell_parts(&self, asker: &NodeId, n: u64, user: &UserId) {
        let (mut rooms, knows_all) = self.tenancy.parts_of(user);
        rooms.truncate(ROOMS_TOLD_MAX);
        let worker = self.context.config.node.clone();
        let is_sure = knows_all && self.has_all_its_own();
        let answer = encode(&ToReception::Parts { worker, n, rooms, is_sure });
        let (bus, answers) = (self.context.ports.bus.clone(), Channel::answers(asker));
        tokio::spawn(async move {
            if let Err(error) = bus.publish(&answers, answer).await {
                debug!(%error, "a reception is not told who has a part in our rooms");
            }
        });
    }

    /// Whether it has every room that is its own by the assignment.
    fn has_all_its_own(&self) -> bool {
        let me = &self.context.config.node;
        let mut own = self.keeping.kept_by(me).flat_map(|partition| self.beliefs.of_partition(partition));
        own.all(|(room, _)| self.tenancy.has(room))
    }
}
