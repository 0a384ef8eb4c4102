//! Whatever is asked badly, at whatever path, is refused in the one form that `docs/openapi.json` promises, and with what it says there:
//! over real sockets, as who serves HTTP refuses much before reception sees it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::Path, routing::delete};
use broker::clock::Clock;
use cage::{
    Place, Tellers,
    people::refresh::{RefreshKey, RefreshKeys},
};
use ops::serve::{Front, HttpArgs, Limits, TrustProxy, serve};
use reception::{ApiConfig, Desk, Keyring, People, passwords::Cost, people, revocations::Nobody};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(60);

const PASSWORD: &str = "correct horse battery";

const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"];

struct Served {
    address: SocketAddr,
    document: Value,
    _serving: AbortOnDropHandle<()>,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Served {
    async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let front = Front::new(HttpArgs::default(), Limits::default(), TrustProxy::Nobody);
        let serving = tokio::spawn(serve(listener, router, front, std::future::pending()));
        let document = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
        Self { address, document, _serving: AbortOnDropHandle::new(serving) }
    }

    /// What is answered, on a connection of its own.
    async fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let length = if headers.contains("content-length") || headers.contains("chunked") {
            String::new()
        } else {
            format!("content-length: {}\r\n", body.len())
        };
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{length}{headers}\r\n");
        let mut answer = Vec::new();
        let asking = async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
            while stream.read_buf(&mut answer).await.is_ok_and(|count| count > 0) {}
        };
        timeout(SOON, asking).await.unwrap_or_else(|_| panic!("no answer to {method} {path} {headers}"));
        let at = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let body = answer.split_off(at + 4);
        let head = String::from_utf8(answer).unwrap();
        Answer { status: head.split(' ').nth(1).unwrap().parse().unwrap(), head, body }
    }

    /// The code of a refusal; or what is wrong with it. `operation` is what the document says of what was asked, if it knows it.
    fn judge(&self, answer: &Answer, operation: Option<&Value>) -> Result<String, String> {
        let Answer { status, head, body } = answer;
        let wrong = |what: &str| Err(format!("{what}: {head}{}", String::from_utf8_lossy(body)));
        if *status < 400 {
            return wrong("it was not refused");
        }
        if !head.to_lowercase().contains("\r\ncontent-type: application/json\r\n") {
            return wrong("it is not declared as JSON");
        }
        let told = answer.json();
        let form = &self.document["components"]["schemas"]["Refusal"]["properties"];
        let (Some(fields), Some(code), Some(_)) =
            (told.as_object(), told["code"].as_str(), told["message"].as_str())
        else {
            return wrong("it has not the form of a refusal");
        };
        if fields.keys().any(|field| form[field].is_null()) {
            return wrong("it has fields that the document does not know");
        }
        let of_it = operation.map(|operation| operation["responses"][status.to_string()].to_string());
        let of_all = self.document["info"]["description"].as_str().unwrap();
        if of_it.is_some_and(|of_it| of_it.contains(&format!("\"{code}\"")))
            || of_all.contains(&format!("{status} `{code}`"))
        {
            return Ok(code.to_owned());
        }
        wrong("the document does not say so")
    }

    async fn refused(&self, asked: (&str, &str, &str, &[u8]), operation: Option<&Value>) -> (u16, String) {
        let (method, path, headers, body) = asked;
        let answer = self.ask(method, path, headers, body).await;
        let code = self.judge(&answer, operation);
        let code = code.unwrap_or_else(|wrong| panic!("{method} {path} {headers}: {wrong}"));
        (answer.status, code)
    }
}

/// A reception, and the access token of an admin: whom it looks at further than others.
async fn reception() -> (Served, String) {
    let tellers = Tellers::open(&Place::Memory).unwrap();
    let desk = Desk::new(Arc::new(Keyring::in_memory()), Clock::system(), 600_000);
    let link = people::admin(&tellers, "boss", desk.now_ms()).await.unwrap();
    let keys = RefreshKeys::new(RefreshKey::new([7; 32]), Vec::new());
    let people = People::new(tellers, keys, desk, Cost { memory_kib: 8, passes: 1 }, Arc::new(Nobody));
    let config =
        ApiConfig { tokens_per_minute: 0, tokens_burst: 1, hosts: Vec::new(), allow_origin: Vec::new() };
    let served = Served::start(reception::router_with_people(Arc::new(people), config)).await;
    let post = async |path: &str, body: Value| {
        served.ask("POST", path, "content-type: application/json\r\n", body.to_string().as_bytes()).await
    };
    let set = serde_json::json!({ "link": link.secret.as_str(), "password": PASSWORD });
    assert_eq!(post("/api/passwords", set).await.status, 204);
    let told = async || {
        let asked = serde_json::json!({ "handle": "boss", "password": PASSWORD });
        post("/api/sessions", asked).await.json()["token"].as_str().unwrap().to_owned()
    };
    // Tokens of the moment in which the password was set are void.
    let mut token = told().await;
    while served.ask("GET", "/api/me", &format!("authorization: Bearer {token}\r\n"), b"").await.status != 200
    {
        token = told().await;
    }
    (served, token)
}

#[tokio::test]
async fn whatever_is_asked_badly_at_any_path_is_refused_as_the_document_says() {
    let (served, token) = reception().await;
    let bearer = format!("authorization: Bearer {token}\r\n");
    let json = format!("{bearer}content-type: application/json\r\n");
    let chunk = format!("{{\"reason\":\"{}\"}}", "x".repeat(reception::api::BODY_BYTES_MAX));
    let chunked = format!("{:x}\r\n{chunk}\r\n0\r\n\r\n", chunk.len());
    let (mut tried, mut with_bodies, mut with_names) = (0, 0, 0);
    for (path, operations) in served.document["paths"].as_object().unwrap() {
        let named = path.replace("{id}", "x");
        for method in METHODS {
            tried += 1;
            let operation = &operations[method.to_lowercase()];
            if operation.is_null() {
                let refused = served.refused((method, &named, &json, b"{}"), None).await;
                assert_eq!(refused, (405, "bad_method".into()), "{method} {path}");
                continue;
            }
            let refused = async |path: &str, headers: &str, body: &[u8]| {
                served.refused((method, path, headers, body), Some(operation)).await
            };
            let far_too_large = format!("{json}content-length: 70000\r\n");
            assert_eq!(refused(&named, &far_too_large, b"").await, (413, "too_large".into()), "{path}");
            if path.contains('{') {
                with_names += 1;
                let name = path.replace("{id}", "%ff");
                let asked = r#"{"reason":"because","kind":"ban","roles":[]}"#.as_bytes();
                let (status, _) = refused(&name, &json, asked).await;
                assert!(matches!(status, 400 | 404), "{path}: {status}");
            }
            if operation["requestBody"].is_null() {
                continue;
            }
            with_bodies += 1;
            let too_large = format!("{json}transfer-encoding: chunked\r\n");
            assert_eq!(
                refused(&named, &too_large, chunked.as_bytes()).await,
                (413, "too_large".into()),
                "{path}"
            );
            for kind in ["", "content-type: text/plain\r\n", "content-type: \r\n"] {
                let headers = format!("{bearer}{kind}");
                assert_eq!(refused(&named, &headers, b"{}").await, (415, "not_json".into()), "{path} {kind}");
            }
            for body in [
                &b""[..],
                b"{",
                b"null",
                b"[]",
                b"[\"boss\",\"x\"]",
                b"7",
                b"{\"name\":\"\xff\"}",
                b"\xef\xbb\xbf{}",
            ] {
                assert_eq!(
                    refused(&named, &json, body).await,
                    (400, "bad_request".into()),
                    "{path} {}",
                    String::from_utf8_lossy(body)
                );
            }
        }
    }
    assert!(tried > 200 && with_bodies > 10 && with_names > 6, "{tried} {with_bodies} {with_names}");
}

#[tokio::test]
async fn where_there_is_nothing_it_is_said_in_the_same_form() {
    let (served, _) = reception().await;
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/else",
        "/api/%ff",
        "/api/guest/",
        "/api/staff/people//",
        "/.well-known/x",
        "//",
    ] {
        for method in ["GET", "POST", "BREW"] {
            let refused = served.refused((method, path, "", b""), None).await;
            assert_eq!(refused, (404, "not_found".into()), "{method} {path}");
        }
    }
}

/// The judge finds what the framework says where nobody has seen to it.
#[tokio::test]
async fn the_judge_finds_refusals_in_a_framework_s_words() {
    let router = Router::new().route("/api/sessions/{id}", delete(async |_: Path<u32>| ()));
    let served = Served::start(router).await;
    for (method, path, what) in [
        ("DELETE", "/api/sessions/x", "not declared as JSON"),
        ("GET", "/api/sessions/7", "not declared as JSON"),
        ("GET", "/else", "not declared as JSON"),
        ("DELETE", "/api/sessions/7", "not refused"),
    ] {
        let answer = served.ask(method, path, "", b"").await;
        let wrong = served.judge(&answer, None).unwrap_err();
        assert!(wrong.contains(what), "{wrong}");
    }
    let undocumented = Answer {
        status: 418,
        head: "HTTP/1.1 418\r\ncontent-type: application/json\r\n".into(),
        body: br#"{"code":"teapot","message":"short and stout"}"#.to_vec(),
    };
    assert!(served.judge(&undocumented, None).unwrap_err().contains("the document does not say so"));
}
