//! Small things that were wrong: what nobody heard, where the keyboard went, where the lobby had been.

use serde_json::json;

use crate::{
    made_up::{resize, table},
    window::Window,
};

/// A turn of mine, and the time bank that begins in it.
const MY_TURN: &str = "fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); fakeHouse.show(scenes.betting({ seats: 6 })); return 0";
const BANK: &str = "fakeHouse.happen([{ e: 'bank', seat: 0, deadline_ms: Date.now() + 30000 }]); return 0";

/// Tones are counted instead of played.
const HEAR: &str = "
    window.tones = 0;
    const part = class { constructor() { this.gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, setTargetAtTime() {} }; } connect(to) { return to; } start() {} stop() {} };
    window.AudioContext = class { state = 'running'; currentTime = 0; destination = {}; };
    window.GainNode = part;
    window.OscillatorNode = class extends part { start() { window.tones += 1; } };
    dispatchEvent(new PointerEvent('pointerdown')); return 0";

async fn focused(window: &Window) -> String {
    window
        .ask("return document.activeElement.className || document.activeElement.tagName")
        .await
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_bank_is_named_and_heard_when_it_begins() {
    let (window, _house) = table().await;
    window.ask(HEAR).await;
    window.ask(MY_TURN).await;
    // The page does not play what it has missed: not until a while after a keyframe.
    window.ask("window.at = performance.now() + 1000; performance.now = () => window.at; return 0").await;
    window.ask("window.tones = 0; return 0").await;
    window.ask(BANK).await;
    assert!(window.ask("return window.tones").await.as_u64().unwrap() > 0, "it is heard");
    let badge = window.text("[data-testid=seat-0] .seat-badge").await;
    assert_eq!(badge, "Time bank");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyboard_stays_at_the_table_when_its_button_goes() {
    let (window, _house) = table().await;
    window.ask(MY_TURN).await;
    window.ask("const it = document.querySelector('[data-testid=action-call]'); it.focus(); it.click(); return 0").await;
    assert_eq!(focused(&window).await, "table-foot", "the button waits for the house");
    window.ask("fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); document.querySelector('[data-testid=leave]').focus(); return 0").await;
    assert!(focused(&window).await.starts_with("button"));
    window.ask("fakeHouse.show(scenes.betting({ seats: 6, mine: null, turn: 1 })); return 0").await;
    assert_eq!(focused(&window).await, "table-foot", "who has no seat any more cannot leave it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_at_which_there_is_nothing_says_so_and_leads_to_the_lobby() {
    let (window, _house) = table().await;
    window.ask("location.hash = '#/tabel/t1'; return 0").await;
    window.until("it is said", async || window.sees("nowhere").await).await;
    window.ask("document.querySelector('[data-testid=nowhere] a').click(); return 0").await;
    window.until("the lobby is there", async || window.sees("lobby").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_to_the_lobby_finds_it_as_it_was_and_on_the_smallest_phone_in_one_piece() {
    let (window, _house) = table().await;
    resize(&window, 320, 568).await;
    let lobby = "const rows = Array.from({ length: 30 }, (_, at) => ({ room: `r${at}`, kind: 'table', name: `Aspen ${at}`, game: 'PL Omaha 5', small_blind: 500000,
            big_blind: 1000000, seats: 10, taken: 7, average_pot: 123456789, hands_per_hour: 1234, buy_in_min: 40000000, buy_in_max: 400000000 }));
        fakeHouse.lobby = { t: 'lobby', total: 30, players: 210, rows, order: rows.map(({ room }) => room) };
        location.hash = '#/'; return 0";
    window.ask(lobby).await;
    window.until("the lobby is there", async || window.sees("lobby-row").await).await;
    assert_eq!(window.ask("return document.documentElement.scrollWidth <= innerWidth").await, true);
    let heads = "return new Set([...document.querySelectorAll('.lobby-table thead th')].map((it) => it.getBoundingClientRect().top)).size";
    assert_eq!(window.ask(heads).await, 1, "the heads of the list stand in one line");
    assert_eq!(window.text("td.col-pot span").await, "123.5M", "large amounts are short here too");
    window
        .ask("const box = document.querySelector('.lobby-filters [type=checkbox]'); box.click(); return 0")
        .await;
    window.ask("document.querySelector('[data-testid=lobby]').scrollTop = 600; location.hash = '#/table/t1'; return 0").await;
    window.until("the table is there", async || window.sees("table").await).await;
    window.ask("location.hash = '#/'; return 0").await;
    window.until("the lobby is there", async || window.sees("lobby").await).await;
    let scrolled = "return document.querySelector('[data-testid=lobby]').scrollTop";
    window.until("it is where it was", async || window.ask(scrolled).await == 600).await;
    assert_eq!(
        window.ask("return document.querySelector('.lobby-filters [type=checkbox]').checked").await,
        true
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_are_shown_after_a_hand_when_the_player_has_set_that_and_once() {
    let (window, _house) = table().await;
    let done = "return fakeHouse.done.splice(0).map((it) => it.a).join(' ')";
    let end = "fakeHouse.show(scenes.betting({ seats: 6 })); window.at += 1000;
        fakeHouse.happen([{ e: 'hand_ended', hand: 1017, next_ms: Date.now() + 60000, hands: [] }]); return 0";
    window.ask("window.at = performance.now(); performance.now = () => window.at; return 0").await;
    window.ask(end).await;
    assert_eq!(window.ask(done).await, "", "nobody shows who has not said so");
    let set = "localStorage['cardhouse.settings'] = '{\"showAfter\":true}'; dispatchEvent(new StorageEvent('storage')); return 0";
    window.ask(set).await;
    assert_eq!(window.ask(done).await, "show", "also when that was set in another window");
    window.ask("fakeHouse.happen([{ e: 'chat', user: 'u1', name: 'Bo', text: 'hi' }]); return 0").await;
    assert_eq!(window.ask(done).await, "", "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_card_is_shown_by_a_click_or_by_a_key_and_never_by_a_slip() {
    let (window, _house) = table().await;
    let done =
        "return fakeHouse.done.splice(0).map((it) => [it.a, ...(it.cards ?? [])].join(' ')).join(', ')";
    let mine = "return [...document.querySelectorAll('[data-testid=my-cards] .offered')].map((it) => it.dataset.card)";
    window.ask("window.at = performance.now(); performance.now = () => window.at; return 0").await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 6 })); return 0").await;
    assert_eq!(window.ask(mine).await, json!([]), "not while the hand goes on");
    window.ask("fakeHouse.happen([{ e: 'hand_ended', hand: 1017, next_ms: Date.now() + 60000, hands: [] }]); return 0").await;
    let cards = window.ask(mine).await;
    let [first, second] = [0, 1].map(|at| cards[at].as_str().unwrap().to_owned());
    let tap = "document.querySelector('[data-testid=my-cards] .offered').click(); return 0";
    window.ask(tap).await;
    assert_eq!(window.ask(done).await, "", "it was meant for what was there a moment ago");
    window.ask("window.at += 310; return 0").await;
    window.ask(tap).await;
    assert_eq!(window.ask(done).await, format!("show {first}"));

    window
        .ask(&format!(
            "fakeHouse.happen([{{ e: 'shown', seat: 0, cards: ['{first}'], rank: '', hands: [] }}]); return 0"
        ))
        .await;
    assert_eq!(window.ask(mine).await, json!([second]), "the other can still be shown");
    assert_eq!(
        window
            .ask("return document.querySelectorAll('[data-testid=my-cards] .card:not(.card-back)').length")
            .await,
        2
    );
    let key = "const it = document.querySelector('[data-testid=my-cards] .offered'); it.focus();
        it.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true })); return 0";
    window.ask(key).await;
    assert_eq!(window.ask(done).await, format!("show {second}"));
    assert!(window.sees("show").await, "or all");

    // Of somebody else one sees what was shown, and that there is more.
    window
        .ask("fakeHouse.happen([{ e: 'shown', seat: 1, cards: ['2c'], rank: '', hands: [] }]); return 0")
        .await;
    let seen = "return [...document.querySelectorAll('[data-testid=seat-1] .seat-cards .card')].map((it) => it.dataset.card)";
    assert_eq!(window.ask(seen).await, json!(["2c", ""]));
    assert!(window.text("[data-testid=log]").await.contains("shows 2\u{2663}"));
    let badge = window.text("[data-testid=seat-1] .seat-badge").await;
    assert!(badge.is_empty() || badge == "Raise", "one card makes no hand: {badge}");
}

/// Somebody says so many lines, which are drawn.
const SAY: &str = "const done = arguments[arguments.length - 1];
    for (let at = 0; at < COUNT; at += 1) fakeHouse.happen([{ e: 'chat', user: 'WHO', name: 'Bo', bot: false, text: 'TEXT' }]);
    requestAnimationFrame(() => requestAnimationFrame(done))";

/// How far the chat is from its end and from its beginning.
const CHAT: &str =
    "const { scrollTop, scrollHeight, clientHeight } = document.querySelector('[data-testid=chat]');
    return [Math.round(scrollHeight - scrollTop - clientHeight), scrollTop]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_what_was_said_earlier_is_left_there_until_they_speak() {
    let (window, _house) = table().await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 3, turn: 1 })); return 0").await;
    let says = async |count: u32, who: &str| {
        let said = SAY.replace("COUNT", &count.to_string()).replace("WHO", who).replace("TEXT", "nice hand");
        window.ask_later(&said).await;
    };
    says(60, "u1").await;
    assert_eq!(window.ask(CHAT).await[0], 0, "the last line is in sight");
    let up = "document.querySelector('[data-testid=chat]').scrollTop = 100; requestAnimationFrame(() => requestAnimationFrame(arguments[0]))";
    window.ask_later(up).await;
    says(3, "u1").await;
    assert_eq!(window.ask(CHAT).await[1], 100);
    says(1, "me").await;
    assert_eq!(window.ask(CHAT).await[0], 0, "one's own line is in sight");
}

/// How the last lines of chat and log are cut off.
const CUT: &str =
    "return ['[data-testid=chat] p:last-child', '[data-testid=log] > :last-child > p:last-child']
    .map((line) => getComputedStyle(document.querySelector(line)).overflow)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marks_that_are_piled_on_letters_stay_in_their_line() {
    let (window, _house) = table().await;
    let cut = async |name: &str| {
        let act = "fakeHouse.happen([{ e: 'acted', seat: 1, kind: 'call', amount: 1250, to: 1250, all_in: false, timeout: false }])";
        let show = format!(
            "const scene = scenes.betting({{ seats: 3, turn: 1 }}); scene.state.seats[1].name = '{name}'; fakeHouse.show(scene); {act};
             fakeHouse.happen([{{ e: 'chat', user: 'u1', name: '{name}', bot: false, text: 'hello' }}]); return 0"
        );
        window.ask(&show).await;
        window.ask(CUT).await
    };
    assert_eq!(cut("Zoe").await, json!(["visible", "visible"]), "hundreds of lines cost less that way");
    assert_eq!(cut("Zoe\u{301}\u{302}\u{303}").await, json!(["clip", "clip"]));
}
