//! Databases that have gone back.

use cage::{
    DbError,
    ledger::{self, Adjusted, Adjustment, adjust::Decision},
    people::sanction,
    tape::{Forward, ForwardError},
};
use money::Why;
use protocol::id::UserId;

use super::house::{House, all_of};
use crate::{
    ledger::{OPENING, buy, cash_out, done, id, play, refused, room, user},
    ledger_model::play_through,
    setup::{Cage, NOW},
};

/// So many sequences of everything that rooms may ask, before and after the backup.
const BEFORE: std::ops::Range<u64> = 0..4;
const AFTER: std::ops::Range<u64> = 4..12;

pub(crate) async fn a_database_that_was_restored_is_brought_forward_to_what_was_answered(house: House) {
    let (cage, forward) = house.open_taped("now").await;
    assert_eq!(forward, Forward::default());
    play_through(&cage, BEFORE).await;
    house.back_up(cage, "now", "backup").await;
    let (cage, forward) = house.open_taped("now").await;
    assert_eq!(forward.applied, 0, "nothing is missing");
    play_through(&cage, AFTER).await;
    // What no room asks: a day's play money, and a table that is known by nobody any more.
    assert_eq!(cage.ask(id(3, 1), buy("u-ann", OPENING)).await, done());
    cage.write(|tx| ledger::refill(tx, NOW, &user("u-ann"), play())).await;
    cage.write(|tx| ledger::settle(tx, NOW, &room("t1"))).await.unwrap();
    let expected = all_of(&cage).await;
    house.back_up(cage, "now", "end").await;

    let (cage, forward) = house.open_taped("backup").await;
    assert!(forward.applied > 100 && forward.dropped == 0, "{forward:?}");
    let found = all_of(&cage).await;
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
    // Whoever asks again hears what he heard.
    assert_eq!(cage.ask(id(3, 1), buy("u-ann", OPENING)).await, done());
    assert_eq!(all_of(&cage).await, expected);
    // And what is decided now is taped behind it.
    assert_eq!(cage.ask_of("t2", id(4, 1), buy("u-ann", 7)).await, done());
    let expected = all_of(&cage).await;
    house.back_up(cage, "backup", "later").await;
    let (cage, _) = house.open_taped("end").await;
    assert_eq!(all_of(&cage).await, expected);
}

/// The judge: what is compared above differs where there is no tape.
pub(crate) async fn without_the_tape_a_restored_database_has_lost_what_was_answered(house: House) {
    let (cage, _) = house.open_taped("now").await;
    assert_eq!(cage.ask(id(1, 1), buy("u-ann", 400)).await, done());
    house.back_up(cage, "now", "backup").await;
    let (cage, _) = house.open_taped("now").await;
    assert_eq!(cage.ask(id(1, 2), cash_out("u-ann", 300)).await, done());
    let expected = all_of(&cage).await;
    let cage = {
        house.back_up(cage, "now", "end").await;
        house.open("backup").await
    };
    assert_ne!(all_of(&cage).await, expected);
    assert_eq!(cage.available("u-ann").await, OPENING - 400, "he was told otherwise");
}

/// As if the process had died between the tape and the commit.
pub(crate) async fn what_was_taped_and_never_committed_is_answered_as_the_tape_says_and_once(house: House) {
    let (cage, _) = house.open_taped("now").await;
    assert_eq!(cage.ask(id(1, 1), buy("u-ann", 100)).await, done());
    house.back_up(cage, "now", "backup").await;
    let (cage, _) = house.open_taped("now").await;
    assert_eq!(cage.ask(id(1, 2), buy("u-bob", 300)).await, done());
    house.back_up(cage, "now", "end").await;

    let (cage, forward) = house.open_taped("backup").await;
    assert_eq!((forward.applied, forward.dropped), (2, 0), "what he begins with, and what he brought");
    for _ in 0..2 {
        assert_eq!(cage.ask(id(1, 2), buy("u-bob", 300)).await, done());
        assert_eq!(cage.available("u-bob").await, OPENING - 300);
    }
    assert_eq!(cage.ask(id(1, 2), buy("u-bob", 301)).await, refused(Why::Conflict));
}

pub(crate) async fn a_refusal_that_was_told_does_not_become_a_yes(house: House) {
    let (cage, _) = house.open_taped("now").await;
    let (ann, bob) = (cage.member("ann").await, cage.member("bob").await);
    house.back_up(cage, "now", "backup").await;
    let (cage, _) = house.open_taped("now").await;
    let ban = sanction::Sanction {
        id: "s-1".into(),
        person: bob,
        kind: sanction::Kind::Ban,
        from_ms: 1,
        until_ms: None,
        reason: "for a test".into(),
        by: ann,
        lifted_ms: None,
    };
    cage.write(move |tx| sanction::impose(tx, &ban)).await;
    assert_eq!(cage.ask(id(1, 1), buy("u-bob", 10)).await, refused(Why::Banned));
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", OPENING + 1)).await, refused(Why::Insufficient));
    house.back_up(cage, "now", "end").await;

    // The backup knows of no ban.
    let (cage, _) = house.open_taped("backup").await;
    assert_eq!(cage.ask(id(1, 1), buy("u-bob", 10)).await, refused(Why::Banned));
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", OPENING + 1)).await, refused(Why::Insufficient));
    assert_eq!(cage.ask(id(1, 3), buy("u-bob", 10)).await, done(), "another request is another one");
}

pub(crate) async fn what_two_people_moved_by_hand_is_not_moved_again(house: House) {
    let wanted = Adjustment {
        name: "a-1".into(),
        user: user("u-bob"),
        currency: play(),
        change: 700,
        reason: "won a bet with the house".into(),
        staff: user("u-ann"),
    };
    let propose = |cage: Cage, wanted: Adjustment| async move {
        cage.write(move |tx| ledger::adjust(tx, NOW, &wanted, 500)).await
    };
    let confirm = |cage: Cage, by: UserId| async move {
        cage.write(move |tx| ledger::adjust::decide(tx, NOW, "a-1", &by, Decision::Confirm)).await
    };
    let (cage, _) = house.open_taped("now").await;
    cage.member("ann").await;
    assert_eq!(propose(cage.clone(), wanted.clone()).await, Adjusted::Proposed);
    house.back_up(cage, "now", "backup").await;
    let (cage, _) = house.open_taped("now").await;
    // Who confirms is somebody of whom the backup has never heard.
    let cat = cage.member("cat").await;
    confirm(cage.clone(), cat.clone()).await;
    let expected = all_of(&cage).await;
    house.back_up(cage, "now", "end").await;

    let (cage, _) = house.open_taped("backup").await;
    assert_eq!(all_of(&cage).await, expected);
    assert_eq!(confirm(cage.clone(), cat).await, ledger::adjust::Decided::Already);
    assert_eq!(propose(cage.clone(), wanted).await, Adjusted::Done);
    assert_eq!(cage.available("u-bob").await, OPENING + 700);
}

/// Two that share a database, each with a tape of its own, behind a backup.
async fn two_cages(house: &House) -> (Cage, Cage) {
    let first = house.open("now").await;
    house.back_up(first, "now", "backup").await;
    let (first, second) = (house.open("now").await, house.open("now").await);
    house.keep(&first, "first").await.unwrap();
    house.keep(&second, "second").await.unwrap();
    (first, second)
}

/// What one has taped builds on what the other has: in no order is each by itself possible.
pub(crate) async fn several_cages_bring_forward_what_they_share(house: House) {
    if !house.is_postgres() {
        return;
    }
    let (first, second) = two_cages(&house).await;
    for round in 0..10_u64 {
        let of = |seq| id(1, round * 10 + seq);
        assert_eq!(first.ask(of(1), buy("u-ann", OPENING)).await, done());
        assert_eq!(second.ask(of(2), cash_out("u-bob", OPENING)).await, done());
        assert_eq!(first.ask(of(3), buy("u-bob", OPENING)).await, done());
        assert_eq!(second.ask(of(4), cash_out("u-ann", OPENING)).await, done());
    }
    let expected = all_of(&first).await;
    drop((first, second));
    let (first, second) = (house.open("backup").await, house.open("backup").await);
    let patience = std::time::Duration::from_secs(30);
    let keep = |cage: Cage, tape| {
        let tape = house.tape(tape);
        async move { cage.tellers().keep_tape_within(&tape, NOW, patience).await }
    };
    let (one, other) = tokio::join!(keep(first.clone(), "first"), keep(second.clone(), "second"));
    assert!(one.unwrap().applied > 0 && other.unwrap().applied > 0);
    assert_eq!(all_of(&first).await, expected);
}

/// Of the last line a tape does not say that it was committed. It may have been told all the same, so it waits like the others for what it builds on.
pub(crate) async fn the_last_line_of_a_tape_waits_for_another_cage_too(house: House) {
    if !house.is_postgres() {
        return;
    }
    let (first, second) = two_cages(&house).await;
    assert_eq!(first.ask(id(1, 1), buy("u-ann", OPENING)).await, done());
    assert_eq!(second.ask(id(1, 2), cash_out("u-bob", OPENING)).await, done());
    let expected = all_of(&first).await;
    drop((first, second));

    let (first, second) = (house.open("backup").await, house.open("backup").await);
    let tape = house.tape("second");
    let patience = std::time::Duration::from_secs(60);
    let waiting = second.tellers().keep_tape_within(&tape, NOW, patience);
    tokio::pin!(waiting);
    tokio::select! {
        ended = &mut waiting => panic!("it did not wait: {ended:?}"),
        () = tokio::time::sleep(std::time::Duration::from_millis(1_500)) => {}
    }
    house.keep(&first, "first").await.unwrap();
    assert_eq!(waiting.await.unwrap().dropped, 0);
    assert_eq!(all_of(&first).await, expected);
}

pub(crate) async fn a_database_that_went_on_without_its_tape_is_not_taken_for_one_that_has_gone_back(
    house: House,
) {
    let (cage, _) = house.open_taped("now").await;
    assert_eq!(cage.ask(id(1, 1), buy("u-ann", 100)).await, done());
    house.back_up(cage, "now", "backup").await;
    let (cage, _) = house.open_taped("now").await;
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", OPENING)).await, refused(Why::Insufficient));
    assert_eq!(cage.ask(id(1, 3), buy("u-ann", 1)).await, done());
    house.back_up(cage, "now", "end").await;
    let cage = house.open("backup").await;
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", 5)).await, done());
    let stuck = house.keep(&cage, "main").await.unwrap_err();
    let ForwardError::Stuck { line, name, .. } = &stuck else { panic!("{stuck}") };
    assert_eq!((*line, name.as_str()), (4, "t1/1-2/0"), "{stuck}");
}

pub(crate) async fn a_database_knows_up_to_where_it_has_the_tape(house: House) {
    let (cage, _) = house.open_taped("now").await;
    for seq in 1..=600 {
        assert_eq!(cage.ask(id(1, seq), cash_out("u-ann", 0)).await, done());
    }
    house.back_up(cage, "now", "backup").await;
    let (cage, forward) = house.open_taped("now").await;
    assert!(forward.looked_at < 300, "not all from the beginning: {forward:?}");
    assert_eq!(cage.ask(id(1, 601), cash_out("u-ann", 0)).await, done());
    house.back_up(cage, "now", "end").await;
    let (_, forward) = house.open_taped("end").await;
    assert_eq!((forward.looked_at, forward.applied), (1, 0));
    let (cage, forward) = house.open_taped("backup").await;
    assert!(forward.looked_at < 300 && forward.applied == 1, "{forward:?}");
    // And forgets neither that nor which ledger it is.
    for statement in [
        "UPDATE tape_mark SET n = n - 1",
        "UPDATE ledger_identity SET id = '0123456789abcdef0123456789abcdef'",
        "DELETE FROM ledger_identity",
    ] {
        let end = cage.try_write(move |tx| tx.run(statement, &[])).await;
        assert!(matches!(end, Err(DbError::Refused(_))), "{statement}: {end:?}");
    }
}
