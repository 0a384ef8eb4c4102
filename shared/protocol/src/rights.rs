//! What people may do, as their tokens say it: [`Can`] what everybody may unless it was taken from them, [`Roles`] what few may.
//!
//! Both are sets of bits. Bits that a release does not know are kept and mean nothing to it.

use serde::{Deserialize, Serialize};

use crate::time::UnixMs;

/// What staff may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(pub u32);

impl Roles {
    /// What nearly everybody has.
    pub const NONE: Self = Self(0);
    /// Private tables of their own.
    pub const HOST: Self = Self(1);
    /// Tables, tournaments, and order at them.
    pub const FLOOR: Self = Self(2);
    /// Money by hand.
    pub const CAGE: Self = Self(4);
    /// Hands with all cards once they are over, and who belongs together.
    pub const INTEGRITY: Self = Self(8);
    /// Roles of others, nodes, keys, announcements.
    pub const ADMIN: Self = Self(16);
    /// What others want done, in rooms where [jobs](crate::jobs) wait.
    pub const AGENT: Self = Self(32);

    /// Whether all of these are among them.
    pub fn has(self, roles: Self) -> bool {
        self.0 & roles.0 == roles.0
    }

    /// These and those.
    #[must_use]
    pub fn and(self, roles: Self) -> Self {
        Self(self.0 | roles.0)
    }

    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

/// What everybody may do unless it was taken from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Can(pub u32);

impl Can {
    /// To take a seat and bring chips. Whoever has lost it plays the hand that is on, and is dealt no other.
    pub const PLAY: Self = Self(1);
    /// To talk where others hear it.
    pub const CHAT: Self = Self(2);
    /// Everything: what a token means that says nothing of it.
    pub const ALL: Self = Self(3);

    /// Whether it is among what may be done.
    pub fn has(self, what: Self) -> bool {
        self.0 & what.0 == what.0
    }

    /// All but that.
    #[must_use]
    pub fn without(self, what: Self) -> Self {
        Self(self.0 & !what.0)
    }

    /// Whether nothing was taken.
    pub fn is_all(&self) -> bool {
        *self == Self::ALL
    }
}

impl Default for Can {
    fn default() -> Self {
        Self::ALL
    }
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rights {
    /// As staff.
    pub roles: Roles,
    /// As everybody.
    pub can: Can,
    /// When who has lost [`Can::PLAY`] because the play time that he allows himself is used up may play again; 0: it is not used up.
    pub play_from_ms: UnixMs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_lost_nothing_may_play_and_talk_and_is_no_staff() {
        let Rights { roles, can, play_from_ms } = Rights::default();
        assert_eq!(play_from_ms, 0);
        assert!(can.is_all() && can.has(Can::PLAY) && can.has(Can::CHAT));
        let roles_known =
            [Roles::HOST, Roles::FLOOR, Roles::CAGE, Roles::INTEGRITY, Roles::ADMIN, Roles::AGENT];
        assert!(roles.is_none() && !roles_known.into_iter().any(|role| roles.has(role)));
    }

    #[test]
    fn what_a_later_release_adds_is_kept_and_takes_nothing_away() {
        let later = Roles::FLOOR.and(Roles(1 << 20));
        assert!(later.has(Roles::FLOOR) && !later.has(Roles::ADMIN));
        assert_eq!(serde_json::to_string(&later).unwrap(), "1048578");
        let muted = Can(Can::ALL.0 | 1 << 20).without(Can::CHAT);
        assert!(muted.has(Can::PLAY) && !muted.has(Can::CHAT) && !muted.is_all());
    }
}
