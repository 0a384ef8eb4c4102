//! An account's whole life at a window, and what somebody sees whose rights are taken in the middle of a hand.

use std::{path::Path, sync::Arc, time::Duration};

use broker::{
    ports::Ports,
    revocations::{Bearer, Revoker},
};
use cage::{
    Place, Tellers,
    people::refresh::{RefreshKey, RefreshKeys},
};
use protocol::id::{NodeId, UserId};
use reception::{People, database::Relays, passwords::Cost};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    Cluster, address, both_sit, has_cards, house_with_a_table, made_up::resize, open, play_on,
    window::Window, without_bots,
};

/// Reception as far as it keeps people, made up inside the page; tokens are the house's.
pub(crate) const RECEPTION: &str = include_str!("../../../web/tests/browser/fake-reception.js");

/// At once, on a busy machine; by itself a token is renewed after most of an hour.
const AT_ONCE: Duration = Duration::from_secs(60);

async fn window(width: u32, height: u32) -> Window {
    window_in("en-US", width, height).await
}

/// The same in a browser that wishes for this language.
async fn window_in(language: &str, width: u32, height: u32) -> Window {
    let window = Window::open_in(language, width, height).await;
    window.devtools("Page.enable", json!({})).await;
    window.before_each_page(RECEPTION).await;
    window.be_patient().await;
    // A window of a browser is never as narrow as a phone.
    resize(&window, width, height).await;
    window
}

/// Puts a text into a field.
pub(crate) async fn fill(window: &Window, testid: &str, text: &str) {
    let set = format!(
        "const it = document.querySelector('[data-testid={testid}]'); if (!it) return false; it.value = {}; return true",
        json!(text)
    );
    let is_filled = async || window.sees(testid).await && window.ask(&set).await == true;
    window.until(&format!("{testid} is filled in"), is_filled).await;
}

pub(crate) async fn says(window: &Window, testid: &str, words: &str) {
    let css = format!("[data-testid={testid}]");
    window.until(words, async || window.text(&css).await.contains(words)).await;
}

/// What reception was asked last.
async fn asked(window: &Window) -> String {
    let last =
        "const { method, path, bearer } = fakeReception.asked.at(-1); return `${method} ${path} ${bearer}`";
    window.ask(last).await.as_str().unwrap().to_owned()
}

pub(crate) async fn open_account(window: &Window) {
    window.press("me").await;
    window.press("who-account").await;
    window.until("the account is there", async || window.sees("account").await).await;
}

/// No words are cut off, nothing is wider than the window, and nothing is said that is no word.
pub(crate) async fn fits(window: &Window) {
    let wide = "const dialog = [...document.querySelectorAll('dialog[open]')].at(-1); \
                return document.documentElement.scrollWidth > innerWidth || dialog.scrollWidth > dialog.clientWidth \
                || [...dialog.querySelectorAll('.button')].some((it) => it.scrollWidth > it.clientWidth)";
    let text = window.text("dialog[open]").await;
    assert_eq!(window.ask(wide).await, false, "{text}");
    assert!(!text.contains("null") && !text.contains("undefined"), "{text}");
}

/// Keeps a picture of the window, if somebody wants to look at it: `CARDHOUSE_PICTURES` names a folder.
pub(crate) async fn picture(window: &Window, name: &str) {
    let Ok(folder) = std::env::var("CARDHOUSE_PICTURES") else { return };
    let shot = window.devtools("Page.captureScreenshot", json!({ "format": "png" })).await;
    let png =
        base64::Engine::decode(&base64::prelude::BASE64_STANDARD, shot["data"].as_str().unwrap()).unwrap();
    std::fs::write(format!("{folder}/{name}.png"), png).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_becomes_a_member_and_sees_to_everything_on_a_desk_and_on_a_phone() {
    let (url, _house) = house_with_a_table().await;
    let ann = window(1280, 900).await;
    ann.enter(&url, "Ann").await;
    ann.online().await;
    let user = "return JSON.parse(localStorage.getItem('cardhouse.guest'))";
    let before = ann.ask(user).await;
    assert_eq!(before["token"], json!(null), "no script can read what tokens are got with");

    open_account(&ann).await;
    picture(&ann, "guest").await;
    ann.press("account-up").await;
    fill(&ann, "field-handle", "taken").await;
    fill(&ann, "field-password", "password1").await;
    picture(&ann, "sign-up").await;
    fits(&ann).await;
    ann.press("sign-up").await;
    says(&ann, "sign-up-error", "Somebody else signs in with this name").await;
    fill(&ann, "field-handle", "ann").await;
    ann.press("sign-up").await;
    says(&ann, "sign-up-error", "Choose another password").await;
    fill(&ann, "field-password", "correct horse").await;
    ann.press("sign-up").await;
    ann.until("the dialogs are closed", async || !ann.sees("sign").await && !ann.sees("account").await).await;
    ann.online().await;
    let after = ann.ask(user).await;
    assert_eq!((&after["user"], &after["kind"]), (&before["user"], &json!("member")), "the same person");

    for (width, height, size) in [(1280, 900, "desk"), (390, 844, "phone")] {
        resize(&ann, width, height).await;
        open_account(&ann).await;
        says(&ann, "account", "You sign in as \u{2068}ann\u{2069}").await;
        for part in ["nick", "password", "devices", "limit", "away", "data", "delete"] {
            ann.press(&format!("open-{part}")).await;
        }
        ann.until("the devices are there", async || ann.sees("devices").await).await;
        says(&ann, "devices", "Firefox on Linux").await;
        says(&ann, "devices", "Chrome on Android").await;
        fits(&ann).await;
        picture(&ann, &format!("account-{size}")).await;
        let down = "document.querySelector('[data-testid=account]').scrollTo(0, 99999); return 0";
        ann.ask(down).await;
        picture(&ann, &format!("account-{size}-below")).await;
        ann.press("account-close").await;
    }

    open_account(&ann).await;
    ann.press("open-devices").await;
    ann.press("device-end").await;
    ann.until("it is gone", async || !ann.sees("device-end").await).await;
    ann.press("open-password").await;
    fill(&ann, "field-old", "wrong").await;
    let new = "document.querySelector('[data-testid=part-password] [name=password]').value = 'battery staple'; return 0";
    ann.ask(new).await;
    ann.press("password-ok").await;
    says(&ann, "password-ok-error", "The password is wrong").await;
    fill(&ann, "field-old", "correct horse").await;
    ann.press("password-ok").await;
    says(&ann, "password-done", "Your password is changed").await;
    ann.press("open-nick").await;
    fill(&ann, "field-nick", "Ann the Great").await;
    ann.press("nick-ok").await;
    says(&ann, "account", "Ann the Great").await;
    ann.press("open-nick").await;
    says(&ann, "part-nick", "It can be changed again on").await;
    ann.press("open-data").await;
    ann.press("data-ok").await;
    ann.until("it is asked for", async || asked(&ann).await == "GET /api/me/export true").await;
    ann.press("open-limit").await;
    let minutes = |count: u32| {
        format!("document.querySelector('[data-testid=field-minutes]').value = '{count}'; return 0")
    };
    ann.ask(&minutes(120)).await;
    ann.press("limit-ok").await;
    ann.until("it is drawn anew", async || !ann.sees("field-minutes").await).await;
    ann.press("open-limit").await;
    says(&ann, "part-limit", "You have used 0 minutes of 2 hours").await;
    ann.ask(&minutes(1440)).await;
    ann.press("limit-ok").await;
    ann.until("it is drawn anew", async || !ann.sees("field-minutes").await).await;
    ann.press("open-limit").await;
    says(&ann, "part-limit", "Asked for: no limit, from").await;
    picture(&ann, "limit").await;
    ann.press("open-away").await;
    ann.press("away-ok").await;
    assert_ne!(
        asked(&ann).await,
        "POST /api/me/self-exclusion true",
        "not before one has said that one knows"
    );
    ann.press("field-sure").await;
    ann.press("away-ok").await;
    says(&ann, "account", "You do not play until").await;
    picture(&ann, "away").await;

    ann.press("account-out").await;
    ann.until("a name is asked for", async || ann.sees("name-input").await).await;
    assert_eq!(ann.ask("return localStorage.getItem('cardhouse.guest')").await, json!(null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_an_account_signs_in_before_giving_a_name_and_may_delete_it() {
    let (url, _house) = house_with_a_table().await;
    let ann = window(390, 844).await;
    ann.go(&url).await;
    ann.until("a name is asked for", async || ann.sees("name-input").await).await;
    picture(&ann, "newcomer").await;
    ann.press("have-account").await;
    fill(&ann, "field-handle", "ann").await;
    fill(&ann, "field-password", "wrong").await;
    ann.press("sign-in").await;
    says(&ann, "sign-in-error", "Sign-in name or password is wrong").await;
    fits(&ann).await;
    picture(&ann, "sign-in").await;
    fill(&ann, "field-password", "correct horse").await;
    ann.press("sign-in").await;
    ann.until("the lobby is there", async || ann.sees("lobby-row").await).await;
    ann.online().await;

    open_account(&ann).await;
    ann.press("open-delete").await;
    let wrong =
        "document.querySelector('[data-testid=part-delete] [name=password]').value = 'wrong'; return 0";
    ann.ask(wrong).await;
    ann.press("delete-ok").await;
    says(&ann, "delete-ok-error", "The password is wrong").await;
    ann.ask(&wrong.replace("'wrong'", "'correct horse'")).await;
    ann.press("delete-ok").await;
    ann.until("a name is asked for", async || ann.sees("name-input").await).await;
}

/// Reception with a database, which tells the cluster's relays.
fn reception_with_people(cluster: &Cluster, folder: &Path) -> axum::Router {
    let node = NodeId::new("reception").unwrap();
    let ports = Ports {
        bus: Arc::new(cluster.bus.handle(&node)),
        store: Arc::new(cluster.store.handle(&node)),
        clock: cluster.clock,
    };
    let tellers = Tellers::open(&Place::File(folder.join("people.db"))).unwrap();
    let keys = RefreshKeys::new(RefreshKey::new([7; 32]), Vec::new());
    let relays = Arc::new(Relays(Revoker::new(ports, 3_600_000)));
    let people = People::new(tellers, keys, cluster.desk.clone(), Cost { memory_kib: 8, passes: 1 }, relays);
    reception::router_with_people(
        Arc::new(people),
        house::Config::defaults().tokens.api(Vec::new(), Vec::new()),
    )
}

/// Signs up, or in.
async fn sign(window: &Window, what: &str, handle: &str, password: &str) {
    fill(window, "field-handle", handle).await;
    fill(window, "field-password", password).await;
    window.press(&format!("sign-{what}")).await;
    window.until("the dialog is closed", async || !window.sees("sign").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_makes_an_account_in_the_middle_of_a_hand_and_ends_it_from_another_device() {
    let cluster = Cluster::start().await;
    let folder = tempfile::tempdir().unwrap();
    let relay = cluster.relay_before("relay-1", reception_with_people(&cluster, folder.path())).await;
    let url = format!("http://{}/", relay.address);
    let (ann, bob) = tokio::join!(Window::open(1280, 900), Window::open(1280, 900));
    both_sit(&ann, &bob, &url).await;
    ann.until("both have cards", async || has_cards(&ann).await && has_cards(&bob).await).await;
    let before = (ann.hand().await, ann.text(crate::MY_CARDS).await);

    open_account(&ann).await;
    ann.press("account-up").await;
    sign(&ann, "up", "ann", "correct horse battery").await;
    ann.online().await;
    assert_eq!((ann.hand().await, ann.text(crate::MY_CARDS).await), before, "the same seat, the same hand");
    play_on(&ann, &bob).await;

    ann.reload().await;
    ann.online().await;
    ann.until("the seat is there", async || ann.sees("seat-0").await).await;
    let phone = Window::open(390, 844).await;
    phone.go(&url).await;
    phone.press("have-account").await;
    sign(&phone, "in", "ann", "correct horse battery").await;
    phone.until("the lobby is there", async || phone.sees("lobby-row").await).await;
    open_account(&phone).await;
    says(&phone, "account", "You sign in as \u{2068}ann\u{2069}").await;
    phone.press("open-devices").await;
    says(&phone, "devices", "this device").await;
    phone.press("device-end").await;
    says(&ann, "connection-banner", "You were signed out").await;
    ann.press("try-now").await;
    ann.until("a name is asked for", async || ann.sees("name-input").await).await;
    phone.online().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_an_account_is_still_signed_in_when_the_house_was_closed_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = without_bots();
    config.data.folder = Some(folder.path().join("house"));
    let (url, closing, house) = open(config.clone()).await;
    let ann = Window::open(390, 844).await;
    ann.go(&url).await;
    ann.press("have-account").await;
    ann.press("sign-up-instead").await;
    fill(&ann, "field-nick", "Ann").await;
    sign(&ann, "up", "ann", "correct horse battery").await;
    ann.until("it is online", async || ann.connection().await.as_deref() == Some("online")).await;
    let who = "return JSON.parse(localStorage.getItem('cardhouse.guest')).user";
    let before = ann.ask(who).await;
    closing.cancel();
    house.await.unwrap();
    ann.until("it is not", async || ann.connection().await.as_deref() != Some("online")).await;

    config.listen = address(&url).into();
    let _house = open(config).await;
    ann.until("it is online", async || ann.connection().await.as_deref() == Some("online")).await;
    ann.reload().await;
    ann.until("it is online", async || ann.connection().await.as_deref() == Some("online")).await;
    open_account(&ann).await;
    says(&ann, "account", "You sign in as \u{2068}ann\u{2069}").await;
    assert_eq!(ann.ask(who).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_keeps_nobody_offers_nobody_to_sign_in() {
    let (url, _house) = house_with_a_table().await;
    let ann = Window::open(390, 844).await;
    ann.go(&url).await;
    let answered = "return performance.getEntriesByName(new URL('/api/house', location).href).some((it) => it.responseEnd > 0)";
    ann.until("the house has said so", async || ann.ask(answered).await == true).await;
    // What the page does with an answer it has done when it has heard another.
    ann.ask_later(
        "const done = arguments[0]; fetch('/api/house').then((it) => it.json()).then(() => setTimeout(done))",
    )
    .await;
    assert!(ann.sees("name-input").await && !ann.sees("have-account").await);
    ann.enter(&url, "Ann").await;
    ann.press("me").await;
    ann.until("one may be somebody else", async || ann.sees("who-other").await).await;
    assert!(!ann.sees("who-account").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_speak_korean_too_and_have_room_for_it_on_a_phone() {
    let (url, _house) = house_with_a_table().await;
    let ann = window_in("ko-KR", 390, 844).await;
    ann.before_each_page(include_str!("../../../web/tests/browser/foreign.js")).await;
    ann.enter(&url, "민지").await;
    open_account(&ann).await;
    ann.press("account-up").await;
    fill(&ann, "field-handle", "minji").await;
    fits(&ann).await;
    picture(&ann, "sign-up-korean").await;
    fill(&ann, "field-password", "correct horse").await;
    ann.press("sign-up").await;
    ann.until("the dialogs are closed", async || !ann.sees("sign").await && !ann.sees("account").await).await;
    open_account(&ann).await;
    for part in ["nick", "password", "devices", "away", "data", "delete"] {
        ann.press(&format!("open-{part}")).await;
    }
    says(&ann, "devices", "Linux의 Firefox").await;
    fits(&ann).await;
    picture(&ann, "account-korean").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_sets_a_password_once_and_leaves_no_trace_in_the_address() {
    let (url, _house) = house_with_a_table().await;
    let ann = window(390, 844).await;
    ann.go(&format!("{url}#password=l1nk")).await;
    fill(&ann, "field-password", "correct horse").await;
    assert_eq!(ann.ask("return location.hash").await, "#/");
    ann.press("link-ok").await;
    ann.until("one signs in", async || ann.sees("sign").await).await;
    let other = window(390, 844).await;
    other.go(&format!("{url}#password=used")).await;
    fill(&other, "field-password", "correct horse").await;
    other.press("link-ok").await;
    says(&other, "link-ok-error", "This link was used already").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_muted_in_a_hand_is_back_in_a_moment_and_whoever_is_banned_is_told_until_when_and_why() {
    let cluster = Cluster::start().await;
    let relay = cluster.relay("relay-1").await;
    let url = format!("http://{}/", relay.address);
    let (ann, bob) = tokio::join!(window(1280, 900), Window::open(1280, 900));
    both_sit(&ann, &bob, &url).await;
    ann.until("both have cards", async || has_cards(&ann).await && has_cards(&bob).await).await;
    let before = (ann.hand().await, ann.text(crate::MY_CARDS).await);
    let node = NodeId::new("reception").unwrap();
    let ports = Ports {
        bus: Arc::new(cluster.bus.handle(&node)),
        store: Arc::new(cluster.store.handle(&node)),
        clock: cluster.clock,
    };
    let revoker = Revoker::new(ports, 3_600_000);
    let user = ann.ask("return JSON.parse(localStorage.getItem('cardhouse.guest')).user").await;
    let bearer = Bearer { user: UserId::new(user.as_str().unwrap()).unwrap(), login: None };

    let refreshed = "return fakeReception.asked.filter(({ path }) => path === '/api/refresh').length";
    let (asked, since) = (ann.ask(refreshed).await.as_u64().unwrap(), Instant::now());
    revoker.revoke(std::slice::from_ref(&bearer)).await.unwrap();
    ann.until("it has asked for a new token", async || ann.ask(refreshed).await.as_u64().unwrap() > asked)
        .await;
    ann.online().await;
    assert!(since.elapsed() < AT_ONCE, "{:?}", since.elapsed());
    assert_eq!((ann.hand().await, ann.text(crate::MY_CARDS).await), before, "the same hand goes on");
    play_on(&ann, &bob).await;

    let ban = "fakeReception.state.refuses = [403, 'banned', { reason: 'he was rude', until_ms: 1893499200000 }]; \
               fakeReception.keep(); return 0";
    ann.ask(ban).await;
    revoker.revoke(&[bearer]).await.unwrap();
    says(&ann, "connection-banner", "until Jan 1, 2030").await;
    says(&ann, "connection-banner", "he was rude").await;
    picture(&ann, "banned").await;
    ann.until("it does not try on", async || ann.connection().await.as_deref() == Some("offline")).await;
    ann.press("try-now").await;
    says(&ann, "connection-banner", "he was rude").await;
    ann.ask("fakeReception.state.refuses = null; fakeReception.keep(); return 0").await;
    ann.press("try-now").await;
    ann.online().await;
    assert!(!ann.sees("gone").await, "the same person");
}
