//! Whether the relay hears and reads what it should, and what clients are told when it does not.

use broker::members::Observed;
use protocol::{ClientOut, client_out::NoticeCode};
use tokio::sync::watch;

use crate::{peer::frame, registry::Registry};

/// What the running relay observes of its connections to the bus and the store.
pub(crate) struct Condition {
    observed: watch::Sender<Observed>,
}

impl Default for Condition {
    fn default() -> Self {
        Self { observed: watch::Sender::new(Observed::nothing_yet()) }
    }
}

impl Condition {
    /// What is wrong with them.
    pub(crate) fn troubles(&self) -> impl Iterator<Item = String> {
        let Observed { hears_itself, store_trouble } = self.observed.borrow().clone();
        let deaf = (!hears_itself).then(|| "its own heartbeat does not come back through the bus".to_owned());
        deaf.into_iter().chain(store_trouble.map(|trouble| trouble.to_string()))
    }

    /// Tells clients when frames stop coming, and when they come again.
    pub(crate) async fn follow(&self, mut observed: watch::Receiver<Observed>, registry: &Registry) {
        let mut connected = false;
        loop {
            let now = observed.borrow_and_update().clone();
            self.observed.send_replace(now.clone());
            if connected != now.is_ready() {
                connected = now.is_ready();
                // At the very beginning nobody has missed anything yet; to hear `recovered` then does no harm.
                let (code, message) = match connected {
                    true => (NoticeCode::Recovered, "news come again"),
                    false => (NoticeCode::Delayed, "news do not come at the moment; this relay is trying"),
                };
                tracing::info!(connected, "the relay's connection has changed");
                let notice = frame(&ClientOut::Notice { room: None, code, message: message.into() });
                for peer in registry.all() {
                    peer.notify(&notice);
                }
            }
            if observed.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}
