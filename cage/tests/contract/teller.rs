//! Jobs, groups and answers.

use cage::{
    DbError,
    people::{audit, person},
};
use futures_util::future::join_all;
use protocol::{id::UserId, text::PlayerName};

use crate::setup::{Cage, NOW};

pub(crate) async fn a_job_that_fails_takes_nothing_of_others_with_it(cage: Cage) {
    let asked = (0..60_u32).map(|i| {
        let cage = cage.clone();
        async move {
            let work = move |tx: &mut dyn cage::Tx| {
                let id = UserId::new(&format!("g-{i}")).unwrap();
                person::new_guest(tx, &id, &PlayerName::new("x").unwrap(), NOW)?;
                match i % 3 {
                    // A constraint, a wrong statement, and its own wish.
                    0 => tx.run("UPDATE person SET roles = -1", &[]).map(drop),
                    1 => tx.run("SELECT nothing FROM nowhere", &[]).map(drop),
                    _ => Ok(()),
                }
            };
            (i, cage.try_write(work).await)
        }
    });
    for (i, end) in join_all(asked).await {
        match i % 3 {
            0 => assert!(matches!(end, Err(DbError::Refused(_))), "{end:?}"),
            1 => assert!(matches!(end, Err(DbError::Broken(_))), "{end:?}"),
            _ => assert_eq!(end, Ok(())),
        }
        let id = UserId::new(&format!("g-{i}")).unwrap();
        assert_eq!(cage.read(move |tx| person::by_id(tx, &id)).await.is_some(), i % 3 == 2);
    }
}

pub(crate) async fn a_job_that_panics_is_answered_and_the_next_one_is_done(cage: Cage) {
    let panics = |tx: &mut dyn cage::Tx| {
        tx.run("DELETE FROM attempt", &[])?;
        panic!("a job that panics on purpose");
        #[allow(unreachable_code, reason = "it says what it would return")]
        Ok(())
    };
    assert!(matches!(cage.try_write(panics).await, Err(DbError::Broken(_))));
    cage.guest("ann").await;
}

pub(crate) async fn a_text_that_one_database_could_not_keep_is_refused_by_each(cage: Cage) {
    let find = |tx: &mut dyn cage::Tx| person::by_handle(tx, "ann\0").map(|found| found.is_some());
    assert_eq!(cage.try_write(find).await, Err(DbError::Unfit));
    assert_eq!(cage.tellers().read(find).await, Err(DbError::Unfit));
    cage.guest("ann").await;
}

pub(crate) async fn what_is_read_after_an_answer_holds_what_was_answered(cage: Cage) {
    for i in 0..50_u32 {
        let id = cage.guest(&format!("{i}")).await;
        assert!(cage.read(move |tx| person::by_id(tx, &id)).await.is_some());
    }
}

pub(crate) async fn jobs_about_one_thing_stay_in_order(cage: Cage) {
    let mut asked = Vec::new();
    for i in 0..100_u32 {
        let work = move |tx: &mut dyn cage::Tx| audit::append(tx, &crate::audit::entry(&i.to_string()));
        let mut job = Box::pin(cage.tellers().write("one thing", work));
        // Asked for now, one after the other; answered when they are, perhaps at once.
        let done = futures_util::FutureExt::now_or_never(&mut job);
        asked.push((job, done));
    }
    let mut numbers = Vec::new();
    for (job, done) in asked {
        let done = match done {
            Some(done) => done,
            None => job.await,
        };
        numbers.push(done.unwrap());
    }
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
}

/// No statement of the domain asks the database for the time.
pub(crate) async fn the_clock_is_nobodys_but_the_callers(cage: Cage) {
    let ann = cage.guest("ann").await;
    let kept = cage.read(move |tx| person::by_id(tx, &ann)).await.unwrap();
    assert_eq!((kept.created_ms, kept.seen_ms), (NOW, NOW));
    let source = concat!(
        include_str!("../../src/people/person.rs"),
        include_str!("../../src/people/login.rs"),
        include_str!("../../src/people/lockout.rs"),
        include_str!("../../src/people/sanction.rs"),
        include_str!("../../src/people/audit.rs"),
        include_str!("../../src/people/one_time.rs"),
        include_str!("../../src/schema/people.sql"),
    );
    for clock in ["now()", "CURRENT_", "strftime", "SystemTime", "Instant"] {
        assert!(!source.contains(clock), "{clock}");
    }
}
