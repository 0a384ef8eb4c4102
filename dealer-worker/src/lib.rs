//! The process that owns rooms: the kinds of rooms that a house has, its command line ([`flags`]), what stands around a
//! worker ([`process`]), and the keys that it seals with ([`seal_keys`]).
//!
//! The runtime is the crate [`rooms`], which knows no kind; each kind is a crate of its own, of which this one makes the registry.

pub mod flags;
pub mod process;
pub mod seal_keys;

use rooms::Kinds;

/// The kinds of rooms that a house has.
pub fn kinds() -> Kinds {
    Kinds::default().with::<table::Table>()
}
