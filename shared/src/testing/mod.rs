//! For the tests of all crates and for the load generator (feature `testing`): servers that are started on free ports and
//! end with their owner, a pipe that nobody reads, the variables that a program takes, and the
//! messages of the document changed in every way.

pub mod full_pipe;
pub mod mutations;
pub mod redis_server;
pub mod resp;
pub mod variables;
