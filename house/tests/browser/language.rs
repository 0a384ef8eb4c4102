//! The page in the languages that it speaks.

use serde_json::{Value, json};

use crate::{
    made_up::{reload, resize, table_in},
    window::Window,
};

/// Notes whatever is shown in another language than Korean, from the page's first element on.
const WATCH: &str = "
    window.flashed = new Set();
    new MutationObserver(() => {
        if (document.body) for (const text of foreign('ko')) flashed.add(text);
    }).observe(document, { childList: true, characterData: true, subtree: true });
";

/// A lobby with a table of each kind.
const LOBBY: &str = "
    const row = { room: 'r1', kind: 'table', name: 'Birch', small_blind: 1, big_blind: 2, seats: 6, taken: 6, average_pot: 31, hands_per_hour: 92,
        buy_in_min: 80, buy_in_max: 400, waiting: 2 };
    const games = ['NL Hold\\'em', 'PL Hold\\'em', 'PL Omaha', 'PL Omaha 5', 'PL Omaha 6', 'NL Short Deck'];
    fakeHouse.tell({ t: 'lobby', tables: games.map((game, at) => ({ ...row, room: `r${at}`, game })) });
    return document.querySelectorAll('[data-testid=lobby-row]').length;
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_speaks_the_browsers_language_from_its_first_word_on() {
    let (window, _house) = table_in("ko-KR").await;
    assert_eq!(window.ask("return document.documentElement.lang").await, "ko");
    assert_eq!(window.ask(LOBBY).await, 0, "what the page has not asked for it does not take");
    window.before_each_page(WATCH).await;
    window.ask("localStorage.clear(); sessionStorage.clear(); location.hash = '#/'; return 0").await;
    window.reload().await;
    window.give_name("Morgan").await;
    window.until("the lobby is there", async || window.ask(LOBBY).await == 6).await;
    assert_eq!(window.ask("return [...flashed]").await, json!([]), "never in another language");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_said_is_said_in_one_language_and_in_another_as_soon_as_it_is_chosen() {
    let (window, _house) = table_in("ko-KR").await;
    show(&window, "betting").await;
    show(&window, "showdown").await;
    for (chosen, said) in [("en", "has a full house"), ("ko", "풀하우스")] {
        choose(&window, chosen).await;
        assert_eq!(window.ask("return document.documentElement.lang").await, chosen);
        assert!(window.text("[data-testid=log]").await.contains(said), "old lines too");
        for scene in ["betting", "showdown", "alone"] {
            show(&window, scene).await;
            assert_eq!(foreign(&window).await, json!([]), "{scene} in {chosen}");
        }
        for (opens, shown) in [("settings-open", "settings-ok"), ("keys-open", "keys-ok")] {
            window.press(opens).await;
            window.until("the dialog is there", async || window.sees(shown).await).await;
            assert_eq!(foreign(&window).await, json!([]), "{opens} in {chosen}");
        }
        window.ask("document.querySelectorAll('dialog').forEach((it) => it.close()); return 0").await;
        window.ask("location.hash = '#/'; return 0").await;
        window.until("the lobby is there", async || window.ask(LOBBY).await == 6).await;
        assert_eq!(foreign(&window).await, json!([]), "the lobby in {chosen}");
        window.ask("location.hash = '#/table/t1'; return 0").await;
        window.until("the table is there", async || window.sees("table").await).await;
    }
    choose(&window, "en").await;
    reload(&window).await;
    assert_eq!(window.ask("return document.documentElement.lang").await, "en", "it is kept");

    let planted = "document.querySelector('.table-foot').append('폴드'); \
                   document.querySelector('.table-foot').setAttribute('aria-label', '내 자리'); return foreign()";
    assert_eq!(
        window.ask(planted).await,
        json!(["내 자리", "폴드"]),
        "the judge sees what is not of the language"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_choice_of_a_language_stands_wherever_no_table_is() {
    let (window, _house) = table_in("ko-KR").await;
    for (width, height) in [(320, 568), (390, 844), (844, 390), (1440, 900)] {
        resize(&window, width, height).await;
        window.ask("location.hash = '#/'; return 0").await;
        window.until("the choice is there", async || window.sees("language").await).await;
        let wide = "return document.documentElement.scrollWidth - innerWidth";
        assert_eq!(window.ask(wide).await, 0, "{width} by {height} scrolls sideways");
    }
    window.ask("localStorage.clear(); sessionStorage.clear(); return 0").await;
    window.reload().await;
    window.until("a name is asked for", async || window.sees("name-ok").await).await;
    let choices = "return document.querySelectorAll('dialog [data-testid=language] option').length";
    assert_eq!(window.ask(choices).await, 2);
    assert_eq!(window.text("dialog h2").await, "Cardhouse에 오신 것을 환영합니다");
    choose(&window, "en").await;
    assert_eq!(window.text("dialog h2").await, "Welcome to Cardhouse");
    let chosen = "return [...document.querySelectorAll('[data-testid=language]')].map(({ value }) => value)";
    assert_eq!(window.ask(chosen).await, json!(["en", "en"]), "each choice shows what was chosen at another");
}

async fn show(window: &Window, scene: &str) {
    window.ask(&format!("fakeHouse.show(scenes.{scene}({{ seats: 6 }})); return 0")).await;
}

async fn choose(window: &Window, language: &str) {
    let script = format!(
        "const choice = document.querySelector('[data-testid=language]');
         choice.value = '{language}'; choice.dispatchEvent(new Event('change')); return 0"
    );
    window.ask(&script).await;
}

async fn foreign(window: &Window) -> Value {
    window.ask("return foreign()").await
}
