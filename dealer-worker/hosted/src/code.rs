//! The code that opens a door: only what it makes of a key is kept, and the key is the table's own.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

const KEY_BYTES: usize = 16;

/// A code, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    key: [u8; KEY_BYTES],
    tag: Vec<u8>,
}

impl Kept {
    /// Keeps a code, under a new key.
    pub fn of(code: &str, rng: &mut dyn Rng) -> Self {
        let mut key = [0; KEY_BYTES];
        rng.fill_bytes(&mut key);
        Self { tag: tag(&key, code), key }
    }

    /// Whether it is this code. Takes as long, whatever is said.
    pub fn is(&self, said: &str) -> bool {
        verify_slices_are_equal(&self.tag, &tag(&self.key, said)).is_ok()
    }
}

/// Capitals and dashes make no difference: codes are read aloud.
fn tag(key: &[u8], code: &str) -> Vec<u8> {
    let plain = plain(code);
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), plain.as_bytes()).as_ref().to_vec()
}

/// What counts of a code.
pub fn plain(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_code_is_known_again_as_it_is_read_aloud_and_is_not_kept() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let kept = Kept::of("Q4XM-91ab", &mut rng);
        assert!(kept.is("q4xm 91AB") && kept.is("Q4XM-91ab"));
        assert!(!kept.is("q4xm-91a") && !kept.is(""));
        let stored = postcard::to_stdvec(&kept).unwrap();
        assert!(!stored.windows(4).any(|four| four.eq_ignore_ascii_case(b"q4xm")));
        assert_ne!(
            Kept::of("Q4XM-91ab", &mut rng),
            kept,
            "two tables with one code tell nothing of each other"
        );
    }
}
