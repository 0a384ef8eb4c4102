//! What outlives a house, by the binary as a newcomer starts it.

mod process;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use player::{Client, Heard, connect::Dialer};
use process::{House, command};
use protocol::{CloseCode, id::RoomId, table::TableCommand};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_websockets::Message;

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(60);

/// What is done with it here.
trait Visited {
    fn ask(&self, method: &str, path: &str, bearer: Option<&str>, body: &Value) -> (u16, Value);

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, None, body)
    }

    /// Ctrl-C; answers when it has ended.
    fn close(self);
}

impl Visited for House {
    fn ask(&self, method: &str, path: &str, bearer: Option<&str>, body: &Value) -> (u16, Value) {
        let bearer = bearer.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\n{bearer}\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    fn close(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

const ACCOUNT: (&str, &str) = ("ann", "correct horse battery");

fn sign_up(house: &House) -> Value {
    let (handle, password) = ACCOUNT;
    let (status, session) =
        house.post("/api/accounts", &json!({ "handle": handle, "password": password, "nick": "Ann" }));
    assert_eq!(status, 201, "{session}");
    session
}

fn sign_in(house: &House) -> (u16, Value) {
    house.post("/api/sessions", &json!({ "handle": ACCOUNT.0, "password": ACCOUNT.1 }))
}

/// What the relay says to a token.
#[derive(Debug, PartialEq)]
enum Greeted {
    As(Value),
    Closed(u16),
}

/// Says hello with the token of this session, and with `stay` waits for the end of the connection.
async fn greet(house: &House, session: &Value, stay: bool) -> Greeted {
    let mut socket = Dialer::new(&format!("ws://{}/ws", house.address)).unwrap().dial(None).await.unwrap();
    let mut client = Client::new(session["token"].as_str().unwrap().into(), Instant::now());
    client.connected(Instant::now());
    let greeting = async {
        loop {
            while let Some(text) = client.pop_outgoing() {
                socket.send(Message::text(bytes::Bytes::from(text))).await.unwrap();
            }
            let message = socket.next().await.expect("a word of farewell").unwrap();
            if let Some((code, _)) = message.as_close() {
                return Greeted::Closed(code.into());
            }
            let heard = message.as_text().map(|text| client.receive(text, Instant::now()));
            if matches!(heard, Some(Heard::Welcome { .. })) && !stay {
                return Greeted::As(json!(client.user()));
            }
        }
    };
    timeout(SOON, greeting).await.expect("the relay says something")
}

#[tokio::test]
async fn an_account_is_the_same_in_the_house_that_is_opened_next_and_its_tokens_are_good() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("mine");
    let flags = ["--data", folder.to_str().unwrap()];
    let house = House::open(home.path(), &flags);
    assert!(house.said.iter().any(|line| line.contains(flags[1])), "{:?}", house.said);
    let before = sign_up(&house);
    house.close();

    let house = House::open(home.path(), &flags);
    let (status, session) = sign_in(&house);
    assert_eq!(
        (status, &session["user"], &session["name"]),
        (201, &before["user"], &json!("Ann")),
        "{session}"
    );
    let (status, me) = house.ask("GET", "/api/me", before["token"].as_str(), &Value::Null);
    assert_eq!((status, &me["user"]), (200, &before["user"]), "the token outlives the house");
    assert_eq!(
        greet(&house, &before, false).await,
        Greeted::As(before["user"].clone()),
        "the relay takes it too"
    );
    let (status, next) = house.post("/api/refresh", &json!({ "token": before["refresh"] }));
    assert_eq!((status, &next["user"]), (200, &before["user"]), "{next}");
}

#[tokio::test]
async fn a_token_that_was_void_in_the_house_before_is_void_in_the_one_that_is_opened_next() {
    let home = tempfile::tempdir().unwrap();
    let house = House::open(home.path(), &[]);
    let before = sign_up(&house);
    let ended = house.ask("DELETE", "/api/sessions/current", before["token"].as_str(), &Value::Null);
    assert_eq!(ended.0, 204);
    // What its relay knew goes with it.
    drop(house);
    let house = House::open(home.path(), &[]);
    assert_eq!(greet(&house, &before, true).await, Greeted::Closed(CloseCode::Revoked as u16));
}

/// Sits down at the first table, and gets up again when it is told.
async fn sit(house: &House, session: &Value) -> (Client, player::connect::Socket) {
    let mut socket = Dialer::new(&format!("ws://{}/ws", house.address)).unwrap().dial(None).await.unwrap();
    let mut client = Client::new(session["token"].as_str().unwrap().into(), Instant::now());
    client.connected(Instant::now());
    command_at_table(
        &mut client,
        &mut socket,
        &TableCommand::Sit { seat: None, buy_in: 100, wait_for_big_blind: false },
    )
    .await;
    (client, socket)
}

/// Until the table has done it.
async fn command_at_table(client: &mut Client, socket: &mut player::connect::Socket, what: &TableCommand) {
    let n = client.command(&RoomId::new("t1").unwrap(), what, Instant::now());
    let asking = async {
        loop {
            while let Some(text) = client.pop_outgoing() {
                socket.send(Message::text(bytes::Bytes::from(text))).await.unwrap();
            }
            let message = socket.next().await.expect("the connection stays").unwrap();
            let heard = message.as_text().map(|text| client.receive(text, Instant::now()));
            match heard {
                Some(Heard::Acked { n: acked, .. }) if acked == n => return,
                Some(Heard::Refused(refusal)) => panic!("{refusal:?}"),
                _ => {}
            }
        }
    };
    timeout(SOON, asking).await.expect("the table answers");
}

#[tokio::test]
async fn nobody_is_deleted_who_sits_and_whoever_has_left_is() {
    let home = tempfile::tempdir().unwrap();
    let house = House::open(home.path(), &[]);
    let session = sign_up(&house);
    let delete = |password: &str| {
        house.ask("POST", "/api/me/deletion", session["token"].as_str(), &json!({ "password": password }))
    };
    let (mut client, mut socket) = sit(&house, &session).await;
    // A house that has just opened has not heard of its worker yet.
    let refused = loop {
        match delete(ACCOUNT.1) {
            (503, told) if told["code"] == "seats_unknown" => {
                assert!(told["retry_after_ms"].is_u64(), "{told}")
            }
            other => break other,
        }
    };
    assert_eq!((refused.0, &refused.1["code"]), (409, &json!("seated")), "{}", refused.1);
    assert_eq!(refused.1["rooms"], json!(["t1"]));
    assert!(refused.1["message"].as_str().unwrap().contains("t1"), "{}", refused.1);
    assert_eq!(delete("wrong password").1["code"], "wrong_password", "only who may delete is told where");
    assert_eq!(house.ask("GET", "/api/me", session["token"].as_str(), &Value::Null).0, 200);
    command_at_table(&mut client, &mut socket, &TableCommand::Leave).await;
    assert_eq!(delete(ACCOUNT.1).0, 204);
    assert_eq!(sign_in(&house).1["code"], "bad_credentials");
}

#[test]
fn an_account_that_was_answered_survives_the_sudden_end_of_a_house() {
    let home = tempfile::tempdir().unwrap();
    let house = House::open(home.path(), &[]);
    let before = sign_up(&house);
    // Killed, without a word.
    drop(house);
    let house = House::open(home.path(), &[]);
    let (status, session) = sign_in(&house);
    assert_eq!((status, &session["user"]), (201, &before["user"]), "{session}");
}

#[test]
fn a_house_that_is_told_nothing_keeps_its_folder_where_programs_do_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let house = House::open(home.path(), &[]);
    let folder = home.path().join("cardhouse");
    let named = format!("Tables, chips and accounts are kept in {}.", folder.display());
    assert!(house.said.iter().any(|line| line.contains(&named)), "{:?}", house.said);
    sign_up(&house);
    // All of it, also what SQLite makes as it goes.
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false => assert_eq!(mode(&entry), 0o600, "{}", entry.display()),
            }
        }
    }
}

#[test]
fn a_house_in_memory_leaves_nothing_and_has_guests_alone() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = home.path().join("elsewhere");
    let house = House::open(home.path(), &["--memory", "--data", elsewhere.to_str().unwrap()]);
    assert!(house.said.iter().any(|line| line.contains("Everything is in memory")), "{:?}", house.said);
    assert_eq!(house.post("/api/guest", &json!({ "name": "Ann" })).0, 201);
    assert_eq!(sign_in(&house).1["code"], "no_accounts");
    house.close();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_second_house_in_one_folder_is_refused_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let first = House::open(home.path(), &[]);
    let second = command(home.path(), &[]).output().unwrap();
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success());
    let process = format!("process {}", first.child.id());
    assert!([&process, "--data", "--memory"].iter().all(|part| told.contains(*part)), "{told}");
    sign_up(&first);
}
