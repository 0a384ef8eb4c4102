//! The folder with what outlives a house, which one house has open at a time and nobody else reads.
//!
//! | in it | |
//! | --- | --- |
//! | `format` | how the rest is to be read |
//! | `house.lock` | locked as long as a house is open, and holds the number of its process |
//! | `journals/` | tables and what is said at them: the file store's |
//! | `people.db` | accounts: SQLite's, with files beside it |
//! | `keys/` | what signs and refreshes tokens, as reception's key folder; in `keys/hands/` what signs hands |
//! | `seal-keys/` | what seals journals, as dealer workers' key folder |

use std::{
    env, fs,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use broker::{seal::SealKey, store::file::disk::sync_folder};
use cage::{Place, people::refresh::RefreshKeys};
use ops::{
    config::parse_seal_key,
    key_folder::{KeyFolder, KeyFolderError},
};
use reception::{archive, archive::ExportArgs, database, key_dir::KeyDir};

/// What `format` begins with. A release that keeps things otherwise counts on, and reads this.
const FORMAT: &str = "cardhouse 1";

/// The rest of it, for who looks into the folder.
const ABOUT: &str =
    "What a Cardhouse house keeps: tables, accounts and keys. Nobody but its owner is to read any of it.";

/// What may be in a folder that is still empty: ours from a first start that was cut short, and a file system's own.
const NOTHING: [&str; 3] = [LOCK, "format.new", "lost+found"];

const LOCK: &str = "house.lock";

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A house that is open has it.
    #[error(
        "{0} is in use by another house (process {1}): close that one, name another folder (--data), or keep nothing \
         (--memory)"
    )]
    Taken(PathBuf, String),
    /// It is not ours.
    #[error("{0} holds other things: --data names an empty folder, or one that a house has kept")]
    NotOurs(PathBuf),
    /// Another release reads it.
    #[error("{0} was kept by a later release: its file `format` says {1:?}, and this one reads {FORMAT:?}")]
    Later(PathBuf, String),
    /// The system says no.
    #[error("cannot keep anything in {0}: {1}; name another folder (--data), or keep nothing (--memory)")]
    Io(PathBuf, io::Error),
    /// A key cannot be read or made.
    #[error(transparent)]
    Key(#[from] KeyFolderError),
}

/// The folder, opened and locked. Dropping it lets another house open it.
#[derive(Debug)]
pub struct Data {
    folder: PathBuf,
    _lock: File,
}

/// Writes the hands that are kept in a house's folder into files; the house may be open meanwhile.
///
/// # Errors
/// When there is none, or something of it is in the way.
pub async fn export(folder: &Path, what: &ExportArgs) -> anyhow::Result<()> {
    let people = folder.join("people.db");
    anyhow::ensure!(people.exists(), "{} is no folder of a house (--data)", folder.display());
    let keys = folder.join("keys");
    let names = RefreshKeys::new(database::key_in(&keys)?, Vec::new());
    let hand_keys = KeyDir::new(&keys, Duration::ZERO).of_hands();
    archive::export(Some(Place::File(people)), &names, &hand_keys, what).await
}

impl Data {
    /// Opens the folder, which is made if there is none, and locks it.
    ///
    /// # Errors
    /// [`DataError`] says what is in the way, and leaves the folder as it is.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        let at = |error| DataError::Io(folder.into(), error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at)?;
        // In this order, since another house may be about to begin here.
        let is_ours = is_empty(folder).map_err(at)? || folder.join("format").exists();
        if !is_ours {
            return Err(DataError::NotOurs(folder.into()));
        }
        let lock = lock(folder)?;
        restrict(folder);
        match fs::read_to_string(folder.join("format")) {
            Ok(format) => match format.lines().next().unwrap_or_default() {
                FORMAT => {}
                other => return Err(DataError::Later(folder.into(), other.into())),
            },
            // Before anything else, so that what is in the folder is known for ours.
            Err(error) if error.kind() == io::ErrorKind::NotFound => begin(folder).map_err(at)?,
            Err(error) => return Err(at(error)),
        }
        Ok(Self { folder: folder.into(), _lock: lock })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where in it something of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What signs tokens. Nobody else checks them, so a key need not settle.
    pub fn token_keys(&self) -> KeyDir {
        KeyDir::new(self.path("keys"), Duration::ZERO)
    }

    /// The key that seals journals, and older ones that open them. The first is made here.
    ///
    /// # Errors
    /// When a key cannot be read or written.
    pub fn seal_keys(&self) -> Result<(SealKey, Vec<SealKey>), DataError> {
        let folder = KeyFolder::new(self.path("seal-keys"), "key", Duration::ZERO);
        folder.create()?;
        let read = match folder.read(parse_seal_key) {
            Err(KeyFolderError::Empty(..)) => {
                folder.add(&format!("{:08x}", rand::random::<u32>()), &SealKey::random().to_hex())?;
                folder.read(parse_seal_key)?
            }
            read => read?,
        };
        Ok(read.apart())
    }

    /// What was made in the folder until now stays there when the machine loses its power.
    ///
    /// # Errors
    /// When the system does not promise it.
    pub fn settle(&self) -> Result<(), DataError> {
        let folders =
            [self.folder.clone(), self.path("keys"), self.path("keys/hands"), self.path("seal-keys")];
        for folder in folders.into_iter().filter(|folder| folder.exists()) {
            sync_folder(&folder).map_err(|error| DataError::Io(folder, error))?;
        }
        Ok(())
    }
}

/// Where a house keeps its things that was told nothing: with what else this user's programs keep. `None` for a user without a home.
pub fn usual() -> Option<PathBuf> {
    let given = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let things = given("XDG_DATA_HOME").or_else(|| Some(given("HOME")?.join(".local/share")))?;
    Some(things.join("cardhouse"))
}

fn is_empty(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if !NOTHING.iter().any(|name| entry.as_ref().is_ok_and(|entry| entry.file_name() == *name)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn lock(folder: &Path) -> Result<File, DataError> {
    let path = folder.join(LOCK);
    let at = |error| DataError::Io(path.clone(), error);
    let options =
        OpenOptions::new().create(true).read(true).write(true).truncate(false).mode(0o600).open(&path);
    let mut file = options.map_err(at)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            let _ = file.read_to_string(&mut process);
            return Err(DataError::Taken(folder.into(), process.trim().into()));
        }
        Err(TryLockError::Error(error)) => return Err(at(error)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", process::id())).map_err(at)?;
    Ok(file)
}

/// A folder that somebody has made beforehand, or a volume, may be open to others. Not all can be closed by who uses them.
fn restrict(folder: &Path) {
    let is_open = |about: fs::Metadata| about.permissions().mode() & 0o077 != 0;
    if !fs::metadata(folder).is_ok_and(is_open) {
        return;
    }
    if let Err(error) = fs::set_permissions(folder, fs::Permissions::from_mode(0o700)) {
        tracing::warn!(folder = %folder.display(), %error, "others may look into the folder; its files they cannot read");
    }
}

/// Whole or not at all.
fn begin(folder: &Path) -> io::Result<()> {
    let aside = folder.join("format.new");
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&aside)?;
    writeln!(file, "{FORMAT}\n{ABOUT}")?;
    file.sync_all()?;
    fs::rename(aside, folder.join("format"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_folder_is_for_this_user_alone_however_it_came_to_be() {
        let temporary = tempfile::tempdir().unwrap();
        let (new, open) = (temporary.path().join("made/here"), temporary.path().join("open"));
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        for folder in [new, open] {
            let data = Data::open(&folder).unwrap();
            data.token_keys().read_or_create().unwrap();
            data.seal_keys().unwrap();
            data.settle().unwrap();
            assert_eq!(mode(&folder), 0o700);
            for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
                assert_eq!(mode(&entry), if entry.is_dir() { 0o700 } else { 0o600 }, "{}", entry.display());
            }
        }
    }

    #[test]
    fn two_houses_never_open_one_folder_and_the_second_is_told_who_has_it() {
        let temporary = tempfile::tempdir().unwrap();
        let first = Data::open(temporary.path()).unwrap();
        let told = Data::open(temporary.path()).unwrap_err().to_string();
        let process = format!("(process {})", process::id());
        assert!([&process, "--data", "--memory"].iter().all(|part| told.contains(*part)), "{told}");
        drop(first);
        Data::open(temporary.path()).unwrap();
    }

    #[test]
    fn keys_are_the_same_whenever_a_house_opens() {
        let temporary = tempfile::tempdir().unwrap();
        let keys = || {
            let data = Data::open(temporary.path()).unwrap();
            let signs = data.token_keys().read_or_create().unwrap().signing_kid().to_owned();
            (signs, data.seal_keys().unwrap().0.to_hex())
        };
        assert_eq!(keys(), keys());
    }

    #[test]
    fn a_folder_of_something_else_stays_as_it_is() {
        let temporary = tempfile::tempdir().unwrap();
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(temporary.path().join("letter.txt"), "dear").unwrap();
        assert!(matches!(Data::open(temporary.path()), Err(DataError::NotOurs(_))));
        assert_eq!((fs::read_dir(temporary.path()).unwrap().count(), mode(temporary.path())), (1, 0o755));
    }

    #[test]
    fn what_a_first_start_left_that_was_cut_short_is_begun_anew() {
        let temporary = tempfile::tempdir().unwrap();
        for (name, text) in [("house.lock", "12"), ("format.new", "card"), ("lost+found", "")] {
            fs::write(temporary.path().join(name), text).unwrap();
        }
        drop(Data::open(temporary.path()).unwrap());
        assert!(fs::read_to_string(temporary.path().join("format")).unwrap().starts_with("cardhouse 1\n"));
    }

    #[test]
    fn what_a_later_release_has_kept_is_not_touched() {
        let temporary = tempfile::tempdir().unwrap();
        drop(Data::open(temporary.path()).unwrap());
        fs::write(temporary.path().join("format"), "cardhouse 2\n").unwrap();
        let told = Data::open(temporary.path()).unwrap_err().to_string();
        assert!(told.contains("a later release") && told.contains("cardhouse 2"), "{told}");
    }
}
