//! A finger on the felt folds, checks, and turns to another table, and does none of it by a slip.

use serde_json::json;

use crate::{
    made_up::{resize, table},
    window::Window,
};

/// A new turn, which costs something or not, and long enough that its buttons may be meant.
const COSTS: &str = "fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); fakeHouse.show(scenes.betting({ seats: 6 })); window.at += 1000; return 0";
const IS_FREE: &str = "fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); const scene = scenes.betting({ seats: 6 }); scene.events.at(-1).call = null;
    fakeHouse.show(scene); window.at += 1000; return 0";

/// The middle of an element.
const MIDDLE: &str = "const { left, top, width, height } = document.querySelector(CSS).getBoundingClientRect(); return [left + width / 2, top + height / 2]";

const DONE: &str = "return fakeHouse.done.splice(0).map((it) => it.kind ?? it.a).join(' ')";

async fn middle(window: &Window, css: &str) -> (f64, f64) {
    let place = window.ask(&MIDDLE.replace("CSS", &format!("'{css}'"))).await;
    (place[0].as_f64().unwrap(), place[1].as_f64().unwrap())
}

async fn touch(window: &Window, kind: &str, at: Option<(f64, f64)>) {
    let points: Vec<_> = at.iter().map(|(x, y)| json!({ "x": x, "y": y })).collect();
    window.devtools("Input.dispatchTouchEvent", json!({ "type": kind, "touchPoints": points })).await;
}

/// Moves a finger from the middle of an element so far, and lets go.
async fn swipe(window: &Window, css: &str, (dx, dy): (f64, f64)) {
    let (x, y) = middle(window, css).await;
    touch(window, "touchStart", Some((x, y))).await;
    for step in 1..=4 {
        let part = f64::from(step) / 4.0;
        touch(window, "touchMove", Some((x + dx * part, y + dy * part))).await;
    }
    touch(window, "touchEnd", None).await;
}

async fn phone() -> (Window, tokio_util::task::AbortOnDropHandle<()>) {
    let (window, house) = table().await;
    resize(&window, 390, 844).await;
    window.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": true })).await;
    window.ask("window.at = performance.now(); performance.now = () => window.at; return 0").await;
    (window, house)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_that_are_pushed_up_are_folded_and_what_is_no_such_push_is_not() {
    let (window, _house) = phone().await;
    let cards = "[data-testid=my-cards]";
    window.ask(COSTS).await;
    for slip in [(0.0, -40.0), (120.0, -30.0), (0.0, 60.0)] {
        swipe(&window, cards, slip).await;
        assert_eq!(window.ask(DONE).await, "", "{slip:?}");
    }
    assert_eq!(
        window.ask("return document.querySelector('[data-testid=my-cards]').style.translate").await,
        "",
        "they lie where they lay"
    );
    swipe(&window, cards, (0.0, -110.0)).await;
    window.until("it is folded", async || window.ask(DONE).await == "fold").await;

    window.ask(IS_FREE).await;
    swipe(&window, cards, (0.0, -110.0)).await;
    window.until("it asks, for checking is free", async || window.sees("fold-ok").await).await;
    window.ask("document.querySelector('dialog').close(); return 0").await;
    assert_eq!(window.ask(DONE).await, "");

    window.ask("fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); window.at += 1000; return 0").await;
    swipe(&window, cards, (0.0, -110.0)).await;
    window.ask(COSTS).await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); fakeHouse.show(scenes.betting({ seats: 6 })); return 0").await;
    swipe(&window, cards, (0.0, -110.0)).await;
    assert_eq!(window.ask(DONE).await, "", "nor before my turn, nor in its first moment");
    window.ask("localStorage['cardhouse.settings'] = '{\"gestures\":false}'; dispatchEvent(new StorageEvent('storage')); return 0").await;
    window.ask(COSTS).await;
    swipe(&window, cards, (0.0, -110.0)).await;
    assert_eq!(window.ask(DONE).await, "", "nor where the player wants none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finger_that_rests_on_the_felt_checks_and_pays_nothing() {
    let (window, _house) = phone().await;
    window.ask(IS_FREE).await;
    let (x, y) = middle(&window, ".runs").await;
    touch(&window, "touchStart", Some((x, y))).await;
    window.until("it is checked", async || window.ask(DONE).await == "check").await;
    touch(&window, "touchEnd", None).await;

    window.ask(COSTS).await;
    touch(&window, "touchStart", Some((x, y))).await;
    let waited = "const answer = arguments[0]; setTimeout(() => answer(fakeHouse.done.length), 1000)";
    assert_eq!(window.ask_later(waited).await, 0, "a call is not made by resting");
    touch(&window, "touchEnd", None).await;
}
