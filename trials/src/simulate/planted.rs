//! Faults that are planted into a simulated house to see that the judges catch them: ports that break a promise.

use std::{collections::BTreeMap, sync::Arc};

use broker::{
    bus::{Bus, Publishing, Receiver, Subscription},
    channel::Channel,
    entry::{Entry, Kind, Private},
    revocations::JOURNAL,
    store::{AppendError, Store, Stored, Unavailable, memory::MemoryStore},
};
use bytes::Bytes;
use futures_util::future::{BoxFuture, Either};
use protocol::id::{Position, RoomId};
use rooms::planted::{Fault, LetterRule};
use tokio::time::{Duration, sleep};

use super::pipe::Head;

/// How long a write that was acknowledged too early takes to be there.
const LATE: Duration = Duration::from_millis(30);

/// Of commands whose frames have such numbers it is said that they were not stored.
const DENIED_EVERY: u64 = 20;

/// And after this they are: a room has given up by then, and has not yet tried anything else.
const DENIED_FOR: Duration = Duration::from_millis(2_800);

/// One delta in so many is not sent to a client.
const DROPPED_EVERY: u32 = 40;

/// One part for the rail in so many is not.
const RAIL_DROPPED_EVERY: u32 = 5;

/// A broken promise to be caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// Workers take an append for done before it is.
    AcknowledgesEarly,
    /// Workers do not notice that they are fenced.
    SkipsTheFence,
    /// Workers take some commands for not stored that come into the journal after all.
    RefusesWhatIsStored,
    /// Workers forget that they have answered a command.
    ForgetsAnswers,
    /// Tables bring all that was promised, whatever was won meanwhile.
    BringsWholeTopUps,
    /// Tables forget who owes blinds.
    ForgivesBlinds,
    /// Workers remember the 64 sessions that commanded last, be they of members or not, and take whoever comes back after that for
    /// new.
    EvictsAnybody,
    /// Rooms do not write down which errands are settled.
    ForgetsSettled,
    /// Letters are heard as often as they come.
    HearsLettersAgain,
    /// Rooms answer questions from what they have not committed.
    AnswersUncommitted,
    /// Rooms that have ended stay in the map of rooms.
    LeavesEnded,
    /// Workers publish a player's part for somebody else too.
    LeaksCards,
    /// Relays leave out a delta now and then.
    DropsDeltas,
    /// Relays do not tell each other of sessions that go on.
    HidesSessions,
    /// Relays do not send the newest private part to who comes back.
    DropsResumedParts,
    /// Rooms tell their members what is for the rail.
    TellsMembersToo,
    /// Tables tell their rail the cards of a hand with its last street.
    TellsCardsOfTheHand,
    /// They tell them when it is over, however late the rail is shown them.
    TellsCardsAtTheEnd,
    /// Relays leave out a part for the rail now and then.
    DropsRail,
    /// They show a room that is shown late one frame too early.
    ShowsOneEarly,
    /// They show its keyframes at once.
    ShowsKeyframesLive,
    /// They take who has stood up for one who sits.
    KeepsWhoStoodUpLive,
    /// Tables tell whose turn it is to whomever they refuse something.
    TellsTurnToAnybody,
    /// The lobby tells of rooms that are shown late as they are.
    ListsLive,
    /// Recorders do not write down how late a table is shown.
    RecordsLive,
    /// Mailboxes keep no place for members.
    HearsMembersAsOthers,
    /// What does not fit into a mailbox is dropped, and nobody told.
    DropsExcess,
    /// Mailboxes count messages and not their bytes.
    WeighsNothing,
    /// Mailboxes do not remember whom they have turned away.
    KeepsNoTurns,
    /// Relays do not read which tokens were revoked.
    NeverReadsRevocations,
    /// The ledger does what it is asked again under another name.
    PaysUnderOtherNames,
    /// Whoever leaves a table is not paid.
    PaysNobody,
    /// However often somebody guesses a code wrong, he may guess again.
    CountsNoGuesses,
    /// Players' tables seat whoever comes.
    SeatsAnybody,
    /// Players' tables obey whoever commands.
    ObeysAnybody,
    /// All players' tables stand in the lobby.
    ListsUnlisted,
    /// Whoever is kicked stays.
    KeepsKicked,
    /// Players open as many tables as they like.
    CountsNoTables,
    /// Tables seat whoever comes on seats to which others are called.
    SeatsOverCalls,
    /// Whoever came last to wait at a table is called first.
    CallsTheLast,
    /// Tables tell nobody who waits and who is called.
    CallsInSilence,
    /// Whoever does not come when he is called may wait again at once.
    ForgivesMissedCalls,
    /// Who plays for an AI player takes the seat back from whom it was given.
    TakesSeatsBack,
    /// A queue keeps the ticket of whoever it has sent to a table.
    ServesTwice,
    /// A table does not remember whom its queue has sent there.
    ForgetsTickets,
    /// A room of jobs takes answers of whoever has had a job before.
    AnswersAnew,
    /// A tournament seats one player twice.
    SeatsTwice,
    /// Its tables do not tell it who has left them.
    ForgetsReleased,
    /// They stay when it is over.
    LeavesTables,
    /// It gives the prize of a place to each who shares it.
    PaysSharersWhole,
    /// It has prizes paid with a chip too many.
    PaysPrizesOneTooMany,
    /// It gives nothing back of what its entries have cost.
    KeepsStakes,
    /// Who went out with more chips has not the better place.
    RanksByNumber,
    /// Tables have the blinds of their beginning.
    LevelsByOwnStart,
    /// They play on where all are to play in step.
    SkipsHold,
    /// It levels no tables.
    LevelsNothing,
    /// It obeys whoever says what only directors may.
    DirectedByAnybody,
    /// Recorders say that hands are written before they are.
    RecordsLate,
    /// They write a hand that comes again as another one.
    RecordsAnew,
    /// Tables deal the next hand before the last one is in the queue.
    DealsUnheard,
    /// Relays show a room to who has no place there.
    ShowsWithoutPlace,
    /// Places stay taken when their viewers have gone.
    FreesNoPlaces,
}

impl Planted {
    /// The fault that stands in the workers' own code, if it does.
    pub(super) fn of_workers(self) -> Option<Fault> {
        Some(match self {
            Self::ForgetsAnswers => Fault::ForgetsAnswers,
            Self::EvictsAnybody => Fault::TakesForgottenForNew,
            Self::ForgetsSettled => Fault::ForgetsSettled,
            Self::AnswersUncommitted => Fault::AnswersUncommitted,
            Self::HearsMembersAsOthers => Fault::HearsMembersAsOthers,
            Self::DropsExcess => Fault::DropsExcess,
            Self::WeighsNothing => Fault::WeighsNothing,
            Self::KeepsNoTurns => Fault::KeepsNoTurns,
            Self::TellsMembersToo => Fault::TellsMembersToo,
            Self::TellsCardsOfTheHand => Fault::TellsCardsOfTheHand,
            Self::TellsCardsAtTheEnd => Fault::TellsCardsAtTheEnd,
            Self::ListsLive => Fault::ListsLive,
            Self::TellsTurnToAnybody => Fault::TellsTurnToAnybody,
            Self::LeavesEnded => Fault::LeavesEnded,
            Self::BringsWholeTopUps => Fault::BringsWholeTopUps,
            Self::ForgivesBlinds => Fault::ForgivesBlinds,
            Self::PaysNobody => Fault::PaysNobody,
            Self::CountsNoGuesses => Fault::CountsNoGuesses,
            Self::SeatsAnybody => Fault::SeatsAnybody,
            Self::ObeysAnybody => Fault::ObeysAnybody,
            Self::ListsUnlisted => Fault::ListsUnlisted,
            Self::KeepsKicked => Fault::KeepsKicked,
            Self::CountsNoTables => Fault::CountsNoTables,
            Self::SeatsOverCalls => Fault::SeatsOverCalls,
            Self::CallsTheLast => Fault::CallsTheLast,
            Self::CallsInSilence => Fault::CallsInSilence,
            Self::ForgivesMissedCalls => Fault::ForgivesMissedCalls,
            Self::ServesTwice => Fault::ServesTwice,
            Self::ForgetsTickets => Fault::ForgetsTickets,
            Self::AnswersAnew => Fault::AnswersAnew,
            Self::SeatsTwice => Fault::SeatsTwice,
            Self::ForgetsReleased => Fault::ForgetsReleased,
            Self::LeavesTables => Fault::LeavesTables,
            Self::PaysSharersWhole => Fault::PaysSharersWhole,
            Self::PaysPrizesOneTooMany => Fault::PaysPrizesOneTooMany,
            Self::KeepsStakes => Fault::KeepsStakes,
            Self::RanksByNumber => Fault::RanksByNumber,
            Self::LevelsByOwnStart => Fault::LevelsByOwnStart,
            Self::SkipsHold => Fault::SkipsHold,
            Self::LevelsNothing => Fault::LevelsNothing,
            Self::DirectedByAnybody => Fault::ObeysAnybody,
            Self::DealsUnheard => Fault::DealsUnheard,
            Self::FreesNoPlaces => Fault::FreesNoPlaces,
            _ => return None,
        })
    }

    /// The same of the relays'.
    pub(super) fn of_relays(self) -> Option<relay::planted::Fault> {
        Some(match self {
            Self::ShowsOneEarly => relay::planted::Fault::ShowsOneEarly,
            Self::ShowsKeyframesLive => relay::planted::Fault::ShowsKeyframesLive,
            Self::KeepsWhoStoodUpLive => relay::planted::Fault::KeepsWhoStoodUpLive,
            Self::ShowsWithoutPlace => relay::planted::Fault::ShowsWithoutPlace,
            _ => return None,
        })
    }

    /// The rule of letters that is not kept, if it is one.
    pub(super) fn of_letters(self) -> Option<LetterRule> {
        (self == Self::HearsLettersAgain).then_some(LetterRule::Once)
    }
}

/// A node's store that does not keep its word.
pub(super) struct LyingStore {
    honest: MemoryStore,
    planted: Planted,
}

impl LyingStore {
    pub(super) fn new(honest: MemoryStore, planted: Planted) -> Self {
        Self { honest, planted }
    }
}

impl Store for LyingStore {
    fn append(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        let room = room.clone();
        match self.planted {
            Planted::RefusesWhatIsStored => self.honest.append(&room, at, entry, keep_from),
            Planted::AcknowledgesEarly => Box::pin(async move {
                let honest = self.honest.clone();
                tokio::spawn(async move {
                    sleep(LATE).await;
                    let _ = honest.append(&room, at, entry, keep_from).await;
                });
                Ok(())
            }),
            _ => Box::pin(async move {
                match self.honest.append(&room, at, entry, keep_from).await {
                    Err(AppendError::Fenced) if at.seq().0 > 0 => Ok(()),
                    done => done,
                }
            }),
        }
    }

    fn extend(
        &self,
        room: &RoomId,
        at: Position,
        entry: Bytes,
        keep_from: Option<Position>,
    ) -> BoxFuture<'_, Result<(), AppendError>> {
        if self.planted != Planted::RefusesWhatIsStored {
            return self.append(room, at, entry, keep_from);
        }
        let is_command = Entry::decode(entry.clone()).is_ok_and(|entry| entry.cause.is_some());
        if !is_command || !at.seq().0.is_multiple_of(DENIED_EVERY) {
            return self.honest.extend(room, at, entry, keep_from);
        }
        let (honest, room) = (self.honest.clone(), room.clone());
        tokio::spawn(async move {
            sleep(DENIED_FOR).await;
            let _ = honest.extend(&room, at, entry, keep_from).await;
        });
        Box::pin(async { Err(AppendError::Refused("OOM it says".into())) })
    }

    fn probe_writing(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        self.honest.probe_writing()
    }

    fn probe_reading(&self) -> BoxFuture<'_, Result<(), Unavailable>> {
        self.honest.probe_reading()
    }

    fn read(
        &self,
        room: &RoomId,
        after: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>> {
        if self.planted == Planted::NeverReadsRevocations && room.as_str() == JOURNAL {
            return Box::pin(async { Ok(Vec::new()) });
        }
        self.honest.read(room, after, limit)
    }

    fn read_back(
        &self,
        room: &RoomId,
        before: Option<Position>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Stored>, Unavailable>> {
        self.honest.read_back(room, before, limit)
    }

    fn last(&self, room: &RoomId) -> BoxFuture<'_, Result<Option<Stored>, Unavailable>> {
        self.honest.last(room)
    }

    fn expire(&self, room: &RoomId, seconds: u64) -> BoxFuture<'_, Result<(), Unavailable>> {
        self.honest.expire(room, seconds)
    }

    fn map_all(&self, map: &str) -> BoxFuture<'_, Result<Vec<(String, Bytes)>, Unavailable>> {
        self.honest.map_all(map)
    }

    fn map_fields(&self, map: &str) -> BoxFuture<'_, Result<Vec<String>, Unavailable>> {
        self.honest.map_fields(map)
    }

    fn map_get(&self, map: &str, field: &str) -> BoxFuture<'_, Result<Option<Bytes>, Unavailable>> {
        self.honest.map_get(map, field)
    }

    fn map_set(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<(), Unavailable>> {
        self.honest.map_set(map, field, value)
    }

    fn map_set_new(&self, map: &str, field: &str, value: Bytes) -> BoxFuture<'_, Result<bool, Unavailable>> {
        self.honest.map_set_new(map, field, value)
    }

    fn map_remove(&self, map: &str, field: &str) -> BoxFuture<'_, Result<(), Unavailable>> {
        self.honest.map_remove(map, field)
    }

    fn generation(&self) -> u64 {
        self.honest.generation()
    }
}

/// A worker's bus that shows one player's part to another.
pub(super) struct LeakyBus(pub(super) Arc<dyn Bus>);

impl Bus for LeakyBus {
    fn publish(&self, channel: &Channel, payload: Bytes) -> Publishing {
        self.0.publish(channel, leak(&payload).unwrap_or(payload))
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.0.flush()
    }

    fn subscriber(&self, receiver: Arc<dyn Receiver>) -> Box<dyn Subscription> {
        self.0.subscriber(receiver)
    }
}

/// A relay's bus that does not carry news of sessions.
pub(super) struct HidingBus(pub(super) Arc<dyn Bus>);

impl Bus for HidingBus {
    fn publish(&self, channel: &Channel, payload: Bytes) -> Publishing {
        if *channel == Channel::sessions() {
            return Either::Left(futures_util::future::ready(Ok(())));
        }
        self.0.publish(channel, payload)
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.0.flush()
    }

    fn subscriber(&self, receiver: Arc<dyn Receiver>) -> Box<dyn Subscription> {
        self.0.subscriber(receiver)
    }
}

/// A relay's bus on which no news of revocations come.
pub(super) struct DeafBus(pub(super) Arc<dyn Bus>);

impl Bus for DeafBus {
    fn publish(&self, channel: &Channel, payload: Bytes) -> Publishing {
        self.0.publish(channel, payload)
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.0.flush()
    }

    fn subscriber(&self, receiver: Arc<dyn Receiver>) -> Box<dyn Subscription> {
        self.0.subscriber(Arc::new(DeafEar(receiver)))
    }
}

struct DeafEar(Arc<dyn Receiver>);

impl Receiver for DeafEar {
    fn deliver(&self, channel: &str, payload: Bytes) {
        if channel != Channel::revocations().as_str() {
            self.0.deliver(channel, payload);
        }
    }

    fn missed(&self) {
        self.0.missed();
    }
}

/// The same frame with the first player's part given to the second one instead of their own; `None` if it is no frame of
/// two players' parts.
fn leak(payload: &Bytes) -> Option<Bytes> {
    let mut entry = Entry::decode(payload.clone()).ok().filter(|entry| entry.kind == Kind::Delta)?;
    let [first, second, ..] = entry.privates.as_slice() else { return None };
    let leaked = Private { user: second.user.clone(), bytes: first.bytes.clone() };
    entry.privates[1] = leaked;
    Some(entry.encode().published)
}

/// Whether a message that a relay writes is to be left out.
#[derive(Debug)]
pub(super) enum Dropper {
    /// A message of this kind now and then: so many were there.
    Messages(&'static str, u32),
    /// Private parts that do not stand right behind their frame: what the last frame of each room was.
    ResumedParts(BTreeMap<RoomId, Position>),
}

impl Dropper {
    /// What is dropped of a planted house's messages.
    pub(super) fn of(planted: Option<Planted>) -> Option<Self> {
        match planted {
            Some(Planted::DropsDeltas) => Some(Self::Messages("frame", 0)),
            Some(Planted::DropsRail) => Some(Self::Messages("rail", 0)),
            Some(Planted::DropsResumedParts) => Some(Self::ResumedParts(BTreeMap::new())),
            _ => None,
        }
    }

    /// Sees every message in order.
    pub(super) fn drops(&mut self, text: &[u8]) -> bool {
        let Ok(Head { t, room, epoch, seq }) = serde_json::from_slice(text) else { return false };
        match self {
            Self::Messages(of, count) => {
                *count += u32::from(t == *of);
                t == *of && count.is_multiple_of(if t == "rail" { RAIL_DROPPED_EVERY } else { DROPPED_EVERY })
            }
            Self::ResumedParts(last) if t == "private" => last.get(&room) != Some(&Position(epoch, seq)),
            Self::ResumedParts(last) => {
                if matches!(t, "frame" | "keyframe") {
                    last.insert(room, Position(epoch, seq));
                }
                false
            }
        }
    }
}
