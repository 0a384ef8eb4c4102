//! Close codes (RFC 6455, section 7.4 and the IANA registry that grew from it).

use std::fmt;

/// A code that may travel in a close frame.
///
/// The codes that only describe an absence (1005, 1006, 1015) and the ranges nobody has defined cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// This end goes away: a relay drains, a page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// The other end broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// A kind of data that this end does not take.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// A payload that is not what its type says: text which is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// A rule of this end was broken: too many messages, a token that ran out.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// A message over the limit.
    pub const TOO_BIG: Self = Self(1009);
    /// Something unexpected on the server's side.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The service restarts: come back, after a randomised wait.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// Overload: come back later, or elsewhere.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The code, if it may travel: 1000 to 1003, 1007 to 1014, and 3000 to 4999 (4000 and up are an application's own).
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_describe_an_absence_or_are_undefined_cannot_be_made() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            assert_eq!(CloseCode::new(code), None, "{code}");
        }
        for code in [1000, 1001, 1002, 1003, 1007, 1014, 3000, 3999, 4000, 4999] {
            assert_eq!(CloseCode::new(code).map(CloseCode::get), Some(code));
        }
    }
}
