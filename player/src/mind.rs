//! What moves a client: a bot that plays, or whoever else has something to say. The connection is somebody else's: simulated, or a
//! [real one](crate::connect).

use protocol::id::RoomId;
use rand_chacha::ChaCha8Rng;
use tokio::time::{Duration, Instant};

use crate::{
    bot::{Acting, Bot},
    client::{Client, Heard},
};

/// Decides what is said.
pub trait Mind: Send + Sync {
    /// The client that it speaks through.
    fn client(&self) -> &Client;

    /// The same, for whoever brings connection and bytes.
    fn client_mut(&mut self) -> &mut Client;

    /// Its chance.
    fn rng(&mut self) -> &mut ChaCha8Rng;

    /// Takes a message from the relay.
    fn receive(&mut self, text: &str, now: Instant) -> Heard {
        self.client_mut().receive(text, now)
    }

    /// Does what is due now; answers the action at a table that it has begun, if it has.
    fn poll(&mut self, now: Instant) -> Option<Acting>;

    /// The next message to send, oldest first.
    fn pop_outgoing(&mut self) -> Option<String> {
        self.client_mut().pop_outgoing()
    }

    /// When it has something to do, if no message comes before.
    fn next_deadline(&self) -> Option<Instant>;

    /// Whether it vanishes now, and for how long.
    fn take_vanishing(&mut self) -> Option<Duration> {
        None
    }

    /// The room that its connection should be near.
    fn near(&self) -> Option<&RoomId> {
        None
    }

    /// Gives up its seat, and begins nothing new.
    fn stop(&mut self);

    /// After [`Mind::stop`]: it has nothing more to do and waits for nothing.
    fn has_stopped(&self) -> bool;

    /// Whether it has said all that it wanted to, and goes for good.
    fn has_gone(&self) -> bool {
        false
    }
}

impl Mind for Bot {
    fn client(&self) -> &Client {
        Self::client(self)
    }

    fn client_mut(&mut self) -> &mut Client {
        Self::client_mut(self)
    }

    fn rng(&mut self) -> &mut ChaCha8Rng {
        Self::rng(self)
    }

    fn receive(&mut self, text: &str, now: Instant) -> Heard {
        Self::receive(self, text, now)
    }

    fn poll(&mut self, now: Instant) -> Option<Acting> {
        Self::poll(self, now)
    }

    fn next_deadline(&self) -> Option<Instant> {
        Self::next_deadline(self)
    }

    fn take_vanishing(&mut self) -> Option<Duration> {
        Self::take_vanishing(self)
    }

    fn near(&self) -> Option<&RoomId> {
        Self::near(self)
    }

    fn stop(&mut self) {
        Self::stop(self);
    }

    fn has_stopped(&self) -> bool {
        Self::has_stopped(self)
    }
}
