//! Both directions against another implementation: what a client sends is read as `tungstenite` reads it, and what we send
//! is read by a `tungstenite` client as it was meant.

use std::io::{self, Cursor, Read, Write};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use tungstenite::Message;
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::{Role, WebSocket};
use ws::{CloseCode, Frame};

use oracle::Said;

mod oracle;

const MESSAGE_BYTES_MAX: usize = 70_000;

/// One frame of a client.
#[derive(Clone, Debug)]
struct ClientFrame {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    payload: Vec<u8>,
}

impl ClientFrame {
    fn encode(&self, stream: &mut Vec<u8>) {
        stream.push(u8::from(self.fin) << 7 | self.opcode);
        match self.payload.len() {
            len @ 0..=125 => stream.push(0x80 | len as u8),
            len @ 126..=0xFFFF => {
                stream.push(0x80 | 126);
                stream.extend((len as u16).to_be_bytes());
            }
            len => {
                stream.push(0x80 | 127);
                stream.extend((len as u64).to_be_bytes());
            }
        }
        stream.extend(self.mask);
        stream.extend(self.payload.iter().enumerate().map(|(i, byte)| byte ^ self.mask[i % 4]));
    }
}

/// Payloads around every border where the encoding or the handling changes.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![0usize..300, Just(125), Just(126), Just(127), Just(65_535), Just(65_536)]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        length().prop_map(|len| "x".repeat(len)),
        (0usize..90).prop_map(|len| "κόσμε🂡".repeat(len))
    ]
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    length().prop_flat_map(|len| vec(any::<u8>(), len))
}

fn control() -> impl Strategy<Value = Said> {
    (any::<bool>(), vec(any::<u8>(), 0..=125))
        .prop_map(|(ping, payload)| if ping { Said::Ping(payload) } else { Said::Pong(payload) })
}

fn message() -> impl Strategy<Value = Said> {
    prop_oneof![
        3 => text().prop_map(Said::Text),
        1 => data().prop_map(Said::Binary),
        1 => control(),
    ]
}

/// A message in as many frames as there are cuts and one, with control frames between them.
fn frames(
    said: &Said,
    cuts: &[Index],
    between: &[Said],
    mask: [u8; 4],
    expected: &mut Vec<Said>,
) -> Vec<ClientFrame> {
    let control = |said: &Said| match said {
        Said::Ping(payload) => ClientFrame { fin: true, opcode: 9, mask, payload: payload.clone() },
        Said::Pong(payload) => ClientFrame { fin: true, opcode: 10, mask, payload: payload.clone() },
        _ => unreachable!("only pings and pongs stand between fragments"),
    };
    let (opcode, payload) = match said {
        Said::Text(text) => (1, text.as_bytes()),
        Said::Binary(data) => (2, data.as_slice()),
        Said::Ping(_) | Said::Pong(_) => {
            expected.push(said.clone());
            return vec![control(said)];
        }
        Said::Close(..) => unreachable!("a close frame ends a stream"),
    };
    let mut borders: Vec<usize> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
    borders.extend([0, payload.len()]);
    borders.sort_unstable();
    let mut frames = Vec::new();
    let mut between = between.iter();
    let last = borders.len() - 2;
    for (i, border) in borders.windows(2).enumerate() {
        frames.push(ClientFrame {
            fin: i == last,
            opcode: if i == 0 { opcode } else { 0 },
            mask,
            payload: payload[border[0]..border[1]].to_vec(),
        });
        if i < last
            && let Some(said) = between.next()
        {
            expected.push(said.clone());
            frames.push(control(said));
        }
    }
    expected.push(said.clone());
    frames
}

/// Messages as a client might send them, and what is to be read.
fn conversation() -> impl Strategy<Value = (Vec<ClientFrame>, Vec<Said>)> {
    let fragmented = (message(), vec(any::<Index>(), 0..4), vec(control(), 0..3), any::<[u8; 4]>());
    vec(fragmented, 1..6).prop_map(|messages| {
        let mut expected = Vec::new();
        let frames = messages
            .iter()
            .flat_map(|(said, cuts, between, mask)| frames(said, cuts, between, *mask, &mut expected))
            .collect();
        (frames, expected)
    })
}

fn pieces() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1usize..8, 1usize..400, Just(16_384)], 1..20)
}

fn stream_of(frames: &[ClientFrame]) -> Vec<u8> {
    let mut stream = Vec::new();
    for frame in frames {
        frame.encode(&mut stream);
    }
    stream
}

proptest! {
    // A failing case is told by its minimal input: that becomes a test of its own, not a file of seeds.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_fragmentation_masking_and_cutting_of_a_conversation_reads_the_same(
        (frames, expected) in conversation(),
        pieces in pieces(),
    ) {
        let (said, end) = oracle::check(&stream_of(&frames), &pieces, MESSAGE_BYTES_MAX);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(said, expected);
    }

    #[test]
    fn a_damaged_conversation_is_judged_as_tungstenite_judges_it(
        (frames, _) in conversation(),
        pieces in pieces(),
        damage in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let mut stream = stream_of(&frames);
        for (at, byte) in damage {
            *at.get_mut(&mut stream) = byte;
        }
        let _ = oracle::check(&stream, &pieces, MESSAGE_BYTES_MAX);
    }

    #[test]
    fn frames_shuffled_against_every_rule_are_judged_as_tungstenite_judges_them(
        frames in vec(
            (any::<bool>(), 0u8..11, any::<[u8; 4]>(), vec(any::<u8>(), 0..130)).prop_map(
                |(fin, opcode, mask, payload)| ClientFrame { fin, opcode, mask, payload },
            ),
            1..8,
        ),
        pieces in pieces(),
        message_bytes_max in 0usize..300,
    ) {
        let _ = oracle::check(&stream_of(&frames), &pieces, message_bytes_max);
    }

    #[test]
    fn a_tungstenite_client_is_understood(messages in vec(message(), 1..6), pieces in pieces()) {
        let mut client = WebSocket::from_raw_socket(Recorder::default(), Role::Client, None);
        for said in &messages {
            client.write(to_message(said)).expect("a recorder takes everything");
        }
        client.close(Some(CloseFrame { code: 4001.into(), reason: "done".into() })).expect("the same");
        client.flush().expect("the same");

        let mut expected = messages;
        expected.push(Said::Close(Some(4001), "done".into()));
        let (said, end) = oracle::ours(&client.get_ref().sent, &pieces, MESSAGE_BYTES_MAX);
        prop_assert_eq!(end, Ok(()));
        // Several pongs in a row may be merged by the client into the last one (section 5.5.3).
        let without_pongs = |said: Vec<Said>| -> Vec<Said> {
            said.into_iter().filter(|said| !matches!(said, Said::Pong(_))).collect()
        };
        prop_assert_eq!(without_pongs(said), without_pongs(expected));
    }

    #[test]
    fn a_tungstenite_client_understands_us(messages in vec(message(), 1..6)) {
        let mut stream = Vec::new();
        for said in &messages {
            let frame = match said {
                Said::Text(text) => Frame::text(text),
                Said::Binary(data) => Frame::binary(data),
                Said::Ping(payload) => Frame::ping(payload),
                Said::Pong(payload) => Frame::pong(payload),
                Said::Close(..) => unreachable!("only the last frame closes"),
            };
            stream.extend_from_slice(frame.as_bytes());
        }
        stream.extend_from_slice(Frame::close(CloseCode::new(4002), "the relay drains").as_bytes());

        let recorder = Recorder { to_read: Cursor::new(stream), sent: Vec::new() };
        let mut client = WebSocket::from_raw_socket(recorder, Role::Client, None);
        for said in messages {
            prop_assert_eq!(client.read().expect("a whole message"), to_message(&said));
        }
        let close = CloseFrame { code: 4002.into(), reason: "the relay drains".into() };
        prop_assert_eq!(client.read().expect("a close frame"), Message::Close(Some(close)));
    }
}

fn to_message(said: &Said) -> Message {
    match said {
        Said::Text(text) => Message::text(text.as_str()),
        Said::Binary(data) => Message::binary(data.clone()),
        Said::Ping(payload) => Message::Ping(payload.clone().into()),
        Said::Pong(payload) => Message::Pong(payload.clone().into()),
        Said::Close(..) => unreachable!("only the last frame closes"),
    }
}

/// A client's stream: what it reads is given, what it sends is kept.
#[derive(Default)]
struct Recorder {
    to_read: Cursor<Vec<u8>>,
    sent: Vec<u8>,
}

impl Read for Recorder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.to_read.read(buffer)
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sent.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
