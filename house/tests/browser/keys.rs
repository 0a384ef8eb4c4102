//! A table is played by keys, whatever they write.

use serde_json::json;

use crate::{made_up::table, window::Window};

/// What the page has asked of the house, and clears it.
const DONE: &str = "return fakeHouse.done.splice(0).map((it) => it.kind ?? it.a).join(' ')";

/// Presses a key as the machine would: what it writes, its place, and the number that an input method puts in front of itself.
async fn press(window: &Window, key: &str, code: &str, number: u32) {
    for kind in ["rawKeyDown", "keyUp"] {
        let event = json!({ "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number });
        window.devtools("Input.dispatchKeyEvent", event).await;
    }
}

/// Shows a new turn, and answers what was done in the last one.
async fn next_turn(window: &Window) -> String {
    let done = window.ask(DONE).await.as_str().unwrap().to_owned();
    window.ask("fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); fakeHouse.show(scenes.betting({ seats: 6 })); return 0").await;
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_play_with_hangul_input_on_too_and_can_be_changed() {
    let (window, _house) = table().await;
    next_turn(&window).await;
    press(&window, "f", "KeyF", 70).await;
    assert_eq!(next_turn(&window).await, "fold");
    press(&window, "Process", "KeyC", 229).await;
    assert_eq!(next_turn(&window).await, "call");
    press(&window, "ㄹ", "KeyF", 70).await;
    assert_eq!(next_turn(&window).await, "fold");

    press(&window, "?", "Slash", 191).await;
    window.until("the keys are listed", async || window.sees("keys").await).await;
    window.press("key-fold").await;
    press(&window, "c", "KeyC", 67).await;
    assert!(window.text("[data-testid=keys-said]").await.contains('C'), "it is taken");
    press(&window, "ㅌ", "KeyX", 88).await;
    window.press("keys-ok").await;
    press(&window, "f", "KeyF", 70).await;
    assert_eq!(next_turn(&window).await, "", "the key was given up");
    press(&window, "x", "KeyX", 88).await;
    assert_eq!(next_turn(&window).await, "fold");
    let shown = window.text("[data-testid=action-fold] kbd").await;
    assert_eq!(shown, "X", "it stands on the button");

    press(&window, "?", "Slash", 191).await;
    window.until("the keys are listed", async || window.sees("keys").await).await;
    window.press("keys-reset").await;
    window.press("keys-ok").await;
    press(&window, "f", "KeyF", 70).await;
    assert_eq!(next_turn(&window).await, "fold");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_held_down_acts_in_one_turn_alone() {
    let (window, _house) = table().await;
    next_turn(&window).await;
    for repeats in [false, true] {
        let held = json!({ "type": "rawKeyDown", "key": "c", "code": "KeyC", "windowsVirtualKeyCode": 67, "autoRepeat": repeats });
        window.devtools("Input.dispatchKeyEvent", held).await;
        let done = next_turn(&window).await;
        assert_eq!(done, if repeats { "" } else { "call" });
    }
}
