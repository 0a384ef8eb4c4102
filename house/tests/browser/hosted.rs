//! Tables that players open: opened, found by the link, entered, played at, and left because the host wants it.

use crate::{face_up, has_cards, house_with_a_table, play_on, window::Window};

/// Ann opens a table to which she lets in whom she likes; answers the link.
async fn ann_opens(ann: &Window, access: &str) -> String {
    ann_opens_with(ann, access, &[]).await
}

/// The same, with more fields filled in.
async fn ann_opens_with(ann: &Window, access: &str, more: &[(&str, &str)]) -> String {
    ann.press("open-own").await;
    ann.until("it asks what is played", async || ann.sees("open-table").await).await;
    let more: String = more.iter().map(|(name, value)| format!("set('{name}', '{value}'); ")).collect();
    let choose = format!(
        "const set = (name, value) => {{ const it = document.querySelector(`[data-testid=open-${{name}}]`); it.value = value; it.dispatchEvent(new Event('change')); }}; \
         set('name', 'Friday'); set('access', '{access}'); {more} return 0"
    );
    ann.ask(&choose).await;
    crate::accounts::picture(ann, &format!("open-{access}")).await;
    ann.press("open-ok").await;
    ann.until("the link is there", async || ann.sees("invite").await).await;
    let link = ann.ask("return document.querySelector('[data-testid=invite-link]').value").await;
    crate::accounts::picture(ann, &format!("invite-{access}")).await;
    ann.press("invite-done").await;
    link.as_str().unwrap().to_owned()
}

/// Somebody who comes by a link for the first time.
async fn comes(window: &Window, link: &str, name: &str) {
    window.go(link).await;
    window.give_name(name).await;
    window.until("the table is there", async || window.sees("host-bar").await).await;
}

async fn says(window: &Window, what: &str) -> bool {
    window.text("body").await.contains(what)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_friend_comes_by_the_link_is_let_in_plays_a_hand_and_is_removed() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    ann.enter(&url, "Ann").await;
    let link = ann_opens(&ann, "approve").await;
    assert!(link.contains("#t-") && !link.contains('?'), "{link}");
    ann.sit(0).await;

    comes(&bob, &link, "Bob").await;
    let closed = "return document.querySelector('[data-testid=sit-3]').disabled";
    assert_eq!(bob.ask(closed).await, true, "he may not sit yet");
    crate::accounts::picture(&bob, "knock").await;
    bob.press("knock").await;
    bob.until("he is told that he waits", async || says(&bob, "The host has been asked").await).await;
    ann.until("she is told", async || says(&ann, "Bob").await).await;
    crate::accounts::picture(&ann, "knocking").await;
    ann.press("approve").await;
    bob.until("he may sit", async || bob.sees("sit-1").await).await;
    bob.sit(1).await;
    ann.until("the hand begins", async || has_cards(&ann).await && has_cards(&bob).await).await;

    ann.press("host-menu").await;
    ann.until("the menu is there", async || ann.sees("host-dialog").await).await;
    crate::accounts::picture(&ann, "host-menu").await;
    ann.press("kick").await;
    assert!(has_cards(&bob).await, "he plays the hand to its end");
    play_on(&ann, &bob).await;
    bob.until("he has no seat any more", async || bob.sees("knock").await).await;

    ann.press("ledger-open").await;
    ann.until("the ledger is there", async || ann.sees("ledger").await).await;
    assert!(ann.text("[data-testid=ledger]").await.contains("Bob"));
    crate::accounts::picture(&ann, "ledger").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_the_link_with_the_code_may_sit_and_a_table_that_is_closed_is_gone() {
    let (url, _house) = house_with_a_table().await;
    let (ann, cyd) = tokio::join!(Window::open(390, 844), Window::open(1440, 900));
    ann.enter(&url, "Ann").await;
    let link = ann_opens(&ann, "code").await;
    let (without, _) = link.split_once('?').expect("the code is in it");
    let code = ann.ask("return localStorage.getItem(Object.keys(localStorage).find((key) => key.startsWith('cardhouse.code.')))").await;

    // By the code that was read aloud, and then by the whole link.
    comes(&cyd, without, "Cyd").await;
    let types = format!(
        "const it = document.querySelector('[data-testid=code]'); it.value = '{}'; it.form.requestSubmit(); return 0",
        code.as_str().unwrap().to_uppercase()
    );
    cyd.until("the door is there", async || cyd.sees("code").await).await;
    crate::accounts::picture(&cyd, "code").await;
    cyd.ask(&types).await;
    cyd.until("she may sit", async || cyd.sees("sit-2").await).await;
    cyd.sit(2).await;
    let dan = Window::open(390, 844).await;
    comes(&dan, &link, "Dan").await;
    dan.until("he may sit at once", async || dan.sees("sit-4").await).await;
    crate::accounts::picture(&dan, "let-in").await;

    ann.press("host-menu").await;
    ann.press("close-table").await;
    ann.press("close-ok").await;
    for window in [&ann, &cyd, &dan] {
        window.until("the table is gone", async || window.sees("lobby").await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_a_table_that_is_shown_late_is_told_so_and_sees_a_hand_when_it_is_due() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob, cyd) =
        tokio::join!(Window::open(1440, 900), Window::open(390, 844), Window::open(390, 844));
    ann.enter(&url, "Ann").await;
    let link = ann_opens_with(&ann, "unlisted", &[("rail", "10000")]).await;
    assert!(ann.sees("behind").await, "as long as she has no seat");
    ann.sit(0).await;
    ann.until("she sees it live", async || !ann.sees("behind").await).await;
    comes(&cyd, &link, "Cyd").await;
    comes(&bob, &link, "Bob").await;
    bob.sit(1).await;
    ann.until("the hand begins", async || has_cards(&ann).await && has_cards(&bob).await).await;
    bob.until("he sees it live", async || !bob.sees("behind").await).await;
    let late = cyd.text("[data-testid=behind]").await;
    assert!(late.contains("10"), "{late}");
    crate::accounts::picture(&cyd, "behind").await;
    cyd.until("she sees the hand", async || cyd.hand().await.is_some()).await;
    crate::accounts::picture(&cyd, "behind-hand").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_where_as_many_watch_as_may_is_told_so_and_sits_down_all_the_same() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob, cyd) =
        tokio::join!(Window::open(1440, 900), Window::open(390, 844), Window::open(390, 844));
    ann.enter(&url, "Ann").await;
    let link = ann_opens_with(&ann, "unlisted", &[("rail-most", "1")]).await;
    // The host is not counted, seat or no seat.
    comes(&bob, &link, "Bob").await;
    assert!(ann.sees("host-bar").await);
    cyd.go(&link).await;
    cyd.give_name("Cyd").await;
    cyd.until("she is told", async || cyd.sees("rail-full").await).await;
    crate::accounts::picture(&cyd, "rail-full").await;
    cyd.press("rail-full-watch").await;
    cyd.until("it is still so", async || cyd.sees("rail-full").await).await;
    cyd.press("rail-full-sit").await;
    cyd.until("she is asked what she brings", async || cyd.sees("sit-ok").await).await;
    cyd.press("sit-ok").await;
    cyd.until("she sees the table", async || cyd.sees("host-bar").await).await;
    ann.until("she sits there", async || says(&ann, "Cyd").await).await;

    // Bob goes, and Dan has his place.
    bob.go(&url).await;
    bob.until("he is in the lobby", async || bob.sees("lobby").await).await;
    let dan = Window::open(390, 844).await;
    comes(&dan, &link, "Dan").await;
    assert!(!dan.sees("rail-full").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_has_ai_players_come_who_are_marked_and_sends_them_away() {
    let (url, _house) = house_with_a_table().await;
    let ann = Window::open(390, 844).await;
    ann.enter(&url, "Ann").await;
    ann_opens(&ann, "approve").await;
    ann.press("host-menu").await;
    ann.until("she is told to sit down first", async || says(&ann, "Sit down first").await).await;
    ann.press("host-done").await;
    ann.sit(0).await;
    let marked =
        "return [...document.querySelectorAll('.bot-mark')].filter((it) => it.checkVisibility()).length";

    ann.press("host-menu").await;
    ann.until("the menu is there", async || ann.sees("ai-add").await).await;
    let choose = "document.querySelector('[data-testid=open-ai-count]').value = '2'; \
                  document.querySelector('[data-testid=open-ai-level]').value = 'easy'; return 0";
    ann.ask(choose).await;
    crate::accounts::picture(&ann, "ai-invite").await;
    ann.press("ai-add").await;
    ann.until("two sit down", async || ann.ask(marked).await == 2).await;
    ann.until("a hand begins", async || has_cards(&ann).await).await;
    crate::accounts::picture(&ann, "ai-players").await;

    ann.press("host-menu").await;
    ann.until("the menu is there", async || ann.sees("ai-remove-all").await).await;
    assert!(ann.text("[data-testid=host-ai]").await.contains(" easy"));
    crate::accounts::picture(&ann, "ai-menu").await;
    ann.press("ai-remove-all").await;
    ann.until("they go when the hand is over", async || ann.ask(marked).await == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_sees_all_cards_where_the_host_wants_it_when_the_hand_is_over_and_not_before() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob, cyd) =
        tokio::join!(Window::open(1440, 900), Window::open(390, 844), Window::open(1440, 900));
    ann.enter(&url, "Ann").await;
    let link = ann_opens_with(&ann, "unlisted", &[("rail-cards", "after_hand")]).await;
    comes(&cyd, &link, "Cyd").await;
    comes(&bob, &link, "Bob").await;
    assert!(bob.sees("rail-cards").await, "whoever sits down knows it");
    ann.sit(0).await;
    bob.sit(1).await;
    ann.until("the hand begins", async || has_cards(&ann).await && has_cards(&bob).await).await;
    cyd.until("she sees the hand", async || cyd.hand().await == ann.hand().await).await;
    assert!(!face_up(&cyd, 0).await && !face_up(&cyd, 1).await);
    // Nobody shows a card.
    cyd.until("one has folded, and she sees all cards", async || {
        for window in [&ann, &bob] {
            window.act(&["fold"]).await;
        }
        face_up(&cyd, 0).await && face_up(&cyd, 1).await
    })
    .await;
    crate::accounts::picture(&cyd, "rail-cards").await;
}
