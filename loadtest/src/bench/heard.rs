//! What reaches those who only listen: how many frames, how old, and which are missing.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures_util::{Stream, StreamExt};
use hdrhistogram::Histogram;
use tokio_websockets::Message;

use super::{floor::tcp, told::Told};
use crate::swarm::tally::new_histogram;

/// What those who only listen count.
#[derive(Default)]
pub(super) struct Heard {
    /// Frames and keyframes.
    pub(super) frames: Cell<u64>,
    /// Frames that never came.
    pub(super) lost: Cell<u64>,
    /// Of all messages.
    pub(super) bytes: Cell<u64>,
    /// How old what was said is when it is heard; from [`Heard::begin`] on.
    pub(super) latency_us: RefCell<Option<Histogram<u64>>>,
}

impl Heard {
    /// Counts a message.
    pub(super) fn take(&self, text: &str) {
        self.frames.set(self.frames.get() + 1);
        self.bytes.set(self.bytes.get() + text.len() as u64);
        if let (Some(age_us), Some(latency)) = (tcp::age_us(text), &mut *self.latency_us.borrow_mut()) {
            latency.saturating_record(age_us);
        }
    }

    /// Begins to count.
    pub(super) fn begin(&self) {
        self.frames.set(0);
        self.lost.set(0);
        self.bytes.set(0);
        self.latency_us.replace(Some(new_histogram()));
    }
}

/// Counts what comes behind frame `last`, until the connection ends.
pub(super) async fn watch_frames(
    mut socket: impl Stream<Item = Result<Message, tokio_websockets::Error>> + Unpin,
    mut last: u64,
    heard: Rc<Heard>,
) {
    while let Some(Ok(message)) = socket.next().await {
        let Some(text) = message.as_text() else { continue };
        if let Told::Frame { seq, .. } | Told::Keyframe { seq, .. } = Told::read(text) {
            heard.lost.set(heard.lost.get() + seq.saturating_sub(last + 1));
            last = seq;
            heard.take(text);
        }
    }
}
