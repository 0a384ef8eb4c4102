//! A tournament and its tables as their journals tell it, in the order in which all of it was written: who is where with how many chips, what places and prizes
//! follow, and whether hands are played at the level and in the step that they should be.
//!
//! Places, prizes and levels are the [referee's](TournamentReferee); steps are read from the records, since nothing of them is told.

use std::collections::BTreeMap;

use broker::{
    entry::{Entry, Kind},
    seal::Sealer,
};
use player::tournament_referee::{TournamentReferee, Wrong};
use protocol::{
    id::{Position, RoomId, UserId},
    table::{TableEvent, TableView},
    time::UnixMs,
    tournament::{Clock, Phase, TournamentConfig, TournamentEvent},
};
use rooms::room::record::{DeltaOf, open};
use serde_json::{Map, Value};
use tokio::time::{Duration, Instant};
use tournament::{Tournament, TournamentTable, at_table, director};

use super::Promise;

/// Tables may be uneven for so long, while nobody of the tournament's owners changes: longer than any hand.
const UNEVEN_MAX: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Contest {
    room: RoomId,
    /// What the names of its tables begin with.
    prefix: String,
    sealer: Sealer,
    config: TournamentConfig,
    referee: TournamentReferee,
    /// The tournament's state, as it was told last.
    state: Option<Map<String, Value>>,
    places: BTreeMap<UserId, Place>,
    tables: BTreeMap<RoomId, Table>,
    /// Since when tables are uneven.
    uneven: Option<Instant>,
    /// Something was wrong: of what follows from that nothing is said.
    is_broken: bool,
    progress: ContestProgress,
    /// When whoever is on the way left his table, or was entered if he had none; and whether it is that.
    left_ms: BTreeMap<UserId, (UnixMs, bool)>,
    /// Tables that are to be opened, and nobody follows yet.
    wanted: Vec<u32>,
    /// Since when a new owner of the tournament waits.
    waits_since: Option<UnixMs>,
}

/// How far a tournament is, by its journals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContestProgress {
    /// How many take part.
    pub entries: usize,
    /// So many have chips.
    pub left: usize,
    /// When it began, and when it had a winner.
    pub began_ms: Option<UnixMs>,
    /// See there.
    pub ended_ms: Option<UnixMs>,
    /// Players who came from one table to another.
    pub moved: u64,
    /// From the frame in which each of them left one table to that in which he sat at the other, milliseconds.
    pub move_ms: Vec<u64>,
    /// From being entered to having a seat, of those who came when it was played, milliseconds.
    pub late_ms: Vec<u64>,
    /// Owners after the first, and how long each waited for what its tables remember, milliseconds.
    pub owners: u64,
    /// See there.
    pub waited_ms: Vec<u64>,
}

/// Where somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// At no table, with so many chips.
    Away(u64),
    At(RoomId),
    Out,
}

#[derive(Default)]
struct Table {
    view: Option<TableView>,
    step: Option<Step>,
    ended: bool,
}

/// The step in which a table is.
#[derive(Debug, Clone, Copy)]
struct Step {
    round: u32,
    hands: u32,
    is_done: bool,
}

/// An entry's public part.
#[derive(serde::Deserialize)]
struct Told<E> {
    #[serde(default = "Vec::new")]
    events: Vec<E>,
    state: Option<Value>,
}

type Broken = Vec<(Promise, String)>;

impl Contest {
    /// Nothing seen yet.
    pub(super) fn new(room: RoomId, config: TournamentConfig, sealer: Sealer) -> Self {
        Self {
            prefix: format!("{room}."),
            room,
            sealer,
            referee: TournamentReferee::new(config.clone()),
            config,
            state: None,
            places: BTreeMap::new(),
            tables: BTreeMap::new(),
            uneven: None,
            is_broken: false,
            progress: ContestProgress::default(),
            left_ms: BTreeMap::new(),
            wanted: Vec::new(),
            waits_since: None,
        }
    }

    /// How far it is.
    pub(super) fn progress(&self) -> ContestProgress {
        let left = self.places.values().filter(|place| **place != Place::Out).count();
        ContestProgress { entries: self.places.len(), left, ..self.progress.clone() }
    }

    /// What each of those who take part has won; nobody does in one that was called off.
    pub(super) fn prizes(&self) -> BTreeMap<UserId, u64> {
        let phase = self.state.as_ref().and_then(|state| state.get("phase"));
        let is_off = phase.is_some_and(|phase| *phase == serde_json::json!(Phase::Cancelled));
        let prizes = self.referee.prizes().filter(|_| !is_off);
        prizes.map(|(user, prize)| (user.clone(), prize)).collect()
    }

    /// Tables that are to be opened, each once.
    pub(super) fn take_wanted(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.wanted)
    }

    /// Whether an entry can be the next one: nobody sits down in it whose leaving was not seen.
    pub(super) fn can_be_next(&self, room: &RoomId, entry: &Entry) -> bool {
        if *room == self.room || entry.kind != Kind::Delta {
            return true;
        }
        let Ok(told) = serde_json::from_slice::<Told<TableEvent>>(&entry.public) else { return true };
        told.events.iter().all(|event| match event {
            TableEvent::Seated { user, .. } => matches!(self.places.get(user), Some(Place::Away(_))),
            _ => true,
        })
    }

    /// Whether a room is a table of it.
    pub(super) fn has_table(&self, room: &RoomId) -> bool {
        room.as_str().starts_with(&self.prefix)
    }

    /// The rooms of its tables.
    pub(super) fn tables(&self) -> impl Iterator<Item = &RoomId> {
        self.tables.keys()
    }

    /// How far it is.
    pub(super) fn phase(&self) -> Option<Phase> {
        let phase = self.state.as_ref()?.get("phase")?;
        serde_json::from_value(phase.clone()).ok()
    }

    /// Whether something was wrong.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// What is said of it when it does not come to an end.
    pub(super) fn describe(&self) -> String {
        format!("{:?}, {:?}", self.phase(), self.places)
    }

    /// Takes an entry of the tournament, or of a table of it.
    pub(super) fn take(&mut self, room: &RoomId, entry: &Entry, broken: &mut Broken) {
        if self.is_broken {
            return;
        }
        let before = broken.len();
        self.take_next(room, entry, broken);
        self.is_broken = broken.len() > before;
    }

    fn take_next(&mut self, room: &RoomId, entry: &Entry, broken: &mut Broken) {
        if entry.kind == Kind::Claim {
            self.progress.owners += u64::from(*room == self.room && self.state.is_some());
            // Whoever is new must learn what there is.
            self.uneven = None;
            return;
        }
        let is_of_it = *room == self.room;
        match (is_of_it, entry.kind) {
            (true, Kind::End) | (_, Kind::Claim) => {}
            (false, Kind::End) => self.tables.entry(room.clone()).or_default().ended = true,
            (true, _) => {
                self.hear(entry, broken);
                self.time(entry);
            }
            (false, _) => {
                self.see(room, entry, broken);
                self.walk(room, entry, broken);
            }
        }
        self.count(room, entry.at, broken);
        self.compare_sizes(broken);
        let at = entry.at;
        let faults = self.referee.take_faults().into_iter();
        broken.extend(faults.map(|(wrong, what)| (wrong.into(), format!("{room} {at}: {what}"))));
    }

    /// The tournament has told something.
    fn hear(&mut self, entry: &Entry, broken: &mut Broken) {
        let (room, at) = (self.room.clone(), entry.at);
        let told: Told<TournamentEvent> = match serde_json::from_slice(&entry.public) {
            Ok(told) => told,
            Err(error) => return broken.push((Promise::Fold, format!("{room} {at}: {error}"))),
        };
        if let Some(Value::Object(state)) = told.state {
            if self.state.as_ref().is_some_and(|known| *known != state) {
                let what = format!("{room} {at}: is not what the frames before it add up to");
                broken.push((Promise::Fold, what));
            }
            self.state = Some(state);
        }
        for event in &told.events {
            self.referee.hears(event);
            match event {
                TournamentEvent::Registered { user, .. } => {
                    let before = self.places.insert(user.clone(), Place::Away(self.config.stack));
                    let again = format!("{room} {at}: {user} takes part twice");
                    broken.extend(before.map(|_| (Promise::OnePlace, again)));
                }
                TournamentEvent::Unregistered { user, .. } => {
                    let before = self.places.remove(user);
                    if before != Some(Place::Away(self.config.stack)) {
                        let what = format!("{room} {at}: {user} is taken out, and was {before:?}");
                        broken.push((Promise::OnePlace, what));
                    }
                }
                TournamentEvent::ClockChanged => {
                    broken.push((Promise::Directed, format!("{room} {at}: somebody has set the clock")));
                }
                TournamentEvent::Penalized { user, .. } | TournamentEvent::Disqualified { user, .. } => {
                    let what = format!("{room} {at}: somebody has directed {user}");
                    broken.push((Promise::Directed, what));
                }
                TournamentEvent::Cancelled if entry.cause.is_some() => {
                    broken.push((Promise::Directed, format!("{room} {at}: somebody has called it off")));
                }
                TournamentEvent::Adjusted { chips, .. } => {
                    broken.push((Promise::Issued, format!("{room} {at}: adjusted by {chips}")));
                }
                TournamentEvent::Now { set } => {
                    if let Some(state) = &mut self.state {
                        state.extend(set.clone());
                    }
                }
                _ => {}
            }
        }
        if let Some(clock) = self.clock() {
            self.referee.clock(clock);
        }
    }

    /// When it began and ended, and how long new owners waited.
    fn time(&mut self, entry: &Entry) {
        let Some(now) = entry.at_ms.filter(|_| entry.kind == Kind::Delta) else { return };
        let Ok(DeltaOf(delta)) = open::<DeltaOf<'_, Tournament>>(&self.sealer, entry, now) else { return };
        for event in &delta.events {
            match event {
                director::Event::Registered { user, .. } if self.progress.began_ms.is_some() => {
                    self.left_ms.insert(user.clone(), (now, true));
                }
                director::Event::Started { tables, .. } => {
                    self.progress.began_ms = Some(now);
                    self.wanted.extend(1..=*tables);
                }
                director::Event::Wanted { table, .. } => self.wanted.push(*table),
                director::Event::Ended { .. } => self.progress.ended_ms = Some(now),
                // A moment is waited, too, where somebody was turned away.
                director::Event::Waits { until_ms: Some(_) } => {
                    self.waits_since = self.waits_since.or(Some(now));
                }
                director::Event::Waits { until_ms: None } => {
                    let since = self.waits_since.take();
                    self.progress.waited_ms.extend(since.map(|since| now.saturating_sub(since)));
                }
                _ => {}
            }
        }
    }

    fn clock(&self) -> Option<Clock> {
        serde_json::from_value(self.state.as_ref()?.get("clock")?.clone()).ok()
    }

    /// Something was seen at a table.
    fn see(&mut self, room: &RoomId, entry: &Entry, broken: &mut Broken) {
        // What is wrong with the frame itself is seen by whoever folds it as that of a table.
        let Ok(told) = serde_json::from_slice::<Told<TableEvent>>(&entry.public) else { return };
        let now = entry.at_ms.unwrap_or_default();
        if let Some(state) = told.state {
            self.tables.entry(room.clone()).or_default().view = serde_json::from_value(state).ok();
        }
        for event in &told.events {
            self.see_one(room, (entry.at, now), event, broken);
        }
    }

    fn see_one(
        &mut self,
        room: &RoomId,
        (at, now): (Position, UnixMs),
        event: &TableEvent,
        broken: &mut Broken,
    ) {
        let Some(view) = self.tables.get_mut(room).and_then(|table| table.view.as_mut()) else { return };
        let sat = match event {
            TableEvent::Left { seat, stack } => {
                let who = view.seats.get(usize::from(*seat)).and_then(Option::as_ref);
                who.map(|who| (who.user.clone(), *stack))
            }
            _ => None,
        };
        if view.apply(event).is_err() {
            return;
        }
        self.referee.sees(now, room, event, view);
        match (event, sat) {
            (TableEvent::Seated { user, stack, .. }, _) => {
                let before = self.places.insert(user.clone(), Place::At(room.clone()));
                if let Some((since, is_entered)) = self.left_ms.remove(user) {
                    let took = now.saturating_sub(since);
                    match is_entered {
                        true => self.progress.late_ms.push(took),
                        false => self.progress.move_ms.push(took),
                    }
                    self.progress.moved += u64::from(!is_entered);
                }
                match before {
                    Some(Place::Away(chips)) if chips == *stack => {}
                    Some(Place::Away(chips)) => {
                        let what = format!("{room} {at}: {user} brings {stack}, and had {chips}");
                        broken.push((Promise::Issued, what));
                    }
                    before => {
                        let what = format!("{room} {at}: {user} sits down, and is {before:?}");
                        broken.push((Promise::OnePlace, what));
                    }
                }
            }
            (TableEvent::Left { .. }, Some((user, stack))) => {
                let after = if stack > 0 { Place::Away(stack) } else { Place::Out };
                if stack > 0 {
                    self.left_ms.insert(user.clone(), (now, false));
                }
                let before = self.places.insert(user.clone(), after);
                if before != Some(Place::At(room.clone())) {
                    let what = format!("{room} {at}: {user} leaves, and is {before:?}");
                    broken.push((Promise::OnePlace, what));
                }
            }
            _ => {}
        }
    }

    /// Steps: in the first no hand begins, in each that follows one does at most; and a step begins when all tables have done the one before.
    fn walk(&mut self, room: &RoomId, entry: &Entry, broken: &mut Broken) {
        if entry.kind != Kind::Delta {
            return;
        }
        let at = entry.at;
        let now = entry.at_ms.unwrap_or_default();
        let read = open::<DeltaOf<'_, TournamentTable>>(&self.sealer, entry, now);
        let DeltaOf(delta) = match read {
            Ok(delta) => delta,
            Err(error) => return broken.push((Promise::Fold, format!("{room} {at}: {error}"))),
        };
        for event in &delta.events {
            let table = self.tables.entry(room.clone()).or_default();
            match event {
                at_table::Event::Holding { hold } => {
                    table.step = hold.map(|(_, round, _)| Step { round, hands: 0, is_done: false });
                }
                at_table::Event::Held => {
                    if let Some(step) = &mut table.step {
                        step.is_done = true;
                    }
                }
                at_table::Event::Began { .. } => {
                    let Some(step) = &mut table.step else { continue };
                    step.hands += 1;
                    let Step { round, hands, .. } = *step;
                    let is_too_much = hands > u32::from(round > 1);
                    let is_behind =
                        |other: &Step| other.round + 1 < round || (other.round < round && !other.is_done);
                    let others =
                        self.tables.iter().filter(|(other, table)| *other != room && !table.is_empty());
                    let behind = others
                        .filter_map(|(other, table)| Some((other, table.step.as_ref()?)))
                        .find(|(_, step)| is_behind(step));
                    if is_too_much {
                        let what = format!("{room} {at}: hand {hands} in step {round}");
                        broken.push((Promise::Step, what));
                    } else if let Some((other, step)) = behind {
                        let what = format!("{room} {at}: plays step {round}, and {other} is at {step:?}");
                        broken.push((Promise::Step, what));
                    }
                }
                _ => {}
            }
        }
    }

    /// All chips, wherever they are.
    fn count(&mut self, room: &RoomId, at: Position, broken: &mut Broken) {
        let lying = self.tables.values().filter(|table| !table.ended).filter_map(|table| table.view.as_ref());
        let lying: u64 = lying.map(TableView::on_table).sum();
        let away = self.places.values().map(|place| match place {
            Place::Away(chips) => *chips,
            Place::At(_) | Place::Out => 0,
        });
        let (there, issued) = (lying + away.sum::<u64>(), self.config.stack * self.places.len() as u64);
        if there != issued {
            broken.push((Promise::Issued, format!("{room} {at}: {there} chips of {issued}")));
        }
    }

    /// Whether tables are uneven, and for how long.
    fn compare_sizes(&mut self, broken: &mut Broken) {
        let is_played = self.phase() == Some(Phase::Running);
        let sizes = self.tables.values().map(Table::size).filter(|size| *size > 0);
        let (least, most) =
            sizes.fold((usize::MAX, 0), |(least, most), size| (least.min(size), most.max(size)));
        // In step one more is right, and in a break nobody moves.
        if !is_played || most.saturating_sub(least) < 3 && !(least == 1 && self.is_lonely()) {
            self.uneven = None;
            return;
        }
        let since = *self.uneven.get_or_insert_with(Instant::now);
        if since.elapsed() > UNEVEN_MAX {
            let what = format!("{}: has had tables of {least} and {most} for long", self.room);
            broken.push((Promise::Balanced, what));
            self.uneven = None;
        }
    }

    /// Somebody sits alone, and others play elsewhere.
    fn is_lonely(&self) -> bool {
        self.tables.values().filter(|table| table.size() > 0).count() > 1
    }

    /// It is over: what everybody has come to.
    pub(super) fn finish(&mut self) -> Vec<(Wrong, String)> {
        if self.phase() == Some(Phase::Ended) {
            self.referee.finish();
        }
        self.referee.take_faults()
    }
}

impl Table {
    fn size(&self) -> usize {
        let view = self.view.as_ref().filter(|_| !self.ended);
        view.map_or(0, |view| view.seats.iter().flatten().count())
    }

    fn is_empty(&self) -> bool {
        self.size() == 0
    }
}
