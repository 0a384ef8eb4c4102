//! What strangers try: guessing, stealing, breaking.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    honest::Known,
    judge::Judge,
    line::{Asked, Line},
};

/// How many things each of them tries in a round.
pub(crate) const TRICKS: usize = 68;

/// Somebody with an account of his own, which gives him no right to others'.
pub(crate) struct Stranger {
    line: Line,
    judge: Judge,
    victims: Arc<[Known]>,
    token: String,
    user: String,
    /// His own, used before.
    old: String,
}

impl Stranger {
    pub(crate) async fn come(line: Line, number: u8, victims: Arc<[Known]>, judge: Judge) -> Self {
        let set_up = async |asked: Asked| {
            let (status, session) = line.ask(&asked).await.unwrap();
            assert!(matches!(status, 200 | 201), "{session}");
            session
        };
        let wanted = json!({ "handle": format!("stranger{number}"), "password": "battery staple", "nick": format!("Stranger {number}") });
        let own = set_up(Asked::with("POST", "/api/accounts", &wanted)).await;
        // A login apart, of which the second token is used: the first is old.
        let guest = set_up(Asked::with("POST", "/api/guest", &json!({ "name": "Thief" }))).await;
        let next = set_up(Asked::with("POST", "/api/refresh", &json!({ "token": guest["refresh"] }))).await;
        set_up(Asked::with("POST", "/api/refresh", &json!({ "token": next["refresh"] }))).await;
        let text = |of: &Value, field: &str| of[field].as_str().unwrap().to_owned();
        let token = text(&own, "token");
        // As many reports as anybody may file in a day: each one more is refused.
        for number in 0..cage::people::report::OFTEN_MAX as usize {
            let (victim, room) = (&victims[number % victims.len()], format!("t{}", number / victims.len()));
            let report = json!({ "user": victim.user, "room": room, "kind": "collusion" });
            set_up(Asked::with("POST", "/api/reports", &report).by(&token)).await;
        }
        Self { judge, victims, token, user: text(&own, "user"), old: text(&guest, "refresh"), line }
    }

    /// Round after round until it is over, but one whole round at least; answers how many tries that were.
    pub(crate) async fn tries_everything(self, over: CancellationToken) -> usize {
        let mut tries = 0;
        for victim in self.victims.iter().cycle() {
            for asked in self.tricks(victim) {
                if over.is_cancelled() && tries >= TRICKS {
                    return tries;
                }
                let answer = self.line.ask(&asked).await;
                self.judge.of_a_stranger(&asked, answer.as_ref());
                tries += 1;
            }
        }
        tries
    }

    fn tricks(&self, victim: &Known) -> Vec<Asked> {
        let json = |method, path: &str, body: Value| Asked::with(method, path, &body);
        let raw = |path: &str, body: &[u8]| Asked {
            body: body.to_vec(),
            ..Asked::with("POST", path, &Value::Null)
        };
        let typed = |kind: &str| Asked {
            headers: vec![("content-type", kind.into())],
            ..json("POST", "/api/sessions", json!({ "handle": "a", "password": "b" }))
        };
        let handle = victim.handle.as_deref().unwrap_or("nobody");
        let sign_in = |handle: &str, password: &str| {
            json("POST", "/api/sessions", json!({ "handle": handle, "password": password }))
        };
        let refresh = |token: &str| json("POST", "/api/refresh", json!({ "token": token }));
        let long = "x".repeat(1_000_000);
        let forged = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJnLTEifQ.";
        let Known { user, login, almost, .. } = victim;
        let report = |user: &str, room: &str, kind: &str, words: &str| {
            let about = json!({ "user": user, "room": room, "kind": kind, "words": words });
            json("POST", "/api/reports", about).by(&self.token)
        };
        let from_elsewhere = |mut asked: Asked| {
            asked.headers.push(("origin", "https://evil.example".into()));
            asked.headers.push(("cookie", format!("cardhouse={almost}; __Host-cardhouse={almost}")));
            asked
        };
        let mut tricks = vec![
            // Guessing.
            sign_in(handle, "wrong password"),
            sign_in(&format!(" {}\t", handle.to_uppercase()), "wrong password"),
            sign_in("nobody-is-called-so", "wrong password"),
            sign_in("' OR 1=1 --", "' OR 1=1 --"),
            sign_in("ann\0", "wrong\0password"),
            sign_in("\u{202e}\u{1f0cf}\u{feff}", "\u{0}"),
            sign_in("", ""),
            json("POST", "/api/sessions", json!({ "handle": handle, "password": "x", "device": "d1.AAAA" })),
            json("POST", "/api/passwords", json!({ "link": "guessed", "password": "battery staple" })),
            json("POST", "/api/passwords", json!({ "link": "\0", "password": "battery staple" })),
            // Tokens that are none, or of others.
            refresh(almost),
            refresh(&self.old),
            refresh(&self.token),
            refresh(forged),
            refresh(""),
            refresh("r1."),
            refresh(&format!("r1.{}", "A".repeat(71))),
            refresh("\0"),
            json("POST", "/api/refresh", json!({ "cookie": true })),
            from_elsewhere(json("POST", "/api/refresh", json!({ "cookie": true }))),
            from_elsewhere(json("POST", "/api/guest", json!({ "name": "Ann", "cookie": true }))),
            json("GET", "/api/me", Value::Null).by(forged),
            json("GET", "/api/me", Value::Null).by(almost),
            json("GET", "/api/me/export", Value::Null),
            json(
                "POST",
                "/api/accounts",
                json!({ "handle": "new", "password": "battery staple", "nick": "N" }),
            )
            .by(forged),
            // What is others'.
            json("DELETE", &format!("/api/sessions/{login}"), Value::Null).by(&self.token),
            json("DELETE", "/api/sessions/%00", Value::Null).by(&self.token),
            json("DELETE", "/api/sessions/..%2f..%2fstaff", Value::Null).by(&self.token),
            json("GET", &format!("/api/staff/people/{user}"), Value::Null).by(&self.token),
            json("GET", "/api/staff/people?q=%25", Value::Null).by(&self.token),
            json("GET", "/api/staff/audit?before=99999999999999999999", Value::Null).by(&self.token),
            json("GET", "/api/history/checkpoints?after=99999999999999999999", Value::Null),
            json("GET", "/api/history/checkpoints?limit=0", Value::Null).by(forged),
            json("GET", "/api/history/checkpoints?key=mine", Value::Null),
            json("GET", "/api/hands/aaaaaaaaaaaaaaaa", Value::Null),
            json("GET", "/api/hands/aaaaaaaaaaaaaaa%00", Value::Null),
            json("GET", "/api/hands/aaaaaaaaaaaaaaaa?names=all", Value::Null).by(&self.token),
            json("GET", "/api/me/hands/export?format=proof", Value::Null),
            json("GET", "/api/me/hands/export?format=proof&user=ann", Value::Null).by(&self.token),
            json(
                "PUT",
                &format!("/api/staff/people/{user}/roles"),
                json!({ "roles": ["admin"], "reason": "because" }),
            )
            .by(&self.token),
            json(
                "POST",
                &format!("/api/staff/people/{user}/sanctions"),
                json!({ "kind": "ban", "reason": "because" }),
            )
            .by(&self.token),
            // Chips that are somebody's.
            json("POST", "/api/staff/ledger/settle", json!({ "room": "t1", "reason": "nobody is there" }))
                .by(&self.token),
            json("POST", "/api/staff/ledger/settle", json!({ "room": "../t1", "reason": "nobody is there" })),
            json("PUT", "/api/me/password", json!({ "old": "wrong", "new": "battery horse" }))
                .by(&self.token),
            json("POST", "/api/me/self-exclusion", json!({ "until_ms": u64::MAX })).by(&self.token),
            json("POST", "/api/me/deletion", json!({ "password": "wrong" })).by(&self.token),
            json("PATCH", "/api/me", json!({ "nick": "\u{202e}" })).by(&self.token),
            // Denouncing: once more, elsewhere, oneself, nobody, in other words; and reading what others say.
            report(user, "t0", "collusion", "and again"),
            report(user, "t0", "chat_abuse", ""),
            report(user, "another", "collusion", ""),
            report(&self.user, "t0", "other", "me"),
            report("g-nobody", "t0", "collusion", ""),
            report(user, "../t0", "collusion", ""),
            report(user, "t9", "tickling", ""),
            report(user, "t9", "name", "\u{202e}reversed"),
            report(user, "t9", "name", &"x".repeat(201)),
            json("POST", "/api/reports", json!({ "user": user, "room": "t9", "kind": "name" })),
            json("GET", &format!("/api/staff/reports?user={user}"), Value::Null).by(&self.token),
            json("POST", "/api/staff/reports/r-x/close", json!({ "reason": "because" })).by(&self.token),
            // Breaking.
            raw("/api/sessions", b"{\"handle\":"),
            raw("/api/sessions", "[".repeat(4_000).as_bytes()),
            raw("/api/sessions", b"{\"handle\":\"\\ud800\",\"password\":\"\xff\xfe\"}"),
            raw("/api/guest", b""),
            raw("/api/guest", b"null"),
            typed("text/plain"),
            typed("application/x-www-form-urlencoded"),
            json("PUT", "/api/guest", json!({ "name": "Ann" })),
            json("GET", "/api/nothing/here", Value::Null),
        ];
        assert_eq!(tricks.len(), TRICKS);
        // More than anybody's password.
        for path in ["/api/sessions", "/api/accounts", "/api/passwords"] {
            tricks.push(json(
                "POST",
                path,
                json!({ "handle": handle, "password": long, "nick": "x", "link": "y" }),
            ));
        }
        tricks
    }
}
