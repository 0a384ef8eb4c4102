//! `swarm --tournament N`: so many bots register at one tournament of the lobby, and play it to its winner. What they saw at its tables is held against the places
//! and prizes that it tells in the end, by a referee who has none of the house's code. Where an entry costs chips that are somebody's, each bot's account is held
//! against what it has paid and won.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use anyhow::Context;
use futures_util::{StreamExt as _, stream};
use ops::outlet::tell;
use parking_lot::Mutex;
use player::{
    Bot, Breaches, Character, Contestant, Heard, Mind as _, Purses, Style,
    connect::{self, Dialer, Ended, Happening},
    guest::{NoToken, Reception},
    purse::Watched,
    tournament_referee::{TournamentReferee, Wrong},
};
use protocol::{
    id::{Position, RoomId, UserId},
    table::{TableEvent, TableView},
    tournament::{Standing, TournamentAnswer, TournamentConfig, TournamentEvent, TournamentQuestion},
};
use serde::{Deserialize, Serialize};
use tokio::{
    task::JoinSet,
    time::{Duration, Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    args::SwarmArgs,
    moves::Moves,
    scout::{Found, Scout},
    summary::Quantiles,
    tally::new_histogram,
};

/// When nobody has gone out for so long, it will have no winner.
const STILL: Duration = Duration::from_secs(300);

/// How many breaches are told in words.
const DESCRIBED_MAX: usize = 40;

/// So many accounts are looked at at once.
const JUDGED_AT_ONCE: usize = 64;

/// How often is looked how far it is.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Played {
    /// How many took part.
    pub entries: u64,
    /// Bots whose accounts were held against what they have paid and won.
    pub accounts: u64,
    /// From the first of them being entered to the last, seconds.
    pub registering_seconds: f64,
    /// From the first seat to the last place, seconds.
    pub seconds: f64,
    /// Players who came from one table to another: how many, and how long each took, microseconds.
    pub moved: u64,
    /// See there.
    pub move_us: Quantiles,
    /// From being entered to having a seat, of those who came when it was played, microseconds.
    pub late_us: Quantiles,
    /// Frames and keyframes that bots got.
    pub deliveries: u64,
    /// Connections after a bot's first.
    pub reconnects: u64,
    /// What is wrong, of bots and of the referee.
    pub breaches: Vec<String>,
}

#[derive(Default)]
struct Seen {
    tables: HashMap<RoomId, Table>,
    entered: Vec<Instant>,
    first_seat: Option<Instant>,
    late: Vec<Duration>,
    deliveries: u64,
    reconnects: u64,
}

/// A table as the first to see each frame sees it.
struct Table {
    at: Position,
    view: TableView,
    /// A hand was seen to begin, and no frame since was missed.
    is_whole: bool,
}

/// Plays one.
///
/// # Errors
/// When there is none that takes so many.
pub async fn run(args: &SwarmArgs, entries: usize, stop: &CancellationToken) -> anyhow::Result<Played> {
    let way = args.way()?;
    let dialer = Dialer::by(&way, &args.url)?;
    let base = args.reception.clone().unwrap_or_else(|| Reception::base_of(&args.url));
    let reception = Reception::by(&way, &base);
    let Found { room, price } = Scout::sent(&dialer, &reception).await?.finds(entries).await?;
    tell(format_args!("{entries} bots play {room}"));
    let seen = Arc::new(Mutex::new(Seen::default()));
    // Prizes and entries are what it says in the end; levels are judged where journals are read.
    let referee = Arc::new(Mutex::new(TournamentReferee::new(TournamentConfig::default())));
    let (moves, ending) = (Moves::default(), stop.child_token());
    let mut playing = JoinSet::new();
    let mut start_of_next = Instant::now();
    for i in 0..entries {
        let habits = player::Habits { chat: 0.0, ..args.habits() };
        let seed = args.seed.wrapping_add(i as u64);
        let style = Style::of_crowd(i);
        let character = Character { style, habits, tables: Arc::from([]), home: 0, seed };
        let now = Instant::now();
        let bot = Contestant::of(room.clone(), Bot::new(character, String::new(), now), now);
        let (mut times, mut life) = (moves.watch(), Life::default());
        let (seen, referee) = (seen.clone(), referee.clone());
        let (dialer, reception, ending) = (dialer.clone(), reception.clone(), ending.clone());
        let price = price.clone();
        playing.spawn(async move {
            let on = |bot: &Contestant, what: Happening<'_>, now: Instant| {
                times(bot, &what, now);
                life.goes_on(bot, &what, now, &seen, &referee);
            };
            let name = format!("Bot {i}");
            let Some((currency, _)) = price else {
                return Gone {
                    ended: connect::play(&name, bot, &dialer, &reception, ending, on).await,
                    account: None,
                };
            };
            let account = Watched::new(reception.clone(), reception, currency);
            let ended = connect::play(&name, bot, &dialer, &account, ending, on).await;
            Gone { ended, account: Some(account) }
        });
        start_of_next += Duration::from_secs(1) / args.ramp.max(1);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = tokio::time::sleep_until(start_of_next) => {}
        }
    }
    let (mut breaches, mut accounts, mut last_gone) = (Vec::new(), Vec::new(), Instant::now());
    let mut told = Instant::now();
    loop {
        match timeout(LOOK_EVERY, playing.join_next()).await {
            Ok(None) => break,
            Ok(Some(ended)) => {
                last_gone = Instant::now();
                let Gone { ended, account } = ended.context("a bot does not panic")?;
                if let Ok(mut ended) = ended {
                    ended.bot.client_mut().judge_unanswered(Duration::from_secs(5), Instant::now());
                    let client = ended.bot.client();
                    breaches.extend(client.breaches().described.iter().cloned());
                    accounts.extend(client.user().cloned().zip(account));
                }
            }
            Err(_) => {}
        }
        if told.elapsed() >= Duration::from_secs(10) {
            told = Instant::now();
            let seen = seen.lock();
            tell(format_args!(
                "{} entered, {} play, {} tables seen",
                seen.entered.len(),
                playing.len(),
                seen.tables.len()
            ));
        }
        if last_gone.elapsed() > STILL && !stop.is_cancelled() {
            ending.cancel();
            breaches.push(format!("Ends: {} bots play on, and none has gone out for long", playing.len()));
            break;
        }
    }
    let mut purses = Purses::default();
    if !stop.is_cancelled() {
        let scout = Scout::sent(&dialer, &reception).await?;
        let prizes = judge(scout, &room, &referee, entries, &mut breaches).await?;
        let cost = price.map_or(0, |(_, cost)| cost);
        purses = judge_accounts(&accounts, &prizes, cost, &mut breaches).await;
    }
    let seen = seen.lock();
    let span = |times: &[Instant]| {
        let (first, last) = (times.iter().min(), times.iter().max());
        first.zip(last).map_or(0.0, |(first, last)| (*last - *first).as_secs_f64())
    };
    let (mut move_us, mut late_us) = (new_histogram(), new_histogram());
    moves.take().into_iter().for_each(|us| move_us.saturating_record(us));
    let micros = |time: &Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    seen.late.iter().for_each(|late| late_us.saturating_record(micros(late)));
    Ok(Played {
        entries: seen.entered.len() as u64,
        accounts: purses.judged,
        registering_seconds: span(&seen.entered),
        seconds: seen.first_seat.map_or(0.0, |first| (last_gone - first).as_secs_f64()),
        moved: move_us.len(),
        move_us: Quantiles::of(&move_us),
        late_us: Quantiles::of(&late_us),
        deliveries: seen.deliveries,
        reconnects: seen.reconnects,
        breaches,
    })
}

impl Played {
    /// For people.
    pub fn text(&self) -> String {
        let Self {
            entries,
            accounts,
            registering_seconds,
            seconds,
            moved,
            move_us,
            late_us,
            deliveries,
            reconnects,
            ..
        } = self;
        let ms = |us: u64| us as f64 / 1_000.0;
        let mut text = format!(
            "{entries} entries within {registering_seconds:.1} s, {seconds:.0} s from the first seat to the last place; {deliveries} \
             deliveries, {reconnects} reconnects\n{moved} moved: p50 {:.1} ms, p99 {:.1} ms; late entries until they sat: p50 {:.1} \
             ms, p99 {:.1} ms\naccounts held against what was paid and won: {accounts}\nbreaches: {}\n",
            ms(move_us.p50),
            ms(move_us.p99),
            ms(late_us.p50),
            ms(late_us.p99),
            self.breaches.len()
        );
        for what in self.breaches.iter().take(DESCRIBED_MAX) {
            text.push_str("  ");
            text.push_str(what);
            text.push('\n');
        }
        text
    }
}

/// A bot that plays no more, and its account, where it has one.
struct Gone {
    ended: Result<Ended<Contestant>, NoToken>,
    account: Option<Watched<Reception>>,
}

/// Each has paid for its entry, and has got its prize; who has none has not paid.
async fn judge_accounts(
    accounts: &[(UserId, Watched<Reception>)],
    prizes: &BTreeMap<UserId, u64>,
    cost: u64,
    breaches: &mut Vec<String>,
) -> Purses {
    let whole = |chips: u64| i64::try_from(chips).unwrap_or(i64::MAX);
    let judged = accounts.iter().map(|(user, account)| async {
        let won = prizes.get(user).map_or(0, |prize| whole(*prize) - whole(cost));
        let mut wrong = Breaches::default();
        (account.judge(Some(won), &mut wrong).await, wrong.described)
    });
    // Whoever has not what he ought to is waited for.
    let mut judged = stream::iter(judged).buffer_unordered(JUDGED_AT_ONCE);
    let mut purses = Purses::default();
    while let Some((of_one, wrong)) = judged.next().await {
        purses.add(of_one);
        breaches.extend(wrong);
    }
    purses
}

/// All places and prizes, as it tells them to whoever asks, and whether they follow from what was seen. Who has won how much.
async fn judge(
    mut scout: Scout,
    room: &RoomId,
    referee: &Mutex<TournamentReferee>,
    entries: usize,
    breaches: &mut Vec<String>,
) -> anyhow::Result<BTreeMap<UserId, u64>> {
    let pool = match scout.asks(room, &TournamentQuestion::Prizes).await? {
        TournamentAnswer::Prizes { pool, .. } => pool,
        other => anyhow::bail!("was answered {other:?} about prizes"),
    };
    let mut all: Vec<Standing> = Vec::new();
    loop {
        let from = all.len() as u64;
        let answer = scout.asks(room, &TournamentQuestion::Standings { from }).await?;
        let TournamentAnswer::Standings { total, lines, .. } = answer else { continue };
        anyhow::ensure!(!lines.is_empty() || total == from, "a page of standings is empty");
        all.extend(lines);
        if all.len() as u64 >= total {
            break;
        }
    }
    if all.len() < entries {
        breaches.push(format!("OnePlace: {} of {entries} stand in the end", all.len()));
    }
    let mut referee = referee.lock();
    referee.is_worth(pool);
    let mut prizes = BTreeMap::new();
    for Standing { entry, user, name, place, prize, .. } in all {
        prizes.insert(user.clone(), prize);
        referee.hears(&TournamentEvent::Registered { entry, user: user.clone(), name: name.clone() });
        match place {
            Some(place) => referee.hears(&TournamentEvent::Placed { entry, user, name, place, prize }),
            None => breaches.push(format!("Ends: {user} has no place")),
        }
    }
    referee.finish();
    let faults = referee.take_faults().into_iter().filter(|(wrong, _)| *wrong != Wrong::Level);
    breaches.extend(faults.map(|(wrong, what)| format!("{wrong:?}: {what}")));
    Ok(prizes)
}

/// What is remembered of one bot.
#[derive(Default)]
struct Life {
    was_online: bool,
    entered: Option<Instant>,
    has_sat: bool,
}

impl Life {
    fn goes_on(
        &mut self,
        bot: &Contestant,
        what: &Happening<'_>,
        now: Instant,
        seen: &Mutex<Seen>,
        referee: &Mutex<TournamentReferee>,
    ) {
        let mut seen = seen.lock();
        let heard = match what {
            Happening::Online => {
                seen.reconnects += u64::from(std::mem::replace(&mut self.was_online, true));
                return;
            }
            Happening::Heard(heard) => heard,
            Happening::Offline | Happening::Unreachable(_) | Happening::Acting(_) => return,
        };
        if self.entered.is_none() && bot.entered().is_some() {
            self.entered = Some(now);
            seen.entered.push(now);
        }
        if !self.has_sat && bot.seated_at().is_some() {
            self.has_sat = true;
            let is_late =
                seen.first_seat.is_some_and(|first| self.entered.is_some_and(|entered| entered > first));
            seen.first_seat.get_or_insert(now);
            seen.late.extend(self.entered.filter(|_| is_late).map(|entered| now - entered));
        }
        match heard {
            Heard::Frame { room, at, events, .. } => {
                seen.deliveries += 1;
                if let Some(view) = bot.client().table(room) {
                    seen.sees(room, *at, events, view, referee);
                }
            }
            Heard::Keyframe { .. } => seen.deliveries += 1,
            _ => {}
        }
    }
}

impl Seen {
    /// The first who sees a frame tells the referee; `after` is the table behind it.
    fn sees(
        &mut self,
        room: &RoomId,
        at: Position,
        events: &[TableEvent],
        after: &TableView,
        referee: &Mutex<TournamentReferee>,
    ) {
        let Some(table) = self.tables.get_mut(room) else {
            self.tables.insert(room.clone(), Table { at, view: after.clone(), is_whole: false });
            return;
        };
        if at <= table.at {
            return;
        }
        let follows = at.seq() == table.at.seq().next();
        table.at = at;
        if !follows {
            (table.view, table.is_whole) = (after.clone(), false);
            return;
        }
        let mut referee = referee.lock();
        for event in events {
            if table.view.apply(event).is_err() {
                (table.view, table.is_whole) = (after.clone(), false);
                return;
            }
            table.is_whole |= matches!(event, TableEvent::HandStarted { .. });
            if table.is_whole {
                referee.sees(0, room, event, &table.view);
            }
        }
    }
}
