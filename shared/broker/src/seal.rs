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

use std::{
    fmt,
    sync::{Arc, Weak},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf, hmac, rand as system_rand,
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use protocol::id::{Position, RoomId};
use tokio::sync::Notify;

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
    /// The form of what is sealed, as its beginning says; whether that is true, only opening it tells.
    pub fn of(sealed: &[u8]) -> Option<Self> {
        Self::read(*sealed.first()?)
    }

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

    /// A key for another purpose (HKDF with SHA-256): whoever has it has not this one.
    ///
    /// # Panics
    /// Never: it is as long as may be asked for.
    pub(crate) fn derived(&self, purpose: &str) -> hmac::Key {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"cardhouse");
        let info = [purpose.as_bytes()];
        let drawn = salt.extract(&self.0);
        let okm = drawn.expand(&info, hmac::HMAC_SHA256);
        okm.expect("32 bytes may be asked for").into()
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

/// Seals and opens records, with keys that may be [replaced](Sealer::replace) meanwhile.
pub struct Sealer {
    // Held only to clone or swap the pointer, never over a seal.
    keys: RwLock<Arc<Keys>>,
    /// Those that seal no more, as far as somebody still has [`Sealed`] of them.
    before: Mutex<Vec<Weak<HouseKey>>>,
    /// Something is to be sealed anew.
    stale: Notify,
}

struct Keys {
    current: Arc<HouseKey>,
    /// Keys of the past, for opening only; and one of the future, which others may seal with already.
    others: Vec<HouseKey>,
}

struct HouseKey {
    key: SealKey,
    derive: hmac::Key,
}

/// Says that something is kept that was sealed with a certain key, as long as it is held.
#[derive(Clone)]
pub struct Sealed(Arc<HouseKey>);

impl HouseKey {
    fn new(key: &SealKey) -> Self {
        Self { key: key.clone(), derive: hmac::Key::new(hmac::HMAC_SHA256, &key.0) }
    }
}

impl Sealer {
    /// Seals and opens with `key`.
    pub fn new(key: &SealKey) -> Self {
        Self::with(key, &[])
    }

    /// Seals with `key`, and opens also what was sealed with the others, so that a key can be changed while journals of the old one live.
    pub fn with(key: &SealKey, others: &[SealKey]) -> Self {
        let keys = Keys::new(Arc::new(HouseKey::new(key)), others);
        Self { keys: RwLock::new(Arc::new(keys)), before: Mutex::default(), stale: Notify::new() }
    }

    /// Seals with `key` from now on, and opens with the others too. Whether `key` is another one than before.
    pub fn replace(&self, key: &SealKey, others: &[SealKey]) -> bool {
        let mut keys = self.keys.write();
        let is_other = keys.current.key != *key;
        if is_other {
            self.before.lock().push(Arc::downgrade(&keys.current));
        }
        let current = if is_other { Arc::new(HouseKey::new(key)) } else { keys.current.clone() };
        *keys = Arc::new(Keys::new(current, others));
        drop(keys);
        if self.sealed_before() > 0 {
            self.stale.notify_one();
        }
        is_other
    }

    /// Waits until a [`Sealer::replace`] has left something that is to be sealed anew: once after each, for one who waits.
    pub async fn stale(&self) {
        self.stale.notified().await;
    }

    /// To be held as long as what is sealed from now on is kept.
    pub fn sealed(&self) -> Sealed {
        Sealed(self.keys.read().current.clone())
    }

    /// Whether that was sealed with the key that seals now.
    pub fn is_current(&self, sealed: &Sealed) -> bool {
        Arc::ptr_eq(&sealed.0, &self.keys.read().current)
    }

    /// How many [`Sealed`] there are of keys that seal no more.
    pub fn sealed_before(&self) -> usize {
        let mut before = self.before.lock();
        before.retain(|key| key.strong_count() > 0);
        before.iter().map(Weak::strong_count).sum()
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
        let house = self.sealed().0;
        let key = record_key(&house.derive, &salt, &place);
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
        let form = Form::of(sealed).ok_or(Unsealable)?;
        let rest = &sealed[1..];
        if rest.len() < SALT_BYTES + TAG_BYTES {
            return Err(Unsealable);
        }
        let (salt, body) = rest.split_at(SALT_BYTES);
        let place = place(room, at, form);
        let keys = self.keys.read().clone();
        for house in std::iter::once(&*keys.current).chain(&keys.others) {
            let mut record = body.to_vec();
            let key = record_key(&house.derive, salt, &place);
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

impl Keys {
    fn new(current: Arc<HouseKey>, others: &[SealKey]) -> Self {
        Self { current, others: others.iter().map(HouseKey::new).collect() }
    }
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
        assert_eq!(Sealer::with(&new, &[old]).open(&room("t1"), at, &sealed).unwrap().1, b"x");
    }

    #[test]
    fn a_replaced_key_seals_from_then_on_and_what_it_sealed_before_is_counted_until_it_is_gone() {
        let (old, new) = (SealKey::random(), SealKey::random());
        let (sealer, at) = (Sealer::new(&old), Position::new(1, 1));
        let seal = || sealer.seal(&room("t1"), at, Form::Headed, b"x");
        let (kept, sealed) = (sealer.sealed(), seal());
        assert!(sealer.is_current(&kept) && sealer.sealed_before() == 0);
        // First all learn the new key; then one after the other seals with it.
        assert!(!sealer.replace(&old, std::slice::from_ref(&new)));
        assert!(sealer.is_current(&kept));
        let others = Sealer::new(&new).seal(&room("t1"), at, Form::Headed, b"x");
        assert!(sealer.open(&room("t1"), at, &others).is_ok());
        assert!(sealer.replace(&new, std::slice::from_ref(&old)));
        assert!(!sealer.is_current(&kept));
        assert_eq!((sealer.sealed_before(), kept.clone().0.key == old), (1, true));
        assert!(sealer.open(&room("t1"), at, &sealed).is_ok());
        assert!(Sealer::new(&new).open(&room("t1"), at, &seal()).is_ok());
        drop(kept);
        assert_eq!(sealer.sealed_before(), 0);
        // And the old one is dropped.
        assert!(!sealer.replace(&new, &[]));
        assert_eq!(sealer.open(&room("t1"), at, &sealed), Err(Unsealable));
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
