//! The sending side against a transport that takes what the test lets it take.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncRead, ReadBuf};
use ws::{CloseCode, Connection, Ended, Frame, Handler, Pushed, Socket};

use pipe::{Alarm, Pipe};

mod pipe;

const QUEUED_BYTES_MAX: usize = 300;

/// A client that says nothing.
struct Silence;

impl AsyncRead for Silence {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}

/// A session that counts how often its queue was drained, and pushes nothing by itself.
struct Session {
    socket: Arc<Socket<Pipe>>,
    drains: Arc<parking_lot::Mutex<usize>>,
}

impl Handler for Session {
    type Wire = Pipe;

    fn socket(&self) -> &Socket<Pipe> {
        &self.socket
    }

    fn text(&mut self, _: &str) {}

    fn drained(&mut self) {
        *self.drains.lock() += 1;
    }
}

/// A connection whose task runs when the test polls it.
struct Stage {
    pipe: Pipe,
    socket: Arc<Socket<Pipe>>,
    connection: Connection<Silence, Session>,
    drains: Arc<parking_lot::Mutex<usize>>,
    alarm: Arc<Alarm>,
    /// How often the alarm had rung when the task was polled last.
    heard: usize,
}

impl Stage {
    fn new(room: usize) -> Self {
        let pipe = Pipe::with_room(room);
        let socket = Arc::new(Socket::new(pipe.clone(), QUEUED_BYTES_MAX));
        let drains = Arc::default();
        let session = Session { socket: Arc::clone(&socket), drains: Arc::clone(&drains) };
        let mut stage = Self {
            pipe,
            socket,
            connection: Connection::new(Silence, session, 1024),
            drains,
            alarm: Arc::default(),
            heard: 0,
        };
        assert!(stage.poll().is_pending());
        stage
    }

    fn poll(&mut self) -> Poll<Ended> {
        self.heard = self.alarm.rings();
        let waker = Waker::from(Arc::clone(&self.alarm));
        Pin::new(&mut self.connection).poll(&mut Context::from_waker(&waker))
    }

    fn is_woken(&self) -> bool {
        self.alarm.rings() > self.heard
    }

    fn drains(&self) -> usize {
        *self.drains.lock()
    }

    /// As an executor would: while it was woken.
    fn run(&mut self) -> Option<Ended> {
        while self.is_woken() {
            if let Poll::Ready(ended) = self.poll() {
                return Some(ended);
            }
        }
        None
    }
}

fn frame(len: usize, tag: u8) -> Frame {
    Frame::binary(&vec![tag; len])
}

#[test]
fn a_frame_is_written_by_whoever_pushes_it() {
    let stage = Stage::new(1000);
    assert_eq!(stage.socket.push(&frame(100, 1)), Pushed::Written);
    assert_eq!(stage.pipe.taken(), frame(100, 1).as_bytes());
    assert!(!stage.is_woken(), "there is nothing for the task to do");
}

#[test]
fn what_could_not_be_written_goes_out_in_one_call_when_there_is_room() {
    let mut stage = Stage::new(10);
    let frames: Vec<Frame> = (0..20).map(|tag| frame(10, tag)).collect();
    for frame in &frames {
        assert_ne!(stage.socket.push(frame), Pushed::Full);
    }
    assert!(stage.is_woken());
    stage.run();
    let calls = stage.pipe.calls();
    stage.pipe.make_room(1000);
    stage.run();
    assert_eq!(stage.pipe.calls() - calls, 1);
    let all: Vec<u8> = frames.iter().flat_map(|frame| frame.as_bytes().to_vec()).collect();
    assert_eq!(stage.pipe.taken(), all);
    assert_eq!(stage.socket.backlog().queued_bytes, 0);
}

#[test]
fn a_batch_takes_one_call() {
    let stage = Stage::new(10_000);
    let frames: Vec<Frame> = (0..50).map(|tag| frame(10, tag)).collect();
    let calls = stage.pipe.calls();
    assert_eq!(stage.socket.push_all(&frames), Pushed::Written);
    assert_eq!(stage.pipe.calls() - calls, 1);
}

#[test]
fn a_client_that_lags_gets_nothing_until_it_is_caught_up() {
    let mut stage = Stage::new(0);
    while stage.socket.push(&frame(100, 1)) != Pushed::Full {}
    assert_eq!(stage.socket.push(&frame(1, 2)), Pushed::Full, "a short frame must not slip in behind a gap");
    assert_eq!(
        stage.socket.push_reply(&frame(1, 3)),
        Pushed::Queued,
        "an answer is not made up for by a keyframe"
    );
    stage.run();
    assert_eq!(stage.drains(), 0);

    stage.pipe.make_room(10_000);
    stage.run();
    assert_eq!(stage.drains(), 1);
    assert_eq!(stage.socket.push(&frame(1, 4)), Pushed::Full, "it is not caught up yet");
    stage.socket.resume();
    assert_eq!(
        stage.socket.push(&frame(2000, 5)),
        Pushed::Written,
        "a keyframe may be longer than the bound"
    );
    assert_eq!(stage.drains(), 1);
}

#[test]
fn replies_have_a_bound_of_their_own_which_is_twice_the_queue_s() {
    let stage = Stage::new(0);
    let reply = frame(98, 1);
    let taken = (0..).take_while(|_| stage.socket.push_reply(&reply) == Pushed::Queued).count();
    assert_eq!(taken, 2 * QUEUED_BYTES_MAX / reply.len());
    assert!(!stage.socket.backlog().lagging, "nothing was skipped that a keyframe makes up for");
}

#[test]
fn a_discarded_queue_counts_as_drained_when_the_client_reads_again() {
    let mut stage = Stage::new(0);
    while stage.socket.push(&frame(100, 1)) != Pushed::Full {}
    assert_eq!(stage.socket.push_reply(&frame(5, 2)), Pushed::Queued);
    stage.run();
    assert_eq!(stage.socket.discard_skippable(), 2 * frame(100, 1).len());
    assert_eq!(stage.socket.backlog().queued_bytes, frame(5, 2).len(), "the reply stays");
    stage.run();
    assert_eq!(stage.drains(), 0);
    stage.pipe.make_room(10_000);
    stage.run();
    assert_eq!(stage.drains(), 1);
    assert_eq!(stage.pipe.taken(), frame(5, 2).as_bytes());
}

#[test]
fn a_close_frame_stands_behind_what_is_queued_and_is_the_last() {
    let mut stage = Stage::new(0);
    assert_eq!(stage.socket.push(&frame(10, 1)), Pushed::Queued);
    stage.socket.close(Some(CloseCode::SERVICE_RESTART), "come back");
    assert_eq!(stage.socket.push(&frame(10, 2)), Pushed::Closed);
    assert_eq!(stage.socket.push_reply(&frame(10, 2)), Pushed::Closed);
    stage.pipe.make_room(10_000);
    assert!(stage.run().is_none(), "the client has yet to answer");
    let close = Frame::close(Some(CloseCode::SERVICE_RESTART), "come back");
    assert_eq!(stage.pipe.taken(), [frame(10, 1).as_bytes(), close.as_bytes()].concat());
}

#[test]
fn an_abort_ends_the_task_whatever_is_queued() {
    let mut stage = Stage::new(0);
    assert_eq!(stage.socket.push(&frame(10, 1)), Pushed::Queued);
    stage.run();
    stage.socket.abort();
    assert!(matches!(stage.run(), Some(Ended::Aborted)));
    let Stage { socket, connection, pipe, .. } = stage;
    drop(connection);
    assert!(pipe.is_sole(), "the transport is given back, though the socket is still held");
    assert_eq!(socket.push(&frame(10, 1)), Pushed::Closed);
    assert_eq!(socket.backlog().queued_bytes, 0);
}

#[test]
fn a_broken_transport_ends_the_task_whoever_finds_out() {
    let mut stage = Stage::new(100);
    stage.pipe.break_off();
    assert_eq!(stage.socket.push(&frame(10, 1)), Pushed::Closed);
    assert!(matches!(stage.run(), Some(Ended::Lost(Some(_)))), "a sender found out");

    let mut stage = Stage::new(0);
    assert_eq!(stage.socket.push(&frame(10, 1)), Pushed::Queued);
    stage.run();
    stage.pipe.break_off();
    assert!(matches!(stage.run(), Some(Ended::Lost(Some(_)))), "the task found out");
}

/// What can happen to a socket.
#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    PushAll(Vec<usize>),
    Reply(usize),
    MakeRoom(usize),
    /// The executor gets to it.
    Run,
    Discard,
    Resume,
}

fn step() -> impl Strategy<Value = Step> {
    let len = || 0usize..120;
    prop_oneof![
        4 => len().prop_map(Step::Push),
        2 => vec(len(), 0..5).prop_map(Step::PushAll),
        2 => len().prop_map(Step::Reply),
        4 => (0usize..200).prop_map(Step::MakeRoom),
        4 => Just(Step::Run),
        1 => Just(Step::Discard),
        2 => Just(Step::Resume),
    ]
}

/// The frames that were taken, in order.
#[derive(Default)]
struct Model {
    accepted: Vec<(Frame, bool)>,
    /// A frame was refused since the last `resume`.
    lagging: bool,
    lags: usize,
}

impl Model {
    fn accept(&mut self, frames: &[Frame], reply: bool, pushed: Pushed) {
        match pushed {
            Pushed::Written | Pushed::Queued => {
                assert!(reply || !self.lagging, "taken in spite of a gap");
                self.accepted.extend(frames.iter().map(|frame| (frame.clone(), reply)));
            }
            Pushed::Full if reply => {}
            Pushed::Full => {
                self.lags += usize::from(!self.lagging);
                self.lagging = true;
            }
            Pushed::Closed => panic!("nobody closed"),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.accepted.iter().flat_map(|(frame, _)| frame.as_bytes().to_vec()).collect()
    }

    /// Forgets what may be forgotten when `written` bytes are out.
    fn discard(&mut self, written: usize) {
        let mut start = 0;
        self.accepted.retain(|(frame, reply)| {
            let begun = start < written;
            start += frame.len();
            begun || *reply
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_what_was_taken_arrives_whole_and_in_order_and_nobody_sleeps_through_it(
        steps in vec(step(), 1..60),
    ) {
        let mut stage = Stage::new(0);
        let mut model = Model::default();
        for (tag, step) in steps.into_iter().enumerate() {
            let frame_of = |len: usize| frame(len, tag as u8);
            match step {
                Step::Push(len) => {
                    let frame = frame_of(len);
                    let pushed = stage.socket.push(&frame);
                    model.accept(&[frame], false, pushed);
                }
                Step::PushAll(lens) => {
                    let frames: Vec<Frame> = lens.into_iter().map(frame_of).collect();
                    let pushed = stage.socket.push_all(&frames);
                    model.accept(&frames, false, pushed);
                }
                Step::Reply(len) => {
                    let frame = frame_of(len);
                    let pushed = stage.socket.push_reply(&frame);
                    model.accept(&[frame], true, pushed);
                }
                Step::MakeRoom(bytes) => stage.pipe.make_room(bytes),
                Step::Run => assert!(stage.run().is_none()),
                Step::Discard => {
                    stage.socket.discard_skippable();
                    model.discard(stage.pipe.taken().len());
                }
                Step::Resume => {
                    stage.socket.resume();
                    model.lagging = false;
                }
            }
            let taken = stage.pipe.taken();
            let backlog = stage.socket.backlog();
            prop_assert!(model.bytes().starts_with(&taken), "what arrives is what was taken, in order");
            prop_assert_eq!(backlog.queued_bytes, model.bytes().len() - taken.len());
            prop_assert_eq!(backlog.written_bytes, taken.len() as u64);
            prop_assert_eq!(backlog.lagging, model.lagging);
            let awaited = stage.is_woken() || stage.pipe.is_awaited();
            prop_assert!(backlog.queued_bytes == 0 || awaited, "bytes are queued and nobody will be woken");
            prop_assert!(stage.drains() <= model.lags);
        }
        stage.pipe.make_room(usize::MAX);
        stage.run();
        prop_assert_eq!(stage.pipe.taken(), model.bytes());
        if model.lagging {
            prop_assert!(stage.drains() > 0, "a client that lags is told of when it can be caught up");
        }
    }
}
