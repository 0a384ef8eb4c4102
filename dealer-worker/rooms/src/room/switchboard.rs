//! From the bus to mailboxes: one subscription of the worker serves all its rooms.

use std::{collections::HashMap, sync::Arc};

use broker::{
    bus::{Bus, BusError, Receiver, Subscription},
    channel::Channel,
};
use bytes::Bytes;
use metrics::{counter, histogram};
use parking_lot::RwLock;
use protocol::id::RoomId;

use super::mailbox::{Bound, Mailbox};

/// The rooms' mailboxes by the names of their channels: for commands, and for letters.
pub struct Switchboard {
    lines: Arc<Lines>,
    subscription: Box<dyn Subscription>,
}

struct Lines {
    /// Only ever asked by name, never walked.
    mailboxes: RwLock<HashMap<Channel, Line>>,
    bound: Bound,
    missed: Box<dyn Fn() + Send + Sync>,
}

#[derive(Clone)]
struct Line {
    mailbox: Arc<Mailbox>,
    /// What comes on it is of other rooms.
    is_mail: bool,
}

impl Switchboard {
    /// Without any room. So much waits for a room of its members at most, as much of all others, and as much of what is too much. `missed` is
    /// called when something may have been lost on the way here; it must not block.
    pub fn new(bus: &dyn Bus, bound: Bound, missed: impl Fn() + Send + Sync + 'static) -> Self {
        let lines = Arc::new(Lines { mailboxes: RwLock::default(), bound, missed: Box::new(missed) });
        Self { subscription: bus.subscriber(lines.clone()), lines }
    }

    /// Leads what comes for the room into the mailbox, from the moment that this returns; letters only if they are wanted.
    ///
    /// # Errors
    /// [`BusError`]; to be tried again.
    pub async fn connect(
        &self,
        room: &RoomId,
        mailbox: &Arc<Mailbox>,
        wants_letters: bool,
    ) -> Result<(), BusError> {
        self.lead(Channel::commands(room), Line { mailbox: mailbox.clone(), is_mail: false }).await?;
        if wants_letters {
            self.lead(Channel::mail(room), Line { mailbox: mailbox.clone(), is_mail: true }).await?;
        }
        Ok(())
    }

    async fn lead(&self, channel: Channel, line: Line) -> Result<(), BusError> {
        self.lines.mailboxes.write().insert(channel.clone(), line);
        self.subscription.subscribe(&channel).await
    }

    /// Ends it. What still comes is dropped: the relays will ask the next owner.
    ///
    /// # Errors
    /// [`BusError`]; what comes is dropped all the same.
    pub async fn disconnect(&self, room: &RoomId) -> Result<(), BusError> {
        let mut result = Ok(());
        for channel in [Channel::commands(room), Channel::mail(room)] {
            let line = self.lines.mailboxes.write().remove(&channel);
            if line.is_some() {
                result = self.subscription.unsubscribe(&channel).await.and(result);
            }
        }
        result
    }
}

impl Receiver for Lines {
    fn deliver(&self, channel: &str, payload: Bytes) {
        let line = self.mailboxes.read().get(channel).cloned();
        let Some(Line { mailbox, is_mail }) = line else { return };
        if is_mail {
            if !mailbox.put_letter(payload) {
                counter!("cardhouse_mail_dropped_total").increment(1);
            }
            return;
        }
        let (messages, bytes) = mailbox.depth();
        histogram!("cardhouse_mailbox_depth").record(messages as f64);
        histogram!("cardhouse_mailbox_bytes").record(bytes as f64);
        let dropped = mailbox.put(payload, self.bound);
        if dropped > 0 {
            counter!("cardhouse_messages_dropped_total").increment(dropped as u64);
        }
    }

    // Questions are asked again by clients, letters are repeated by the rooms that wrote them, commands by the relays until they are answered.
    // Who is there is said once, so it is asked for.
    fn missed(&self) {
        (self.missed)();
    }
}
