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

/// Two are all-in on the flop, and all is face up: my kings and a flush draw.
const RUN_OUT: &str = "const state = scenes.table({ seats: 3 });
    scenes.deal(state, { street: 'flop', boards: [['2h', '9h', 'Kd']], pots: [{ amount: 25000, seats: [0, 1] }] });
    state.seats[0] = { ...state.seats[0], stack: 0, shown: ['Kc', 'Ks'] };
    state.seats[1] = { ...state.seats[1], shown: ['Ah', '3h'] };
    state.seats[2] = { ...state.seats[2], folded: true };
    fakeHouse.show({ state, own: { hand: 1017, cards: ['Kc', 'Ks'] } }); return 0";

/// What the badges say, and the parts of a hundred that they name.
const WORTH: &str = "return [0, 1, 2].map((seat) => document.querySelector(`[data-testid=seat-${seat}] .seat-badge`).textContent)";

const LOADED: &str =
    "return performance.getEntriesByType('resource').some(({ name }) => name.includes('/equity-'))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hands_that_are_face_up_say_what_they_are_worth_while_cards_come() {
    let (window, _house) = table().await;
    window.ask("fakeHouse.show(scenes.betting({ seats: 3 })); return 0").await;
    assert_eq!(window.ask(LOADED).await, false, "nobody needs it before");
    window.ask(RUN_OUT).await;
    let says = async |worth: [&str; 3]| window.ask(WORTH).await == serde_json::json!(worth);
    window.until("it is said", async || says(["74% · Three kings", "26% · A high", ""]).await).await;
    window.ask("fakeHouse.happen([{ e: 'street', street: 'turn', cards: ['9c'], run: 0 }]); return 0").await;
    window
        .until("as the board is", async || says(["100% · Kings over nines", "0% · Pair of 9s", ""]).await)
        .await;
    assert!(
        window.text("[data-testid=seat-0]").await.contains("100%")
            && window
                .ask("return document.querySelector('[data-testid=seat-0]').ariaLabel.includes('wins 100% on average')")
                .await
                == true,
        "it is heard too"
    );
    window.ask("localStorage['cardhouse.settings'] = '{\"equity\":false}'; dispatchEvent(new StorageEvent('storage')); return 0").await;
    assert!(says(["Kings over nines", "Pair of 9s", ""]).await, "if the player wants to know");
}
