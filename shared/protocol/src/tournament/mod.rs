//! Tournaments: what one is set to ([`config`]), what may be asked of it ([`command`], [`question`]), what happens ([`event`]), and what
//! all that adds up to ([`view`]). The game itself is played at tables: who has a seat at one follows it as any table.

mod command;
mod config;
mod event;
mod question;
mod view;

pub use command::TournamentCommand;
pub use config::{HandForHand, Level, Payouts, Starts, Ties, TournamentConfig};
pub use event::TournamentEvent;
pub use question::{TournamentAnswer, TournamentQuestion, Where};
pub use view::{Clock, Phase, Prize, Standing, TournamentView};

/// What such a room is called in keyframes and in the map of rooms.
pub const KIND: &str = "tournament";

/// As what a tournament that begins when it is full stands in the lobby.
pub const LOBBY_SIT_AND_GO: &str = "sng";

/// And one that begins at a time.
pub const LOBBY_SCHEDULED: &str = "mtt";

/// A page of standings or tables has so many lines at most.
pub const PAGE_MAX: usize = 100;
