//! A house that says more than the page knows: the page skips it, and goes on.

use crate::{both_sit, house_with_a_table, play_on, window::Window};

/// Has each message of the house pass `alter(message)`, which answers what the page hears instead, and counts the sockets.
const HOUSE: &str = "
    const RealSocket = WebSocket;
    window.sockets = 0;
    window.WebSocket = class extends RealSocket {
        constructor(...args) {
            super(...args);
            sockets += 1;
        }
        set onmessage(hears) {
            super.onmessage = ({ data }) => alter(JSON.parse(data)).forEach((said) => hears({ data: JSON.stringify(said) }));
        }
    };
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_messages_events_and_fields_do_not_keep_anybody_from_playing() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(1440, 900));
    let more = "const news = { e: 'news', seat: 77 };
        window.alter = (said) => [
            { t: 'news', room: said.room, epoch: 99, seq: 99 },
            said.t === 'frame' ? { ...said, news, events: [news, ...said.events.map((event) => ({ ...event, news })), news] } : { ...said, news },
        ];";
    ann.before_each_page(&format!("{more} {HOUSE}")).await;
    both_sit(&ann, &bob, &url).await;
    play_on(&ann, &bob).await;
    assert_eq!(ann.hand().await, bob.hand().await);
    assert_eq!(ann.ask("return sockets").await, 1, "it was never a reason to reconnect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_of_an_unknown_kind_is_said_to_be_one() {
    let (url, _house) = house_with_a_table().await;
    let ann = Window::open(390, 844).await;
    let other = "window.alter = (said) => [said.t === 'keyframe' ? { ...said, kind: 'tournament', state: { entries: 12 } } : said];";
    ann.before_each_page(&format!("{other} {HOUSE}")).await;
    ann.enter(&url, "Ann").await;
    ann.go_to_the_table().await;
    let says = "This page cannot show a room of kind tournament.";
    ann.until("it says so", async || ann.text(".table-notice:not([hidden])").await.contains(says)).await;
    assert_eq!(ann.ask("return sockets").await, 1);
}
