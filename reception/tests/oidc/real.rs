//! Another implementation: npm's `oidc-provider`, signed in to through its own pages. `scripts/test` installs it beside what is built.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use axum::http::{Request, header};
use broker::clock::Clock;
use cage::Place;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use reception::oidc::Named;
use serde_json::json;

use crate::{
    house::{Browser, HERE, House},
    provider::pairs,
};

const SECRET: &str = "a secret: of+100% the house";

/// Steps of a sign-in at most.
const STEPS_MAX: usize = 20;

/// Where it is installed, if it is.
fn installed() -> Option<PathBuf> {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("oidc-provider/node_modules/oidc-provider");
    let has_node = Command::new("node").arg("--version").stdout(Stdio::null()).status().is_ok();
    (has_node && folder.join("lib/index.js").is_file()).then_some(folder)
}

struct Real {
    process: Child,
    issuer: String,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Real {
    /// `None`, and a word about it, where it is not on this machine.
    fn start() -> Option<Self> {
        let Some(folder) = installed() else {
            eprintln!("skipped: npm's oidc-provider is not beside what is built (scripts/test installs it)");
            return None;
        };
        let mut process = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc/provider.mjs"))
            .env("OIDC_PROVIDER", folder)
            .env("CLIENT_SECRET", SECRET)
            .env("REDIRECT_URI", format!("{HERE}/api/oidc/club/callback"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut issuer = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut issuer).unwrap();
        assert!(issuer.starts_with("http://"), "it has not come up: {issuer}");
        Some(Self { process, issuer: issuer.trim().into() })
    }

    fn named(&self, algorithm: &str, secret: &str) -> Named {
        Named {
            name: "club".into(),
            label: "The club".into(),
            issuer: self.issuer.clone(),
            client_id: format!("house-{algorithm}"),
            client_secret: Some(secret.to_owned().into()),
            scopes: vec!["openid".into(), "email".into(), "profile".into()],
            trust_email: true,
        }
    }
}

/// Somebody's browser at the provider: it keeps its cookies, and fills in its forms.
struct There {
    client: Client<HttpConnector, Full<Bytes>>,
    cookies: BTreeMap<String, String>,
}

impl There {
    fn new() -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        // Node closes a connection that is quiet for five seconds, whoever is about to use it.
        builder.pool_max_idle_per_host(0);
        Self { client: builder.build(HttpConnector::new()), cookies: BTreeMap::new() }
    }

    /// Whereto it is sent on, or the page.
    async fn ask(&mut self, url: &str, form: Option<&str>) -> Result<String, String> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().uri(url).header(header::COOKIE, cookies.join("; "));
        let request = match form {
            Some(form) => request
                .method("POST")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Full::from(form.to_owned())),
            None => request.body(Full::default()),
        };
        let answer = self.client.request(request.unwrap()).await.unwrap();
        for set in answer.headers().get_all(header::SET_COOKIE) {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.into(), value.into());
        }
        if let Some(location) = answer.headers().get(header::LOCATION) {
            let base = url::Url::parse(url).unwrap();
            return Ok(base.join(location.to_str().unwrap()).unwrap().into());
        }
        let status = answer.status();
        let page =
            String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
        assert!(status.is_success(), "{url} answers {status}: {page}");
        Err(page)
    }

    /// Signs in as this user, or calls it off: what the browser is sent back with.
    async fn sign_in(&mut self, url: &str, user: Option<&str>) -> BTreeMap<String, String> {
        let (mut at, mut form) = (url.to_owned(), None);
        for _ in 0..STEPS_MAX {
            match self.ask(&at, form.take().as_deref()).await {
                Ok(next) if next.starts_with(HERE) => return pairs(next.split_once('?').unwrap().1),
                Ok(next) => at = next,
                Err(page) => {
                    let Some(user) = user else {
                        at = format!("{at}/abort");
                        continue;
                    };
                    at = between(&page, "action=\"", "\"").to_owned();
                    let prompt = between(&page, "name=\"prompt\" value=\"", "\"");
                    form = Some(format!("prompt={prompt}&login={user}&password=x"));
                }
            }
        }
        panic!("it never sends anybody back");
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("{before} in {text}")).1;
    rest.split_once(after).unwrap().0
}

#[tokio::test]
async fn people_sign_in_through_the_pages_of_another_implementation() {
    let Some(real) = Real::start() else { return };
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let house = House::open(Place::Memory, Clock::system(), vec![real.named(algorithm, SECRET)]).await;
        let mut browser = Browser::of(&house);
        let guest = browser.guest("Gus").await;
        let start = browser.start("club", Some(&guest.text("token")), json!({})).await;
        assert_eq!(start.status, 200, "{}", start.body);
        let answer = There::new().sign_in(&start.text("url"), Some("ann")).await;
        assert_eq!(browser.back("club", &answer).await, "new", "{algorithm}");
        let session = browser.settle("Ann").await;
        assert_eq!((session.status, session.text("user")), (201, guest.text("user")), "{}", session.body);
        let ways = browser.ask("GET", "/api/me/identities", Some(&session.text("token")), None).await;
        let known = &ways.body["identities"][0];
        assert_eq!((&known["subject"], &known["email"]), (&json!("ann"), &json!("ann@x.example")));

        let mut there = There::new();
        let mut elsewhere = Browser::of(&house);
        let start = elsewhere.start("club", None, json!({})).await.text("url");
        let answer = there.sign_in(&start, Some("ann")).await;
        assert_eq!(elsewhere.back("club", &answer).await, "in");
        assert_eq!(elsewhere.refresh().await.text("user"), guest.text("user"));
        // Its code is good once, and for the verifier that belongs to it.
        let mut again =
            there.sign_in(&elsewhere.start("club", None, json!({})).await.text("url"), Some("ann")).await;
        let good = again.insert("code".into(), answer["code"].clone()).unwrap();
        assert_eq!(elsewhere.back("club", &again).await, "bad_code");
        let mut other =
            there.sign_in(&elsewhere.start("club", None, json!({})).await.text("url"), Some("ann")).await;
        other.insert("code".into(), good);
        assert_eq!(elsewhere.back("club", &other).await, "bad_code");
        let start = elsewhere.start("club", None, json!({})).await.text("url");
        let answer = There::new().sign_in(&start, None).await;
        assert_eq!(elsewhere.back("club", &answer).await, "called_off");
    }
    let house =
        House::open(Place::Memory, Clock::system(), vec![real.named("RS256", "another secret")]).await;
    let mut browser = Browser::of(&house);
    let start = browser.start("club", None, json!({})).await.text("url");
    let answer = There::new().sign_in(&start, Some("ann")).await;
    assert_eq!(browser.back("club", &answer).await, "provider_refused");
}
