//! The head of a client's frame (RFC 6455, section 5.2): what it says, and what is wrong with it in itself.

use crate::decoder::Violation;

/// The longest head: 2 bytes, a 64-bit length, the mask.
pub(crate) const HEAD_BYTES_MAX: usize = 14;
/// The longest payload of a control frame (section 5.5).
pub(crate) const CONTROL_BYTES_MAX: usize = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

impl Opcode {
    const fn parse(nibble: u8) -> Option<Self> {
        Some(match nibble {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    pub(crate) const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

/// A parsed head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The last frame of its message.
    pub(crate) fin: bool,
    pub(crate) opcode: Opcode,
    pub(crate) mask: [u8; 4],
    /// Of the payload, in bytes.
    pub(crate) len: u64,
}

impl Head {
    /// Parses the head at the start of `bytes` and says how long it was; `None` asks for more bytes.
    ///
    /// Each rule is checked as soon as its byte is there, so that garbage is refused without waiting for the rest.
    /// A data frame's length in more bytes than it needs is accepted, as other servers do.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let fin = first & 0x80 != 0;
        if first & 0x70 != 0 {
            return Err(Violation::ReservedBits);
        }
        let opcode = Opcode::parse(first & 0x0F).ok_or(Violation::UnknownOpcode(first & 0x0F))?;
        if opcode.is_control() && !fin {
            return Err(Violation::FragmentedControl);
        }

        let Some(&second) = bytes.get(1) else { return Ok(None) };
        if second & 0x80 == 0 {
            return Err(Violation::Unmasked);
        }
        let short = second & 0x7F;
        if opcode.is_control() && usize::from(short) > CONTROL_BYTES_MAX {
            return Err(Violation::LongControl);
        }
        let (len, after) = match short {
            126 => match bytes[2..].first_chunk::<2>() {
                Some(&long) => (u64::from(u16::from_be_bytes(long)), &bytes[4..]),
                None => return Ok(None),
            },
            127 => match bytes[2..].first_chunk::<8>() {
                Some(&long) => (u64::from_be_bytes(long), &bytes[10..]),
                None => return Ok(None),
            },
            short => (u64::from(short), &bytes[2..]),
        };
        if len >> 63 != 0 {
            return Err(Violation::LengthOverflow);
        }
        let Some(&mask) = after.first_chunk::<4>() else { return Ok(None) };
        Ok(Some((Self { fin, opcode, mask, len }, bytes.len() - after.len() + 4)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_asked_for_until_its_last_byte() {
        let whole = [0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 2, 9, 8, 7, 6, 0xAA];
        for end in 0..HEAD_BYTES_MAX {
            assert_eq!(Head::parse(&whole[..end]), Ok(None), "{end} bytes");
        }
        let head = Head { fin: true, opcode: Opcode::Text, mask: [9, 8, 7, 6], len: 65538 };
        assert_eq!(Head::parse(&whole), Ok(Some((head, HEAD_BYTES_MAX))));
    }
}
