//! For the tests of all crates (feature `testing`): the messages of the document changed in every way.

pub mod mutations;
