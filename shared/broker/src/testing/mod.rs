//! For the tests of all crates and for the load generator (feature `testing`): servers that are started on free ports and
//! end with their owner.

pub mod redis_server;
pub mod resp;
