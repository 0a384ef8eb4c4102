//! What a player sees when the house is not heard.

use std::time::{Duration, Instant};

use crate::{address, forwarder::Forwarder, house_with_a_table, window::Window};

/// A busy machine is slow to look, and slow to draw.
const SLACK: Duration = Duration::from_secs(7);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pulled_cable_is_seen_within_two_seconds_and_play_goes_on_when_it_is_plugged_in() {
    let (url, _house) = house_with_a_table().await;
    let cable = Forwarder::to(address(&url)).await;
    let here = format!("http://{}/", cable.address());

    // Only Ann's cable is pulled; she has the button, and acts first.
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    let come = async |window: &Window, url: &str, name: &str, seat: u8| {
        window.enter(url, name).await;
        window.go_to_the_table().await;
        window.sit(seat).await
    };
    tokio::join!(come(&ann, &here, "Ann", 0), come(&bob, &url, "Bob", 3));
    ann.until("it is Ann's turn", async || {
        if bob.has_turn().await {
            bob.act(&["check", "call"]).await;
        }
        ann.has_turn().await
    })
    .await;
    let seconds = "[data-testid=seat-0] .seat-seconds";
    ann.until("the clock runs", async || ann.text(seconds).await.parse::<u64>().is_ok()).await;

    cable.hold(true);
    let pulled = Instant::now();
    let banner = "[data-testid=connection-banner]:not([hidden])";
    ann.until("the page says so", async || ann.text(banner).await.contains("No answer for")).await;
    assert!(pulled.elapsed() < Duration::from_secs(2) + SLACK, "after {:?}", pulled.elapsed());
    assert_eq!(ann.text(seconds).await, "?", "the clock does not pretend");
    let says = "return getComputedStyle(document.querySelector('[data-testid=action-call]:not([hidden]), \
                [data-testid=action-check]:not([hidden])'), '::after').content";
    assert_eq!(ann.ask(says).await, "\"waits for the house\"");
    assert!(ann.act(&["check", "call"]).await, "the choice can be made all the same");

    cable.hold(false);
    let plugged = Instant::now();
    ann.ask("dispatchEvent(new Event('online'))").await;
    ann.until("the choice has arrived", async || !ann.has_turn().await && bob.has_turn().await).await;
    assert!(plugged.elapsed() < Duration::from_secs(3) + SLACK, "after {:?}", plugged.elapsed());
    ann.online().await;
    ann.until("the page is content", async || ann.text(banner).await.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_alarm_of_the_device_is_over_with_the_next_answer() {
    let (url, _house) = house_with_a_table().await;
    let ann = Window::open(1440, 900).await;
    ann.enter(&url, "Ann").await;
    let states = "const badge = document.querySelector('[data-testid=connection]'); window.states = [badge.dataset.state]; \
                  new MutationObserver(() => states.push(badge.dataset.state)).observe(badge, { attributeFilter: ['data-state'] }); \
                  dispatchEvent(new Event('offline'));";
    ann.ask(states).await;
    ann.until("it is over", async || {
        let states = ann.ask("return states.join()").await;
        // A busy machine may be silent for a moment by itself, before or after.
        states.as_str().unwrap().contains("silent,online")
            && ann.connection().await.as_deref() == Some("online")
    })
    .await;
}
