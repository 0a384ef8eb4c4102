//! Real PostgreSQL servers for tests.

pub use servers::postgres_server;
