//! A room of jobs whose owner is killed again and again, and agents that die in the middle of what they say: each job has one whole answer.

mod support;

use std::collections::BTreeMap;

use broker::node::{Asked, RoomSpec};
use jobs::{Jobs, Settings};
use protocol::{
    id::{Position, SessionId, UserId},
    jobs::{JobStage, JobsPrivate, Lease},
    rights::{Rights, Roles},
};
use rooms::room::Room as _;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use support::{Followed, House, Relay, room, user};

const KILLS: usize = 100;

/// What an agent says of each job, piece by piece.
const WORDS: [&str; 4] = ["You ", "had ", "to ", "fold."];

/// Who asks and who answers, and the room between them.
struct Desk {
    house: House,
    relay: Relay,
}

impl Desk {
    /// Asked until it is heard: a new owner has no time at first. The code of the answer.
    async fn asks(&self, who: &UserId, roles: Roles, what: Value) -> String {
        let rights = Rights { roles, ..Rights::default() };
        loop {
            let answer = self.relay.command_with(rights, &room(1), who, what.clone()).await;
            match answer.code() {
                "busy" => sleep(answer.retry_after()).await,
                code => return code.to_owned(),
            }
        }
    }

    /// What somebody was told last, once it is so.
    async fn told(&self, who: &UserId, is: impl Fn(&JobsPrivate) -> bool) -> JobsPrivate {
        let part = |followed: &Followed| -> Option<JobsPrivate> {
            serde_json::from_value(followed.parts.get(who)?.clone()).ok().filter(|part| is(part))
        };
        part(&self.relay.until(&room(1), |followed| part(followed).is_some()).await).expect("it is so")
    }

    /// Its connection is gone.
    async fn goes(&self, agent: &UserId) {
        self.relay.tell(&room(1), Asked::Absent { user: agent.clone(), session: SessionId(1) }).await;
        sleep(Duration::from_millis(rooms::Bounds::default().absence_grace_ms + 100)).await;
    }

    /// What an agent has of an asker's, once it has it.
    async fn lease(&self, agent: &UserId, asker: &UserId) -> Lease {
        let is_it = |lease: &Lease| lease.user == *asker;
        let told = self.told(agent, |told| told.leases.iter().any(is_it)).await;
        told.leases.into_iter().find(is_it).expect("it is there")
    }

    /// Somebody new comes to do the work.
    async fn comes(&self, agent: &UserId) {
        let ready = json!({"a": "ready", "works": ["coach"], "most": 1});
        assert_eq!(self.asks(agent, Roles::AGENT, ready).await, "applied");
        let present = Asked::Present { user: agent.clone(), session: SessionId(1), anew: true };
        self.relay.tell(&room(1), present).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_agents_and_owners_are_killed_in_mid_sentence_and_each_job_has_one_whole_answer() {
    let house = House::new();
    house.open_room(&RoomSpec::new(Jobs::NAME, &Settings::default())).await;
    let relay = Relay::new(&house, "r1", 1).await;
    let desk = Desk { house, relay };
    let mut worker = desk.house.worker("w0");
    desk.relay.owned(&room(1)).await;
    let mut answers: BTreeMap<Position, String> = BTreeMap::new();
    let mut agent = user("coach-0");
    desk.comes(&agent).await;
    for kill in 0..KILLS {
        let asker = user(&format!("u{kill}"));
        let put = json!({"a": "put", "work": "coach", "text": "Was that a fold?"});
        assert_eq!(desk.asks(&asker, Roles::NONE, put).await, "applied");
        let lease = desk.lease(&agent, &asker).await;
        let first = lease.attempt;
        let says = async |who: &UserId, attempt: u32, word: &str| {
            let what = json!({"a": "tell", "job": lease.job, "attempt": attempt, "text": word});
            desk.asks(who, Roles::NONE, what).await
        };
        for word in &WORDS[..kill % WORDS.len()] {
            assert_eq!(says(&agent, first, word).await, "applied");
        }
        // The agent dies, or the room's owner, who would have heard of it, or both.
        if kill % 4 != 0 {
            desk.goes(&agent).await;
        }
        if kill % 2 == 0 {
            worker.kill();
            worker = desk.house.worker(&format!("w{}", kill + 1));
        }
        let dead = std::mem::replace(&mut agent, user(&format!("coach-{}", kill + 1)));
        desk.comes(&agent).await;
        let lease = desk.lease(&agent, &asker).await;
        // What the first one says of it comes late.
        assert_eq!(says(&dead, first, "never mind").await, "lease_lost");
        // Whoever is heard is there.
        desk.goes(&dead).await;
        for word in WORDS {
            assert_eq!(says(&agent, lease.attempt, word).await, "applied");
        }
        let done = json!({"a": "done", "job": lease.job, "attempt": lease.attempt});
        assert_eq!(desk.asks(&agent, Roles::NONE, done.clone()).await, "applied");
        assert_eq!(desk.asks(&agent, Roles::NONE, done).await, "lease_lost");
        let told = desk.told(&asker, |told| told.jobs[0].stage == JobStage::Done).await;
        assert_eq!((told.jobs.len(), told.jobs[0].attempt), (1, lease.attempt));
        assert_eq!(answers.insert(lease.job, told.jobs[0].answer.clone()), None);
    }
    assert_eq!(answers.len(), KILLS);
    assert!(answers.values().all(|answer| *answer == WORDS.concat()), "{answers:?}");
}
