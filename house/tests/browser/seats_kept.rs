//! A seat is the player's, whatever page of the browser is shown, and in whichever window.

use crate::{both_sit, house_with_a_table, house_with_tables, window::Window};

const BAR: &str = "[data-testid=your-tables]:not([hidden])";

/// Whether leaving the page would ask.
const ASKS: &str = "const leaves = new Event('beforeunload', { cancelable: true }); dispatchEvent(leaves); return leaves.defaultPrevented";

/// Plays until it is the turn of the first.
async fn until_turn_of(ann: &Window, bob: &Window) {
    ann.until("it is the turn", async || {
        if bob.has_turn().await {
            bob.act(&["check", "call"]).await;
        }
        ann.has_turn().await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seat_is_kept_and_its_turn_told_in_the_lobby_and_over_a_reload() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    both_sit(&ann, &bob, &url).await;
    until_turn_of(&ann, &bob).await;
    assert_eq!(ann.ask(ASKS).await, true, "who sits is asked before the page goes");
    assert_eq!(ann.text(BAR).await, "", "no bar for the table that is shown");

    ann.ask("document.querySelector('[data-testid=table]').marked = true; location.hash = '#/'").await;
    ann.until("the lobby tells the turn", async || ann.text(BAR).await.contains("Your turn")).await;
    let title = ann.ask("return document.title").await;
    assert!(title.as_str().unwrap().starts_with("Your turn"), "{title}");
    let icon = ann.ask("return document.querySelector('link[rel=icon]').href").await;
    assert!(icon.as_str().unwrap().contains("circle"), "the icon calls too: {icon}");

    ann.reload().await;
    ann.until("it tells it again", async || ann.text(BAR).await.contains("Your turn")).await;
    assert_eq!(ann.ask(ASKS).await, true);
    ann.press("my-table").await;
    ann.until("it is still the turn", async || ann.act(&["check", "call"]).await).await;
    ann.until("the other goes on", async || {
        bob.has_turn().await || !bob.text("[data-testid=result]").await.is_empty()
    })
    .await;

    ann.until("the seat is left", async || ann.click("leave").await || ann.click("leave-ok").await).await;
    ann.until("it is left", async || {
        // Clicks right after the buttons have changed do nothing; so it may take another one.
        let _ = ann.click("leave-ok").await || ann.click("leave").await;
        bob.act(&["check", "call"]).await;
        ann.act(&["check", "call"]).await;
        ann.sees("sit-0").await
    })
    .await;
    assert_eq!(ann.ask(ASKS).await, false, "who does not sit may go");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sits_at_two_tables_plays_both_over_one_connection() {
    let (url, _house) = house_with_tables(2).await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    let count = "const Real = WebSocket; window.sockets = 0; \
                 window.WebSocket = class extends Real { constructor(...args) { super(...args); sockets += 1; } };";
    ann.before_each_page(count).await;
    tokio::join!(ann.enter(&url, "Ann"), bob.enter(&url, "Bob"));
    for table in ["t1", "t2"] {
        for (window, seat) in [(&ann, 0), (&bob, 3)] {
            window.ask(&format!("location.hash = '#/table/{table}'")).await;
            let shown = format!("[data-testid=table][data-room={table}] [data-testid=sit-{seat}]");
            window.until("the table is there", async || !window.text(&shown).await.is_empty()).await;
            window.sit(seat).await;
        }
    }
    ann.until("both are told", async || {
        ann.ask(&format!("return document.querySelectorAll('{BAR} [data-testid=my-table]').length")).await
            == 2
    })
    .await;
    for table in ["t1", "t2"] {
        for window in [&ann, &bob] {
            window.ask(&format!("location.hash = '#/table/{table}'")).await;
            let shown = format!("[data-testid=table][data-room={table}]:not(.loading)");
            window.until("it is shown", async || !window.text(&shown).await.is_empty()).await;
        }
        until_turn_of(&ann, &bob).await;
        assert!(ann.act(&["check", "call"]).await, "she plays at {table}");
    }
    assert_eq!(ann.ask("return sockets").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_tab_is_the_same_person_and_plays_the_seat_or_somebody_else_who_wants_to() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    both_sit(&ann, &bob, &url).await;
    until_turn_of(&ann, &bob).await;

    ann.open_tab().await;
    ann.go(&url).await;
    ann.until("she is known", async || ann.text("[data-testid=me]").await == "Ann").await;
    ann.until("her table is told", async || ann.text(BAR).await.contains("other window")).await;
    ann.press("my-table").await;
    ann.until("it is her seat here too", async || ann.act(&["check", "call"]).await).await;
    ann.turn_to_tab(0).await;
    let notice = ".table-notice:not([hidden])";
    ann.until("the first tab knows", async || ann.text(notice).await.contains("another session")).await;

    ann.turn_to_tab(1).await;
    ann.press("me").await;
    ann.press("who-other").await;
    ann.give_name("Zoe").await;
    ann.until("she is", async || ann.text("[data-testid=me]").await == "Zoe").await;
    ann.until("the seat is Ann's", async || ann.text("[data-testid=seat-0]").await.contains("Ann")).await;
    assert_eq!(ann.ask("return document.querySelector('[data-testid=seat-0].mine') === null").await, true);
    ann.turn_to_tab(0).await;
    ann.reload().await;
    ann.until("the first tab is Ann's", async || ann.text("[data-testid=me]").await == "Ann").await;
}
