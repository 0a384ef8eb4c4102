//! A room that counts: the least that a kind of room can be, with a command, a member's secret, a secret of the rail and a clock.

use std::collections::BTreeMap;

use broker::{
    lobby::{Line, More},
    node::RoomSpec,
};
use protocol::{
    RefusalCode,
    id::{Position, RoomId, UserId},
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use smallvec::smallvec;

use crate::{
    open::opening,
    room::{
        BadSpec, Decision, Input, Moment, Refusal, Room,
        errands::{Ask, ErrandId, Outcome},
        json,
        letters::{Body, Said},
        record::{self, BadRecord},
    },
};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    settings: Settings,
    /// What all have added.
    pub total: u64,
    /// What each member has added.
    pub by: BTreeMap<UserId, u64>,
    /// How often the clock was due.
    pub ticks: u64,
    /// What the till has taken, and how often it has refused.
    pub paid: u64,
    /// See [`Counter::paid`].
    pub unpaid: u64,
    /// What was tipped.
    pub tipped: u64,
    /// What the till was asked and has not answered.
    pub asked: Vec<ErrandId>,
    /// Rooms that were opened.
    pub opened: u64,
    /// What was passed on to other counters, and what has come from them.
    pub sent: BTreeMap<RoomId, Passed>,
    /// See [`Counter::sent`].
    pub received: BTreeMap<RoomId, Passed>,
    /// Letters that were told out of turn or twice.
    pub misheard: u64,
    /// How many others have ended.
    pub gone: u64,
    /// Counters of which this one was told that the two do not remember the same.
    pub diverged: Vec<RoomId>,
    due: Option<UnixMs>,
    is_over: bool,
}

/// What a counter is set to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The clock is due so long after something was added; 0: never.
    pub tick_ms: u64,
    /// Counters that may pass on to this one.
    pub peers: Vec<RoomId>,
}

/// Letters between two counters. Each holds a number that counts up, and how much is passed on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// How many.
    pub letters: u64,
    /// How much in all.
    pub amount: u64,
}

/// What happens to a counter. It is what clients see, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Somebody, who is a member from then on, has added something.
    Added {
        /// Who.
        user: UserId,
        /// How much.
        by: u64,
        /// When the clock is due.
        due: Option<UnixMs>,
    },
    /// A member has left; what it has added stays.
    Left {
        /// Who.
        user: UserId,
    },
    /// The clock was due.
    Ticked,
    /// The till is asked for so much.
    Asked {
        /// How much.
        amount: u64,
    },
    /// The till has answered.
    Answered {
        /// How much it was asked for.
        amount: u64,
        /// Whether it has taken it.
        taken: bool,
    },
    /// Nobody wants to know any more what the till says.
    Forgone,
    /// So much is given to the till, which cannot refuse it.
    Tipped {
        /// How much.
        amount: u64,
    },
    /// A room is to be opened.
    Opens,
    /// It is.
    Opened,
    /// There is nothing more to count.
    Closed,
    /// So much goes to another counter.
    Sent {
        /// Whom.
        to: RoomId,
        /// How much.
        by: u64,
    },
    /// So much comes from another counter.
    Received {
        /// Whom.
        from: RoomId,
        /// The letter's number.
        number: u64,
        /// How much.
        by: u64,
    },
    /// Another counter has ended.
    Gone {
        /// Which.
        room: RoomId,
    },
    /// The two do not remember the same.
    Diverged {
        /// The other.
        from: RoomId,
    },
}

/// What a client asks.
#[derive(Deserialize)]
#[serde(tag = "a", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Add {
        by: u64,
    },
    Leave {},
    /// Asks the till.
    Pay {
        amount: u64,
    },
    /// Gives up what the till has not answered.
    Forgo {},
    /// Gives to the till.
    Tip {
        amount: u64,
    },
    /// Opens another counter.
    Open {
        room: RoomId,
    },
    Close {},
    /// Passes on to another counter.
    Send {
        to: RoomId,
        by: u64,
    },
}

/// What a client asks without commanding.
#[derive(Deserialize)]
#[serde(tag = "about", rename_all = "snake_case", deny_unknown_fields)]
enum Question {
    /// What everybody sees.
    Total {},
    /// What only one's own part tells.
    Mine {},
    /// As much as one likes.
    Story {
        /// So many words of it.
        words: u16,
    },
}

/// More is not paid or tipped at once.
const AMOUNT_MAX: u64 = 1_000_000;

/// The service that counters pay to: it is asked for an amount, as 8 bytes.
pub const TILL: &str = "till";

impl Room for Counter {
    type Event = Event;

    const KIND: u8 = 255;
    const SINCE: u16 = 3;
    const NAME: &'static str = "counter";
    const SCHEMA: u16 = 1;
    const WRITES_LETTERS: bool = true;

    fn read(_schema: u16, record: &mut &[u8]) -> Result<Self, BadRecord> {
        record::take(record)
    }

    fn read_events(_schema: u16, record: &mut &[u8]) -> Result<Vec<Event>, BadRecord> {
        record::take(record)
    }

    fn open(spec: &RoomSpec) -> Result<Self, BadSpec> {
        Ok(Self {
            settings: spec.read()?,
            total: 0,
            by: BTreeMap::new(),
            ticks: 0,
            paid: 0,
            unpaid: 0,
            tipped: 0,
            asked: Vec::new(),
            opened: 0,
            sent: BTreeMap::new(),
            received: BTreeMap::new(),
            misheard: 0,
            gone: 0,
            diverged: Vec::new(),
            due: None,
            is_over: false,
        })
    }

    fn decide(
        &self,
        input: Input<'_>,
        moment: Moment,
        _rng: &mut dyn Rng,
    ) -> Result<Decision<Self>, Refusal> {
        let (mut events, mut asks, mut letters) = (Vec::new(), Vec::new(), Vec::new());
        let mut gives_up = Vec::new();
        match input {
            Input::Command { user, body, .. } => {
                let (event, ask) = self.command(user, body, moment.now)?;
                if let Event::Sent { to, by } = &event {
                    letters.push(self.passes_on(to, *by));
                }
                if event == Event::Forgone {
                    gives_up.clone_from(&self.asked);
                }
                events.push(event);
                asks.extend(ask);
            }
            Input::Clock => events.push(Event::Ticked),
            Input::Outcome { errand, outcome } if errand.ask.of == TILL => events.push(Event::Answered {
                amount: amount(&errand.ask.body),
                taken: matches!(outcome, Outcome::Done(_)),
            }),
            Input::Outcome { .. } => events.push(Event::Opened),
            Input::Told { from, letter: _, body } => {
                let (number, by) = passed(body);
                events.push(Event::Received { from: from.clone(), number, by });
            }
            // Their amounts have gone, as the others know.
            Input::Recalled { letters: forgotten } => events.extend(
                forgotten
                    .iter()
                    .map(|(to, letter)| Event::Sent { to: to.clone(), by: passed(letter.body.as_bytes()).1 }),
            ),
            Input::Gone { room } => events.push(Event::Gone { room: room.clone() }),
            Input::Diverged { from } => events.push(Event::Diverged { from: from.clone() }),
            Input::Away { .. } | Input::TakenOver { .. } => {}
        }
        let mut after = self.clone();
        events.iter().for_each(|event| after.apply(event, moment.at));
        let told = events.iter().filter_map(|event| match event {
            Event::Added { user, .. } => Some(user),
            _ => None,
        });
        let privates = told.map(|user| (user.clone(), after.private(user))).collect();
        let is_railed = events.iter().any(|event| matches!(event, Event::Added { .. } | Event::Left { .. }));
        let rail = is_railed.then(|| after.rail()).flatten();
        let public = json(&events.iter().map(Event::seen).collect::<Vec<_>>());
        let (lobby, counts, is_talk) = (true, smallvec![], false);
        Ok(Decision {
            public,
            privates,
            rail,
            events,
            asks,
            gives_up,
            letters,
            after,
            lobby,
            counts,
            is_talk,
        })
    }

    fn apply(&mut self, event: &Event, at: Position) {
        match event {
            Event::Added { user, by, due } => {
                self.total += by;
                *self.by.entry(user.clone()).or_default() += by;
                self.due = *due;
            }
            Event::Left { user } => drop(self.by.remove(user)),
            Event::Ticked => {
                self.ticks += 1;
                self.due = None;
            }
            Event::Asked { .. } => self.asked.push(ErrandId { at, n: 0 }),
            Event::Opens => {}
            // The till is asked one thing after the other.
            Event::Answered { amount, taken } => {
                self.asked.drain(..self.asked.len().min(1));
                self.paid += if *taken { *amount } else { 0 };
                self.unpaid += u64::from(!taken);
            }
            Event::Forgone => self.asked.clear(),
            Event::Tipped { amount } => self.tipped += amount,
            Event::Opened => self.opened += 1,
            Event::Closed => (self.is_over, self.due) = (true, None),
            Event::Sent { to, by } => {
                self.total = self.total.saturating_sub(*by);
                let sent = self.sent.entry(to.clone()).or_default();
                *sent = Passed { letters: sent.letters + 1, amount: sent.amount + by };
            }
            Event::Received { from, number, by } => {
                self.total += by;
                let received = self.received.entry(from.clone()).or_default();
                *received = Passed { letters: received.letters + 1, amount: received.amount + by };
                self.misheard += u64::from(received.letters != *number);
            }
            Event::Diverged { from } => self.diverged.push(from.clone()),
            Event::Gone { .. } => self.gone += 1,
        }
    }

    fn peers(&self) -> Vec<RoomId> {
        self.settings.peers.clone()
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    fn deadline(&self) -> Option<UnixMs> {
        self.due
    }

    fn view(&self) -> Box<RawValue> {
        let Self { total, ticks, paid, unpaid, tipped, opened, is_over, .. } = self;
        let Self { sent, received, misheard, gone, diverged, .. } = self;
        json(&json!({
            "total": total, "ticks": ticks, "paid": paid, "unpaid": unpaid, "tipped": tipped, "opened": opened, "over": is_over,
            "sent": sent, "received": received, "misheard": misheard, "gone": gone, "diverged": diverged,
        }))
    }

    fn privates(&self) -> Vec<(UserId, Box<RawValue>)> {
        self.by.keys().map(|user| (user.clone(), self.private(user))).collect()
    }

    /// What each has added, which members do not know of each other.
    fn rail(&self) -> Option<Box<RawValue>> {
        Some(json(&json!({"by": self.by})))
    }

    fn answer(&self, user: &UserId, question: &[u8]) -> Result<Box<RawValue>, Refusal> {
        let question: Question = serde_json::from_slice(question)
            .map_err(|error| Refusal::new(RefusalCode::BadQuestion, error.to_string()))?;
        Ok(match question {
            Question::Total {} => json(&json!({"total": self.total, "ticks": self.ticks})),
            Question::Mine {} => json(&json!({"mine": self.by.get(user)})),
            Question::Story { words } => json(&json!({"story": "word ".repeat(words.into())})),
        })
    }

    fn is_member(&self, user: &UserId) -> bool {
        self.by.contains_key(user)
    }

    fn members(&self) -> Vec<UserId> {
        self.by.keys().cloned().collect()
    }

    fn line(&self, room: &RoomId, _now: UnixMs) -> Option<Line> {
        Some(Line {
            room: room.clone(),
            kind: Self::NAME.into(),
            name: format!("Counter {}", self.total),
            game: "none".into(),
            big_blind: 0,
            seats: 255,
            taken: u32::try_from(self.by.len()).unwrap_or(u32::MAX),
            average_pot: 0,
            hands_per_hour: 0,
            starts_ms: 0,
            more: More::default(),
        })
    }
}

impl Counter {
    fn command(&self, user: &UserId, body: &[u8], now: UnixMs) -> Result<(Event, Option<Ask>), Refusal> {
        let refuse = |why: &str| Err(Refusal::new(RefusalCode::Illegal, why));
        let command: Command = serde_json::from_slice(body)
            .map_err(|error| Refusal::new(RefusalCode::BadCommand, error.to_string()))?;
        let user = user.clone();
        let till = |amount: u64, wants_answer| Ask {
            of: TILL.into(),
            body: amount.to_le_bytes().into(),
            wants_answer,
            goes_first: false,
        };
        match command {
            _ if self.is_over => refuse("it is over"),
            Command::Add { by: 0 } => refuse("nothing to add"),
            Command::Add { by } if by > 1_000 => refuse("more than 1,000 at once"),
            Command::Add { by } => {
                let tick_ms = self.settings.tick_ms;
                Ok((Event::Added { user, by, due: (tick_ms > 0).then_some(now + tick_ms) }, None))
            }
            Command::Leave {} if self.by.contains_key(&user) => Ok((Event::Left { user }, None)),
            Command::Leave {} => refuse("not a member"),
            Command::Pay { amount } | Command::Tip { amount } if amount > AMOUNT_MAX => refuse("too much"),
            Command::Pay { amount } => Ok((Event::Asked { amount }, Some(till(amount, true)))),
            Command::Tip { amount } => Ok((Event::Tipped { amount }, Some(till(amount, false)))),
            Command::Forgo {} if self.asked.is_empty() => refuse("nothing is asked"),
            Command::Forgo {} => Ok((Event::Forgone, None)),
            Command::Open { room } => {
                let spec = RoomSpec::new(Self::NAME, &Settings::default());
                Ok((Event::Opens, Some(opening(&room, &spec))))
            }
            Command::Close {} => Ok((Event::Closed, None)),
            Command::Send { by, .. } if by > self.total => refuse("more than there is"),
            Command::Send { to, by } => Ok((Event::Sent { to, by }, None)),
        }
    }

    fn passes_on(&self, to: &RoomId, by: u64) -> Said {
        let number = self.sent.get(to).map_or(1, |sent| sent.letters + 1);
        let body = [number.to_le_bytes(), by.to_le_bytes()].concat();
        let body = Body::new(body).expect("it is short");
        Said { to: to.clone(), re: Vec::new(), body }
    }

    fn private(&self, user: &UserId) -> Box<RawValue> {
        json(&json!({"mine": self.by.get(user)}))
    }
}

impl Event {
    fn seen(&self) -> serde_json::Value {
        match self {
            Self::Added { by, .. } => json!({"e": "added", "by": by}),
            Self::Left { .. } => json!({"e": "left"}),
            Self::Ticked => json!({"e": "ticked"}),
            Self::Asked { amount } => json!({"e": "asked", "amount": amount}),
            Self::Answered { amount, taken } => json!({"e": "answered", "amount": amount, "taken": taken}),
            Self::Tipped { amount } => json!({"e": "tipped", "amount": amount}),
            Self::Forgone => json!({"e": "forgone"}),
            Self::Opens => json!({"e": "opens"}),
            Self::Opened => json!({"e": "opened"}),
            Self::Closed => json!({"e": "closed"}),
            Self::Sent { to, by } => json!({"e": "sent", "to": to, "amount": by}),
            Self::Received { from, number, by } => {
                json!({"e": "received", "from": from, "number": number, "amount": by})
            }
            Self::Gone { room } => json!({"e": "gone", "room": room}),
            Self::Diverged { from } => json!({"e": "diverged", "from": from}),
        }
    }
}

/// The number of a letter, and how much it passes on.
fn passed(body: &[u8]) -> (u64, u64) {
    let half = |at: usize| u64::from_le_bytes(body[at..at + 8].try_into().expect("8 bytes"));
    (half(0), half(8))
}

/// What the till is asked for.
pub fn amount(body: &[u8]) -> u64 {
    u64::from_le_bytes(body.try_into().expect("8 bytes"))
}
