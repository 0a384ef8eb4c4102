//! A backup of the database, taken under load: what a crash would have left on disk at one moment.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use loadtest::cluster::{Cluster, Database, Node, undertaker::Living};
use tempfile::TempDir;

use super::books::Books;

/// What SQLite keeps beside a database: what is not in it yet, and where that stands, which is made anew.
const LOG: &str = "-wal";
/// See [`LOG`].
const INDEX: &str = "-shm";

/// See the module.
pub enum Backup<'a> {
    /// Of a file, into a folder.
    File {
        /// The database.
        of: PathBuf,
        /// Its copy.
        copy: TempDir,
    },
    /// Of a server, which has it.
    Server(&'a Books),
}

impl<'a> Backup<'a> {
    /// Copies what is there. Whoever writes to it stands still meanwhile.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn take(cluster: &mut Cluster, books: Option<&'a Books>) -> anyhow::Result<Self> {
        if let Some(books) = books {
            books.back_up().await?;
            return Ok(Self::Server(books));
        }
        let Database::File(of) = cluster.database().clone() else { anyhow::bail!("the database is no file") };
        let copy = tempfile::Builder::new().prefix("cardhouse-backup-").tempdir()?;
        let reception = cluster.node(Node::Reception);
        reception.signal("STOP");
        let copied = copy_all(&of, &copy.path().join("people.db"));
        reception.signal("CONT");
        copied?;
        Ok(Self::File { of, copy })
    }

    /// Puts it in the database's place, which nobody has open.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn put_back(self, living: &Living) -> anyhow::Result<()> {
        match self {
            Self::File { of, copy } => copy_all(&copy.path().join("people.db"), &of),
            Self::Server(books) => books.put_back(living).await,
        }
    }
}

/// A database with its log, in the place of another.
fn copy_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    for old in [to.to_owned(), beside(to, LOG), beside(to, INDEX)] {
        match fs::remove_file(&old) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    // A reception that has ended in order leaves none.
    if beside(from, LOG).exists() {
        fs::copy(beside(from, LOG), beside(to, LOG))?;
    }
    Ok(())
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
