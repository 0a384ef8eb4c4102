//! Whatever is lost, refused or taken back on the way, a room has one whole answer in the end: that of one attempt, with no piece left out or twice.

use std::{collections::VecDeque, time::Duration};

use coach::leases::{Close, Leases, Name, Step};
use player::incoming::Refusal;
use proptest::{prelude::*, sample::Index};
use protocol::{
    RefusalCode,
    id::{Position, RoomId, UserId},
    jobs::{JobsCommand, Lease, Work},
};
use tokio::time::Instant;

/// Pieces of an answer.
const PIECES: u32 = 12;

const KEEP: Duration = Duration::from_secs(5);

/// What happens next.
#[derive(Debug, Clone)]
enum Op {
    Passes(u64),
    Answers,
    Hears,
    IsBusy,
    /// The session ends; whether the room had taken what was on its way nobody knows.
    SessionEnds(bool),
    LeaseEnds,
    /// The room goes back to what it was once.
    IsSetBack(Index),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (1..400_u64).prop_map(Op::Passes),
        8 => Just(Op::Answers),
        8 => Just(Op::Hears),
        2 => Just(Op::IsBusy),
        1 => any::<bool>().prop_map(Op::SessionEnds),
        1 => Just(Op::LeaseEnds),
        1 => any::<Index>().prop_map(Op::IsSetBack),
    ]
}

/// What a room keeps of the job.
#[derive(Debug, Clone)]
struct Kept {
    attempt: u32,
    answer: String,
    done: bool,
}

struct World {
    kept: Kept,
    before: Vec<Kept>,
    leases: Leases,
    now: Instant,
    n: u64,
    /// The oldest first: a lease may end while something is said of it.
    on_their_way: VecDeque<(u64, JobsCommand)>,
    /// The attempt that is being answered, and how many pieces have come. Each attempt answers in words of its own.
    answering: Option<(u32, u32)>,
}

fn name() -> Name {
    (RoomId::new("jobs-0").unwrap(), Position::new(1, 1))
}

fn piece(attempt: u32, number: u32) -> String {
    format!("{attempt}:{number} ")
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let kept = Kept { attempt: 1, answer: String::new(), done: false };
        let leases = Leases::new(now);
        let mut world = Self {
            kept,
            before: Vec::new(),
            leases,
            now,
            n: 0,
            on_their_way: VecDeque::new(),
            answering: None,
        };
        world.lists();
        world
    }

    fn lists(&mut self) {
        let lease = Lease {
            job: name().1,
            attempt: self.kept.attempt,
            work: Work::new(Work::COACH).unwrap(),
            text: "?".into(),
            user: UserId::new("ann").unwrap(),
            until_ms: 0,
        };
        let leases = if self.kept.done { Vec::new() } else { vec![lease] };
        let steps = self.leases.list(&name().0, &leases, self.now);
        self.steps(steps);
    }

    fn steps(&mut self, steps: Vec<Step>) {
        for step in steps {
            self.answering = match step {
                Step::Begin { .. } => Some((self.kept.attempt, 0)),
                Step::Stop(_) => None,
            };
        }
    }

    fn answers(&mut self) {
        let Some((attempt, number)) = &mut self.answering else { return };
        if *number < PIECES {
            self.leases.piece(&name(), &piece(*attempt, *number));
            *number += 1;
        } else {
            self.leases.close(&name(), Close::Done);
            self.answering = None;
        }
    }

    fn says(&mut self) {
        if let Some((name, command)) = self.leases.next(self.now, KEEP) {
            self.n += 1;
            self.leases.said(&name, self.n, command.clone());
            self.on_their_way.push_back((self.n, command));
        }
    }

    /// The room does it; whether it could.
    fn does(&mut self, command: &JobsCommand) -> bool {
        let (JobsCommand::Tell { attempt, .. }
        | JobsCommand::Done { attempt, .. }
        | JobsCommand::Nack { attempt, .. }) = command
        else {
            panic!("{command:?}")
        };
        if self.kept.done || *attempt != self.kept.attempt {
            return false;
        }
        self.before.push(self.kept.clone());
        match command {
            JobsCommand::Tell { text, .. } => self.kept.answer.push_str(text),
            JobsCommand::Done { text, .. } => {
                self.kept.answer.push_str(text);
                self.kept.done = true;
                self.lists();
            }
            _ => self.begins_anew(),
        }
        true
    }

    fn begins_anew(&mut self) {
        self.kept = Kept { attempt: self.kept.attempt + 1, answer: String::new(), done: false };
        self.lists();
    }

    fn hears(&mut self) {
        let Some((n, command)) = self.on_their_way.pop_front() else { return };
        match self.does(&command) {
            true => self.leases.taken(n),
            false => self.refuses(n, RefusalCode::LeaseLost),
        }
    }

    fn refuses(&mut self, n: u64, code: RefusalCode) {
        let refusal = Refusal {
            n,
            room: name().0,
            code: Some(code),
            message: "no".into(),
            retry_after_ms: None,
            legal: None,
        };
        let step = self.leases.refused(&refusal, self.now);
        self.steps(step.into_iter().collect());
    }

    fn happens(&mut self, op: &Op) {
        match op {
            Op::Passes(ms) => self.now += Duration::from_millis(*ms),
            Op::Answers => self.answers(),
            Op::Hears => self.hears(),
            Op::IsBusy => {
                let refused = self.on_their_way.pop_front();
                refused.into_iter().for_each(|(n, _)| self.refuses(n, RefusalCode::Busy));
            }
            Op::SessionEnds(was_taken) => {
                for (_, command) in std::mem::take(&mut self.on_their_way) {
                    let _ = *was_taken && self.does(&command);
                }
                let steps = self.leases.new_session();
                self.steps(steps);
            }
            Op::LeaseEnds if !self.kept.done => self.begins_anew(),
            // With something on its way a room would take it: no piece says how much was told before it.
            Op::IsSetBack(at)
                if !self.kept.done && !self.before.is_empty() && self.on_their_way.is_empty() =>
            {
                let at = at.index(self.before.len());
                self.before.truncate(at + 1);
                self.kept = self.before[at].clone();
                let steps = self.leases.history_lost();
                self.steps(steps);
                self.lists();
            }
            Op::LeaseEnds | Op::IsSetBack(_) => {}
        }
        self.says();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_room_has_one_whole_answer_in_the_end(ops in prop::collection::vec(op(), 0..300)) {
        let mut world = World::new();
        ops.iter().for_each(|op| world.happens(op));
        // And then nothing more goes wrong.
        for _ in 0..10_000 {
            if world.kept.done {
                break;
            }
            [Op::Answers, Op::Passes(100), Op::Hears].iter().for_each(|op| world.happens(op));
        }
        prop_assert!(world.kept.done, "{:?}", world.kept);
        let attempt = world.kept.attempt;
        let whole: String = (0..PIECES).map(|number| piece(attempt, number)).collect();
        prop_assert_eq!(&world.kept.answer, &whole);
    }
}
