//! What everybody sees: the table, what its chips are, and the seats that wait for some.

use money::Currency;
use protocol::id::UserId;
use serde::Serialize;
use table::Seen;

use crate::state::Cash;

/// A keyframe's `state`: that of a table, with more fields.
#[derive(Serialize)]
pub(crate) struct View<'a> {
    #[serde(flatten)]
    table: Seen<'a>,
    currency: Currency,
    reserved: Vec<Waiting<'a>>,
}

/// A seat that is reserved.
#[derive(Serialize)]
struct Waiting<'a> {
    seat: u8,
    user: &'a UserId,
    name: &'a str,
}

impl<'a> View<'a> {
    pub(crate) fn of(cash: &'a Cash) -> Self {
        let reserved = cash.chips.reserved.iter();
        let reserved = reserved.map(|reserved| Waiting {
            seat: reserved.seat,
            user: &reserved.user,
            name: &reserved.shown,
        });
        Self { table: cash.table.seen(), currency: cash.chips.currency, reserved: reserved.collect() }
    }
}
