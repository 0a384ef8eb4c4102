//! A table that is full: whoever comes waits, is called wherever the page is, and sits down.

use crate::{open, window::Window, without_bots};

/// A table of two, at which Ann and Bob sit.
async fn full(windows: [&Window; 2]) -> (String, tokio_util::task::AbortOnDropHandle<()>) {
    let mut config = without_bots();
    config.tables.seats = 2;
    let (url, _, house) = open(config).await;
    for (seat, (window, name)) in (0..).zip(windows.into_iter().zip(["Ann", "Bob"])) {
        window.enter(&url, name).await;
        window.go_to_the_table().await;
        window.sit(seat).await;
    }
    (url, house)
}

async fn comes(window: &Window, url: &str, name: &str) {
    window.enter(url, name).await;
    window.go_to_the_table().await;
}

async fn line(window: &Window) -> String {
    window.text("[data-testid=waiting-bar] .waiting-text").await
}

/// Gives up the hand that may be on, and the seat.
async fn leaves(window: &Window) {
    window.press("leave").await;
    window
        .until("the seat is given up", async || {
            window.click("leave-ok").await;
            !window.sees("leave").await
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_to_a_full_table_waits_in_line_is_called_on_another_page_and_sits_down() {
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    let (cyd, dan) = tokio::join!(Window::open(390, 844), Window::open(1440, 900));
    let (url, _house) = full([&ann, &bob]).await;

    comes(&cyd, &url, "Cyd").await;
    cyd.press("wait").await;
    cyd.until("she is the first", async || line(&cyd).await == "You are 1st in line").await;
    comes(&dan, &url, "Dan").await;
    dan.until("he sees that somebody waits", async || line(&dan).await == "1 player on the waiting list")
        .await;
    crate::accounts::picture(&dan, "waiting-offered").await;
    dan.press("wait").await;
    dan.until("he is the second", async || line(&dan).await == "You are 2nd of 2 in line").await;
    cyd.until("she sees him", async || line(&cyd).await == "You are 1st of 2 in line").await;
    crate::accounts::picture(&cyd, "waiting-first").await;
    crate::accounts::picture(&dan, "waiting-second").await;

    // The lobby tells of them, and holds her place.
    cyd.ask("location.hash = '#/'; return 0").await;
    cyd.until("the bar has her place", async || {
        cyd.text("[data-testid=my-table]").await.contains("1st in line")
    })
    .await;
    cyd.until("the row tells of the line", async || {
        cyd.text("[data-testid=lobby-row]").await.contains("2 in line")
    })
    .await;
    crate::accounts::picture(&cyd, "waiting-lobby").await;

    leaves(&ann).await;
    cyd.until("she is called there", async || {
        cyd.text("[data-testid=my-table]").await.contains("Your seat")
            && cyd.ask("return document.title").await.as_str().unwrap_or_default().starts_with("Your seat")
    })
    .await;
    crate::accounts::picture(&cyd, "waiting-called-lobby").await;
    dan.until("he is the first now", async || line(&dan).await == "You are 1st in line").await;
    assert!(
        !dan.sees("sit-0").await
            || dan.ask("return document.querySelector('[data-testid=sit-0]').disabled").await == true
    );
    cyd.press("my-table").await;
    cyd.until("the seat is kept for her", async || line(&cyd).await == "Seat 1 is kept for you").await;
    assert!(cyd.text("[data-testid=call-left]").await.ends_with(" s"));
    crate::accounts::picture(&cyd, "waiting-called").await;
    cyd.press("call-sit").await;
    cyd.see("buy-in").await;
    cyd.press("sit-ok").await;
    cyd.until("she sits", async || {
        cyd.ask("return document.querySelector('[data-testid=seat-0].mine') !== null").await == true
    })
    .await;
    assert!(!cyd.sees("waiting-bar").await);

    // The next one lets it pass, and the seat is anybody's.
    leaves(&bob).await;
    dan.until("he is called", async || line(&dan).await == "Seat 2 is kept for you").await;
    crate::accounts::picture(&dan, "waiting-called-desk").await;
    dan.press("stop-waiting").await;
    dan.until("nobody waits", async || !dan.sees("waiting-bar").await).await;
    dan.sit(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_keeps_the_place_when_the_page_is_loaded_anew() {
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    let cyd = Window::open(1440, 900).await;
    let (url, _house) = full([&ann, &bob]).await;
    comes(&cyd, &url, "Cyd").await;
    cyd.press("wait").await;
    cyd.until("she is the first", async || line(&cyd).await == "You are 1st in line").await;
    cyd.reload().await;
    cyd.until("she still is", async || line(&cyd).await == "You are 1st in line").await;
    cyd.ask("location.hash = '#/'; return 0").await;
    cyd.reload().await;
    cyd.until("in the lobby, too", async || cyd.text("[data-testid=my-table]").await.contains("1st in line"))
        .await;
    leaves(&ann).await;
    cyd.until("and is called", async || cyd.text("[data-testid=my-table]").await.contains("Your seat")).await;
}
