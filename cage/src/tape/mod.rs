//! The tape: what the ledger has decided, on another disk than the database.
//!
//! Before a group of jobs is committed, what the ledger has decided in it stands on the tape, and the tape on the disk. So whatever was answered
//! outlives a database that goes back: one that is restored from a backup, or a replica that had not everything. When the cage starts, what
//! stands on the tape and not in the database is applied by name, with the outcome that it had ([`replay`](crate::ledger::replay)): a
//! refusal that was told stays one, too.
//!
//! - `line`: what stands on it; `reading`: a folder of it, and what is wrong with one.
//! - `writing`: how it comes on the disk, and what becomes of lines that did not.
//! - `forward`: how a database is brought forward.
//!
//! A tape belongs to one ledger, and to one process at a time. Of lines whose group was not committed nobody has heard: where the process lives it
//! writes that they are *dropped*; where it died before, they are applied like all others when it starts, and whoever asks again by that name
//! hears what the tape says.

mod forward;
mod line;
mod reading;
#[cfg(any(test, feature = "testing"))]
mod trouble;
mod writing;

use std::{io, path::PathBuf};

pub use forward::{Forward, ForwardError};
pub use line::{Cut, Entry, Leg, Request};
pub(crate) use line::{entry, unhex};
pub use reading::{Damage, check};
#[cfg(any(test, feature = "testing"))]
pub use trouble::Trouble;
pub use writing::{Group, Tape};

/// Why there is no tape.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// Another process writes it.
    #[error("the tape {0} belongs to another process that is running: each cage has a tape of its own")]
    Taken(PathBuf),
    /// It cannot be read or written.
    #[error("the tape {0}: {1}")]
    Io(PathBuf, io::Error),
    /// It is not whole.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// It is another ledger's.
    #[error(
        "the tape {0} belongs to another database (its first line says {1}, this one is {2}): name the right folder, or an empty one"
    )]
    NotOurs(PathBuf, String, String),
    /// The database knows more of it than is there.
    #[error(
        "the tape {0} ends with line {1}, and the database has lines up to {2}: its end is missing. Put it back, or move what is left away and \
         begin a new tape"
    )]
    Short(PathBuf, u64, u64),
}
