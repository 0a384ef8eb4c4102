//! What is written down of hands while things go wrong: the database, which is among what is killed, and what is wrong with it in the end.

use std::{fs, io::BufReader, path::Path, sync::Arc};

use anyhow::Context as _;
use broker::queue::{Queue, redis::RedisQueue};
use cage::{
    Place, Tellers,
    people::refresh::{RefreshKey, RefreshKeys},
};
use hands::QUEUE;
use loadtest::cluster::undertaker::Living;
use parking_lot::Mutex;
use protocol::time::UnixMs;
use reception::{
    archive::{ExportArgs, Exporter, Format},
    key_dir::KeyDir,
    proof::verify::verify,
};
use servers::postgres_server::PostgresServer;
use tokio::time::{Duration, Instant, sleep};

use crate::judge::{Promise, Shadow, judge_kept, names_of, recorded};

/// When nothing goes wrong any more, all that waits is written down within this: what a dead recorder had taken is given to another after 30 s.
const WRITTEN_WITHIN: Duration = Duration::from_secs(90);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Hands are told as if so much time had passed: what has just ended is not told yet, milliseconds.
const LATER_MS: u64 = 2 * 60 * 60 * 1_000;

/// A PostgreSQL server, with a database of which the recorder and this process alone know.
pub struct Books {
    server: Arc<Mutex<PostgresServer>>,
    url: String,
}

/// What was found written down.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct Written {
    /// Hands.
    pub hands: u64,
    /// Of these under a checkpoint.
    pub signed: u64,
    /// Hands that nobody could write down.
    pub dead: u64,
}

impl Books {
    /// Starts a server.
    ///
    /// # Errors
    /// When it is not on this machine, or does not start.
    pub async fn open() -> anyhow::Result<Self> {
        let start = || {
            let server =
                PostgresServer::start()?.context("kept hands need PostgreSQL (Debian: postgresql)")?;
            let url = server.database("cardhouse")?;
            anyhow::Ok((server, url))
        };
        let (server, url) = tokio::task::spawn_blocking(start).await??;
        Ok(Self { server: Arc::new(Mutex::new(server)), url })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Has it gone when this process is.
    pub fn entrust(&self, living: &Living) {
        let server = self.server.lock();
        living.add_dir(server.dir());
        server.pid().into_iter().for_each(|pid| living.add(pid));
    }

    /// Kills it, and starts it again after so long.
    ///
    /// # Errors
    /// When it does not come up again.
    pub async fn kill(&self, away: Duration, living: &Living) -> anyhow::Result<()> {
        let server = self.server.clone();
        let run = move || {
            let mut server = server.lock();
            let gone = server.pid();
            server.kill();
            std::thread::sleep(away);
            server.run().map(|()| (gone, server.pid()))
        };
        let (gone, pid) = tokio::task::spawn_blocking(run).await??;
        gone.into_iter().for_each(|gone| living.remove(gone));
        pid.into_iter().for_each(|pid| living.add(pid));
        Ok(())
    }

    /// Copies all that is there now.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn back_up(&self) -> anyhow::Result<()> {
        let server = self.server.clone();
        Ok(tokio::task::spawn_blocking(move || server.lock().back_up()).await??)
    }

    /// Kills it, and starts it again with what was copied last.
    ///
    /// # Errors
    /// When it does not come up again.
    pub async fn put_back(&self, living: &Living) -> anyhow::Result<()> {
        let server = self.server.clone();
        let run = move || {
            let mut server = server.lock();
            let gone = server.pid();
            server.put_back().map(|()| (gone, server.pid()))
        };
        let (gone, pid) = tokio::task::spawn_blocking(run).await??;
        gone.into_iter().for_each(|gone| living.remove(gone));
        pid.into_iter().for_each(|pid| living.add(pid));
        Ok(())
    }

    /// Waits until nothing waits to be written down, and judges what was: every hand once or told to be lost, counted once; and that a file of all of them
    /// shows that it is what was played.
    ///
    /// # Errors
    /// When queue or database do not answer, though nothing goes wrong.
    pub async fn judge(
        &self,
        queue: &RedisQueue,
        keys: &Path,
        now: UnixMs,
        shadow: &tokio::sync::Mutex<Shadow>,
    ) -> anyhow::Result<Written> {
        let until = Instant::now() + WRITTEN_WITHIN;
        let mut lag = queue.lag(QUEUE).await?;
        while lag.waiting + lag.taken > 0 && Instant::now() < until {
            sleep(LOOK_EVERY).await;
            lag = queue.lag(QUEUE).await?;
        }
        let place = Place::Postgres(self.url.clone());
        let tellers = tokio::task::spawn_blocking(move || Tellers::open(&place)).await??;
        let written = tellers.read(recorded).await?;
        let dead = queue.dead(QUEUE).await?;
        let mut shadow = shadow.lock().await;
        shadow.look().await?;
        if lag.waiting + lag.taken > 0 {
            let what = format!("{lag:?} after {WRITTEN_WITHIN:?}: hands wait to be written down");
            shadow.accuse(Promise::Kept, what);
        }
        judge_kept(&written, &names_of(&dead), &mut shadow);
        let (signed, wrong) =
            proved(&tellers, keys, now, written.iter().filter(|hand| !hand.is_void).count()).await?;
        wrong.into_iter().for_each(|what| shadow.accuse(Promise::Kept, what));
        Ok(Written { hands: written.len() as u64, signed, dead: dead.len() as u64 })
    }
}

/// A file of all hands, verified: how many are signed, and what is wrong.
async fn proved(
    tellers: &Tellers,
    keys: &Path,
    now: UnixMs,
    count: usize,
) -> anyhow::Result<(u64, Vec<String>)> {
    let keys = KeyDir::new(keys, Duration::ZERO).of_hands().read_or_create()?;
    let names = RefreshKeys::new(RefreshKey::new([0; 32]), Vec::new());
    let folder = tempfile::tempdir()?;
    let args = ExportArgs { to: folder.path().join("proof"), format: Format::Proof, hands_a_file: 1_000_000 };
    Exporter { tellers, names: &names, keys: &keys, now: now + LATER_MS }.export(&args).await?;
    let (mut signed, mut hands, mut wrong) = (0, 0, Vec::new());
    for file in fs::read_dir(&args.to)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let report = verify(BufReader::new(fs::File::open(&path)?), None).map_err(anyhow::Error::msg)?;
            (signed, hands) = (signed + report.signed, hands + report.hands);
            wrong.extend(report.findings);
        }
    }
    if hands != count as u64 {
        wrong.push(format!("{count} hands count, and the file of all of them holds {hands}"));
    }
    Ok((signed, wrong))
}

/// So many at once take what is not written: with the recorder, which looks as often, they have most of it.
const THIEVES: usize = 4;

/// A fault of the house itself, to see that it is seen: some who say that hands are written down and do not write them.
pub async fn take_unwritten(queue: RedisQueue) {
    let steal = || async {
        loop {
            let taken = queue.take(QUEUE, "thief", 1, Duration::from_secs(1)).await.unwrap_or_default();
            let ids: Vec<_> = taken.into_iter().map(|delivery| delivery.id).collect();
            // What is not said to be done comes again.
            let _ = queue.done(QUEUE, &ids).await;
        }
    };
    futures_util::future::join_all(std::iter::repeat_with(steal).take(THIEVES)).await;
}
