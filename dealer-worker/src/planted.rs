//! A fault that a test plants to see it caught, where no adapter can: debug builds only, in the thread that plants it.

use std::cell::Cell;

thread_local! {
    static FORGETS_ANSWERS: Cell<bool> = const { Cell::new(false) };
    static TAKES_FORGOTTEN_FOR_NEW: Cell<bool> = const { Cell::new(false) };
    static BRINGS_WHOLE_TOP_UPS: Cell<bool> = const { Cell::new(false) };
    static FORGIVES_BLINDS: Cell<bool> = const { Cell::new(false) };
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
