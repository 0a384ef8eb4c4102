//! For the tests of all crates (feature `testing`): a pipe that nobody reads, and the variables that a program takes.

pub mod full_pipe;
pub mod variables;
