//! The binary as operators run it: a process, signals, a folder of keys.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use broker::testing::redis_server::free_port;
use ops::{testing::full_pipe::full_pipe, testing::variables::variables};
use serde_json::Value;
use tokens::{KeySet, Signer};

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(30);

struct Reception {
    process: Child,
    address: SocketAddr,
    ops: SocketAddr,
    /// What it logs.
    log: Receiver<String>,
}

impl Reception {
    fn start(key_dir: &Path) -> Self {
        Self::start_after("", key_dir, &[])
    }

    /// Started by a shell that first does `before`, such as setting a limit.
    fn start_after(before: &str, key_dir: &Path, flags: &[&str]) -> Self {
        let mut process = Command::new("sh")
            .args(["-c", &format!("{before}\nexec \"$@\""), "sh", env!("CARGO_BIN_EXE_reception")])
            .args(flags)
            .args(["--listen", "127.0.0.1:0", "--key-settle-ms", "0", "--key-reread-ms", "100"])
            .args(["--log-format", "json", "--key-dir"])
            .arg(key_dir)
            // As compose files do with variables that they leave open.
            .envs(variables(env!("CARGO_BIN_EXE_reception")).unwrap().into_iter().map(|name| (name, "")))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let listening: Value = log
            .by_ref()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
            .find(|line| line["message"] == "listening")
            .expect("it says where it listens");
        // Read on, so that it never waits for us.
        let (tell, logged) = channel();
        std::thread::spawn(move || log.map_while(Result::ok).for_each(|line| drop(tell.send(line))));
        let address = |field: &str| listening[field].as_str().unwrap().parse().unwrap();
        Self { process, address: address("address"), ops: address("ops"), log: logged }
    }

    fn jwks(&self) -> KeySet {
        KeySet::from_json(&ask(self.address, "GET", "/.well-known/jwks.json", "").1).unwrap()
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until(|| {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Reception {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    ask_as(address, method, path, &format!("host: {address}\r\n"), body)
}

fn ask_as(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\n{headers}connection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn until(mut happened: impl FnMut() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < SOON, "it did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn it_serves_says_that_it_is_ready_counts_and_leaves_on_sigterm() {
    let temporary = tempfile::tempdir().unwrap();
    let mut reception = Reception::start(&temporary.path().join("keys"));
    let (status, body) = ask(reception.address, "POST", "/api/guest", r#"{"name":"Ann"}"#);
    assert_eq!(status, 201, "{body}");
    assert_eq!(ask(reception.ops, "GET", "/livez", "").0, 200);
    assert_eq!(ask(reception.ops, "GET", "/readyz", "").0, 200);
    let (_, metrics) = ask(reception.ops, "GET", "/metrics", "");
    assert!(metrics.contains(r#"reception_tokens_total{for="guest"} 1"#), "{metrics}");
    assert_eq!(ask(reception.address, "GET", "/metrics", "").0, 404, "metrics are not public");
    reception.signal("-TERM");
    assert!(reception.ended().success());
}

#[test]
fn a_log_that_nobody_reads_does_not_stop_reception() {
    let temporary = tempfile::tempdir().unwrap();
    let free = || SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
    let (address, ops) = (free(), free());
    let (_log, stderr) = full_pipe().unwrap();
    let process = Command::new(env!("CARGO_BIN_EXE_reception"))
        .args(["--listen", &address.to_string(), "--ops-listen", &ops.to_string()])
        .args(["--log", "trace", "--log-bytes-max", "1", "--key-settle-ms", "0", "--key-dir"])
        .arg(temporary.path().join("keys"))
        .stderr(stderr)
        .spawn()
        .unwrap();
    let mut reception = Reception { process, address, ops, log: channel().1 };
    until(|| TcpStream::connect(address).is_ok());
    assert_eq!(ask(address, "POST", "/api/guest", r#"{"name":"Ann"}"#).0, 201);
    assert_eq!(ask(ops, "GET", "/livez", "").0, 200);
    until(|| !ask(ops, "GET", "/metrics", "").1.contains("cardhouse_log_lines_dropped_total 0\n"));
    reception.signal("-TERM");
    assert!(reception.ended().success());
}

#[test]
fn a_token_outlives_a_restart_and_a_rotation_needs_none() {
    let temporary = tempfile::tempdir().unwrap();
    let keys = temporary.path().join("keys");
    let mut reception = Reception::start(&keys);
    let (_, guest) = ask(reception.address, "POST", "/api/guest", r#"{"name":"Ann"}"#);
    let guest: Value = serde_json::from_str(&guest).unwrap();
    reception.signal("-INT");
    assert!(reception.ended().success());

    let reception = Reception::start(&keys);
    let new = Signer::generate();
    std::fs::write(keys.join("new.pem"), new.to_pem()).unwrap();
    until(|| reception.jwks().len() == 2);
    let body = serde_json::json!({ "token": guest["token"] }).to_string();
    let (status, again) = ask(reception.address, "POST", "/api/refresh", &body);
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!((status, &again["user"]), (200, &guest["user"]));
    let now_ms = again["expires_ms"].as_u64().unwrap() - 3_600_000;
    assert!(new.public().verify(again["token"].as_str().unwrap(), now_ms).is_ok(), "the new key signs");
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_the_flag() {
    let temporary = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_reception"))
        .args(["--listen", &taken.local_addr().unwrap().to_string(), "--key-dir"])
        .arg(temporary.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && said.contains("--listen"), "{said}");
    let none =
        Command::new(env!("CARGO_BIN_EXE_reception")).args(["--listen", "localhost"]).output().unwrap();
    let said = String::from_utf8_lossy(&none.stderr);
    assert!(said.contains("localhost has no port; try localhost:8080"), "{said}");
}

#[test]
fn an_agency_says_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let told = |url: &str| {
        let ended = Command::new(env!("CARGO_BIN_EXE_reception"))
            .args([
                "--listen",
                "127.0.0.1:0",
                "--ops-listen",
                "127.0.0.1:0",
                "--agency-url",
                url,
                "--key-dir",
            ])
            .arg(folder.path())
            .output()
            .unwrap();
        assert!(!ended.status.success());
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    assert!(told("ws://127.0.0.1:1/ws").contains("--redis-url"));
    assert!(told("http://127.0.0.1:1/").contains("--agency-url"));
}

#[test]
fn with_few_files_bodies_that_never_come_keep_nobody_out_for_long_and_fill_no_log() {
    let temporary = tempfile::tempdir().unwrap();
    let reception = Reception::start_after("ulimit -n 18", temporary.path(), &["--http-body-ms", "200"]);
    let hanging: Vec<_> = (0..12)
        .map(|_| {
            let mut stream = TcpStream::connect(reception.address).unwrap();
            write!(stream, "POST /api/guest HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{{").unwrap();
            stream
        })
        .collect();
    until(|| {
        // Whoever is turned away comes again.
        let mut stream = TcpStream::connect(reception.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let body = r#"{"name":"Ann"}"#;
        let head = "POST /api/guest HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json";
        let mut answer = [0; 12];
        write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && answer == *b"HTTP/1.1 201"
    });
    drop(hanging);
    let about_it = |line: &String| line.contains("cannot accept") || line.contains("turns connections away");
    let lines: Vec<String> = reception.log.try_iter().filter(about_it).collect();
    assert!(lines.len() <= 2, "{lines:#?}");
}

/// Whatever is logged, at its most talkative: what only its owner may know is not in it.
#[test]
fn no_password_token_or_link_stands_in_a_log_or_in_the_database() {
    let temporary = tempfile::tempdir().unwrap();
    let database = temporary.path().join("people.db");
    let place = database.to_str().unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_reception"))
        .args(["--database", place, "admin", "create", "boss"])
        .output()
        .unwrap();
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success(), "{said} {}", String::from_utf8_lossy(&made.stderr));
    let link = said.split("#password=").nth(1).unwrap().trim().to_owned();
    let flags = ["--database", place, "--log", "trace"];
    let mut reception = Reception::start_after("", &temporary.path().join("keys"), &flags);
    let post = |path: &str, body: Value| {
        let (status, body) = ask(reception.address, "POST", path, &body.to_string());
        (status, serde_json::from_str::<Value>(&body).unwrap_or_default())
    };
    const PASSWORDS: [&str; 3] = ["the first secret word", "the wrong secret word", "the boss's secret word"];
    let account = serde_json::json!({ "handle": "ann", "password": PASSWORDS[0], "nick": "Ann" });
    let (status, ann) = post("/api/accounts", account.clone());
    assert_eq!(status, 201, "{ann}");
    assert_eq!(post("/api/accounts", account).0, 409);
    assert_eq!(
        post("/api/sessions", serde_json::json!({ "handle": "ann", "password": PASSWORDS[1] })).0,
        401
    );
    let (status, signed_in) =
        post("/api/sessions", serde_json::json!({ "handle": "ann", "password": PASSWORDS[0] }));
    assert_eq!(status, 201);
    let (_, next) = post("/api/refresh", serde_json::json!({ "token": ann["refresh"] }));
    assert_eq!(post("/api/refresh", serde_json::json!({ "token": next["refresh"] })).0, 200);
    // The owner's old one: its login ends, which is told.
    assert_eq!(
        post("/api/refresh", serde_json::json!({ "token": ann["refresh"] })).1["code"],
        "session_ended"
    );
    assert_eq!(post("/api/passwords", serde_json::json!({ "link": link, "password": PASSWORDS[2] })).0, 204);
    assert_eq!(
        post("/api/sessions", serde_json::json!({ "handle": "boss", "password": PASSWORDS[2] })).0,
        201
    );
    reception.signal("-TERM");
    assert!(reception.ended().success());

    let mut kept: Vec<u8> = reception.log.iter().collect::<Vec<_>>().join("\n").into_bytes();
    let log = String::from_utf8_lossy(&kept).into_owned();
    // The judge hears what is there: the event itself is in the log.
    assert!(log.contains("an old refresh token was used"), "{log}");
    for file in std::fs::read_dir(temporary.path()).unwrap().map(Result::unwrap) {
        if file.path().is_file() {
            kept.extend(std::fs::read(file.path()).unwrap());
        }
    }
    let in_it = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(in_it("signed_in") && in_it("$argon2id$"), "the judge sees the database");
    let fields = ["token", "refresh", "device"];
    let tokens =
        [&ann, &signed_in, &next].into_iter().flat_map(|session| fields.map(|field| session[field].as_str()));
    let secrets = tokens.flatten().chain(PASSWORDS).chain([link.as_str()]);
    for secret in secrets {
        assert!(!in_it(secret), "a secret of {} characters is kept", secret.len());
    }
}

/// A provider that does nothing but say of itself what it must, over TLS, with a certificate by an authority that a company has made.
struct CompanyProvider {
    process: Child,
    issuer: String,
}

impl Drop for CompanyProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl CompanyProvider {
    /// In this folder, where the authority's certificate is `ca.pem`. None where there is no OpenSSL.
    fn start(folder: &Path) -> Option<Self> {
        let openssl = |args: &str| {
            let made = Command::new("openssl").args(args.split(' ')).current_dir(folder).output();
            made.is_ok_and(|made| made.status.success())
        };
        if !openssl("version") {
            eprintln!("skipped: there is no openssl on this machine");
            return None;
        }
        std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
            .unwrap();
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        let ours = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign";
        assert!(openssl(&format!(
            "req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=company {ours}"
        )));
        assert!(openssl(&format!("req {key} -keyout key.pem -out asked.pem -subj /CN=localhost")));
        let by_us = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names";
        assert!(openssl(&format!("x509 -req -in asked.pem {by_us} -out cert.pem")));

        let port = free_port().unwrap();
        let issuer = format!("https://localhost:{port}/");
        let at = |path: &str| format!("{issuer}{path}");
        let document = serde_json::json!({
            "issuer": issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"), "jwks_uri": at("jwks"),
        })
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            document.len()
        );
        std::fs::create_dir(folder.join(".well-known")).unwrap();
        std::fs::write(folder.join(".well-known/openid-configuration"), head + &document).unwrap();
        let mut process = Command::new("openssl")
            .args([
                "s_server",
                "-cert",
                "cert.pem",
                "-key",
                "key.pem",
                "-HTTP",
                "-accept",
                &format!("localhost:{port}"),
            ])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(said.any(|line| line.starts_with("ACCEPT")), "it listens");
        std::thread::spawn(move || said.for_each(drop));
        Some(Self { process, issuer })
    }
}

#[test]
fn a_provider_with_a_certificate_by_a_companys_own_authority_is_asked_where_that_is_trusted() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let Some(provider) = CompanyProvider::start(folder) else { return };
    let file = serde_json::json!({
        "public_url": "https://cards.example",
        "providers": [{ "name": "club", "label": "Club", "issuer": provider.issuer, "client_id": "cardhouse" }],
    });
    std::fs::write(folder.join("oidc.json"), file.to_string()).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let goes = |before: &str, keeps: &str| {
        let (database, oidc) = (path(keeps), path("oidc.json"));
        let flags = ["--database", &database, "--oidc", &oidc, "--host", "cards.example"];
        let reception = Reception::start_after(before, &folder.join("keys"), &flags);
        let here = "host: cards.example\r\norigin: https://cards.example\r\nsec-fetch-site: same-origin\r\n";
        ask_as(reception.address, "POST", "/api/oidc/club/start", here, "{}")
    };
    let (status, told) = goes(&format!("export SSL_CERT_FILE={}", path("ca.pem")), "one.db");
    assert_eq!(status, 200, "{told}");
    assert!(told.contains(&format!("{}authorize?", provider.issuer)), "{told}");
    let (status, told) = goes("", "two.db");
    assert_eq!((status, told.contains("provider_away")), (503, true), "{told}");
}
