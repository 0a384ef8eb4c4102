//! What a stream of client bytes means, according to us and according to `tungstenite`. Shared with the fuzz target.

use std::io::{self, Cursor, Read, Write};

use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use tungstenite::{Error, Message};
use ws::{Decoder, Event, Violation};

/// An [`Event`] that owns what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

impl From<Event<'_>> for Said {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.into()),
            Event::Binary(data) => Self::Binary(data.into()),
            Event::Ping(payload) => Self::Ping(payload.into()),
            Event::Pong(payload) => Self::Pong(payload.into()),
            Event::Close { code, reason } => Self::Close(code.map(ws::CloseCode::get), reason.into()),
        }
    }
}

/// What our decoder reads from `stream`, if it comes in pieces of these lengths, the last one over and over.
pub(crate) fn ours(
    stream: &[u8],
    pieces: &[usize],
    message_bytes_max: usize,
) -> (Vec<Said>, Result<(), Violation>) {
    let mut decoder = Decoder::new();
    let mut said = Vec::new();
    let mut lengths = pieces.iter().copied();
    let mut rest = stream.to_vec();
    while !rest.is_empty() {
        let len = lengths.next().or(pieces.last().copied()).unwrap_or(usize::MAX).clamp(1, rest.len());
        let after = rest.split_off(len);
        let mut events = decoder.feed(&mut rest, message_bytes_max);
        loop {
            match events.next() {
                Ok(Some(event)) => said.push(event.into()),
                Ok(None) => break,
                Err(violation) => return (said, Err(violation)),
            }
        }
        rest = after;
    }
    (said, Ok(()))
}

/// A stream that ends behind its bytes and swallows what is written.
struct OneWay(Cursor<Vec<u8>>);

impl Read for OneWay {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for OneWay {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `tungstenite`, as a server, reads from `stream` up to its end, a close frame or an error; and whether it found one.
pub(crate) fn theirs(stream: &[u8], message_bytes_max: usize) -> (Vec<Said>, Result<(), Error>) {
    // Their limit of frames holds for control frames too, so it is left alone.
    let config = WebSocketConfig::default()
        .max_message_size(Some(message_bytes_max))
        // Their default of 128 KiB, zeroed for each stream, would be most of the fuzzer's work.
        .read_buffer_size(4096);
    let stream = OneWay(Cursor::new(stream.to_vec()));
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, Some(config));
    let mut said = Vec::new();
    loop {
        said.push(match socket.read() {
            Ok(Message::Text(text)) => Said::Text(text.as_str().into()),
            Ok(Message::Binary(data)) => Said::Binary(data.to_vec()),
            Ok(Message::Ping(payload)) => Said::Ping(payload.to_vec()),
            Ok(Message::Pong(payload)) => Said::Pong(payload.to_vec()),
            Ok(Message::Close(frame)) => {
                let code = frame.as_ref().map(|frame| frame.code.into());
                said.push(Said::Close(code, frame.map_or(String::new(), |frame| frame.reason.to_string())));
                return (said, Ok(()));
            }
            Ok(Message::Frame(_)) => unreachable!("reading gives whole messages"),
            Err(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
                return (said, Ok(()));
            }
            Err(error) => return (said, Err(error)),
        });
    }
}

/// Holds a stream against both promises: how it is cut does not matter, and `tungstenite` reads the same.
///
/// # Panics
///
/// If one is broken.
pub(crate) fn check(
    stream: &[u8],
    pieces: &[usize],
    message_bytes_max: usize,
) -> (Vec<Said>, Result<(), Violation>) {
    let (said, end) = ours(stream, &[], message_bytes_max);
    let in_pieces = ours(stream, pieces, message_bytes_max);
    assert_eq!((&said, &end), (&in_pieces.0, &in_pieces.1), "how the stream is cut made a difference");

    let (mut their_said, their_end) = theirs(stream, message_bytes_max);
    match end {
        Ok(()) => assert!(their_end.is_ok(), "only they found an error: {their_end:?}"),
        // They look at the reason first, and then close, but with a code of their own.
        Err(Violation::InvalidCloseCode(_)) => {
            let closed = their_said.pop_if(|said| matches!(said, Said::Close(..))).is_some();
            assert!(closed || their_end.is_err(), "only we found a bad close code");
        }
        // A short length in a long form: the RFC forbids it everywhere (section 5.2), we in control frames, they nowhere.
        Err(Violation::LongControl) => their_said.truncate(said.len()),
        // They may be content where the stream ends before they look: we refuse a frame by its first bytes.
        Err(_) => {}
    }
    // A code which was registered after they were written; they close with a code of their own.
    if let (Some(Said::Close(Some(1014), _)), Some(their_close @ Said::Close(..))) =
        (said.last(), their_said.last_mut())
    {
        *their_close = said.last().cloned().expect("just seen");
    }
    assert_eq!(said, their_said, "they read something else; we ended with {end:?}");
    (said, end)
}
