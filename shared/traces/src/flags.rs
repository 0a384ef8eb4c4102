//! Flags and environment variables about traces, to `#[command(flatten)]`. All programs have them: one that was built without the feature says so.

use clap::Args;

/// Where traces go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Traces")]
pub struct TraceArgs {
    /// A collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`, without TLS. For programs that were built with the feature `otel`
    /// [default: nobody is told]
    #[arg(long, env = "CARDHOUSE_TRACES_URL", value_name = "URL", value_parser = url)]
    pub traces_url: Option<String>,
    /// One command in so many is traced; the same at all nodes, or parts of traces are missing
    #[arg(long, env = "CARDHOUSE_TRACES_ONE_IN", default_value_t = 1_000, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub traces_one_in: u64,
}

/// Why nothing can be traced.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// It was built so.
    #[error("--traces-url: this program was built without traces; build it with the feature otel")]
    NotBuilt,
    /// It runs already, with other settings.
    #[error("traces are told already")]
    Twice,
    /// The URL is none.
    #[error("--traces-url: {0}")]
    Url(String),
}

fn url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or_default());
    match host {
        Some(host) if !host.is_empty() => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("it must be a URL such as http://127.0.0.1:4318".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Flags {
        #[command(flatten)]
        traces: TraceArgs,
    }

    fn read(words: &[&str]) -> Result<TraceArgs, clap::Error> {
        <Flags as clap::Parser>::try_parse_from([&["relay"], words].concat()).map(|flags| flags.traces)
    }

    #[test]
    fn a_collector_is_named_by_its_url_and_nobody_is_told_by_default() {
        assert_eq!(read(&[]).unwrap().traces_url, None);
        assert_eq!(read(&[]).unwrap().traces_one_in, 1_000);
        let named = read(&["--traces-url=http://collector:4318/"]).unwrap().traces_url;
        assert_eq!(named.as_deref(), Some("http://collector:4318"));
        for bad in [
            "--traces-url=https://collector",
            "--traces-url=http://",
            "--traces-url=4318",
            "--traces-one-in=0",
        ] {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
    }

    #[cfg(not(feature = "otel"))]
    #[test]
    fn a_program_without_traces_says_so_when_it_is_to_tell_them() {
        assert!(read(&[]).unwrap().start("relay", "relay-1").is_ok());
        let told = read(&["--traces-url=http://collector:4318"]).unwrap().start("relay", "relay-1");
        assert!(matches!(told, Err(NotStarted::NotBuilt)));
    }
}
