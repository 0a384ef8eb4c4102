//! Chips for who has none left, or wants more.

use crate::{made_up::table, window::Window};

async fn done(window: &Window) -> String {
    let said = "return fakeHouse.done.map((it) => it.a + (it.amount ? ' ' + it.amount : '')).join(', ')";
    window.ask(said).await.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_lost_all_and_brings_chips_is_dealt_in_with_the_last_buy_in() {
    let (window, _house) = table().await;
    let lost = "
        const scene = scenes.alone({ seats: 6 });
        Object.assign(scene.state.seats[0], { stack: 0, status: 'sitting_out' });
        fakeHouse.show(scene); return 0";
    for bring in ["8000", ""] {
        window.ask(lost).await;
        window.press("top-up").await;
        window.until("it asks how many", async || window.sees("buy-in").await).await;
        let set = format!(
            "const it = document.querySelector('[data-testid=buy-in]'); it.value = '{bring}' || it.value; return 0"
        );
        window.ask(&set).await;
        window.press("sit-ok").await;
        window
            .until("both are asked for", async || window.ask("return fakeHouse.done.length").await == 2)
            .await;
        assert_eq!(done(&window).await, "top_up 8000, come_back", "the second time it is proposed");
        window.ask("fakeHouse.done.splice(0); return 0").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_top_up_in_a_hand_stands_at_the_seat_until_it_comes() {
    let (window, _house) = table().await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 6 })); return 0").await;
    window.ask("fakeHouse.happen([{ e: 'top_up_promised', seat: 0, amount: 320 }]); return 0").await;
    let stack = "[data-testid=seat-0] .seat-stack";
    assert_eq!(window.text(stack).await, "12,480 +320");
    assert!(window.text(".table-status").await.contains("+320 after this hand"));
}
