//! What happens when the database goes away, or a process does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use cage::{
    DbError, Place, Tellers,
    people::{audit, login, login::How},
    sql::OpenError,
    testing::postgres_server::PostgresServer,
};

use crate::setup::{Cage, NOW};

/// An answer that it is away comes within this.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_file_belongs_to_one_process_and_a_command_may_work_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new").join("cage.db");
    let first = Tellers::open(&Place::File(path.clone())).unwrap();
    assert!(matches!(Tellers::open(&Place::File(path.clone())), Err(OpenError::Taken(_))));
    drop(Tellers::open(&Place::FileBeside(path.clone())).unwrap());
    drop(first);
    Tellers::open(&Place::File(path)).unwrap();
}

#[test]
fn nobody_else_reads_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cage.db");
    let _tellers = Tellers::open(&Place::File(path)).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} {mode:o}", file.file_name());
    }
}

#[tokio::test]
async fn what_was_answered_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("cage.db"));
    let cage = Cage::open(&place);
    let ann = cage.guest("ann").await;
    cage.login(&ann, 1, How::Guest, NOW).await;
    drop(cage);
    let cage = Cage::open(&place);
    assert_eq!(cage.read(move |tx| login::of(tx, &ann, NOW)).await.len(), 1);
}

#[tokio::test]
async fn more_than_may_wait_is_refused_and_not_kept() {
    let cage = Cage::open(&Place::Memory);
    let (held, hold) = std::sync::mpsc::channel::<()>();
    let waits = cage.tellers().write("x", move |_| {
        let _ = hold.recv();
        Ok(())
    });
    let mut waiting = vec![Box::pin(waits)];
    let mut refused = false;
    let asked = (0..2_000).map(|_| Box::pin(cage.tellers().write("x", |_| Ok(()))));
    let mut others: Vec<_> = asked.collect();
    assert!(futures_util::FutureExt::now_or_never(&mut waiting[0]).is_none());
    for job in &mut others {
        if let Some(end) = futures_util::FutureExt::now_or_never(job) {
            assert_eq!(end, Err(DbError::Busy));
            refused = true;
        }
    }
    assert!(refused);
    drop(held);
    waiting.remove(0).await.unwrap();
}

/// Eight at once append to the audit while PostgreSQL is killed, comes back, and is killed again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgres_loses_nothing_that_was_answered_and_work_goes_on() {
    let Some(server) = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap() else {
        return;
    };
    let made = tokio::task::spawn_blocking(move || (server.database("killed").unwrap(), server));
    let (url, mut server) = made.await.unwrap();
    let cage = Cage::open_apart(Place::Postgres(url)).await;
    let over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (cage, over) = (cage.clone(), over.clone());
            tokio::spawn(async move {
                let (mut answered, mut away, mut asked) = (Vec::new(), 0, 0);
                while !over.load(Relaxed) {
                    asked += 1;
                    let action = format!("{writer}-{asked}");
                    let entry = crate::audit::entry(&action);
                    let began = Instant::now();
                    let end = cage.tellers().write(&action, move |tx| audit::append(tx, &entry)).await;
                    assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
                    match end {
                        Ok(seq) => answered.push((seq, action)),
                        Err(DbError::Away(_)) => {
                            away += 1;
                            // Whoever hears that it is away comes back a little later.
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                        Err(other) => panic!("{other:?}"),
                    }
                }
                (answered, away)
            })
        })
        .collect();
    for _ in 0..2 {
        // Some have been answered since it came up.
        let before = count(&cage).await;
        until_more_than(&cage, before + 20).await;
        server = tokio::task::spawn_blocking(move || {
            server.kill();
            server.run().unwrap();
            server
        })
        .await
        .unwrap();
    }
    let before = count(&cage).await;
    until_more_than(&cage, before + 20).await;
    over.store(true, Relaxed);
    let (mut all, mut away) = (Vec::new(), 0);
    for writer in writers {
        let (answered, was_away) = writer.await.unwrap();
        all.extend(answered);
        away += was_away;
    }
    assert!(away > 0, "nobody noticed");
    // The chain is whole, and what was answered stands in it where it was said to stand.
    let entries = at_last(&cage, audit::verify).await.unwrap();
    let most = u32::try_from(entries).unwrap();
    let kept = at_last(&cage, move |tx| audit::latest(tx, u64::MAX, most)).await;
    let kept: std::collections::HashMap<_, _> =
        kept.into_iter().map(|kept| (kept.seq, kept.entry.action)).collect();
    assert!(all.len() as u64 <= entries);
    for (seq, action) in all {
        assert_eq!(kept.get(&seq), Some(&action));
    }
    drop(server);
}

async fn count(cage: &Cage) -> u64 {
    let latest = at_last(cage, |tx| audit::latest(tx, u64::MAX, 1)).await;
    latest.first().map_or(0, |kept| kept.seq)
}

/// What is read once the database answers: each teller notices for itself that it is back.
async fn at_last<T: Send + 'static>(
    cage: &Cage,
    work: impl FnMut(&mut dyn cage::Tx) -> Result<T, DbError> + Clone + Send + 'static,
) -> T {
    loop {
        match cage.tellers().read(work.clone()).await {
            Ok(read) => return read,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

async fn until_more_than(cage: &Cage, entries: u64) {
    let began = Instant::now();
    while count(cage).await <= entries {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing goes on");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
