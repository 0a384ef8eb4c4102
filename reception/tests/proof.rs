//! Files of hands show by themselves that they are what was played; and whoever changes one is found out.

mod support;

use std::{fs, sync::Arc, time::Duration};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use broker::clock::Clock;
use cage::{
    Place, Tellers, Tx,
    history::{self, NewHand},
    people::refresh::{RefreshKey, RefreshKeys},
};
use futures_util::TryStreamExt as _;
use hands::{
    HandRecord, Viewer,
    checkpoint::PURPOSE,
    record::Public,
    testing::{START_MS, any_hand, cards_in, may_see, unseen},
};
use protocol::id::{Position, RoomId, UserId};
use reception::{
    Desk, Keyring, People,
    archive::{ExportArgs, Exporter, Format as FileFormat},
    passwords::Cost,
    people::{FileAsked, Format, HandKeys},
    proof::verify::{Report, verify},
};
use serde_json::{Value, json};
use support::{Heard, ask, config};
use tokens::{KeySet, Signer};

/// A house that signs the hands of Ann, Bob and Cyd.
struct House {
    people: Arc<People>,
    router: axum::Router,
    users: Vec<UserId>,
    tokens: Vec<String>,
    names: RefreshKeys,
    folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tellers = Tellers::open(&Place::File(folder.path().join("cage.db"))).unwrap();
        let desk = Desk::new(Arc::new(Keyring::in_memory()), Clock::starting_at(START_MS), 600_000);
        let keys = || RefreshKeys::new(RefreshKey::new([7; 32]), Vec::new());
        let cost = Cost { memory_kib: 8, passes: 1 };
        let people = People::new(tellers, keys(), desk, cost, Arc::new(Heard::default()));
        let people = Arc::new(people.that_keeps_hands(true).with_hand_keys(HandKeys::in_memory()));
        let router = reception::router_with_people(people.clone(), config());
        let (mut users, mut tokens) = (Vec::new(), Vec::new());
        for name in ["Ann", "Bob", "Cyd"] {
            let guest = ask(&router, "POST", "/api/guest", &[], Some(json!({ "name": name }))).await;
            users.push(guest.text("user").parse().unwrap());
            tokens.push(guest.text("token"));
        }
        Self { people, router, users, tokens, names: keys(), folder }
    }

    /// Hands of these at a table, one behind the other.
    async fn played(&self, room: &str, users: &[UserId], count: u64, seed: u64) {
        let mut prev = [0; 32];
        let hand = |number: u64| {
            let record = any_hand(seed + number, number, prev, users);
            prev = record.hash;
            record
        };
        self.keep(room, (1..=count).map(hand).collect()).await;
    }

    async fn keep(&self, room: &str, records: Vec<HandRecord>) {
        let room = RoomId::new(room).unwrap();
        let new = |record: HandRecord| {
            let at = Position::new(1, record.number * 10);
            NewHand { room: room.clone(), at, record, late_ms: 0 }
        };
        let hands: Vec<NewHand> = records.into_iter().map(new).collect();
        let work = move |tx: &mut dyn Tx| hands.iter().try_for_each(|hand| history::keep(tx, hand).map(drop));
        self.people.tellers().write("hands", work).await.unwrap();
    }

    async fn sign(&self) -> u64 {
        self.people.sign_new_hands(Duration::ZERO).await.unwrap()
    }

    /// The file of one of them.
    async fn file_of(&self, player: usize) -> String {
        let caller = self.people.caller(&self.tokens[player]).await.unwrap();
        let period = history::Period { from_ms: 0, to_ms: u64::MAX };
        let asked = FileAsked { period, after: None, format: Format::Proof, most: 10_000, is_packed: false };
        let file = self.people.hand_file(&caller, asked).await.unwrap();
        let parts: Vec<bytes::Bytes> = file.bytes.try_collect().await.unwrap();
        String::from_utf8(parts.concat()).unwrap()
    }

    /// The files of all hands.
    async fn files(&self, format: FileFormat, hands_a_file: u32, to: &str) -> (u64, Vec<(String, String)>) {
        let to = self.folder.path().join(to);
        let keys = self.people.hand_keys().unwrap();
        let now = START_MS + 24 * 3_600_000;
        let exporter = Exporter { tellers: self.people.tellers(), names: &self.names, keys: &keys, now };
        let made = exporter.export(&ExportArgs { to: to.clone(), format, hands_a_file }).await.unwrap();
        let mut files: Vec<(String, String)> = fs::read_dir(to)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.file_name().unwrap() != "cursor.json")
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
            })
            .collect();
        files.sort();
        (made, files)
    }

    async fn all(&self) -> String {
        let (_, mut files) = self.files(FileFormat::Proof, 10_000, "proof").await;
        files.remove(0).1
    }
}

/// What is not fetched is not read, so a file of any size takes the memory of a page; and who goes away leaves nothing that goes on.
#[tokio::test]
async fn a_file_holds_a_page_of_hands_at_a_time_and_ends_with_who_fetches_it() {
    let house = House::new().await;
    house.played("t1", &house.users[..2], 450, 1).await;
    house.sign().await;
    let caller = house.people.caller(&house.tokens[0]).await.unwrap();
    let asked = |format| {
        let period = history::Period { from_ms: 0, to_ms: u64::MAX };
        house
            .people
            .hand_file(&caller, FileAsked { period, after: None, format, most: 10_000, is_packed: false })
    };
    let hands_in = |part: &bytes::Bytes| {
        str::from_utf8(part).unwrap().lines().filter(|line| line.contains("\"is\":\"hand\"")).count()
    };
    let mut whole = asked(Format::Proof).await.unwrap().bytes;
    let mut held = Vec::new();
    while let Some(part) = whole.try_next().await.unwrap() {
        held.push(hands_in(&part));
    }
    assert_eq!(held, [200, 200, 50]);

    // Who goes away in the midst of it may begin anew at once, and so he is known to be gone.
    let mut cut = asked(Format::Proof).await.unwrap().bytes;
    cut.try_next().await.unwrap().unwrap();
    assert!(asked(Format::Text).await.is_err(), "one at a time");
    drop(cut);
    let mut late = asked(Format::Proof).await.unwrap().bytes;
    assert_eq!(hands_in(&late.try_next().await.unwrap().unwrap()), 200);
    // What was not fetched was not read: it is gone meanwhile.
    let forget = |tx: &mut dyn Tx| history::forget(tx, u64::MAX, 1_000);
    assert_eq!(house.people.tellers().write("hands", forget).await.unwrap(), 450);
    while let Some(part) = late.try_next().await.unwrap() {
        assert_eq!(hands_in(&part), 0);
    }
}

fn verified(text: &str) -> Report {
    verify(text.as_bytes(), None).unwrap()
}

/// Lines of a file, each as what it is and its text.
fn lines(text: &str) -> Vec<(String, String)> {
    let is = |line: &str| serde_json::from_str::<Value>(line).unwrap()["is"].as_str().unwrap().to_owned();
    text.lines().map(|line| (is(line), line.to_owned())).collect()
}

fn text(lines: &[(String, String)]) -> String {
    lines.iter().map(|(_, line)| format!("{line}\n")).collect()
}

/// Where the hands stand.
fn hands(lines: &[(String, String)]) -> Vec<usize> {
    (0..lines.len()).filter(|at| lines[*at].0 == "hand").collect()
}

/// The same file with a change to one line.
fn with(lines: &[(String, String)], at: usize, change: impl Fn(&mut Value)) -> String {
    let mut lines = lines.to_vec();
    let mut value: Value = serde_json::from_str(&lines[at].1).unwrap();
    change(&mut value);
    lines[at].1 = value.to_string();
    text(&lines)
}

/// Something of this is said.
fn says(report: &Report, what: &str) -> bool {
    report.findings.iter().any(|finding| finding.contains(what))
}

#[tokio::test]
async fn a_file_shows_that_it_is_what_was_played() {
    let house = House::new().await;
    house.played("t1", &house.users[..2], 8, 1).await;
    house.played("t2", &house.users, 5, 50).await;
    assert_eq!((house.sign().await, house.sign().await), (1, 0), "what is signed is signed once");
    house.keep("t3", vec![any_hand(99, 1, [0; 32], &house.users)]).await;
    for player in [0, 2] {
        let report = verified(&house.file_of(player).await);
        assert_eq!(report.findings, Vec::<String>::new());
        let expected = if player == 0 { (14, 3, 13) } else { (6, 2, 5) };
        assert_eq!((report.hands, report.tables, report.signed), expected, "{:?}", report.notes);
    }
    assert_eq!(house.sign().await, 1);
    let report = verified(&house.all().await);
    assert_eq!(
        (report.findings.as_slice(), report.hands, report.tables, report.signed),
        (&[][..], 14, 3, 14)
    );
}

/// Neither among the cards nor in the bytes of which hashes are made.
#[tokio::test]
async fn a_file_tells_no_card_that_its_player_was_not_shown() {
    let house = House::new().await;
    let records: Vec<HandRecord> =
        (1..=30).map(|number| any_hand(number, number, [0; 32], &house.users)).collect();
    house.keep("t1", records.clone()).await;
    house.sign().await;
    let mut hidden = 0;
    for player in 0..3 {
        let file = house.file_of(player).await;
        let told = lines(&file).into_iter().filter(|(is, _)| is == "hand");
        for (record, (_, line)) in records.iter().zip(told) {
            let unseen = unseen(record, Viewer::User(&house.users[player]));
            hidden += unseen.len();
            assert!(cards_in(&line).is_disjoint(&unseen), "{line}");
            let line: Value = serde_json::from_str(&line).unwrap();
            let bytes = BASE64_STANDARD.decode(line["public"].as_str().unwrap()).unwrap();
            let public = Public::read(&bytes).unwrap().record([0; 32], [0; 32]);
            let shown = may_see(&public, Viewer::Integrity);
            assert!(shown.is_disjoint(&unseen), "{shown:?}");
        }
    }
    assert!(hidden > 50, "{hidden}");
}

/// Each by somebody who makes the hashes of the file right again as far as he can.
#[tokio::test]
async fn whatever_is_changed_left_out_or_moved_is_found_and_said() {
    let house = House::new().await;
    house.played("t1", &house.users[..2], 8, 1).await;
    house.sign().await;
    for file in [house.file_of(0).await, house.all().await] {
        let lines = lines(&file);
        let hands = hands(&lines);
        let is_of_all = file.contains("\"of\":\"all\"");

        // A row that was changed: a name, an amount, a card that was shown, a time.
        let changes: [fn(&mut Value); 5] = [
            |line| line["hand"]["players"][0]["name"] = json!("Dan"),
            |line| line["hand"]["players"][1]["stack"] = json!(9_999),
            |line| line["hand"]["pot"] = json!(1),
            |line| line["hand"]["ended_ms"] = json!(1),
            |line| line["hand"]["table"] = json!("Vegas"),
        ];
        for (number, change) in changes.iter().enumerate() {
            let report = verified(&with(&lines, hands[2], change));
            let what = if number == 4 { "is not what its checkpoint has signed" } else { "was changed" };
            assert!(says(&report, what), "{number}: {:?}", report.findings);
            assert!(says(&report, "Hand 3 of"), "{:?}", report.findings);
        }
        // What its hash was made of.
        let report = verified(&with(&lines, hands[2], |line| line["public"] = json!("AAAA")));
        assert!(says(&report, "was changed: it is not what its hash was made of"), "{:?}", report.findings);
        // Cards that not everybody saw.
        let own = |line: &mut Value| {
            let cards = line["cards"].as_array_mut().unwrap();
            let own = cards.iter_mut().find(|seat| seat.get("cards").is_some()).unwrap();
            own["cards"].as_array_mut().unwrap().reverse();
        };
        let report = verified(&with(&lines, hands[2], own));
        assert!(!report.is_right() && says(&report, "Hand 3 of"), "{:?}", report.findings);

        // A hand is missing.
        let mut without = lines.clone();
        without.remove(hands[4]);
        let report = verified(&text(&without));
        assert!(says(&report, "holds 7: one is missing"), "{:?}", report.findings);
        assert_eq!(
            says(&report, "hand 5 is missing: behind hand 4 comes 6"),
            is_of_all,
            "{:?}",
            report.findings
        );

        // Two have changed places.
        let mut swapped = lines.clone();
        swapped.swap(hands[5], hands[6]);
        let report = verified(&text(&swapped));
        assert!(says(&report, "stands behind hand 7: the order was changed"), "{:?}", report.findings);

        // The end, or the beginning, is missing.
        let report = verified(&text(&lines[..lines.len() - 1]));
        assert!(says(&report, "The file has no end"), "{:?}", report.findings);
        assert!(verify(text(&lines[1..]).as_bytes(), None).is_err());
    }
}

#[tokio::test]
async fn a_forged_checkpoint_is_found() {
    let house = House::new().await;
    house.played("t1", &house.users[..2], 4, 1).await;
    house.sign().await;
    let file = house.all().await;
    let lines = lines(&file);
    let at = lines.iter().position(|(is, _)| is == "checkpoint").unwrap();

    // Other words under the signature.
    let report = verified(&with(&lines, at, |line| {
        let stated = line["stated"].as_str().unwrap();
        let [head, body, signature] = stated.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let mut said: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
        said["root"] = json!("00".repeat(32));
        let body = BASE64_URL_SAFE_NO_PAD.encode(said.to_string());
        line["stated"] = json!(format!("{head}.{body}.{signature}"));
    }));
    assert!(
        says(&report, "Checkpoint 1 is forged: its signature is not the house's"),
        "{:?}",
        report.findings
    );

    // A whole house beside the house: it signs what it likes, and is consistent in itself.
    let other = House::new().await;
    other.played("t1", &other.users[..2], 4, 7).await;
    other.sign().await;
    let forged = other.all().await;
    assert!(verified(&forged).is_right(), "by its own keys it is");
    let jwks = String::from_utf8(house.people.jwks().to_vec()).unwrap();
    let trusted = KeySet::from_json_for(PURPOSE, &jwks).unwrap();
    assert!(verify(file.as_bytes(), Some(&trusted)).unwrap().is_right());
    let report = verify(forged.as_bytes(), Some(&trusted)).unwrap();
    assert!(says(&report, "signed by a key that is not among those that you trust"), "{:?}", report.findings);

    // Keys of tokens sign no hands.
    assert!(KeySet::from_json(&jwks).unwrap().kids().all(|kid| trusted.kids().all(|other| other != kid)));
}

/// Whoever rewrites the database, signature and all, cannot rewrite what somebody has kept.
#[tokio::test]
async fn what_is_written_anew_after_it_was_signed_is_not_what_was_signed() {
    let house = House::new().await;
    house.played("t1", &house.users[..2], 3, 1).await;
    house.sign().await;
    let listed = ask(&house.router, "GET", "/api/history/checkpoints", &[], None).await;
    assert_eq!((listed.status, &listed.headers["cache-control"]), (200, &"no-store".parse().unwrap()));
    for wrong in ["limit=0", "limit=1001", "after=-1", "before=1"] {
        let path = format!("/api/history/checkpoints?{wrong}");
        assert_eq!(
            ask(&house.router, "GET", &path, &[], None).await.refusal(),
            (400, "bad_request"),
            "{wrong}"
        );
    }
    let none = ask(&house.router, "GET", "/api/history/checkpoints?after=1", &[], None).await.body;
    assert_eq!(none["checkpoints"], json!([]));
    let listed = listed.body;
    let [checkpoint] = &listed["checkpoints"].as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!((&checkpoint["n"], &checkpoint["hands"]), (&json!(1), &json!(3)));
    let keys = KeySet::from_json_for(PURPOSE, &json!({ "keys": listed["keys"] }).to_string()).unwrap();
    let stated =
        keys.stated::<Value>("cardhouse.checkpoint", checkpoint["stated"].as_str().unwrap()).unwrap();
    assert_eq!(stated.0["root"], checkpoint["root"]);
    // The database itself refuses to change it; somebody who can drop its guards changes a card that nobody saw.
    let change = |tx: &mut dyn Tx| {
        let refused = tx.run("UPDATE checkpoint SET stated = 'other'", &[]).is_err();
        assert!(refused);
        Ok(())
    };
    assert!(house.people.tellers().write("hands", change).await.is_ok());
    let work = |tx: &mut dyn Tx| {
        tx.run("DROP TRIGGER hand_stays", &[])?;
        let rows = tx.run("SELECT record FROM hand WHERE seq = 20", &[])?;
        let mut record = HandRecord::read(rows[0].bytes(0)?).unwrap();
        let mut dealt: Vec<_> = record
            .events
            .iter_mut()
            .filter_map(|(_, event)| match event {
                holdem::Event::HoleDealt { cards, .. } => Some(cards),
                _ => None,
            })
            .collect();
        let (first, second) = (*dealt[0], *dealt[1]);
        (*dealt[0], *dealt[1]) = (second, first);
        assert!(record.is_whole(), "its hash binds no card that was not shown");
        tx.run("UPDATE hand SET record = $1 WHERE seq = 20", &[record.write().as_slice().into()])
    };
    house.people.tellers().write("hands", work).await.unwrap();
    let report = verified(&house.file_of(0).await);
    assert!(
        says(&report, "is not what its checkpoint has signed") || says(&report, "told otherwise"),
        "{report:?}"
    );
}

#[tokio::test]
async fn keys_that_are_replaced_are_told_for_ever() {
    let house = House::new().await;
    house.played("t1", &house.users[..2], 1, 1).await;
    house.sign().await;
    let kid = house.people.hand_keys().unwrap().signing_kid().to_owned();
    let jwks: Value = serde_json::from_slice(&house.people.jwks()).unwrap();
    let published = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    assert_eq!(published["use"], PURPOSE);
    let (_, keys) = house.people.checkpoints(0, 10).await.unwrap();
    assert!(keys.kids().any(|of| of == kid));
    assert_eq!(keys.stated::<Value>("cardhouse.checkpoint", &Signer::generate().state("x", &1)).ok(), None);
}

#[tokio::test]
async fn hands_go_into_files_of_which_each_is_made_once_and_the_last_until_it_is_full() {
    let house = House::new().await;
    house.played("t1", &house.users[..2], 7, 1).await;
    for format in [FileFormat::Jsonl, FileFormat::Phh] {
        let folder = format!("{format:?}");
        let (made, first) = house.files(format, 3, &folder).await;
        assert_eq!((made, first.len()), (7, 3));
        assert_eq!(house.files(format, 3, &folder).await, (1, first.clone()), "the last one is made again");
        for user in &house.users {
            assert!(first.iter().all(|(_, text)| !text.contains(user.as_str())), "{user} is named");
        }
        assert!(first.iter().all(|(_, text)| !text.contains("Nick") && !text.contains("t1.1-")), "{first:?}");
    }
    let mut later = any_hand(50, 1, [0; 32], &house.users);
    later.ended_ms += 60_000;
    house.keep("t2", vec![later]).await;
    let (made, files) = house.files(FileFormat::Jsonl, 3, "Jsonl").await;
    assert_eq!(made, 2, "the last file has one more");
    let hands: usize = files.iter().map(|(_, text)| text.lines().count()).sum();
    assert!(hands == 8 && files.iter().all(|(name, _)| name.ends_with(".jsonl")), "{hands}");
    // Another form in the same folder would have other hands under the same numbers.
    let args = ExportArgs { to: house.folder.path().join("Jsonl"), format: FileFormat::Phh, hands_a_file: 3 };
    let keys = house.people.hand_keys().unwrap();
    let exporter =
        Exporter { tellers: house.people.tellers(), names: &house.names, keys: &keys, now: START_MS };
    assert!(exporter.export(&args).await.is_err());
}
