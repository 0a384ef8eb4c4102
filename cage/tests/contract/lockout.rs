//! Wrong passwords.

use cage::people::lockout::{self, FORGOTTEN_MS, LOCKED_MS, attempt, subject, succeeded};
use futures_util::future::join_all;

use crate::setup::{Cage, NOW};

async fn tried(cage: &Cage, handle: &str, trusted: bool, at: u64) -> Option<u64> {
    let subject = subject(handle);
    cage.write(move |tx| attempt(tx, &subject, trusted, at)).await
}

pub(crate) async fn five_wrong_passwords_lock_for_a_quarter_of_an_hour_and_then_each_one_does(cage: Cage) {
    for _ in 0..5 {
        assert_eq!(tried(&cage, "ann", false, NOW).await, None);
    }
    assert_eq!(tried(&cage, "ann", false, NOW).await, Some(LOCKED_MS));
    // Trying while it is locked does not lengthen it.
    assert_eq!(tried(&cage, "ann", false, NOW + LOCKED_MS - 1).await, Some(1));
    assert_eq!(tried(&cage, "ann", false, NOW + LOCKED_MS).await, None, "one");
    assert_eq!(tried(&cage, "ann", false, NOW + LOCKED_MS).await, Some(LOCKED_MS));
    assert_eq!(tried(&cage, "bob", false, NOW).await, None, "nobody else is locked out");
    let right = subject("ann");
    cage.write(move |tx| succeeded(tx, &right, false)).await;
    for _ in 0..5 {
        assert_eq!(tried(&cage, "ann", false, NOW + LOCKED_MS).await, None);
    }
    let ann = subject("ann");
    assert!(cage.read(move |tx| lockout::is_locked(tx, &ann, false, NOW + LOCKED_MS)).await);
}

pub(crate) async fn a_hundred_guesses_at_once_are_five(cage: Cage) {
    let asked = (0..100_u32).map(|i| {
        let cage = cage.clone();
        async move {
            let work = |tx: &mut dyn cage::Tx| attempt(tx, &subject("ann"), false, NOW);
            cage.tellers().write(&format!("{i}"), work).await.unwrap()
        }
    });
    let guesses = join_all(asked).await.into_iter().filter(Option::is_none).count();
    assert_eq!(guesses, 5);
}

pub(crate) async fn a_stranger_locks_out_strangers_and_never_a_known_device(cage: Cage) {
    for _ in 0..20 {
        tried(&cage, "ann", false, NOW).await;
    }
    assert!(tried(&cage, "ann", false, NOW).await.is_some());
    assert_eq!(tried(&cage, "ann", true, NOW).await, None);
}

pub(crate) async fn old_failures_are_forgotten(cage: Cage) {
    for _ in 0..4 {
        tried(&cage, "ann", false, NOW).await;
    }
    for _ in 0..4 {
        assert_eq!(tried(&cage, "ann", false, NOW + FORGOTTEN_MS + 1).await, None);
    }
    // Rows of others go, too.
    for handle in ["bob", "cyd"] {
        tried(&cage, handle, false, NOW + FORGOTTEN_MS + 1).await;
    }
    tried(&cage, "dan", false, NOW + 3 * FORGOTTEN_MS).await;
    let left = cage.read(|tx| tx.run("SELECT failures FROM attempt", &[])).await;
    assert_eq!(left.len(), 1);
}
