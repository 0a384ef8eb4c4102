//! The state of a tournament, and what each event does to it.

use std::collections::BTreeMap;

use protocol::{
    id::{ErrandId, Position, RoomId, UserId},
    time::UnixMs,
    tournament::{Clock, Level, Phase, Prize, Standing, TournamentConfig},
};
use rooms::{
    planted::{Fault, is_planted},
    room::letters::{LetterId, Reference},
};
use serde::{Deserialize, Serialize};

use super::{
    pages::{self, Pages},
    stakes::{Price, StakeEvent, Stakes},
    tally::{Spot, Tally, There},
};
use crate::{
    balance::Size,
    clock, payout,
    places::{self, Busted},
    seating::tables_for,
};

/// So many registrations may have been lost with the beginning of a tournament, where it is asked which tables it had opened.
const LOST_ENTRIES: u32 = 64;

/// What a tournament is opened with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name of its room: a room is not told its own.
    pub id: RoomId,
    /// What those of its kind are called, before a number.
    pub template: String,
    /// The number of this one.
    pub number: u64,
    /// When it begins, or is called off, the next of its kind takes entries.
    pub repeats: bool,
    /// And begins so much later, where it begins at a time; milliseconds.
    pub every_ms: u64,
    /// What an entry costs; without it buy-in and prizes are play chips that are told and not paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The rest.
    pub tournament: TournamentConfig,
}

impl Settings {
    /// Of one that is played once, and is the first of its kind.
    pub fn once(id: RoomId, template: &str, tournament: TournamentConfig) -> Self {
        Self {
            id,
            template: template.into(),
            number: 1,
            repeats: false,
            every_ms: 0,
            price: None,
            tournament,
        }
    }

    /// Its entries cost chips that are somebody's.
    #[must_use]
    pub fn at(self, price: Option<Price>) -> Self {
        Self { price, ..self }
    }
}

/// What is kept of the [settings](Settings) in the room; the price stands with what it brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) id: RoomId,
    pub(crate) template: String,
    pub(crate) number: u64,
    pub(crate) repeats: bool,
    pub(crate) every_ms: u64,
    pub(crate) tournament: TournamentConfig,
}

/// A tournament: the only authority on who belongs where. Changed by [`Tournament::change`] and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tournament {
    pub(crate) settings: Kept,
    pub(crate) phase: Phase,
    /// Whoever takes part or did, by the number of the entry.
    pub(crate) entrants: Pages<u32, Entrant>,
    pub(crate) by_user: Pages<UserId, u32>,
    pub(crate) entries: u32,
    pub(crate) tables: Pages<u32, TableState>,
    pub(crate) clock: Option<Clock>,
    /// Nobody can register any more.
    pub(crate) is_closed: bool,
    pub(crate) prizes: Vec<Prize>,
    /// Who is out, the first first; who shares a place stands together.
    #[serde(with = "pages::list")]
    pub(crate) out: Pages<u32, Vec<u32>>,
    /// So many of them have their place.
    pub(crate) placed: u32,
    pub(crate) hold: Option<Holding>,
    /// The last table, where its seats are drawn anew.
    pub(crate) last_table: Option<u32>,
    pub(crate) next: Option<RoomId>,
    pub(crate) ended_ms: Option<UnixMs>,
    /// It is not there to be seen any more.
    pub(crate) is_over: bool,
    /// So many more chips are in play than were given out, or fewer, after losses by the broker.
    pub(crate) adjusted: i64,
    /// After a takeover nothing is begun and nobody sent anywhere until it is known what was said before, or this time has come; nor for a moment
    /// after a table had no seat for somebody.
    pub(crate) waits_until: Option<UnixMs>,
    /// What directors have decided of single entries.
    pub(crate) directed: BTreeMap<u32, Directed>,
    /// Where entries cost chips that are somebody's.
    pub(crate) stakes: Option<Stakes>,
    /// What follows from the entries.
    #[serde(skip)]
    pub(super) tally: Tally,
}

/// What directors have decided of one entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directed {
    /// So many hands he sits out, when he comes to a table.
    pub(crate) penalty: u32,
    /// He is to go out as soon as no hand is on.
    pub(crate) is_expelled: bool,
}

/// Somebody who takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrant {
    pub(crate) user: UserId,
    pub(crate) name: String,
    pub(crate) at: At,
    /// Chips, as far as is known.
    pub(crate) stack: u64,
    pub(crate) bank_ms: u64,
    pub(crate) sits_out: bool,
    /// Comes from a table that was not broken, so the seat is chosen and not drawn.
    pub(crate) is_moved: bool,
    pub(crate) place: Option<u32>,
    pub(crate) prize: u64,
}

/// Where an entry is: at exactly one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum At {
    /// With the tournament, which will send it to a table.
    Waiting {
        /// Which it is meant to go to.
        to: Option<u32>,
        /// The letter with which it left a table.
        re: Option<Reference>,
    },
    /// In a letter to this table.
    Sent(u32),
    /// At this table.
    Seated(u32),
    /// Out, and the place will be known when the step is done.
    Busted,
    /// Out.
    Out,
}

/// A table, as far as the tournament is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableState {
    pub(crate) stage: Stage,
    /// Whither players of it are to go who have not gone.
    pub(crate) giving: Vec<u32>,
    /// The last step that it has done.
    pub(crate) held: Option<u32>,
}

/// How far a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// It will be opened.
    Wanted,
    /// It is being opened.
    Opening(ErrandId),
    /// It is there.
    Open,
    /// All its players go.
    Breaking,
    /// It was told that nobody plays there any more.
    Closing,
    /// It is not there any more.
    Closed,
}

/// All tables play in step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holding {
    pub(crate) round: u32,
    /// Who went out in this step: entry, table, chips before the hand.
    pub(crate) busted: Vec<(u32, u32, u64)>,
}

/// One fact, in the words of the journal's records. Tables are named by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Somebody takes part.
    Registered {
        /// The number of the entry.
        entry: u32,
        /// Who.
        user: UserId,
        /// The name that others see.
        name: String,
    },
    /// Somebody does not, after all.
    Unregistered {
        /// The number of the entry.
        entry: u32,
    },
    /// It begins.
    Started {
        /// The clock.
        clock: Clock,
        /// So many tables are wanted, numbered from 1.
        tables: u32,
        /// Who goes to which: pairs of entry and table.
        seating: Vec<(u32, u32)>,
    },
    /// One table more is wanted.
    Wanted {
        /// Which.
        table: u32,
        /// It is the last one, to which all go.
        is_last: bool,
    },
    /// It is asked for.
    Asked {
        /// Which.
        table: u32,
        /// The errand's number within the frame.
        n: u16,
    },
    /// It is there.
    Opened {
        /// Which.
        table: u32,
    },
    /// An entry is on its way to a table.
    Sent {
        /// Which.
        entry: u32,
        /// Whither.
        table: u32,
    },
    /// It has arrived.
    Seated {
        /// Which.
        entry: u32,
        /// Where.
        table: u32,
    },
    /// It has not, since there was no seat.
    Turned {
        /// Which.
        entry: u32,
        /// The letter that said so.
        re: Option<Reference>,
    },
    /// A table is told to give players away.
    Giving {
        /// Which.
        table: u32,
        /// Whither.
        to: Vec<u32>,
        /// All.
        all: bool,
    },
    /// It has.
    Released {
        /// Which.
        table: u32,
        /// In which letter.
        letter: LetterId,
        /// Entry, chips, time bank, whether it sits out, and whither.
        players: Vec<(u32, u64, u64, bool, Option<u32>)>,
        /// All that it had.
        all: bool,
    },
    /// These have lost all their chips in one hand.
    Busted {
        /// Where.
        table: u32,
        /// In which hand.
        hand: u64,
        /// Entry, and the chips before the hand.
        players: Vec<(u32, u64)>,
    },
    /// These are out, the first first.
    Out {
        /// Who shares a place stands together.
        groups: Vec<Vec<u32>>,
    },
    /// A place is certain.
    Placed {
        /// Whose.
        entry: u32,
        /// Which.
        place: u32,
        /// Play chips.
        prize: u64,
    },
    /// All that are out so far have their places.
    AllPlaced,
    /// Nobody can register any more.
    Closed,
    /// A step of all tables, or none any more.
    Holding {
        /// Which.
        round: Option<u32>,
        /// What the clock is now.
        clock: Clock,
    },
    /// A table has done a step.
    Held {
        /// Which table.
        table: u32,
        /// Which step.
        round: u32,
    },
    /// The clock was changed.
    ClockSet {
        /// What it is now.
        clock: Clock,
    },
    /// Chips were counted.
    Counted {
        /// By entry.
        stacks: Vec<(u32, u64)>,
    },
    /// The broker had lost a part of a table's journal.
    Adjusted {
        /// Whose.
        table: u32,
        /// So many more chips.
        chips: i64,
    },
    /// A table is told that nobody plays there any more.
    Closing {
        /// Which.
        table: u32,
    },
    /// It is not there any more.
    Gone {
        /// Which.
        table: u32,
    },
    /// The next of its kind takes entries.
    Next {
        /// Which.
        room: RoomId,
    },
    /// It was called off.
    Cancelled {
        /// When.
        at_ms: UnixMs,
    },
    /// It has a winner.
    Ended {
        /// When.
        at_ms: UnixMs,
    },
    /// It is not there to be seen any more.
    Over,
    /// After a takeover, or where somebody was turned away, it waits until then; or it waits no more.
    Waits {
        /// Until when.
        until_ms: Option<UnixMs>,
    },
    /// A director has somebody sit out; or a table has said how much of it is left.
    Penalized {
        /// Which entry.
        entry: u32,
        /// Hands.
        hands: u32,
        /// It is a director's word, and not a table's.
        is_new: bool,
    },
    /// A director takes somebody out.
    Expels {
        /// Which entry.
        entry: u32,
    },
    /// He is out, and nobody has his chips.
    Expelled {
        /// Which entry.
        entry: u32,
        /// Chips.
        chips: u64,
    },
    /// Of chips that are somebody's.
    Stake(StakeEvent),
}

impl Tournament {
    /// Nobody has registered.
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { id, template, number, repeats, every_ms, price, tournament } = settings;
        Self {
            stakes: price.map(|price| Stakes::new(price, tournament.buy_in)),
            settings: Kept { id, template, number, repeats, every_ms, tournament },
            phase: Phase::Registering,
            entrants: Pages::default(),
            by_user: Pages::default(),
            entries: 0,
            tables: Pages::default(),
            clock: None,
            is_closed: false,
            prizes: Vec::new(),
            out: Pages::default(),
            placed: 0,
            hold: None,
            last_table: None,
            next: None,
            ended_ms: None,
            is_over: false,
            adjusted: 0,
            // A journal that is lost whole looks like one that is new.
            waits_until: Some(0),
            directed: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    /// The same, with all counted that is not stored.
    pub(super) fn counted(mut self) -> Self {
        let mut tally = Tally::default();
        self.entrants.iter().for_each(|(entry, entrant)| tally.add(*entry, entrant));
        tally.out = self.out.values().map(|group| how_many(group)).sum();
        tally.entered(self.entered(), self.config());
        self.tally = tally;
        self
    }

    /// Whether what was counted along is what there is.
    pub(super) fn is_counted_right(&self) -> bool {
        self.tally.is_as(&self.clone().counted().tally)
    }

    pub(crate) fn config(&self) -> &TournamentConfig {
        &self.settings.tournament
    }

    /// How far it is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Who has chips and is at no table nor on the way to one, with what he has.
    pub fn waiting(&self) -> impl Iterator<Item = (UserId, u64)> {
        let waiting = self.tally.waiting().iter().map(|entry| &self.entrants[entry]);
        waiting.map(|entrant| (entrant.user.clone(), entrant.stack))
    }

    /// The room of a table.
    pub(crate) fn room_of(&self, table: u32) -> RoomId {
        RoomId::new(&format!("{}.{table}", self.settings.id)).expect("its own name is short")
    }

    /// The table of a room.
    pub(crate) fn table_of(&self, room: &RoomId) -> Option<u32> {
        let number = room.as_str().strip_prefix(self.settings.id.as_str())?.strip_prefix('.')?;
        number.parse().ok()
    }

    /// Tables up to this number may have been opened, though the journal may have lost that: as long as somebody may register, one more than are
    /// known, and before it has begun, all that its entries could need.
    pub(crate) fn tables_perhaps(&self) -> u32 {
        let known = self.last_known_table();
        match self.phase {
            Phase::Registering => {
                let TournamentConfig { seats, entries_max, .. } = *self.config();
                let perhaps = self.entered().saturating_add(LOST_ENTRIES).min(entries_max);
                let tables = tables_for(usize::try_from(perhaps).unwrap_or(usize::MAX), seats);
                u32::try_from(tables).unwrap_or(u32::MAX).max(known)
            }
            Phase::Running if !self.is_closed => known.saturating_add(1),
            Phase::Running | Phase::Ended | Phase::Cancelled => known,
        }
    }

    /// The highest number of a table.
    pub(crate) fn last_known_table(&self) -> u32 {
        self.tables.last().map_or(0, |(table, _)| table)
    }

    /// So many have chips, or will.
    pub(crate) fn left(&self) -> u32 {
        u32::try_from(self.tally.playing().len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn entered(&self) -> u32 {
        u32::try_from(self.entrants.len()).unwrap_or(u32::MAX)
    }

    /// What the prizes come to.
    pub(crate) fn pool(&self) -> u64 {
        match &self.stakes {
            // Whose registration was lost, and who has got his chips back, plays for what the others have brought.
            Some(stakes) => u64::from(stakes.entries) * stakes.buy_in,
            None => (u64::from(self.entered()) * self.config().buy_in).max(self.config().guarantee),
        }
    }

    /// The first prizes, as everybody is told them: certain ones, or about as they would be.
    pub(crate) fn first_prizes(&self, count: usize) -> Vec<Prize> {
        let prizes = if self.is_closed { &self.prizes } else { self.tally.preview() };
        prizes.iter().take(count).cloned().collect()
    }

    /// All prizes: certain ones, or as they would be.
    pub(crate) fn all_prizes(&self) -> Vec<Prize> {
        if self.is_closed {
            return self.prizes.clone();
        }
        payout::prizes(self.entered(), self.pool(), &self.config().payouts)
    }

    /// So many places have a prize.
    pub(crate) fn paid(&self) -> u32 {
        payout::paid(self.entered(), &self.config().payouts)
    }

    /// When registration ends, on the clock of levels, if it does so then.
    pub(crate) fn late_until(&self) -> Option<u64> {
        let (mut levels, mut ms) = (0, 0_u64);
        for level in &self.config().levels {
            if levels >= self.config().late_levels {
                break;
            }
            levels += u32::from(matches!(level, Level::Play { .. }));
            ms = ms.saturating_add(level.ms());
        }
        (self.config().late_levels > 0).then_some(ms)
    }

    /// Tables at which there may be players.
    pub(crate) fn sizes(&self) -> Vec<Size> {
        let mut expected: BTreeMap<u32, u32> = BTreeMap::new();
        for to in self.tables.values().flat_map(|table| &table.giving) {
            *expected.entry(*to).or_default() += 1;
        }
        let there =
            self.tables.iter().filter(|(_, table)| matches!(table.stage, Stage::Open | Stage::Breaking));
        let size = |(number, table): (&u32, &TableState)| {
            let There { players, sent, .. } = self.tally.at(*number);
            let giving = u32::try_from(table.giving.len()).unwrap_or(u32::MAX);
            let expected = sent + expected.get(number).copied().unwrap_or(0);
            Size { table: *number, players, expected, giving, breaking: table.stage == Stage::Breaking }
        };
        there.map(size).collect()
    }

    /// Whether somebody is on the way.
    pub(crate) fn is_moving(&self) -> bool {
        self.tally.is_anybody_away() || self.tables.values().any(|table| !table.giving.is_empty())
    }

    /// Tables that are there and are not being emptied.
    pub(crate) fn open_tables(&self) -> impl Iterator<Item = u32> {
        self.tables.iter().filter(|(_, table)| table.stage == Stage::Open).map(|(number, _)| *number)
    }

    /// How somebody stands.
    pub(crate) fn standing(&self, entry: u32) -> Option<Standing> {
        let entrant = self.entrants.get(&entry)?;
        let table = match entrant.at {
            At::Sent(table) | At::Seated(table) => Some(self.room_of(table)),
            _ => None,
        };
        Some(Standing {
            entry,
            user: entrant.user.clone(),
            name: entrant.name.clone(),
            bot: entrant.user.is_bot(),
            stack: entrant.stack,
            table,
            place: entrant.place,
            prize: entrant.prize,
        })
    }

    /// All entries: those that play by their chips, then those that are out, the last first.
    pub(crate) fn ranking(&self) -> Vec<u32> {
        let playing = self.tally.playing().iter().map(|(_, entry)| *entry);
        let busted = self.hold.iter().flat_map(|hold| hold.busted.iter().map(|(entry, ..)| *entry));
        let out: Vec<&Vec<u32>> = self.out.values().collect();
        playing.chain(busted).chain(out.into_iter().rev().flatten().copied()).collect()
    }

    /// The first of them.
    pub(crate) fn top(&self, count: usize) -> Vec<u32> {
        match self.tally.playing().get(..count) {
            Some(best) => best.iter().map(|(_, entry)| *entry).collect(),
            None => self.ranking().into_iter().take(count).collect(),
        }
    }

    /// The groups of this step's bustings, worst first.
    pub(crate) fn ranked(&self, busted: &[(u32, u32, u64)]) -> Vec<Vec<u32>> {
        let one = |&(entry, table, began_with): &(u32, u32, u64)| Busted { entry, table, began_with };
        let busted: Vec<Busted> = busted.iter().map(one).collect();
        if is_planted(Fault::RanksByNumber) {
            return busted.iter().map(|one| vec![one.entry]).collect();
        }
        let mut groups = places::groups(&busted, self.config().hand_for_hand.ties);
        groups.reverse();
        groups
    }

    /// Somebody is elsewhere, or has something else.
    fn alter(&mut self, entry: u32, change: impl FnOnce(&mut Entrant)) {
        let entrant = self.entrants.get_mut(&entry).expect("events name entries that are there");
        let before = Spot::of(entry, entrant);
        change(entrant);
        self.tally.changes(entry, Some(before), Some(Spot::of(entry, entrant)));
    }

    /// They are out, behind all that were before.
    fn is_out(&mut self, group: Vec<u32>) {
        self.tally.out += how_many(&group);
        self.out.insert(u32::try_from(self.out.len()).unwrap_or(u32::MAX), group);
    }

    fn table(&mut self, table: u32) -> &mut TableState {
        self.tables.get_mut(&table).expect("events name tables that are there")
    }

    /// Does what an event says.
    ///
    /// # Panics
    /// If the event cannot follow from this state: the journal would be of another room, or this a fault of ours.
    pub(crate) fn change(&mut self, event: &Event, at: Position) {
        self.stakes.iter_mut().for_each(|stakes| stakes.last = at);
        match event {
            Event::Registered { entry, user, name } => {
                let (stack, bank_ms) = (self.config().stack, self.config().bank_ms);
                let entrant = Entrant {
                    user: user.clone(),
                    name: name.clone(),
                    at: At::Waiting { to: None, re: None },
                    stack,
                    bank_ms,
                    sits_out: false,
                    is_moved: false,
                    place: None,
                    prize: 0,
                };
                if let Some(before) = self.entrants.insert(*entry, entrant) {
                    self.tally.remove(*entry, &before);
                }
                self.tally.add(*entry, &self.entrants[entry]);
                self.tally.entered(self.entered(), &self.settings.tournament);
                self.by_user.insert(user.clone(), *entry);
                self.entries = self.entries.max(*entry);
            }
            Event::Unregistered { entry } => {
                if let Some(entrant) = self.entrants.remove(entry) {
                    self.by_user.remove(&entrant.user);
                    self.tally.remove(*entry, &entrant);
                    self.tally.entered(self.entered(), &self.settings.tournament);
                }
            }
            Event::Started { clock, tables, seating } => {
                self.phase = Phase::Running;
                self.clock = Some(*clock);
                for table in 1..=*tables {
                    self.want(table);
                }
                for (entry, table) in seating {
                    self.alter(*entry, |entrant| entrant.at = At::Waiting { to: Some(*table), re: None });
                }
            }
            Event::Wanted { table, is_last } => {
                self.want(*table);
                if *is_last {
                    self.last_table = Some(*table);
                }
            }
            Event::Asked { table, n } => self.table(*table).stage = Stage::Opening(ErrandId { at, n: *n }),
            Event::Opened { table } => self.table(*table).stage = Stage::Open,
            Event::Sent { entry, table } => self.alter(*entry, |entrant| entrant.at = At::Sent(*table)),
            Event::Seated { entry, table } => self.alter(*entry, |entrant| {
                (entrant.at, entrant.is_moved) = (At::Seated(*table), false);
            }),
            Event::Turned { entry, re } => {
                self.alter(*entry, |entrant| entrant.at = At::Waiting { to: None, re: re.clone() });
            }
            Event::Giving { table, to, all } => {
                let giver = self.table(*table);
                giver.giving.clone_from(to);
                if *all {
                    giver.stage = Stage::Breaking;
                }
            }
            Event::Released { table, letter, players, all } => {
                let re = Reference { from: self.room_of(*table), letter: *letter };
                for (entry, stack, bank_ms, sits_out, to) in players {
                    self.alter(*entry, |entrant| {
                        entrant.at = At::Waiting { to: *to, re: Some(re.clone()) };
                        (entrant.stack, entrant.bank_ms, entrant.sits_out) = (*stack, *bank_ms, *sits_out);
                        entrant.is_moved = !all;
                    });
                }
                self.table(*table).giving.clear();
            }
            Event::Busted { table, hand: _, players } => {
                for (entry, _) in players {
                    self.alter(*entry, |entrant| (entrant.at, entrant.stack) = (At::Busted, 0));
                }
                if let Some(hold) = &mut self.hold {
                    hold.busted.extend(players.iter().map(|(entry, began)| (*entry, *table, *began)));
                }
            }
            Event::Out { groups } => {
                for entry in groups.iter().flatten() {
                    self.alter(*entry, |entrant| entrant.at = At::Out);
                }
                groups.iter().for_each(|group| self.is_out(group.clone()));
                if let Some(hold) = &mut self.hold {
                    hold.busted.clear();
                }
            }
            Event::Placed { entry, place, prize } => {
                self.alter(*entry, |entrant| (entrant.place, entrant.prize) = (Some(*place), *prize));
                self.stakes.iter_mut().for_each(|stakes| stakes.is_due(*entry));
            }
            Event::AllPlaced => self.placed = u32::try_from(self.out.len()).unwrap_or(u32::MAX),
            Event::Closed => {
                self.prizes = payout::prizes(self.entered(), self.pool(), &self.config().payouts);
                self.is_closed = true;
            }
            Event::Holding { round, clock } => {
                self.clock = Some(*clock);
                let busted = self.hold.take().map(|hold| hold.busted).unwrap_or_default();
                self.hold = round.map(|round| Holding { round, busted });
            }
            Event::Held { table, round } => self.table(*table).held = Some(*round),
            Event::ClockSet { clock } => self.clock = Some(*clock),
            Event::Counted { stacks } => {
                for (entry, stack) in stacks {
                    self.alter(*entry, |entrant| entrant.stack = *stack);
                }
            }
            Event::Adjusted { table: _, chips } => self.adjusted += chips,
            Event::Closing { table } => self.table(*table).stage = Stage::Closing,
            Event::Gone { table } => {
                let gone = self.table(*table);
                (gone.stage, gone.giving) = (Stage::Closed, Vec::new());
            }
            Event::Next { room } => self.next = Some(room.clone()),
            Event::Cancelled { at_ms } => {
                (self.phase, self.is_closed, self.ended_ms) = (Phase::Cancelled, true, Some(*at_ms));
            }
            Event::Ended { at_ms } => {
                (self.phase, self.ended_ms) = (Phase::Ended, Some(*at_ms));
                let now = self.clock.map(|known| clock::stopped(&known, *at_ms, true));
                self.clock = now;
            }
            Event::Over => self.is_over = true,
            Event::Waits { until_ms } => self.waits_until = *until_ms,
            Event::Penalized { entry, hands, .. } => {
                self.directed.entry(*entry).or_default().penalty = *hands;
                self.directed.retain(|_, directed| *directed != Directed::default());
            }
            Event::Expels { entry } => self.directed.entry(*entry).or_default().is_expelled = true,
            Event::Expelled { entry, chips } => {
                self.directed.remove(entry);
                self.alter(*entry, |entrant| (entrant.at, entrant.stack) = (At::Out, 0));
                self.is_out(vec![*entry]);
                self.adjusted -= i64::try_from(*chips).unwrap_or(i64::MAX);
            }
            Event::Stake(event) => self.stakes.iter_mut().for_each(|stakes| stakes.change(event, at)),
        }
    }

    fn want(&mut self, table: u32) {
        self.tables.insert(table, TableState { stage: Stage::Wanted, giving: Vec::new(), held: None });
    }
}

/// Who shares a place.
pub(super) fn how_many(group: &[u32]) -> u32 {
    u32::try_from(group.len()).unwrap_or(u32::MAX)
}
