//! The frames of one socket that could not be written yet, in order.

use std::collections::VecDeque;

use crate::frame::Frame;

/// Holds no memory while empty: most sockets, most of the time.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<Queued>,
    /// Of the first frame; less than its length.
    head_written: usize,
    /// Still to be written, in all.
    bytes: usize,
}

#[derive(Debug)]
struct Queued {
    frame: Frame,
    urgency: Urgency,
}

/// What a frame's loss would mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// A keyframe makes up for it.
    Skippable,
    /// Nothing does.
    Reply,
}

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Still to be written, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends `frame`, of which the transport has taken `written` bytes, which is 0 unless the outbox is empty.
    pub(crate) fn push(&mut self, frame: Frame, written: usize, urgency: Urgency) {
        debug_assert!(written < frame.len(), "a frame that is written needs no queue");
        debug_assert!(written == 0 || self.queue.is_empty(), "only the first frame can be begun");
        self.bytes += frame.len() - written;
        self.head_written += written;
        self.queue.push_back(Queued { frame, urgency });
    }

    /// What is to be written, in order.
    pub(crate) fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.queue.iter().map(|queued| &queued.frame)
    }

    /// Bytes of the first frame that the transport has already taken.
    pub(crate) fn head_written(&self) -> usize {
        self.head_written
    }

    /// The transport has taken `written` bytes more.
    pub(crate) fn advance(&mut self, written: usize) {
        assert!(written <= self.bytes, "the transport took more than it was given");
        self.bytes -= written;
        self.head_written += written;
        while let Some(first) = self.queue.front()
            && first.frame.len() <= self.head_written
        {
            self.head_written -= first.frame.len();
            self.queue.pop_front();
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
    }

    /// Forgets the skippable frames of which nothing is written; says how many bytes that freed. A frame that is begun must
    /// go on, or the other end would read the next one as its rest.
    pub(crate) fn discard_skippable(&mut self) -> usize {
        let before = self.bytes;
        let mut begun = self.head_written > 0;
        self.queue.retain(|queued| std::mem::take(&mut begun) || queued.urgency == Urgency::Reply);
        self.queue.shrink_to_fit();
        self.bytes = self.queue.iter().map(|queued| queued.frame.len()).sum::<usize>() - self.head_written;
        before - self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_that_is_written_or_discarded_holds_no_memory() {
        let frame = Frame::binary(&[0; 10]);
        let mut outbox = Outbox::default();
        for _ in 0..100 {
            outbox.push(frame.clone(), 0, Urgency::Skippable);
        }
        outbox.advance(outbox.bytes());
        assert_eq!((outbox.bytes(), outbox.queue.capacity()), (0, 0));

        for _ in 0..100 {
            outbox.push(frame.clone(), 0, Urgency::Skippable);
        }
        assert_eq!(outbox.discard_skippable(), 100 * frame.len());
        assert_eq!((outbox.bytes(), outbox.queue.capacity()), (0, 0));
    }
}
