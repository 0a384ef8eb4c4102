//! Names that nobody can guess or choose: of guests, members, logins and sanctions. What people may be called says [`protocol::text`].

use protocol::id::UserId;
use rand::RngExt as _;

/// What the ids of guests begin with.
const GUEST_PREFIX: &str = "g-";

/// What the ids of members begin with that were never guests.
const MEMBER_PREFIX: &str = "u-";

/// Characters of an id after its prefix, five random bits each.
const ID_CHARS: u32 = 16;

/// RFC 4648's base32 in small letters: nothing in it is mistaken for something else when read aloud.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A new guest's id.
pub(crate) fn new_guest(rng: &mut impl rand::Rng) -> UserId {
    new_user(GUEST_PREFIX, rng)
}

/// The id of a new member.
pub(crate) fn new_member(rng: &mut impl rand::Rng) -> UserId {
    new_user(MEMBER_PREFIX, rng)
}

fn new_user(prefix: &str, rng: &mut impl rand::Rng) -> UserId {
    UserId::new(&new_id(prefix, rng)).expect("base32 is within the characters of a name")
}

/// The prefix and eighty random bits.
pub(crate) fn new_id(prefix: &str, rng: &mut impl rand::Rng) -> String {
    let bits: u128 = rng.random();
    let digits = (0..ID_CHARS).map(|at| char::from(BASE32[(bits >> (5 * at)) as usize & 31]));
    prefix.chars().chain(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_guests_never_get_the_same_id() {
        let mut rng = rand::rng();
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| new_guest(&mut rng)).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.as_str().len() == 18 && id.as_str().starts_with("g-")));
    }

    #[test]
    fn a_guest_is_never_a_bot() {
        let mut rng = rand::rng();
        assert!((0..1_000).all(|_| !new_guest(&mut rng).is_bot()));
    }
}
