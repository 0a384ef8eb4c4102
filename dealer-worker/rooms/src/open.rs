//! Opening rooms: writing them into the map of rooms, where workers find them.

use std::sync::Arc;

use broker::{
    channel::Channel,
    directory::{self, Readers},
    members::Membership,
    node::{NodeNews, RoomSpec, encode},
    ports::Ports,
    store::Unavailable,
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use protocol::{id::RoomId, rail::RailConfig};
use tokio::sync::watch;

use crate::room::{
    errands::{Ask, Away, Errand, Outcome, Service},
    journal::has_ended,
};

/// Opens a room, unless there is one of this name, or one has ended lately: then it stays as it is, and the answer is `false`. One that has
/// a journal and that the directory has lost is written down again. Workers that run hear of it at once. `readers`: who must find it.
///
/// # Errors
/// [`Unavailable`]; it may have been opened.
pub async fn open_room(
    ports: &Ports,
    room: &RoomId,
    spec: &RoomSpec,
    readers: Readers,
) -> Result<bool, Unavailable> {
    if has_ended(&*ports.store, room).await? == Some(true) {
        return Ok(false);
    }
    let is_new = directory::open(&*ports.store, room, spec.to_bytes(), readers).await?;
    if is_new {
        // Who does not hear it reads the map before long.
        let opened = NodeNews::Opened { room: room.clone() };
        let _ = ports.bus.publish(&Channel::nodes(), encode(&opened)).await;
    }
    Ok(is_new)
}

/// Asks for a room to be opened. It is there, or was and has ended, when the errand is done; the outcome says no more than that, so that it is
/// the same however often it is asked for.
pub fn opening(room: &RoomId, spec: &RoomSpec) -> Ask {
    let body =
        postcard::to_stdvec(&(OPENING, room, spec.to_bytes())).expect("names and bytes have known lengths");
    Ask { of: OPENER.into(), body, wants_answer: true, goes_first: false }
}

/// The name of the service that opens rooms.
pub(crate) const OPENER: &str = "rooms";

/// The version of what it is asked.
const OPENING: u8 = 1;

/// Opens rooms for rooms. It needs no memory of what it has done: a room is opened once by its name, and its journal says for some time
/// that it has ended.
pub(crate) struct Opener {
    /// Where rooms are opened.
    pub(crate) ports: Ports,
    /// Who must find them.
    pub(crate) membership: watch::Receiver<Arc<Membership>>,
}

impl Service for Opener {
    fn ask(&self, room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        self.ask_late(room, errand, 0)
    }

    /// A room is shown to its rail as late as the one that has opened it, or later.
    fn ask_late(
        &self,
        _room: &RoomId,
        errand: &Errand,
        late_ms: u32,
    ) -> BoxFuture<'_, Result<Outcome, Away>> {
        let read = postcard::from_bytes::<(u8, RoomId, Bytes)>(&errand.ask.body);
        let asked = read.ok().filter(|(version, _, _)| *version == OPENING);
        let asked = asked.and_then(|(_, room, spec)| Some((room, serde_json::from_slice(&spec).ok()?)));
        let asked = asked.map(|(room, spec): (RoomId, RoomSpec)| {
            let rail = RailConfig { delay_ms: spec.rail.delay_ms.max(late_ms), ..spec.rail };
            (room, spec.with_rail(rail))
        });
        Box::pin(async move {
            let Some((room, spec)) = asked else { return Ok(Outcome::Refused(Bytes::new())) };
            let readers = Readers::among(&self.membership.borrow());
            match open_room(&self.ports, &room, &spec, readers).await {
                Ok(_) => Ok(Outcome::Done(Bytes::new())),
                Err(Unavailable(why)) => Err(Away(why)),
            }
        })
    }
}
