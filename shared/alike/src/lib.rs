//! Lets Cargo build once what several programs are made of.
//!
//! A crate is built once for each set of features that somebody asks for, and with it everything that stands on it. Cargo unites the features of the packages that it is told
//! to build, so `house` alone, and then `loadtest` with the programs of a cluster, would build most of all crates twice. What they would ask for
//! differently is in the manifest of this crate, on which `ops` stands, and so do they. There is no code. `scripts/check-built-once` says what is to be here.
