//! The house's reception: who hands out tokens, and who keeps people if the house keeps anything.

use std::{io, sync::Arc};

use axum::Router;
use broker::{ports::Ports, queue::Queue};
use cage::{DbError, Place, ledger, people::refresh::RefreshKeys, tape::ForwardError};
use ops::key_folder::KeyFolderError;
use protocol::id::NodeId;
use reception::{
    Desk, Keyring, People,
    api::ApiConfig,
    cage_args::CurrencyArgs,
    config::TokenArgs,
    database,
    oidc::{BadProviders, OidcArgs},
    people::HandKeys,
};

use crate::data::Data;

/// Why there is no reception.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// The keys of tokens.
    #[error(transparent)]
    Keys(#[from] KeyFolderError),
    /// The key of refresh tokens.
    #[error(transparent)]
    Refresh(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Database(#[from] cage::sql::OpenError),
    /// The currencies.
    #[error("--currency: {0}")]
    Currencies(#[from] DbError),
    /// The tape.
    #[error("--tape-dir: {0}")]
    Tape(#[from] ForwardError),
    /// By whom people sign in.
    #[error(transparent)]
    Providers(#[from] BadProviders),
}

/// What the office is told by flags.
pub(crate) struct Told<'a> {
    pub(crate) tokens: &'a TokenArgs,
    pub(crate) oidc: &'a OidcArgs,
    pub(crate) chips: &'a CurrencyArgs,
    /// Where hands wait to be written down.
    pub(crate) hands: Arc<dyn Queue>,
    /// There are tables whose chips are somebody's.
    pub(crate) has_purses: bool,
}

/// Desk and people.
pub(crate) struct Office {
    pub(crate) desk: Desk,
    /// None in a house that keeps nothing.
    pub(crate) people: Option<Arc<People>>,
}

impl Office {
    /// Of a house that keeps its people in `data`. Relays hear by `ports` of tokens that are void, and the worker is asked who sits; `nodes` are all there are.
    pub(crate) async fn open(
        data: Option<&Data>,
        Told { tokens, oidc, chips, hands, has_purses }: Told<'_>,
        ports: Ports,
        nodes: Vec<NodeId>,
    ) -> Result<Self, OfficeError> {
        oidc.check(data.is_some())?;
        let token_ms = tokens.token_ms(data.is_some());
        let Some(data) = data else {
            return Ok(Self {
                desk: Desk::new(Arc::new(Keyring::in_memory()), ports.clock, token_ms),
                people: None,
            });
        };
        let keys = Keyring::new(data.token_keys().read_or_create()?);
        let refresh = RefreshKeys::new(database::key_in(&data.path("keys"))?, Vec::new());
        let tellers = database::open(Place::File(data.path("people.db"))).await?;
        let currencies = chips.currencies.clone();
        tellers.write("currencies", move |tx| ledger::define(tx, &currencies)).await?;
        database::keep_tape(&tellers, chips.tape_dir.as_deref(), ports.clock.now_ms()).await?;
        let desk = Desk::new(Arc::new(keys), ports.clock, token_ms);
        let people = database::people(tellers, refresh, desk.clone(), ports, nodes)
            .with_providers(oidc.providers()?)
            .with_hands(hands)
            .with_purses(has_purses)
            .that_keeps_hands(true)
            .with_hand_keys(HandKeys::in_folder(data.token_keys().of_hands())?);
        Ok(Self { desk, people: Some(Arc::new(people)) })
    }

    /// What is served under `/api/`.
    pub(crate) fn router(&self, api: ApiConfig) -> Router {
        match self.people.clone() {
            Some(people) => reception::router_with_people(people, api),
            None => reception::router(self.desk.clone(), api),
        }
    }
}
