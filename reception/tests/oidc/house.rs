//! A house whose people sign in elsewhere, and a browser that goes there and back.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::Router;
use broker::clock::Clock;
use cage::{
    Place, Tellers,
    people::{
        refresh::{RefreshKey, RefreshKeys},
        sanction::{self, Kind, Sanction},
    },
};
use protocol::id::UserId;
use reception::{
    Desk, Keyring, People,
    oidc::{Bounds, Named, Providers},
    passwords::Cost,
};
use serde_json::{Value, json};

use crate::{
    provider::{Provider, pairs},
    support::{Answer, Heard, ask, config},
};

/// Where its pages are.
pub(crate) const HERE: &str = "https://cards.example";

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) const BOUNDS: Bounds = Bounds { within: Duration::from_secs(60), bytes_max: 64 * 1024 };

pub(crate) struct House {
    router: Router,
    pub(crate) heard: Arc<Heard>,
    place: Place,
}

impl House {
    /// On this database, asking these providers.
    pub(crate) async fn open(place: Place, clock: Clock, named: Vec<Named>) -> Arc<Self> {
        Self::open_behind(place, clock, named, |router| router).await
    }

    /// The same behind something that stands between browsers and it.
    pub(crate) async fn open_behind(
        place: Place,
        clock: Clock,
        named: Vec<Named>,
        behind: impl FnOnce(Router) -> Router,
    ) -> Arc<Self> {
        let at = place.clone();
        let tellers = tokio::task::spawn_blocking(move || Tellers::open(&at).unwrap()).await.unwrap();
        let desk = Desk::new(Arc::new(Keyring::in_memory()), clock, 600_000);
        let heard = Arc::new(Heard::default());
        let keys = RefreshKeys::new(RefreshKey::new([7; 32]), Vec::new());
        let people = People::new(tellers, keys, desk, Cost { memory_kib: 8, passes: 1 }, heard.clone());
        let providers = Providers::new(HERE.into(), named, BOUNDS).unwrap();
        let people = Arc::new(people.with_providers(providers));
        let router = behind(reception::router_with_people(people, config()));
        Arc::new(Self { router, heard, place })
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        ask(&self.router, method, path, headers, body).await
    }

    /// Staff bans somebody of a house in a file.
    pub(crate) async fn ban(&self, user: &str) {
        let Place::File(file) = &self.place else { panic!("nobody comes beside {}", self.place) };
        let beside = Tellers::open(&Place::FileBeside(file.clone())).unwrap();
        let person = UserId::new(user).unwrap();
        let ban = Sanction {
            id: "s-1".into(),
            person: person.clone(),
            kind: Kind::Ban,
            from_ms: 1,
            until_ms: None,
            reason: "for a test".into(),
            by: person,
            lifted_ms: None,
        };
        beside.write("test", move |tx| sanction::impose(tx, &ban)).await.unwrap();
    }

    /// What the audit says of a person, the latest first.
    pub(crate) async fn events(&self, token: &str) -> Vec<String> {
        let bearer = format!("Bearer {token}");
        let told = self.ask("GET", "/api/me/export", &[("authorization", &bearer)], None).await;
        let text = told.body.as_str().unwrap().to_owned();
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let events = events.filter(|line| line["line"] == "event");
        events
            .map(|line| {
                let event = &line["event"];
                format!("{}: {}", event["action"].as_str().unwrap(), event["detail"].as_str().unwrap())
            })
            .collect()
    }
}

/// A browser: it keeps cookies, and says whose page asks.
pub(crate) struct Browser {
    house: Arc<House>,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn of(house: &Arc<House>) -> Self {
        Self { house: house.clone(), cookies: BTreeMap::new() }
    }

    /// Another window of it, which keeps its cookies apart from here on.
    pub(crate) fn copy(&self) -> Self {
        Self { house: self.house.clone(), cookies: self.cookies.clone() }
    }

    fn jar(&self) -> String {
        let all = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        all.collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, answer: &Answer) {
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(
                set.contains("; HttpOnly") && set.contains("; Secure") && set.contains("Path=/;"),
                "{set}"
            );
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            assert!(name.starts_with("__Host-"), "{set}");
            if set.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
    }

    /// As a page of the house asks.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let (jar, bearer) = (self.jar(), format!("Bearer {}", token.unwrap_or_default()));
        let mut headers = vec![("host", "cards.example"), ("cookie", jar.as_str())];
        if method != "GET" {
            headers.extend([("origin", HERE), ("sec-fetch-site", "same-origin")]);
        }
        if token.is_some() {
            headers.push(("authorization", bearer.as_str()));
        }
        let answer = self.house.ask(method, path, &headers, body).await;
        self.keep(&answer);
        answer
    }

    pub(crate) async fn guest(&mut self, name: &str) -> Answer {
        self.ask("POST", "/api/guest", None, Some(json!({ "name": name, "cookie": true }))).await
    }

    pub(crate) async fn member(&mut self, handle: &str) -> Answer {
        let wanted = json!({ "handle": handle, "nick": handle, "password": PASSWORD, "cookie": true });
        let answer = self.ask("POST", "/api/accounts", None, Some(wanted)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer
    }

    pub(crate) async fn refresh(&mut self) -> Answer {
        self.ask("POST", "/api/refresh", None, Some(json!({ "cookie": true }))).await
    }

    /// Whereto it is sent.
    pub(crate) async fn start(&mut self, provider: &str, token: Option<&str>, body: Value) -> Answer {
        self.ask("POST", &format!("/api/oidc/{provider}/start"), token, Some(body)).await
    }

    /// As a provider sends it back, and what the house makes of that: `in`, `new`, or a code.
    pub(crate) async fn back(&mut self, provider: &str, answer: &BTreeMap<String, String>) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
        let jar = self.jar();
        // Another site sends it: a browser tells no cookie that is for the house's own pages alone.
        let away: Vec<_> =
            jar.split("; ").filter(|cookie| cookie.starts_with("__Host-cardhouse-away-")).collect();
        let cookies = away.join("; ");
        let headers =
            [("host", "cards.example"), ("cookie", cookies.as_str()), ("sec-fetch-site", "cross-site")];
        let path = format!("/api/oidc/{provider}/callback?{query}");
        let told = self.house.ask("GET", &path, &headers, None).await;
        self.keep(&told);
        assert_eq!((told.status, &told.headers["referrer-policy"]), (303, &"no-referrer".parse().unwrap()));
        told.headers["location"].to_str().unwrap().strip_prefix("/#oidc=").unwrap().to_owned()
    }

    /// All of the way: what comes of it.
    pub(crate) async fn through(&mut self, provider: &Provider, name: &str, token: Option<&str>) -> String {
        let start = self.start(name, token, json!({})).await;
        assert_eq!(start.status, 200, "{}", start.body);
        let answer = provider.sign_in(&start.text("url"));
        self.back(name, &answer).await
    }

    /// The same of somebody who is new, and is called so from then on.
    pub(crate) async fn settle(&mut self, nick: &str) -> Answer {
        self.ask("POST", "/api/oidc/account", None, Some(json!({ "nick": nick }))).await
    }
}

/// What the address says with which a browser is sent away.
pub(crate) fn asked(url: &str) -> BTreeMap<String, String> {
    pairs(url.split_once('?').unwrap().1)
}
