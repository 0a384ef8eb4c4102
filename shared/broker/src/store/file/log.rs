//! The file that all changes go to, and the one that takes its place when it has grown long.

use std::io;

use protocol::time::UnixMs;
use tracing::warn;

use super::{
    disk::{Disk, DiskFile},
    frame::{Change, Salt, Unreadable, frame, head, read},
};
use crate::store::shelf::Shelf;

/// Files are called so, with their number.
const NAME: &str = "journals.";
/// While it is written, a file has this at the end of its name.
const UNFINISHED: &str = ".new";

/// So much of what is there goes into one frame of a file that is begun.
const FRAME_BYTES: usize = 1 << 20;

/// Why a group is not acknowledged.
#[derive(Debug)]
pub(super) enum NotWritten {
    /// Nothing of it is in the file.
    Refused(io::Error),
    /// It may be in the file: nothing may be written behind it, and nothing be said of it, before another file has taken the place of this one.
    Unknown(io::Error),
}

/// Why a folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody has it open.
    #[error("it is in use")]
    InUse,
    /// The disk says so.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// A file in it.
    #[error("its file {name} cannot be read: {why}")]
    Unreadable {
        /// Which.
        name: String,
        /// Why.
        why: Unreadable,
    },
}

/// The files of a folder.
pub(super) struct Log {
    disk: Box<dyn Disk>,
    /// The number of the last file that was begun.
    file: u64,
    /// `None`: what is in it is not known.
    open: Option<Open>,
    /// A file is not replaced before it has grown by so much, bytes, nor before it has doubled.
    growth_min: u64,
}

struct Open {
    file: Box<dyn DiskFile>,
    salt: Salt,
    /// Of the next frame.
    number: u64,
    /// So many bytes stand in it.
    len: u64,
    /// When it is so long it is replaced.
    replaced_at: u64,
}

impl Log {
    /// Reads what is there, and begins a new file with it.
    pub(super) fn open(
        disk: Box<dyn Disk>,
        now_ms: UnixMs,
        growth_min: u64,
    ) -> Result<(Self, Shelf), OpenError> {
        let files = files(disk.as_ref())?;
        let shelf = match files.last() {
            None => Shelf::default(),
            Some(file) => {
                let name = name(*file);
                read(&disk.read(&name)?).map_err(|why| OpenError::Unreadable { name, why })?
            }
        };
        let mut log = Self { disk, file: files.last().copied().unwrap_or(0), open: None, growth_min };
        log.begin(&shelf, now_ms)?;
        Ok((log, shelf))
    }

    /// Whether what is in the file is known.
    pub(super) fn is_settled(&self) -> bool {
        self.open.is_some()
    }

    /// How many bytes stand in the file.
    pub(super) fn len(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.len)
    }

    /// Returns when a group stands on the disk.
    pub(super) fn commit(&mut self, changes: &[Change]) -> Result<(), NotWritten> {
        let Some(open) = &mut self.open else {
            return Err(NotWritten::Unknown(io::Error::other("the file is not settled")));
        };
        match open.commit(changes) {
            Ok(()) => Ok(()),
            Err(error) => {
                if matches!(error, NotWritten::Unknown(_)) {
                    self.open = None;
                }
                Err(error)
            }
        }
    }

    /// Has another file take the place of one that has grown long.
    pub(super) fn tidy(&mut self, shelf: &Shelf, now_ms: UnixMs) {
        if self.open.as_ref().is_none_or(|open| open.len < open.replaced_at) {
            return;
        }
        if let Err(error) = self.begin(shelf, now_ms) {
            warn!(%error, "the journals' file cannot be replaced by a shorter one");
            if let Some(open) = &mut self.open {
                open.replaced_at = open.len.saturating_add(self.growth_min);
            }
        }
    }

    /// Writes all that there is to a new file, which then takes the place of the one before.
    pub(super) fn begin(&mut self, shelf: &Shelf, now_ms: UnixMs) -> io::Result<()> {
        let (next, name) = (self.file + 1, name(self.file + 1));
        let unfinished = format!("{name}{UNFINISHED}");
        let written = Open::written(self.disk.as_mut(), &unfinished, shelf, now_ms);
        let open = match written {
            Ok(open) => {
                let replaced_at = open.len.saturating_mul(2).max(open.len.saturating_add(self.growth_min));
                Open { replaced_at, ..open }
            }
            Err(error) => {
                // It counts for nothing; whoever opens the folder next removes it, if it cannot be removed now.
                let _ = self.disk.remove(&unfinished);
                return Err(error);
            }
        };
        // From here on the new one may be what is found, and the old one must not be written to.
        self.open = None;
        self.file = next;
        self.disk.rename(&unfinished, &name)?;
        self.disk.sync_names()?;
        self.open = Some(open);
        self.remove_others();
        Ok(())
    }

    /// What is left of the files before goes, now or when the next one is begun.
    fn remove_others(&mut self) {
        let ours = name(self.file);
        for other in self.disk.names().unwrap_or_default() {
            if other.starts_with(NAME) && other != ours {
                let _ = self.disk.remove(&other);
            }
        }
    }
}

impl Open {
    fn written(disk: &mut dyn Disk, name: &str, shelf: &Shelf, now_ms: UnixMs) -> io::Result<Self> {
        let salt: Salt = rand::random();
        let head = head(&salt);
        let mut open =
            Self { file: disk.create(name)?, salt, number: 0, len: head.len() as u64, replaced_at: 0 };
        open.file.write(&head)?;
        let mut changes = Vec::new();
        let mut bytes = 0;
        for change in shelf.told(now_ms) {
            bytes += change.about_bytes();
            changes.push(change);
            if bytes >= FRAME_BYTES {
                open.write(&changes)?;
                changes.clear();
                bytes = 0;
            }
        }
        open.write(&changes)?;
        open.file.sync()?;
        Ok(open)
    }

    fn write(&mut self, changes: &[Change]) -> io::Result<()> {
        let frame = frame(&self.salt, self.number, changes);
        self.file.write(&frame)?;
        self.number += 1;
        self.len += frame.len() as u64;
        Ok(())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), NotWritten> {
        if let Err(error) = self.write(changes) {
            // What was half written must not stand before what comes next.
            let is_cut = self.file.cut(self.len).and_then(|()| self.file.sync());
            return Err(if is_cut.is_ok() { NotWritten::Refused(error) } else { NotWritten::Unknown(error) });
        }
        // After a failed sync the system may hold what is not on the disk to be there: it is not tried again.
        self.file.sync().map_err(NotWritten::Unknown)
    }
}

fn name(file: u64) -> String {
    format!("{NAME}{file}")
}

/// The numbers of the files that are finished, in order.
fn files(disk: &dyn Disk) -> io::Result<Vec<u64>> {
    let mut files: Vec<u64> =
        disk.names()?.iter().filter_map(|name| name.strip_prefix(NAME)?.parse().ok()).collect();
    files.sort_unstable();
    Ok(files)
}
