//! Where a client's token comes from: a port ([`Tokens`]), and reception over HTTP.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use protocol::{id::UserId, time::UnixMs};
use serde::Deserialize;
use tokio::time::Duration;

use crate::{
    purse::Account,
    way::{Names, Way},
};

/// No answer of reception is longer, bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Reception answers within this, or it counts as out of reach.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A guest, as reception makes them.
#[derive(Debug, Clone, Deserialize)]
pub struct Guest {
    /// To say hello with.
    pub token: String,
    /// Who one is.
    pub user: UserId,
    /// What one is called.
    pub name: String,
    /// When the token ends.
    pub expires_ms: UnixMs,
    /// What a reception that keeps people takes for the next token, once: each answer brings another.
    #[serde(default)]
    pub refresh: Option<String>,
}

/// What a refusal says.
#[derive(Deserialize)]
struct Said {
    message: String,
}

/// No token.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// Reception cannot be reached, or not in time, or has too much to do.
    #[error("reception is out of reach: {0}")]
    Unreachable(String),
    /// It said no, and why: that somebody is banned, and until when.
    #[error("reception refused with {status}: {message}")]
    Refused {
        /// The answer's status.
        status: StatusCode,
        /// For people; empty if it said nothing.
        message: String,
    },
    /// It said something else.
    #[error("reception's answer is not a guest: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Where tokens come from: reception over HTTP, or a house in the same process.
pub trait Tokens: Send + Sync {
    /// A new guest.
    ///
    /// # Errors
    /// [`NoToken`]; all may be tried again later.
    fn guest(&self, name: &str) -> impl Future<Output = Result<Guest, NoToken>> + Send;

    /// The same guest with a token that lasts longer.
    ///
    /// # Errors
    /// [`NoToken`]; when it is [`NoToken::Refused`] only a new guest helps.
    fn refresh(&self, guest: &Guest) -> impl Future<Output = Result<Guest, NoToken>> + Send;
}

/// Reception's HTTP address. Cheap to clone; clones share its connections.
#[derive(Debug, Clone)]
pub struct Reception {
    client: Client<HttpsConnector<HttpConnector<Names>>, Full<Bytes>>,
    base: String,
}

impl Reception {
    /// `base` such as `http://127.0.0.1:8080/api`.
    pub fn new(base: &str) -> Self {
        Self::by(&Way::plain(), base)
    }

    /// `base` such as `https://cards.example/api`.
    pub fn by(way: &Way, base: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(way.http());
        Self { client, base: base.trim_end_matches('/').to_owned() }
    }

    /// The address that belongs to a WebSocket's: `ws://HOST/ws` has `http://HOST/api`, and `wss` has `https`.
    pub fn base_of(ws_url: &str) -> String {
        let (scheme, rest) = match ws_url.strip_prefix("wss://") {
            Some(rest) => ("https", rest),
            None => ("http", ws_url.trim_start_matches("ws://")),
        };
        format!("{scheme}://{}/api", rest.split('/').next().unwrap_or_default())
    }

    pub(crate) async fn ask(&self, what: &str, body: &serde_json::Value) -> Result<Guest, NoToken> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/{what}", self.base))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body.to_string()));
        self.answered(request).await
    }

    /// What somebody has of a currency, where reception keeps that.
    ///
    /// # Errors
    /// [`NoToken`], as for tokens.
    pub async fn account(&self, guest: &Guest, currency: &str) -> Result<Account, NoToken> {
        #[derive(Deserialize)]
        struct Told {
            balances: Vec<Balance>,
        }
        #[derive(Deserialize)]
        struct Balance {
            currency: String,
            available: u64,
            in_play: Vec<InPlay>,
        }
        #[derive(Deserialize)]
        struct InPlay {
            amount: u64,
        }
        let request = Request::builder()
            .uri(format!("{}/me/balances", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", guest.token))
            .body(Full::default());
        let Told { balances } = self.answered(request).await?;
        let balance = balances.into_iter().find(|balance| balance.currency == currency);
        let Balance { available, in_play, .. } = balance.ok_or_else(|| NoToken::Refused {
            status: StatusCode::NOT_FOUND,
            message: format!("there is no {currency}"),
        })?;
        Ok(Account { available, in_play: in_play.iter().map(|at| at.amount).sum() })
    }

    async fn answered<T: serde::de::DeserializeOwned>(
        &self,
        request: Result<Request<Full<Bytes>>, hyper::http::Error>,
    ) -> Result<T, NoToken> {
        let request = request.map_err(|error| NoToken::Unreachable(error.to_string()))?;
        let answer = async {
            let out_of_reach = |error| NoToken::Unreachable(format!("{}: {}", self.base, deepest(&error)));
            let answer = self.client.request(request).await.map_err(out_of_reach)?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| NoToken::Unreachable(error.to_string()))?.to_bytes();
            if !status.is_success() {
                let said = serde_json::from_slice(&body).unwrap_or(Said { message: String::new() });
                // It may well say yes a little later.
                if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                    return Err(NoToken::Unreachable(format!("{status}: {}", said.message)));
                }
                return Err(NoToken::Refused { status, message: said.message });
            }
            Ok(serde_json::from_slice(&body)?)
        };
        let late = |_| NoToken::Unreachable("no answer in time".into());
        tokio::time::timeout(ANSWER_WITHIN, answer).await.map_err(late)?
    }
}

/// What an error comes from in the end: the outer ones only say that it was about a connection.
fn deepest(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

impl Tokens for Reception {
    async fn guest(&self, name: &str) -> Result<Guest, NoToken> {
        self.ask("guest", &serde_json::json!({ "name": name })).await
    }

    async fn refresh(&self, guest: &Guest) -> Result<Guest, NoToken> {
        let by = guest.refresh.as_ref().unwrap_or(&guest.token);
        self.ask("refresh", &serde_json::json!({ "token": by })).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// Answers requests with these bodies; what was asked, one after the other.
    async fn reception(answers: Vec<serde_json::Value>) -> (Reception, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = String::new();
                while !request.ends_with('}') {
                    let mut bytes = [0; 4_096];
                    let read = stream.read(&mut bytes).await.unwrap();
                    request.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
                }
                asked.push(request.rsplit("\r\n").next().unwrap().to_owned());
                let body = answer.to_string();
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ";
                stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
            }
            asked
        });
        (Reception::new(&base), serving)
    }

    fn told(token: &str, refresh: Option<&str>) -> serde_json::Value {
        let mut told = json!({"token": token, "user": "u1", "name": "Ann", "expires_ms": 1, "kind": "guest"});
        if let Some(refresh) = refresh {
            told["refresh"] = json!(refresh);
        }
        told
    }

    #[tokio::test]
    async fn the_next_token_is_asked_for_with_the_refresh_token_where_there_is_one() {
        let (reception, serving) = reception(vec![
            told("a1", Some("r1")),
            told("a2", Some("r2")),
            told("a3", None),
            told("a4", None),
        ])
        .await;
        let mut guest = reception.guest("Ann").await.unwrap();
        for token in ["a2", "a3", "a4"] {
            guest = reception.refresh(&guest).await.unwrap();
            assert_eq!(guest.token, token);
        }
        let by = |token| json!({ "token": token }).to_string();
        let asked = [json!({"name": "Ann"}).to_string(), by("r1"), by("r2"), by("a3")];
        assert_eq!(serving.await.unwrap(), asked);
    }
}
