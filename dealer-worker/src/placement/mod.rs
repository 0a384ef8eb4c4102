//! Which worker owns which room. Every worker computes the same even [`assignment`] from who lives, claims what is assigned
//! to it and has no owner, and hands over what it owns and is assigned to another. What it holds of the others'
//! rooms are [`beliefs`]: they say when to try; the journal's fence decides.

pub mod assignment;
pub mod beliefs;
mod floor;

pub use floor::Floor;
