//! A connection between a simulated client and a real relay, in memory: the relay's own WebSocket code on one end, bytes
//! and all, and as little as possible on the other.

use std::{
    io::{self, IoSlice},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;
use protocol::id::{Epoch, RoomId, Seq};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::{io::SimplexStream, sync::Notify};
use ws::Wire;

use super::planted::Dropper;

/// What the "kernel" holds of what the relay wrote and the client has not read. Small, so that slow readers are felt.
const BUFFER_BYTES: usize = 8 * 1024;

/// Both directions of a new connection: the relay's ends, and the client's. With a dropper messages are left out, as a relay
/// would that forgets them.
pub(super) fn connect(dropper: Option<Dropper>, scissors: Option<Scissors>) -> (Near, Far) {
    let state = State { dropper, ..State::default() };
    let state = Arc::new(Shared { state: Mutex::new(state), arrived: Notify::new() });
    let (reading, writing) = tokio::io::simplex(BUFFER_BYTES);
    let near = Near { reading, wire: PipeWire(state.clone()) };
    (near, Far { state, writing, bytes: Vec::new(), read: 0, scissors, cut: false })
}

/// The relay's end.
pub(super) struct Near {
    /// What the client sends.
    pub(super) reading: tokio::io::ReadHalf<SimplexStream>,
    /// What the client gets.
    pub(super) wire: PipeWire,
}

/// The client's end. Dropping it is a connection that vanished: the relay reads an end of file and writes fail.
pub(super) struct Far {
    state: Arc<Shared>,
    writing: tokio::io::WriteHalf<SimplexStream>,
    /// Taken from the "kernel".
    bytes: Vec<u8>,
    /// Of `bytes`, already understood.
    read: usize,
    scissors: Option<Scissors>,
    /// The scissors have closed.
    cut: bool,
}

/// What is read of a message that says of which frame it is.
#[derive(serde::Deserialize)]
pub(super) struct Head<'a> {
    pub(super) t: &'a str,
    pub(super) room: RoomId,
    pub(super) epoch: Epoch,
    pub(super) seq: Seq,
}

/// Cuts a connection right before a message that is missed most: an answer, a private part, or one for the rail.
pub(super) struct Scissors {
    pub(super) rng: ChaCha8Rng,
    /// How often, of such messages.
    pub(super) chance: f64,
}

impl Scissors {
    fn cut_before(&mut self, text: &str) -> bool {
        let tags = [r#"{"t":"ack""#, r#"{"t":"refused""#, r#"{"t":"private""#, r#"{"t":"rail""#];
        tags.iter().any(|tag| text.starts_with(tag)) && self.rng.random_bool(self.chance)
    }
}

/// The relay's sending half.
pub(super) struct PipeWire(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    dropper: Option<Dropper>,
    bytes: Vec<u8>,
    /// The relay will write no more.
    shut: bool,
    /// The client is gone.
    gone: bool,
    /// The relay's task, waiting for room.
    waiting: Option<Waker>,
}

/// What a client reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// A message.
    Text(String),
    /// The relay has closed, with this code if it said one.
    Closed(Option<u16>),
    /// The connection broke.
    Cut,
}

impl PipeWire {
    fn take(&self, slices: &[&[u8]]) -> io::Result<usize> {
        let mut state = self.0.state.lock();
        if state.gone {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut room = BUFFER_BYTES - state.bytes.len();
        if room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut written = 0;
        for slice in slices {
            let text = whole_text(slice);
            if state.dropper.as_mut().zip(text).is_some_and(|(dropper, text)| dropper.drops(text)) {
                written += slice.len();
                continue;
            }
            let taken = slice.len().min(room);
            state.bytes.extend_from_slice(&slice[..taken]);
            written += taken;
            room -= taken;
            if taken < slice.len() {
                // What comes after it has not been reached, nor may it be left out.
                break;
            }
        }
        drop(state);
        self.0.arrived.notify_one();
        Ok(written)
    }
}

impl Wire for PipeWire {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.take(&[bytes])
    }

    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let slices: smallvec::SmallVec<[&[u8]; 64]> = slices.iter().map(|slice| &**slice).collect();
        self.take(&slices)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.state.lock();
        if state.gone {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.bytes.len() < BUFFER_BYTES {
            return Poll::Ready(Ok(()));
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    fn shutdown(&self) {
        self.0.state.lock().shut = true;
        self.0.arrived.notify_one();
    }
}

impl Drop for PipeWire {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl Far {
    /// Sends a text message; what a dead relay does not take is lost.
    pub(super) async fn send(&mut self, text: &str) {
        let frame = masked_text(text.as_bytes());
        // An error means that the relay's end is gone, which the reading side tells.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut self.writing, &frame).await;
    }

    /// The next message, or that there will be none. Cancel-safe.
    pub(super) async fn receive(&mut self) -> Received {
        loop {
            if let Some(received) = self.next() {
                return received;
            }
            let (took, shut, waiting) = {
                let mut state = self.state.state.lock();
                let took = !state.bytes.is_empty();
                self.bytes.append(&mut state.bytes);
                (took, state.shut, state.waiting.take())
            };
            if let Some(waiting) = waiting {
                waiting.wake();
            }
            if took {
                continue;
            }
            if shut {
                return Received::Closed(None);
            }
            self.state.arrived.notified().await;
        }
    }

    /// Reads one frame, if it is there whole. A server's frames are not masked (RFC 6455 section 5.1) and ours are never
    /// fragmented.
    fn next(&mut self) -> Option<Received> {
        if self.cut {
            return Some(Received::Cut);
        }
        loop {
            let unread = &self.bytes[self.read..];
            let (opcode, header, length) =
                head(unread).filter(|(_, header, length)| unread.len() >= header + length)?;
            let payload = unread[header..header + length].to_vec();
            self.read += header + length;
            if self.read == self.bytes.len() {
                self.bytes.clear();
                self.read = 0;
            }
            match opcode {
                1 => {
                    let text = String::from_utf8(payload).expect("a relay's text is UTF-8");
                    self.cut = self.scissors.as_mut().is_some_and(|scissors| scissors.cut_before(&text));
                    return Some(if self.cut { Received::Cut } else { Received::Text(text) });
                }
                8 => {
                    return Some(Received::Closed(
                        payload.first_chunk().map(|code| u16::from_be_bytes(*code)),
                    ));
                }
                // Pings of the relay need no answer here: every client says something often enough.
                _ => {}
            }
        }
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.state.state.lock();
            state.gone = true;
            state.waiting.take()
        };
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

/// The text of what is one frame from its beginning to its end.
fn whole_text(bytes: &[u8]) -> Option<&[u8]> {
    let (_, header, _) = head(bytes).filter(|(_, header, length)| header + length == bytes.len())?;
    (bytes.first() == Some(&0x81)).then(|| &bytes[header..])
}

/// Opcode, bytes of the header, bytes of the payload.
fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (header, length) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    Some((first & 0x0f, header, length))
}

/// A client's frame, masked with a key of zeros: legal, and the same bytes.
fn masked_text(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | u8::try_from(short).expect("below 126")),
        medium @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(medium).expect("below 65,536").to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_of_every_length_arrive_whole() {
        let (near, mut far) = connect(None, None);
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let text = "x".repeat(length);
            let frame = ws::Frame::text(&text);
            let writing = async {
                let mut rest = frame.as_bytes();
                while !rest.is_empty() {
                    std::future::poll_fn(|cx| near.wire.poll_write_ready(cx)).await.unwrap();
                    rest = &rest[near.wire.try_write(rest).unwrap()..];
                }
            };
            let ((), received) = tokio::join!(writing, far.receive());
            assert_eq!(received, Received::Text(text));
        }
    }

    #[tokio::test]
    async fn a_client_that_vanishes_breaks_the_wire() {
        let (near, far) = connect(None, None);
        drop(far);
        assert_eq!(near.wire.try_write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
