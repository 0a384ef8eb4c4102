//! Everybody can use the page: a machine's judgement of each page on screens of all shapes (WCAG 2.2, AA), and a hand played by somebody who
//! neither sees it nor points at it.

use std::fs;

use serde_json::{Value, json};

use crate::{
    accounts::{RECEPTION, fits},
    house_with_a_table,
    made_up::{resize, table, table_with},
    window::Window,
};

/// The smallest phone, phones both ways, a laptop at 200 %, a screen.
const SIZES: [(u32, u32); 5] = [(320, 568), (390, 844), (844, 390), (720, 450), (1440, 900)];

/// What axe-core finds on the page, a sentence for each element.
const JUDGE: &str = "
    const answer = arguments[arguments.length - 1];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const said = ({ message, relatedNodes }) => [message, ...relatedNodes.map(({ target }) => target.join(' '))].join(' ');
    axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }).then(
        ({ violations }) => answer(violations.flatMap(({ id, nodes }) => nodes.map(({ target, any, all, none }) =>
            `${id}: ${target.join(' ')}: ${[...any, ...all, ...none].map(said).join('; ')}`))),
        (error) => answer([String(error)]),
    );
";

const LOBBY: &str = "const rows = Array.from({ length: 8 }, (_, at) => ({ room: `r${at}`, kind: 'table', name: `Aspen ${at}`, game: 'NL Hold\\'em', small_blind: 1,
        big_blind: 2, seats: 6, taken: at % 7, average_pot: 31, hands_per_hour: 92, buy_in_min: 80, buy_in_max: 400, waiting: at }));
    fakeHouse.lobby = { t: 'lobby', total: 80, players: 210, rows, order: rows.map(({ room }) => room) };
    location.hash = '#/'; fakeHouse.tell(fakeHouse.lobby)";

/// What each page is called, how one comes there from the table, and what is to be seen then.
const PAGES: [(&str, &str, &str); 21] = [
    ("an empty lobby", "location.hash = '#/'", "lobby"),
    ("the lobby", LOBBY, "lobby-row"),
    ("nowhere", "location.hash = '#/tabel'", "nowhere"),
    ("alone at the table", "location.hash = '#/table/t1'; fakeHouse.show(scenes.alone({ seats: 6 }))", "table"),
    ("watching", "fakeHouse.show(scenes.betting({ seats: 9, mine: null, turn: 1 }))", "board"),
    ("in my turn", "fakeHouse.show(scenes.betting({ seats: 9 }))", "action-call"),
    ("before my turn", "fakeHouse.show(scenes.betting({ seats: 6, turn: 1, waits: true }))", "check-fold"),
    ("the showdown", "fakeHouse.show(scenes.showdown({ seats: 6 }))", "result"),
    ("Omaha", "fakeHouse.show(scenes.showdown({ seats: 6, holeCards: 6, runs: 2 }))", "result"),
    ("the panel", "fakeHouse.happen([{ e: 'chat', user: 'u1', name: 'Bo', bot: true, text: 'hi' }]); document.querySelector('.table-page').classList.add('panel-open')", "table"),
    (
        "the question before a fold",
        "document.querySelector('.table-page').classList.remove('panel-open');
         const scene = scenes.betting({ seats: 6 }); scene.events.at(-1).call = null; fakeHouse.show(scene); press('action-fold')",
        "fold-ok",
    ),
    ("the question before leaving", "fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); press('leave')", "leave-ok"),
    ("a note", "press('note-2')", "note-text"),
    ("chips to bring", "fakeHouse.show(scenes.alone({ seats: 6, mine: null })); press('sit-any')", "sit-ok"),
    ("settings", "press('settings-open')", "settings-ok"),
    ("keys", "document.querySelector('.table-page').dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }))", "keys-ok"),
    ("who one is", "press('me')", "who-other"),
    ("the question for a name", "press('me'); press('who-other')", "name-input"),
    ("a refusal", "fakeHouse.answers.push({ t: 'refused', code: 'late', message: '' }); fakeHouse.show(scenes.betting({ seats: 6 })); press('action-call')", "toasts"),
    ("no network", "fakeHouse.isSilent = true; dispatchEvent(new Event('offline'))", "connection-banner"),
    (
        "what is gone",
        "fakeHouse.isSilent = false; dispatchEvent(new Event('online'));
         const told = setInterval(() => { if (document.querySelector('[data-testid=connection]').dataset.state !== 'online') return; clearInterval(told);
         fakeHouse.tell({ t: 'welcome', user: 'other', name: 'Morgan', session: '00c0ffee00c0ffef', now_ms: Date.now(), expires_ms: Date.now() + 86400000, idle_ms: 30000, near: false, counts: true }); }, 50)",
        "gone-ok",
    ),
];

const TOOLS: &str = "window.press = (testid) => document.querySelector(`[data-testid=${testid}]`).click();
    document.querySelectorAll('dialog').forEach((it) => it.close());";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_keeps_wcag_2_2_aa_as_far_as_axe_can_tell() {
    walk("dark", &SIZES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_keeps_wcag_2_2_aa_in_the_light_theme_too() {
    walk("light", &[(390, 844), (1440, 900)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_keeps_wcag_2_2_aa_and_so_does_a_report_in_a_house_that_keeps_people() {
    let (window, _house) = table_with("ko-KR", Some(RECEPTION)).await;
    window.ask(&axe()).await;
    let ask = "fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); press('note-3'); return 0";
    window.ask(&format!("{TOOLS} {ask}")).await;
    window.press("note-report").await;
    window.until("it is asked what happened", async || window.sees("report-ok").await).await;
    let mut wrong = Vec::new();
    for (width, height) in SIZES {
        resize(&window, width, height).await;
        wrong.extend(judged(&window).await.into_iter().map(|what| format!("{width} by {height}: {what}")));
        fits(&window).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn walk(theme: &str, sizes: &[(u32, u32)]) {
    let (window, _house) = table().await;
    let wear = format!(
        "localStorage['cardhouse.settings'] = '{{\"theme\":\"{theme}\"}}'; dispatchEvent(new StorageEvent('storage')); return 0"
    );
    window.ask(&wear).await;
    window.ask(&axe()).await;
    let mut wrong = Vec::new();
    for (name, way, seen) in PAGES {
        window.ask(&format!("{TOOLS} {way}; return 0")).await;
        window.until(name, async || window.sees(seen).await).await;
        for &(width, height) in sizes {
            resize(&window, width, height).await;
            let found = judged(&window).await;
            wrong.extend(found.into_iter().map(|what| format!("{name}, {width} by {height}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_of_pages_finds_what_keeps_people_out() {
    let (window, _house) = table().await;
    window.ask(&axe()).await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 6 })); return 0").await;
    assert_eq!(judged(&window).await, [""; 0]);
    for (plant, found) in [
        (
            "document.querySelector('.top-right .icon-button:last-child').removeAttribute('aria-label')",
            "button-name",
        ),
        ("document.querySelector('.side h2').style.color = '#444'", "color-contrast"),
        ("document.querySelector('.raise-sizing [type=range]').removeAttribute('aria-label')", "label"),
        ("document.querySelector('[data-testid=seat-1]').setAttribute('role', 'row')", "aria-required"),
    ] {
        let before = judged(&window).await.len();
        window.ask(&format!("{plant}; return 0")).await;
        let now = judged(&window).await;
        assert!(now.len() > before && now.iter().any(|what| what.starts_with(found)), "{found}: {now:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_is_played_by_roles_and_names_alone() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    let reader = Reader(&ann);
    ann.go(&url).await;
    reader.write("textbox", "Your name", "Ann").await;
    reader.press("button", "Enter the card room").await;
    reader.press("link", "Monte Carlo").await;
    reader.press("button", "Sit down in seat 1").await;
    reader.find("spinbutton", "Chips, ").await;
    reader.press("button", "Sit down").await;
    reader.find("listitem", "Seat 1, Ann (you), ").await;

    bob.enter(&url, "Bob").await;
    bob.go_to_the_table().await;
    bob.sit(3).await;
    reader.find("listitem", "Seat 4, Bob, ").await;
    ann.until("both cards are read", async || reader.nodes("image", " of ").await.len() == 2).await;

    let (mut raised, mut hidden) = (false, false);
    ann.until("the hand has ended", async || {
        bob.act(&["check", "call"]).await;
        // In her turn nothing changes until she has acted.
        if ann.has_turn().await {
            if !raised && !reader.nodes("textbox", "Bet or raise to").await.is_empty() {
                reader.find("StaticText", "Your turn").await;
                reader.write("textbox", "Bet or raise to", "40").await;
                hidden = hides(&ann, &reader).await;
                reader.enter().await;
                raised = true;
            } else if !reader.nodes("button", "Check").await.is_empty() {
                reader.press("button", "Check").await;
            } else {
                reader.press("button", "Call ").await;
            }
            ann.until("it is done", async || !ann.has_turn().await).await;
        }
        !ann.text("[data-testid=result]").await.is_empty()
    })
    .await;
    assert!(raised && hidden);
    let told = reader.nodes("StaticText", "").await;
    assert!(
        told.iter().any(|text| text.contains(" wins ") || text.contains(" share ")),
        "who has won is told: {told:?}"
    );
    assert!(
        told.iter().any(|text| text.contains("Ann") && text.contains(" raises to 40")
            || text.contains("Ann") && text.contains(" bets 40")),
        "and what was done: {told:?}"
    );
    let board = reader.nodes("image", " of ").await.len();
    assert!((7..=9).contains(&board), "the board, my cards and those that were shown: {board}");
}

/// A button that is hidden from readers is not found; whether it was before.
async fn hides(ann: &Window, reader: &Reader<'_>) -> bool {
    let before = reader.nodes("button", "Fold").await.len() + reader.nodes("button", "Check").await.len();
    let hide = |is: &str| format!("document.querySelector('.action-buttons').ariaHidden = {is}; return 0");
    ann.ask(&hide("'true'")).await;
    let after = reader.nodes("button", "Fold").await.len() + reader.nodes("button", "Check").await.len();
    ann.ask(&hide("null")).await;
    before > 0 && after == 0
}

/// Somebody who has the page read out, and the keyboard.
struct Reader<'w>(&'w Window);

impl Reader<'_> {
    /// What is there of this role, its name beginning so: the names.
    async fn nodes(&self, role: &str, name: &str) -> Vec<String> {
        self.all(role, name).await.into_iter().map(|(name, _)| name).collect()
    }

    async fn all(&self, role: &str, name: &str) -> Vec<(String, Value)> {
        let tree = self.0.devtools("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().unwrap().iter().filter(|node| node["ignored"] == false);
        let nodes = nodes.filter(|node| node["role"]["value"] == role);
        nodes
            .filter_map(|node| {
                // People's names are isolated: nobody hears that.
                let said = node["name"]["value"].as_str()?.replace(['\u{2068}', '\u{2069}'], "");
                let fits = if name.starts_with(' ') { said.contains(name) } else { said.starts_with(name) };
                fits.then(|| (said, node["backendDOMNodeId"].clone()))
            })
            .collect()
    }

    async fn find(&self, role: &str, name: &str) -> Value {
        let mut found = Vec::new();
        self.0
            .until(&format!("a {role} is called {name}"), async || {
                found = self.all(role, name).await;
                !found.is_empty()
            })
            .await;
        found.remove(0).1
    }

    async fn focus(&self, role: &str, name: &str) {
        let focused = async || {
            let node = self.find(role, name).await;
            self.0.try_devtools("DOM.focus", json!({ "backendNodeId": node })).await.is_ok()
        };
        self.0.until(&format!("the {role} called {name} has the focus"), focused).await;
    }

    async fn press(&self, role: &str, name: &str) {
        self.focus(role, name).await;
        self.enter().await;
    }

    /// Writes in the place of what stands there.
    async fn write(&self, role: &str, name: &str, text: &str) {
        self.focus(role, name).await;
        let all = json!({ "type": "keyDown", "key": "a", "code": "KeyA", "modifiers": 2, "commands": ["selectAll"] });
        self.0.devtools("Input.dispatchKeyEvent", all).await;
        self.0.devtools("Input.insertText", json!({ "text": text })).await;
    }

    async fn enter(&self) {
        let key = |kind: &str, text: &str| json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": text });
        self.0.devtools("Input.dispatchKeyEvent", key("keyDown", "\r")).await;
        self.0.devtools("Input.dispatchKeyEvent", key("keyUp", "")).await;
    }
}

pub(crate) async fn judged(window: &Window) -> Vec<String> {
    let found = window.ask_later(JUDGE).await;
    found.as_array().unwrap().iter().map(|what| what.as_str().unwrap().to_owned()).collect()
}

/// The source of axe-core, which `scripts/test` has fetched beside what is built.
pub(crate) fn axe() -> String {
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let path = target.join("axe/axe.min.js");
    fs::read_to_string(&path).unwrap_or_else(|_| {
        panic!("axe-core is not at {}: `scripts/test machine` fetches it", path.display())
    })
}
