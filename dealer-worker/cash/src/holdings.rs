//! What the table tells of its chips, for whoever holds the ledger against it.

use money::{SERVICE, holdings::Holdings};
use rooms::room::errands::Errands;

use crate::state::Cash;

/// All that lies there, and what it has asked of the cage that is not settled.
pub(crate) fn of(cash: &Cash, errands: &Errands) -> Holdings {
    let view = cash.table.public();
    let promised: u64 = view.seats.iter().flatten().map(|player| player.top_up).sum();
    let asked = errands.of(SERVICE).map(|errand| (errand.id, &*errand.ask.body));
    Holdings::of(cash.chips.currency, view.on_table() + promised, asked)
}
