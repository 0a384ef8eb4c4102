//! What one HTTP request may take. A WebSocket has bounds of its own from its handshake on.

use std::time::Duration;

use clap::Args;

use crate::config::positive;

/// The smallest buffer that the HTTP parser works with, bytes.
const HEAD_BYTES_MIN: i64 = 8 * 1024;

/// The bounds of one HTTP request. Times in milliseconds, sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// A request's head must have come after so long: from the connection's begin or, on one that is kept, from the head's first
    /// byte, milliseconds
    #[arg(long, env = "CARDHOUSE_HTTP_HEAD_MS", value_name = "MS", default_value_t = HttpArgs::default().http_head_ms, value_parser = positive::<u64>)]
    pub http_head_ms: u64,
    /// A request's head at most, bytes (from 8192)
    #[arg(long, env = "CARDHOUSE_HTTP_HEAD_BYTES_MAX", value_name = "BYTES", default_value_t = HttpArgs::default().http_head_bytes_max, value_parser = clap::value_parser!(u32).range(HEAD_BYTES_MIN..))]
    pub http_head_bytes_max: u32,
    /// A request's body must have come, and its answer be known, so long after its head, milliseconds
    #[arg(long, env = "CARDHOUSE_HTTP_BODY_MS", value_name = "MS", default_value_t = HttpArgs::default().http_body_ms, value_parser = positive::<u64>)]
    pub http_body_ms: u64,
    /// A request's body at most, bytes; reception takes less
    #[arg(long, env = "CARDHOUSE_HTTP_BODY_BYTES_MAX", value_name = "BYTES", default_value_t = HttpArgs::default().http_body_bytes_max, value_parser = positive::<usize>)]
    pub http_body_bytes_max: usize,
    /// A client must have read its answer after so long, milliseconds
    #[arg(long, env = "CARDHOUSE_HTTP_ANSWER_MS", value_name = "MS", default_value_t = HttpArgs::default().http_answer_ms, value_parser = positive::<u64>)]
    pub http_answer_ms: u64,
    /// A connection without a request is kept so long, milliseconds; longer than a proxy before it keeps it (Nginx: 60 s), so
    /// that no request meets its end
    #[arg(long, env = "CARDHOUSE_HTTP_IDLE_MS", value_name = "MS", default_value_t = HttpArgs::default().http_idle_ms, value_parser = positive::<u64>)]
    pub http_idle_ms: u64,
}

impl Default for HttpArgs {
    fn default() -> Self {
        Self {
            http_head_ms: 10_000,
            http_head_bytes_max: 16 * 1024,
            http_body_ms: 10_000,
            http_body_bytes_max: 64 * 1024,
            http_answer_ms: 30_000,
            http_idle_ms: 75_000,
        }
    }
}

impl HttpArgs {
    pub(super) fn body(&self) -> Duration {
        Duration::from_millis(self.http_body_ms)
    }
}
