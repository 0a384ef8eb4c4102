//! What must be true of tables that players or a queue have opened, when all of them are closed.

use broker::{
    directory,
    store::{Store, Unavailable},
};

use super::{Promise, Shadow};

/// Closed tables of a queue are nowhere.
///
/// # Errors
/// When the store cannot be read.
pub async fn judge_closed(store: &dyn Store, shadow: &mut Shadow) -> Result<(), Unavailable> {
    for room in shadow.tables_of_queue() {
        if directory::spec(store, &room).await?.is_some() {
            shadow.accuse(Promise::Ended, format!("{room}: has ended, and is in the directory"));
        }
    }
    Ok(())
}

/// Closed tables are nowhere, nobody sits there, and nobody is told that he has one.
///
/// # Errors
/// When the store cannot be read.
pub async fn judge_hosted(store: &dyn Store, shadow: &mut Shadow) -> Result<(), Unavailable> {
    for room in shadow.hosted() {
        if !shadow.has_ended(&room) {
            shadow.accuse(Promise::Ended, format!("{room}: was closed, and has not ended"));
        }
        if shadow.is_taken(&room) {
            shadow.accuse(Promise::Ended, format!("{room}: has ended, and somebody sits there"));
        }
        // What an owner said of the table may come to the store behind its burial. It leads nowhere, and goes with the next room of its
        // partition, whose owners are read then.
        if directory::spec(store, &room).await?.is_some() {
            shadow.accuse(Promise::Ended, format!("{room}: has ended, and is in the directory"));
        }
    }
    if let Some(user) = shadow.has_tables().cloned() {
        shadow.accuse(Promise::Host, format!("{user} is told of tables, and all are closed"));
    }
    Ok(())
}
