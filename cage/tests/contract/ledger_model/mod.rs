//! Any sequence of what rooms may ask, in any order in which it may arrive: the ledger does what a small model of it does.

mod model;
mod play;

use cage::{DbError, Place, Tx};
use play::{Case, play};

use crate::setup::Cage;
pub(crate) use model::Faults;

/// So many sequences on SQLite in memory, unless told otherwise; elsewhere they take longer, and are fewer.
fn cases(cage: &Cage) -> u64 {
    let asked = std::env::var("CARDHOUSE_LEDGER_CASES").ok().map(|cases| cases.parse().expect("a number"));
    let in_memory: u64 = asked.unwrap_or(100);
    if cage.is_postgres() { in_memory.div_ceil(10) } else { in_memory }
}

/// The first case in which the ledger does something else than the model, and what.
async fn first_difference(cage: &Cage, faults: Faults, cases: u64) -> Option<(u64, String)> {
    for case in 0..cases {
        let work = move |tx: &mut dyn Tx| match play(tx, &Case::new(case), faults) {
            // What is wrong with the model is no mistake of the database.
            Err(DbError::Refused(why)) => Ok(Some(why)),
            difference => difference,
        };
        if let Some(difference) = cage.write(work).await {
            return Some((case, difference));
        }
    }
    None
}

/// These sequences, each in a transaction of its own.
pub(crate) async fn play_through(cage: &Cage, cases: std::ops::Range<u64>) {
    for case in cases {
        let work = move |tx: &mut dyn Tx| play(tx, &Case::new(case), Faults::default());
        assert_eq!(cage.write(work).await, None);
    }
}

pub(crate) async fn it_does_what_the_model_does(cage: Cage) {
    let cage = cage.with_currencies().await;
    let cases = cases(&cage);
    assert_eq!(first_difference(&cage, Faults::default(), cases).await, None);
    let audit = cage.read(cage::ledger::audit).await;
    assert!(audit.is_right() && audit.transfers > cases, "{audit:?}");
}

/// A model that is wrong in one thing differs from the ledger: so would a ledger that is wrong in it differ from the model.
#[tokio::test]
async fn every_fault_that_is_planted_is_found() {
    let none = Faults::default();
    for (what, faults) in [
        ("does twice", Faults { does_twice: true, ..none }),
        ("takes any body for the one it knows", Faults { knows_no_bodies: true, ..none }),
        ("forgets cuts", Faults { forgets_cuts: true, ..none }),
        ("puts nothing right", Faults { puts_nothing_right: true, ..none }),
        ("pays twice", Faults { pays_twice: true, ..none }),
        ("leaves no tombstone", Faults { leaves_no_tombstone: true, ..none }),
        ("gives up across cuts", Faults { gives_up_across_cuts: true, ..none }),
        ("gives back across a cash-out", Faults { gives_back_across_cash_outs: true, ..none }),
        ("gives back what went back", Faults { nets_nothing: true, ..none }),
        ("takes a return for a cash-out", Faults { return_pays: true, ..none }),
        ("takes leaving with nothing for being paid", Faults { nothing_pays: true, ..none }),
        ("cuts every room", Faults { cuts_every_room: true, ..none }),
        ("keeps rake of lost hands", Faults { keeps_rake: true, ..none }),
        ("cuts its own epoch", Faults { cuts_its_own: true, ..none }),
        ("keeps what a lost cut has done", Faults { keeps_lost_cuts: true, ..none }),
        ("takes who was paid in another branch for paid", Faults { is_paid_in_any_branch: true, ..none }),
    ] {
        let cage = Cage::open(&Place::Memory).with_currencies().await;
        let found = first_difference(&cage, faults, 400).await;
        let case = found.map(|(case, _)| case);
        println!("{what}: in case {case:?}");
        assert!(case.is_some(), "{what} was not found");
    }
}
