//! A bot that plays for one seat at one table, which has asked for somebody: it sits down there or goes on where another has left off, and goes for
//! good when the seat is not its to play any more. It never takes a seat back: who plays is the table's to say, and it has asked somebody else.

use protocol::{ErrorCode, RefusalCode, client_out::NoticeCode, id::RoomId};
use rand_chacha::ChaCha8Rng;
use tokio::time::{Duration, Instant};

use crate::{
    bot::{Acting, Bot},
    client::{Client, Heard},
    mind::Mind,
};

/// Who has no seat after so long is not waited for any more.
const SITS_WITHIN: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub struct Invited {
    bot: Bot,
    table: RoomId,
    sits_by: Instant,
    has_sat: bool,
    is_gone: bool,
    takes_back: bool,
}

impl Invited {
    /// One that is not connected yet; the bot plays at this table and nowhere else.
    pub fn new(bot: Bot, table: RoomId, now: Instant) -> Self {
        let bot = bot.that_buys_in_again();
        let sits_by = now + SITS_WITHIN;
        Self { bot, table, sits_by, has_sat: false, is_gone: false, takes_back: false }
    }

    /// One that does what it must not, for those who judge: it takes the seat back from whoever plays by now.
    #[must_use]
    pub fn that_takes_seats_back(mut self) -> Self {
        self.takes_back = true;
        self
    }

    fn look(&mut self, now: Instant) {
        let client = self.bot.client();
        let seat = client.table(&self.table).zip(client.user()).map(|(view, me)| view.seat_of(me));
        match seat {
            Some(Some(_)) => self.has_sat = true,
            Some(None) => self.is_gone |= self.has_sat,
            None => {}
        }
        self.is_gone |= !self.has_sat && now >= self.sits_by;
    }

    /// Whether what was heard says that the seat is not its to play.
    fn is_told_to_go(&self, heard: &Heard) -> bool {
        match heard {
            Heard::Notice(NoticeCode::TakenOver) => !self.takes_back,
            Heard::Unwatched(room) => *room == self.table && !self.takes_back,
            Heard::Error { room: Some(room), code } => *room == self.table && *code != ErrorCode::Unavailable,
            Heard::Refused(refusal) if refusal.room == self.table => match refusal.code {
                Some(RefusalCode::OtherSession) => !self.takes_back,
                _ => !self.has_sat && refusal.retry_after_ms.is_none(),
            },
            _ => false,
        }
    }
}

impl Mind for Invited {
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
        let heard = self.bot.receive(text, now);
        self.is_gone |= self.is_told_to_go(&heard);
        heard
    }

    fn poll(&mut self, now: Instant) -> Option<Acting> {
        self.look(now);
        if self.is_gone { None } else { self.bot.poll(now) }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let sits_by = Some(self.sits_by).filter(|_| !self.has_sat && !self.is_gone);
        self.bot.next_deadline().into_iter().chain(sits_by).min()
    }

    fn near(&self) -> Option<&RoomId> {
        self.bot.near()
    }

    fn stop(&mut self) {
        self.bot.stop();
    }

    fn has_stopped(&self) -> bool {
        self.bot.has_stopped()
    }

    fn has_gone(&self) -> bool {
        self.is_gone
    }
}
