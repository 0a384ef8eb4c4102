//! Real PostgreSQL servers for tests.

pub mod postgres_server;
