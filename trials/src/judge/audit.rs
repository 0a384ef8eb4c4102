//! The ledger held against the tables, as one of the staff does it.

use std::collections::BTreeMap;

use anyhow::Context as _;
use cage::{
    DbError, Place, Tellers, Tx,
    ledger::{self, Answer, Definition, audit::Audit},
    people::person,
};
use loadtest::cluster::{Cluster, Database, Node};
use money::{Ask, Body as _, Currency, Share, Stake};
use parking_lot::Mutex;
use protocol::{
    id::{ErrandId, Position, RoomId, UserId},
    rights::Roles,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Duration, Instant, sleep, timeout},
};

use super::{Books, Settled, judge_settled};

/// Every table answers within this, once nothing goes wrong.
const COMPLETE_WITHIN: Duration = Duration::from_secs(60);

/// Reception answers within this.
const ANSWER_WITHIN: Duration = Duration::from_secs(40);

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// One of the staff of a cluster whose tables play for a currency.
pub struct Auditor {
    reception: std::net::SocketAddr,
    database: Place,
    handle: String,
    password: String,
    /// An access token, which does not last as long as a long run does.
    token: Mutex<String>,
}

impl Auditor {
    /// Makes an account, and gives it the role in the database, beside reception.
    ///
    /// # Errors
    /// When reception does not answer as it should.
    pub async fn hire(cluster: &mut Cluster) -> anyhow::Result<Self> {
        let database = match cluster.database() {
            Database::File(path) => Place::FileBeside(path.clone()),
            Database::Postgres(url) => Place::Postgres(url.clone()),
        };
        let reception = cluster.node(Node::Reception).listen();
        let handle = format!("staff{:08x}", rand::random::<u32>());
        let password = format!("{:032x}", rand::random::<u128>());
        let account = json!({ "handle": handle, "password": password, "nick": handle });
        let made = ask(reception, "POST", "/api/accounts", "", &account.to_string()).await?;
        let user = UserId::new(text(&made, "user")?)?;
        let token = Mutex::new(text(&made, "token")?.to_owned());
        let auditor = Self { reception, database, handle, password, token };
        let hired = move |tx: &mut dyn Tx| person::set_roles(tx, &user, Roles::CAGE.0);
        auditor.beside().await?.write("staff", hired).await?;
        Ok(auditor)
    }

    /// Has it sign in anew before it asks once more, as whose token has expired.
    pub fn forget_token(&self) {
        *self.token.lock() = "expired".into();
    }

    /// The audit, as it is now.
    async fn audit(&self) -> anyhow::Result<Value> {
        let (path, token) = ("/api/staff/ledger/audit", self.token.lock().clone());
        let told = ask(self.reception, "GET", path, &token, "").await?;
        if told["code"] != "bad_token" {
            return Ok(told);
        }
        let known = json!({ "handle": self.handle, "password": self.password });
        let session = ask(self.reception, "POST", "/api/sessions", "", &known.to_string()).await?;
        let token = text(&session, "token")?.to_owned();
        self.token.lock().clone_from(&token);
        ask(self.reception, "GET", path, &token, "").await
    }

    async fn beside(&self) -> anyhow::Result<Tellers> {
        let place = self.database.clone();
        Ok(tokio::task::spawn_blocking(move || Tellers::open(&place)).await??)
    }

    /// What is wrong, once every table has answered: nothing, or the audit.
    ///
    /// # Errors
    /// When that does not come about.
    pub async fn find(&self, tables: u32, may_lose: bool) -> anyhow::Result<Option<String>> {
        let until = Instant::now() + COMPLETE_WITHIN;
        let told = loop {
            match self.audit().await {
                Ok(told) if told["complete"] == true => break told,
                told => anyhow::ensure!(Instant::now() < until, "the audit is not complete: {told:?}"),
            }
            sleep(LOOK_AGAIN).await;
        };
        let variance = told["currencies"].as_array().into_iter().flatten().any(|of| of["variance"] != 0);
        let is_right = told["good"] == true
            && told["conflicts"] == 0
            && told["tables"]["compared"] == tables
            && (may_lose || !variance);
        Ok((!is_right).then(|| told.to_string()))
    }

    /// How many chips of a currency the ledger holds for all tables together.
    ///
    /// # Errors
    /// When reception does not say.
    pub async fn at_tables(&self, currency: Currency) -> anyhow::Result<u64> {
        let told = self.audit().await?;
        let of_it = told["currencies"].as_array().into_iter().flatten();
        let held =
            of_it.filter(|of| of["currency"] == currency.as_str()).find_map(|of| of["tables"].as_u64());
        held.with_context(|| format!("no total: {told}"))
    }

    /// What tables of which nothing was left have paid, and whether that is right.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn settled(&self) -> anyhow::Result<Settled> {
        Ok(self.beside().await?.read(judge_settled).await?)
    }

    /// What the ledger says of a room and of some who may have had to do with it.
    ///
    /// # Errors
    /// When the database does not answer, or knows of no such currency.
    pub async fn read(&self, currency: Currency, room: RoomId, users: Vec<UserId>) -> anyhow::Result<Read> {
        let work = move |tx: &mut dyn Tx| {
            let mut available = BTreeMap::new();
            let mut definition = None;
            for user in &users {
                let all = ledger::balances(tx, 0, user)?;
                if let Some(balance) = all.into_iter().find(|of| of.currency.code == currency) {
                    definition = Some(balance.currency);
                    available.insert(user.clone(), balance.available);
                }
            }
            let currency = definition.ok_or_else(|| DbError::Refused("nobody has any of it".into()))?;
            let held = ledger::table_account::left_behind(tx, &room)?;
            let held = held.iter().filter(|of| of.currency == currency.code).map(|of| of.ledger).sum();
            Ok(Read { currency, held: (room.clone(), held), available, audit: ledger::audit(tx)? })
        };
        Ok(self.beside().await?.read(work).await?)
    }

    /// Takes a chip from a table and gives it to one of the players, as nobody may, to see that it is found.
    ///
    /// # Errors
    /// When the ledger does not take it.
    pub async fn slip(&self, room: RoomId, currency: Currency) -> anyhow::Result<()> {
        let work = move |tx: &mut dyn Tx| {
            let of = room.as_str().into();
            let rows = tx.run(
                "SELECT MAX(person), MAX(epoch) FROM request WHERE room = $1 AND kind = 'buy_in'",
                &[of],
            )?;
            let row = rows.first().ok_or_else(|| DbError::Refused("nobody has played there".into()))?;
            let user = UserId::new(row.text(0)?).map_err(|_| DbError::Refused("nobody has".into()))?;
            let id = ErrandId { at: Position::new(row.count(1)?, 1), n: 998 };
            ledger::answer(tx, 1, &room, id, &Ask::Return(Share { user, currency, amount: 1 }).write())
        };
        let answer = self.beside().await?.write("nobody", work).await?;
        anyhow::ensure!(matches!(answer, Answer::Done(_)), "the ledger takes no forged request: {answer:?}");
        Ok(())
    }

    /// Books a chip in the name of a table, as nobody may, to see that it is found.
    ///
    /// # Errors
    /// When the ledger does not take it.
    pub async fn forge(&self, room: RoomId, currency: Currency) -> anyhow::Result<()> {
        let user = UserId::new("u-nobody")?;
        let body = Ask::BuyIn(Stake { user, currency, amount: 1, nonce: 0 }).write();
        let work = move |tx: &mut dyn Tx| {
            let rows = tx.run("SELECT MAX(epoch) FROM request WHERE room = $1", &[room.as_str().into()])?;
            let epoch = rows.first().map_or(Ok(0), |row| row.count(0))?;
            let id = ErrandId { at: Position::new(epoch, 1), n: 999 };
            ledger::answer(tx, 1, &room, id, &body)
        };
        let answer = self.beside().await?.write("nobody", work).await?;
        anyhow::ensure!(matches!(answer, Answer::Done(_)), "the ledger takes no forged request: {answer:?}");
        Ok(())
    }
}

/// What was read in the ledger, all at once.
#[derive(Debug, Clone)]
pub struct Read {
    currency: Definition,
    held: (RoomId, i64),
    available: BTreeMap<UserId, u64>,
    audit: Audit,
}

impl Books for Read {
    fn currency(&self) -> Definition {
        self.currency
    }

    fn held(&self, table: &RoomId) -> Result<i64, DbError> {
        match &self.held {
            (room, held) if room == table => Ok(*held),
            _ => Err(DbError::Refused("it was not read".into())),
        }
    }

    fn available(&self, user: &UserId) -> Result<u64, DbError> {
        self.available.get(user).copied().ok_or_else(|| DbError::Refused("it was not read".into()))
    }

    fn audit(&self) -> Result<Audit, DbError> {
        Ok(self.audit.clone())
    }
}

fn text<'a>(told: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    told[field].as_str().with_context(|| format!("no {field}: {told}"))
}

async fn ask(
    at: std::net::SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> anyhow::Result<Value> {
    let asking = async {
        let mut stream = TcpStream::connect(at).await?;
        let bearer =
            if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\ncontent-type: application/json\r\n{bearer}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = timeout(ANSWER_WITHIN, asking).await.context("reception does not answer in time")??;
    let (_, body) = answer.split_once("\r\n\r\n").context("that is no answer")?;
    serde_json::from_str(body).with_context(|| format!("not JSON: {answer}"))
}
