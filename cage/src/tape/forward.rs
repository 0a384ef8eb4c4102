//! Bringing a database forward to what stands on the tape.
//!
//! Lines are applied in the order of the tape. Where several cages share a database, a line may build on one of another cage's tape, which
//! that cage applies: so what cannot be applied yet is tried again, for a while.

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};

use protocol::time::UnixMs;

use super::{
    Entry, Tape, TapeError,
    line::Line,
    reading::{self, Reel},
};
use crate::{
    DbError, Tellers,
    ledger::replay::{self, Replayed},
};

/// Lines that are applied in one transaction.
const TOGETHER: usize = 64;

/// So many transactions are read ahead.
const CHUNKS: usize = 4;

/// How long a line waits for what it builds on, which may stand on another cage's tape.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// What bringing a database forward has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forward {
    /// Lines that were looked for.
    pub looked_at: u64,
    /// Those that were missing, and are there now.
    pub applied: u64,
    /// Those of which nobody was told, and which no longer fit.
    pub dropped: u64,
}

/// Why it was not brought forward.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// Of the tape.
    #[error(transparent)]
    Tape(#[from] TapeError),
    /// Of the database.
    #[error("the tape cannot be compared with the database: {0}")]
    Database(#[from] DbError),
    /// What was answered cannot be made true.
    #[error(
        "the tape is ahead of the database, and {}, line {line} ({name}) cannot be applied: {why}. Another cage's tape may be missing, or the \
         database has gone on without this tape",
        .file.display()
    )]
    Stuck {
        /// In which file.
        file: PathBuf,
        /// In which line of it.
        line: u64,
        /// Which request.
        name: String,
        /// What the database says.
        why: String,
    },
}

/// A line that is to be in the database.
struct Wanted {
    file: PathBuf,
    line: u64,
    n: u64,
    entry: Entry,
}

impl Wanted {
    fn stuck(&self, why: String) -> ForwardError {
        let (file, line) = (self.file.clone(), self.line);
        ForwardError::Stuck { file, line, name: self.entry.request.name.clone(), why }
    }
}

impl Tellers {
    /// Opens the tape in this folder, brings the database forward to it, and writes on it from now on. Nobody else writes meanwhile.
    ///
    /// # Errors
    /// [`ForwardError`] says what is in the way. The database has then got a part of what it lacked, which does no harm.
    pub async fn keep_tape(&self, folder: &Path, now: UnixMs) -> Result<Forward, ForwardError> {
        self.keep_tape_within(folder, now, PATIENCE).await
    }

    /// The same, with less or more patience for other cages.
    ///
    /// # Errors
    /// The same.
    pub async fn keep_tape_within(
        &self,
        folder: &Path,
        now: UnixMs,
        patience: Duration,
    ) -> Result<Forward, ForwardError> {
        let identity = self.read(replay::identity).await?;
        let tape = Tape::open(folder, &identity, now)?;
        let forward = self.bring_forward(&tape, patience).await?;
        self.write_on(tape);
        Ok(forward)
    }

    async fn bring_forward(&self, tape: &Tape, patience: Duration) -> Result<Forward, ForwardError> {
        let id = tape.id().to_owned();
        let marked = self.read(move |tx| replay::marked(tx, &id)).await?;
        if marked > tape.last() {
            return Err(TapeError::Short(tape.folder().into(), tape.last(), marked).into());
        }
        let reels = reading::behind(reading::reels(tape.folder())?, marked);
        let (dropped, done) = what_counts(&reels)?;
        let mut run = Run::new(self, marked, done, dropped);
        run.apply_all(reels).await?;
        run.apply_late(patience).await?;
        let Run { forward, to_drop, .. } = run;
        tape.drop_lines(&to_drop).map_err(|error| TapeError::Io(tape.folder().into(), error))?;
        let (id, last) = (tape.id().to_owned(), tape.last());
        self.write("tape", move |tx| replay::mark(tx, &id, 0, last)).await?;
        tape.has_marked(last);
        Ok(forward)
    }
}

/// Which lines were dropped, and up to which all others are known to be in the database that wrote them.
fn what_counts(reels: &[Reel]) -> Result<(HashSet<u64>, u64), TapeError> {
    let (mut dropped, mut done) = (HashSet::new(), 0);
    reading::read(reels, |_, _, line: Line| {
        dropped.extend(line.dropped);
        done = done.max(line.done);
    })?;
    Ok((dropped, done))
}

struct Run<'a> {
    tellers: &'a Tellers,
    marked: u64,
    done: u64,
    dropped: HashSet<u64>,
    forward: Forward,
    /// What could not be applied when it was its turn, and why.
    late: BTreeMap<u64, (Wanted, String)>,
    to_drop: Vec<u64>,
}

impl<'a> Run<'a> {
    fn new(tellers: &'a Tellers, marked: u64, done: u64, dropped: HashSet<u64>) -> Self {
        Self {
            tellers,
            marked,
            done,
            dropped,
            forward: Forward::default(),
            late: BTreeMap::new(),
            to_drop: Vec::new(),
        }
    }

    /// All lines behind the mark, in their order. Those of which nobody may have been told come last.
    async fn apply_all(&mut self, reels: Vec<Reel>) -> Result<(), ForwardError> {
        let (marked, dropped) = (self.marked, std::mem::take(&mut self.dropped));
        let (send, mut chunks) = tokio::sync::mpsc::channel(CHUNKS);
        let reading = tokio::task::spawn_blocking(move || {
            let mut chunk = Vec::new();
            let read = reading::read(&reels, |reel, line, Line { n, entry, .. }| {
                let Some(entry) = entry.filter(|_| n > marked && !dropped.contains(&n)) else { return };
                chunk.push(Wanted { file: reel.path.clone(), line, n, entry });
                if chunk.len() == TOGETHER {
                    // Whoever has gone wants no more of them.
                    let _ = send.blocking_send(std::mem::take(&mut chunk));
                }
            });
            let _ = send.blocking_send(chunk);
            read.map(drop)
        });
        while let Some(chunk) = chunks.recv().await {
            self.forward.looked_at += chunk.len() as u64;
            let (told, untold): (Vec<_>, Vec<_>) = chunk.into_iter().partition(|line| line.n <= self.done);
            self.late.extend(untold.into_iter().map(|line| (line.n, (line, String::new()))));
            self.apply(told).await?;
        }
        reading.await.map_err(|_| DbError::Broken("reading the tape panicked".into()))??;
        Ok(())
    }

    /// Lines together, or, where one of them cannot be applied, each by itself.
    async fn apply(&mut self, lines: Vec<Wanted>) -> Result<(), ForwardError> {
        if lines.is_empty() {
            return Ok(());
        }
        let entries: Vec<Entry> = lines.iter().map(|line| line.entry.clone()).collect();
        let work = move |tx: &mut dyn crate::Tx| {
            let mut applied = 0;
            for entry in &entries {
                match replay::replay(tx, entry, true)? {
                    Replayed::Done => applied += 1,
                    Replayed::Known => {}
                    _ => return Err(DbError::Refused("one of them is another".into())),
                }
            }
            Ok(applied)
        };
        match self.tellers.write("tape", work).await {
            Ok(applied) => self.forward.applied += applied,
            Err(DbError::Refused(_) | DbError::Unique(_) | DbError::Broken(_)) => {
                for line in lines {
                    self.apply_one(line).await?;
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn apply_one(&mut self, line: Wanted) -> Result<(), ForwardError> {
        let (entry, is_told) = (line.entry.clone(), line.n <= self.done);
        let replayed = self.tellers.write("tape", move |tx| replay::replay(tx, &entry, is_told)).await;
        match replayed {
            Ok(Replayed::Known) => {}
            Ok(Replayed::Done) => self.forward.applied += 1,
            Ok(Replayed::Otherwise) if is_told => {
                return Err(line.stuck("the ledger has decided it otherwise".into()));
            }
            Ok(Replayed::Otherwise | Replayed::CutOff) => self.give_up(line.n),
            Err(DbError::Refused(why) | DbError::Unique(why)) => drop(self.late.insert(line.n, (line, why))),
            Err(error @ DbError::Broken(_)) => return Err(line.stuck(error.to_string())),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn give_up(&mut self, n: u64) {
        self.forward.dropped += 1;
        self.to_drop.push(n);
    }

    /// What came too early, and what nobody may have been told of, until nothing is left. Of the last lines it is not known whether somebody was told:
    /// what they build on may come yet, too.
    async fn apply_late(&mut self, patience: Duration) -> Result<(), ForwardError> {
        let until = std::time::Instant::now() + patience;
        while !self.late.is_empty() {
            let before = self.late.len();
            for (line, _) in std::mem::take(&mut self.late).into_values() {
                self.apply_one(line).await?;
            }
            if self.late.len() < before {
                continue;
            }
            if std::time::Instant::now() < until {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            for (line, why) in std::mem::take(&mut self.late).into_values() {
                if line.n <= self.done {
                    return Err(line.stuck(why));
                }
                // What it builds on is not there, and the tape does not know that somebody was told.
                self.give_up(line.n);
            }
        }
        Ok(())
    }
}
