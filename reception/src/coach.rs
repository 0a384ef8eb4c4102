//! The coach: a language model answers what players ask. A role of reception, as the [agency](crate::agency) is, since it needs a token: any number of
//! receptions may have it, each with a model of its own.

use std::{future::pending, time::Duration};

use anyhow::Context as _;
use broker::clock::Clock;
use coach::{CoachConfig, Key, Limits, Model, ModelConfig};
use player::{
    connect::Dialer,
    guest::{Guest, NoToken, Tokens},
};
use protocol::{id::UserId, text::PlayerName};

use crate::{
    Desk,
    agency::{dialer, guest},
};

/// Whether there is a coach, and how much it does.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "The coach")]
pub struct CoachArgs {
    /// Answer what players ask the coach, with the language model whose interface, one as OpenAI's, is here, such as `http://127.0.0.1:8000/v1`; off unless
    /// given. Where jobs wait (--jobs)
    #[arg(long, env = "CARDHOUSE_COACH_URL", value_name = "URL")]
    pub coach_url: Option<String>,
    /// What the model is called there
    #[arg(long, env = "CARDHOUSE_COACH_MODEL", value_name = "NAME")]
    pub coach_model: Option<String>,
    /// The key of the interface, if it wants one
    #[arg(long, env = "CARDHOUSE_COACH_KEY", hide_env_values = true, value_name = "KEY")]
    pub coach_key: Option<Key>,
    /// So many answers at a time
    #[arg(long, env = "CARDHOUSE_COACH_AT_ONCE", value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub coach_at_once: u16,
    /// So many questions one user may ask on one day, and answers to match; a coach that is started again counts anew
    #[arg(long, env = "CARDHOUSE_COACH_QUESTIONS_A_DAY", value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub coach_questions_a_day: u32,
    /// The longest answer, tokens
    #[arg(long, env = "CARDHOUSE_COACH_TOKENS_MAX", value_name = "COUNT", default_value_t = 800, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub coach_tokens_max: u32,
    /// The model's first token comes within this, or the question is tried again, milliseconds
    #[arg(long, env = "CARDHOUSE_COACH_FIRST_MS", value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub coach_first_ms: u64,
    /// And its whole answer within this, milliseconds
    #[arg(long, env = "CARDHOUSE_COACH_WHOLE_MS", value_name = "MS", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub coach_whole_ms: u64,
}

impl CoachArgs {
    /// The coach, if there is one: for ever. It connects where the agency does.
    ///
    /// # Errors
    /// When the flags describe no model, or it is not said where to connect.
    pub fn open(
        &self,
        agency_url: Option<&str>,
        desk: &Desk,
    ) -> anyhow::Result<impl Future<Output = ()> + use<>> {
        let coach = match self.model()? {
            None => None,
            Some(model) => {
                let url = agency_url.context("--coach-url needs --agency-url: where the coach connects")?;
                Some(coach(model, self.config(), dialer(url)?, desk.clone()))
            }
        };
        Ok(async move {
            match coach {
                Some(coach) => coach.await,
                None => pending().await,
            }
        })
    }

    /// Its model, if there is one.
    ///
    /// # Errors
    /// When the flags describe none.
    pub fn model(&self) -> anyhow::Result<Option<Model>> {
        let Some(url) = &self.coach_url else { return Ok(None) };
        let model =
            self.coach_model.as_ref().context("--coach-url needs --coach-model: what the model is called")?;
        let config = ModelConfig {
            key: self.coach_key.clone(),
            tokens_max: self.coach_tokens_max,
            first_within: Duration::from_millis(self.coach_first_ms),
            whole_within: Duration::from_millis(self.coach_whole_ms),
            ..ModelConfig::new(url, model)
        };
        Ok(Some(Model::new(config).context("--coach-url")?))
    }

    /// How much it does.
    pub fn config(&self) -> CoachConfig {
        CoachConfig { at_once: self.coach_at_once, limits: Limits::of(self.coach_questions_a_day) }
    }
}

/// A coach over a connection to a relay, and with tokens straight from the desk: for ever.
///
/// # Panics
/// Never: its name is one.
pub fn coach(
    model: Model,
    config: CoachConfig,
    dialer: Dialer,
    desk: Desk,
) -> impl Future<Output = ()> + use<> {
    // Of a name of its own: two that answer at once are two.
    let id = format!("{}coach-{:016x}", UserId::BOT_PREFIX, rand::random::<u64>());
    let tokens = AgentAtTheDesk(desk, UserId::new(&id).expect("that is a name"));
    coach::coach(model, config, Clock::system(), dialer, tokens)
}

/// Tokens straight from the desk for a bot of the house that does what others want done: each says so.
pub struct AgentAtTheDesk(pub Desk, pub UserId);

impl Tokens for AgentAtTheDesk {
    async fn guest(&self, name: &str) -> Result<Guest, NoToken> {
        let name = PlayerName::new(name).map_err(|error| NoToken::Unreachable(error.to_string()))?;
        Ok(guest(self.0.agent(self.1.clone(), &name)))
    }

    async fn refresh(&self, was: &Guest) -> Result<Guest, NoToken> {
        self.guest(&was.name).await
    }
}
