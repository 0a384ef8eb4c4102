//! Players who want nothing but the next token.

use serde_json::{Value, json};

use crate::{
    judge::Judge,
    line::{Asked, Line},
};

/// How often each asks for the next token.
const REFRESHES: usize = 60;

/// What all of them sign in with.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// An honest player. Those of even numbers have an account.
pub(crate) struct Honest {
    line: Line,
    handle: Option<String>,
    session: Value,
    device: Value,
}

/// What strangers know of one.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) user: String,
    pub(crate) login: String,
    pub(crate) handle: Option<String>,
    /// A refresh token in which one character is another.
    pub(crate) almost: String,
}

impl Honest {
    pub(crate) async fn come(line: Line, number: u8) -> Self {
        let handle = number.is_multiple_of(2).then(|| format!("honest{number}"));
        let asked = match &handle {
            Some(handle) => {
                let wanted = json!({ "handle": handle, "password": PASSWORD, "nick": handle });
                Asked::with("POST", "/api/accounts", &wanted)
            }
            None => Asked::with("POST", "/api/guest", &json!({ "name": "Guest" })),
        };
        let (status, session) = line.ask(&asked).await.unwrap();
        assert_eq!(status, 201, "{session}");
        Self { line, handle, device: session["device"].clone(), session }
    }

    pub(crate) fn known(&self) -> Known {
        let text = |field: &str| self.session[field].as_str().unwrap().to_owned();
        let refresh = text("refresh");
        let (rest, last) = refresh.split_at(refresh.len() - 2);
        let other = if last == "AA" { "AB" } else { "AA" };
        Known {
            user: text("user"),
            login: text("login"),
            handle: self.handle.clone(),
            almost: format!("{rest}{other}"),
        }
    }

    async fn refresh(&self) -> Option<(u16, Value)> {
        self.line
            .ask(&Asked::with("POST", "/api/refresh", &json!({ "token": self.session["refresh"] })))
            .await
    }

    /// Asks for token after token; answers itself if that has gone well.
    pub(crate) async fn plays(mut self, judge: Judge) -> Option<Self> {
        for _ in 0..REFRESHES {
            // A second tab asks at the same time.
            let (answer, other) = tokio::join!(self.refresh(), self.refresh());
            for answer in [&answer, &other] {
                if !judge.of_an_honest_player(&self.session, answer.as_ref()) {
                    return None;
                }
            }
            let (one, other) = (answer?.1, other?.1);
            if one["refresh"] != other["refresh"] || one["refresh"] == self.session["refresh"] {
                judge.found(format!("{} has two successors, or none", self.session["user"]));
            }
            self.session = one;
        }
        Some(self)
    }

    /// The same person, with the one login that there was, and a way to sign in that strangers have not shut.
    pub(crate) async fn is_as_before(&self, judge: &Judge) {
        let token = self.session["token"].as_str().unwrap();
        let mine = self.line.ask(&Asked::with("GET", "/api/sessions", &Value::Null).by(token)).await;
        match &mine {
            Some((200, told)) if told["sessions"].as_array().is_some_and(|all| all.len() == 1) => {}
            other => judge.found(format!("the logins of an honest player: {other:?}")),
        }
        let Some(handle) = &self.handle else { return };
        let known = json!({ "handle": handle, "password": PASSWORD, "device": self.device });
        let signed_in = self.line.ask(&Asked::with("POST", "/api/sessions", &known)).await;
        if signed_in.as_ref().is_none_or(|(status, _)| *status != 201) {
            judge.found(format!("an honest player is locked out on his own device: {signed_in:?}"));
        }
    }
}
