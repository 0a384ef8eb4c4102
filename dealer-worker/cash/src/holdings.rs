//! What the table tells of its chips, for whoever holds the ledger against it.

use money::{
    SERVICE,
    holdings::{ABOUT, Holdings, Open},
};
use rooms::room::errands::Errands;

use crate::state::Cash;

/// All that lies there, and what it has asked of the cage that is not settled.
pub(crate) fn of(cash: &Cash, errands: &Errands) -> Holdings {
    let view = cash.table.public();
    let promised: u64 = view.seats.iter().flatten().map(|player| player.top_up).sum();
    let of_the_cage = errands.iter().filter(|errand| errand.ask.of == SERVICE);
    // They were written by this very kind of room.
    let open = of_the_cage.filter_map(|errand| Open::of(errand.id, &errand.ask.body));
    let (currency, chips) = (cash.chips.currency, view.on_table() + promised);
    Holdings { about: ABOUT.into(), currency, chips, open: open.collect() }
}
