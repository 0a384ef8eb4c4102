//! Strangers who try everything at the account endpoints, while honest players go on: real sockets, real databases, and a judge.
//!
//! - [`stranger`]: what they try. - [`honest`]: whom it must not touch. - `judge`: what must hold; each of its faults is planted once.

mod honest;
mod judge;
mod line;
mod stranger;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use broker::clock::Clock;
use cage::{
    Place, Tellers,
    people::{
        audit,
        refresh::{RefreshKey, RefreshKeys},
    },
    testing::postgres_server::PostgresServer,
};
use http_body_util::BodyExt as _;
use ops::serve::{Front, HttpArgs, Limits, TrustProxy, serve};
use reception::{ApiConfig, Desk, Keyring, People, passwords::Cost, revocations::Nobody};
use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{honest::Honest, judge::Judge, line::Line, stranger::Stranger};

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(120);

/// Honest players, each with a line and an address of its own.
const HONEST: u8 = 5;

/// Strangers, too.
const STRANGERS: u8 = 4;

/// What a reception could do that the judge must find.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// It fails at bodies that are no JSON.
    Fails,
    /// It lets everybody end every login.
    LetsIn,
    /// It takes what was reported before, and more than anybody may report.
    TakesAgain,
    /// It sends honest players away, too.
    SendsAway,
    /// It gives everybody the same token.
    MixesUp,
}

async fn plant(State(fault): State<Fault>, request: Request, next: Next) -> Response {
    let (ends, reports, refreshes) = {
        let is = |method, path| *request.method() == method && request.uri().path().starts_with(path);
        // Strangers come in before it is planted, as it were.
        let from = request.headers().get("x-forwarded-for").and_then(|from| from.to_str().ok());
        let is_honest = from.is_some_and(|from| from.starts_with("192.0.2."));
        let reports = is(Method::POST, "/api/reports");
        (is(Method::DELETE, "/api/sessions/"), reports, is(Method::POST, "/api/refresh") && is_honest)
    };
    let answer = next.run(request).await;
    match (fault, answer.status()) {
        (Fault::Fails, StatusCode::BAD_REQUEST) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        (Fault::LetsIn, StatusCode::NOT_FOUND) if ends => StatusCode::NO_CONTENT.into_response(),
        (Fault::TakesAgain, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS) if reports => {
            StatusCode::CREATED.into_response()
        }
        (Fault::SendsAway, StatusCode::OK) if refreshes => {
            (StatusCode::UNAUTHORIZED, r#"{"code":"session_ended","message":"by mistake"}"#).into_response()
        }
        (Fault::MixesUp, StatusCode::OK) if refreshes => {
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let mut session: serde_json::Value = serde_json::from_slice(&body).unwrap();
            session["user"] = "somebody".into();
            Body::from(session.to_string()).into_response()
        }
        _ => answer,
    }
}

/// Plays it through on this database; answers what the judge has found.
async fn played(place: Place, fault: Option<Fault>) -> Vec<String> {
    let opening = place.clone();
    let tellers = tokio::task::spawn_blocking(move || Tellers::open(&opening)).await.unwrap().unwrap();
    let desk = Desk::new(Arc::new(Keyring::in_memory()), Clock::system(), 600_000);
    let keys = RefreshKeys::new(RefreshKey::new([7; 32]), Vec::new());
    let cost = Cost { memory_kib: 8, passes: 1 };
    let people = Arc::new(People::new(tellers, keys, desk, cost, Arc::new(Nobody)));
    let limits = ApiConfig {
        tokens_per_minute: 100_000,
        tokens_burst: 100_000,
        hosts: Vec::new(),
        allow_origin: Vec::new(),
    };
    let mut router: Router = reception::router_with_people(people.clone(), limits);
    if let Some(fault) = fault {
        router = router.layer(from_fn_with_state(fault, plant));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let front = Front::new(HttpArgs::default(), Limits::default(), TrustProxy::Hops(1));
    let closing = CancellationToken::new();
    let serving = tokio::spawn(serve(listener, router, front, closing.clone().cancelled_owned()));

    let judge = Judge::default();
    let mut honest = Vec::new();
    for number in 0..HONEST {
        honest.push(Honest::come(Line::to(address, [192, 0, 2, number]), number).await);
    }
    let known: Arc<[_]> = honest.iter().map(Honest::known).collect();
    let over = CancellationToken::new();
    let mut strangers = JoinSet::new();
    for number in 0..STRANGERS {
        let line = Line::to(address, [198, 51, 100, number]);
        let stranger = Stranger::come(line, number, known.clone(), judge.clone()).await;
        strangers.spawn(stranger.tries_everything(over.clone()));
    }
    let mut playing = JoinSet::new();
    for honest in honest {
        playing.spawn(honest.plays(judge.clone()));
    }
    let still_here = timeout(SOON, playing.join_all()).await.expect("honest players come to an end");
    over.cancel();
    let tried = timeout(SOON, strangers.join_all()).await.expect("strangers come to an end");
    // All of them have tried each thing.
    assert!(tried.iter().all(|tries| *tries >= stranger::TRICKS), "{tried:?}");
    for honest in still_here.into_iter().flatten() {
        honest.is_as_before(&judge).await;
    }
    closing.cancel();
    timeout(SOON, serving).await.expect("it closes").unwrap();
    drop(people);

    let beside = match place {
        Place::File(path) => Place::FileBeside(path),
        place => place,
    };
    let tellers = tokio::task::spawn_blocking(move || Tellers::open(&beside)).await.unwrap().unwrap();
    match tellers.read(audit::verify).await.unwrap() {
        Ok(entries) => assert!(entries > u64::from(HONEST), "{entries}"),
        Err(breach) => judge.found(format!("the audit: {breach}")),
    }
    judge.breaches()
}

async fn in_a_file(fault: Option<Fault>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    played(Place::File(folder.path().join("people.db")), fault).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_get_nothing_but_refusals_while_honest_players_go_on_in_sqlite() {
    assert_eq!(in_a_file(None).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_get_nothing_but_refusals_while_honest_players_go_on_in_postgresql() {
    let Some(server) = tokio::task::spawn_blocking(PostgresServer::start).await.unwrap().unwrap() else {
        return;
    };
    let server = Arc::new(server);
    let made = server.clone();
    let url = tokio::task::spawn_blocking(move || made.database("strangers")).await.unwrap().unwrap();
    let found = played(Place::Postgres(url), None).await;
    // It waits for its process.
    tokio::task::spawn_blocking(move || drop(server)).await.unwrap();
    assert_eq!(found, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reception_that_does_one_of_these_things_wrong_is_found() {
    for (fault, told) in [
        (Fault::Fails, "was answered 500"),
        (Fault::LetsIn, "was answered 204"),
        (Fault::TakesAgain, "was answered 201"),
        (Fault::SendsAway, "an honest player was refused"),
        (Fault::MixesUp, "somebody else"),
    ] {
        let found = in_a_file(Some(fault)).await;
        assert!(found.iter().any(|breach| breach.contains(told)), "{fault:?}: {found:?}");
    }
}
