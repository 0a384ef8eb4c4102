//! The shadow model: reads every journal while it grows, and judges what clients are told by what the journal holds; in
//! [`questions`], what they are answered; in [`spoken`], what is said where people talk; in [`parts`], what
//! a postbox tells single users.

mod parts;
mod questions;
mod spoken;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use broker::{
    entry::{Entry, Kind},
    store::{Store, Stored, Unavailable, memory::MemoryStore},
};
use bytes::Bytes;
use player::{
    fair_play::FairPlay,
    follower::{Fault, Follower, Step},
};
use protocol::{
    RefusalCode,
    id::{NodeId, Position, RoomId, Seq, SessionId, UserId},
    table::{TableEvent, TablePrivate, TableView},
    talk::TalkView,
};
use tokio::sync::mpsc;

use self::{parts::Parts, spoken::Spoken};
use super::counter::Figures;

/// How many entries are read at once. The journal keeps a few hundred.
const READ_ENTRIES: usize = 4_096;

/// A promise that was seen broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// A journal is one line: no entry of an older epoch after a claim, no hole that no keyframe mends.
    Linear,
    /// Keyframe and deltas add up to the next keyframe.
    Fold,
    /// Chips add up after every event.
    Chips,
    /// Top-ups and blinds are as the rules of the table say.
    Rules,
    /// An accepted command is applied once.
    Once,
    /// What a room says to another is told once and in order.
    Letters,
    /// An acknowledged command is in the journal.
    Durable,
    /// What a client sees is what the journal holds.
    Equal,
    /// Nobody sees somebody else's part.
    Privacy,
    /// What a client's own referee saw.
    Client,
    /// Once faults stop, every table completes a hand, and every command is answered.
    Live,
    /// What was acknowledged and then lost by the broker is told.
    Told,
    /// No task of the house panics.
    Sound,
    /// What a room has asked of a service is done once, and what it says of that is so.
    Errands,
    /// What has ended is nowhere.
    Ended,
    /// An answer to a question is what the journal says up to the frame that it names, and nothing that is hidden.
    Answers,
    /// Nobody is heard whose token was revoked some seconds ago.
    Revoked,
}

impl Promise {
    /// All of them.
    pub fn all() -> [Self; 17] {
        use Promise::{
            Answers, Chips, Client, Durable, Ended, Equal, Errands, Fold, Letters, Linear, Live, Once,
            Privacy, Revoked, Rules, Sound, Told,
        };
        [
            Linear, Fold, Chips, Rules, Once, Durable, Equal, Privacy, Client, Live, Told, Sound, Letters,
            Errands, Ended, Answers, Revoked,
        ]
    }

    /// The name in reports.
    ///
    /// # Panics
    /// Never: it is a name.
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).ok();
        name.as_ref().and_then(|name| name.as_str()).expect("a promise is written as its name").to_owned()
    }
}

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
}

#[derive(Default)]
struct Journal {
    last: Position,
    follower: Follower,
    /// What a counter's frames add up to; `None` for other rooms.
    figures: Option<Figures>,
    /// What is said in a room in which people talk; `None` for other rooms.
    talk: Option<Spoken>,
    /// What a postbox has told whom; `None` for other rooms.
    parts: Option<Parts>,
    /// The last entry, if the room has ended.
    ended: Option<Position>,
    fair_play: FairPlay,
    /// A hole was seen (only possible after a loss): no fold until the next keyframe.
    torn: bool,
    /// The broker has lost entries of it.
    lossy: bool,
    /// Where the journal began when frames were last missing between two reads; what is older has been trimmed.
    kept_from: Position,
    /// Between these something stood that was not read.
    unread: Vec<(Position, Position)>,
    /// What stands where: the causes, and the parts for single users. The last [`FRAMES_KEPT`].
    frames: BTreeMap<Position, Frame>,
    frames_seen: u64,
    /// Who made the last claim.
    owner: Option<NodeId>,
    /// Where each command was applied.
    applied: BTreeMap<Cause, Position>,
    /// Commands of which their senders were told that they were not applied and never will be.
    refused: BTreeSet<Cause>,
    /// Views after the frames, to compare with clients'.
    views: BTreeMap<Position, TableView>,
    /// What a counter answers after its frames to who asks for its total.
    totals: BTreeMap<Position, serde_json::Value>,
    hands_ended: u64,
    /// Of all positions and public parts so far.
    digest: u64,
}

/// Whose command: user, session, counter.
type Cause = (UserId, SessionId, u64);

struct Frame {
    cause: Option<Cause>,
    privates: Vec<(UserId, Bytes)>,
}

/// Only what the shadow needs of a frame's text.
#[derive(serde::Deserialize)]
struct Text {
    #[serde(default)]
    events: Vec<TableEvent>,
    state: Option<Box<TableView>>,
}

/// Only what the shadow needs of a private part's text.
#[derive(serde::Deserialize)]
struct OwnPart {
    private: TablePrivate,
}

impl Shadow {
    /// Follows the journals in `store`, which it reaches on a way of its own: faults are for others.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, written: None, rooms: BTreeMap::new(), broken: Vec::new(), losses: 0 }
    }

    /// The same on a store in memory, whose witness it is: no entry escapes it.
    pub fn witness(store: MemoryStore) -> Self {
        let written = Some(store.witness());
        Self { written, ..Self::new(Arc::new(store)) }
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
        self.rooms_that(Journal::is_table)
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

    /// Whether nobody sits at a table.
    pub fn is_empty(&self, room: &RoomId) -> bool {
        let view = self.rooms.get(room).and_then(|journal| journal.follower.view());
        view.is_some_and(|view| view.seats.iter().all(Option::is_none))
    }

    /// A number that differs if any public part of any journal does.
    pub fn digest(&self) -> u64 {
        self.rooms.values().fold(0, |sum, journal| sum.rotate_left(7) ^ journal.digest)
    }

    /// How many hands have ended at a table.
    pub fn hands_ended(&self, room: &RoomId) -> u64 {
        self.rooms.get(room).map_or(0, |journal| journal.hands_ended)
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
        let rooms: Vec<RoomId> = self.rooms.keys().cloned().collect();
        for room in rooms {
            self.look_at(&room).await?;
        }
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
        let Some(journal) = self.rooms.get_mut(room) else { return };
        journal.last = stored.at;
        match Entry::decode(stored.bytes) {
            Ok(entry) if entry.at == stored.at => journal.take(entry, room, &mut self.broken),
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

    /// Judges a frame that was published: what anybody may see stands in the journal first.
    pub fn published(&mut self, frame: Bytes) {
        let Ok(entry) = Entry::decode(frame) else {
            return self.accuse(Promise::Durable, "something was published that is no frame".into());
        };
        let Some(journal) = self.rooms.get(&entry.room) else { return };
        let stands = journal.frames.contains_key(&entry.at);
        let is_forgotten = journal.frames.first_key_value().is_some_and(|(first, _)| entry.at < *first);
        if !stands && !is_forgotten && self.losses == 0 {
            let (room, at) = (&entry.room, entry.at);
            let what = format!("{room} {at}: was published, but is not in the journal");
            self.accuse(Promise::Durable, what);
        }
    }

    /// Judges an acknowledgement, once the journal has been read as far.
    pub fn acknowledged(&mut self, room: &RoomId, user: &UserId, session: SessionId, n: u64, at: Position) {
        let Some(journal) = self.rooms.get(room) else { return };
        let cause = journal.frames.get(&at).and_then(|frame| frame.cause.as_ref());
        let matches =
            cause.is_some_and(|(by, within, counter)| by == user && *within == session && *counter == n);
        if !matches && self.losses == 0 {
            self.accuse(
                Promise::Durable,
                format!("{room} {at}: {user} was told that {n} is there, it holds {cause:?}"),
            );
        }
    }

    /// Judges a refusal, once the journal has been read as far: the command was not applied (unless the room says that it has forgotten
    /// whether it was), and never will be.
    pub fn refused(
        &mut self,
        room: &RoomId,
        user: &UserId,
        session: SessionId,
        n: u64,
        code: Option<RefusalCode>,
    ) {
        let Some(journal) = self.rooms.get_mut(room) else { return };
        let cause = (user.clone(), session, n);
        if let Some(at) = journal.applied.get(&cause).filter(|_| code != Some(RefusalCode::Forgotten)) {
            let what = format!("{room} {at}: {user} was told {code:?} for {n}, which was applied");
            return self.accuse(Promise::Once, what);
        }
        journal.refused.insert(cause);
    }

    /// Somebody asks once more what was refused. Refusals are in no journal: another owner may decide it anew.
    pub fn asks_again(&mut self, room: &RoomId, user: &UserId, session: SessionId, n: u64) {
        if let Some(journal) = self.rooms.get_mut(room) {
            journal.refused.remove(&(user.clone(), session, n));
        }
    }

    /// Judges a private part, once the journal has been read as far.
    pub fn saw_private(&mut self, room: &RoomId, user: &UserId, at: Position, text: &str) {
        let Some(frame) = self.rooms.get(room).and_then(|journal| journal.frames.get(&at)) else { return };
        if !frame.privates.iter().any(|(whose, bytes)| whose == user && **bytes == *text.as_bytes()) {
            self.accuse(
                Promise::Privacy,
                format!("{room} {at}: {user} got a part that is not theirs: {text}"),
            );
        }
    }

    /// The same of a part that was read.
    pub fn saw_own_part(&mut self, room: &RoomId, user: &UserId, at: Position, part: &TablePrivate) {
        let Some(frame) = self.rooms.get(room).and_then(|journal| journal.frames.get(&at)) else { return };
        let is_theirs = frame.privates.iter().any(|(whose, bytes)| {
            let read = serde_json::from_slice::<OwnPart>(bytes);
            whose == user && read.is_ok_and(|own| own.private == *part)
        });
        if !is_theirs {
            self.accuse(
                Promise::Privacy,
                format!("{room} {at}: {user} got a part that is not theirs: {part:?}"),
            );
        }
    }

    /// Whether a journal holds a frame.
    pub fn holds(&self, room: &RoomId, at: Position) -> bool {
        self.rooms.get(room).is_some_and(|journal| journal.frames.contains_key(&at))
    }

    /// Whether a journal may have held a frame that is not remembered, or was trimmed before it could be read.
    pub fn may_have_held(&self, room: &RoomId, at: Position) -> bool {
        let Some(journal) = self.rooms.get(room) else { return false };
        let first = journal.frames.first_key_value().map(|first| *first.0);
        let is_old = journal.frames.len() >= FRAMES_KEPT && first.is_some_and(|first| at < first);
        is_old || journal.unread.iter().any(|(before, after)| *before < at && at < *after)
    }

    /// Judges a client's view.
    pub fn saw_view(&mut self, room: &RoomId, user: &UserId, at: Position, view: &TableView) {
        let Some(ours) = self.rooms.get(room).and_then(|journal| journal.views.get(&at)) else { return };
        if ours != view {
            self.accuse(Promise::Equal, format!("{room} {at}: {user} sees another table than the journal"));
        }
    }

    /// Judges how many parts of its own a client has got in a postbox, when nothing is on its way any more.
    pub fn got_parts(&mut self, room: &RoomId, user: &UserId, got: Option<u64>) {
        let told = self.rooms.get(room).and_then(|journal| journal.parts.as_ref()?.told(user));
        if told != got && self.losses == 0 {
            self.accuse(Promise::Equal, format!("{room}: {user} has got {got:?} parts of {told:?}"));
        }
    }

    /// Judges what a client has heard in a room in which people talk.
    pub fn saw_talk(&mut self, room: &RoomId, user: &UserId, at: Position, view: &TalkView) {
        let spoken = self.rooms.get(room).and_then(|journal| journal.talk.as_ref());
        if spoken.and_then(|spoken| spoken.at(at)).is_some_and(|ours| ours != view) {
            self.accuse(Promise::Equal, format!("{room} {at}: {user} hears something else than the journal"));
        }
    }
}

/// FNV-1a, going on from `before`: enough to tell two runs apart.
pub fn digest(before: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(before ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Views are kept for so many frames.
const VIEWS_KEPT: usize = 256;

/// What stands in frames is kept for so many.
const FRAMES_KEPT: usize = 4_096;

/// What is wrong with how a frame fits in. `lossy`: the broker may have lost some.
fn breach(step: Result<Step, Fault>, lossy: bool) -> Option<String> {
    match step {
        Err(fault) => Some(format!("{fault:?}")),
        Ok(Step::Rewound) if !lossy => Some("goes back, and nothing was lost".into()),
        Ok(_) => None,
    }
}

/// Keeps what was seen after a frame, and forgets the oldest of too many.
fn keep<V>(seen: &mut BTreeMap<Position, V>, at: Position, what: V) {
    seen.insert(at, what);
    if seen.len() > VIEWS_KEPT {
        seen.pop_first();
    }
}

impl Journal {
    fn is_table(&self) -> bool {
        self.figures.is_none() && self.talk.is_none() && self.parts.is_none()
    }

    /// Whether frames are missing between what was read and what is read now.
    fn is_left_out_before(&self, read: &[Stored]) -> bool {
        let last = self.frames.last_key_value().map_or(Seq(0), |(at, _)| at.seq());
        let next = read.iter().map(|stored| stored.at.seq()).find(|seq| *seq > Seq(0));
        next.is_some_and(|next| next > last.next())
    }

    fn take(&mut self, entry: Entry, room: &RoomId, broken: &mut Vec<(Promise, String)>) {
        let at = entry.at;
        let numbers = [at.epoch().0.to_le_bytes(), at.seq().0.to_le_bytes()];
        self.digest = digest(self.digest, numbers.into_iter().flatten().chain(entry.public.iter().copied()));
        if entry.kind == Kind::Claim {
            self.owner = std::str::from_utf8(&entry.secret).ok().and_then(|name| NodeId::new(name).ok());
            if at.seq().0 != 0 {
                broken.push((
                    Promise::Linear,
                    format!("{room} {at}: a claim that is not the first of its epoch"),
                ));
            }
            return;
        }
        if self.lossy && entry.kind == Kind::Keyframe {
            self.go_back_before(at.seq());
        }
        let before = self.frames.last_key_value().map_or_else(Position::default, |last| *last.0);
        if at.seq() != before.seq().next() {
            let is_further_on = entry.kind == Kind::Keyframe && at.seq() > before.seq();
            // Not even a keyframe may leave a number out; but what stood before it may be trimmed before it was read, at once
            // when the next keyframe comes right behind.
            let was_trimmed = is_further_on && self.kept_from >= at;
            // A keyframe of a new epoch after a loss may be further on: its owner still knew what was lost.
            let knew_more = is_further_on && self.lossy && at.epoch() > before.epoch();
            let mends = was_trimmed || knew_more;
            self.torn = !mends;
            if mends {
                self.unread.push((before, at));
                self.parts.iter_mut().for_each(Parts::forget);
            }
            if !self.lossy && !mends {
                broken.push((
                    Promise::Linear,
                    format!("{room} {at} ({:?}): follows {before}, and nothing was lost", entry.kind),
                ));
            }
        }
        if self.lossy && at.epoch() > before.epoch() && entry.kind != Kind::Keyframe {
            // The keyframe went with what was lost; the owner has not noticed yet.
            self.torn = true;
        } else if at.epoch() > before.epoch() && entry.kind != Kind::Keyframe {
            broken.push((
                Promise::Linear,
                format!("{room} {at}: an epoch that does not begin with a keyframe"),
            ));
        }
        if let Some(end) = self.ended.filter(|_| !self.lossy) {
            broken.push((Promise::Linear, format!("{room} {at}: follows the end at {end}")));
        }
        if entry.kind == Kind::End {
            self.ended = Some(at);
            self.frames.insert(at, Frame { cause: None, privates: Vec::new() });
            return;
        }
        let cause = entry.cause.map(|cause| (cause.user, cause.session, cause.n));
        if let Some(cause) = &cause
            && let Some(first) = self.applied.insert(cause.clone(), at)
        {
            broken.push((Promise::Once, format!("{room} {at}: {cause:?} was applied at {first} already")));
        }
        if let Some((user, _, n)) = cause.as_ref().filter(|cause| self.refused.contains(*cause)) {
            let what = format!("{room} {at}: applies {n} of {user}, who was told that it never would be");
            broken.push((Promise::Once, what));
        }
        if let Some(parts) = &mut self.parts {
            let whole = entry.kind == Kind::Keyframe;
            parts.take(at, &entry.privates, whole, std::mem::take(&mut self.torn), room, broken);
        }
        let privates = entry.privates.into_iter().map(|part| (part.user, part.bytes)).collect();
        self.frames.insert(at, Frame { cause, privates });
        self.frames_seen += 1;
        if self.frames.len() > FRAMES_KEPT {
            self.frames.pop_first();
        }
        if self.parts.is_some() {
            return;
        }
        if self.figures.is_some() {
            return self.count(at, &entry.public, room, broken);
        }
        if let Some(spoken) = &mut self.talk {
            return spoken.take(at, &entry.public, std::mem::take(&mut self.torn), self.lossy, room, broken);
        }
        match serde_json::from_slice(&entry.public) {
            Ok(text) => self.fold(at, text, room, broken),
            Err(error) => broken.push((Promise::Fold, format!("{room} {at}: {error}"))),
        }
    }

    fn count(&mut self, at: Position, public: &[u8], room: &RoomId, broken: &mut Vec<(Promise, String)>) {
        let Some(figures) = &mut self.figures else { return };
        let mut text: serde_json::Value = match serde_json::from_slice(public) {
            Ok(text) => text,
            Err(error) => return broken.push((Promise::Fold, format!("{room} {at}: {error}"))),
        };
        match text["state"].take() {
            serde_json::Value::Null if self.torn => {}
            serde_json::Value::Null => figures.events(text["events"].as_array().map_or(&[], Vec::as_slice)),
            state => {
                if std::mem::take(&mut self.torn) {
                    figures.forget();
                }
                if !figures.keyframe(state) && !self.lossy {
                    broken.push((
                        Promise::Fold,
                        format!("{room} {at}: is not what the frames before it add up to"),
                    ));
                }
            }
        }
        if let Some(total) = figures.total() {
            keep(&mut self.totals, at, total);
        }
    }

    fn fold(&mut self, at: Position, text: Text, room: &RoomId, broken: &mut Vec<(Promise, String)>) {
        let (mut unbalanced, mut unfair) = (false, Vec::new());
        let step = match text.state {
            Some(state) => {
                if self.torn {
                    self.follower.forget();
                    self.torn = false;
                }
                unbalanced = !state.conserves_chips();
                self.follower.keyframe(at, state)
            }
            None if self.torn => return,
            None => {
                let fair_play = &mut self.fair_play;
                self.follower.delta(at, &text.events, |when, event, view| {
                    unbalanced |= !view.conserves_chips();
                    unfair.extend(fair_play.event(when, event, view));
                })
            }
        };
        if step != Ok(Step::Next) {
            self.fair_play.forget();
        }
        let ended = |event: &&TableEvent| matches!(event, TableEvent::HandEnded { .. });
        self.hands_ended += text.events.iter().filter(ended).count() as u64;
        if unbalanced {
            broken.push((Promise::Chips, format!("{room} {at}: chips do not add up")));
        }
        broken.extend(unfair.into_iter().map(|what| (Promise::Rules, format!("{room} {at}: {what}"))));
        broken.extend(breach(step, self.lossy).map(|what| (Promise::Fold, format!("{room} {at}: {what}"))));
        if let Some(view) = self.follower.view() {
            keep(&mut self.views, at, view.clone());
        }
    }

    /// The broker may have lost frames unnoticed: those that a keyframe stands in for are gone.
    fn go_back_before(&mut self, seq: Seq) {
        while let Some(last) = self.frames.last_entry().filter(|last| last.key().seq() >= seq) {
            if let Some(cause) = last.remove().cause {
                self.applied.remove(&cause);
            }
            self.torn = true;
        }
    }

    /// The broker has lost what came after `last`.
    fn forget_after(&mut self, last: Position) {
        self.last = last;
        self.lossy = true;
        let after = Position(last.epoch(), last.seq().next());
        for lost in self.frames.split_off(&after).into_values() {
            if let Some(cause) = lost.cause {
                self.applied.remove(&cause);
            }
        }
        self.views.split_off(&after);
        self.totals.split_off(&after);
        self.ended = self.ended.filter(|end| *end <= last);
        if let Some(figures) = &mut self.figures {
            figures.forget();
            self.torn = true;
        }
        if let Some(spoken) = &mut self.talk {
            spoken.forget_after(after);
        }
        if let Some(parts) = &mut self.parts {
            parts.forget();
        }
        self.fair_play.forget();
        self.follower.forget();
        if let Some((at, view)) = self.views.last_key_value() {
            self.follower
                .keyframe(*at, Box::new(view.clone()))
                .expect("a follower that has forgotten takes anything");
        } else {
            self.torn = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use broker::wire::Wire;
    use protocol::id::Epoch;

    use super::*;

    const LAST: usize = 3;

    fn room() -> RoomId {
        RoomId::new("t1").unwrap()
    }

    async fn append(store: &MemoryStore, kind: Kind, at: (u64, u64), keep_from: Option<(u64, u64)>) {
        let at = Position::new(at.0, at.1);
        let (public, secret) = (Bytes::from_static(b"{}"), Bytes::new());
        let privates = Default::default();
        let entry = Entry {
            kind,
            room: room(),
            at,
            cause: None,
            follows: Some(Epoch(1)),
            at_ms: None,
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
