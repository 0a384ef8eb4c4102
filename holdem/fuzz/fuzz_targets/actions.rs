//! Any table, any cards, any actions: the invariants hold and nothing panics.

#![no_main]

#[path = "../../tests/invariants/mod.rs"]
mod invariants;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    invariants::play_and_check(&mut invariants::Choices(bytes));
});
