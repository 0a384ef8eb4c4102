//! What a connection and a delivery cost: next to nothing while idle, and no allocation for a further watcher of a frame.

use std::{
    io::{self, IoSlice},
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use allocation_counter::measure;
use broker::{
    bus::{Bus, memory::MemoryBus},
    channel::Channel,
    clock::Clock,
    entry::{Entry, Kind},
    ports::Ports,
    store::{Store, memory::MemoryStore},
    wire::Wire as BusWire,
};
use bytes::Bytes;
use protocol::id::{NodeId, Position, RoomId, UserId};
use relay::{Keys, Line, Relay, RelayConfig, Session};
use tokens::{Claims, Signer};
use tokio::runtime::Runtime;

/// A transport that takes everything and counts the writes.
struct Counted(Arc<AtomicUsize>);

impl ws::Wire for Counted {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(1, SeqCst);
        Ok(bytes.len())
    }

    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.fetch_add(1, SeqCst);
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }

    fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn shutdown(&self) {}
}

struct House {
    runtime: Runtime,
    relay: Arc<Relay>,
    bus: MemoryBus,
    store: MemoryStore,
    hello: String,
    writes: Arc<AtomicUsize>,
    sessions: Vec<Session>,
}

impl House {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (relay, bus, store, hello) = runtime.block_on(async {
            let (node, wire) = (NodeId::new("relay-1").unwrap(), BusWire::perfect());
            let (bus, store) = (MemoryBus::new(wire.clone(), &node), MemoryStore::new(wire, &node));
            let clock = Clock::system();
            let ports = Ports { bus: Arc::new(bus.clone()), store: Arc::new(store.clone()), clock };
            let signer = Signer::generate();
            let claims =
                Claims::new(UserId::new("guest-0123456789").unwrap(), "Guest", clock.now_ms(), 60_000);
            let hello = format!(r#"{{"t":"hello","token":"{}"}}"#, signer.sign(&claims));
            let relay = Relay::new(ports, RelayConfig::default(), Keys::given(signer.public()));
            tokio::spawn(relay.run(std::future::pending()));
            // What it tells its clients when it gets ready is not what is counted here.
            while !relay.troubles().is_empty() {
                tokio::task::yield_now().await;
            }
            (relay, bus, store, hello)
        });
        Self { runtime, relay, bus, store, hello, writes: Arc::default(), sessions: Vec::new() }
    }

    fn connect(&mut self, first: &str) {
        let line = Line::Other(Box::new(Counted(self.writes.clone())));
        let mut session = self.relay.connect(line, IpAddr::V4(Ipv4Addr::LOCALHOST), None);
        session.receive_text(&self.hello);
        session.receive_text(first);
        self.sessions.push(session);
    }

    /// Commits a frame and waits until `writes` writes were made since `before`.
    fn commit(&self, kind: Kind, seq: u64, writes: usize, before: usize) {
        let room = RoomId::new("t1").unwrap();
        let entry = Entry {
            kind,
            room: room.clone(),
            at: Position::new(1, seq),
            cause: None,
            follows: None,
            at_ms: None,
            delay: None,
            places: None,
            rail: None,
            privates: Default::default(),
            public: Bytes::from_static(br#"{"t":"frame","room":"t1","epoch":1,"seq":1,"events":[]}"#),
            secret: Bytes::new(),
        };
        let encoded = entry.encode();
        self.runtime.block_on(async {
            self.store.append(&room, entry.at, encoded.stored, None).await.unwrap();
            self.bus.publish(&Channel::frames(&room), encoded.published).await.unwrap();
            while self.writes.load(SeqCst) < before + writes {
                tokio::task::yield_now().await;
            }
        });
        assert_eq!(self.writes.load(SeqCst), before + writes);
    }
}

/// Allocations for ten frames to so many watchers.
fn allocations(watchers: usize) -> u64 {
    let mut house = House::new();
    let specs = broker::directory::Partition::of(&"t1".parse().unwrap()).specs();
    house.runtime.block_on(house.store.map_set(&specs, "t1", Bytes::new())).unwrap();
    for _ in 0..watchers {
        house.connect(r#"{"t":"watch","room":"t1"}"#);
    }
    // Rooms come alive once the relay runs, and the first frames let queues find their size.
    house.runtime.block_on(async {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    });
    for seq in 1..=3 {
        let kind = if seq == 1 { Kind::Keyframe } else { Kind::Delta };
        house.commit(kind, seq, watchers, house.writes.load(SeqCst));
    }
    let cost = measure(|| {
        for seq in 4..14 {
            house.commit(Kind::Delta, seq, watchers, house.writes.load(SeqCst));
        }
    });
    cost.count_total
}

#[test]
fn a_further_watcher_of_a_frame_costs_no_allocation() {
    let (few, many, rail) = (allocations(1), allocations(60), allocations(1_000));
    assert!(few > 0, "the counter counts");
    println!("allocations for ten frames: {few} to one watcher, {many} to 60, {rail} to 1000");
    assert!(many <= few + 10, "{few} for one watcher, {many} for 60");
    assert!(rail <= few + 10, "{few} for one watcher, {rail} for 1,000");
}

#[test]
fn a_connection_in_the_lobby_holds_less_than_a_kilobyte() {
    const CONNECTIONS: usize = 1_000;
    let mut house = House::new();
    house.connect(r#"{"t":"lobby","on":true}"#);
    house.sessions.reserve(CONNECTIONS);
    let held = measure(|| {
        for _ in 0..CONNECTIONS {
            house.connect(r#"{"t":"lobby","on":true}"#);
        }
    });
    let bytes_each = held.bytes_current / CONNECTIONS as i64;
    println!("{bytes_each} bytes each, and {} for the session itself", size_of::<Session>());
    assert!(bytes_each < 1_024, "{bytes_each} bytes");
    assert!(size_of::<Session>() <= 64);
}
