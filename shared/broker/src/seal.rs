//! How a room's secrets lie in the journal: readable by dealer workers alone, and only where they were put.
//!
//! Each record is sealed with AES-256-GCM under a key of its own, `HMAC-SHA256(house key, salt | room | epoch | seq)`
//! with 16 random bytes of salt. Why not the house key and a nonce:
//!
//! - A nonce from the position would be used twice when two contenders for a room prepare different entries for the
//!   same position, of which only one is stored but both could be seen; with GCM that gives the key away.
//! - Random 96-bit nonces under one key are safe for 2^32 records, which a large house writes in half a day.
//!
//! With a key per record the nonce can be constant, and two records share a key only if their salts collide too: 2^-64 for
//! 2^32 records *of the same position*. It costs one HMAC, well below a microsecond.
//!
//! ```text
//! u8 form (1, 2, 3)   16 bytes salt   ciphertext   16 bytes tag          room, position and form are authenticated with it
//! ```

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac, rand as system_rand,
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use protocol::id::{Position, RoomId};

/// How what is sealed begins. The seal itself is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Form {
    /// The first release's: the record and nothing else.
    Bare = 1,
    /// With a head that says what it is a record of.
    Headed = 2,
    /// With a head that also says how the runtime's own part is written.
    Versioned = 3,
}

impl Form {
    fn read(byte: u8) -> Option<Self> {
        [Self::Bare, Self::Headed, Self::Versioned].into_iter().find(|form| *form as u8 == byte)
    }
}

const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// What sealing adds to a record, bytes.
pub const OVERHEAD_BYTES: usize = 1 + SALT_BYTES + TAG_BYTES;

/// The house's key for secrets, from configuration. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey([u8; KEY_BYTES]);

/// Text that is not a [`SealKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealing key is 32 bytes as 64 hexadecimal digits or in base64; `openssl rand -hex 32` makes one")]
pub struct BadSealKey;

impl SealKey {
    /// A key from the system's randomness: journals sealed with it die with the process.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn random() -> Self {
        let mut bytes = [0; KEY_BYTES];
        system_rand::fill(&mut bytes).expect("the system gives random bytes");
        Self(bytes)
    }

    /// Hexadecimal digits, for configuration files.
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::str::FromStr for SealKey {
    type Err = BadSealKey;

    fn from_str(text: &str) -> Result<Self, BadSealKey> {
        let text = text.trim();
        let bytes = if text.len() == 2 * KEY_BYTES {
            let digits = (0..KEY_BYTES).map(|at| text.get(2 * at..2 * at + 2));
            digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<Vec<u8>>>()
        } else {
            let plain = text.trim_end_matches('=');
            BASE64_STANDARD.decode(text).or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(plain)).ok()
        };
        let bytes = bytes.ok_or(BadSealKey)?;
        Ok(Self(bytes.try_into().map_err(|_| BadSealKey)?))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// A record that cannot be opened: sealed with another key, for another room or position, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed record cannot be opened: another key, another place, or changed")]
pub struct Unsealable;

/// Seals and opens records.
pub struct Sealer {
    current: hmac::Key,
    /// Keys of the past, for opening only.
    older: Vec<hmac::Key>,
}

impl Sealer {
    /// Seals and opens with `key`.
    pub fn new(key: &SealKey) -> Self {
        Self { current: house_key(key), older: Vec::new() }
    }

    /// Opens also what was sealed with `older`, so that a key can be changed while journals of the old one live.
    #[must_use]
    pub fn opening_also(mut self, older: &SealKey) -> Self {
        self.older.push(house_key(older));
        self
    }

    /// Seals a record for one place.
    ///
    /// # Panics
    /// If the record has 64 GiB or more.
    pub fn seal(&self, room: &RoomId, at: Position, form: Form, record: &[u8]) -> Bytes {
        let salt: [u8; SALT_BYTES] = rand::random();
        let mut out = Vec::with_capacity(record.len() + OVERHEAD_BYTES);
        out.push(form as u8);
        out.extend_from_slice(&salt);
        let body = out.len();
        out.extend_from_slice(record);
        let place = place(room, at, form);
        let key = record_key(&self.current, &salt, &place);
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&place), &mut out[body..]);
        out.extend_from_slice(tag.expect("a record is far below GCM's limit").as_ref());
        out.into()
    }

    /// Opens what was sealed for this very place, and says in which form it is.
    ///
    /// # Errors
    /// [`Unsealable`], without saying why: there is nothing to be done about it but to find the right key.
    pub fn open(&self, room: &RoomId, at: Position, sealed: &[u8]) -> Result<(Form, Vec<u8>), Unsealable> {
        let (&form, rest) = sealed.split_first().ok_or(Unsealable)?;
        let form = Form::read(form).ok_or(Unsealable)?;
        if rest.len() < SALT_BYTES + TAG_BYTES {
            return Err(Unsealable);
        }
        let (salt, body) = rest.split_at(SALT_BYTES);
        let place = place(room, at, form);
        for house in std::iter::once(&self.current).chain(&self.older) {
            let mut record = body.to_vec();
            let key = record_key(house, salt, &place);
            let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
            if let Ok(plain) = key.open_in_place(nonce, Aad::from(&place), &mut record) {
                let length = plain.len();
                record.truncate(length);
                return Ok((form, record));
            }
        }
        Err(Unsealable)
    }
}

fn house_key(key: &SealKey) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &key.0)
}

fn record_key(house: &hmac::Key, salt: &[u8], place: &[u8]) -> LessSafeKey {
    let mut context = hmac::Context::with_key(house);
    context.update(salt);
    context.update(place);
    let key = UnboundKey::new(&AES_256_GCM, context.sign().as_ref());
    LessSafeKey::new(key.expect("HMAC-SHA256 gives the 32 bytes of an AES-256 key"))
}

/// The position first, since it has a fixed length, then the room, then (with a byte that is in no room's name) any later form: no two
/// places give the same bytes.
fn place(room: &RoomId, at: Position, form: Form) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(18 + room.as_str().len());
    bytes.extend_from_slice(&at.epoch().0.to_le_bytes());
    bytes.extend_from_slice(&at.seq().0.to_le_bytes());
    bytes.extend_from_slice(room.as_str().as_bytes());
    if form != Form::Bare {
        bytes.extend_from_slice(&[0, form as u8]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomId {
        RoomId::new(name).unwrap()
    }

    #[test]
    fn a_record_opens_where_it_was_put_and_nowhere_else() {
        let sealer = Sealer::new(&SealKey::random());
        let at = Position::new(3, 41);
        let sealed = sealer.seal(&room("t1"), at, Form::Headed, b"the deck");
        assert_eq!(sealed.len(), 8 + OVERHEAD_BYTES);
        assert_eq!(sealer.open(&room("t1"), at, &sealed).unwrap(), (Form::Headed, b"the deck".to_vec()));
        assert_eq!(sealer.open(&room("t2"), at, &sealed), Err(Unsealable));
        assert_eq!(sealer.open(&room("t1"), Position::new(4, 41), &sealed), Err(Unsealable));
        assert_eq!(sealer.open(&room("t1"), Position::new(3, 42), &sealed), Err(Unsealable));
        assert_eq!(Sealer::new(&SealKey::random()).open(&room("t1"), at, &sealed), Err(Unsealable));
    }

    #[test]
    fn any_change_is_noticed() {
        let sealer = Sealer::new(&SealKey::random());
        let at = Position::new(1, 1);
        let sealed = sealer.seal(&room("t1"), at, Form::Headed, b"As");
        for at_byte in 0..sealed.len() {
            let mut changed = sealed.to_vec();
            changed[at_byte] ^= 1;
            assert_eq!(sealer.open(&room("t1"), at, &changed), Err(Unsealable), "byte {at_byte}");
            assert_eq!(sealer.open(&room("t1"), at, &sealed[..at_byte]), Err(Unsealable), "{at_byte} bytes");
        }
    }

    #[test]
    fn two_contenders_for_one_position_never_share_a_key_stream() {
        let sealer = Sealer::new(&SealKey::random());
        let at = Position::new(2, 7);
        let (one, other) = (
            sealer.seal(&room("t1"), at, Form::Headed, &[0; 32]),
            sealer.seal(&room("t1"), at, Form::Headed, &[0; 32]),
        );
        let body = 1 + SALT_BYTES;
        assert_ne!(one[body..body + 32], other[body..body + 32]);
    }

    #[test]
    fn an_older_key_still_opens() {
        let (old, new) = (SealKey::random(), SealKey::random());
        let at = Position::new(1, 1);
        let sealed = Sealer::new(&old).seal(&room("t1"), at, Form::Headed, b"x");
        assert_eq!(Sealer::new(&new).open(&room("t1"), at, &sealed), Err(Unsealable));
        assert_eq!(Sealer::new(&new).opening_also(&old).open(&room("t1"), at, &sealed).unwrap().1, b"x");
    }

    #[test]
    fn a_key_is_read_from_hex_and_base64() {
        let key = SealKey::random();
        assert_eq!(key.to_hex().parse::<SealKey>().unwrap(), key);
        assert_eq!(BASE64_STANDARD.encode(key.0).parse::<SealKey>().unwrap(), key);
        assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(key.0).parse::<SealKey>().unwrap(), key);
        for bad in ["", "abc", &"g".repeat(64), &"é".repeat(32), &BASE64_STANDARD.encode([1; 31])] {
            assert_eq!(bad.parse::<SealKey>(), Err(BadSealKey), "{bad:?}");
        }
        assert_eq!(format!("{key:?}"), "SealKey(..)");
    }
}
