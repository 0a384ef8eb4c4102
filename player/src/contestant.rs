//! A bot that plays tournaments: it registers where somebody waits for others, or at the one that it was [made for](Contestant::of), goes where it is sent, and plays
//! there until it is out.

use holdem::SEATS_MAX;
use protocol::{
    RefusalCode,
    id::RoomId,
    lobby::{COUNT_MAX, View},
    table::TableEvent,
    tournament::{LOBBY_SIT_AND_GO, TournamentAnswer, TournamentCommand, TournamentQuestion},
};
use rand_chacha::ChaCha8Rng;
use serde_json::value::to_raw_value;
use tokio::time::{Duration, Instant};

use crate::{
    bot::{Acting, Bot},
    client::{Client, Heard},
    mind::Mind,
};

/// It asks where it belongs that often, as long as it has no seat.
const ASKS_EVERY: Duration = Duration::from_millis(1_500);

/// And at a table, which tells whoever leaves it whither, in case that was missed.
const ASKS_SEATED_EVERY: Duration = Duration::from_secs(15);

/// It looks again so long after it was not let in.
const RESTS: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub struct Contestant {
    bot: Bot,
    /// Where it wants to take part, if nowhere else.
    only: Option<RoomId>,
    /// It has, and is out.
    is_out: bool,
    /// Where it takes part.
    entered: Option<RoomId>,
    /// It wants to: the command, and where.
    registers: Option<(u64, RoomId)>,
    /// It has asked where it belongs, or what is paid.
    asks: Option<u64>,
    /// How many play where it takes part; what the places pay, once it knows that.
    entries: u32,
    knows_prizes: bool,
    /// Not before.
    next: Instant,
    stopping: bool,
}

impl Contestant {
    /// One that is not connected yet.
    pub fn new(bot: Bot, now: Instant) -> Self {
        Self {
            bot: bot.given_seats(),
            only: None,
            is_out: false,
            entered: None,
            registers: None,
            asks: None,
            entries: 0,
            knows_prizes: false,
            next: now,
            stopping: false,
        }
    }

    /// One that registers at this tournament, not before `first`, and goes when it is out.
    pub fn of(room: RoomId, bot: Bot, first: Instant) -> Self {
        Self { only: Some(room), ..Self::new(bot, first) }
    }

    /// Where it takes part.
    pub fn entered(&self) -> Option<&RoomId> {
        self.entered.as_ref()
    }

    /// Where it sits.
    pub fn seated_at(&self) -> Option<&RoomId> {
        self.bot.seated_at()
    }

    fn register(&mut self, room: RoomId, now: Instant) {
        let what = to_raw_value(&TournamentCommand::Register).expect("commands are JSON");
        self.registers = Some((self.bot.client_mut().raw_command(&room, what, now), room));
    }

    fn enter(&mut self, now: Instant) {
        if self.registers.is_some() || self.stopping || self.is_out || now < self.next {
            return;
        }
        if let Some(room) = self.only.clone() {
            return self.register(room, now);
        }
        let client = self.bot.client_mut();
        let sit_and_gos = View { kind: Some(LOBBY_SIT_AND_GO.into()), count: COUNT_MAX, ..View::default() };
        client.lobby(Some(sit_and_gos), now);
        let waits = client.lobby_rows().find(|row| {
            // Bots do not play among themselves: they come when somebody wants to play.
            let people = row.more.get("people").and_then(serde_json::Value::as_u64).unwrap_or(0);
            row.more.get("open") == Some(&true.into()) && people > 0 && row.free() > 0
        });
        let Some((room, entries)) = waits.map(|row| (row.room.clone(), row.seats.unwrap_or(u32::MAX))) else {
            return;
        };
        (self.entries, self.knows_prizes) = (entries, false);
        self.register(room, now);
    }

    fn look(&mut self, room: &RoomId, now: Instant) {
        if self.asks.is_none() && now >= self.next {
            // Who knows where it plays asks for what.
            let is_seated = self.bot.seated_at().is_some();
            let what = match is_seated && !self.knows_prizes {
                true => TournamentQuestion::Prizes,
                false => TournamentQuestion::Me,
            };
            let question = to_raw_value(&what).expect("questions are JSON");
            self.asks = Some(self.bot.client_mut().question(room, question, now));
            self.next = now + if is_seated { ASKS_SEATED_EVERY } else { ASKS_EVERY };
        }
    }

    fn leave(&mut self, now: Instant) {
        if let Some(room) = self.entered.take() {
            self.bot.client_mut().unwatch(&room, now);
        }
        self.bot.sent_to(None, now);
        self.next = now + RESTS;
    }

    fn told(&mut self, body: &str, now: Instant) {
        let me = match serde_json::from_str(body) {
            // As soon as its chips are there.
            Ok(TournamentAnswer::Me { paying: true, .. }) => return,
            Ok(TournamentAnswer::Me { me, .. }) => me,
            Ok(TournamentAnswer::Prizes { prizes, .. }) => {
                let paid = prizes.iter().flat_map(|prize| (prize.from..=prize.to).map(|_| prize.each));
                self.bot.plays_for(paid.take(SEATS_MAX).collect(), self.entries);
                self.knows_prizes = true;
                return;
            }
            _ => return,
        };
        match me {
            Some(me) if me.place.is_none() => {
                if me.table.is_some() {
                    self.bot.sent_to(me.table, now);
                }
            }
            // Out, or it was not taken after all.
            me => {
                self.is_out = self.only.is_some() && me.is_some();
                self.leave(now);
            }
        }
    }

    /// Its table has sent it elsewhere, or has no chips of it any more.
    fn follow(&mut self, events: &[TableEvent], now: Instant) {
        let Some(me) = self.bot.client().user().cloned() else { return };
        for event in events {
            match event {
                TableEvent::Moved { user, to, .. } if *user == me => {
                    self.bot.sent_to(Some(to.clone()), now);
                    // It may be turned away there.
                    self.next = now + ASKS_EVERY;
                }
                TableEvent::Busted { user, .. } if *user == me => self.next = now,
                _ => {}
            }
        }
    }
}

impl Mind for Contestant {
    fn client(&self) -> &Client {
        self.bot.client()
    }

    fn client_mut(&mut self) -> &mut Client {
        self.bot.client_mut()
    }

    fn rng(&mut self) -> &mut ChaCha8Rng {
        self.bot.rng()
    }

    fn receive(&mut self, text: &str, now: Instant) -> Heard {
        let table = self.bot.seated_at().cloned();
        let heard = self.bot.receive(text, now);
        match &heard {
            Heard::Acked { n, .. } if self.registers.as_ref().is_some_and(|(asked, _)| asked == n) => {
                self.entered = self.registers.take().map(|(_, room)| room);
            }
            Heard::Refused(refusal)
                if self.registers.as_ref().is_some_and(|(asked, _)| *asked == refusal.n) =>
            {
                let is_in = refusal.code == Some(RefusalCode::Unchanged);
                let too_late = [RefusalCode::Late, RefusalCode::NoSeat, RefusalCode::NoSuchRoom];
                let is_too_late = refusal.code.is_some_and(|code| too_late.contains(&code));
                // Places may wait for chips that do not come.
                let is_for_good = is_too_late && refusal.retry_after_ms.is_none();
                self.is_out |= is_for_good && self.only.is_some();
                let room = self.registers.take().map(|(_, room)| room);
                self.entered = room.filter(|_| is_in);
                self.next = now + RESTS;
            }
            Heard::Answer { n, body, .. } if self.asks == Some(*n) => {
                self.asks = None;
                let body = body.get().to_owned();
                self.told(&body, now);
            }
            Heard::Unanswered { why, .. } => {
                self.asks = None;
                if why.code == Some(RefusalCode::NoSuchRoom) {
                    self.is_out = self.only.is_some() && self.entered.is_some();
                    self.leave(now);
                }
            }
            Heard::Frame { room, events, .. } if self.bot.is_at(room) => self.follow(events, now),
            Heard::Unwatched(room) if self.entered.as_ref() == Some(room) => {
                self.is_out = self.only.is_some();
                self.leave(now);
            }
            // Its table has ended: it is elsewhere, or has won.
            Heard::Unwatched(room) if table.as_ref() == Some(room) => self.next = now,
            // With a new session what was asked before never has an answer.
            Heard::Welcome { resumed: false } => (self.registers, self.asks) = (None, None),
            _ => {}
        }
        heard
    }

    fn poll(&mut self, now: Instant) -> Option<Acting> {
        if self.bot.client().is_online() {
            match self.entered.clone() {
                Some(room) => self.look(&room, now),
                None => self.enter(now),
            }
        }
        self.bot.poll(now)
    }

    fn next_deadline(&self) -> Option<Instant> {
        let waits = self.asks.is_none() && self.registers.is_none() && self.bot.client().is_online();
        let wants = self.entered.is_some() || self.only.is_some() && !self.is_out;
        let own = waits.then_some(self.next).filter(|_| wants && !self.stopping);
        own.into_iter().chain(self.bot.next_deadline()).min()
    }

    /// Who comes for one tournament stays on his connection, whatever tables he is sent to.
    fn near(&self) -> Option<&RoomId> {
        if self.only.is_some() { None } else { self.bot.near() }
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.bot.stop();
    }

    /// Nobody leaves a tournament: its chips are played on by the clock.
    fn has_stopped(&self) -> bool {
        self.stopping && self.bot.client().answers().waiting().len() == 0
    }

    fn has_gone(&self) -> bool {
        self.is_out && self.bot.client().answers().waiting().len() == 0
    }
}
