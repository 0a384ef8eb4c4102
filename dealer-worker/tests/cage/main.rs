//! Every state that a table which asks a cage for chips, and the cage, can come to: crashes, requests of zombies that arrive whenever,
//! journals that lose their end while the owner dies, buy-ins that are given up.
//!
//! The errands are the runtime's own ([`Errands`](rooms::room::errands::Errands), what an owner remembers of them, what a record
//! holds of them). The room and the cage are models: the least that sells and buys chips.
//!
//! ```text
//! CARDHOUSE_CAGE_STATES=3000000 cargo test --release -p dealer-worker --test cage
//! ```

mod ledger;
mod room;
mod search;

use search::{Bounds, search};

/// What is left out, for the search to find.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Faults {
    /// A successor does not tell the cage from where it goes on.
    pub(crate) tells_no_cut: bool,
    /// It says that it goes on from its own keyframe, and not from what was decided last.
    pub(crate) cuts_at_its_keyframe: bool,
    /// It says so in its turn, after what was asked before.
    pub(crate) cuts_in_turn: bool,
    /// Who was paid in a lost branch is sent away although he has bought in since.
    pub(crate) sends_all_away: bool,
    /// The cage does what it is asked, however often.
    pub(crate) does_twice: bool,
    /// It does not remember from where a successor goes on.
    pub(crate) forgets_cuts: bool,
    /// Who was paid in a lost branch gets back what he has given up.
    pub(crate) pays_twice: bool,
    /// Who waits for chips that he was paid in a lost branch gets them.
    pub(crate) seats_the_paid: bool,
    /// What is given up in a lost branch is given up.
    pub(crate) gives_up_across_cuts: bool,
    /// What is given up before it has arrived is done when it does.
    pub(crate) leaves_no_tombstone: bool,
}

/// So many states of each kind of run, if there are so many.
fn states_max() -> usize {
    let asked = std::env::var("CARDHOUSE_CAGE_STATES");
    asked.map_or(12_000, |states| states.parse().expect("a number of states"))
}

const CALM: Bounds = Bounds { sit: 2, leave: 1, play: 1, crash: 1, lose: 0, give_up: 1 };
const LOSSES: Bounds = Bounds { sit: 2, leave: 1, play: 0, crash: 0, lose: 1, give_up: 1 };
const ALL: Bounds = Bounds { sit: 2, leave: 2, play: 1, crash: 1, lose: 1, give_up: 1 };

#[test]
fn no_crash_makes_or_loses_a_chip() {
    search(CALM, Faults::default(), states_max()).holds();
}

#[test]
fn no_broker_that_loses_the_end_of_a_journal_makes_or_loses_a_chip() {
    search(LOSSES, Faults::default(), states_max()).holds();
}

#[test]
fn nothing_that_goes_wrong_together_makes_or_loses_a_chip() {
    search(ALL, Faults::default(), states_max()).holds();
}

#[test]
fn every_fault_that_is_planted_is_found() {
    let none = Faults::default();
    let lost = Bounds { sit: 1, leave: 1, play: 0, crash: 0, lose: 1, give_up: 0 };
    let given_up = Bounds { sit: 2, leave: 0, play: 0, crash: 0, lose: 1, give_up: 1 };
    for (what, faults, bounds) in [
        ("tells no cut", Faults { tells_no_cut: true, ..none }, lost),
        ("cuts at its keyframe", Faults { cuts_at_its_keyframe: true, ..none }, Bounds { crash: 1, ..lost }),
        ("cuts in turn", Faults { cuts_in_turn: true, ..none }, Bounds { sit: 1, ..given_up }),
        ("sends all away", Faults { sends_all_away: true, ..none }, Bounds { sit: 2, ..lost }),
        ("pays twice", Faults { pays_twice: true, ..none }, Bounds { sit: 1, give_up: 1, ..lost }),
        ("seats the paid", Faults { seats_the_paid: true, ..none }, lost),
        ("does twice", Faults { does_twice: true, ..none }, Bounds { crash: 1, lose: 0, ..lost }),
        ("forgets cuts", Faults { forgets_cuts: true, ..none }, lost),
        ("gives up across cuts", Faults { gives_up_across_cuts: true, ..none }, given_up),
        ("leaves no tombstone", Faults { leaves_no_tombstone: true, ..none }, Bounds { lose: 0, ..given_up }),
    ] {
        let found = search(bounds, faults, 60_000);
        println!("{what}: {found}");
        assert!(found.breach.is_some(), "{what} was not found: {found}");
        assert!(search(bounds, none, found.states).breach.is_none(), "{what}: without it nothing is wrong");
    }
}
