//! The simulator on seeds that do not change, and the judges on faults that are planted.

use loadtest::simulate::{Plan, Planted, Promise, run, run::count_panics};

/// So many seeds at the most until a planted fault is caught.
const SEEDS_TO_CATCH: u64 = 20;

fn broken(plan: &Plan) -> Vec<(Promise, String)> {
    run(plan).broken
}

#[test]
fn what_is_promised_holds_in_every_storm() {
    count_panics();
    for seed in 0..40 {
        assert_eq!(broken(&Plan::of(seed)), [], "seed {seed}");
    }
}

/// Each of these broke a promise when it was found.
#[test]
fn what_was_found_once_stays_mended() {
    count_panics();
    for seed in [0, 161, 218, 282, 343, 488] {
        assert_eq!(broken(&Plan::of(seed)), [], "seed {seed}");
    }
}

#[test]
fn a_seed_repeats_itself_to_the_last_frame() {
    for seed in [3, 14, 18] {
        let (one, other) = (run(&Plan::of(seed)), run(&Plan::of(seed)));
        assert_eq!(
            (one.digest, one.frames, one.heard),
            (other.digest, other.frames, other.heard),
            "seed {seed}"
        );
    }
}

/// The first seed with which a planted fault is caught, and what was seen broken.
fn caught(planted: Planted) -> (u64, Vec<Promise>) {
    for seed in 0..SEEDS_TO_CATCH {
        let found = broken(&Plan::of(seed).with(planted));
        if !found.is_empty() {
            let promises: Vec<Promise> = found.into_iter().map(|(promise, _)| promise).collect();
            println!("{planted:?} is caught by seed {seed}: {promises:?}");
            return (seed, promises);
        }
    }
    panic!("{planted:?} is not caught within {SEEDS_TO_CATCH} seeds");
}

#[test]
fn an_acknowledgement_before_the_commit_is_caught() {
    assert!(caught(Planted::AcknowledgesEarly).1.contains(&Promise::Durable));
}

#[test]
fn a_worker_that_skips_the_fence_is_caught() {
    caught(Planted::SkipsTheFence);
}

#[test]
fn a_worker_that_forgets_its_answers_is_caught() {
    assert!(caught(Planted::ForgetsAnswers).1.contains(&Promise::Once));
}

#[test]
fn a_leaked_hole_card_is_caught() {
    assert!(caught(Planted::LeaksCards).1.contains(&Promise::Privacy));
}

#[test]
fn a_dropped_delta_is_caught() {
    assert!(caught(Planted::DropsDeltas).1.contains(&Promise::Client));
}
