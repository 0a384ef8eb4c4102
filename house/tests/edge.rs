//! The house without a proxy before it, as a process: clients that mean no good, pages from elsewhere, and its closing.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::SUBPROTOCOL;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(60);

/// How long a body may take in these tests, milliseconds; the default is ten seconds.
const BODY_MS: &str = "1500";

/// `POST /api/guest` of which only one byte comes.
const HANGS: &str = "POST /api/guest HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";

/// The binary, killed when dropped.
struct House {
    child: Child,
    address: SocketAddr,
    ops: SocketAddr,
    /// What it says to the standard error.
    log: std::sync::mpsc::Receiver<String>,
}

impl House {
    /// Started by a shell that first does `before`, such as setting a limit.
    fn start(before: &str, flags: &[&str]) -> Self {
        let script = format!("{before}\nexec \"$@\"");
        let mut child = Command::new("sh")
            .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_house")])
            .args(["--memory", "--listen", "127.0.0.1:0", "--tables", "1", "--log-format", "json"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = || loop {
            let line = said.next().expect("it says where it is").unwrap();
            if let Some((_, address)) = line.split_once("http://") {
                return address.split('/').next().unwrap().parse().unwrap();
            }
        };
        let (address, ops) = (address(), address());
        // Read on, so that it never waits for us.
        std::thread::spawn(move || said.for_each(drop));
        let (tell, log) = std::sync::mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line)))
        });
        Self { child, address, ops, log }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    async fn metric(&self, name: &str) -> f64 {
        let metrics = ask(self.ops, "GET", "/metrics", "", "").await.1;
        let line = metrics
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {metrics}"));
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A whole request, answered or not: the status, 0 if there was none, and the body.
async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let host = if headers.contains("host:") { String::new() } else { format!("host: {address}\r\n") };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{host}{headers}connection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let asking = async {
        let mut answer = Vec::new();
        let Ok(mut stream) = TcpStream::connect(address).await else { return answer };
        let _ = stream.write_all(request.as_bytes()).await;
        while stream.read_buf(&mut answer).await.is_ok_and(|count| count > 0) {}
        answer
    };
    let answer = timeout(SOON, asking).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), body.to_owned())
}

async fn guest(address: SocketAddr) -> Option<String> {
    let (status, body) = ask(address, "POST", "/api/guest", "", r#"{"name":"Ann"}"#).await;
    (status == 201)
        .then(|| serde_json::from_str::<Value>(&body).unwrap()["token"].as_str().unwrap().to_owned())
}

async fn hanging(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Those that are turned away may be gone already.
        let _ = stream.write_all(HANGS.as_bytes()).await;
        streams.push(stream);
    }
    streams
}

#[tokio::test]
async fn two_hundred_bodies_that_never_come_are_counted_and_gone_in_time() {
    let house = House::start("", &["--bots", "0", "--http-body-ms", BODY_MS]);
    let streams = hanging(house.address, 200).await;
    assert!(guest(house.address).await.is_some(), "others are served meanwhile");
    assert!(house.metric("cardhouse_http_open{door=\"public\"}").await >= 200.0);
    for mut stream in streams {
        let mut answer = Vec::new();
        timeout(SOON, stream.read_to_end(&mut answer)).await.expect("it ends").unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    }
    let all_gone = async {
        while house.metric("cardhouse_http_open{door=\"public\"}").await > 0.0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, all_gone).await.expect("nothing stays open");
    assert_eq!(house.metric("cardhouse_http_cut_total{door=\"public\",phase=\"body\"}").await, 200.0);
}

#[tokio::test]
async fn with_few_files_three_hundred_such_bodies_keep_nobody_out_for_long() {
    let house = House::start("ulimit -n 256", &["--bots", "4", "--http-body-ms", BODY_MS]);
    let began = Instant::now();
    let streams = hanging(house.address, 300).await;
    // Operators always get in: some files are kept.
    assert_eq!(ask(house.ops, "GET", "/livez", "", "").await.0, 200);
    let coming_in = async {
        while guest(house.address).await.is_none() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, coming_in).await.expect("somebody honest gets in");
    assert!(house.metric("cardhouse_http_turned_away_total{door=\"public\",why=\"address\"}").await >= 200.0);
    eprintln!("got in after {:?}", began.elapsed());
    let lines: Vec<String> = house.log.try_iter().collect();
    assert!(lines.len() <= 5, "not a storm: {lines:#?}");
    drop(streams);
}

#[tokio::test]
async fn a_page_on_a_name_that_was_made_to_point_here_gets_in_nowhere_until_the_name_is_allowed() {
    let rebound = |address: SocketAddr| {
        let authority = format!("evil:{}", address.port());
        format!("host: {authority}\r\norigin: http://{authority}\r\n")
    };
    let handshake = "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: \
                     dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: cardhouse.v1\r\n";
    let house = House::start("", &["--bots", "0"]);
    let headers = rebound(house.address);
    for (method, path) in [("POST", "/api/guest"), ("GET", "/ws"), ("POST", "/ws")] {
        let (status, body) = ask(house.address, method, path, &headers, r#"{"name":"Ann"}"#).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, answer["code"].as_str()), (403, Some("wrong_host")), "{method} {path}");
        assert!(answer["message"].as_str().unwrap().contains("--host evil"), "{answer}");
    }
    assert_eq!(ask(house.address, "GET", "/ws", &format!("{headers}{handshake}"), "").await.0, 403);
    assert_eq!(ask(house.ops, "GET", "/metrics", "host: evil\r\n", "").await.0, 403);
    assert!(house.metric("cardhouse_pages_refused_total{code=\"wrong_host\"}").await >= 4.0);
    let logged = house.log.recv_timeout(SOON).unwrap();
    assert!(logged.contains("--host evil"), "{logged}");

    let house = House::start("", &["--bots", "0", "--host", "evil"]);
    let headers = rebound(house.address);
    assert_eq!(ask(house.address, "POST", "/api/guest", &headers, r#"{"name":"Ann"}"#).await.0, 201);
    // Not an upgrade, but not refused for whose page it is.
    assert_eq!(ask(house.address, "POST", "/ws", &headers, "").await.0, 405);
}

#[tokio::test]
async fn behind_a_proxy_that_changes_host_page_log_and_metric_say_which_flag_mends_it() {
    let house = House::start("", &["--bots", "0"]);
    let headers = "origin: https://cards.example\r\n";
    let (status, body) = ask(house.address, "POST", "/api/guest", headers, r#"{"name":"Ann"}"#).await;
    assert_eq!(status, 403);
    for said in [body, house.log.recv_timeout(SOON).unwrap()] {
        assert!(said.contains("--origin https://cards.example") && said.contains("Host"), "{said}");
    }
    assert_eq!(house.metric("cardhouse_pages_refused_total{code=\"wrong_origin\"}").await, 1.0);
    let house = House::start("", &["--bots", "0", "--origin", "https://cards.example"]);
    assert_eq!(ask(house.address, "POST", "/api/guest", headers, r#"{"name":"Ann"}"#).await.0, 201);
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn socket(address: SocketAddr) -> Socket {
    let token = guest(address).await.expect("a token");
    let uri = format!("ws://{address}/ws").parse().unwrap();
    let builder = ClientBuilder::from_uri(uri);
    let builder = builder.add_header("sec-websocket-protocol".parse().unwrap(), SUBPROTOCOL.parse().unwrap());
    let (mut socket, _) = timeout(SOON, builder.unwrap().connect()).await.unwrap().unwrap();
    for message in [json!({"t": "hello", "token": token}), json!({"t": "watch", "room": "t1"})] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    let greeted =
        async { while !hear(&mut socket).await.is_some_and(|message| message["t"] == "keyframe") {} };
    timeout(SOON, greeted).await.expect("a keyframe");
    socket
}

async fn hear(socket: &mut Socket) -> Option<Value> {
    let message = socket.next().await.expect("it ends with a close").expect("it ends with a close");
    message.as_text().map(|text| serde_json::from_str(text).unwrap())
}

/// How one client met the end.
#[derive(Debug)]
struct Goodbye {
    /// What it was told.
    after_ms: u64,
    frames_meanwhile: usize,
    code: u16,
    at: Instant,
}

async fn until_goodbye(mut socket: Socket) -> Goodbye {
    let (mut after_ms, mut frames_meanwhile) = (None, 0);
    loop {
        let message =
            socket.next().await.expect("a close frame comes first").expect("a close frame comes first");
        if let Some((code, _)) = message.as_close() {
            let after_ms = after_ms.expect("`reconnect` comes before the close");
            return Goodbye { after_ms, frames_meanwhile, code: code.into(), at: Instant::now() };
        }
        let Some(text) = message.as_text() else { continue };
        let message: Value = serde_json::from_str(text).unwrap();
        match message["t"].as_str() {
            Some("reconnect") => after_ms = message["after_ms"].as_u64(),
            Some("frame") if after_ms.is_some() => frames_meanwhile += 1,
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_drain_ms_promises_is_kept_and_everybody_is_closed_with_1012_at_a_time_of_their_own() {
    const CLIENTS: u32 = 8;
    const DRAIN: Duration = Duration::from_secs(4);
    let quick = ["--bot-think-min-ms", "0", "--bot-think-more-ms", "10", "--pause-ms", "20"];
    let mut house = House::start("", &[&["--drain-ms", "4000", "--bots", "5"], &quick[..]].concat());
    let mut sockets = Vec::new();
    for _ in 0..CLIENTS {
        sockets.push(socket(house.address).await);
    }
    let told = Instant::now();
    house.signal("-TERM");
    let (tell, mut goodbyes) = mpsc::unbounded_channel();
    for socket in sockets {
        let tell = tell.clone();
        tokio::spawn(async move { tell.send(until_goodbye(socket).await) });
    }
    drop(tell);
    let mut met = Vec::new();
    while let Some(goodbye) = timeout(SOON, goodbyes.recv()).await.expect("a goodbye") {
        met.push(goodbye);
    }
    assert_eq!(met.len(), CLIENTS as usize);
    assert!(met.iter().all(|goodbye| goodbye.code == 1012), "{met:#?}");
    for goodbye in &met {
        let after = goodbye.at.duration_since(told);
        assert!(after >= Duration::from_millis(goodbye.after_ms), "not before its time: {goodbye:?}");
    }
    let last = met.last().unwrap();
    assert!(last.at.duration_since(told) >= DRAIN / 2, "spread over the time: {met:#?}");
    let gaps = met.windows(2).filter(|pair| pair[1].at - pair[0].at > Duration::from_millis(50)).count();
    assert!(gaps >= CLIENTS as usize / 2, "not all at once: {met:#?}");
    assert!(last.frames_meanwhile > 0, "hands go on meanwhile: {met:#?}");
    let ended = timeout(SOON, tokio::task::spawn_blocking(move || house.child.wait())).await;
    assert!(ended.expect("it ends").unwrap().unwrap().success());
}

#[tokio::test]
async fn who_does_not_want_to_wait_says_it_twice() {
    let mut house = House::start("", &["--drain-ms", "600000", "--bots", "0"]);
    let mut socket = socket(house.address).await;
    house.signal("-INT");
    let told = async { while !hear(&mut socket).await.is_some_and(|message| message["t"] == "reconnect") {} };
    timeout(SOON, told).await.expect("it is told");
    house.signal("-INT");
    let ended = timeout(SOON, tokio::task::spawn_blocking(move || house.child.wait())).await;
    assert!(ended.expect("it ends").unwrap().unwrap().success());
}

/// What is under `/api` is no page's: what is refused there, is refused in the interface's form.
#[tokio::test]
async fn whatever_is_refused_under_api_is_refused_in_words_for_programs() {
    let house = House::start("", &[]);
    let long = "x".repeat(70_000);
    for (method, path, headers, body, refused) in [
        ("POST", "/api/guest", "", &*long, (413, "too_large")),
        ("POST", "/api/guest", "", &long[..5_000], (413, "too_large")),
        ("POST", "/api/guest", "", "{", (400, "bad_request")),
        ("BREW", "/api/guest", "", "", (405, "bad_method")),
        ("DELETE", "/api/sessions/%ff", "", "", (404, "no_accounts")),
        ("GET", "/api", "", "", (404, "not_found")),
        ("GET", "/api/", "", "", (404, "not_found")),
        ("POST", "/api/else", "", "", (404, "not_found")),
        ("POST", "/api/guest", "origin: http://evil.example\r\n", "{}", (403, "wrong_origin")),
    ] {
        let (status, told) = ask(house.address, method, path, headers, body).await;
        let told: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{method} {path}: {told}"));
        assert_eq!((status, told["code"].as_str().unwrap()), refused, "{method} {path}");
    }
    // Everything else is the page's.
    assert_eq!(ask(house.address, "GET", "/", "", "").await.0, 200);
}
