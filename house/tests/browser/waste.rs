//! What a piece of news costs the table page, counted: nothing here depends on how fast the machine is.

use serde_json::json;

use crate::{made_up::table, window::Window};

const HANDS: u32 = 10;

/// In a hand: where the pot lies is asked when chips fly there and from there, and how much room the result takes when it is told.
const ASKED_A_HAND: f64 = 4.0;
/// What is drawn before and behind it all, however long the machine takes between two questions.
const DRAWN: f64 = 40.0;

/// Ends what moves: it would be drawn for as long as it lasts.
const STILL: &str = "for (const it of document.getAnimations()) it.finish()";

/// A table that moves as for most people, with a full log.
async fn in_motion() -> (Window, impl Sized) {
    let (window, house) = table().await;
    window.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
    for script in [
        include_str!("../../../web/tests/browser/hands.js"),
        include_str!("../../../web/tests/browser/waste.js"),
    ] {
        window.ask(script).await;
    }
    window.ask("hands.begin(); hands.play(30); return 0").await;
    (window, house)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_ask_for_no_layout_between_two_changes_of_the_page() {
    let (window, _house) = in_motion().await;
    let play = format!("const news = hands.each({HANDS}); {STILL}; return news");
    let (news, layouts, styles) = laid_out(&window, &play).await;
    let may = ASKED_A_HAND * f64::from(HANDS) + DRAWN;
    assert!(layouts <= may && styles <= may, "{layouts} layouts, {styles} styles of {news} pieces of news");

    // Somebody who asks for the felt's width behind each would be seen.
    let ask = "() => document.querySelector('.felt').clientWidth";
    let play = format!("const news = hands.each({HANDS}, {ask}); {STILL}; return news");
    let (news, layouts, styles) = laid_out(&window, &play).await;
    assert!(layouts > may && styles > may, "{layouts} layouts, {styles} styles of {news} pieces of news");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_touch_what_they_change_and_nothing_else() {
    let (window, _house) = in_motion().await;
    assert_eq!(window.ask(&format!("return waste({HANDS})")).await, json!([]));

    let plants = [
        ("const it = document.querySelector('.table-name'); it.title = it.title", "is set to what it was"),
        (
            "const it = document.querySelector('.seat-badge'), was = it.textContent; it.textContent = ''; it.textContent = was",
            "text of span.seat-badge",
        ),
        (
            "document.querySelector('[data-testid=seat-5] .seat-stack').title += '.'; document.querySelector('[data-testid=seat-4] .seat-stack').title += '.'",
            "of another seat",
        ),
    ];
    for (plant, seen) in plants {
        let script = format!(
            "const {{ happen }} = fakeHouse;
             fakeHouse.happen = (events) => {{ happen(events); {plant}; }};
             try {{ return waste(1); }} finally {{ fakeHouse.happen = happen; }}"
        );
        let told = window.ask(&script).await.to_string();
        assert!(told.contains(seen), "{plant}: {told}");
    }
}

/// What a script answers, and how many layouts and recalculations of styles there were meanwhile.
async fn laid_out(window: &Window, script: &str) -> (f64, f64, f64) {
    window.devtools("Performance.enable", json!({})).await;
    let counted = ["LayoutCount", "RecalcStyleCount"];
    window.ask(&format!("{STILL}; return 0")).await;
    let before = window.counted(counted).await;
    let news = window.ask(script).await.as_f64().unwrap();
    let [layouts, styles] = window.counted(counted).await;
    (news, layouts - before[0], styles - before[1])
}
