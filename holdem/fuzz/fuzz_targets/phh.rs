//! Any text: reading it as PHH does not panic, what is read renders to itself, and replaying it does not panic.

#![no_main]

use holdem::phh::{Record, Replay, parse_all};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for record in parse_all(text).into_iter().flatten().flatten() {
        let again = parse_all(&record.to_string()).expect("what was written reads");
        assert_eq!(again, [Ok(Record { rounded: Vec::new(), ..record.clone() })]);
        if let Ok(replay) = Replay::of(&record) {
            let _ = replay.verdict(&record);
        }
    }
});
