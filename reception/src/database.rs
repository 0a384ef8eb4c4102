//! Where the database of people is, and the keys that belong to it and are not in it.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use broker::{
    bus::redis::RedisBus,
    clock::Clock,
    parts::Parts,
    ports::Ports,
    queue::{Queue, redis::RedisQueue},
    redis::{Redis, RedisConfig, rights::Program},
    revocations::{Bearer as Told, Revoker},
    store::redis::RedisStore,
};
use cage::{
    Place, Tellers,
    people::refresh::{RefreshKey, RefreshKeys},
    sql::OpenError,
    tape::{Forward, ForwardError},
};

use protocol::{id::NodeId, time::UnixMs};

use crate::{
    Desk, People,
    floor::Floor,
    passwords::Cost,
    revocations::{Bearer, NotTold, Revocations},
};

/// The file of the key of refresh tokens, in the folder of keys, where no key is given.
const KEY_FILE: &str = "refresh.key";

/// Where people are kept.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "People")]
pub struct DatabaseArgs {
    /// The database of people: a file (SQLite, for one reception) or `postgres://USER@HOST/DATABASE` (for any number). Without
    /// one there are guests alone, and nothing is kept of them
    #[arg(long, env = "CARDHOUSE_DATABASE", global = true, hide_env_values = true, value_name = "PLACE")]
    pub database: Option<Place>,
    /// The key of refresh tokens: 32 bytes as 64 hexadecimal digits or base64, the same for all receptions [default: a file
    /// refresh.key in the key folder, made at the first start]
    #[arg(long, env = "CARDHOUSE_REFRESH_KEY", hide_env_values = true, value_name = "KEY")]
    pub refresh_key: Option<RefreshKey>,
    /// An earlier key whose refresh tokens are still good; may be repeated, in the variable with commas
    #[arg(
        long = "refresh-key-older",
        env = "CARDHOUSE_REFRESH_KEYS_OLDER",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "KEY"
    )]
    pub refresh_keys_older: Vec<RefreshKey>,
    /// Redis, by which relays hear of bans and sign-outs, and dealer workers say who sits before somebody is deleted; without it bans reach
    /// live sockets when their tokens end, and nobody is asked
    #[arg(long, env = "CARDHOUSE_REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<String>,
}

impl DatabaseArgs {
    /// The keys of refresh tokens. Where none is given, the one in the folder, which is made if there is none.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds no key.
    pub fn keys(&self, folder: &Path) -> io::Result<RefreshKeys> {
        let current = self.refresh_key.clone().map_or_else(|| key_in(folder), Ok)?;
        Ok(RefreshKeys::new(current, self.refresh_keys_older.clone()))
    }

    /// The queues in which hands and AI players wait for what that flag is for, on connections of its own.
    ///
    /// # Errors
    /// When there is no Redis to ask, or it cannot be reached.
    pub async fn queue(&self, flag: &str) -> anyhow::Result<Arc<dyn Queue>> {
        let url = self.redis_url.as_ref();
        let url = url.with_context(|| format!("{flag} needs Redis, where they wait: --redis-url"))?;
        let config = RedisConfig { program: Program::Recorder, ..RedisConfig::new(url) };
        Ok(Arc::new(RedisQueue::new(Redis::connect(config).await?)))
    }

    /// The way to relays and dealer workers, if there is one.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn ports(&self) -> Result<Option<Ports>, broker::redis::ConnectError> {
        let Some(url) = &self.redis_url else { return Ok(None) };
        let config = RedisConfig { program: Program::Reception, ..RedisConfig::new(url) };
        let redis = Redis::connect(config).await?;
        Ok(Some(Ports {
            bus: Arc::new(RedisBus::new(redis.clone())),
            store: Arc::new(RedisStore::new(redis)),
            clock: Clock::system(),
        }))
    }
}

/// People of a house whose relays and dealer workers are reached by `ports`; `all` are its nodes, where that is known. Must be called within
/// a runtime.
///
/// # Panics
/// Never: the name of a reception is one.
pub fn people(tellers: Tellers, keys: RefreshKeys, desk: Desk, ports: Ports, all: Vec<NodeId>) -> People {
    let name = NodeId::new(&format!("reception-{:08x}", rand::random::<u32>())).expect("that is a name");
    let seats = Arc::new(Parts::start(ports.clone(), name.clone(), all));
    let floor = Floor::start(ports.clone(), name);
    let relays = Arc::new(Relays(Revoker::new(ports, desk.token_ms())));
    People::new(tellers, keys, desk, Cost::default(), relays).with_seats(seats).with_floor(floor)
}

/// The key in a folder; two who make it at once agree on one.
///
/// # Errors
/// When it cannot be read or written, or is none.
pub fn key_in(folder: &Path) -> io::Result<RefreshKey> {
    let path = folder.join(KEY_FILE);
    let at = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at)?;
    if !path.exists() {
        // Whole or not at all: written aside, and given its name if nobody has it.
        let aside = folder.join(format!("{KEY_FILE}.{:016x}", rand::random::<u64>()));
        let mut file =
            fs::File::options().write(true).create_new(true).mode(0o600).open(&aside).map_err(at)?;
        io::Write::write_all(&mut file, RefreshKey::new(rand::random()).to_hex().as_bytes()).map_err(at)?;
        file.sync_all().map_err(at)?;
        let linked = fs::hard_link(&aside, &path);
        fs::remove_file(&aside).map_err(at)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(error)),
            _ => {}
        }
    }
    let text = fs::read_to_string(&path).map_err(at)?;
    text.parse().map_err(|why: &str| at(io::Error::other(why)))
}

/// Opens a database apart from where tasks run: PostgreSQL's client blocks.
///
/// # Errors
/// [`OpenError`] says what is in the way.
///
/// # Panics
/// If opening does.
pub async fn open(place: Place) -> Result<Tellers, OpenError> {
    tokio::task::spawn_blocking(move || Tellers::open(&place)).await.expect("opening does not panic")
}

/// Keeps the ledger's tape in this folder, if there is to be one. First the database is brought forward to what stands on it.
///
/// # Errors
/// When the tape is damaged, or another's, or says what the database cannot do.
pub async fn keep_tape(tellers: &Tellers, folder: Option<&Path>, now: UnixMs) -> Result<(), ForwardError> {
    let Some(folder) = folder else { return Ok(()) };
    let forward = tellers.keep_tape(folder, now).await?;
    let Forward { looked_at, applied, dropped } = forward;
    match applied {
        0 => tracing::info!(tape = %folder.display(), looked_at, dropped, "the tape is kept"),
        _ => tracing::warn!(
            tape = %folder.display(), looked_at, applied, dropped,
            "the database had gone back: it was brought forward to what was answered"
        ),
    }
    Ok(())
}

/// Relays hear of it.
pub struct Relays(pub Revoker);

impl Revocations for Relays {
    fn revoke<'a>(
        &'a self,
        bearers: &'a [Bearer],
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), NotTold>> + Send + 'a>> {
        let told =
            bearers.iter().cloned().map(|Bearer { user, login }| Told { user, login }).collect::<Vec<_>>();
        Box::pin(async move { self.0.revoke(&told).await.map_err(|error| NotTold(error.to_string())) })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_gets_one_key_that_nobody_else_reads_however_many_start_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let made: Vec<_> = (0..8).map(|_| scope.spawn(|| key_in(&path).unwrap())).collect();
            made.into_iter().map(|key| key.join().unwrap().to_hex()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{}", keys.len());
        let files: Vec<_> = fs::read_dir(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o077, 0);
        fs::write(path.join(KEY_FILE), "short").unwrap();
        assert!(key_in(&path).is_err());
    }
}
