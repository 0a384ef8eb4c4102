//! One process's bots: they find tables, play until the time is up, leave, and are judged.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context;
use broker::lobby::FIRST_KIND;
use futures_util::{SinkExt, StreamExt};
use ops::outlet::tell;
use player::{
    Bot, Breaches, Character, Client, Heard, Purse, Purses, Style,
    connect::{self, Dialer},
    guest::{NoToken, Reception, Tokens},
    looking::Looking,
    member::Member,
    purse::Watched,
};
use protocol::{
    id::RoomId,
    lobby::{self, COUNT_MAX, Sort},
};
use tokio::{
    task::JoinSet,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use tokio_websockets::Message;

use super::{
    args::SwarmArgs,
    progress::View,
    stopwatch::Stopwatches,
    summary::Outcome,
    tally::{Life, Tally},
};

/// The lobby is given this long to name as many tables as were asked for; then the swarm plays at those that it names.
const LOBBY_WITHIN: Duration = Duration::from_secs(10);

/// A command that has no answer when its bot has waited for this long after the end is counted as never answered.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// How often the view is drawn, and the crowd looks whether all are there.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Where a crowd plays.
#[derive(Debug, Clone)]
pub struct Crowd {
    dialer: Dialer,
    reception: Reception,
    tables: Arc<[RoomId]>,
}

impl Crowd {
    /// Finds reception, relay and tables.
    ///
    /// # Errors
    /// When one of them is not there.
    pub async fn find(args: &SwarmArgs) -> anyhow::Result<Self> {
        let way = args.way()?;
        let dialer = Dialer::by(&way, &args.url)?;
        let base = args.reception.clone().unwrap_or_else(|| Reception::base_of(&args.url));
        let reception = Reception::by(&way, &base);
        let tables = find_tables(&dialer, &reception, args.tables).await?;
        if tables.len() < args.tables && args.part().index == 0 {
            tell(format_args!(
                "the lobby names {} of {} tables: playing at those",
                tables.len(),
                args.tables
            ));
        }
        let tables = tables[args.part().share(tables.len())].into();
        Ok(Self { dialer, reception, tables })
    }

    /// Plays and judges. Ends early when `stop` is cancelled.
    pub async fn run(&self, args: &SwarmArgs, stop: &CancellationToken) -> Outcome {
        let bots = args.part().share(args.bots);
        let tally = Arc::new(Tally::new(Stopwatches::new(self.tables.iter())));
        let ending = stop.child_token();
        let mut playing = JoinSet::new();
        let view = View::new(args);
        let mut start_of_next = Instant::now();
        for i in bots.clone() {
            let first = bots.start;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(start_of_next) => {}
            }
            start_of_next += Duration::from_secs(1) / args.ramp.max(1);
            playing.spawn(self.clone().play(i, i - first, args.clone(), tally.clone(), ending.clone()));
            view.ramping(&tally);
        }
        let all_there_by = Instant::now() + Duration::from_secs(args.ramp_seconds_max);
        while tally.online() < playing.len() as u64 && Instant::now() < all_there_by && !stop.is_cancelled() {
            view.ramping(&tally);
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let measured = measure(args, &tally, &view, stop).await;
        ending.cancel();
        let mut outcome = Outcome {
            bots: playing.len() as u64,
            seconds: measured.as_secs_f64().round() as u64,
            hands: 0,
            actions: 0,
            deliveries: 0,
            latency_us: tally.latency_us(),
            breaches: Breaches::default(),
            refused: tally.refused(),
            reconnects: 0,
            turned_away: BTreeMap::new(),
            without_token: 0,
            purses: Purses::default(),
        };
        while let Some(ended) = playing.join_next().await {
            match ended.expect("a bot does not panic") {
                Ok((mut ended, account)) => {
                    outcome.purses.add(account.purses);
                    outcome.breaches.add(&account.breaches);
                    ended.bot.client_mut().judge_unanswered(ANSWERED_WITHIN, Instant::now());
                    outcome.breaches.add(ended.bot.client().breaches());
                    if let Some(code) = ended.turned_away {
                        *outcome.turned_away.entry(code).or_default() += 1;
                    }
                }
                Err(_) => outcome.without_token += 1,
            }
        }
        view.clear();
        let progress = tally.progress();
        outcome.hands = progress.hands;
        outcome.actions = progress.actions;
        outcome.deliveries = progress.deliveries;
        outcome.reconnects = progress.reconnects;
        outcome
    }

    async fn play(
        self,
        i: usize,
        at: usize,
        args: SwarmArgs,
        tally: Arc<Tally>,
        stop: CancellationToken,
    ) -> Result<(connect::Ended<Bot>, Judged), NoToken> {
        let character = Character {
            style: Style::of_crowd(i / self.tables.len().max(1) + i),
            habits: args.habits(),
            tables: self.tables.clone(),
            home: at,
            seed: args.seed.wrapping_add(i as u64),
        };
        let name = format!("Bot {i}");
        let mut life = Life::default();
        let count = |bot: &Bot, what: connect::Happening<'_>, now| tally.count(i, &mut life, bot, what, now);
        let bot = Bot::new(character, String::new(), Instant::now());
        let play = Play { name: &name, bot, dialer: &self.dialer, stop };
        match (args.accounts, args.currency) {
            (true, Some(currency)) => {
                let member = Member::new(self.reception.clone());
                play.watched(&Watched::new(member, self.reception.clone(), currency), count).await
            }
            (false, Some(currency)) => {
                let guest = self.reception.clone();
                play.watched(&Watched::new(guest, self.reception.clone(), currency), count).await
            }
            (true, None) => play.by(&Member::new(self.reception.clone()), count).await,
            (false, None) => play.by(&self.reception, count).await,
        }
    }
}

/// What came of holding its account against its own sum.
#[derive(Default)]
struct Judged {
    purses: Purses,
    breaches: Breaches,
}

/// One bot's play.
struct Play<'a> {
    name: &'a str,
    bot: Bot,
    dialer: &'a Dialer,
    stop: CancellationToken,
}

impl Play<'_> {
    async fn by(
        self,
        tokens: &impl Tokens,
        on: impl FnMut(&Bot, connect::Happening<'_>, Instant),
    ) -> Result<(connect::Ended<Bot>, Judged), NoToken> {
        let ended = connect::play(self.name, self.bot, self.dialer, tokens, self.stop, on).await?;
        Ok((ended, Judged::default()))
    }

    /// The same, and its account is held against its own sum.
    async fn watched<T: Tokens>(
        mut self,
        account: &Watched<T>,
        mut on: impl FnMut(&Bot, connect::Happening<'_>, Instant),
    ) -> Result<(connect::Ended<Bot>, Judged), NoToken> {
        let mut purse = Purse::default();
        self.bot = self.bot.that_waits_until_it_has_left();
        let hear = |bot: &Bot, what: connect::Happening<'_>, now: Instant| {
            if let connect::Happening::Heard(heard) = what {
                purse.hear(bot.client(), heard);
            }
            on(bot, what, now);
        };
        let ended = connect::play(self.name, self.bot, self.dialer, account, self.stop, hear).await?;
        let mut judged = Judged::default();
        // Who has waited for answers in vain may have a seat that he does not know of.
        let won = purse.won().filter(|_| ended.bot.has_stopped());
        judged.purses = account.judge(won, &mut judged.breaches).await;
        Ok((ended, judged))
    }
}

async fn measure(args: &SwarmArgs, tally: &Tally, view: &View, stop: &CancellationToken) -> Duration {
    let begin = Instant::now();
    let end = begin + Duration::from_secs(args.seconds);
    tally.open();
    while Instant::now() < end && !stop.is_cancelled() {
        view.playing(tally.progress(), begin.elapsed());
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = tokio::time::sleep_until(end.min(Instant::now() + LOOK_EVERY)) => {}
        }
    }
    tally.close();
    begin.elapsed()
}

/// The first tables of the lobby by name: at most `count`, at least one.
async fn find_tables(dialer: &Dialer, reception: &Reception, count: usize) -> anyhow::Result<Vec<RoomId>> {
    let guest = reception.guest("Scout").await.context("no guest token")?;
    let mut client = Client::new(guest.token, Instant::now());
    let kind = Some(FIRST_KIND.into());
    let mut view = lobby::View { kind, sort: Sort::Name, count: COUNT_MAX, ..lobby::View::default() };
    client.lobby(Some(view.clone()), Instant::now());
    let mut tables = Vec::new();
    let mut socket = dialer.dial(None).await?;
    client.connected(Instant::now());
    let give_up = Instant::now() + LOBBY_WITHIN;
    while tables.len() < count {
        while let Some(text) = client.pop_outgoing() {
            socket.send(Message::text(text)).await?;
        }
        let Ok(message) = tokio::time::timeout_at(give_up, socket.next()).await else { break };
        let message = message.context("the relay closed")??;
        if let Some((code, reason)) = message.as_close() {
            anyhow::bail!("the relay closed with {} {reason}", u16::from(code));
        }
        let Some(text) = message.as_text() else { continue };
        match client.receive(text, Instant::now()) {
            Heard::Reconnect(_) => anyhow::bail!("the relay is leaving"),
            Heard::Lobby => {
                // Pages before this one are complete; of this one the last rows may still come.
                tables.truncate(view.from as usize);
                tables.extend(client.lobby_rows().map(|row| row.room.clone()));
                let total = client.looking().and_then(Looking::seen).map_or(0, |seen| seen.total);
                if tables.len() < count && (tables.len() as u64) < total {
                    view.from = u32::try_from(tables.len())?;
                    client.lobby(Some(view.clone()), Instant::now());
                }
            }
            _ => {}
        }
    }
    anyhow::ensure!(!tables.is_empty(), "the lobby names no table");
    tables.truncate(count);
    let _ = socket.close().await;
    Ok(tables)
}
