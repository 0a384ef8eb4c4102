//! HTTP as clients meet it that mean no good: real sockets, and bounds short enough to wait for.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Response, StatusCode, header},
    routing::{get, post},
};
use hyper_util::rt::TokioIo;
use ops::serve::{Front, HttpArgs, Limits, Place, TrustProxy, Upgradable, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(30);

/// More than any buffer between here and there takes.
const LONG_BYTES: usize = 32 * 1024 * 1024;

const GET: &str = "GET /short HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const UPGRADE: &str = "GET /up HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n";
/// A body that never comes.
const HANGS: &str = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nx";

/// What was upgraded.
type Upgraded = (TcpStream, Place);

struct Server {
    address: SocketAddr,
    upgraded: mpsc::UnboundedReceiver<Upgraded>,
    leave: CancellationToken,
    serving: AbortOnDropHandle<()>,
}

async fn start(front: Front) -> Server {
    let (up, upgraded) = mpsc::unbounded_channel();
    let router = Router::new()
        .route("/short", get(async || "short"))
        .route("/long", get(async || Bytes::from(vec![b'x'; LONG_BYTES])))
        .route("/echo", post(async |body: Bytes| body))
        .route("/up", get(upgrade))
        .with_state(up);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let leave = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, router, front, leave.clone().cancelled_owned()));
    Server { address, upgraded, leave, serving: AbortOnDropHandle::new(serving) }
}

async fn upgrade(State(up): State<mpsc::UnboundedSender<Upgraded>>, mut request: Request) -> Response<Body> {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(parts) = upgraded.await.unwrap().downcast::<TokioIo<Upgradable>>() else {
            panic!("another type")
        };
        up.send(parts.io.into_inner().into_parts()).ok();
    });
    let response =
        Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).header(header::UPGRADE, "test");
    response.header(header::CONNECTION, "upgrade").body(Body::empty()).unwrap()
}

fn bounds() -> HttpArgs {
    HttpArgs { http_body_bytes_max: 2_000, ..HttpArgs::default() }
}

fn at_most(connections_max: usize, connections_per_address_max: usize) -> Limits {
    Limits { connections_max, connections_per_address_max, files_kept: 0 }
}

fn front(http: HttpArgs) -> Front {
    Front::new(http, Limits::default(), TrustProxy::Nobody)
}

impl Server {
    async fn say(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// The status, when the connection has ended; 0 when it ended without a word.
    async fn status(&self, request: &str) -> u16 {
        status_of(&rest(self.say(request).await).await)
    }

    /// Waits until somebody honest is let in.
    async fn lets_in(&self) {
        let trying = async {
            while self.status(GET).await != 200 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, trying).await.expect("somebody honest gets in");
    }
}

/// What still comes until the connection ends, however it ends.
async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let reading = async { while stream.read_buf(&mut said).await.is_ok_and(|count| count > 0) {} };
    timeout(SOON, reading).await.expect("the connection ends");
    said
}

fn status_of(answer: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(answer);
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn a_body_that_never_comes_ends_its_connection_in_time() {
    let server = start(front(HttpArgs { http_body_ms: 200, ..bounds() })).await;
    let began = Instant::now();
    assert_eq!(server.status(HANGS).await, 408);
    assert!(began.elapsed() >= Duration::from_millis(200));
    // Also where nobody wants the body.
    let unwanted = "GET /short HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nx";
    assert_eq!(server.status(unwanted).await, 200);
}

#[tokio::test]
async fn a_head_that_comes_drop_by_drop_ends_its_connection_in_time() {
    let server = start(front(HttpArgs { http_head_ms: 300, ..bounds() })).await;
    let (began, mut stream) = (Instant::now(), server.say("GET /short HTTP/1.1\r\n").await);
    let dripping = async {
        while stream.write_all(b"a: b\r\n").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, dripping).await.expect("it is cut");
    assert!(began.elapsed() >= Duration::from_millis(300));
    // Who says nothing at all neither.
    assert_eq!(rest(server.say("").await).await, b"");
}

#[tokio::test]
async fn a_kept_connection_may_rest_longer_than_a_head_may_take_but_not_for_ever() {
    let http = HttpArgs { http_head_ms: 200, http_idle_ms: 1_000, ..bounds() };
    let server = start(front(http)).await;
    let request = GET.replace("connection: close\r\n", "");
    let mut stream = server.say(&request).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(status_of(&answer), 200);
    sleep(Duration::from_millis(500)).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let began = Instant::now();
    let said = rest(stream).await;
    assert_eq!(
        String::from_utf8_lossy(&said).matches("HTTP/1.1 200").count(),
        1,
        "the second request is answered"
    );
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_answer_that_nobody_reads_ends_its_connection_in_time() {
    let front = Front::new(HttpArgs { http_answer_ms: 300, ..bounds() }, at_most(1, 1), TrustProxy::Nobody);
    let server = start(front).await;
    let reads_nothing = server.say("GET /long HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.lets_in().await;
    assert!(rest(reads_nothing).await.len() < LONG_BYTES);
}

#[tokio::test]
async fn more_bytes_than_a_request_may_have_are_refused() {
    let server = start(front(bounds())).await;
    let long = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2001\r\n\r\n";
    assert_eq!(server.status(long).await, 413);
    let chunk = format!("7d1\r\n{}\r\n0\r\n\r\n", "x".repeat(2_001));
    let chunked = format!(
        "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{chunk}"
    );
    assert_eq!(server.status(&chunked).await, 413);
    let fits = format!(
        "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2000\r\nconnection: close\r\n\r\n{}",
        "x".repeat(2_000)
    );
    assert_eq!(server.status(&fits).await, 200);
    let head = format!("GET /short HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(server.status(&head).await, 431);
}

/// What endpoints say when they refuse, which is read without knowing who has answered.
#[tokio::test]
async fn a_request_that_comes_to_no_endpoint_is_refused_in_the_form_of_endpoints() {
    let http = HttpArgs { http_body_ms: 200, ..bounds() };
    let server = start(Front::new(http, at_most(10, 1), TrustProxy::Nobody)).await;
    let told = async |request: &str| {
        let answer = String::from_utf8(rest(server.say(request).await).await).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("content-type: application/json"), "{answer}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert!(body["message"].as_str().is_some_and(|message| message.len() > 10), "{answer}");
        (status_of(answer.as_bytes()), body["code"].as_str().unwrap().to_owned())
    };
    let long = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2001\r\n\r\n";
    assert_eq!(told(long).await, (413, "too_large".into()));
    server.lets_in().await;
    assert_eq!(told(HANGS).await, (408, "too_slow".into()));
    server.lets_in().await;
    let _first = server.say("").await;
    assert_eq!(told("").await, (503, "busy".into()));
}

#[tokio::test]
async fn connections_are_counted_by_address_and_told_when_there_are_too_many() {
    let server = start(Front::new(bounds(), at_most(10, 2), TrustProxy::Nobody)).await;
    let (first, _second) = (server.say("").await, server.say("").await);
    assert_eq!(server.status("").await, 503);
    drop(first);
    server.lets_in().await;
}

#[tokio::test]
async fn a_connection_counts_once_and_also_when_it_is_upgraded() {
    let mut server = start(Front::new(bounds(), at_most(2, 2), TrustProxy::Nobody)).await;
    let mut client = server.say(UPGRADE).await;
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(status_of(&answer), 101);
    let (stream, place) = timeout(SOON, server.upgraded.recv()).await.unwrap().unwrap();
    let other = server.say("").await;
    assert_eq!(server.status("").await, 503);
    // The socket is there, and its place is another's.
    drop(place);
    drop(other);
    let (_one, _two) = (server.say("").await, server.say("").await);
    assert_eq!(server.status("").await, 503);
    drop(stream);
}

#[tokio::test]
async fn behind_a_proxy_a_client_is_counted_by_what_it_asks_and_the_proxy_is_not() {
    let trust = TrustProxy::Hops(1);
    let server = start(Front::new(bounds(), at_most(100, 1), trust)).await;
    let from = |request: &str, who: &str| {
        request.replace("host: x\r\n", &format!("host: x\r\nx-forwarded-for: 9.9.9.9, {who}\r\n"))
    };
    let hanging = server.say(&from(HANGS, "2001:db8:1:2::1")).await;
    // Until its head has come, it is nobody's.
    let counted = async {
        while server.status(&from(GET, "2001:db8:1:2::2")).await != 429 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, counted).await.expect("the same subscriber has to wait");
    assert_eq!(server.status(&from(GET, "2001:db8:1:3::1")).await, 200);
    drop(hanging);
    let over = async {
        while server.status(&from(GET, "2001:db8:1:2::2")).await != 200 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, over).await.expect("and no longer");
}

#[tokio::test]
async fn at_the_end_requests_are_answered_and_who_does_not_end_is_cut() {
    let mut server = start(front(bounds()).with_farewell(Duration::from_millis(300))).await;
    let hanging = server.say(HANGS).await;
    let idle = server.say(&GET.replace("connection: close\r\n", "")).await;
    let mut half = server.say("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nx").await;
    // Heard before the end comes.
    server.lets_in().await;
    server.leave.cancel();
    assert_eq!(status_of(&rest(idle).await), 200);
    half.write_all(b"y").await.unwrap();
    assert!(rest(half).await.ends_with(b"xy"));
    timeout(SOON, &mut server.serving).await.expect("it ends").unwrap();
    assert_eq!(status_of(&rest(hanging).await), 0);
}
