//! Leaving without hurting anybody: clients are told to reconnect elsewhere at spread-out times, and rooms are served until
//! they have gone.

use std::{sync::Arc, time::Duration};

use shared::protocol::{ClientOut, CloseCode};
use tokio::time::{Instant, sleep};

use crate::{peer::frame, relay::Relay};

/// How often it is looked whether all have gone.
const LOOK: Duration = Duration::from_millis(20);

/// Advises every client to reconnect at its time, closes after `drain_ms` who is still there, and returns when all are gone.
pub(crate) async fn drain(relay: &Arc<Relay>) {
    let config = &relay.works.config;
    let mut peers = relay.registry.all();
    // Shuffled, so that those who came together do not leave together.
    for last in (1..peers.len()).rev() {
        peers.swap(last, (relay.random() % (last as u64 + 1)) as usize);
    }
    tracing::info!(connections = peers.len(), "draining");
    for (index, peer) in peers.iter().enumerate() {
        let after_ms = config.drain_ms * index as u64 / peers.len() as u64;
        peer.answer(&frame(&ClientOut::Reconnect { after_ms }), relay.works.now_ms());
    }
    drop(peers);
    wait_until_empty(relay, config.drain_ms).await;
    let now_ms = relay.works.now_ms();
    for peer in relay.registry.all() {
        peer.close(CloseCode::Restart, "the relay is restarting", now_ms);
    }
    wait_until_empty(relay, config.close_ms).await;
}

async fn wait_until_empty(relay: &Relay, at_most_ms: u64) {
    let until = Instant::now() + Duration::from_millis(at_most_ms);
    while relay.connections() > 0 && Instant::now() < until {
        sleep(LOOK).await;
    }
}
