//! What the ledger does about a broker that has lost the end of a journal.

use cage::{DbError, ledger::Answer};
use money::{Ask, Body as _, Paid, Why};
use protocol::id::Position;

use crate::{
    ledger::{OPENING, absorb, buy, cash_out, done, give_back, id, play, rake, refused, top_up, user, void},
    setup::Cage,
};

fn cut(follows: (u64, u64)) -> Ask {
    Ask::Cut { follows: Position::new(follows.0, follows.1) }
}

fn paid(who: &[&str]) -> Result<Answer, DbError> {
    Ok(Answer::Done(Paid(who.iter().map(|name| user(name)).collect()).write()))
}

pub(crate) async fn what_was_brought_in_a_lost_branch_comes_back(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 5), top_up("u-ann", 40)).await.unwrap();
    cage.ask(id(1, 6), buy("u-bob", 70)).await.unwrap();
    assert_eq!(cage.ask(id(2, 4), cut((1, 3))).await, paid(&[]));
    assert_eq!((cage.available("u-ann").await, cage.available("u-bob").await), (OPENING - 100, OPENING));
    assert_eq!(cage.table_and_variance().await, (100, 0));
    assert_eq!(cage.balance("u-ann").await.in_play[0].1, 100);
    // Twins and what still comes of it are void; what stands before the cut and what is new is not.
    assert_eq!(cage.ask(id(1, 6), buy("u-bob", 70)).await, refused(Why::Void));
    assert_eq!(cage.ask(id(1, 7), buy("u-bob", 70)).await, refused(Why::Void));
    assert_eq!(cage.ask(id(1, 8), cash_out("u-ann", 100)).await, refused(Why::Void));
    assert_eq!(cage.ask(id(1, 9), void(id(1, 2))).await, done());
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", 100)).await, done());
    assert_eq!(cage.ask(id(1, 3), buy("u-eve", 1)).await, done());
    assert_eq!(cage.ask(id(2, 5), buy("u-bob", 70)).await, done());
    assert_eq!(cage.table_and_variance().await, (171, 0));
    for _ in 0..2 {
        assert_eq!(cage.ask(id(2, 4), cut((1, 3))).await, paid(&[]), "it is done once");
    }
    assert_eq!(cage.table_and_variance().await, (171, 0));
    // Of another room nothing is cut off.
    assert_eq!(cage.ask_of("t2", id(1, 7), buy("u-bob", 1)).await, done());
}

pub(crate) async fn who_was_paid_in_a_lost_branch_stays_paid_and_is_not_paid_twice(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 3), buy("u-bob", 100)).await.unwrap();
    cage.ask(id(1, 4), top_up("u-ann", 10)).await.unwrap();
    // Lost: she wins 50 of his, leaves, comes again, leaves again, and brings 30 once more.
    cage.ask(id(1, 6), cash_out("u-ann", 160)).await.unwrap();
    cage.ask(id(1, 7), buy("u-ann", 20)).await.unwrap();
    cage.ask(id(1, 8), cash_out("u-ann", 25)).await.unwrap();
    cage.ask(id(1, 9), buy("u-ann", 30)).await.unwrap();
    assert_eq!(cage.ask(id(2, 6), cut((1, 5))).await, paid(&["u-ann"]));
    // She has what she left with, and what she brought since.
    assert_eq!(cage.available("u-ann").await, OPENING - 110 + 160 - 20 + 25);
    assert_eq!(cage.table_and_variance().await, (210, -165));
    // What she has brought before is what she was paid: given up, it is the house's; so are her chips at the table.
    assert_eq!(cage.ask(id(2, 7), void(id(1, 4))).await, done());
    assert_eq!(cage.ask(id(2, 8), absorb("u-ann", 100)).await, done());
    assert_eq!(cage.available("u-ann").await, OPENING + 55);
    assert_eq!(cage.table_and_variance().await, (100, -55));
    assert_eq!(cage.ask(id(2, 6), cut((1, 5))).await, paid(&["u-ann"]), "it is told again");
    // What she brings now is hers.
    cage.ask(id(2, 9), buy("u-ann", 40)).await.unwrap();
    assert_eq!(cage.ask(id(2, 10), void(id(2, 9))).await, done());
    assert_eq!(cage.available("u-ann").await, OPENING + 55);
}

pub(crate) async fn what_went_back_in_a_lost_branch_is_not_given_again(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 3), buy("u-bob", 100)).await.unwrap();
    cage.ask(id(1, 5), top_up("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 6), give_back("u-ann", 40)).await.unwrap();
    // More than he brought in the lost branch: it is on the table again.
    cage.ask(id(1, 7), give_back("u-bob", 30)).await.unwrap();
    assert_eq!(cage.ask(id(2, 6), cut((1, 4))).await, paid(&[]), "whoever stays is not paid");
    assert_eq!(cage.available("u-ann").await, OPENING - 100);
    assert_eq!(cage.available("u-bob").await, OPENING - 70);
    assert_eq!(cage.table_and_variance().await, (200, -30));
    // Before she was paid last it stays hers.
    cage.ask(id(2, 8), top_up("u-ann", 50)).await.unwrap();
    cage.ask(id(2, 9), give_back("u-ann", 20)).await.unwrap();
    cage.ask(id(2, 10), cash_out("u-ann", 130)).await.unwrap();
    assert_eq!(cage.ask(id(3, 9), cut((2, 7))).await, paid(&["u-ann"]));
    assert_eq!(cage.available("u-ann").await, OPENING);
    assert_eq!(cage.table_and_variance().await, (200, -130));
}

pub(crate) async fn what_the_house_took_in_a_lost_branch_goes_back(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 3), rake(3)).await.unwrap();
    cage.ask(id(1, 5), rake(5)).await.unwrap();
    cage.ask(id(1, 6), absorb("u-ann", 60)).await.unwrap();
    assert_eq!(cage.table_and_variance().await, (32, 60));
    assert_eq!(cage.ask(id(2, 5), cut((1, 4))).await, paid(&[]));
    assert_eq!(cage.table_and_variance().await, (97, 0));
    let rake =
        cage.read(cage::ledger::audit).await.totals[&play()].house[&cage::ledger::account::House::Rake];
    assert_eq!(rake, 3);
    assert_eq!(cage.balance("u-ann").await.in_play[0].1, 100);
}

/// Who has lost everything in a lost branch, and has left, plays on in the other one.
pub(crate) async fn who_left_a_lost_branch_with_nothing_was_not_paid(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 5), cash_out("u-ann", 0)).await.unwrap();
    assert_eq!(cage.balance("u-ann").await.in_play, []);
    cage.ask(id(1, 6), buy("u-ann", 7)).await.unwrap();
    assert_eq!(cage.ask(id(2, 5), cut((1, 4))).await, paid(&[]));
    assert_eq!(cage.balance("u-ann").await.in_play[0].1, 100, "she sits there again");
    assert_eq!((cage.available("u-ann").await, cage.table_and_variance().await), (OPENING - 100, (100, 0)));
}

/// Of two owners that follow each other the second one's frames are lost, and the first one goes on from what it remembers.
pub(crate) async fn what_a_cut_has_done_that_is_lost_itself_is_taken_back(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(15, 2), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(15, 3), buy("u-bob", 100)).await.unwrap();
    cage.ask(id(15, 16), top_up("u-bob", 50)).await.unwrap();
    cage.ask(id(15, 17), buy("u-eve", 30)).await.unwrap();
    cage.ask(id(15, 18), rake(2)).await.unwrap();
    cage.ask(id(15, 26), cash_out("u-ann", 167)).await.unwrap();
    let first =
        (cage.table_and_variance().await, cage.available("u-bob").await, cage.available("u-eve").await);
    assert_eq!(first, ((111, 0), OPENING - 150, OPENING - 30));
    assert_eq!(cage.ask(id(17, 16), cut((15, 15))).await, paid(&["u-ann"]));
    assert_eq!(cage.ask(id(17, 18), absorb("u-ann", 100)).await, done());
    assert_eq!(cage.ask(id(17, 19), buy("u-kim", 60)).await, done());
    assert_eq!(cage.table_and_variance().await, (100 + 60, -67));
    assert_eq!((cage.available("u-bob").await, cage.available("u-eve").await), (OPENING - 100, OPENING));
    // Eve has brought what came back to her to another table meanwhile.
    cage.ask_of("t2", id(1, 2), buy("u-eve", 990)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(cage.ask(id(19, 29), cut((15, 28))).await, paid(&[]));
        // What she has not any more the house bears.
        assert_eq!(cage.table_and_variance().await, (111 + 990, -20));
        assert_eq!(cage.available("u-ann").await, OPENING + 67, "she was paid, and once");
        assert_eq!((cage.available("u-bob").await, cage.available("u-eve").await), (OPENING - 150, 0));
        assert_eq!(cage.available("u-kim").await, OPENING);
    }
    assert_eq!(cage.balance("u-ann").await.in_play, []);
    assert_eq!(cage.balance("u-bob").await.in_play[0].1, 150);
    // Nobody's word of the branch that was lost counts any more; that of the one that is left does.
    assert_eq!(cage.ask(id(15, 27), buy("u-kim", 5)).await, done());
    assert_eq!(cage.ask(id(17, 20), buy("u-kim", 5)).await, refused(Why::Void));
    assert_eq!(cage.ask(id(15, 17), buy("u-eve", 30)).await, done(), "it is hers after all");
    // All of it may be undone once more, and what the house has borne with it.
    assert_eq!(cage.ask(id(21, 16), cut((15, 15))).await, paid(&["u-ann"]));
    assert_eq!((cage.available("u-bob").await, cage.available("u-eve").await), (OPENING - 100, 10));
    assert_eq!(cage.table_and_variance().await, (200 + 990, -167));
    assert!(cage.read(cage::ledger::audit).await.is_right());
}

/// Two losses, the second one deeper.
pub(crate) async fn who_was_paid_and_what_he_had_brought_are_both_lost(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 3), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 4), buy("u-bob", 100)).await.unwrap();
    cage.ask(id(1, 6), cash_out("u-ann", 130)).await.unwrap();
    assert_eq!(cage.ask(id(2, 6), cut((1, 5))).await, paid(&["u-ann"]));
    assert_eq!(cage.table_and_variance().await, (200, -130));
    assert_eq!(cage.ask(id(3, 3), cut((1, 2))).await, paid(&["u-ann"]));
    // He has got his chips back, and she has had hers.
    assert_eq!((cage.available("u-ann").await, cage.available("u-bob").await), (OPENING + 30, OPENING));
    assert_eq!(cage.table_and_variance().await, (0, -30));
}

/// Everybody is paid by a claim that has found nothing; its frames are lost, and who has owned the table remembers it.
pub(crate) async fn a_table_that_was_settled_and_is_remembered_after_all_goes_on(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 2), cut((0, 0))).await.unwrap();
    cage.ask(id(1, 3), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 4), buy("u-bob", 100)).await.unwrap();
    cage.ask(id(1, 5), buy("bot-1", 40)).await.unwrap();
    cage.ask(id(1, 6), rake(4)).await.unwrap();
    assert_eq!(cage.ask(id(2, 2), cut((0, 0))).await, paid(&[]));
    assert_eq!((cage.available("u-ann").await, cage.table_and_variance().await), (OPENING, (0, 0)));
    cage.ask(id(2, 3), buy("u-kim", 60)).await.unwrap();
    assert_eq!(cage.ask(id(3, 9), cut((1, 8))).await, paid(&[]));
    assert_eq!((cage.available("u-ann").await, cage.available("u-kim").await), (OPENING - 100, OPENING));
    assert_eq!(cage.table_and_variance().await, (236, 0));
    assert_eq!(cage.balance("u-ann").await.in_play[0].1, 100);
    assert_eq!(cage.ask(id(3, 10), cash_out("u-ann", 150)).await, done());
    // Nothing is left after all.
    assert_eq!(cage.ask(id(4, 2), cut((0, 0))).await, paid(&[]));
    assert_eq!(cage.available("u-bob").await, OPENING);
    assert_eq!(cage.table_and_variance().await, (0, -50));
}

/// What its owner says who was taken over, of a branch that somebody has left: it is known by then what has happened.
pub(crate) async fn a_cut_that_comes_too_late_does_nothing(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 3), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 7), cash_out("u-ann", 90)).await.unwrap();
    assert_eq!(cage.ask(id(3, 9), cut((1, 8))).await, paid(&[]));
    for (at, follows) in [(id(2, 4), (1, 2)), (id(2, 3), (0, 0))] {
        assert_eq!(cage.ask(at, cut(follows)).await, paid(&[]));
        assert_eq!((cage.available("u-ann").await, cage.table_and_variance().await), (OPENING - 10, (10, 0)));
    }
}

/// Two that ask at once from two processes: whichever is first, the other one sees it.
pub(crate) async fn a_cut_and_what_it_cuts_off_never_pass_each_other(cage: Cage) {
    let cage = cage.with_currencies().await;
    for n in 0..40_u64 {
        let of = format!("t-{n}");
        let name = format!("u-{n}");
        let ask = |about: &str, at, ask: Ask| {
            let (room, body) = (crate::ledger::room(&of), ask.write());
            let about = format!("{about}{n}");
            let cage = &cage;
            async move {
                let work = move |tx: &mut dyn cage::Tx| {
                    cage::ledger::answer(tx, crate::setup::NOW, &room, at, &body)
                };
                cage.tellers().write(&about, work).await
            }
        };
        let (bought, cut) =
            tokio::join!(ask("zombie", id(1, 5), buy(&name, 10)), ask("successor", id(2, 4), cut((1, 3))));
        assert_eq!(cut, paid(&[]));
        assert!(bought == done() || bought == refused(Why::Void), "{bought:?}");
        assert_eq!(cage.available(&name).await, OPENING);
    }
    assert_eq!(cage.table_and_variance().await, (0, 0));
}
