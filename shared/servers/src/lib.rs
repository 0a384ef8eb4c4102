//! Redis as a real server: started on free ports, and ending with its owner. For the tests of all crates, which know it as `broker::testing`, and for the
//! load generator. It knows nothing of what is said to it.
//!
//! - [`redis_server`]: one server, a cluster, or a primary with a replica and sentinels.
//! - [`resp`]: a command, and its answer.

pub mod redis_server;
pub mod resp;
