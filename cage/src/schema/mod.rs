//! The tables, and how they come to be: migrations that run once each, in order, when the database is opened.
//!
//! A migration that was released is never changed; what is new is a migration of its own. Its tables are one text for both
//! databases, which differ in three words; what guards them is written for each.

use refinery_core::{Migration, Runner};

/// A step of the schema.
struct Step {
    /// As refinery wants it: `V1__people`.
    name: &'static str,
    tables: &'static str,
    of_sqlite: &'static str,
    of_postgres: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        name: "V1__people",
        tables: include_str!("people.sql"),
        of_sqlite: include_str!("people.guards.sqlite.sql"),
        of_postgres: include_str!("people.guards.postgres.sql"),
    },
    Step {
        name: "V2__reports",
        tables: include_str!("reports.sql"),
        of_sqlite: include_str!("reports.guards.sqlite.sql"),
        of_postgres: include_str!("reports.guards.postgres.sql"),
    },
    Step {
        name: "V3__identities",
        tables: include_str!("identities.sql"),
        of_sqlite: include_str!("identities.guards.sqlite.sql"),
        of_postgres: include_str!("identities.guards.postgres.sql"),
    },
    Step {
        name: "V4__ledger",
        tables: include_str!("ledger.sql"),
        of_sqlite: include_str!("ledger.guards.sqlite.sql"),
        of_postgres: include_str!("ledger.guards.postgres.sql"),
    },
    Step {
        name: "V5__play_time",
        tables: include_str!("play_time.sql"),
        of_sqlite: include_str!("play_time.guards.sqlite.sql"),
        of_postgres: include_str!("play_time.guards.postgres.sql"),
    },
    Step {
        name: "V6__hands",
        tables: include_str!("hands.sql"),
        of_sqlite: include_str!("hands.guards.sqlite.sql"),
        of_postgres: include_str!("hands.guards.postgres.sql"),
    },
    Step {
        name: "V7__witness",
        tables: include_str!("witness.sql"),
        of_sqlite: include_str!("witness.guards.sqlite.sql"),
        of_postgres: include_str!("witness.guards.postgres.sql"),
    },
    Step {
        name: "V8__tape",
        tables: include_str!("tape.sql"),
        of_sqlite: include_str!("tape.guards.sqlite.sql"),
        of_postgres: include_str!("tape.guards.postgres.sql"),
    },
    Step {
        name: "V9__kept",
        tables: include_str!("kept.sql"),
        of_sqlite: include_str!("kept.guards.sqlite.sql"),
        of_postgres: include_str!("kept.guards.postgres.sql"),
    },
    Step {
        name: "V10__rail",
        tables: include_str!("rail.sql"),
        of_sqlite: include_str!("rail.guards.sqlite.sql"),
        of_postgres: include_str!("rail.guards.postgres.sql"),
    },
    Step {
        name: "V11__branches",
        tables: include_str!("branches.sql"),
        of_sqlite: include_str!("branches.guards.sqlite.sql"),
        of_postgres: include_str!("branches.guards.postgres.sql"),
    },
];

/// What brings a SQLite database up to date.
///
/// # Panics
/// Never: the names of the steps are valid, which a test shows.
pub fn of_sqlite() -> Runner {
    runner(|step| in_sqlite(step.tables) + step.of_sqlite)
}

/// What brings a PostgreSQL database up to date.
///
/// # Panics
/// Never: the names of the steps are valid, which a test shows.
pub fn of_postgres() -> Runner {
    runner(|step| step.tables.to_owned() + step.of_postgres)
}

fn runner(text: impl Fn(&Step) -> String) -> Runner {
    let made =
        |step: &Step| Migration::unapplied(step.name, &text(step)).expect("the steps have valid names");
    // Steps of a release that is newer than this one are no error: while a cluster is updated, both run.
    Runner::new(&STEPS.iter().map(made).collect::<Vec<_>>()).set_abort_missing(false)
}

fn in_sqlite(tables: &str) -> String {
    tables.replace("BYTEA", "BLOB").replace("BIGINT", "INTEGER").replace("\n);", "\n) STRICT;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_sqlite_is_strict_about_its_types() {
        for step in STEPS {
            let text = in_sqlite(step.tables);
            assert_eq!(
                text.matches("CREATE TABLE").count(),
                text.matches("STRICT;").count(),
                "{}",
                step.name
            );
        }
        assert_eq!(of_sqlite().get_migrations().len(), of_postgres().get_migrations().len());
    }

    /// What a release has undone that undid each once stays undone, and may be undone by another request once it is taken back.
    #[test]
    fn what_was_undone_before_stays_undone() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        let step = |step: &Step| database.execute_batch(&(in_sqlite(step.tables) + step.of_sqlite)).unwrap();
        STEPS[..10].iter().for_each(step);
        let run = |text: &str| database.execute_batch(text);
        run("INSERT INTO request (name, fingerprint, kind, outcome, room, epoch, seq, n, amount, currency, person, at_ms) VALUES \
             ('buy', zeroblob(32), 'buy_in', 'posted', 't', 1, 1, 0, 5, 'PLAY', 'u', 1), \
             ('cut', zeroblob(32), 'cut', 'posted', 't', 2, 1, 0, NULL, NULL, NULL, 1), \
             ('later', zeroblob(32), 'cut', 'posted', 't', 3, 1, 0, NULL, NULL, NULL, 1)")
            .unwrap();
        run("INSERT INTO undone VALUES ('buy', 'cut'); INSERT INTO paid_before VALUES ('buy', 'cut')")
            .unwrap();
        STEPS[10..].iter().for_each(step);
        let count = |of: &str| {
            let count =
                database.query_row(&format!("SELECT count(*) FROM {of}"), [], |row| row.get::<_, i64>(0));
            count.unwrap()
        };
        assert_eq!((count("undone_now"), count("paid_before_now")), (1, 1));
        run("INSERT INTO undone VALUES ('buy', 'later')").unwrap_err();
        run("INSERT INTO taken_back VALUES ('cut', 'later')").unwrap();
        assert_eq!((count("undone_now"), count("paid_before_now"), count("undone")), (0, 0, 1));
        run("INSERT INTO undone VALUES ('buy', 'later')").unwrap();
        assert_eq!((count("undone_now"), count("undone")), (1, 2));
    }

    /// What was written down by releases that numbered nothing is told first, as it was told by them.
    #[test]
    fn hands_of_before_are_numbered_by_their_ends_and_new_ones_behind_them() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        let step = |step: &Step| database.execute_batch(&(in_sqlite(step.tables) + step.of_sqlite)).unwrap();
        STEPS[..8].iter().for_each(step);
        let insert = |room: &str, ended: i64| {
            let text = format!(
                "INSERT INTO hand (room, epoch, seq, number, table_name, game, started_ms, ended_ms, pot, rake, prev, hash, record) \
                 VALUES ('{room}', 1, 1, 1, 'Reno', 'nlhe', 1, {ended}, 1, 0, zeroblob(32), zeroblob(32), x'00') ON CONFLICT DO NOTHING"
            );
            database.execute_batch(&text).unwrap();
        };
        [("c", 30), ("a", 20), ("b", 20)].into_iter().for_each(|(room, ended)| insert(room, ended));
        STEPS[8..].iter().for_each(step);
        [("late", 10), ("a", 20), ("e", 50)].into_iter().for_each(|(room, ended)| insert(room, ended));
        let mut rooms = database.prepare("SELECT room, kept FROM hand ORDER BY kept").unwrap();
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
        let told: Vec<(String, i64)> = rooms.query_map([], read).unwrap().map(Result::unwrap).collect();
        let expected = [("a", 1), ("b", 2), ("c", 3), ("late", 4), ("e", 5)];
        assert_eq!(told, expected.map(|(room, kept)| (room.to_owned(), kept)));
        assert!(database.execute_batch("UPDATE hand SET kept = 9 WHERE kept = 5").is_err());
    }

    /// SQLite changes no CHECK, so the table of logins is made anew: nothing of it is lost by that, and it is guarded as it was.
    #[test]
    fn logins_stay_when_they_may_begin_elsewhere() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        let step = |step: &Step| database.execute_batch(&(in_sqlite(step.tables) + step.of_sqlite)).unwrap();
        step(&STEPS[0]);
        let before = "INSERT INTO person (id, kind, nick, created_ms, seen_ms) VALUES ('g-gus', 'guest', 'Gus', 1, 1); \
            INSERT INTO login (id, public_id, person, how, generation, rotated_ms, created_ms, expires_ms, network, agent) \
            VALUES (zeroblob(16), 'l-1', 'g-gus', 'guest', 7, 2, 1, 9, 'here', 'it')";
        database.execute_batch(before).unwrap();
        STEPS[1..].iter().for_each(step);
        let told = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<i64>>(2)?))
        };
        let login = "SELECT generation, agent, ended_ms FROM login WHERE public_id = 'l-1'";
        assert_eq!(database.query_row(login, [], told).unwrap(), (7, "it".into(), None));
        assert!(database.execute_batch("UPDATE login SET generation = 6").is_err(), "it still goes one way");
        assert!(database.execute_batch("UPDATE login SET person = 'nobody'").is_err());
        database.execute_batch("UPDATE login SET how = 'oidc'").unwrap();
    }
}
