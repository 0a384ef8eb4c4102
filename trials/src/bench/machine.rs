//! What was measured, on what: a figure without that says little.

use std::{fmt, fs, path::Path, process::Command};

/// Crates whose version matters to the figures.
const CRATES: [&str; 6] = ["tokio", "hyper", "axum", "fred", "tokio-websockets", "jsonwebtoken"];

/// See the module.
#[derive(Debug, Clone)]
pub struct Machine {
    cores: usize,
    processor: String,
    kernel: String,
    redis: String,
    commit: String,
    crates: Vec<(String, String)>,
}

impl Machine {
    /// This one, and the source that this program was built from.
    pub fn this() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let commit =
            said_by(Command::new("git").arg("-C").arg(&root).args(["describe", "--always", "--dirty"]));
        let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: processor.map_or_else(|| "unknown".into(), |(_, name)| name.to_owned()),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            redis: said_by(Command::new("redis-server").arg("--version"))
                .split_whitespace()
                .find_map(|word| word.strip_prefix("v=").map(str::to_owned))
                .unwrap_or_else(|| "unknown".into()),
            commit,
            crates: CRATES
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), locked(&lock, name)?)))
                .collect(),
        }
    }

    /// The same for programs.
    pub fn to_json(&self) -> serde_json::Value {
        let crates: serde_json::Map<_, _> =
            self.crates.iter().map(|(name, version)| (name.clone(), version.clone().into())).collect();
        serde_json::json!({
            "commit": self.commit, "cores": self.cores, "processor": self.processor, "kernel": self.kernel,
            "redis": self.redis, "crates": crates,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, processor, kernel, redis, commit, crates } = self;
        let crates: Vec<String> = crates.iter().map(|(name, version)| format!("{name} {version}")).collect();
        write!(
            f,
            "commit {commit}; {cores} cores, {processor}, Linux {kernel}; Redis {redis}; {}",
            crates.join(", ")
        )
    }
}

fn said_by(command: &mut Command) -> String {
    let said = command.output().ok().filter(|output| output.status.success());
    said.map_or_else(|| "unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first version of a crate in a lock file.
fn locked(lock: &str, name: &str) -> Option<String> {
    let (_, entry) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(entry.split('"').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = "[[package]]\nname = \"tokio\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"fred\"\nversion = \"10.1.0\"\n";
        assert_eq!(locked(lock, "fred").as_deref(), Some("10.1.0"));
        assert_eq!(locked(lock, "hyper"), None);
        assert!(Machine::this().cores > 0);
    }
}
