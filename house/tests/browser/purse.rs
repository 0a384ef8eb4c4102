//! What a player owns, where chips are somebody's: seen in the head and on a page of its own, and kept to where he sits down.

use std::path::Path;

use cage::ledger::Definition;
use serde_json::json;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    accessible::{axe, judged},
    accounts::picture,
    made_up::resize,
    open,
    window::Window,
    without_bots,
};

const PURSE: &str = "[data-testid=purse] .purse-amount";
const IN_PLAY: &str = "[data-testid=purse] small";

/// Desk, tablet, phones.
const SIZES: [(u32, u32); 5] = [(1440, 900), (820, 1180), (390, 844), (320, 568), (667, 375)];

/// A house with a table that plays for this currency.
async fn house_for(folder: &Path, currency: &str) -> (String, CancellationToken, AbortOnDropHandle<()>) {
    let mut config = without_bots();
    config.data.folder = Some(folder.join("house"));
    let of: Definition = currency.parse().unwrap();
    config.tables.table_currency = Some(of.code);
    config.chips.currencies = vec![of];
    open(config).await
}

async fn shows(window: &Window, css: &str, text: &str) {
    window.until(&format!("{css} says {text}"), async || window.text(css).await == text).await;
}

/// Whether nothing is wider than the window, or cut off in the head.
async fn fits(window: &Window, what: &str) {
    let wide = "const cut = (it) => it.offsetParent && it.scrollWidth > it.clientWidth + 1; \
                const all = [...document.querySelectorAll('.top, .top :not(.me, .for-ears), .purse-page, .purse-card, .purse-lines tr')]; \
                return [document.documentElement.scrollWidth > innerWidth ? 'all' : '', ...all.filter(cut).map((it) => it.className)].join(' ').trim()";
    assert_eq!(window.ask(wide).await, "", "{what}");
}

/// In all sizes and both themes nothing is cut off, and nobody is kept out.
async fn in_both_themes(window: &Window, name: &str) {
    window.ask(&axe()).await;
    for (width, height) in SIZES {
        resize(window, width, height).await;
        fits(window, &format!("{name} at {width}x{height}")).await;
        for theme in ["dark", "light"] {
            window.ask(&format!("document.documentElement.dataset.theme = '{theme}'; return 0")).await;
            picture(window, &format!("{name}-{theme}-{width}")).await;
            assert_eq!(judged(window).await, [""; 0], "{name} at {width}x{height}, {theme}");
        }
    }
    resize(window, 1440, 900).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_player_owns_follows_his_chips_to_a_table_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let (url, _, _house) = house_for(folder.path(), "PLAY:0:10000:2000").await;
    let ann = Window::open(1440, 900).await;
    ann.be_patient().await;
    ann.enter(&url, "Ann").await;
    shows(&ann, PURSE, "10,000").await;
    ann.go_to_the_table().await;
    let brought = ann.sit(0).await;
    let left = 10_000 - brought;
    let left = format!("{},{:03}", left / 1_000, left % 1_000);
    shows(&ann, PURSE, &left).await;
    shows(&ann, IN_PLAY, &format!("{brought} in play")).await;
    in_both_themes(&ann, "purse-table").await;
    ann.press("leave").await;
    shows(&ann, PURSE, "10,000").await;
    shows(&ann, IN_PLAY, "").await;

    ann.press("purse").await;
    ann.until("the lines are there", async || {
        ann.ask("return document.querySelectorAll('[data-testid=statement-line]').length").await == 3
    })
    .await;
    let lines = "return [...document.querySelectorAll('[data-testid=statement-line]')].map((it) => \
                 ['what', 'change', 'balance'].map((name) => it.querySelector(`.purse-${name}`).textContent).join('|'))";
    let told = json!([
        format!("Paid out at t1|+{brought}|10,000"),
        format!("Brought to t1|-{brought}|{left}"),
        "To begin with|+10,000|10,000"
    ]);
    assert_eq!(ann.ask(lines).await, told);
    let why = ann.text("[data-testid=refill-why]").await;
    assert!(why.contains("less than 2,000"), "{why}");
    let refill = "return document.querySelector('[data-testid=refill]').disabled";
    assert_eq!(ann.ask(refill).await, true);
    in_both_themes(&ann, "purse-page").await;
    // The way back is a page's.
    ann.ask("history.back(); return 0").await;
    ann.until("the table is there", async || ann.sees("table").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_brings_more_than_he_has_and_who_has_too_little_is_led_to_where_more_is() {
    let folder = tempfile::tempdir().unwrap();
    let (url, closing, house) = house_for(&folder.path().join("some"), "PLAY:0:100:2000").await;
    let ann = Window::open(390, 844).await;
    ann.enter(&url, "Ann").await;
    shows(&ann, PURSE, "100").await;
    ann.go_to_the_table().await;
    ann.press("sit-0").await;
    ann.until("it asks how many", async || ann.sees("buy-in").await).await;
    let limits = "const { min, max, value } = document.querySelector('[data-testid=buy-in]'); return [min, max, value].join(' ')";
    assert_eq!(ann.ask(limits).await, "80 100 100");
    assert_eq!(ann.text("[data-testid=you-have]").await, "You have 100.");
    picture(&ann, "purse-buy-in").await;
    closing.cancel();
    house.await.unwrap();

    let (url, _, _house) = house_for(&folder.path().join("few"), "PLAY:0:50:2000").await;
    let bob = Window::open(390, 844).await;
    bob.enter(&url, "Bob").await;
    shows(&bob, PURSE, "50").await;
    bob.go_to_the_table().await;
    bob.press("sit-0").await;
    bob.until("he is told", async || bob.text("[data-testid=short]").await.contains("You have 50")).await;
    assert!(bob.text("[data-testid=short]").await.contains("at least 80"));
    picture(&bob, "purse-short").await;
    bob.press("short-to-chips").await;
    bob.until("there is more", async || {
        bob.text("[data-testid=refill-why]").await.contains("Today's play money is there for you: 1,950")
    })
    .await;
    picture(&bob, "purse-refill").await;
    bob.press("refill").await;
    shows(&bob, PURSE, "2,000").await;
    bob.until("he has had it", async || {
        bob.text("[data-testid=refill-why]").await.contains("There is more from")
    })
    .await;
    assert_eq!(bob.ask("return document.querySelector('[data-testid=refill]').disabled").await, true);
    fits(&bob, "after the refill").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_whose_chips_are_nobodys_loads_and_asks_nothing_for_a_balance() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = without_bots();
    config.data.folder = Some(folder.path().join("house"));
    let (url, _, _house) = open(config).await;
    let ann = Window::open(390, 844).await;
    ann.enter(&url, "Ann").await;
    ann.go_to_the_table().await;
    ann.sit(0).await;
    ann.ask("dispatchEvent(new Event('focus')); return 0").await;
    let over = "return performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /purse|balances/.test(name))";
    assert_eq!(ann.ask(over).await, json!([]));
    assert!(!ann.sees("purse").await);
    ann.ask("location.hash = '#/chips'; return 0").await;
    ann.until("there is nothing at that address", async || ann.sees("nowhere").await).await;
}

/// Reception that keeps a long statement; all else is the house's.
const LONG: &str = "
    const real = window.fetch.bind(window);
    window.fetch = async (path, options) => {
        if (!String(path).startsWith('/api/me/statement')) return real(path, options);
        const before = Number(new URL(path, location).searchParams.get('before') ?? 251);
        const numbers = Array.from({ length: Math.min(100, before - 1) }, (_, at) => before - 1 - at);
        const kinds = ['buy_in', 'top_up', 'void', 'cash_out', 'return', 'cut', 'grant', 'refill', 'adjust', 'of_a_newer_house'];
        const lines = numbers.map((number) => ({ number, at_ms: 1.7e12 + number * 6e4, kind: kinds[number % 10], room: 't1', change: number % 2 ? 1234567 : -1234567, balance: 9007199254740 + number }));
        return new Response(JSON.stringify({ lines }), { headers: { 'content-type': 'application/json' } });
    };";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_statement_is_read_page_by_page_in_korean_on_a_phone() {
    let folder = tempfile::tempdir().unwrap();
    let (url, _, _house) = house_for(folder.path(), "EUR:2").await;
    let ann = Window::open_in("ko-KR", 390, 844).await;
    ann.be_patient().await;
    ann.devtools("Page.enable", json!({})).await;
    ann.before_each_page(include_str!("../../../web/tests/browser/foreign.js")).await;
    ann.before_each_page(LONG).await;
    ann.enter(&url, "민지").await;
    shows(&ann, PURSE, "0.00\u{a0}EUR").await;
    ann.press("purse").await;
    let lines = "return document.querySelectorAll('[data-testid=statement-line]').length";
    for count in [100, 200, 250] {
        ann.until("the lines are there", async || ann.ask(lines).await == count).await;
        if count < 250 {
            ann.press("statement-more").await;
        }
    }
    assert!(!ann.sees("statement-more").await, "that is all");
    assert!(!ann.sees("refill").await, "it is no play money");
    let numbers = "return [...document.querySelectorAll('td.purse-balance')].every((it, at) => it.textContent.endsWith(((250 - at + 40) % 100).toString().padStart(2, '0')))";
    assert_eq!(ann.ask(numbers).await, true, "each line once, in order");
    in_both_themes(&ann, "purse-korean").await;
}
