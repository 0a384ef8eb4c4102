//! What a player writes down about others, and a page that can be installed.

use serde_json::json;

use crate::made_up::table;

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
    assert!(window.click("note-ok").await);
    window.until("it is closed", async || !window.sees("note-text").await).await;
    let seen = "return [...document.querySelectorAll('.seat-tag:not([hidden])')].map((it) =>
        [it.closest('.seat').dataset.testid, it.dataset.colour, it.parentElement.querySelector('.seat-note').title])";
    let tags = json!([["seat-2", "red", "calls too much <b>"]]);
    assert_eq!(window.ask(seen).await, tags);
    window.reload().await;
    window.until("the table is there", async || window.sees("table").await).await;
    window.until("it is online", async || window.connection().await.as_deref() == Some("online")).await;
    window.ask(deal).await;
    assert_eq!(window.ask(seen).await, tags, "this browser keeps it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_can_be_installed() {
    let (window, _house) = table().await;
    let manifest = window.devtools("Page.getAppManifest", json!({})).await;
    assert_eq!((&manifest["errors"], &manifest["manifest"]["name"]), (&json!([]), &json!("Cardhouse")));
    let errors = window.devtools("Page.getInstallabilityErrors", json!({})).await;
    assert_eq!(errors["installabilityErrors"], json!([]));
}
