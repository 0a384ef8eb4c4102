//! What the ledger does on this machine: `cargo run --release -p cage --example figures [SECONDS]`
//!
//! Rooms of which each asks one thing after the other, a buy-in and then the cash-out of it, as fast as they are answered: on SQLite in a file
//! and on PostgreSQL (where it is installed), without a tape and with one on the same disk. How many requests a second, and how long one took;
//! apart from them the first of each room, by which its player gets what players begin with, all at once.
//! Then one room alone: what nobody has to wait for. No HTTP: what reception does behind it.

use std::{
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use cage::{
    Place, Tellers,
    ledger::{self, Answer, Definition},
    testing::postgres_server::PostgresServer,
};
use money::{Ask, Body as _, Currency, Share, Stake};
use protocol::id::{ErrandId, Position, RoomId, UserId};
use tokio::task::JoinSet;

/// Rooms that ask at the same time.
const ROOMS: [u64; 3] = [1, 64, 256];

const AMOUNT: u64 = 100;

const NOW: u64 = 1_700_000_000_000;

fn main() {
    let seconds = std::env::args().nth(1).map_or(3, |seconds| seconds.parse().expect("seconds"));
    let lasts = Duration::from_secs(seconds);
    let server = PostgresServer::start().expect("PostgreSQL comes up").map(Arc::new);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for rooms in ROOMS {
        for has_tape in [false, true, false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut places = vec![Place::File(folder.path().join("cage.db"))];
            if let Some(server) = &server {
                let name = format!("figures_{:x}", nonce());
                places.push(Place::Postgres(server.database(&name).expect("a database")));
            }
            for place in places {
                let tellers = Tellers::open(&place).expect("it opens");
                let tape = has_tape.then(|| folder.path().join(format!("tape-{:x}", nonce())));
                let kind = if matches!(place, Place::File(_)) { "SQLite" } else { "PostgreSQL" };
                let told = runtime.block_on(measure(tellers, tape.as_deref(), rooms, lasts));
                let tape = if has_tape { "with tape" } else { "without" };
                let _ = writeln!(std::io::stdout(), "{kind:<10} {rooms:>3} rooms {tape:<9} {told}");
            }
        }
    }
}

fn nonce() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later").as_nanos()
}

async fn measure(tellers: Tellers, tape: Option<&Path>, rooms: u64, lasts: Duration) -> String {
    let currency = Currency::new("PLAY").expect("a currency");
    let of = Definition { code: currency, digits: 0, play: true, opening: 1_000_000, refill: 0 };
    tellers.write("currencies", move |tx| ledger::define(tx, &[of])).await.expect("it is defined");
    if let Some(tape) = tape {
        tellers.keep_tape(tape, NOW).await.expect("a tape");
    }
    let tellers = Arc::new(tellers);
    let began = Instant::now();
    let mut all = JoinSet::new();
    for number in 0..rooms {
        let tellers = tellers.clone();
        all.spawn(async move {
            let room = RoomId::new(&format!("t{number}")).expect("a name");
            let user = UserId::new(&format!("u-{number}")).expect("a name");
            let (mut seq, mut took) = (0, Vec::new());
            // The first, and one at least behind it.
            while seq < 2 || began.elapsed() < lasts {
                seq += 1;
                let body = match seq % 2 {
                    1 => {
                        Ask::BuyIn(Stake { user: user.clone(), currency, amount: AMOUNT, nonce: seq }).write()
                    }
                    _ => Ask::CashOut(Share { user: user.clone(), currency, amount: AMOUNT }).write(),
                };
                let (asked, of) = (Instant::now(), room.clone());
                let id = ErrandId { at: Position::new(1, seq), n: 0 };
                let work = move |tx: &mut dyn cage::Tx| ledger::answer(tx, NOW, &of, id, &body);
                let answer = tellers.write(room.as_str(), work).await;
                assert!(matches!(answer, Ok(Answer::Done(_))), "{answer:?}");
                took.push(asked.elapsed());
            }
            took
        });
    }
    let each = all.join_all().await;
    let lasted = began.elapsed();
    let mut first: Vec<Duration> = each.iter().map(|took| took[0]).collect();
    let mut took: Vec<Duration> = each.iter().flat_map(|took| &took[1..]).copied().collect();
    let per_s = (first.len() + took.len()) as f64 / lasted.as_secs_f64();
    let told = format!("{per_s:>7.0}/s  {}  first {}", spread(&mut took), spread(&mut first));
    tokio::task::spawn_blocking(move || drop(tellers)).await.expect("it ends");
    told
}

fn spread(took: &mut [Duration]) -> String {
    took.sort_unstable();
    let at = |hundredth: usize| took[(took.len() - 1) * hundredth / 100];
    format!("p50 {:>9.2?}  p99 {:>9.2?}", at(50), at(99))
}
