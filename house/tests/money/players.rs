//! Guests who bring chips to tables, add some, leave with what they have and come back, all the time.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use player::{
    Bot, Breaches, Character, Habits, Style,
    connect::{Dialer, Ended, Happening, play},
    guest::Reception,
};
use protocol::id::RoomId;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::SOON;

/// What they see, together.
#[derive(Default)]
pub(crate) struct Seen {
    messages: AtomicU64,
    changed: Notify,
}

impl Seen {
    /// One more message.
    pub(crate) fn one(&self) {
        self.messages.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// Waits until they have been told so much more.
    pub(crate) async fn more(&self, messages: u64) {
        let until = self.messages.load(Ordering::SeqCst) + messages;
        let looking = async {
            loop {
                let changed = self.changed.notified();
                if self.messages.load(Ordering::SeqCst) >= until {
                    return;
                }
                changed.await;
            }
        };
        timeout(SOON, looking).await.expect("they play on");
    }
}

pub(crate) struct Players {
    pub(crate) seen: Arc<Seen>,
    stop: CancellationToken,
    tasks: JoinSet<Breaches>,
}

impl Players {
    /// So many, at so many tables, who play on when the house is away for a while.
    pub(crate) fn start(address: SocketAddr, count: usize, tables: u32) -> Self {
        let (seen, stop) = (Arc::new(Seen::default()), CancellationToken::new());
        let dialer = Dialer::new(&format!("ws://{address}/ws")).unwrap();
        let reception = Reception::new(&format!("http://{address}/api"));
        let tables: Arc<[RoomId]> =
            (1..=tables).map(|number| RoomId::new(&format!("t{number}")).unwrap()).collect();
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let habits = Habits {
                think_min: Duration::ZERO,
                think_more: Duration::from_millis(20),
                chat: 0.0,
                leave: 0.25,
                top_up: 0.3,
                vanish: 0.02,
                away: Duration::from_millis(100),
                ..Habits::default()
            };
            let (tables, home) = (tables.clone(), number % tables.len());
            let style = if number % 3 == 0 { Style::RandomLegal } else { Style::of_house(number) };
            let character = Character { style, habits, tables, home, seed: rand::random() };
            let bot = Bot::new(character, String::new(), Instant::now());
            let (dialer, reception, seen, stop) =
                (dialer.clone(), reception.clone(), seen.clone(), stop.clone());
            tasks.spawn(async move {
                let look = |_: &Bot, what: Happening<'_>, _| {
                    if let Happening::Heard(_) = what {
                        seen.one();
                    }
                };
                let name = format!("Guest {number}");
                let Ended { bot, turned_away, .. } =
                    play(&name, bot, &dialer, &reception, stop, look).await.unwrap();
                assert_eq!(turned_away, None);
                bot.client().breaches().clone()
            });
        }
        Self { seen, stop, tasks }
    }

    /// They are gone, wherever they were.
    pub(crate) fn give_up(mut self) {
        self.tasks.abort_all();
    }

    /// They go; none has seen anything that must not be.
    pub(crate) async fn end(mut self) {
        self.stop.cancel();
        let mut all = Breaches::default();
        while let Some(breaches) = self.tasks.join_next().await {
            all.add(&breaches.unwrap());
        }
        assert_eq!((all.total(), all.lost), (0, 0), "{:?}", all.described);
    }
}
