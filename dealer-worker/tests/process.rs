//! The process as it runs in production, over a real Redis.

use std::{
    fs,
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use broker::{
    directory::{self, Partition},
    redis::{Redis, RedisConfig},
    seal::SealKey,
    shares::assign,
    store::redis::RedisStore,
    testing::redis_server::{Persistence, RedisServer, free_port},
};
use ops::{testing::full_pipe::full_pipe, testing::variables::variables};
use protocol::id::{NodeId, RoomId};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, sleep, timeout},
};

/// A worker process, killed when dropped.
struct Process {
    child: Child,
    ops: SocketAddr,
}

impl Process {
    fn start(name: &str, redis: &RedisServer, key: &SealKey) -> Self {
        Self::start_with(name, redis, |worker| worker.env("CARDHOUSE_SEAL_KEY", key.to_hex()))
    }

    fn start_with(name: &str, redis: &RedisServer, more: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let ops = SocketAddr::from(([127, 0, 0, 1], free_port().expect("a port is free")));
        let mut command = Command::new(env!("CARGO_BIN_EXE_dealer-worker"));
        command
            // With no more rights than the document says.
            .args(["--redis-url", &redis.user_of_the_document("worker").expect("it is documented")])
            .args(["--node-id", name, "--tables", "6", "--log", "warn"])
            .args(["--beat-ms", "100", "--dead-after-ms", "500"])
            .arg(format!("--ops-listen={ops}"))
            // As compose files do with variables that they leave open.
            .envs(variables(env!("CARGO_BIN_EXE_dealer-worker")).unwrap().into_iter().map(|name| (name, "")))
            .stdin(Stdio::null());
        let child = more(&mut command).spawn();
        Self { child: child.expect("the binary starts"), ops }
    }

    /// As `curl -X POST` does.
    async fn drain(&self) {
        let answer = self.ask("POST /drain HTTP/1.1\r\nContent-Length: 0").await;
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }

    async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1")).await
    }

    async fn ask(&self, request: &str) -> String {
        let mut operators = TcpStream::connect(self.ops).await.expect("it listens for operators");
        let request = format!("{request}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        operators.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        operators.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("kill runs").success());
    }

    async fn ended(&mut self) -> bool {
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.success();
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until every table is with the worker that it is for, if these are all.
async fn until_owned(store: &RedisStore, tables: u32, workers: &[&str]) {
    let workers: Vec<NodeId> = workers.iter().map(|name| NodeId::new(name).expect("a name")).collect();
    let shares = assign(&workers);
    let mut wrong = None;
    let shared = async {
        for number in 1..=tables {
            let room = RoomId::new(&format!("t{number}")).expect("a name");
            let expected = shares.of(Partition::of(&room)).cloned();
            loop {
                let owner = directory::owner(store, &room).await.expect("Redis answers");
                let node = owner.and_then(|owner| owner.node);
                if node == expected {
                    break;
                }
                wrong = Some(format!("{room} is owned by {node:?}, not by {expected:?}"));
                sleep(Duration::from_millis(20)).await;
            }
        }
    };
    if timeout(Duration::from_secs(60), shared).await.is_err() {
        panic!("{wrong:?}");
    }
}

/// What the worker says with these flags, which are wrong, before it looks for Redis.
fn refused(flags: &[&str]) -> String {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_dealer-worker"));
    let ended = worker.args(flags).output().unwrap();
    assert!(!ended.status.success(), "{flags:?}");
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

#[test]
fn settings_that_are_none_are_refused_in_a_sentence_and_a_mistyped_key_is_not_shown() {
    let key = SealKey::random().to_hex();
    let said = refused(&["--seal-key", &key, "--ante", "100000"]);
    assert!(
        said.starts_with("dealer-worker: whoever sits down with the smallest buy-in, 80 chips, "),
        "{said}"
    );
    let said = refused(&["--seal-key", &key, "--ops-listen", "9100x:9100:"]);
    assert!(said.contains("is not an address; try 8080 or 127.0.0.1:8080"), "{said}");
    let said = refused(&["--seal-key", &key[1..]]);
    assert!(said.contains("--seal-key") && !said.contains(&key[1..]), "{said}");
    assert!(said.contains("`openssl rand -hex 32` makes one\n\nUsage: "), "{said}");
    let said = refused(&["--tables", "1"]);
    assert!(said.contains("  --seal-key <KEY>, or the variable CARDHOUSE_SEAL_KEY\n"), "{said}");
}

/// A file of this name in a folder, as orchestrators mount secrets.
fn secret(folder: &TempDir, name: &str, text: &str) -> String {
    let file = folder.path().join(name);
    fs::write(&file, text).expect("a folder of ours");
    file.display().to_string()
}

#[test]
fn a_secret_file_that_does_not_say_what_is_meant_is_refused_and_what_is_in_it_is_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = SealKey::random().to_hex();
    let mistyped = secret(&folder, "mistyped", &key[1..]);
    let empty = secret(&folder, "empty", "\n");
    let right = secret(&folder, "right", &key);
    let said = |variables: &[(&str, &str)], flags: &[&str]| {
        let mut worker = Command::new(env!("CARGO_BIN_EXE_dealer-worker"));
        let ended = worker.args(flags).args(["--redis-url", "redis://127.0.0.1:1"]);
        let ended = ended.args(["--redis-connect-timeout-ms", "1"]).envs(variables.iter().copied()).output();
        let ended = ended.expect("the binary starts");
        assert!(!ended.status.success(), "{variables:?}");
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    let file = "CARDHOUSE_SEAL_KEY_FILE";
    let told = said(&[(file, &mistyped)], &[]);
    assert!(told.starts_with("error: invalid value for 'CARDHOUSE_SEAL_KEY_FILE': "), "{told}");
    assert!(!told.contains(&key[1..]), "{told}");
    let told = said(&[(file, &empty)], &[]);
    assert!(told.contains(&format!("CARDHOUSE_SEAL_KEY_FILE names {empty}, which is empty")), "{told}");
    let told = said(&[(file, "/nowhere/key")], &[]);
    assert!(told.contains("CARDHOUSE_SEAL_KEY_FILE names /nowhere/key, which cannot be read"), "{told}");
    let told = said(&[(file, &right), ("CARDHOUSE_SEAL_KEY", &key)], &[]);
    assert!(
        told.contains("CARDHOUSE_SEAL_KEY_FILE and CARDHOUSE_SEAL_KEY are both set: which is meant?"),
        "{told}"
    );
    // A flag wins over its variables, this one too; an empty one counts as not set.
    let told = said(&[(file, "/nowhere/key")], &["--seal-key", &key]);
    assert!(told.starts_with("dealer-worker: "), "{told}");
    let told = said(&[(file, "")], &["--tables=1"]);
    assert!(told.contains("  --seal-key <KEY>, or the variable CARDHOUSE_SEAL_KEY\n"), "{told}");
}

#[tokio::test]
async fn a_worker_plays_with_secrets_that_lie_in_files() {
    let redis = RedisServer::start(Persistence::None).await.expect("redis-server is installed");
    let store = RedisStore::new(Redis::connect(RedisConfig::new(redis.url())).await.expect("Redis is up"));
    let folder = tempfile::tempdir().expect("a folder");
    let key = || SealKey::random().to_hex();
    let older = format!("{}\n{}\n", key(), key());
    let ops = SocketAddr::from(([127, 0, 0, 1], free_port().expect("a port is free")));
    let child = Command::new(env!("CARGO_BIN_EXE_dealer-worker"))
        .args(["--node-id", "d1", "--tables", "3", "--log", "warn", "--ops-listen", &ops.to_string()])
        .env("CARDHOUSE_REDIS_URL_FILE", secret(&folder, "redis", &redis.url()))
        .env("CARDHOUSE_SEAL_KEY_FILE", secret(&folder, "key", &format!("{}\n", key())))
        .env("CARDHOUSE_SEAL_KEYS_OLDER_FILE", secret(&folder, "older", &older))
        .stdin(Stdio::null())
        .spawn();
    let mut worker = Process { child: child.expect("the binary starts"), ops };
    until_owned(&store, 3, &["d1"]).await;
    worker.terminate();
    assert!(timeout(Duration::from_secs(30), worker.ended()).await.expect("it ends"), "with success");
}

#[tokio::test]
async fn a_log_that_nobody_reads_does_not_stop_a_worker() {
    let redis = RedisServer::start(Persistence::None).await.expect("redis-server is installed");
    let (_log, stderr) = full_pipe().expect("a pipe");
    let ops = SocketAddr::from(([127, 0, 0, 1], free_port().expect("a port is free")));
    let child = Command::new(env!("CARGO_BIN_EXE_dealer-worker"))
        .args(["--redis-url", &redis.url(), "--node-id", "d1", "--tables", "3", "--log", "trace"])
        .args(["--log-bytes-max", "1", "--ops-listen", &ops.to_string()])
        .env("CARDHOUSE_SEAL_KEY", SealKey::random().to_hex())
        .stderr(stderr)
        .spawn();
    let mut worker = Process { child: child.expect("the binary starts"), ops };
    let store = RedisStore::new(Redis::connect(RedisConfig::new(redis.url())).await.expect("Redis is up"));
    until_owned(&store, 3, &["d1"]).await;
    let lost = async {
        while worker.get("/metrics").await.contains("cardhouse_log_lines_dropped_total 0\n") {
            sleep(Duration::from_millis(10)).await;
        }
        assert!(worker.get("/livez").await.starts_with("HTTP/1.1 200"));
    };
    timeout(Duration::from_secs(30), lost).await.expect("it answers, and counts what it drops");
    worker.terminate();
    assert!(timeout(Duration::from_secs(30), worker.ended()).await.expect("it ends"), "with success");
}

#[tokio::test]
async fn processes_share_tables_take_over_from_a_killed_one_and_hand_over_when_told_to_leave() {
    let redis = RedisServer::start(Persistence::None).await.expect("redis-server is installed");
    let key = SealKey::random();
    let store = RedisStore::new(Redis::connect(RedisConfig::new(redis.url())).await.expect("Redis is up"));
    let first = Process::start("d1", &redis, &key);
    let mut second = Process::start("d2", &redis, &key);
    until_owned(&store, 6, &["d1", "d2"]).await;
    drop(first);
    until_owned(&store, 6, &["d2"]).await;
    let mut third = Process::start("d3", &redis, &key);
    until_owned(&store, 6, &["d2", "d3"]).await;
    second.terminate();
    assert!(timeout(Duration::from_secs(30), second.ended()).await.expect("it ends"), "with success");
    until_owned(&store, 6, &["d3"]).await;
    let _fourth = Process::start("d4", &redis, &key);
    until_owned(&store, 6, &["d3", "d4"]).await;
    third.drain().await;
    assert!(timeout(Duration::from_secs(30), third.ended()).await.expect("it ends"), "with success");
    until_owned(&store, 6, &["d4"]).await;
}

#[tokio::test]
async fn a_worker_does_not_start_on_a_redis_that_evicts_and_is_not_ready_while_one_does_or_writes_nothing() {
    let redis = RedisServer::start(Persistence::None).await.expect("redis-server is installed");
    let set = |name: &str, value: &str| drop(redis.ask(&["CONFIG", "SET", name, value]).unwrap());
    set("maxmemory", "600mb");
    set("maxmemory-policy", "allkeys-lru");
    let refused = Command::new(env!("CARGO_BIN_EXE_dealer-worker"))
        .args(["--redis-url", &redis.url(), "--ops-listen", "127.0.0.1:0"])
        .env("CARDHOUSE_SEAL_KEY", SealKey::random().to_hex())
        .output()
        .expect("the binary starts");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{said}");
    assert!(
        said.contains("maxmemory-policy is allkeys-lru") && said.contains("Remedy: CONFIG SET"),
        "{said}"
    );
    set("maxmemory-policy", "noeviction");

    let store = RedisStore::new(Redis::connect(RedisConfig::new(redis.url())).await.expect("Redis is up"));
    let worker = Process::start("d1", &redis, &SealKey::random());
    until_owned(&store, 6, &["d1"]).await;
    let until = async |status: &str, words: &str| {
        let mut last = String::new();
        let seen = async {
            loop {
                last = worker.get("/readyz").await;
                if last.starts_with(&format!("HTTP/1.1 {status}")) && last.contains(words) {
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        if timeout(Duration::from_secs(30), seen).await.is_err() {
            panic!("{last}");
        }
    };
    until("200", r#""redis":"ok""#).await;
    set("maxmemory-policy", "volatile-ttl");
    until("503", "maxmemory-policy is volatile-ttl").await;
    set("maxmemory-policy", "noeviction");
    until("200", "").await;
    set("min-replicas-to-write", "1");
    until("503", "NOREPLICAS").await;
    set("min-replicas-to-write", "0");
    until("200", r#""store":"ok""#).await;
}

/// What the program says when it is to do something with the keys in a folder.
fn seal_keys(folder: &TempDir, words: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_dealer-worker"))
        .arg("seal-keys")
        .args(words)
        .arg("--seal-key-dir")
        .arg(folder.path())
        .args(["--seal-key-settle-ms", SETTLE_MS])
        .output()
        .expect("the binary starts");
    let (said, complained) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
    assert!(out.status.success(), "{words:?}: {said}{complained}");
    said
}

const SETTLE_MS: &str = "300";

#[tokio::test]
async fn sealing_keys_are_rotated_while_workers_run_and_then_nothing_needs_the_old_one() {
    let redis = RedisServer::start(Persistence::None).await.expect("redis-server is installed");
    let store = RedisStore::new(Redis::connect(RedisConfig::new(redis.url())).await.expect("Redis is up"));
    let folder = tempfile::tempdir().expect("a folder");
    assert!(seal_keys(&folder, &["rotate"]).contains("made"));
    let start = |name: &str| {
        Process::start_with(name, &redis, |worker| {
            worker.env("CARDHOUSE_SEAL_KEY_DIR", folder.path());
            worker.args(["--seal-key-settle-ms", SETTLE_MS, "--seal-key-reread-ms", "100"])
        })
    };
    let workers = [start("d1"), start("d2")];
    until_owned(&store, 6, &["d1", "d2"]).await;
    let until = async |metric: &str| {
        let told = async {
            for worker in &workers {
                while !worker.get("/metrics").await.lines().any(|line| line == metric) {
                    sleep(Duration::from_millis(20)).await;
                }
            }
        };
        timeout(Duration::from_secs(30), told).await.unwrap_or_else(|_| panic!("not told: {metric}"));
    };
    until("cardhouse_seal_keys 1").await;

    assert!(seal_keys(&folder, &["rotate"]).contains("made"));
    until("cardhouse_seal_keys_changed_total 1").await;
    until("cardhouse_rooms_sealed_before 0").await;
    let keys = seal_keys(&folder, &["list"]);
    assert!(keys.contains("still good\n") && keys.contains("in force\n"), "{keys}");
    assert!(seal_keys(&folder, &["prune", "--after-seconds", "0"]).contains("removed"));
    until("cardhouse_seal_keys 1").await;

    // Whoever takes a table over now has only the new key to read its journal with.
    let [first, _second] = workers;
    drop(first);
    until_owned(&store, 6, &["d2"]).await;
}
