//! What is said at a table.

use crate::{both_sit, house_with_a_table, window::Window};

const LAST: &str = "[data-testid=chat] p:last-child";

/// What the last line looks like, its mark included.
async fn last_line(window: &Window) -> String {
    let line = "return document.querySelector('[data-testid=chat] p:last-child')?.innerText ?? ''";
    window.ask(line).await.as_str().unwrap().to_owned()
}

async fn says(window: &Window, text: &str) {
    let script = format!(
        "const input = document.querySelector('[data-testid=chat-input]'); input.value = '{text}'; \
         input.form.requestSubmit(); return 0"
    );
    window.ask(&script).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sits_and_who_watches_talk_at_a_table_and_whoever_comes_sees_what_was_said() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    both_sit(&ann, &bob, &url).await;
    says(&ann, "good luck").await;
    bob.until("he hears it", async || bob.text(LAST).await.contains("good luck")).await;
    assert!(!last_line(&bob).await.contains("watching"), "she has a seat");
    says(&bob, "you too").await;
    ann.until("she hears it", async || ann.text(LAST).await.contains("you too")).await;

    let eve = Window::open(390, 844).await;
    eve.enter(&url, "Ann").await;
    eve.go_to_the_table().await;
    eve.until("she sees what was said before", async || eve.text(LAST).await.contains("you too")).await;
    let lines = "return document.querySelectorAll('[data-testid=chat] p').length";
    assert_eq!(eve.ask(lines).await, 2);
    says(&eve, "I am Ann").await;
    for window in [&ann, &bob, &eve] {
        window.until("all hear it", async || window.text(LAST).await.contains("I am Ann")).await;
    }
    let said = last_line(&ann).await;
    assert!(said.starts_with("Ann 2") && said.contains("watching"), "nobody takes her for Ann: {said}");

    // The page that comes again tells it once.
    ann.reload().await;
    ann.until("it is all there", async || ann.ask(lines).await == 3).await;
}
