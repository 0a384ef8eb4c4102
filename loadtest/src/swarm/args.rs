//! The flags of `loadtest swarm`.

use std::{net::IpAddr, path::PathBuf};

use clap::Args;
use money::Currency;
use ops::config::positive;
use player::{
    Habits,
    way::{NoTrust, Way},
};
use tokio::time::Duration;

/// Flags of `loadtest swarm`.
#[derive(Debug, Clone, Args)]
pub struct SwarmArgs {
    /// Where to connect: a relay, an nginx or a house; `wss://HOST/ws` by TLS
    #[arg(long, env = "CARDHOUSE_URL", default_value = "ws://127.0.0.1:8080/ws")]
    pub url: String,
    /// Where guest tokens come from [default: http://HOST/api of the url, https for wss]
    #[arg(long, env = "CARDHOUSE_RECEPTION_URL")]
    pub reception: Option<String>,
    /// By TLS: the authorities whose certificates are believed, a file of PEM [default: those that the system trusts]
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Connect to this address, whatever the names in the urls stand for
    #[arg(long, value_name = "ADDRESS")]
    pub connect_to: Option<IpAddr>,
    /// Bots make accounts and sign in with them; reception must keep people, and takes some time for each password
    #[arg(long)]
    pub accounts: bool,
    /// The tables play for this: each bot adds up what it wins, and at the end its account must say the same
    #[arg(long, value_name = "CURRENCY")]
    pub currency: Option<Currency>,
    /// So many bots register at one tournament, which the house must offer, and play it to its winner; nothing is played beside it
    #[arg(long, value_name = "ENTRIES", value_parser = positive::<usize>, conflicts_with_all = ["processes", "currency", "accounts"])]
    pub tournament: Option<usize>,
    /// How many bots
    #[arg(long, default_value_t = 600, value_parser = positive::<usize>)]
    pub bots: usize,
    /// At how many tables, the first by name in the lobby
    #[arg(long, default_value_t = 100, value_parser = positive::<usize>)]
    pub tables: usize,
    /// How long to measure once all bots are there, seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// One JSON line at the end
    #[arg(long)]
    pub json: bool,
    /// Mean thinking time for an action, milliseconds
    #[arg(long, default_value_t = 400)]
    pub think_ms: u64,
    /// Chance (0 to 1) that a bot says something after a hand
    #[arg(long, default_value_t = 0.02, value_parser = chance)]
    pub chat: f64,
    /// Chance that a bot leaves its table after a hand, to come back later
    #[arg(long, default_value_t = 0.005, value_parser = chance)]
    pub leave: f64,
    /// Chance that a bot's connection drops after a hand without a word, to resume later
    #[arg(long, default_value_t = 0.002, value_parser = chance)]
    pub vanish: f64,
    /// How long a bot that left or vanished stays away at most, milliseconds
    #[arg(long, default_value_t = 3_000)]
    pub away_ms: u64,
    /// How many bots begin a second
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..))]
    pub ramp: u32,
    /// How long to wait for all bots to be there before measuring anyway, seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub ramp_seconds_max: u64,
    /// Spread the bots over so many processes
    #[arg(long, default_value_t = 1, value_parser = positive::<usize>)]
    pub processes: usize,
    /// Where all the bots' chance comes from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Which part of a larger swarm this process is: PART/PARTS
    #[arg(long, hide = true, value_parser = parse_part)]
    pub part: Option<Part>,
}

/// One of the processes of a swarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// From 0.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

fn chance(text: &str) -> Result<f64, String> {
    let chance = text.parse().ok().filter(|chance| (0.0..=1.0).contains(chance));
    chance.ok_or_else(|| "it must be a number from 0 to 1, such as 0.02".into())
}

fn parse_part(text: &str) -> Result<Part, String> {
    let (index, of) = text.split_once('/').ok_or("PART/PARTS")?;
    let number = |text: &str| text.parse::<usize>().map_err(|error| error.to_string());
    let part = Part { index: number(index)?, of: number(of)? };
    if part.index < part.of { Ok(part) } else { Err("PART counts from 0".into()) }
}

impl Part {
    /// The half-open range of `0..whole` that is this part's.
    pub fn share(self, whole: usize) -> std::ops::Range<usize> {
        whole * self.index / self.of..whole * (self.index + 1) / self.of
    }
}

impl SwarmArgs {
    /// The part of the swarm that this process is; the whole, if nothing else is said.
    pub fn part(&self) -> Part {
        self.part.unwrap_or(Part { index: 0, of: 1 })
    }

    /// The way to the house.
    ///
    /// # Errors
    /// When the file, or the system, names nobody who is to be believed.
    pub fn way(&self) -> Result<Way, NoTrust> {
        let by_tls = self.url.starts_with("wss:")
            || self.reception.as_ref().is_some_and(|reception| reception.starts_with("https:"));
        let way = match &self.ca {
            Some(file) => Way::trusting(file)?,
            None if by_tls => Way::trusting_the_system()?,
            None => Way::plain(),
        };
        Ok(way.leading_to(self.connect_to))
    }

    /// How the bots behave.
    pub fn habits(&self) -> Habits {
        let think = Duration::from_millis(self.think_ms);
        Habits {
            think_min: think / 4,
            think_more: think * 3 / 4,
            chat: self.chat,
            leave: self.leave,
            // As rare as leaving: what a table must do about them is judged, and the pace of hands is to stay what it is.
            sit_out: self.leave,
            top_up: self.leave,
            show: self.leave,
            wait: 0.3,
            vanish: self.vanish,
            away: Duration::from_millis(self.away_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_swarm_make_the_whole() {
        for whole in [0, 1, 7, 600] {
            let shares = (0..4).flat_map(|index| Part { index, of: 4 }.share(whole));
            assert_eq!(shares.collect::<Vec<_>>(), (0..whole).collect::<Vec<_>>());
        }
        assert!(parse_part("4/4").is_err());
    }

    #[test]
    fn counts_and_chances_that_mean_nothing_are_refused() {
        for (flag, bad) in [
            ("--bots", "0"),
            ("--tables", "0"),
            ("--seconds", "0"),
            ("--ramp", "0"),
            ("--processes", "0"),
            ("--chat", "7"),
            ("--leave", "-1"),
            ("--vanish", "NaN"),
        ] {
            #[derive(Debug, clap::Parser)]
            struct Flags {
                #[command(flatten)]
                args: SwarmArgs,
            }
            let parse = |value: &str| {
                <Flags as clap::Parser>::try_parse_from(["swarm".to_owned(), format!("{flag}={value}")])
            };
            assert!(parse(bad).is_err(), "{flag} {bad}");
            assert!(parse("1").is_ok(), "{flag} 1");
        }
    }
}
