//! When nobody answers the page says so, and a page that comes is always the one of the house that there is.

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use house::{Config, House};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{address, end, forwarder::Forwarder, house_with_a_table, window::Window};

/// Until a worker stands in front of the page.
const WORKER: &str = "const answer = arguments[arguments.length - 1];
    navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller ? answer(true)
        : navigator.serviceWorker.addEventListener('controllerchange', () => answer(true), { once: true }));";

/// What is kept for when nobody answers: whether the page says that it is of this build. While it is replaced there may be none.
const KEPT: &str = "const answer = arguments[arguments.length - 1];
    caches.match('/offline.html').then((page) => page?.text()).then((text = '') => answer(text.includes(document.documentElement.dataset.build)), () => answer(false));";

/// Somebody who has been here before.
const GUEST: &str = "localStorage['cardhouse.guest'] = JSON.stringify({ token: 't', user: 'u', name: 'Ann', expires_ms: Date.now() + 86400000 });";

const BUILD: &str = "return document.documentElement.dataset.build ?? ''";

/// A worker that answers with what it has: what ours must not be.
const STALE_WORKER: &str = "addEventListener('install', () => skipWaiting());
    addEventListener('activate', (event) => event.waitUntil(clients.claim()));
    addEventListener('fetch', (event) => event.respondWith(caches.open('old').then(async (cache) => {
        const old = await cache.match(event.request);
        if (old) return old;
        const answer = await fetch(event.request);
        await cache.put(event.request, answer.clone());
        return answer;
    })));";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_is_gone_is_said_to_be_gone_and_comes_back_by_itself() {
    let (url, house) = house_with_a_table().await;
    let balancer = Forwarder::to(address(&url)).await;
    let page = format!("http://{}/", balancer.address());
    let ann = Window::open(390, 844).await;
    ann.be_patient().await;
    ann.enter(&page, "Ann").await;
    assert_eq!(ann.ask_later(WORKER).await, true, "the page's policy lets it be there");

    end(house, &url).await;
    ann.go(&page).await;
    ann.until("it is said", async || ann.sees("nobody").await).await;
    assert_eq!(ann.text("h1").await, "The card room cannot be reached", "in one language");
    let styled = ann.ask("return getComputedStyle(document.querySelector('button')).minHeight").await;
    assert_eq!(styled, "44px", "the sheet is kept too");

    let mut config = Config::defaults();
    config.listen = ([127, 0, 0, 1], 0).into();
    config.bots.bots = 0;
    let house = House::open(config).await.unwrap();
    balancer.turn_to(address(&house.url()));
    let run = house.run(CancellationToken::new());
    let _house = AbortOnDropHandle::new(tokio::spawn(async move { run.await.unwrap() }));
    ann.until("the lobby is there", async || ann.sees("lobby").await).await;
}

/// A window whose page comes with the worker's consent.
async fn looked_after(site: &Site) -> Window {
    let ann = Window::open(390, 844).await;
    ann.be_patient().await;
    ann.before_each_page(GUEST).await;
    ann.go(&site.url).await;
    assert_eq!(ann.ask_later(WORKER).await, true);
    ann.reload().await;
    ann
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_shows_the_page_of_a_new_build_whatever_was_kept_of_the_old_one() {
    let worker = std::fs::read_to_string(web().join("sw.js")).unwrap();
    let site = Site::with_worker(&worker).await;
    let ann = looked_after(&site).await;
    assert_eq!(ann.ask(BUILD).await, "build 1");
    site.build.send_replace(2);
    ann.reload().await;
    assert_eq!(ann.ask(BUILD).await, "build 2");
    ann.until("what is kept is of the new build", async || ann.ask_later(KEPT).await == true).await;
    site.build.send_replace(0);
    ann.reload().await;
    assert_eq!(ann.ask(BUILD).await, "build 2", "and says so when nobody answers: 503");
    ann.until("it is said", async || ann.sees("nobody").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_answers_with_what_it_has_kept_would_be_found() {
    let site = Site::with_worker(STALE_WORKER).await;
    let ann = looked_after(&site).await;
    site.build.send_replace(2);
    ann.reload().await;
    assert_eq!(ann.ask(BUILD).await, "build 1");
}

/// The client's source as a site whose pages say of which build they are; build 0 is a house that is not there behind something that is.
struct Site {
    url: String,
    build: watch::Sender<u32>,
    _task: AbortOnDropHandle<()>,
}

impl Site {
    async fn with_worker(worker: &str) -> Self {
        let (build, current) = watch::channel(1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let site = Router::new().fallback(serve).with_state((current, Arc::<str>::from(worker)));
        let task = tokio::spawn(async move { axum::serve(listener, site).await.unwrap() });
        Self { url, build, _task: AbortOnDropHandle::new(task) }
    }
}

async fn serve(
    State((build, worker)): State<(watch::Receiver<u32>, Arc<str>)>,
    request: Request,
) -> Response {
    let build = *build.borrow();
    if build == 0 {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let path = match request.uri().path() {
        "/" => "index.html",
        path => path.trim_start_matches('/'),
    };
    let Ok(text) = std::fs::read_to_string(web().join(path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (kind, text) = match path.rsplit('.').next() {
        Some("html") => {
            ("text/html", text.replacen("<html", &format!("<html data-build=\"build {build}\""), 1))
        }
        Some("js") if path == "sw.js" => ("text/javascript", worker.to_string()),
        Some("js") => ("text/javascript", text),
        Some("css") => ("text/css", text),
        _ => ("image/svg+xml", text),
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, format!("\"{build}\"")),
    ];
    (headers, text).into_response()
}

fn web() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../web"))
}
