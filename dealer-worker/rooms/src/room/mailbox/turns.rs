//! A queue in which senders take turns, however much each of them has sent: in every round one message of each who has any.
//!
//! Whoever comes belongs to the round after the one that is being heard, or after the last one in which something of theirs waits; of one
//! round those come first who came first. So what goes before a message is known when it comes: nothing that comes later does. When the
//! queue is full, what has the last turn of all finds no place, be it the message that comes or one that waits.
//!
//! A sender of whom nothing waits and whose message finds no place keeps its turn for when it is sent again. Each time that something is
//! heard, fewer go before it; so whoever sends again is heard, whatever comes meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
};

use protocol::id::UserId;
use tokio::time::{Duration, Instant};

use super::{Bound, Came};
use crate::planted::{Fault, is_planted};

/// Of so many senders a queue remembers whose turn it was. Of more it does not: chance decides when they come in.
const KEPT_TURNS_MAX: usize = 1_024;

/// A turn is kept for so long for who does not send again: relays do so every two seconds at least.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// Whose a message is; all that cannot be read is of one sender.
pub(super) type Who = Option<UserId>;

/// When a message is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    round: u64,
    came: u64,
}

/// A message and its turn.
#[derive(Debug)]
pub(super) struct Displaced {
    pub(super) who: Who,
    pub(super) message: Came,
    turn: Turn,
}

/// What is known of a sender.
#[derive(Debug)]
enum Sender {
    /// So many messages wait, the last of them in this round.
    Waits { messages: usize, last_round: u64 },
    /// Nothing waits any more, and this turn is kept since then.
    Keeps(Turn, Instant),
}

/// See the module. Empty, it owns no memory.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: BTreeMap<Turn, (Who, Came)>,
    bytes: usize,
    senders: BTreeMap<Who, Sender>,
    /// Those who keep a turn, by the time since when.
    kept: BTreeSet<(Instant, Who)>,
    /// The latest round of which something was heard.
    round: u64,
    /// So many have come.
    came: u64,
}

impl Turns {
    /// How many messages wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// And how many bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts a message in, and gives back what has no place in the queue now: others whose turn is later, or this one, or nothing.
    pub(super) fn put(&mut self, who: Who, message: Came, bound: Bound) -> Vec<Displaced> {
        let turn = self.turn_of(&who);
        let Some(later) = self.later_than(turn, message.len(), bound) else {
            return vec![Displaced { who, message, turn }];
        };
        let displaced = (0..later).filter_map(|_| self.displace_last()).collect();
        self.bytes += message.len();
        let sender = self.senders.entry(who.clone()).or_insert(Sender::Waits { messages: 0, last_round: 0 });
        if let Sender::Waits { messages, last_round } = sender {
            (*messages, *last_round) = (*messages + 1, turn.round);
        }
        self.waiting.insert(turn, (who, message));
        displaced
    }

    /// What is next.
    pub(super) fn take(&mut self) -> Option<Came> {
        let (turn, (who, message)) = self.waiting.pop_first()?;
        self.round = self.round.max(turn.round);
        self.bytes -= message.len();
        self.gone(&who, None);
        Some(message)
    }

    /// A message that was given back is dropped: its sender's turn is kept for when it is sent again, if nothing else of it waits.
    pub(super) fn keep_turn(&mut self, displaced: &Displaced) {
        self.forget_silent();
        let now = Instant::now();
        let forgets = is_planted(Fault::KeepsNoTurns);
        if self.kept.len() < KEPT_TURNS_MAX && !self.senders.contains_key(&displaced.who) && !forgets {
            self.kept.insert((now, displaced.who.clone()));
            self.senders.insert(displaced.who.clone(), Sender::Keeps(displaced.turn, now));
        }
    }

    /// Forgets who has not sent again for long.
    pub(super) fn forget_silent(&mut self) {
        while self.kept.first().is_some_and(|(since, _)| since.elapsed() > KEPT_FOR) {
            if let Some((_, who)) = self.kept.pop_first() {
                self.senders.remove(&who);
            }
        }
    }

    /// The turn of what comes from a sender now. One that was kept is used up.
    fn turn_of(&mut self, who: &Who) -> Turn {
        let last_round = match self.senders.get(who) {
            _ if is_planted(Fault::TakesNoTurns) => self.round,
            Some(&Sender::Keeps(turn, since)) => {
                self.kept.remove(&(since, who.clone()));
                self.senders.remove(who);
                return turn;
            }
            Some(Sender::Waits { last_round, .. }) => self.round.max(*last_round),
            None => self.round,
        };
        self.came += 1;
        Turn { round: last_round + 1, came: self.came }
    }

    /// How many of the last messages must go for one of this turn and length; `None` if not enough of them are later. It looks at no
    /// more of them than would be as long as the message itself.
    fn later_than(&self, turn: Turn, length: usize, bound: Bound) -> Option<usize> {
        let too_many = (self.waiting.len() + 1).saturating_sub(bound.messages);
        let too_long = match is_planted(Fault::WeighsNothing) {
            true => 0,
            false => (self.bytes + length).saturating_sub(bound.bytes),
        };
        let (mut count, mut freed) = (0, 0);
        let mut later = self.waiting.range((Excluded(turn), Unbounded)).rev();
        while count < too_many || freed < too_long {
            // One message fits into an empty queue, however long it is.
            let Some((_, (_, message))) = later.next() else {
                return (count == self.waiting.len()).then_some(count);
            };
            count += 1;
            freed += message.len();
        }
        Some(count)
    }

    fn displace_last(&mut self) -> Option<Displaced> {
        let (turn, (who, message)) = self.waiting.pop_last()?;
        self.bytes -= message.len();
        self.gone(&who, Some(turn));
        Some(Displaced { who, message, turn })
    }

    /// A message of a sender waits no more: the last one, if it was displaced.
    fn gone(&mut self, who: &Who, displaced: Option<Turn>) {
        let Some(Sender::Waits { messages, last_round }) = self.senders.get_mut(who) else { return };
        *messages -= 1;
        if let Some(turn) = displaced {
            *last_round = turn.round - 1;
        }
        if *messages == 0 {
            self.senders.remove(who);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::planted::plant;

    const BOUND: Bound = Bound { messages: 4, bytes: 1_000 };

    /// Each sends its message again after so many rounds of the test.
    const AGAIN_AFTER: usize = 8;

    fn who(number: usize) -> Who {
        UserId::new(&format!("user-{number}")).ok()
    }

    fn message(number: usize) -> Bytes {
        Bytes::from(number.to_string())
    }

    /// Puts a message in and keeps the turn of what is given back.
    fn put(turns: &mut Turns, who: Who, message: Bytes) -> Vec<Bytes> {
        let displaced = turns.put(who, Came::now(message), BOUND);
        displaced.iter().for_each(|dropped| turns.keep_turn(dropped));
        assert!(turns.len() <= BOUND.messages && turns.bytes() <= BOUND.bytes);
        displaced.into_iter().map(|displaced| displaced.message.message).collect()
    }

    fn take(turns: &mut Turns) -> Option<Bytes> {
        turns.take().map(|came| came.message)
    }

    /// Three come at a time, and then five messages of one who sends without end, and then those again who have not been heard; and one
    /// is heard. The longest that anybody has waited beyond what those take who came before.
    fn waited_too_long() -> usize {
        let mut turns = Turns::default();
        let (mut came, mut heard) = (Vec::new(), BTreeSet::<usize>::new());
        let mut longest = 0;
        for now in 0..300 {
            for _ in 0..3 {
                let number = came.len();
                came.push((now, number - heard.len()));
                put(&mut turns, who(number), message(number));
            }
            for _ in 0..5 {
                put(&mut turns, UserId::new("eve").ok(), Bytes::new());
            }
            for (number, (at, _)) in came.iter().enumerate() {
                let is_waiting = turns.waiting.values().any(|(of, _)| *of == who(number));
                if now > *at && (now - at) % AGAIN_AFTER == 0 && !is_waiting && !heard.contains(&number) {
                    put(&mut turns, who(number), message(number));
                }
            }
            let taken = take(&mut turns).expect("there is always somebody");
            if let Some(number) = std::str::from_utf8(&taken).ok().and_then(|number| number.parse().ok()) {
                heard.insert(number);
            }
            for (_, (at, before)) in came.iter().enumerate().filter(|(number, _)| !heard.contains(number)) {
                // Of those before, as many as wait at a time are heard between two of its messages; and eve has a place among them.
                let bound = AGAIN_AFTER * (before / (BOUND.messages - 1) + 2);
                longest = longest.max((now - at).saturating_sub(bound));
            }
        }
        longest
    }

    #[test]
    fn whoever_sends_again_is_heard_whatever_comes_meanwhile() {
        assert_eq!(waited_too_long(), 0);
        plant(Some(Fault::KeepsNoTurns));
        let waited = waited_too_long();
        plant(None);
        assert!(waited > 100, "nobody waits for ever whose turn is not kept: {waited}");
    }

    #[test]
    fn a_kept_turn_comes_before_all_that_came_later() {
        let mut turns = Turns::default();
        (0..4).for_each(|number| assert!(put(&mut turns, who(number), message(number)).is_empty()));
        assert_eq!(put(&mut turns, who(4), message(4)), [message(4)]);
        assert_eq!(take(&mut turns), Some(message(0)));
        assert!(put(&mut turns, who(5), message(5)).is_empty());
        assert_eq!(put(&mut turns, who(6), message(6)), [message(6)]);
        assert_eq!(put(&mut turns, who(4), message(4)), [message(5)], "whose turn is kept in its place");
        assert_eq!(put(&mut turns, who(6), message(6)), [message(6)]);
        let heard: Vec<Bytes> = std::iter::from_fn(|| take(&mut turns)).collect();
        assert_eq!(heard, [1, 2, 3, 4].map(message));
    }

    #[test]
    fn each_sender_has_one_message_in_a_round() {
        let mut turns = Turns::default();
        (0..4).for_each(|number| assert!(put(&mut turns, who(9), message(number)).is_empty()));
        assert_eq!(put(&mut turns, who(1), message(11)), [message(3)]);
        assert_eq!(put(&mut turns, who(2), message(21)), [message(2)]);
        assert_eq!(
            put(&mut turns, who(1), message(12)),
            [message(12)],
            "as late as what waits, and came later"
        );
        assert_eq!(take(&mut turns), Some(message(0)));
        assert!(put(&mut turns, who(9), message(4)).is_empty());
        let heard: Vec<Bytes> = std::iter::from_fn(|| take(&mut turns)).collect();
        assert_eq!(heard, [11, 21, 1, 4].map(message));
    }

    #[test]
    fn a_long_message_takes_no_more_places_than_it_needs_and_none_if_they_are_not_enough() {
        let mut turns = Turns::default();
        let of = |bytes: usize| Bytes::from(vec![b' '; bytes]);
        assert!(put(&mut turns, who(1), of(600)).is_empty());
        assert!(put(&mut turns, who(1), of(150)).is_empty());
        assert!(put(&mut turns, who(1), of(150)).is_empty());
        assert_eq!(put(&mut turns, who(2), of(500)), [of(500)], "all that is later is 300 long");
        assert_eq!(turns.len(), 3);
        assert_eq!(put(&mut turns, who(2), of(200)), [of(150)]);
        assert_eq!((turns.len(), turns.bytes()), (3, 950));
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_kept_for_so_many_and_not_for_ever_and_nothing_stays() {
        let mut turns = Turns::default();
        (0..4).for_each(|number| assert!(put(&mut turns, who(number), message(number)).is_empty()));
        for number in 10..KEPT_TURNS_MAX + 100 {
            put(&mut turns, who(number), message(number));
        }
        assert_eq!(turns.kept.len(), KEPT_TURNS_MAX);
        assert_eq!(turns.senders.len(), KEPT_TURNS_MAX + 4);
        tokio::time::advance(KEPT_FOR + Duration::from_millis(1)).await;
        turns.forget_silent();
        while turns.take().is_some() {}
        assert!(turns.kept.is_empty() && turns.senders.is_empty());
        assert_eq!(turns.bytes(), 0);
    }
}
