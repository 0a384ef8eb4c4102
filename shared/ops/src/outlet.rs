//! A way out for lines, to standard error and standard output, on which nobody who writes ever waits.
//!
//! A pipe that nobody reads blocks its writer: a log collector that stands still would stop the whole program, health checks
//! too. So lines go into a bounded queue, and a thread of the outlet's own writes them. What does not fit is dropped and
//! counted, and one line in its place says how many were. A reader that has gone is no reason to panic, as `println!` does.

use std::{
    collections::VecDeque,
    fmt::Display,
    fs::File,
    io::{self, ErrorKind, Write},
    os::fd::AsFd,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// What may wait to be written by default, bytes.
pub const BYTES_MAX: usize = 4 * 1024 * 1024;

/// At the end a reader that takes nothing for so long is not waited for any longer.
const STANDS_STILL_AFTER: Duration = Duration::from_millis(500);

/// And one that reads slowly for so long.
const FAREWELL: Duration = Duration::from_secs(1);

/// Between two tries on a pipe that somebody else has made non-blocking.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// What happens to a line for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It is dropped and counted: servers.
    Drop,
    /// It waits for the reader: tools, whose output is their result.
    Wait,
}

/// How the line reads that stands for so many dropped ones, without its end.
pub type Notice = fn(u64) -> String;

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outlet {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something to write.
    filled: Condvar,
    /// Something was written, or could not be.
    moved: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Queue {
    waiting: VecDeque<Entry>,
    /// Of what waits and what is being written.
    bytes: usize,
    bytes_max: usize,
    when_full: WhenFull,
    notice: Notice,
    /// Lines have been dropped, and will be until the queue is half empty: not every second line is a notice then.
    overflows: bool,
    /// The writer has an entry in hand.
    is_writing: bool,
    /// How many entries are done with.
    done: u64,
    /// How many were when somebody last waited in vain.
    stood_still_at: Option<u64>,
}

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    /// So many lines had no room here.
    Dropped(u64),
}

impl Outlet {
    /// Lines go to `sink`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(name: &str, sink: impl Write + Send + 'static) -> io::Result<Self> {
        let queue = Queue {
            waiting: VecDeque::new(),
            bytes: 0,
            bytes_max: BYTES_MAX,
            when_full: WhenFull::Drop,
            notice: |count| format!("{count} lines were dropped"),
            overflows: false,
            is_writing: false,
            done: 0,
            stood_still_at: None,
        };
        let shared = Arc::new(Shared {
            queue: Mutex::new(queue),
            filled: Condvar::new(),
            moved: Condvar::new(),
            dropped: AtomicU64::new(0),
        });
        let writer = shared.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || writer.write_to(sink))?;
        Ok(Self { shared })
    }

    /// What may wait, bytes, and what happens to what does not fit.
    pub fn bound(&self, bytes_max: usize, when_full: WhenFull) {
        let mut queue = self.shared.queue.lock();
        (queue.bytes_max, queue.when_full) = (bytes_max, when_full);
    }

    /// How dropped lines are told.
    pub fn tell_drops_with(&self, notice: Notice) {
        self.shared.queue.lock().notice = notice;
    }

    /// Writes a line, with its end, some time soon.
    pub fn line(&self, line: Vec<u8>) {
        let mut queue = self.shared.queue.lock();
        if queue.when_full == WhenFull::Wait {
            while queue.bytes > 0 && queue.bytes + line.len() > queue.bytes_max {
                self.shared.moved.wait(&mut queue);
            }
        } else if !queue.has_room(line.len()) {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            match queue.waiting.back_mut() {
                Some(Entry::Dropped(count)) => *count += 1,
                _ => queue.waiting.push_back(Entry::Dropped(1)),
            }
            self.shared.filled.notify_one();
            return;
        }
        queue.bytes += line.len();
        queue.waiting.push_back(Entry::Line(line));
        self.shared.filled.notify_one();
    }

    /// Waits until all is written: at most for `whole`, and only as long as the reader takes something every `still`. Answers
    /// whether it is. Whoever asks again before the reader has moved is answered at once.
    pub fn flush(&self, still: Duration, whole: Duration) -> bool {
        let end = Instant::now() + whole;
        let mut queue = self.shared.queue.lock();
        while !queue.is_empty() {
            let done = queue.done;
            let until = end.min(Instant::now() + still);
            while !queue.is_empty() && queue.done == done && queue.stood_still_at != Some(done) {
                if self.shared.moved.wait_until(&mut queue, until).timed_out() {
                    queue.stood_still_at = (queue.done == done).then_some(done);
                    break;
                }
            }
            if queue.stood_still_at == Some(queue.done) || Instant::now() >= end {
                break;
            }
        }
        queue.is_empty()
    }

    /// Waits until all is written or the reader has gone, however long that takes.
    pub fn flush_wholly(&self) {
        let mut queue = self.shared.queue.lock();
        while !queue.is_empty() {
            self.shared.moved.wait(&mut queue);
        }
    }

    /// How many lines were never written: they had no room, or the reader was gone.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// What waits to be written, bytes.
    pub fn bytes_waiting(&self) -> usize {
        self.shared.queue.lock().bytes
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.is_writing
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        let bound = if self.overflows { self.bytes_max / 2 } else { self.bytes_max };
        self.overflows = self.bytes.saturating_add(bytes) > bound;
        !self.overflows
    }
}

impl Shared {
    /// The writer's thread, as long as the process.
    fn write_to(&self, mut sink: impl Write) {
        // Lines that are missing in the sink and not told of yet.
        let mut missing = 0;
        loop {
            let (entry, notice, is_last) = self.take();
            let line = match entry {
                Entry::Dropped(count) => {
                    missing += count;
                    None
                }
                Entry::Line(line) => Some(line),
            };
            if missing > 0 && (line.is_some() || is_last) {
                let told = write_all(&mut sink, format!("{}\n", notice(missing)).as_bytes());
                missing = if told.is_ok() { 0 } else { missing };
            }
            let bytes = line.as_ref().map_or(0, Vec::len);
            // Without its notice a line would hide that others are missing.
            if line.is_some_and(|line| missing > 0 || write_all(&mut sink, &line).is_err()) {
                missing += 1;
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
            let mut queue = self.queue.lock();
            queue.bytes -= bytes;
            queue.done += 1;
            queue.is_writing = false;
            drop(queue);
            self.moved.notify_all();
        }
    }

    /// The next entry, as soon as there is one; how dropped lines are told; and whether it is the last one for now.
    fn take(&self) -> (Entry, Notice, bool) {
        let mut queue: MutexGuard<'_, Queue> = self.queue.lock();
        loop {
            if let Some(entry) = queue.waiting.pop_front() {
                queue.is_writing = true;
                return (entry, queue.notice, queue.waiting.is_empty());
            }
            self.filled.wait(&mut queue);
        }
    }
}

/// As [`Write::write_all`], and it waits where somebody who shares the pipe has made it non-blocking.
fn write_all(sink: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match sink.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(TRY_AGAIN),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

static ERRORS: LazyLock<Option<Outlet>> = LazyLock::new(|| of("stderr", &io::stderr()));
static OUTPUT: LazyLock<Option<Outlet>> = LazyLock::new(|| of("stdout", &io::stdout()));

fn of(name: &str, stream: &impl AsFd) -> Option<Outlet> {
    // Past the standard library's buffer and lock. A stream that was closed before the start has nobody to read it.
    let file = File::from(stream.as_fd().try_clone_to_owned().ok()?);
    Outlet::new(name, file).ok()
}

/// The way to standard error: logs, and what [`tell`] is given. `None` where there is none.
pub fn errors() -> Option<&'static Outlet> {
    ERRORS.as_ref()
}

/// The way to standard output: what [`say`] is given. `None` where there is none.
pub fn output() -> Option<&'static Outlet> {
    OUTPUT.as_ref()
}

/// A line on standard output.
pub fn say(line: impl Display) {
    if let Some(output) = output() {
        output.line(format!("{line}\n").into_bytes());
    }
}

/// A line on standard error.
pub fn tell(line: impl Display) {
    if let Some(errors) = errors() {
        errors.line(format!("{line}\n").into_bytes());
    }
}

/// The process is about to end: writes what waits, as far as readers take it within two seconds.
pub fn finish() {
    for outlet in [output(), errors()].into_iter().flatten() {
        outlet.flush(STANDS_STILL_AFTER, FAREWELL);
    }
}

/// This process is a tool whose output is its result: nothing is dropped from now on.
pub fn keep_all() {
    for outlet in [output(), errors()].into_iter().flatten() {
        outlet.bound(BYTES_MAX, WhenFull::Wait);
    }
}

/// As [`finish`], for a tool: however long its readers take.
pub fn finish_wholly() {
    for outlet in [output(), errors()].into_iter().flatten() {
        outlet.flush_wholly();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A pipe that is read only when the test says so: each permit lets one write through, with what comes of it.
    struct Pipe {
        permits: mpsc::Receiver<io::Result<usize>>,
        read: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Without a permit it stands still; once the test lets go of them all, everything flows.
            let most = self.permits.recv().unwrap_or(Ok(usize::MAX))?;
            let bytes = &bytes[..bytes.len().min(most)];
            self.read.send(bytes.to_vec()).expect("the test reads");
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Reader {
        outlet: Outlet,
        permits: mpsc::Sender<io::Result<usize>>,
        written: mpsc::Receiver<Vec<u8>>,
    }

    fn pipe(bytes_max: usize, when_full: WhenFull) -> Reader {
        let (permits, given) = mpsc::channel();
        let (read, written) = mpsc::channel();
        let outlet = Outlet::new("test", Pipe { permits: given, read }).unwrap();
        outlet.bound(bytes_max, when_full);
        Reader { outlet, permits, written }
    }

    impl Reader {
        /// Reads all that is still to come.
        fn all(self) -> Vec<String> {
            drop(self.permits);
            self.outlet.flush_wholly();
            let bytes: Vec<u8> = self.written.try_iter().flatten().collect();
            String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
        }

        fn write(&self, lines: impl Iterator<Item = u32>) {
            lines.for_each(|number| self.outlet.line(format!("{number:09}\n").into_bytes()));
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_and_what_was_dropped_is_told_where_it_is_missing() {
        let reader = pipe(1_000, WhenFull::Drop);
        reader.write(0..100_000);
        assert_eq!(reader.outlet.dropped(), 99_900);
        assert_eq!(reader.outlet.bytes_waiting(), 1_000);
        let outlet = reader.outlet.clone();
        let lines = reader.all();
        assert_eq!(lines.len(), 101);
        assert_eq!((lines[0].as_str(), lines[99].as_str()), ("000000000", "000000099"));
        assert_eq!(lines[100], "99900 lines were dropped");
        assert_eq!(outlet.bytes_waiting(), 0);
    }

    #[test]
    fn lines_that_come_when_there_is_room_again_stand_behind_the_notice() {
        let reader = pipe(100, WhenFull::Drop);
        reader.write(0..12);
        // One line's room is not enough: at a reader that just keeps up every second line would be a notice.
        reader.permits.send(Ok(usize::MAX)).unwrap();
        let first = reader.written.recv().unwrap();
        reader.write(12..13);
        (0..5).for_each(|_| reader.permits.send(Ok(usize::MAX)).unwrap());
        let five: Vec<u8> = reader.written.iter().take(5).flatten().collect();
        // The sixth is told as written before it leaves the queue's sum.
        while reader.outlet.bytes_waiting() > 40 {
            thread::yield_now();
        }
        reader.write(13..14);
        let rest = reader.all();
        assert_eq!((first.len(), five.len()), (10, 50));
        assert_eq!(rest[..4], ["000000006", "000000007", "000000008", "000000009"]);
        assert_eq!(rest[4..], ["3 lines were dropped", "000000013"]);
    }

    #[test]
    fn a_reader_that_has_gone_costs_lines_and_nothing_else() {
        let reader = pipe(1_000, WhenFull::Drop);
        (0..3).for_each(|_| reader.permits.send(Err(ErrorKind::BrokenPipe.into())).unwrap());
        reader.write(0..5);
        // The first line, then two tries to tell that it is missing.
        let outlet = reader.outlet.clone();
        assert_eq!(reader.all(), ["3 lines were dropped", "000000003", "000000004"]);
        assert_eq!(outlet.dropped(), 3);
    }

    #[test]
    fn a_pipe_that_another_program_made_non_blocking_gets_whole_lines() {
        let reader = pipe(1_000, WhenFull::Drop);
        for permit in [Ok(4), Err(ErrorKind::WouldBlock.into()), Err(ErrorKind::Interrupted.into()), Ok(2)] {
            reader.permits.send(permit).unwrap();
        }
        reader.write(0..3);
        assert_eq!(reader.all(), ["000000000", "000000001", "000000002"]);
    }

    #[test]
    fn the_end_waits_for_a_slow_reader_and_not_for_one_that_stands_still() {
        let reader = pipe(1_000, WhenFull::Drop);
        reader.write(0..3);
        let long = Duration::from_secs(600);
        assert!(!reader.outlet.flush(Duration::from_millis(20), long));
        // Nothing has moved since: whoever asks again does not wait at all.
        let began = Instant::now();
        assert!(!reader.outlet.flush(long, long));
        assert!(began.elapsed() < long);
        reader.permits.send(Ok(usize::MAX)).unwrap();
        reader.written.recv().unwrap();
        assert!(!reader.outlet.flush(Duration::from_millis(20), long));
        drop(reader.permits);
        reader.outlet.flush_wholly();
        assert!(reader.outlet.flush(long, long));
    }

    #[test]
    fn a_tool_keeps_every_line_of_its_result() {
        let reader = pipe(100, WhenFull::Wait);
        let writer = reader.outlet.clone();
        let writing = thread::spawn(move || {
            (0..1_000).for_each(|number| writer.line(format!("{number:09}\n").into_bytes()));
        });
        drop(reader.permits);
        writing.join().unwrap();
        reader.outlet.flush_wholly();
        assert_eq!(reader.written.try_iter().flatten().count(), 10_000);
        assert_eq!(reader.outlet.dropped(), 0);
    }
}
