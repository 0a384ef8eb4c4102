//! The action path allocates nothing. The allocator of this test counts for each thread.

#![allow(
    unsafe_code,
    reason = "a global allocator is unsafe to implement; this one hands every call to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use holdem::{Action, Chips, Deck, Hand, HandRules, HandSetup, Limit, Seed, Variant};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn a_hand_is_played_from_the_first_post_to_the_last_award_without_allocating() {
    for (variant, limit) in [(Variant::Holdem, Limit::NoLimit), (Variant::Omaha6, Limit::PotLimit)] {
        let rules =
            HandRules { variant, limit, runs_max: 3, ..HandRules::no_limit_holdem(Chips(50), Chips(100)) };
        let stacks: Vec<Chips> = (1..=6).map(|deep| Chips(700 * deep)).collect();
        let setup = HandSetup::simple(rules, 5, &stacks);
        let deck = Deck::shuffled(variant, &Seed([5; 32]));

        let before = allocations();
        let mut events = 0u64;
        let mut hand = Hand::start(&setup, deck, |_| events += 1).expect("a playable setup");
        let mut actions = 0u64;
        while let Some(seat) = hand.to_act() {
            let legal = hand.legal_actions().expect("a seat is to act");
            // Raises every third time, so that the stacks of all sizes get in and make side pots.
            let action = match legal.raise {
                Some(range) if actions.is_multiple_of(3) => Action::RaiseTo(range.max_to),
                _ if legal.check => Action::Check,
                _ => Action::Call,
            };
            hand.act(seat, action, |_| events += 1).expect("a legal action");
            actions += 1;
        }
        while let Some(seat) = { hand.run_voters().next() } {
            hand.vote_runs(seat, 2, |_| events += 1).expect("the offer is open");
        }
        let allocated = allocations() - before;

        assert!(hand.ended() && hand.pots().len() > 2 && actions > 5, "a hand with side pots was played");
        assert_eq!(allocated, 0, "{actions} actions, {events} events");
    }
}

#[test]
fn the_allocator_counts() {
    let before = allocations();
    drop(std::hint::black_box(vec![1u8]));
    assert_eq!(allocations() - before, 1);
}
