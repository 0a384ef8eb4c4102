//! The house holds its ledger against its tables by itself, and its metrics tell what comes of it.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use cage::{Tx, ledger};
use money::{Ask, Body as _, Currency, Share};
use protocol::id::{ErrandId, Position, RoomId, UserId};
use tokio::time::{Instant, sleep};

use crate::{FLAGS, SOON, players::Players, process::House, staff::beside};

/// A metric without labels, as operators are told it; nothing before it is first counted.
fn metric(ops: SocketAddr, name: &str) -> Option<f64> {
    let mut stream = TcpStream::connect(ops).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: {ops}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

async fn until(ops: SocketAddr, name: &str, is_it: impl Fn(f64) -> bool) {
    let give_up = Instant::now() + SOON;
    while !metric(ops, name).is_some_and(&is_it) {
        assert!(Instant::now() < give_up, "{name}: {:?}", metric(ops, name));
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_house_looks_by_itself_and_tells_when_a_chip_is_booked_that_nobody_has() {
    let home = tempfile::tempdir().unwrap();
    let ops = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let own = ["--audit-seconds".to_owned(), "1".into(), "--ops-listen".into(), ops.to_string()];
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let house = House::open(home.path(), &[FLAGS.as_slice(), &own].concat());
    let players = Players::start(house.address, 4, 3);
    players.seen.more(200).await;
    until(ops, "cardhouse_ledger_audits_total", |audits| audits >= 2.0).await;
    assert_eq!(metric(ops, "cardhouse_ledger_wrong"), Some(0.0));
    let share =
        Share { user: UserId::new("u-thief").unwrap(), currency: Currency::new("PLAY").unwrap(), amount: 1 };
    let (room, body) = (RoomId::new("t1").unwrap(), Ask::Return(share).write());
    let steal = move |tx: &mut dyn Tx| {
        let epoch = tx.run("SELECT MAX(epoch) FROM request WHERE room = 't1'", &[])?[0].count(0)?;
        ledger::answer(tx, 1, &room, ErrandId { at: Position::new(epoch, 1), n: 77 }, &body)
    };
    beside(&home.path().join("cardhouse/people.db")).await.write("x", steal).await.unwrap();
    until(ops, "cardhouse_ledger_wrong", |wrong| wrong >= 1.0).await;
    players.give_up();
}
