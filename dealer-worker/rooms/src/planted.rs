//! A fault that a test plants to see it caught, where no adapter can: debug builds only, in the thread that plants it.

use std::{cell::Cell, sync::OnceLock};

thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// In a process of its own, whose threads are many.
static EVERYWHERE: OnceLock<Fault> = OnceLock::new();

/// What workers of a thread can be made to do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Rooms forget that they have answered a command.
    ForgetsAnswers,
    /// Rooms take a command whose session they have forgotten for a new one.
    TakesForgottenForNew,
    /// Rooms believe that a command was never said before, however long it has waited.
    VouchesForEver,
    /// Rooms refuse what was said before without asking whether somebody else has done it.
    RefusesUnasked,
    /// Rooms do not write down what they refuse to whoever asks again.
    NotesNoRefusals,
    /// Rooms do not write down which errands are settled.
    ForgetsSettled,
    /// Rooms send letters before they are durable.
    SendsLettersEarly,
    /// Rooms answer questions from what they have not committed.
    AnswersUncommitted,
    /// The mailbox keeps no place for members.
    HearsMembersAsOthers,
    /// What does not fit into the mailbox is dropped, and nobody told.
    DropsExcess,
    /// The mailbox counts messages and not their bytes.
    WeighsNothing,
    /// The mailbox hears strangers in the order in which they come, however much one of them has sent.
    TakesNoTurns,
    /// The mailbox does not remember whom it has turned away.
    KeepsNoTurns,
    /// Tables tell their rail the cards of a hand with its last street.
    TellsCardsOfTheHand,
    /// Tables tell their rail the cards of a hand when it is over, however late the rail is shown them.
    TellsCardsAtTheEnd,
    /// Rooms that are shown late stand in the lobby as they are.
    ListsLive,
    /// Tables tell whose turn it is to whomever they refuse something.
    TellsTurnToAnybody,
    /// What is for the rail is for members too.
    TellsMembersToo,
    /// A place on a rail on which there are only so many stays taken when its viewer has gone.
    FreesNoPlaces,
    /// New owners give places before those of the owner before have run out.
    GivesPlacesUnheard,
    /// Rooms that have ended stay in the directory.
    LeavesEnded,
    /// Tables bring all that was promised in a hand, whatever was won meanwhile.
    BringsWholeTopUps,
    /// Tables forget who owes blinds.
    ForgivesBlinds,
    /// Rooms tell of what they have finished once, and not again when the store may have lost it.
    TellsOnce,
    /// They tell again of the last of it alone.
    TellsLastAgain,
    /// Tables tell nobody of hands that are over.
    TellsNoHands,
    /// Rooms begin something new before it is heard what they have finished.
    DealsUnheard,
    /// Whoever leaves a table whose chips are somebody's is not paid.
    PaysNobody,
    /// Whoever leaves such a table is paid a chip too many.
    PaysOneTooMany,
    /// A tournament's tables do not tell it who has left them.
    ForgetsReleased,
    /// They play on where all are to play in step.
    SkipsHold,
    /// They have the blinds of their beginning.
    LevelsByOwnStart,
    /// They give the small blind's seat to whoever is moved.
    BalancesToTheSmallBlind,
    /// A tournament seats one player twice.
    SeatsTwice,
    /// A tournament gives the prize of a place to whoever shares it.
    PaysSharersWhole,
    /// A tournament has prizes paid with a chip too many.
    PaysPrizesOneTooMany,
    /// A tournament gives nothing back of what its entries have cost.
    KeepsStakes,
    /// A tournament does not take whoever went out with more chips for the better one.
    RanksByNumber,
    /// A tournament's tables stay when it is over.
    LeavesTables,
    /// A tournament levels no tables.
    LevelsNothing,
    /// A tournament's new owner decides before it has asked what was said before.
    DecidesUnasked,
    /// However often somebody guesses wrong, he may guess again.
    CountsNoGuesses,
    /// Players' tables seat whoever comes.
    SeatsAnybody,
    /// Players' tables take the host's commands of anybody.
    ObeysAnybody,
    /// Players' tables stand in the lobby, whatever their host has said.
    ListsUnlisted,
    /// Whoever is kicked stays.
    KeepsKicked,
    /// The floor does not count which tables a player has.
    CountsNoTables,
    /// Tables seat whoever comes on seats to which others are called.
    SeatsOverCalls,
    /// Whoever came last to wait at a table is called first.
    CallsTheLast,
    /// Tables tell nobody who is called.
    CallsInSilence,
    /// Whoever does not come when he is called may wait again at once.
    ForgivesMissedCalls,
    /// A queue keeps the ticket of whoever it has sent to a table.
    ServesTwice,
    /// A table does not remember whom its queue has sent there.
    ForgetsTickets,
    /// A room of jobs takes an answer from whoever has had the job before, though it is another's by then or has its answer.
    AnswersAnew,
}

/// From now on workers of this thread have this fault (or none).
pub fn plant(fault: Option<Fault>) {
    PLANTED.set(fault);
}

/// From now on all workers of this process have this fault.
pub fn plant_everywhere(fault: Fault) {
    let _ = EVERYWHERE.set(fault);
}

/// Whether workers of this thread have this fault; never in a release.
pub fn is_planted(fault: Fault) -> bool {
    cfg!(debug_assertions) && (PLANTED.get() == Some(fault) || EVERYWHERE.get() == Some(&fault))
}

/// A rule of letters between rooms that a test takes away, to see that it is needed: see [`letters`](crate::room::letters).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterRule {
    /// A letter is heard only after the one before it.
    Chain,
    /// What was heard is not heard again.
    Once,
    /// What has arrived is kept for a while by the one who said it.
    Retention,
    /// What the other room has forgotten having heard is sent again.
    Rewind,
    /// After a takeover nothing is heard before all have said what was said before.
    Barrier,
    /// Forgotten letters are recalled in the order in which they were written.
    Order,
    /// What a recalled letter has used up is not told again.
    UsedUp,
    /// What is said after a takeover waits until it is known what was said before.
    Waiting,
    /// Nothing is heard of earlier owners of a room whose later owner has said hello.
    Fence,
    /// What is not acknowledged is sent again.
    Resend,
    /// What one side has forgotten and the other no longer keeps is found out.
    Diverged,
}

thread_local! {
    static WITHOUT: Cell<Option<LetterRule>> = const { Cell::new(None) };
}

/// From now on rooms of this thread write letters without this rule (or with all of them).
pub fn without(rule: Option<LetterRule>) {
    WITHOUT.set(rule);
}

pub(crate) fn is_without(rule: LetterRule) -> bool {
    cfg!(debug_assertions) && WITHOUT.get() == Some(rule)
}
