//! The chain of what has happened.

use cage::people::audit::{self, Breach, Entry};
use futures_util::future::join_all;

use crate::setup::{Cage, NOW};

pub(crate) fn entry(action: &str) -> Entry {
    Entry {
        at_ms: NOW,
        actor: "u-ann".into(),
        action: action.into(),
        subject: Some("u-bob".into()),
        reason: None,
        detail: String::new(),
        network: None,
    }
}

pub(crate) async fn entries_stand_in_one_chain_however_many_append(cage: Cage) {
    let appended = (0..200_u32).map(|i| {
        let cage = cage.clone();
        async move {
            let work = move |tx: &mut dyn cage::Tx| audit::append(tx, &entry(&format!("did {i}")));
            cage.tellers().write(&format!("{i}"), work).await.unwrap()
        }
    });
    let mut numbers = join_all(appended).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
    assert_eq!(cage.read(audit::verify).await, Ok(200));
    // One that was rolled back has left nothing.
    let undone = |tx: &mut dyn cage::Tx| {
        audit::append(tx, &entry("undone"))?;
        Err::<(), _>(cage::DbError::Refused("on purpose".into()))
    };
    assert!(cage.try_write(undone).await.is_err());
    assert_eq!(cage.write(|tx| audit::append(tx, &entry("next"))).await, 201);
    assert_eq!(cage.read(audit::verify).await, Ok(201));
    let about = cage.read(|tx| audit::about(tx, "u-bob", 201, 10)).await;
    assert_eq!(about.iter().map(|kept| kept.seq).collect::<Vec<_>>(), (191..=200).rev().collect::<Vec<_>>());
    assert!(cage.read(|tx| audit::about(tx, "u-ann", 300, 10)).await.is_empty());
    assert_eq!(cage.read(|tx| audit::latest(tx, u64::MAX, 1)).await[0].entry.action, "next");
}

/// The planted faults: whoever gets at the database past its triggers.
pub(crate) async fn a_changed_removed_inserted_or_cut_entry_breaks_the_chain(cage: Cage) {
    for i in 1..=5 {
        cage.write(move |tx| audit::append(tx, &entry(&format!("did {i}")))).await;
    }
    let faults: [(&'static str, Breach); 6] = [
        ("UPDATE audit SET action = 'did not' WHERE seq = 2", Breach::Changed(2)),
        ("UPDATE audit SET reason = '' WHERE seq = 3", Breach::Changed(3)),
        ("DELETE FROM audit WHERE seq = 4", Breach::Missing(4)),
        ("DELETE FROM audit WHERE seq = 5", Breach::Missing(5)),
        ("UPDATE audit SET seq = 6 WHERE seq = 5", Breach::Missing(5)),
        ("UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)", Breach::Beyond(4)),
    ];
    for (fault, breach) in faults {
        // What the triggers do not let happen.
        assert!(cage.try_write(move |tx| tx.run(fault, &[])).await.is_err(), "{fault}");
        let off = TRIGGERS_OFF[usize::from(cage.is_postgres())];
        let found = cage.try_write(move |tx| {
            off.iter().try_for_each(|off| tx.run(off, &[]).map(drop))?;
            tx.run(fault, &[])?;
            let found = audit::verify(tx)?;
            // And it is undone.
            Err::<(), _>(cage::DbError::Broken(format!("{found:?}")))
        });
        assert_eq!(
            found.await,
            Err(cage::DbError::Broken(format!("{:?}", Err::<u64, _>(breach)))),
            "{fault}"
        );
    }
    assert_eq!(cage.read(audit::verify).await, Ok(5));
}

const TRIGGERS_OFF: [&[&str]; 2] = [
    &["DROP TRIGGER audit_same", "DROP TRIGGER audit_kept", "DROP TRIGGER audit_head_grows"],
    &["ALTER TABLE audit DISABLE TRIGGER ALL", "ALTER TABLE audit_head DISABLE TRIGGER ALL"],
];
