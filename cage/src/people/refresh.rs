//! Refresh tokens. A token is derived from its login, its generation and a key that is not in the database: nothing of it is stored, and
//! the same question always has the same answer. Whoever steals the database has no token.
//!
//! `r1.` and base64url of: the key's number (1 byte), the login's key (16), the generation (4, big-endian), and the tag (32), which is
//! HMAC-SHA256 over all before it.

use std::{fmt, str::FromStr};

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};

use super::login::Key;

/// What tokens begin with: which kind, in which form.
pub const PREFIX: &str = "r1.";

/// What is told apart by a purpose of its own, with the same key.
const FOR_TOKENS: &[u8] = b"cardhouse refresh 1";
const FOR_DEVICES: &[u8] = b"cardhouse device 1";
const FOR_PSEUDONYMS: &[u8] = b"cardhouse pseudonym 1";

const KEY_BYTES: usize = 32;
const HEAD_BYTES: usize = 1 + 16 + 4;
const TAG_BYTES: usize = 32;
const PSEUDONYM_BYTES: usize = 12;

/// A key of refresh tokens: 32 random bytes, written as 64 hexadecimal digits or base64.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshKey([u8; KEY_BYTES]);

/// Never what it is.
impl fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshKey {}", self.number())
    }
}

impl RefreshKey {
    /// Of these bytes, which must be random.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// As hexadecimal digits.
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Which it is among a few.
    fn number(&self) -> u8 {
        digest(&SHA256, &self.0).as_ref()[0]
    }

    fn tag(&self, purpose: &[u8], of: &[u8]) -> hmac::Tag {
        let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), purpose);
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()), of)
    }

    fn made(&self, purpose: &[u8], of: &[u8], tag: &[u8]) -> bool {
        let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), purpose);
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()), of, tag).is_ok()
    }
}

impl FromStr for RefreshKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let hex = || {
            let digits = text
                .as_bytes()
                .chunks(2)
                .map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
            digits.collect::<Option<Vec<u8>>>()
        };
        let bytes = if text.len() == 2 * KEY_BYTES { hex() } else { BASE64_STANDARD.decode(text).ok() };
        let wrong = "it must be 32 bytes as 64 hexadecimal digits or base64";
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(wrong)
    }
}

/// The keys of a house: the first makes tokens, all read them.
#[derive(Debug, Clone)]
pub struct RefreshKeys {
    current: RefreshKey,
    older: Vec<RefreshKey>,
}

impl RefreshKeys {
    /// `current` makes tokens; the older ones only read what they have made.
    pub fn new(current: RefreshKey, older: Vec<RefreshKey>) -> Self {
        Self { current, older }
    }

    fn all(&self) -> impl Iterator<Item = &RefreshKey> {
        std::iter::once(&self.current).chain(&self.older)
    }

    /// The token of a login's generation.
    pub fn token(&self, login: &Key, generation: u32) -> String {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + TAG_BYTES);
        bytes.push(self.current.number());
        bytes.extend_from_slice(login);
        bytes.extend_from_slice(&generation.to_be_bytes());
        let tag = self.current.tag(FOR_TOKENS, &bytes);
        bytes.extend_from_slice(tag.as_ref());
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The login and the generation of a token that one of the keys has made.
    pub fn read(&self, token: &str) -> Option<(Key, u32)> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        let (head, tag) = bytes.split_at_checked(HEAD_BYTES)?;
        let number = *head.first()?;
        let by = self.all().find(|key| key.number() == number && key.made(FOR_TOKENS, head, tag));
        by?;
        Some((head[1..17].try_into().ok()?, u32::from_be_bytes(head[17..].try_into().ok()?)))
    }

    /// What a device keeps that has signed in with this handle: it shows that it has.
    pub fn device(&self, subject: &[u8; 32]) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.current.tag(FOR_DEVICES, subject))
    }

    /// A name that stands for something, by which nobody without the key finds it. It changes with the key.
    pub fn pseudonym(&self, of: &str) -> String {
        let tag = self.current.tag(FOR_PSEUDONYMS, of.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(&tag.as_ref()[..PSEUDONYM_BYTES])
    }

    /// Whether this device has signed in with this handle.
    pub fn knows_device(&self, subject: &[u8; 32], device: &str) -> bool {
        BASE64_URL_SAFE_NO_PAD
            .decode(device)
            .is_ok_and(|tag| self.all().any(|key| key.made(FOR_DEVICES, subject, &tag)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> RefreshKey {
        RefreshKey::new([byte; 32])
    }

    #[test]
    fn a_token_says_its_login_and_generation_and_nobody_else_can_make_it() {
        let keys = RefreshKeys::new(key(1), Vec::new());
        let token = keys.token(&[7; 16], 41);
        assert_eq!(keys.read(&token), Some(([7; 16], 41)));
        assert_eq!(token, keys.token(&[7; 16], 41), "the same question has the same answer");
        assert_eq!(RefreshKeys::new(key(2), Vec::new()).read(&token), None);
        for at in PREFIX.len()..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(keys.read(std::str::from_utf8(&forged).unwrap()), None, "changed at {at}");
        }
        for garbage in ["", "r1.", "r1.AAAA", "r2.AAAA", &token[3..], &format!("{token}A")] {
            assert_eq!(keys.read(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn an_older_key_reads_what_it_has_made_and_makes_nothing() {
        let before = RefreshKeys::new(key(1), Vec::new());
        let after = RefreshKeys::new(key(2), vec![key(1)]);
        assert_eq!(after.read(&before.token(&[7; 16], 1)), Some(([7; 16], 1)));
        assert_eq!(before.read(&after.token(&[7; 16], 2)), None);
        assert!(after.knows_device(&[3; 32], &before.device(&[3; 32])));
    }

    #[test]
    fn a_device_is_known_for_the_handle_that_it_has_signed_in_with() {
        let keys = RefreshKeys::new(key(1), Vec::new());
        let device = keys.device(&[3; 32]);
        assert!(keys.knows_device(&[3; 32], &device));
        assert!(!keys.knows_device(&[4; 32], &device) && !keys.knows_device(&[3; 32], ""));
        // Neither is good for the other.
        assert_eq!(keys.read(&device), None);
    }

    #[test]
    fn a_key_is_read_in_both_forms_and_never_shown() {
        let hex = key(0xab).to_hex();
        assert_eq!(hex.parse(), Ok(key(0xab)));
        assert_eq!(BASE64_STANDARD.encode([0xab; 32]).parse(), Ok(key(0xab)));
        assert!("short".parse::<RefreshKey>().is_err() && "é".repeat(32).parse::<RefreshKey>().is_err());
        assert!(!format!("{:?}", RefreshKeys::new(key(0xab), vec![])).contains("abab"));
    }
}
