//! What waits for a room. Empty, it owns no memory beyond itself: most rooms are idle most of the time.

use std::collections::VecDeque;

use bytes::Bytes;
use parking_lot::Mutex;
use shared::id::{Epoch, NodeId};
use tokio::sync::Notify;

use super::errands::{ErrandId, Outcome};

/// So many messages of other rooms wait at most; what is dropped is said again.
const LETTERS_MAX: usize = 64;

/// An empty queue keeps room for so many messages and gives the rest back.
const KEPT_CAPACITY_MESSAGES: usize = 8;

/// From the bus's task and from placement to the room's task.
#[derive(Debug, Default)]
pub struct Mailbox {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    orders: VecDeque<Order>,
    excess: VecDeque<Bytes>,
    messages: VecDeque<Bytes>,
    letters: VecDeque<Bytes>,
    /// A letter was taken last: if both wait it is a message's turn.
    is_messages_turn: bool,
}

/// What the room's task takes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mail {
    /// From placement; comes before messages.
    Order(Order),
    /// From a relay: an encoded [`ToRoom`](shared::node::ToRoom).
    Message(Bytes),
    /// The same, but more than the mailbox holds: comes before messages, and a command is to be refused. It is the
    /// room that refuses it, for an earlier copy of the same command may be waiting or have been applied.
    Excess(Bytes),
    /// From another room: an encoded [`Mail`](super::letters::Mail). Takes turns with messages.
    Letter(Bytes),
}

/// What placement asks of a room. There are few: each is sent once per change of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Let go of the room, and offer it if there is someone to take it.
    LetGo {
        /// Who should claim it.
        to: Option<NodeId>,
    },
    /// The store may have lost entries: claim the room anew from memory.
    Reassert,
    /// A node may have come that reads less than the others: what stands in the journal is written anew for it, if so.
    Rewrite,
    /// Another worker is said to have claimed the room in this epoch: look whether that is so. A room that has nothing to
    /// commit would not find out by itself, and its successor may have let go of it already.
    Superseded(Epoch),
    /// A service has answered an errand.
    Outcome(ErrandId, Outcome),
    /// A relay has died without a word: its members are away.
    RelayGone(NodeId),
}

impl Mailbox {
    /// Puts a message in. Beyond `messages_max` it becomes an excess, and beyond as many of these it is dropped: then the
    /// answer is `false`, and the relay's repetition has to do.
    pub fn put(&self, message: Bytes, messages_max: usize) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.messages.len() < messages_max {
            waiting.messages.push_back(message);
        } else if waiting.excess.len() < messages_max {
            waiting.excess.push_back(message);
        } else {
            return false;
        }
        drop(waiting);
        self.wake.notify_one();
        true
    }

    /// Puts a message of another room in. If too many wait it is dropped: then the answer is `false`, and the repetition has to do.
    pub fn put_letter(&self, letter: Bytes) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.letters.len() >= LETTERS_MAX {
            return false;
        }
        waiting.letters.push_back(letter);
        drop(waiting);
        self.wake.notify_one();
        true
    }

    /// Gives an order. An order that waits already is not given twice.
    pub fn order(&self, order: Order) {
        let mut waiting = self.waiting.lock();
        if !waiting.orders.contains(&order) {
            waiting.orders.push_back(order);
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// What is next, without waiting for it.
    pub fn try_take(&self) -> Option<Mail> {
        let mut waiting = self.waiting.lock();
        if let Some(order) = waiting.orders.pop_front() {
            return Some(Mail::Order(order));
        }
        if let Some(message) = waiting.excess.pop_front() {
            return Some(Mail::Excess(message));
        }
        if (!waiting.is_messages_turn || waiting.messages.is_empty())
            && let Some(letter) = waiting.letters.pop_front()
        {
            waiting.is_messages_turn = true;
            if waiting.letters.is_empty() {
                waiting.letters = VecDeque::new();
            }
            return Some(Mail::Letter(letter));
        }
        waiting.is_messages_turn = false;
        let message = waiting.messages.pop_front();
        if waiting.messages.is_empty() && waiting.messages.capacity() > KEPT_CAPACITY_MESSAGES {
            waiting.messages = VecDeque::new();
            waiting.excess = VecDeque::new();
        }
        message.map(Mail::Message)
    }

    /// What is next. For one task at a time; giving up waiting loses nothing.
    pub async fn take(&self) -> Mail {
        loop {
            if let Some(mail) = self.try_take() {
                return mail;
            }
            self.wake.notified().await;
        }
    }

    /// How many messages wait.
    pub fn depth(&self) -> usize {
        self.waiting.lock().messages.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_messages_take_turns_and_too_many_letters_are_dropped() {
        let mailbox = Mailbox::default();
        let message = |text: &'static str| Bytes::from_static(text.as_bytes());
        assert!(["a", "b", "c"].into_iter().all(|text| mailbox.put(message(text), 3)));
        assert!((0..LETTERS_MAX).all(|_| mailbox.put_letter(message("x"))));
        assert!(!mailbox.put_letter(message("x")));
        let taken: Vec<Mail> = std::iter::from_fn(|| mailbox.try_take()).take(7).collect();
        let (x, of) = (Mail::Letter(message("x")), |text| Mail::Message(message(text)));
        assert_eq!(taken, [x.clone(), of("a"), x.clone(), of("b"), x.clone(), of("c"), x]);
    }

    #[test]
    fn orders_come_first_then_what_is_too_much_and_beyond_that_messages_are_dropped() {
        let mailbox = Mailbox::default();
        let message = |text: &'static str| Bytes::from_static(text.as_bytes());
        assert!(["a", "b", "c", "d"].into_iter().all(|text| mailbox.put(message(text), 2)));
        assert!(!mailbox.put(message("e"), 2));
        mailbox.order(Order::Reassert);
        mailbox.order(Order::Reassert);
        let taken: Vec<Mail> = std::iter::from_fn(|| mailbox.try_take()).collect();
        let expected = [
            Mail::Order(Order::Reassert),
            Mail::Excess(message("c")),
            Mail::Excess(message("d")),
            Mail::Message(message("a")),
            Mail::Message(message("b")),
        ];
        assert_eq!(taken, expected);
    }
}
