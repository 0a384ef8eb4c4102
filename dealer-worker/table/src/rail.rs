//! What those see of the players' cards who watch and have no part in the table.
//!
//! A table that is set so tells its rail who held what in a hand: when the hand is over, or so much later as the rail is shown the table; and where the rail
//! sees cards with the hand, as long after its beginning, but never before its end. Until then the cards are here, in what is sealed, and
//! nowhere else: no frame and no keyframe holds them. So neither a relay nor who reads the broker can be early, and a player's friend on the rail knows
//! nothing of a hand that is played.

use std::{collections::VecDeque, sync::Arc};

use protocol::{
    rail::{CardsHeld, RailCards, RailConfig, SeatCards},
    time::UnixMs,
};
use rooms::planted::{Fault, is_planted};
use serde::{Deserialize, Serialize};

use super::{Event, Table, draft::Draft};

/// Hands whose cards wait to be told, at most. Of more, which people do not play in a quarter of an hour, the first are told to nobody.
const WAITING_MAX: usize = 128;

/// So much later than the frame that they belong to cards are told, milliseconds: relays look twenty times a second at what is due, and who sees them
/// should have seen that frame.
const BEHIND_MS: u64 = 250;

/// What is kept for the rail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForTheRail {
    delay_ms: u32,
    cards: RailCards,
    /// The first are due first.
    waiting: VecDeque<Waiting>,
    /// What was told last.
    told: Option<Arc<CardsHeld>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    due_ms: UnixMs,
    // Shared, since each decision is made on a copy of the table.
    held: Arc<CardsHeld>,
}

impl ForTheRail {
    /// Of a table that is set so.
    pub(super) fn of(rail: RailConfig) -> Self {
        let RailConfig { delay_ms, cards, viewers_max: _ } = rail.bounded();
        Self { delay_ms, cards, ..Self::default() }
    }

    /// How the table is set, in the words of a keyframe; nothing where nobody sees cards.
    pub(super) fn set(&self) -> Option<RailConfig> {
        let Self { delay_ms, cards, .. } = *self;
        (cards != RailCards::Never).then_some(RailConfig { cards, ..RailConfig::late(delay_ms) })
    }

    /// When something is due.
    pub(super) fn due_ms(&self) -> Option<UnixMs> {
        self.waiting.front().map(|waiting| waiting.due_ms)
    }

    /// A hand is over that began then, if that is known.
    fn keep(&mut self, held: CardsHeld, started_ms: Option<UnixMs>, ended_ms: UnixMs) {
        let late_ms = match self.delay_ms {
            0 => 0,
            delay_ms => u64::from(delay_ms) + BEHIND_MS,
        };
        let due_ms = match self.cards {
            RailCards::Never => return,
            RailCards::AfterHand => ended_ms + late_ms,
            RailCards::Delayed => ended_ms.max(started_ms.unwrap_or(ended_ms) + late_ms),
        };
        let due_ms = if is_planted(Fault::TellsCardsAtTheEnd) { ended_ms } else { due_ms };
        self.waiting.push_back(Waiting { due_ms, held: Arc::new(held) });
        if self.waiting.len() > WAITING_MAX {
            self.waiting.pop_front();
        }
    }

    /// The newest hand whose cards are due.
    fn due(&self, now: UnixMs) -> Option<u64> {
        let due = self.waiting.iter().take_while(|waiting| waiting.due_ms <= now).last();
        due.map(|waiting| waiting.held.hand)
    }

    /// The cards of a hand are told, and those of hands before it are not any more.
    fn tell(&mut self, hand: u64) {
        while let Some(Waiting { held, .. }) = self.waiting.pop_front_if(|waiting| waiting.held.hand <= hand)
        {
            self.told = Some(held);
        }
    }

    /// What was told last.
    pub(super) fn told(&self) -> Option<&CardsHeld> {
        self.told.as_deref()
    }
}

impl Table {
    /// The same table, whose rail is set so.
    #[must_use]
    pub fn with_rail(self, rail: RailConfig) -> Self {
        Self { rail: ForTheRail::of(rail), ..self }
    }

    /// The hand is over: who held what is kept until the rail may know.
    pub(super) fn keep_for_the_rail(&mut self, ended_ms: UnixMs) {
        if self.rail.set().is_some() {
            let started_ms = self.log.started_ms();
            self.rail.keep(self.cards_held(), started_ms, ended_ms);
        }
    }

    /// The rail is told the cards of a hand.
    pub(super) fn tell_rail(&mut self, hand: u64) {
        if is_planted(Fault::TellsCardsOfTheHand) && self.is_playing() {
            self.rail.told = Some(Arc::new(self.cards_held()));
        }
        self.rail.tell(hand);
    }

    /// What everybody holds in the hand that is on the table.
    fn cards_held(&self) -> CardsHeld {
        let seats = self.players().filter_map(|(seat, player)| {
            let cards = self.hole_cards(seat);
            (!cards.is_empty()).then(|| SeatCards { seat, user: player.user.clone(), cards })
        });
        CardsHeld { hand: self.hand(), seats: seats.collect() }
    }
}

/// Tells the rail what is due. Whether anything is.
pub(super) fn tell(draft: &mut Draft) -> bool {
    let table = draft.table();
    let is_leaked = is_planted(Fault::TellsCardsOfTheHand)
        && table.rail.set().is_some()
        && table.is_playing()
        && table.public().hand.as_ref().is_some_and(|hand| hand.boards.iter().any(|board| board.len() == 5))
        && table.rail.told().is_none_or(|told| told.hand < table.hand());
    let due = if is_leaked { Some(table.hand()) } else { table.rail.due(draft.now) };
    due.is_some_and(|hand| {
        draft.emit(Event::CardsTold { hand });
        true
    })
}
