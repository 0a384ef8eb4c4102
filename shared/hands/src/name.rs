//! The name of a hand.

use std::{fmt, str::FromStr};

use protocol::id::{Position, RoomId};

/// The name of a hand, as links and files write it: `ROOM.EPOCH-SEQ`. Given once, as no two frames of a room have one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Which table.
    pub room: RoomId,
    /// The frame that told of it.
    pub at: Position,
}

/// A text that names no hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hand is called ROOM.EPOCH-SEQ")]
pub struct BadName;

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.room, self.at)
    }
}

/// Rooms may have points in their names, places have none. A hand has one name: numbers are written in one way.
impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let (room, at) = text.rsplit_once('.').ok_or(BadName)?;
        let (epoch, seq) = at.split_once('-').ok_or(BadName)?;
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| BadName);
        let room = RoomId::new(room).map_err(|_| BadName)?;
        let name = Self { room, at: Position::new(number(epoch)?, number(seq)?) };
        if name.to_string() == text { Ok(name) } else { Err(BadName) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_in_no_other_way() {
        for name in ["t1.1-20", "cup-1.2.7-3", "a.b..0-0", "t.18446744073709551615-1"] {
            assert_eq!(name.parse::<Name>().unwrap().to_string(), name);
        }
        assert_eq!("cup-1.2.7-3".parse::<Name>().unwrap().room.as_str(), "cup-1.2");
        for bad in [
            "",
            ".",
            "t1",
            "t1.1",
            ".1-2",
            "t1.1-",
            "t1.-2",
            "t1.01-2",
            "t1.+1-2",
            "t1.1-2-3",
            "t1.1--3",
            "t1.1-2 ",
            "t 1.1-2",
            "t1.18446744073709551616-1",
            "t1.1-2/../x",
        ] {
            assert_eq!(bad.parse::<Name>(), Err(BadName), "{bad:?}");
        }
    }
}
