//! What guests that are no bots have in common: a client, chance, pauses, and when they are done.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio::time::{Duration, Instant};

use crate::{
    bot::Acting,
    client::{Client, Heard},
    mind::Mind,
};

/// What a [`Visitor`] has.
pub struct Own {
    /// What it speaks through.
    pub client: Client,
    /// Its chance.
    pub rng: ChaCha8Rng,
    /// It does nothing before.
    pub rests_until: Instant,
    /// It vanishes for so long, as soon as it is asked.
    pub vanish: Option<Duration>,
    /// It was asked to stop.
    pub stopping: bool,
}

impl Own {
    /// One that does nothing before `rests_until`.
    pub fn new(seed: u64, token: String, rests_until: Instant) -> Self {
        let (client, rng) = (Client::new(token, Instant::now()), ChaCha8Rng::seed_from_u64(seed));
        Self { client, rng, rests_until, vanish: None, stopping: false }
    }

    /// Whether a command waits for its answer.
    fn waits(&self) -> bool {
        self.client.answers().waiting().len() > 0
    }
}

/// A mind that does one thing after another, with pauses between them.
pub trait Visitor: Send + Sync {
    /// It may do something while commands wait for their answers.
    const IS_IMPATIENT: bool = false;

    /// What it has.
    fn own(&self) -> &Own;

    /// The same.
    fn own_mut(&mut self) -> &mut Own;

    /// Takes a message from the relay.
    fn hear(&mut self, text: &str, now: Instant) -> Heard {
        self.own_mut().client.receive(text, now)
    }

    /// Does something, and says until when it rests: it is online and has rested.
    fn act(&mut self, now: Instant);

    /// The next message to send, oldest first.
    fn say(&mut self) -> Option<String> {
        self.own_mut().client.pop_outgoing()
    }

    /// Whether there is nothing that it must still do, once it was asked to stop.
    fn is_done(&self) -> bool {
        true
    }

    /// Whether it has said all that it wanted to, and goes for good.
    fn has_said_all(&self) -> bool {
        false
    }
}

impl<V: Visitor> Mind for V {
    fn client(&self) -> &Client {
        &self.own().client
    }

    fn client_mut(&mut self) -> &mut Client {
        &mut self.own_mut().client
    }

    fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.own_mut().rng
    }

    fn receive(&mut self, text: &str, now: Instant) -> Heard {
        self.hear(text, now)
    }

    fn poll(&mut self, now: Instant) -> Option<Acting> {
        let own = self.own_mut();
        own.client.keep_alive(now);
        let may = own.client.is_online() && now >= own.rests_until && (V::IS_IMPATIENT || !own.waits());
        if may {
            self.act(now);
        }
        None
    }

    fn pop_outgoing(&mut self) -> Option<String> {
        self.say()
    }

    fn next_deadline(&self) -> Option<Instant> {
        let own = self.own();
        let may = own.client.is_online() && (V::IS_IMPATIENT || !own.waits());
        may.then_some(own.rests_until).into_iter().chain(own.client.next_deadline()).min()
    }

    fn take_vanishing(&mut self) -> Option<Duration> {
        self.own_mut().vanish.take()
    }

    fn stop(&mut self) {
        let own = self.own_mut();
        if !std::mem::replace(&mut own.stopping, true) {
            own.rests_until = Instant::now();
        }
    }

    fn has_stopped(&self) -> bool {
        let own = self.own();
        own.stopping && !own.waits() && self.is_done()
    }

    fn has_gone(&self) -> bool {
        self.has_said_all() && !self.own().waits()
    }
}
