//! What a worker is set to. Every bound has its name, unit and default here.

use broker::{members::Heartbeat, seal::SealKey};
use clap::{Args, builder::RangedU64ValueParser, value_parser};
use protocol::{bounds::MESSAGE_BYTES_MAX, id::NodeId};

use crate::room::{answers::Memory, talk::Pace};

/// The settings of a [`Worker`](crate::Worker).
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// This worker's name, new at every start.
    pub node: NodeId,
    /// The house's key for secrets in journals.
    pub seal_key: SealKey,
    /// Keys of the past, for opening only.
    pub seal_keys_older: Vec<SealKey>,
    /// How often it says that it lives, and when others are taken for dead.
    pub heartbeat: Heartbeat,
    /// Its pace and bounds.
    pub bounds: Bounds,
}

impl WorkerConfig {
    /// The defaults.
    pub fn new(node: NodeId, seal_key: SealKey) -> Self {
        Self {
            node,
            seal_key,
            seal_keys_older: Vec::new(),
            heartbeat: Heartbeat::default(),
            bounds: Bounds::default(),
        }
    }
}

/// A worker's pace and bounds: flags, or `CARDHOUSE_*` environment variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
#[command(next_help_heading = "Worker")]
pub struct Bounds {
    /// A keyframe after so many deltas of a room
    #[arg(long, env = "CARDHOUSE_KEYFRAME_EVERY", default_value_t = Bounds::default().keyframe_every, value_name = "COUNT", value_parser = value_parser!(u32).range(1..))]
    pub keyframe_every: u32,
    /// So many messages of a room's members wait for it, and as many of all others; commands beyond are refused as busy
    #[arg(long, env = "CARDHOUSE_MAILBOX_MESSAGES_MAX", default_value_t = Bounds::default().mailbox_messages_max, value_name = "COUNT", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub mailbox_messages_max: usize,
    /// And so many bytes of each; not less than the longest message that a relay may let through
    #[arg(long, env = "CARDHOUSE_MAILBOX_BYTES_MAX", default_value_t = Bounds::default().mailbox_bytes_max, value_name = "BYTES", value_parser = at_least_a_message)]
    pub mailbox_bytes_max: usize,
    /// So many rooms are being claimed at once
    #[arg(long, env = "CARDHOUSE_CLAIMS_MAX", default_value_t = Bounds::default().claims_max, value_name = "COUNT", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub claims_max: usize,
    /// So many rooms are being handed over at once
    #[arg(long, env = "CARDHOUSE_HAND_OVERS_MAX", default_value_t = Bounds::default().hand_overs_max, value_name = "COUNT", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub hand_overs_max: usize,
    /// After a takeover whoever is to act has at least so long, milliseconds
    #[arg(long, env = "CARDHOUSE_TAKEOVER_GRACE_MS", default_value_t = Bounds::default().takeover_grace_ms, value_name = "MS")]
    pub takeover_grace_ms: u64,
    /// After a takeover players of whom no relay has spoken for so long count as disconnected, milliseconds
    #[arg(long, env = "CARDHOUSE_PRESENCE_GRACE_MS", default_value_t = Bounds::default().presence_grace_ms, value_name = "MS")]
    pub presence_grace_ms: u64,
    /// A player whose connection is gone for so long counts as disconnected; who is back before has missed nothing, milliseconds
    #[arg(long, env = "CARDHOUSE_ABSENCE_GRACE_MS", default_value_t = Bounds::default().absence_grace_ms, value_name = "MS")]
    pub absence_grace_ms: u64,
    /// A room offered to a worker that does not take it for so long may be claimed by others, milliseconds
    #[arg(long, env = "CARDHOUSE_OFFER_MS", default_value_t = Bounds::default().offer_ms, value_name = "MS", value_parser = value_parser!(u64).range(1..))]
    pub offer_ms: u64,
    /// The maps of rooms and owners are read again so often, milliseconds
    #[arg(long, env = "CARDHOUSE_REREAD_MS", default_value_t = Bounds::default().reread_ms, value_name = "MS", value_parser = value_parser!(u64).range(100..))]
    pub reread_ms: u64,
    /// A room that cannot be restored is tried again after so long, then after twice as long, milliseconds
    #[arg(long, env = "CARDHOUSE_CLAIM_RETRY_MS", default_value_t = Bounds::default().claim_retry_ms, value_name = "MS", value_parser = value_parser!(u64).range(1..))]
    pub claim_retry_ms: u64,
    /// The longest such pause, milliseconds
    #[arg(long, env = "CARDHOUSE_CLAIM_RETRY_MAX_MS", default_value_t = Bounds::default().claim_retry_max_ms, value_name = "MS", value_parser = value_parser!(u64).range(1..))]
    pub claim_retry_max_ms: u64,
    /// How long handing rooms over may take after SIGTERM, milliseconds
    #[arg(id = "hand_over_ms", long = "drain-ms", env = "CARDHOUSE_DRAIN_MS", default_value_t = Bounds::default().drain_ms, value_name = "MS")]
    pub drain_ms: u64,
    /// Changes of rooms are told to the lobby so often, milliseconds
    #[arg(long, env = "CARDHOUSE_LOBBY_MS", default_value_t = Bounds::default().lobby_ms, value_name = "MS", value_parser = value_parser!(u64).range(1..))]
    pub lobby_ms: u64,
    // While relays of the releases before 3 live, every ten seconds at least.
    /// All rooms are told to the lobby so often, milliseconds
    #[arg(long, env = "CARDHOUSE_LOBBY_FULL_MS", default_value_t = Bounds::default().lobby_full_ms, value_name = "MS", value_parser = value_parser!(u64).range(1..))]
    pub lobby_full_ms: u64,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub memory: Memory,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the command's")]
    pub talk: Pace,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            keyframe_every: 64,
            mailbox_messages_max: 256,
            mailbox_bytes_max: 128 * 1_024,
            claims_max: 32,
            hand_overs_max: 32,
            takeover_grace_ms: 5_000,
            presence_grace_ms: 10_000,
            absence_grace_ms: 1_000,
            offer_ms: 2_000,
            reread_ms: 5_000,
            claim_retry_ms: 1_000,
            claim_retry_max_ms: 60_000,
            drain_ms: 10_000,
            lobby_ms: 1_000,
            lobby_full_ms: 60_000,
            memory: Memory::default(),
            talk: Pace::default(),
        }
    }
}

/// Reads how many bytes a mailbox holds.
fn at_least_a_message(text: &str) -> Result<usize, String> {
    let bytes = text.parse::<usize>().map_err(|error| error.to_string())?;
    let least = MESSAGE_BYTES_MAX as usize;
    if bytes >= least { Ok(bytes) } else { Err(format!("one message of a client may have {least} bytes")) }
}
