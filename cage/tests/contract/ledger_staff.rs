//! What staff do by hand, and see.

use cage::ledger::{
    self, Adjusted, Adjustment,
    adjust::{Decided, Decision},
};
use futures_util::future::join_all;
use money::Why;

use crate::{
    ledger::{OPENING, currency, play, user},
    setup::{Cage, NOW},
};

fn adjustment(name: &str, change: i64) -> Adjustment {
    Adjustment {
        name: name.into(),
        user: user("u-bob"),
        currency: play(),
        change,
        reason: "won a bet with the house".into(),
        staff: user("u-ann"),
    }
}

const ALONE: u64 = 500;

async fn adjust(cage: &Cage, wanted: Adjustment) -> Adjusted {
    cage.write(move |tx| ledger::adjust(tx, NOW, &wanted, ALONE)).await
}

async fn decide(cage: &Cage, name: &'static str, by: &'static str, decision: Decision) -> Decided {
    cage.write(move |tx| ledger::adjust::decide(tx, NOW, name, &user(by), decision)).await
}

async fn staffed(cage: Cage) -> Cage {
    cage.member("ann").await;
    cage.member("cat").await;
    cage.with_currencies().await
}

pub(crate) async fn an_adjustment_is_made_once_and_says_why(cage: Cage) {
    let cage = staffed(cage).await;
    let all = join_all((0..10).map(|_| adjust(&cage, adjustment("a-1", 500)))).await;
    assert!(all.iter().all(|adjusted| *adjusted == Adjusted::Done), "{all:?}");
    assert_eq!(cage.available("u-bob").await, OPENING + 500);
    assert_eq!(adjust(&cage, adjustment("a-2", -500)).await, Adjusted::Done);
    assert_eq!(adjust(&cage, adjustment("a-1", 499)).await, Adjusted::Refused(Why::Conflict));
    assert_eq!(cage.available("u-bob").await, OPENING);
    let bad = [
        Adjustment { reason: "because".into(), ..adjustment("a-3", 1) },
        Adjustment { reason: "a          ".into(), ..adjustment("a-3", 1) },
        adjustment("a-3", 0),
        adjustment("a-3", 1 << 53),
        adjustment("a-3", i64::MIN),
        adjustment("", 1),
        adjustment("a:3", 1),
        Adjustment { user: user("bot-1"), ..adjustment("a-3", 1) },
    ];
    for bad in bad {
        assert_eq!(adjust(&cage, bad.clone()).await, Adjusted::Refused(Why::Bad), "{bad:?}");
    }
    let elsewhere = Adjustment { currency: currency("NONE"), ..adjustment("a-3", 1) };
    assert_eq!(adjust(&cage, elsewhere).await, Adjusted::Refused(Why::NoCurrency));
    let euros = Adjustment { currency: currency("EUR"), ..adjustment("a-4", -1) };
    assert_eq!(adjust(&cage, euros.clone()).await, Adjusted::Refused(Why::Insufficient));
    let more = Adjustment { name: "a-5".into(), change: 2, ..euros.clone() };
    assert_eq!(adjust(&cage, more).await, Adjusted::Done);
    assert_eq!(adjust(&cage, euros).await, Adjusted::Refused(Why::Insufficient), "once and for ever");
    let audit = cage.read(ledger::audit).await;
    assert!(audit.is_right() && audit.conflicts == 1, "{audit:?}");
}

pub(crate) async fn what_is_above_the_limit_takes_two_people(cage: Cage) {
    let cage = staffed(cage).await;
    for _ in 0..2 {
        assert_eq!(adjust(&cage, adjustment("a-1", 501)).await, Adjusted::Proposed);
    }
    assert_eq!(cage.available("u-bob").await, OPENING);
    assert_eq!(adjust(&cage, adjustment("a-1", 500)).await, Adjusted::Refused(Why::Conflict));
    for name in ["a-2", "a-3", "a-4"] {
        assert_eq!(adjust(&cage, adjustment(name, -600)).await, Adjusted::Proposed);
    }
    let open = cage.read(|tx| ledger::adjust::proposals(tx, 10)).await;
    assert_eq!(
        open.iter().map(|open| open.wanted.name.as_str()).collect::<Vec<_>>(),
        ["a-1", "a-2", "a-3", "a-4"]
    );
    assert_eq!(decide(&cage, "a-1", "u-ann", Decision::Confirm).await, Decided::NotYours);
    assert_eq!(decide(&cage, "a-1", "u-ann", Decision::Decline).await, Decided::NotYours);
    assert_eq!(decide(&cage, "a-1", "u-cat", Decision::Withdraw).await, Decided::NotYours);
    assert_eq!(decide(&cage, "a-9", "u-cat", Decision::Confirm).await, Decided::Unknown);
    assert_eq!(cage.available("u-bob").await, OPENING);
    let all = join_all((0..5).map(|_| decide(&cage, "a-1", "u-cat", Decision::Confirm))).await;
    assert_eq!(all.iter().filter(|made| **made == Decided::Done(Adjusted::Done)).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|made| **made == Decided::Already).count(), 4, "{all:?}");
    assert_eq!(adjust(&cage, adjustment("a-1", 501)).await, Adjusted::Done);
    assert_eq!(decide(&cage, "a-2", "u-cat", Decision::Decline).await, Decided::Done(Adjusted::Dropped));
    assert_eq!(decide(&cage, "a-3", "u-ann", Decision::Withdraw).await, Decided::Done(Adjusted::Dropped));
    for name in ["a-2", "a-3"] {
        assert_eq!(adjust(&cage, adjustment(name, -600)).await, Adjusted::Dropped);
    }
    assert_eq!(cage.available("u-bob").await, OPENING + 501);
    // There may be too little by the time.
    assert_eq!(adjust(&cage, adjustment("a-5", -1_501)).await, Adjusted::Proposed);
    assert_eq!(adjust(&cage, adjustment("a-6", -1)).await, Adjusted::Done);
    let late = Decided::Done(Adjusted::Refused(Why::Insufficient));
    assert_eq!(decide(&cage, "a-5", "u-cat", Decision::Confirm).await, late);
    assert_eq!(adjust(&cage, adjustment("a-5", -1_501)).await, Adjusted::Refused(Why::Insufficient));
    assert!(cage.read(ledger::audit).await.is_right());
}

/// Somebody who has the database, and takes its guards away.
pub(crate) async fn an_audit_finds_what_was_changed_by_hand(cage: Cage) {
    let cage = staffed(cage).await;
    cage.ask(crate::ledger::id(1, 1), crate::ledger::buy("u-bob", 100)).await.unwrap();
    assert!(cage.read(ledger::audit).await.is_right());
    let postgres = cage.is_postgres();
    let run = |sql: &'static str| cage.write(move |tx| tx.run(sql, &[]).map(drop));
    let drop_guard = |on_postgres: &'static str, on_sqlite: &'static str| {
        run(if postgres { on_postgres } else { on_sqlite })
    };
    drop_guard("DROP TRIGGER account_moves ON account", "DROP TRIGGER account_moves").await;
    run("UPDATE account SET balance = balance + 1 WHERE kind = 'player' AND name = 'u-bob'").await;
    let audit = cage.read(ledger::audit).await;
    assert_eq!((audit.is_right(), audit.wrong), (false, vec!["PLAY/player/u-bob".to_owned()]));
    assert_eq!(audit.totals[&play()].sum(), 1);
    run("UPDATE account SET balance = balance - 1 WHERE kind = 'player' AND name = 'u-bob'").await;
    assert!(cage.read(ledger::audit).await.is_right());
    drop_guard("DROP TRIGGER transfer_same ON transfer", "DROP TRIGGER transfer_same").await;
    run("UPDATE transfer SET amount = amount + 1 WHERE request = 't1/1-1/0'").await;
    let audit = cage.read(ledger::audit).await;
    assert_eq!(audit.wrong, ["PLAY/player/u-bob", "PLAY/table/t1"], "the sum is right, and it is wrong");
    run("UPDATE transfer SET amount = amount - 1 WHERE request = 't1/1-1/0'").await;
    drop_guard("DROP TRIGGER entry_kept ON entry", "DROP TRIGGER entry_kept").await;
    run("DELETE FROM entry WHERE request = 't1/1-1/0' AND change < 0").await;
    let audit = cage.read(ledger::audit).await;
    assert_eq!((audit.lame, audit.wrong), (1, vec!["PLAY/player/u-bob".to_owned()]));
}
