//! Several tables beside each other on a wide screen.

use serde_json::json;

use crate::{
    accounts::picture,
    made_up::{resize, table},
    window::Window,
};

/// Sits at so many tables, in each of which it is somebody else's turn.
const SIT: &str = "const rooms = Array.from({ length: COUNT }, (_, at) => `t${at + 1}`);
    for (const room of rooms) fakeHouse.show(scenes.betting({ seats: 6, turn: 1 }), room);
    localStorage['cardhouse.settings'] = '{\"tiles\":true}'; dispatchEvent(new StorageEvent('storage')); return 0";

/// A turn of mine at a table, which ends in so many milliseconds.
const TURN: &str = "window.turn = (window.turn ?? 70) + 1;
    fakeHouse.happen([{ e: 'turn', ...scenes.turnOf(0, { turn: window.turn, deadline_ms: Date.now() + IN_MS }) }], 'ROOM'); return 0";

const ORDER: &str = "return [...document.querySelectorAll('.tile')].map((it) => it.querySelector('.tile-order').textContent + (it.classList.contains('takes-keys') ? '!' : ''))";

/// What was done, and where.
const DONE: &str = "const done = fakeHouse.done.splice(0), rooms = fakeHouse.doneIn.splice(0); return done.map((it, at) => `${it.kind ?? it.a} ${rooms[at]}`)";

/// Shows all kinds of scenes, another in each tile, for all are of one size; answers what is wrong.
const WALK: &str = r"
    const kinds = [['my turn', 'betting', {}], ['before my turn', 'betting', { turn: 1, waits: true }], ['showdown', 'showdown', {}],
        ['alone', 'alone', {}], ['in millions', 'bettingMillions', {}]];
    const all = [2, 6, 9, 10].flatMap((seats) => [2, 6].flatMap((holeCards) => kinds.map(([name, scene, more]) => ({ name, scene, wish: { seats, holeCards, ...more } }))));
    const wrong = [];
    const tiles = [...document.querySelectorAll('.tile')];
    while (all.length > 0) {
        const shown = tiles.map((tile) => [tile, all.shift()]).filter(([, it]) => it);
        for (const [tile, { scene, wish }] of shown) fakeHouse.show(scenes[scene](wish), tile.dataset.room);
        for (const [tile, { name, wish }] of shown) {
            if (tile.querySelectorAll('.seat').length !== wish.seats) wrong.push(`${name}: not drawn`);
            for (const what of overlaps(tile)) wrong.push(`${name}, ${wish.seats} seats, ${wish.holeCards} cards: ${what}`);
        }
    }
    return wrong;
";

/// At so many tables that stand beside each other.
async fn tiled(window: &Window, count: u32) {
    for at in 1..=count {
        window.ask(&format!("location.hash = '#/table/t{at}'; return 0")).await;
        let shown = format!("[data-testid=table][data-room=t{at}]");
        window
            .until("the table is asked for", async || {
                window.ask(&format!("return document.querySelector('{shown}') !== null")).await == true
            })
            .await;
        window
            .ask(&format!("fakeHouse.show(scenes.betting({{ seats: 6, turn: 1 }}), 't{at}'); return 0"))
            .await;
    }
    window.ask(&SIT.replace("COUNT", &count.to_string())).await;
    let tiles = "return document.querySelectorAll('.tile').length";
    window.until("they stand beside each other", async || window.ask(tiles).await == count).await;
}

async fn press(window: &Window, key: &str) {
    for kind in ["rawKeyDown", "keyUp"] {
        let event = json!({ "type": kind, "key": key, "code": format!("Key{}", key.to_uppercase()) });
        window.devtools("Input.dispatchKeyEvent", event).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_lies_on_anything_else_in_tables_beside_each_other() {
    let (window, _house) = table().await;
    for (width, height, count) in
        [(1440, 900, 2), (1920, 1080, 3), (2560, 1440, 3), (1920, 1080, 4), (2560, 1440, 4)]
    {
        resize(&window, width, height).await;
        tiled(&window, count).await;
        resize(&window, width, height).await;
        assert_eq!(window.ask(WALK).await, json!([]), "{count} at {width} by {height}");
        // The judge looks into a tile: what sticks out of it is found.
        let planted = "const tile = document.querySelector('.tile'); const pod = tile.querySelector('.seat-pod');
            pod.style.translate = '-900px'; const found = overlaps(tile).join(', '); pod.style.translate = ''; return found";
        assert!(window.ask(planted).await.as_str().unwrap().contains("sticks out of the page"));
        picture(&window, &format!("tiles-{count}-{width}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_act_at_the_table_whose_turn_it_is_and_rest_when_that_changes() {
    let (window, _house) = table().await;
    resize(&window, 1920, 1080).await;
    tiled(&window, 3).await;
    window.ask("window.at = performance.now() + 1000; performance.now = () => window.at; return 0").await;
    let turn = async |room: &str, ms: u32| {
        window.ask(&TURN.replace("ROOM", room).replace("IN_MS", &ms.to_string())).await;
    };
    let pass = async |ms: u32| {
        window.ask(&format!("window.at += {ms}; return 0")).await;
    };
    turn("t2", 9_000).await;
    assert_eq!(window.ask(ORDER).await, json!(["", "1!", ""]));
    press(&window, "f").await;
    assert_eq!(window.ask(DONE).await, json!([]), "it has just come");
    pass(310).await;
    turn("t1", 5_000).await;
    assert_eq!(window.ask(ORDER).await, json!(["1", "2!", ""]), "the order is seen, and the keys stay");
    press(&window, "c").await;
    assert_eq!(window.ask(DONE).await, json!(["call t2"]));
    let over = "fakeHouse.happen([{ e: 'acted', seat: 0, kind: 'check', amount: 0, to: 1250, all_in: false, timeout: false }], 't2'); return 0";
    window.ask(over).await;
    assert_eq!(window.ask(ORDER).await, json!(["1!", "", ""]), "they go on to the next turn");
    press(&window, "c").await;
    assert_eq!(window.ask(DONE).await, json!([]), "but the second press of a key was not meant for that");
    pass(310).await;
    press(&window, "f").await;
    assert_eq!(window.ask(DONE).await, json!(["fold t1"]));

    turn("t3", 9_000).await;
    turn("t1", 5_000).await;
    window.ask("document.querySelector('[data-testid=tile-t3] .table-page').focus(); return 0").await;
    pass(310).await;
    press(&window, "c").await;
    assert_eq!(window.ask(DONE).await, json!(["call t3"]), "where the player is there is a turn too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_wants_no_tables_beside_each_other_has_one_and_that_is_remembered() {
    let (window, _house) = table().await;
    resize(&window, 1440, 900).await;
    tiled(&window, 2).await;
    window.press("tiles-switch").await;
    let shown = "return [...document.querySelectorAll('[data-testid=table]')].map((it) => it.dataset.room)";
    assert_eq!(window.ask(shown).await, json!(["t2"]), "the one of the address");
    let kept = "return JSON.parse(localStorage['cardhouse.settings']).tiles";
    assert_eq!(window.ask(kept).await, false);
    window.press("tiles-switch").await;
    assert_eq!(window.ask(shown).await, json!(["t1", "t2"]));
    resize(&window, 1000, 700).await;
    window.until("a small window shows one", async || window.ask(shown).await == json!(["t2"])).await;
    assert!(!window.sees("tiles-switch").await);
    resize(&window, 1440, 900).await;
    window.until("and a large one all", async || window.ask(shown).await == json!(["t1", "t2"])).await;
    window.ask("location.hash = '#/'; return 0").await;
    window.until("the lobby is there", async || window.sees("lobby").await).await;
    assert_eq!(window.ask(shown).await, json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_settings_switch_it_where_there_is_room_and_what_is_said_opens_at_the_table_that_takes_keys() {
    let (window, _house) = table().await;
    resize(&window, 1440, 900).await;
    tiled(&window, 2).await;
    let say = "fakeHouse.happen([{ e: 'chat', user: 'u1', name: 'Wilhelmina', bot: false, text: 'hello' }], 't1'); return 0";
    window.ask(say).await;
    let go_to = async |room: &str| {
        window
            .ask(&format!(
                "document.querySelector('[data-testid=tile-{room}] .table-page').focus(); return 0"
            ))
            .await;
    };
    let read = "const panel = document.querySelector('.top [aria-expanded]');
        const seen = [...document.querySelectorAll('.tile .chat-lines')].filter((it) => it.checkVisibility({ visibilityProperty: true }));
        return [panel.getAttribute('aria-expanded'), ...seen.map((it) => it.textContent)]";
    go_to("t1").await;
    assert_eq!(window.ask(read).await, json!(["false"]));
    window.ask("document.querySelector('.top [aria-expanded]').click(); return 0").await;
    window
        .until("it can be read", async || {
            let seen = window.ask(read).await;
            seen[0] == "true" && seen[1].as_str().is_some_and(|text| text.contains("hello"))
        })
        .await;
    go_to("t2").await;
    assert_eq!(
        window.ask(read).await[0],
        "false",
        "the button is now the other table's, whose panel is closed"
    );

    window.press("settings-open").await;
    window.until("the settings are there", async || window.sees("settings-ok").await).await;
    let is_offered = "return document.querySelector('[name=tiles]').checkVisibility()";
    assert_eq!(window.ask(is_offered).await, true);
    window.ask("document.querySelector('[name=tiles]').click(); return 0").await;
    let tiles = "return document.querySelectorAll('.tile').length";
    window.until("one page is shown", async || window.ask(tiles).await == 0).await;
    resize(&window, 390, 844).await;
    assert_eq!(window.ask(is_offered).await, false, "no phone has room for it");
}
