//! The page looks as the player has set it.

use serde_json::json;

use crate::made_up::{reload, table};

/// What can be seen of it: the page, the cloth, a card's back, a club, and whether cards are dealt in motion.
const LOOK: &str = "const of = (css, property) => getComputedStyle(document.querySelector(css))[property];
    const suit = document.querySelector('.card[data-suit=c]');
    return { page: of('body', 'backgroundColor'), ink: of('body', 'color'), felt: of('.felt-cloth', 'backgroundImage').includes('rgb(31, 74, 108)'),
        back: of('.card-back', 'backgroundImage').includes('rgb(37, 69, 109)'), club: getComputedStyle(suit).color,
        moves: of('.card', 'animationName') !== 'none', seat: of('.seat-name', 'color') };";

const SHOW: &str = "fakeHouse.show(scenes.betting({ seats: 6 })); return 0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn theme_felt_backs_deck_and_motion_are_as_they_were_set_at_once_and_after_a_reload() {
    let (window, _house) = table().await;
    // The player's device does not ask for calm here.
    window.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
    window.ask(SHOW).await;
    let usual = json!({ "page": "rgb(15, 20, 18)", "ink": "rgb(240, 244, 241)", "felt": false, "back": false, "club": "rgb(28, 116, 64)", "moves": true, "seat": "rgb(240, 244, 241)" });
    assert_eq!(window.ask(LOOK).await, usual);
    window.press("settings-open").await;
    window.until("the settings are there", async || window.sees("settings").await).await;
    let set = "const choose = (name, value) => { const it = document.querySelector(`dialog [name=${name}]`); it.value = value; it.dispatchEvent(new Event('change')); };
        choose('theme', 'light'); choose('felt', 'blue'); choose('back', 'blue');
        for (const name of ['fourColours', 'lessMotion']) document.querySelector(`dialog [name=${name}]`).click(); return 0";
    window.ask(set).await;
    let other = json!({ "page": "rgb(238, 242, 239)", "ink": "rgb(22, 32, 27)", "felt": true, "back": true, "club": "rgb(22, 25, 28)", "moves": false, "seat": "rgb(240, 244, 241)" });
    assert_eq!(window.ask(LOOK).await, other, "what lies on the felt stays light on dark");
    reload(&window).await;
    window.ask(SHOW).await;
    assert_eq!(window.ask(LOOK).await, other);

    let device = json!({ "features": [{ "name": "prefers-color-scheme", "value": "light" }] });
    window.devtools("Emulation.setEmulatedMedia", device).await;
    window.ask("localStorage['cardhouse.settings'] = '{\"theme\":\"device\",\"felt\":\"pink\"}'; dispatchEvent(new StorageEvent('storage')); return 0").await;
    let page =
        "return getComputedStyle(document.body).backgroundColor + document.documentElement.dataset.felt";
    assert_eq!(
        window.ask(page).await,
        "rgb(238, 242, 239)green",
        "as the device has it; there is no such felt"
    );
    let device = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    window.devtools("Emulation.setEmulatedMedia", device).await;
    window.until("as it has it now", async || window.ask(page).await == "rgb(15, 20, 18)green").await;
}
