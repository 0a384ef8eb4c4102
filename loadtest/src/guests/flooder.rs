//! A guest without a seat that asks one table for something as fast as it is answered, as short or as long as a message may be. Many
//! of them ask for more than a table can do; whoever sits there must not feel it.

use player::{Client, Mind, bot::Acting};
use protocol::{id::RoomId, table::TableCommand};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{json, value::RawValue};
use tokio::time::{Duration, Instant};

/// The longest pause between an answer and the next command, milliseconds.
const PAUSE_MAX_MS: u64 = 50;

/// A long message has so many bytes: it is no command, but that is seen only when it is heard.
const LONG_BYTES: usize = 6 * 1_024;

/// See the module.
pub(crate) struct Flooder {
    client: Client,
    room: RoomId,
    /// Most of what it says is long.
    is_long_winded: bool,
    rng: ChaCha8Rng,
    /// Nothing before,
    rests_until: Instant,
    /// and nothing after.
    ends: Instant,
    said: u64,
    stopping: bool,
}

impl Flooder {
    /// It begins and ends at these times, and says nothing before and after.
    pub(crate) fn new(
        room: RoomId,
        is_long_winded: bool,
        seed: u64,
        token: String,
        (rests_until, ends): (Instant, Instant),
    ) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let client = Client::new(token, Instant::now());
        Self { client, room, is_long_winded, rng, rests_until, ends, said: 0, stopping: false }
    }

    fn says(&mut self, now: Instant) {
        self.said += 1;
        let text = format!("line {}", self.said);
        let what = match self.rng.random_range(0..10) {
            0..6 if self.is_long_winded => json!({"a": "chat", "text": "x".repeat(LONG_BYTES)}),
            0..8 => json!(TableCommand::Chat { text }),
            8 => json!(TableCommand::Sit { seat: Some(99), buy_in: 200, wait_for_big_blind: false }),
            _ => json!(TableCommand::Leave),
        };
        let what = RawValue::from_string(what.to_string()).expect("JSON");
        self.client.raw_command(&self.room, what, now);
    }
}

impl Mind for Flooder {
    fn client(&self) -> &Client {
        &self.client
    }

    fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    fn poll(&mut self, now: Instant) -> Option<Acting> {
        self.client.keep_alive(now);
        if !self.client.is_online() || now < self.rests_until || self.client.answers().waiting().len() > 0 {
            return None;
        }
        if self.stopping || now >= self.ends {
            self.rests_until = now + Duration::from_secs(60);
            return None;
        }
        self.rests_until = now + Duration::from_millis(self.rng.random_range(0..=PAUSE_MAX_MS));
        self.says(now);
        None
    }

    fn next_deadline(&self) -> Option<Instant> {
        let waits = self.client.answers().waiting().len() > 0 || !self.client.is_online();
        let own = (!waits).then_some(self.rests_until);
        own.into_iter().chain(self.client.next_deadline()).min()
    }

    fn stop(&mut self) {
        if !std::mem::replace(&mut self.stopping, true) {
            self.rests_until = Instant::now();
        }
    }

    fn has_stopped(&self) -> bool {
        self.stopping && self.client.answers().waiting().len() == 0
    }
}
