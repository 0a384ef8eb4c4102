//! Nobody clicks what was not meant: what stands where a moment ago something else stood is not heard at once.

use crate::{
    made_up::{resize, table},
    window::Window,
};

/// What the page has asked of the house, and clears it.
const DONE: &str = "return fakeHouse.done.splice(0).map((it) => it.kind ?? it.a).join(' ')";

/// Clicks the middle of an element as a finger does.
async fn tap(window: &Window, css: &str) {
    let script = format!(
        "const it = document.querySelector('{css}');
         it.dispatchEvent(new MouseEvent('click', {{ bubbles: true, cancelable: true, detail: 1 }})); return fakeHouse.done.length"
    );
    window.ask(&script).await;
}

async fn done(window: &Window) -> String {
    window.ask(DONE).await.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taps_that_come_with_a_new_bar_do_nothing() {
    let (window, _house) = table().await;
    // The clock of the page is ours, so that a busy machine does not decide.
    window.ask("window.at = performance.now(); performance.now = () => window.at; return 0").await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); window.at += 1000; return 0").await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 6 })); return 0").await;
    tap(&window, "[data-testid=action-call]").await;
    window.ask("window.at += 290; return 0").await;
    tap(&window, "[data-testid=action-call]").await;
    assert_eq!(done(&window).await, "", "the bar is new");
    window.ask("window.at += 20; return 0").await;
    tap(&window, "[data-testid=action-call]").await;
    assert_eq!(done(&window).await, "call");

    // The turn is over, and what one can do about the seat is back.
    window.ask("fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); return 0").await;
    tap(&window, "[data-testid=sit-out]").await;
    assert_eq!(done(&window).await, "", "the buttons are new");
    window.ask("window.at += 310; return 0").await;
    tap(&window, "[data-testid=sit-out]").await;
    assert_eq!(done(&window).await, "sit_out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actions_stand_where_no_other_button_stands_and_the_panel_does_not_cover_them() {
    let (window, _house) = table().await;
    for (width, height) in
        [(320, 568), (390, 844), (568, 320), (844, 390), (720, 450), (768, 1024), (1024, 768), (1440, 900)]
    {
        resize(&window, width, height).await;
        let script = r"
            const boxes = (css) => [...document.querySelectorAll(css)].filter((it) => it.checkVisibility({ visibilityProperty: true }))
                .map((it) => [it.textContent, it.getBoundingClientRect()]);
            const meet = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
            fakeHouse.show(scenes.betting({ seats: 6, turn: 1 }));
            const before = boxes('.table-foot button');
            fakeHouse.show(scenes.betting({ seats: 6 }));
            const actions = boxes('.action');
            document.querySelector('.table-page').classList.add('panel-open');
            const panel = getComputedStyle(document.querySelector('.side')).position === 'absolute' ? boxes('.side') : [];
            document.querySelector('.table-page').classList.remove('panel-open');
            const wrong = actions.length === 3 && before.length >= 3 ? [] : ['there is nothing to judge'];
            for (const [action, box] of actions) {
                for (const [other, place] of before) if (meet(box, place)) wrong.push(`${action} stands where ${other} stood`);
                for (const [, place] of panel) if (meet(box, place)) wrong.push(`the panel covers ${action}`);
            }
            return wrong.join(', ');
        ";
        assert_eq!(window.ask(script).await, "", "at {width} by {height}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fold_that_costs_nothing_asks_once_more_unless_the_player_wants_otherwise() {
    let (window, _house) = table().await;
    let free = r"
        const scene = scenes.betting({ seats: 6 });
        Object.assign(scene.events.at(-1), { call: null });
        fakeHouse.show(scene); return 0";
    let fold = "document.querySelector('[data-testid=action-fold]').click(); return 0";
    window.ask(free).await;
    window.ask(fold).await;
    window.until("it asks", async || window.sees("fold-ok").await).await;
    assert_eq!(done(&window).await, "");
    window.press("fold-ok").await;
    window.until("it folds", async || window.ask("return fakeHouse.done.length").await == 1).await;
    assert_eq!(done(&window).await, "fold");

    window.press("settings-open").await;
    window.until("the settings are there", async || window.sees("settings").await).await;
    window.ask("document.querySelector('[name=askFold]').click(); return 0").await;
    window.press("settings-ok").await;
    window.ask(free).await;
    window.ask(fold).await;
    window.until("it folds", async || window.ask("return fakeHouse.done.length").await == 1).await;
    assert_eq!(done(&window).await, "fold");
}
