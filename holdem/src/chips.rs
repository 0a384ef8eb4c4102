//! Money: whole units of the smallest chip.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// An amount of chips in the smallest unit of the table. Never negative, never fractional.
///
/// `+` and `-` are checked: an overflow or a negative result is a broken invariant and panics, it never wraps.
/// [`HandSetup`](crate::HandSetup) refuses stacks whose sum exceeds [`Chips::TABLE_MAX`], so no sum within a hand can
/// overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chips(pub u64);

impl Chips {
    /// No chips.
    pub const ZERO: Chips = Chips(0);
    /// The most chips that may lie on one table, and the largest blind or ante: 2^53, which JSON numbers still carry
    /// exactly and which leaves room to add any few of them.
    pub const TABLE_MAX: Chips = Chips(1 << 53);

    /// The sum, or `None` on overflow.
    pub const fn checked_add(self, other: Chips) -> Option<Chips> {
        match self.0.checked_add(other.0) {
            Some(n) => Some(Chips(n)),
            None => None,
        }
    }

    /// The difference, or `None` if it would be negative.
    pub const fn checked_sub(self, other: Chips) -> Option<Chips> {
        match self.0.checked_sub(other.0) {
            Some(n) => Some(Chips(n)),
            None => None,
        }
    }

    /// The difference, or nothing if it would be negative.
    #[must_use]
    pub const fn saturating_sub(self, other: Chips) -> Chips {
        Chips(self.0.saturating_sub(other.0))
    }

    /// Whether this is no chips at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for Chips {
    type Output = Chips;
    fn add(self, other: Chips) -> Chips {
        self.checked_add(other).expect("chips on one table are bounded by Chips::TABLE_MAX")
    }
}

impl Sub for Chips {
    type Output = Chips;
    fn sub(self, other: Chips) -> Chips {
        self.checked_sub(other).expect("chips are never taken from where they are not")
    }
}

impl AddAssign for Chips {
    fn add_assign(&mut self, other: Chips) {
        *self = *self + other;
    }
}

impl SubAssign for Chips {
    fn sub_assign(&mut self, other: Chips) {
        *self = *self - other;
    }
}

impl Sum for Chips {
    fn sum<I: Iterator<Item = Chips>>(iter: I) -> Chips {
        iter.fold(Chips::ZERO, Add::add)
    }
}

impl fmt::Display for Chips {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
