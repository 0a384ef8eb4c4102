//! Journals as they stand in the tests for good: one entry a line, in hexadecimal digits, sealed with [`KEY`].

use broker::{
    entry::{Entry, Kind},
    seal::{SealKey, Sealer},
};
use bytes::Bytes;
use rooms::room::{
    Room,
    answers::Memory,
    record::{DeltaOf, Journaled, open},
};

pub const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Some time after the journals were written.
pub const NOW: u64 = 1_790_000_600_000;

pub fn sealer() -> Sealer {
    Sealer::new(&KEY.parse::<SealKey>().unwrap())
}

pub fn journal(lines: &str) -> Vec<Entry> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let entry = |line: &str| line.as_bytes().chunks(2).map(byte).collect::<Vec<u8>>();
    lines.lines().map(|line| Entry::decode(Bytes::from(entry(line))).unwrap()).collect()
}

/// The state after these entries, read the way a new owner does.
pub fn restored<R: Room>(entries: &[Entry]) -> Journaled<R> {
    let mut state: Journaled<R> = open(&sealer(), &entries[0], NOW).unwrap();
    for entry in entries[1..].iter().filter(|entry| entry.kind == Kind::Delta) {
        let DeltaOf(delta): DeltaOf<'_, R> = open(&sealer(), entry, NOW).unwrap();
        state.apply(&delta, entry.cause.as_ref(), entry.at, &Memory::default());
    }
    state
}

/// From each keyframe on.
pub fn stretches(journal: &[Entry]) -> Vec<&[Entry]> {
    let keyframes: Vec<usize> = (0..journal.len()).filter(|&at| journal[at].kind == Kind::Keyframe).collect();
    let ends = keyframes.iter().skip(1).copied().chain([journal.len()]);
    keyframes.iter().zip(ends).map(|(&from, to)| &journal[from..to]).collect()
}

/// The words of a view, whatever fields later releases have added.
pub fn holds(whole: &serde_json::Value, part: &serde_json::Value, at: &str) {
    use serde_json::Value::{Array, Object};
    match (whole, part) {
        (Object(whole), Object(part)) => {
            for (field, value) in part {
                let found = whole.get(field).unwrap_or_else(|| panic!("{at}.{field} is missing"));
                holds(found, value, &format!("{at}.{field}"));
            }
        }
        (Array(whole), Array(part)) => {
            assert_eq!(whole.len(), part.len(), "{at}");
            for (index, (whole, part)) in whole.iter().zip(part).enumerate() {
                holds(whole, part, &format!("{at}[{index}]"));
            }
        }
        _ => assert_eq!(whole, part, "{at}"),
    }
}

pub fn seen<R: Room>(state: &Journaled<R>) -> serde_json::Value {
    serde_json::from_str(state.room.view().get()).unwrap()
}
