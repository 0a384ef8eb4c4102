//! Somebody who wants to play at once: a seat where others play, a queue that opens a table where all is full, a place in line in a house without one,
//! and a table of one's own where nothing is open.

use crate::{open, window::Window, without_bots};

/// Presses it, and brings what is proposed; answers the room to which that leads.
async fn plays_now(window: &Window, is_asked: bool) -> String {
    if is_asked {
        looks_for_others(window).await;
        window.press("sit-ok").await;
    } else {
        window.press("play-now").await;
    }
    window.see("table").await;
    window
        .ask("return document.querySelector('[data-testid=table]').dataset.room")
        .await
        .as_str()
        .unwrap()
        .to_owned()
}

async fn sits(window: &Window) -> bool {
    window.ask("return document.querySelector('.seat.mine, [data-testid^=seat-].mine') !== null").await
        == true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_wants_to_play_now_sits_with_others_and_waits_where_all_seats_are_taken() {
    let mut config = without_bots();
    config.floor.play_now = false;
    (config.tables.seats, config.tables.tables) = (2, 2);
    let (url, _, _house) = open(config).await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    let (cyd, dan) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    let eve = Window::open(390, 844).await;
    let mut rooms = Vec::new();
    for (window, name) in [(&ann, "Ann"), (&bob, "Bob"), (&cyd, "Cyd"), (&dan, "Dan")] {
        window.enter(&url, name).await;
        let room = plays_now(window, true).await;
        window.until("the seat is there", async || sits(window).await).await;
        // What the house tells of its tables may be a second old: whoever comes then finds the table with somebody at it.
        eve.go(&url).await;
        let taken = rooms.len() % 2 + 1;
        eve.until("the lobby tells of it", async || {
            eve.sees("name-input").await
                || eve.text(&format!("[data-room={room}] .row-players")).await == format!("{taken}/2")
        })
        .await;
        if eve.sees("name-input").await {
            eve.give_name("Eve").await;
        }
        rooms.push(room);
    }
    assert_eq!((&rooms[0], &rooms[2]), (&rooms[1], &rooms[3]), "each finds somebody to play with");
    assert_ne!(rooms[0], rooms[2], "where there is a seat");

    eve.until("all is full", async || {
        eve.ask("return document.querySelectorAll('.lobby-table .full').length").await == 2
    })
    .await;
    plays_now(&eve, false).await;
    eve.until("she waits", async || eve.text(".waiting-text").await == "You are 1st in line").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_of_that_kind_is_open_a_table_is_offered() {
    let (url, _house) = crate::house_with_a_table().await;
    let ann = Window::open(1440, 900).await;
    ann.enter(&url, "Ann").await;
    ann.until("tables of players are offered", async || ann.sees("open-own").await).await;
    let omaha = "const it = document.querySelector('.lobby-filters select'); it.value = 'PL Omaha'; it.dispatchEvent(new Event('change')); return it.value";
    assert_eq!(ann.ask(omaha).await, "PL Omaha");
    ann.press("play-now").await;
    ann.until("it asks what is played", async || ann.sees("open-table").await).await;
}

/// Presses it until what is offered is not a table of one's own: a house that has just opened tells of its tables and its queue a second or two later.
async fn looks_for_others(window: &Window) {
    let own = "[data-testid=open-table]";
    window
        .until("there are others", async || {
            window.press("play-now").await;
            let offered = async || window.sees("buy-in").await || window.sees("open-table").await;
            window.until("something is offered", offered).await;
            let is_own = window.sees("open-table").await;
            if is_own {
                window.ask(&format!("document.querySelector('{own} .dialog-buttons button').click()")).await;
            }
            !is_own
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_find_no_seat_are_brought_together_at_a_table_that_is_opened_for_them() {
    let mut config = without_bots();
    config.tables.tables = 0;
    let (url, _, _house) = open(config).await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    for (window, name) in [(&ann, "Ann"), (&bob, "Bob")] {
        window.go(&url).await;
        window.give_name(name).await;
        looks_for_others(window).await;
        window.press("sit-ok").await;
        if name == "Ann" {
            let looks = async || ann.text("[data-testid=queue-bar]").await.contains("somebody to play with");
            ann.until("she is told that she waits for somebody", looks).await;
        }
    }
    for window in [&ann, &bob] {
        window.see("table").await;
        window.until("the seat is there", async || sits(window).await).await;
        assert!(!window.sees("queue-bar").await, "nobody looks for a seat any more");
    }
}
