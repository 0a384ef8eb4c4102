//! A room that is over: its last entry, and then it is nowhere.
//!
//! That it is over is a fact of its state, so whoever owns it ends it. The last entry fences whoever comes late, and tells relays that
//! nothing follows. Then it is taken out of the maps; whoever still believes in it, and claims it, finds the last entry and does what is
//! left to do. The journal stays for some time, so that who comes back late is told, and then expires.

use broker::{
    directory::{self, Readers},
    node::NodeNews,
    store::Unavailable,
};
use protocol::id::{Epoch, RoomId};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::{
    Ended, Running,
    stall::Written,
    tell::{HINT_TIMEOUT, announce},
};
use crate::{
    context::Context,
    counts::counter,
    planted::{Fault, is_planted},
    room::{frame, refusals},
};

/// The journal of a room that has ended is kept for so long, for clients that come back late.
const KEPT_S: u64 = 3_600;

/// And for so long as the room may still stand in the map of rooms: whoever finds it there must find that it has ended.
const FOUND_S: u64 = 7 * 86_400;

/// A burial is tried so often before it is left to whoever finds the room next.
const ATTEMPTS: u32 = 5;

impl Running {
    /// Whether nothing is left to be done.
    pub(super) fn is_finished(&self) -> bool {
        // Nodes of the releases before do not know what an end is.
        let all_know = self.context.readers() == Readers::OfThisRelease;
        self.state.room.is_over() && all_know && self.errands_are_done() && self.letters_have_arrived()
    }

    /// Writes the last entry.
    pub(super) async fn end(&mut self) -> Result<(), Ended> {
        if self.journal.is_in_doubt() && self.reassert().await? == Written::Refused {
            return Ok(());
        }
        let at = self.journal.next();
        let mut entry = frame::end(&self.id, at);
        // The rail gets what is left, and that it is over, when it is due.
        entry.delay = self.delay(&self.state.room);
        entry.at_ms = entry.delay.is_some().then(|| self.now());
        let encoded = entry.encode();
        match self.write(self.journal.delta(encoded.stored)).await? {
            Written::Yes => {
                info!(room = %self.id, %at, "the room has ended");
                counter!("cardhouse_rooms_ended_total").increment(1);
                self.publish(encoded.published).await;
                let (epoch, is_buried) = (at.epoch(), bury(&self.context, &self.id, at.epoch()).await);
                Err(Ended::Over { epoch, is_buried })
            }
            // It stands still, or is claimed anew; then this is tried again.
            Written::Refused | Written::Gone => Ok(()),
        }
    }
}

/// Takes a room that has ended out of the maps. Answers whether that could be done; doing it again does no harm.
pub(in crate::room) async fn bury(context: &Context, room: &RoomId, epoch: Epoch) -> bool {
    let store = &context.ports.store;
    let burial = || async {
        // In this order: as long as the map leads to the room, the journal says that it has ended.
        store.expire(room, FOUND_S).await?;
        refusals::erase(&**store, room).await?;
        if !is_planted(Fault::LeavesEnded) {
            directory::remove(&**store, room).await?;
        }
        store.expire(room, KEPT_S).await
    };
    for attempt in 1..=ATTEMPTS {
        match timeout(HINT_TIMEOUT, burial()).await {
            Ok(Ok(())) => {
                if context.readers() == Readers::OfThisRelease {
                    announce(context, &NodeNews::Closed { room: room.clone(), epoch }).await;
                }
                return true;
            }
            Ok(Err(Unavailable(why))) => {
                warn!(%room, why, attempt, "a room that has ended is still in the maps")
            }
            Err(_) => warn!(%room, attempt, "a room that has ended is still in the maps: no answer in time"),
        }
        sleep(HINT_TIMEOUT).await;
    }
    false
}
