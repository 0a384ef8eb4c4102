//! A room in which work waits for whoever does it.

use broker::node::{Asked, RoomSpec};
use jobs::{Jobs, Settings, list::Event};
use protocol::{
    id::SessionId,
    rights::{Rights, Roles},
};
use rooms::room::Room as _;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use super::{Scribe, is_read, is_written_as_it_stands, journal, words};
use crate::support::{Followed, Relay, room, user};

/// One job is told of and done, one is dropped, one comes back when its agent is gone and again after a pause, fails, is tried anew and rejected.
const JOBS: &str = include_str!("jobs-release-9.journal");
const JOBS_VIEW: &str = include_str!("jobs-release-9.view.json");

fn word(event: &Event) -> &'static str {
    use Event as E;
    match event {
        E::Put { .. } => "put",
        E::Dropped { .. } => "dropped",
        E::Ready { .. } => "ready",
        E::Gone { .. } => "gone",
        E::Back { .. } => "back",
        E::Taken { .. } => "taken",
        E::Told { .. } => "told",
        E::Done { .. } => "done",
        E::Returned { .. } => "returned",
        E::Due { .. } => "due",
        E::Failed { .. } => "failed",
        E::Requeued { .. } => "requeued",
    }
}

const WORDS: usize = 12;

#[test]
fn a_room_of_jobs_is_read_as_it_stands() {
    is_read::<Jobs>(&journal(JOBS), JOBS_VIEW);
    is_written_as_it_stands::<Jobs>(&journal(JOBS));
    assert_eq!(words::<Jobs>(&journal(JOBS), word).len(), WORDS);
}

#[tokio::test(start_paused = true)]
async fn a_room_of_jobs_writes_what_stands_in_its_golden_journal() {
    let mut scribe = Scribe::new(dealer_worker::kinds());
    let settings = Settings { attempts_max: 3, ..Settings::default() };
    scribe.house.open_room(&RoomSpec::new(Jobs::NAME, &settings)).await;
    let worker = scribe.worker("w1", 4);
    let relay = Relay::new(&scribe.house, "r1", 1).await;
    relay.owned(&room(1)).await;
    let asks = async |who: &str, roles: Roles, what: Value| {
        let rights = Rights { roles, ..Rights::default() };
        let answer = relay.command_with(rights, &room(1), &user(who), what.clone()).await;
        assert_eq!(answer.code(), "applied", "{who}: {what}");
    };
    let put = async |who: &str| {
        asks(who, Roles::NONE, json!({"a": "put", "work": "coach", "text": "Was that a fold?"})).await;
        let job = |part: &Value| part["jobs"][0]["job"].clone();
        let told = |part: &Value| !job(part).is_null();
        let has = |followed: &Followed| followed.parts.get(&user(who)).is_some_and(told);
        job(&relay.until(&room(1), has).await.parts[&user(who)])
    };
    let first = put("ann").await;
    asks("coach-1", Roles::AGENT, json!({"a": "ready", "works": ["coach"], "most": 1})).await;
    asks("coach-1", Roles::NONE, json!({"a": "tell", "job": first, "attempt": 1, "text": "Let me see. "}))
        .await;
    asks("coach-1", Roles::NONE, json!({"a": "done", "job": first, "attempt": 1, "text": "It was."})).await;
    let second = put("bob").await;
    let third = put("cyd").await;
    asks("bob", Roles::NONE, json!({"a": "drop", "job": second})).await;
    // Who does it is gone, and back.
    let absent = Asked::Absent { user: user("coach-1"), session: SessionId(1) };
    let present = Asked::Present { user: user("coach-1"), session: SessionId(1), anew: true };
    let grace = Duration::from_millis(rooms::Bounds::default().absence_grace_ms + 1_000);
    for what in [absent, present.clone()] {
        relay.tell(&room(1), what).await;
        sleep(grace).await;
    }
    worker.kill();
    let next = scribe.worker("w2", 4);
    let nack = json!({"a": "nack", "job": third, "attempt": 2, "why": "busy", "retry_ms": 1_000});
    asks("coach-1", Roles::NONE, nack).await;
    relay.tell(&room(1), present).await;
    // The third time is the last.
    sleep(Duration::from_secs(20)).await;
    asks("boss", Roles::FLOOR, json!({"a": "requeue", "job": third})).await;
    asks("coach-1", Roles::NONE, json!({"a": "reject", "job": third, "attempt": 4, "why": "no"})).await;
    next.kill();
    let _last = scribe.worker("w3", 4);
    relay.until(&room(1), |followed| followed.epochs.len() == 3).await;
    let jobs = scribe.journal::<Jobs>(&room(1));
    is_written_as_it_stands::<Jobs>(&jobs);
    assert_eq!(words::<Jobs>(&jobs, word).len(), WORDS);
}
