//! A player who is reported to the staff of the house.

use cage::{
    Place, Tellers,
    people::report::{Kind, Listed, Wanted, list},
};
use protocol::id::UserId;

use crate::{
    accounts::{fits, picture},
    both_sit, house_with_a_table,
    made_up::resize,
    open,
    window::Window,
    without_bots,
};

/// Opens what one remembers of who sits there.
async fn about(window: &Window, seat: u8) {
    let press = format!(
        "const it = document.querySelector('[data-testid=note-{seat}]'); if (!it || it.hidden) return false; it.click(); return true"
    );
    window.until("the other sits", async || window.ask(&press).await == true).await;
    window.until("it is there", async || window.sees("note-text").await).await;
}

/// Reports who sits there, of the kind of this number.
async fn report(window: &Window, seat: u8, kind: &str, words: &str) {
    about(window, seat).await;
    window.press("note-report").await;
    window.until("it is asked what happened", async || window.sees("report-ok").await).await;
    let fill = format!(
        "document.querySelector('[name=kind][value={kind}]').click(); \
         document.querySelector('[data-testid=report-words]').value = '{words}'; return 0"
    );
    window.ask(&fill).await;
}

async fn told(window: &Window, words: &str) {
    let said = async || window.text("[data-testid=report-told]").await.contains(words);
    window.until(words, said).await;
}

async fn open_reports(people: std::path::PathBuf) -> Vec<Listed> {
    let opening = move || Tellers::open(&Place::FileBeside(people)).unwrap();
    let tellers = tokio::task::spawn_blocking(opening).await.unwrap();
    let nobody = UserId::new("nobody").unwrap();
    tellers.read(move |tx| list(tx, &Wanted::default(), &nobody, true, 100)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_is_reported_from_the_table_once_and_the_house_has_it() {
    let home = tempfile::tempdir().unwrap();
    let mut config = without_bots();
    config.data.folder = Some(home.path().into());
    let (url, _, _house) = open(config).await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open_in("ko-KR", 390, 844));
    resize(&bob, 390, 844).await;
    both_sit(&ann, &bob, &url).await;

    report(&ann, 3, "chat_abuse", "he said words").await;
    picture(&ann, "report").await;
    fits(&ann).await;
    ann.press("report-mute").await;
    ann.press("report-ok").await;
    told(&ann, "was received").await;
    ann.press("report-close").await;
    ann.until("it is closed", async || !ann.sees("report").await).await;
    report(&ann, 3, "name", "").await;
    assert!(!ann.sees("report-mute").await, "what he writes is hidden already");
    ann.press("report-ok").await;
    told(&ann, "already").await;
    picture(&ann, "report-known").await;
    ann.press("report-close").await;

    report(&bob, 0, "other", "").await;
    bob.press("report-ok").await;
    picture(&bob, "report-phone").await;
    fits(&bob).await;
    let wants = "return document.querySelector('[data-testid=report-words]').matches(':invalid')";
    assert_eq!(bob.ask(wants).await, true, "what is none of the others is told in words");
    bob.ask("document.querySelector('[data-testid=report-words]').value = '테이블을 두드립니다'; return 0")
        .await;
    bob.press("report-ok").await;
    told(&bob, "접수").await;
    fits(&bob).await;

    let filed = open_reports(home.path().join("people.db")).await;
    let said: Vec<_> = filed
        .iter()
        .map(|it| (&*it.reporter_nick, &*it.reported_nick, it.report.kind, &*it.report.words))
        .collect();
    assert_eq!(
        said,
        [
            ("Ann", "Bob", Kind::ChatAbuse, "he said words"),
            ("Bob", "Ann", Kind::Other, "테이블을 두드립니다")
        ]
    );
    assert!(filed.iter().all(|it| it.report.room.as_str() == "t1"));
    about(&ann, 3).await;
    let hidden = "return document.querySelector('[data-testid=note-mute]').checked";
    assert_eq!(ann.ask(hidden).await, true, "what he writes is hidden from now on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_keeps_nobody_offers_no_reports() {
    let (url, _house) = house_with_a_table().await;
    let (ann, bob) = tokio::join!(Window::open(1440, 900), Window::open(390, 844));
    both_sit(&ann, &bob, &url).await;
    about(&ann, 3).await;
    assert!(ann.sees("note-mute").await && !ann.sees("note-report").await);
}
