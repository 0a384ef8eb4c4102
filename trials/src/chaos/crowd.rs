//! The bots of chaos, and its other guests: each comes back from whatever happens, and testifies to what it was told.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use money::Currency;
use player::{
    Bot, Breaches, Character, Contestant, Habits, Heard, Mind, Purse, Purses, Style,
    connect::{self, Dialer, Ended, Happening},
    guest::{NoToken, Reception, Tokens},
    purse::Watched,
};
use protocol::{
    id::{RoomId, UserId},
    talk::beside,
};
use tokio::{
    task::JoinSet,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

use super::{badge::Badges, cup::Cup, hearing::Witness, recovery::Recoveries};
use crate::guests::{
    asker::Asker,
    patron::Patron,
    stranger::{Manner, Stranger},
    teller::Teller,
    workman::{Diligence, WORKMAN, Workman},
};

/// When all is over, a command that has waited for so long for its answer never gets one.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Tellers for each counter.
const TELLERS_EACH: usize = 2;

/// Guests who have no seat, and talk.
const STRANGERS: usize = 6;

/// Guests who only ask.
const ASKERS: usize = 3;

/// Guests who do work, and twice as many who want it done.
const WORKMEN: usize = 4;

/// What all bots count together.
#[derive(Debug, Default)]
pub struct Counts {
    /// Bots online now.
    pub online: AtomicU64,
    /// Connections after a bot's first.
    pub reconnects: AtomicU64,
    /// Actions that were accepted.
    pub actions: AtomicU64,
    /// Commands that were refused.
    pub refused: AtomicU64,
    /// Frames and keyframes that bots got.
    pub deliveries: AtomicU64,
}

/// The bots.
pub struct Crowd {
    playing: JoinSet<Left>,
    counts: Arc<Counts>,
    stop: CancellationToken,
    house: (Dialer, Reception),
    witness: Witness,
    seed: u64,
    /// What the tables play for.
    currency: Option<Currency>,
}

/// What remains of them.
#[derive(Debug, Default)]
pub struct Left {
    /// What their own referees saw.
    pub breaches: Breaches,
    /// Relays closed on them for good, or reception gave them nothing.
    pub turned_away: u64,
    /// Whose accounts were held against their own sums.
    pub purses: Purses,
}

impl Crowd {
    /// Starts bots at `ws_url`.
    ///
    /// # Errors
    /// When the address is none.
    pub fn start(
        ws_url: &str,
        bots: usize,
        tables: &Arc<[RoomId]>,
        think: Duration,
        (seed, currency): (u64, Option<Currency>),
        witness: &Witness,
        recoveries: &Arc<Recoveries>,
    ) -> anyhow::Result<Self> {
        let dialer = Dialer::new(ws_url)?;
        let reception = Reception::new(&Reception::base_of(ws_url));
        let (counts, stop) = (Arc::new(Counts::default()), CancellationToken::new());
        let house = (dialer, reception);
        let mut crowd =
            Self { playing: JoinSet::new(), counts, stop, house, witness: witness.clone(), seed, currency };
        for i in 0..bots {
            let character = Character {
                style: Style::of_crowd(i / tables.len().max(1) + i),
                habits: Habits {
                    think_min: think / 4,
                    think_more: think * 3 / 4,
                    chat: 0.05,
                    leave: 0.005,
                    sit_out: 0.01,
                    top_up: 0.01,
                    show: 0.05,
                    wait: 0.3,
                    vanish: 0.01,
                    away: Duration::from_secs(3),
                },
                tables: tables.clone(),
                home: i,
                seed: crowd.seed_of(i),
            };
            crowd.add_bot(i, character, recoveries.clone());
        }
        Ok(crowd)
    }

    /// Lets others come, too: tellers at the counters, strangers who talk at the tables, and askers of everything.
    pub fn add_guests(&mut self, counters: &Arc<[RoomId]>, tables: &Arc<[RoomId]>) {
        for i in 0..TELLERS_EACH * counters.len() {
            let seed = self.seed_of(1_000_000 + i);
            let teller = Teller::new(counters.clone(), seed, String::new(), Instant::now());
            self.add(&format!("Teller {i}"), teller, |_, _, _| {});
        }
        for i in 0..STRANGERS {
            let manner = Manner {
                tables: tables.clone(),
                comes_after: Duration::ZERO,
                pause_max: Duration::from_secs(2),
                says_max: None,
                anew: 0.1,
                seed: self.seed_of(2_000_000 + i),
            };
            let stranger = Stranger::new(manner, String::new(), Instant::now());
            self.add(&format!("Stranger {i}"), stranger, |_, _, _| {});
        }
        let talks: Vec<RoomId> = tables.iter().filter_map(|table| beside(table).ok()).collect();
        let all: Arc<[RoomId]> = tables.iter().chain(&talks).chain(&**counters).cloned().collect();
        for i in 0..ASKERS {
            let asker = Asker::new(all.clone(), self.seed_of(3_000_000 + i), String::new(), Instant::now());
            self.add(&format!("Asker {i}"), asker, |_, _, _| {});
        }
    }

    /// Lets others do work, and others want it done.
    pub(super) fn add_workmen(&mut self, badges: &Badges) {
        for i in 0..WORKMEN {
            let user = UserId::new(&format!("{WORKMAN}{i}")).expect("a name");
            let (seed, diligence) = (self.seed_of(5_000_000 + i), Diligence::ALL[i % Diligence::ALL.len()]);
            let workman = Workman::new(diligence, seed, String::new(), Instant::now());
            self.add_by(badges.of_user(user), "", workman, |_, _, _| {});
        }
        let rooms: Vec<RoomId> = protocol::jobs::rooms().collect();
        for i in 0..2 * WORKMEN {
            let room = rooms[i % rooms.len()].clone();
            let patron =
                Patron::new(room, i % 2 == 1, self.seed_of(6_000_000 + i), String::new(), Instant::now());
            self.add(&format!("Patron {i}"), patron, |_, _, _| {});
        }
    }

    /// Lets others play a tournament.
    pub(super) fn add_contestants(&mut self, cup: &Cup, think: Duration) {
        let now = Instant::now();
        for i in 0..cup.entries() {
            let habits =
                Habits { think_min: think / 4, think_more: think * 3 / 4, chat: 0.0, ..Habits::default() };
            let (style, seed) = (Style::of_crowd(i), self.seed_of(4_000_000 + i));
            let character = Character { style, habits, tables: Arc::from([]), home: 0, seed };
            let bot = Bot::new(character, String::new(), now);
            let contestant = Contestant::of(cup.room.clone(), bot, cup.registers(i, now));
            let (counts, mut times) = (self.counts.clone(), cup.moves.watch());
            let on = move |contestant: &Contestant, what: &Happening<'_>, now: Instant| {
                if let Happening::Heard(heard) = what {
                    counts.count(heard);
                }
                times(contestant, what, now);
            };
            self.add(&format!("Contestant {i}"), contestant, on);
        }
    }

    fn seed_of(&self, number: usize) -> u64 {
        self.seed.wrapping_mul(1_000_003).wrapping_add(number as u64)
    }

    fn add_bot(&mut self, number: usize, character: Character, recoveries: Arc<Recoveries>) {
        let counts = self.counts.clone();
        let mut was_online = false;
        let mut is_online = false;
        let on = move |_: &Bot, what: &Happening<'_>, now: Instant| match what {
            Happening::Online if !is_online => {
                is_online = true;
                counts.online.fetch_add(1, Relaxed);
                counts.reconnects.fetch_add(u64::from(was_online), Relaxed);
                was_online = true;
            }
            Happening::Offline if is_online => {
                is_online = false;
                counts.online.fetch_sub(1, Relaxed);
            }
            Happening::Heard(heard) => {
                counts.count(heard);
                if let Heard::Acked { room, at, acted: true, after, .. } = heard {
                    recoveries.acted(room, *at, now - *after);
                }
            }
            Happening::Online | Happening::Offline | Happening::Unreachable(_) | Happening::Acting(_) => {}
        };
        let (bot, name) = (Bot::new(character, String::new(), Instant::now()), format!("Bot {number}"));
        match self.currency {
            None => self.add(&name, bot, on),
            Some(currency) => self.add_with_purse(name, bot.that_waits_until_it_has_left(), currency, on),
        }
    }

    /// A bot that adds up what it wins, and whose account is looked at when it has left.
    fn add_with_purse(
        &mut self,
        name: String,
        bot: Bot,
        currency: Currency,
        mut on: impl FnMut(&Bot, &Happening<'_>, Instant) + Send + 'static,
    ) {
        let ((dialer, reception), stop) = (self.house.clone(), self.stop.clone());
        let (witness, account) = (self.witness.clone(), Watched::new(reception.clone(), reception, currency));
        self.playing.spawn(async move {
            let mut purse = Purse::default();
            let hear = |bot: &Bot, what: Happening<'_>, now: Instant| {
                on(bot, &what, now);
                if let Happening::Heard(heard) = what {
                    purse.hear(bot.client(), heard);
                    witness.heard(bot.client(), heard);
                }
            };
            let mut left = Left::default();
            let ended = connect::play(&name, bot, &dialer, &account, stop, hear).await;
            // Who has waited for answers in vain may have a seat that he does not know of.
            let has_stopped = ended.as_ref().is_ok_and(|ended| ended.bot.has_stopped());
            left.take(ended);
            left.purses = account.judge(purse.won().filter(|_| has_stopped), &mut left.breaches).await;
            left
        });
    }

    /// Somebody who comes back from whatever happens, testifies to what it was told, and is judged at the end.
    fn add<M: Mind + 'static>(
        &mut self,
        name: &str,
        mind: M,
        on: impl FnMut(&M, &Happening<'_>, Instant) + Send + 'static,
    ) {
        self.add_by(self.house.1.clone(), name, mind, on);
    }

    /// The same of one whose tokens come from there.
    fn add_by<M: Mind + 'static>(
        &mut self,
        tokens: impl Tokens + 'static,
        name: &str,
        mind: M,
        mut on: impl FnMut(&M, &Happening<'_>, Instant) + Send + 'static,
    ) {
        let (dialer, stop) = (self.house.0.clone(), self.stop.clone());
        let (witness, name) = (self.witness.clone(), name.to_owned());
        self.playing.spawn(async move {
            let hear = |mind: &M, what: Happening<'_>, now: Instant| {
                on(mind, &what, now);
                if let Happening::Heard(heard) = what {
                    witness.heard(mind.client(), heard);
                }
            };
            let mut left = Left::default();
            left.take(connect::play(&name, mind, &dialer, &tokens, stop, hear).await);
            left
        });
    }

    /// What they count.
    pub fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// Tells them to leave their tables, and waits until all have their answers.
    pub async fn end(mut self) -> Left {
        self.stop.cancel();
        let mut left = Left::default();
        while let Some(gone) = self.playing.join_next().await {
            let gone = gone.expect("a guest does not panic");
            left.breaches.add(&gone.breaches);
            left.turned_away += gone.turned_away;
            left.purses.add(gone.purses);
        }
        left
    }
}

impl Left {
    fn take<M: Mind>(&mut self, ended: Result<Ended<M>, NoToken>) {
        match ended {
            Ok(mut ended) => {
                ended.bot.client_mut().judge_unanswered(ANSWERED_WITHIN, Instant::now());
                self.breaches.add(ended.bot.client().breaches());
                self.turned_away += u64::from(ended.turned_away.is_some());
            }
            Err(_) => self.turned_away += 1,
        }
    }
}

impl Counts {
    fn count(&self, heard: &Heard) {
        let counter = match heard {
            Heard::Acked { acted: true, .. } => &self.actions,
            Heard::Refused(_) => &self.refused,
            Heard::Frame { .. } | Heard::Keyframe { .. } => &self.deliveries,
            _ => return,
        };
        counter.fetch_add(1, Relaxed);
    }
}
