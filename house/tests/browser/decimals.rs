//! Chips of a currency with decimals: read and typed in its unit, everywhere, and whole numbers of the smallest unit to the house.

use cage::ledger::Definition;
use serde_json::{Value, json};

use crate::{has_cards, open, play_on, window::Window, without_bots};

/// What a page says to those who see it and to those who hear it, in its fields too, line by line.
const SAYS: &str = "const all = []; \
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); \
    while (walk.nextNode()) if (!walk.currentNode.parentElement.closest('script, style, option')) all.push(walk.currentNode.textContent); \
    for (const it of document.querySelectorAll('[aria-label], [aria-valuetext], [title]')) all.push(...['aria-label', 'aria-valuetext', 'title'].map((name) => it.getAttribute(name) ?? '')); \
    for (const it of document.querySelectorAll('input:not([type=range])')) all.push(it.value); \
    return all";

/// Numbers that are amounts in cents: three digits and more together, and no point behind them. A year is none, nor are what stands between colons.
fn raw(said: &Value) -> Vec<String> {
    let lines = said.as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    let is_raw = |line: &&str| {
        let numbers = line.split(|c: char| !c.is_ascii_digit() && !",.:".contains(c));
        let mut numbers = numbers.map(|number| number.trim_matches([',', '.', ':']));
        numbers.any(|number| {
            let digits = number.chars().filter(char::is_ascii_digit).count();
            digits >= 3 && !number.contains(['.', ':']) && !number.starts_with("20")
        })
    };
    // How far away the house is, what is counted in big blinds, and shares.
    let others = [" ms", " big blinds", " BB", "%", "BB/100"];
    lines
        .filter(|line| !others.iter().any(|other| line.ends_with(other)))
        .filter(is_raw)
        .map(str::to_owned)
        .collect()
}

async fn says_no_cents(window: &Window, what: &str) {
    let said = window.ask(SAYS).await;
    assert_eq!(raw(&said), Vec::<String>::new(), "{what}");
}

/// The judge finds what it is to find, and nothing else.
#[test]
fn cents_are_found() {
    assert_eq!(
        raw(&json!(["NL Hold'em 0.50/1.00", "12.50", "Hand 7", "3 Dec 2026, 14:05", "1,250.00"])),
        Vec::<String>::new()
    );
    for cents in ["raises to 1250", "50/100", "Buy-in 4,000", "1,250"] {
        assert_eq!(raw(&json!(["Ann", cents])), [cents]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_for_a_currency_with_decimals_is_read_and_typed_in_its_unit() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = without_bots();
    config.data.folder = Some(folder.path().join("house"));
    let coins: Definition = "COIN:2:1000000:0".parse().unwrap();
    config.tables.table_currency = Some(coins.code);
    config.chips.currencies = vec![coins];
    (config.tables.small_blind, config.tables.big_blind) = (50, 100);
    // Of seconds no three digits are told.
    config.tables.turn_ms = 90_000;
    let (url, _, _house) = open(config).await;

    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open_in("ko-KR", 1440, 900));
    for (window, name) in [(&ann, "Ann"), (&bob, "Bob")] {
        window.be_patient().await;
        window.enter(&url, name).await;
        window
            .until("what is owned is known", async || window.text(".purse-amount").await == "10,000.00")
            .await;
        let blinds = async || window.text("[data-testid=lobby-row] .col-blinds span").await;
        window.until("the lobby knows what chips are", async || blinds().await == "0.50/1.00").await;
        says_no_cents(window, "the lobby").await;
        window.go_to_the_table().await;
    }
    assert!(ann.text(".table-stakes").await.ends_with(" 0.50/1.00"));
    for (window, seat) in [(&ann, 0), (&bob, 3)] {
        window.press(&format!("sit-{seat}")).await;
        let field = window.see("buy-in").await;
        let proposed = field.prop("value").await.unwrap().unwrap();
        assert!(proposed.ends_with(".00"), "{proposed}");
        says_no_cents(window, "how much to bring").await;
        window.ask("const it = document.querySelector('[data-testid=buy-in]'); it.value = '80.25'; it.dispatchEvent(new Event('input')); return 0").await;
        window.press("sit-ok").await;
        let mine = format!("[data-testid=seat-{seat}].mine .seat-stack");
        window.until("the seat is mine", async || !window.text(&mine).await.is_empty()).await;
    }
    ann.until("the hand begins", async || has_cards(&ann).await && has_cards(&bob).await).await;
    let (first, second) = if ann.has_turn().await { (&ann, &bob) } else { (&bob, &ann) };
    first.until("it is somebody's turn", async || first.has_turn().await || second.has_turn().await).await;
    let first = if first.has_turn().await { first } else { second };
    for window in [&ann, &bob] {
        says_no_cents(window, "before the raise").await;
    }
    let typed = "const it = document.querySelector('[data-testid=raise-amount]'); it.focus(); it.value = '12.50'; it.dispatchEvent(new Event('input', { bubbles: true })); \
        const offered = document.querySelector('[data-testid=action-raise]').textContent; it.dispatchEvent(new Event('change', { bubbles: true })); return [offered, it.value]";
    let offered = first.ask(typed).await;
    assert!(offered[0].as_str().unwrap().contains("12.50") && offered[1] == "12.50", "{offered}");
    assert!(first.act(&["raise"]).await);
    for window in [&ann, &bob] {
        let log = "return document.querySelector('[data-testid=log]').textContent";
        window
            .until("all are told", async || window.ask(log).await.as_str().unwrap().contains("12.50"))
            .await;
        let pot = window.ask("return document.querySelector('[data-testid=pot]').dataset.amount").await;
        assert!(pot == "1350" || pot == "1300", "the house counts in the smallest unit: {pot}");
        says_no_cents(window, "after the raise").await;
    }
    play_on(&ann, &bob).await;
    for window in [&ann, &bob] {
        says_no_cents(window, "after the hand").await;
    }

    // The same hand again, and the statement.
    for (hash, there) in [("#/hands", "[data-testid=hand-row]"), ("#/chips", ".purse-lines tr")] {
        ann.ask(&format!("location.hash = '{hash}'; return 0")).await;
        ann.until(there, async || {
            ann.ask(&format!("return document.querySelector('{there}') !== null")).await == true
        })
        .await;
        says_no_cents(&ann, hash).await;
    }
    ann.ask("location.hash = '#/hands'; return 0").await;
    let row = "return document.querySelector('[data-testid=hand-row] a')?.getAttribute('href') ?? ''";
    ann.until("the list is there", async || ann.ask(row).await != "").await;
    let hand = ann.ask(row).await;
    ann.ask(&format!("location.hash = '{}'; return 0", hand.as_str().unwrap())).await;
    ann.see("replay").await;
    ann.ask("document.querySelector('[data-testid=replay-last]').click(); return 0").await;
    let log = "return document.querySelector('[data-testid=replay] [data-testid=log]').textContent";
    ann.until("the end is told", async || ann.ask(log).await.as_str().unwrap().contains("12.50")).await;
    says_no_cents(&ann, "the replay").await;
}
