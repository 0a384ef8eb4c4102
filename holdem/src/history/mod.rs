//! A finished hand for other eyes: [`ohh`] writes Open Hand History JSON, [`text`] a page to read.
//! (For PHH, which can also be read back, see [`phh`](crate::phh).)

pub mod ohh;
pub mod text;

use crate::chips::Chips;
use crate::event::Event;
use crate::phh::decimal::Decimal;
use crate::seat::{SeatIndex, SeatSet};

/// What a history says that the engine does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occasion {
    /// Who runs the game.
    pub site: String,
    /// The hand's number or name there.
    pub hand: String,
    /// The table's name.
    pub table: String,
    /// How many seats the table has.
    pub table_size: u8,
    /// When the hand began, in UTC: `2026-01-31T18:00:00Z`.
    pub started_at: String,
    /// An ISO 4217 code, or whatever the chips are called.
    pub currency: String,
    /// Digits behind the point: a chip is one unit at 0, a hundredth at 2.
    pub scale: u32,
    /// Whether it is a tournament.
    pub tournament: bool,
    /// Names by seat number; a seat without one is called by its number.
    pub names: Vec<String>,
}

/// Whose cards a history may tell besides those that were shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Nobody's.
    Public,
    /// One player's.
    Player(SeatIndex),
    /// Everybody's.
    All,
}

impl Occasion {
    fn name(&self, seat: SeatIndex) -> String {
        match self.names.get(seat.index()) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => format!("Seat {}", seat.get() + 1),
        }
    }

    fn amount(&self, chips: Chips) -> Decimal {
        Decimal { units: chips.0 as i64, scale: self.scale }.trimmed()
    }
}

impl View {
    /// The seats whose dealt cards this view sees from the start.
    fn sees(self, seat: SeatIndex) -> bool {
        match self {
            View::Public => false,
            View::Player(own) => own == seat,
            View::All => true,
        }
    }
}

/// The seats that won something.
fn winners(events: &[Event]) -> SeatSet {
    let winner = |event: &Event| match *event {
        Event::PotAwarded { seat, .. } => Some(seat),
        _ => None,
    };
    events.iter().filter_map(winner).collect()
}
