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
    /// An ISO 4217 code, or `XPM` for play money.
    pub currency: String,
    /// Digits behind the point: a chip is one unit at 0, a hundredth at 2.
    pub scale: u32,
    /// The tournament that the hand belongs to; none is a cash game.
    pub tournament: Option<Tournament>,
    /// Names by seat number; a seat without one is called by its number.
    pub names: Vec<String>,
}

/// A tournament, as its hands tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tournament {
    /// Its number or name at the site.
    pub number: String,
    /// What it is called.
    pub name: String,
    /// When it began, in UTC: `2026-01-31T18:00:00Z`.
    pub started_at: String,
    /// What buy-in and fee are paid in: an ISO 4217 code, or `XPM` for play money.
    pub currency: String,
    /// What goes into the prizes.
    pub buy_in: Decimal,
    /// What the house keeps of an entry.
    pub fee: Decimal,
    /// The chips everybody began with.
    pub initial_stack: Chips,
    /// Whether it has more than one table.
    pub multi_table: bool,
    /// Whether it begins when its seats are taken.
    pub sit_and_go: bool,
    /// How fast the house calls it.
    pub speed: Speed,
    /// How long a level lasts.
    pub level_seconds: u32,
}

/// How fast blinds rise, by the site's own judgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speed {
    /// As usual.
    #[default]
    Normal,
    /// Faster.
    Turbo,
    /// Much faster.
    Hyper,
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
