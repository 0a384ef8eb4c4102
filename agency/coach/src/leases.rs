//! Which jobs are held, and what is to be said of them: without I/O, so that every order of things can be tried.
//!
//! Rooms say which leases there are; who answers says how far he is; out comes what is to be said to rooms, softly. Of one job one command is on its
//! way at a time, and the next is said when that one is answered: so a piece that was refused leaves no hole in the answer, since it is said again
//! before what comes behind it. Where it cannot be known whether a piece was taken (the session is another one, or the room has lost something), the
//! job is given back, and is begun anew.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use player::incoming::Refusal;
use protocol::{
    RefusalCode,
    id::{Position, RoomId, UserId},
    jobs::{JobsCommand, Lease, WHY_BYTES_MAX},
};
use tokio::time::Instant;

/// Between two pieces of one answer at least: an asker reads no faster, and each is an entry of the room's journal.
pub const TELL_EVERY: Duration = Duration::from_millis(250);

/// Between two commands of all jobs together at least: well below what a relay lets one connection say.
pub const SAY_EVERY: Duration = Duration::from_millis(80);

/// So many commands are on their way at once: fewer than a relay lets one session have.
pub const COMMANDS_MAX: usize = 12;

/// The longest piece, bytes: a command fits into a relay's message however it is escaped.
pub const PIECE_BYTES_MAX: usize = 2_000;

/// A command that is put off so often is not said again: the job is given back.
const PUT_OFF_MAX: u32 = 20;

/// The pause where a room is busy and does not say for how long, and the longest that is believed.
const PUT_OFF: Duration = Duration::from_millis(500);
const PUT_OFF_LONGEST: Duration = Duration::from_secs(5);

/// So many leases that are over are remembered: who is given one of them again does not know what was told of it.
const OVER_MAX: usize = 256;

/// A job: where, and its name there.
pub type Name = (RoomId, Position);

/// How an answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Close {
    /// It is told, with whatever is left.
    Done,
    /// Another one may do it, after a pause.
    Nack(String, Duration),
    /// Nobody is to do it, and the asker is told why.
    Reject(String),
}

/// What is to be done because of what was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Begin to answer.
    Begin {
        /// What.
        name: Name,
        /// Who asks.
        user: UserId,
        /// The question.
        text: String,
    },
    /// Nobody wants it any more.
    Stop(Name),
}

/// See the module.
#[derive(Debug)]
pub struct Leases {
    held: BTreeMap<Name, Held>,
    over: VecDeque<(Name, u32)>,
    /// Nothing is said before.
    next_at: Instant,
}

/// A job that is held.
#[derive(Debug)]
struct Held {
    attempt: u32,
    stage: Stage,
    /// What was answered and is not told.
    untold: String,
    /// Something was told.
    has_told: bool,
    /// The next piece is not told before.
    tell_at: Instant,
    /// Then something is said of it, so that it stays held.
    keep_at: Instant,
    /// What is on its way.
    said: Option<(u64, JobsCommand)>,
    put_off: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// It is being answered.
    Open,
    /// There is nothing more to come.
    Closing(Close),
    /// Its end is said, and the lease is about to go.
    Closed,
}

impl Leases {
    /// None are held.
    pub fn new(now: Instant) -> Self {
        Self { held: BTreeMap::new(), over: VecDeque::new(), next_at: now }
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none are.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// A room says which leases there are: all of them.
    pub fn list(&mut self, room: &RoomId, leases: &[Lease], now: Instant) -> Vec<Step> {
        let mut steps = Vec::new();
        let is_listed = |name: &Name, held: &Held| {
            leases.iter().any(|lease| lease.job == name.1 && lease.attempt == held.attempt)
        };
        let here = self.held.iter().filter(|((at, _), _)| at == room);
        let gone: Vec<Name> =
            here.filter(|(name, held)| !is_listed(name, held)).map(|(name, _)| name.clone()).collect();
        for name in gone {
            let Some(held) = self.held.remove(&name) else { continue };
            if held.stage == Stage::Open {
                steps.push(Step::Stop(name.clone()));
            }
            if self.over.len() == OVER_MAX {
                self.over.pop_front();
            }
            self.over.push_back((name, held.attempt));
        }
        for Lease { job, attempt, text, user, .. } in leases {
            let name = (room.clone(), *job);
            if self.held.contains_key(&name) {
                continue;
            }
            let was_held = self.over.contains(&(name.clone(), *attempt));
            let stage = match was_held {
                // The room has lost something, and what was told of it may be a part of that.
                true => Stage::Closing(Close::Nack("it was begun before".into(), Duration::ZERO)),
                false => Stage::Open,
            };
            if !was_held {
                steps.push(Step::Begin { name: name.clone(), user: user.clone(), text: text.clone() });
            }
            let held = Held {
                attempt: *attempt,
                stage,
                untold: String::new(),
                has_told: false,
                tell_at: now,
                keep_at: now,
                said: None,
                put_off: 0,
            };
            self.held.insert(name, held);
        }
        steps
    }

    /// The answer goes on.
    pub fn piece(&mut self, name: &Name, text: &str) {
        if let Some(held) = self.held.get_mut(name).filter(|held| held.stage == Stage::Open) {
            held.untold.push_str(text);
        }
    }

    /// It has ended.
    pub fn close(&mut self, name: &Name, close: Close) {
        if let Some(held) = self.held.get_mut(name).filter(|held| held.stage == Stage::Open) {
            held.closes(close);
        }
    }

    /// What is to be said next, if anything is by now: each is to be told [back](Self::said) with its number. Of a job of which nothing else is said for `keep`, something is.
    pub fn next(&mut self, now: Instant, keep: Duration) -> Option<(Name, JobsCommand)> {
        let on_their_way = self.held.values().filter(|held| held.said.is_some()).count();
        if now < self.next_at || on_their_way >= COMMANDS_MAX {
            return None;
        }
        let due = self.held.iter_mut().filter(|(_, held)| held.due().is_some_and(|at| at <= now));
        let (name, held) = due.min_by_key(|(_, held)| held.due())?;
        let command = held.command(name.1);
        (held.tell_at, held.keep_at) = (now + TELL_EVERY, now + keep);
        self.next_at = now + SAY_EVERY;
        Some((name.clone(), command))
    }

    /// What was to be said is on its way.
    pub fn said(&mut self, name: &Name, n: u64, command: JobsCommand) {
        if let Some(held) = self.held.get_mut(name) {
            held.said = Some((n, command));
        }
    }

    /// A room has taken a command.
    pub fn taken(&mut self, n: u64) {
        let Some((_, held)) = self.on_its_way(n) else { return };
        match held.said.take() {
            Some((_, JobsCommand::Tell { text, .. })) => {
                held.has_told |= !text.is_empty();
                held.put_off = 0;
            }
            Some(_) => held.stage = Stage::Closed,
            None => {}
        }
    }

    /// A room has not, and never will.
    pub fn refused(&mut self, refusal: &Refusal, now: Instant) -> Option<Step> {
        let (name, held) = self.on_its_way(refusal.n)?;
        let (_, command) = held.said.take()?;
        let was_open = held.stage == Stage::Open;
        let is_busy = refusal.retry_after_ms.is_some()
            || matches!(
                refusal.code,
                Some(RefusalCode::TooFast | RefusalCode::Busy | RefusalCode::Unavailable | RefusalCode::Late)
            );
        if is_busy && held.put_off < PUT_OFF_MAX {
            held.put_off += 1;
            let pause = refusal.retry_after_ms.map_or(PUT_OFF, Duration::from_millis).min(PUT_OFF_LONGEST);
            (held.tell_at, held.keep_at) = (now + pause, now + pause);
            if let JobsCommand::Tell { text, .. } | JobsCommand::Done { text, .. } = command {
                held.untold.insert_str(0, &text);
            }
            return None;
        }
        held.untold.clear();
        let is_over = matches!(refusal.code, Some(RefusalCode::LeaseLost | RefusalCode::NoSuchRoom));
        let is_end = matches!(command, JobsCommand::Nack { .. } | JobsCommand::Reject { .. });
        held.stage = match is_over || is_end {
            // Of one that cannot even be given back the lease ends by itself.
            true => Stage::Closed,
            false => Stage::Closing(Close::Nack(shortened(&refusal.message), Duration::ZERO)),
        };
        was_open.then_some(Step::Stop(name))
    }

    /// The session is another one: whether what was on its way was taken is not known, and never will be.
    pub fn new_session(&mut self) -> Vec<Step> {
        self.give_back("the connection was lost in the middle of it", |held| held.said.is_some())
    }

    /// Some room has lost something: perhaps what was told.
    pub fn history_lost(&mut self) -> Vec<Step> {
        self.give_back("the room has lost what was told of it", |held| held.has_told || held.said.is_some())
    }

    fn give_back(&mut self, why: &str, is_it: impl Fn(&Held) -> bool) -> Vec<Step> {
        let mut steps = Vec::new();
        for (name, held) in self.held.iter_mut().filter(|(_, held)| is_it(held)) {
            if held.stage == Stage::Open {
                steps.push(Step::Stop(name.clone()));
            }
            held.said = None;
            held.untold.clear();
            held.stage = Stage::Closing(Close::Nack(why.into(), Duration::ZERO));
        }
        steps
    }

    fn on_its_way(&mut self, n: u64) -> Option<(Name, &mut Held)> {
        let is_it = |held: &Held| held.said.as_ref().is_some_and(|(said, _)| *said == n);
        self.held.iter_mut().find(|(_, held)| is_it(held)).map(|(name, held)| (name.clone(), held))
    }
}

impl Held {
    /// When something is to be said of it.
    fn due(&self) -> Option<Instant> {
        if self.said.is_some() {
            return None;
        }
        match self.stage {
            Stage::Closed => None,
            Stage::Open if self.untold.is_empty() => Some(self.keep_at),
            Stage::Open | Stage::Closing(_) => Some(self.tell_at),
        }
    }

    /// What that is.
    fn command(&mut self, job: Position) -> JobsCommand {
        let attempt = self.attempt;
        let rest = self.untold.split_off(self.untold.floor_char_boundary(PIECE_BYTES_MAX));
        let text = std::mem::replace(&mut self.untold, rest);
        match &self.stage {
            Stage::Closing(Close::Done) if self.untold.is_empty() => JobsCommand::Done { job, attempt, text },
            Stage::Closing(Close::Nack(why, after)) => {
                let retry_ms = Some(after.as_millis().try_into().unwrap_or(u64::MAX));
                JobsCommand::Nack { job, attempt, why: why.clone(), retry_ms }
            }
            Stage::Closing(Close::Reject(why)) => JobsCommand::Reject { job, attempt, why: why.clone() },
            Stage::Closing(Close::Done) | Stage::Open | Stage::Closed => {
                JobsCommand::Tell { job, attempt, text }
            }
        }
    }

    fn closes(&mut self, close: Close) {
        if close != Close::Done {
            self.untold.clear();
        }
        self.stage = Stage::Closing(close);
    }
}

/// As much of it as a reason may have.
fn shortened(why: &str) -> String {
    let why = &why[..why.floor_char_boundary(WHY_BYTES_MAX)];
    if why.trim().is_empty() { "it could not be told".into() } else { why.into() }
}

#[cfg(test)]
mod tests {
    use protocol::jobs::Work;

    use super::*;

    const KEEP: Duration = Duration::from_secs(5);

    fn room() -> RoomId {
        RoomId::new("jobs-0").unwrap()
    }

    fn lease(seq: u64, attempt: u32) -> Lease {
        Lease {
            job: Position::new(1, seq),
            attempt,
            work: Work::new(Work::COACH).unwrap(),
            text: "Is it good?".into(),
            user: UserId::new("ann").unwrap(),
            until_ms: 0,
        }
    }

    fn name(seq: u64) -> Name {
        (room(), Position::new(1, seq))
    }

    fn begin(seq: u64) -> Step {
        Step::Begin { name: name(seq), user: UserId::new("ann").unwrap(), text: "Is it good?".into() }
    }

    /// A coach in the hands of a test: time goes on, and rooms answer as they are told to.
    struct Hall {
        leases: Leases,
        now: Instant,
        n: u64,
    }

    impl Hall {
        /// Holds one job, at its first attempt.
        fn with_one() -> Self {
            let now = Instant::now();
            let mut hall = Self { leases: Leases::new(now), now, n: 0 };
            assert_eq!(hall.leases.list(&room(), &[lease(1, 1)], now), [begin(1)]);
            let kept = hall.tells();
            assert_eq!(kept, Some(String::new()), "it is taken up at once");
            hall.leases.taken(hall.n);
            hall
        }

        fn passes(&mut self, time: Duration) {
            self.now += time;
        }

        fn next(&mut self) -> Option<JobsCommand> {
            let (name, command) = self.leases.next(self.now, KEEP)?;
            self.n += 1;
            self.leases.said(&name, self.n, command.clone());
            Some(command)
        }

        /// The text of what is told next.
        fn tells(&mut self) -> Option<String> {
            match self.next()? {
                JobsCommand::Tell { text, .. } => Some(text),
                other => panic!("{other:?}"),
            }
        }

        fn refuses(&mut self, code: RefusalCode) -> Option<Step> {
            let refusal = Refusal {
                n: self.n,
                room: room(),
                code: Some(code),
                message: "no".into(),
                retry_after_ms: None,
                legal: None,
            };
            self.leases.refused(&refusal, self.now)
        }
    }

    #[test]
    fn pieces_are_told_four_times_a_second_at_most_and_the_rest_with_the_end() {
        let mut hall = Hall::with_one();
        hall.leases.piece(&name(1), "Yes");
        assert_eq!(hall.next(), None);
        hall.passes(TELL_EVERY);
        hall.leases.piece(&name(1), ", us");
        assert_eq!(hall.tells().as_deref(), Some("Yes, us"));
        hall.passes(TELL_EVERY);
        hall.leases.piece(&name(1), "ually");
        assert_eq!(hall.next(), None, "the piece before is on its way");
        hall.leases.taken(hall.n);
        hall.leases.piece(&name(1), ".");
        hall.leases.close(&name(1), Close::Done);
        let done = JobsCommand::Done { job: Position::new(1, 1), attempt: 1, text: "ually.".into() };
        assert_eq!(hall.next(), Some(done));
        hall.leases.taken(hall.n);
        hall.passes(10 * KEEP);
        assert_eq!(hall.next(), None);
        assert_eq!(hall.leases.list(&room(), &[lease(1, 1)], hall.now), [], "it is on the list for a moment");
        assert_eq!(hall.leases.list(&room(), &[], hall.now), []);
        assert!(hall.leases.is_empty());
    }

    #[test]
    fn a_job_of_which_there_is_nothing_to_tell_stays_held() {
        let mut hall = Hall::with_one();
        hall.passes(KEEP - SAY_EVERY);
        assert_eq!(hall.next(), None);
        hall.passes(SAY_EVERY);
        assert_eq!(hall.tells().as_deref(), Some(""));
    }

    #[test]
    fn a_piece_that_is_refused_for_now_is_told_before_what_comes_behind_it() {
        let mut hall = Hall::with_one();
        hall.leases.piece(&name(1), "Yes, ");
        hall.passes(TELL_EVERY);
        assert_eq!(hall.tells().as_deref(), Some("Yes, "));
        hall.leases.piece(&name(1), "usually.");
        assert_eq!(hall.refuses(RefusalCode::Busy), None);
        hall.passes(PUT_OFF);
        assert_eq!(hall.tells().as_deref(), Some("Yes, usually."));
    }

    #[test]
    fn what_is_always_refused_is_given_back_and_then_left_alone() {
        let mut hall = Hall::with_one();
        hall.leases.piece(&name(1), "Yes");
        let mut stopped = None;
        for _ in 0..=PUT_OFF_MAX {
            hall.passes(KEEP);
            assert!(hall.tells().is_some());
            stopped = hall.refuses(RefusalCode::Busy);
        }
        assert_eq!(stopped, Some(Step::Stop(name(1))));
        hall.passes(KEEP);
        assert!(matches!(hall.next(), Some(JobsCommand::Nack { .. })));
        assert_eq!(hall.refuses(RefusalCode::BadText), None);
        hall.passes(KEEP);
        assert_eq!(hall.next(), None);
    }

    #[test]
    fn who_has_lost_a_lease_stops_and_says_no_more_of_it() {
        let mut hall = Hall::with_one();
        hall.leases.piece(&name(1), "Yes");
        hall.passes(TELL_EVERY);
        hall.next().unwrap();
        assert_eq!(hall.refuses(RefusalCode::LeaseLost), Some(Step::Stop(name(1))));
        hall.leases.piece(&name(1), "more");
        hall.leases.close(&name(1), Close::Done);
        hall.passes(KEEP);
        assert_eq!(hall.next(), None);
    }

    #[test]
    fn a_lease_that_is_gone_from_the_list_is_over_and_a_later_one_is_begun_anew() {
        let mut hall = Hall::with_one();
        hall.leases.piece(&name(1), "Yes");
        let steps = hall.leases.list(&room(), &[lease(1, 2), lease(2, 1)], hall.now);
        assert_eq!(steps, [Step::Stop(name(1)), begin(1), begin(2)]);
        hall.passes(KEEP);
        assert_eq!(
            hall.tells().as_deref(),
            Some(""),
            "what was answered for the lease before does not count"
        );
        let other = RoomId::new("jobs-1").unwrap();
        assert_eq!(hall.leases.list(&other, &[], hall.now), [], "that is another room's list");
        assert_eq!(hall.leases.len(), 2);
    }

    #[test]
    fn where_it_is_not_known_what_was_told_the_job_is_given_back() {
        let lost: [fn(&mut Hall); 3] = [
            |hall| {
                hall.next().unwrap();
                assert_eq!(hall.leases.new_session(), [Step::Stop(name(1))]);
            },
            |hall| {
                hall.next().unwrap();
                hall.leases.taken(hall.n);
                assert_eq!(hall.leases.new_session(), [], "all is known");
                assert_eq!(hall.leases.history_lost(), [Step::Stop(name(1))]);
            },
            |hall| {
                assert_eq!(hall.leases.list(&room(), &[], hall.now), [Step::Stop(name(1))]);
                assert_eq!(hall.leases.list(&room(), &[lease(1, 1)], hall.now), []);
            },
        ];
        for lose in lost {
            let mut hall = Hall::with_one();
            hall.leases.piece(&name(1), "Yes");
            hall.passes(TELL_EVERY);
            lose(&mut hall);
            hall.passes(TELL_EVERY);
            hall.leases.piece(&name(1), "more");
            assert!(matches!(hall.next(), Some(JobsCommand::Nack { attempt: 1, .. })));
        }
    }

    #[test]
    fn all_jobs_together_say_no_more_than_a_relay_lets_one_connection_say() {
        let now = Instant::now();
        let mut hall = Hall { leases: Leases::new(now), now, n: 0 };
        let many: Vec<Lease> = (0..40).map(|seq| lease(seq, 1)).collect();
        hall.leases.list(&room(), &many, now);
        let mut said = 0;
        for _ in 0..1_000 {
            hall.passes(Duration::from_millis(1));
            said += usize::from(hall.next().is_some());
        }
        assert_eq!(said, COMMANDS_MAX, "nothing is answered");
        (1..=hall.n).for_each(|n| hall.leases.taken(n));
        let mut told = std::collections::BTreeSet::new();
        for _ in 0..5_000 {
            (0..40).for_each(|seq| hall.leases.piece(&name(seq), "a"));
            hall.passes(Duration::from_millis(1));
            if let Some(JobsCommand::Tell { job, .. }) = hall.next() {
                told.insert(job);
                hall.leases.taken(hall.n);
                said += 1;
            }
        }
        assert!(said <= COMMANDS_MAX + 63, "{said}");
        assert_eq!(told.len(), 40, "each has its turn");
    }

    #[test]
    fn a_long_rest_is_told_in_pieces_that_fit_a_message_and_whole() {
        let mut hall = Hall::with_one();
        let answer = "那".repeat(1_500);
        hall.leases.piece(&name(1), &answer);
        hall.leases.close(&name(1), Close::Done);
        let mut told = String::new();
        loop {
            hall.passes(TELL_EVERY);
            let command = hall.next().unwrap();
            hall.leases.taken(hall.n);
            match command {
                JobsCommand::Tell { text, .. } => told.push_str(&text),
                JobsCommand::Done { text, .. } => {
                    told.push_str(&text);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(told, answer);
    }

    #[test]
    fn a_reason_is_never_too_long_and_never_empty() {
        assert_eq!(shortened(&"那".repeat(100)).len(), 198);
        assert_eq!(shortened(" "), "it could not be told");
    }
}
