//! A tournament as people see it: from the lobby to the prize.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::task::AbortOnDropHandle;

use crate::{open, window::Window, without_bots};

/// A house that offers this tournament; its folder has the schedule.
async fn house_with(tournament: Value, bots: u8) -> (String, AbortOnDropHandle<()>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let schedule: PathBuf = folder.path().join("schedule.json");
    fs::write(&schedule, json!([{"id": "duel", "tournament": tournament}]).to_string()).unwrap();
    let mut config = without_bots();
    config.tables.schedule = Some(schedule);
    config.bots.bots = bots;
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

/// From the lobby to the tournament, and into it.
async fn register(window: &Window, url: &str, name: &str) {
    window.enter(url, name).await;
    window.press("tab-sng").await;
    window.see("tournament-row").await;
    window.ask("document.querySelector('[data-testid=tournament-row] a').click(); return 0").await;
    window.press("register").await;
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
