//! The keys that seal, where they lie in a folder and are changed while workers run.
//!
//! A new key opens as soon as a worker has read it, and seals when it has settled: by then all workers open it. Rooms then write themselves anew with it. When
//! no worker counts one that has not (`cardhouse_rooms_sealed_before`), nothing that is still read needs the old key.

use std::{sync::Arc, time::Duration};

use broker::seal::{SealKey, Sealer};
use metrics::{counter, gauge};
use ops::{
    config::{SealArgs, parse_seal_key},
    key_folder::{KeyFolder, KeyFolderError, Manage},
};
use tokio::time::{MissedTickBehavior, interval};

/// What an operator wants done; answers what to tell them.
///
/// # Errors
/// [`KeyFolderError`], naming the file.
pub fn manage(folder: &KeyFolder, what: Manage) -> Result<Vec<String>, KeyFolderError> {
    what.run(folder, parse_seal_key, || (name(), SealKey::random().to_hex()))
}

/// Not of the key: names of files are shown. Later ones are greater, for folders whose files are all of one moment.
fn name() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{:012}-{:08x}", now.as_millis() / 1_000, rand::random::<u32>())
}

/// Reads the folder again and again, and these seal and open with what is there, rooms' records with the first of them. Never ends; drop it. Without a folder it does nothing.
pub async fn follow(args: SealArgs, sealers: [Arc<Sealer>; 2]) {
    let Some(folder) = args.folder() else { return std::future::pending().await };
    let mut ticks = interval(Duration::from_millis(args.seal_key_reread_ms));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut trouble = false;
    loop {
        ticks.tick().await;
        let reading = args.clone();
        let read =
            tokio::task::spawn_blocking(move || reading.keys()).await.expect("reading keys does not panic");
        match read {
            Ok((key, others)) => {
                trouble = false;
                let replaced = sealers.each_ref().map(|sealer| sealer.replace(&key, &others));
                if replaced[0] {
                    counter!("cardhouse_seal_keys_changed_total").increment(1);
                    tracing::info!(folder = %folder.path().display(), others = others.len(), "another key seals");
                }
                gauge!("cardhouse_seal_keys").set(1.0 + others.len() as f64);
            }
            Err(error) => {
                counter!("cardhouse_seal_key_errors_total").increment(1);
                // Once: it is the same until somebody mends it.
                if !std::mem::replace(&mut trouble, true) {
                    tracing::error!(%error, "the sealing keys stay as they are");
                }
            }
        }
        gauge!("cardhouse_rooms_sealed_before").set(sealers[0].sealed_before() as f64);
    }
}
