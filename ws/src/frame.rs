//! A server's frame: encoded once, shared by every socket that gets it.

use bytes::{BufMut, Bytes, BytesMut};

use crate::close::CloseCode;
use crate::head::{CONTROL_BYTES_MAX, Opcode};

/// The longest head of a server's frame: 2 bytes and a 64-bit length; servers do not mask.
const HEAD_BYTES_MAX: usize = 10;

/// One whole unmasked frame as it travels, head included. A clone shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Bytes);

impl Frame {
    /// A text message in one frame.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::encode(Opcode::Text, text.as_bytes())
    }

    /// A text message in one frame, from bytes which the caller knows to be UTF-8: a payload that was encoded by us and
    /// passes through unread. A payload that is not makes the client fail the connection.
    #[must_use]
    pub fn text_from_utf8_bytes(text: &[u8]) -> Self {
        debug_assert!(std::str::from_utf8(text).is_ok(), "a text frame must hold UTF-8");
        Self::encode(Opcode::Text, text)
    }

    /// A binary message in one frame.
    #[must_use]
    pub fn binary(data: &[u8]) -> Self {
        Self::encode(Opcode::Binary, data)
    }

    /// A ping; of `payload` the first 125 bytes are sent.
    #[must_use]
    pub fn ping(payload: &[u8]) -> Self {
        Self::encode(Opcode::Ping, &payload[..payload.len().min(CONTROL_BYTES_MAX)])
    }

    /// The answer to a ping with the same payload; of `payload` the first 125 bytes are sent.
    #[must_use]
    pub fn pong(payload: &[u8]) -> Self {
        Self::encode(Opcode::Pong, &payload[..payload.len().min(CONTROL_BYTES_MAX)])
    }

    /// A close frame; without a code it has no payload and `reason` is not sent. A reason is cut to 123 bytes, at a
    /// character's border.
    #[must_use]
    pub fn close(code: Option<CloseCode>, reason: &str) -> Self {
        let Some(code) = code else { return Self::encode(Opcode::Close, &[]) };
        let mut payload = Vec::with_capacity(CONTROL_BYTES_MAX);
        payload.extend_from_slice(&code.get().to_be_bytes());
        let end = reason.floor_char_boundary(CONTROL_BYTES_MAX - payload.len());
        payload.extend_from_slice(&reason.as_bytes()[..end]);
        Self::encode(Opcode::Close, &payload)
    }

    /// The bytes as they travel.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// On the wire, in bytes: head and payload; never 0.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a frame has a head, it is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn encode(opcode: Opcode, payload: &[u8]) -> Self {
        const FIN: u8 = 0x80;
        let mut bytes = BytesMut::with_capacity(HEAD_BYTES_MAX + payload.len());
        bytes.put_u8(FIN | opcode as u8);
        match payload.len() {
            len @ 0..=125 => bytes.put_u8(len as u8),
            len @ 126..=0xFFFF => {
                bytes.put_u8(126);
                bytes.put_u16(len as u16);
            }
            len => {
                bytes.put_u8(127);
                bytes.put_u64(len as u64);
            }
        }
        bytes.put_slice(payload);
        Self(bytes.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_the_fewest_bytes_that_hold_it() {
        for (len, head) in [(0, 2), (125, 2), (126, 4), (0xFFFF, 4), (0x1_0000, 10)] {
            assert_eq!(Frame::binary(&vec![0; len]).len(), head + len);
        }
    }

    #[test]
    fn a_long_close_reason_is_cut_between_characters() {
        let frame = Frame::close(Some(CloseCode::NORMAL), &"ä".repeat(100));
        assert_eq!(frame.as_bytes()[1], 124);
        assert_eq!(std::str::from_utf8(&frame.as_bytes()[4..]), Ok("ä".repeat(61).as_str()));
    }
}
