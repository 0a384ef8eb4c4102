//! Opening rooms: writing them into the map of rooms, where workers find them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use shared::{
    channel::Channel,
    directory::{self, Readers},
    id::RoomId,
    members::Membership,
    node::{NodeNews, RoomSpec, encode},
    ports::Ports,
    protocol::table::TableConfig,
    store::Unavailable,
};
use tokio::sync::watch;

use crate::{
    room::{
        Room as _,
        errands::{Ask, Away, Errand, Outcome, Service},
        journal::ended,
    },
    table::{
        Table,
        settings::{BadConfig, check},
    },
};

/// Names for tables: places where people played, and a few where they still do.
const NAMES: [&str; 40] = [
    "Monte Carlo",
    "Deadwood",
    "Baden-Baden",
    "Macau",
    "Reno",
    "Venice",
    "Tombstone",
    "Sanremo",
    "Dodge City",
    "Deauville",
    "Natchez",
    "Estoril",
    "Dawson City",
    "Spa",
    "Virginia City",
    "Marienbad",
    "Leadville",
    "Biarritz",
    "Cripple Creek",
    "Campione",
    "Fort Worth",
    "Lucerne",
    "Gardena",
    "Travemuende",
    "Kansas City",
    "Evian",
    "San Francisco",
    "Nice",
    "New Orleans",
    "Bad Homburg",
    "Saratoga",
    "Ostend",
    "Tucson",
    "Aspinall",
    "Carson City",
    "Menton",
    "Abilene",
    "Vienna",
    "Skagway",
    "Rozvadov",
];

/// Tables that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Their settings describe no table.
    #[error(transparent)]
    Config(#[from] BadConfig),
    /// The map of rooms cannot be written.
    #[error(transparent)]
    Store(#[from] Unavailable),
}

/// Opens tables `t1` to `tN` with these settings, each under a name of its own; those that exist stay as they are.
/// Answers how many were new. Workers that run hear of it at once.
///
/// # Errors
/// [`OpenError`]; some may have been opened.
pub async fn open_tables(ports: &Ports, count: u32, config: &TableConfig) -> Result<u32, OpenError> {
    check(config)?;
    let mut opened = 0;
    for number in 1..=count {
        let room = RoomId::new(&format!("t{number}")).expect("t and digits are a name");
        let config = TableConfig { name: name(number), ..config.clone() };
        let spec = RoomSpec::new(Table::NAME, &config);
        // Whoever opens tables at its start does not know yet who lives.
        opened += u32::from(open_room(ports, &room, &spec, Readers::OfAnyRelease).await?);
    }
    Ok(opened)
}

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
    if ports.store.last(room).await?.as_ref().is_some_and(|last| ended(last).is_some()) {
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
    fn ask(&self, _room: &RoomId, errand: &Errand) -> BoxFuture<'_, Result<Outcome, Away>> {
        let read = postcard::from_bytes::<(u8, RoomId, Bytes)>(&errand.ask.body);
        let asked = read.ok().filter(|(version, _, _)| *version == OPENING);
        let asked = asked.and_then(|(_, room, spec)| Some((room, serde_json::from_slice(&spec).ok()?)));
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

/// The name of the table of that number, from 1.
fn name(number: u32) -> String {
    let index = usize::try_from(number - 1).unwrap_or(0);
    let place = NAMES[index % NAMES.len()];
    match index / NAMES.len() {
        0 => place.to_owned(),
        round => format!("{place} {}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_thousand_tables_have_a_thousand_names() {
        let names: BTreeSet<String> = (1..=1_000).map(name).collect();
        assert_eq!(names.len(), 1_000);
    }
}
