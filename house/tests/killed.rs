//! A house that is killed in the middle of hands, and opened again: players play on as if nothing had been.
//!
//! `CARDHOUSE_HOUSE_KILLS` says how often it is killed.

mod process;

use std::{
    env, fs,
    path::{Path, PathBuf},
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
use process::House;
use protocol::id::RoomId;
use rand::RngExt as _;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(120);

/// How often it is killed unless told otherwise.
const KILLS: u32 = 4;

/// What the players see, together.
#[derive(Default)]
struct Seen {
    messages: AtomicU64,
    /// The number of the last hand.
    hand: AtomicU64,
    changed: Notify,
}

impl Seen {
    async fn wait(&self, what: &str, is_it: impl Fn(&Self) -> bool) {
        let looking = async {
            loop {
                let changed = self.changed.notified();
                if is_it(self) {
                    return;
                }
                changed.await;
            }
        };
        timeout(SOON, looking).await.unwrap_or_else(|_| panic!("waited for {what}"));
    }
}

/// What the players of a house have seen that is killed so often; `between` is done with its folder while it is down.
async fn played_through(kills: u32, mut between: impl FnMut(&Path)) -> Breaches {
    let home = tempfile::tempdir().unwrap();
    // The house's own bots play along: they too go on where they sat.
    let flags = ["--bots", "3", "--bot-think-min-ms", "0", "--bot-think-more-ms", "30"];
    let mut house = House::open(home.path(), &flags);
    let address = house.address.to_string();

    let (seen, stop) = (Arc::new(Seen::default()), CancellationToken::new());
    let dialer = Dialer::new(&format!("ws://{address}/ws")).unwrap();
    let reception = Reception::new(&format!("http://{address}/api"));
    let mut players = JoinSet::new();
    for (name, style) in
        [("Ann", Style::of_house(0)), ("Bob", Style::of_house(1)), ("Cid", Style::RandomLegal)]
    {
        let habits = Habits {
            think_min: Duration::ZERO,
            think_more: Duration::from_millis(30),
            chat: 0.3,
            leave: 0.0,
            top_up: 0.2,
            ..Habits::default()
        };
        let tables = Arc::from([RoomId::new("t1").unwrap()]);
        let bot = Bot::new(
            Character { style, habits, tables, home: 0, seed: rand::random() },
            String::new(),
            Instant::now(),
        );
        let (dialer, reception, seen, stop) = (dialer.clone(), reception.clone(), seen.clone(), stop.clone());
        players.spawn(async move {
            let look = |bot: &Bot, what: Happening<'_>, _| {
                if let Happening::Heard(_) = what {
                    let hand = bot.seated_at().and_then(|room| bot.client().table(room)?.hand.as_ref());
                    seen.hand.fetch_max(hand.map_or(0, |hand| hand.hand), Ordering::SeqCst);
                    seen.messages.fetch_add(1, Ordering::SeqCst);
                    seen.changed.notify_waiters();
                }
            };
            play(name, bot, &dialer, &reception, stop, look).await
        });
    }

    for kill in 1..=kills {
        // All of it, and then some more: at any moment of a hand.
        let (hand, messages) = (seen.hand.load(Ordering::SeqCst), seen.messages.load(Ordering::SeqCst));
        seen.wait("two more hands", |seen| seen.hand.load(Ordering::SeqCst) >= hand + 2).await;
        let more = messages + rand::rng().random_range(0..60);
        seen.wait("some more", |seen| seen.messages.load(Ordering::SeqCst) >= more).await;
        drop(house);
        between(&home.path().join("cardhouse/journals"));
        house = House::open(home.path(), &[flags.as_slice(), &["--listen", &address]].concat());
        let goes_on = "Of an earlier time 1 table went on.";
        assert!(house.said.iter().any(|line| line.contains(goes_on)), "kill {kill}: {:?}", house.said);
    }
    let hand = seen.hand.load(Ordering::SeqCst);
    seen.wait("the last hands", |seen| seen.hand.load(Ordering::SeqCst) >= hand + 2).await;
    stop.cancel();
    let mut all = Breaches::default();
    while let Some(ended) = players.join_next().await {
        let Ended { bot, turned_away, .. } = ended.unwrap().unwrap();
        assert_eq!(turned_away, None);
        all.add(bot.client().breaches());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_is_killed_in_the_middle_of_hands_goes_on_with_them() {
    let kills = env::var("CARDHOUSE_HOUSE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let breaches = played_through(kills, |_| {}).await;
    assert_eq!((breaches.total(), breaches.lost), (0, 0), "{:?}", breaches.described);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journals_that_went_back_while_the_house_was_down_are_found_by_its_players() {
    let mut before: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    let put_back = |folder: &Path| {
        let files = || fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let now = files().map(|file| (file.clone(), fs::read(file).unwrap())).collect();
        let earlier = std::mem::replace(&mut before, now);
        if !earlier.is_empty() {
            files().for_each(|file| fs::remove_file(file).unwrap());
            earlier.into_iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
        }
    };
    let breaches = played_through(2, put_back).await;
    assert!(breaches.total() + breaches.lost > 0, "{breaches:?}");
}
