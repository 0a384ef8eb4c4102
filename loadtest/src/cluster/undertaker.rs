//! What is left behind by a harness that was killed itself is cleared away by a small shell beside it.
//!
//! It waits for the end of a pipe that only the harness holds open. Whatever way the harness ends, the kernel closes the pipe; then the
//! shell kills the processes that are still on its list, and removes their folder. In an orderly end the list is empty.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::Arc,
};

use parking_lot::Mutex;

/// The list that the shell goes by.
#[derive(Debug, Clone)]
pub struct Living {
    file: PathBuf,
    list: Arc<Mutex<List>>,
}

#[derive(Debug, Default)]
struct List {
    /// Processes; most lead a process group of their own, which goes with them.
    pids: Vec<u32>,
    /// Folders outside the main one.
    dirs: Vec<PathBuf>,
    /// Network namespaces.
    networks: Vec<String>,
}

/// See the module.
#[derive(Debug)]
pub struct Undertaker {
    shell: Child,
    pipe: Option<ChildStdin>,
    living: Living,
}

/// `$1` is the list, `$2` the folder. Signals that end a terminal's programs do not end this one before its time.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
read -r _
while read -r kind what; do
    case $kind in
        process) kill -s KILL -- "-$what" 2>/dev/null || kill -s KILL "$what" 2>/dev/null ;;
        folder) rm -rf -- "$what" ;;
        network) ip netns del "$what" ;;
    esac
done < "$1"
rm -rf -- "$2"
"#;

impl Undertaker {
    /// Watches over processes whose files are all below `dir`.
    ///
    /// # Errors
    /// When there is no shell.
    pub fn for_dir(dir: &Path) -> io::Result<Self> {
        let file = dir.join("living");
        fs::write(&file, "")?;
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "undertaker"]).arg(&file).arg(dir);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut shell = command.spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe, living: Living { file, list: Arc::default() } })
    }

    /// The list of processes.
    pub fn living(&self) -> Living {
        self.living.clone()
    }
}

impl Drop for Undertaker {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.shell.wait();
    }
}

impl Living {
    /// A process has been started.
    pub fn add(&self, pid: u32) {
        self.change(|list| list.pids.push(pid));
    }

    /// It has ended, and has been waited for.
    pub fn remove(&self, pid: u32) {
        self.change(|list| list.pids.retain(|known| *known != pid));
    }

    /// A folder outside the main one belongs to the cluster.
    pub fn add_dir(&self, dir: &Path) {
        self.change(|list| list.dirs.push(dir.to_owned()));
    }

    /// A network namespace belongs to the cluster.
    pub fn add_network(&self, name: &str) {
        self.change(|list| list.networks.push(name.to_owned()));
    }

    fn change(&self, change: impl FnOnce(&mut List)) {
        let mut list = self.list.lock();
        change(&mut list);
        let pids = list.pids.iter().map(|pid| format!("process {pid}\n"));
        let dirs = list.dirs.iter().map(|dir| format!("folder {}\n", dir.display()));
        let networks = list.networks.iter().map(|name| format!("network {name}\n"));
        if let Err(error) = fs::write(&self.file, pids.chain(dirs).chain(networks).collect::<String>()) {
            tracing::warn!(%error, "the list of processes cannot be written");
        }
    }
}
