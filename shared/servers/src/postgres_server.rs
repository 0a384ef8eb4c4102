//! A PostgreSQL server of its own on a free port in a temporary folder, which goes with its owner.

use std::{
    fs, io,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use postgres::NoTls;
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::redis_server::free_port;

/// The longest wait for a server.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// The last backup, in the server's folder.
const BACKUP: &str = "backup";

/// Where Debian keeps the versions.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The folder of `initdb` and `postgres`, if they are on this machine.
fn programs() -> Option<PathBuf> {
    let has_both = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let mut versions: Vec<_> = fs::read_dir(VERSIONS)
        .into_iter()
        .flatten()
        .flatten()
        .map(|found| found.path().join("bin"))
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions.into_iter().rev().chain(std::env::split_paths(&path)).find(has_both)
}

/// Whom servers run as: PostgreSQL refuses to be root.
fn servant() -> io::Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let user = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    user("postgres")
        .or_else(|| user("nobody"))
        .map(Some)
        .ok_or_else(|| io::Error::other("there is no user to run PostgreSQL as"))
}

/// A server.
pub struct PostgresServer {
    programs: PathBuf,
    servant: Option<(u32, u32)>,
    port: u16,
    process: Option<Child>,
    dir: TempDir,
}

impl PostgresServer {
    /// Makes and starts a server; `None`, and a word about it, where PostgreSQL is not installed.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start() -> io::Result<Option<Self>> {
        let Some(programs) = programs() else {
            eprintln!("skipped: PostgreSQL is not on this machine (Debian: postgresql)");
            return Ok(None);
        };
        let servant = servant()?;
        let dir = tempfile::Builder::new().prefix("cardhouse-postgres-").tempdir()?;
        if let Some((user, group)) = servant {
            chown(dir.path(), Some(user), Some(group))?;
        }
        let mut server = Self { programs, servant, port: free_port()?, process: None, dir };
        let made = server
            .command("initdb")
            .args([
                "--auth",
                "trust",
                "--username",
                "cardhouse",
                "--encoding",
                "UTF8",
                "--no-locale",
                "--no-sync",
                "--pgdata",
            ])
            .arg(server.data())
            .stdout(Stdio::null())
            .output()?;
        if !made.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
        server.run()?;
        Ok(Some(server))
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        if let Some((user, group)) = self.servant {
            command.uid(user).gid(group);
        }
        command
    }

    /// Starts it, also after [`kill`](Self::kill), and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn run(&mut self) -> io::Result<()> {
        let log = fs::File::options().create(true).append(true).open(self.dir.path().join("log"))?;
        let process = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args([
                "-p",
                &self.port.to_string(),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "shared_buffers=16MB",
                "-k",
            ])
            .arg(self.dir.path())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.process = Some(process);
        let began = Instant::now();
        while postgres::Client::connect(&self.url("postgres"), NoTls).is_err() {
            let ended = self.process.as_mut().is_some_and(|process| !matches!(process.try_wait(), Ok(None)));
            if ended || began.elapsed() > READY_WITHIN {
                let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("PostgreSQL does not come up: {log}")));
            }
            sleep(LOOK);
        }
        Ok(())
    }

    /// A new, empty database; its URL.
    ///
    /// # Errors
    /// When the server does not make it.
    pub fn database(&self, name: &str) -> io::Result<String> {
        let mut client = postgres::Client::connect(&self.url("postgres"), NoTls).map_err(io::Error::other)?;
        client.batch_execute(&format!("CREATE DATABASE {name}")).map_err(io::Error::other)?;
        Ok(self.url(name))
    }

    /// The database of this name, which is made if there is none; its URL.
    ///
    /// # Errors
    /// When the server does not make it.
    pub fn database_or_that(&self, name: &str) -> io::Result<String> {
        match postgres::Client::connect(&self.url(name), NoTls) {
            Ok(_) => Ok(self.url(name)),
            Err(_) => self.database(name),
        }
    }

    /// A copy of a database that nobody has open, or will not have in a moment; its URL.
    ///
    /// # Errors
    /// When the server does not make it.
    pub fn copy(&self, of: &str, name: &str) -> io::Result<String> {
        let mut client = postgres::Client::connect(&self.url("postgres"), NoTls).map_err(io::Error::other)?;
        let began = Instant::now();
        // Connections that were closed are there for a moment yet.
        while let Err(error) = client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {of}")) {
            if began.elapsed() > READY_WITHIN {
                return Err(io::Error::other(error));
            }
            sleep(LOOK);
        }
        Ok(self.url(name))
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://cardhouse@127.0.0.1:{}/{database}", self.port)
    }

    /// The process that all others of it come from, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Copies all that it has on disk, as of one moment, under whatever load: what is copied is what a crash would have left.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn back_up(&self) -> io::Result<()> {
        let of_it = || {
            let process = self.process.iter().map(Child::id);
            process.clone().chain(process.flat_map(children_of)).collect::<Vec<u32>>()
        };
        // The first of them stands still before it is asked for its children: it makes no more.
        self.process.iter().for_each(|process| send(process.id(), Signal::STOP));
        of_it().into_iter().for_each(|pid| send(pid, Signal::STOP));
        let copied = copy_as_it_is(&self.data(), &self.dir.path().join(BACKUP));
        of_it().into_iter().for_each(|pid| send(pid, Signal::CONT));
        copied
    }

    /// Kills it, and starts it again with what was [backed up](Self::back_up) last.
    ///
    /// # Errors
    /// When there is no backup, or it does not come up again.
    pub fn put_back(&mut self) -> io::Result<()> {
        self.kill();
        copy_as_it_is(&self.dir.path().join(BACKUP), &self.data())?;
        self.run()
    }

    /// Kills all its processes with SIGKILL, and waits until they are gone.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // Its children are leaders of sessions of their own, and outlive it for a while.
        let children = children_of(process.id());
        let _ = process.kill();
        let _ = process.wait();
        children.iter().for_each(|&child| send(child, Signal::KILL));
        let began = Instant::now();
        while children.iter().any(|child| is_running(*child)) && began.elapsed() < READY_WITHIN {
            sleep(LOOK);
        }
    }
}

/// A folder with all that is in it, owners too, in the place of what is there.
fn copy_as_it_is(from: &Path, to: &Path) -> io::Result<()> {
    match fs::remove_dir_all(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let copied = Command::new("cp").arg("-a").args([from, to]).output()?;
    match copied.status.success() {
        true => Ok(()),
        false => Err(io::Error::other(String::from_utf8_lossy(&copied.stderr).into_owned())),
    }
}

fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // Whoever is gone needs no signal.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

fn is_running(pid: u32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state != 'Z')
}

fn state_and_parent(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    // The name stands in parentheses, and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn children_of(parent: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| state_and_parent(pid).is_some_and(|(_, of)| of == parent)).collect()
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}
