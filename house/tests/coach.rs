//! Questions to the coach, as who asks them meets it: with a house, and with coaches that die.

#[path = "../../agency/coach/tests/server/mod.rs"]
mod server;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use broker::{
    bus::memory::MemoryBus, clock::Clock, ports::Ports, seal::SealKey, store::memory::MemoryStore, wire::Wire,
};
use bytes::Bytes;
use coach::{CoachConfig, Limits, Model, ModelConfig};
use futures_util::{SinkExt as _, StreamExt as _};
use house::{Config, House, site};
use ops::serve::{HttpArgs, serve};
use player::{
    Client, Heard,
    connect::{Dialer, Socket},
    guest::{Reception, Tokens as _},
};
use protocol::{
    ClientOut,
    id::{NodeId, RoomId},
    jobs::{ANSWER_BYTES_MAX, JobStage, JobsCommand, JobsPrivate, OwnJob, Work, room_of},
};
use reception::{Desk, Keyring};
use relay::{Relay, RelayConfig};
use rooms::{Chance, Worker, WorkerConfig};
use serde_json::value::to_raw_value;
use server::{Does, Server, piece, stream};
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tokio_websockets::Message;

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(60);

/// A relay and a dealer worker with rooms of jobs, and a desk.
struct Hall {
    address: SocketAddr,
    desk: Desk,
    _tasks: JoinSet<()>,
}

impl Hall {
    async fn open(settings: jobs::Settings) -> Self {
        let (floor, door) = (NodeId::new("worker-1").unwrap(), NodeId::new("relay-1").unwrap());
        let wire = Wire::perfect();
        let (bus, store, clock) =
            (MemoryBus::new(wire.clone(), &floor), MemoryStore::new(wire, &floor), Clock::system());
        let outside = Ports { bus: Arc::new(bus.handle(&door)), store: Arc::new(store.handle(&door)), clock };
        let inside = Ports { bus: Arc::new(bus), store: Arc::new(store), clock };
        dealer_worker::open_jobs(&inside, &settings).await.unwrap();
        let config = WorkerConfig::new(floor, SealKey::random());
        let worker = Worker::new(inside, config, dealer_worker::kinds(), Chance::of_the_system());
        let desk = Desk::new(Arc::new(Keyring::in_memory()), clock, 3_600_000);
        let keys = relay::Keys::given(desk.keyring().keys().public().clone());
        let config = RelayConfig { node: Some(door), ..RelayConfig::default() };
        let front = config.front(HttpArgs::default(), 0);
        let relay = Relay::new(outside, config, keys);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Config::defaults().tokens.api(Vec::new(), Vec::new());
        let site = site::router(&relay, reception::router(desk.clone(), limits));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { worker.run(CancellationToken::new()).await.unwrap() });
        tasks.spawn(relay.run(std::future::pending()));
        tasks.spawn(async move { serve(listener, site, front, std::future::pending()).await });
        Self { address, desk, _tasks: tasks }
    }

    /// A coach that asks this server. Dropped, it is dead.
    fn coach(&self, server: &Server, limits: Limits) -> AbortOnDropHandle<()> {
        let model = ModelConfig {
            first_within: SOON,
            whole_within: SOON,
            backoff: Duration::from_millis(1),
            ..ModelConfig::new(server.url(), "small")
        };
        let dialer = Dialer::new(&format!("ws://{}/ws", self.address)).unwrap();
        let config = CoachConfig { at_once: 8, limits };
        let coach = reception::coach::coach(Model::new(model).unwrap(), config, dialer, self.desk.clone());
        AbortOnDropHandle::new(tokio::spawn(coach))
    }
}

/// Somebody who asks.
struct Asker {
    client: Client,
    socket: Socket,
    room: RoomId,
    jobs: Vec<OwnJob>,
}

impl Asker {
    async fn enter(address: SocketAddr) -> Self {
        let url = format!("ws://{address}/ws");
        let guest = Reception::new(&Reception::base_of(&url)).guest("Ann").await.unwrap();
        let socket = Dialer::new(&url).unwrap().dial(None).await.unwrap();
        let room = room_of(&guest.user);
        let mut client = Client::new(guest.token, Instant::now());
        client.connected(Instant::now());
        client.watch(&room, Instant::now());
        Self { client, socket, room, jobs: Vec::new() }
    }

    fn says(&mut self, what: &JobsCommand) {
        let raw = to_raw_value(what).unwrap();
        self.client.raw_command(&self.room, raw, Instant::now());
    }

    fn asks(&mut self, text: &str) {
        self.says(&JobsCommand::Put { work: Work::new(Work::COACH).unwrap(), text: text.into() });
    }

    async fn hear(&mut self) {
        while let Some(text) = self.client.pop_outgoing() {
            self.socket.send(Message::text(Bytes::from(text))).await.unwrap();
        }
        let message = self.socket.next().await.expect("the connection stays").unwrap();
        let Some(text) = message.as_text() else { return };
        match self.client.receive(text, Instant::now()) {
            Heard::Private { .. } => {
                let Ok(ClientOut::Private { private, .. }) = serde_json::from_str(text) else { return };
                let told: JobsPrivate = serde_json::from_str(private.get()).unwrap();
                self.jobs = told.jobs;
            }
            Heard::Refused(refusal) => panic!("{refusal:?}"),
            _ => {}
        }
    }

    /// Waits until the last job that was asked is like that.
    async fn until(&mut self, what: &str, is_it: impl Fn(&OwnJob) -> bool) -> OwnJob {
        let looking = async {
            loop {
                if let Some(job) = self.jobs.last().filter(|job| is_it(job)) {
                    return job.clone();
                }
                self.hear().await;
            }
        };
        timeout(SOON, looking).await.unwrap_or_else(|_| panic!("waited for {what}"))
    }

    async fn answer(&mut self) -> OwnJob {
        self.until("the end", |job| matches!(job.stage, JobStage::Done | JobStage::Failed)).await
    }
}

/// Words of an answer, slowly.
fn slowly(words: &str) -> Vec<(u64, String)> {
    words.split_inclusive(' ').map(|word| (15, piece(word))).collect()
}

fn whole(words: &str) -> Does {
    Does::Stream(slowly(words).into_iter().chain([(0, "data: [DONE]\n\n".into())]).collect())
}

const ANSWER: &str = "With two cards of the suit on the flop you have nine outs, which is about one in three until the river, \
                      so you call where the pot gives you two to one or better, 那个 🌍.";

#[tokio::test]
async fn a_house_with_a_model_answers_and_the_answer_grows() {
    let server = Server::open(vec![whole(ANSWER), stream(&["Yes."])]).await;
    let mut config = Config::defaults();
    config.listen = ([127, 0, 0, 1], 0).into();
    config.tables.tables = 1;
    config.bots.bots = 0;
    config.coach.coach_url = Some(server.url());
    config.coach.coach_model = Some("small".into());
    config.coach.coach_key = Some("sk-1".parse().unwrap());
    let house = House::open(config).await.unwrap();
    let address = house.address();
    let run = house.run(CancellationToken::new());
    let _house = AbortOnDropHandle::new(tokio::spawn(async move { run.await.unwrap() }));
    let mut ann = Asker::enter(address).await;
    ann.asks("Is it a call?");
    let part = ann.until("a part", |job| !job.answer.is_empty()).await;
    assert!(part.stage == JobStage::Taken && ANSWER.starts_with(&part.answer), "{part:?}");
    let done = ann.answer().await;
    assert_eq!((done.stage, done.answer.as_str(), done.attempt), (JobStage::Done, ANSWER, 1));
    ann.asks("And now?");
    let done = ann.until("the second", |job| job.text == "And now?" && job.stage == JobStage::Done).await;
    assert_eq!(done.answer, "Yes.");
    let heard = server.heard();
    assert_eq!(heard.len(), 2);
    assert!(heard.iter().all(|heard| heard.bearer.as_deref() == Some("Bearer sk-1")));
    let user = ann.client.user().unwrap().to_string();
    assert!(heard.iter().all(|heard| !heard.body.contains(&user)), "the model is not told who asks");
    assert_eq!(ann.client.breaches().total(), 0, "{:?}", ann.client.breaches());
}

#[tokio::test]
async fn what_a_coach_has_begun_that_dies_another_tells_from_the_beginning() {
    let hall = Hall::open(jobs::Settings::default()).await;
    let dies = Server::open(vec![Does::Hang(slowly("With two cards of another answer "))]).await;
    let first = hall.coach(&dies, Limits::of(50));
    let mut ann = Asker::enter(hall.address).await;
    ann.asks("Is it a call?");
    ann.until("a part", |job| !job.answer.is_empty()).await;
    let lives = Server::open(vec![whole(ANSWER)]).await;
    let _second = hall.coach(&lives, Limits::of(50));
    drop(first);
    timeout(SOON, dies.all_closed()).await.expect("its request is gone with it");
    let done = ann.answer().await;
    assert_eq!((done.stage, done.answer.as_str(), done.attempt), (JobStage::Done, ANSWER, 2));
    assert_eq!(ann.jobs.len(), 1, "one whole answer, never two");
}

#[tokio::test]
async fn a_model_that_breaks_in_the_middle_is_asked_anew() {
    let hall = Hall::open(jobs::Settings::default()).await;
    let server = Server::open(vec![Does::Cut(slowly("With two ")), whole(ANSWER)]).await;
    let _coach = hall.coach(&server, Limits::of(50));
    let mut ann = Asker::enter(hall.address).await;
    ann.asks("Is it a call?");
    let done = ann.answer().await;
    assert_eq!((done.stage, done.answer.as_str(), done.attempt), (JobStage::Done, ANSWER, 2));
}

#[tokio::test]
async fn who_does_not_want_the_answer_any_more_ends_the_models_request() {
    let hall = Hall::open(jobs::Settings::default()).await;
    let server = Server::open(vec![Does::Hang(slowly("With two "))]).await;
    let _coach = hall.coach(&server, Limits::of(50));
    let mut ann = Asker::enter(hall.address).await;
    ann.asks("Is it a call?");
    let job = ann.until("a part", |job| !job.answer.is_empty()).await.job;
    assert_eq!(server.open_streams(), 1);
    ann.says(&JobsCommand::Drop { job });
    let gone = async {
        while !ann.jobs.is_empty() {
            ann.hear().await;
        }
        server.all_closed().await;
    };
    timeout(SOON, gone).await.expect("the request ends");
}

#[tokio::test]
async fn who_has_asked_enough_today_is_told_so() {
    let hall = Hall::open(jobs::Settings::default()).await;
    let server = Server::open(vec![stream(&["Yes."])]).await;
    let _coach = hall.coach(&server, Limits::of(1));
    let mut ann = Asker::enter(hall.address).await;
    ann.asks("Is it a call?");
    assert_eq!(ann.answer().await.answer, "Yes.");
    ann.asks("And now?");
    let job = ann.until("the second", |job| job.text == "And now?" && job.why.is_some()).await;
    assert_eq!(job.stage, JobStage::Failed);
    assert!(job.why.unwrap().contains("ask again tomorrow"));
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_slow_model_keeps_its_lease_and_the_longest_answer_comes_whole() {
    let hall = Hall::open(jobs::Settings { lease_ms: 1_000, ..jobs::Settings::default() }).await;
    let quiet = (3_000, piece(""));
    let long = (0..4_000).map(|_| (0, piece("那")));
    let server = Server::open(vec![Does::Stream([quiet].into_iter().chain(long).collect())]).await;
    let _coach = hall.coach(&server, Limits::of(50));
    let mut ann = Asker::enter(hall.address).await;
    ann.asks("Is it a call?");
    let done = ann.answer().await;
    assert_eq!((done.stage, done.attempt), (JobStage::Done, 1));
    assert!(
        done.answer.len() > ANSWER_BYTES_MAX - 6 && done.answer.ends_with("那…"),
        "{}",
        done.answer.len()
    );
    assert_eq!(done.answer.chars().filter(|c| *c == '那').count(), (ANSWER_BYTES_MAX - 3) / 3);
}
