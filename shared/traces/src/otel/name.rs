//! What a command's trace is called, which follows from the command: relays and workers find it each by themselves.

use sha2::{Digest as _, Sha256};

use crate::Command;

/// See the module. All nodes find the same, those of later releases too, as long as releases run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    /// The trace.
    pub(super) trace: [u8; 16],
    /// The step to which all others belong.
    pub(super) root: [u8; 8],
    /// By this it is decided whether the command is traced.
    lot: u64,
}

impl Name {
    pub(super) fn of(command: &Command<'_>) -> Self {
        let mut hash = Sha256::new();
        // No name holds a zero byte, so none runs into the next.
        for name in [command.user.as_str(), command.room.as_str()] {
            hash.update(name.as_bytes());
            hash.update([0]);
        }
        hash.update(command.session.0.to_le_bytes());
        hash.update(command.n.to_le_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let (trace, rest) = hash.split_first_chunk().expect("it has 32 bytes");
        let (root, rest) = rest.split_first_chunk().expect("it has 32 bytes");
        let lot = *rest.first_chunk().expect("it has 32 bytes");
        Self { trace: *trace, root: *root, lot: u64::from_le_bytes(lot) }
    }

    /// Whether it is the one in so many that is traced.
    pub(super) fn is_one_in(&self, one_in: u64) -> bool {
        self.lot.is_multiple_of(one_in)
    }
}
