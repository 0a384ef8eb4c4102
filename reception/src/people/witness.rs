//! Hands that are written down are signed, so that nobody can say later that they were others.

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use cage::{
    DbError, Tx,
    history::checkpoint::{self, HANDS_MAX, Listed, Signed},
};
use hands::checkpoint::{Checkpoint, KIND, PURPOSE};
use metrics::counter;
use ops::key_folder::KeyFolderError;
use tokens::{KeySet, Signer};

use super::People;
use crate::{error::ApiError, key_dir::KeyDir, keyring::Keys};

/// Between two checkpoints, if there are new hands.
const EVERY: Duration = Duration::from_secs(60);

/// Between two looks whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The keys that sign what was played.
pub struct HandKeys {
    dir: Option<KeyDir>,
    keys: RwLock<Arc<Keys>>,
}

impl HandKeys {
    /// Those of a folder, in which the first is made if there is none.
    ///
    /// # Errors
    /// [`KeyFolderError`], naming the file.
    pub fn in_folder(dir: KeyDir) -> Result<Self, KeyFolderError> {
        let keys = dir.read_or_create()?;
        Ok(Self { dir: Some(dir), keys: RwLock::new(Arc::new(keys)) })
    }

    /// A new one that lives as long as this process.
    ///
    /// # Panics
    /// Never: there is a first key.
    pub fn in_memory() -> Self {
        let keys = Keys::new(vec![Signer::generate()], 0).expect("there is a first key");
        Self { dir: None, keys: RwLock::new(Arc::new(keys)) }
    }

    /// Those in force.
    ///
    /// # Panics
    /// Never: nothing panics while it holds them.
    pub fn keys(&self) -> Arc<Keys> {
        self.keys.read().expect("nothing panics while it holds the keys").clone()
    }

    /// Reads the folder again.
    async fn reread(&self) {
        let Some(dir) = self.dir.clone() else { return };
        let read =
            tokio::task::spawn_blocking(move || dir.read()).await.expect("reading keys does not panic");
        match read {
            Ok(keys) => {
                *self.keys.write().expect("nothing panics while it holds the keys") = Arc::new(keys);
            }
            Err(error) => tracing::error!(%error, "the keys of hands stay as they are"),
        }
    }
}

impl People {
    /// The same, where hands that are written down are signed.
    #[must_use]
    pub fn with_hand_keys(self, keys: HandKeys) -> Self {
        Self { hand_keys: Some(keys), ..self }
    }

    /// What signs what was played, if anything does.
    pub fn hand_keys(&self) -> Option<Arc<Keys>> {
        self.hand_keys.as_ref().map(HandKeys::keys)
    }

    /// The public keys of the house: of tokens, and of hands if these are signed.
    pub fn jwks(&self) -> bytes::Bytes {
        let tokens = self.desk.keyring().keys();
        match self.hand_keys() {
            Some(keys) => keys.public().to_json_with(PURPOSE, tokens.public()).into(),
            None => tokens.jwks(),
        }
    }

    /// Signs, once a minute, the hands that were written down since. Any number of receptions may. Never ends; drop it.
    pub async fn sign_hands(&self) {
        let Some(keys) = &self.hand_keys else { return std::future::pending().await };
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            keys.reread().await;
            if let Err(error) = self.sign_new_hands(EVERY).await {
                counter!("checkpoint_errors_total").increment(1);
                tracing::warn!(%error, "hands are not signed yet");
            }
        }
    }

    /// The same at once, if the last time is so long ago; answers how many checkpoints there are more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sign_new_hands(&self, every: Duration) -> Result<u64, DbError> {
        let Some(keys) = self.hand_keys() else { return Ok(0) };
        let (now, mut every_ms) = (self.now(), u64::try_from(every.as_millis()).unwrap_or(u64::MAX));
        let mut signed = 0;
        loop {
            let by = keys.clone();
            let work = move |tx: &mut dyn Tx| {
                checkpoint::sign(tx, now, every_ms, &|checkpoint: &Checkpoint| Signed {
                    stated: by.state(KIND, checkpoint),
                    kid: by.signing_kid().into(),
                    jwks: by.jwks_of_hands(),
                })
            };
            match self.tellers.write("hands", work).await {
                Ok(Some(checkpoint)) => {
                    counter!("checkpoints_total").increment(1);
                    counter!("checkpoint_hands_total").increment(checkpoint.hands);
                    signed += 1;
                    if checkpoint.hands < u64::from(HANDS_MAX) {
                        return Ok(signed);
                    }
                    // There may be more.
                    every_ms = 0;
                }
                // Another reception was faster.
                Ok(None) | Err(DbError::Again) => return Ok(signed),
                Err(error) => return Err(error),
            }
        }
    }

    /// Checkpoints behind this one, the first first; and the keys that have ever signed one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn checkpoints(&self, after: u64, most: u32) -> Result<(Vec<Listed>, KeySet), ApiError> {
        let work = move |tx: &mut dyn Tx| Ok((checkpoint::list(tx, after, most)?, checkpoint::keys(tx)?));
        let (listed, texts) = self.tellers.read(work).await?;
        let mut keys = KeySet::default();
        for text in texts {
            if let Ok(read) = KeySet::from_json_for(PURPOSE, &text) {
                keys.extend(read);
            }
        }
        if let Some(now) = self.hand_keys() {
            keys.extend(now.public().clone());
        }
        Ok((listed, keys))
    }
}
