//! A room of jobs whose agents die, stall, answer twice and late: whatever they do, each job has one answer, of whoever has it.

use std::collections::{BTreeMap, BTreeSet};

use broker::node::RoomSpec;
use jobs::{
    Jobs, Settings,
    desk::{AGENTS_MAX, KEPT_OF_USER_MAX, OPEN_MAX, RETRY_MS_MAX},
};
use protocol::{
    RefusalCode as Code,
    id::{Position, UserId},
    jobs::{
        ANSWER_BYTES_MAX, JobStage, JobsAnswer, JobsCommand, JobsPrivate, JobsView, Lease, MOST_MAX, OwnJob,
        TEXT_BYTES_MAX, Work,
    },
    rights::{Rights, Roles},
};
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use rooms::room::{Input, Moment, Refusal, Room};

const START_MS: u64 = 1_700_000_000_000;

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn work(word: &str) -> Work {
    Work::new(word).unwrap()
}

/// A room, and what its users were told.
struct World {
    room: Jobs,
    told: BTreeMap<UserId, JobsPrivate>,
    now: u64,
    seq: u64,
    rng: ChaCha8Rng,
}

impl World {
    fn new(seed: u64) -> Self {
        let room = Jobs::open(&RoomSpec::new(Jobs::NAME, &Settings::default())).unwrap();
        Self { room, told: BTreeMap::new(), now: START_MS, seq: 0, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    fn decide(&mut self, input: Input<'_>) -> Result<Position, Refusal> {
        let at = Position::new(1, self.seq + 1);
        let decision = self.room.decide(input, Moment { now: self.now, at }, &mut self.rng)?;
        if decision.events.is_empty() {
            assert_eq!(decision.after, self.room);
            return Ok(at);
        }
        self.seq += 1;
        assert_eq!(decision.public.get(), "[]", "what is somebody's is told to nobody else");
        for (user, told) in decision.privates {
            let told: JobsPrivate = serde_json::from_str(told.get()).unwrap();
            let before = self.told.get(&user).map_or(0, |told| told.k);
            assert_eq!(told.k, before + 1, "{user} misses nothing");
            self.told.insert(user, told);
        }
        // Whoever restores it from its journal has the same room.
        decision.events.iter().for_each(|event| self.room.apply(event, at));
        assert_eq!(self.room, decision.after);
        Ok(at)
    }

    fn ask(&mut self, who: &str, roles: Roles, command: &JobsCommand) -> Result<Position, Refusal> {
        let (user, body) = (user(who), serde_json::to_vec(command).unwrap());
        let rights = Rights { roles, ..Rights::default() };
        self.decide(Input::Command { user: &user, name: who, rights, body: &body })
    }

    fn put(&mut self, who: &str, text: &str) -> Result<Position, Refusal> {
        self.ask(who, Roles::NONE, &JobsCommand::Put { work: work("coach"), text: text.into() })
    }

    fn ready(&mut self, who: &str, most: u8) -> Result<Position, Refusal> {
        self.ask(who, Roles::AGENT, &JobsCommand::Ready { works: vec![work("coach")], most })
    }

    fn tell(&mut self, who: &str, job: Position, attempt: u32, text: &str) -> Result<Position, Refusal> {
        self.ask(who, Roles::NONE, &JobsCommand::Tell { job, attempt, text: text.into() })
    }

    fn done(&mut self, who: &str, job: Position, attempt: u32, text: &str) -> Result<Position, Refusal> {
        self.ask(who, Roles::NONE, &JobsCommand::Done { job, attempt, text: text.into() })
    }

    fn away(&mut self, who: &str, away: bool) {
        let user = user(who);
        self.decide(Input::Away { user: &user, away }).unwrap();
    }

    /// Time passes, and the room's clock rings when it is due.
    fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(due) = self.room.deadline().filter(|due| *due <= end) {
            assert!(due >= self.now, "the clock does not ring for what was over: it would ring for ever");
            self.now = due;
            let before = self.seq;
            self.decide(Input::Clock).unwrap();
            assert!(self.seq > before, "the clock rings for something");
        }
        self.now = end;
    }

    fn leases(&self, who: &str) -> Vec<Lease> {
        self.room_told(who).leases
    }

    /// What he is told, which is what he has been told.
    fn room_told(&self, who: &str) -> JobsPrivate {
        self.told.get(&user(who)).cloned().unwrap_or_default()
    }

    fn job(&self, who: &str, job: Position) -> OwnJob {
        self.room_told(who).jobs.into_iter().find(|own| own.job == job).expect("it is his")
    }

    fn view(&self) -> JobsView {
        let told = self.room.answer(&user("anybody"), br#"{"about":"line"}"#).unwrap();
        let JobsAnswer::Line(view) = serde_json::from_str(told.get()).unwrap();
        assert_eq!(serde_json::to_string(&view).unwrap(), self.room.view().get());
        view
    }
}

#[track_caller]
fn refused(result: Result<Position, Refusal>) -> Code {
    result.expect_err("it is refused").code
}

#[test]
fn a_job_is_taken_told_and_done_and_its_user_sees_the_answer_grow() {
    let mut world = World::new(1);
    let job = world.put("ann", "Was that a fold?").unwrap();
    assert_eq!(world.job("ann", job).stage, JobStage::Waiting);
    assert_eq!((world.view().works[0].waiting, world.view().works[0].agents), (1, 0));
    world.ready("coach-1", 2).unwrap();
    let lease = &world.leases("coach-1")[0];
    assert_eq!((lease.job, lease.attempt, &*lease.text), (job, 1, "Was that a fold?"));
    assert_eq!((&lease.user, lease.until_ms), (&user("ann"), START_MS + 15_000));
    world.pass(14_000);
    world.tell("coach-1", job, 1, "Let me see. ").unwrap();
    assert_eq!(world.job("ann", job).answer, "Let me see. ");
    world.pass(14_000);
    world.done("coach-1", job, 1, "Yes.").unwrap();
    let own = world.job("ann", job);
    assert_eq!((own.stage, &*own.answer, own.attempt), (JobStage::Done, "Let me see. Yes.", 1));
    assert_eq!(world.leases("coach-1"), []);
    assert_eq!(refused(world.done("coach-1", job, 1, " No.")), Code::LeaseLost);
    world.ask("ann", Roles::NONE, &JobsCommand::Drop { job }).unwrap();
    assert_eq!(world.room_told("ann").jobs, []);
}

#[test]
fn what_is_not_told_of_for_too_long_is_another_s_and_begins_anew() {
    let mut world = World::new(2);
    world.ready("coach-1", 1).unwrap();
    let job = world.put("ann", "?").unwrap();
    world.tell("coach-1", job, 1, "I think").unwrap();
    world.ready("coach-2", 1).unwrap();
    world.pass(15_000);
    let own = world.job("ann", job);
    assert_eq!((own.stage, &*own.answer, own.attempt), (JobStage::Taken, "", 2));
    // Whoever has stalled is asked last.
    assert_eq!((world.leases("coach-1"), world.leases("coach-2").len()), (vec![], 1));
    assert_eq!(refused(world.tell("coach-1", job, 1, " that")), Code::LeaseLost);
    world.done("coach-2", job, 2, "Fold.").unwrap();
    assert_eq!(world.job("ann", job).answer, "Fold.");
}

#[test]
fn what_somebody_does_who_is_gone_is_another_s_at_once() {
    let mut world = World::new(3);
    world.ready("coach-1", 1).unwrap();
    let job = world.put("ann", "?").unwrap();
    world.tell("coach-1", job, 1, "Call").unwrap();
    world.ready("coach-2", 1).unwrap();
    world.away("coach-1", true);
    assert_eq!((world.leases("coach-1"), world.leases("coach-2").len()), (vec![], 1));
    assert_eq!(world.job("ann", job).answer, "");
    world.away("coach-1", false);
    assert_eq!(refused(world.done("coach-1", job, 1, ".")), Code::LeaseLost);
    // Whoever is gone for a minute does no work any more.
    world.away("coach-1", true);
    world.pass(60_000);
    assert_eq!(world.view().works[0].agents, 1);
}

#[test]
fn what_five_have_taken_and_nobody_has_done_has_failed_until_staff_has_it_tried_anew() {
    let mut world = World::new(4);
    world.ready("coach-1", 1).unwrap();
    let job = world.put("ann", "?").unwrap();
    let nack =
        |attempt, retry_ms| JobsCommand::Nack { job, attempt, why: "busy".into(), retry_ms: Some(retry_ms) };
    for attempt in 1..5 {
        world.ask("coach-1", Roles::NONE, &nack(attempt, 10_000)).unwrap();
        assert_eq!(world.leases("coach-1"), []);
        world.pass(9_999);
        assert_eq!(world.job("ann", job).stage, JobStage::Waiting);
        world.pass(1);
        assert_eq!(world.job("ann", job).attempt, attempt + 1);
    }
    world.pass(15_000);
    let own = world.job("ann", job);
    assert_eq!(
        (own.stage, own.why.as_deref()),
        (JobStage::Failed, Some("nothing was heard of it for too long"))
    );
    assert_eq!((world.view().failed[0].job, world.view().failed[0].attempts), (job, 5));
    let again = JobsCommand::Requeue { job };
    assert_eq!(refused(world.ask("ann", Roles::AGENT, &again)), Code::NotAllowed);
    world.ask("boss", Roles::FLOOR, &again).unwrap();
    assert_eq!(refused(world.ask("boss", Roles::FLOOR, &again)), Code::Unchanged);
    world.done("coach-1", job, 6, "Fold.").unwrap();
    assert_eq!(world.job("ann", job).answer, "Fold.");
}

/// Automattic/kue 126: an agent whose model is down for some seconds has used up all tries by then.
#[test]
fn who_names_no_pause_has_one_that_grows() {
    let mut world = World::new(11);
    world.ready("coach-1", 1).unwrap();
    let job = world.put("ann", "?").unwrap();
    for (attempt, pause) in (1..5).zip([1_000, 2_000, 4_000, 8_000]) {
        let nack = JobsCommand::Nack { job, attempt, why: "the model is down".into(), retry_ms: None };
        world.ask("coach-1", Roles::NONE, &nack).unwrap();
        world.pass(pause - 1);
        assert_eq!(world.leases("coach-1"), []);
        world.pass(1);
        assert_eq!(world.leases("coach-1")[0].attempt, attempt + 1);
    }
}

/// taskforcesh/bullmq 892: a job fails since the agents that do it are restarted.
#[test]
fn agents_that_go_in_order_use_up_no_try() {
    let mut world = World::new(12);
    let job = world.put("ann", "?").unwrap();
    for attempt in 1..=20 {
        world.ready("coach-1", 1).unwrap();
        assert_eq!(world.leases("coach-1")[0].attempt, attempt);
        world.ask("coach-1", Roles::NONE, &JobsCommand::Ready { works: vec![], most: 0 }).unwrap();
    }
    world.ready("coach-1", 1).unwrap();
    world.done("coach-1", job, 21, "Fold.").unwrap();
    assert_eq!(world.job("ann", job).answer, "Fold.");
}

#[test]
fn the_longest_pause_does_not_end_a_job() {
    let mut world = World::new(5);
    world.ready("coach-1", 1).unwrap();
    let job = world.put("ann", "?").unwrap();
    let nack = JobsCommand::Nack {
        job,
        attempt: 1,
        why: "the model is down".into(),
        retry_ms: Some(u64::from(u32::MAX)),
    };
    world.ask("coach-1", Roles::NONE, &nack).unwrap();
    world.pass(RETRY_MS_MAX);
    assert_eq!(world.job("ann", job).attempt, 2);
}

#[test]
fn a_job_that_nobody_does_fails_after_ten_minutes_and_is_forgotten_an_hour_later() {
    let mut world = World::new(6);
    let job = world.put("ann", "?").unwrap();
    world.pass(599_999);
    assert_eq!(world.job("ann", job).stage, JobStage::Waiting);
    world.pass(1);
    assert_eq!(world.job("ann", job).why.as_deref(), Some("nobody does such work"));
    world.pass(3_600_000);
    assert_eq!(world.room_told("ann").jobs, []);
    assert_eq!(world.room.deadline(), None);
}

#[test]
fn what_its_user_does_not_want_any_more_is_taken_from_who_does_it() {
    let mut world = World::new(7);
    world.ready("coach-1", 1).unwrap();
    let (first, second) = (world.put("ann", "1").unwrap(), world.put("ann", "2").unwrap());
    world.ask("ann", Roles::NONE, &JobsCommand::Drop { job: first }).unwrap();
    assert_eq!(world.leases("coach-1").iter().map(|lease| lease.job).collect::<Vec<_>>(), [second]);
    assert_eq!(refused(world.done("coach-1", first, 1, "?")), Code::LeaseLost);
    assert_eq!(refused(world.ask("bob", Roles::NONE, &JobsCommand::Drop { job: second })), Code::NoSuchJob);
}

#[test]
fn an_agent_that_ends_gives_everything_back_and_rejects_what_nobody_is_to_do() {
    let mut world = World::new(8);
    assert_eq!(
        refused(world.ask("ann", Roles::NONE, &JobsCommand::Ready { works: vec![work("coach")], most: 1 })),
        Code::NotAllowed
    );
    world.ready("coach-1", 2).unwrap();
    let (first, second) = (world.put("ann", "1").unwrap(), world.put("ann", "2").unwrap());
    let reject = JobsCommand::Reject { job: first, attempt: 1, why: "that hand is being played".into() };
    world.ask("coach-1", Roles::NONE, &reject).unwrap();
    assert_eq!(world.job("ann", first).why.as_deref(), Some("that hand is being played"));
    world.ask("coach-1", Roles::NONE, &JobsCommand::Ready { works: vec![], most: 0 }).unwrap();
    assert_eq!((world.leases("coach-1"), world.job("ann", second).stage), (vec![], JobStage::Waiting));
    let again = world.ask("coach-1", Roles::NONE, &JobsCommand::Ready { works: vec![], most: 0 });
    assert_eq!(refused(again), Code::Unchanged);
}

#[test]
fn everything_is_bounded_and_what_is_too_much_changes_nothing() {
    let mut world = World::new(9);
    assert_eq!(refused(world.put("ann", " \n")), Code::BadText);
    assert_eq!(refused(world.put("ann", &"x".repeat(TEXT_BYTES_MAX + 1))), Code::BadText);
    world.put("ann", &"x".repeat(TEXT_BYTES_MAX)).unwrap();
    let job = world.put("ann", "2").unwrap();
    assert_eq!(refused(world.put("ann", "3")), Code::TooMany);
    for number in 2..OPEN_MAX {
        world.put(&format!("u{number}"), "?").unwrap();
    }
    assert_eq!(refused(world.put("bob", "?")), Code::TooMany);
    assert_eq!(refused(world.ready("coach-1", MOST_MAX + 1)), Code::BadAmount);
    for number in 0..AGENTS_MAX {
        world.ready(&format!("coach-{number}"), 2).unwrap();
    }
    assert_eq!(refused(world.ready("one-more", 1)), Code::TooMany);
    let agent = (0..AGENTS_MAX).map(|number| format!("coach-{number}"));
    let agent =
        agent.into_iter().find(|agent| world.leases(agent).iter().any(|lease| lease.job == job)).unwrap();
    world.tell(&agent, job, 1, &"x".repeat(ANSWER_BYTES_MAX)).unwrap();
    assert_eq!(refused(world.tell(&agent, job, 1, "x")), Code::BadText);
    world.done(&agent, job, 1, "").unwrap();
    let nack = JobsCommand::Nack { job, attempt: 1, why: String::new(), retry_ms: None };
    assert_eq!(refused(world.ask(&agent, Roles::NONE, &nack)), Code::LeaseLost);
}

#[test]
fn of_one_user_s_answers_the_last_four_are_kept() {
    let mut world = World::new(10);
    world.ready("coach-1", 1).unwrap();
    let mut jobs = Vec::new();
    for number in 0..6 {
        let job = world.put("ann", &format!("{number}")).unwrap();
        world.done("coach-1", job, 1, "Fold.").unwrap();
        jobs.push(job);
    }
    let kept: Vec<_> = world.room_told("ann").jobs.iter().map(|own| own.job).collect();
    assert_eq!(kept, jobs[jobs.len() - KEPT_OF_USER_MAX..]);
}

#[test]
fn each_job_has_one_answer_of_who_has_it_whatever_everybody_does() {
    let (mut answered, mut returned, mut failed) = (0, 0, 0);
    for seed in 0..60 {
        let mut world = World::new(seed);
        let mut chance = ChaCha8Rng::seed_from_u64(seed ^ 0xbeef);
        let (users, agents) = (["ann", "bob", "cid"], ["coach-1", "coach-2", "coach-3"]);
        // What agents believe to have, right or not.
        let mut believed: Vec<(&str, Position, u32)> = Vec::new();
        let mut said: BTreeMap<(Position, u32), String> = BTreeMap::new();
        let mut answers: BTreeMap<Position, String> = BTreeMap::new();
        let mut put: BTreeMap<Position, &str> = BTreeMap::new();
        for step in 0..400 {
            for agent in agents {
                believed.extend(world.leases(agent).iter().map(|lease| (agent, lease.job, lease.attempt)));
            }
            believed.sort_unstable();
            believed.dedup();
            let somebody = *users.choose(&mut chance).unwrap();
            let agent = *agents.choose(&mut chance).unwrap();
            let lease = believed.choose(&mut chance).copied();
            match (chance.random_range(0..14), lease) {
                (0..3, _) => {
                    if let Ok(job) = world.put(somebody, "?") {
                        put.insert(job, somebody);
                    }
                }
                (3, _) => drop(world.ready(agent, chance.random_range(0..3))),
                (4, _) => world.away(agent, chance.random_bool(0.5)),
                (5, _) => world.pass(chance.random_range(0..20_000)),
                (6, _) => {
                    let own = world.room_told(somebody).jobs.choose(&mut chance).map(|own| own.job);
                    let Some(job) = own else { continue };
                    world.ask(somebody, Roles::NONE, &JobsCommand::Drop { job }).unwrap();
                    put.remove(&job);
                }
                (7..11, Some((agent, job, attempt))) => {
                    let has_it =
                        world.leases(agent).iter().any(|lease| (lease.job, lease.attempt) == (job, attempt));
                    let text = format!("{step} ");
                    let told = world.tell(agent, job, attempt, &text);
                    assert_eq!(told.is_ok(), has_it, "who has it may tell of it, and nobody else: {told:?}");
                    if told.is_ok() {
                        said.entry((job, attempt)).or_default().push_str(&text);
                    }
                }
                (11 | 12, Some((agent, job, attempt))) if world.done(agent, job, attempt, "!").is_ok() => {
                    let answer = said.remove(&(job, attempt)).unwrap_or_default() + "!";
                    assert_eq!(answers.insert(job, answer), None, "it is answered once");
                    answered += 1;
                }
                (13, Some((agent, job, attempt))) => {
                    let nack = JobsCommand::Nack {
                        job,
                        attempt,
                        why: "?".into(),
                        retry_ms: chance.random_bool(0.7).then(|| chance.random_range(0..5_000)),
                    };
                    returned += u64::from(world.ask(agent, Roles::NONE, &nack).is_ok());
                }
                _ => {}
            }
            let mut held = BTreeSet::new();
            for lease in agents.iter().flat_map(|agent| world.leases(agent)) {
                assert!(held.insert(lease.job), "{} is done by two", lease.job);
            }
            for (job, user) in &put {
                let own = world.room_told(user).jobs.into_iter().find(|own| own.job == *job);
                let Some(own) = own else { continue };
                match answers.get(job) {
                    Some(answer) => assert_eq!((own.stage, &own.answer), (JobStage::Done, answer)),
                    None if own.stage == JobStage::Failed => failed += 1,
                    // What was told of it by who had it does not hold.
                    None if own.stage == JobStage::Waiting => assert_eq!(own.answer, ""),
                    None => {
                        assert_eq!(own.answer, said.get(&(*job, own.attempt)).cloned().unwrap_or_default())
                    }
                }
                assert_eq!(held.contains(job), own.stage == JobStage::Taken);
            }
        }
    }
    assert!(answered > 300 && returned > 50 && failed > 0, "{answered} {returned} {failed}");
}
