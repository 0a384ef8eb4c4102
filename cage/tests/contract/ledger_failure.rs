//! A database that is killed while rooms ask.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
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
    tape::all_of,
};

/// Eight rooms ask, each one thing after the other and again until it is answered, as rooms do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgres_makes_and_loses_no_chip() {
    let Some(server) = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap() else {
        return;
    };
    let made = tokio::task::spawn_blocking(move || (server.database("killed").unwrap(), server));
    let (url, server) = made.await.unwrap();
    let cage = Cage::open_apart(Place::Postgres(url.clone())).await.with_currencies().await;
    let copied = tokio::task::spawn_blocking(move || {
        drop(cage);
        (server.copy("killed", "before").unwrap(), server)
    });
    let (older, mut server) = copied.await.unwrap();
    let cage = Cage::open_apart(Place::Postgres(url)).await;
    let tape = tempfile::tempdir().unwrap();
    let keep = |cage: Cage| {
        let folder = tape.path().to_owned();
        async move { cage.tellers().keep_tape_within(&folder, NOW, Duration::ZERO).await.unwrap() }
    };
    keep(cage.clone()).await;
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
    // What the tape says is what the database has, also of groups whose commit was cut off, and whose rooms asked again.
    let expected = all_of(&cage).await;
    let tellers = cage.into_tellers();
    tokio::task::spawn_blocking(move || drop(tellers)).await.unwrap();
    let restored = Cage::open_apart(Place::Postgres(older)).await;
    let forward = keep(restored.clone()).await;
    assert!(forward.applied >= asked, "{forward:?}");
    assert_eq!(all_of(&restored).await, expected);
    drop(server);
}

/// SQLite is told how large it may become, as a disk would tell it.
#[tokio::test]
async fn a_full_disk_answers_nothing_and_does_nothing_by_halves() {
    let folder = tempfile::tempdir().unwrap();
    let cage = Cage::open(&Place::File(folder.path().join("cage.db"))).with_currencies().await;
    assert_eq!(cage.ask(id(1, 1), buy("u-ann", 100)).await, done());
    let room_for = |cage: Cage, pages: &'static str| async move {
        cage.try_write(move |tx| tx.run(pages, &[]).map(drop)).await.unwrap();
    };
    room_for(cage.clone(), "PRAGMA max_page_count = 1").await;
    let mut seq = 2;
    let refused = loop {
        let (who, before) = (format!("u-{seq}"), all_of(&cage).await);
        match cage.ask(id(1, seq), buy(&who, 100)).await {
            Ok(answer) => assert_eq!(Ok(answer), done()),
            Err(error) => {
                assert_eq!(all_of(&cage).await, before, "nothing of it is there");
                break error;
            }
        }
        seq += 1;
        assert!(seq < 10_000, "it never is full");
    };
    assert!(matches!(refused, DbError::Away(_)), "{refused:?}");
    assert!(matches!(cage.ask(id(1, seq), buy(&format!("u-{seq}"), 100)).await, Err(DbError::Away(_))));
    room_for(cage.clone(), "PRAGMA max_page_count = 1000000").await;
    assert_eq!(cage.ask(id(1, seq), buy(&format!("u-{seq}"), 100)).await, done());
}
