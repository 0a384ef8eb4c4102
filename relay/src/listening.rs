//! Saying where this relay listens, as long as a node wants to know it: one that is relay and dealer worker publishes frames of its rooms only for
//! those who say so.
//!
//! It is said as soon as the subscription stands, before the journal is read: a frame that the owner keeps back meanwhile is published when it
//! hears this. A word may be lost, so it is said again soon, and then now and then, for it holds for a time only.

use broker::{
    entry::fingerprint,
    node::{ListenerNews, encode},
};
use protocol::time::UnixMs;

use crate::{
    room::{Room, State},
    works::Works,
};

/// The first pause; each is twice the one before it.
const FIRST_PAUSE_MS: u64 = 1_000;

/// When a room's owner is told again.
pub(crate) struct Listening {
    due_ms: UnixMs,
    pause_ms: u64,
}

impl Default for Listening {
    fn default() -> Self {
        Self { due_ms: 0, pause_ms: FIRST_PAUSE_MS }
    }
}

impl Room {
    /// Says that this relay listens, as if it had just begun to.
    pub(crate) fn begin_listening(&self, state: &mut State, works: &Works) {
        state.listening = Listening::default();
        self.tell_listening(state, works, works.now_ms());
    }

    /// Says it again, if it is time.
    pub(crate) fn tell_listening_again(&self, works: &Works, now_ms: UnixMs) {
        if !works.wants_listeners() {
            return;
        }
        let mut state = self.state.lock();
        if now_ms >= state.listening.due_ms {
            self.tell_listening(&mut state, works, now_ms);
        }
    }

    fn tell_listening(&self, state: &mut State, works: &Works, now_ms: UnixMs) {
        if !(works.wants_listeners() && state.link.is_subscribed()) {
            return;
        }
        let said = encode(&ListenerNews::Listens { relay: works.node.clone() });
        if !works.outgoing.publish(&self.listeners, said, &works.metrics) {
            state.listening.due_ms = 0;
            return;
        }
        let longest_ms = works.config.listens.again_ms;
        let pause_ms = state.listening.pause_ms.min(longest_ms);
        // Not all rooms at one moment.
        let sooner_ms = fingerprint(self.id.as_str().as_bytes()) % (pause_ms / 4 + 1);
        state.listening = Listening { due_ms: now_ms + pause_ms - sooner_ms, pause_ms: pause_ms * 2 };
    }
}
