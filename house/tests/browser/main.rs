//! The web client in a real browser, against the real thing: what two people see who play each other.
//!
//! Needs Debian's `chromium` and `chromium-driver`, and letters for Korean (`fonts-nanum`); `scripts/test` installs them.

mod accessible;
mod accounts;
mod amounts;
mod before_my_turn;
mod coach;
mod decimals;
mod elsewhere;
mod first_load;
mod forwarder;
mod frames;
mod gestures;
mod history;
mod hosted;
mod keys;
mod language;
mod layout;
mod made_up;
mod memory;
mod misclicks;
mod newer_house;
mod nobody;
mod notes;
mod outage;
mod play_now;
#[path = "../process/mod.rs"]
mod process;
mod purse;
mod rebuy;
mod reopened;
mod reports;
mod runs;
mod seats_kept;
mod showdown;
mod small_things;
mod talk;
mod themes;
mod tiles;
mod tournament;
mod waiting;
mod waste;
mod window;

use std::{net::SocketAddr, sync::Arc};

use broker::{
    bus::memory::MemoryBus, clock::Clock, ports::Ports, seal::SealKey, store::memory::MemoryStore, wire::Wire,
};
use dealer_worker::{Opening, open_tables};
use house::{Config, House, site};
use ops::serve::{HttpArgs, serve};
use protocol::{id::NodeId, table::TableConfig};
use reception::{Desk, Keyring};
use relay::{Relay, RelayConfig};
use rooms::{Chance, Worker, WorkerConfig};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use forwarder::Forwarder;
use window::Window;

/// Nobody is hurried: a browser on a busy machine may take its time for a click.
const TURN_MS: u64 = 300_000;

/// Long enough to look at the end of a hand.
const PAUSE_MS: u64 = 600_000;

/// The cards of the own hand, as they are read to those who cannot see them.
const MY_CARDS: &str = "[data-testid=my-cards]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_windows_sit_at_one_table_and_play_a_hand_to_its_end() {
    let (url, _house) = house_with_a_table().await;

    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    let (ann_bought, bob_bought) = both_sit(&ann, &bob, &url).await;
    ann.until("the hand begins", async || has_cards(&ann).await && has_cards(&bob).await).await;
    assert_ne!(which(&ann, MY_CARDS).await, which(&bob, MY_CARDS).await);
    assert!(!face_up(&ann, 3).await && !face_up(&bob, 0).await, "nobody sees the other's cards");

    play_on(&ann, &bob).await;
    assert_eq!(ann.hand().await, bob.hand().await);
    let board = "[data-testid=board]";
    assert_eq!(cards(&ann, board).await, 5);
    assert_eq!(ann.text(board).await, bob.text(board).await);
    // Who called to the end must show, and the winner has the chips.
    assert!(face_up(&ann, 3).await || face_up(&bob, 0).await, "somebody has shown");
    let stacks = stack(&ann, 0).await + stack(&ann, 3).await;
    assert_eq!(stacks, ann_bought + bob_bought);
    for window in [&ann, &bob] {
        let wide = window.ask("return document.documentElement.scrollWidth > innerWidth").await;
        assert_eq!(wide, false, "no horizontal scroll");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_whose_relay_is_killed_comes_back_to_the_same_hand() {
    let cluster = Cluster::start().await;
    let (first, second) = (cluster.relay("relay-1").await, cluster.relay("relay-2").await);
    let balancer = Forwarder::to(first.address).await;
    let url = format!("http://{}/", balancer.address());

    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    both_sit(&ann, &bob, &url).await;
    ann.until("somebody is to act", async || ann.has_turn().await || bob.has_turn().await).await;
    ann.until("both have cards", async || has_cards(&ann).await && has_cards(&bob).await).await;
    let before = (ann.hand().await, ann.text(MY_CARDS).await, bob.text(MY_CARDS).await);
    let connections = || (first.relay.connections(), second.relay.connections());
    ann.until("both have moved", async || connections() == (2, 0)).await;

    balancer.turn_to(second.address);
    drop(first);
    ann.until("both are on the other relay", async || second.relay.connections() == 2).await;
    for window in [&ann, &bob] {
        window.online().await;
    }
    assert_eq!((ann.hand().await, ann.text(MY_CARDS).await, bob.text(MY_CARDS).await), before);
    play_on(&ann, &bob).await;
    assert_eq!((ann.hand().await, bob.hand().await), (before.0, before.0), "it was the same hand");
}

/// A house with one table and no bots, until the handle is dropped; answers where it is.
async fn house_with_a_table() -> (String, AbortOnDropHandle<()>) {
    house_with_tables(1).await
}

/// The same with so many tables, t1 to tN.
async fn house_with_tables(tables: u32) -> (String, AbortOnDropHandle<()>) {
    let mut config = without_bots();
    config.tables.tables = tables;
    let (url, _, house) = open(config).await;
    (url, house)
}

/// One table, no bots, and whatever port is free.
fn without_bots() -> Config {
    let mut config = Config::defaults();
    config.listen = ([127, 0, 0, 1], 0).into();
    config.tables.tables = 1;
    config.tables.turn_ms = TURN_MS;
    config.tables.pause_ms = PAUSE_MS;
    config.bots.bots = 0;
    config
}

/// A house like that; where it is, what closes it, and what ends it at once when it is dropped.
async fn open(config: Config) -> (String, CancellationToken, AbortOnDropHandle<()>) {
    let house = House::open(config).await.unwrap();
    let (url, closing) = (house.url(), CancellationToken::new());
    let run = house.run(closing.clone());
    (url, closing, AbortOnDropHandle::new(tokio::spawn(async move { run.await.unwrap() })))
}

/// Ends a house, and waits until nobody answers there any more: what is aborted goes on until it is looked at again.
async fn end(house: AbortOnDropHandle<()>, url: &str) {
    house.abort();
    let _ = house.await;
    while TcpStream::connect(address(url)).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
}

/// Ann in seat 0, Bob in seat 3; answers their buy-ins.
async fn both_sit(ann: &Window, bob: &Window, url: &str) -> (u64, u64) {
    let come = async |window: &Window, name: &str, seat: u8| {
        window.enter(url, name).await;
        window.go_to_the_table().await;
        window.sit(seat).await
    };
    tokio::join!(come(ann, "Ann", 0), come(bob, "Bob", 3))
}

/// Both check or call until the hand has ended in both windows.
async fn play_on(ann: &Window, bob: &Window) {
    let over = "[data-testid=result]";
    ann.until("the hand has ended", async || {
        for window in [ann, bob] {
            window.act(&["check", "call"]).await;
        }
        !ann.text(over).await.is_empty() && !bob.text(over).await.is_empty()
    })
    .await;
}

async fn has_cards(window: &Window) -> bool {
    !window.text(MY_CARDS).await.is_empty()
}

async fn face_up(window: &Window, seat: u8) -> bool {
    let css = format!("document.querySelector('[data-testid=seat-{seat}] .seat-cards.face-up')");
    window.ask(&format!("return {css} !== null")).await == true
}

async fn cards(window: &Window, css: &str) -> u64 {
    window.ask(&format!("return document.querySelectorAll('{css} .card').length")).await.as_u64().unwrap()
}

/// Their ranks alone, which is what is written on them, may be those of others.
async fn which(window: &Window, css: &str) -> Value {
    let cards = format!("[...document.querySelectorAll('{css} .card')]");
    window.ask(&format!("return {cards}.map((it) => it.dataset.card).join(' ')")).await
}

async fn stack(window: &Window, seat: u8) -> u64 {
    window.text(&format!("[data-testid=seat-{seat}] .seat-stack")).await.replace(',', "").parse().unwrap()
}

/// A dealer worker with one table in memory, and what relays need to join it.
struct Cluster {
    bus: MemoryBus,
    store: MemoryStore,
    clock: Clock,
    desk: Desk,
    _worker: JoinSet<()>,
}

/// A relay and its web server. Dropping it is a crash.
struct Running {
    relay: Arc<Relay>,
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Cluster {
    async fn start() -> Self {
        let node = NodeId::new("worker-1").unwrap();
        let wire = Wire::perfect();
        let (bus, store, clock) =
            (MemoryBus::new(wire.clone(), &node), MemoryStore::new(wire, &node), Clock::system());
        let ports = Ports { bus: Arc::new(bus.clone()), store: Arc::new(store.clone()), clock };
        let table =
            TableConfig { turn_ms: TURN_MS, pause_ms: PAUSE_MS, away_ms: TURN_MS, ..TableConfig::default() };
        open_tables(&ports, 1, &Opening::of(table)).await.unwrap();
        let worker = Worker::new(
            ports,
            WorkerConfig::new(node, SealKey::random()),
            dealer_worker::kinds(),
            Chance::of_the_system(),
        );
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { worker.run(CancellationToken::new()).await.unwrap() });
        let desk = Desk::new(Arc::new(Keyring::in_memory()), clock, 3_600_000);
        Self { bus, store, clock, desk, _worker: tasks }
    }

    async fn relay(&self, name: &str) -> Running {
        let limits = Config::defaults().tokens.api(Vec::new(), Vec::new());
        self.relay_before(name, reception::router(self.desk.clone(), limits)).await
    }

    /// A relay that stands at one address with this reception.
    async fn relay_before(&self, name: &str, api: axum::Router) -> Running {
        let node = NodeId::new(name).unwrap();
        let (bus, store) = (Arc::new(self.bus.handle(&node)), Arc::new(self.store.handle(&node)));
        let ports = Ports { bus, store, clock: self.clock };
        let keys = relay::Keys::given(self.desk.keyring().keys().public().clone());
        // Whoever takes a seat moves once, as behind an edge that leads a table's players to one relay.
        let config = RelayConfig { node: Some(node), near: true, ..RelayConfig::default() };
        let front = config.front(HttpArgs::default(), 0);
        let relay = Relay::new(ports, config, keys);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let site = site::router(&relay, api);
        let mut tasks = JoinSet::new();
        tasks.spawn(relay.run(std::future::pending()));
        tasks.spawn(async move { serve(listener, site, front, std::future::pending()).await });
        Running { relay, address, _tasks: tasks }
    }
}
