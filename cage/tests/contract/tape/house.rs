//! A database with a tape beside it, and backups of it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use cage::{
    DbError, Place, Tx, Value,
    ledger::{self, Definition},
    tape::{Forward, ForwardError},
    testing::postgres_server::PostgresServer,
};
use tempfile::TempDir;

use crate::{
    ledger::{OPENING, REFILL, currency, play},
    setup::{Cage, NOW},
};

/// Nobody waits for cages that there are not.
pub(super) const IMPATIENT: Duration = Duration::ZERO;

enum At {
    File,
    Postgres(Arc<PostgresServer>, String),
}

pub(super) struct House {
    at: At,
    folder: TempDir,
}

impl House {
    pub(super) fn in_file() -> Self {
        Self { at: At::File, folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn in_postgres(server: Arc<PostgresServer>, name: &str) -> Self {
        Self { at: At::Postgres(server, format!("tape_{name}")), folder: tempfile::tempdir().unwrap() }
    }

    /// The folder of a tape.
    pub(super) fn tape(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.db"))
    }

    /// Opens the database of this name, which is made if there is none.
    pub(super) async fn open(&self, name: &'static str) -> Cage {
        let place = match &self.at {
            At::File => Place::File(self.file(name)),
            At::Postgres(server, prefix) => {
                let (server, database) = (server.clone(), format!("{prefix}_{name}"));
                // It may be there.
                let url = tokio::task::spawn_blocking(move || server.database_or_that(&database));
                Place::Postgres(url.await.unwrap().unwrap())
            }
        };
        let cage = Cage::open_apart(place).await;
        let play = Definition { code: play(), digits: 0, play: true, opening: OPENING, refill: REFILL };
        let real = Definition { code: currency("EUR"), digits: 2, play: false, opening: 0, refill: 0 };
        cage.write(move |tx| ledger::define(tx, &[play, real])).await;
        cage
    }

    /// The same, with the tape `main`, which it is brought forward to.
    pub(super) async fn open_taped(&self, name: &'static str) -> (Cage, Forward) {
        let cage = self.open(name).await;
        let forward = self.keep(&cage, "main").await.unwrap();
        (cage, forward)
    }

    pub(super) async fn keep(&self, cage: &Cage, tape: &str) -> Result<Forward, ForwardError> {
        cage.tellers().keep_tape_within(&self.tape(tape), NOW, IMPATIENT).await
    }

    /// A backup of a database, under another name. It is closed meanwhile.
    pub(super) async fn back_up(&self, cage: Cage, of: &'static str, name: &'static str) {
        let tellers = cage.into_tellers();
        // Its threads end, and let the files go.
        tokio::task::spawn_blocking(move || drop(tellers)).await.unwrap();
        match &self.at {
            At::File => {
                assert!(std::fs::copy(self.file(of), self.file(name)).unwrap() > 0);
                // Where connections close at the same moment, none of them is the last, which would have put the log into the file.
                let log = |name| self.file(name).with_extension("db-wal");
                if log(of).exists() {
                    std::fs::copy(log(of), log(name)).unwrap();
                }
            }
            At::Postgres(server, prefix) => {
                let (server, of, name) =
                    (server.clone(), format!("{prefix}_{of}"), format!("{prefix}_{name}"));
                tokio::task::spawn_blocking(move || server.copy(&of, &name)).await.unwrap().unwrap();
            }
        }
    }

    /// What the files of a tape hold, line by line.
    pub(super) fn lines(&self, tape: &str) -> Vec<String> {
        let mut paths: Vec<_> =
            std::fs::read_dir(self.tape(tape)).unwrap().map(|file| file.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "tape"));
        paths.sort_unstable();
        let texts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.at, At::Postgres(..))
    }
}

/// All that the ledger knows, however its accounts are numbered.
pub(crate) async fn all_of(cage: &Cage) -> Vec<String> {
    let work = |tx: &mut dyn Tx| -> Result<Vec<String>, DbError> {
        let mut all = Vec::new();
        for statement in [
            "SELECT name, fingerprint, kind, outcome, code, person, currency, amount, room, epoch, seq, n, hand, staff, second, reason, at_ms \
             FROM request ORDER BY name",
            "SELECT t.request, t.leg, t.currency, a.kind, a.name, b.kind, b.name, t.amount FROM transfer t JOIN account a ON a.id = t.payer \
             JOIN account b ON b.id = t.payee ORDER BY t.request, t.leg",
            "SELECT kind, name, currency, balance, entries FROM account WHERE entries > 0 ORDER BY kind, name, currency",
            "SELECT request, by_request FROM undone ORDER BY request, by_request",
            "SELECT request, by_request FROM paid_before ORDER BY request, by_request",
            "SELECT request, by_request FROM taken_back ORDER BY request",
            "SELECT request FROM lost_cut ORDER BY request",
            "SELECT request, room, epoch, follows_epoch, follows_seq, answer FROM cut ORDER BY request",
            "SELECT person, room, currency, amount FROM in_play ORDER BY person, room, currency",
            "SELECT name, decision, decided_by FROM proposal ORDER BY name",
        ] {
            let text = |value: &Value| match value {
                Value::Null => "-".to_owned(),
                Value::Int(number) => number.to_string(),
                Value::Text(text) => text.clone(),
                Value::Bytes(bytes) => format!("{bytes:?}"),
            };
            let rows = tx.run(statement, &[])?;
            all.extend(rows.iter().map(|row| row.0.iter().map(text).collect::<Vec<_>>().join(" ")));
        }
        Ok(all)
    };
    let audit = cage.read(ledger::audit).await;
    assert!(audit.is_right(), "{audit:?}");
    cage.read(work).await
}
