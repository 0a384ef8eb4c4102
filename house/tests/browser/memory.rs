//! What a page knows of before: in a browser that keeps nothing, after a restart of the house, and when somebody has meddled with it.

use serde_json::json;

use crate::{address, both_sit, end, forwarder::Forwarder, house_with_a_table, play_on, window::Window};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_blocks_all_cookies_plays_without_memory() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    let blocked =
        "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, {
        get() { throw new DOMException('Access is denied for this document.', 'SecurityError'); } });";
    ann.before_each_page(blocked).await;
    both_sit(&ann, &bob, &url).await;
    play_on(&ann, &bob).await;
    assert_eq!(ann.hand().await, bob.hand().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_stands_in_storage_locks_anybody_out() {
    let (url, _house) = house_with_a_table().await;
    let ann = Window::open(1440, 900).await;
    for stored in ["{}", "[]", "null", "7", "{", r#"{"token":"x","user":"y","name":"z","expires_ms":9e15}"#] {
        let meddle = "for (const storage of [localStorage, sessionStorage]) \
                      for (const key of ['guest', 'name', 'settings', 'seats']) storage.setItem(`cardhouse.${key}`, stored);";
        ann.go(&url).await;
        ann.ask(&format!("const stored = {}; {meddle}", json!(stored))).await;
        ann.go(&url).await;
        ann.until("one can come in", async || {
            // It asks for a name, and takes one; or it has one.
            ann.click("name-ok").await;
            ann.sees("lobby-row").await && ann.connection().await.as_deref() == Some("online")
        })
        .await;
        ann.ask("sessionStorage.clear(); localStorage.clear()").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_was_started_anew_says_what_is_gone_and_the_old_log_goes_with_it() {
    let (first, house) = house_with_a_table().await;
    let door = Forwarder::to(address(&first)).await;
    let url = format!("http://{}/", door.address());
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    let (bought, _) = both_sit(&ann, &bob, &url).await;
    play_on(&ann, &bob).await;
    let log = "[data-testid=log]";
    assert!(ann.text(log).await.contains("Hand 1"));

    let (second, _house) = house_with_a_table().await;
    door.turn_to(address(&second));
    end(house, &first).await;
    let says = "The house has been started anew";
    ann.until("it says so", async || ann.text("[data-testid=gone]").await.contains(says)).await;
    let told = ann.text("[data-testid=gone]").await;
    assert!(told.contains("Your seat at") && told.contains("is gone") && bought > 0, "{told}");
    assert_eq!(ann.text(log).await, "", "nothing of the old house is left");
    ann.press("gone-ok").await;
    ann.until("the new table is there", async || ann.sees("sit-0").await && ann.sees("sit-3").await).await;
    ann.sit(3).await;
}
