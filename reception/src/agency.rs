//! The agency: plays for the AI players whom hosts of players' tables invite, as the house's own bots. A role of reception, since they need tokens:
//! any number of receptions may have it, and know nothing of each other.

use std::{future::pending, sync::Arc};

use agents::{Agency, OfTheHouse};
use anyhow::Context as _;
use broker::{clock::Clock, queue::Queue};
use player::{
    Habits,
    connect::Dialer,
    guest::{Guest, NoToken, Tokens},
    way::Way,
};
use protocol::{id::UserId, text::PlayerName};

use crate::{Desk, Issued, database::DatabaseArgs};

/// Whether there is an agency, and how large.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "AI players")]
pub struct AgencyArgs {
    /// Play for AI players whom hosts of players' tables invite (dealer workers' --agency), and connect here: `ws://HOST[:PORT]/ws` or `wss://`, the
    /// address of all clients or, inside, the edge's. Needs Redis, where is written who is wanted
    #[arg(long, env = "CARDHOUSE_AGENCY_URL", value_name = "URL")]
    pub agency_url: Option<String>,
    /// So many AI players may be played for at a time
    #[arg(long, env = "CARDHOUSE_AI_PLAYERS", value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub ai_players: u16,
}

impl AgencyArgs {
    /// The agency, if there is one: for ever.
    ///
    /// # Errors
    /// When the address is none, no certificates are there to hold it against, or there is no Redis or it cannot be reached.
    pub async fn open(
        &self,
        database: &DatabaseArgs,
        desk: Desk,
    ) -> anyhow::Result<impl Future<Output = ()> + use<>> {
        let agency = match &self.agency_url {
            None => None,
            Some(url) => {
                let dialer = dialer(url)?;
                let queue = database.queue("--agency-url").await?;
                let name = format!("agency-{:016x}", rand::random::<u64>());
                Some(agency(queue, dialer, desk, Habits::default(), name, self.ai_players.into()))
            }
        };
        Ok(async move {
            match agency {
                Some(agency) => agency.run().await,
                None => pending().await,
            }
        })
    }
}

/// The way in for who connects from inside.
pub(crate) fn dialer(url: &str) -> anyhow::Result<Dialer> {
    let way = if url.starts_with("wss:") { Way::trusting_the_system()? } else { Way::plain() };
    // By a name inside, as a rule, which is not among those of pages.
    Ok(Dialer::by(&way, url).context("--agency-url")?.without_origin())
}

/// Who plays for up to `most` AI players at a time, over connections to a relay and with tokens straight from the desk. No other agency has the name.
pub fn agency(
    queue: Arc<dyn Queue>,
    dialer: Dialer,
    desk: Desk,
    habits: Habits,
    name: String,
    most: usize,
) -> Agency {
    let tokens = move |user| AtTheDesk(desk.clone(), user);
    Agency::new(queue, Arc::new(OfTheHouse::new(dialer, habits, tokens)), Clock::system(), name, most)
}

/// Tokens straight from the desk for a bot of the house: it does not use up what the people at its address may ask for.
pub struct AtTheDesk(pub Desk, pub UserId);

impl Tokens for AtTheDesk {
    async fn guest(&self, name: &str) -> Result<Guest, NoToken> {
        let name = PlayerName::new(name).map_err(|error| NoToken::Unreachable(error.to_string()))?;
        Ok(guest(self.0.bot(self.1.clone(), &name)))
    }

    async fn refresh(&self, was: &Guest) -> Result<Guest, NoToken> {
        let issued = self.0.refresh(&was.token).map_err(|error| NoToken::Unreachable(error.to_string()))?;
        Ok(guest(issued))
    }
}

pub(crate) fn guest(issued: Issued) -> Guest {
    let Issued { token, user, name, expires_ms } = issued;
    Guest { token, user, name, expires_ms, refresh: None }
}
