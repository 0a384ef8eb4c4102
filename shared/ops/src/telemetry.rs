//! Logs and metrics, set up the same way in every binary.
//!
//! Logs go to the standard error through [`crate::outlet`]: for people on a terminal, as JSON otherwise. Never a
//! card, a token or a key: what is secret has no `Debug` that shows it, and payloads are not logged.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    env, fmt, fs,
    io::{self, IsTerminal, Write},
    panic,
    process::ExitCode,
    thread,
};

use metrics::{counter, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use parking_lot::Mutex;
use tokio::time::{Duration, interval};
use tokio_util::task::AbortOnDropHandle;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::{
        MakeWriter,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    util::TryInitError,
};

use crate::outlet;

/// How logs are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people if the standard error is a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Why logs could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is none.
    #[error("--log is not a filter such as info or warn,relay=debug: {0}")]
    Filter(String),
    /// They were set up already.
    #[error(transparent)]
    Twice(#[from] TryInitError),
}

/// What a process ends with. An error is told in a sentence, with its causes: a backtrace would not tell operators more.
pub fn exit_code(program: &str, ended: Result<(), impl fmt::Display>) -> ExitCode {
    let code = match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            outlet::tell(format_args!("{program}: {error:#}"));
            ExitCode::FAILURE
        }
    };
    outlet::finish();
    code
}

/// Sets up logs for the process, and logs panics. `filter` is a level or a list such as `info,relay=debug`.
///
/// # Errors
/// [`LogError`].
pub fn init_logs(filter: &str, format: LogFormat) -> Result<(), LogError> {
    use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};
    let filter = targets(filter)?;
    let is_human = match format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    let logs = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(ToErrors)
        .with_ansi(takes_colours(&io::stderr()));
    if is_human {
        logs.compact().finish().with(filter).try_init()?;
    } else {
        logs.json().flatten_event(true).finish().with(filter).try_init()?;
    }
    if let Some(errors) = outlet::errors() {
        errors.tell_drops_with(if is_human { drops_for_people } else { drops_as_json });
    }
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Levels by where something is said: not by spans and fields, for which regular expressions would be built into every program.
fn targets(filter: &str) -> Result<Targets, LogError> {
    // The Redis client warns of each attempt while Redis is away; we say so ourselves, once.
    let targets = format!("fred=error,{filter}").parse::<Targets>();
    targets.map_err(|error| LogError::Filter(error.to_string()))
}

/// Whether a stream is a terminal whose owner wants colours (<https://no-color.org>).
pub fn takes_colours(stream: &impl IsTerminal) -> bool {
    let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let unknown = env::var_os("TERM").is_some_and(|kind| kind == "dumb");
    stream.is_terminal() && !unwanted && !unknown
}

/// Each line of the log as the outlet of the standard error takes it.
#[derive(Debug, Clone, Copy)]
struct ToErrors;

impl<'a> MakeWriter<'a> for ToErrors {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for ToErrors {
    /// Is given a line as a whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(errors) = outlet::errors() {
            errors.line(line.to_vec());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn drops_for_people(count: u64) -> String {
    format!("{}  WARN {count} log lines were dropped: they were not read in time", now())
}

fn drops_as_json(count: u64) -> String {
    serde_json::json!({
        "timestamp": now(),
        "level": "WARN",
        "message": "log lines were dropped: they were not read in time",
        "dropped": count,
    })
    .to_string()
}

/// As the other lines of the log say it.
fn now() -> String {
    let mut text = String::new();
    // A clock before 1970 has no such text; the line is worth more than its time.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

/// The standard library would print panics itself, and wait for whoever reads them.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let thread = thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let backtrace = Backtrace::capture();
    let traced = backtrace.status() == BacktraceStatus::Captured;
    // Not where logs are off, nor where the panic came out of writing one.
    if tracing::enabled!(tracing::Level::ERROR) {
        let backtrace = traced.then(|| tracing::field::display(&backtrace));
        tracing::error!(thread, backtrace, "{panic}");
    } else {
        outlet::tell(format_args!("thread '{thread}' {panic}"));
        if traced {
            outlet::tell(backtrace);
        }
    }
    // It may be the last that this process says.
    if let Some(errors) = outlet::errors() {
        errors.flush(PANIC_STILL, PANIC_STILL);
    }
}

/// So long a panic waits until it is written: only once for a reader that stands still.
const PANIC_STILL: Duration = Duration::from_millis(100);

/// Upper bounds of histograms of times, seconds.
const SECONDS_BUCKETS: [f64; 18] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0,
];

/// How often histograms are tidied.
const UPKEEP: Duration = Duration::from_secs(5);

/// All metrics of the process.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

/// The recorder is one for the process; the house and tests start several components in it.
static RECORDER: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

impl Metrics {
    /// Records metrics from now on. Asking again gives the same.
    ///
    /// # Errors
    /// When the process records its metrics elsewhere already.
    pub fn install() -> Result<Self, BuildError> {
        let mut installed = RECORDER.lock();
        if let Some(handle) = &*installed {
            return Ok(Self { handle: handle.clone() });
        }
        let times = Matcher::Suffix("_seconds".into());
        let handle =
            PrometheusBuilder::new().set_buckets_for_metric(times, &SECONDS_BUCKETS)?.install_recorder()?;
        *installed = Some(handle.clone());
        Ok(Self { handle })
    }

    /// Tidies now and then what histograms have gathered, as long as the answer is kept.
    pub fn keep_tidy(&self) -> AbortOnDropHandle<()> {
        let handle = self.handle.clone();
        AbortOnDropHandle::new(tokio::spawn(async move {
            let mut ticks = interval(UPKEEP);
            loop {
                ticks.tick().await;
                handle.run_upkeep();
            }
        }))
    }

    /// The text for Prometheus, with what the system says about the process now.
    pub fn render(&self) -> String {
        measure_process();
        self.handle.render()
    }
}

/// Of the times in `/proc`, whatever the kernel's own rate.
const TICKS_PER_SECOND: u64 = 100;

/// Takes what Linux says about this process into the metrics; elsewhere nothing.
fn measure_process() {
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        let number = |name: &str| -> Option<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        if let Some(resident_kib) = number("VmRSS:") {
            gauge!("process_resident_memory_bytes").set(resident_kib * 1_024.0);
        }
        if let Some(threads) = number("Threads:") {
            gauge!("process_threads").set(threads);
        }
    }
    if let Ok(stat) = fs::read_to_string("/proc/self/stat") {
        // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th word after it.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let times = after_name.split_whitespace().skip(11).take(2);
        let ticks: u64 = times.filter_map(|word| word.parse::<u64>().ok()).sum();
        counter!("process_cpu_milliseconds_total").absolute(ticks * 1_000 / TICKS_PER_SECOND);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        gauge!("process_open_fds").set(open.count() as f64);
    }
    if let Some(errors) = outlet::errors() {
        counter!("cardhouse_log_lines_dropped_total").absolute(errors.dropped());
        gauge!("cardhouse_log_bytes_waiting").set(errors.bytes_waiting() as f64);
    }
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        gauge!("cardhouse_tasks").set(runtime.metrics().num_alive_tasks() as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_counted_is_rendered_and_installing_twice_is_the_same() {
        Metrics::install().unwrap();
        counter!("cardhouse_test_total", "kind" => "x").increment(3);
        metrics::histogram!("cardhouse_test_seconds").record(0.002);
        let text = Metrics::install().unwrap().render();
        assert!(text.contains("cardhouse_test_total{kind=\"x\"} 3"), "{text}");
        assert!(text.contains("cardhouse_test_seconds_bucket{le=\"0.0025\"} 1"), "{text}");
        assert!(text.contains("cardhouse_tasks"), "{text}");
        #[cfg(target_os = "linux")]
        for name in ["process_resident_memory_bytes", "process_cpu_milliseconds_total", "process_open_fds"] {
            assert!(text.contains(name), "{name} in {text}");
        }
    }

    #[test]
    fn a_filter_says_how_much_is_told_and_of_what_more() {
        use tracing::Level;
        let filter = targets("info,relay=debug").unwrap();
        for (whose, level, is_told) in [
            ("rooms::room", Level::INFO, true),
            ("rooms::room", Level::DEBUG, false),
            ("relay::room", Level::DEBUG, true),
            ("relay", Level::TRACE, false),
            ("fred::router", Level::ERROR, true),
            ("fred::router", Level::WARN, false),
        ] {
            assert_eq!(filter.would_enable(whose, &level), is_told, "{whose} {level}");
        }
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        assert!(matches!(init_logs("info,relay=loud", LogFormat::Json), Err(LogError::Filter(_))));
    }
}
