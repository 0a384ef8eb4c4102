//! How long somebody waits for the page on a line with a round trip of 300 ms.

use serde_json::json;

use crate::{house_with_a_table, window::Window};

/// Of the line.
const ROUND_TRIP_MS: u64 = 300;

/// What a busy machine may add.
const SLACK_MS: u64 = 1_200;

/// Marks when the first of them is drawn.
const MARK: &str = "
    window.drawn = {};
    new MutationObserver(() => {
        for (const id of ['name-input', 'lobby']) {
            if (!(id in drawn) && document.querySelector(`[data-testid=${id}]`)) drawn[id] = performance.now();
        }
    }).observe(document, { childList: true, subtree: true });
";

/// What came over the line: requests and bytes.
const LOADED: &str = "
    const came = performance.getEntries().filter(({ entryType }) => ['navigation', 'resource'].includes(entryType));
    const over = came.filter(({ transferSize }) => transferSize > 0);
    return { requests: over.length, bytes: over.reduce((sum, { transferSize }) => sum + transferSize, 0), names: over.map(({ name }) => name) };
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_line_is_waited_for_once_and_hardly_at_all_on_a_reload() {
    let (url, _house) = house_with_a_table().await;
    let ann = Window::open(390, 844).await;
    ann.devtools("Network.enable", json!({})).await;
    // It passes requests on over a line of its own, which is not slow.
    ann.devtools("Network.setBypassServiceWorker", json!({ "bypass": true })).await;
    let line = json!({ "offline": false, "latency": ROUND_TRIP_MS, "downloadThroughput": -1, "uploadThroughput": -1 });
    ann.devtools("Network.emulateNetworkConditions", line).await;
    ann.before_each_page(MARK).await;
    let drawn =
        async |id: &str| ann.ask(&format!("return drawn['{id}'] ?? 0")).await.as_f64().unwrap() as u64;

    ann.go(&url).await;
    ann.until("it asks for a name", async || drawn("name-input").await > 0).await;
    let (first, loaded) = (drawn("name-input").await, ann.ask(LOADED).await);
    assert!(first <= 1_300 + SLACK_MS, "first: {first} ms");
    // With the guest's token, the socket and the table page that comes behind: six.
    assert!(
        loaded["requests"].as_u64().unwrap() <= 4 && loaded["bytes"].as_u64().unwrap() <= 40 * 1024,
        "{loaded}"
    );
    ann.enter(&url, "Ann").await;

    ann.go(&url).await;
    ann.until("the lobby is drawn", async || drawn("lobby").await > 0).await;
    let (again, loaded) = (drawn("lobby").await, ann.ask(LOADED).await);
    assert!(again <= 700 + SLACK_MS, "again: {again} ms");
    assert!(loaded["requests"].as_u64().unwrap() <= 1, "only the page is asked for: {loaded}");
}
