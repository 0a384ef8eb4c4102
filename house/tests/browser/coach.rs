//! Asking the coach: an answer that grows, in a page that is loaded anew, is taken back, and is asked for in a hand in play.

use std::{collections::HashMap, path::Path};

use cage::{Place, Tellers, Tx, people::person};
use futures_util::{SinkExt as _, StreamExt as _};
use player::connect::{Dialer, Socket};
use protocol::{id::UserId, rights::Roles};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;
use tokio_websockets::Message;

use crate::{
    accessible::{axe, judged},
    accounts::{fits, picture},
    both_sit, has_cards,
    made_up::resize,
    open,
    window::Window,
    without_bots,
};

const PASSWORD: &str = "correct horse battery";

/// Somebody who answers: what he says, a test says.
struct Agent {
    socket: Socket,
    n: u64,
    /// What he has taken, by room, as it was told last.
    leases: HashMap<String, Vec<Value>>,
}

/// What he has taken.
struct Lease {
    room: String,
    job: Value,
    attempt: Value,
    text: String,
}

impl Agent {
    /// Makes an account, gets the role in the house's database, beside it, and is ready.
    async fn hired(window: &Window, url: &str, home: &Path) -> Self {
        let account = json!({ "handle": "coach", "password": PASSWORD, "nick": "Coach" });
        let made = ask(window, "/api/accounts", &account).await;
        let user = UserId::new(made["user"].as_str().unwrap()).unwrap();
        let place = Place::FileBeside(home.join("people.db"));
        let beside = tokio::task::spawn_blocking(move || Tellers::open(&place)).await.unwrap().unwrap();
        let set = move |tx: &mut dyn Tx| person::set_roles(tx, &user, Roles::AGENT.0);
        assert!(beside.write("x", set).await.unwrap());
        let who = json!({ "handle": "coach", "password": PASSWORD });
        let session = ask(window, "/api/sessions", &who).await;

        let dialer = Dialer::new(&format!("{}ws", url.replace("http", "ws"))).unwrap();
        let socket = dialer.dial(None).await.unwrap();
        let mut agent = Self { socket, n: 0, leases: HashMap::new() };
        agent.send(json!({ "t": "hello", "token": session["token"] })).await;
        for number in 0..4 {
            let room = format!("jobs-{number}");
            agent.send(json!({ "t": "watch", "room": room })).await;
            agent.says(&room, json!({ "a": "ready", "works": ["coach"], "most": 4 })).await;
        }
        agent
    }

    /// Says a command, and waits until it is done.
    async fn says(&mut self, room: &str, what: Value) {
        self.n += 1;
        self.send(json!({ "t": "do", "n": self.n, "room": room, "do": what })).await;
        loop {
            let told = self.hear().await;
            assert_ne!(told["t"], "refused", "{told}");
            if told["t"] == "ack" && told["n"] == self.n {
                return;
            }
        }
    }

    /// Says it of what he has taken.
    async fn of(&mut self, lease: &Lease, what: Value) {
        let mut what = what;
        (what["job"], what["attempt"]) = (lease.job.clone(), lease.attempt.clone());
        self.says(&lease.room, what).await;
    }

    async fn tells(&mut self, lease: &Lease, text: &str) {
        self.of(lease, json!({ "a": "tell", "text": text })).await;
    }

    /// Waits until he has taken what was asked in these words, for the `attempt`th time.
    async fn takes(&mut self, text: &str, attempt: u64) -> Lease {
        loop {
            let found = self.leases.iter().find_map(|(room, leases)| {
                let lease = leases.iter().find(|it| it["text"] == text && it["attempt"] == attempt)?;
                let (job, attempt) = (lease["job"].clone(), lease["attempt"].clone());
                Some(Lease { room: room.clone(), job, attempt, text: text.to_owned() })
            });
            if let Some(lease) = found {
                return lease;
            }
            self.hear().await;
        }
    }

    /// Waits until it is not his any more.
    async fn loses(&mut self, lease: &Lease) {
        while self.leases[&lease.room].iter().any(|it| it["job"] == lease.job) {
            self.hear().await;
        }
    }

    async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let told = self.socket.next().await.expect("the house is there").unwrap();
        let told: Value = serde_json::from_str(told.as_text().unwrap_or("null")).unwrap();
        if told["t"] == "private" {
            let leases = told["private"]["leases"].as_array().cloned().unwrap_or_default();
            self.leases.insert(told["room"].as_str().unwrap().to_owned(), leases);
        }
        told
    }
}

/// What reception answers.
async fn ask(window: &Window, path: &str, body: &Value) -> Value {
    window.be_patient().await;
    let script = format!(
        "const [done, body] = [arguments[0], {}]; \
         fetch('{path}', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, body: JSON.stringify(body) }}) \
             .then((answer) => answer.json()).then(done, (error) => done(String(error)));",
        body
    );
    window.ask_later(&script).await
}

/// A house that keeps people, with one table.
async fn house(home: &Path) -> (String, AbortOnDropHandle<()>) {
    let mut config = without_bots();
    config.data.folder = Some(home.into());
    // The agent says nothing while a browser takes its time.
    (config.floor.jobs_lease_ms, config.relay.idle_ms) = (600_000, 600_000);
    let (url, _, house) = open(config).await;
    (url, house)
}

/// Writes a question and sends it with the key for that.
async fn asks(window: &Window, text: &str) {
    window.see("coach-text").await.send_keys(&format!("{text}\u{e007}")).await.unwrap();
}

/// How each question stands: its step, what is said of it, and the answer.
async fn stands(window: &Window) -> Vec<(String, String, String)> {
    let script = "return [...document.querySelectorAll('[data-testid=coach-job]')].map((it) => \
                  [it.dataset.step, it.querySelector('.coach-step').textContent, it.querySelector('.coach-answer').textContent])";
    serde_json::from_value(window.ask(script).await).unwrap()
}

/// Waits until the last question stands like this.
async fn stands_at(window: &Window, step: &str, answer: &str) {
    let so = async || stands(window).await.last().is_some_and(|(is, _, said)| is == step && said == answer);
    window.until(&format!("{step}: {answer}"), so).await;
}

/// Opens the dialog.
async fn opens(window: &Window) {
    window.press("coach-open").await;
    window.see("coach-text").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_answered_piece_by_piece_and_its_answer_is_there_when_the_page_comes_again() {
    let home = tempfile::tempdir().unwrap();
    let (url, _house) = house(home.path()).await;
    let ann = Window::open(1440, 900).await;
    ann.enter(&url, "Ann").await;
    ann.online().await;
    assert!(!ann.sees("coach-open").await, "nobody answers");
    let mut coach = Agent::hired(&ann, &url, home.path()).await;
    // The page asks again in ten seconds, or when it comes anew.
    ann.reload().await;
    opens(&ann).await;
    picture(&ann, "coach-empty").await;

    asks(&ann, "Was that a fold?").await;
    let lease = coach.takes("Was that a fold?", 1).await;
    stands_at(&ann, "taken", "").await;
    coach.tells(&lease, "Let me see. <b>You had ").await;
    stands_at(&ann, "taken", "Let me see. <b>You had ").await;
    coach.tells(&lease, "nine\nouts</b>").await;
    stands_at(&ann, "taken", "Let me see. <b>You had nine\nouts</b>").await;
    assert_eq!(ann.text("[data-testid=coach-heard]").await, "", "nobody hears pieces");
    assert_eq!(ann.text(".coach-answer b").await, "", "it is text and nothing else");
    picture(&ann, "coach-grows").await;

    // Whoever answers fails: another one begins anew.
    coach.of(&lease, json!({ "a": "nack", "why": "it fails" })).await;
    stands_at(&ann, "anew", "").await;
    assert!(stands(&ann).await[0].1.contains("anew"));
    let lease = coach.takes(&lease.text, 2).await;
    coach.tells(&lease, "No: ").await;
    stands_at(&ann, "taken", "No: ").await;
    coach.of(&lease, json!({ "a": "done", "text": "call." })).await;
    stands_at(&ann, "done", "No: call.").await;
    assert_eq!(ann.text("[data-testid=coach-heard]").await, "The coach has answered: No: call.");
    assert_eq!(ann.text(".coach-foot .bot-mark").await, "said by a machine");

    // One that is stopped is gone, here and there.
    asks(&ann, "And on the river?").await;
    let lease = coach.takes("And on the river?", 1).await;
    coach.tells(&lease, "Well").await;
    stands_at(&ann, "taken", "Well").await;
    fits(&ann).await;
    let stop = "const it = [...document.querySelectorAll('[data-testid=coach-drop]')].at(-1); it.click(); return it.textContent";
    assert_eq!(ann.ask(stop).await, "Stop");
    coach.loses(&lease).await;
    stands_at(&ann, "done", "No: call.").await;

    // What is told while nobody looks is there afterwards.
    asks(&ann, "Why?").await;
    let lease = coach.takes("Why?", 1).await;
    coach.tells(&lease, "Because ").await;
    ann.reload().await;
    coach.tells(&lease, "of the odds").await;
    opens(&ann).await;
    stands_at(&ann, "taken", "Because of the odds").await;
    assert_eq!(stands(&ann).await.len(), 2);
    coach.of(&lease, json!({ "a": "reject", "why": "I do not know" })).await;
    stands_at(&ann, "failed", "").await;
    assert_eq!(stands(&ann).await[1].1, "No answer: I do not know");
    picture(&ann, "coach-failed").await;

    // Two wait at most, and who asks more is told why and keeps the words.
    for text in ["one", "two"] {
        asks(&ann, text).await;
        coach.takes(text, 1).await;
        stands_at(&ann, "taken", "").await;
    }
    asks(&ann, "three").await;
    ann.until("it is refused", async || {
        ann.text("[data-testid=coach-error]").await.contains("As many questions wait as may")
    })
    .await;
    assert_eq!(ann.ask("return document.querySelector('[data-testid=coach-text]').value").await, "three");
    picture(&ann, "coach-many").await;
    let forget = "document.querySelector('[data-testid=coach-drop]').click(); return 0";
    let before = stands(&ann).await.len();
    ann.ask(forget).await;
    ann.until("it is forgotten", async || stands(&ann).await.len() == before - 1).await;

    // Whoever has closed the dialog is told that there is an answer.
    ann.press("coach-close").await;
    let lease = coach.takes("two", 1).await;
    coach.of(&lease, json!({ "a": "done", "text": "Yes." })).await;
    ann.until("she is told", async || ann.text("[data-testid=toasts]").await.contains("has answered")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_cards_in_a_hand_in_play_is_not_advised_and_may_ask_when_it_is_over() {
    let home = tempfile::tempdir().unwrap();
    let (url, _house) = house(home.path()).await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open_in("ko-KR", 390, 844));
    resize(&bob, 390, 844).await;
    ann.go(&url).await;
    let mut coach = Agent::hired(&ann, &url, home.path()).await;
    both_sit(&ann, &bob, &url).await;
    ann.until("the hand begins", async || has_cards(&ann).await && has_cards(&bob).await).await;

    picture(&ann, "coach-table").await;
    opens(&ann).await;
    let is_off = "return document.querySelector('[data-testid=coach-ask]').disabled";
    assert_eq!(ann.ask(is_off).await, true);
    assert!(ann.text("[data-testid=coach-in-hand]").await.contains("no advice about a hand in play"));
    asks(&ann, "Do I fold?").await;
    picture(&ann, "coach-in-hand").await;
    // In the lobby and in another window, too.
    ann.press("coach-close").await;
    ann.open_tab().await;
    ann.go(&url).await;
    opens(&ann).await;
    ann.until("it is off here, too", async || ann.ask(is_off).await == true).await;
    ann.turn_to_tab(0).await;

    let panel = "document.querySelector('.only-narrow').click(); return 0";
    bob.ask(panel).await;
    opens(&bob).await;
    bob.until("he is told", async || bob.text("[data-testid=coach-in-hand]").await.contains("조언")).await;
    picture(&bob, "coach-in-hand-phone").await;
    fits(&bob).await;
    bob.press("coach-close").await;
    bob.ask(panel).await;
    ann.until("somebody folds", async || ann.act(&["fold"]).await || bob.act(&["fold"]).await).await;
    opens(&ann).await;
    ann.until("she may ask", async || ann.ask(is_off).await == false).await;
    assert_eq!(stands(&ann).await.len(), 0, "nothing was asked in the hand");

    bob.ask(panel).await;
    opens(&bob).await;
    bob.until("he may ask", async || bob.ask(is_off).await == false).await;
    let long = "이 핸드에서 리버의 콜은 옳았나요? 팟은 120이었고 상대는 60을 걸었습니다.";
    asks(&bob, long).await;
    let lease = coach.takes(long, 1).await;
    coach.tells(&lease, &"콜에는 25%의 승률이 필요합니다. ".repeat(20)).await;
    bob.until("there is something", async || {
        stands(&bob).await.last().is_some_and(|(_, _, said)| said.ends_with("필요합니다. "))
    })
    .await;
    picture(&bob, "coach-phone").await;
    fits(&bob).await;
    coach.of(&lease, json!({ "a": "done" })).await;
    bob.until("it is whole", async || {
        bob.text("[data-testid=coach-heard]").await.contains("코치가 답했습니다")
    })
    .await;
    picture(&bob, "coach-phone-done").await;
    // What is forgotten by the keyboard leaves nobody nowhere.
    bob.ask("document.querySelector('[data-testid=coach-drop]').focus(); return 0").await;
    bob.press("coach-drop").await;
    bob.until("it is gone", async || stands(&bob).await.is_empty()).await;
    let focus = "return document.activeElement.dataset.testid ?? ''";
    assert_eq!(bob.ask(focus).await, "coach-text");

    bob.press("coach-close").await;
    bob.ask("location.hash = '#/'; return 0").await;
    bob.see("coach-open").await;
    picture(&bob, "coach-lobby-phone").await;
    let wide = "return document.documentElement.scrollWidth > innerWidth";
    assert_eq!(bob.ask(wide).await, false, "no horizontal scroll");
}

/// Named as those that `scripts/test` leaves out where there is no axe-core.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_keeps_wcag_2_2_aa_where_the_coach_is_asked() {
    let home = tempfile::tempdir().unwrap();
    let (url, _house) = house(home.path()).await;
    let ann = Window::open(1440, 900).await;
    ann.go(&url).await;
    let mut coach = Agent::hired(&ann, &url, home.path()).await;
    ann.give_name("Ann").await;
    opens(&ann).await;
    for (text, last) in [
        ("Was that a fold?", json!({ "a": "done", "text": "No. ".repeat(400) })),
        ("Why?", json!({ "a": "reject", "why": "I do not know" })),
    ] {
        asks(&ann, text).await;
        let lease = coach.takes(text, 1).await;
        coach.of(&lease, last).await;
    }
    asks(&ann, "And now?").await;
    let lease = coach.takes("And now?", 1).await;
    coach.tells(&lease, "Well, ").await;
    stands_at(&ann, "taken", "Well, ").await;
    ann.ask(&axe()).await;
    let mut wrong = Vec::new();
    for theme in ["dark", "light"] {
        ann.ask(&format!("document.documentElement.dataset.theme = '{theme}'; return 0")).await;
        for (width, height) in [(320, 568), (390, 844), (844, 390), (1440, 900)] {
            resize(&ann, width, height).await;
            fits(&ann).await;
            picture(&ann, &format!("coach-{theme}-{width}")).await;
            let found = judged(&ann).await;
            wrong.extend(found.into_iter().map(|what| format!("{theme}, {width} by {height}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
