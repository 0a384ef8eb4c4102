//! A database that is killed while rooms ask.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use cage::{
    DbError, Place,
    ledger::{self, Answer},
    testing::postgres_server::PostgresServer,
};
use money::Body as _;

use crate::{
    ledger::{buy, cash_out, done, id, play, room},
    setup::{Cage, NOW},
};

/// Eight rooms ask, each one thing after the other and again until it is answered, as rooms do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgres_makes_and_loses_no_chip() {
    let Some(server) = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap() else {
        return;
    };
    let made = tokio::task::spawn_blocking(move || (server.database("killed").unwrap(), server));
    let (url, mut server) = made.await.unwrap();
    let cage = Cage::open_apart(Place::Postgres(url)).await.with_currencies().await;
    let over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let away = Arc::new(AtomicU64::new(0));
    let rooms: Vec<_> = (0..8)
        .map(|number| {
            let (cage, over, answered, away) = (cage.clone(), over.clone(), answered.clone(), away.clone());
            tokio::spawn(async move {
                let mut seq = 0;
                // It ends where nobody has chips at the table.
                while !over.load(Relaxed) || seq % 2 == 1 {
                    seq += 1;
                    let name = format!("u-{}", (number + seq / 2) % 8);
                    let ask = if seq % 2 == 1 { buy(&name, 100) } else { cash_out(&name, 100) };
                    loop {
                        let (of, body) = (room(&format!("t{number}")), ask.write());
                        let work =
                            move |tx: &mut dyn cage::Tx| ledger::answer(tx, NOW, &of, id(1, seq), &body);
                        match cage.tellers().write(&format!("t{number}"), work).await {
                            Ok(answer) => {
                                assert_eq!(Ok(answer), done(), "{number} {seq}");
                                answered.fetch_add(1, Relaxed);
                                break;
                            }
                            Err(DbError::Away(_)) => {
                                away.fetch_add(1, Relaxed);
                                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                            }
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                }
                seq
            })
        })
        .collect();
    for _ in 0..3 {
        let before = answered.load(Relaxed);
        while answered.load(Relaxed) < before + 50 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let killed = tokio::task::spawn_blocking(move || {
            server.kill();
            server.run().unwrap();
            server
        });
        server = killed.await.unwrap();
    }
    let before = answered.load(Relaxed);
    while answered.load(Relaxed) < before + 50 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    over.store(true, Relaxed);
    let mut asked = 0;
    for room in rooms {
        asked += room.await.unwrap();
    }
    assert!(away.load(Relaxed) > 0, "nobody noticed");
    // Each name moved chips once; and everybody was given what players begin with.
    let audit = loop {
        if let Ok(audit) = cage.tellers().read(ledger::audit).await {
            break audit;
        }
    };
    assert!(audit.is_right(), "{audit:?}");
    assert_eq!(audit.transfers, asked + 8);
    let totals = &audit.totals[&play()];
    assert_eq!((totals.players, totals.tables), (8_000, 0));
    // What was answered is answered so again.
    let again = cage.ask_of("t0", id(1, 1), buy("u-0", 100)).await;
    assert_eq!(again, Ok(Answer::Done(Vec::new())));
    drop(server);
}
