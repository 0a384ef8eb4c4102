//! Letters: what rooms write to each other, exactly once and in order, from the journal of the one into the journal of the other.
//!
//! A letter is part of the entry whose decision wrote it, and is sent when that entry is durable, until the other room says that it has
//! it. The other room takes it into its own journal in one entry with what follows from it. Each letter names the one before it, so
//! none is left out and none is heard twice. `docs/decisions/0007-letters.md` says what this promises when the broker loses the
//! end of a journal, and why.
//!
//! Here is no clock, no randomness and no I/O. In reading order:
//!
//! - [`letter`]: a letter and its name.
//! - [`outbox`] and [`inbox`]: what a room remembers of what it has said to another, and heard from it.
//! - [`correspondence`]: both for all the rooms it writes to, a part of a room's journaled state, and what a commit changes of it.
//! - [`wire`]: what rooms send each other, on [`Channel::mail`](broker::channel::Channel::mail).
//! - [`post`]: what the owner of a room does with it: what to send and when, what to commit when something comes; in it
//!   `line`: what it keeps in memory of one other room.

pub mod correspondence;
pub mod inbox;
pub mod letter;
pub mod outbox;
pub mod post;
pub mod wire;

pub use correspondence::{Correspondence, Delta, Said};
pub use letter::{Body, Letter, LetterId, Reference, TooLarge};
pub use post::{Post, Step};
pub use wire::{Mail, What};

/// The longest text of a letter, bytes.
pub const BODY_BYTES_MAX: usize = 4_096;

/// A letter uses up so many others at most.
pub const REFERENCES_MAX: usize = 16;

/// So many letters to one room may wait for its word before commands that would write to it are refused as busy.
pub const UNACKED_MAX: usize = 1_024;

/// What is decided without a command may write so many more; beyond that the rooms are [`Diverged`](correspondence::Peer::diverged).
pub const UNACKED_HARD_MAX: usize = 2 * UNACKED_MAX;

/// A room writes to so many others at most.
pub const PEERS_MAX: usize = 4_096;

/// What has arrived is kept so long on both sides, milliseconds, and so many letters of it, whichever is less: so far back a loss by
/// the broker can be made good.
pub const RETAINED_MS: u64 = 60_000;

/// See [`RETAINED_MS`].
pub const RETAINED_MAX: usize = 16;
