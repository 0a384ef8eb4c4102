//! What a process costs, seen from outside: `/proc/PID/stat` and `/proc/PID/status`.

use std::{fs, ops::Sub, path::PathBuf};

use anyhow::Context;

/// `/proc/PID/stat` counts in hundredths of a second (`USER_HZ`, the same on every Linux).
const TICK_US: u64 = 10_000;

/// CPU time that processes have used, user and system, microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// Microseconds.
    pub us: u64,
}

impl CpuTime {
    /// All that these processes have used since they began.
    ///
    /// # Errors
    /// When one of them has ended.
    pub fn of(pids: &[u32]) -> anyhow::Result<Self> {
        let each = pids.iter().map(|pid| Self::of_one(&pid.to_string()));
        Ok(Self { us: each.sum::<anyhow::Result<u64>>()? })
    }

    /// All that this process has used.
    ///
    /// # Errors
    /// When there is no `/proc`.
    pub fn of_this_process() -> anyhow::Result<Self> {
        Ok(Self { us: Self::of_one("self")? })
    }

    fn of_one(pid: &str) -> anyhow::Result<u64> {
        let text = read(pid, "stat")?;
        Ok(ticks(&text).with_context(|| format!("/proc/{pid}/stat is not as it should be"))? * TICK_US)
    }
}

impl Sub for CpuTime {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self { us: self.us.saturating_sub(earlier.us) }
    }
}

/// utime + stime: the 14th and 15th field. The second is the program's name, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Memory that processes hold for themselves now, bytes: resident or swapped out. Pages of their program's file are not among it: they are
/// there whatever the process does, and a machine that is short of memory drops them meanwhile, so that they would hide what is measured.
///
/// # Errors
/// When one of them has ended.
pub fn memory_bytes(pids: &[u32]) -> anyhow::Result<u64> {
    let each = pids.iter().map(|pid| {
        let text = read(&pid.to_string(), "status")?;
        let own_kib = |name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.parse().ok())
        };
        let kib = own_kib("RssAnon:").zip(own_kib("VmSwap:")).map(|(resident, swapped)| resident + swapped);
        kib.map(|kib| kib * 1024).with_context(|| format!("/proc/{pid}/status names no RssAnon or no VmSwap"))
    });
    each.sum()
}

fn read(pid: &str, file: &str) -> anyhow::Result<String> {
    let path = PathBuf::from("/proc").join(pid).join(file);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 1 0 9 1 1";
        assert_eq!(ticks(stat), Some(300));
    }

    #[test]
    fn work_and_memory_of_this_process_are_seen() {
        let pid = std::process::id();
        let before = CpuTime::of(&[pid]).unwrap();
        let memory = vec![1_u8; 64 << 20];
        let mut sum = 0_u64;
        loop {
            sum += memory.iter().map(|byte| u64::from(*byte)).sum::<u64>();
            if (CpuTime::of_this_process().unwrap() - before).us >= 2 * TICK_US {
                break;
            }
        }
        // The kernel brings its count up to date in batches, so a little may be missing.
        assert!(sum > 0 && memory_bytes(&[pid]).unwrap() > 48 << 20);
    }
}
