//! Arbitrary bytes from a client: the decoder never panics, how reads cut the stream makes no difference, and `tungstenite`
//! reads the same messages.
//!
//! Input: one byte for the message limit, one for how many piece lengths follow, those, and the stream.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/oracle/mod.rs"]
mod oracle;

/// Small, so that inputs of the fuzzer's size reach it.
const MESSAGE_BYTES_STEP: usize = 16;

fuzz_target!(|input: &[u8]| {
    let [limit, count, rest @ ..] = input else { return };
    let (pieces, stream) = rest.split_at(rest.len().min(usize::from(*count % 16)));
    let pieces: Vec<usize> = pieces.iter().map(|&len| usize::from(len)).collect();
    let _ = oracle::check(stream, &pieces, usize::from(*limit) * MESSAGE_BYTES_STEP);
});
