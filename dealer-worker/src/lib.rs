//! The process that owns rooms: the kinds of rooms that a house has, its command line ([`flags`]), and what stands around a
//! worker ([`process`]).
//!
//! The runtime is the crate [`rooms`], which knows no kind; each kind is a crate of its own, of which this one makes the registry.

pub mod flags;
pub mod process;

use rooms::Kinds;

/// The kinds of rooms that a house has.
pub fn kinds() -> Kinds {
    Kinds::default().with::<table::Table>()
}
