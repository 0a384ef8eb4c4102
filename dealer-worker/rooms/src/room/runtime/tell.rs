//! What the other nodes are told of a change of owner: hints, on which nothing rests.

use broker::{
    channel::Channel,
    directory,
    node::{NodeNews, Owner, encode},
};
use protocol::id::{Epoch, NodeId, RoomId};
use tokio::time::{Duration, timeout};
use tracing::debug;

use crate::context::Context;

/// What is said once about a change of owner is not worth waiting longer for.
pub(super) const HINT_TIMEOUT: Duration = Duration::from_secs(1);

/// Says that this worker owns the room.
pub(super) async fn tell_owned(context: &Context, room: &RoomId, epoch: Epoch) {
    let node = context.config.node.clone();
    let owns = NodeNews::Owns { node: node.clone(), room: room.clone(), epoch };
    tokio::join!(tell_owner(context, room, Some(node), epoch), announce(context, &owns));
}

pub(super) async fn tell_owner(context: &Context, room: &RoomId, node: Option<NodeId>, epoch: Epoch) {
    let owner = Owner { node, epoch };
    let told = directory::tell_owner(&*context.ports.store, room, &owner, context.readers());
    if !matches!(timeout(HINT_TIMEOUT, told).await, Ok(Ok(()))) {
        debug!(%room, "the map of owners was not told");
    }
}

pub(super) async fn announce(context: &Context, news: &NodeNews) {
    let told = context.ports.bus.publish(&Channel::nodes(), encode(news));
    if !matches!(timeout(HINT_TIMEOUT, told).await, Ok(Ok(_))) {
        debug!(?news, "the nodes were not told");
    }
}
