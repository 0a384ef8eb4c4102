//! What the table page costs: that hands leave nothing behind, and, for `docs/performance.md`, how it keeps up on a slow machine.

use serde_json::{Value, json};

use crate::{
    made_up::{resize, table},
    window::Window,
};

/// The log and the chat have all their lines by then, and nothing else grows.
const HANDS_BEFORE: u32 = 100;
const HANDS: u32 = 400;
/// What code that has been run often takes for itself.
const HEAP_SLACK_BYTES: f64 = 1_500_000.0;
/// Lines of the log that happen to be there.
const NODES_SLACK: f64 = 600.0;

/// For so long the page is watched, with news so often: faster than any table.
const WATCHED_MS: u32 = 10_000;
const NEWS_EVERY_MS: u32 = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_hands_leave_nothing_behind() {
    let (window, _house) = table().await;
    window.ask(include_str!("../../../web/tests/browser/hands.js")).await;
    window.ask("hands.begin(); return 0").await;
    play(&window, HANDS_BEFORE).await;
    let before = Cost::of(&window).await;
    play(&window, HANDS).await;
    let after = Cost::of(&window).await;
    println!("after {HANDS_BEFORE} hands {before:?}, after {} {after:?}", HANDS_BEFORE + HANDS);
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
    for (width, height) in [(390, 844), (1440, 900)] {
        for rate in [1, 4] {
            let (window, _house) = table().await;
            resize(&window, width, height).await;
            window.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
            window.ask(include_str!("../../../web/tests/browser/hands.js")).await;
            window.ask("hands.begin(); return 0").await;
            window.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": rate })).await;
            let pace =
                format!("hands.pace({WATCHED_MS}, {NEWS_EVERY_MS}).then(arguments[arguments.length - 1])");
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
        let told = window.devtools("Performance.getMetrics", json!({})).await;
        let of = |name: &str| -> f64 {
            let metrics = told["metrics"].as_array().unwrap();
            metrics
                .iter()
                .find(|metric| metric["name"] == name)
                .map_or(&Value::Null, |it| &it["value"])
                .as_f64()
                .unwrap()
        };
        Self { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") }
    }
}

async fn play(window: &Window, hands: u32) {
    for _ in 0..hands / 10 {
        window.ask("hands.play(10); return 0").await;
    }
}
