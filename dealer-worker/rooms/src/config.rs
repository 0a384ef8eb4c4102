//! What a worker is set to. Every bound has its name, unit and default here.

use broker::{members::Heartbeat, seal::SealKey};
use protocol::id::NodeId;

use crate::room::{answers::Memory, talk::Pace};

/// The settings of a [`Worker`](crate::Worker). Times in milliseconds.
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
    /// A keyframe after so many deltas.
    pub keyframe_every: u32,
    /// So many messages of a room's members wait for it, and as many of all others; more commands are refused as `busy`.
    pub mailbox_messages_max: usize,
    /// And so many bytes of them.
    pub mailbox_bytes_max: usize,
    /// So many rooms are being claimed at once.
    pub claims_max: usize,
    /// So many rooms are being handed over at once.
    pub hand_overs_max: usize,
    /// After a takeover whoever is to act has at least so long.
    pub takeover_grace_ms: u64,
    /// After a takeover members of whom no relay has spoken for so long count as away.
    pub presence_grace_ms: u64,
    /// A member whose connection is gone for so long counts as away.
    pub absence_grace_ms: u64,
    /// A room that was offered to another worker is claimed by whom it is assigned to if nothing comes of it for so long.
    pub offer_ms: u64,
    /// The maps of rooms and owners are read again so often.
    pub reread_ms: u64,
    /// A room that could not be taken over is tried again after so long, then after twice as long, up to
    /// [`WorkerConfig::claim_retry_max_ms`].
    pub claim_retry_ms: u64,
    /// See [`WorkerConfig::claim_retry_ms`].
    pub claim_retry_max_ms: u64,
    /// Rooms have so long to be handed over when the worker is told to stop.
    pub drain_ms: u64,
    /// Changes of rooms are told to the lobby so often.
    pub lobby_ms: u64,
    /// All rooms are told to the lobby so often; while relays of the releases before 3 live, every ten seconds at least.
    pub lobby_full_ms: u64,
    /// How much rooms remember of the commands that they have answered.
    pub memory: Memory,
    /// How fast one user may talk in one room.
    pub talk: Pace,
}

impl WorkerConfig {
    /// The defaults.
    pub fn new(node: NodeId, seal_key: SealKey) -> Self {
        Self {
            node,
            seal_key,
            seal_keys_older: Vec::new(),
            heartbeat: Heartbeat::default(),
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
