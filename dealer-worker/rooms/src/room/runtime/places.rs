//! Giving places to those who watch a room that only so many may watch; see [`places`](crate::room::places).

use protocol::id::{NodeId, UserId};

use super::Running;
use crate::room::{
    journal::Fenced,
    mailbox::Order,
    places::{Given, List},
};

/// So many answers wait at a time for the journal to say whose the room is. Relays ask again.
const GIVING_MAX: usize = 64;

impl Running {
    /// A relay says who watches, or wants to. What is given holds from when the relay has said so, and that was before the journal is asked: so no
    /// claim that is there by then is later than the list, and every later owner waits for longer than what is given here holds.
    pub(super) fn give_places(&mut self, relay: &NodeId, round: u64, have: u32, viewers: &[UserId]) {
        let max = self.rail.viewers_max as usize;
        while self.giving.try_join_next().is_some() {}
        if max == 0 || self.giving.len() >= GIVING_MAX {
            return;
        }
        let list = List { relay, round, have: have as usize, viewers };
        let Some(Given { without, is_full }) = self.places.give(max, &list, tokio::time::Instant::now())
        else {
            return;
        };
        let (is_ours, replies, mailbox) =
            (self.journal.is_ours(), self.context.replies.clone(), self.mailbox.clone());
        let (relay, id, epoch) = (relay.clone(), self.id.clone(), self.journal.epoch());
        self.giving.spawn(async move {
            match is_ours.await {
                Ok(true) => replies.places(&relay, id, epoch, round, (without, is_full)),
                Ok(false) => {}
                Err(Fenced(later)) => mailbox.order(Order::Superseded(later)),
            }
        });
    }
}
