//! The state of a tournament's table beyond the game, and what each event does to it.

use protocol::{
    id::{RoomId, UserId},
    time::UnixMs,
    tournament::{Clock, TournamentConfig},
};
use rooms::room::letters::LetterId;
use serde::{Deserialize, Serialize};
use table::Table;

use crate::{clock, settings};

/// What such a table is opened with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The tournament.
    pub of: RoomId,
    /// Which of its tables it is.
    pub number: u32,
    /// What the tournament is set to.
    pub tournament: TournamentConfig,
    /// Its clock, when this table was opened.
    pub clock: Clock,
    /// Chips are counted for the tournament that often at most, milliseconds.
    pub count_ms: u64,
}

/// A table of a tournament.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TournamentTable {
    /// The game.
    pub(crate) table: Table,
    /// All the rest.
    pub(crate) part: Part,
}

/// A table's part in its tournament. Changed by [`Part::change`] and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) of: RoomId,
    pub(crate) number: u32,
    pub(crate) config: TournamentConfig,
    pub(crate) count_ms: u64,
    pub(crate) clock: Clock,
    /// Whose seats are taken, by seat.
    pub(crate) players: Vec<Option<Player>>,
    /// The chips with which the players of the hand began it, by seat.
    pub(crate) began_with: Vec<(u8, u64)>,
    /// Players that are to go when no hand is on.
    pub(crate) give: Option<Give>,
    /// Hands are played in step.
    pub(crate) hold: Option<Hold>,
    /// Nobody is to play here any more.
    pub(crate) closes: Option<LetterId>,
    /// Nobody does.
    pub(crate) is_closed: bool,
    /// After a takeover no hand begins until it is known what was said before, or this time has come.
    pub(crate) waits_until: Option<UnixMs>,
    /// When chips were counted last.
    pub(crate) counted_ms: UnixMs,
    /// The level whose blinds the table has, as a part of the schedule from 0.
    pub(crate) level: u32,
    /// Who sits out for how many hands more, by entry.
    pub(crate) penalties: Vec<(u32, u32)>,
    /// Who goes when no hand is on, and is out: by entry, with the letter that says so.
    pub(crate) expelled: Vec<(u32, LetterId)>,
}

/// Who plays for an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Player {
    pub(crate) entry: u32,
    pub(crate) user: UserId,
    /// The letter that brought him.
    pub(crate) by: LetterId,
    /// The journal has lost that he had gone with so many chips: he goes once more when no hand is on, and nobody is told.
    pub(crate) gone_with: Option<u64>,
}

/// See [`Part::give`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Give {
    pub(crate) letter: LetterId,
    pub(crate) to: Vec<RoomId>,
    pub(crate) all: bool,
}

/// See [`Part::hold`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hold {
    pub(crate) letter: LetterId,
    pub(crate) round: u32,
    /// A hand may begin in this step.
    pub(crate) may_deal: bool,
    /// The tournament was told that this table is done with the step.
    pub(crate) is_told: bool,
}

/// One fact, in the words of the journal's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Of the game.
    Table(table::Event),
    /// A seat was taken for an entry. The game says who sits down.
    Took {
        /// Where.
        seat: u8,
        /// For which entry.
        entry: u32,
        /// Who.
        user: UserId,
        /// The letter that asked for it.
        by: LetterId,
    },
    /// The player of a seat has gone. The game says so too.
    Went {
        /// From where.
        seat: u8,
    },
    /// The journal has lost that this player had gone with so many chips.
    Haunts {
        /// Where.
        seat: u8,
        /// Chips.
        stack: u64,
    },
    /// A hand has begun, with these chips.
    Began {
        /// By seat.
        stacks: Vec<(u8, u64)>,
        /// The level that it is played at.
        level: u32,
    },
    /// So many are to go, or all.
    Giving {
        /// The letter that says so.
        letter: LetterId,
        /// Whither.
        to: Vec<RoomId>,
        /// All.
        all: bool,
    },
    /// They have gone.
    Gave,
    /// Hands are played in step from now on, or not any more.
    Holding {
        /// The letter that says so, the step, and whether a hand may begin in it.
        hold: Option<(LetterId, u32, bool)>,
    },
    /// The tournament was told that the step is done.
    Held,
    /// The clock was changed.
    Clock {
        /// What it is now.
        clock: Clock,
    },
    /// Chips were counted.
    Counted {
        /// When.
        at_ms: UnixMs,
    },
    /// After a takeover hands wait until then, or wait no more.
    Waits {
        /// Until when.
        until_ms: Option<UnixMs>,
    },
    /// Nobody is to play here any more.
    Closing {
        /// The letter that says so.
        letter: LetterId,
    },
    /// Nobody plays here any more.
    Closed,
    /// Somebody sits out so many hands more; 0: none, and he plays again.
    Penalty {
        /// Which entry.
        entry: u32,
        /// Hands.
        hands: u32,
    },
    /// A hand has begun that he sits out.
    SitsOut {
        /// Which entry.
        entry: u32,
    },
    /// Somebody goes when no hand is on, and is out.
    Expelling {
        /// The letter that says so.
        letter: LetterId,
        /// Which entry.
        entry: u32,
    },
    /// He has, or had gone before.
    Expelled {
        /// Which entry.
        entry: u32,
    },
}

impl TournamentTable {
    /// A table without players.
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { of, number, tournament: config, clock, count_ms } = settings;
        let blinds = clock::blinds(&clock, &config.levels, clock.base_ms);
        let table = Table::new(settings::table(&config, blinds));
        let players = vec![None; table.public().seats.len()];
        let part = Part {
            of,
            number,
            config,
            count_ms,
            clock,
            players,
            began_with: Vec::new(),
            give: None,
            hold: None,
            closes: None,
            is_closed: false,
            waits_until: None,
            counted_ms: 0,
            level: 0,
            penalties: Vec::new(),
            expelled: Vec::new(),
        };
        Self { table, part }
    }
}

impl Part {
    /// The seat of an entry.
    pub(crate) fn seat_of(&self, entry: u32) -> Option<u8> {
        self.seated().find(|(_, player)| player.entry == entry).map(|(seat, _)| seat)
    }

    /// All seats that are taken.
    pub(crate) fn seated(&self) -> impl Iterator<Item = (u8, &Player)> {
        (0..).zip(&self.players).filter_map(|(seat, player)| Some((seat, player.as_ref()?)))
    }

    /// So many hands somebody still sits out; nothing: he has no penalty.
    pub(crate) fn penalty_of(&self, entry: u32) -> Option<u32> {
        self.penalties.iter().find(|(of, _)| *of == entry).map(|(_, hands)| *hands)
    }

    /// Whether a hand may begin, as far as the tournament has said.
    pub(crate) fn may_deal(&self) -> bool {
        let is_held = self.hold.is_some_and(|hold| !hold.may_deal);
        !is_held && self.give.is_none() && self.closes.is_none() && !self.is_closed
    }

    /// Does what an event says. What happens to the game itself is done by the table: see [`Event::Table`].
    pub(crate) fn change(&mut self, event: &Event) {
        match event {
            Event::Table(_) => {}
            Event::Took { seat, entry, user, by } => {
                let player = Player { entry: *entry, user: user.clone(), by: *by, gone_with: None };
                self.players[usize::from(*seat)] = Some(player);
            }
            Event::Went { seat } => self.players[usize::from(*seat)] = None,
            Event::Haunts { seat, stack } => {
                let player = self.players[usize::from(*seat)].as_mut().expect("somebody sits there");
                player.gone_with = Some(*stack);
            }
            Event::Began { stacks, level } => {
                self.began_with.clone_from(stacks);
                self.level = *level;
                if let Some(hold) = &mut self.hold {
                    hold.may_deal = false;
                }
            }
            Event::Giving { letter, to, all } => {
                self.give = Some(Give { letter: *letter, to: to.clone(), all: *all });
            }
            Event::Gave => self.give = None,
            Event::Holding { hold } => {
                self.hold =
                    hold.map(|(letter, round, may_deal)| Hold { letter, round, may_deal, is_told: false });
            }
            Event::Held => {
                if let Some(hold) = &mut self.hold {
                    (hold.may_deal, hold.is_told) = (false, true);
                }
            }
            Event::Clock { clock } => self.clock = *clock,
            Event::Counted { at_ms } => self.counted_ms = *at_ms,
            Event::Waits { until_ms } => self.waits_until = *until_ms,
            Event::Closing { letter } => self.closes = Some(*letter),
            Event::Penalty { entry, hands } => {
                self.penalties.retain(|(of, _)| of != entry);
                if *hands > 0 {
                    self.penalties.push((*entry, *hands));
                }
            }
            Event::SitsOut { entry } => {
                let penalties = self.penalties.iter_mut().filter(|(of, _)| of == entry);
                penalties.for_each(|(_, hands)| *hands = hands.saturating_sub(1));
            }
            Event::Expelling { letter, entry } => self.expelled.push((*entry, *letter)),
            Event::Expelled { entry } => self.expelled.retain(|(of, _)| of != entry),
            Event::Closed => {
                self.is_closed = true;
                self.players.iter_mut().for_each(|player| *player = None);
            }
        }
    }
}
