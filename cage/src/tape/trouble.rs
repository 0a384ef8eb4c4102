//! What is wrong with the tape's disk, for tests: it is full, or does not say that anything stands on it.

use std::{
    fs::File,
    io::{self, Write as _},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// See the module.
#[derive(Debug, Default)]
pub struct Trouble {
    /// It takes a part of what is written, and no more.
    pub is_full: AtomicBool,
    /// It writes, and does not sync.
    pub does_not_sync: AtomicBool,
}

impl Trouble {
    pub(super) fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        if !self.is_full.load(Relaxed) {
            return Ok(());
        }
        file.write_all(&bytes[..bytes.len() / 2])?;
        Err(io::ErrorKind::StorageFull.into())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        match self.does_not_sync.load(Relaxed) {
            true => Err(io::Error::other("the disk does not answer")),
            false => Ok(()),
        }
    }
}
