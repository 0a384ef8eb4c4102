//! Threads that do jobs on the database.
//!
//! A teller takes what waits, does it in one transaction, a savepoint for each job, and commits once: many durable jobs for the
//! price of one. What a job returns is told after the commit, so nobody hears of what a crash undoes.
//!
//! Where there is a [tape](crate::tape), what the ledger has decided in a group stands on it before the commit. A group that the tape does
//! not take is not committed, and nobody in it is answered.
//!
//! SQLite has one writer, and readers beside it; PostgreSQL has several tellers, and jobs about one thing go to the same one, so that
//! they neither overtake nor hinder each other.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{Builder, JoinHandle},
};

use aws_lc_rs::digest::{SHA256, digest};
use tokio::sync::oneshot;

use crate::{
    ledger::replay,
    sql::{OpenError, Place, Session},
    tape::{Entry, Group, Tape},
    tx::{DbError, Row, Tx, Value},
};

/// Jobs that are committed together at most.
const GROUP_MAX: usize = 64;

/// Jobs that wait for one teller at most; more are refused as [`DbError::Busy`].
const WAITING_MAX: usize = 1_024;

/// How often a job is done again that others stood in the way of.
const TRIES_MAX: u32 = 5;

/// A unit of work on the database, and whom it is answered to.
trait Job: Send {
    /// Does it; may be called again after a rollback.
    fn run(&mut self, tx: &mut dyn Tx) -> Result<(), DbError>;

    /// It has ended so.
    fn answer(self: Box<Self>, end: Result<(), DbError>);
}

struct Asked<T, W> {
    work: W,
    done: Option<T>,
    answer: oneshot::Sender<Result<T, DbError>>,
}

impl<T: Send, W: FnMut(&mut dyn Tx) -> Result<T, DbError> + Send> Job for Asked<T, W> {
    fn run(&mut self, tx: &mut dyn Tx) -> Result<(), DbError> {
        self.done = None;
        self.done = Some((self.work)(tx)?);
        Ok(())
    }

    fn answer(self: Box<Self>, end: Result<(), DbError>) {
        let lost = || DbError::Broken("a job ended without an answer".into());
        let Self { done, answer, .. } = *self;
        // Whoever asked may have gone.
        let _ = answer.send(end.and_then(|()| done.ok_or_else(lost)));
    }
}

type Queue = SyncSender<Box<dyn Job>>;

/// The threads. Dropping it lets them finish what waits, and ends them.
pub struct Tellers {
    writers: Vec<Queue>,
    /// Empty where the writers read too.
    readers: Vec<Queue>,
    next_reader: AtomicUsize,
    threads: Vec<JoinHandle<()>>,
    /// None until it is kept.
    tape: Arc<OnceLock<Tape>>,
}

impl Tellers {
    /// Opens the database, brings its schema up to date, and starts the threads.
    ///
    /// # Errors
    /// [`OpenError`] says what is in the way.
    pub fn open(place: &Place) -> Result<Self, OpenError> {
        let sessions = place.open()?;
        let mut tellers = Self {
            writers: Vec::new(),
            readers: Vec::new(),
            next_reader: AtomicUsize::new(0),
            threads: Vec::new(),
            tape: Arc::default(),
        };
        for session in sessions.writers {
            let queue = tellers.start("teller", session)?;
            tellers.writers.push(queue);
        }
        for session in sessions.readers {
            let queue = tellers.start("reader", session)?;
            tellers.readers.push(queue);
        }
        Ok(tellers)
    }

    fn start(&mut self, name: &str, session: Box<dyn Session>) -> Result<Queue, OpenError> {
        let (queue, jobs) = sync_channel(WAITING_MAX);
        let number = u32::try_from(self.writers.len()).unwrap_or(u32::MAX);
        let mut teller = Teller { session, number, tape: self.tape.clone(), unsure: None };
        let thread = Builder::new().name(name.into()).spawn(move || teller.serve(&jobs));
        self.threads.push(thread.map_err(|error| OpenError::Threads(error.to_string()))?);
        Ok(queue)
    }

    /// Does `work` in a transaction and tells what it returns once that is durable. Jobs about the same thing stay in order. The work may
    /// be done more than once, of which one counts; where it fails, nothing of it does.
    ///
    /// # Errors
    /// What the work returned, or why the database did not do it.
    pub async fn write<T: Send + 'static>(
        &self,
        about: &str,
        work: impl FnMut(&mut dyn Tx) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        ask(&self.writers[share(about, self.writers.len())], work).await
    }

    /// Does `work` that changes nothing.
    ///
    /// # Errors
    /// What the work returned, or why the database did not do it.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let queues = if self.readers.is_empty() { &self.writers } else { &self.readers };
        ask(&queues[self.next_reader.fetch_add(1, Relaxed) % queues.len()], work).await
    }
}

impl Tellers {
    /// From now on the tape has what the ledger decides.
    pub(crate) fn write_on(&self, tape: Tape) {
        // There is one, and it was brought forward: whoever calls this twice has the first.
        let _ = self.tape.set(tape);
    }

    /// The tape, if one is kept.
    pub fn tape(&self) -> Option<&Tape> {
        self.tape.get()
    }
}

impl Drop for Tellers {
    fn drop(&mut self) {
        self.writers.clear();
        self.readers.clear();
        for thread in self.threads.drain(..) {
            // It has told its panic itself.
            let _ = thread.join();
        }
    }
}

/// Which of so many, at most 256, has to do with this: always the same one.
pub(crate) fn share(about: &str, of: usize) -> usize {
    usize::from(digest(&SHA256, about.as_bytes()).as_ref()[0]) % of
}

async fn ask<T: Send + 'static>(
    queue: &Queue,
    work: impl FnMut(&mut dyn Tx) -> Result<T, DbError> + Send + 'static,
) -> Result<T, DbError> {
    let (answer, answered) = oneshot::channel();
    let gone = || DbError::Broken("a teller has ended".into());
    match queue.try_send(Box::new(Asked { work, done: None, answer })) {
        Ok(()) => answered.await.map_err(|_| gone())?,
        Err(TrySendError::Full(_)) => Err(DbError::Busy),
        Err(TrySendError::Disconnected(_)) => Err(gone()),
    }
}

/// A thread's session, and what it puts on the tape.
struct Teller {
    session: Box<dyn Session>,
    number: u32,
    tape: Arc<OnceLock<Tape>>,
    /// Nobody knows whether this was committed; and the name of a request in it.
    unsure: Option<(Group, String)>,
}

impl Teller {
    fn serve(&mut self, jobs: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = jobs.recv() {
            let group = std::iter::once(first).chain(jobs.try_iter()).take(GROUP_MAX).collect();
            self.together(group);
        }
    }

    /// Does jobs in one transaction, as far as that goes; those that another transaction stood in the way of, each in its own.
    fn together(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let ends = match self.attempt(&mut jobs) {
            Ok(ends) => ends,
            Err(DbError::Again) => {
                return jobs.into_iter().for_each(|job| self.alone(job));
            }
            Err(error) => {
                self.session.give_up();
                jobs.iter().map(|_| Err(error.clone())).collect()
            }
        };
        jobs.into_iter().zip(ends).for_each(|(job, end)| job.answer(end));
    }

    fn alone(&mut self, job: Box<dyn Job>) {
        let mut jobs = vec![job];
        let mut end = Err(DbError::Again);
        for _ in 0..TRIES_MAX {
            end = self.attempt(&mut jobs).map(|ends| ends.into_iter().next().unwrap_or(Ok(())));
            match end {
                Ok(_) => break,
                Err(DbError::Again) => {}
                Err(_) => {
                    self.session.give_up();
                    break;
                }
            }
        }
        let end = end.and_then(|end| end);
        if let Some(job) = jobs.pop() {
            job.answer(end);
        }
    }

    /// One transaction; tells how each job ended, or why none did.
    fn attempt(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<Vec<Result<(), DbError>>, DbError> {
        self.session.begin()?;
        if self.unsure.is_some() {
            self.make_sure().inspect_err(|_| self.roll_back())?;
        }
        let single = jobs.len() == 1;
        let mut entries: Vec<Entry> = Vec::new();
        let mut ends = Vec::with_capacity(jobs.len());
        for job in jobs {
            if !single {
                self.session.batch("SAVEPOINT job")?;
            }
            let before = entries.len();
            let run = catch_unwind(AssertUnwindSafe(|| self.run(&mut **job, &mut entries)));
            let end = run.unwrap_or_else(|_| Err(DbError::Broken("a job panicked".into())));
            match &end {
                Err(error @ (DbError::Again | DbError::Away(_))) => {
                    let error = error.clone();
                    self.roll_back();
                    return Err(error);
                }
                Err(_) if single => {
                    self.session.batch("ROLLBACK")?;
                    return Ok(vec![end]);
                }
                Err(_) => {
                    self.session.batch("ROLLBACK TO SAVEPOINT job")?;
                    entries.truncate(before);
                }
                Ok(()) => {}
            }
            if !single {
                self.session.batch("RELEASE SAVEPOINT job")?;
            }
            ends.push(end);
        }
        self.commit(entries)?;
        Ok(ends)
    }

    fn run(&mut self, job: &mut dyn Job, entries: &mut Vec<Entry>) -> Result<(), DbError> {
        match self.tape.get() {
            Some(_) => job.run(&mut Taped { tx: self.session.tx(), entries }),
            None => job.run(self.session.tx()),
        }
    }

    /// It is of no use any more, which is what was wanted.
    fn roll_back(&mut self) {
        let _ = self.session.batch("ROLLBACK");
    }

    /// What the ledger has decided stands on the tape before the database has it.
    fn commit(&mut self, entries: Vec<Entry>) -> Result<(), DbError> {
        let Some((tape, last)) = self.tape.get().zip(entries.last()) else {
            return self.session.batch("COMMIT");
        };
        let name = last.request.name.clone();
        let mark = tape.mark();
        let prepared = self.session.watchword(watchword(tape, self.number)).and_then(|()| match mark {
            Some(n) => replay::mark(self.session.tx(), tape.id(), self.number, n),
            None => Ok(()),
        });
        let taped = prepared.and_then(|()| tape.append(entries).map_err(|error| not_taped(&error)));
        let group = taped.inspect_err(|_| drop(self.session.batch("ROLLBACK")))?;
        match self.session.batch("COMMIT") {
            Ok(()) => {
                tape.committed(&group);
                Ok(())
            }
            Err(error) => {
                self.unsure = Some((group, name));
                // Where it is still open.
                let _ = self.session.batch("ROLLBACK");
                Err(error)
            }
        }
    }

    /// Whether the group before was committed after all: the tape must know, and nothing is decided before.
    fn make_sure(&mut self) -> Result<(), DbError> {
        let (Some(tape), Some((group, name))) = (self.tape.get(), &self.unsure) else { return Ok(()) };
        self.session.watchword(watchword(tape, self.number))?;
        match replay::is_known(self.session.tx(), name)? {
            true => tape.committed(group),
            false => tape.dropped(group),
        }
        self.unsure = None;
        Ok(())
    }
}

/// The same for each teller as long as it lives, and most likely nobody else's.
fn watchword(tape: &Tape, teller: u32) -> i64 {
    let mut hasher = DefaultHasher::new();
    (tape.id(), teller).hash(&mut hasher);
    hasher.finish().cast_signed()
}

fn not_taped(error: &std::io::Error) -> DbError {
    DbError::Away(format!("the tape takes nothing: {error}"))
}

/// A transaction of which the tape is told.
struct Taped<'a> {
    tx: &'a mut dyn Tx,
    entries: &'a mut Vec<Entry>,
}

impl Tx for Taped<'_> {
    fn run(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, DbError> {
        self.tx.run(sql, values)
    }

    fn taped(&mut self) -> Option<&mut Vec<Entry>> {
        Some(&mut *self.entries)
    }
}
