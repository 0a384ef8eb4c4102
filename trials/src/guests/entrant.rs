//! A guest of a tournament: it registers, perhaps thinks better of it and comes late, goes where it is sent and plays there, or sits out. It also asks for
//! everything that is not its to ask: to take part twice, to leave, to bring chips, and all that only directors may do.

use player::{Bot, Client, Heard, Mind, bot::Acting};
use protocol::{
    RefusalCode,
    id::RoomId,
    table::TableCommand,
    tournament::{TournamentAnswer, TournamentCommand, TournamentQuestion},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::{json, value::to_raw_value};
use tokio::time::{Duration, Instant};

/// It asks where it belongs that often.
const ASKS_EVERY: Duration = Duration::from_millis(1_500);

/// The longest pause between two things that it wants, milliseconds.
const PAUSE_MAX_MS: u64 = 3_000;

/// See the module.
pub(crate) struct Entrant {
    bot: Bot,
    room: RoomId,
    /// Looks at the tournament itself, too.
    watches: bool,
    rng: ChaCha8Rng,
    asks: Option<u64>,
    /// Not before it asks again where it belongs.
    looks_at: Instant,
    /// Not before it wants something.
    rests_until: Instant,
    /// It takes part.
    is_in: bool,
    /// There is nothing more to be had there: it is out, or it is over.
    is_done: bool,
    vanish: Option<Duration>,
    stopping: bool,
}

impl Entrant {
    /// One that comes after `late`.
    pub(crate) fn new(bot: Bot, room: RoomId, seed: u64, late: Duration, now: Instant) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Self {
            bot: bot.given_seats(),
            room,
            watches: rng.random_bool(0.5),
            rng,
            asks: None,
            looks_at: now,
            rests_until: now + late,
            is_in: false,
            is_done: false,
            vanish: None,
            stopping: false,
        }
    }

    fn says(&mut self, room: &RoomId, what: &impl Serialize, now: Instant) {
        let raw = to_raw_value(what).expect("commands are JSON");
        self.bot.client_mut().raw_command(room, raw, now);
    }

    fn something(&mut self, now: Instant) {
        let pause = Duration::from_millis(self.rng.random_range(100..=PAUSE_MAX_MS));
        self.rests_until = now + pause;
        let room = self.room.clone();
        if self.watches {
            self.bot.client_mut().watch(&room, now);
        }
        let table = self.bot.seated_at().cloned();
        let wants = self.rng.random_range(0..24);
        // In the end all want to take part, so that it begins.
        let what = match wants {
            _ if !self.is_in && (self.stopping || wants < 14) => TournamentCommand::Register,
            _ if self.stopping => return,
            0 | 1 => TournamentCommand::Register,
            2 => TournamentCommand::Unregister,
            3 if self.rng.random_bool(0.5) => TournamentCommand::Penalty { entry: 1, hands: 3 },
            3 => TournamentCommand::Pause,
            4 if self.rng.random_bool(0.5) => TournamentCommand::Disqualify { entry: 1 },
            4 => TournamentCommand::Resume,
            5 => TournamentCommand::AddTime { ms: 60_000 },
            6 => TournamentCommand::Cancel,
            7 => return self.says(&room, &json!({"a": "sit", "buy_in": 100}), now),
            8..12 => {
                let what = match wants {
                    8 => TableCommand::Leave,
                    9 => TableCommand::TopUp { amount: 100 },
                    10 => TableCommand::Sit { seat: None, buy_in: 100, wait_for_big_blind: false },
                    _ => TableCommand::SitOut,
                };
                // Its own table, or one at which it has nothing to do.
                let other = RoomId::new(&format!("{room}.1")).expect("a name");
                return self.says(&table.unwrap_or(other), &what, now);
            }
            12 if self.rng.random_bool(0.3) => {
                self.vanish = Some(pause);
                return;
            }
            _ => return,
        };
        self.says(&room, &what, now);
    }

    fn told(&mut self, body: &str, now: Instant) {
        let Ok(TournamentAnswer::Me { me, .. }) = serde_json::from_str(body) else { return };
        self.is_in = me.is_some();
        let Some(me) = me else { return };
        if me.place.is_some() {
            self.is_done = true;
            self.bot.sent_to(None, now);
        } else if me.table.is_some() {
            self.bot.sent_to(me.table, now);
        }
    }
}

impl Mind for Entrant {
    fn client(&self) -> &Client {
        self.bot.client()
    }

    fn client_mut(&mut self) -> &mut Client {
        self.bot.client_mut()
    }

    fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    fn receive(&mut self, text: &str, now: Instant) -> Heard {
        let heard = self.bot.receive(text, now);
        match &heard {
            Heard::Answer { n, body, .. } if self.asks == Some(*n) => {
                self.asks = None;
                let body = body.get().to_owned();
                self.told(&body, now);
            }
            Heard::Unanswered { why, .. } => {
                self.asks = None;
                self.is_done |= why.code == Some(RefusalCode::NoSuchRoom);
            }
            Heard::Refused(refusal) if refusal.room == self.room => {
                self.is_done |= refusal.code == Some(RefusalCode::NoSuchRoom);
            }
            Heard::Unwatched(room) if *room == self.room => self.is_done = true,
            // What was asked before never has an answer.
            Heard::Welcome { resumed: false } => self.asks = None,
            _ => {}
        }
        heard
    }

    fn poll(&mut self, now: Instant) -> Option<Acting> {
        if self.bot.client().is_online() && !self.is_done {
            if self.asks.is_none() && now >= self.looks_at {
                let question = to_raw_value(&TournamentQuestion::Me).expect("questions are JSON");
                let room = self.room.clone();
                self.asks = Some(self.bot.client_mut().question(&room, question, now));
                self.looks_at = now + ASKS_EVERY;
            }
            if now >= self.rests_until && self.bot.client().answers().waiting().len() == 0 {
                self.something(now);
            }
        }
        self.bot.poll(now)
    }

    fn next_deadline(&self) -> Option<Instant> {
        let is_there = self.bot.client().is_online() && !self.is_done;
        let looks = self.asks.is_none().then_some(self.looks_at);
        let wants = (self.bot.client().answers().waiting().len() == 0).then_some(self.rests_until);
        let own = looks.into_iter().chain(wants).filter(|_| is_there);
        own.chain(self.bot.next_deadline()).min()
    }

    fn take_vanishing(&mut self) -> Option<Duration> {
        self.vanish.take()
    }

    /// Nobody leaves a tournament: the bot plays on until it is out.
    fn stop(&mut self) {
        self.stopping = true;
    }

    fn has_stopped(&self) -> bool {
        self.stopping && self.bot.client().answers().waiting().len() == 0
    }
}
