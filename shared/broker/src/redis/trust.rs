//! What Redis must be set to, so that what we promise on top of it holds: looked at when connecting, and every few seconds.
//!
//! - `maxmemory-policy` must be `noeviction`, unless `maxmemory` is 0. With any other policy a full Redis throws journals away. (The
//!   `volatile-*` policies would spare keys without an expiry, which ours are; but that is a matter of nobody ever setting one.)
//!   Without a bound nothing is evicted whatever the policy is.
//! - `appendonly` must be `yes` where [`Durability`] promises more than the memory of one process: with `fsync`, and with
//!   `wait-replicas`, since a primary that restarts empty and at once empties its replicas too. With `async` it is only asked for.
//! - `appendfsync` must be `always` and `no-appendfsync-on-rewrite` `no` for `fsync`.
//! - There must be as many replicas as `wait-replicas` waits for.
//!
//! `INFO` says all of it but what `fsync` needs, and is allowed where `CONFIG` is not. What neither says is told as not known.

use std::{collections::BTreeMap, fmt};

use fred::{
    interfaces::{ClientLike, ConfigInterface},
    prelude::{Client, Error as RedisError, Options},
    types::{InfoKind, config::Server},
};
use tokio::time::Duration;

use super::{Durability, says_no};

/// How often it is looked whether the settings are still right.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(3);

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// The promise does not hold: nothing starts with it, and who runs is not ready.
    Wrong,
    /// To be known; nobody is kept from anything.
    Warning,
}

/// Something about one server that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) weight: Weight,
    pub(super) setting: &'static str,
    is: String,
    /// What is needed, why, and what to do.
    needed: &'static str,
    why: &'static str,
    remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, is, needed, why, remedy, .. } = self;
        write!(f, "{setting} is {is}, needed is {needed}: {why}. Remedy: {remedy}")
    }
}

/// What a server says of itself, by the names of `CONFIG`; what it does not say is not there.
#[derive(Debug, Default)]
struct Told(BTreeMap<&'static str, String>);

impl Told {
    fn of(&self, setting: &str) -> Option<&str> {
        self.0.get(setting).map(String::as_str)
    }

    /// Takes over from an answer of `INFO`.
    fn read(&mut self, info: &str) {
        for (field, setting) in [
            ("maxmemory", MAXMEMORY),
            ("maxmemory_policy", POLICY),
            ("aof_enabled", APPENDONLY),
            ("connected_slaves", REPLICAS),
        ] {
            let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
            let Some(value) = line.map(str::trim) else { continue };
            let value = match (setting, value) {
                (APPENDONLY, "1") => "yes",
                (APPENDONLY, "0") => "no",
                (_, value) => value,
            };
            self.0.insert(setting, value.to_owned());
        }
    }
}

const MAXMEMORY: &str = "maxmemory";
const POLICY: &str = "maxmemory-policy";
const APPENDONLY: &str = "appendonly";
const APPENDFSYNC: &str = "appendfsync";
const ON_REWRITE: &str = "no-appendfsync-on-rewrite";
const REPLICAS: &str = "connected replicas";

/// Looks at one server.
pub(super) async fn look(
    client: &Client,
    server: Option<&Server>,
    durability: Durability,
) -> Result<Vec<Finding>, RedisError> {
    let options = Options { cluster_node: server.cloned(), ..Options::default() };
    let client = client.with_options(&options);
    let mut told = Told::default();
    for kind in [InfoKind::Memory, InfoKind::Persistence, InfoKind::Replication] {
        match client.info::<String>(Some(kind)).await {
            Ok(info) => told.read(&info),
            // Asked for by CONFIG instead.
            Err(error) if is_forbidden(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let by_config: &[&str] = match durability {
        Durability::Fsync => &[MAXMEMORY, POLICY, APPENDONLY, APPENDFSYNC, ON_REWRITE],
        Durability::Async | Durability::WaitReplicas { .. } => &[MAXMEMORY, POLICY, APPENDONLY],
    };
    for setting in by_config {
        if told.of(setting).is_some() {
            continue;
        }
        match client.config_get::<Vec<String>, _>(*setting).await {
            Ok(pair) => told.0.extend(pair.into_iter().nth(1).map(|value| (*setting, value))),
            Err(error) if is_forbidden(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(judge(&told, durability))
}

/// Managed servers forbid it, or do not know it.
fn is_forbidden(error: &RedisError) -> bool {
    let words = error.details().to_ascii_lowercase();
    says_no(error.details()) && words.starts_with("noperm") || words.contains("unknown command")
}

/// What is not as it should be.
fn judge(told: &Told, durability: Durability) -> Vec<Finding> {
    use Weight::{Warning, Wrong};
    let mut findings = Vec::new();
    let mut find = |weight, setting, is: &str, needed, why, remedy: &str| {
        let (is, remedy) = (is.to_owned(), remedy.to_owned());
        findings.push(Finding { weight, setting, is, needed, why, remedy });
    };
    let unknown = "not known (INFO does not say it, and CONFIG GET is forbidden)";
    let look_yourself = "look at the server's configuration yourself, or allow INFO or CONFIG GET";

    let is_bounded = told.of(MAXMEMORY) != Some("0");
    match told.of(POLICY) {
        Some("noeviction") => {}
        Some(_) if !is_bounded => {}
        Some(policy) => find(
            Wrong,
            POLICY,
            &format!("{policy} with maxmemory {}", told.of(MAXMEMORY).unwrap_or("unknown")),
            "noeviction",
            "a full Redis would throw tables away",
            "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf",
        ),
        None => find(Warning, POLICY, unknown, "noeviction", "else tables may be thrown away", look_yourself),
    }

    let why = match durability {
        Durability::Async => "a Redis that restarts has lost all that no dealer worker has in memory",
        Durability::WaitReplicas { .. } => "a primary that restarts empty empties its replicas too",
        Durability::Fsync => "what is acknowledged would not be on a disk",
    };
    let needs_file = durability != Durability::Async;
    match told.of(APPENDONLY) {
        Some("yes") => {}
        is => find(
            if needs_file && is.is_some() { Wrong } else { Warning },
            APPENDONLY,
            is.unwrap_or(unknown),
            "yes",
            why,
            if is.is_some() {
                "CONFIG SET appendonly yes, and the same in redis.conf"
            } else {
                look_yourself
            },
        ),
    }

    match durability {
        Durability::Async => {}
        Durability::WaitReplicas { replicas, .. } => {
            let connected = told.of(REPLICAS).map(str::parse::<u32>);
            match connected {
                Some(Ok(connected)) if connected >= replicas => {}
                Some(Ok(connected)) => find(
                    Wrong,
                    REPLICAS,
                    &connected.to_string(),
                    "as many as --durability wait-replicas=N says",
                    "no append is acknowledged with fewer",
                    "start replicas (replicaof), or ask for fewer",
                ),
                _ => find(Warning, REPLICAS, unknown, "as many as N", "appends wait for them", look_yourself),
            }
        }
        // A promise about the disk is not given on trust.
        Durability::Fsync => {
            for (setting, needed, remedy) in [
                (APPENDFSYNC, "always", "CONFIG SET appendfsync always, and the same in redis.conf"),
                (ON_REWRITE, "no", "CONFIG SET no-appendfsync-on-rewrite no, and the same in redis.conf"),
            ] {
                let is = told.of(setting);
                if is != Some(needed) {
                    let remedy =
                        if is.is_some() { remedy } else { "allow CONFIG GET, or use another --durability" };
                    find(Wrong, setting, is.unwrap_or(unknown), needed, why, remedy);
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLICATED: Durability = Durability::WaitReplicas { replicas: 2, timeout_ms: 100 };

    fn wrong(info: &str, durability: Durability) -> Vec<&'static str> {
        let mut told = Told::default();
        told.read(info);
        let findings = judge(&told, durability).into_iter();
        findings.filter(|finding| finding.weight == Weight::Wrong).map(|finding| finding.setting).collect()
    }

    #[test]
    fn a_policy_that_evicts_is_wrong_where_memory_is_bounded() {
        let said = |bound: u64, policy: &str| {
            let info = format!("used_memory:1\r\nmaxmemory:{bound}\r\nmaxmemory_policy:{policy}\r\n");
            wrong(&info, Durability::Async)
        };
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-ttl"] {
            assert_eq!(said(6_291_456, policy), [POLICY], "{policy}");
            assert!(said(0, policy).is_empty(), "{policy} without a bound");
        }
        assert!(said(6_291_456, "noeviction").is_empty());
        assert_eq!(wrong("maxmemory_policy:allkeys-lru\r\n", Durability::Async), [POLICY], "bounded or not");
    }

    #[test]
    fn each_durability_needs_its_own_persistence() {
        let info = |aof: u8, replicas: u8| {
            format!(
                "maxmemory:0\r\nmaxmemory_policy:noeviction\r\naof_enabled:{aof}\r\nconnected_slaves:{replicas}\r\n"
            )
        };
        assert!(wrong(&info(0, 0), Durability::Async).is_empty());
        assert_eq!(wrong(&info(0, 2), REPLICATED), [APPENDONLY]);
        assert_eq!(wrong(&info(1, 1), REPLICATED), [REPLICAS]);
        assert!(wrong(&info(1, 2), REPLICATED).is_empty());
        assert_eq!(wrong(&info(0, 0), Durability::Fsync), [APPENDONLY, APPENDFSYNC, ON_REWRITE]);
    }

    #[test]
    fn what_nobody_says_is_told_as_unknown_and_is_wrong_only_for_fsync() {
        assert!(wrong("", Durability::Async).is_empty() && wrong("", REPLICATED).is_empty());
        assert_eq!(wrong("", Durability::Fsync), [APPENDFSYNC, ON_REWRITE]);
        let told = judge(&Told::default(), REPLICATED);
        let settings: Vec<_> = told.iter().map(|finding| finding.setting).collect();
        assert_eq!(settings, [POLICY, APPENDONLY, REPLICAS]);
        assert!(told.iter().all(|finding| finding.to_string().contains("not known")));
    }

    #[test]
    fn a_finding_says_the_setting_its_value_the_need_and_the_remedy() {
        let mut told = Told::default();
        told.read("maxmemory:6291456\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:1\r\n");
        assert_eq!(
            judge(&told, Durability::Async)[0].to_string(),
            "maxmemory-policy is allkeys-lru with maxmemory 6291456, needed is noeviction: a full Redis would throw tables \
             away. Remedy: CONFIG SET maxmemory-policy noeviction, and the same in redis.conf"
        );
    }
}
