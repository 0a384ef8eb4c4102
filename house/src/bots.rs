//! The house's own players: real clients over real WebSockets, who only get their tokens without asking over HTTP.

use std::{sync::Arc, time::Duration};

use broker::queue::Queue;
use coach::Model;
use player::{
    Bot, Character, Contestant, Habits,
    connect::{Dialer, play},
};
use protocol::id::{RoomId, UserId};
use rand::RngExt as _;
use reception::{
    Desk,
    agency::{self, AtTheDesk},
    coach::CoachArgs,
};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::config::BotArgs;

/// Names of bots, over and over again. That they are bots say their tokens.
const NAMES: [&str; 24] = [
    "Ada", "Bram", "Cleo", "Dario", "Edda", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Lev", "Mina",
    "Nils", "Olga", "Pia", "Quinn", "Rosa", "Sami", "Tara", "Umar", "Vera", "Wim", "Yuki",
];

/// Keeps so many bots at each table, until the returned tasks are dropped.
pub(crate) fn seat(config: &BotArgs, tables: &[(RoomId, u8)], dialer: &Dialer, desk: &Desk) -> JoinSet<()> {
    let mut playing = JoinSet::new();
    let mut count = 0;
    for (room, seats) in tables {
        for at in 0..config.at_a_table(*seats) {
            let name = name(count, config);
            let character = Character {
                style: config.bot_style.of(count),
                habits: habits(config),
                // Nowhere else: so a table never has more bots than were meant for it.
                tables: Arc::from([room.clone()]),
                home: 0,
                seed: rand::rng().random(),
            };
            // Of the same name whenever the house opens: whoever sat at a table that was kept sits there again.
            let id = UserId::new(&format!("{}{room}-{at}", UserId::BOT_PREFIX));
            let Ok(id) = id.inspect_err(|_| tracing::warn!(%room, "its bots would have no names")) else {
                break;
            };
            let (dialer, tokens) = (dialer.clone(), AtTheDesk(desk.clone(), id));
            playing.spawn(async move {
                let for_ever = CancellationToken::new();
                let bot = Bot::new(character, String::new(), Instant::now());
                if let Err(error) = play(&name, bot, &dialer, &tokens, for_ever, |_, _, _| {}).await {
                    tracing::warn!(%error, name, "a bot has no token");
                }
            });
            count += 1;
        }
    }
    playing
}

/// Keeps so many bots that play tournaments, each one at a time, until the returned tasks are dropped. They come when somebody waits for others.
pub(crate) fn enter(config: &BotArgs, count: usize, dialer: &Dialer, desk: &Desk) -> JoinSet<()> {
    let mut playing = JoinSet::new();
    for at in 0..count {
        let name = name(at + NAMES.len() / 2, config);
        let character = Character {
            style: config.bot_style.of(at),
            habits: Habits { chat: 0.0, ..habits(config) },
            tables: Arc::from([]),
            home: 0,
            seed: rand::rng().random(),
        };
        let id = UserId::new(&format!("{}tournament-{at}", UserId::BOT_PREFIX)).expect("that is a name");
        let (dialer, tokens) = (dialer.clone(), AtTheDesk(desk.clone(), id));
        playing.spawn(async move {
            let (for_ever, now) = (CancellationToken::new(), Instant::now());
            let bot = Contestant::new(Bot::new(character, String::new(), now), now);
            if let Err(error) = play(&name, bot, &dialer, &tokens, for_ever, |_, _, _| {}).await {
                tracing::warn!(%error, name, "a bot has no token");
            }
        });
    }
    playing
}

/// Has AI players come whom tables ask for, until the returned tasks are dropped.
pub(crate) fn agency(config: &BotArgs, queue: Arc<dyn Queue>, dialer: &Dialer, desk: &Desk) -> JoinSet<()> {
    let mut running = JoinSet::new();
    let most = usize::from(config.ai_players);
    let agency =
        agency::agency(queue, dialer.clone(), desk.clone(), habits(config), "agency-house".into(), most);
    if most > 0 {
        running.spawn(agency.run());
    }
    running
}

/// Has what players ask answered by a model, if there is one, until the returned task is dropped.
pub(crate) fn coach(config: &CoachArgs, model: Option<Model>, dialer: &Dialer, desk: &Desk) -> JoinSet<()> {
    let mut running = JoinSet::new();
    if let Some(model) = model {
        running.spawn(reception::coach::coach(model, config.config(), dialer.clone(), desk.clone()));
    }
    running
}

/// The name of bot `i`: with its strength, where that was asked for.
fn name(i: usize, config: &BotArgs) -> String {
    let name = NAMES[i % NAMES.len()];
    config.bot_style.level().map_or_else(|| name.to_owned(), |level| format!("{name} {level}"))
}

fn habits(config: &BotArgs) -> Habits {
    Habits {
        think_min: Duration::from_millis(config.bot_think_min_ms),
        think_more: Duration::from_millis(config.bot_think_more_ms),
        ..Habits::default()
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use protocol::text::PlayerName;

    use super::*;
    use crate::{Config, config::BotStyle};

    #[test]
    fn a_bots_name_says_how_strong_it_is_where_that_was_asked_for_and_is_one_that_players_may_have() {
        let of = |bot_style, i| name(i, &BotArgs { bot_style, ..Config::defaults().bots });
        assert_eq!((of(BotStyle::Hard, 0), of(BotStyle::Sensible, 0)), ("Ada hard".into(), "Ada".into()));
        for style in BotStyle::value_variants() {
            for i in 0..NAMES.len() {
                assert!(PlayerName::new(&of(*style, i)).is_ok(), "{}", of(*style, i));
            }
        }
    }
}
