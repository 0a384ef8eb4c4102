//! A table whose house is made up in the page: what is drawn can be looked at in any state, at once.

use house::{Config, House};
use serde_json::json;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::window::Window;

/// A house made up inside the page, its tables, and the judges of what is drawn and said.
const MADE_UP: [&str; 4] = [
    include_str!("../../../web/tests/browser/fake-house.js"),
    include_str!("../../../web/tests/browser/scenes.js"),
    include_str!("../../../web/tests/browser/overlaps.js"),
    include_str!("../../../web/tests/browser/foreign.js"),
];

/// Takes the name that is asked for, if one is.
const ENTER: &str = "const name = document.querySelector('[data-testid=name-input]');
    if (name) { name.value = 'Morgan'; document.querySelector('[data-testid=name-ok]').click(); }";

/// A window at a table that `fakeHouse.show` fills, and the house that serves the page and nothing else.
pub(crate) async fn table() -> (Window, AbortOnDropHandle<()>) {
    table_in("en-US").await
}

/// The same in a browser that wishes for this language.
pub(crate) async fn table_in(language: &str) -> (Window, AbortOnDropHandle<()>) {
    table_with(language, None).await
}

/// The same with something more that is made up.
pub(crate) async fn table_with(language: &str, more: Option<&str>) -> (Window, AbortOnDropHandle<()>) {
    let mut config = Config::defaults();
    config.listen = ([127, 0, 0, 1], 0).into();
    config.bots.bots = 0;
    let house = House::open(config).await.unwrap();
    let url = house.url();
    let run = house.run(CancellationToken::new());
    let house = AbortOnDropHandle::new(tokio::spawn(async move { run.await.unwrap() }));

    let window = Window::open_in(language, 1440, 900).await;
    window.be_patient().await;
    // What is drawn stands still at once.
    let calm = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
    window.devtools("Emulation.setEmulatedMedia", calm).await;
    window.devtools("Page.enable", json!({})).await;
    for script in MADE_UP.into_iter().chain(more) {
        window.before_each_page(script).await;
    }
    window.go(&format!("{url}#/table/t1")).await;
    window.until("a name is asked for", async || window.sees("name-input").await).await;
    window.ask(ENTER).await;
    watches(&window).await;
    (window, house)
}

/// Loads the table page anew.
pub(crate) async fn reload(window: &Window) {
    window.reload().await;
    watches(window).await;
}

/// Waits until the page has asked for the table: what it has not asked for it does not take.
async fn watches(window: &Window) {
    window.until("the table page has come", async || window.sees("table").await).await;
    window.online().await;
}

/// Makes the page so large, whatever the window's size is, and waits until it is drawn that way.
pub(crate) async fn resize(window: &Window, width: u32, height: u32) {
    let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
    window.devtools("Emulation.setDeviceMetricsOverride", size).await;
    window.ask_later("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))").await;
}
