//! A bot: a client with a mind of its own, without I/O.
//!
//! It finds a table, sits, plays its [`Style`], chats a little, buys in again when broke, leaves and comes back, and
//! vanishes at times without a word. All chance comes from one seed and all time from outside.

use std::sync::Arc;

use broker::lobby::FIRST_KIND;
use protocol::{
    ErrorCode, RefusalCode,
    id::RoomId,
    lobby::{COUNT_MAX, View},
    table::{SeatStatus, SeatView, TableCommand, TableView},
    talk::beside,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strategies::Style;
use tokio::time::{Duration, Instant};

use crate::{
    client::{Client, Heard},
    decision::{self, Prizes, Sight, choose},
    incoming::Refusal,
};

/// Pause after a refusal that names none.
const AFTER_REFUSAL: Duration = Duration::from_millis(500);

/// Of the time for a turn no more than this part is spent thinking by who plays sensibly: the clock is not for bots.
const TURN_PART_MAX: f64 = 0.6;

/// Who does not get its cards acts without them after so long.
const CARDS_WITHIN: Duration = Duration::from_millis(500);

const SAYINGS: [&str; 6] = ["nice hand", "wow", "ty", "good luck", "brb", "what a river"];

/// How a bot behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Habits {
    /// Thinking time for an action: at least this.
    pub think_min: Duration,
    /// And on average this much more (exponentially distributed, at most ten times as much).
    pub think_more: Duration,
    /// Chance to say something after a hand.
    pub chat: f64,
    /// Chance to leave the table after a hand.
    pub leave: f64,
    /// Chance to sit out after a hand, and to come back some hands later.
    pub sit_out: f64,
    /// Chance to promise more chips in the middle of a hand.
    pub top_up: f64,
    /// Chance to vanish after a hand without a word: the connection drops, the seat stays.
    pub vanish: f64,
    /// Chance to show one card after a hand in which none was seen; half of them show the others too.
    pub show: f64,
    /// Chance to wait for the big blind rather than post what is owed.
    pub wait: f64,
    /// How long one stays away after leaving, vanishing or sitting out: up to this.
    pub away: Duration,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            think_min: Duration::from_millis(300),
            think_more: Duration::from_millis(1_200),
            chat: 0.02,
            leave: 0.005,
            sit_out: 0.0,
            top_up: 0.0,
            show: 0.0,
            wait: 0.0,
            vanish: 0.0,
            away: Duration::from_secs(5),
        }
    }
}

/// What a bot is made of.
#[derive(Debug, Clone)]
pub struct Character {
    /// How it chooses.
    pub style: Style,
    /// How it behaves.
    pub habits: Habits,
    /// Where it may play; empty: anywhere, by the lobby.
    pub tables: Arc<[RoomId]>,
    /// Which of them it tries first.
    pub home: usize,
    /// Where all its chance comes from.
    pub seed: u64,
}

/// An action that was just put on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    /// At which table.
    pub room: RoomId,
    /// In which hand.
    pub hand: u64,
    /// In which turn.
    pub turn: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Bot {
    client: Client,
    character: Character,
    rng: ChaCha8Rng,
    /// The table where it sits or wants to.
    room: Option<RoomId>,
    /// The table where another session of the user has taken the seat, until it goes back there.
    seat_lost: Option<RoomId>,
    /// Where it says what it has to say at the table where it sits.
    talks_in: Option<RoomId>,
    /// How many tables were full, one after the other.
    full: usize,
    /// The turn that it thinks about or has answered, and when the thinking ends.
    turn: Option<Thought>,
    /// A command other than an action, without an answer so far.
    asked: Option<u64>,
    /// It has asked for a seat by this command, and has none yet.
    sits: Option<u64>,
    /// No such command before.
    rest_until: Option<Instant>,
    /// When it was polled last: what was due then and was not done waits for a message.
    polled: Option<Instant>,
    /// What a table that it left not long ago asks it to bring.
    bring: Option<u64>,
    /// The last hand after which it thought about staying.
    mused: u64,
    /// The last hand in which it thought about more chips.
    counted: u64,
    /// The hand whose other cards it shows as well.
    shows_all_of: Option<u64>,
    vanish: Option<Duration>,
    /// Seats are given to it and taken from it: it plays, and does nothing else.
    is_given_seats: bool,
    /// It stops when it has left, and not when it is going to.
    waits_until_left: bool,
    /// It brings more chips when it has none, always.
    buys_in_again: bool,
    stopping: bool,
    /// Where places are paid.
    prizes: Prizes,
}

#[derive(Debug, Clone, Copy)]
struct Thought {
    hand: u64,
    turn: u64,
    /// `None` once the action is on its way.
    until: Option<Instant>,
    /// The thinking is done, and the own cards have not come: they come right behind the frame that dealt them, which may say already
    /// whose turn it is.
    waits_for_cards: bool,
}

impl Bot {
    /// A bot that is not connected yet.
    pub fn new(character: Character, token: String, now: Instant) -> Self {
        Self {
            client: Client::new(token, now),
            rng: ChaCha8Rng::seed_from_u64(character.seed),
            character,
            room: None,
            seat_lost: None,
            talks_in: None,
            full: 0,
            turn: None,
            asked: None,
            sits: None,
            rest_until: None,
            polled: None,
            bring: None,
            mused: 0,
            counted: 0,
            shows_all_of: None,
            vanish: None,
            is_given_seats: false,
            waits_until_left: false,
            buys_in_again: false,
            stopping: false,
            prizes: Prizes::default(),
        }
    }

    /// The same where seats are given and taken, as in a tournament: it plays where it [is sent to](Self::sent_to), and neither sits down
    /// nor leaves nor brings chips.
    #[must_use]
    pub fn given_seats(mut self) -> Self {
        self.is_given_seats = true;
        self
    }

    /// The same that does not stop before it has left its table, so that it knows with how much.
    #[must_use]
    pub fn that_waits_until_it_has_left(mut self) -> Self {
        self.waits_until_left = true;
        self
    }

    /// The same that brings more chips whenever it has none, and does not leave instead.
    #[must_use]
    pub fn that_buys_in_again(mut self) -> Self {
        self.buys_in_again = true;
        self
    }

    /// It plays for these prizes, the first place's first, in a tournament of so many entries.
    pub fn plays_for(&mut self, prizes: Vec<u64>, entries: u32) {
        self.prizes = Prizes { places: prizes, entries };
    }

    /// From now on it plays at this table, or at none.
    pub fn sent_to(&mut self, room: Option<RoomId>, now: Instant) {
        if self.room == room {
            return;
        }
        if let Some(before) = std::mem::replace(&mut self.room, room) {
            self.client.unwatch(&before, now);
        }
        (self.turn, self.asked, self.mused) = (None, None, 0);
    }

    /// Whether this is the table at which it plays or wants to.
    pub fn is_at(&self, room: &RoomId) -> bool {
        self.room.as_ref() == Some(room)
    }

    /// The client that it plays through.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The same, for whoever brings connection and bytes.
    pub fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// The bot's chance, for whoever times its reconnects.
    pub fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    /// The table where it sits.
    pub fn seated_at(&self) -> Option<&RoomId> {
        let room = self.room.as_ref()?;
        self.client.table(room)?.seat_of(self.client.user()?)?;
        Some(room)
    }

    /// The table that its connection should be near.
    pub fn near(&self) -> Option<&RoomId> {
        self.seated_at().filter(|_| self.client.connects_near())
    }

    /// Takes a message from the relay.
    pub fn receive(&mut self, text: &str, now: Instant) -> Heard {
        let heard = self.client.receive(text, now);
        match &heard {
            Heard::Acked { n, .. } if self.asked == Some(*n) => self.asked = None,
            Heard::Refused(refusal) => self.refused(refusal, now),
            // What was asked before and has no answer was sent again; with a new session it never will have one.
            Heard::Welcome { resumed: false } => self.asked = None,
            // Unless it has asked to watch again already.
            Heard::Unwatched(room) if self.client.room(room).is_none() => self.give_up(room),
            // A room that cannot be read at the moment is no reason to go: its keyframe comes when it can.
            Heard::Error { code: ErrorCode::Unavailable, .. } => {}
            Heard::Error { room: Some(room), .. } => self.give_up(room),
            _ => {}
        }
        heard
    }

    fn give_up(&mut self, room: &RoomId) {
        if self.room.as_ref() == Some(room) {
            self.room = None;
        }
    }

    /// Does what is due now; to be called after every message and at [`Bot::next_deadline`].
    pub fn poll(&mut self, now: Instant) -> Option<Acting> {
        self.polled = Some(now);
        self.client.keep_alive(now);
        if !self.client.is_online() {
            return None;
        }
        let room = self.choose_room(now)?;
        self.client.watch(&room, now);
        let view = self.client.table(&room)?;
        let me = self.client.user()?;
        let Some(seat) = view.seat_of(me) else {
            self.turn = None;
            self.take_a_seat(&room, now);
            self.give_the_seat_up(&room, now);
            return None;
        };
        (self.full, self.sits) = (0, None);
        self.listen(&room, now);
        if let Some(acting) = self.act(&room, seat, now) {
            return Some(acting);
        }
        self.mind_the_seat(&room, seat, now);
        None
    }

    /// When [`Bot::poll`] has something to do, if no message comes before. Later than the last poll, but for the client's own
    /// deadlines: a bot that is stopping leaves its turn to the clock, and one that waits for a keyframe knows no table to act at.
    pub fn next_deadline(&self) -> Option<Instant> {
        let thought = self.turn.and_then(|thought| thought.until);
        let rest = self.rest_until.filter(|_| self.asked.is_none());
        let own = [thought, rest].into_iter().flatten().filter(|due| Some(*due) > self.polled);
        own.chain(self.client.next_deadline()).min()
    }

    /// Whether it vanishes now, and for how long.
    pub fn take_vanishing(&mut self) -> Option<Duration> {
        self.vanish.take()
    }

    /// No new actions from now on: leaves the table and waits for outstanding answers.
    pub fn stop(&mut self) {
        self.stopping = true;
        self.rest_until = None;
    }

    /// After [`Bot::stop`]: everything is answered and the seat is given up (or will be when the hand has ended, unless it
    /// [waits for that](Self::that_waits_until_it_has_left)).
    pub fn has_stopped(&self) -> bool {
        let is_leaving = |seat: &SeatView| seat.status == SeatStatus::Leaving && !self.waits_until_left;
        let leaving = self.my_seat().is_none_or(is_leaving);
        self.stopping && self.client.answers().waiting().len() == 0 && leaving && self.sits.is_none()
    }

    fn my_seat(&self) -> Option<&SeatView> {
        let view = self.client.table(self.room.as_ref()?)?;
        view.seats[usize::from(view.seat_of(self.client.user()?)?)].as_ref()
    }

    fn choose_room(&mut self, now: Instant) -> Option<RoomId> {
        if self.is_given_seats {
            return self.room.clone();
        }
        if self.room.is_none() && self.may_ask(now) && self.seat_lost.is_some() {
            self.room = self.seat_lost.take();
        }
        if self.room.is_none() && self.may_ask(now) && !self.stopping {
            let tables = &self.character.tables;
            if tables.is_empty() {
                self.client.lobby(Some(anywhere()), now);
                let free = self.client.lobby_rows().filter(|row| row.free() > 0);
                let free: Vec<RoomId> = free.map(|row| row.room.clone()).collect();
                if !free.is_empty() {
                    self.room = Some(free[self.rng.random_range(0..free.len())].clone());
                    self.client.lobby(None, now);
                }
            } else {
                self.room = Some(tables[(self.character.home + self.full) % tables.len()].clone());
            }
        }
        self.room.clone()
    }

    /// Asks rather than looks: when one begins to watch, the keyframe may be old and the frames since are on their way.
    fn take_a_seat(&mut self, room: &RoomId, now: Instant) {
        if self.stopping || self.is_given_seats || !self.may_ask(now) {
            return;
        }
        let Some(view) = self.client.table(room) else { return };
        let any = self.rng.random_range(view.config.buy_in_min..=view.config.buy_in_max);
        let buy_in = self.bring.take().unwrap_or(any);
        let wait_for_big_blind = self.rng.random_bool(self.character.habits.wait);
        self.ask(room, &TableCommand::Sit { seat: None, buy_in, wait_for_big_blind }, now);
        self.sits = self.asked;
    }

    /// Where chips are somebody's, a seat that was asked for may still wait for some when the bot stops.
    fn give_the_seat_up(&mut self, room: &RoomId, now: Instant) {
        if self.stopping && self.sits.is_some() && self.may_ask(now) {
            self.sits = None;
            self.ask(room, &TableCommand::Leave, now);
        }
    }

    /// Watches what is said at the table, if it talks itself. Where nobody has a place for that it says it to the table.
    fn listen(&mut self, table: &RoomId, now: Instant) {
        let talk = beside(table).ok().filter(|_| self.character.habits.chat > 0.0);
        if talk == self.talks_in {
            return;
        }
        if let Some(before) = std::mem::replace(&mut self.talks_in, talk) {
            self.client.unwatch(&before, now);
        }
        if let Some(talk) = &self.talks_in {
            self.client.watch(talk, now);
        }
    }

    /// The table is full: on to the next, with a rest after having tried them all.
    fn try_elsewhere(&mut self, room: &RoomId, now: Instant) {
        self.client.unwatch(room, now);
        self.room = None;
        self.full += 1;
        let round = self.character.tables.len().max(1);
        let rest = if self.full.is_multiple_of(round) { self.character.habits.away } else { Duration::ZERO };
        self.rest(rest.max(AFTER_REFUSAL), now);
    }

    fn act(&mut self, room: &RoomId, seat: u8, now: Instant) -> Option<Acting> {
        let view = self.client.table(room)?;
        let hand = view.hand.as_ref()?;
        let Some(turn) = hand.turn.as_ref().filter(|turn| turn.seat == seat) else {
            self.turn = None;
            return None;
        };
        let (hand, dealt) = (hand.hand, hand.hole_cards);
        match self.turn {
            Some(thought) if (thought.hand, thought.turn) == (hand, turn.turn) => {
                let until = thought.until.filter(|_| !self.stopping)?;
                let hole = self.client.hole_cards(room);
                let has_cards = !hole.is_empty() || dealt == 0;
                if now < until && !(thought.waits_for_cards && has_cards) {
                    return None;
                }
                if !has_cards && !thought.waits_for_cards {
                    let until = Some(now + CARDS_WITHIN);
                    self.turn = Some(Thought { until, waits_for_cards: true, ..thought });
                    return None;
                }
                let turn = turn.clone();
                let style = self.character.style;
                let deeds = self.client.deeds(room)?;
                let seen = Sight { turn: &turn, view, hole, deeds, prizes: &self.prizes };
                let choice = choose(&style, seen, &mut self.rng);
                let act = TableCommand::Act { hand, turn: turn.turn, kind: choice.kind, to: choice.to };
                self.client.command(room, &act, now);
                self.turn = Some(Thought { hand, turn: turn.turn, until: None, waits_for_cards: false });
                Some(Acting { room: room.clone(), hand, turn: turn.turn })
            }
            _ => {
                let pondering = decision::pondering(self.character.style, turn, view);
                let most = Duration::from_millis(view.config.turn_ms).mul_f64(TURN_PART_MAX);
                let turn = turn.turn;
                let mut thinking = self.thinking_time().mul_f64(pondering);
                if !self.character.style.is_of_crowd() {
                    thinking = thinking.min(most);
                }
                let until = Some(now + thinking);
                self.turn = Some(Thought { hand, turn, until, waits_for_cards: false });
                // Who takes no time to think acts at once.
                if until <= Some(now) { self.act(room, seat, now) } else { None }
            }
        }
    }

    /// Chips, chat, and whether to stay: once after every hand.
    fn mind_the_seat(&mut self, room: &RoomId, seat: u8, now: Instant) {
        if !self.may_ask(now) {
            return;
        }
        let Some(view) = self.client.table(room) else { return };
        let Some(mine) = view.seats[usize::from(seat)].as_ref() else { return };
        if mine.status == SeatStatus::Leaving {
            return;
        }
        if self.is_given_seats {
            if mine.status == SeatStatus::SittingOut && mine.stack > 0 && !self.stopping {
                self.ask(room, &TableCommand::ComeBack { wait_for_big_blind: false }, now);
            }
            return;
        }
        if self.stopping {
            return self.ask(room, &TableCommand::Leave, now);
        }
        let runs = view.hand.as_ref().and_then(|hand| Some((hand.hand, hand.runs.as_ref()?)));
        if let Some((hand, runs)) = runs.filter(|(_, runs)| runs.seats.contains(&seat)) {
            let boards = self.rng.random_range(1..=runs.max);
            return self.ask(room, &TableCommand::Runs { hand, boards }, now);
        }
        if let Some(amount) = missing_chips(view, mine) {
            // Broke players buy more chips or leave for good and come back as somebody new at the table.
            let stays = self.buys_in_again || self.rng.random_bool(0.7);
            let command = if stays { TableCommand::TopUp { amount } } else { TableCommand::Leave };
            return self.ask(room, &command, now);
        }
        if mine.status == SeatStatus::SittingOut {
            let wait_for_big_blind = self.rng.random_bool(self.character.habits.wait);
            return self.ask(room, &TableCommand::ComeBack { wait_for_big_blind }, now);
        }
        if let Some((hand, most)) = promise(view, mine)
            && std::mem::replace(&mut self.counted, hand) != hand
            && self.rng.random_bool(self.character.habits.top_up)
        {
            let amount = self.rng.random_range(1..=most);
            return self.ask(room, &TableCommand::TopUp { amount }, now);
        }
        let Some(ended) = view.hand.as_ref().filter(|hand| hand.ended).map(|hand| hand.hand) else { return };
        let (hole, shown) = (self.client.hole_cards(room), mine.shown.len());
        let kept_down = (shown == 0).then(|| hole.first().copied()).flatten();
        if shown > 0 && self.shows_all_of.take_if(|hand| *hand == ended).is_some() {
            return self.ask(room, &TableCommand::Show { cards: None }, now);
        }
        if std::mem::replace(&mut self.mused, ended) == ended {
            return;
        }
        let habits = &self.character.habits;
        let (leave, vanish, chat, away) = (habits.leave, habits.vanish, habits.chat, habits.away);
        let (sit_out, show) = (habits.sit_out, habits.show);
        if self.rng.random_bool(leave) {
            self.ask(room, &TableCommand::Leave, now);
            let pause = away.mul_f64(self.rng.random_range(0.0..1.0));
            self.rest(pause, now);
        } else if self.rng.random_bool(sit_out) {
            self.ask(room, &TableCommand::SitOut, now);
            let pause = away.mul_f64(self.rng.random_range(0.0..1.0));
            self.rest(pause, now);
        } else if self.rng.random_bool(vanish) {
            self.vanish = Some(away.mul_f64(self.rng.random_range(0.0..1.0)));
        } else if let Some(card) = kept_down.filter(|_| show > 0.0 && self.rng.random_bool(show)) {
            self.shows_all_of = self.rng.random_bool(0.5).then_some(ended);
            self.ask(room, &TableCommand::Show { cards: Some(vec![card]) }, now);
        } else if self.rng.random_bool(chat) {
            let text = SAYINGS[self.rng.random_range(0..SAYINGS.len())].into();
            match self.talks_in.as_ref().filter(|talk| self.client.talk(talk).is_some()) {
                Some(talk) => self.asked = Some(self.client.talk_in(talk, text, now)),
                None => self.ask(room, &TableCommand::Chat { text }, now),
            }
        }
    }

    fn refused(&mut self, refusal: &Refusal, now: Instant) {
        let wait = refusal.retry_after_ms.map_or(AFTER_REFUSAL, Duration::from_millis);
        if refusal.code == Some(RefusalCode::OtherSession) {
            // Watching again takes the seat back; not at once, lest two bots of one user do nothing else.
            self.client.unwatch(&refusal.room, now);
            self.seat_lost = Some(refusal.room.clone());
            (self.room, self.turn, self.asked) = (None, None, None);
            let away = if self.stopping { Duration::ZERO } else { self.character.habits.away };
            self.rest_until = Some(now + away.max(wait));
            return;
        }
        if self.sits == Some(refusal.n) {
            self.sits = None;
        }
        if self.asked == Some(refusal.n) {
            self.asked = None;
            if refusal.code == Some(RefusalCode::NoSeat) {
                return self.try_elsewhere(&refusal.room, now);
            }
            if refusal.code == Some(RefusalCode::LeftWithMore) {
                self.bring = refusal.legal.as_ref().and_then(|legal| legal.buy_in).map(|limits| limits.min);
            }
            self.rest(wait, now);
        } else if let Some(thought) = &mut self.turn
            && thought.until.is_none()
        {
            // If the turn is still on (too fast, busy), it is answered once more.
            thought.until = Some(now + wait);
        }
    }

    fn may_ask(&mut self, now: Instant) -> bool {
        if self.rest_until.is_some_and(|until| now >= until) {
            self.rest_until = None;
        }
        self.asked.is_none() && self.rest_until.is_none()
    }

    fn ask(&mut self, room: &RoomId, command: &TableCommand, now: Instant) {
        self.asked = Some(self.client.command(room, command, now));
    }

    fn rest(&mut self, pause: Duration, now: Instant) {
        if !self.stopping {
            self.rest_until = Some(now + pause);
        }
    }

    fn thinking_time(&mut self) -> Duration {
        let habits = &self.character.habits;
        let even: f64 = self.rng.random_range(0.0..1.0);
        habits.think_min + habits.think_more.mul_f64((-(1.0 - even).ln()).min(10.0))
    }
}

/// What a player who is broke, or nearly so, must bring to be dealt in again; `None` during a hand.
fn missing_chips(view: &TableView, mine: &SeatView) -> Option<u64> {
    let playing = mine.in_hand && view.hand.as_ref().is_some_and(|hand| !hand.ended);
    let broke = mine.stack < view.config.big_blind;
    (!playing && broke).then(|| view.config.buy_in_min.saturating_sub(mine.stack).max(1))
}

/// The hand in which a player is, and the most that he may promise in it, if that is anything.
fn promise(view: &TableView, mine: &SeatView) -> Option<(u64, u64)> {
    let hand = view.hand.as_ref().filter(|hand| mine.in_hand && !hand.ended)?;
    let most = view.config.buy_in_max.saturating_sub(mine.stack + mine.bet + mine.top_up);
    (most > 0).then_some((hand.hand, most))
}

/// Tables with a free seat.
fn anywhere() -> View {
    View { kind: Some(FIRST_KIND.into()), free: 1, count: COUNT_MAX, ..View::default() }
}

#[cfg(test)]
mod tests {
    use protocol::table::TableConfig;
    use serde_json::{Value, json};

    use super::*;

    fn said(bot: &mut Bot) -> Vec<Value> {
        let texts = std::iter::from_fn(|| bot.client_mut().pop_outgoing());
        texts.map(|text| serde_json::from_str(&text).unwrap()).collect()
    }

    /// A bot that has said hello and been welcomed, and wants to play at either of two tables.
    fn welcomed(now: Instant) -> Bot {
        let tables = ["t1", "t2"].map(|name| RoomId::new(name).unwrap());
        let (style, habits) = (Style::of_crowd(0), Habits::default());
        let character = Character { style, habits, tables: Arc::from(tables), home: 0, seed: 1 };
        let mut bot = Bot::new(character, "token".into(), now);
        bot.client_mut().connected(now);
        let welcome = json!({"t": "welcome", "user": "ann", "name": "Ann", "session": "00c0ffee00c0ffee",
            "now_ms": 0, "expires_ms": 3_600_000, "idle_ms": 30_000});
        bot.receive(&welcome.to_string(), now);
        bot
    }

    fn full_table(room: &str) -> String {
        let mut view = TableView::new(TableConfig::default());
        for (at, seat) in view.seats.iter_mut().enumerate() {
            let player = json!({"user": format!("bob{at}"), "name": "Bob", "stack": 100, "bet": 0, "status": "playing",
                "away": false, "bank_ms": 0, "in_hand": false, "folded": false, "shown": []});
            *seat = Some(serde_json::from_value(player).unwrap());
            view.chips.bought += 100;
        }
        json!({"t": "keyframe", "room": room, "epoch": 1, "seq": 1, "state": view}).to_string()
    }

    /// A table at which it is the turn of ann in seat 0, in a hand against bob.
    fn turn_of_ann(room: &str, config: TableConfig) -> String {
        let turn_ms = config.turn_ms;
        let mut view = TableView::new(config);
        let mut see = |event: Value| view.apply(&serde_json::from_value(event).unwrap()).unwrap();
        for (seat, name) in [(0, "ann"), (1, "bob")] {
            see(
                json!({"e": "seated", "seat": seat, "user": name, "name": name, "stack": 400, "status": "playing", "bank_ms": 0}),
            );
        }
        see(json!({"e": "hand_started", "hand": 1, "button": 0, "seats": [1, 0]}));
        see(json!({"e": "posted", "seat": 0, "blind": "small", "amount": 1}));
        see(json!({"e": "posted", "seat": 1, "blind": "big", "amount": 2}));
        see(json!({"e": "turn", "turn": 1, "seat": 0, "deadline_ms": turn_ms, "call": 1, "raise": null}));
        json!({"t": "keyframe", "room": room, "epoch": 1, "seq": 1, "state": view}).to_string()
    }

    #[test]
    fn a_sensible_bot_takes_time_to_think_and_never_until_the_clock_acts_for_it() {
        let config = TableConfig::default();
        let turn = Duration::from_millis(config.turn_ms);
        for (think_more, least, most) in [(0, 0.0, 0.1), (3_600_000, 0.5, 0.7)] {
            let now = Instant::now();
            let mut bot = welcomed(now);
            bot.character.style = Style::of_house(0);
            bot.character.habits.think_min = turn.mul_f64(0.02);
            bot.character.habits.think_more = Duration::from_millis(think_more);
            bot.poll(now);
            bot.receive(&turn_of_ann("t1", config.clone()), now);
            assert_eq!(bot.poll(now), None, "nobody answers before the cards lie");
            assert_eq!(bot.poll(now + turn.mul_f64(least)), None);
            let acting = bot.poll(now + turn.mul_f64(most));
            assert_eq!(acting.map(|acting| (acting.hand, acting.turn)), Some((1, 1)), "{think_more}");
        }
    }

    #[test]
    fn a_bot_that_takes_no_time_to_think_waits_for_its_cards_but_not_for_ever() {
        for cards_come in [true, false] {
            let now = Instant::now();
            let mut bot = welcomed(now);
            bot.character.habits =
                Habits { think_min: Duration::ZERO, think_more: Duration::ZERO, ..Habits::default() };
            bot.poll(now);
            let mut dealt: Value = serde_json::from_str(&turn_of_ann("t1", TableConfig::default())).unwrap();
            dealt["state"]["hand"]["hole_cards"] = json!(2);
            bot.receive(&dealt.to_string(), now);
            assert_eq!(bot.poll(now), None, "the cards are not there");
            if cards_come {
                let private = json!({"t": "private", "room": "t1", "epoch": 1, "seq": 1,
                    "state": {"hand": 1, "cards": ["As", "Ad"]}});
                bot.receive(&private.to_string(), now);
                assert!(bot.poll(now).is_some());
            } else {
                assert_eq!(bot.poll(now + CARDS_WITHIN / 2), None);
                assert_eq!(bot.next_deadline(), Some(now + CARDS_WITHIN));
                assert!(bot.poll(now + CARDS_WITHIN).is_some());
            }
        }
    }

    #[test]
    fn a_bot_asks_for_a_seat_where_an_old_keyframe_shows_none_and_goes_elsewhere_when_it_is_told_so() {
        let mut now = Instant::now();
        let mut bot = welcomed(now);
        bot.poll(now);
        assert_eq!(said(&mut bot).last().unwrap(), &json!({"t": "watch", "room": "t1"}));
        bot.receive(&full_table("t1"), now);
        bot.poll(now);
        let asked = said(&mut bot).pop().unwrap();
        assert_eq!((&asked["room"], &asked["do"]["a"]), (&json!("t1"), &json!("sit")));

        let refused =
            json!({"t": "refused", "n": asked["n"], "room": "t1", "code": "no_seat", "message": "full"});
        bot.receive(&refused.to_string(), now);
        now += AFTER_REFUSAL;
        bot.poll(now);
        let next = [json!({"t": "unwatch", "room": "t1"}), json!({"t": "watch", "room": "t2"})];
        assert_eq!(said(&mut bot), next);
        assert_eq!(bot.client().breaches().total(), 0);
    }

    #[test]
    fn a_bot_that_left_with_more_brings_that_again() {
        let mut now = Instant::now();
        let mut bot = welcomed(now);
        bot.poll(now);
        let view = TableView::new(TableConfig::default());
        let keyframe = json!({"t": "keyframe", "room": "t1", "epoch": 1, "seq": 1, "state": view});
        bot.receive(&keyframe.to_string(), now);
        bot.poll(now);
        let asked = said(&mut bot).pop().unwrap();
        assert_eq!(asked["do"]["a"], "sit");
        let refused = json!({"t": "refused", "n": asked["n"], "room": "t1", "code": "left_with_more", "message": "812",
            "legal": {"hand": 9, "turn": null, "buy_in": {"min": 812, "max": 812}}});
        bot.receive(&refused.to_string(), now);
        now += AFTER_REFUSAL;
        bot.poll(now);
        assert_eq!(said(&mut bot).pop().unwrap()["do"]["buy_in"], 812);
    }
}
