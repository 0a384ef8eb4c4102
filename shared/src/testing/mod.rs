//! For the tests of all crates and for the load generator (feature `testing`): servers that are started on free ports and
//! end with their owner, and a pipe that nobody reads.

pub mod full_pipe;
pub mod redis_server;
pub mod resp;
