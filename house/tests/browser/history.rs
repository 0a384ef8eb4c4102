//! Hands that are over: found in a list, seen again at the table page to the same end, and shown to others.

use std::path::Path;

use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    accessible::{axe, judged},
    accounts::picture,
    both_sit, face_up,
    frames::{WATCHED_MS, from_environment},
    has_cards,
    made_up::resize,
    open, play_on,
    window::Window,
    without_bots,
};

const SIZES: [(u32, u32); 4] = [(1440, 900), (820, 1180), (390, 844), (844, 390)];
const LOG: &str =
    "return [...document.querySelectorAll('[data-testid=log] p')].map((it) => it.firstChild.textContent)";
/// What lies on the table.
const LIES: &str = "const cards = (css) => [...document.querySelectorAll(`${css} .card`)].map((it) => it.dataset.card); \
    const seats = [0, 3].map((at) => document.querySelector(`[data-testid=seat-${at}]`)); \
    return { board: cards('[data-testid=board]'), own: cards('[data-testid=my-cards]'), result: document.querySelector('[data-testid=result]').textContent, \
        pot: document.querySelector('[data-testid=pot]').dataset.amount, \
        seats: seats.map((it) => [it.querySelector('.seat-name').textContent, it.querySelector('.seat-stack').textContent, it.classList.contains('winner')]) }";

/// A house that keeps hands, in this folder.
async fn house_in(folder: &Path) -> (String, AbortOnDropHandle<()>) {
    let mut config = without_bots();
    config.data.folder = Some(folder.join("house"));
    let (url, _, house) = open(config).await;
    (url, house)
}

/// Ann and Bob have played a hand to its end.
async fn played(folder: &Path) -> (Window, Window, String, AbortOnDropHandle<()>) {
    let (url, house) = house_in(folder).await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    for window in [&ann, &bob] {
        window.be_patient().await;
    }
    both_sit(&ann, &bob, &url).await;
    ann.until("the hand begins", async || has_cards(&ann).await && has_cards(&bob).await).await;
    play_on(&ann, &bob).await;
    (ann, bob, url, house)
}

async fn goes_to(window: &Window, hash: &str) {
    window.ask(&format!("location.hash = '{hash}'; return 0")).await;
}

/// The step at which the replay stands, and how many there are.
async fn stands(window: &Window) -> (u64, u64) {
    let both = window.ask("const { value, max } = document.querySelector('[data-testid=replay-range]'); return [Number(value), Number(max)]").await;
    (both[0].as_u64().unwrap(), both[1].as_u64().unwrap())
}

async fn key(window: &Window, key: &str) {
    let press = format!(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, cancelable: true }})); return 0"
    );
    window.ask(&press).await;
}

/// In all sizes, both themes and this language nothing is wider than the window, and nobody is kept out.
async fn fits_everybody(window: &Window, name: &str) {
    window.ask(&axe()).await;
    for (width, height) in SIZES {
        resize(window, width, height).await;
        for theme in ["dark", "light"] {
            window.ask(&format!("document.documentElement.dataset.theme = '{theme}'; return 0")).await;
            picture(window, &format!("{name}-{theme}-{width}")).await;
            assert_eq!(judged(window).await, [""; 0], "{name} at {width}x{height}, {theme}");
        }
        let wide = window.ask("return document.documentElement.scrollWidth > innerWidth").await;
        assert_eq!(wide, false, "{name} at {width}x{height}");
    }
    resize(window, 1440, 900).await;
    window.ask("document.documentElement.dataset.theme = 'dark'; return 0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_that_was_played_is_found_and_seen_again_step_by_step_to_the_same_end() {
    let folder = tempfile::tempdir().unwrap();
    let (ann, bob, url, _house) = played(folder.path()).await;
    let (lay, log) = (ann.ask(LIES).await, ann.ask(LOG).await);
    assert!(face_up(&ann, 0).await, "her own cards");

    // From the table's log it is one click.
    ann.ask("document.querySelector('.log-again').click(); return 0").await;
    ann.see("replay-range").await;
    let (at, length) = stands(&ann).await;
    assert!(at == 1 && length > 8, "it begins with the deal: {at} of {length}");
    assert_eq!(ann.ask("return document.querySelectorAll('[data-testid=board] .card').length").await, 0);
    let own = ann.ask(LIES).await["own"].clone();
    assert_eq!(own, lay["own"]);
    let backs = "return [...document.querySelectorAll('[data-testid=seat-3] .card')].every((it) => it.dataset.card === '')";
    assert_eq!(ann.ask(backs).await, true, "nobody has shown yet");
    for step in at..length {
        ann.press("replay-next").await;
        ann.until("it goes on", async || stands(&ann).await.0 == step + 1).await;
    }
    assert_eq!(ann.ask(LIES).await, lay, "it ends as it ended");
    let again = ann.ask(LOG).await;
    let hand_of = |lines: &Value| {
        let lines: Vec<String> = serde_json::from_value(lines.clone()).unwrap();
        let begins = lines.iter().position(|line| line.starts_with("Hand ")).unwrap();
        lines[begins..].to_vec()
    };
    assert_eq!(hand_of(&again), hand_of(&log), "and the log says the same");

    // The list has it, with what she has won, and so has the other's.
    goes_to(&ann, "#/hands").await;
    ann.see("hand-row").await;
    let net =
        "return document.querySelector('[data-testid=hand-row] td.hands-net').textContent.replace('−', '-')";
    let (hers, his) = (ann.ask(net).await, {
        goes_to(&bob, "#/hands").await;
        bob.see("hand-row").await;
        bob.ask(net).await
    });
    let number = |net: &Value| net.as_str().unwrap().trim_start_matches('+').parse::<i64>().unwrap();
    assert_eq!(number(&hers) + number(&his), 0, "{hers} {his}");
    ann.ask("document.querySelector('[data-testid=hand-row] a').click(); return 0").await;
    ann.see("replay-range").await;
    // By keys: to the end, back, to streets.
    key(&ann, "End").await;
    assert_eq!(ann.ask(LIES).await, lay);
    key(&ann, "ArrowLeft").await;
    assert_eq!(stands(&ann).await.0, length - 1);
    assert_eq!(ann.ask(LIES).await["result"], "");
    key(&ann, "2").await;
    assert_eq!(
        ann.ask("return document.querySelectorAll('[data-testid=board] .card').length").await,
        3,
        "the flop"
    );
    ann.press("replay-river").await;
    assert_eq!(ann.ask("return document.querySelectorAll('[data-testid=board] .card').length").await, 5);
    key(&ann, "Home").await;
    assert_eq!(stands(&ann).await.0, 0);
    // By itself, as fast as it may.
    ann.ask("const it = document.querySelector('[data-testid=replay-speed]'); it.value = '4'; it.dispatchEvent(new Event('change')); return 0").await;
    ann.press("replay-play").await;
    ann.until("it has played", async || stands(&ann).await.0 == length).await;
    ann.until("it has stopped", async || {
        ann.ask("return document.querySelector('[data-testid=replay-play]').dataset.on").await == "false"
    })
    .await;
    assert_eq!(ann.ask(LIES).await, lay);
    assert!(!ann.sees("action-call").await && !ann.sees("leave").await && !ann.sees("sit-1").await);

    // Whoever gets the link sees what everybody saw, and no names where they are left out.
    ann.press("replay-share").await;
    let link = "return document.querySelector('[data-testid=share-link]').value";
    let told = ann.ask(link).await.as_str().unwrap().to_owned();
    assert!(told.starts_with(&url), "{told}");
    assert!(!told.contains("/t1."), "nobody comes from it to the next one: {told}");
    ann.press("share-hides").await;
    let hidden = ann.ask(link).await.as_str().unwrap().to_owned();
    fits_everybody(&ann, "share").await;
    ann.press("share-done").await;
    let eve = Window::open(1440, 900).await;
    eve.be_patient().await;
    eve.enter(&url, "Eve").await;
    for (link, names) in [(told, true), (hidden, false)] {
        eve.go(&link).await;
        eve.reload().await;
        eve.see("replay-range").await;
        assert!(!eve.sees("my-cards").await);
        key(&eve, "End").await;
        let lies = eve.ask(LIES).await;
        assert_eq!(lies["board"], lay["board"]);
        let name = lies["seats"][0][0].as_str().unwrap();
        assert_eq!(name, if names { "Ann" } else { "P1" });
        let all = eve.ask("return document.querySelector('main').textContent").await;
        let all = all.as_str().unwrap();
        assert_eq!(all.contains("Ann") || all.contains("Bob"), names);
    }
    goes_to(&eve, "#/hand/t1.1-1").await;
    eve.until("it is said that there is none", async || eve.sees("no-hand").await).await;
    goes_to(&eve, "#/hands/t1").await;
    eve.until("the table's hands are there", async || eve.sees("hand-row").await).await;
}

/// The list is that of three hours, and the pointer lies on it, as it does where somebody turns a wheel: each row that passes below it is another one
/// to be painted. As with all frames, they are told and not asserted.
async fn scrolls(window: &Window) {
    window.devtools("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
    window.ask(include_str!("../../../web/tests/browser/drawn.js")).await;
    let scroll = format!(
        "drawnWhileScrolling('[data-testid=hand-row]', {}).then(arguments[arguments.length - 1])",
        from_environment(WATCHED_MS)
    );
    for (width, height) in [(390, 844), (1440, 900)] {
        resize(window, width, height).await;
        let on_a_row = json!({ "type": "mouseMoved", "x": width / 2, "y": height / 2 });
        window.devtools("Input.dispatchMouseEvent", on_a_row).await;
        for rate in [1, 4] {
            window.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": rate })).await;
            let told = window.ask_later(&scroll).await;
            println!("250 hands, {width} by {height}, 1/{rate} of the machine: {told}");
            assert!(told["scrolled_px"].as_u64() > Some(0), "{told}");
        }
    }
    window.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": 1 })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_in_a_list_says_how_long_it_takes_until_it_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (ann, _bob, _url, _house) = played(folder.path()).await;
    ann.ask(include_str!("../../../web/tests/browser/drawn.js")).await;
    let click = "drawnAfterClick('[data-testid=hand-row] a', '[data-testid=replay-range]').then(arguments[arguments.length - 1])";
    let mut took = Vec::new();
    for _ in 0..5 {
        goes_to(&ann, "#/hands").await;
        ann.see("hand-row").await;
        took.push(ann.ask_later(click).await.as_f64().unwrap().round());
    }
    println!("from the click to the hand at the table page, in a row: {took:?} ms");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_replays_are_for_everybody_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let (ann, bob, url, _house) = played(folder.path()).await;
    drop((bob, url));
    ann.ask("document.querySelector('.log-again').click(); return 0").await;
    ann.see("replay-range").await;
    key(&ann, "3").await;
    fits_everybody(&ann, "replay-en").await;
    let korean = "const settings = JSON.parse(localStorage['cardhouse.settings'] ?? '{}'); \
        localStorage['cardhouse.settings'] = JSON.stringify({ ...settings, language: 'ko' }); dispatchEvent(new StorageEvent('storage')); return 0";
    ann.ask(include_str!("../../../web/tests/browser/foreign.js")).await;
    ann.ask(korean).await;
    key(&ann, "End").await;
    fits_everybody(&ann, "replay-ko").await;
    goes_to(&ann, "#/hands").await;
    ann.see("hand-row").await;
    fits_everybody(&ann, "hands-ko").await;
}

/// Reception that keeps `manyHands`, 250 at first; all else is the house's.
const MANY: &str = "
    window.manyHands = 250;
    const real = window.fetch.bind(window);
    const made = (number) => ({ id: `t1.1-${number}`, room: number % 3 ? 't1' : 't2', table: number % 3 ? 'Monte Carlo' : 'Reno', number, seats: 6, game: 'nlhe 1/2', variant: 'holdem', limit: 'no_limit',
        small_blind: 1, big_blind: 2, currency: null, digits: 0, started_ms: 1.7e12 + number * 6e4 + (number > 120 ? 36e5 : 0), ended_ms: 1.7e12 + number * 6e4 + 3e4 + (number > 120 ? 36e5 : 0), void: number === 200,
        button: 0, you: 0, net: Math.round(60 * Math.sin(number / 9) + number % 7), pot: 40 + number, rake: 0, boards: [['As', 'Kd', '7h', '2c', 'Td'].slice(0, number % 6)],
        players: [{ seat: 0, user: 'me', name: 'Ann', stack: 200, net: 0, cards: ['Qh', 'Qs'] }, { seat: 1, user: 'b', name: 'Bob', stack: 200, net: 3, cards: [null, null] }] });
    window.askedFor = [];
    window.fetch = async (path, options) => {
        if (!String(path).startsWith('/api/me/hands')) return real(path, options);
        const asked = new URL(path, location).searchParams;
        askedFor.push(asked.toString());
        const before = Number(asked.get('before')?.split('-')[1] ?? manyHands + 1);
        const numbers = Array.from({ length: Math.min(100, before - 1) }, (_, at) => before - 1 - at);
        const hands = numbers.map(made).filter((hand) => !asked.get('room') || hand.room === asked.get('room'));
        const more = before > 101 ? { before: `0.t1.1-${before - 100}` } : {};
        return new Response(JSON.stringify({ hands, ...more }), { headers: { 'content-type': 'application/json' } });
    };";

const ROWS: &str = "return document.querySelectorAll('[data-testid=hand-row]').length";

/// Ann before all of these hands.
async fn before_many(folder: &Path) -> (Window, AbortOnDropHandle<()>) {
    let (url, house) = house_in(folder).await;
    let ann = Window::open(1440, 900).await;
    ann.be_patient().await;
    ann.devtools("Page.enable", json!({})).await;
    ann.before_each_page(MANY).await;
    ann.enter(&url, "Ann").await;
    ann.press("to-hands").await;
    for count in [100, 200, 250] {
        ann.until("the hands are there", async || ann.ask(ROWS).await == count).await;
        if count < 250 {
            ann.press("hands-more").await;
        }
    }
    (ann, house)
}

/// What keeps scrolling cheap on any machine: elements of the row that has most, those in rows that are layers of their own or drawings, the most rows that are painted
/// together, and whether nothing is to be seen through what is scrolled.
const COST: &str = "const rows = [...document.querySelectorAll('[data-testid=hand-row]')]; \
    const inside = [...document.querySelectorAll('[data-testid=hand-row] *')]; \
    const style = (it) => getComputedStyle(it); \
    const isLayer = (it) => it instanceof SVGElement || style(it).position !== 'static' || style(it).boxShadow !== 'none' || style(it).transform !== 'none' || style(it).animationName !== 'none'; \
    const groups = [...document.querySelectorAll('[data-testid=hands-table] tbody')]; \
    const alone = groups.filter((it) => style(it).isolation === 'isolate'); \
    return { elements: Math.max(...rows.map((it) => it.querySelectorAll('*').length)), layers: inside.filter(isLayer).length, \
        group: alone.length === groups.length ? Math.max(...groups.map((it) => it.children.length)) : rows.length, \
        solid: /^rgb\\(/.test(style(document.querySelector('[data-testid=hands]')).backgroundColor) }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_long_list_are_light_and_none_is_kept_from_whoever_cannot_see_it() {
    let folder = tempfile::tempdir().unwrap();
    let (ann, _house) = before_many(folder.path()).await;
    for (width, height) in [(390, 844), (1440, 900)] {
        resize(&ann, width, height).await;
        let cost = ann.ask(COST).await;
        assert!(cost["elements"].as_u64() <= Some(20) && cost["layers"] == 0, "{cost}");
        assert!(cost["group"].as_u64() <= Some(25) && cost["solid"] == true, "{cost}");
        // What is read out and what is found are all of them, wherever the list has been scrolled to.
        assert_eq!(ann.ask("document.querySelector('[data-testid=hands]').scrollTop = 0; return 0").await, 0);
        let root = ann.devtools("DOM.getDocument", json!({ "depth": 0 })).await["root"]["nodeId"].clone();
        let heads = usize::from(width > 720);
        for (role, count) in
            [("table", 1), ("row", 250 + heads), ("cell", 5 * 250), ("columnheader", 5 * heads)]
        {
            let read = json!({ "nodeId": root, "role": role });
            let read = ann.devtools("Accessibility.queryAXTree", read).await["nodes"].clone();
            let read = read.as_array().unwrap().iter().filter(|node| node["ignored"] == false).count();
            assert_eq!(read, count, "{role} at {width}");
        }
        let found = "getSelection().removeAllRanges(); return window.find('Hand 1,') && getSelection().anchorNode.parentElement.closest('tr').dataset.id";
        assert_eq!(ann.ask(found).await, "t1.1-1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_to_a_long_list_is_where_they_were_with_the_keyboard_too() {
    let folder = tempfile::tempdir().unwrap();
    let (ann, _house) = before_many(folder.path()).await;
    let where_is = "const it = document.querySelector('[data-id=\"t1.1-100\"] a'); \
        return { top: Math.round(it.getBoundingClientRect().top), focus: document.activeElement === it, same: window.kept === it }";
    ann.ask("const it = document.querySelector('[data-id=\"t1.1-100\"] a'); window.kept = it; it.focus(); return 0").await;
    let (stood, mut many) = (ann.ask(where_is).await, 250);
    assert!(stood["top"].as_i64() > Some(0) && stood["top"].as_i64() < Some(900), "{stood}");
    // Nothing comes meanwhile, some hands do.
    for more in [0, 7] {
        many += more;
        ann.ask(&format!("window.manyHands = {many}; kept.click(); return 0")).await;
        ann.see("no-hand").await;
        ann.ask("history.back(); return 0").await;
        ann.see("hands").await;
        ann.until("the new ones are there", async || ann.ask(ROWS).await == many).await;
        assert_eq!(ann.ask(where_is).await, stood, "after {more} hands");
    }
    // Whoever is at the top sees what comes there.
    ann.ask("document.querySelector('[data-testid=hands]').scrollTop = 0; manyHands += 1; location.hash = '#/'; return 0").await;
    ann.see("lobby").await;
    ann.ask("history.back(); return 0").await;
    ann.see("hands").await;
    ann.until("another one is there", async || ann.ask(ROWS).await == many + 1).await;
    let top = "return [document.querySelector('[data-testid=hands]').scrollTop, document.querySelector('[data-testid=hand-row]').dataset.id]";
    assert_eq!(ann.ask(top).await, json!([0, format!("t1.1-{}", many + 1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_is_read_page_by_page_filtered_and_added_up() {
    let folder = tempfile::tempdir().unwrap();
    let (ann, _house) = before_many(folder.path()).await;
    assert!(!ann.sees("hands-more").await, "that is all");
    let sum: i64 = (1..=250)
        .filter(|number| *number != 200)
        .map(|number| (60.0 * (f64::from(number) / 9.0).sin() + f64::from(number % 7)).round() as i64)
        .sum();
    let drawn = "return Number(document.querySelector('[data-testid=winnings-sum]').dataset.sum)";
    assert_eq!(ann.ask(drawn).await, sum, "a hand that is lost does not count");
    fits_everybody(&ann, "hands-en").await;
    scrolls(&ann).await;
    let choose = "const it = document.querySelector('.lobby-filters select'); it.value = 't2'; it.dispatchEvent(new Event('change')); return 0";
    ann.ask(choose).await;
    ann.until("only those are there", async || ann.ask(ROWS).await.as_u64() < Some(50)).await;
    let asked = ann.ask("return askedFor.at(-1)").await;
    assert!(
        asked.as_str().unwrap().contains("room=t2") && !asked.as_str().unwrap().contains("before"),
        "{asked}"
    );
}
