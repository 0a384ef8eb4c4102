//! How lines come on the disk: written in one order, and synced together by however many tellers wait.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use hands::{hex::digits, utc::Utc};
use metrics::{counter, gauge, histogram};
use protocol::time::UnixMs;

#[cfg(any(test, feature = "testing"))]
use super::trouble::Trouble;
use super::{
    TapeError,
    line::{self, Entry, FORM, Head, Line},
    reading::{self, ENDING, Reel, Tip, Whole},
};

/// So many lines after the last mark the database is told another.
const MARK_EVERY: u64 = 256;

const LOCK: &str = "tape.lock";

/// The tape of a cage.
pub struct Tape {
    folder: PathBuf,
    database: String,
    id: String,
    writing: Mutex<Writing>,
    /// Held while the disk is waited for: whoever comes next finds his lines there already.
    syncing: Mutex<()>,
    #[cfg(any(test, feature = "testing"))]
    trouble: Arc<Trouble>,
    _lock: File,
}

/// Lines that stand on the disk, whose group is about to be committed.
#[derive(Debug, Clone)]
pub struct Group {
    first: u64,
    last: u64,
    reel: u64,
    generation: u64,
    bytes: u64,
}

struct Writing {
    file: Arc<File>,
    day: String,
    /// Which file of this process it is.
    reel: u64,
    /// The end of what is written.
    tip: Tip,
    bytes: u64,
    /// The end of what stands on the disk for certain.
    synced: (Tip, u64),
    /// Grows when lines are taken back that were written.
    generation: u64,
    /// Something is behind the end that could not be taken away.
    is_dirty: bool,
    /// Groups of which nobody knows yet whether they were committed, by their first lines: of which generation they are.
    open: BTreeMap<u64, u64>,
    /// Lines that are to be dropped, with the line that says so once there is one.
    drops: Vec<(u64, Option<u64>)>,
    marked: u64,
}

impl Writing {
    /// Up to which line everything is decided.
    fn done(&self) -> u64 {
        self.open.first_key_value().map_or(self.tip.n, |(first, _)| first - 1)
    }

    /// Lines were taken back since the group was written. It is among what stood on the disk already, or among these.
    fn became_of(&self, group: &Group) -> io::Result<()> {
        match self.open.get(&group.first) == Some(&group.generation) {
            true => Ok(()),
            false => Err(io::Error::other("it, or what is before it, did not come on the disk")),
        }
    }
}

impl Tape {
    /// Opens the tape in this folder, which is made where there is none. Nobody else may read what is in it.
    ///
    /// # Errors
    /// [`TapeError`] says what is in the way.
    pub fn open(folder: &Path, database: &str, now: UnixMs) -> Result<Self, TapeError> {
        let at = |error| TapeError::Io(folder.into(), error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at)?;
        let lock = lock(folder)?;
        let reels = reading::reels(folder)?;
        if let Some(Reel { head, .. }) = reels.first().filter(|reel| reel.head.database != database) {
            return Err(TapeError::NotOurs(folder.into(), head.database.clone(), database.into()));
        }
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| at(io::Error::other("there is no randomness")))?;
        let id = reels.first().map_or_else(|| digits(&id), |reel| reel.head.id.clone());
        #[cfg(any(test, feature = "testing"))]
        let trouble = Arc::<Trouble>::default();
        let begun = match reels.last() {
            Some(_) => resume(&reels)?,
            None => Begun::new(folder, date(now), (database, &id), Tip::beginning()).map_err(at)?,
        };
        Ok(Self {
            folder: folder.into(),
            database: database.into(),
            id,
            writing: Mutex::new(Writing {
                file: begun.file,
                day: begun.day,
                reel: 0,
                synced: (begun.tip.clone(), begun.bytes),
                tip: begun.tip,
                bytes: begun.bytes,
                generation: 0,
                is_dirty: false,
                open: BTreeMap::new(),
                drops: Vec::new(),
                marked: 0,
            }),
            syncing: Mutex::new(()),
            #[cfg(any(test, feature = "testing"))]
            trouble,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which tape it is, as the database marks it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The number of its last line.
    pub fn last(&self) -> u64 {
        self.writing().tip.n
    }

    /// Nothing that is done with it panics while it is held; were it so, lines are taken back at the next failure.
    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts entries on the tape, and returns when they stand on the disk. Then the group may be committed.
    ///
    /// # Errors
    /// Nothing of it is on the tape, and the group must not be committed.
    pub fn append(&self, entries: Vec<Entry>) -> io::Result<Group> {
        let began = Instant::now();
        let appended = self.write(entries).and_then(|group| self.sync(&group).map(|()| group));
        histogram!("tape_seconds").record(began.elapsed().as_secs_f64());
        match &appended {
            Ok(group) => counter!("tape_lines_total").increment(group.last + 1 - group.first),
            Err(_) => counter!("tape_failed_total").increment(1),
        }
        gauge!("tape_failing").set(f64::from(u8::from(appended.is_err())));
        appended
    }

    fn write(&self, entries: Vec<Entry>) -> io::Result<Group> {
        let day = date(entries.iter().map(|entry| entry.request.at_ms).max().unwrap_or_default());
        let writing = &mut *self.writing();
        self.mend(writing)?;
        if day > writing.day {
            self.roll(writing, day)?;
        }
        let done = writing.done();
        let dropped: Vec<u64> =
            writing.drops.iter().filter(|(_, said)| said.is_none()).map(|(n, _)| *n).collect();
        let mut tip = writing.tip.clone();
        let mut text = String::new();
        let mut add = |entry: Option<Entry>, dropped: Vec<u64>| {
            let line = Line { n: tip.n + 1, done, entry, dropped, prev: std::mem::take(&mut tip.hash) };
            let (line_text, hash) = line::write(&line);
            text += &line_text;
            tip = Tip { n: line.n, hash };
            line.n
        };
        if !dropped.is_empty() {
            let said = add(None, dropped);
            for (_, by) in &mut writing.drops {
                by.get_or_insert(said);
            }
        }
        let numbers: Vec<u64> = entries.into_iter().map(|entry| add(Some(entry), Vec::new())).collect();
        let written = self.write_bytes(&writing.file, text.as_bytes());
        if let Err(error) = written {
            self.take_back(writing);
            return Err(error);
        }
        writing.bytes += text.len() as u64;
        writing.tip = tip;
        let last = writing.tip.n;
        // None in a group that only drops others.
        let first = numbers.first().copied().unwrap_or(last + 1);
        if !numbers.is_empty() {
            writing.open.insert(first, writing.generation);
        }
        Ok(Group { first, last, reel: writing.reel, generation: writing.generation, bytes: writing.bytes })
    }

    fn sync(&self, group: &Group) -> io::Result<()> {
        let _turn = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, upto) = {
            let writing = self.writing();
            if writing.generation != group.generation {
                return writing.became_of(group);
            }
            if writing.reel != group.reel || writing.synced.1 >= group.bytes {
                return Ok(());
            }
            (writing.file.clone(), (writing.tip.clone(), writing.bytes))
        };
        let synced = self.sync_file(&file);
        let writing = &mut *self.writing();
        if writing.generation != group.generation {
            return writing.became_of(group);
        }
        match synced {
            // The next day has begun meanwhile, behind what stands on the disk.
            Ok(()) if writing.reel != group.reel => Ok(()),
            Ok(()) => {
                writing.drops.retain(|(_, said)| said.is_none_or(|said| said > upto.0.n));
                writing.synced = upto;
                Ok(())
            }
            Err(error) => {
                self.take_back(writing);
                Err(error)
            }
        }
    }

    /// What was written and may not stand on the disk is taken away again: nobody was told of it.
    fn take_back(&self, writing: &mut Writing) {
        (writing.tip, writing.bytes) = writing.synced.clone();
        writing.generation += 1;
        let last = writing.tip.n;
        writing.open.retain(|first, _| *first <= last);
        for (_, said) in &mut writing.drops {
            *said = said.filter(|said| *said <= last);
        }
        writing.is_dirty = true;
        // What does not work now is tried again before the next line.
        let _ = self.mend(writing);
    }

    fn mend(&self, writing: &mut Writing) -> io::Result<()> {
        if writing.is_dirty {
            writing.file.set_len(writing.bytes)?;
            self.sync_file(&writing.file)?;
            writing.is_dirty = false;
        }
        Ok(())
    }

    /// The next day has a file of its own.
    fn roll(&self, writing: &mut Writing, day: String) -> io::Result<()> {
        if let Err(error) = self.sync_file(&writing.file) {
            self.take_back(writing);
            return Err(error);
        }
        let begun = Begun::new(&self.folder, day, (&self.database, &self.id), writing.tip.clone())?;
        (writing.file, writing.day, writing.reel) = (begun.file, begun.day, writing.reel + 1);
        (writing.tip, writing.bytes) = (begun.tip, begun.bytes);
        writing.synced = (writing.tip.clone(), writing.bytes);
        let upto = writing.tip.n;
        writing.drops.retain(|(_, said)| said.is_none_or(|said| said > upto));
        Ok(())
    }

    /// The group was committed.
    pub fn committed(&self, group: &Group) {
        self.writing().open.remove(&group.first);
    }

    /// The group was not committed, nor will it be: its lines do not count. The tape says so before its next line.
    pub fn dropped(&self, group: &Group) {
        let writing = &mut *self.writing();
        writing.open.remove(&group.first);
        writing.drops.extend((group.first..=group.last).map(|n| (n, None)));
    }

    /// These lines do not count, and the tape says so now.
    pub(super) fn drop_lines(&self, lines: &[u64]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.writing().drops.extend(lines.iter().map(|n| (*n, None)));
        self.append(Vec::new()).map(drop)
    }

    /// Up to which line everything is decided, if it is time that the database is told.
    pub(crate) fn mark(&self) -> Option<u64> {
        let writing = &mut *self.writing();
        let done = writing.done();
        if done < writing.marked + MARK_EVERY {
            return None;
        }
        writing.marked = done;
        Some(done)
    }

    pub(super) fn has_marked(&self, n: u64) {
        self.writing().marked = n;
    }

    fn write_bytes(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        #[cfg(any(test, feature = "testing"))]
        self.trouble.write(file, bytes)?;
        file.write_all(bytes)
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        #[cfg(any(test, feature = "testing"))]
        self.trouble.sync()?;
        file.sync_data()
    }

    /// What is wrong with its disk.
    #[cfg(any(test, feature = "testing"))]
    pub fn trouble(&self) -> Arc<Trouble> {
        self.trouble.clone()
    }
}

fn lock(folder: &Path) -> Result<File, TapeError> {
    let at = |error| TapeError::Io(folder.into(), error);
    let file =
        OpenOptions::new().create(true).append(true).mode(0o600).open(folder.join(LOCK)).map_err(at)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TapeError::Taken(folder.into())),
        Err(TryLockError::Error(error)) => Err(at(error)),
    }
}

/// A file that lines can be written to.
struct Begun {
    file: Arc<File>,
    day: String,
    tip: Tip,
    bytes: u64,
}

impl Begun {
    /// With a head, and on the disk, name and all.
    fn new(folder: &Path, day: String, (database, id): (&str, &str), before: Tip) -> io::Result<Self> {
        let head = Head {
            tape: FORM,
            database: database.into(),
            id: id.into(),
            from: before.n + 1,
            prev: before.hash,
        };
        let (text, hash) = line::write(&head);
        let path = folder.join(format!("{day}{ENDING}"));
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        // What is there is a beginning that came to nothing.
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok(Self { file: Arc::new(file), day, tip: Tip { n: before.n, hash }, bytes: text.len() as u64 })
    }
}

/// Goes on behind what is there; a last line that is torn is taken away.
fn resume(reels: &[Reel]) -> Result<Begun, TapeError> {
    let Some(last) = reels.last() else { unreachable!("there is one") };
    let at = |error| TapeError::Io(last.path.clone(), error);
    let Whole { tip, bytes } = reading::read(std::slice::from_ref(last), |_, _, _| {})?;
    let file = OpenOptions::new().append(true).open(&last.path).map_err(at)?;
    file.set_len(bytes).map_err(at)?;
    file.sync_all().map_err(at)?;
    let day = last.path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    Ok(Begun { file: Arc::new(file), day, tip, bytes })
}

/// The day of a moment, UTC: `2026-11-29`. Later ones come later in the alphabet, too.
fn date(at: UnixMs) -> String {
    let Utc { year, month, day, .. } = Utc::of(at);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    /// Of three tellers the first syncs for the second, and the disk fails the third, before the second has its turn.
    #[test]
    fn lines_that_stand_on_the_disk_stay_there_when_those_behind_them_do_not_come() {
        let folder = tempfile::tempdir().unwrap();
        let tape = Tape::open(folder.path(), "ledger", 0).unwrap();
        let entry = || vec![Entry::default()];
        let (first, second) = (tape.write(entry()).unwrap(), tape.write(entry()).unwrap());
        tape.sync(&first).unwrap();
        let third = tape.write(entry()).unwrap();
        tape.trouble.does_not_sync.store(true, Relaxed);
        assert!(tape.sync(&third).is_err());
        tape.trouble.does_not_sync.store(false, Relaxed);
        tape.sync(&second).unwrap();
        assert!(tape.sync(&third).is_err(), "it was taken back");
        // Another one has its number.
        let fourth = tape.write(entry()).unwrap();
        assert_eq!((third.first, fourth.first), (3, 3));
        assert!(tape.sync(&third).is_err());
        tape.sync(&fourth).unwrap();
        [first, second, fourth].iter().for_each(|group| tape.committed(group));
        assert_eq!((tape.last(), tape.writing().done()), (3, 3), "nothing is left open");
        drop(tape);
        assert_eq!(reading::check(folder.path()).unwrap(), 3);
    }
}
