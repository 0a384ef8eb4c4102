//! A relay and its clients in miniature: they follow a room by its frames and check what they see, and they repeat commands
//! until they are answered.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test file uses a part of it")]

mod house;
pub mod journals;
pub mod release_2;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use broker::{
    bus::{Receiver, Subscription},
    channel::Channel,
    entry::{Cause, Entry, Kind},
    members::{Heartbeat, Members},
    node::{Asked, NodeNews, Role, ToRelay, ToRoom, decode, encode},
    ports::Ports,
};
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::{
    id::{Epoch, NodeId, Position, RoomId, SessionId, UserId},
    rights::Rights,
    table::{TableConfig, TableEvent, TablePrivate, TableView},
};
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{Duration, Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

pub use self::house::{House, Running, by_partition, node, room, rooms, until, user};

/// A node of the release before of which nothing is there but its heartbeat, until it is dropped.
pub fn of_the_release_before(ports: Ports, node: NodeId, role: Role) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        for beat in 1.. {
            let (node, sent_ms) = (node.clone(), ports.clock.now_ms());
            let (draining, speaks, missed, spares, door) = (false, 2, 0, false, None);
            let beat = NodeNews::Beat { node, role, beat, sent_ms, draining, speaks, missed, spares, door };
            let _ = ports.bus.publish(&Channel::nodes(), encode(&beat)).await;
            sleep(Duration::from_millis(100)).await;
        }
    }))
}

/// A relay with members of its own heartbeat.
pub struct Relay {
    pub node: NodeId,
    ports: Ports,
    heard: Arc<Heard>,
    subscription: Box<dyn Subscription>,
    members: Option<Members>,
    next_n: AtomicU64,
    _repair: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Heard {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    rooms: BTreeMap<RoomId, Followed>,
    answers: BTreeMap<(RoomId, UserId, SessionId, u64), Answer>,
    /// Whose sessions are told to every new owner, and the epoch in which they were told last.
    present: BTreeMap<(RoomId, UserId, SessionId), u64>,
    notices: Vec<(UserId, SessionId, Value)>,
    elsewhere: Vec<(UserId, SessionId)>,
    /// Answers to questions.
    told: Vec<(UserId, SessionId, Value)>,
    /// Answers to lists of who watches: by their numbers who has no place, and whether there are no more.
    places: BTreeMap<u64, (Vec<u32>, bool)>,
    replies: u64,
}

/// How a command was answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Applied(Position),
    Refused(Value),
}

impl Answer {
    pub fn code(&self) -> &str {
        match self {
            Self::Applied(_) => "applied",
            Self::Refused(body) => body["code"].as_str().unwrap(),
        }
    }

    /// When to try again.
    pub fn retry_after(&self) -> Duration {
        let Self::Refused(body) = self else { return Duration::ZERO };
        Duration::from_millis(body["retry_after_ms"].as_u64().expect("it says when to try again"))
    }
}

/// A room as a client knows it.
#[derive(Debug, Default, Clone)]
pub struct Followed {
    pub at: Position,
    pub view: Option<TableView>,
    /// Of a room that is no table: the last keyframe's state, and the private parts and events since.
    pub state: Option<Value>,
    pub parts: BTreeMap<UserId, Value>,
    pub told: Vec<Value>,
    pub privates: BTreeMap<UserId, TablePrivate>,
    pub events: Vec<TableEvent>,
    pub keyframes: u64,
    pub has_ended: bool,
    /// Epochs in the order in which they were seen.
    pub epochs: Vec<u64>,
    causes: Vec<(Cause, Position)>,
}

impl Followed {
    pub fn view(&self) -> &TableView {
        self.view.as_ref().expect("a keyframe was seen")
    }

    /// Whether what came is the next frame, or a keyframe that replaces what is known. Panics if what came contradicts
    /// what is known.
    fn follow(&mut self, entry: &Entry) {
        let is_next = entry.at.seq() == self.at.seq().next();
        match entry.kind {
            Kind::Claim => return,
            Kind::End => {
                self.has_ended |= is_next;
                return;
            }
            Kind::Keyframe if entry.at > self.at => {
                let public: Value = serde_json::from_slice(&entry.public).unwrap();
                self.keyframes += 1;
                if public["kind"] != "table" {
                    self.state = Some(public["state"].clone());
                    self.told.clear();
                    return self.took(entry);
                }
                let state: TableView = serde_json::from_value(public["state"].clone()).unwrap();
                assert!(state.conserves_chips());
                if is_next && let Some(view) = &self.view {
                    assert_eq!(*view, state, "a keyframe is what the frames before it add up to");
                }
                self.view = Some(state);
            }
            // Of a sparse room it may tell something to single users alone.
            Kind::Delta if is_next && self.state.is_some() && entry.public.is_empty() => {}
            Kind::Delta if is_next && self.state.is_some() => {
                let public: Value = serde_json::from_slice(&entry.public).unwrap();
                self.told.extend(public["events"].as_array().unwrap().iter().cloned());
            }
            Kind::Delta if is_next && self.view.is_some() => {
                let public: Value = serde_json::from_slice(&entry.public).unwrap();
                assert_eq!(public["seq"], json!(entry.at.seq().0));
                let events: Vec<TableEvent> = serde_json::from_value(public["events"].clone()).unwrap();
                let view = self.view.as_mut().unwrap();
                for event in events {
                    view.apply(&event).unwrap();
                    assert!(view.conserves_chips(), "{event:?}");
                    self.events.push(event);
                }
            }
            Kind::Keyframe | Kind::Delta => return,
        }
        self.took(entry);
    }

    fn took(&mut self, entry: &Entry) {
        if self.epochs.last() != Some(&entry.at.epoch().0) {
            self.epochs.push(entry.at.epoch().0);
        }
        self.at = entry.at;
        if let Some(cause) = &entry.cause {
            let repeated = self.causes.iter().any(|(known, _)| known.has_number_of(cause));
            assert!(!repeated, "applied twice: {cause:?}");
            self.causes.push((cause.clone(), entry.at));
        }
        for part in &entry.privates {
            let message: Value = serde_json::from_slice(&part.bytes).unwrap();
            assert_eq!(message["t"], "private");
            let private = message["private"].clone();
            if self.state.is_some() {
                self.parts.insert(part.user.clone(), private);
            } else {
                self.privates.insert(part.user.clone(), serde_json::from_value(private).unwrap());
            }
        }
    }
}

impl Receiver for Heard {
    fn deliver(&self, channel: &str, payload: Bytes) {
        let mut state = self.state.lock();
        if channel.ends_with(":frames") {
            let entry = Entry::decode(payload).unwrap();
            assert!(entry.secret.is_empty(), "secrets are not published");
            let followed = state.rooms.entry(entry.room.clone()).or_default();
            followed.follow(&entry);
            if let Some(cause) = entry.cause {
                let key = (entry.room, cause.user, cause.session, cause.n);
                state.answers.insert(key, Answer::Applied(entry.at));
            }
        } else {
            state.replies += 1;
            match decode(&payload).unwrap() {
                ToRelay::Refused { user, session, n, body, room, epoch: _ } => {
                    let body: Value = serde_json::from_slice(&body).unwrap();
                    let refused = Answer::Refused(body);
                    let before = state.answers.insert((room, user, session, n), refused.clone());
                    assert!(before.is_none_or(|before| before == refused), "two answers to one command");
                }
                ToRelay::Applied { user, session, n, at, room } => {
                    let applied = Answer::Applied(at);
                    let before = state.answers.insert((room, user, session, n), applied.clone());
                    assert!(before.is_none_or(|before| before == applied), "two answers to one command");
                }
                ToRelay::Answer { user, session, body } => {
                    state.told.push((user, session, serde_json::from_slice(&body).unwrap()));
                }
                ToRelay::Places { round, without, is_full, .. } => {
                    state.places.insert(round, (without, is_full));
                }
                ToRelay::Elsewhere { user, session } => state.elsewhere.push((user, session)),
                ToRelay::Notice { user, session, body, room: _ } => {
                    state.notices.push((user, session, serde_json::from_slice(&body).unwrap()));
                }
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    fn missed(&self) {}
}

impl Relay {
    pub async fn new(house: &House, name: &str, rooms: u32) -> Self {
        Self::on(house.ports(name), name, rooms).await
    }

    /// The same on any broker.
    pub async fn on(ports: Ports, name: &str, rooms: u32) -> Self {
        let node = node(name);
        let heard = Arc::new(Heard::default());
        let subscription = ports.bus.subscriber(heard.clone());
        subscription.subscribe(&Channel::replies(&node)).await.unwrap();
        for number in 1..=rooms {
            subscription.subscribe(&Channel::frames(&room(number))).await.unwrap();
        }
        let members =
            Members::start(ports.clone(), node.clone(), Role::Relay, Heartbeat::new(100, 400), |_| {});
        let repair = tokio::spawn(repair(ports.clone(), node.clone(), heard.clone(), rooms));
        let _repair = AbortOnDropHandle::new(repair);
        let next_n = AtomicU64::new(1_000);
        Self { node, ports, heard, subscription, members: Some(members), next_n, _repair }
    }

    /// Hears one more room. What it misses of that it misses for good.
    pub async fn hear(&self, room: &RoomId) {
        self.subscription.subscribe(&Channel::frames(room)).await.unwrap();
    }

    /// Ends its heartbeat, as if it had been killed.
    pub fn fall_silent(&mut self) {
        self.members = None;
    }

    pub fn followed(&self, room: &RoomId) -> Followed {
        self.heard.state.lock().rooms.get(room).cloned().unwrap_or_default()
    }

    /// A counter for a command, greater than those before.
    pub fn next_n(&self) -> u64 {
        self.next_n.fetch_add(1, Ordering::Relaxed)
    }

    pub fn notices(&self) -> Vec<(UserId, SessionId, Value)> {
        self.heard.state.lock().notices.clone()
    }

    /// Waits until each of these has been told something so often.
    pub async fn told(&self, users: &[&str], code: &str, times: usize) {
        let told = async {
            loop {
                let changed = self.heard.changed.notified();
                let notices = self.notices();
                let count = |name: &str| {
                    notices
                        .iter()
                        .filter(|(who, _, body)| who.as_str() == name && body["code"] == code)
                        .count()
                };
                if users.iter().all(|name| count(name) >= times) {
                    return;
                }
                changed.await;
            }
        };
        if timeout(Duration::from_secs(600), told).await.is_err() {
            panic!("not told {code}: {:?}", self.notices());
        }
    }

    /// Sessions of which it was told that they are at another relay too.
    pub fn elsewhere(&self) -> Vec<(UserId, SessionId)> {
        self.heard.state.lock().elsewhere.clone()
    }

    /// The same, waiting for the first.
    pub async fn until_elsewhere(&self) -> Vec<(UserId, SessionId)> {
        let waited = timeout(Duration::from_secs(600), async {
            loop {
                let changed = self.heard.changed.notified();
                let elsewhere = self.elsewhere();
                if !elsewhere.is_empty() {
                    return elsewhere;
                }
                changed.await;
            }
        });
        waited.await.expect("told of a session elsewhere")
    }

    /// Waits until what is known of a room is as wanted.
    pub async fn until(&self, room: &RoomId, wanted: impl Fn(&Followed) -> bool) -> Followed {
        let waited = timeout(Duration::from_secs(600), async {
            loop {
                let changed = self.heard.changed.notified();
                let followed = self.followed(room);
                if wanted(&followed) {
                    return followed;
                }
                changed.await;
            }
        });
        match waited.await {
            Ok(followed) => followed,
            Err(_) => panic!("did not come to pass: {:#?}", self.followed(room)),
        }
    }

    /// Waits until the room has an owner.
    pub async fn owned(&self, room: &RoomId) -> Followed {
        self.until(room, |followed| followed.keyframes > 0).await
    }

    /// Says who watches, or wants to, of whom the first `have` have a place.
    pub async fn lists(&self, room: &RoomId, round: u64, have: u32, names: &[&str]) {
        let users = names.iter().map(|name| UserId::new(name).unwrap()).collect();
        self.tell(room, Asked::Places { relay: self.node.clone(), round, have, users }).await;
    }

    /// The answer to the list of this number, if there is one yet.
    pub fn places(&self, round: u64) -> Option<(Vec<u32>, bool)> {
        self.heard.state.lock().places.get(&round).cloned()
    }

    pub async fn tell(&self, room: &RoomId, what: Asked) {
        let epoch = self.followed(room).at.epoch();
        let message = ToRoom { epoch, relay: self.node.clone(), what };
        let _ = self.ports.bus.publish(&Channel::commands(room), encode(&message)).await;
    }

    /// Sends a command until it is answered.
    pub async fn command(&self, room: &RoomId, user: &UserId, session: u64, n: u64, what: Value) -> Answer {
        self.said(room, user, (session, n), what, Rights::default(), false).await
    }

    /// The same of a user with these rights.
    pub async fn command_with(&self, rights: Rights, room: &RoomId, user: &UserId, what: Value) -> Answer {
        self.said(room, user, (1, self.next_n()), what, rights, false).await
    }

    /// The same of one that was never sent before, and says so the first time.
    pub async fn new_command(
        &self,
        room: &RoomId,
        user: &UserId,
        session: u64,
        n: u64,
        what: Value,
    ) -> Answer {
        self.said(room, user, (session, n), what, Rights::default(), true).await
    }

    async fn said(
        &self,
        room: &RoomId,
        user: &UserId,
        (session, n): (u64, u64),
        what: Value,
        rights: Rights,
        mut is_first: bool,
    ) -> Answer {
        let key = (room.clone(), user.clone(), SessionId(session), n);
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let (body, name) = (Bytes::from(what.to_string()), user.as_str().to_uppercase());
            let (user, session) = (user.clone(), SessionId(session));
            let what_is_said = if std::mem::take(&mut is_first) {
                Asked::First { user, name, session, n, body, rights }
            } else {
                Asked::Command { user, name, session, n, body, rights }
            };
            self.tell(room, what_is_said).await;
            let answered = async {
                loop {
                    let changed = self.heard.changed.notified();
                    if let Some(answer) = self.heard.state.lock().answers.get(&key) {
                        return answer.clone();
                    }
                    changed.await;
                }
            };
            if let Ok(answer) = timeout(Duration::from_millis(250), answered).await {
                return answer;
            }
            assert!(Instant::now() < deadline, "no answer to {what}");
        }
    }

    /// Asks until there is an answer.
    pub async fn question(&self, room: &RoomId, user: &UserId, q: &Value) -> Value {
        let n = self.next_n();
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            self.ask(room, user, n, q).await;
            let answered = async {
                loop {
                    let changed = self.heard.changed.notified();
                    let told = self.answers_to(user, n);
                    if let Some(answer) = told.into_iter().next() {
                        return answer;
                    }
                    changed.await;
                }
            };
            if let Ok(answer) = timeout(Duration::from_millis(250), answered).await {
                return answer;
            }
            assert!(Instant::now() < deadline, "no answer to {q}");
        }
    }

    /// Asks once.
    pub async fn ask(&self, room: &RoomId, user: &UserId, n: u64, q: &Value) {
        let what = Asked::Question {
            user: user.clone(),
            session: SessionId(1),
            n,
            body: Bytes::from(q.to_string()),
        };
        // Of no epoch: a relay may ask a room that it does not follow.
        let message = ToRoom { epoch: Epoch::default(), relay: self.node.clone(), what };
        let _ = self.ports.bus.publish(&Channel::commands(room), encode(&message)).await;
    }

    /// What was answered to a question so far.
    pub fn answers_to(&self, user: &UserId, n: u64) -> Vec<Value> {
        let state = self.heard.state.lock();
        let own = state.told.iter().filter(|(who, _, body)| who == user && body["n"] == n);
        own.map(|(_, _, body)| body.clone()).collect()
    }

    /// Sends a command once.
    pub async fn send(&self, room: &RoomId, user: &UserId, session: u64, n: u64, what: &Value) {
        let body = Bytes::from(what.to_string());
        let (user, name) = (user.clone(), user.as_str().to_uppercase());
        let session = SessionId(session);
        self.tell(room, Asked::Command { user, name, session, n, body, rights: Rights::default() }).await;
    }

    pub async fn sit(&self, room: &RoomId, name: &str, session: u64, buy_in: u64) -> Answer {
        let sit = json!({"a": "sit", "buy_in": buy_in});
        let mut n = 1;
        let answer = loop {
            let answer = self.command(room, &user(name), session, n, sit.clone()).await;
            if answer.code() != "unavailable" {
                break answer;
            }
            n += 1;
            tokio::time::sleep(answer.retry_after()).await;
        };
        let epoch = self.followed(room).at.epoch().0;
        self.heard.state.lock().present.insert((room.clone(), user(name), SessionId(session)), epoch);
        answer
    }
}

/// Reads the journals of rooms now and then, as a relay does when it sees a hole or a silence, and tells new owners who is
/// there.
async fn repair(ports: Ports, relay: NodeId, heard: Arc<Heard>, rooms: u32) {
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut words = Vec::new();
        {
            let state = &mut *heard.state.lock();
            for ((room, user, session), told) in &mut state.present {
                let epoch = state.rooms[room].at.epoch();
                if *told != epoch.0 {
                    *told = epoch.0;
                    let what = Asked::Present { user: user.clone(), session: *session, anew: false };
                    words.push((Channel::commands(room), ToRoom { epoch, relay: relay.clone(), what }));
                }
            }
        }
        for (channel, word) in words {
            let _ = ports.bus.publish(&channel, encode(&word)).await;
        }
        for number in 1..=rooms {
            let Ok(entries) = ports.store.read(&room(number), None, 10_000).await else { continue };
            let mut state = heard.state.lock();
            for stored in entries {
                let entry = Entry::decode(stored.bytes).unwrap();
                let before = state.rooms.entry(room(number)).or_default();
                let was = before.at;
                before.follow(&entry);
                let followed = before.at != was;
                if let Some(cause) = entry.cause.filter(|_| followed) {
                    let key = (entry.room, cause.user, cause.session, cause.n);
                    state.answers.insert(key, Answer::Applied(entry.at));
                }
            }
            drop(state);
            heard.changed.notify_waiters();
        }
    }
}

/// Plays for some users until dropped: checks or calls, now and then raises or folds.
pub async fn play(relay: &Relay, room: &RoomId, players: &[(&str, u64)], hands: u64) {
    let target = relay.followed(room).view().hand.as_ref().map_or(0, |hand| hand.hand) + hands;
    loop {
        let followed = relay
            .until(room, |followed| {
                let hand = followed.view().hand.as_ref();
                let ended = hand.is_some_and(|hand| hand.hand >= target && hand.ended);
                ended || hand.is_some_and(|hand| hand.turn.is_some())
            })
            .await;
        let view = followed.view();
        let hand = view.hand.as_ref().unwrap();
        let Some(turn) = &hand.turn else { return };
        if hand.hand > target {
            return;
        }
        let seat = view.seats[usize::from(turn.seat)].as_ref().unwrap();
        let session = players.iter().find(|(name, _)| *name == seat.user.as_str()).unwrap().1;
        let n = relay.next_n.fetch_add(1, Ordering::Relaxed);
        let kind = match (n % 7, turn.call, &turn.raise) {
            (3, _, Some(raise)) if raise.bet => json!({"kind": "bet", "to": raise.min}),
            (3, _, Some(raise)) => json!({"kind": "raise", "to": raise.min}),
            (5, Some(_), _) => json!({"kind": "fold"}),
            (_, Some(_), _) => json!({"kind": "call"}),
            (_, None, _) => json!({"kind": "check"}),
        };
        let mut act = json!({"a": "act", "hand": hand.hand, "turn": turn.turn});
        act.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
        let answer = relay.command(room, &seat.user, session, n, act).await;
        if answer.code() == "unavailable" {
            tokio::time::sleep(answer.retry_after()).await;
            continue;
        }
        assert!(matches!(answer, Answer::Applied(_)) || answer.code() == "late", "{answer:?}");
        // A late action means that the view was old; the next round sees the new one.
        if let Answer::Applied(at) = answer {
            relay.until(room, |followed| followed.at >= at).await;
        }
    }
}

/// Settings under which a hand is over quickly.
pub fn fast() -> TableConfig {
    TableConfig { pause_ms: 10, runout_ms: 0, ..TableConfig::default() }
}
