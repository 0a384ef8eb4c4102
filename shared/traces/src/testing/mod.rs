//! For tests: [`collector`], which takes traces as a real one does.

pub mod collector;
