//! The frames of one socket that could not be written yet, in order.

use std::collections::VecDeque;
use std::io::IoSlice;

use crate::frame::Frame;

/// Holds no memory while empty: most sockets, most of the time.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: VecDeque<Frame>,
    /// Bytes of the first frame that the transport has already taken; less than its length.
    head_written: usize,
    /// Still to be written, in all.
    bytes: usize,
}

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Still to be written, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends `frame`, of which the transport has taken `written` bytes, which is 0 unless the outbox is empty.
    pub(crate) fn push(&mut self, frame: Frame, written: usize) {
        debug_assert!(written < frame.len(), "a frame that is written needs no queue");
        debug_assert!(written == 0 || self.frames.is_empty(), "only the first frame can be begun");
        self.bytes += frame.len() - written;
        self.head_written += written;
        self.frames.push_back(frame);
    }

    /// Fills `slices` with what is to be written next; says how many of them it used.
    pub(crate) fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut used = 0;
        let mut skip = self.head_written;
        for (slice, frame) in slices.iter_mut().zip(&self.frames) {
            *slice = IoSlice::new(&frame.as_bytes()[skip..]);
            skip = 0;
            used += 1;
        }
        used
    }

    /// The transport has taken `written` bytes more.
    pub(crate) fn advance(&mut self, written: usize) {
        assert!(written <= self.bytes, "the transport took more than it was given");
        self.bytes -= written;
        self.head_written += written;
        while let Some(first) = self.frames.front()
            && first.len() <= self.head_written
        {
            self.head_written -= first.len();
            self.frames.pop_front();
        }
        if self.frames.is_empty() {
            self.frames = VecDeque::new();
        }
    }

    /// Forgets the frames of which nothing is written; says how many bytes that freed. A frame that is begun must go on,
    /// or the other end would read the next one as its rest.
    pub(crate) fn discard_unbegun(&mut self) -> usize {
        let before = self.bytes;
        self.frames.truncate(usize::from(self.head_written > 0));
        self.frames.shrink_to_fit();
        self.bytes = self.frames.front().map_or(0, |first| first.len() - self.head_written);
        before - self.bytes
    }
}
