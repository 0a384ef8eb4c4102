//! Redis and PostgreSQL as real servers: started on free ports, and ending with their owners. For the tests of all crates, which know them as
//! `broker::testing` and `cage::testing`, and for the load generator. It knows nothing of what is said to them.
//!
//! - [`postgres_server`]: one PostgreSQL server.
//! - [`redis_server`]: one server, a cluster, or a primary with a replica and sentinels.
//! - [`resp`]: a command, and its answer.

pub mod postgres_server;
pub mod redis_server;
pub mod resp;
