//! A house that is killed in the middle of a hand, as its players' windows see it.

use crate::{MY_CARDS, accounts::picture, both_sit, has_cards, play_on, process::House, window::Window};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_come_back_into_the_same_hand_when_the_house_was_killed_and_opened_again() {
    let home = tempfile::tempdir().unwrap();
    let flags = ["--turn-ms", "60000"];
    let house = House::open(home.path(), &flags);
    let address = house.address.to_string();
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    both_sit(&ann, &bob, &format!("http://{address}/")).await;
    ann.until("both have cards", async || has_cards(&ann).await && has_cards(&bob).await).await;
    ann.until("somebody is to act", async || ann.has_turn().await || bob.has_turn().await).await;
    let seen = async || {
        let stacks = "return [...document.querySelectorAll('.seat-stack')].map((it) => it.textContent)";
        (ann.hand().await, ann.text(MY_CARDS).await, bob.text(MY_CARDS).await, ann.ask(stacks).await)
    };
    let before = seen().await;

    drop(house);
    for window in [&ann, &bob] {
        let offline = async || window.connection().await.as_deref() != Some("online");
        window.until("it is offline", offline).await;
    }
    picture(&ann, "killed").await;
    let house = House::open(home.path(), &[flags.as_slice(), &["--listen", &address]].concat());
    assert!(house.said.iter().any(|line| line.contains("1 table went on")), "{:?}", house.said);
    for window in [&ann, &bob] {
        window.online().await;
        assert!(!window.sees("gone").await, "nothing is gone");
    }
    ann.until("somebody is to act", async || ann.has_turn().await || bob.has_turn().await).await;
    picture(&ann, "reopened").await;
    picture(&bob, "reopened-phone").await;
    assert_eq!(seen().await, before, "the same hand, cards and stacks");
    play_on(&ann, &bob).await;
    assert_eq!((ann.hand().await, bob.hand().await), (before.0, before.0), "it was the same hand");
}
