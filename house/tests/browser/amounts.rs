//! How much: the amounts that are offered, the slider, the wheel, and big blinds as the unit.

use crate::{made_up::table, window::Window};

/// A turn of mine: from 2,500 to 12,480, the big blind is 100.
const MY_TURN: &str = "fakeHouse.show(scenes.betting({ seats: 6, turn: 1 })); fakeHouse.show(scenes.betting({ seats: 6 })); return 0";

async fn amount(window: &Window) -> String {
    window
        .ask("return document.querySelector('[data-testid=raise-amount]').value")
        .await
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_slider_goes_by_steps_and_the_wheel_by_big_blinds() {
    let (window, _house) = table().await;
    window.ask(MY_TURN).await;
    assert_eq!(amount(&window).await, "2500");
    let slide =
        "const it = document.querySelector('.raise-sizing [type=range]'); it.value = Number(it.value) + 1;
        it.dispatchEvent(new Event('input')); return it.max";
    let steps = window.ask(slide).await.as_str().unwrap().parse::<u32>().unwrap();
    assert!(steps < 100, "{steps} steps to all-in");
    let first = amount(&window).await.parse::<u32>().unwrap();
    assert!(first > 2_500 && first % 100 == 0, "{first}");

    window.ask(MY_TURN).await;
    let wheel = "document.querySelector('.raise-sizing')
        .dispatchEvent(new WheelEvent('wheel', { deltaY: -100, bubbles: true, cancelable: true })); return 0";
    window.ask(wheel).await;
    assert_eq!(amount(&window).await, "2700", "two notches");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amounts_are_the_players_own_and_counted_as_wished_and_what_is_sent_is_chips() {
    let (window, _house) = table().await;
    window.ask(MY_TURN).await;
    window.press("settings-open").await;
    window.until("the settings are there", async || window.sees("settings").await).await;
    let set = "document.querySelector('[name=inBlinds]').click();
        const field = document.querySelector('[name=sizes-turn]'); field.value = '40bb 50% hello';
        field.dispatchEvent(new Event('change')); const said = document.querySelector('[data-testid=sizes-said]').textContent;
        field.value = '40bb 50%'; field.dispatchEvent(new Event('change')); return said";
    assert_ne!(window.ask(set).await, "", "what is not understood is told");
    window.press("settings-ok").await;
    let offered = "return [...document.querySelectorAll('.raise-shortcuts button')].map((it) => it.textContent).join(', ')";
    assert!(window.ask(offered).await.as_str().unwrap().starts_with("40 BB, 50%, "));
    assert_eq!(amount(&window).await, "25");
    assert!(window.text("[data-testid=seat-2] .seat-stack").await.ends_with(" BB"));
    window.ask("document.querySelector('.raise-shortcuts button').click(); document.querySelector('[data-testid=action-raise]').click(); return 0").await;
    assert_eq!(window.ask("return fakeHouse.done.at(-1).to").await, 4_000);
}
