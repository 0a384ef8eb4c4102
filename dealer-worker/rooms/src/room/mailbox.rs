//! What waits for a room, bounded in messages and in bytes. Empty, it owns no memory beyond itself: most rooms are idle most of the
//! time.
//!
//! Whoever has a part in the room waits in a queue of their own, and has every second turn: however many others ask something of the
//! room, its members are heard, and nobody turns them away for want of space that others take. Among those others senders take
//! [turns], so none of them takes the space of the rest.

mod turns;

use std::collections::VecDeque;

use broker::node::Whose;
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::id::{Epoch, NodeId, UserId};
use tokio::{sync::Notify, time::Instant};

use self::turns::{Displaced, Turns, Who};
use super::errands::{ErrandId, Outcome};
use crate::planted::{Fault, is_planted};

/// What waits of other rooms at most; what is dropped is said again.
const LETTERS: Bound = Bound { messages: 64, bytes: 256 * 1_024 };

/// What waits of questions at most; what is dropped is asked again.
const QUESTIONS: Bound = Bound { messages: 64, bytes: 64 * 1_024 };

/// An empty queue keeps room for so many messages and gives the rest back.
const KEPT_CAPACITY_MESSAGES: usize = 8;

/// How much waits in a queue at most. One message fits into an empty queue, however long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Messages.
    pub messages: usize,
    /// And bytes of them.
    pub bytes: usize,
}

/// From the bus's task and from placement to the room's task.
#[derive(Debug, Default)]
pub struct Mailbox {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    orders: VecDeque<Order>,
    members: Line,
    others: Turns,
    excess: Turns,
    letters: Line,
    questions: Line,
    /// Whose turn it is, a place in [`TURNS`], and how many were taken in it.
    turn: usize,
    taken: u8,
    /// Who has a part in the room, in the order of their names.
    has_part: Vec<UserId>,
    /// Who they are has been said: the room is owned.
    knows_members: bool,
}

/// The queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Members,
    Others,
    /// What is too much: to be refused, which is done quickly.
    Excess,
    Letters,
    Questions,
}

/// Who is heard when all wait, and how many of them: a member before everybody else who has something written.
const TURNS: [(Of, u8); 6] = [
    (Of::Members, 1),
    (Of::Excess, 8),
    (Of::Others, 1),
    (Of::Members, 1),
    (Of::Letters, 1),
    (Of::Questions, 4),
];

/// A message that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    /// As it was sent.
    pub message: Bytes,
    /// Since when it waits.
    pub since: Instant,
}

impl Came {
    fn now(message: Bytes) -> Self {
        Self { message, since: Instant::now() }
    }

    fn len(&self) -> usize {
        self.message.len()
    }
}

/// Messages in their order.
#[derive(Debug, Default)]
struct Line {
    messages: VecDeque<Came>,
    bytes: usize,
}

impl Line {
    /// Puts a message in, or gives it back if there is no space.
    fn put(&mut self, message: Came, bound: Bound) -> Result<(), Came> {
        let is_light = self.bytes + message.len() <= bound.bytes || is_planted(Fault::WeighsNothing);
        let fits = self.messages.len() < bound.messages && is_light;
        if !fits && !self.messages.is_empty() {
            return Err(message);
        }
        self.bytes += message.len();
        self.messages.push_back(message);
        Ok(())
    }

    fn take(&mut self) -> Option<Came> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.len();
        if self.messages.is_empty() && self.messages.capacity() > KEPT_CAPACITY_MESSAGES {
            self.messages = VecDeque::new();
        }
        Some(message)
    }
}

/// What the room's task takes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mail {
    /// From placement; comes before messages.
    Order(Order),
    /// From a relay: an encoded [`ToRoom`](broker::node::ToRoom).
    Message(Came),
    /// The same, but more than the mailbox holds: a command is to be refused. It is the room that refuses it, for an earlier copy of
    /// the same command may be waiting or have been applied.
    Excess(Came),
    /// From another room: an encoded [`Mail`](super::letters::Mail).
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

impl Waiting {
    /// Where a relay's message waits, and whose it is.
    fn of(&self, message: &[u8]) -> (Of, Who) {
        let Some(Whose { user, is_question }) = Whose::read(message) else { return (Of::Others, None) };
        let who = UserId::new(user).ok();
        if is_question {
            return (Of::Questions, who);
        }
        let is_member = who.as_ref().is_some_and(|user| self.has_part.binary_search(user).is_ok());
        let of = if is_member && !is_planted(Fault::HearsMembersAsOthers) { Of::Members } else { Of::Others };
        (of, who)
    }

    /// Puts a message in; how many were dropped for want of space: this one, or others in its place.
    fn put(&mut self, message: Came, bound: Bound) -> usize {
        let (of, who) = self.of(&message.message);
        match of {
            Of::Questions => usize::from(self.questions.put(message, QUESTIONS).is_err()),
            Of::Members => match self.members.put(message, bound) {
                Ok(()) => 0,
                Err(message) => self.exceed(who, message, bound),
            },
            _ => {
                let displaced = self.others.put(who, message, bound).into_iter();
                displaced.map(|Displaced { who, message, .. }| self.exceed(who, message, bound)).sum()
            }
        }
    }

    /// Puts what is too much in; how many were dropped.
    fn exceed(&mut self, who: Who, message: Came, bound: Bound) -> usize {
        if is_planted(Fault::DropsExcess) {
            return 1;
        }
        let displaced = self.excess.put(who, message, bound);
        displaced.iter().for_each(|dropped| self.excess.keep_turn(dropped));
        displaced.len()
    }

    fn take_from(&mut self, of: Of) -> Option<Came> {
        match of {
            Of::Members => self.members.take(),
            Of::Others => self.others.take(),
            Of::Excess => self.excess.take(),
            Of::Letters => self.letters.take(),
            Of::Questions => self.questions.take(),
        }
    }

    /// How many messages of clients wait, and how many bytes.
    fn depth(&self) -> (usize, usize) {
        let Self { members, others, excess, .. } = self;
        let messages = members.messages.len() + others.len() + excess.len();
        (messages, members.bytes + others.bytes() + excess.bytes())
    }

    fn take(&mut self) -> Option<Mail> {
        if let Some(order) = self.orders.pop_front() {
            return Some(Mail::Order(order));
        }
        // Once around, and the turn that has begun once more.
        for _ in 0..=TURNS.len() {
            let (of, at_once) = TURNS[self.turn];
            if self.taken < at_once
                && let Some(message) = self.take_from(of)
            {
                self.taken += 1;
                return Some(match of {
                    Of::Members | Of::Others | Of::Questions => Mail::Message(message),
                    Of::Excess => Mail::Excess(message),
                    Of::Letters => Mail::Letter(message.message),
                });
            }
            (self.turn, self.taken) = ((self.turn + 1) % TURNS.len(), 0);
        }
        None
    }
}

impl Mailbox {
    /// Whose messages have a queue of their own from now on.
    pub fn has_members(&self, mut members: Vec<UserId>) {
        members.sort_unstable();
        let mut waiting = self.waiting.lock();
        (waiting.has_part, waiting.knows_members) = (members, true);
    }

    /// Whether this user has a part in the room; `None` before it is known.
    pub fn is_member(&self, user: &UserId) -> Option<bool> {
        let waiting = self.waiting.lock();
        waiting.knows_members.then(|| waiting.has_part.binary_search(user).is_ok())
    }

    /// Puts a message in. Beyond its queue's `bound` it becomes an excess, or another does whose turn is later, and beyond as much of that
    /// one is dropped: the relay's repetition has to do, or the client's. Answers how many were dropped.
    pub fn put(&self, message: Bytes, bound: Bound) -> usize {
        let mut waiting = self.waiting.lock();
        waiting.excess.forget_silent();
        let dropped = waiting.put(Came::now(message), bound);
        crate::testing::depth::note(waiting.depth());
        drop(waiting);
        self.wake.notify_one();
        dropped
    }

    /// Puts a message of another room in. If too many wait it is dropped: then the answer is `false`, and the repetition has to do.
    pub fn put_letter(&self, letter: Bytes) -> bool {
        let put = self.waiting.lock().letters.put(Came::now(letter), LETTERS);
        if put.is_ok() {
            self.wake.notify_one();
        }
        put.is_ok()
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
        self.waiting.lock().take()
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

    /// How many messages of clients wait, and how many bytes.
    pub fn depth(&self) -> (usize, usize) {
        self.waiting.lock().depth()
    }
}

#[cfg(test)]
mod tests {
    use broker::node::{Asked, ToRoom, encode};
    use protocol::{id::SessionId, rights::Rights};

    use super::*;
    use crate::planted::plant;

    const BOUND: Bound = Bound { messages: 3, bytes: 1_000 };

    fn message(user: &str, n: u64, bytes: usize) -> Bytes {
        let user = UserId::new(user).unwrap();
        let (name, session, body) = (String::new(), SessionId(1), Bytes::from(vec![b' '; bytes]));
        let what = Asked::Command { user, name, session, n, body, rights: Rights::default() };
        encode(&ToRoom { epoch: Epoch(1), relay: NodeId::new("r1").unwrap(), what })
    }

    fn question(user: &str, n: u64) -> Bytes {
        let (user, session, body) = (UserId::new(user).unwrap(), SessionId(1), Bytes::new());
        let what = Asked::Question { user, session, n, body };
        encode(&ToRoom { epoch: Epoch(0), relay: NodeId::new("r1").unwrap(), what })
    }

    fn of_ann() -> Mailbox {
        let mailbox = Mailbox::default();
        mailbox.has_members(vec![UserId::new("ann").unwrap()]);
        mailbox
    }

    /// All that waits, by whose it is and its number.
    fn all(mailbox: &Mailbox) -> Vec<String> {
        let said = |came: &Came| {
            let ToRoom { what, .. } = broker::node::decode(&came.message).unwrap();
            match what {
                Asked::Command { user, n, .. } => format!("{user} {n}"),
                Asked::Question { user, n, .. } => format!("{user} asks {n}"),
                other => panic!("{other:?}"),
            }
        };
        std::iter::from_fn(|| mailbox.try_take())
            .map(|mail| match mail {
                Mail::Order(order) => format!("{order:?}"),
                Mail::Message(came) => said(&came),
                Mail::Excess(came) => format!("{}!", said(&came)),
                Mail::Letter(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            })
            .collect()
    }

    /// Puts a message in; whether nothing was dropped for it.
    fn fits(mailbox: &Mailbox, message: Bytes) -> bool {
        mailbox.put(message, BOUND) == 0
    }

    #[test]
    fn a_crowd_takes_neither_the_space_of_members_nor_more_than_every_second_turn() {
        let mailbox = of_ann();
        assert_eq!((1..=7).filter(|n| fits(&mailbox, message("eve", *n, 1))).count(), 6);
        assert!((1..=3).all(|n| fits(&mailbox, message("ann", n, 1))));
        let heard = ["ann 1", "eve 4!", "eve 5!", "eve 6!", "eve 1", "ann 2", "ann 3", "eve 2", "eve 3"];
        assert_eq!(all(&mailbox), heard);
        // Who is no member any more waits with the others.
        mailbox.has_members(Vec::new());
        assert!((1..=3).all(|n| fits(&mailbox, message("eve", n, 1))));
        assert!(fits(&mailbox, message("ann", 4, 1)));
        assert_eq!(all(&mailbox), ["eve 3!", "eve 1", "ann 4", "eve 2"]);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_too_and_one_message_always_fits() {
        let mailbox = of_ann();
        assert!(fits(&mailbox, message("eve", 1, 700)));
        assert!(fits(&mailbox, message("eve", 2, 700)), "as what is to be refused");
        assert!(!fits(&mailbox, message("eve", 3, 700)), "nor is there space for more of that");
        assert!(fits(&mailbox, message("eve", 4, 100)));
        assert!(fits(&mailbox, message("ann", 1, 5_000)), "longer than the bound, but the only one");
        assert!(fits(&mailbox, message("ann", 2, 1)), "as what is to be refused");
        let (messages, bytes) = mailbox.depth();
        assert_eq!(messages, 5);
        assert!((6_500..7_000).contains(&bytes), "{bytes}");
        assert_eq!(all(&mailbox), ["ann 1", "eve 2!", "ann 2!", "eve 1", "eve 4"]);
        assert_eq!(mailbox.depth(), (0, 0));
    }

    /// What is heard of eve, who has sent six messages, and of three others, who have sent one each after that.
    fn one_of_six_and_three_of_one() -> Vec<String> {
        let mailbox = Mailbox::default();
        assert!((1..=6).all(|n| fits(&mailbox, message("eve", n, 1))));
        for user in ["bob", "cat", "dan"] {
            assert_eq!(mailbox.put(message(user, 1, 1), BOUND), 1, "all places are taken");
        }
        all(&mailbox)
    }

    #[test]
    fn whoever_asks_for_little_takes_the_place_of_whoever_asks_for_most() {
        let heard = ["eve 4!", "dan 1!", "eve 5!", "eve 1", "bob 1", "cat 1"];
        assert_eq!(one_of_six_and_three_of_one(), heard);
        plant(Some(Fault::TakesNoTurns));
        let heard = one_of_six_and_three_of_one();
        plant(None);
        assert_eq!(
            heard,
            ["eve 4!", "eve 5!", "eve 6!", "eve 1", "eve 2", "eve 3"],
            "who comes first has all"
        );
    }

    #[test]
    fn letters_and_questions_have_turns_of_their_own_and_too_many_are_dropped() {
        let mailbox = of_ann();
        let letter = || Bytes::from_static(b"x");
        assert!((0..LETTERS.messages).all(|_| mailbox.put_letter(letter())));
        assert!(!mailbox.put_letter(letter()));
        assert!((0..QUESTIONS.messages as u64).all(|n| fits(&mailbox, question("ann", n))));
        assert!(!fits(&mailbox, question("eve", 99)), "whoever asks");
        assert!((1..=3).all(|n| fits(&mailbox, message("eve", n, 1))));
        let heard = all(&mailbox);
        let first = ["eve 1", "x", "ann asks 0", "ann asks 1", "ann asks 2", "ann asks 3", "eve 2", "x"];
        assert_eq!(heard[..8], first);
        assert_eq!(heard.len(), 3 + LETTERS.messages + QUESTIONS.messages);
        let large = || Bytes::from(vec![0; 100 * 1_024]);
        assert_eq!((0..5).filter(|_| mailbox.put_letter(large())).count(), 2);
    }

    #[test]
    fn orders_come_first_and_are_given_once() {
        let mailbox = of_ann();
        assert!(fits(&mailbox, message("ann", 1, 1)));
        mailbox.order(Order::Reassert);
        mailbox.order(Order::Reassert);
        assert_eq!(all(&mailbox), ["Reassert", "ann 1"]);
    }

    #[test]
    fn what_cannot_be_read_waits_with_the_others() {
        let mailbox = of_ann();
        assert!(fits(&mailbox, Bytes::from_static(b"\xff\xff")));
        let Some(Mail::Message(Came { message, .. })) = mailbox.try_take() else { panic!("a message") };
        assert_eq!(message, Bytes::from_static(b"\xff\xff"));
    }
}
