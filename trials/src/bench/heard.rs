//! What reaches those who only listen: how many frames, how old, and which are missing.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures_util::{Stream, StreamExt};
use hdrhistogram::Histogram;
use loadtest::swarm::tally::new_histogram;
use tokio_websockets::Message;

use super::{floor::tcp, told::Told};

/// What those who only listen count.
#[derive(Default)]
pub(super) struct Heard {
    /// Frames and keyframes.
    pub(super) frames: Cell<u64>,
    /// Frames that never came.
    pub(super) lost: Cell<u64>,
    /// Frames that came sooner after they were said than they are shown.
    pub(super) early: Cell<u64>,
    /// How late they are shown, microseconds.
    pub(super) late_us: Cell<u64>,
    /// Of all messages.
    pub(super) bytes: Cell<u64>,
    /// How old what was said is when it is heard, beyond that; from [`Heard::begin`] on.
    pub(super) latency_us: RefCell<Option<Histogram<u64>>>,
}

impl Heard {
    /// Counts a message that tells something new.
    pub(super) fn take(&self, text: &str) {
        self.count(text);
        if let (Some(age_us), Some(latency)) = (tcp::age_us(text), &mut *self.latency_us.borrow_mut()) {
            self.early.set(self.early.get() + u64::from(age_us < self.late_us.get()));
            latency.saturating_record(age_us.saturating_sub(self.late_us.get()));
        }
    }

    /// Counts a message that may tell what has long been said.
    fn count(&self, text: &str) {
        self.frames.set(self.frames.get() + 1);
        self.bytes.set(self.bytes.get() + text.len() as u64);
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
        let seq = match Told::read(text) {
            Told::Frame { seq, .. } => {
                heard.take(text);
                seq
            }
            // Lines of talk stand in it for as long as the room remembers them.
            Told::Keyframe { seq, .. } => {
                heard.count(text);
                seq
            }
            _ => continue,
        };
        heard.lost.set(heard.lost.get() + seq.saturating_sub(last + 1));
        last = seq;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn what_a_keyframe_tells_again_is_not_taken_for_late() {
        let told = |t: &str, seq: u64, rest: &str| {
            Ok(Message::text(format!(r#"{{"t":"{t}","room":"t1.talk","epoch":1,"seq":{seq},{rest}}}"#)))
        };
        let (now, long_ago) = (tcp::now_us(), tcp::now_us() - 60_000_000);
        let messages = stream::iter([
            told("frame", 5, &format!(r#""events":[{{"e":"said","text":"{now}."}}]"#)),
            told("keyframe", 6, &format!(r#""kind":"talk","state":{{"lines":[{{"text":"{long_ago}."}}]}}"#)),
            told("frame", 9, &format!(r#""events":[{{"e":"said","text":"{now}."}}]"#)),
        ]);
        let heard = Rc::new(Heard::default());
        heard.begin();
        watch_frames(messages, 4, heard.clone()).await;
        assert_eq!((heard.frames.get(), heard.lost.get()), (3, 2));
        let latency = heard.latency_us.take().unwrap();
        assert_eq!(latency.len(), 2);
        assert!(latency.max() < 60_000_000, "{}", latency.max());
    }
}
