//! Decisions taken before the turn comes, and how they fall.

use crate::{made_up::table, window::Window};

/// Somebody else is to act, I have not, and a call costs 1,250.
const WAIT: &str = "fakeHouse.show(scenes.betting({ seats: 6, turn: 1, waits: true })); return 0";

/// Whose turn it was calls, and it is mine.
const MY_TURN: &str = "fakeHouse.happen([
    { e: 'acted', seat: 1, kind: 'call', amount: 1250, to: 1250, all_in: false, timeout: false },
    { e: 'turn', ...scenes.turnOf(0) }]); return 0";

/// Whose turn it was raises, and somebody else is to act.
const RAISE: &str = "fakeHouse.happen([
    { e: 'acted', seat: 1, kind: 'raise', amount: 5000, to: 5000, all_in: false, timeout: false },
    { e: 'turn', ...scenes.turnOf(2, { turn: 8 }) }]); return 0";

/// Then it is mine, at the new price.
const MY_TURN_AFTER: &str = "fakeHouse.happen([
    { e: 'acted', seat: 2, kind: 'fold', amount: 0, to: 1250, all_in: false, timeout: false },
    { e: 'turn', ...scenes.turnOf(0, { turn: 9, call: 5000, raise: null }) }]); return 0";

/// What the page has asked of the house, and clears it.
const DONE: &str = "return fakeHouse.done.splice(0).map((it) => it.kind ?? it.a).join(' ')";

async fn decide(window: &Window, button: &str) {
    window.ask(&format!("document.querySelector('[data-testid={button}]').click(); return 0")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_was_decided_before_is_made_at_its_price_and_falls_with_another() {
    let (window, _house) = table().await;
    window.ask(WAIT).await;
    decide(&window, "advance-call").await;
    window.ask(MY_TURN).await;
    assert_eq!(window.ask(DONE).await, "call");

    window.ask(WAIT).await;
    decide(&window, "advance-call").await;
    window.ask(RAISE).await;
    window.ask(MY_TURN_AFTER).await;
    assert_eq!(window.ask(DONE).await, "", "it was meant for 1,250");
    assert!(window.sees("action-call").await, "the player decides");

    for (button, done) in [("call-any", "call"), ("check-fold", "fold")] {
        window.ask(WAIT).await;
        decide(&window, button).await;
        window.ask(RAISE).await;
        window.ask(MY_TURN_AFTER).await;
        assert_eq!(window.ask(DONE).await, done, "{button} holds whatever it costs");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tap_that_comes_with_a_raise_does_not_call_the_new_price() {
    let (window, _house) = table().await;
    window.ask("window.at = performance.now(); performance.now = () => window.at; return 0").await;
    window.ask(WAIT).await;
    window.ask("window.at += 1000; return 0").await;
    window.ask(RAISE).await;
    let tap = "document.querySelector('[data-testid=advance-call]')
        .dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, detail: 1 }));
        return document.querySelector('[data-testid=advance-call]').ariaPressed";
    assert_eq!(window.ask(tap).await, "false", "it said 1,250 a moment ago");
    window.ask("window.at += 310; return 0").await;
    assert_eq!(window.ask(tap).await, "true");
}
