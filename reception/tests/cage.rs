//! The ledger as dealer workers ask it: real processes, which are killed, stand still, and come back.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use broker::{pass::Passes, seal::SealKey};
use cage::{Place, Tellers, ledger, testing::postgres_server::PostgresServer};
use dealer_worker::cage_client::CageClient;
use money::{
    Ask, Body as _, Currency, Share, Stake, Why,
    wire::{Asked, BYTES_MAX, PATH, PURPOSE},
};
use protocol::id::{ErrandId, Position, RoomId, UserId};
use rooms::room::errands::{self, Away, Errand, Outcome, Service as _};
use serde_json::Value;

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(60);

const KEY: &str = "1111111111111111111111111111111111111111111111111111111111111111";

struct Reception {
    process: Child,
    address: SocketAddr,
    cage: SocketAddr,
}

impl Drop for Reception {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Reception {
    /// `cage`: where the ledger is asked; any free port: `127.0.0.1:0`.
    fn start(database: &str, keys: &Path, cage: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_reception"))
            .args(["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--key-settle-ms", "0"])
            .args(["--log-format", "json", "--database", database, "--cage-listen", cage])
            .args(["--seal-key", KEY, "--currency", "PLAY:0:1000:200,EUR:2", "--key-dir"])
            .arg(keys)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut told = |what: &str, field: &str| {
            let line = log.find(|line| line.contains(what)).expect("it says where it listens");
            let line: Value = serde_json::from_str(&line).unwrap();
            line[field].as_str().unwrap().parse().unwrap()
        };
        let cage = told("dealer workers may ask the ledger", "cage");
        let address = told("\"listening\"", "address");
        // Read on, so that it never waits for us.
        std::thread::spawn(move || log.for_each(drop));
        Self { process, address, cage }
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn stop(&self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    }

    fn url(&self) -> String {
        format!("http://{}", self.cage)
    }
}

fn passes(key: &str) -> Arc<Passes> {
    Arc::new(Passes::new(PURPOSE, &key.parse::<SealKey>().unwrap(), &[]))
}

fn client(urls: &[String]) -> CageClient {
    CageClient::new(urls, passes(KEY)).unwrap()
}

fn room() -> RoomId {
    RoomId::new("t1").unwrap()
}

fn errand(seq: u64, ask: &Ask) -> Errand {
    let id = ErrandId { at: Position::new(1, seq), n: 0 };
    let (of, body) = (money::SERVICE.into(), ask.write());
    Errand { id, ask: errands::Ask { of, body, wants_answer: true, goes_first: false } }
}

fn play() -> Currency {
    Currency::new("PLAY").unwrap()
}

fn buy(seq: u64) -> Errand {
    let user = UserId::new(&format!("u-{}", seq % 8)).unwrap();
    errand(seq, &Ask::BuyIn(Stake { user, currency: play(), amount: 10, nonce: seq }))
}

fn done() -> Result<Outcome, Away> {
    Ok(Outcome::Done(bytes::Bytes::new()))
}

/// As rooms do: again until it is answered.
async fn at_last(client: &CageClient, errand: &Errand) -> Outcome {
    let began = Instant::now();
    loop {
        match client.ask(&room(), errand).await {
            Ok(outcome) => return outcome,
            Err(Away(why)) => assert!(began.elapsed() < SOON, "{why}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn audit(place: Place) -> ledger::audit::Audit {
    let tellers = tokio::task::spawn_blocking(move || Tellers::open(&place)).await.unwrap().unwrap();
    let audit = tellers.read(ledger::audit).await.unwrap();
    tokio::task::spawn_blocking(move || drop(tellers)).await.unwrap();
    audit
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cage_that_is_killed_and_comes_back_has_done_everything_once() {
    let folder = tempfile::tempdir().unwrap();
    let (database, keys) = (folder.path().join("cage.db"), folder.path().join("keys"));
    let database = database.to_str().unwrap().to_owned();
    let mut reception = Reception::start(&database, &keys, "127.0.0.1:0");
    let at = reception.cage.to_string();
    let asks = Arc::new(client(&[reception.url()]));
    assert_eq!(asks.ask(&room(), &buy(1)).await, done());
    assert_eq!(asks.ask(&room(), &buy(1)).await, done());
    let euros = Currency::new("EUR").unwrap();
    let user = UserId::new("u-1").unwrap();
    let dear = errand(2, &Ask::BuyIn(Stake { user: user.clone(), currency: euros, amount: 1, nonce: 1 }));
    let refused = Ok(Outcome::Refused(Why::Insufficient.write().into()));
    assert_eq!(asks.ask(&room(), &dear).await, refused);
    let cut = errand(3, &Ask::Cut { follows: Position::new(0, 0) });
    let nobody = money::Paid::default().write();
    assert_eq!(asks.ask(&room(), &cut).await, Ok(Outcome::Done(nobody.into())));
    // Two of a kind ask for each, while it is killed.
    let asking: Vec<_> = (0..2)
        .map(|_| {
            let asks = asks.clone();
            tokio::spawn(async move {
                for seq in 10..210 {
                    assert_eq!(Ok(at_last(&asks, &buy(seq)).await), done());
                }
            })
        })
        .collect();
    for kill in [50, 120] {
        // It is known that so many are done when this one is.
        at_last(&asks, &buy(10 + kill)).await;
        reception.kill();
        assert!(asks.ask(&room(), &buy(10)).await.is_err(), "it is away");
        reception = Reception::start(&database, &keys, &at);
    }
    for task in asking {
        task.await.unwrap();
    }
    let share = Share { user, currency: play(), amount: 2_010 };
    assert_eq!(Ok(at_last(&asks, &errand(300, &Ask::CashOut(share))).await), done());
    reception.kill();
    let audit = audit(Place::File(database.into())).await;
    assert!(audit.is_right() && audit.conflicts == 0, "{audit:?}");
    assert_eq!(audit.transfers, 8 + 201 + 1, "eight were given what players begin with");
    assert_eq!(audit.totals[&play()].tables, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_cage_of_a_ledger_answers_each_errand_is_done_once() {
    let Some(server) = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap() else {
        return;
    };
    let made = tokio::task::spawn_blocking(move || (server.database("cage").unwrap(), server));
    let (database, server) = made.await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let mut first = Reception::start(&database, &keys, "127.0.0.1:0");
    let second = Reception::start(&database, &keys, "127.0.0.1:0");
    let asking: Vec<_> = [[&first, &second], [&second, &first]]
        .map(|both| Arc::new(client(&both.map(Reception::url))))
        .into_iter()
        .map(|asks| {
            tokio::spawn(async move {
                for seq in 10..110 {
                    assert_eq!(Ok(at_last(&asks, &buy(seq)).await), done());
                }
            })
        })
        .collect();
    let third = client(&[first.url(), second.url()]);
    at_last(&third, &buy(40)).await;
    first.kill();
    assert_eq!(third.ask(&room(), &buy(40)).await, done(), "the other one answers at once");
    for task in asking {
        task.await.unwrap();
    }
    let audit = audit(Place::Postgres(database)).await;
    assert!(audit.is_right() && audit.transfers == 8 + 100, "{audit:?}");
    drop((second, server));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cage_that_stands_still_is_left_for_another_and_told_to_be_away() {
    let folder = tempfile::tempdir().unwrap();
    let start = |name: &str| {
        let database = folder.path().join(name);
        Reception::start(database.to_str().unwrap(), &folder.path().join("keys"), "127.0.0.1:0")
    };
    let (still, live) = (start("a.db"), start("b.db"));
    still.stop();
    let began = Instant::now();
    assert_eq!(client(&[still.url(), live.url()]).ask(&room(), &buy(1)).await, done());
    let alone = client(&[still.url()]).ask(&room(), &buy(1)).await;
    assert!(alone.is_err(), "{alone:?}");
    assert!(began.elapsed() < SOON);
    // Whoever is there and has not the key is not believed.
    let fake = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", fake.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in fake.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n\x01\x00\x00");
        }
    });
    let lie = client(std::slice::from_ref(&url)).ask(&room(), &buy(2)).await;
    assert_eq!(lie, Err(Away(format!("{url}{PATH}: whoever answers has not the house's key"))));
}

/// The status of what is answered to raw bytes.
fn status(at: SocketAddr, head: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let length = body.len();
    let head = format!("{head}host: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // It may have answered before all was said.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_move_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("cage.db");
    let mut reception =
        Reception::start(database.to_str().unwrap(), &folder.path().join("keys"), "127.0.0.1:0");
    let (cage, public) = (reception.cage, reception.address);
    let errand = buy(1);
    let body = Asked { room: room(), id: errand.id, body: errand.ask.body }.write();
    let signed = |key: &str, body: &[u8]| {
        format!("POST {PATH} HTTP/1.1\r\nauthorization: {}\r\n", passes(key).sign(body).0)
    };
    let ours = signed(KEY, &body);
    let asked = tokio::task::spawn_blocking(move || {
        let plain = format!("POST {PATH} HTTP/1.1\r\n");
        for (what, head, body) in [
            ("nobody", plain.clone(), body.clone()),
            ("another key", signed(&"2".repeat(64), &body), body.clone()),
            ("another body", ours.clone(), [&body[..], &[0]].concat()),
            ("a token", format!("{plain}authorization: Bearer x\r\n"), body.clone()),
            ("no signature", format!("{plain}authorization: Cardhouse \r\n"), body.clone()),
        ] {
            assert_eq!(status(cage, &head, &body), 401, "{what}");
        }
        let large = vec![1; BYTES_MAX + 1];
        assert_eq!(status(cage, &signed(KEY, &large), &large), 413);
        let garbage = [7; 40];
        assert_eq!(status(cage, &signed(KEY, &garbage), &garbage), 400, "whoever has the key can be wrong");
        assert_eq!(status(cage, &format!("GET {PATH} HTTP/1.1\r\n"), b""), 405);
        assert_eq!(status(cage, "GET /api/me HTTP/1.1\r\n", b""), 404);
        assert_eq!(status(public, &ours, &body), 404, "it is not on the public port");
        assert_eq!(status(cage, &ours, &body), 200);
    });
    asked.await.unwrap();
    reception.kill();
    let audit = audit(Place::File(database)).await;
    assert_eq!(audit.transfers, 2, "what players begin with, and the one that was signed");
}

#[test]
fn it_says_what_a_cage_needs() {
    let folder = tempfile::tempdir().unwrap();
    let told = |flags: &[&str]| {
        let ended = Command::new(env!("CARGO_BIN_EXE_reception"))
            .args(["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--key-dir"])
            .arg(folder.path().join("keys"))
            .args(flags)
            .output()
            .unwrap();
        assert!(!ended.status.success());
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    let database = folder.path().join("cage.db");
    let database = database.to_str().unwrap();
    let listen = ["--cage-listen", "127.0.0.1:0"];
    assert!(told(&[&listen[..], &["--seal-key", KEY]].concat()).contains("--database"));
    assert!(told(&[&listen[..], &["--database", database]].concat()).contains("--seal-key"));
    assert!(told(&["--currency", "eur:2"]).contains("capital letters"));
    assert!(told(&["--currency", "EUR"]).contains("EUR:2"));
    let real_before = ["--database", database, "--seal-key", KEY, "--currency", "GOLD:2"];
    let place = Place::File(database.into());
    let tellers = Tellers::open(&place).unwrap();
    let gold = "GOLD:0:1:1".parse().unwrap();
    let defined = tellers.write("x", move |tx| ledger::define(tx, &[gold]));
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(defined).unwrap();
    drop(tellers);
    assert!(told(&real_before).contains("other digits"));
}
