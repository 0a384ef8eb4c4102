//! Bytes in, messages out, without I/O.
//!
//! A frame that lies whole in the read buffer is unmasked in place and handed out borrowed: nothing is copied or
//! allocated. Only what is cut, by a read's end or by fragmentation, is kept, in a box which is freed as soon as it
//! is whole; so between messages a decoder is two words.

use std::ops::Range;

use thiserror::Error;

use crate::close::CloseCode;
use crate::head::{HEAD_BYTES_MAX, Head, Opcode};
use crate::mask;

/// What a client said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole text message.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// To be answered with a pong of the same payload.
    Ping(&'a [u8]),
    /// The answer to a ping, or a sign of life.
    Pong(&'a [u8]),
    /// The client closes; whatever it sends after this is discarded.
    Close {
        /// `None`: the frame held no code ("1005").
        code: Option<CloseCode>,
        /// At most 123 bytes.
        reason: &'a str,
    },
}

/// How a client broke the protocol. The connection is over: answer with [`close_code`](Self::close_code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// A client masks every frame (section 5.1).
    #[error("a frame was not masked")]
    Unmasked,
    /// No extension was agreed on, so all three are zero (section 5.2).
    #[error("a reserved bit was set")]
    ReservedBits,
    /// An opcode from the reserved ranges.
    #[error("opcode {0:#x} is reserved")]
    UnknownOpcode(u8),
    /// Control frames come in one piece (section 5.4).
    #[error("a control frame was fragmented")]
    FragmentedControl,
    /// Control frames hold at most 125 bytes (section 5.5).
    #[error("a control frame held more than 125 bytes")]
    LongControl,
    /// A continuation frame with nothing to continue.
    #[error("a continuation frame continued nothing")]
    UnexpectedContinuation,
    /// A new message before the last frame of the one before.
    #[error("a message began inside another")]
    UnfinishedMessage,
    /// The highest bit of a 64-bit length is zero (section 5.2).
    #[error("a length exceeded 63 bits")]
    LengthOverflow,
    /// A close frame's payload of one byte.
    #[error("a close frame held half a code")]
    HalfCloseCode,
    /// A code that may not travel (section 7.4).
    #[error("close code {0} may not be sent")]
    InvalidCloseCode(u16),
    /// A text message or close reason that is not UTF-8.
    #[error("text was not UTF-8")]
    NotUtf8,
    /// A message longer than the limit; found in the head, before the payload is received.
    #[error("a message exceeded the limit")]
    MessageTooBig,
}

impl Violation {
    /// The code to close with.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::NotUtf8 => CloseCode::INVALID_PAYLOAD,
            Self::MessageTooBig => CloseCode::TOO_BIG,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

/// One client's position in its byte stream.
#[derive(Debug, Default)]
pub struct Decoder {
    /// What is begun and not whole. `None` between messages that end with their read.
    partial: Option<Box<Partial>>,
    /// A close frame or a violation was seen: the rest is discarded.
    over: bool,
}

#[derive(Debug, Default)]
struct Partial {
    /// The first bytes of a head, while it is not whole.
    head: [u8; HEAD_BYTES_MAX],
    head_len: usize,
    /// The frame whose payload is not whole.
    frame: Option<OpenFrame>,
    /// That frame's payload so far, if it is a control frame: it may stand inside a message, which goes on after it.
    control: Vec<u8>,
    /// The data message whose last byte is missing.
    message: Option<Message>,
}

#[derive(Clone, Copy, Debug)]
struct OpenFrame {
    head: Head,
    /// Bytes of its payload that have come; at most `head.len`.
    received: usize,
}

#[derive(Debug)]
struct Message {
    /// `Text` or `Binary`.
    opcode: Opcode,
    /// Grows with what arrives, never with what a head announces.
    payload: Vec<u8>,
    /// If text: the bytes known to be UTF-8; what follows is the beginning of one character.
    valid_len: usize,
}

impl Decoder {
    /// A decoder at the start of a connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next `bytes` of the stream, to be drawn from the result until it has no more; they are unmasked in place.
    /// A message of more than `message_bytes_max` is a violation.
    ///
    /// What is not drawn is lost, and the stream with it: go on until `None` or an error, or drop the decoder.
    pub fn feed<'a>(&'a mut self, bytes: &'a mut [u8], message_bytes_max: usize) -> Events<'a> {
        Events { decoder: self, bytes, at: 0, message_bytes_max, whole: Vec::new() }
    }

    /// Whether nothing is held: every byte fed so far belonged to a message that was handed out.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.partial.is_none()
    }

    /// Frees the box unless something in it is begun.
    fn release(&mut self) {
        if let Some(partial) = &self.partial
            && partial.head_len == 0
            && partial.frame.is_none()
            && partial.message.is_none()
        {
            self.partial = None;
        }
    }
}

/// The events of one read, in order. Each borrows from the read buffer or from here, so it must be let go before the next.
#[derive(Debug)]
pub struct Events<'a> {
    decoder: &'a mut Decoder,
    bytes: &'a mut [u8],
    /// How many of `bytes` are consumed.
    at: usize,
    message_bytes_max: usize,
    /// The payload that was put together from pieces and handed out last; freed with the read.
    whole: Vec<u8>,
}

/// Where a whole payload is.
enum Place {
    /// In the read buffer.
    Buffer(Range<usize>),
    /// In [`Events::whole`].
    Whole,
}

impl Events<'_> {
    /// The next event; `Ok(None)` when the read is used up.
    ///
    /// # Errors
    ///
    /// A [`Violation`]; after it, as after a close frame, everything that is fed is discarded.
    #[expect(clippy::should_implement_trait, reason = "the events are lent, an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Violation> {
        if self.decoder.over {
            return Ok(None);
        }
        let (opcode, place) = match self.advance() {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(violation) => {
                *self.decoder = Decoder { partial: None, over: true };
                return Err(violation);
            }
        };
        let payload = match place {
            Place::Buffer(range) => &self.bytes[range],
            Place::Whole => &self.whole,
        };
        let event = interpret(opcode, payload);
        if matches!(event, Err(_) | Ok(Event::Close { .. })) {
            *self.decoder = Decoder { partial: None, over: true };
        }
        event.map(Some)
    }

    /// Consumes bytes up to the end of the next whole message or control frame.
    fn advance(&mut self) -> Result<Option<(Opcode, Place)>, Violation> {
        loop {
            let Some(OpenFrame { head, received }) = self.open_frame()? else { return Ok(None) };
            let range = self.take_payload(head, received);
            let received = received + range.len();
            let ends = received as u64 == head.len;

            if ends && received == range.len() && head.fin && head.opcode != Opcode::Continuation {
                self.decoder.release();
                return Ok(Some((head.opcode, Place::Buffer(range))));
            }

            let partial = self.decoder.partial.get_or_insert_default();
            let piece = &self.bytes[range];
            if piece.is_empty() && !ends {
                // Nothing is begun yet: the frame may still come whole with the next read.
                partial.frame = Some(OpenFrame { head, received });
                return Ok(None);
            }
            if head.opcode.is_control() {
                partial.control.extend_from_slice(piece);
            } else {
                partial.message.get_or_insert_with(|| Message::new(head.opcode)).extend(piece)?;
            }
            if !ends {
                partial.frame = Some(OpenFrame { head, received });
                return Ok(None);
            }
            if !head.fin {
                continue;
            }
            let opcode = if head.opcode.is_control() {
                self.whole = std::mem::take(&mut partial.control);
                head.opcode
            } else {
                let message = partial.message.take().expect("a data frame extends a message");
                self.whole = message.payload;
                message.opcode
            };
            self.decoder.release();
            return Ok(Some((opcode, Place::Whole)));
        }
    }

    /// The frame to go on with: the one that the read before left open, or the one whose head comes next.
    fn open_frame(&mut self) -> Result<Option<OpenFrame>, Violation> {
        if let Some(partial) = &mut self.decoder.partial
            && let Some(frame) = partial.frame.take()
        {
            return Ok(Some(frame));
        }
        let Some(head) = self.take_head()? else { return Ok(None) };
        if !head.opcode.is_control() {
            let message = self.decoder.partial.as_ref().and_then(|partial| partial.message.as_ref());
            match (head.opcode, message) {
                (Opcode::Continuation, None) => return Err(Violation::UnexpectedContinuation),
                (Opcode::Text | Opcode::Binary, Some(_)) => return Err(Violation::UnfinishedMessage),
                _ => {}
            }
            let room =
                self.message_bytes_max.saturating_sub(message.map_or(0, |message| message.payload.len()));
            if head.len > room as u64 {
                return Err(Violation::MessageTooBig);
            }
        }
        Ok(Some(OpenFrame { head, received: 0 }))
    }

    /// The next head, if the last of its bytes is there; otherwise keeps those that are.
    fn take_head(&mut self) -> Result<Option<Head>, Violation> {
        let rest = &self.bytes[self.at..];
        let kept = self.decoder.partial.as_ref().map_or(0, |partial| partial.head_len);
        if kept == 0 {
            if let Some((head, len)) = Head::parse(rest)? {
                self.at += len;
                return Ok(Some(head));
            }
            if rest.is_empty() {
                return Ok(None);
            }
        }
        let partial = self.decoder.partial.get_or_insert_default();
        let added = rest.len().min(HEAD_BYTES_MAX - kept);
        partial.head[kept..kept + added].copy_from_slice(&rest[..added]);
        match Head::parse(&partial.head[..kept + added])? {
            Some((head, len)) => {
                partial.head_len = 0;
                self.at += len - kept;
                Ok(Some(head))
            }
            None => {
                partial.head_len = kept + added;
                self.at += added;
                Ok(None)
            }
        }
    }

    /// Consumes and unmasks what the read holds of a frame's payload; says where it lies.
    fn take_payload(&mut self, head: Head, received: usize) -> Range<usize> {
        let available = self.bytes.len() - self.at;
        let missing = usize::try_from(head.len - received as u64).unwrap_or(usize::MAX);
        let range = self.at..self.at + available.min(missing);
        self.at = range.end;
        mask::apply(&mut self.bytes[range.clone()], head.mask, received);
        range
    }
}

impl Message {
    fn new(opcode: Opcode) -> Self {
        Self { opcode, payload: Vec::new(), valid_len: 0 }
    }

    /// Appends `piece`; text is refused at the first byte that no continuation could make UTF-8.
    fn extend(&mut self, piece: &[u8]) -> Result<(), Violation> {
        self.payload.extend_from_slice(piece);
        if self.opcode == Opcode::Text {
            match std::str::from_utf8(&self.payload[self.valid_len..]) {
                Ok(valid) => self.valid_len += valid.len(),
                Err(error) if error.error_len().is_none() => self.valid_len += error.valid_up_to(),
                Err(_) => return Err(Violation::NotUtf8),
            }
        }
        Ok(())
    }
}

/// Reads a whole payload as what its opcode says it is.
fn interpret(opcode: Opcode, payload: &[u8]) -> Result<Event<'_>, Violation> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Violation::NotUtf8);
    Ok(match opcode {
        Opcode::Text => Event::Text(text(payload)?),
        Opcode::Binary | Opcode::Continuation => Event::Binary(payload),
        Opcode::Ping => Event::Ping(payload),
        Opcode::Pong => Event::Pong(payload),
        Opcode::Close => match payload {
            [] => Event::Close { code: None, reason: "" },
            [_] => return Err(Violation::HalfCloseCode),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                let known = CloseCode::new(code).ok_or(Violation::InvalidCloseCode(code))?;
                Event::Close { code: Some(known), reason: text(reason)? }
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A binary frame of `len` zeros, masked with zeros.
    fn frame(first: u8, len: u8) -> Vec<u8> {
        let mut bytes = vec![first, 0x80 | len, 0, 0, 0, 0];
        bytes.extend(vec![0; usize::from(len)]);
        bytes
    }

    fn read(mut stream: Vec<u8>, message_bytes_max: usize) -> Result<usize, Violation> {
        let mut decoder = Decoder::new();
        let mut events = decoder.feed(&mut stream, message_bytes_max);
        match events.next()? {
            Some(Event::Binary(data)) => Ok(data.len()),
            other => panic!("not a message: {other:?}"),
        }
    }

    #[test]
    fn a_message_of_exactly_the_limit_is_taken_and_one_byte_more_is_not() {
        assert_eq!(read(frame(0x82, 100), 100), Ok(100));
        assert_eq!(read(frame(0x82, 101), 100), Err(Violation::MessageTooBig));
        let fragments = |last| [frame(0x02, 60), frame(0x80, last)].concat();
        assert_eq!(read(fragments(40), 100), Ok(100));
        assert_eq!(read(fragments(41), 100), Err(Violation::MessageTooBig));
    }

    #[test]
    fn a_control_frame_does_not_count_towards_the_limit() {
        let mut stream = [frame(0x02, 60), frame(0x8A, 125), frame(0x80, 40)].concat();
        let mut decoder = Decoder::new();
        let mut events = decoder.feed(&mut stream, 100);
        assert_eq!(events.next(), Ok(Some(Event::Pong(&[0; 125]))));
        assert_eq!(events.next(), Ok(Some(Event::Binary(&[0; 100]))));
    }

    #[test]
    fn after_a_violation_or_a_close_frame_everything_is_discarded() {
        for (mut last, violated) in [(frame(0x83, 0), true), (frame(0x88, 0), false)] {
            let mut decoder = Decoder::new();
            let mut events = decoder.feed(&mut last, 100);
            assert_eq!(events.next().is_err(), violated);
            assert_eq!(events.next(), Ok(None));
            assert_eq!(decoder.feed(&mut frame(0x82, 10), 100).next(), Ok(None));
            assert!(decoder.is_idle());
        }
    }
}
