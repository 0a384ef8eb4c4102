//! From the bus to mailboxes: one subscription of the worker serves all its rooms.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use metrics::{counter, histogram};
use parking_lot::RwLock;
use shared::{
    bus::{Bus, BusError, Receiver, Subscription},
    channel::Channel,
    id::RoomId,
};

use super::mailbox::Mailbox;

/// The rooms' mailboxes by the names of their command channels.
pub struct Switchboard {
    lines: Arc<Lines>,
    subscription: Box<dyn Subscription>,
}

struct Lines {
    /// Only ever asked by name, never walked.
    mailboxes: RwLock<HashMap<Channel, Arc<Mailbox>>>,
    messages_max: usize,
}

impl Switchboard {
    /// Without any room. `messages_max` messages wait for a room at most.
    pub fn new(bus: &dyn Bus, messages_max: usize) -> Self {
        let lines = Arc::new(Lines { mailboxes: RwLock::default(), messages_max });
        Self { subscription: bus.subscriber(lines.clone()), lines }
    }

    /// Leads what comes for the room into the mailbox, from the moment that this returns.
    ///
    /// # Errors
    /// [`BusError`]; to be tried again.
    pub async fn connect(&self, room: &RoomId, mailbox: &Arc<Mailbox>) -> Result<(), BusError> {
        let channel = Channel::commands(room);
        self.lines.mailboxes.write().insert(channel.clone(), mailbox.clone());
        self.subscription.subscribe(&channel).await
    }

    /// Ends it. What still comes is dropped: the relays will ask the next owner.
    ///
    /// # Errors
    /// [`BusError`]; what comes is dropped all the same.
    pub async fn disconnect(&self, room: &RoomId) -> Result<(), BusError> {
        let channel = Channel::commands(room);
        self.lines.mailboxes.write().remove(&channel);
        self.subscription.unsubscribe(&channel).await
    }
}

impl Receiver for Lines {
    fn deliver(&self, channel: &str, payload: Bytes) {
        let mailbox = self.mailboxes.read().get(channel).cloned();
        let Some(mailbox) = mailbox else { return };
        histogram!("cardhouse_mailbox_depth").record(mailbox.depth() as f64);
        if !mailbox.put(payload, self.messages_max) {
            counter!("cardhouse_messages_dropped_total").increment(1);
        }
    }

    // Commands are repeated by the relays until they are answered, presence after the next change of epoch.
    fn missed(&self) {}
}
