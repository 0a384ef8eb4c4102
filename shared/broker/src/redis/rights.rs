//! Which commands of Redis each program uses, tried when connecting: who lacks a right is told so at once, and does not start.
//!
//! Each command is sent as a program sends it, to names that are nobody's, on a connection of our own, since the client library
//! retries what it is refused. Redis looks at rights before anything else, so any answer but `NOPERM` (that the slot is
//! another node's, that the memory is full) says that the right is there. `XADD` is tried with an id that no stream takes.

use std::{fmt, io};

use fred::types::config::Server;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::Durability;
use crate::{channel::probe_key, publisher::Credentials, resp::write_command};

/// A channel that nobody subscribes to.
const NOBODY: &str = "ch:{nobody}:hello";

/// A program, by what it asks of Redis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Program {
    /// Reads journals and maps, publishes and subscribes. Writes nothing.
    Relay,
    /// Writes, too.
    #[default]
    DealerWorker,
    /// Writes [revocations](crate::revocations), and publishes them.
    Reception,
    /// Works off [queues](crate::queue).
    Recorder,
}

/// How Redis is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One server.
    Single,
    /// Behind sentinels.
    Sentinel,
    /// Redis Cluster.
    Cluster,
}

/// The commands that a program uses, in the words of ACL rules without the `+`. Its keys and channels all begin with `ch:`.
pub fn rights(program: Program, form: Form, durability: Durability) -> Vec<&'static str> {
    let mut rights = vec!["client|id", "hget", "info", "ping", "xrange"];
    match form {
        Form::Single | Form::Sentinel => {
            rights.extend(["client|reply", "publish", "subscribe", "unsubscribe"]);
        }
        Form::Cluster => {
            rights.extend(["cluster|info", "cluster|slots", "spublish", "ssubscribe", "sunsubscribe"]);
        }
    }
    if form == Form::Sentinel {
        rights.push("role");
    }
    match program {
        Program::Relay => {}
        Program::DealerWorker => {
            rights.extend(["expire", "hdel", "hgetall", "hkeys", "hset", "hsetnx", "xadd", "xrevrange"]);
        }
        Program::Reception => rights.extend(["expire", "xadd", "xrevrange"]),
        Program::Recorder => {
            rights.extend(["hgetall", "hlen", "hset", "xack", "xclaim", "xdel"]);
            rights.extend(["xgroup|create", "xlen", "xpending", "xreadgroup"]);
        }
    }
    match durability {
        Durability::Async => {}
        Durability::WaitReplicas { .. } => rights.push("wait"),
        Durability::Fsync => rights.push("config|get"),
    }
    rights.sort_unstable();
    rights
}

/// How a command is tried.
fn trial(right: &str) -> Vec<String> {
    let (stream, map) = (probe_key(0), "ch:{probe-0}:map".to_owned());
    let words: &[&str] = match right {
        "client|id" => &["CLIENT", "ID"],
        "client|reply" => &["CLIENT", "REPLY", "ON"],
        "cluster|info" => &["CLUSTER", "INFO"],
        "cluster|slots" => &["CLUSTER", "SLOTS"],
        "config|get" => &["CONFIG", "GET", "appendfsync"],
        "expire" => &["EXPIRE", &map, "1"],
        "hdel" => &["HDEL", &map, "x"],
        "hget" => &["HGET", &map, "x"],
        "hgetall" => &["HGETALL", &map],
        "hkeys" => &["HKEYS", &map],
        "hlen" => &["HLEN", &map],
        "hset" => &["HSET", &map, "x", ""],
        "hsetnx" => &["HSETNX", &map, "x", ""],
        "info" => &["INFO", "memory"],
        "publish" => &["PUBLISH", NOBODY, ""],
        "spublish" => &["SPUBLISH", NOBODY, ""],
        "ssubscribe" => &["SSUBSCRIBE", NOBODY],
        "subscribe" => &["SUBSCRIBE", NOBODY],
        "sunsubscribe" => &["SUNSUBSCRIBE", NOBODY],
        "unsubscribe" => &["UNSUBSCRIBE", NOBODY],
        "wait" => &["WAIT", "0", "1"],
        "xack" => &["XACK", &stream, "nobody", "0-1"],
        "xadd" => &["XADD", &stream, "0-0", "e", ""],
        "xclaim" => &["XCLAIM", &stream, "nobody", "nobody", "0", "0-1"],
        "xdel" => &["XDEL", &stream, "0-1"],
        // With words that no server takes: it is looked at after the right.
        "xgroup|create" => &["XGROUP", "CREATE", &stream, "nobody", "no id"],
        "xlen" => &["XLEN", &stream],
        "xpending" => &["XPENDING", &stream, "nobody"],
        "xrange" => &["XRANGE", &stream, "-", "+", "COUNT", "1"],
        "xreadgroup" => &["XREADGROUP", "GROUP", "nobody", "nobody", "COUNT", "1", "STREAMS", &stream, ">"],
        "xrevrange" => &["XREVRANGE", &stream, "+", "-", "COUNT", "1"],
        "role" => &["ROLE"],
        "ping" => &["PING"],
        other => unreachable!("{other} is none of ours"),
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A right that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Denied {
    server: String,
    command: String,
    answer: String,
    remedy: String,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, command, answer, remedy } = self;
        write!(f, "{server} refuses {command}: {answer}. Remedy: {remedy}")
    }
}

/// Tries all rights at one server.
///
/// # Errors
/// When the server cannot be reached or breaks off. The inner one: what is missing, all of it.
pub(super) async fn try_all(
    server: &Server,
    credentials: &Credentials,
    rights: &[&str],
) -> io::Result<Result<(), Vec<Denied>>> {
    let mut line = Line::open(server).await?;
    let user = credentials.username.as_deref().unwrap_or("default");
    let denied = |command: &str, answer: String, remedy: String| Denied {
        server: server.to_string(),
        command: command.to_owned(),
        answer,
        remedy,
    };
    if let Some(password) = &credentials.password {
        let mut words = vec!["AUTH"];
        words.extend(credentials.username.as_deref());
        words.push(password);
        if let Some(answer) = line.ask(&words).await? {
            let remedy = "the user and password in --redis-url (redis://USER:PASSWORD@HOST:PORT)".into();
            return Ok(Err(vec![denied("AUTH", answer, remedy)]));
        }
    }
    let mut missing = Vec::new();
    for right in rights {
        let words = trial(right);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let command = right.replace('|', " ").to_uppercase();
        let Some(answer) = line.ask(&words).await? else { continue };
        if answer.starts_with("NOAUTH") {
            let remedy = "a user and a password in --redis-url (redis://USER:PASSWORD@HOST:PORT)".into();
            return Ok(Err(vec![denied(&command, answer, remedy)]));
        } else if answer.starts_with("NOPERM") {
            // Of a key or a channel Redis does not say which command it was.
            let lacks = match &answer {
                answer if answer.contains("channel") => "&ch:*".to_owned(),
                answer if answer.contains(" key") => "~ch:*".to_owned(),
                _ => format!("+{right}"),
            };
            missing.push(denied(&command, answer, format!("ACL SETUSER {user} {lacks}")));
        } else if answer.to_ascii_lowercase().contains("unknown command") {
            let remedy = "a server that has this command, and has not renamed it".into();
            missing.push(denied(&command, answer, remedy));
        }
    }
    Ok(if missing.is_empty() { Ok(()) } else { Err(missing) })
}

/// A connection on which one thing is asked after the other.
struct Line(BufReader<TcpStream>);

impl Line {
    async fn open(server: &Server) -> io::Result<Self> {
        let stream = TcpStream::connect((&*server.host, server.port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// The error, if the answer is one.
    async fn ask(&mut self, words: &[&str]) -> io::Result<Option<String>> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let mut command = Vec::new();
        write_command(&mut command, &words);
        self.0.write_all(&command).await?;
        let (mut parts, mut error) = (1_u64, None);
        while parts > 0 {
            parts -= 1;
            let mut line = String::new();
            if self.0.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end();
            let strange = || io::Error::new(io::ErrorKind::InvalidData, format!("not Redis: {line:?}"));
            let (kind, rest) = line.split_at_checked(1).ok_or_else(strange)?;
            match kind {
                "+" | ":" => {}
                "-" => error = Some(rest.to_owned()),
                // Nothing at all has a negative length.
                "$" | "*" => match (kind, rest.parse::<i64>().map_err(|_| strange())?) {
                    ("$", length @ 0..) => {
                        let mut text = (&mut self.0).take(length.unsigned_abs() + 2);
                        tokio::io::copy_buf(&mut text, &mut tokio::io::sink()).await?;
                    }
                    ("*", count @ 0..) => parts += count.unsigned_abs(),
                    _ => {}
                },
                _ => return Err(strange()),
            }
        }
        Ok(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_right_can_be_tried_and_a_relay_writes_nothing() {
        for form in [Form::Single, Form::Sentinel, Form::Cluster] {
            for durability in [
                Durability::Async,
                Durability::Fsync,
                Durability::WaitReplicas { replicas: 1, timeout_ms: 1 },
            ] {
                let worker = rights(Program::DealerWorker, form, durability);
                let relay = rights(Program::Relay, form, durability);
                let reception = rights(Program::Reception, form, durability);
                assert!(relay.iter().chain(&reception).all(|right| worker.contains(right)));
                assert!(!relay.iter().any(|right| ["xadd", "hdel", "hset", "hsetnx"].contains(right)));
                let recorder = rights(Program::Recorder, form, durability);
                for right in worker.into_iter().chain(recorder) {
                    assert_eq!(trial(right)[0].to_lowercase(), right.split('|').next().unwrap());
                }
            }
        }
    }
}
