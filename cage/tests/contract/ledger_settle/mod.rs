//! What the ledger does about a table of which nothing is left: everybody is paid at the last recorded hand, once and for ever.

mod life;

use cage::{
    Place, Tx,
    history::{NewHand, keep},
    ledger::{self, Settlement, account::House, settle::is_due},
    people::audit,
};
use hands::{HandRecord, testing};
use life::{Faults, Life};
use money::{Ask, Body as _, Paid, Why};
use protocol::id::{Epoch, Position};

use crate::{
    ledger::{OPENING, buy, cash_out, done, give_back, id, play, rake, refused, room, top_up, user, void},
    setup::{Cage, NOW},
};

fn anew() -> Ask {
    Ask::Cut { follows: Position::default() }
}

/// A hand of ann and bob, who have so much after it; with what both have won in it, which the record's own events do not say.
fn hand(number: u64, stacks: &[(&str, u64)]) -> HandRecord {
    let stacks = stacks.iter().map(|(name, stack)| (user(name), *stack)).collect();
    HandRecord { stacks, currency: Some("PLAY".into()), ..testing::hand(number, [0; 32]) }
}

impl Cage {
    async fn played(&self, at: (u64, u64), record: HandRecord) {
        let hand = NewHand { room: room("t1"), at: Position::new(at.0, at.1), record, late_ms: 0 };
        self.write(move |tx| keep(tx, &hand)).await;
    }

    async fn begins_anew(&self, epoch: u64) {
        let nobody = Ok(ledger::Answer::Done(Paid::default().write()));
        assert_eq!(self.ask(id(epoch, 2), anew()).await, nobody);
    }

    async fn is_due(&self, epoch: u64) -> bool {
        self.read(move |tx| is_due(tx, &room("t1"), epoch)).await
    }

    async fn settle(&self) -> Option<Settlement> {
        self.write(|tx| ledger::settle(tx, NOW, &room("t1"))).await
    }

    async fn rake(&self) -> i64 {
        let audit = self.read(ledger::audit).await;
        audit.totals.get(&play()).and_then(|totals| totals.house.get(&House::Rake)).copied().unwrap_or(0)
    }
}

pub(crate) async fn everybody_is_paid_what_the_last_recorded_hand_left_him(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.begins_anew(1).await;
    assert!(!cage.is_due(1).await, "a new table has nothing to be settled");
    cage.ask(id(1, 3), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 4), buy("u-bob", 100)).await.unwrap();
    cage.ask(id(1, 5), buy("bot-1", 50)).await.unwrap();
    cage.ask(id(1, 6), rake(1)).await.unwrap();
    cage.played((1, 6), hand(1, &[("u-ann", 130), ("u-bob", 69), ("bot-1", 50)])).await;
    cage.played((1, 9), hand(2, &[("u-ann", 149), ("u-bob", 30), ("bot-1", 70)])).await;
    // Since then: a hand that nobody knows of, of which the house took something; one brings more, one has reserved a seat.
    cage.ask(id(1, 12), Ask::Rake { currency: play(), amount: 3, hand: 3 }).await.unwrap();
    cage.ask(id(1, 13), top_up("u-bob", 40)).await.unwrap();
    cage.ask(id(1, 14), give_back("u-bob", 5)).await.unwrap();
    cage.ask(id(1, 15), buy("u-eve", 80)).await.unwrap();
    assert!(cage.is_due(9).await && !cage.is_due(1).await);
    for _ in 0..2 {
        cage.begins_anew(9).await;
        assert!(!cage.is_due(9).await);
        let available =
            [cage.available("u-ann").await, cage.available("u-bob").await, cage.available("u-eve").await];
        assert_eq!(available, [OPENING + 49, OPENING - 70, OPENING]);
        assert_eq!((cage.table_and_variance().await, cage.rake().await), ((0, 0), 1));
        assert_eq!(cage.balance("u-ann").await.in_play, []);
    }
    // What comes of it later is void, and is asked for nothing.
    assert_eq!(cage.ask(id(1, 16), cash_out("u-ann", 149)).await, refused(Why::Void));
    assert_eq!(cage.ask(id(1, 17), void(id(1, 15))).await, done());
    assert_eq!(cage.ask(id(1, 15), buy("u-eve", 80)).await, done(), "it was done, and is not done again");
    assert_eq!(cage.available("u-eve").await, OPENING);
    // The same table goes on, and is settled again by what was played since.
    cage.ask(id(9, 3), buy("u-ann", 100)).await.unwrap();
    assert_eq!(cage.balance("u-ann").await.in_play[0].1, 100);
    cage.begins_anew(12).await;
    assert_eq!((cage.available("u-ann").await, cage.table_and_variance().await), (OPENING + 49, (0, 0)));
    // A late twin of an earlier claim settles nothing of it.
    cage.ask(id(12, 3), buy("u-ann", 100)).await.unwrap();
    cage.begins_anew(11).await;
    assert_eq!(cage.table_and_variance().await, (100, 0));
    let told = cage.read(|tx| audit::about(tx, "t1", u64::MAX, 9)).await;
    assert_eq!(told.len(), 2, "and the audit tells of each that moved chips");
    assert!(told[1].entry.detail.contains("behind hand t1.1-9: 4 paid"), "{:?}", told[1].entry);
}

/// Where no hands are kept, everybody gets back what he has brought; what he has won is not known.
pub(crate) async fn without_a_recorded_hand_everybody_gets_back_what_he_has_brought(cage: Cage) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 3), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 4), buy("u-bob", 100)).await.unwrap();
    cage.ask(id(1, 5), rake(4)).await.unwrap();
    cage.ask(id(1, 6), cash_out("u-bob", 120)).await.unwrap();
    cage.begins_anew(2).await;
    assert_eq!((cage.available("u-ann").await, cage.available("u-bob").await), (OPENING, OPENING + 20));
    assert_eq!((cage.table_and_variance().await, cage.rake().await), ((0, -20), 0));
}

/// Nobody knows yet of the hand that voids the last one, since none came: the cut does.
pub(crate) async fn a_hand_of_a_lost_branch_is_not_the_last_one_and_who_was_paid_there_is_not_paid_again(
    cage: Cage,
) {
    let cage = cage.with_currencies().await;
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 3), buy("u-bob", 100)).await.unwrap();
    cage.played((1, 5), hand(1, &[("u-ann", 110), ("u-bob", 90)])).await;
    // Lost:
    cage.played((1, 8), hand(2, &[("u-ann", 10), ("u-bob", 190)])).await;
    cage.ask(id(1, 9), cash_out("u-bob", 190)).await.unwrap();
    cage.ask(id(2, 7), Ask::Cut { follows: Position::new(1, 6) }).await.unwrap();
    assert_eq!(cage.table_and_variance().await, (200, -190));
    cage.begins_anew(3).await;
    assert_eq!((cage.available("u-ann").await, cage.available("u-bob").await), (OPENING + 10, OPENING + 90));
    assert_eq!(cage.table_and_variance().await, (0, -100), "his 90 are the house's");
}

/// Chips that the table could not take on any more, or that had left it, when the last hand was over.
pub(crate) async fn what_was_on_its_way_at_the_last_hand_is_paid_too(cage: Cage) {
    let cage = cage.with_currencies().await;
    let won = |number, stacks: &[(&str, u64, i64)]| {
        let after: Vec<(&str, u64)> = stacks.iter().map(|(name, stack, _)| (*name, *stack)).collect();
        let nets = stacks.iter().map(|(name, _, net)| (user(name), *net)).collect();
        (hand(number, &after), nets)
    };
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 3), buy("u-bob", 100)).await.unwrap();
    cage.ask(id(1, 4), buy("u-eve", 60)).await.unwrap();
    let first = won(1, &[("u-ann", 80, -20), ("u-bob", 100, 0), ("u-eve", 80, 20)]);
    cage.write(move |tx| life::write(tx, &room("t1"), Position::new(1, 5), &first.0, &first.1, 0)).await;
    // Asked for before the last hand is over, posted, and not heard of by then.
    cage.ask(id(1, 6), top_up("u-ann", 30)).await.unwrap();
    // Heard of, with 40 that did not fit; they are to go back.
    cage.ask(id(1, 7), top_up("u-bob", 50)).await.unwrap();
    let last = won(2, &[("u-ann", 79, -1), ("u-bob", 120, 10)]);
    cage.write(move |tx| life::write(tx, &room("t1"), Position::new(1, 9), &last.0, &last.1, 2)).await;
    // She has left before it with 80, and was not paid; what the house took of it is not booked.
    cage.begins_anew(2).await;
    let available =
        [cage.available("u-ann").await, cage.available("u-bob").await, cage.available("u-eve").await];
    assert_eq!(available, [OPENING - 130 + 79 + 30, OPENING - 150 + 120 + 40, OPENING + 20]);
    assert_eq!((cage.rake().await, cage.table_and_variance().await), (2, (0, -11)), "nets of a test");
}

pub(crate) async fn staff_settle_a_table_that_is_known_by_nobody_once(cage: Cage) {
    let cage = cage.with_currencies().await;
    assert_eq!(cage.settle().await, None, "nobody has heard of it");
    cage.ask(id(1, 2), buy("u-ann", 100)).await.unwrap();
    cage.ask(id(1, 3), buy("u-bob", 100)).await.unwrap();
    cage.played((1, 5), hand(1, &[("u-ann", 110), ("u-bob", 90)])).await;
    let settled = cage.settle().await.unwrap();
    assert_eq!(settled.hand.as_ref().map(ToString::to_string).as_deref(), Some("t1.1-5"));
    assert_eq!(settled.paid, [(user("u-ann"), play(), 110), (user("u-bob"), play(), 90)]);
    assert_eq!(settled.variance, []);
    assert!(cage.settle().await.unwrap().is_empty());
    let last = |tx: &mut dyn Tx| tx.run("SELECT MAX(epoch) FROM cut", &[])?[0].count(0);
    let claimed = Epoch(1).claimed_at(NOW).next().0;
    assert_eq!(cage.read(last).await, claimed, "as a worker would claim it");
    assert_eq!((cage.available("u-ann").await, cage.table_and_variance().await), (OPENING + 10, (0, 0)));
    // It is opened again, by a claim that is later as time is.
    cage.begins_anew(9).await;
    assert_eq!(cage.ask(id(9, 3), buy("u-ann", 10)).await, done());
    assert_eq!(cage.table_and_variance().await, (10, 0));
}

/// The first life in which somebody is paid something else than he is owed, and what.
async fn first_wrong(cage: &Cage, faults: Faults, lives: u64) -> Option<(u64, String)> {
    for number in 0..lives {
        let work = move |tx: &mut dyn Tx| Life::new(number).end(tx, faults);
        if let Some(wrong) = cage.write(work).await {
            return Some((number, wrong));
        }
    }
    None
}

pub(crate) async fn whatever_was_under_way_everybody_is_paid_to_the_chip(cage: Cage) {
    let cage = cage.with_currencies().await;
    let lives = if cage.is_postgres() { 30 } else { 150 };
    assert_eq!(first_wrong(&cage, Faults::default(), lives).await, None);
    let audit = cage.read(ledger::audit).await;
    assert!(audit.is_right() && audit.transfers > lives, "{audit:?}");
}

/// What is expected is made wrong in one thing: a ledger that is wrong in it would differ from what is expected.
#[tokio::test]
async fn every_way_to_pay_something_else_is_found() {
    let none = Faults::default();
    for (what, faults) in [
        ("pays an older hand than the last", Faults { an_older_hand: true, ..none }),
        ("pays a hand that is not recorded", Faults { a_lost_hand: true, ..none }),
        ("settles twice", Faults { twice: true, ..none }),
        ("gives back what was brought", Faults { what_was_brought: true, ..none }),
        ("forgets chips that came since", Faults { forgets_what_came: true, ..none }),
        ("forgets who has left and was not paid", Faults { forgets_who_left: true, ..none }),
        ("pays who was paid", Faults { who_was_paid: true, ..none }),
    ] {
        let cage = Cage::open(&Place::Memory).with_currencies().await;
        let found = first_wrong(&cage, faults, 400).await.map(|(number, _)| number);
        println!("{what}: in life {found:?}");
        assert!(found.is_some(), "{what} was not found");
    }
}
