//! What it costs to keep hands, on this machine: `cargo run --release -p reception --example hands WHAT`
//!
//! - `record [SECONDS]`: hands of six players that a recorder writes down in a second, from a queue in memory, on SQLite in a file and on PostgreSQL; one by
//!   one, and as it does.
//! - `fill FILE [HANDS]`: a database with so many hands (a million) of a thousand players, for the next one.
//! - `ask FILE [SECONDS]`: how long the last 50 hands of a player take there, as `GET /api/me/hands` asks for them, without HTTP.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use broker::{
    clock::Clock,
    queue::{Delivery, Lag, MessageId, Queue},
    seal::{Form, SealKey, Sealer},
    store::Unavailable,
};
use bytes::Bytes;
use cage::{
    DbError, Place, Tellers, Tx,
    history::{find::Filter, keep_all},
    people::refresh::{RefreshKey, RefreshKeys},
    testing::postgres_server::PostgresServer,
};
use futures_util::future::BoxFuture;
use hands::{
    HandRecord, Sent,
    testing::{START_MS, any_hand},
};
use ops::outlet::say;
use parking_lot::Mutex;
use protocol::{
    id::{Position, RoomId, UserId},
    text::PlayerName,
};
use reception::{
    Desk, Keyring, People,
    passwords::Cost,
    people::Asker,
    recorder::{Recorder, Writes, Writing},
    revocations::Nobody,
};

const PLAYERS: usize = 1_000;
const TABLES: u64 = 300;
/// Hands that are written in one go: one by one, and all that were taken.
const TOGETHER: [usize; 2] = [1, 128];
/// Different hands, from which the million is made.
const TEMPLATES: u64 = 1_000;

fn user(number: u64) -> UserId {
    UserId::new(&format!("player-{number}")).expect("a name")
}

fn six(of: u64) -> Vec<UserId> {
    (0..6).map(|seat| user((of * 7 + seat * 131) % PLAYERS as u64)).collect()
}

/// A queue in memory from which messages are taken once; nothing of it is measured.
#[derive(Default)]
struct Given {
    waiting: Mutex<VecDeque<(u64, Bytes)>>,
    done: AtomicU64,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, Unavailable>>;

impl Queue for Given {
    fn push(&self, _: &str, message: Bytes) -> Answer<'_, ()> {
        let mut waiting = self.waiting.lock();
        let n = waiting.len() as u64;
        waiting.push_back((n, message));
        Box::pin(async { Ok(()) })
    }

    fn take(&self, _: &str, _: &str, most: usize, _: Duration) -> Answer<'_, Vec<Delivery>> {
        let mut waiting = self.waiting.lock();
        let count = most.min(waiting.len());
        let one = |(n, message): (u64, Bytes)| Delivery { id: MessageId::of(n), message, deliveries: 1 };
        let taken: Vec<Delivery> = waiting.drain(..count).map(one).collect();
        Box::pin(async {
            if taken.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(taken)
        })
    }

    fn done(&self, _: &str, ids: &[MessageId]) -> Answer<'_, ()> {
        self.done.fetch_add(ids.len() as u64, Relaxed);
        Box::pin(async { Ok(()) })
    }

    fn give_back(&self, _: &str, _: &str, _: &[MessageId]) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn reclaim(&self, _: &str, _: &str, _: Duration, _: usize) -> Answer<'_, Vec<Delivery>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn lag(&self, _: &str) -> Answer<'_, Lag> {
        Box::pin(async { Ok(Lag::default()) })
    }

    fn dead(&self, _: &str) -> Answer<'_, Vec<Bytes>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

struct Books {
    tellers: Tellers,
    /// Hands that are written in one go.
    together: usize,
}

impl Writes for Books {
    fn write(&self, hands: Vec<cage::history::NewHand>) -> Writing<'_> {
        Box::pin(async move {
            let together = self.together;
            let work = move |tx: &mut dyn Tx| {
                let mut written = Vec::new();
                for hands in hands.chunks(together) {
                    written.extend(keep_all(tx, hands)?);
                }
                Ok(written)
            };
            self.tellers.write("hands", work).await
        })
    }
}

/// Hands of six at three hundred tables, each behind the one before, sealed as workers do.
fn sealed(sealer: &Sealer, count: u64) -> Vec<Bytes> {
    let mut prev = vec![[0; 32]; TABLES as usize];
    let one = |n: u64| {
        let (table, number) = (n % TABLES, n / TABLES + 1);
        let record = any_hand(n, number, prev[table as usize], &six(n));
        prev[table as usize] = record.hash;
        let (room, at) = (RoomId::new(&format!("t{table}")).expect("a name"), Position::new(1, number * 14));
        let sealed = sealer.seal(&room, at, Form::Versioned, &record.write());
        Sent { room, at, sealed, late_ms: 0 }.write()
    };
    (0..count).map(one).collect()
}

async fn record(place: Place, name: &str, together: usize, lasts: Duration) {
    let sealer = Arc::new(Sealer::new(&SealKey::random()));
    let queue = Arc::new(Given::default());
    // More than are written.
    let messages = sealed(&sealer, 10_000 * lasts.as_secs());
    let bytes: usize = messages.iter().map(Bytes::len).sum();
    let (count, bytes) = (messages.len(), bytes / messages.len());
    *queue.waiting.lock() = (0..).zip(messages).collect();
    let tellers = tokio::task::spawn_blocking(move || Tellers::open(&place)).await.expect("it opens");
    let books = Arc::new(Books { tellers: tellers.expect("a database"), together });
    let recorder = Recorder::new(queue.clone(), sealer, books.clone(), Clock::system(), "figures".into());
    let began = Instant::now();
    let recording = tokio::spawn(recorder.run());
    while began.elapsed() < lasts && queue.done.load(Relaxed) < count as u64 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (took, done) = (began.elapsed(), queue.done.load(Relaxed));
    recording.abort();
    let _ = recording.await;
    say(format_args!(
        "{name}, {together} at a time: {:.0} hands a second, of {bytes} bytes with six players ({done} in {:.1} s)",
        done as f64 / took.as_secs_f64(),
        took.as_secs_f64()
    ));
}

async fn people(place: Place) -> Arc<People> {
    let tellers = tokio::task::spawn_blocking(move || Tellers::open(&place)).await.expect("it opens");
    let desk = Desk::new(Arc::new(Keyring::in_memory()), Clock::system(), 600_000);
    let keys = RefreshKeys::new(RefreshKey::new([7; 32]), Vec::new());
    Arc::new(People::new(tellers.expect("a database"), keys, desk, Cost::default(), Arc::new(Nobody)))
}

/// Who is asked for.
async fn guests(people: &People) -> Vec<UserId> {
    let asker = Asker { network: "192.0.2.1".into(), agent: "figures".into() };
    let mut guests = Vec::new();
    for number in 0..50 {
        let name = PlayerName::new(&format!("Player {number}")).expect("a name");
        guests.push(people.guest(&name, &asker).await.expect("a guest").issued.user);
    }
    guests
}

fn fill(tx: &mut dyn Tx, count: u64, guests: &[UserId]) -> Result<(), DbError> {
    tx.run("CREATE TABLE template (id BIGINT PRIMARY KEY, record BYTEA)", &[])?;
    tx.run("CREATE TABLE template_player (id BIGINT, person TEXT)", &[])?;
    for id in 0..TEMPLATES {
        let mut users = six(id);
        if let Some(guest) = guests.get((id % 100) as usize) {
            users[0] = guest.clone();
        }
        let record: HandRecord = any_hand(id, id + 1, [7; 32], &users);
        tx.run("INSERT INTO template VALUES ($1, $2)", &[id.into(), record.write().as_slice().into()])?;
        for user in &users {
            tx.run("INSERT INTO template_player VALUES ($1, $2)", &[id.into(), user.as_str().into()])?;
        }
    }
    tx.run(
        "INSERT INTO hand (room, epoch, seq, number, table_name, game, started_ms, ended_ms, pot, rake, prev, hash, record) \
         WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
         SELECT 't' || CAST(i % 300 AS TEXT), 1, i, i / 300 + 1, 'Reno', 'nlhe 1/2', $2 + i * 100, $2 + i * 100 + 50, 20, 0, \
         $3, $3, t.record FROM n JOIN template t ON t.id = i % 1000",
        &[count.into(), START_MS.into(), [7; 32].as_slice().into()],
    )?;
    tx.run(
        "INSERT INTO hand_player (person, ended_ms, room, epoch, seq, game, pot, net, millibb, vpip, pfr, three_bet, three_bet_could, \
         flops, showdowns, showdowns_won, bets, calls) \
         WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
         SELECT p.person, $2 + i * 100 + 50, 't' || CAST(i % 300 AS TEXT), 1, i, 'nlhe 1/2', 20, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1 \
         FROM n JOIN template_player p ON p.id = i % 1000 WHERE true ON CONFLICT DO NOTHING",
        &[count.into(), START_MS.into()],
    )
    .map(drop)
}

async fn filled(path: PathBuf, count: u64) {
    let people = people(Place::File(path.clone())).await;
    let guests = guests(&people).await;
    let users = guests;
    let began = Instant::now();
    let work = move |tx: &mut dyn Tx| fill(tx, count, &users);
    people.tellers().write("hands", work).await.expect("filled");
    say(format_args!("{count} hands in {}: {:.0} s", path.display(), began.elapsed().as_secs_f64()));
}

async fn ask(path: PathBuf, lasts: Duration) {
    let people = people(Place::File(path)).await;
    let find =
        |tx: &mut dyn Tx| tx.run("SELECT DISTINCT person FROM template_player WHERE person LIKE 'g-%'", &[]);
    let rows = people.tellers().read(find).await.expect("players");
    let users: Vec<UserId> =
        rows.iter().map(|row| UserId::new(row.text(0).expect("a text")).expect("a name")).collect();
    let (mut took, began, mut at) = (Vec::new(), Instant::now(), 0);
    while began.elapsed() < lasts {
        let one = Instant::now();
        let hands =
            people.hands_played_by(&users[at % users.len()], Filter::default(), 50).await.expect("hands");
        took.push(one.elapsed());
        assert_eq!(hands.len(), 50);
        at += 1;
    }
    took.sort_unstable();
    let share = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    say(format_args!(
        "the last 50 hands of a player: p50 {:.2} ms, p99 {:.2} ms, at most {:.2} ms, of {}",
        share(0.5),
        share(0.99),
        share(1.0),
        took.len()
    ));
}

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let what = words.next().unwrap_or_else(|| "record".into());
    let mut number = |usual: u64| words.next().map_or(usual, |text| text.parse().expect("a number"));
    match what.as_str() {
        "record" => {
            let lasts = Duration::from_secs(number(10));
            let folder = tempfile::tempdir().expect("a folder");
            for together in TOGETHER {
                let file = folder.path().join(format!("cage-{together}.db"));
                record(Place::File(file), "SQLite", together, lasts).await;
            }
            let server = tokio::task::spawn_blocking(PostgresServer::start).await.expect("it starts");
            if let Some(server) = server.expect("a server").map(Arc::new) {
                for together in TOGETHER {
                    let (server, name) = (server.clone(), format!("figures_{together}"));
                    let made = tokio::task::spawn_blocking(move || server.database(&name)).await;
                    let url = made.expect("it is made").expect("a database");
                    record(Place::Postgres(url), "PostgreSQL", together, lasts).await;
                }
            }
        }
        "fill" => {
            let path: PathBuf = std::env::args().nth(2).expect("a file").into();
            let count = std::env::args().nth(3).map_or(1_000_000, |text| text.parse().expect("a number"));
            filled(path, count).await;
        }
        "ask" => {
            let path: PathBuf = std::env::args().nth(2).expect("a file").into();
            let seconds = std::env::args().nth(3).map_or(10, |text| text.parse().expect("a number"));
            ask(path, Duration::from_secs(seconds)).await;
        }
        _ => panic!("record, fill or ask"),
    }
}
