//! Sit & gos whose entries cost chips that are somebody's, in a house that is killed with -9 while they are played.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use player::{
    Bot, Character, Contestant, Habits, Mind as _, Style,
    connect::{Dialer, Ended, Happening, play},
    guest::Reception,
};
use protocol::id::RoomId;
use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{SOON, players::Seen, process::House, staff::Auditor, times};

/// What an entry adds to the prize, and what the house has of it.
const BUY_IN: i64 = 1_000;
const FEE: i64 = 100;

/// What everybody has at first.
const OPENING: i64 = 1_000_000;

/// Two play, and it is over soon; the next takes entries when it begins.
fn schedule() -> Value {
    let level = |big_blind: u64| json!({"play": {"small_blind": big_blind / 2, "big_blind": big_blind, "ante": 0, "ms": 1_000}});
    let levels: Vec<Value> = (0..9).map(|at| level(20 << at)).collect();
    json!([{
        "id": "duel",
        "price": {"currency": "PLAY", "buy_in": BUY_IN, "fee": FEE},
        "tournament": {
            "name": "Duel", "seats": 2, "entries_min": 2, "entries_max": 2, "stack": 300, "levels": levels,
            "turn_ms": 300, "bank_ms": 0, "pause_ms": 20, "runout_ms": 0, "deal_in_ms": 200, "linger_ms": 1_000
        }
    }])
}

/// Two guests play one of them to its end, however often the house goes away; then they have gone.
fn two_play(address: SocketAddr, number: u32, seen: &Arc<Seen>) -> JoinSet<()> {
    let dialer = Dialer::new(&format!("ws://{address}/ws")).unwrap();
    let reception = Reception::new(&format!("http://{address}/api"));
    let room = RoomId::new(&format!("duel-{number}")).unwrap();
    let mut tasks = JoinSet::new();
    for style in [Style::RandomLegal, Style::LooseAggressive] {
        let habits =
            Habits { think_min: Duration::ZERO, think_more: Duration::from_millis(20), ..Habits::default() };
        let character = Character { style, habits, tables: [].into(), home: 0, seed: rand::random() };
        let bot = Bot::new(character, String::new(), Instant::now());
        let contestant = Contestant::of(room.clone(), bot, Instant::now());
        let (dialer, reception, seen) = (dialer.clone(), reception.clone(), seen.clone());
        tasks.spawn(async move {
            let stop = CancellationToken::new();
            let look = |_: &Contestant, what: Happening<'_>, _| {
                if let Happening::Heard(_) = what {
                    seen.one();
                }
            };
            let Ended { bot, turned_away, .. } =
                play("Guest", contestant, &dialer, &reception, stop, look).await.unwrap();
            assert_eq!((turned_away, bot.client().breaches().total()), (None, 0));
        });
    }
    tasks
}

/// The audit, once it has all that these duels bring the house.
async fn after(auditor: &Auditor, duels: i64) -> Value {
    let looking = async {
        loop {
            let told = auditor.audit().await;
            let of = &told["currencies"][0];
            assert!(told["good"] == true && of["sum"] == 0 && of["variance"] == 0, "{told}");
            // The last prize is paid when its winner has a place, a moment after that is told.
            if of["house"]["rake"] == 2 * FEE * duels && of["tables"] == 0 {
                return told;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    match timeout(SOON, looking).await {
        Ok(told) => told,
        Err(_) => panic!("not all is paid: {}", auditor.audit().await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_paid_for_and_prizes_paid_whenever_the_house_is_killed() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("schedule.json");
    fs::write(&file, schedule().to_string()).unwrap();
    let flags = ["--schedule", file.to_str().unwrap(), "--currency", &format!("PLAY:0:{OPENING}:0")];
    let mut house = House::open(home.path(), &flags);
    let address = house.address.to_string();
    let database = home.path().join("cardhouse/people.db");
    let mut auditor = Auditor::new(house.address, &database).await;
    let duels = times("CARDHOUSE_MONEY_DUELS", 4);
    for duel in 1..=duels {
        let seen = Arc::new(Seen::default());
        let mut players = two_play(house.address, duel, &seen);
        seen.more(rand::rng().random_range(2..60)).await;
        drop(house);
        house = House::open(home.path(), &[flags.as_slice(), &["--listen", &address]].concat());
        while let Some(played) = timeout(SOON, players.join_next()).await.expect("it is played to its end") {
            played.unwrap();
        }
        auditor.again().await;
        let told = after(&auditor, duel.into()).await;
        // All that guests had at first is theirs, or the house's.
        let players: i64 = told["currencies"][0]["players"].as_i64().unwrap();
        assert_eq!((players + 2 * FEE * i64::from(duel)) % OPENING, 0, "{told}");
    }
}
