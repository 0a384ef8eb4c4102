//! How much has waited in a mailbox at most: for judges, of all mailboxes of a thread.

use std::cell::Cell;

thread_local! {
    static DEEPEST: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// So many messages of clients wait in a mailbox, and so many bytes.
pub(crate) fn note((messages, bytes): (usize, usize)) {
    let (most_messages, most_bytes) = DEEPEST.get();
    DEEPEST.set((most_messages.max(messages), most_bytes.max(bytes)));
}

/// The most messages and the most bytes since this was last asked.
pub fn take_deepest() -> (usize, usize) {
    DEEPEST.take()
}
