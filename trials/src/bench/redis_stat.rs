//! How many commands a Redis server was given: `INFO commandstats`.

use std::collections::BTreeMap;

use servers::resp::ask;

/// Calls of each command since the server began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commands(BTreeMap<String, u64>);

impl Commands {
    /// As the server on this loopback port counts now.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn of(port: u16) -> anyhow::Result<Self> {
        Ok(Self::read(&ask(port, &["INFO", "commandstats"])?.text()))
    }

    fn read(text: &str) -> Self {
        let calls = |line: &str| {
            let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), numbers.split(',').next()?.parse().ok()?))
        };
        Self(text.lines().filter_map(calls).collect())
    }

    /// Calls of a command, in lower case.
    pub fn calls(&self, command: &str) -> u64 {
        self.0.get(command).copied().unwrap_or(0)
    }

    /// Calls of all commands but `info`, which only this benchmark asks.
    pub fn all(&self) -> u64 {
        self.0.iter().filter(|(name, _)| *name != "info").map(|(_, calls)| calls).sum()
    }

    /// What was called since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let calls = self.0.iter().map(|(name, calls)| (name.clone(), calls - earlier.calls(name)));
        Self(calls.filter(|(_, calls)| *calls > 0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_between_two_looks_are_counted_by_command() {
        let before = Commands::read(
            "# Commandstats\r\ncmdstat_xadd:calls=5,usec=9\r\ncmdstat_info:calls=1,usec=2\r\n",
        );
        let after = Commands::read(
            "cmdstat_xadd:calls=12,usec=90\r\ncmdstat_publish:calls=14,usec=1\r\ncmdstat_info:calls=2,u=1",
        );
        let between = after.since(&before);
        assert_eq!((between.calls("xadd"), between.calls("publish"), between.all()), (7, 14, 21));
    }
}
