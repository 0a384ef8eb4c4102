//! Signing in elsewhere: OpenID Connect, the code flow with PKCE, with providers whom the operator names. Nothing here knows people.
//!
//! In reading order:
//!
//! - [`config`]: the file that names the providers.
//! - [`provider`]: one of them, as it is asked: what it says of itself, whereto somebody is sent, and who has come back.
//! - [`way`]: what goes with a browser that is sent there, all of it derived from one secret that the browser keeps.
//! - [`id_token`]: who somebody is by the provider's word, and whether that holds; [`keys`]: what its word is signed with.
//! - [`kept`]: what is not asked each time; [`fetch`]: requests with an end, of bounded size.
//! - [`refused`]: why somebody does not get in.

pub mod config;
pub mod fetch;
pub mod id_token;
mod kept;
pub mod keys;
pub mod provider;
pub mod refused;
pub mod way;

use std::sync::Arc;

pub use self::{
    config::{BadProviders, Named, OidcArgs},
    fetch::Bounds,
    provider::{Found, Provider},
    refused::Refused,
    way::Way,
};

/// The providers of a house; none where the operator names none.
#[derive(Default)]
pub struct Providers {
    /// Where pages are opened: `https://cards.example`, without a slash behind it.
    public_url: String,
    all: Vec<Arc<Provider>>,
}

impl Providers {
    /// As they were named, to be asked within these bounds.
    ///
    /// # Errors
    /// [`BadProviders`] when nobody can be asked over TLS.
    pub fn new(public_url: String, named: Vec<Named>, bounds: Bounds) -> Result<Self, BadProviders> {
        let needs_tls = named.iter().any(|provider| provider.issuer.starts_with("https:"));
        let fetcher = fetch::Fetcher::new(needs_tls, bounds)?;
        let all = named.into_iter().map(|named| Arc::new(Provider::new(named, &public_url, fetcher.clone())));
        Ok(Self { all: all.collect(), public_url })
    }

    /// The provider of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, name: &str) -> Result<&Arc<Provider>, Refused> {
        self.all.iter().find(|provider| provider.name() == name).ok_or(Refused::NoProvider)
    }

    /// All, as they were named.
    pub fn all(&self) -> &[Arc<Provider>] {
        &self.all
    }

    /// Where pages are opened.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Whether pages come over TLS.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https:")
    }

    /// The provider that speaks for this issuer.
    pub fn of_issuer(&self, issuer: &str) -> Option<&Arc<Provider>> {
        self.all.iter().find(|provider| provider.issuer() == issuer)
    }
}
