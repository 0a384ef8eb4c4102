//! Hands that people have played.

use std::time::Duration;

use cage::{Tx, history};

use super::People;

/// Between two looks for hands that are too old.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

/// Hands that are forgotten in one transaction.
const FORGOTTEN_MAX: u32 = 1_000;

/// How long a day is, milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

impl People {
    /// Forgets hands that are older than so many days; 0: none. Never ends; drop it.
    pub async fn forget_hands(&self, days: u32) {
        let mut ticks = tokio::time::interval(FORGET_EVERY);
        loop {
            ticks.tick().await;
            if days > 0 {
                self.forget_old_hands(u64::from(days) * DAY_MS).await;
            }
        }
    }

    /// Forgets all that ended so long ago.
    pub async fn forget_old_hands(&self, age_ms: u64) {
        let before = self.now().saturating_sub(age_ms);
        loop {
            let forget = move |tx: &mut dyn Tx| history::forget(tx, before, FORGOTTEN_MAX);
            match self.tellers.write("hands", forget).await {
                Ok(forgotten) if forgotten == u64::from(FORGOTTEN_MAX) => {}
                Ok(_) => return,
                Err(error) => return tracing::warn!(%error, "old hands are not forgotten yet"),
            }
        }
    }
}
