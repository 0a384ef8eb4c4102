//! What time brings: a relay that says nothing is asked whether it is there, and left if it does not answer; a token is
//! renewed before it ends.

use protocol::{ClientIn, time::UnixMs};
use tokio::time::{Duration, Instant};

use super::{Client, Phase};

/// A token is renewed when less than this is left of it.
const TOKEN_MARGIN: Duration = Duration::from_secs(60);

/// When no new token could be got, the next try is so much later.
const TOKEN_RETRY: Duration = Duration::from_secs(5);

/// A relay that has said nothing for so long is asked whether it is there.
const ASK_AFTER: Duration = Duration::from_secs(5);

/// One that says nothing for so long is not, whatever the connection says: it may stand still, or be cut off.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// While somebody [waits](Client::waits) it is asked after so long,
const HURRIED_ASK_AFTER: Duration = Duration::from_secs(2);

/// and has so long to answer.
const HURRIED_ANSWER_WITHIN: Duration = Duration::from_secs(2);

impl Client {
    /// Sends a ping if the relay would otherwise find the connection dead, or may be dead itself; and asks again what has no answer.
    pub fn keep_alive(&mut self, now: Instant) {
        let quiet = now.duration_since(self.last_sent) >= self.idle / 2;
        let asks = now.duration_since(self.last_heard) >= self.ask_after() && self.pinged.is_none();
        if self.phase != Phase::Online {
            return;
        }
        if quiet || asks {
            self.ping(now);
        }
        let again = self.questions.due(now);
        if !again.is_empty() {
            self.outgoing.extend(again);
            self.last_sent = now;
        }
    }

    /// Whether the relay has not even answered the question whether it is there: only another connection helps, and rather
    /// one to another relay.
    pub fn is_in_silence(&self, now: Instant) -> bool {
        self.silent_at().is_some_and(|at| now >= at)
    }

    /// When the connection counts as dead if nothing comes until then.
    fn silent_at(&self) -> Option<Instant> {
        let late = (self.phase != Phase::Offline).then(|| self.last_heard + SILENT_AFTER)?;
        let hurried = self.pinged.filter(|_| self.waits()).map(|at| at + HURRIED_ANSWER_WITHIN);
        Some(hurried.map_or(late, |at| at.min(late)))
    }

    /// Whether somebody waits for what comes next: a command has no answer, or a hand is played with cards of ours.
    fn waits(&self) -> bool {
        self.answers.waiting().next().is_some()
            || self.rooms.keys().any(|room| !self.hole_cards(room).is_empty())
    }

    fn ask_after(&self) -> Duration {
        if self.waits() { HURRIED_ASK_AFTER } else { ASK_AFTER }
    }

    /// Measures the way to the relay and back; answered as [`Heard::Pong`](crate::Heard::Pong).
    pub fn ping(&mut self, now: Instant) {
        let at = u64::try_from(now.duration_since(self.born).as_micros()).unwrap_or_default();
        self.pinged.get_or_insert(now);
        self.say(&ClientIn::Ping { at: at.into() }, now);
    }

    /// When [`Client::keep_alive`] will have something to do, the relay has been silent for too long, or the token wants renewal.
    pub fn next_deadline(&self) -> Option<Instant> {
        let online = self.phase == Phase::Online;
        let ping = online.then(|| self.last_sent.checked_add(self.idle / 2)).flatten();
        let ask = (online && self.pinged.is_none()).then(|| self.last_heard + self.ask_after());
        let question = online.then(|| self.questions.deadline()).flatten();
        [ping, ask, self.silent_at(), question, self.token_until].into_iter().flatten().min()
    }

    /// Uses a new token: at once on a live connection, else with the next hello.
    pub fn renew_token(&mut self, token: String, now: Instant) {
        self.token.clone_from(&token);
        self.token_until = None;
        self.say(&ClientIn::Refresh { token: token.into() }, now);
    }

    /// There is no new token yet: [`Client::needs_token`] again in some seconds.
    pub fn put_off_token(&mut self, now: Instant) {
        self.token_until = Some(now + TOKEN_RETRY);
    }

    /// Whether the token ends soon.
    pub fn needs_token(&self, now: Instant) -> bool {
        self.token_until.is_some_and(|until| now >= until)
    }

    /// The relay says when the token ends.
    pub(super) fn token_ends(&mut self, expires_ms: UnixMs, now: Instant) {
        let Some((server_ms, then)) = self.server_clock else { return };
        let left = Duration::from_millis(expires_ms.saturating_sub(server_ms));
        let left = left.saturating_sub(now.duration_since(then));
        // A token shorter than twice the margin is renewed at half its life.
        self.token_until = Some(now + left.saturating_sub(TOKEN_MARGIN).max(left / 2));
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::RoomId;
    use serde_json::{json, value::RawValue};

    use super::*;

    fn welcome() -> String {
        let welcome = json!({"t": "welcome", "user": "ann", "name": "Ann", "session": "0000000000000001",
            "now_ms": 0, "expires_ms": 3_600_000, "idle_ms": 40_000});
        welcome.to_string()
    }

    #[test]
    fn a_relay_that_says_nothing_is_asked_once_and_left_when_it_does_not_answer() {
        let start = Instant::now();
        let mut client = Client::new("token".into(), start);
        assert!(!client.is_in_silence(start + SILENT_AFTER), "there is no connection yet");
        client.connected(start);
        assert!(client.is_in_silence(start + SILENT_AFTER), "it does not say welcome");
        client.receive(&welcome(), start);
        while client.pop_outgoing().is_some() {}

        let mut pings = |at| {
            client.keep_alive(at);
            std::iter::from_fn(|| client.pop_outgoing()).filter(|text| text.contains("ping")).count()
        };
        let asked = start + ASK_AFTER;
        assert_eq!(pings(asked - Duration::from_millis(1)), 0);
        assert_eq!(pings(asked), 1);
        assert_eq!(pings(asked + Duration::from_secs(1)), 0);
        assert_eq!(client.next_deadline(), Some(start + SILENT_AFTER));
        assert!(client.is_in_silence(start + SILENT_AFTER));
        client
            .receive(&json!({"t": "pong", "at": 0, "now_ms": 0}).to_string(), asked + Duration::from_secs(2));
        assert!(!client.is_in_silence(start + SILENT_AFTER));
    }

    #[test]
    fn who_waits_for_an_answer_asks_sooner_and_leaves_a_silent_relay_after_four_seconds() {
        let start = Instant::now();
        let mut client = Client::new("token".into(), start);
        client.connected(start);
        client.receive(&welcome(), start);
        let room = RoomId::new("t1").unwrap();
        client.raw_command(&room, RawValue::from_string("{}".into()).unwrap(), start);
        while client.pop_outgoing().is_some() {}

        let asked = start + HURRIED_ASK_AFTER;
        assert_eq!(client.next_deadline(), Some(asked));
        client.keep_alive(asked);
        assert!(client.pop_outgoing().unwrap().contains("ping"));
        let leaves = start + Duration::from_secs(4);
        assert_eq!(client.next_deadline(), Some(leaves));
        assert!(client.is_in_silence(leaves) && !client.is_in_silence(leaves - Duration::from_millis(1)));
        // Any word will do: the room may be what is slow.
        client.receive(&json!({"t": "pong", "at": 0, "now_ms": 0}).to_string(), asked);
        assert!(!client.is_in_silence(leaves));
        assert_eq!(client.next_deadline(), Some(asked + HURRIED_ASK_AFTER));
    }

    #[test]
    fn who_begins_to_wait_after_a_silence_gives_the_relay_its_time_to_answer() {
        let start = Instant::now();
        let mut client = Client::new("token".into(), start);
        client.connected(start);
        client.receive(&welcome(), start);
        let later = start + Duration::from_millis(4_900);
        client.raw_command(&RoomId::new("t1").unwrap(), RawValue::from_string("{}".into()).unwrap(), later);
        client.keep_alive(later);
        assert!(!client.is_in_silence(later + Duration::from_millis(1_999)));
        assert!(client.is_in_silence(later + HURRIED_ANSWER_WITHIN));
    }
}
