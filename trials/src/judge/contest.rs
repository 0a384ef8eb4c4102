//! What must be true of a tournament when it is over.

use broker::{
    directory,
    store::{Store, Unavailable},
};
use player::tournament_referee::Wrong;

use super::{Promise, Shadow};

impl From<Wrong> for Promise {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::OnePlace => Self::OnePlace,
            Wrong::Issued => Self::Issued,
            Wrong::Places => Self::Places,
            Wrong::Prizes => Self::Prizes,
            Wrong::Level => Self::Level,
        }
    }
}

/// It has ended, places and prizes are as they should be, and neither it nor a table of it is anywhere.
///
/// # Errors
/// When the store cannot be read.
pub async fn judge_contest(store: &dyn Store, shadow: &mut Shadow) -> Result<(), Unavailable> {
    if shadow.is_contest_broken() {
        // It was not waited for its end.
        return Ok(());
    }
    for room in shadow.rooms_of_contest() {
        if !shadow.has_ended(&room) {
            shadow.accuse(Promise::Ends, format!("{room}: has not ended; {}", shadow.contest_described()));
        } else if directory::spec(store, &room).await?.is_some() {
            shadow.accuse(Promise::Ends, format!("{room}: has ended, and is in the directory"));
        }
    }
    for (wrong, what) in shadow.finish_contest() {
        shadow.accuse(wrong.into(), what);
    }
    Ok(())
}
