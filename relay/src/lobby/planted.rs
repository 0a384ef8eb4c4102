//! Faults that a test plants to see them caught: in tests alone, in the thread that plants them.

use std::cell::Cell;

thread_local! {
    static PLANTED: Cell<Option<Planted>> = const { Cell::new(None) };
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
    /// What a row was before is not held against views, so one that leaves a view stays on its page.
    ForgetsWhatWas,
    /// A row that comes before all that fit is not looked for.
    ForgetsWhatCameBefore,
    /// Who has missed a page gets the last news and not the whole one.
    TellsLastNewsOnly,
    /// A page that was encoded once is never encoded again.
    KeepsOldPages,
}

pub(super) fn is(fault: Planted) -> bool {
    cfg!(test) && PLANTED.get() == Some(fault)
}

#[cfg(test)]
pub(super) fn plant(fault: Option<Planted>) {
    PLANTED.set(fault);
}
