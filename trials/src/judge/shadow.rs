//! The shadow model: reads every journal while it grows, and folds it in [`journal`]; in [`told`], judges what clients are told
//! by what the journal holds; in [`questions`], what they are answered; in [`spoken`], what is said where people talk; in
//! [`parts`], what a postbox tells single users; in [`rail`], what a room tells who has no part in it, and in [`cards`], when a table may tell what; in [`doors`], who may do what at tables
//! that players have opened; in [`dealt`], which hands were; in [`usher`], who may take which seat where others wait for one; in [`viewers`], how many watch where only so many may; in [`attendant`], where a queue sends who waits; in [`clerk`], what becomes of jobs; in [`contest`], who is where in a
//! tournament, whose journals are read [in order](ordered).

mod attendant;
mod cards;
mod clerk;
mod contest;
mod dealt;
mod doors;
mod journal;
mod ordered;
mod parts;
mod questions;
mod rail;
mod spoken;
mod told;
mod usher;
mod viewers;

use std::{collections::BTreeMap, sync::Arc};

use broker::{
    clock::Clock,
    entry::Entry,
    seal::Sealer,
    store::{Store, Stored, Unavailable, memory::MemoryStore},
};
use futures_util::{StreamExt, stream};
use player::tournament_referee::Wrong;
use protocol::{
    floor::TABLE_PREFIX,
    id::{NodeId, Position, RoomId, SessionId, UserId},
    table::{SeatStatus, TableView},
    time::UnixMs,
    tournament::TournamentConfig,
};
use tokio::sync::mpsc;

pub use self::contest::ContestProgress;
use self::{
    attendant::Attendant,
    clerk::Clerk,
    contest::Contest,
    dealt::Dealt,
    doors::Doorkeeper,
    journal::{Journal, OfContest},
    ordered::Ordered,
    parts::Parts,
    spoken::Spoken,
    viewers::Viewers,
};
use super::{counter::Figures, kept::Pushed, money::Purses, promise::Promise};

/// How many entries are read at once. The journal keeps a few hundred.
const READ_ENTRIES: usize = 4_096;

/// And so many journals: of what is not read soon the beginning may be trimmed.
const READS_AT_ONCE: usize = 32;

/// All journals, as they stood at the last look.
pub struct Shadow {
    store: Arc<dyn Store>,
    /// Every entry as it was written, where the store tells; else journals are read, and what a keyframe trims between two
    /// looks is missed.
    written: Option<mpsc::UnboundedReceiver<(RoomId, Stored)>>,
    rooms: BTreeMap<RoomId, Journal>,
    broken: Vec<(Promise, String)>,
    /// How often the broker was made to lose entries.
    losses: u64,
    /// What was asked of tables that players have opened.
    asked: BTreeMap<journal::Cause, String>,
    /// How many tables each has by what the floor has told him last.
    tables_of: BTreeMap<UserId, usize>,
    /// A tournament, if there is one.
    contest: Option<(RoomId, Contest)>,
    /// What waits for its turn to be judged there, where each journal is read by itself.
    ordered: Ordered,
    /// Where a queue sends who waits, if there is one.
    attendant: Attendant,
    /// What becomes of jobs.
    clerk: Clerk,
    /// Which hands wait to be written down, or have waited, where they are to be.
    pushed: Option<Pushed>,
    /// Who watches where only so many may.
    viewers: Viewers,
}

impl Shadow {
    /// Follows the journals in `store`, which it reaches on a way of its own: faults are for others.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            written: None,
            rooms: BTreeMap::new(),
            broken: Vec::new(),
            losses: 0,
            asked: BTreeMap::new(),
            tables_of: BTreeMap::new(),
            contest: None,
            ordered: Ordered::default(),
            attendant: Attendant::default(),
            clerk: Clerk::default(),
            pushed: None,
            viewers: Viewers::default(),
        }
    }

    /// The same on a store in memory, whose witness it is: no entry escapes it.
    pub fn witness(store: MemoryStore) -> Self {
        let written = Some(store.witness());
        Self { written, ..Self::new(Arc::new(store)) }
    }

    /// Hands are written down here, and stand among these before that.
    pub fn keeps_hands(&mut self, pushed: Pushed) {
        self.pushed = Some(pushed);
    }

    /// Follows a room from its beginning.
    pub fn follow(&mut self, room: RoomId) {
        self.rooms.entry(room).or_default();
    }

    /// The same for a counter.
    pub fn follow_counter(&mut self, room: RoomId) {
        self.rooms.entry(room).or_default().figures = Some(Figures::default());
    }

    /// The same for a room in which people talk.
    pub fn follow_talk(&mut self, room: RoomId) {
        self.rooms.entry(room).or_default().talk = Some(Spoken::default());
    }

    /// The same for a postbox.
    pub fn follow_postbox(&mut self, room: RoomId) {
        self.rooms.entry(room).or_default().parts = Some(Parts::default());
    }

    /// The same for a room of the floor, and for all tables that players open.
    pub fn follow_floor(&mut self, room: RoomId) {
        let journal = self.rooms.entry(room).or_default();
        journal.parts = Some(Parts::default());
        journal.is_floor = true;
    }

    /// The same for a queue, and for all tables that it opens.
    pub fn follow_queue(&mut self, room: RoomId, sealer: Sealer) {
        let journal = self.rooms.entry(room.clone()).or_default();
        journal.parts = Some(Parts::default());
        journal.of_queue = true;
        self.attendant = Attendant::of(room, sealer);
    }

    /// The same for all rooms of jobs.
    pub fn follow_jobs(&mut self, sealer: Sealer) {
        for room in protocol::jobs::rooms() {
            let journal = self.rooms.entry(room).or_default();
            journal.parts = Some(Parts::default());
            journal.of_jobs = true;
        }
        self.clerk = Clerk::of(sealer);
    }

    /// Tables that a queue has opened.
    pub fn tables_of_queue(&self) -> Vec<RoomId> {
        self.rooms_that(|journal| journal.of_queue && journal.is_table())
    }

    /// The same for a tournament that is set to this, with all tables that it opens.
    pub fn follow_contest(&mut self, room: RoomId, config: TournamentConfig, sealer: Sealer) {
        self.rooms.entry(room.clone()).or_default().of_contest = Some(OfContest::Itself);
        self.contest = Some((room.clone(), Contest::new(room, config, sealer)));
    }

    /// Whether something of a tournament was trimmed before it was read, so that it was not judged to its end.
    pub fn is_contest_unread(&self) -> bool {
        self.ordered.has_hole()
    }

    /// How far the tournament is, as far as it was judged.
    pub fn contest_progress(&self) -> Option<ContestProgress> {
        self.contest.as_ref().map(|(_, contest)| contest.progress())
    }

    /// What was decided before this time is judged.
    fn judge_contest_before(&mut self, before: UnixMs) {
        let Some((cup, contest)) = &mut self.contest else { return };
        while !self.ordered.has_hole()
            && let Some((room, entry)) =
                self.ordered.next(before, |room, entry| contest.can_be_next(room, entry))
        {
            contest.take(&room, &entry, &mut self.broken);
            // What is written there may have to be judged next, and was not read.
            let wanted = contest.take_wanted();
            let is_news = !wanted.is_empty();
            for number in wanted {
                let table = RoomId::new(&format!("{cup}.{number}")).expect("a tournament's name is short");
                self.rooms.entry(table).or_default().of_contest = Some(OfContest::Table);
            }
            if is_news {
                return;
            }
        }
    }

    /// A tournament and its tables.
    pub fn rooms_of_contest(&self) -> Vec<RoomId> {
        let all = self.contest.iter();
        all.flat_map(|(room, contest)| contest.tables().chain(std::iter::once(room))).cloned().collect()
    }

    /// Whether something was wrong with a tournament while it was played.
    pub fn is_contest_broken(&self) -> bool {
        self.contest.as_ref().is_some_and(|(_, contest)| contest.is_broken())
    }

    /// What each of those who take part in the tournament has won.
    pub fn prizes_of_contest(&self) -> BTreeMap<UserId, u64> {
        self.contest.as_ref().map(|(_, contest)| contest.prizes()).unwrap_or_default()
    }

    /// What is said of a tournament that does not come to its end.
    pub fn contest_described(&self) -> String {
        self.contest.as_ref().map(|(_, contest)| contest.describe()).unwrap_or_default()
    }

    /// What is wrong with places and prizes of a tournament that has come to its end.
    pub(super) fn finish_contest(&mut self) -> Vec<(Wrong, String)> {
        self.contest.as_mut().map(|(_, contest)| contest.finish()).unwrap_or_default()
    }

    /// Tables that players have opened.
    pub fn hosted(&self) -> Vec<RoomId> {
        self.rooms_that(|journal| journal.keeper.is_some())
    }

    /// Who of those that were told of tables of theirs has some.
    pub fn has_tables(&self) -> Option<&UserId> {
        self.tables_of.iter().find(|(_, tables)| **tables > 0).map(|(user, _)| user)
    }

    /// Whether somebody sits at a table that a player has opened, as its doorkeeper has it.
    pub fn is_taken(&self, room: &RoomId) -> bool {
        self.rooms
            .get(room)
            .and_then(|journal| journal.keeper.as_ref())
            .is_some_and(|keeper| !keeper.is_empty())
    }

    /// How many AI players were played for, and how many of them by several, one after the other.
    pub fn agents(&self) -> (u64, u64) {
        let keepers = self.rooms.values().filter_map(|journal| journal.keeper.as_ref());
        let counts = keepers.map(Doorkeeper::agents);
        counts.fold((0, 0), |(all, several), (a, s)| (all + a, several + s))
    }

    /// Somebody asks something of a table that a player has opened.
    pub fn asks_host(&mut self, room: &RoomId, (user, session, n): (&UserId, SessionId, u64), what: &str) {
        if room.as_str().starts_with(TABLE_PREFIX) {
            self.asked.insert((user.clone(), session, n), what.to_owned());
        }
    }

    /// Somebody was told that a code is wrong.
    pub fn guessed_wrong(&mut self, room: &RoomId, user: &UserId) {
        let Some(journal) = self.rooms.get_mut(room) else { return };
        let epoch = journal.last.epoch().0;
        // One that does not know of its successor yet may have answered as well, and each counts by itself.
        let owners = if journal.frames.keys().next().is_some_and(|at| at.epoch().0 < epoch) { 2 } else { 1 };
        let keeper = journal.keeper.as_mut();
        if keeper.is_some_and(|keeper| keeper.guessed_wrong(user, epoch, owners)) {
            let what = format!("{room}: {user} has guessed wrong too often, and was heard again");
            self.accuse(Promise::Host, what);
        }
    }

    /// A room is told of in the lobby.
    pub fn listed(&mut self, room: &RoomId) {
        let keeper = self.rooms.get(room).and_then(|journal| journal.keeper.as_ref());
        if keeper.is_some_and(|keeper| !keeper.may_be_listed()) {
            self.accuse(Promise::Host, format!("{room}: stands in the lobby, and was never public"));
        }
    }

    /// Whether a room has ended.
    pub fn has_ended(&self, room: &RoomId) -> bool {
        self.rooms.get(room).is_some_and(|journal| journal.ended.is_some())
    }

    /// What a counter says that the till has taken of it; `None` if that is not known.
    pub fn given(&self, room: &RoomId) -> Option<u64> {
        self.rooms.get(room)?.figures.as_ref()?.given()
    }

    /// Letters that a counter was told twice, or not in order; `None` if that is not known.
    pub fn misheard(&self, room: &RoomId) -> Option<u64> {
        self.rooms.get(room)?.figures.as_ref()?.misheard()
    }

    /// What a counter has said to another.
    pub fn said(&self, room: &RoomId, to: &RoomId) -> Option<serde_json::Value> {
        self.rooms.get(room)?.figures.as_ref()?.passed("sent", to.as_str()).cloned()
    }

    /// What a counter has heard from another.
    pub fn heard(&self, room: &RoomId, from: &RoomId) -> Option<serde_json::Value> {
        self.rooms.get(room)?.figures.as_ref()?.passed("received", from.as_str()).cloned()
    }

    /// Whether another room has ended before this counter, and it was told.
    pub fn has_parted(&self, room: &RoomId) -> Option<bool> {
        self.rooms.get(room)?.figures.as_ref()?.has_parted()
    }

    /// What was found broken so far.
    pub fn broken(&self) -> &[(Promise, String)] {
        &self.broken
    }

    /// Counts a broken promise.
    pub fn accuse(&mut self, promise: Promise, what: String) {
        self.broken.push((promise, what));
    }

    /// How many entries the broker was made to lose so far, in how many failovers.
    pub fn losses(&self) -> u64 {
        self.losses
    }

    /// The rooms that are followed.
    pub fn rooms(&self) -> Vec<RoomId> {
        self.rooms.keys().cloned().collect()
    }

    /// Those of them that are tables.
    pub fn tables(&self) -> Vec<RoomId> {
        let is_plain =
            |journal: &Journal| journal.keeper.is_none() && journal.of_contest.is_none() && !journal.of_queue;
        self.rooms_that(|journal| journal.is_table() && is_plain(journal))
    }

    /// Those of them that are counters.
    pub fn counters(&self) -> Vec<RoomId> {
        self.rooms_that(|journal| journal.figures.is_some())
    }

    /// Those of them that are postboxes.
    pub fn postboxes(&self) -> Vec<RoomId> {
        self.rooms_that(|journal| journal.parts.is_some())
    }

    fn rooms_that(&self, are: impl Fn(&Journal) -> bool) -> Vec<RoomId> {
        let rooms = self.rooms.iter().filter(|(_, journal)| are(journal));
        rooms.map(|(room, _)| room.clone()).collect()
    }

    /// Who has a seat at a table, and what he does there.
    pub fn seated(&self, room: &RoomId) -> Vec<(UserId, SeatStatus)> {
        let view = self.rooms.get(room).and_then(|journal| journal.follower.view());
        view.iter()
            .flat_map(|view| view.seats.iter().flatten())
            .map(|player| (player.user.clone(), player.status))
            .collect()
    }

    /// Whether nobody sits at a table.
    pub fn is_empty(&self, room: &RoomId) -> bool {
        let view = self.rooms.get(room).and_then(|journal| journal.follower.view());
        view.is_some_and(|view| view.seats.iter().all(Option::is_none))
    }

    /// Whether somebody sits at a table.
    pub fn sits(&self, room: &RoomId, user: &UserId) -> bool {
        let view = self.rooms.get(room).and_then(|journal| journal.follower.view());
        view.is_some_and(|view| view.seat_of(user).is_some())
    }

    /// A number that differs if any public part of any journal does.
    pub fn digest(&self) -> u64 {
        self.rooms.values().fold(0, |sum, journal| sum.rotate_left(7) ^ journal.digest)
    }

    /// What a table shows, and what its players have brought and taken home.
    pub(super) fn table(&self, room: &RoomId) -> Option<(&TableView, &Purses)> {
        let journal = self.rooms.get(room)?;
        Some((journal.follower.view()?, &journal.purses))
    }

    /// How many hands have ended at a table.
    pub fn hands_ended(&self, room: &RoomId) -> u64 {
        self.rooms.get(room).map_or(0, |journal| journal.hands_ended)
    }

    /// Which hands have ended at a table as far as its journal goes, which of them the broker has lost, and whether it has lost anything there.
    pub(super) fn dealt(&self, room: &RoomId) -> (&Dealt, bool) {
        static NOTHING: Dealt = Dealt::new();
        self.rooms.get(room).map_or((&NOTHING, false), |journal| (&journal.dealt, journal.lossy))
    }

    /// How many frames were seen in the journals.
    pub fn frames(&self) -> u64 {
        self.rooms.values().map(|journal| journal.frames_seen).sum()
    }

    /// The last position of a journal.
    pub fn last(&self, room: &RoomId) -> Position {
        self.rooms
            .get(room)
            .and_then(|journal| journal.frames.last_key_value())
            .map_or_else(Position::default, |last| *last.0)
    }

    /// Who claimed a room last.
    pub fn owner(&self, room: &RoomId) -> Option<&NodeId> {
        self.rooms.get(room)?.owner.as_ref()
    }

    /// Reads what is new in every journal.
    ///
    /// # Errors
    /// When the store cannot be read; what was read until then counts.
    pub async fn look(&mut self) -> Result<(), Unavailable> {
        if self.written.is_some() {
            self.hear();
            return Ok(());
        }
        let began = Clock::system().now_ms();
        let rooms: Vec<(RoomId, Position)> =
            self.rooms.iter().map(|(room, journal)| (room.clone(), journal.last)).collect();
        let store = self.store.clone();
        let mut reads = stream::iter(rooms)
            .map(|(room, last)| {
                let store = store.clone();
                async move {
                    let read = store.read(&room, Some(last), READ_ENTRIES).await;
                    (room, read)
                }
            })
            .buffered(READS_AT_ONCE);
        while let Some((room, read)) = reads.next().await {
            self.take_all(&room, read?).await?;
        }
        self.judge_contest_before(began);
        Ok(())
    }

    /// Reads what is new in one journal.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn look_at(&mut self, room: &RoomId) -> Result<(), Unavailable> {
        if self.written.is_some() {
            self.hear();
            return Ok(());
        }
        let Some(journal) = self.rooms.get(room) else { return Ok(()) };
        let read = self.store.read(room, Some(journal.last), READ_ENTRIES).await?;
        self.take_all(room, read).await
    }

    async fn take_all(&mut self, room: &RoomId, read: Vec<Stored>) -> Result<(), Unavailable> {
        let Some(journal) = self.rooms.get(room) else { return Ok(()) };
        if journal.is_left_out_before(&read)
            && let Some(first) = self.store.read(room, None, 1).await?.first()
            && let Some(journal) = self.rooms.get_mut(room)
        {
            journal.kept_from = first.at;
        }
        for stored in read {
            self.take(room, stored);
        }
        Ok(())
    }

    /// Takes in what the store has told since the last look.
    fn hear(&mut self) {
        while let Some((room, stored)) = self.written.as_mut().and_then(|written| written.try_recv().ok()) {
            self.take(&room, stored);
        }
    }

    fn take(&mut self, room: &RoomId, stored: Stored) {
        if room.as_str().starts_with(TABLE_PREFIX) && !self.rooms.contains_key(room) {
            let journal = Journal { keeper: Some(Doorkeeper::default()), ..Journal::default() };
            self.rooms.insert(room.clone(), journal);
        }
        if self.attendant.has_table(room) && !self.rooms.contains_key(room) {
            self.rooms.insert(room.clone(), Journal { of_queue: true, ..Journal::default() });
        }
        if !self.rooms.contains_key(room)
            && self.contest.as_ref().is_some_and(|(_, contest)| contest.has_table(room))
        {
            let journal = Journal { of_contest: Some(OfContest::Table), ..Journal::default() };
            self.rooms.insert(room.clone(), journal);
        }
        let Some(journal) = self.rooms.get_mut(room) else { return };
        journal.last = stored.at;
        match Entry::decode(stored.bytes) {
            Ok(entry) if entry.at == stored.at => {
                if let Some(keeper) = &mut journal.keeper {
                    let cause = entry.cause.clone().map(|cause| (cause.user, cause.session, cause.n));
                    let said =
                        cause.as_ref().and_then(|cause| Some((&cause.0, self.asked.get(cause)?.as_str())));
                    let by = cause.as_ref().map(|(user, session, _)| (user, *session));
                    keeper.take((room, entry.at), by, said, &entry.public, &mut self.broken);
                }
                for part in entry.privates.iter().filter(|_| journal.is_floor) {
                    let at = (room, entry.at);
                    let tables = doors::tables_told(at, &part.user, &part.bytes, &mut self.broken);
                    self.tables_of.insert(part.user.clone(), tables);
                }
                if journal.of_queue {
                    let mut wrong = Vec::new();
                    self.attendant.take(room, &entry, &mut wrong);
                    // Of what the broker has lost a queue does not know whom it had sent where: they may be sent once more.
                    self.broken.extend(wrong.into_iter().filter(|_| self.losses == 0));
                }
                if journal.of_jobs {
                    let mut wrong = Vec::new();
                    self.clerk.take(room, &entry, &mut wrong);
                    self.broken.extend(wrong.into_iter().filter(|_| self.losses == 0));
                }
                let of_contest = journal.of_contest.is_some().then(|| entry.clone());
                journal.take(entry, room, &mut self.broken);
                let begun = std::mem::take(&mut journal.dealt.begun);
                for (at, last) in begun {
                    let is_told = |pushed: &Pushed| pushed.lock().contains(&(room.clone(), last));
                    if !self.pushed.as_ref().is_none_or(is_told) {
                        let what = format!(
                            "{room} {at}: a hand begins, and that of {last} waits nowhere to be written down"
                        );
                        self.broken.push((Promise::Kept, what));
                    }
                }
                match of_contest.zip(self.contest.as_mut()) {
                    Some((entry, (_, contest))) if self.written.is_some() => {
                        contest.take(room, &entry, &mut self.broken);
                    }
                    Some((entry, _)) => self.ordered.push(room, entry),
                    None => {}
                }
            }
            Ok(entry) => {
                let what = format!("{room} {}: holds the entry {}", stored.at, entry.at);
                self.broken.push((Promise::Linear, what));
            }
            Err(malformed) => {
                self.broken.push((Promise::Linear, format!("{room} {}: {malformed}", stored.at)));
            }
        }
    }

    /// The broker has lost what was written last: forgets with it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recede(&mut self) -> Result<(), Unavailable> {
        self.losses += 1;
        for (room, journal) in &mut self.rooms {
            let last = self.store.last(room).await?.map_or_else(Position::default, |last| last.at);
            if last < journal.last {
                journal.forget_after(last);
            }
        }
        Ok(())
    }

    /// From now on the broker may have lost what was written last, and nobody says when: a keyframe of a later epoch that goes
    /// back is then no breach, nor is an acknowledgement of what it went back over.
    pub fn expect_losses(&mut self) {
        self.losses += 1;
        self.rooms.values_mut().for_each(|journal| journal.lossy = true);
    }
}

/// FNV-1a, going on from `before`: enough to tell two runs apart.
pub fn digest(before: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(before ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use broker::{entry::Kind, wire::Wire};
    use bytes::Bytes;
    use protocol::id::Epoch;

    use super::*;

    const LAST: usize = 3;

    fn room() -> RoomId {
        RoomId::new("t1").unwrap()
    }

    async fn append(store: &MemoryStore, kind: Kind, at: (u64, u64), keep_from: Option<(u64, u64)>) {
        append_that(store, kind, at, keep_from, "{}").await;
    }

    async fn append_that(
        store: &MemoryStore,
        kind: Kind,
        at: (u64, u64),
        keep_from: Option<(u64, u64)>,
        public: &'static str,
    ) {
        let at = Position::new(at.0, at.1);
        let (public, secret) = (Bytes::from_static(public.as_bytes()), Bytes::new());
        let privates = Default::default();
        let entry = Entry {
            kind,
            room: room(),
            at,
            cause: None,
            follows: Some(Epoch(1)),
            at_ms: None,
            delay: None,
            places: None,
            rail: None,
            privates,
            public,
            secret,
        };
        let keep_from = keep_from.map(|(epoch, seq)| Position::new(epoch, seq));
        store.append(&room(), at, entry.encode().stored, keep_from).await.unwrap();
    }

    /// A journal that a judge has read up to its third frame.
    async fn begun() -> (MemoryStore, Shadow) {
        let store = MemoryStore::new(Wire::perfect(), &NodeId::new("judge").unwrap());
        let mut shadow = Shadow::new(Arc::new(store.clone()));
        shadow.follow(room());
        append(&store, Kind::Claim, (1, 0), None).await;
        append(&store, Kind::Keyframe, (1, 1), None).await;
        for seq in 2..=LAST as u64 {
            append(&store, Kind::Delta, (1, seq), None).await;
        }
        shadow.look().await.unwrap();
        (store, shadow)
    }

    /// How often the line was found broken.
    async fn broken(mut shadow: Shadow) -> usize {
        shadow.look().await.unwrap();
        shadow.broken().iter().filter(|(promise, _)| *promise == Promise::Linear).count()
    }

    #[tokio::test]
    async fn a_frame_that_is_trimmed_before_it_is_read_is_no_hole() {
        let (store, mut shadow) = begun().await;
        append(&store, Kind::Delta, (1, 4), None).await;
        append(&store, Kind::Keyframe, (1, 5), Some((1, 1))).await;
        // Handed over at once.
        append(&store, Kind::Claim, (2, 0), None).await;
        append(&store, Kind::Keyframe, (2, 6), Some((1, 5))).await;
        shadow.look().await.unwrap();
        assert!(shadow.may_have_held(&room(), Position::new(1, 4)));
        assert_eq!(broken(shadow).await, 0);
    }

    /// What its frames add up to is not known behind some that nobody has read.
    #[tokio::test]
    async fn a_counter_is_not_held_against_what_it_was_before_frames_were_trimmed() {
        let store = MemoryStore::new(Wire::perfect(), &NodeId::new("judge").unwrap());
        let mut shadow = Shadow::new(Arc::new(store.clone()));
        shadow.follow_counter(room());
        append(&store, Kind::Claim, (1, 0), None).await;
        append_that(&store, Kind::Keyframe, (1, 1), None, r#"{"state": {"total": 1}}"#).await;
        shadow.look().await.unwrap();
        append_that(&store, Kind::Delta, (1, 2), None, r#"{"events": [{"e": "added", "by": 2}]}"#).await;
        append_that(&store, Kind::Keyframe, (1, 3), Some((1, 1)), r#"{"state": {"total": 3}}"#).await;
        append(&store, Kind::Claim, (2, 0), None).await;
        append_that(&store, Kind::Keyframe, (2, 4), Some((1, 3)), r#"{"state": {"total": 3}}"#).await;
        shadow.look().await.unwrap();
        assert_eq!(shadow.broken(), []);
        append_that(&store, Kind::Keyframe, (2, 5), None, r#"{"state": {"total": 4}}"#).await;
        shadow.look().await.unwrap();
        assert_eq!(shadow.broken().iter().map(|(promise, _)| *promise).collect::<Vec<_>>(), [Promise::Fold]);
    }

    #[tokio::test]
    async fn a_hole_before_a_keyframe_is_seen() {
        for epoch in [1, 2] {
            let (store, shadow) = begun().await;
            if epoch == 2 {
                append(&store, Kind::Claim, (2, 0), None).await;
            }
            append(&store, Kind::Keyframe, (epoch, 5), Some((1, 1))).await;
            assert_eq!(broken(shadow).await, 1, "epoch {epoch}");
        }
    }

    #[tokio::test]
    async fn a_hole_before_a_delta_is_seen() {
        let (store, shadow) = begun().await;
        append(&store, Kind::Delta, (1, 5), None).await;
        assert_eq!(broken(shadow).await, 1);
    }
}
