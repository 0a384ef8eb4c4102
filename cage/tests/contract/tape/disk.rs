//! A disk that is full, or does not answer; a database that does not commit.

use std::sync::atomic::Ordering::Relaxed;

use cage::{DbError, Tx, ledger};
use money::Body as _;

use super::house::{House, all_of};
use crate::{
    ledger::{OPENING, buy, done, id, room},
    setup::NOW,
};

pub(crate) async fn a_group_that_the_tape_does_not_take_is_not_answered(house: House) {
    let (cage, _) = house.open_taped("now").await;
    house.back_up(cage, "now", "backup").await;
    let (cage, _) = house.open_taped("now").await;
    assert_eq!(cage.ask(id(1, 1), buy("u-ann", 100)).await, done());
    let trouble = cage.tellers().tape().unwrap().trouble();
    let before = (all_of(&cage).await, house.lines("main"));
    for of in [&trouble.is_full, &trouble.does_not_sync] {
        of.store(true, Relaxed);
        for _ in 0..3 {
            let answer = cage.ask(id(1, 2), buy("u-ann", 200)).await;
            assert!(matches!(answer, Err(DbError::Away(_))), "{answer:?}");
            assert_eq!(all_of(&cage).await, before.0, "what was not answered was not done");
        }
        // What moves no chips needs no tape.
        cage.guest(if of.load(Relaxed) && trouble.is_full.load(Relaxed) { "gus" } else { "gil" }).await;
        of.store(false, Relaxed);
    }
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", 300)).await, done(), "it was never decided");
    let lines = house.lines("main");
    assert_eq!(lines[..before.1.len()], before.1);
    assert_eq!(lines.len(), before.1.len() + 1, "nothing is left of what was not taken");
    let expected = all_of(&cage).await;
    house.back_up(cage, "now", "end").await;
    let (cage, _) = house.open_taped("backup").await;
    assert_eq!(all_of(&cage).await, expected);
}

/// SQLite checks some things at the end alone, so that a group can be made that is taped, and that the database does not commit.
pub(crate) async fn what_was_not_committed_is_dropped(house: House) {
    if house.is_postgres() {
        return;
    }
    let (cage, _) = house.open_taped("now").await;
    house.back_up(cage, "now", "backup").await;
    let (cage, _) = house.open_taped("now").await;
    let body = buy("u-ann", OPENING).write();
    let fails = move |tx: &mut dyn Tx| {
        tx.run("PRAGMA defer_foreign_keys = ON", &[])?;
        ledger::answer(tx, NOW, &room("t1"), id(1, 1), &body)?;
        tx.run(
            "INSERT INTO one_time (hash, person, purpose, expires_ms) VALUES (zeroblob(32), 'u-nobody', 'set_password', 1)",
            &[],
        )
    };
    assert!(cage.try_write(fails).await.is_err());
    // Nobody was told, so something else may be decided.
    assert_eq!(cage.ask(id(1, 2), buy("u-ann", 400)).await, done());
    let (told, dropped): (Vec<_>, Vec<_>) =
        house.lines("main").into_iter().partition(|line| !line.contains(r#""dropped":[1,2]"#));
    assert_eq!((told.len(), dropped.len()), (5, 1), "{told:#?} {dropped:#?}");
    let expected = all_of(&cage).await;
    house.back_up(cage, "now", "end").await;
    let (cage, forward) = house.open_taped("backup").await;
    assert_eq!(forward.looked_at, 2);
    assert_eq!(all_of(&cage).await, expected);
}
