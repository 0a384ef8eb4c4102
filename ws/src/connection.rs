//! The task of a connection: reads, decodes, hands on, flushes, closes.
//!
//! A future of a few words. It reads into a buffer that the thread lends for the length of a read, so waiting costs no
//! memory; it has no timer, so whoever starts it sweeps: [`Socket::abort`] ends a connection whose client is gone,
//! [`Socket::backlog`] shows one that does not read, [`Handler::heard`] one that speaks.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use crate::close::CloseCode;
use crate::decoder::{Decoder, Event, Violation};
use crate::frame::Frame;
use crate::line::Flushed;
use crate::socket::Socket;
use crate::wire::Wire;

/// What one read takes at most. A player's messages are far shorter; a longer one is put together from reads.
const READ_BYTES_MAX: usize = 16 * 1024;
/// How many reads a connection makes in a row before other tasks get their turn.
const READS_PER_POLL_MAX: usize = 8;
/// How much is still received, and discarded, from a client that broke the protocol, so that it gets to read why: to close
/// with bytes unread would reset the connection and take the close frame away with it.
const LINGER_BYTES_MAX: usize = 256 * 1024;

thread_local! {
    /// One for all connections of a thread: it is lent for one read and the handling of what that brought.
    static READ_BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// The owner of a connection: gets what the client says. Called on the connection's task, so nothing here may block.
pub trait Handler {
    /// The transport's sending half.
    type Wire: Wire;

    /// The socket of this connection.
    fn socket(&self) -> &Socket<Self::Wire>;

    /// A read brought `bytes` bytes: a sign of life, and what a rate limit counts. Comes before what they contain.
    fn heard(&mut self, bytes: usize) {
        let _ = bytes;
    }

    /// A text message.
    fn text(&mut self, text: &str);

    /// A binary message. By default the connection is closed: this end does not take them.
    fn binary(&mut self, data: &[u8]) {
        let _ = data;
        self.socket().close(Some(CloseCode::UNSUPPORTED_DATA), "binary messages are not understood");
    }

    /// A pong. Pings are answered without asking.
    fn pong(&mut self, payload: &[u8]) {
        let _ = payload;
    }

    /// Frames were refused as [`Full`](crate::Pushed::Full), and everything queued before is written now. Comes once for each
    /// time that a client began to lag; see [`Socket::push`].
    fn drained(&mut self);
}

/// How a connection ended.
#[derive(Debug)]
pub enum Ended {
    /// The client closed, or answered our close; the code is the one it sent.
    Closed(Option<CloseCode>),
    /// The client broke the protocol and was told so.
    Violated(Violation),
    /// The stream ended without a close frame; `None`: in order, by the client's end of file.
    Lost(Option<io::Error>),
    /// By [`Socket::abort`].
    Aborted,
}

/// A connection from the end of the opening handshake to the end of the stream: spawn it as a task of its own. Dropping it
/// ends the connection.
#[derive(Debug)]
pub struct Connection<R, H: Handler> {
    read: R,
    handler: H,
    decoder: Decoder,
    /// In bytes.
    message_bytes_max: u32,
    farewell: Farewell,
}

/// What the client's side of closing has come to.
#[derive(Clone, Copy, Debug)]
enum Farewell {
    /// Nothing was said.
    None,
    /// The client sent a close frame.
    Said(Option<CloseCode>),
    /// The client broke the protocol.
    Forfeited {
        why: Violation,
        /// Received and discarded since.
        lingered_bytes: usize,
        /// Our sending half is shut down.
        shut: bool,
    },
}

/// What a read came to.
enum Heard {
    Something,
    EndOfStream,
}

impl<R: AsyncRead + Unpin, H: Handler> Connection<R, H> {
    /// A connection that reads from `read` and sends through the handler's socket, which must be the same stream's. A message
    /// of more than `message_bytes_max` is refused with 1009.
    pub fn new(read: R, handler: H, message_bytes_max: u32) -> Self {
        Self { read, handler, decoder: Decoder::new(), message_bytes_max, farewell: Farewell::None }
    }

    /// Takes what the client sent right behind its handshake and the HTTP server has read already; before the first poll.
    pub fn take_leftover(&mut self, leftover: &mut [u8]) {
        if !leftover.is_empty() {
            self.handler.heard(leftover.len());
            self.take(leftover);
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Heard>> {
        let mut bytes = READ_BUFFER.take().unwrap_or_else(|| vec![0; READ_BYTES_MAX].into_boxed_slice());
        let mut buffer = ReadBuf::new(&mut bytes);
        let heard = match Pin::new(&mut self.read).poll_read(cx, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Ok(Heard::EndOfStream)),
            Poll::Ready(Ok(())) => {
                self.handler.heard(buffer.filled().len());
                self.take(buffer.filled_mut());
                Poll::Ready(Ok(Heard::Something))
            }
        };
        READ_BUFFER.set(Some(bytes));
        heard
    }

    fn take(&mut self, bytes: &mut [u8]) {
        if let Farewell::Forfeited { lingered_bytes, .. } = &mut self.farewell {
            *lingered_bytes += bytes.len();
            return;
        }
        let mut events = self.decoder.feed(bytes, self.message_bytes_max as usize);
        loop {
            match events.next() {
                Ok(Some(event)) => {
                    if let Some(farewell) = handle(&mut self.handler, event) {
                        self.farewell = farewell;
                    }
                }
                Ok(None) => break,
                Err(why) => {
                    self.handler.socket().close(Some(why.close_code()), &why.to_string());
                    self.farewell = Farewell::Forfeited { why, lingered_bytes: 0, shut: false };
                }
            }
        }
    }

    /// The end, if both sides have spoken: `written` says that our close frame was sent, and nothing is left.
    fn part(&mut self, written: bool) -> Option<Ended> {
        match &mut self.farewell {
            Farewell::Said(code) if written => Some(Ended::Closed(*code)),
            Farewell::None | Farewell::Said(_) => None,
            Farewell::Forfeited { why, lingered_bytes, shut } => {
                if written && !*shut {
                    *shut = true;
                    self.handler.socket().shutdown();
                }
                (*lingered_bytes > LINGER_BYTES_MAX).then_some(Ended::Violated(*why))
            }
        }
    }

    /// The stream is over in the client's direction, so nobody reads any more.
    fn end_of_stream(&self, error: Option<io::Error>) -> Ended {
        match self.farewell {
            Farewell::None => Ended::Lost(error),
            Farewell::Said(code) => Ended::Closed(code),
            Farewell::Forfeited { why, .. } => Ended::Violated(why),
        }
    }
}

/// Passes an event on; a farewell if it was one.
fn handle(handler: &mut impl Handler, event: Event<'_>) -> Option<Farewell> {
    match event {
        Event::Close { code, .. } => {
            handler.socket().close(code, "");
            return Some(Farewell::Said(code));
        }
        // We have said that we close: what the client sent before it heard of that goes nowhere.
        _ if !handler.socket().is_open() => {}
        Event::Text(text) => handler.text(text),
        Event::Binary(data) => handler.binary(data),
        // A client that pings and does not read gets no pongs, which the RFC allows (section 5.5.3).
        Event::Ping(payload) => _ = handler.socket().push_reply(&Frame::pong(payload)),
        Event::Pong(payload) => handler.pong(payload),
    }
    None
}

impl<R: AsyncRead + Unpin, H: Handler> Future for Connection<R, H> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let this = self.get_mut();
        for _ in 0..READS_PER_POLL_MAX {
            let written = match this.handler.socket().poll_flush(cx) {
                Flushed::Blocked => false,
                Flushed::Empty { closed, drained } => {
                    if drained && !closed {
                        this.handler.drained();
                    }
                    closed
                }
                Flushed::Aborted => return Poll::Ready(Ended::Aborted),
                Flushed::Failed(error) => return Poll::Ready(this.end_of_stream(Some(error))),
            };
            if let Some(ended) = this.part(written) {
                return Poll::Ready(ended);
            }
            match ready!(this.poll_read(cx)) {
                Ok(Heard::Something) => {}
                Ok(Heard::EndOfStream) => return Poll::Ready(this.end_of_stream(None)),
                Err(error) => return Poll::Ready(this.end_of_stream(Some(error))),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Nothing in a connection is pinned: it polls its stream by reference.
impl<R, H: Handler> Unpin for Connection<R, H> {}

impl<R, H: Handler> Drop for Connection<R, H> {
    fn drop(&mut self) {
        self.handler.socket().finish();
    }
}
