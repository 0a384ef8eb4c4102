//! What a connection costs: no allocation per delivered frame or received message, and next to nothing while idle.

use std::sync::Arc;

use allocation_counter::measure;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use ws::{Connection, Decoder, Event, Frame, Handler, Pushed, Socket};

use pipe::Pipe;

mod pipe;

struct Session {
    socket: Arc<Socket<OwnedWriteHalf>>,
}

impl Handler for Session {
    type Wire = OwnedWriteHalf;

    fn socket(&self) -> &Socket<OwnedWriteHalf> {
        &self.socket
    }

    fn text(&mut self, _: &str) {}

    fn drained(&mut self) {}
}

#[test]
fn a_frame_that_is_written_at_once_allocates_nothing_however_many_get_it() {
    let frame = Frame::text(&"x".repeat(200));
    let wires: Vec<Pipe> = (0..1000).map(|_| Pipe::with_room(1000).with_reserve(1000)).collect();
    let sockets: Vec<Socket<Pipe>> = wires.into_iter().map(|pipe| Socket::new(pipe, 1000)).collect();
    let frames = [frame.clone(), frame.clone()];
    let cost = measure(|| {
        for socket in &sockets {
            assert_eq!(socket.push(&frame), Pushed::Written);
            assert_eq!(socket.push_all(&frames), Pushed::Written);
        }
    });
    assert_eq!(cost.count_total, 0);
}

#[test]
fn a_queue_is_given_back_when_it_is_written() {
    let mut bytes_after = 0;
    let held = measure(|| {
        let socket = Socket::new(Pipe::default(), 1 << 20);
        let frame = Frame::text("queued");
        let before = measure(|| {
            for _ in 0..100 {
                assert_eq!(socket.push(&frame), Pushed::Queued);
            }
            assert!(socket.discard_skippable() > 0);
        });
        bytes_after = before.bytes_current;
    });
    assert!(held.count_total > 0, "the counter counts");
    assert_eq!(bytes_after, 0);
}

#[test]
fn a_message_within_one_read_allocates_nothing() {
    let mut stream = Vec::new();
    for len in [0u8, 1, 60, 125] {
        stream.extend([0x81, 0x80 | len, 1, 2, 3, 4]);
        stream.extend((0..len).map(|i| b'x' ^ [1, 2, 3, 4][usize::from(i % 4)]));
    }
    let mut decoder = Decoder::new();
    let mut read = 0;
    let cost = measure(|| {
        let mut events = decoder.feed(&mut stream, 1000);
        while let Some(event) = events.next().expect("a good stream") {
            let Event::Text(text) = event else { panic!("only text") };
            assert!(text.bytes().all(|byte| byte == b'x'));
            read += text.len();
        }
    });
    assert_eq!((read, cost.count_total), (186, 0));
    assert!(decoder.is_idle());
}

#[test]
fn a_message_in_pieces_is_held_while_it_grows_and_given_back_when_it_is_whole() {
    let mut decoder = Decoder::new();
    let cost = measure(|| {
        // Of 60,000 announced bytes ten have come: announcing costs nothing.
        let mut head = vec![0x82, 0xFE, 0xEA, 0x60, 0, 0, 0, 0];
        head.extend([7; 10]);
        assert_eq!(decoder.feed(&mut head, 100_000).next(), Ok(None));
    });
    assert!(cost.bytes_max < 400, "{} bytes for ten", cost.bytes_max);
    let cost = measure(|| {
        let mut rest = vec![7; 59_990];
        let mut events = decoder.feed(&mut rest, 100_000);
        assert_eq!(events.next(), Ok(Some(Event::Binary(&[7; 60_000]))));
        assert_eq!(events.next(), Ok(None));
    });
    assert!(decoder.is_idle());
    assert!(cost.bytes_current <= 0, "everything is given back");
}

#[test]
fn an_idle_connection_is_a_few_words() {
    let decoder = size_of::<Decoder>();
    let socket = size_of::<Socket<OwnedWriteHalf>>();
    let future = size_of::<Connection<OwnedReadHalf, Session>>();
    println!("decoder {decoder}, socket {socket}, future {future} bytes");
    assert!(decoder <= 16, "{decoder} bytes of decoder");
    assert!(socket <= 128, "{socket} bytes of socket");
    assert!(future <= 96, "{future} bytes of future");
}
