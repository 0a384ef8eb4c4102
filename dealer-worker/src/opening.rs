//! Opening tables, each with a place to talk beside it.

use broker::{
    directory::{self, Readers},
    node::RoomSpec,
    ports::Ports,
    store::{Store, Unavailable},
};
use cash::Cash;
use money::Currency;
use protocol::{
    id::RoomId,
    rail::{RailCards, RailChoice, RailConfig},
    table::TableConfig,
    talk::beside,
};
use rooms::{open_room, room::Room as _};
use table::{
    Table,
    settings::{BadConfig, check},
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
    /// What is set of their rail is nothing that a house can do.
    #[error("{0}")]
    Rail(String),
    /// The map of rooms cannot be written.
    #[error(transparent)]
    Store(#[from] Unavailable),
}

/// What a table is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The game.
    pub config: TableConfig,
    /// What its chips are; nothing where they are nobody's.
    pub currency: Option<Currency>,
    /// How those watch it who have no seat.
    pub rail: RailConfig,
}

impl Opening {
    /// Chips come from nowhere and go to nobody.
    pub fn of(config: TableConfig) -> Self {
        Self { config, currency: None, rail: RailConfig::default() }
    }

    fn spec(&self) -> RoomSpec {
        let Self { config, currency, rail } = self.clone();
        let spec = match currency {
            Some(currency) => RoomSpec::new(Cash::NAME, &cash::Settings { currency, table: config }),
            None => RoomSpec::new(Table::NAME, &config),
        };
        spec.with_rail(rail)
    }

    /// Reads the spec of a room; nothing if it is no table.
    fn read(spec: &RoomSpec) -> Option<Self> {
        let rail = spec.rail;
        match spec.kind.as_str() {
            Table::NAME => spec.read().ok().map(|config| Self { rail, ..Self::of(config) }),
            Cash::NAME => {
                let cash::Settings { currency, table } = spec.read().ok()?;
                Some(Self { config: table, currency: Some(currency), rail })
            }
            _ => None,
        }
    }
}

/// Opens tables `t1` to `tN` with these settings, each under a name of its own, and the rooms in which people talk at them; those that
/// exist stay as they are. Answers how many tables were new. Workers that run hear of it at once.
///
/// # Errors
/// [`OpenError`]; some may have been opened.
pub async fn open_tables(ports: &Ports, count: u32, opening: &Opening) -> Result<u32, OpenError> {
    let mut opened = 0;
    for number in 1..=count {
        opened += u32::from(open_table(ports, number, opening).await?);
    }
    Ok(opened)
}

/// Opens the table of this number, from 1, in the same way. Answers whether it is new.
///
/// # Errors
/// [`OpenError`]; it may have been opened.
///
/// # Panics
/// Never: its name is one.
pub async fn open_table(ports: &Ports, number: u32, opening: &Opening) -> Result<bool, OpenError> {
    check(&opening.config)?;
    RailChoice::from(opening.rail).config().map_err(OpenError::Rail)?;
    if opening.currency.is_some() && opening.rail.cards == RailCards::Delayed {
        let why = "where chips are somebody's nobody sees cards with the hand: take --table-currency or --rail-cards delayed away";
        return Err(OpenError::Rail(why.into()));
    }
    let room = RoomId::new(&format!("t{number}")).expect("t and digits are a name");
    let config = TableConfig { name: name(number), ..opening.config.clone() };
    let opening = Opening { config, currency: opening.currency, rail: opening.rail };
    if let Ok(talk) = beside(&room) {
        // What is said tells what is played, so it is shown as late: to everybody, since nobody is a member there. Whoever has a seat talks to the others at
        // the table itself, whose frames are shown late to the rail alone. Workers of earlier releases could do nothing with it.
        let spec = talk::spec().with_rail(RailConfig::late(opening.rail.delay_ms));
        open_room(ports, &talk, &spec, Readers::OfThisRelease).await?;
    }
    // Whoever opens tables at its start does not know yet who lives.
    let is_new = opening.currency.is_some() || !opening.rail.is_default();
    let readers = if is_new { Readers::OfThisRelease } else { Readers::OfAnyRelease };
    Ok(open_room(ports, &room, &opening.spec(), readers).await?)
}

/// Opens the rooms from which players open tables, unless they are there: then they stay as they are.
///
/// # Errors
/// [`OpenError`]; some may have been opened.
pub async fn open_floor(ports: &Ports, settings: &floor::Settings) -> Result<(), OpenError> {
    check(&settings.table)?;
    let spec = RoomSpec::new(protocol::floor::KIND, settings);
    for room in protocol::floor::rooms() {
        // Workers of earlier releases could do nothing with them.
        open_room(ports, &room, &spec, Readers::OfThisRelease).await?;
    }
    Ok(())
}

/// Opens the queue for tables of these settings, which are shown as late as this rail, unless it is there: then it stays as it is. Nobody sees cards of strangers
/// there.
///
/// # Errors
/// [`OpenError`]; it may have been opened.
pub async fn open_queue(
    ports: &Ports,
    settings: &queue::Settings,
    rail: RailConfig,
) -> Result<(), OpenError> {
    check(&settings.table)?;
    // Workers of earlier releases could do nothing with it.
    let spec = RoomSpec::new(protocol::queue::KIND, settings).with_rail(RailConfig::late(rail.delay_ms));
    open_room(ports, &settings.id, &spec, Readers::OfThisRelease).await?;
    Ok(())
}

/// Opens the rooms in which work waits for whoever does it, unless they are there: then they stay as they are.
///
/// # Errors
/// [`OpenError`]; some may have been opened.
pub async fn open_jobs(ports: &Ports, settings: &jobs::Settings) -> Result<(), OpenError> {
    let spec = RoomSpec::new(protocol::jobs::KIND, settings);
    for room in protocol::jobs::rooms() {
        // Workers of earlier releases could do nothing with them.
        open_room(ports, &room, &spec, Readers::OfThisRelease).await?;
    }
    Ok(())
}

/// All tables that there are, with the settings that they were opened with, in the order of their numbers. Reads all maps of rooms: for
/// a store that is near.
///
/// # Errors
/// The maps cannot be read.
pub async fn tables(store: &dyn Store) -> Result<Vec<(RoomId, Opening)>, Unavailable> {
    let rooms = directory::specs(store).await?;
    let tables = rooms.into_iter().filter_map(|(room, spec)| {
        let spec: RoomSpec = serde_json::from_slice(&spec).ok()?;
        Some((room, Opening::read(&spec)?))
    });
    let mut tables: Vec<(RoomId, Opening)> = tables.collect();
    tables.sort_by_cached_key(|(room, _)| (room.as_str().len(), room.clone()));
    Ok(tables)
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
