//! Whole connections over TCP: bytes on one side, a handler on the other.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tungstenite::Message;
use tungstenite::protocol::{Role, WebSocket};
use ws::{CloseCode, Connection, Ended, Frame, Handler, Pushed, Socket, Violation};

const MESSAGE_BYTES_MAX: u32 = 1000;
const QUEUED_BYTES_MAX: usize = 64 * 1024;
/// A test that waits for what never comes ends here; none that passes waits for a time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reports what it hears.
struct Session {
    socket: Arc<Socket<OwnedWriteHalf>>,
    heard: mpsc::UnboundedSender<String>,
}

impl Handler for Session {
    type Wire = OwnedWriteHalf;

    fn socket(&self) -> &Socket<OwnedWriteHalf> {
        &self.socket
    }

    fn text(&mut self, text: &str) {
        self.report(text);
        if text == "close me" {
            self.socket.close(Some(CloseCode::NORMAL), "as you wish");
        }
    }

    fn pong(&mut self, payload: &[u8]) {
        self.report(&format!("pong of {} bytes", payload.len()));
    }

    fn drained(&mut self) {
        self.report("drained");
    }
}

impl Session {
    fn report(&self, what: &str) {
        // A test that has seen enough listens no more.
        let _ = self.heard.send(what.into());
    }
}

/// Both sides of a fresh connection.
struct Pair {
    client: TcpStream,
    socket: Arc<Socket<OwnedWriteHalf>>,
    heard: mpsc::UnboundedReceiver<String>,
    task: JoinHandle<Ended>,
}

async fn pair() -> Pair {
    pair_after(&mut []).await
}

/// A pair of which the server has read `leftover` with the handshake.
async fn pair_after(leftover: &mut [u8]) -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let client = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("listening");
    let (stream, _) = listener.accept().await.expect("connected");
    let (read, write) = stream.into_split();
    let socket = Arc::new(Socket::new(write, QUEUED_BYTES_MAX));
    let (report, heard) = mpsc::unbounded_channel();
    let session = Session { socket: Arc::clone(&socket), heard: report };
    let mut connection = Connection::new(read, session, MESSAGE_BYTES_MAX);
    connection.take_leftover(leftover);
    Pair { client, socket, heard, task: tokio::spawn(connection) }
}

impl Pair {
    /// What the server sends up to its end.
    async fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let read = self.client.read_to_end(&mut bytes);
        tokio::time::timeout(PATIENCE, read).await.expect("the server ends the stream").expect("in order");
        bytes
    }

    async fn ended(self) -> Ended {
        // The client's side is closed by now or stays open: the connection must not depend on it.
        let Self { client, task, .. } = self;
        let ended = tokio::time::timeout(PATIENCE, task).await.expect("the task ends").expect("no panic");
        drop(client);
        ended
    }
}

/// A client's frame, masked with zeros: the mask is another test's concern.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126, "a short frame");
    let mut bytes = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    bytes.extend_from_slice(payload);
    bytes
}

#[tokio::test]
async fn each_way_to_break_the_protocol_is_answered_with_its_close_code() {
    let masked_head = |first: u8, len: u64| {
        let mut head = vec![first, 0xFF];
        head.extend(len.to_be_bytes());
        head.extend([0; 4]);
        head
    };
    let long_ping = [&[0x89, 0xFE, 0, 126, 0, 0, 0, 0][..], &[0; 126]].concat();
    let cases: Vec<(&str, Vec<u8>, Violation, u16)> = vec![
        ("an unmasked frame", vec![0x81, 0x01, b'x'], Violation::Unmasked, 1002),
        ("RSV1", frame(0xC1, b"x"), Violation::ReservedBits, 1002),
        ("RSV2", frame(0xA1, b"x"), Violation::ReservedBits, 1002),
        ("RSV3", frame(0x91, b"x"), Violation::ReservedBits, 1002),
        ("opcode 3", frame(0x83, b""), Violation::UnknownOpcode(3), 1002),
        ("opcode 15", frame(0x8F, b""), Violation::UnknownOpcode(15), 1002),
        ("a fragment of a ping", frame(0x09, b"x"), Violation::FragmentedControl, 1002),
        ("a ping of 126 bytes", long_ping, Violation::LongControl, 1002),
        ("a continuation of nothing", frame(0x80, b"x"), Violation::UnexpectedContinuation, 1002),
        (
            "a continuation after the end",
            [frame(0x01, b"x"), frame(0x80, b"y"), frame(0x80, b"z")].concat(),
            Violation::UnexpectedContinuation,
            1002,
        ),
        (
            "a message inside another",
            [frame(0x01, b"x"), frame(0x81, b"y")].concat(),
            Violation::UnfinishedMessage,
            1002,
        ),
        ("a length of 64 bits", masked_head(0x82, 1 << 63), Violation::LengthOverflow, 1002),
        ("a close frame of one byte", frame(0x88, b"x"), Violation::HalfCloseCode, 1002),
        ("close code 1005", frame(0x88, &1005u16.to_be_bytes()), Violation::InvalidCloseCode(1005), 1002),
        ("close code 2999", frame(0x88, &2999u16.to_be_bytes()), Violation::InvalidCloseCode(2999), 1002),
        ("a close reason that is not UTF-8", frame(0x88, b"\x03\xE8\xFF"), Violation::NotUtf8, 1007),
        ("text that is not UTF-8", frame(0x81, b"ok\xFF"), Violation::NotUtf8, 1007),
        ("text that ends inside a character", frame(0x81, b"\xF0\x9F\x82"), Violation::NotUtf8, 1007),
        (
            "a surrogate, cut in two, in a message that is not at its end",
            [frame(0x01, b"\xED"), frame(0x00, b"\xA0")].concat(),
            Violation::NotUtf8,
            1007,
        ),
        ("the head of a message over the limit", masked_head(0x81, 1001), Violation::MessageTooBig, 1009),
        ("the longest length there is", masked_head(0x82, u64::MAX >> 1), Violation::MessageTooBig, 1009),
        (
            "fragments over the limit",
            [frame(0x02, &[7; 100]), masked_head(0x00, 901)].concat(),
            Violation::MessageTooBig,
            1009,
        ),
    ];
    for (what, bytes, violation, code) in cases {
        let mut pair = pair().await;
        pair.client.write_all(&bytes).await.expect("open");
        let answer = pair.read_to_end().await;
        let close = Frame::close(CloseCode::new(code), &violation.to_string());
        assert_eq!(answer, close.as_bytes(), "{what}");
        pair.client.shutdown().await.expect("open");
        match pair.ended().await {
            Ended::Violated(why) => assert_eq!(why, violation, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_client_that_goes_on_after_a_violation_is_cut_off() {
    let mut pair = pair().await;
    pair.client.write_all(&frame(0x83, b"")).await.expect("open");
    let (mut read, mut write) = pair.client.into_split();
    // Until it fails: the server gives up listening at some point.
    let flood = async { while write.write_all(&[0; 4096]).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, flood).await.expect("cut off");
    let ended = tokio::time::timeout(PATIENCE, pair.task).await.expect("over").expect("no panic");
    assert!(matches!(ended, Ended::Violated(Violation::UnknownOpcode(3))));
    let _ = read.read(&mut [0; 16]).await;
}

#[tokio::test]
async fn a_close_frame_is_answered_with_its_code_and_the_end_of_the_stream() {
    for code in [None, CloseCode::new(1000), CloseCode::new(1014), CloseCode::new(4999)] {
        let mut pair = pair().await;
        let payload = code.map_or(vec![], |code| [&code.get().to_be_bytes()[..], b"bye"].concat());
        // What comes after a close frame is nobody's concern, not even if it is garbage.
        let bytes = [frame(0x88, &payload), frame(0x81, b"ignored"), vec![0xFF]].concat();
        pair.client.write_all(&bytes).await.expect("open");
        assert_eq!(pair.read_to_end().await, Frame::close(code, "").as_bytes());
        assert!(pair.heard.recv().await.is_none(), "nothing is handed on");
        match pair.ended().await {
            Ended::Closed(theirs) => assert_eq!(theirs, code),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn after_our_close_nothing_is_handed_on_and_the_client_s_answer_ends_it() {
    let mut pair = pair().await;
    let bytes = [frame(0x81, b"close me"), frame(0x81, b"and hear this"), frame(0x88, &[])].concat();
    pair.client.write_all(&bytes).await.expect("open");
    let close = Frame::close(Some(CloseCode::NORMAL), "as you wish");
    assert_eq!(pair.read_to_end().await, close.as_bytes());
    assert_eq!(pair.heard.recv().await.as_deref(), Some("close me"));
    assert_eq!(pair.heard.recv().await, None);
    assert!(matches!(pair.ended().await, Ended::Closed(None)));
}

#[tokio::test]
async fn a_client_that_vanishes_is_lost() {
    let pair = pair().await;
    let Pair { client, task, .. } = pair;
    drop(client);
    let ended = tokio::time::timeout(PATIENCE, task).await.expect("over").expect("no panic");
    assert!(matches!(ended, Ended::Lost(None)), "{ended:?}");
}

#[tokio::test]
async fn a_ping_inside_a_message_is_answered_before_the_message_is_whole() {
    let mut pair = pair().await;
    let bytes = [frame(0x01, b"to "), frame(0x89, b"are you there?")].concat();
    pair.client.write_all(&bytes).await.expect("open");
    let mut answer = vec![0; Frame::pong(b"are you there?").len()];
    pair.client.read_exact(&mut answer).await.expect("a pong");
    assert_eq!(answer, Frame::pong(b"are you there?").as_bytes());
    pair.client.write_all(&frame(0x80, b"be")).await.expect("open");
    assert_eq!(pair.heard.recv().await.as_deref(), Some("to be"));
}

#[tokio::test]
async fn what_came_with_the_handshake_is_not_lost() {
    let mut whole = [frame(0x81, b"first"), frame(0x81, b"second")].concat();
    // The second message is cut: its rest comes over the wire.
    let rest = whole.split_off(whole.len() - 3);
    let mut pair = pair_after(&mut whole).await;
    pair.client.write_all(&rest).await.expect("open");
    assert_eq!(pair.heard.recv().await.as_deref(), Some("first"));
    assert_eq!(pair.heard.recv().await.as_deref(), Some("second"));
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_the_bound_and_is_caught_up_when_it_reads() {
    let mut pair = pair().await;
    let delta = Frame::text(&"d".repeat(998));
    let mut pushed = 0;
    while pair.socket.push(&delta) != Pushed::Full {
        pushed += 1;
        // The kernel's buffers fill only as fast as the other side of loopback takes its share.
        tokio::task::yield_now().await;
        assert!(pair.socket.backlog().queued_bytes <= QUEUED_BYTES_MAX);
    }
    assert!(pair.socket.backlog().lagging);

    let mut deltas = vec![0; pushed * delta.len()];
    let read = pair.client.read_exact(&mut deltas);
    tokio::time::timeout(PATIENCE, read).await.expect("all that was taken arrives").expect("open");
    assert!(deltas.chunks_exact(delta.len()).all(|bytes| bytes == delta.as_bytes()));
    assert_eq!(pair.heard.recv().await.as_deref(), Some("drained"));

    let keyframe = Frame::text(&"k".repeat(2 * QUEUED_BYTES_MAX));
    pair.socket.resume();
    assert_ne!(pair.socket.push(&keyframe), Pushed::Full);
    let mut caught_up = vec![0; keyframe.len()];
    let read = pair.client.read_exact(&mut caught_up);
    tokio::time::timeout(PATIENCE, read).await.expect("the keyframe arrives").expect("open");
    assert_eq!(caught_up, keyframe.as_bytes());
}

/// Several threads push to one socket whose client reads in fits: every frame that was taken arrives, each thread's in order,
/// and the connection never falls asleep on a full queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_up_is_lost_between_threads_that_push_and_a_task_that_flushes() {
    const THREADS: u32 = 4;
    const FRAMES: u32 = 20_000;
    let Pair { client, socket, task, .. } = pair().await;

    let pushers: Vec<_> = (0..THREADS)
        .map(|thread| {
            let socket = Arc::clone(&socket);
            thread::spawn(move || {
                for n in 0..FRAMES {
                    let frame = Frame::text(&format!("{thread} {n} {}", "x".repeat((n % 300) as usize)));
                    while socket.push_reply(&frame) == Pushed::Full {
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();

    let client = client.into_std().expect("a socket");
    client.set_nonblocking(false).expect("a socket");
    client.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let reader = thread::spawn(move || {
        let mut client = WebSocket::from_raw_socket(client, Role::Client, None);
        let mut next = [0; THREADS as usize];
        while next != [FRAMES; THREADS as usize] {
            let Message::Text(text) = client.read().expect("a frame, in time") else { panic!("only text") };
            let mut words = text.split(' ').map(|word| word.parse::<u32>());
            let (Some(Ok(thread)), Some(Ok(n))) = (words.next(), words.next()) else { panic!("{text}") };
            assert_eq!(n, next[thread as usize], "thread {thread} is out of order");
            next[thread as usize] += 1;
            if n % 1000 == 0 {
                // Long enough for the kernel's buffers and the queue to fill.
                thread::sleep(Duration::from_millis(2));
            }
        }
        client.close(None).expect("open");
        while client.read().is_ok() {}
    });

    let joined = tokio::task::spawn_blocking(move || {
        for pusher in pushers {
            pusher.join().expect("a pusher ends");
        }
        reader.join().expect("everything arrives");
    });
    tokio::time::timeout(3 * PATIENCE, joined).await.expect("in time").expect("no panic");
    let ended = tokio::time::timeout(PATIENCE, task).await.expect("over").expect("no panic");
    assert!(matches!(ended, Ended::Closed(_)), "{ended:?}");
    assert_eq!(socket.backlog().queued_bytes, 0);
}
