//! How the house's own processes know each other where they speak directly: what they say is signed with a key that is derived from the
//! sealing key, which they have and nobody else has.
//!
//! Nothing is hidden by it, and nothing is new: whoever has heard a request can say it again. It is for what may be said twice.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use parking_lot::RwLock;
use tokio::time::{MissedTickBehavior, interval};

use crate::seal::SealKey;

/// How a signature begins where HTTP says by what right something is asked.
const SCHEME: &str = "Cardhouse ";

/// Signs and checks for one purpose, with keys that may be replaced meanwhile.
pub struct Passes {
    purpose: &'static str,
    keys: RwLock<Arc<Vec<hmac::Key>>>,
}

/// A request whose signature was good; its answer is signed with the same key.
pub struct Checked {
    key: hmac::Key,
    signature: Vec<u8>,
}

fn keys(purpose: &str, key: &SealKey, others: &[SealKey]) -> Arc<Vec<hmac::Key>> {
    Arc::new(std::iter::once(key).chain(others).map(|key| key.derived(purpose)).collect())
}

impl Passes {
    /// Signs with what follows from `key`, and takes also what was signed with what follows from the others.
    pub fn new(purpose: &'static str, key: &SealKey, others: &[SealKey]) -> Self {
        Self { purpose, keys: RwLock::new(keys(purpose, key, others)) }
    }

    /// Signs and takes by these keys from now on.
    pub fn replace(&self, key: &SealKey, others: &[SealKey]) {
        *self.keys.write() = keys(self.purpose, key, others);
    }

    /// Signs a request: what stands in its `Authorization`, and what its answer is checked with.
    ///
    /// # Panics
    /// Never: there is a key.
    pub fn sign(&self, body: &[u8]) -> (String, Checked) {
        let key = self.keys.read().first().cloned().expect("there is a key");
        let signature = signed(&key, &[b"ask", body]);
        (format!("{SCHEME}{}", BASE64_URL_SAFE_NO_PAD.encode(&signature)), Checked { key, signature })
    }

    /// Whether a request comes from somebody who has a key.
    pub fn check(&self, body: &[u8], authorization: Option<&str>) -> Option<Checked> {
        let signature = decoded(authorization)?;
        let keys = self.keys.read().clone();
        let key = keys.iter().find(|key| hmac::verify(key, &parts(&[b"ask", body]), &signature).is_ok())?;
        Some(Checked { key: key.clone(), signature })
    }

    /// Reads the keys again and again. Never ends; drop it. What cannot be read stays as it was.
    pub async fn follow<E: std::fmt::Display>(
        &self,
        every: Duration,
        read: impl Fn() -> Result<(SealKey, Vec<SealKey>), E>,
    ) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut trouble = false;
        loop {
            ticks.tick().await;
            match read() {
                Ok((key, others)) => {
                    trouble = false;
                    self.replace(&key, &others);
                }
                // Once: it is the same until somebody mends it.
                Err(error) if !std::mem::replace(&mut trouble, true) => {
                    tracing::error!(%error, purpose = self.purpose, "the keys of passes stay as they are");
                }
                Err(_) => {}
            }
        }
    }
}

impl Checked {
    /// Signs the answer: it is one to this request, and comes from somebody who has the key.
    pub fn sign(&self, body: &[u8]) -> String {
        let signature = signed(&self.key, &[b"answer", &self.signature, body]);
        format!("{SCHEME}{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// Whether an answer is one to this request.
    pub fn check(&self, body: &[u8], authorization: Option<&str>) -> bool {
        decoded(authorization).is_some_and(|signature| {
            hmac::verify(&self.key, &parts(&[b"answer", &self.signature, body]), &signature).is_ok()
        })
    }
}

/// With their lengths: no part can pass for a part of another.
fn parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    all
}

fn signed(key: &hmac::Key, said: &[&[u8]]) -> Vec<u8> {
    hmac::sign(key, &parts(said)).as_ref().to_vec()
}

fn decoded(authorization: Option<&str>) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(authorization?.strip_prefix(SCHEME)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: &str) -> SealKey {
        byte.repeat(32).parse().unwrap()
    }

    #[test]
    fn what_is_signed_is_known_by_the_key_its_purpose_and_every_byte() {
        let (ours, theirs) = (Passes::new("cage 1", &key("11"), &[]), Passes::new("cage 1", &key("22"), &[]));
        let (pass, sent) = ours.sign(b"pay ann 5");
        let heard = ours.check(b"pay ann 5", Some(&pass)).unwrap();
        assert!(ours.check(b"pay ann 6", Some(&pass)).is_none());
        assert!(theirs.check(b"pay ann 5", Some(&pass)).is_none());
        assert!(Passes::new("cage 2", &key("11"), &[]).check(b"pay ann 5", Some(&pass)).is_none());
        for wrong in [None, Some(""), Some("Cardhouse "), Some(&pass[..pass.len() - 1]), Some(&pass[10..])] {
            assert!(ours.check(b"pay ann 5", wrong).is_none(), "{wrong:?}");
        }
        let answer = heard.sign(b"done");
        assert!(sent.check(b"done", Some(&answer)));
        assert!(!sent.check(b"gone", Some(&answer)) && !sent.check(b"done", Some(&pass)));
        let (_, other) = ours.sign(b"pay bob 5");
        assert!(!other.check(b"done", Some(&answer)), "an answer to something else");
    }

    #[test]
    fn a_key_can_be_changed_while_both_run() {
        let (asks, hears) = (Passes::new("x", &key("11"), &[]), Passes::new("x", &key("11"), &[key("22")]));
        asks.replace(&key("22"), &[key("11")]);
        let (pass, sent) = asks.sign(b"1");
        let answer = hears.check(b"1", Some(&pass)).unwrap().sign(b"2");
        assert!(sent.check(b"2", Some(&answer)));
        hears.replace(&key("33"), &[]);
        assert!(hears.check(b"1", Some(&pass)).is_none());
    }

    #[test]
    fn a_signature_stays_what_it_is() {
        let (pass, _) = Passes::new("cage 1", &key("11"), &[]).sign(b"x");
        assert_eq!(pass, "Cardhouse QHgTQY5vC0xpo5f_yDbQW2Wm0nkQ65vTsjkG5F4VKQQ");
    }
}
