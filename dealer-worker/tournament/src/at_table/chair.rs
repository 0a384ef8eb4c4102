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

#[cfg(test)]
mod tests {
    use protocol::{
        id::{Position, UserId},
        rights::Rights,
        table::{ActKind, TableCommand},
    };
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    use rooms::{planted::plant, room::Moment};
    use table::{
        Draft,
        commands::{Asker, follow},
        seating::{Newcomer, seat},
    };

    use super::*;
    use crate::{
        presets::{Speed, sit_and_go},
        settings,
    };

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(1)
    }

    fn user(seat: u8) -> UserId {
        UserId::new(&format!("p{seat}")).unwrap()
    }

    /// Three players in the seats 0, 2 and 4, in a hand: the button has the first, then come the blinds.
    fn playing() -> Draft {
        let table = Table::new(settings::table(&sit_and_go(6, Speed::Hyper), (10, 20, 0)));
        let mut draft = Draft::of(&table, Moment { now: 1_000, at: Position::new(1, 1) });
        for at in [0, 2, 4] {
            let newcomer = Newcomer { seat: at, user: &user(at), name: "P", stack: 500, waits: false };
            seat(&mut draft, newcomer);
        }
        table::clock::deal(&mut draft, &mut rng());
        assert_eq!(draft.table().positions().map(|at| at.big_blind.get()), Some(4));
        draft
    }

    #[test]
    fn who_is_moved_sits_where_the_big_blind_comes_next() {
        assert_eq!(worst(playing().table(), &mut rng()), Some(5));
    }

    #[test]
    fn who_is_moved_never_gets_the_small_blind_while_there_is_another_seat() {
        let mut draft = playing();
        while let Some(turn) = draft.table().public().hand.as_ref().and_then(|hand| hand.turn.clone()) {
            let fold = TableCommand::Act { hand: 1, turn: turn.turn, kind: ActKind::Fold, to: None };
            let asker = Asker { user: &user(turn.seat), name: "P", rights: Rights::default() };
            follow(&mut draft, asker, fold).unwrap();
        }
        draft.emit(table::Event::Left { seat: 4, at_ms: 1_000 });
        assert_eq!(worst(draft.table(), &mut rng()), Some(5), "the last big blind's seat is free, too");
        plant(Some(Fault::BalancesToTheSmallBlind));
        let planted = worst(draft.table(), &mut rng());
        plant(None);
        assert_eq!(planted, Some(4), "the fault is one");
    }

    #[test]
    fn whoever_will_be_big_blind_next_goes_first() {
        assert_eq!(in_blind_order(playing().table(), &[0, 2, 4]), [0, 2, 4]);
    }
}
