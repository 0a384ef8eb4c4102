//! What the table page costs: that hands leave nothing behind, and, for `docs/performance.md`, how it keeps up on a slow machine.

use serde_json::json;

use crate::{
    made_up::{resize, table},
    window::Window,
};

/// The log and the chat have all their lines by then, and nothing else grows.
const HANDS_BEFORE: u64 = 50;
/// Hands that are played then, and for how long the page is watched, unless the environment says how many and how long.
const HANDS: (&str, u64) = ("CARDHOUSE_PAGE_HANDS", 60);
pub(crate) const WATCHED_MS: (&str, u64) = ("CARDHOUSE_PAGE_WATCHED_MS", 1_000);

/// What code that has been run often takes for itself.
const HEAP_SLACK_BYTES: f64 = 1_500_000.0;
/// Two a hand are too many.
const NODES_SLACK: f64 = 100.0;

/// There are news so often: faster than at any table.
const NEWS_EVERY_MS: u32 = 150;

pub(crate) fn from_environment((name, usual): (&str, u64)) -> u64 {
    std::env::var(name).map_or(usual, |value| value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hands_that_are_over_leave_nothing_behind() {
    let (window, _house) = table().await;
    window.ask(include_str!("../../../web/tests/browser/hands.js")).await;
    window.ask("hands.begin(); return 0").await;
    let hands = from_environment(HANDS);
    play(&window, HANDS_BEFORE).await;
    let before = Cost::of(&window).await;
    play(&window, hands).await;
    let after = Cost::of(&window).await;
    println!("after {HANDS_BEFORE} hands {before:?}, after {} {after:?}", HANDS_BEFORE + hands);
    assert!(after.heap - before.heap < HEAP_SLACK_BYTES, "{before:?} {after:?}");
    assert!(after.nodes - before.nodes < NODES_SLACK, "{before:?} {after:?}");
    assert_eq!(after.listeners, before.listeners);

    // A listener for each hand would be seen.
    window.ask("for (let at = 0; at < 50; at += 1) addEventListener('focus', () => at); return 0").await;
    assert!(Cost::of(&window).await.listeners >= after.listeners + 50.0);
}

/// The figures depend on the machine, so they are told and not asserted; that they can be told is what is tested.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_in_motion_says_how_it_keeps_up_at_a_quarter_of_the_machines_speed() {
    let (window, _house) = table().await;
    window.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
    window.ask(include_str!("../../../web/tests/browser/drawn.js")).await;
    window.ask(include_str!("../../../web/tests/browser/hands.js")).await;
    let pace = format!(
        "hands.pace({}, {NEWS_EVERY_MS}).then(arguments[arguments.length - 1])",
        from_environment(WATCHED_MS)
    );
    for (width, height) in [(390, 844), (1440, 900)] {
        resize(&window, width, height).await;
        for rate in [1, 4] {
            window.ask("hands.begin(); return 0").await;
            window.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": rate })).await;
            let told = window.ask_later(&pace).await;
            println!("{width} by {height}, 1/{rate} of the machine: {told}");
            assert!(told["fps"].as_f64().unwrap() > 0.0, "{told}");
        }
    }
}

/// What a page holds when nobody needs anything else.
#[derive(Debug)]
struct Cost {
    heap: f64,
    nodes: f64,
    listeners: f64,
}

impl Cost {
    async fn of(window: &Window) -> Self {
        window.devtools("Performance.enable", json!({})).await;
        for _ in 0..2 {
            window.devtools("HeapProfiler.collectGarbage", json!({})).await;
        }
        let [heap, nodes, listeners] = window.counted(["JSHeapUsedSize", "Nodes", "JSEventListeners"]).await;
        Self { heap, nodes, listeners }
    }
}

async fn play(window: &Window, hands: u64) {
    for _ in 0..hands / 10 {
        window.ask("hands.play(10); return 0").await;
    }
}
