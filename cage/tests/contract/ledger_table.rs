//! A table is held against its account, with what is under way between them.

use cage::ledger::{
    self,
    table_account::{Compared, left_behind, rooms},
};
use money::{
    Ask,
    holdings::{ABOUT, Does, Holdings, Open},
};
use protocol::id::{ErrandId, Position};

use crate::{
    Cage,
    ledger::{buy, cash_out, id, play, rake, room, void},
};

impl Cage {
    /// The table `t1` says that so many chips lie there, up to that frame, and what it has asked that is not settled.
    async fn says(&self, at: (u64, u64), chips: u64, open: &[(ErrandId, Ask)]) -> Option<Vec<Compared>> {
        let open = open.iter().map(|(id, ask)| Open { id: *id, does: Does::of(ask) }).collect();
        let holdings = Holdings { about: ABOUT.into(), currency: play(), chips, open };
        let at = Position::new(at.0, at.1);
        self.read(move |tx| ledger::compare(tx, &room("t1"), at, &holdings)).await
    }

    async fn difference(&self, at: (u64, u64), chips: u64, open: &[(ErrandId, Ask)]) -> i64 {
        let compared = self.says(at, chips, open).await.expect("nothing is cut");
        assert_eq!(compared.len(), 1);
        compared[0].difference()
    }
}

pub(crate) async fn a_table_and_its_account_say_the_same_whatever_is_under_way_between_them(cage: Cage) {
    let cage = cage.with_currencies().await;
    // The buy-in is in the journal, then at the ledger, then at the table.
    let bought = [(id(1, 2), buy("u-ann", 100))];
    assert_eq!(cage.difference((1, 2), 0, &bought).await, 0);
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    assert_eq!(cage.difference((1, 2), 0, &bought).await, 0);
    assert_eq!(cage.difference((1, 3), 100, &[]).await, 0);
    // Given up: not heard of, posted, undone.
    cage.ask(id(1, 4), buy("u-bob", 50)).await.unwrap();
    let given_up = [(id(1, 5), void(id(1, 4)))];
    assert_eq!(cage.difference((1, 5), 100, &given_up).await, 0);
    cage.ask(id(1, 5), void(id(1, 4))).await.unwrap();
    assert_eq!(cage.difference((1, 5), 100, &given_up).await, 0);
    assert_eq!(cage.difference((1, 6), 100, &[]).await, 0);
    let never_came = [(id(1, 7), void(id(1, 6)))];
    assert_eq!(cage.difference((1, 7), 100, &never_came).await, 0);
    // What goes, and what is raked: in the journal, then at the ledger.
    let goes = [(id(1, 8), cash_out("u-ann", 60)), (ErrandId { n: 1, ..id(1, 8) }, rake(5))];
    assert_eq!(cage.difference((1, 8), 35, &goes).await, 0);
    cage.ask(goes[0].0, goes[0].1.clone()).await.unwrap();
    assert_eq!(cage.difference((1, 8), 35, &goes).await, 0, "one of the two is booked");
    cage.ask(goes[1].0, goes[1].1.clone()).await.unwrap();
    assert_eq!(cage.difference((1, 8), 35, &goes).await, 0);
    // What has been said before is right still, with all that has come since.
    assert_eq!(cage.difference((1, 3), 100, &[]).await, 0);
    // A loss: what came behind 1-7 is no part of the history.
    let cut = [(id(2, 8), Ask::Cut { follows: Position::new(1, 7) })];
    assert_eq!(cage.says((2, 8), 100, &cut).await, None, "the ledger has not heard of it yet");
    cage.ask(cut[0].0, cut[0].1.clone()).await.unwrap();
    assert_eq!(cage.difference((2, 8), 100, &cut).await, 0);
}

pub(crate) async fn what_a_table_has_too_much_or_too_little_is_told_to_the_chip(cage: Cage) {
    let cage = cage.with_currencies().await;
    assert_eq!(cage.difference((1, 1), 0, &[]).await, 0, "nobody has heard of it");
    assert_eq!(cage.difference((1, 1), 3, &[]).await, -3, "chips from nowhere");
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    assert_eq!(cage.difference((1, 3), 101, &[]).await, -1);
    assert_eq!(cage.difference((1, 3), 98, &[]).await, 2);
    // It was paid for, and the table has forgotten it.
    assert_eq!(cage.difference((1, 3), 0, &[]).await, 100);
    // It is at the table, and is said to be under way as well.
    assert_eq!(cage.difference((1, 3), 100, &[(id(1, 2), buy("u-ann", 100))]).await, -100);
    // Another currency stands in its name.
    let euros = Holdings {
        about: ABOUT.into(),
        currency: crate::ledger::currency("EUR"),
        chips: 0,
        open: Vec::new(),
    };
    let compared = cage
        .read(move |tx| ledger::compare(tx, &room("t1"), Position::new(1, 3), &euros))
        .await
        .expect("nothing is cut");
    let found: Vec<_> = compared.iter().map(|of| (of.currency, of.difference())).collect();
    assert_eq!(found, [(crate::ledger::currency("EUR"), 0), (play(), 100)]);
    // The table is no more, and has left something.
    let left = cage.read(|tx| left_behind(tx, &room("t1"))).await;
    assert_eq!(left.iter().map(Compared::difference).collect::<Vec<_>>(), [100]);
    assert_eq!(cage.read(rooms).await, [room("t1")]);
    cage.ask(id(1, 4), cash_out("u-ann", 100)).await.unwrap();
    assert_eq!(cage.read(|tx| left_behind(tx, &room("t1"))).await, []);
    // It was settled, and is there: what lies there is nobody's, and what it asks now is done by nobody.
    cage.ask(id(1, 5), buy("u-ann", 60)).await.unwrap();
    assert_eq!(cage.difference((1, 6), 60, &[]).await, 0);
    cage.write(|tx| ledger::settle(tx, 1, &room("t1"))).await.unwrap();
    assert_eq!(cage.difference((1, 6), 60, &[]).await, -60);
    assert_eq!(cage.difference((1, 7), 0, &[(id(1, 7), cash_out("u-ann", 60))]).await, 0);
    assert_eq!(cage.difference((2, 3), 0, &[]).await, 0, "and begins anew");
}
