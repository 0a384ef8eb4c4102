//! What a table tells its rail of its players' cards: when that is due, what was dealt, and nobody who sits there.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    id::{Position, RoomId, UserId},
    rail::{CardsHeld, RailCards, RailConfig},
    table::{Card, TableEvent, TablePrivate},
    time::UnixMs,
};

use super::{Promise, journal::Frame};

/// What is known of so many hands: more than are dealt while the rail is behind.
const HANDS_KEPT: usize = 512;

/// See the module.
#[derive(Default)]
pub(super) struct Cards {
    /// How the table's rail is set, if it is known.
    set: RailConfig,
    hands: BTreeMap<u64, Hand>,
    /// Of the newest hand.
    hand: u64,
}

#[derive(Default)]
struct Hand {
    began_ms: UnixMs,
    ended_ms: Option<UnixMs>,
    dealt: BTreeMap<UserId, Vec<Card>>,
}

/// Only what is read of a keyframe.
#[derive(serde::Deserialize)]
struct Whole {
    state: State,
}

#[derive(serde::Deserialize)]
struct State {
    #[serde(default)]
    rail: RailConfig,
}

#[derive(serde::Deserialize)]
struct Part {
    rail: CardsHeld,
}

#[derive(serde::Deserialize)]
struct Own {
    private: TablePrivate,
}

impl Cards {
    /// A keyframe says how the rail is set.
    pub(super) fn keyframe(&mut self, public: &[u8]) {
        if let Ok(Whole { state: State { rail } }) = serde_json::from_slice(public) {
            self.set = rail;
        }
    }

    /// What was known of hands may be lost.
    pub(super) fn forget(&mut self) {
        self.hands.clear();
    }

    /// Takes a frame. `seated`: who sits there before it or after it.
    pub(super) fn take(
        &mut self,
        at: Position,
        frame: &Frame,
        events: &[TableEvent],
        seated: &BTreeSet<UserId>,
        room: &RoomId,
        broken: &mut Vec<(Promise, String)>,
    ) {
        if self.set.cards == RailCards::Never && frame.railed.text.is_none() {
            return;
        }
        // Of an entry that does not say when, nothing is judged by the time.
        let at_ms = frame.at_ms;
        for event in events {
            match event {
                TableEvent::HandStarted { hand, .. } => {
                    self.hand = *hand;
                    let begun = Hand { began_ms: at_ms.unwrap_or(0), ..Hand::default() };
                    self.hands.insert(*hand, begun);
                    if self.hands.len() > HANDS_KEPT {
                        self.hands.pop_first();
                    }
                }
                TableEvent::HandEnded { hand, .. } => {
                    let known = self.hands.get_mut(hand);
                    known.into_iter().for_each(|hand| hand.ended_ms = Some(at_ms.unwrap_or(0)));
                }
                _ => {}
            }
        }
        for (user, bytes) in &frame.privates {
            if let Ok(Own { private: TablePrivate { hand, cards, .. } }) = serde_json::from_slice(bytes)
                && let Some(known) = self.hands.get_mut(&hand).filter(|_| !cards.is_empty())
            {
                known.dealt.insert(user.clone(), cards);
            }
        }
        let Some(text) = &frame.railed.text else { return };
        let mut accuse = |what: String| broken.push((Promise::Rail, format!("{room} {at}: {what}")));
        if let Some(user) = seated.difference(&frame.railed.seated).next() {
            accuse(format!("{user} sits there, and is not excepted from what the rail is told"));
        }
        let Ok(Part { rail: CardsHeld { hand: number, seats } }) = serde_json::from_slice(text) else {
            return accuse(format!("the rail is told what is no hand: {text:?}"));
        };
        let Some(hand) = self.hands.get(&number) else { return };
        let delay_ms = UnixMs::from(self.set.delay_ms);
        let due_ms = hand.ended_ms.map(|ended_ms| match self.set.cards {
            RailCards::Never => UnixMs::MAX,
            RailCards::AfterHand => ended_ms + delay_ms,
            RailCards::Delayed => ended_ms.max(hand.began_ms + delay_ms),
        });
        match due_ms {
            None => accuse(format!("the rail is told the cards of hand {number}, which is played")),
            Some(due_ms) if at_ms.is_some_and(|at_ms| at_ms < due_ms) => {
                accuse(format!("the rail is told the cards of hand {number} before that is due"));
            }
            Some(_) => {}
        }
        let told: BTreeMap<UserId, Vec<Card>> =
            seats.into_iter().map(|seat| (seat.user, seat.cards)).collect();
        if told != hand.dealt {
            accuse(format!("of hand {number} the rail is told {told:?}, and {:?} was dealt", hand.dealt));
        }
    }
}
