//! A disk that is made up, for tests: it fails where it is told to, and a machine that crashes leaves of it what a real one may.

use std::{collections::BTreeMap, io, sync::Arc};

use parking_lot::Mutex;
use rand::{Rng, RngExt as _};

use super::{Disk, DiskFile};

/// Disks write so many bytes at once or not at all.
const SECTOR: usize = 64;

/// A disk in memory. Cloning it gives another view of the same one.
#[derive(Clone, Default)]
pub struct MadeUpDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: Vec<Content>,
    /// As whoever asks is told.
    names: BTreeMap<String, usize>,
    /// All that the names have been since they were synced: the disk may still have any of it.
    names_since: Vec<BTreeMap<String, usize>>,
    /// So often it was asked to change something.
    asked: u64,
    fails: Option<(u64, Failure)>,
    says_no: Option<&'static str>,
    is_gone: bool,
    lies: Option<Lie>,
}

#[derive(Default, Clone)]
struct Content {
    /// What a crash leaves.
    synced: Vec<u8>,
    now: Vec<u8>,
    /// A sync has failed: the system takes for written what is not.
    is_forgotten: bool,
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Once, half done, with an error.
    Once,
    /// Half done, and nothing works from then on: the machine is gone.
    Crash,
}

/// What a disk says that is not so: what a store that forgets to sync would meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// That the content of files stands.
    Content,
    /// That names stand.
    Names,
}

impl MadeUpDisk {
    /// Lets the change of this number fail, counted from 0.
    pub fn fail_at(&self, change: u64, how: Failure) {
        self.0.lock().fails = Some((change, how));
    }

    /// Says no to all that is written, in these words, or takes it again.
    pub fn say_no(&self, why: Option<&'static str>) {
        self.0.lock().says_no = why;
    }

    /// Is as if it were not there, or is there again.
    pub fn be_gone(&self, is_gone: bool) {
        self.0.lock().is_gone = is_gone;
    }

    /// Says what is not so from now on.
    pub fn lie(&self, lie: Lie) {
        self.0.lock().lies = Some(lie);
    }

    /// How many changes it was asked for so far.
    pub fn changes(&self) -> u64 {
        self.0.lock().asked
    }

    /// What a crash leaves of it: all that was synced; of the rest whatever chance wills.
    pub fn after_crash(&self, chance: &mut impl Rng) -> Self {
        let state = self.0.lock();
        // What the system does to names it does in order.
        let since = state.names_since.len();
        let names = match chance.random_range(0..=since) {
            last if last == since => &state.names,
            earlier => &state.names_since[earlier],
        };
        let files = state.files.iter().map(|content| content.after_crash(chance)).collect();
        let left = State { files, names: names.clone(), lies: state.lies, ..State::default() };
        Self(Arc::new(Mutex::new(left)))
    }

    /// Does a change, if it may be done: whole, or half.
    fn change<T>(&self, change: impl FnOnce(&mut State, bool) -> T) -> io::Result<T> {
        let mut state = self.0.lock();
        state.is_there()?;
        let number = state.asked;
        state.asked += 1;
        let failure = state.fails.filter(|(at, _)| *at == number).map(|(_, how)| how);
        let done = change(&mut state, failure.is_none());
        match failure {
            None => Ok(done),
            Some(how) => {
                state.is_gone |= how == Failure::Crash;
                Err(io::Error::other("the disk fails"))
            }
        }
    }

    fn change_names(&self, change: impl FnOnce(&mut BTreeMap<String, usize>)) -> io::Result<()> {
        self.change(|state, is_whole| {
            if is_whole {
                let before = state.names.clone();
                state.names_since.push(before);
                change(&mut state.names);
            }
        })
    }
}

impl State {
    fn is_there(&self) -> io::Result<()> {
        if self.is_gone { Err(io::Error::other("the disk is gone")) } else { Ok(()) }
    }
}

impl Content {
    fn after_crash(&self, chance: &mut impl Rng) -> Self {
        let (synced, now) = (&self.synced, &self.now);
        let len = chance.random_range(synced.len().min(now.len())..=synced.len().max(now.len()));
        let mut left = vec![0; len];
        for (at, sector) in left.chunks_mut(SECTOR).enumerate() {
            let from = if chance.random() { now } else { synced };
            for (byte, was) in sector.iter_mut().zip(from.iter().skip(at * SECTOR)) {
                *byte = *was;
            }
        }
        Self { synced: left.clone(), now: left, is_forgotten: false }
    }
}

impl Disk for MadeUpDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        let state = self.0.lock();
        state.is_there()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let state = self.0.lock();
        state.is_there()?;
        let file = state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(state.files[*file].now.clone())
    }

    fn create(&mut self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = self.0.lock().files.len();
        self.0.lock().files.push(Content::default());
        self.change_names(|names| {
            names.insert(name.into(), file);
        })?;
        Ok(Box::new(MadeUpFile { disk: self.clone(), file }))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let file = *self.0.lock().names.get(from).ok_or(io::ErrorKind::NotFound)?;
        self.change_names(|names| {
            names.remove(from);
            names.insert(to.into(), file);
        })
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.change_names(|names| {
            names.remove(name);
        })
    }

    fn sync_names(&mut self) -> io::Result<()> {
        self.change(|state, is_whole| {
            if is_whole && state.lies != Some(Lie::Names) {
                state.names_since.clear();
            }
        })
    }
}

struct MadeUpFile {
    disk: MadeUpDisk,
    file: usize,
}

impl DiskFile for MadeUpFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(why) = self.disk.0.lock().says_no {
            return Err(io::Error::other(why));
        }
        self.disk.change(|state, is_whole| {
            let written = if is_whole { bytes } else { &bytes[..bytes.len() / 2] };
            state.files[self.file].now.extend_from_slice(written);
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.change(|state, is_whole| {
            let is_lie = state.lies == Some(Lie::Content);
            let content = &mut state.files[self.file];
            content.is_forgotten |= !is_whole;
            if !content.is_forgotten && !is_lie {
                content.synced.clone_from(&content.now);
            }
        })
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.disk.change(|state, is_whole| {
            if is_whole {
                state.files[self.file].now.truncate(usize::try_from(len).expect("a file in memory"));
            }
        })
    }
}
