//! A language model behind an interface as OpenAI's: one answer at a time, streamed.
//!
//! Every answer has an end: its first token comes within a time, all of it within another, and neither a line, an event, the stream nor the answer
//! grows beyond its bound. Who drops an [answer](Model::answer) closes its connection, by which servers know that nobody wants it any more.
//!
//! What fails before anything was told is tried again here; later it is an error, since a model does not go on where it stopped: the question is
//! begun anew, by this coach or by another.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    HeaderMap, Request, StatusCode, Uri,
    body::Incoming,
    header::{self, HeaderValue},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use metrics::{counter, histogram};
use protocol::jobs::ANSWER_BYTES_MAX;
use rand::RngExt as _;
use serde::Serialize;
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, sleep, timeout_at},
};
use zeroize::Zeroizing;

use crate::{
    chunk::{self, Chunk, Ends},
    events::{BadEvents, Events},
    prompt::{Message, messages},
};

/// A stream is not read on behind so many bytes: an answer is a thirtieth of its events, and some models think aloud before.
pub const STREAM_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Of an answer that is an error so much is read, bytes.
pub const ERROR_BYTES_MAX: usize = 4 * 1024;

/// Who is told to come back later than this does not wait here: another coach may be quicker.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);

/// What an answer ends with that is not whole.
const AND_SO_ON: &str = "…";

/// What opens the model's door. Never shown.
#[derive(Clone)]
pub struct Key(Zeroizing<String>);

impl FromStr for Key {
    type Err = BadModel;

    fn from_str(text: &str) -> Result<Self, BadModel> {
        let is_fit = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_fit.then(|| Self(text.to_owned().into())).ok_or(BadModel::Key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Which model, and how long it may take.
#[derive(Debug, Clone)]
pub struct ModelConfig {
    /// Where the interface is, such as `http://127.0.0.1:8080/v1`.
    pub url: String,
    /// What the model is called there.
    pub model: String,
    /// Not every one needs it.
    pub key: Option<Key>,
    /// The longest answer, tokens.
    pub tokens_max: u32,
    /// The first token comes within this, with each try, be it of an answer or of a thought.
    pub first_within: Duration,
    /// The whole answer, with all tries.
    pub whole_within: Duration,
    /// So often it is tried.
    pub tries_max: u32,
    /// The pause behind the first try; it doubles, and each is up to a quarter longer, so that not all come at one moment.
    pub backoff: Duration,
}

impl ModelConfig {
    /// With the usual bounds.
    pub fn new(url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            model: model.into(),
            key: None,
            tokens_max: 800,
            first_within: Duration::from_secs(5),
            whole_within: Duration::from_secs(30),
            tries_max: 4,
            backoff: Duration::from_millis(250),
        }
    }
}

/// There is no such model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadModel {
    /// The address is none.
    #[error("{0:?} is not where a model is; try http://127.0.0.1:8080/v1")]
    Url(String),
    /// The key is none.
    #[error("a model's key is one word of visible ASCII")]
    Key,
    /// Nobody can be believed to be the model.
    #[error("no certificates of the system: {0}")]
    NoRoots(String),
}

/// How an answer has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It is whole.
    Whole,
    /// It was too long, and says so at its end.
    Cut,
}

/// Why there is no answer, or no whole one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// There is no connection.
    #[error("the model is out of reach: {0}")]
    Unreachable(String),
    /// It has too much to do, and perhaps says when to come back.
    #[error("the model has too much to do")]
    Busy(Option<Duration>),
    /// It does not work now.
    #[error("the model answers {0}")]
    Broken(StatusCode),
    /// It does not want to: the key, the name or the question is wrong.
    #[error("the model refuses with {0}: {1}")]
    Refused(StatusCode, String),
    /// It answers in another form.
    #[error("not a stream of events but {0:?}")]
    NotAStream(String),
    /// It streams what is no answer.
    #[error("not an answer: {0}")]
    Unreadable(String),
    /// It has given up.
    #[error("the model gives up: {0}")]
    GaveUp(String),
    /// The stream ended, and the answer had not.
    #[error("the answer was cut off")]
    CutOff,
    /// There was no first token in time.
    #[error("no first token within {0:?}")]
    Silent(Duration),
    /// There was no end in time.
    #[error("no whole answer within {0:?}")]
    Late(Duration),
    /// A filter has ended it.
    #[error("the model does not answer this")]
    Filtered,
    /// It ended without a word.
    #[error("the model says nothing")]
    Empty,
    /// Nobody hears it any more.
    #[error("nobody wants the answer")]
    Unwanted,
}

impl Failed {
    /// When it may be worth another try, if the model has said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy(after) => *after,
            _ => None,
        }
    }

    /// In a word, for metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Busy(_) => "busy",
            Self::Broken(_) => "broken",
            Self::Refused(..) => "refused",
            Self::NotAStream(_) | Self::Unreadable(_) => "unreadable",
            Self::GaveUp(_) => "gave_up",
            Self::CutOff => "cut_off",
            Self::Silent(_) => "silent",
            Self::Late(_) => "late",
            Self::Filtered => "filtered",
            Self::Empty => "empty",
            Self::Unwanted => "unwanted",
        }
    }

    /// Whether the next try may do better.
    fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy(_) | Self::Broken(_) | Self::CutOff)
    }
}

impl From<BadEvents> for Failed {
    fn from(error: BadEvents) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// See the module. Cheap to clone; clones share its connections.
#[derive(Clone)]
pub struct Model {
    door: Arc<Door>,
    config: Arc<ModelConfig>,
    url: Uri,
    bearer: Option<HeaderValue>,
}

/// With TLS, or to a machine of one's own without.
enum Door {
    Tls(legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
    Plain(legacy::Client<HttpConnector, Full<Bytes>>),
}

/// The body of a request.
#[derive(Serialize)]
struct Asked<'a> {
    model: &'a str,
    messages: [Message; 2],
    max_tokens: u32,
    stream: bool,
}

impl Model {
    /// # Errors
    /// [`BadModel`].
    pub fn new(config: ModelConfig) -> Result<Self, BadModel> {
        let bad = || BadModel::Url(config.url.clone());
        let url: Uri =
            format!("{}/chat/completions", config.url.trim_end_matches('/')).parse().map_err(|_| bad())?;
        if url.host().is_none_or(str::is_empty) {
            return Err(bad());
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(config.first_within));
        let builder = legacy::Client::builder(TokioExecutor::new());
        let door = match url.scheme_str() {
            Some("http") => Door::Plain(builder.build(connector)),
            Some("https") => {
                connector.enforce_http(false);
                let tls = HttpsConnectorBuilder::new().with_native_roots();
                let tls = tls.map_err(|error| BadModel::NoRoots(error.to_string()))?;
                Door::Tls(builder.build(tls.https_only().enable_http1().wrap_connector(connector)))
            }
            _ => return Err(bad()),
        };
        let bearer = config.key.as_ref().map(|key| {
            let text = Zeroizing::new(format!("Bearer {}", key.0.as_str()));
            let mut bearer = HeaderValue::from_str(&text).map_err(|_| BadModel::Key)?;
            bearer.set_sensitive(true);
            Ok(bearer)
        });
        Ok(Self { door: Arc::new(door), config: Arc::new(config), url, bearer: bearer.transpose()? })
    }

    /// Answers what was asked: says it to `pieces` as it comes, and waits where nobody takes it. Dropped, it ends what the model does.
    ///
    /// # Errors
    /// [`Failed`]. What was said until then is not the answer.
    pub async fn answer(&self, asked: &str, pieces: &Sender<String>) -> Result<Ended, Failed> {
        let began = Instant::now();
        let config = &self.config;
        let mut told = Told { pieces, bytes: 0, began };
        let all = async {
            let mut pause = config.backoff;
            let mut tries = 1;
            loop {
                let failed = match self.once(asked, &mut told).await {
                    Err(failed) if failed.may_pass() && told.bytes == 0 && tries < config.tries_max => failed,
                    ended => return ended,
                };
                // Whatever the model says, there is a pause: some say 0.
                let wait = pause.mul_f64(rand::rng().random_range(1.0..1.25));
                let wait = wait.max(failed.retry_after().unwrap_or_default());
                if wait > RETRY_AFTER_MAX {
                    return Err(failed);
                }
                tracing::debug!(error = %failed, ?wait, "the model is asked again");
                counter!("coach_retries_total", "why" => failed.word()).increment(1);
                sleep(wait).await;
                (pause, tries) = (pause * 2, tries + 1);
            }
        };
        let by = began + config.whole_within;
        timeout_at(by, all).await.unwrap_or(Err(Failed::Late(config.whole_within)))
    }

    /// One try.
    async fn once(&self, asked: &str, told: &mut Told<'_>) -> Result<Ended, Failed> {
        let first_by = Instant::now() + self.config.first_within;
        let silent = |_| Failed::Silent(self.config.first_within);
        let mut body = timeout_at(first_by, self.open(asked)).await.map_err(silent)??;
        let mut answer = Answer::default();
        loop {
            // Comments that keep the connection alive are no tokens.
            let next = body.frame();
            let frame = if answer.has_begun {
                next.await
            } else {
                timeout_at(first_by, next).await.map_err(silent)?
            };
            let Some(frame) = frame else { break };
            // The other side is gone in the middle: there is no more to know of it.
            let frame = frame.map_err(|_| Failed::CutOff)?;
            let Some(bytes) = frame.data_ref() else { continue };
            if let Some(ended) = answer.take(bytes, told).await? {
                return Ok(ended);
            }
        }
        answer.end(told).await
    }

    /// Asks, and gives the stream that begins.
    async fn open(&self, asked: &str) -> Result<Incoming, Failed> {
        let ModelConfig { model, tokens_max, .. } = &*self.config;
        let body = Asked { model, messages: messages(asked), max_tokens: *tokens_max, stream: true };
        let body = serde_json::to_vec(&body).map_err(|error| Failed::Unreadable(error.to_string()))?;
        let mut request = Request::post(self.url.clone())
            .header(header::USER_AGENT, "cardhouse")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream");
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, bearer.clone());
        }
        let request = request.body(Full::from(body));
        let request = request.map_err(|error| Failed::Unreachable(error.to_string()))?;
        let answer = match &*self.door {
            Door::Tls(client) => client.request(request).await,
            Door::Plain(client) => client.request(request).await,
        };
        let (head, body) = answer.map_err(|error| Failed::Unreachable(chain(&error)))?.into_parts();
        match head.status {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => return Err(Failed::Busy(retry_after(&head.headers))),
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                return Err(Failed::Broken(status));
            }
            status => return Err(Failed::Refused(status, why(body).await)),
        }
        let form =
            head.headers.get(header::CONTENT_TYPE).and_then(|form| form.to_str().ok()).unwrap_or_default();
        if form.is_empty() || form.starts_with("text/event-stream") {
            return Ok(body);
        }
        Err(Failed::NotAStream(form.chars().take(64).collect()))
    }
}

/// What has come of a stream.
#[derive(Default)]
struct Answer {
    events: Events,
    bytes: usize,
    /// A token has come, be it of the answer or of a thought.
    has_begun: bool,
    ends: Option<Ends>,
}

impl Answer {
    /// Takes what came, and says how the answer has ended if it has: nothing is waited for behind that, since some servers keep the stream open.
    async fn take(&mut self, bytes: &[u8], told: &mut Told<'_>) -> Result<Option<Ended>, Failed> {
        self.bytes += bytes.len();
        if self.bytes > STREAM_BYTES_MAX {
            return Err(Failed::Unreadable(format!("a stream of more than {STREAM_BYTES_MAX} bytes")));
        }
        for data in self.events.feed(bytes)? {
            if let Some(ended) = self.event(&data, told).await? {
                return Ok(Some(ended));
            }
        }
        Ok(None)
    }

    /// The stream is over. Some servers leave out the last event, having said why the answer ends.
    async fn end(mut self, told: &mut Told<'_>) -> Result<Ended, Failed> {
        if let Some(data) = std::mem::take(&mut self.events).end()? {
            // Cut off within an event, it is not to be read.
            match self.event(&data, told).await {
                Ok(Some(ended)) => return Ok(ended),
                Ok(None) => {}
                Err(Failed::Unreadable(_)) => return Err(Failed::CutOff),
                Err(failed) => return Err(failed),
            }
        }
        if self.ends.is_none() {
            return Err(Failed::CutOff);
        }
        self.over(told).await
    }

    async fn event(&mut self, data: &str, told: &mut Told<'_>) -> Result<Option<Ended>, Failed> {
        match Chunk::read(data).map_err(|error| Failed::Unreadable(error.to_string()))? {
            Chunk::Error(why) => Err(Failed::GaveUp(why)),
            Chunk::Over => self.over(told).await.map(Some),
            Chunk::Part { text, thinks, ends } => {
                self.has_begun |= thinks || !text.is_empty();
                self.ends = ends.or(self.ends);
                if told.say(text).await? { Ok(None) } else { told.cut().await.map(Some) }
            }
        }
    }

    async fn over(&self, told: &mut Told<'_>) -> Result<Ended, Failed> {
        match self.ends {
            Some(Ends::Filtered) => Err(Failed::Filtered),
            _ if told.bytes == 0 => Err(Failed::Empty),
            Some(Ends::Long) => told.cut().await,
            Some(Ends::Whole) | None => Ok(Ended::Whole),
        }
    }
}

/// What was told.
struct Told<'a> {
    pieces: &'a Sender<String>,
    bytes: usize,
    began: Instant,
}

impl Told<'_> {
    /// Says whether all of it had room: what comes behind the longest answer is left out.
    async fn say(&mut self, mut text: String) -> Result<bool, Failed> {
        // Nobody's terminal is to do what a model says.
        text.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
        let room = ANSWER_BYTES_MAX - AND_SO_ON.len() - self.bytes;
        let fits = text.len() <= room;
        text.truncate(text.floor_char_boundary(room));
        if !text.is_empty() {
            if self.bytes == 0 {
                histogram!("coach_first_seconds").record(self.began.elapsed().as_secs_f64());
            }
            self.bytes += text.len();
            self.pieces.send(text).await.map_err(|_| Failed::Unwanted)?;
        }
        Ok(fits)
    }

    /// The answer goes on, and is not told on.
    async fn cut(&mut self) -> Result<Ended, Failed> {
        self.pieces.send(AND_SO_ON.into()).await.map_err(|_| Failed::Unwanted)?;
        Ok(Ended::Cut)
    }
}

/// In whole seconds; a date, or what is no number, counts as nothing said.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// What a refusal says.
async fn why(body: Incoming) -> String {
    let Ok(body) = Limited::new(body, ERROR_BYTES_MAX).collect().await else { return String::new() };
    let told: serde_json::Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
    told.get("error").map(chunk::message).unwrap_or_default()
}

/// An error and what is behind it: hyper says no more than that it could not connect.
fn chain(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_and_what_is_no_key_are_told() {
        for url in ["", "127.0.0.1:8080/v1", "ftp://models/v1", "http:///v1", "http://a b/v1"] {
            let told = Model::new(ModelConfig::new(url, "m")).err();
            assert_eq!(told, Some(BadModel::Url(url.into())), "{url}");
        }
        assert!(Model::new(ModelConfig::new("http://127.0.0.1:1/v1/", "m")).is_ok());
        for key in ["", "two words", "line\n", "ключ"] {
            assert!(key.parse::<Key>().is_err(), "{key:?}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let config =
            ModelConfig { key: Some("sk-secret".parse().unwrap()), ..ModelConfig::new("http://m/v1", "m") };
        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn only_a_number_of_seconds_says_when_to_come_back() {
        for (said, read) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("999999999", Some(999_999_999)),
            ("-100", None),
            ("nan", None),
            ("1e99", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ] {
            let headers = [(header::RETRY_AFTER, HeaderValue::from_static(said))].into_iter().collect();
            assert_eq!(retry_after(&headers), read.map(Duration::from_secs), "{said}");
        }
    }
}
