//! The tables, and how they come to be: migrations that run once each, in order, when the database is opened.
//!
//! A migration that was released is never changed; what is new is a migration of its own. Its tables are one text for both
//! databases, which differ in three words; what guards them is written for each.

use refinery::{Migration, Runner};

/// A step of the schema.
struct Step {
    /// As refinery wants it: `V1__people`.
    name: &'static str,
    tables: &'static str,
    of_sqlite: &'static str,
    of_postgres: &'static str,
}

const STEPS: [Step; 1] = [Step {
    name: "V1__people",
    tables: include_str!("people.sql"),
    of_sqlite: include_str!("people.guards.sqlite.sql"),
    of_postgres: include_str!("people.guards.postgres.sql"),
}];

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
    Runner::new(&STEPS.each_ref().map(made)).set_abort_missing(false)
}

fn in_sqlite(tables: &str) -> String {
    tables.replace("BYTEA", "BLOB").replace("BIGINT", "INTEGER").replace("\n);", "\n) STRICT;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_sqlite_is_strict_about_its_types() {
        for step in &STEPS {
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
}
