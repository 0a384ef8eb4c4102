//! Which seat somebody gets who is sent to a table. The table chooses it, and not the tournament, which cannot know who has gone meanwhile.

use holdem::SeatIndex;
use rand_chacha::rand_core::Rng;
use rooms::planted::{Fault, is_planted};
use table::Table;

use crate::seating::below;

/// A free seat by chance, each as likely as any other (a new player, or one of a broken table).
pub(super) fn drawn(table: &Table, rng: &mut dyn Rng) -> Option<u8> {
    let free: Vec<u8> = free(table).collect();
    (!free.is_empty()).then(|| free[below(free.len(), rng)])
}

/// The worst free seat for somebody who was moved to level tables: where the big blind comes soonest, a single big blind included, but never the
/// small blind if there is another one.
pub(super) fn worst(table: &Table, rng: &mut dyn Rng) -> Option<u8> {
    let Some(last) = table.positions() else { return drawn(table, rng) };
    let has_chips = |seat: u8| table.seated(seat).is_some_and(|player| player.stack + player.bet > 0);
    // Hands until the big blind comes there.
    let hands = |seat: u8| {
        let on_the_way = last.big_blind.clockwise().map(SeatIndex::get).take_while(|at| *at != seat);
        on_the_way.filter(|at| *at < table.config().seats && has_chips(*at)).count()
    };
    // The last big blind's seat has the small blind in the next hand, whoever sits there.
    let is_small_blind = |seat: u8| seat == last.big_blind.get();
    if is_planted(Fault::BalancesToTheSmallBlind) {
        return free(table).min_by_key(|seat| (!is_small_blind(*seat), hands(*seat)));
    }
    free(table).min_by_key(|seat| (is_small_blind(*seat), hands(*seat)))
}

fn free(table: &Table) -> impl Iterator<Item = u8> {
    (0..table.config().seats).filter(|seat| table.seated(*seat).is_none())
}

/// The players of a table in the order in which they go: who will be big blind next is the first.
pub(super) fn in_blind_order(table: &Table, seats: &[u8]) -> Vec<u8> {
    let Some(last) = table.positions() else { return seats.to_vec() };
    last.big_blind.clockwise().map(SeatIndex::get).filter(|seat| seats.contains(seat)).collect()
}
