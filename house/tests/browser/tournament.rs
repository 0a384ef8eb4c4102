//! A tournament as people see it: from the lobby to the prize.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::task::AbortOnDropHandle;

use crate::{open, window::Window, without_bots};

/// What an entry costs: 5.00 to the prizes and 0.50 to the house.
const PRICE: &str = r#"{"currency": "PLAY", "buy_in": 500, "fee": 50}"#;
const PURSE: &str = "[data-testid=purse] .purse-amount";

/// A house that offers this tournament; its folder has the schedule.
async fn house_with(tournament: Value, bots: u8) -> (String, AbortOnDropHandle<()>, TempDir) {
    house_of(json!({"id": "duel", "tournament": tournament}), bots, None).await
}

/// The same of a tournament whose entries cost what players own, of which everybody begins with so much.
async fn house_that_sells(tournament: Value, opening: u64) -> (String, AbortOnDropHandle<()>, TempDir) {
    let price: Value = serde_json::from_str(PRICE).unwrap();
    house_of(json!({"id": "duel", "price": price, "tournament": tournament}), 0, Some(opening)).await
}

async fn house_of(
    template: Value,
    bots: u8,
    opening: Option<u64>,
) -> (String, AbortOnDropHandle<()>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let schedule: PathBuf = folder.path().join("schedule.json");
    fs::write(&schedule, json!([template]).to_string()).unwrap();
    let mut config = without_bots();
    config.tables.schedule = Some(schedule);
    config.bots.bots = bots;
    if let Some(opening) = opening {
        config.data.folder = Some(folder.path().join("house"));
        config.chips.currencies = vec![format!("PLAY:2:{opening}:2000").parse().unwrap()];
    }
    config.bots.bot_think_min_ms = 50;
    config.bots.bot_think_more_ms = 50;
    let (url, _, house) = open(config).await;
    (url, house, folder)
}

/// Few chips and blinds that grow fast: it is over within some hands. Nobody is hurried.
fn short(seats: u8) -> Value {
    let level =
        |at: u32| json!({"play": {"small_blind": 10 << at, "big_blind": 20 << at, "ante": 0, "ms": 4_000}});
    let levels: Vec<Value> = (0..8).map(level).collect();
    json!({"name": "Duel", "seats": seats, "entries_min": seats, "entries_max": seats, "stack": 100, "levels": levels,
        "turn_ms": 300_000, "pause_ms": 300, "runout_ms": 0, "deal_in_ms": 500})
}

/// From the lobby to the tournament.
async fn go_to_the_tournament(window: &Window) {
    window.press("tab-sng").await;
    window.see("tournament-row").await;
    window.ask("document.querySelector('[data-testid=tournament-row] a').click(); return 0").await;
}

/// And into it.
async fn register(window: &Window, url: &str, name: &str) {
    window.enter(url, name).await;
    go_to_the_tournament(window).await;
    window.press("register").await;
}

async fn shows(window: &Window, css: &str, text: &str) {
    window.until(&format!("{css} says {text}"), async || window.text(css).await == text).await;
}

/// What has moved the player's account, the latest first.
async fn statement(window: &Window, lines: usize) -> Value {
    window.press("purse").await;
    let count = "return document.querySelectorAll('[data-testid=statement-line]').length";
    window.until("the lines are there", async || window.ask(count).await == lines).await;
    let told = "return [...document.querySelectorAll('[data-testid=statement-line]')].map((it) => \
                ['what', 'change', 'balance'].map((name) => it.querySelector(`.purse-${name}`).textContent).join('|'))";
    window.ask(told).await
}

/// Calls and checks whenever it may, until it is told how it has ended.
async fn play_on(window: &Window) -> String {
    window
        .until("the tournament has ended", async || {
            window.act(&["call", "check"]).await;
            window.ask("return location.hash.startsWith('#/tournament/')").await == true
                && !window.text("[data-testid=result]").await.is_empty()
        })
        .await;
    window.text("[data-testid=result]").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_register_are_seated_by_themselves_and_play_to_the_prize() {
    let (url, _house, _folder) = house_with(short(2), 0).await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    register(&ann, &url, "Ann").await;
    assert!(ann.text("[data-testid=tournament-phase]").await.contains("Open"));
    register(&bob, &url, "Bob").await;
    for window in [&ann, &bob] {
        window.see("table").await;
        window.see("contest-line").await;
        assert!(!window.sees("leave").await && !window.sees("top-up").await, "seats are given and taken");
        let wide = window.ask("return document.documentElement.scrollWidth > innerWidth").await;
        assert_eq!(wide, false, "no horizontal scroll");
    }
    let (ann_told, bob_told) = tokio::join!(play_on(&ann), play_on(&bob));
    let won = |told: &str| told.contains("You have won the tournament") && told.contains("200");
    let lost = |told: &str| told.contains("in place 2.");
    let is_right = won(&ann_told) && lost(&bob_told) || won(&bob_told) && lost(&ann_told);
    assert!(is_right, "{ann_told} / {bob_told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_registers_alone_plays_with_the_houses_bots() {
    let (url, _house, _folder) = house_with(short(3), 1).await;
    let ann = Window::open(1440, 900).await;
    register(&ann, &url, "Ann").await;
    ann.see("table").await;
    ann.see("contest-line").await;
    ann.until("a hand begins", async || ann.hand().await.is_some()).await;
    let told = play_on(&ann).await;
    assert!(told.contains("You have"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_entry_costs_is_taken_given_back_and_won() {
    let (url, _house, _folder) = house_that_sells(short(2), 1_000_000).await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    ann.enter(&url, "Ann").await;
    shows(&ann, PURSE, "10,000.00").await;
    ann.press("tab-sng").await;
    shows(&ann, "[data-testid=tournament-row] .row-game", "Buy-in 5.00 + 0.50").await;
    go_to_the_tournament(&ann).await;
    shows(&ann, "[data-testid=register]", "Register for 5.50").await;
    ann.press("register").await;
    shows(&ann, PURSE, "9,994.50").await;
    shows(&ann, "[data-testid=fact-pool]", "5.00").await;
    ann.press("unregister").await;
    shows(&ann, PURSE, "10,000.00").await;
    shows(&ann, "[data-testid=purse] small", "").await;
    ann.press("register").await;
    shows(&ann, PURSE, "9,994.50").await;

    register(&bob, &url, "Bob").await;
    for window in [&ann, &bob] {
        window.see("table").await;
        let wide = window.ask("return document.documentElement.scrollWidth > innerWidth").await;
        assert_eq!(wide, false, "no horizontal scroll");
    }
    let (ann_told, _) = tokio::join!(play_on(&ann), play_on(&bob));
    let ann_won = ann_told.contains("You have won the tournament");
    let (first, second) = if ann_won { (&ann, &bob) } else { (&bob, &ann) };
    assert!(first.text("[data-testid=result]").await.contains("Your prize: 10.00. It is paid"));
    for (window, left) in [(first, "10,004.50"), (second, "9,994.50")] {
        shows(window, PURSE, left).await;
        shows(window, "[data-testid=purse] small", "").await;
    }
    let mut lines = vec![
        "Brought to duel-1|-5.50|9,994.50",
        "Given back at duel-1|+5.50|10,000.00",
        "Brought to duel-1|-5.50|9,994.50",
        "To begin with|+10,000.00|10,000.00",
    ];
    if ann_won {
        lines.insert(0, "Paid out at duel-1|+10.00|10,004.50");
    }
    assert_eq!(statement(&ann, lines.len()).await, json!(lines));
    ann.ask("document.querySelector('[data-testid=statement-line] a').click(); return 0").await;
    ann.until("the line leads to the tournament", async || {
        ann.ask("return location.hash").await == "#/tournament/duel-1"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_too_little_for_an_entry_is_led_to_where_more_is() {
    let (url, _house, _folder) = house_that_sells(short(2), 300).await;
    let ann = Window::open(390, 844).await;
    register(&ann, &url, "Ann").await;
    ann.until("she is told", async || {
        ann.text("[data-testid=short]").await.contains("You have 3.00. An entry costs 5.50.")
    })
    .await;
    ann.press("short-to-chips").await;
    ann.press("refill").await;
    shows(&ann, PURSE, "20.00").await;
    ann.ask("history.back(); return 0").await;
    ann.press("register").await;
    shows(&ann, PURSE, "14.50").await;
    shows(&ann, "[data-testid=purse] small", "5.50 in play").await;
}
