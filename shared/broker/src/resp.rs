//! Redis's wire format, for what is said to Redis without its client library.

use std::io::Write;

/// Appends a command as Redis reads it: an array of bulk strings.
///
/// # Panics
/// Never: memory takes everything that is written.
pub fn write_command(to: &mut Vec<u8>, words: &[&[u8]]) {
    write!(to, "*{}\r\n", words.len()).expect("memory takes everything");
    for word in words {
        write!(to, "${}\r\n", word.len()).expect("memory takes everything");
        to.extend_from_slice(word);
        to.extend_from_slice(b"\r\n");
    }
}
