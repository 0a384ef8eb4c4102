//! Signing keys as files: a folder of Ed25519 keys in PKCS #8 PEM, as `openssl genpkey -algorithm ed25519` writes
//! them.
//!
//! To rotate, put a new file there; to end an old key's tokens, remove its file. Nothing is restarted: the folder is
//! read again every few seconds ([`KeyDir::follow`]).

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokens::Signer;

use crate::keyring::{Keyring, Keys};

/// More files than anybody needs, so that a wrong `--key-dir` is an error and not a long wait.
const KEYS_MAX: usize = 32;

/// The largest file that is read, in bytes; a key has about 120.
const KEY_BYTES_MAX: u64 = 16 * 1024;

/// A folder of keys.
#[derive(Debug, Clone)]
pub struct KeyDir {
    path: PathBuf,
    settle: Duration,
}

/// Why the keys could not be read. What was read before stays in force.
#[derive(Debug, thiserror::Error)]
pub enum KeyDirError {
    /// The folder or a file cannot be read or written.
    #[error("cannot read or write {0}: {1}")]
    Io(PathBuf, io::Error),
    /// A file is not such a key.
    #[error("{0} is not an Ed25519 key in PKCS #8 PEM: {1}")]
    NotAKey(PathBuf, String),
    /// There is no `.pem` file.
    #[error("{0} holds no key (*.pem)")]
    Empty(PathBuf),
    /// There are more `.pem` files than `KEYS_MAX`.
    #[error("{0} holds more than {KEYS_MAX} keys: is it the right folder?")]
    TooMany(PathBuf),
}

/// A key file as it was found.
struct Found {
    modified: SystemTime,
    path: PathBuf,
}

impl KeyDir {
    /// The folder at `path`. A key there is published at once, and signs when its file is `settle` old: by then
    /// every relay has fetched it.
    pub fn new(path: impl Into<PathBuf>, settle: Duration) -> Self {
        Self { path: path.into(), settle }
    }

    /// Reads all keys. If there is none (or no folder), makes a first one, readable for this user alone.
    ///
    /// # Errors
    /// [`KeyDirError`], naming the file.
    pub fn read_or_create(&self) -> Result<Keys, KeyDirError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|e| at(&self.path, e))?;
        match self.read() {
            Err(KeyDirError::Empty(_)) => {
                self.create()?;
                self.read()
            }
            read => read,
        }
    }

    /// Reads all keys.
    ///
    /// # Errors
    /// [`KeyDirError`], naming the file.
    pub fn read(&self) -> Result<Keys, KeyDirError> {
        let mut found = self.find()?;
        // Oldest first. Files of one moment (a mounted secret) go by name, so that all replicas choose alike.
        found.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
        let settled_before = SystemTime::now().checked_sub(self.settle).unwrap_or(UNIX_EPOCH);
        let signing = found.iter().rposition(|key| key.modified <= settled_before).unwrap_or(0);
        let signers: Result<Vec<_>, _> = found.iter().map(|key| load(&key.path)).collect();
        Keys::new(signers?, signing).ok_or_else(|| KeyDirError::Empty(self.path.clone()))
    }

    /// Reads the folder again and again, and puts what it finds into the keyring. Never ends; drop it.
    pub async fn follow(self, keyring: Arc<Keyring>, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let dir = self.clone();
            let read =
                tokio::task::spawn_blocking(move || dir.read()).await.expect("reading keys does not panic");
            match read {
                Ok(keys) => keyring.replace(keys),
                Err(error) => {
                    metrics::counter!("reception_key_errors_total").increment(1);
                    tracing::error!(%error, "the keys stay as they are");
                }
            }
        }
    }

    fn find(&self) -> Result<Vec<Found>, KeyDirError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(|e| at(&self.path, e))? {
            let path = entry.map_err(|e| at(&self.path, e))?.path();
            if path.extension().is_none_or(|extension| extension != "pem") {
                continue;
            }
            if found.len() == KEYS_MAX {
                return Err(KeyDirError::TooMany(self.path.clone()));
            }
            // Follows links, which is how Kubernetes mounts secrets.
            let metadata = fs::metadata(&path).map_err(|e| at(&path, e))?;
            if metadata.len() > KEY_BYTES_MAX {
                return Err(KeyDirError::NotAKey(path, format!("larger than {KEY_BYTES_MAX} bytes")));
            }
            found.push(Found { modified: metadata.modified().map_err(|e| at(&path, e))?, path });
        }
        Ok(found)
    }

    /// Makes a key. Written under another name first, so that nobody who shares the folder reads half of it.
    fn create(&self) -> Result<(), KeyDirError> {
        let signer = Signer::generate();
        let path = self.path.join(format!("{}.pem", signer.kid()));
        let unfinished = path.with_extension("new");
        let write = || -> io::Result<()> {
            let mut file =
                fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
            io::Write::write_all(&mut file, signer.to_pem().as_bytes())?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)
        };
        write().map_err(|e| at(&path, e))?;
        tracing::info!(file = %path.display(), "made a first signing key");
        Ok(())
    }
}

fn load(path: &Path) -> Result<Signer, KeyDirError> {
    let pem = fs::read_to_string(path).map_err(|e| at(path, e))?;
    Signer::from_pem(&pem).map_err(|e| KeyDirError::NotAKey(path.into(), e.to_string()))
}

fn at(path: &Path, error: io::Error) -> KeyDirError {
    KeyDirError::Io(path.into(), error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const SETTLE: Duration = Duration::from_secs(60);

    fn folder() -> (tempfile::TempDir, KeyDir) {
        let temporary = tempfile::tempdir().unwrap();
        let dir = KeyDir::new(temporary.path().join("keys"), SETTLE);
        (temporary, dir)
    }

    /// Puts a key there whose file is `age` old.
    fn put(dir: &KeyDir, name: &str, age: Duration) -> String {
        fs::create_dir_all(&dir.path).unwrap();
        let signer = Signer::generate();
        let path = dir.path.join(name);
        fs::write(&path, signer.to_pem()).unwrap();
        fs::File::options().append(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
        signer.kid().into()
    }

    #[test]
    fn an_empty_folder_gets_a_key_that_nobody_else_can_read_and_keeps_it() {
        let (_temporary, dir) = folder();
        let first = dir.read_or_create().unwrap();
        assert_eq!(dir.read_or_create().unwrap().signing_kid(), first.signing_kid());
        let files: Vec<_> = fs::read_dir(&dir.path).unwrap().map(|file| file.unwrap()).collect();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_new_key_is_published_at_once_and_signs_when_relays_know_it() {
        let (_temporary, dir) = folder();
        let old = put(&dir, "b.pem", SETTLE * 10);
        let new = put(&dir, "a.pem", SETTLE / 2);
        let keys = dir.read().unwrap();
        assert_eq!((keys.public().len(), keys.signing_kid()), (2, &*old));
        let settled = KeyDir::new(&dir.path, SETTLE / 4).read().unwrap();
        assert_eq!(settled.signing_kid(), new);
    }

    #[test]
    fn an_old_key_is_published_until_its_file_goes() {
        let (_temporary, dir) = folder();
        put(&dir, "old.pem", SETTLE * 10);
        let new = put(&dir, "new.pem", SETTLE * 2);
        assert_eq!(dir.read().unwrap().public().len(), 2);
        fs::remove_file(dir.path.join("old.pem")).unwrap();
        let keys = dir.read().unwrap();
        assert_eq!((keys.public().len(), keys.signing_kid()), (1, &*new));
    }

    #[test]
    fn files_of_one_moment_go_by_name_so_that_replicas_agree() {
        let (_temporary, dir) = folder();
        let moment = SystemTime::now() - SETTLE * 2;
        let kids = ["1.pem", "2.pem", "3.pem"].map(|name| put(&dir, name, SETTLE));
        for name in ["3.pem", "1.pem", "2.pem"] {
            fs::File::options().append(true).open(dir.path.join(name)).unwrap().set_modified(moment).unwrap();
        }
        assert_eq!(dir.read().unwrap().signing_kid(), kids[2]);
    }

    #[test]
    fn what_is_not_a_key_is_named() {
        let (_temporary, dir) = folder();
        put(&dir, "good.pem", SETTLE * 2);
        fs::write(dir.path.join("notes.txt"), "not looked at").unwrap();
        assert!(dir.read().is_ok());
        fs::write(dir.path.join("bad.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n").unwrap();
        let Err(KeyDirError::NotAKey(path, _)) = dir.read() else { panic!("a bad key was read") };
        assert!(path.ends_with("bad.pem"));
    }

    #[tokio::test]
    async fn a_bad_file_leaves_the_keys_in_force_as_they_are() {
        let (_temporary, dir) = folder();
        let keyring = Arc::new(Keyring::new(dir.read_or_create().unwrap()));
        let before = keyring.keys().jwks();
        let follow = tokio::spawn(dir.clone().follow(keyring.clone(), Duration::from_millis(5)));

        let new = put(&dir, "new.pem", SETTLE * 2);
        while keyring.keys().public().len() < 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(keyring.keys().signing_kid(), new);
        fs::write(dir.path.join("bad.pem"), "").unwrap();
        fs::remove_file(dir.path.join("new.pem")).unwrap();
        // The folder is unreadable now; once the bad file goes, what else has changed counts.
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(keyring.keys().public().len(), 2);
        fs::remove_file(dir.path.join("bad.pem")).unwrap();
        while keyring.keys().jwks() != before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        follow.abort();
    }
}
