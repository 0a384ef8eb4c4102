//! A fault that a test plants to see it caught, where no adapter can: debug builds only, in the thread that plants it.

use std::cell::Cell;

thread_local! {
    static FORGETS_ANSWERS: Cell<bool> = const { Cell::new(false) };
    static TAKES_FORGOTTEN_FOR_NEW: Cell<bool> = const { Cell::new(false) };
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
