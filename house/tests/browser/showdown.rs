//! The end of a hand explains itself, and one's own hand has a name all the way there.

use crate::made_up::table;

/// The cards of the board that are lifted, and those of the seat.
const LIFTED: &str = "return [...document.querySelectorAll('.runs .counts, [data-testid=seat-1] .counts')]
    .map((card) => card.dataset.card).join(' ')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_winning_five_are_lifted_and_named_after_an_all_in_too() {
    let (window, _house) = table().await;
    // Nothing of the hands is told when they are shown: the board was not there yet.
    window.ask("fakeHouse.show(scenes.showdown({ seats: 3 })); return 0").await;
    assert_eq!(window.ask(LIFTED).await, "7h 7d Qc 2h 3c");
    let result = window.text("[data-testid=result]").await.replace(['\u{2068}', '\u{2069}'], "");
    assert_eq!(result, "Morgan and Wilhelmina share 24,000 with a full house, sevens over queens");
    assert!(
        window.text("[data-testid=log]").await.contains("Bo\u{2069} has a full house, sevens over queens")
    );
    assert_eq!(window.text("[data-testid=seat-2] .seat-badge").await, "Full house");

    window.ask("fakeHouse.show(scenes.betting({ seats: 3 })); return 0").await;
    assert_eq!(window.ask(LIFTED).await, "", "the next hand has not been won");
    assert_eq!(window.text("[data-testid=seat-0] .seat-badge").await, "Sevens and twos", "in my turn");
    window.ask("fakeHouse.show(scenes.betting({ seats: 3, turn: 1 })); return 0").await;
    window.ask("fakeHouse.happen([{ e: 'street', street: 'river', cards: ['2s'], run: 0 }]); return 0").await;
    assert_eq!(
        window.text("[data-testid=seat-0] .seat-badge").await,
        "Twos over sevens",
        "on the next street"
    );
}
