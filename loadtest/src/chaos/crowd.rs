//! The bots of chaos: each comes back from whatever happens, and testifies to what it was told.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use player::{
    Breaches, Character, Habits, Heard, Style,
    connect::{self, Dialer, Happening},
    guest::Reception,
};
use shared::id::RoomId;
use tokio::{
    task::JoinSet,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

use super::{hearing::Witness, recovery::Recoveries};

/// When all is over, a command that has waited for so long for its answer never gets one.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// What all bots count together.
#[derive(Debug, Default)]
pub struct Counts {
    /// Bots online now.
    pub online: AtomicU64,
    /// Connections after a bot's first.
    pub reconnects: AtomicU64,
    /// Actions that were accepted.
    pub actions: AtomicU64,
    /// Commands that were refused.
    pub refused: AtomicU64,
    /// Frames and keyframes that bots got.
    pub deliveries: AtomicU64,
}

/// The bots.
pub struct Crowd {
    playing: JoinSet<Result<connect::Ended, player::guest::NoToken>>,
    counts: Arc<Counts>,
    stop: CancellationToken,
}

/// What remains of them.
#[derive(Debug, Default)]
pub struct Left {
    /// What their own referees saw.
    pub breaches: Breaches,
    /// Relays closed on them for good, or reception gave them nothing.
    pub turned_away: u64,
}

impl Crowd {
    /// Starts bots at `ws_url`.
    ///
    /// # Errors
    /// When the address is none.
    pub fn start(
        ws_url: &str,
        bots: usize,
        tables: &Arc<[RoomId]>,
        think: Duration,
        seed: u64,
        witness: &Witness,
        recoveries: &Arc<Recoveries>,
    ) -> anyhow::Result<Self> {
        let dialer = Dialer::new(ws_url)?;
        let reception = Reception::new(&Reception::base_of(ws_url));
        let (counts, stop) = (Arc::new(Counts::default()), CancellationToken::new());
        let mut playing = JoinSet::new();
        for i in 0..bots {
            let character = Character {
                style: Style::of_crowd(i / tables.len().max(1) + i),
                habits: Habits {
                    think_min: think / 4,
                    think_more: think * 3 / 4,
                    chat: 0.05,
                    leave: 0.005,
                    sit_out: 0.01,
                    top_up: 0.01,
                    wait: 0.3,
                    vanish: 0.01,
                    away: Duration::from_secs(3),
                },
                tables: tables.clone(),
                home: i,
                seed: seed.wrapping_mul(1_000_003).wrapping_add(i as u64),
            };
            let (dialer, reception, stop) = (dialer.clone(), reception.clone(), stop.clone());
            let (counts, witness, recoveries) = (counts.clone(), witness.clone(), recoveries.clone());
            playing.spawn(async move {
                let mut was_online = false;
                let mut is_online = false;
                let on = |bot: &player::Bot, what: Happening<'_>, now: Instant| match what {
                    Happening::Online if !is_online => {
                        is_online = true;
                        counts.online.fetch_add(1, Relaxed);
                        counts.reconnects.fetch_add(u64::from(was_online), Relaxed);
                        was_online = true;
                    }
                    Happening::Offline if is_online => {
                        is_online = false;
                        counts.online.fetch_sub(1, Relaxed);
                    }
                    Happening::Heard(heard) => {
                        counts.count(heard);
                        if let Heard::Acked { room, at, acted: true, after, .. } = heard {
                            recoveries.acted(room, *at, now - *after);
                        }
                        witness.heard(bot, heard);
                    }
                    Happening::Online | Happening::Offline | Happening::Acting(_) => {}
                };
                connect::play(&format!("Bot {i}"), character, &dialer, &reception, stop, on).await
            });
        }
        Ok(Self { playing, counts, stop })
    }

    /// What they count.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Tells them to leave their tables, and waits until all have their answers.
    pub async fn end(mut self) -> Left {
        self.stop.cancel();
        let mut left = Left::default();
        while let Some(ended) = self.playing.join_next().await {
            match ended.expect("a bot does not panic") {
                Ok(mut ended) => {
                    ended.bot.client_mut().judge_unanswered(ANSWERED_WITHIN, Instant::now());
                    left.breaches.add(ended.bot.client().breaches());
                    left.turned_away += u64::from(ended.turned_away.is_some());
                }
                Err(_) => left.turned_away += 1,
            }
        }
        left
    }
}

impl Counts {
    fn count(&self, heard: &Heard) {
        let counter = match heard {
            Heard::Acked { acted: true, .. } => &self.actions,
            Heard::Refused(_) => &self.refused,
            Heard::Frame { .. } | Heard::Keyframe { .. } => &self.deliveries,
            _ => return,
        };
        counter.fetch_add(1, Relaxed);
    }
}
