//! The program on PostgreSQL, as a cluster runs it: the whole life of an account, with the server killed in the midst of it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use cage::testing::postgres_server::PostgresServer;
use serde_json::{Value, json};

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(60);

const PASSWORDS: [&str; 3] = ["correct horse battery", "another good one", "the boss's own word"];

struct Reception {
    process: Child,
    address: SocketAddr,
}

impl Drop for Reception {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Reception {
    /// One of those that share a database and a folder of keys.
    fn start(database: &str, keys: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_reception"))
            .args(["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--key-settle-ms", "0"])
            .args(["--log-format", "json", "--database", database, "--key-dir"])
            .arg(keys)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
        let listening = log.find(|line| line.contains("\"listening\"")).expect("it says where it listens");
        // Read on, so that it never waits for us.
        std::thread::spawn(move || log.for_each(drop));
        let listening: Value = serde_json::from_str(&listening).unwrap();
        Self { process, address: listening["address"].as_str().unwrap().parse().unwrap() }
    }

    fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> (u16, Value) {
        let (status, text) = self.ask_for_text(method, path, token, &body);
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn ask_for_text(&self, method: &str, path: &str, token: &str, body: &Value) -> (u16, String) {
        let bearer =
            if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{bearer}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask("POST", path, "", body)
    }

    fn sign_in(&self, handle: &str, password: &str) -> (u16, Value) {
        self.post("/api/sessions", json!({ "handle": handle, "password": password }))
    }

    /// Asks until it is answered with this status: what a client does who is told that the database is away.
    fn until(&self, status: u16, ask: impl Fn(&Self) -> (u16, Value)) -> Value {
        let began = Instant::now();
        loop {
            let (found, told) = ask(self);
            if found == status {
                return told;
            }
            assert_eq!((found, &told["code"]), (503, &json!("away")), "{told}");
            assert!(began.elapsed() < SOON, "{told}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn text<'a>(of: &'a Value, field: &str) -> &'a str {
    of[field].as_str().unwrap_or_else(|| panic!("{field} in {of}"))
}

#[test]
fn the_whole_life_of_an_account_on_postgresql_goes_on_after_its_server_was_killed() {
    let Some(mut server) = PostgresServer::start().unwrap() else { return };
    let database = server.database("people").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    // Two of them, one account.
    let (one, other) = (Reception::start(&database, &keys), Reception::start(&database, &keys));

    // From a guest to a member.
    let (status, guest) = one.post("/api/guest", json!({ "name": "Ann" }));
    assert_eq!((status, text(&guest, "kind")), (201, "guest"), "{guest}");
    let account = json!({ "handle": "ann", "password": PASSWORDS[0], "nick": "Ann B." });
    let (status, member) = other.ask("POST", "/api/accounts", text(&guest, "token"), account);
    assert_eq!((status, &member["user"], text(&member, "kind")), (201, &guest["user"], "member"), "{member}");
    let (status, elsewhere) = one.sign_in("ann", PASSWORDS[0]);
    assert_eq!((status, &elsewhere["user"]), (201, &guest["user"]));

    // The server dies without a word, and is away for a while.
    server.kill();
    let refresh = json!({ "token": member["refresh"] });
    for reception in [&one, &other] {
        let began = Instant::now();
        let (status, told) = reception.post("/api/refresh", refresh.clone());
        assert_eq!((status, &told["code"]), (503, &json!("away")), "{told}");
        assert!(told["retry_after_ms"].is_u64() && began.elapsed() < SOON / 2, "{told}");
    }
    server.run().unwrap();
    let next = one.until(200, |reception| reception.post("/api/refresh", refresh.clone()));
    let again = other.until(200, |reception| reception.post("/api/refresh", refresh.clone()));
    assert_eq!(next["refresh"], again["refresh"], "both give the same successor");
    assert_eq!(next["user"], guest["user"], "nothing that was answered is lost");

    // What a member does about himself.
    let token = text(&next, "token");
    let (status, me) = other.ask("PATCH", "/api/me", token, json!({ "nick": "Annie" }));
    assert_eq!((status, text(&me, "name")), (200, "Annie"), "{me}");
    assert_eq!(one.ask("PATCH", "/api/me", token, json!({ "nick": "Anne" })).1["code"], "too_soon");
    let (status, listed) = one.ask("GET", "/api/sessions", token, Value::Null);
    assert_eq!((status, listed["sessions"].as_array().unwrap().len()), (200, 2), "{listed}");
    let new = json!({ "old": PASSWORDS[0], "new": PASSWORDS[1] });
    assert_eq!(one.ask("PUT", "/api/me/password", token, new).0, 204);
    let (status, told) = other.post("/api/refresh", json!({ "token": elsewhere["refresh"] }));
    assert_eq!((status, text(&told, "why")), (401, "password"), "the other device is signed out");
    assert_eq!(other.sign_in("ann", PASSWORDS[0]).1["code"], "bad_credentials");
    let (status, third) = other.sign_in("ann", PASSWORDS[1]);
    assert_eq!(status, 201, "{third}");
    let device = format!("/api/sessions/{}", text(&third, "login"));
    assert_eq!(one.ask("DELETE", &device, token, Value::Null).0, 204);
    assert_eq!(other.post("/api/refresh", json!({ "token": third["refresh"] })).1["why"], "signed_out");

    // Staff.
    let made = Command::new(env!("CARGO_BIN_EXE_reception"))
        .args(["--database", &database, "admin", "create", "boss"])
        .output()
        .unwrap();
    let said = String::from_utf8(made.stdout).unwrap();
    let link = said.split("#password=").nth(1).unwrap_or_else(|| panic!("{said}")).trim().to_owned();
    let set = json!({ "link": link, "password": PASSWORDS[2] });
    assert_eq!(one.post("/api/passwords", set.clone()).0, 204);
    assert_eq!(
        other.post("/api/passwords", set).1["code"],
        "bad_link",
        "it works once, at whichever reception"
    );
    // A token of the very millisecond in which the password was set is void.
    let boss = one.until(200, |reception| {
        let token = reception.sign_in("boss", PASSWORDS[2]).1["token"].as_str().unwrap().to_owned();
        let (status, me) = reception.ask("GET", "/api/me", &token, Value::Null);
        if status == 200 { (200, json!(token)) } else { (503, json!({ "code": "away", "told": me })) }
    });
    let boss = boss.as_str().unwrap();
    let ban = json!({ "kind": "ban", "reason": "was rude" });
    let sanctions = format!("/api/staff/people/{}/sanctions", text(&guest, "user"));
    let (status, ban) = other.ask("POST", &sanctions, boss, ban);
    assert_eq!(status, 201, "{ban}");
    let (status, banned) = one.sign_in("ann", PASSWORDS[1]);
    assert_eq!((status, text(&banned, "reason")), (403, "was rude"), "{banned}");
    assert_eq!(one.post("/api/refresh", json!({ "token": next["refresh"] })).1["code"], "banned");
    server.kill();
    server.run().unwrap();
    let lift = format!("/api/staff/sanctions/{}/lift", text(&ban, "id"));
    one.until(204, |reception| reception.ask("POST", &lift, boss, json!({ "reason": "he is sorry" })));
    let back = other.until(201, |reception| reception.sign_in("ann", PASSWORDS[1]));

    // All that is known, and the end.
    let token = text(&back, "token");
    let (status, export) = one.ask_for_text("GET", "/api/me/export", token, &Value::Null);
    let lines: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(status, 200, "{export}");
    for kind in ["person", "login", "sanction", "event"] {
        assert!(lines.iter().any(|line| line["line"] == kind), "{kind}: {export}");
    }
    assert!(!export.contains("argon2"), "{export}");
    let delete = |password: &str| one.ask("POST", "/api/me/deletion", token, json!({ "password": password }));
    assert_eq!(delete(PASSWORDS[0]).1["code"], "wrong_password");
    assert_eq!(delete(PASSWORDS[1]).0, 204);
    assert_eq!(other.post("/api/refresh", json!({ "token": back["refresh"] })).1["why"], "gone");
    assert_eq!(other.sign_in("ann", PASSWORDS[1]).1["code"], "bad_credentials");
    let (status, chain) = other.ask("GET", "/api/staff/audit/verify", boss, Value::Null);
    assert_eq!((status, &chain["good"]), (200, &json!(true)), "{chain}");
}
