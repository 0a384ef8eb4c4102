//! Who lives.

use std::{collections::BTreeMap, net::SocketAddr};

use protocol::id::NodeId;

use crate::node::{LISTENERS_TELL_SINCE, Role};

/// A node that lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// What it is.
    pub role: Role,
    /// It is leaving: no more rooms or clients for it.
    pub draining: bool,
    /// What it says and reads; see [`SPEAKS`](crate::node::SPEAKS).
    pub speaks: u16,
    /// It publishes frames only for those who say that they listen.
    pub spares: bool,
    /// Where the edge reaches the relay that is one process with it.
    pub door: Option<SocketAddr>,
}

/// Who lives, as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The living, this node included once it has heard itself.
    pub nodes: BTreeMap<NodeId, Member>,
    /// This node hears nobody: `nodes` is what it last knew.
    pub cut_off: bool,
    /// This node has listened for longer than everybody's beat: whoever is not in `nodes` is not there.
    pub settled: bool,
    /// What every living worker reads: the least of what they speak, and no more than this release does. 1 until `settled`.
    pub workers_speak: u16,
    /// What every living node reads, likewise.
    pub all_speak: u16,
}

impl Default for Membership {
    fn default() -> Self {
        Self { nodes: BTreeMap::new(), cut_off: false, settled: false, workers_speak: 1, all_speak: 1 }
    }
}

impl Membership {
    /// The living of a role, in the order of their names.
    pub fn living(&self, role: Role) -> impl Iterator<Item = &NodeId> {
        self.nodes.iter().filter(move |(_, member)| member.role == role).map(|(node, _)| node)
    }

    /// The living of a role that are not about to leave.
    pub fn staying(&self, role: Role) -> impl Iterator<Item = &NodeId> {
        let stays = move |member: &Member| member.role == role && !member.draining;
        self.nodes.iter().filter(move |(_, member)| stays(member)).map(|(node, _)| node)
    }

    /// Whether it is known that every relay says where it listens.
    pub fn all_relays_tell(&self) -> bool {
        let relays = || self.nodes.values().filter(|member| member.role == Role::Relay);
        self.settled && !self.cut_off && relays().all(|relay| relay.speaks >= LISTENERS_TELL_SINCE)
    }

    /// Whether a worker may want to hear where relays listen: one does, or it is not known who lives.
    pub fn wants_listeners(&self) -> bool {
        !self.settled || self.nodes.values().any(|member| member.role == Role::Worker && member.spares)
    }

    /// Whether the node lives.
    pub fn is_living(&self, node: &NodeId) -> bool {
        self.nodes.contains_key(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::SPEAKS;

    fn with(role: Role, speaks: u16, spares: bool) -> Membership {
        let (node, member) =
            (NodeId::new("n").unwrap(), Member { role, draining: false, speaks, spares, door: None });
        Membership { nodes: BTreeMap::from([(node, member)]), settled: true, ..Membership::default() }
    }

    #[test]
    fn relays_say_where_they_listen_where_a_worker_spares_frames_or_may_live_that_does() {
        assert!(with(Role::Worker, SPEAKS, true).wants_listeners());
        assert!(!with(Role::Worker, SPEAKS, false).wants_listeners());
        assert!(Membership::default().wants_listeners());
    }

    #[test]
    fn that_every_relay_says_so_is_known_where_all_that_live_are_known_and_of_a_release_that_does() {
        let now = with(Role::Relay, LISTENERS_TELL_SINCE, false);
        assert!(now.all_relays_tell());
        assert!(!with(Role::Relay, LISTENERS_TELL_SINCE - 1, false).all_relays_tell());
        assert!(!Membership { cut_off: true, ..now.clone() }.all_relays_tell());
        assert!(!Membership { settled: false, ..now }.all_relays_tell());
    }
}
