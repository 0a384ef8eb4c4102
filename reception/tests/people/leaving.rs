//! Nobody is deleted who sits: somebody who sits down at each moment of his own deletion, and a judge of what is left.
//!
//! The world has one table, whose worker is asked who sits, and one relay, which lets nobody say anything whose tokens are void. Whoever
//! asks either of them gives the stranger a moment, before and after it is done.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use axum::Router;
use broker::{clock::Clock, parts::NotKnown};
use cage::{Place, Tellers};
use protocol::id::{RoomId, UserId};
use reception::{
    Desk, Keyring, People,
    passwords::Cost,
    revocations::{Bearer, NotTold, Revocations},
    seats::{Known, Seats, Unasked},
};
use serde_json::json;

use crate::{
    PASSWORD, keys,
    support::{Answer, ask, config},
};

/// Moments in which the stranger may sit down: more than there are.
const MOMENTS: u32 = 12;

/// What could be wrong, and the judge must find.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// The worker says that nobody sits, whoever does.
    WorkerForgets,
    /// Reception asks no worker.
    NobodyAsks,
    /// What was answered first is answered again.
    AsksOnce,
    /// Relays close no socket.
    SocketsStay,
}

#[derive(Default)]
struct Now {
    moment: u32,
    /// The stranger has tried to sit down in his moment.
    tried: bool,
    sits: bool,
    is_void: bool,
    answered: Option<Known>,
}

struct World {
    now: Mutex<Now>,
    /// When the stranger sits down; and whether he stands up again at the next moment.
    sits_at: u32,
    stands_up: bool,
    fault: Option<Fault>,
}

impl World {
    /// A moment passes.
    fn pass(&self) {
        let mut now = self.now.lock().unwrap();
        now.moment += 1;
        if self.stands_up && now.tried && !now.is_void {
            now.sits = false;
        }
        if now.moment == self.sits_at {
            now.tried = true;
            now.sits |= !now.is_void;
        }
    }

    fn answer(&self) -> Known {
        let mut now = self.now.lock().unwrap();
        let rooms = if now.sits { vec![RoomId::new("t7").unwrap()] } else { Vec::new() };
        match self.fault {
            Some(Fault::WorkerForgets) => Ok(Some(Vec::new())),
            Some(Fault::AsksOnce) => now.answered.get_or_insert(Ok(Some(rooms))).clone(),
            _ => Ok(Some(rooms)),
        }
    }
}

struct Worker(Arc<World>);

impl Seats for Worker {
    fn of<'a>(&'a self, _: &'a UserId) -> Pin<Box<dyn Future<Output = Known> + Send + 'a>> {
        Box::pin(async {
            self.0.pass();
            let known = self.0.answer();
            self.0.pass();
            known
        })
    }
}

struct Relay(Arc<World>);

impl Revocations for Relay {
    fn revoke<'a>(
        &'a self,
        _: &'a [Bearer],
    ) -> Pin<Box<dyn Future<Output = Result<(), NotTold>> + Send + 'a>> {
        Box::pin(async {
            self.0.pass();
            self.0.now.lock().unwrap().is_void = self.0.fault != Some(Fault::SocketsStay);
            self.0.pass();
            Ok(())
        })
    }
}

fn router(seats: Arc<dyn Seats>, relays: Arc<dyn Revocations>) -> Router {
    let tellers = Tellers::open(&Place::Memory).unwrap();
    let desk = Desk::new(Arc::new(Keyring::in_memory()), Clock::starting_at(1_700_000_000_000), 600_000);
    let people = People::new(tellers, keys(), desk, Cost { memory_kib: 8, passes: 1 }, relays);
    reception::router_with_people(Arc::new(people.with_seats(seats)), config())
}

async fn member(router: &Router) -> Answer {
    let wanted = json!({ "handle": "ann", "password": PASSWORD, "nick": "ann" });
    let made = ask(router, "POST", "/api/accounts", &[], Some(wanted)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made
}

async fn delete(router: &Router, member: &Answer) -> Answer {
    let bearer = format!("Bearer {}", member.text("token"));
    let body = json!({ "password": PASSWORD });
    ask(router, "POST", "/api/me/deletion", &[("authorization", &bearer)], Some(body)).await
}

/// What came of it, and what the judge says of that.
async fn played(sits_at: u32, stands_up: bool, fault: Option<Fault>) -> (u16, Option<String>) {
    let world = Arc::new(World { now: Mutex::default(), sits_at, stands_up, fault });
    let seats: Arc<dyn Seats> = match fault {
        Some(Fault::NobodyAsks) => Arc::new(Unasked),
        _ => Arc::new(Worker(world.clone())),
    };
    let router = router(seats, Arc::new(Relay(world.clone())));
    // Whoever makes an account has no socket yet.
    let ann = member(&router).await;
    *world.now.lock().unwrap() = Now::default();
    if sits_at == 0 {
        world.now.lock().unwrap().sits = true;
    }
    let answer = delete(&router, &ann).await;
    let sits = world.now.lock().unwrap().sits;
    let still =
        ask(&router, "POST", "/api/refresh", &[], Some(json!({ "token": ann.text("refresh") }))).await;
    let breach = match answer.status {
        204 if sits => Some("deleted, and sits".to_owned()),
        204 if still.text("why") != "gone" => Some("deleted, and not gone".to_owned()),
        409 | 503 if still.status != 200 => Some("not deleted, and not there".to_owned()),
        204 => None,
        409 => (answer.refusal().1 != "seated" || answer.body["rooms"] != json!(["t7"]))
            .then(|| answer.body.to_string()),
        _ => Some(format!("answered {}: {}", answer.status, answer.body)),
    };
    (answer.status, breach)
}

async fn breaches(fault: Option<Fault>) -> Vec<String> {
    let mut found = Vec::new();
    for sits_at in 0..=MOMENTS {
        for stands_up in [false, true] {
            let (_, breach) = played(sits_at, stands_up, fault).await;
            found.extend(breach.map(|breach| format!("sits down at {sits_at}: {breach}")));
        }
    }
    found
}

#[tokio::test]
async fn nobody_is_deleted_who_sits_down_at_the_same_moment() {
    assert_eq!(breaches(None).await, Vec::<String>::new());
    assert_eq!(played(0, false, None).await.0, 409, "who sits is refused");
    assert_eq!(played(MOMENTS, false, None).await.0, 204, "who does not is deleted");
}

#[tokio::test]
async fn a_worker_a_relay_or_a_reception_that_does_its_part_of_it_wrong_is_found() {
    for fault in [Fault::WorkerForgets, Fault::NobodyAsks, Fault::AsksOnce, Fault::SocketsStay] {
        let found = breaches(Some(fault)).await;
        assert!(found.iter().any(|breach| breach.contains("deleted, and sits")), "{fault:?}: {found:?}");
    }
}

/// Relays that are told of nothing.
struct Deaf;

impl Revocations for Deaf {
    fn revoke<'a>(
        &'a self,
        _: &'a [Bearer],
    ) -> Pin<Box<dyn Future<Output = Result<(), NotTold>> + Send + 'a>> {
        Box::pin(async { Err(NotTold("the broker is away".into())) })
    }
}

#[tokio::test]
async fn nobody_is_deleted_whose_sockets_could_not_be_closed() {
    let world = World { now: Mutex::default(), sits_at: MOMENTS, stands_up: false, fault: None };
    let router = router(Arc::new(Worker(Arc::new(world))), Arc::new(Deaf));
    let ann = member(&router).await;
    let answer = delete(&router, &ann).await;
    assert_eq!(answer.refusal(), (503, "seats_unknown"));
    assert!(answer.text("message").contains(NotKnown("relays could not be told in time").0));
}
