//! One of the staff, who holds the ledger against the tables.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use cage::{Place, Tellers, Tx, people::person};
use protocol::{id::UserId, rights::Roles};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::SOON;

const PASSWORD: &str = "correct horse battery";

/// See the module.
pub(crate) struct Auditor {
    address: SocketAddr,
    token: String,
}

impl Auditor {
    /// Makes an account in a house, and gives it the role in the house's database, beside it.
    pub(crate) async fn new(address: SocketAddr, database: &Path) -> Self {
        let account = json!({ "handle": "cat", "password": PASSWORD, "nick": "Cat" });
        let made = ask(address, "POST", "/api/accounts", None, account).await;
        let user = UserId::new(made["user"].as_str().unwrap()).unwrap();
        let beside = beside(database).await;
        let set = move |tx: &mut dyn Tx| person::set_roles(tx, &user, Roles::CAGE.0);
        assert!(beside.write("x", set).await.unwrap());
        Self { address, token: made["token"].as_str().unwrap().into() }
    }

    /// Signs in again, in a house that was opened again.
    pub(crate) async fn again(&mut self) {
        let who = json!({ "handle": "cat", "password": PASSWORD });
        let session = ask(self.address, "POST", "/api/sessions", None, who).await;
        self.token = session["token"].as_str().unwrap_or_else(|| panic!("{session}")).into();
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        ask(self.address, "GET", path, Some(self.token.clone()), Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        ask(self.address, "POST", path, Some(self.token.clone()), body).await
    }

    /// What the audit says, once every table has answered.
    pub(crate) async fn audit(&self) -> Value {
        let until = Instant::now() + SOON;
        loop {
            let told = self.get("/api/staff/ledger/audit").await;
            if told["complete"] == true {
                return told;
            }
            assert!(Instant::now() < until, "{told}");
            // A table that is taken over has nobody who could be heard of it.
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Nothing was made or lost, at any of so many tables, nor did anything go to the variance. Returns what the audit said.
    pub(crate) async fn finds_all_right(&self, tables: u64) -> Value {
        let told = self.finds_right(tables).await;
        assert_eq!(told["currencies"][0]["variance"], 0, "{told}");
        told
    }

    /// The same where something was lost before.
    pub(crate) async fn finds_right(&self, tables: u64) -> Value {
        let told = self.audit().await;
        let sums = told["currencies"].as_array().unwrap().iter().map(|of| &of["sum"]).collect::<Vec<_>>();
        let found = &told["tables"];
        assert!(
            told["good"] == true
                && sums == [&json!(0)]
                && found["compared"] == tables
                && found["differences"] == json!({ "PLAY": 0 })
                && found["wrong_count"] == 0
                && told["conflicts"] == 0,
            "{told}"
        );
        told
    }
}

/// The database of a house that is open.
pub(crate) async fn beside(database: &Path) -> Tellers {
    let place = Place::FileBeside(database.to_owned());
    tokio::task::spawn_blocking(move || Tellers::open(&place)).await.unwrap().unwrap()
}

/// Asks, apart from where a house of the same process runs.
async fn ask(
    address: SocketAddr,
    method: &'static str,
    path: &str,
    token: Option<String>,
    body: Value,
) -> Value {
    let path = path.to_owned();
    let asking = move || {
        let bearer = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             {bearer}content-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    };
    tokio::task::spawn_blocking(asking).await.unwrap()
}
