//! Signing keys as files: a folder of Ed25519 keys in PKCS #8 PEM, as `openssl genpkey -algorithm ed25519` writes
//! them.
//!
//! How they are chosen and changed is the [`KeyFolder`]'s. Nothing is restarted: the folder is read again every few seconds
//! ([`KeyDir::follow`]).

use std::{path::PathBuf, sync::Arc, time::Duration};

use ops::key_folder::{KeyFolder, KeyFolderError, Manage};
use tokens::Signer;

use crate::keyring::{Keyring, Keys};

/// A folder of signing keys.
#[derive(Debug, Clone)]
pub struct KeyDir(KeyFolder);

impl KeyDir {
    /// The folder at `path`. A key there is published at once, and signs when its file is `settle` old: by then
    /// every relay has fetched it.
    pub fn new(path: impl Into<PathBuf>, settle: Duration) -> Self {
        Self(KeyFolder::new(path, "pem", settle))
    }

    /// The folder of keys that sign what was played, beside those of tokens.
    #[must_use]
    pub fn of_hands(&self) -> Self {
        Self(self.0.below("hands"))
    }

    /// Reads all keys. If there is none (or no folder), makes a first one, readable for this user alone.
    ///
    /// # Errors
    /// [`KeyFolderError`], naming the file.
    pub fn read_or_create(&self) -> Result<Keys, KeyFolderError> {
        self.0.create()?;
        match self.read() {
            Err(KeyFolderError::Empty(..)) => {
                let (name, text) = make();
                let path = self.0.add(&name, &text)?;
                tracing::info!(file = %path.display(), "made a first signing key");
                self.read()
            }
            read => read,
        }
    }

    /// Reads all keys.
    ///
    /// # Errors
    /// [`KeyFolderError`], naming the file.
    pub fn read(&self) -> Result<Keys, KeyFolderError> {
        let read = self.0.read(parse)?;
        let signers = read.all.into_iter().map(|(_, signer)| signer).collect();
        Ok(Keys::new(signers, read.in_force).expect("one of the keys is in force"))
    }

    /// What an operator wants done with it; answers what to tell them.
    ///
    /// # Errors
    /// [`KeyFolderError`], naming the file.
    pub fn manage(&self, what: Manage) -> Result<Vec<String>, KeyFolderError> {
        what.run(&self.0, parse, make)
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
}

fn parse(pem: &str) -> Result<Signer, String> {
    Signer::from_pem(pem).map_err(|error| format!("an Ed25519 key in PKCS #8 PEM: {error}"))
}

fn make() -> (String, String) {
    let signer = Signer::generate();
    (signer.kid().into(), signer.to_pem())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, time::SystemTime};

    use super::*;

    const SETTLE: Duration = Duration::from_secs(60);

    fn folder() -> (tempfile::TempDir, KeyDir) {
        let temporary = tempfile::tempdir().unwrap();
        let dir = KeyDir::new(temporary.path().join("keys"), SETTLE);
        (temporary, dir)
    }

    /// Puts a key there whose file is `age` old.
    fn put(dir: &KeyDir, name: &str, age: Duration) -> String {
        fs::create_dir_all(dir.0.path()).unwrap();
        let signer = Signer::generate();
        let path = dir.0.path().join(name);
        fs::write(&path, signer.to_pem()).unwrap();
        fs::File::options().append(true).open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
        signer.kid().into()
    }

    #[test]
    fn an_empty_folder_gets_a_key_that_nobody_else_can_read_and_keeps_it() {
        let (_temporary, dir) = folder();
        let first = dir.read_or_create().unwrap();
        assert_eq!(dir.read_or_create().unwrap().signing_kid(), first.signing_kid());
        let files: Vec<_> = fs::read_dir(dir.0.path()).unwrap().map(|file| file.unwrap()).collect();
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
        let settled = KeyDir::new(dir.0.path(), SETTLE / 4).read().unwrap();
        assert_eq!(settled.signing_kid(), new);
    }

    #[test]
    fn an_old_key_is_published_until_its_file_goes() {
        let (_temporary, dir) = folder();
        put(&dir, "old.pem", SETTLE * 10);
        let new = put(&dir, "new.pem", SETTLE * 2);
        assert_eq!(dir.read().unwrap().public().len(), 2);
        fs::remove_file(dir.0.path().join("old.pem")).unwrap();
        let keys = dir.read().unwrap();
        assert_eq!((keys.public().len(), keys.signing_kid()), (1, &*new));
    }

    #[test]
    fn files_of_one_moment_go_by_name_so_that_replicas_agree() {
        let (_temporary, dir) = folder();
        let moment = SystemTime::now() - SETTLE * 2;
        let kids = ["1.pem", "2.pem", "3.pem"].map(|name| put(&dir, name, SETTLE));
        for name in ["3.pem", "1.pem", "2.pem"] {
            fs::File::options()
                .append(true)
                .open(dir.0.path().join(name))
                .unwrap()
                .set_modified(moment)
                .unwrap();
        }
        assert_eq!(dir.read().unwrap().signing_kid(), kids[2]);
    }

    #[test]
    fn what_is_not_a_key_is_named() {
        let (_temporary, dir) = folder();
        put(&dir, "good.pem", SETTLE * 2);
        fs::write(dir.0.path().join("notes.txt"), "not looked at").unwrap();
        assert!(dir.read().is_ok());
        fs::write(dir.0.path().join("bad.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n").unwrap();
        let Err(KeyFolderError::NotAKey(path, _)) = dir.read() else { panic!("a bad key was read") };
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
        fs::write(dir.0.path().join("bad.pem"), "").unwrap();
        fs::remove_file(dir.0.path().join("new.pem")).unwrap();
        // The folder is unreadable now; once the bad file goes, what else has changed counts.
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(keyring.keys().public().len(), 2);
        fs::remove_file(dir.0.path().join("bad.pem")).unwrap();
        while keyring.keys().jwks() != before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        follow.abort();
    }
}
