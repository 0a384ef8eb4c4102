//! Whatever the bus and the store do to a relay, and however often its clients come and go: each sees the journal, without gap
//! or repeat, nobody sees another's private part, and every command is answered once.
//!
//! In imagined time and without sockets; every choice comes from a seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IoSlice},
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use broker::{
    bus::{Bus, Receiver, memory::MemoryBus},
    channel::Channel,
    clock::Clock,
    directory::{self, Readers},
    entry::{Cause, Entry, Kind, Private},
    node::{Asked, ToRelay, ToRoom, decode, encode},
    ports::Ports,
    store::{Store, memory::MemoryStore},
    wire::{
        Wire,
        fault::{Copies, Fate, Faults, Operation},
        seeded::{Rates, SeededFaults},
    },
};
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::id::{Epoch, NodeId, Position, RoomId, SessionId, UserId};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_chacha::ChaCha8Rng;
use relay::{Keys, Line, Relay, RelayConfig, Session};
use serde_json::{Value, json};
use tokens::{Claims, Signer};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

const CLIENTS: usize = 5;
const COMMANDS: u64 = 25;
const FAULTS: Rates = Rates {
    refused: 0.05,
    answer_lost: 0.05,
    hangs: 0.01,
    behind: 0.0,
    slow: 0.2,
    slow_max: Duration::from_millis(300),
    dropped: 0.15,
    duplicated: 0.15,
    late: 0.2,
    late_max: Duration::from_millis(500),
};

/// Spares the dealer's own operations: it is the one who knows what is true.
struct SparesDealer(SeededFaults);

impl Faults for SparesDealer {
    fn operation(&self, node: &NodeId, operation: Operation) -> Fate {
        if node.as_str() == "dealer" { Fate::FINE } else { self.0.operation(node, operation) }
    }

    fn delivery(&self, from: &NodeId, to: &NodeId, channel: &str) -> Copies {
        self.0.delivery(from, to, channel)
    }
}

fn name(client: usize) -> String {
    format!("user{client}")
}

fn room() -> RoomId {
    RoomId::new("t1").unwrap()
}

/// The owner of the room, and the owner after it.
struct Dealer {
    bus: MemoryBus,
    store: MemoryStore,
    rng: StdRng,
    epoch: u64,
    seq: u64,
    keyframe_seq: (u64, u64),
    /// Of each session how its commands were answered.
    answers: BTreeMap<SessionId, BTreeMap<u64, ToRelay>>,
    /// How often each command was applied.
    applied: Arc<Mutex<BTreeMap<(SessionId, u64), u32>>>,
    end: Arc<Mutex<u64>>,
}

impl Dealer {
    async fn commit(&mut self, kind: Kind, cause: Option<Cause>) {
        self.seq += 1;
        let (epoch, seq) = (self.epoch, self.seq);
        let tag = if kind == Kind::Keyframe { "keyframe" } else { "frame" };
        let private = |client: usize| Private {
            user: UserId::new(&name(client)).unwrap(),
            bytes: format!(
                r#"{{"t":"private","room":"t1","epoch":{epoch},"seq":{seq},"private":"{}"}}"#,
                name(client)
            )
            .into(),
        };
        let entry = Entry {
            kind,
            room: room(),
            at: Position::new(epoch, seq),
            cause,
            follows: None,
            at_ms: None,
            delay: None,
            places: None,
            rail: None,
            privates: (0..CLIENTS).filter(|_| self.rng.random_bool(0.3)).map(private).collect(),
            public: format!(r#"{{"t":"{tag}","room":"t1","epoch":{epoch},"seq":{seq}}}"#).into(),
            secret: Bytes::from_static(b"sealed"),
        };
        let encoded = entry.encode();
        let keep_from = (kind == Kind::Keyframe).then(|| {
            let (epoch, seq) = std::mem::replace(&mut self.keyframe_seq, (epoch, seq));
            Position::new(epoch, seq)
        });
        self.store.append(&room(), entry.at, encoded.stored, keep_from).await.unwrap();
        *self.end.lock() = seq;
        self.bus.publish(&Channel::frames(&room()), encoded.published).await.unwrap();
    }

    async fn take_over(&mut self) {
        self.epoch += 1;
        let at = Position::new(self.epoch, 0);
        let claim = Entry {
            kind: Kind::Claim,
            room: room(),
            at,
            cause: None,
            follows: None,
            at_ms: None,
            delay: None,
            places: None,
            rail: None,
            privates: Default::default(),
            public: Bytes::new(),
            secret: Bytes::new(),
        };
        self.store.append(&room(), at, claim.encode().stored, None).await.unwrap();
        self.commit(Kind::Keyframe, None).await;
    }

    async fn hear(&mut self, ToRoom { epoch, relay, what }: ToRoom) {
        let (Asked::Command { user, session, n, .. } | Asked::First { user, session, n, .. }) = what else {
            return;
        };
        if epoch.0 != self.epoch {
            return;
        }
        let answers = self.answers.entry(session).or_default();
        if let Some(answer) = answers.get_mut(&n) {
            // Whoever owns the room now answers, in its own epoch.
            if let ToRelay::Refused { epoch, .. } = answer {
                *epoch = Epoch(self.epoch);
            }
            self.bus.publish(&Channel::replies(&relay), encode(answer)).await.unwrap();
            return;
        }
        assert_eq!(n, answers.len() as u64 + 1, "commands of a session arrive in order");
        if n.is_multiple_of(5) {
            let body = json!({"t": "refused", "n": n, "room": "t1", "code": "late", "message": ""});
            let answer = ToRelay::Refused {
                user,
                session,
                n,
                room: room(),
                body: body.to_string().into(),
                epoch: Epoch(self.epoch),
            };
            self.bus.publish(&Channel::replies(&relay), encode(&answer)).await.unwrap();
            answers.insert(n, answer);
            return;
        }
        let at = Position::new(self.epoch, self.seq + 1);
        answers.insert(n, ToRelay::Applied { user: user.clone(), session, n, room: room(), at });
        *self.applied.lock().entry((session, n)).or_default() += 1;
        self.commit(Kind::Delta, Some(Cause { user, session, n, said: None })).await;
    }

    async fn play(mut self, mut heard: mpsc::UnboundedReceiver<ToRoom>) {
        self.commit(Kind::Keyframe, None).await;
        loop {
            let pause = Duration::from_millis(self.rng.random_range(1..200));
            tokio::select! { biased;
                Some(message) = heard.recv() => self.hear(message).await,
                () = sleep(pause) => match self.rng.random_range(0..20) {
                    0 => self.take_over().await,
                    1 | 2 => self.commit(Kind::Keyframe, None).await,
                    _ => self.commit(Kind::Delta, None).await,
                },
            }
        }
    }
}

struct Ear(mpsc::UnboundedSender<ToRoom>);

impl Receiver for Ear {
    fn deliver(&self, _: &str, payload: Bytes) {
        let _ = self.0.send(decode(&payload).unwrap());
    }

    fn missed(&self) {}
}

/// A transport that keeps what is written.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl ws::Wire for Tape {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        slices.iter().map(|slice| self.try_write(slice)).sum()
    }

    fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn shutdown(&self) {}
}

impl Tape {
    /// The text messages that were written since the last look.
    fn read(&self) -> Vec<Value> {
        let bytes = std::mem::take(&mut *self.0.lock());
        let mut messages = Vec::new();
        let mut rest = &bytes[..];
        while let [first, length, after @ ..] = rest {
            let (length, after) = match length {
                126 => (usize::from(u16::from_be_bytes([after[0], after[1]])), &after[2..]),
                length => (usize::from(*length), after),
            };
            if *first == 0x81 {
                messages.push(serde_json::from_slice(&after[..length]).unwrap());
            }
            rest = &after[length..];
        }
        messages
    }
}

/// What a client knows and wants.
struct Client {
    name: String,
    token: String,
    session: Option<SessionId>,
    /// The last frame that it has.
    at: Option<(u64, u64)>,
    /// The last command that it has sent.
    sent: u64,
    unanswered: BTreeSet<u64>,
    live: Option<(Session, Tape)>,
    /// No frame has come on this connection: the newest private part may come once more.
    fresh: bool,
    rng: StdRng,
}

impl Client {
    fn connect(&mut self, relay: &Arc<Relay>) {
        let tape = Tape::default();
        let line = Line::Other(Box::new(tape.clone()));
        let mut session = relay.connect(line, IpAddr::V4(Ipv4Addr::LOCALHOST), None);
        let mut hello = json!({"t": "hello", "token": self.token});
        hello["resume"] = json!({"t1": self.at.unwrap_or_default()});
        if let Some(session) = self.session {
            hello["session"] = json!(session);
        }
        session.receive_text(&hello.to_string());
        (self.live, self.fresh) = (Some((session, tape)), true);
        for n in self.unanswered.clone() {
            self.say(n);
        }
    }

    fn say(&mut self, n: u64) {
        let (session, _) = self.live.as_mut().unwrap();
        session.receive_text(&json!({"t": "do", "n": n, "room": "t1", "do": {}}).to_string());
    }

    /// Takes in what has come, and judges it.
    fn listen(&mut self) {
        let Some((_, tape)) = &self.live else { return };
        for message in tape.read() {
            let position = (message["epoch"].as_u64().unwrap_or(0), message["seq"].as_u64().unwrap_or(0));
            match message["t"].as_str().unwrap() {
                "welcome" => self.session = Some(serde_json::from_value(message["session"].clone()).unwrap()),
                "keyframe" => {
                    assert!(self.at.is_none_or(|at| position.1 > at.1), "{message} after {:?}", self.at);
                    (self.at, self.fresh) = (Some(position), false);
                }
                "frame" => {
                    assert_eq!(Some(position.1), self.at.map(|at| at.1 + 1), "{message}");
                    (self.at, self.fresh) = (Some(position), false);
                }
                "private" => {
                    let once_more =
                        std::mem::take(&mut self.fresh) && self.at.is_some_and(|at| position <= at);
                    assert!(once_more || Some(position) == self.at, "right behind its frame: {message}");
                    assert_eq!(message["private"], self.name.as_str());
                }
                "ack" | "refused" => {
                    let n = message["n"].as_u64().unwrap();
                    assert!(self.unanswered.remove(&n), "answered once: {message}");
                    assert_eq!(message["t"] == "refused", n.is_multiple_of(5), "{message}");
                    if message["t"] == "ack" {
                        assert!(self.at.is_some_and(|at| at.1 >= position.1), "behind its frame");
                    }
                }
                "notice" => assert_ne!(message["code"], "history_lost", "nothing was lost"),
                "error" => assert_eq!(message["code"], "unavailable", "{message}"),
                other => panic!("{other}"),
            }
        }
    }

    /// Does something, or not.
    fn act(&mut self, relay: &Arc<Relay>) {
        self.listen();
        match self.rng.random_range(0..20) {
            0 => self.live = None,
            _ if self.live.is_none() => self.connect(relay),
            1..6 if self.sent < COMMANDS => {
                self.sent += 1;
                self.unanswered.insert(self.sent);
                self.say(self.sent);
            }
            _ => {}
        }
    }
}

async fn run(seed: u64) {
    let faults = Arc::new(SparesDealer(SeededFaults::new(ChaCha8Rng::seed_from_u64(seed), FAULTS)));
    let wire = Wire::with_faults(faults.clone());
    let (node, dealer_node) = (NodeId::new("relay").unwrap(), NodeId::new("dealer").unwrap());
    let bus = MemoryBus::new(wire.clone(), &node);
    let store = MemoryStore::new(wire, &node);
    let (dealer_bus, dealer_store) = (bus.handle(&dealer_node), store.handle(&dealer_node));
    let clock = Clock::starting_at(1_800_000_000_000);
    let signer = Signer::generate();
    let ports = Ports { bus: Arc::new(bus), store: Arc::new(store), clock };
    let config = RelayConfig {
        node: Some(node),
        seed: Some(seed),
        linger_ms: 300,
        window_frames: 4,
        messages_per_s: 1_000,
        commands_in_flight_max: COMMANDS as usize,
        ..RelayConfig::default()
    };
    let relay = Relay::new(ports, config, Keys::given(signer.public()));
    let mut tasks = JoinSet::new();
    tasks.spawn(relay.run(std::future::pending()));

    directory::open(&dealer_store, &room(), Bytes::from_static(b"{}"), Readers::OfThisRelease).await.unwrap();
    let (hear, heard) = mpsc::unbounded_channel();
    let subscription = dealer_bus.subscriber(Arc::new(Ear(hear)));
    subscription.subscribe(&Channel::commands(&room())).await.unwrap();
    let (applied, end) = (Arc::default(), Arc::default());
    let dealer = Dealer {
        bus: dealer_bus,
        store: dealer_store,
        rng: StdRng::seed_from_u64(seed),
        epoch: 1,
        seq: 0,
        keyframe_seq: (0, 0),
        answers: BTreeMap::new(),
        applied: Arc::clone(&applied),
        end: Arc::clone(&end),
    };
    let dealing = tasks.spawn(dealer.play(heard));

    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|client| Client {
            name: name(client),
            token: signer.sign(&Claims::new(
                UserId::new(&name(client)).unwrap(),
                name(client),
                clock.now_ms(),
                3_600_000,
            )),
            session: None,
            at: None,
            sent: 0,
            unanswered: BTreeSet::new(),
            live: None,
            fresh: false,
            rng: StdRng::seed_from_u64(seed.wrapping_mul(1_000) + client as u64),
        })
        .collect();
    for _ in 0..1_500 {
        sleep(Duration::from_millis(20)).await;
        clients.iter_mut().for_each(|client| client.act(&relay));
    }
    // Everything works again, everybody is there, and nothing new happens.
    faults.0.set_rates(Rates::default());
    for client in &mut clients {
        if client.live.is_none() {
            client.connect(&relay);
        }
    }
    let settled = |clients: &[Client]| clients.iter().all(|client| client.unanswered.is_empty());
    for _ in 0..3_000 {
        sleep(Duration::from_millis(20)).await;
        clients.iter_mut().for_each(Client::listen);
        if settled(&clients) {
            break;
        }
    }
    dealing.abort();
    sleep(Duration::from_secs(30)).await;
    for client in &mut clients {
        client.listen();
        assert!(client.unanswered.is_empty(), "{}: {:?}", client.name, client.unanswered);
        assert_eq!(client.sent, COMMANDS, "the clients were busy");
        assert_eq!(client.at.map(|at| at.1), Some(*end.lock()), "{} sees the journal's end", client.name);
    }
    assert!(applied.lock().values().all(|&times| times == 1));
}

#[test]
fn every_client_sees_the_journal_and_gets_every_answer_once() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(run(seed));
    }
}

/// Each takes a minute of imagined time.
const SEEDS: u64 = 20;
