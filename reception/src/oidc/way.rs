//! What goes with a browser that is sent to a provider. It keeps one secret in a cookie; state, nonce and the verifier of PKCE are derived
//! from that, and the database holds a hash of it. So none of them is kept anywhere, and none tells another.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use cage::people::{one_time, visit::Hash};

use crate::passwords::Secret;

/// Of the secret, as of everything that is derived from it.
const BYTES: usize = 32;

/// What is told apart by a purpose of its own, with the same secret.
const FOR_STATE: &[u8] = b"cardhouse oidc state 1";
const FOR_NONCE: &[u8] = b"cardhouse oidc nonce 1";
const FOR_VERIFIER: &[u8] = b"cardhouse oidc verifier 1";

/// A way to a provider and back, or from there to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way(Secret);

impl Way {
    /// A new one: 256 random bits.
    pub fn new() -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; BYTES]>()).into())
    }

    /// The one whose secret a cookie holds.
    pub fn read(cookie: &str) -> Option<Self> {
        let is_one = BASE64_URL_SAFE_NO_PAD.decode(cookie).is_ok_and(|bytes| bytes.len() == BYTES);
        is_one.then(|| Self(cookie.to_owned().into()))
    }

    /// For the cookie.
    pub fn secret(&self) -> &str {
        self.0.as_str()
    }

    /// What the database holds.
    pub fn hash(&self) -> Hash {
        one_time::hash(self.0.as_str())
    }

    fn derived(&self, purpose: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_str().as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, purpose))
    }

    /// By which the browser's coming back is told from others'.
    pub fn state(&self) -> String {
        self.derived(FOR_STATE)
    }

    /// By which the ID token is told from others'.
    pub fn nonce(&self) -> String {
        self.derived(FOR_NONCE)
    }

    /// By which the code is ours (RFC 7636): 43 characters.
    pub fn verifier(&self) -> String {
        self.derived(FOR_VERIFIER)
    }

    /// Whether this is its state.
    pub fn has_state(&self, state: &str) -> bool {
        verify_slices_are_equal(self.state().as_bytes(), state.as_bytes()).is_ok()
    }
}

impl Default for Way {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ways_parts_tell_nothing_of_each_other_and_are_the_same_when_it_is_read_again() {
        let way = Way::new();
        let again = Way::read(way.secret()).unwrap();
        let parts = |way: &Way| [way.secret().to_owned(), way.state(), way.nonce(), way.verifier()];
        assert_eq!(parts(&way), parts(&again));
        let apart: std::collections::BTreeSet<_> =
            parts(&way).into_iter().chain(parts(&Way::new())).collect();
        assert_eq!(apart.len(), 8);
        assert!(apart.iter().all(|part| part.len() == 43), "RFC 7636: 43 to 128");
        assert!(way.has_state(&again.state()) && !way.has_state(&way.nonce()) && !way.has_state(""));
        assert!(Way::read("short").is_none() && Way::read("").is_none());
        assert!(!format!("{way:?}").contains(way.secret()));
    }
}
