//! Writing the worker's tables up for the lobby: what has changed once a second, all of them now and then and when a
//! relay that has started asks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use metrics::counter;
use parking_lot::Mutex;
use shared::{
    bus::Receiver,
    channel::Channel,
    id::{NodeId, RoomId},
    node::{LobbyNews, decode, encode},
    ports::Ports,
    protocol::lobby::TableSummary,
};
use tokio::time::{Duration, Instant, MissedTickBehavior, interval};

/// How many tables one message holds.
const TABLES_PER_MESSAGE: usize = 128;

/// The last summaries of all tables of this worker.
#[derive(Default)]
pub struct Board {
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    all: BTreeMap<RoomId, TableSummary>,
    changed: BTreeSet<RoomId>,
    wanted: bool,
}

impl Board {
    /// Writes a table up.
    pub fn put(&self, summary: TableSummary) {
        let mut tables = self.tables.lock();
        if tables.all.get(&summary.room) != Some(&summary) {
            tables.changed.insert(summary.room.clone());
            tables.all.insert(summary.room.clone(), summary);
        }
    }

    /// Takes a table off: it is another worker's now, or nobody's.
    pub fn remove(&self, room: &RoomId) {
        let mut tables = self.tables.lock();
        tables.all.remove(room);
        tables.changed.remove(room);
    }

    /// What is to be told now: everything, or what has changed.
    fn take(&self, everything: bool) -> Vec<TableSummary> {
        let mut tables = self.tables.lock();
        let changed = std::mem::take(&mut tables.changed);
        if std::mem::take(&mut tables.wanted) || everything {
            return tables.all.values().cloned().collect();
        }
        changed.iter().filter_map(|room| tables.all.get(room).cloned()).collect()
    }
}

/// Hears relays ask for all tables. However many ask, they get them once with the next news.
struct Ears(Arc<crate::context::Context>);

impl Receiver for Ears {
    fn deliver(&self, _channel: &str, payload: Bytes) {
        if matches!(decode(&payload), Ok(LobbyNews::Wanted)) {
            self.0.board.tables.lock().wanted = true;
        }
    }

    // The next full set comes by itself.
    fn missed(&self) {}
}

/// Tells the lobby, until it is dropped.
pub async fn run(context: Arc<crate::context::Context>) {
    let (ports, config) = (&context.ports, &context.config);
    let lobby = Channel::lobby();
    let subscription = ports.bus.subscriber(Arc::new(Ears(context.clone())));
    let mut ticks = interval(Duration::from_millis(config.lobby_ms.max(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let full_every = Duration::from_millis(config.lobby_full_ms);
    let mut full_at = Instant::now();
    let mut subscribed = false;
    loop {
        ticks.tick().await;
        if !subscribed {
            subscribed = subscription.subscribe(&lobby).await.is_ok();
        }
        let now = Instant::now();
        let everything = now >= full_at;
        if everything {
            full_at = now + full_every;
        }
        let tables = context.board.take(everything);
        for chunk in tables.chunks(TABLES_PER_MESSAGE) {
            tell(ports, &lobby, &config.node, chunk).await;
        }
    }
}

async fn tell(ports: &Ports, lobby: &Channel, node: &NodeId, tables: &[TableSummary]) {
    let news = LobbyNews::Tables { node: node.clone(), tables: tables.to_vec() };
    if ports.bus.publish(lobby, encode(&news)).await.is_err() {
        // They come again with the next full set.
        counter!("cardhouse_lobby_news_failed_total").increment(1);
    }
}
