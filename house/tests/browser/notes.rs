//! What a player writes down about others, and a page that can be installed.

use serde_json::json;

use crate::made_up::{reload, table};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_on_a_player_is_kept_and_seen_at_the_seat_and_is_nobody_elses() {
    let (window, _house) = table().await;
    let deal = "fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); return 0";
    window.ask(deal).await;
    assert!(!window.sees("note-0").await, "none on oneself");
    window.ask("document.querySelector('[data-testid=note-2]').click(); return 0").await;
    window.until("it is asked for", async || window.sees("note-text").await).await;
    let write = "document.querySelector('[data-testid=note-text]').value = 'calls too much <b>';
        document.querySelector('[name=colour][value=red]').click(); return 0";
    window.ask(write).await;
    window.press("note-ok").await;
    let seen = "return [...document.querySelectorAll('.seat-tag:not([hidden])')].map((it) =>
        [it.closest('.seat').dataset.testid, it.dataset.colour, it.parentElement.querySelector('.seat-note').title])";
    let tags = json!([["seat-2", "red", "calls too much <b>"]]);
    window.until("it is seen", async || window.ask(seen).await == tags).await;
    assert!(!window.sees("note-text").await);
    reload(&window).await;
    window.ask(deal).await;
    assert_eq!(window.ask(seen).await, tags, "this browser keeps it");
}

/// The lines of the chat that are to be read.
const READ: &str =
    "return [...document.querySelectorAll('.chat-lines p:not([hidden]) > bdi')].map((it) => it.textContent)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_to_be_read_is_not_read_before_or_after_and_the_browser_remembers() {
    let (window, _house) = table().await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); return 0").await;
    let talk =
        "fakeHouse.happen([{ e: 'chat', user: 'u1', name: 'Wilhelmina', bot: false, text: 'shouting' },
        { e: 'chat', user: 'u3', name: 'Aleksandra', bot: false, text: 'hi' }]); return 0";
    window.ask(talk).await;
    assert_eq!(window.ask(READ).await, json!(["shouting", "hi"]));
    window.ask("document.querySelector('.chat-who').click(); return 0").await;
    window.until("it is asked", async || window.sees("note-mute").await).await;
    window.press("note-mute").await;
    window.press("note-ok").await;
    window.until("not any more", async || window.ask(READ).await == json!(["hi"])).await;
    window.ask(talk).await;
    assert_eq!(window.ask(READ).await, json!(["hi", "hi"]));
    reload(&window).await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); return 0").await;
    window.ask(talk).await;
    assert_eq!(window.ask(READ).await, json!(["hi"]));
    window.ask("document.querySelector('[data-testid=note-1]').click(); return 0").await;
    window.until("it is asked", async || window.sees("note-mute").await).await;
    window.press("note-mute").await;
    window.press("note-ok").await;
    window.until("they are read again", async || window.ask(READ).await == json!(["shouting", "hi"])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phrase_is_sent_at_one_touch_and_read_in_ones_own_language_and_an_emote_stands_at_the_seat() {
    let (window, _house) = table().await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); window.at = performance.now() + 1000; performance.now = () => window.at; return 0").await;
    window.ask("document.querySelector('[data-testid=quick-open]').click(); document.querySelector('[data-testid=quick] .chip-button').click(); return 0").await;
    assert_eq!(window.ask("return fakeHouse.done.pop()").await, json!({ "a": "chat", "text": "Hello!" }));
    assert!(!window.sees("quick").await, "once");
    let said = "const say = (text) => ({ e: 'chat', user: 'u1', name: 'Wilhelmina', bot: false, text });
        fakeHouse.happen([say('안녕하세요!'), say('👏')]);
        return document.querySelector('[data-testid=seat-1] .seat-initial').textContent";
    assert_eq!(window.ask(said).await, "👏");
    assert_eq!(window.ask(READ).await, json!(["Hello!", "👏"]), "what was said in Korean");
    let off = "localStorage['cardhouse.settings'] = '{\"emotes\":false}'; dispatchEvent(new StorageEvent('storage'));
        fakeHouse.happen([{ e: 'chat', user: 'u3', name: 'Aleksandra', bot: false, text: '👏' }]);
        return document.querySelector('[data-testid=seat-3] .seat-initial').textContent";
    assert_eq!(window.ask(off).await, "A", "for those who want none it is a line of the chat alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_can_be_installed() {
    let (window, _house) = table().await;
    let manifest = window.devtools("Page.getAppManifest", json!({})).await;
    assert_eq!((&manifest["errors"], &manifest["manifest"]["name"]), (&json!([]), &json!("Cardhouse")));
    window
        .until("nothing is wanting", async || {
            let errors = window.devtools("Page.getInstallabilityErrors", json!({})).await;
            errors["installabilityErrors"] == json!([])
        })
        .await;
}
