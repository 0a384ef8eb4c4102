//! Leaving without hurting anybody: clients are told to reconnect elsewhere at spread-out times, and rooms are served until
//! they have gone. Who stays past their time is closed then, so that those too come to the others one by one.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use protocol::{ClientOut, CloseCode};
use tokio::time::{Instant, sleep};

use crate::{peer::Peer, peer::frame, relay::Relay};

/// How often it is looked whether all have gone, and whose time it is.
const LOOK: Duration = Duration::from_millis(20);

/// A client whose time has come has so long to go by itself, at most and as a part of all the time, milliseconds.
const PATIENCE_MAX_MS: u64 = 1_000;
const PATIENCE_PART: u64 = 4;

/// Advises every client to reconnect at its time, closes who is still there somewhat later, and returns when all are gone; after
/// `drain_ms` and `close_ms` at the latest.
pub(crate) async fn drain(relay: &Arc<Relay>) {
    let config = &relay.works.config;
    let mut peers = relay.registry.all();
    // Shuffled, so that those who came together do not leave together.
    for last in (1..peers.len()).rev() {
        peers.swap(last, (relay.random() % (last as u64 + 1)) as usize);
    }
    tracing::info!(connections = peers.len(), drain_ms = config.drain_ms, "draining");
    let patience_ms = (config.drain_ms / PATIENCE_PART).min(PATIENCE_MAX_MS);
    let spread_ms = config.drain_ms - patience_ms;
    let began = Instant::now();
    let count = peers.len() as u64;
    // Whoever leaves is not held back by this list.
    let mut staying: Vec<(Instant, Weak<Peer>)> = Vec::with_capacity(peers.len());
    for (index, peer) in (0..count).zip(&peers) {
        let after_ms = spread_ms * index / count;
        peer.answer(&frame(&ClientOut::Reconnect { after_ms }), relay.works.now_ms());
        staying.push((began + Duration::from_millis(after_ms + patience_ms), Arc::downgrade(peer)));
    }
    drop(peers);
    // The first to go last, to be taken from the end.
    staying.reverse();
    let end = began + Duration::from_millis(config.drain_ms);
    while relay.connections() > 0 && Instant::now() < end {
        let now = Instant::now();
        while let Some((_, peer)) = staying.pop_if(|(until, _)| *until <= now) {
            if let Some(peer) = peer.upgrade() {
                close(relay, &peer);
            }
        }
        sleep(LOOK.min(end - now)).await;
    }
    for peer in relay.registry.all() {
        close(relay, &peer);
    }
    let end = Instant::now() + Duration::from_millis(config.close_ms);
    while relay.connections() > 0 && Instant::now() < end {
        sleep(LOOK).await;
    }
}

fn close(relay: &Relay, peer: &Peer) {
    peer.close(CloseCode::Restart, "the relay is restarting", relay.works.now_ms());
}
