//! A provider: what it says of itself, whereto somebody is sent, and who has come back.

use std::time::Duration;

use cage::people::identity::Subject;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, ExtraTokenFields,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenResponse as _, TokenUrl,
    basic::{
        BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use protocol::time::UnixMs;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{
    Named, Refused, Way,
    fetch::{FetchError, Fetcher},
    id_token::{Expected, Parts, Said},
    kept::Kept,
    keys::Keys,
};

/// What a provider says of itself is asked for again after so long.
const SAYS_FOR: Duration = Duration::from_secs(60 * 60);

/// And its keys: one that it publishes no more is good for so long at most.
const KEYS_FOR: Duration = Duration::from_secs(10 * 60);

/// People about whom a provider is asked at once. Who comes beyond is told so, and nobody else waits for a provider that is slow.
const ASKED_MAX: usize = 32;

/// The longest code that is passed on, bytes.
const CODE_BYTES_MAX: usize = 4 * 1024;

/// What a provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as that is asked.
#[derive(Deserialize)]
struct Says {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What comes with the access token. Never shown.
#[derive(Clone, Deserialize, Serialize)]
struct WithIdToken {
    id_token: Option<String>,
}

impl std::fmt::Debug for WithIdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WithIdToken")
    }
}

impl ExtraTokenFields for WithIdToken {}

type Tokens = StandardTokenResponse<WithIdToken, BasicTokenType>;

type OAuth<A = oauth2::EndpointNotSet, T = oauth2::EndpointNotSet> = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    A,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    T,
>;

/// Who has come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who he is there; with an address only if the provider is trusted for it and has verified it.
    pub subject: Subject,
    /// What he is called there; may be empty.
    pub nick: String,
}

/// What comes back with a browser.
#[derive(Debug, Default, Deserialize)]
pub struct Answer {
    pub(crate) state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// A provider. Its document and its keys are asked for when somebody wants to sign in by it, and kept for a while.
pub struct Provider {
    named: Named,
    redirect: String,
    fetcher: Fetcher,
    says: Kept<Says>,
    keys: Kept<Keys>,
    places: Semaphore,
}

impl Provider {
    pub(super) fn new(named: Named, public_url: &str, fetcher: Fetcher) -> Self {
        Self {
            redirect: format!("{public_url}/api/oidc/{}/callback", named.name),
            named,
            fetcher,
            says: Kept::new(SAYS_FOR),
            keys: Kept::new(KEYS_FOR),
            places: Semaphore::new(ASKED_MAX),
        }
    }

    /// For addresses and programs.
    pub fn name(&self) -> &str {
        &self.named.name
    }

    /// For people.
    pub fn label(&self) -> &str {
        &self.named.label
    }

    /// For whom it speaks.
    pub fn issuer(&self) -> &str {
        &self.named.issuer
    }

    /// Whether who has an address by its word is who has it by another's who is trusted, too.
    pub fn is_trusted_for_email(&self) -> bool {
        self.named.trust_email
    }

    fn place(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Refused> {
        self.places.try_acquire().map_err(|_| Refused::Busy)
    }

    async fn says(&self) -> Result<std::sync::Arc<Says>, Refused> {
        self.says.get(self.ask_what_it_says()).await
    }

    async fn ask_what_it_says(&self) -> Result<Says, Refused> {
        // The issuer is what it is, with a slash behind it or without; an address has one.
        let base = self.named.issuer.strip_suffix('/').unwrap_or(&self.named.issuer);
        let json = self.fetcher.get(&format!("{base}/.well-known/openid-configuration")).await?;
        let says: Says = serde_json::from_slice(&json).map_err(|_| Refused::Unclear)?;
        if says.issuer != self.named.issuer {
            tracing::error!(
                provider = self.name(),
                issuer = says.issuer,
                "this provider says that it is another: name it by that issuer"
            );
            return Err(Refused::Issuer);
        }
        for endpoint in [&says.authorization_endpoint, &says.token_endpoint, &says.jwks_uri] {
            if !super::config::may_be_asked(endpoint) {
                tracing::error!(provider = self.name(), endpoint, "this provider is not asked without TLS");
                return Err(Refused::Unclear);
            }
        }
        Ok(says)
    }

    async fn ask_keys(&self, says: &Says) -> Result<Keys, Refused> {
        Keys::read(&self.fetcher.get(&says.jwks_uri).await?)
    }

    fn oauth(&self, says: &Says) -> Result<OAuth<oauth2::EndpointSet, oauth2::EndpointSet>, Refused> {
        let unclear = |_| Refused::Unclear;
        let auth = AuthUrl::new(says.authorization_endpoint.clone()).map_err(unclear)?;
        let token = TokenUrl::new(says.token_endpoint.clone()).map_err(unclear)?;
        let redirect = RedirectUrl::new(self.redirect.clone()).map_err(unclear)?;
        let methods = says.token_endpoint_auth_methods_supported.as_deref();
        let takes = |method| methods.is_none_or(|methods| methods.iter().any(|known| known == method));
        let how = if takes("client_secret_basic") { AuthType::BasicAuth } else { AuthType::RequestBody };
        let client = OAuth::new(ClientId::new(self.named.client_id.clone()));
        let client =
            client.set_auth_uri(auth).set_token_uri(token).set_redirect_uri(redirect).set_auth_type(how);
        Ok(match &self.named.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.as_str().to_owned())),
            None => client,
        })
    }

    /// Whereto a browser is sent that walks this way.
    ///
    /// # Errors
    /// When the provider does not say where.
    pub async fn address(&self, way: &Way) -> Result<String, Refused> {
        let _place = self.place()?;
        let client = self.oauth(&*self.says().await?)?;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(way.verifier()));
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(way.state()))
            .add_scopes(self.named.scopes.iter().cloned().map(Scope::new))
            .add_extra_param("nonce", way.nonce())
            .set_pkce_challenge(challenge)
            .url();
        Ok(url.into())
    }

    /// Who has come back on this way with this answer.
    ///
    /// # Errors
    /// What is wrong with the answer, or with what the provider says.
    pub async fn found(&self, way: &Way, answer: &Answer, now_ms: UnixMs) -> Result<Found, Refused> {
        let _place = self.place()?;
        let says = self.says().await?;
        // RFC 9207: who answers says who he is, if that is what he does.
        let is_ours = match &answer.iss {
            Some(issuer) => *issuer == self.named.issuer,
            None => !says.authorization_response_iss_parameter_supported,
        };
        if !is_ours {
            return Err(Refused::Issuer);
        }
        match answer.error.as_deref() {
            Some("access_denied") => return Err(Refused::Denied),
            Some("temporarily_unavailable" | "server_error") => return Err(Refused::Away),
            Some(error) => {
                let error: String = error.chars().filter(char::is_ascii_graphic).take(80).collect();
                tracing::warn!(provider = self.name(), error, "a provider refused to sign somebody in");
                return Err(Refused::Provider);
            }
            None => {}
        }
        let code = answer.code.as_deref().filter(|code| (1..=CODE_BYTES_MAX).contains(&code.len()));
        let tokens = self.exchange(&says, code.ok_or(Refused::Code)?, way).await?;
        let id_token = tokens.extra_fields().id_token.as_deref().ok_or(Refused::Unclear)?;
        let parts = Parts::read(id_token)?;
        self.verify(&says, &parts).await?;
        let Said { subject, verified_email, nick } = parts.check(&Expected {
            issuer: &self.named.issuer,
            client_id: &self.named.client_id,
            nonce: &way.nonce(),
            access_token: tokens.access_token().secret(),
            now_ms,
        })?;
        let email = verified_email.filter(|_| self.named.trust_email);
        Ok(Found { subject: Subject { issuer: self.named.issuer.clone(), subject, email }, nick })
    }

    async fn exchange(&self, says: &Says, code: &str, way: &Way) -> Result<Tokens, Refused> {
        let client = self.oauth(says)?;
        let fetcher = self.fetcher.clone();
        let send = move |request: oauth2::HttpRequest| {
            let fetcher = fetcher.clone();
            async move { fetcher.send(request).await }
        };
        let asked = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(way.verifier()))
            .request_async(&send)
            .await;
        asked.map_err(|error| match error {
            RequestTokenError::ServerResponse(answer) => match answer.error() {
                BasicErrorResponseType::InvalidGrant => Refused::Code,
                kind => {
                    tracing::error!(
                        provider = self.name(),
                        error = kind.as_ref(),
                        "a provider refused the house: look at the client id and secret"
                    );
                    Refused::Provider
                }
            },
            RequestTokenError::Request(error) => FetchError::into(error),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Refused::Unclear,
        })
    }

    /// By the keys that are kept; where its key is none of those, once more by those that are published now.
    async fn verify(&self, says: &Says, parts: &Parts<'_>) -> Result<(), Refused> {
        let keys = self.keys.get(self.ask_keys(says)).await?;
        match parts.verify(&keys) {
            Err(Refused::Key) => {
                let keys = self.keys.later(keys, self.ask_keys(says)).await?;
                parts.verify(&keys)
            }
            verified => verified,
        }
    }
}
