//! A player with an account of his own, made when he first comes: for swarms, where reception keeps people.

use std::sync::Mutex;

use hyper::StatusCode;
use rand::RngExt as _;
use serde_json::json;

use crate::guest::{Guest, NoToken, Reception, Tokens};

/// Letters of which no two, side by side or alone, look like others: names that look alike are taken for one.
const LETTERS: &[u8] = b"abcdefghkpqstuxyz";

/// What he signs in with.
#[derive(Debug, Clone)]
struct Account {
    handle: String,
    password: String,
    /// What his name ends with, so that he is called like nobody else.
    tag: String,
}

impl Account {
    fn new() -> Self {
        let word = |length| {
            let mut rng = rand::rng();
            (0..length).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect::<String>()
        };
        Self { handle: format!("bot-{}", word(16)), password: word(24), tag: word(6) }
    }
}

/// Tokens of one member.
#[derive(Debug)]
pub struct Member {
    reception: Reception,
    account: Mutex<Account>,
}

impl Member {
    /// Somebody who is going to have an account there.
    pub fn new(reception: Reception) -> Self {
        Self { reception, account: Mutex::new(Account::new()) }
    }

    fn account(&self) -> Account {
        self.account.lock().expect("nothing panics while it holds the account").clone()
    }

    async fn sign_in(&self) -> Result<Guest, NoToken> {
        let Account { handle, password, .. } = self.account();
        self.reception.ask("sessions", &json!({ "handle": handle, "password": password })).await
    }
}

impl Tokens for Member {
    /// Makes the account; signs in if it is there already, since an answer may have been lost.
    async fn guest(&self, name: &str) -> Result<Guest, NoToken> {
        let Account { handle, password, tag } = self.account();
        let wanted = json!({ "handle": handle, "password": password, "nick": format!("{name} {tag}") });
        match self.reception.ask("accounts", &wanted).await {
            Err(NoToken::Refused { status: StatusCode::CONFLICT, .. }) => {}
            made => return made,
        }
        let signed_in = self.sign_in().await;
        if let Err(NoToken::Refused { status: StatusCode::UNAUTHORIZED, .. }) = &signed_in {
            // Somebody else has the handle or the name: another one next time.
            *self.account.lock().expect("nothing panics while it holds the account") = Account::new();
        }
        signed_in
    }

    /// Goes on with the login, or with another of the same person if that has ended.
    async fn refresh(&self, guest: &Guest) -> Result<Guest, NoToken> {
        match self.reception.refresh(guest).await {
            Err(NoToken::Refused { status: StatusCode::UNAUTHORIZED, .. }) => self.sign_in().await,
            renewed => renewed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{Json, Router, extract::State, routing::post};
    use serde_json::Value;
    use tokio::net::TcpListener;

    use super::*;

    type Asked = Arc<Mutex<Vec<(String, Value)>>>;

    /// A reception that answers so, one after the other.
    async fn reception(answers: Vec<(StatusCode, Value)>) -> (Reception, Asked) {
        type Told = Arc<Mutex<std::vec::IntoIter<(StatusCode, Value)>>>;
        let asked = Asked::default();
        let told: Told = Arc::new(Mutex::new(answers.into_iter()));
        let answer = |State((asked, told)): State<(Asked, Told)>,
                      uri: axum::http::Uri,
                      Json(body): Json<Value>| async move {
            asked.lock().unwrap().push((uri.path().to_owned(), body));
            let (status, body) = told.lock().unwrap().next().expect("as many answers as questions");
            (status, Json(body))
        };
        let router = Router::new().route("/{*path}", post(answer)).with_state((asked.clone(), told));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (Reception::new(&base), asked)
    }

    fn session(token: &str) -> (StatusCode, Value) {
        let told = json!({ "token": token, "user": "u-1", "name": "Ann", "expires_ms": 1, "refresh": token });
        (StatusCode::CREATED, told)
    }

    fn refused(status: StatusCode) -> (StatusCode, Value) {
        (status, json!({ "code": "some", "message": "no" }))
    }

    fn paths(asked: &Asked) -> Vec<String> {
        asked.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }

    #[tokio::test]
    async fn whose_login_has_ended_signs_in_as_the_same_person() {
        let (reception, asked) =
            reception(vec![session("1"), refused(StatusCode::UNAUTHORIZED), session("2")]).await;
        let member = Member::new(reception);
        let first = member.guest("Ann").await.unwrap();
        assert_eq!(member.refresh(&first).await.unwrap().token, "2");
        assert_eq!(paths(&asked), ["/api/accounts", "/api/refresh", "/api/sessions"]);
        let asked = asked.lock().unwrap();
        for field in ["handle", "password"] {
            assert_eq!(asked[0].1[field], asked[2].1[field]);
        }
        assert!(asked[0].1["nick"].as_str().unwrap().starts_with("Ann "));
    }

    #[tokio::test]
    async fn an_account_whose_answer_was_lost_is_signed_in_to_and_one_of_somebody_else_is_not_kept_at() {
        let taken = refused(StatusCode::CONFLICT);
        let (reception, asked) = reception(vec![
            taken.clone(),
            session("1"),
            taken,
            refused(StatusCode::UNAUTHORIZED),
            session("2"),
        ])
        .await;
        let member = Member::new(reception);
        assert_eq!(member.guest("Ann").await.unwrap().token, "1");
        member.guest("Ann").await.unwrap_err();
        assert_eq!(member.guest("Ann").await.unwrap().token, "2");
        let asked = asked.lock().unwrap();
        assert_eq!(asked[0].1["handle"], asked[1].1["handle"]);
        assert_ne!(asked[0].1["handle"], asked[4].1["handle"]);
    }

    #[tokio::test]
    async fn a_busy_reception_is_out_of_reach_and_ends_nobody() {
        for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS] {
            let (reception, _) = reception(vec![session("1"), refused(status)]).await;
            let member = Member::new(reception);
            let guest = member.guest("Ann").await.unwrap();
            let end = member.refresh(&guest).await;
            assert!(matches!(end, Err(NoToken::Unreachable(_))), "{end:?}");
        }
    }
}
