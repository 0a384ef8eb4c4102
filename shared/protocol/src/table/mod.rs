//! Tables: what they are set to ([`config`]), what a player may ask ([`command`]), what happens ([`event`]),
//! what all that adds up to ([`view`]), who waits for a seat ([`waiting_list`]), and what may be asked about it ([`question`]). Chips are whole numbers of the smallest unit, below 2^53.

mod card;
mod command;
pub(crate) mod config;
mod event;
mod question;
mod view;
mod waiting_list;

pub use card::Card;
pub use command::{ActKind, TableCommand};
pub use config::{
    AnteKind, BlindsOwed, ButtonRule, GameVariant, LimitKind, RakeRule, Straddles, TableConfig,
};
pub use event::{Acted, BlindKind, HandClass, MadeHand, StreetName, TableEvent, TurnView};
pub use question::{Seated, TableAnswer, TableQuestion};
pub use view::{
    BuyInLimits, ChipCount, Declined, DeclinedCode, HandView, LegalView, Misfit, PotView, RaiseLimits,
    RunsView, SeatStatus, SeatView, TablePrivate, TableView,
};
pub use waiting_list::{Call, Waiting, WaitingList};
