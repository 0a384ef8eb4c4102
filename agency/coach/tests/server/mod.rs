//! A server with an interface as OpenAI's that does what a test tells it, one request after the other.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::Response,
    routing::post,
};
use futures_util::{StreamExt as _, future::Either, stream};
use hyper::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Barrier, Notify},
    time::sleep,
};
use tokio_util::task::AbortOnDropHandle;

/// What comes, each after so many milliseconds.
pub type Events = Vec<(u64, String)>;

/// What is done of a request.
pub enum Does {
    /// Streams this, and ends.
    Stream(Events),
    /// The same in these very chunks.
    Bytes(Vec<(u64, Vec<u8>)>),
    /// The same, and is gone without an end.
    Cut(Events),
    /// The same, and stays.
    Hang(Events),
    /// Says nothing at all.
    Nothing,
    /// Answers this, perhaps says when to come back, and why.
    Refuse(StatusCode, Option<&'static str>, String),
    /// Answers with something else.
    Page(&'static str, String),
}

/// A request.
pub struct Heard {
    pub bearer: Option<String>,
    pub body: String,
}

/// An event with a part of the answer.
pub fn piece(text: &str) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": text}}]}))
}

/// A whole answer.
pub fn stream(texts: &[&str]) -> Does {
    let pieces = texts.iter().map(|text| (0, piece(text)));
    Does::Stream(pieces.chain([(0, "data: [DONE]\n\n".into())]).collect())
}

struct Inner {
    does: Mutex<VecDeque<Does>>,
    heard: Mutex<Vec<Heard>>,
    open: AtomicUsize,
    most: AtomicUsize,
    closed: Notify,
    /// Once so many are here all are answered with what they ask.
    echo: Option<Barrier>,
}

pub struct Server {
    inner: Arc<Inner>,
    address: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

impl Server {
    /// Does this, one after the other; of more requests than that, nothing.
    pub async fn open(does: Vec<Does>) -> Self {
        Self::with(does, None).await
    }

    /// Answers so many at once with what they ask.
    pub async fn echo(many: usize) -> Self {
        Self::with(Vec::new(), Some(Barrier::new(many))).await
    }

    async fn with(does: Vec<Does>, echo: Option<Barrier>) -> Self {
        let inner = Arc::new(Inner {
            does: Mutex::new(does.into()),
            heard: Mutex::default(),
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            closed: Notify::new(),
            echo,
        });
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(inner.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, address, _serving: AbortOnDropHandle::new(serving) }
    }

    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What was asked so far.
    pub fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.inner.heard.lock().unwrap())
    }

    /// Does this, too.
    pub fn then(&self, does: Does) {
        self.inner.does.lock().unwrap().push_back(does);
    }

    pub fn open_streams(&self) -> usize {
        self.inner.open.load(Ordering::SeqCst)
    }

    pub fn most_open(&self) -> usize {
        self.inner.most.load(Ordering::SeqCst)
    }

    /// Nobody listens any more.
    pub async fn all_closed(&self) {
        loop {
            let closed = self.inner.closed.notified();
            if self.open_streams() == 0 {
                return;
            }
            closed.await;
        }
    }
}

/// A stream that is open.
struct Open(Arc<Inner>);

impl Open {
    fn new(inner: Arc<Inner>) -> Self {
        let open = inner.open.fetch_add(1, Ordering::SeqCst) + 1;
        inner.most.fetch_max(open, Ordering::SeqCst);
        Self(inner)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
        self.0.closed.notify_waiters();
    }
}

async fn answer(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: String) -> Response {
    let open = Open::new(inner.clone());
    let bearer = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let asked = asked(&body);
    inner.heard.lock().unwrap().push(Heard { bearer, body });
    if let Some(barrier) = &inner.echo {
        let text = format!("You ask: {asked}");
        barrier.wait().await;
        let words = text.split_inclusive(' ').map(|word| (1, piece(word)));
        return streams(open, words.chain([(1, "data: [DONE]\n\n".into())]).collect(), End::Whole);
    }
    let does = inner.does.lock().unwrap().pop_front().unwrap_or(Does::Nothing);
    match does {
        Does::Stream(events) => streams(open, events, End::Whole),
        Does::Bytes(events) => streams(open, events, End::Whole),
        Does::Cut(events) => streams(open, events, End::Cut),
        Does::Hang(events) => streams(open, events, End::Never),
        Does::Nothing => std::future::pending().await,
        Does::Refuse(status, after, why) => {
            let answer = Response::builder().status(status);
            let answer =
                after.into_iter().fold(answer, |answer, after| answer.header(header::RETRY_AFTER, after));
            answer.body(Body::from(why)).unwrap()
        }
        Does::Page(form, text) => {
            Response::builder().header(header::CONTENT_TYPE, form).body(Body::from(text)).unwrap()
        }
    }
}

/// The last message's words, as they are quoted.
fn asked(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["messages"][1]["content"].as_str().unwrap().to_owned()
}

enum End {
    Whole,
    Cut,
    Never,
}

fn streams<T: Into<Bytes> + Send + 'static>(open: Open, events: Vec<(u64, T)>, end: End) -> Response {
    let events = stream::iter(events).then(|(after_ms, event)| async move {
        if after_ms > 0 {
            sleep(Duration::from_millis(after_ms)).await;
        }
        Ok::<Bytes, std::io::Error>(event.into())
    });
    let body = match end {
        End::Whole => Either::Left(events),
        End::Cut => Either::Right(Either::Left(events.chain(stream::once(async {
            // What was said is sent before.
            sleep(Duration::from_millis(20)).await;
            Err(std::io::Error::other("gone"))
        })))),
        End::Never => Either::Right(Either::Right(events.chain(stream::pending()))),
    };
    let body = body.inspect(move |_| {
        let _until_the_stream_is_dropped = &open;
    });
    let answer = Response::builder().header(header::CONTENT_TYPE, "text/event-stream; charset=utf-8");
    answer.body(Body::from_stream(body)).unwrap()
}
