//! Names of things on the wire: rooms, users, logins, sessions, nodes, positions in a journal, and what was decided there.

use std::{borrow::Borrow, fmt};

use arrayvec::ArrayString;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

use crate::time::UnixMs;

/// The longest name of a room, user, login or node, in bytes.
pub const NAME_BYTES_MAX: usize = 40;

/// A name that is not one: empty, longer than [`NAME_BYTES_MAX`], or with a character outside `A-Z a-z 0-9 _ - .`
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {NAME_BYTES_MAX} characters of A-Z a-z 0-9 _ - .")]
pub struct BadName;

fn checked(name: &str) -> Result<ArrayString<NAME_BYTES_MAX>, BadName> {
    let characters = ArrayString::from(name).map_err(|_| BadName)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if !characters.is_empty() && characters.bytes().all(plain) { Ok(characters) } else { Err(BadName) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        /// Its characters are stored in it: nothing is allocated, and comparing follows no pointer. Ordered and hashed by them.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ArrayString<NAME_BYTES_MAX>);

        impl $name {
            /// Checks the characters and takes the name.
            ///
            /// # Errors
            /// [`BadName`] when it is empty, too long or has other characters.
            pub fn new(name: &str) -> Result<Self, BadName> {
                checked(name).map(Self)
            }

            /// The characters.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadName;
            fn from_str(name: &str) -> Result<Self, BadName> {
                Self::new(name)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Characters;

                impl Visitor<'_> for Characters {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a name")
                    }

                    fn visit_str<E: Error>(self, name: &str) -> Result<$name, E> {
                        $name::new(name).map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Characters)
            }
        }
    };
}

name! {
    /// A room: anything stateful that one worker owns at a time. Also its hash tag in Redis.
    RoomId
}
name! {
    /// A user: the `sub` of a token.
    UserId
}
name! {
    /// A login: one device that is signed in, by the name that lists of devices show. The `sid` of a token; no secret.
    LoginId
}
name! {
    /// A process of the house (relay, dealer worker), new at every start.
    NodeId
}

impl UserId {
    /// What the ids of the house's own bots begin with. Whoever issues tokens gives such an id to nobody else: tables tell
    /// everybody that it is a bot's, and nobody can become one by a name.
    pub const BOT_PREFIX: &str = "bot-";

    /// Whether it is one of the house's own bots.
    pub fn is_bot(&self) -> bool {
        self.as_str().starts_with(Self::BOT_PREFIX)
    }
}

/// One client's run of commands: lives on over reconnects, is chosen by the relay at the first `hello`.
///
/// Commands are deduplicated by `(user, session, n)`. In JSON it is sixteen hexadecimal digits, since a
/// browser's numbers hold only 53 bits.
///
/// The upper half says when the session began, so that a room which has forgotten some sessions can tell one that it may
/// have forgotten from one that began later ([`SessionId::began_ms`]). A session is no secret and nothing is guarded by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl SessionId {
    /// A session that begins now; `random` tells it from the others of its second.
    pub fn beginning(now_ms: UnixMs, random: u32) -> Self {
        Self((now_ms / 1_000) << 32 | u64::from(random))
    }

    /// When it began, to the second before, by the clock of the relay that made it. A client may have made the
    /// session up, and relays before this rule chose it at random: then it is any time, perhaps one to come.
    pub fn began_ms(self) -> UnixMs {
        (self.0 >> 32) * 1_000
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return u64::deserialize(deserializer).map(Self);
        }
        let digits = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        if digits.len() != 16 {
            return Err(Error::custom("a session has sixteen hexadecimal digits"));
        }
        u64::from_str_radix(&digits, 16).map(Self).map_err(Error::custom)
    }
}

/// Grows each time a room changes owner: by one, or to the time of the claim, whichever is more, so that an epoch whose
/// claim the broker has lost is never given twice (`docs/decisions/0002`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// A frame's number in its room: 1, 2, 3 ... without a gap over the whole life of the room, across epochs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// 2026-01-01 UTC in milliseconds since 1970: where the time in an epoch counts from.
const EPOCHS_BEGIN_MS: u64 = 1_767_225_600_000;

impl Epoch {
    /// The smallest epoch that comes after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The epoch that an owner claims at `now_ms` (milliseconds since 1970) after this one.
    pub fn claimed_at(self, now_ms: u64) -> Self {
        self.next().max(Self(now_ms.saturating_sub(EPOCHS_BEGIN_MS)))
    }
}

impl Seq {
    /// The number of the next frame.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Which of so many rooms of a kind serves a user: FNV-1a of the user's name in 64 bits, modulo their number. Given once and for ever.
pub fn spread(user: &UserId, over: u64) -> u64 {
    let hash = user.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash % over
}

/// Where an entry stands in a room's journal; ordered by epoch, then seq. In JSON `[epoch, seq]`.
///
/// `seq` is contiguous across epochs, so a reader sees a hole without help. The claim of an epoch stands at
/// `(epoch, 0)`: it is smaller than every frame of its epoch and larger than every frame of earlier ones.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position(pub Epoch, pub Seq);

impl Position {
    /// The position `epoch-seq`.
    pub fn new(epoch: u64, seq: u64) -> Self {
        Self(Epoch(epoch), Seq(seq))
    }

    /// The epoch.
    pub fn epoch(self) -> Epoch {
        self.0
    }

    /// The frame's number.
    pub fn seq(self) -> Seq {
        self.1
    }
}

/// As Redis writes a stream id.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.0, self.1.0)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name of an errand among those of its room: given once, and never in two histories, since epochs are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ErrandId {
    /// The frame that decided it.
    pub at: Position,
    /// Which of that frame's, from 0.
    pub n: u16,
}

/// As the position, and the number in its frame.
impl fmt::Display for ErrandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.at, self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_other_characters_is_refused() {
        for bad in ["", "a b", "t1}", "é", &"x".repeat(NAME_BYTES_MAX + 1)] {
            assert_eq!(RoomId::new(bad), Err(BadName), "{bad:?}");
        }
        assert_eq!(RoomId::new("t-1_a.b").unwrap().as_str(), "t-1_a.b");
    }

    #[test]
    fn a_later_epoch_is_after_every_frame_of_an_earlier_one() {
        assert!(Position::new(2, 0) > Position::new(1, u64::MAX));
        assert!(Position::new(2, 7) > Position::new(2, 6));
    }

    #[test]
    fn a_claim_that_was_lost_is_not_given_twice() {
        let known = Epoch(4);
        let lost = known.claimed_at(1_800_000_000_000);
        let again = known.claimed_at(1_800_000_000_500);
        assert!(known < lost && lost < again);
        assert_eq!(again.claimed_at(1_700_000_000_000), again.next(), "a clock that is behind does no harm");
    }

    #[test]
    fn a_session_keeps_all_its_bits_in_json() {
        let session = SessionId(u64::MAX - 1);
        let text = serde_json::to_string(&session).unwrap();
        assert_eq!(text, "\"fffffffffffffffe\"");
        assert_eq!(serde_json::from_str::<SessionId>(&text).unwrap(), session);
    }
}
