//! Running it twice: who is all-in is asked on how many boards the rest shall be dealt, or has set the answer.

use crate::{made_up::table, window::Window};

/// Two are all-in before the flop, I am one of them, and both are asked.
const ASKED: &str = "const state = scenes.table({ seats: 3 });
    scenes.deal(state, { street: 'preflop', boards: [[]], pots: [{ amount: 25000, seats: [0, 1] }] });
    state.hand.hand = 1017 + (window.hands = (window.hands ?? 0) + 1);
    state.seats[0] = { ...state.seats[0], stack: 0, shown: ['Kc', 'Ks'] };
    state.seats[1] = { ...state.seats[1], shown: ['Ah', '3h'] };
    state.seats[2] = { ...state.seats[2], folded: true };
    fakeHouse.show({ state, own: { hand: state.hand.hand, cards: ['Kc', 'Ks'] },
      events: [{ e: 'runs_offered', max: 2, seats: [0, 1], deadline_ms: Date.now() + 10000 }] });
    return state.hand.hand";

/// What the page has answered, and clears it.
const ANSWERS: &str = "return fakeHouse.done.splice(0).filter((it) => it.a === 'runs')";

async fn set(window: &Window, runs: &str) {
    window
        .ask(&format!(
            "localStorage['cardhouse.settings'] = '{{\"runs\":\"{runs}\"}}'; dispatchEvent(new StorageEvent('storage')); return 0"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_all_in_says_on_how_many_boards_the_rest_is_dealt() {
    let (window, _house) = table().await;
    let hand = window.ask(ASKED).await;
    assert!(window.sees("runs-1").await && window.sees("runs-2").await);
    assert!(!window.sees("runs-3").await, "no more than this table has");
    window.ask("document.querySelector('[data-testid=runs-2]').click(); return 0").await;
    assert_eq!(window.ask(ANSWERS).await, serde_json::json!([{"a": "runs", "hand": hand, "boards": 2}]));
    window.ask("fakeHouse.happen([{ e: 'runs_voted', seat: 0, boards: 2 }]); return 0").await;
    assert!(!window.sees("runs-2").await, "it is said");
    window
        .ask(
            "fakeHouse.happen([{ e: 'runs_voted', seat: 1, boards: 2 }, { e: 'runs_agreed', boards: 2 },
               { e: 'street', street: 'flop', cards: ['2h', '9h', 'Kd'], run: 0 }, { e: 'street', street: 'flop', cards: ['2c', '9c', 'Kh'], run: 1 }]);
             return 0",
        )
        .await;
    let boards = "return [...document.querySelectorAll('.runs .run')].map((run) => run.querySelectorAll('[data-card]').length)";
    assert_eq!(window.ask(boards).await, serde_json::json!([3, 3]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_answers_as_the_player_has_set_it_once_a_hand() {
    let (window, _house) = table().await;
    for (runs, boards) in [("twice", 2), ("once", 1)] {
        set(&window, runs).await;
        // What happens while the page catches up is left to the player.
        window.ask("window.at ??= performance.now(); performance.now = () => window.at; return 0").await;
        let hand = window.ask(ASKED).await;
        window.ask("window.at += 10000; return 0").await;
        window.ask("fakeHouse.happen([{ e: 'away', seat: 2, away: true }]); return 0").await;
        window.ask("fakeHouse.happen([{ e: 'away', seat: 2, away: false }]); return 0").await;
        assert_eq!(
            window.ask(ANSWERS).await,
            serde_json::json!([{"a": "runs", "hand": hand, "boards": boards}])
        );
    }
    set(&window, "ask").await;
    window.ask(ASKED).await;
    assert_eq!(window.ask(ANSWERS).await, serde_json::json!([]));
}
