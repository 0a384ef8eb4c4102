//! Keys as files in a folder, changed while programs run: the newest that has settled is in force, all others are still good.
//!
//! To rotate, put a new file there ([`Manage::Rotate`]); to end what an old key has made, remove its file ([`Manage::Prune`]). Nothing is restarted: whoever
//! uses the folder reads it again every few seconds. A file settles, since all must know a key before one of them uses it.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Subcommand;

/// More files than anybody needs, so that a wrong folder is an error and not a long wait.
const KEYS_MAX: usize = 32;

/// The largest file that is read, in bytes; a key has about 120 at most.
const KEY_BYTES_MAX: u64 = 16 * 1024;

/// A folder of keys.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    path: PathBuf,
    extension: &'static str,
    settle: Duration,
}

/// The keys of a folder, oldest first; there is at least one.
#[derive(Debug)]
pub struct Keys<T> {
    /// Each with its file.
    pub all: Vec<(PathBuf, T)>,
    /// Which of them is in force.
    pub in_force: usize,
}

impl<T> Keys<T> {
    /// The one in force, and all others, oldest first.
    pub fn apart(self) -> (T, Vec<T>) {
        let mut keys: Vec<T> = self.all.into_iter().map(|(_, key)| key).collect();
        let in_force = keys.remove(self.in_force);
        (in_force, keys)
    }
}

/// Why the keys could not be read. What was read before stays in force.
#[derive(Debug, thiserror::Error)]
pub enum KeyFolderError {
    /// The folder or a file cannot be read or written.
    #[error("cannot read or write {0}: {1}")]
    Io(PathBuf, io::Error),
    /// A file is not such a key.
    #[error("{0} is not {1}")]
    NotAKey(PathBuf, String),
    /// There is no file of that kind.
    #[error("{0} holds no key (*.{1})")]
    Empty(PathBuf, &'static str),
    /// There are more of them than `KEYS_MAX`.
    #[error("{0} holds more than {KEYS_MAX} keys: is it the right folder?")]
    TooMany(PathBuf),
}

/// A file as it was found.
struct Found {
    modified: SystemTime,
    path: PathBuf,
}

impl KeyFolder {
    /// The folder at `path` with files of this extension. A key is in force when its file is `settle` old: by then everybody knows it.
    pub fn new(path: impl Into<PathBuf>, extension: &'static str, settle: Duration) -> Self {
        Self { path: path.into(), extension, settle }
    }

    /// The folder of this name in it, of keys of the same form.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        Self { path: self.path.join(name), ..self.clone() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads all keys.
    ///
    /// # Errors
    /// [`KeyFolderError`], naming the file.
    pub fn read<T>(&self, parse: impl Fn(&str) -> Result<T, String>) -> Result<Keys<T>, KeyFolderError> {
        let found = self.find()?;
        let in_force = self.in_force(&found, Duration::ZERO).unwrap_or(0);
        let load = |Found { path, .. }| {
            let text = fs::read_to_string(&path).map_err(|e| at(&path, e))?;
            match parse(&text) {
                Ok(key) => Ok((path, key)),
                Err(why) => Err(KeyFolderError::NotAKey(path, why)),
            }
        };
        let all: Vec<_> = found.into_iter().map(load).collect::<Result<_, _>>()?;
        if all.is_empty() {
            return Err(KeyFolderError::Empty(self.path.clone(), self.extension));
        }
        Ok(Keys { all, in_force })
    }

    /// Makes the folder, if need be, for this user alone.
    ///
    /// # Errors
    /// If it cannot.
    pub fn create(&self) -> Result<(), KeyFolderError> {
        let create = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        create.map_err(|e| at(&self.path, e))
    }

    /// Adds a key, readable for this user alone. Written under another name first, so that nobody who shares the folder reads half of it.
    ///
    /// # Errors
    /// If it cannot, or if there is one of that name.
    pub fn add(&self, name: &str, text: &str) -> Result<PathBuf, KeyFolderError> {
        let path = self.path.join(format!("{name}.{}", self.extension));
        let unfinished = path.with_extension("new");
        let write = || -> io::Result<()> {
            let mut file =
                fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
            io::Write::write_all(&mut file, text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)
        };
        write().map_err(|e| at(&path, e))?;
        Ok(path)
    }

    /// Removes the keys before the newest one that has been in force for `age`, and answers their files.
    ///
    /// # Errors
    /// If the folder cannot be read or a file cannot be removed.
    pub fn prune(&self, age: Duration) -> Result<Vec<PathBuf>, KeyFolderError> {
        let found = self.find()?;
        let Some(newest) = self.in_force(&found, age) else { return Ok(Vec::new()) };
        let old: Vec<PathBuf> = found.into_iter().take(newest).map(|key| key.path).collect();
        old.iter().try_for_each(|path| fs::remove_file(path).map_err(|e| at(path, e)))?;
        Ok(old)
    }

    /// The newest that has been in force for so long.
    fn in_force(&self, found: &[Found], age: Duration) -> Option<usize> {
        let before = SystemTime::now().checked_sub(self.settle + age).unwrap_or(UNIX_EPOCH);
        found.iter().rposition(|key| key.modified <= before)
    }

    /// Oldest first. Files of one moment (a mounted secret) go by name, so that all who share it choose alike.
    fn find(&self) -> Result<Vec<Found>, KeyFolderError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(|e| at(&self.path, e))? {
            let path = entry.map_err(|e| at(&self.path, e))?.path();
            if path.extension().is_none_or(|extension| extension != self.extension) {
                continue;
            }
            if found.len() == KEYS_MAX {
                return Err(KeyFolderError::TooMany(self.path.clone()));
            }
            // Follows links, which is how Kubernetes mounts secrets.
            let metadata = fs::metadata(&path).map_err(|e| at(&path, e))?;
            if metadata.len() > KEY_BYTES_MAX {
                return Err(KeyFolderError::NotAKey(
                    path,
                    format!("a key: larger than {KEY_BYTES_MAX} bytes"),
                ));
            }
            found.push(Found { modified: metadata.modified().map_err(|e| at(&path, e))?, path });
        }
        found.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
        Ok(found)
    }
}

fn at(path: &Path, error: io::Error) -> KeyFolderError {
    KeyFolderError::Io(path.into(), error)
}

/// What an operator does with a folder of keys.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Manage {
    /// Show the keys, oldest first, and which one is in force
    List,
    /// Make a new key, which is in force when it has settled. Running programs take it up by themselves
    Rotate,
    /// Remove the keys before the one that has been in force for so long. What they have made is void then
    Prune {
        /// How long, seconds; what an old key has made must have ended by then
        #[arg(long, value_name = "SECONDS")]
        after_seconds: u64,
    },
}

impl Manage {
    /// Does it, and says in lines what was done. `make` makes a key: its name and its text.
    ///
    /// # Errors
    /// [`KeyFolderError`]; then nothing has changed but what the error does not name.
    pub fn run<T>(
        self,
        folder: &KeyFolder,
        parse: impl Fn(&str) -> Result<T, String>,
        make: impl FnOnce() -> (String, String),
    ) -> Result<Vec<String>, KeyFolderError> {
        match self {
            Self::List => {
                let Keys { all, in_force } = folder.read(parse)?;
                let line = |(i, (path, _)): (usize, &(PathBuf, T))| {
                    let what = match i.cmp(&in_force) {
                        std::cmp::Ordering::Less => "still good",
                        std::cmp::Ordering::Equal => "in force",
                        std::cmp::Ordering::Greater => "settling",
                    };
                    format!("{} {what}", path.display())
                };
                Ok(all.iter().enumerate().map(line).collect())
            }
            Self::Rotate => {
                folder.create()?;
                let (name, text) = make();
                let path = folder.add(&name, &text)?;
                Ok(vec![format!("{} made; in force in {} s", path.display(), folder.settle.as_secs())])
            }
            Self::Prune { after_seconds } => {
                let gone = folder.prune(Duration::from_secs(after_seconds))?;
                if gone.is_empty() {
                    return Ok(vec!["no key is old enough to be removed".into()]);
                }
                Ok(gone.iter().map(|path| format!("{} removed", path.display())).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const SETTLE: Duration = Duration::from_secs(60);

    /// A folder of its own in the system's temporary one, gone with it.
    struct Temporary(KeyFolder);

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0.path);
        }
    }

    fn folder() -> Temporary {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("key-folder-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = KeyFolder::new(std::env::temp_dir().join(name), "key", SETTLE);
        folder.create().unwrap();
        Temporary(folder)
    }

    fn word(text: &str) -> Result<String, String> {
        (!text.is_empty()).then(|| text.to_owned()).ok_or_else(|| "a word".into())
    }

    fn put(folder: &KeyFolder, name: &str, age: Duration) {
        let path = folder.add(name, name).unwrap();
        fs::File::options().append(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
    }

    fn names(keys: &Keys<String>) -> Vec<&str> {
        keys.all.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn a_rotated_key_settles_before_it_is_in_force_and_the_old_one_stays_good() {
        let Temporary(folder) = &folder();
        put(folder, "old", SETTLE * 2);
        let make = || ("new".to_owned(), "new".to_owned());
        let said = Manage::Rotate.run(folder, word, make).unwrap();
        assert!(said[0].ends_with("new.key made; in force in 60 s"), "{said:?}");
        let keys = folder.read(word).unwrap();
        assert_eq!((names(&keys), keys.in_force), (vec!["old", "new"], 0));
        let said = Manage::List.run(folder, word, make).unwrap();
        assert!(said[0].ends_with("old.key in force") && said[1].ends_with("new.key settling"), "{said:?}");
        let settled = KeyFolder { settle: Duration::ZERO, ..folder.clone() };
        assert_eq!(settled.read(word).unwrap().in_force, 1);
        assert!(Manage::Rotate.run(folder, word, make).is_ok(), "a key of the same name is put in its place");
    }

    #[test]
    fn prune_removes_only_what_was_followed_long_ago() {
        let Temporary(folder) = &folder();
        let hour = Duration::from_secs(3_600);
        for (name, age) in [("a", hour * 3), ("b", hour * 2), ("c", hour), ("d", SETTLE / 2)] {
            put(folder, name, age);
        }
        assert_eq!(folder.prune(hour * 4).unwrap(), [] as [PathBuf; 0]);
        // `c` is an hour old, but it has been in force for less: it had to settle.
        let gone = folder.prune(hour).unwrap();
        assert_eq!(gone, [folder.path.join("a.key")]);
        let keys = folder.read(word).unwrap();
        assert_eq!((names(&keys), keys.in_force), (vec!["b", "c", "d"], 1));
        let prune = Manage::Prune { after_seconds: 10 };
        let said = prune.run(folder, word, || unreachable!("nothing is made")).unwrap();
        assert!(said.len() == 1 && said[0].ends_with("b.key removed"), "{said:?}");
        assert_eq!(
            prune.run(folder, word, || unreachable!()).unwrap(),
            ["no key is old enough to be removed"]
        );
    }

    #[test]
    fn an_empty_folder_a_bad_file_and_a_folder_of_something_else_are_told() {
        let Temporary(folder) = &folder();
        assert!(matches!(folder.read(word), Err(KeyFolderError::Empty(..))));
        fs::write(folder.path.join("bad.key"), "").unwrap();
        assert!(
            matches!(folder.read(word), Err(KeyFolderError::NotAKey(path, _)) if path.ends_with("bad.key"))
        );
        for number in 0..=KEYS_MAX {
            fs::write(folder.path.join(format!("{number}.key")), "x").unwrap();
        }
        assert!(matches!(folder.read(word), Err(KeyFolderError::TooMany(_))));
    }
}
