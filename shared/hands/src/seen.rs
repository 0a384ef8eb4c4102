//! What somebody may see of a hand: the one place where that is decided. Whatever is told of hands that are kept is told of a [`Seen`], which
//! holds no card that its viewer was not shown: what is made of it cannot tell any.
//!
//! | card | who sees it |
//! | --- | --- |
//! | on a board | everybody |
//! | shown at the showdown, or by choice | everybody, and of some cards those alone |
//! | dealt to somebody | he himself, also where it was folded or mucked |
//! | left in the deck, or burnt | nobody: it is in no record |
//!
//! Beside these there is who looks for cheats, or learns from many hands ([`Viewer::Integrity`]): he sees every card that was dealt, and stands in the
//! audit for it.

use holdem::{Event, HandSetup, SeatIndex, history::View};
use protocol::{id::UserId, time::UnixMs};

use crate::{HandRecord, Hash};

/// Who looks at a hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer<'a> {
    /// Whoever has its name.
    Anybody,
    /// This user, who has played it or not.
    User(&'a UserId),
    /// One of the staff whose part it is.
    Integrity,
}

/// A hand as its viewer may see it. Fields are as in [`HandRecord`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// What the table was called.
    pub table: String,
    /// How many seats it has.
    pub seats: u8,
    /// The number of the hand at its table.
    pub number: u64,
    /// When it began.
    pub started_ms: UnixMs,
    /// When it was paid.
    pub ended_ms: UnixMs,
    /// What the chips are.
    pub currency: Option<String>,
    /// How it began.
    pub setup: HandSetup,
    /// What happened, and how many milliseconds after it began: cards that the viewer was not shown are face down, and what others have chosen
    /// in secret is left out.
    pub events: Vec<(u32, Event)>,
    /// Who was dealt in.
    pub players: Vec<SeenPlayer>,
    /// Where the viewer sat, if he has played it.
    pub you: Option<SeatIndex>,
    /// The hash of the hand before.
    pub prev: Hash,
    /// The hash of this hand, of nothing but what everybody saw.
    pub hash: Hash,
}

/// Somebody who was dealt in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPlayer {
    /// Where.
    pub seat: SeatIndex,
    /// Who; none where that is not told.
    pub user: Option<UserId>,
    /// What others saw; none where that is not told.
    pub name: Option<String>,
}

impl Seen {
    /// What this viewer may see of it.
    pub fn of(record: &HandRecord, viewer: Viewer<'_>) -> Self {
        let user = match viewer {
            Viewer::User(user) => Some(user),
            Viewer::Anybody | Viewer::Integrity => None,
        };
        let sees_all = viewer == Viewer::Integrity;
        let places = record.players.iter().filter_map(|player| Some((SeatIndex::new(player.seat)?, player)));
        let you = places.clone().find(|(_, player)| Some(&player.user) == user).map(|(seat, _)| seat);
        let seen = |(at_ms, event): &(u32, Event)| {
            let is_own = match *event {
                Event::HoleDealt { seat, .. } | Event::ShowdownChosen { seat, .. } => Some(seat) == you,
                _ => false,
            };
            Some((*at_ms, if is_own || sees_all { *event } else { event.public()? }))
        };
        let player = |(seat, player): (SeatIndex, &crate::Player)| SeenPlayer {
            seat,
            user: Some(player.user.clone()),
            name: Some(player.name.clone()),
        };
        Self {
            table: record.table.clone(),
            seats: record.seats,
            number: record.number,
            started_ms: record.started_ms,
            ended_ms: record.ended_ms,
            currency: record.currency.clone(),
            setup: record.setup.clone(),
            events: record.events.iter().filter_map(seen).collect(),
            players: places.map(player).collect(),
            you,
            prev: record.prev,
            hash: record.hash,
        }
    }

    /// The same without a word of who these are.
    #[must_use]
    pub fn without_names(mut self, hidden: impl Fn(&UserId) -> bool) -> Self {
        for player in &mut self.players {
            if player.user.as_ref().is_some_and(&hidden) {
                (player.user, player.name) = (None, None);
            }
        }
        self
    }

    /// The same with other names for those who have played it.
    #[must_use]
    pub fn with_pseudonyms(mut self, of: impl Fn(&UserId) -> UserId) -> Self {
        for player in &mut self.players {
            (player.user, player.name) = (player.user.as_ref().map(&of), None);
        }
        self
    }

    /// What happened, without the times.
    pub fn facts(&self) -> Vec<Event> {
        self.events.iter().map(|(_, event)| *event).collect()
    }

    /// For [`holdem::history`]: whose hand it is.
    pub fn view(&self) -> View {
        self.you.map_or(View::Public, View::Player)
    }
}
