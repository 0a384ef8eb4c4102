//! A fault that a test plants to see it caught, where no adapter can: debug builds only, in the thread that plants it.

use std::cell::Cell;

thread_local! {
    static FORGETS_ANSWERS: Cell<bool> = const { Cell::new(false) };
    static TAKES_FORGOTTEN_FOR_NEW: Cell<bool> = const { Cell::new(false) };
    static BRINGS_WHOLE_TOP_UPS: Cell<bool> = const { Cell::new(false) };
    static FORGIVES_BLINDS: Cell<bool> = const { Cell::new(false) };
    static FORGETS_SETTLED: Cell<bool> = const { Cell::new(false) };
    static LEAVES_ENDED: Cell<bool> = const { Cell::new(false) };
}

/// From now on rooms that run in this thread do not write down which errands are settled (or do again).
pub fn forget_settled(forgets: bool) {
    FORGETS_SETTLED.set(forgets);
}

pub(crate) fn forgets_settled() -> bool {
    cfg!(debug_assertions) && FORGETS_SETTLED.get()
}

/// From now on rooms that end in this thread stay in the maps (or no longer do).
pub fn leave_ended(leaves: bool) {
    LEAVES_ENDED.set(leaves);
}

pub(crate) fn leaves_ended() -> bool {
    cfg!(debug_assertions) && LEAVES_ENDED.get()
}

/// From now on rooms that run in this thread forget that they have answered a command (or no longer do).
pub fn forget_answers(forgets: bool) {
    FORGETS_ANSWERS.set(forgets);
}

/// From now on rooms that run in this thread take a command whose session they have forgotten for a new one (or no longer do).
pub fn take_forgotten_for_new(takes: bool) {
    TAKES_FORGOTTEN_FOR_NEW.set(takes);
}

pub(crate) fn takes_forgotten_for_new() -> bool {
    cfg!(debug_assertions) && TAKES_FORGOTTEN_FOR_NEW.get()
}

pub(crate) fn forgets_answers() -> bool {
    cfg!(debug_assertions) && FORGETS_ANSWERS.get()
}

/// From now on tables of this thread bring all that was promised in a hand, whatever was won meanwhile (or no longer do).
pub fn bring_whole_top_ups(brings: bool) {
    BRINGS_WHOLE_TOP_UPS.set(brings);
}

pub(crate) fn brings_whole_top_ups() -> bool {
    cfg!(debug_assertions) && BRINGS_WHOLE_TOP_UPS.get()
}

/// From now on tables of this thread forget who owes blinds (or no longer do).
pub fn forgive_blinds(forgives: bool) {
    FORGIVES_BLINDS.set(forgives);
}

pub(crate) fn forgives_blinds() -> bool {
    cfg!(debug_assertions) && FORGIVES_BLINDS.get()
}

thread_local! {
    static SENDS_LETTERS_EARLY: Cell<bool> = const { Cell::new(false) };
}

/// From now on rooms of this thread send letters before they are durable (or no longer do).
pub fn send_letters_early(sends: bool) {
    SENDS_LETTERS_EARLY.set(sends);
}

pub(crate) fn sends_letters_early() -> bool {
    cfg!(debug_assertions) && SENDS_LETTERS_EARLY.get()
}

/// A rule of letters between rooms that a test takes away, to see that it is needed: see [`letters`](crate::room::letters).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterRule {
    /// A letter is heard only after the one before it.
    Chain,
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
