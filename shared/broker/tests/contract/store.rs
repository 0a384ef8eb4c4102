//! Promises of the store.

use broker::store::{AppendError, Stored};
use bytes::Bytes;
use protocol::id::Position;

use crate::setup::{House, room};

fn at(epoch: u64, seq: u64) -> Position {
    Position::new(epoch, seq)
}

fn entry(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn stored(epoch: u64, seq: u64, text: &str) -> Stored {
    Stored { at: at(epoch, seq), bytes: entry(text) }
}

async fn append(house: &House, epoch: u64, seq: u64, text: &str) -> Result<(), AppendError> {
    house.store.append(&room("t1"), at(epoch, seq), entry(text), None).await
}

async fn all(house: &House) -> Vec<Stored> {
    house.store.read(&room("t1"), None, 1_000).await.unwrap()
}

pub(crate) async fn an_entry_stands_at_exactly_its_position(house: House) {
    assert_eq!(all(&house).await, []);
    append(&house, 1, 0, "claim").await.unwrap();
    append(&house, 1, 1, "one").await.unwrap();
    // A hole is the owner's business, not the store's.
    append(&house, 7, u64::MAX - 1, "late").await.unwrap();
    let expected = [stored(1, 0, "claim"), stored(1, 1, "one"), stored(7, u64::MAX - 1, "late")];
    assert_eq!(all(&house).await, expected);
    assert_eq!(house.store.read(&room("t2"), None, 10).await.unwrap(), []);
}

pub(crate) async fn an_append_at_or_before_the_last_position_is_fenced_and_writes_nothing(house: House) {
    append(&house, 2, 5, "mine").await.unwrap();
    for (epoch, seq) in [(2, 5), (2, 4), (1, 900), (0, 0)] {
        assert_eq!(append(&house, epoch, seq, "theirs").await, Err(AppendError::Fenced), "{epoch}-{seq}");
    }
    // Nor does a fenced append drop anything.
    let fenced = house.store.append(&room("t1"), at(2, 5), entry("theirs"), Some(at(9, 0))).await;
    assert_eq!(fenced, Err(AppendError::Fenced));
    assert_eq!(all(&house).await, [stored(2, 5, "mine")]);
}

pub(crate) async fn the_fence_stands_after_the_journal_was_trimmed(house: House) {
    append(&house, 1, 1, "one").await.unwrap();
    house.store.append(&room("t1"), at(1, 2), entry("two"), Some(at(1, 3))).await.unwrap();
    assert_eq!(all(&house).await, []);
    assert_eq!(append(&house, 1, 2, "again").await, Err(AppendError::Fenced));
    append(&house, 1, 3, "three").await.unwrap();
}

pub(crate) async fn what_is_before_keep_from_is_dropped_with_the_append(house: House) {
    for seq in 1..=5 {
        append(&house, 1, seq, "x").await.unwrap();
    }
    house.store.append(&room("t1"), at(2, 0), entry("claim"), Some(at(1, 4))).await.unwrap();
    assert_eq!(all(&house).await, [stored(1, 4, "x"), stored(1, 5, "x"), stored(2, 0, "claim")]);
}

pub(crate) async fn reading_goes_on_after_a_position_up_to_a_limit(house: House) {
    for seq in 1..=5 {
        append(&house, 1, seq, "x").await.unwrap();
    }
    append(&house, 2, 0, "claim").await.unwrap();
    let t1 = room("t1");
    let read = |after, limit| house.store.read(&t1, after, limit);
    let found = read(Some(at(1, 3)), 10).await.unwrap();
    assert_eq!(found, [stored(1, 4, "x"), stored(1, 5, "x"), stored(2, 0, "claim")]);
    assert_eq!(read(Some(at(1, 3)), 1).await.unwrap(), [stored(1, 4, "x")]);
    assert_eq!(read(None, 2).await.unwrap(), [stored(1, 1, "x"), stored(1, 2, "x")]);
    // A position that is not there is one to go on after all the same.
    assert_eq!(read(Some(at(1, 77)), 10).await.unwrap(), [stored(2, 0, "claim")]);
    assert_eq!(read(Some(at(2, 0)), 10).await.unwrap(), []);
}

pub(crate) async fn reading_goes_back_before_a_position_up_to_a_limit(house: House) {
    assert_eq!(house.store.read_back(&room("t1"), None, 10).await.unwrap(), []);
    for seq in 1..=5 {
        append(&house, 1, seq, "x").await.unwrap();
    }
    append(&house, 2, 0, "claim").await.unwrap();
    let t1 = room("t1");
    let read = |before, limit| house.store.read_back(&t1, before, limit);
    assert_eq!(read(None, 2).await.unwrap(), [stored(2, 0, "claim"), stored(1, 5, "x")]);
    assert_eq!(read(Some(at(1, 3)), 10).await.unwrap(), [stored(1, 2, "x"), stored(1, 1, "x")]);
    assert_eq!(read(Some(at(1, 3)), 1).await.unwrap(), [stored(1, 2, "x")]);
    // A position that is not there is one to go back from all the same.
    assert_eq!(read(Some(at(1, 77)), 1).await.unwrap(), [stored(1, 5, "x")]);
    assert_eq!(read(Some(at(1, 1)), 10).await.unwrap(), []);
}

pub(crate) async fn the_last_entry_is_found_alone(house: House) {
    assert_eq!(house.store.last(&room("t1")).await.unwrap(), None);
    append(&house, 1, 9, "x").await.unwrap();
    append(&house, 2, 0, "claim").await.unwrap();
    assert_eq!(house.store.last(&room("t1")).await.unwrap(), Some(stored(2, 0, "claim")));
}

pub(crate) async fn of_two_contenders_for_an_epoch_one_wins(house: House) {
    for epoch in 1..=50 {
        let contenders: Vec<_> = (0..8)
            .map(|who| {
                let store = house.store.clone();
                let claim = entry(&format!("{who}"));
                tokio::spawn(async move {
                    let won = store.append(&room("t1"), at(epoch, 0), claim.clone(), None).await;
                    (claim, won)
                })
            })
            .collect();
        let mut winners = Vec::new();
        for contender in contenders {
            match contender.await.unwrap() {
                (claim, Ok(())) => winners.push(claim),
                (_, Err(error)) => assert_eq!(error, AppendError::Fenced),
            }
        }
        let last = house.store.last(&room("t1")).await.unwrap().unwrap();
        assert_eq!(winners, [last.bytes], "epoch {epoch}");
    }
}

pub(crate) async fn an_entry_of_any_bytes_and_size_comes_back(house: House) {
    let every_byte: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let entries =
        [Bytes::new(), Bytes::from_static(b"\r\n\0\xff"), every_byte.into(), vec![7; 2_000_000].into()];
    for (seq, entry) in (1..).zip(&entries) {
        house.store.append(&room("t1"), at(1, seq), entry.clone(), None).await.unwrap();
    }
    let found: Vec<Bytes> = all(&house).await.into_iter().map(|stored| stored.bytes).collect();
    assert!(found == entries);
    for (field, entry) in ["a", "b", "c", "d"].iter().zip(&entries) {
        house.store.map_set("ch:{m}:x", field, entry.clone()).await.unwrap();
        assert!(house.store.map_get("ch:{m}:x", field).await.unwrap().as_ref() == Some(entry));
    }
}

pub(crate) async fn maps_keep_fields_and_a_new_field_is_set_once(house: House) {
    const MAP: &str = "ch:{m}:x";
    let store = &house.store;
    assert_eq!(store.map_all(MAP).await.unwrap(), []);
    assert_eq!(store.map_get(MAP, "t1").await.unwrap(), None);
    assert!(store.map_set_new(MAP, "t2", entry("first")).await.unwrap());
    assert!(!store.map_set_new(MAP, "t2", entry("second")).await.unwrap());
    store.map_set(MAP, "t1", entry("a")).await.unwrap();
    store.map_set(MAP, "t1", entry("b")).await.unwrap();
    assert_eq!(store.map_get(MAP, "t1").await.unwrap(), Some(entry("b")));
    // In the order of the fields, whatever the adapter.
    assert_eq!(store.map_all(MAP).await.unwrap(), [("t1".into(), entry("b")), ("t2".into(), entry("first"))]);
    assert_eq!(store.map_fields(MAP).await.unwrap(), ["t1", "t2"]);
    assert_eq!(store.map_all("ch:{other}:x").await.unwrap(), []);
    assert!(store.map_fields("ch:{other}:x").await.unwrap().is_empty());
    store.map_remove(MAP, "t2").await.unwrap();
    store.map_remove(MAP, "nobody").await.unwrap();
    assert!(store.map_set_new(MAP, "t2", entry("third")).await.unwrap());
}

pub(crate) async fn a_journal_expires_and_its_name_begins_anew(house: House) {
    house.store.expire(&room("t1"), 1).await.unwrap();
    append(&house, 1, 0, "claim").await.unwrap();
    append(&house, 1, 1, "one").await.unwrap();
    house.store.expire(&room("t1"), 3_600).await.unwrap();
    house.store.expire(&room("t1"), 1).await.unwrap();
    // What is appended meanwhile does not keep it.
    append(&house, 1, 2, "two").await.unwrap();
    while !all(&house).await.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(house.store.last(&room("t1")).await.unwrap(), None);
    append(&house, 1, 1, "anew").await.unwrap();
    assert_eq!(all(&house).await, [stored(1, 1, "anew")]);
}

pub(crate) async fn who_extends_a_journal_that_is_gone_is_told_and_begins_none(house: House) {
    let t1 = room("t1");
    assert_eq!(house.store.extend(&t1, at(1, 1), entry("x"), None).await, Err(AppendError::Gone), "none yet");
    append(&house, 1, 0, "claim").await.unwrap();
    house.store.extend(&t1, at(1, 1), entry("one"), None).await.unwrap();
    assert_eq!(house.store.extend(&t1, at(1, 1), entry("again"), None).await, Err(AppendError::Fenced));
    // An empty journal is there all the same.
    house.store.extend(&t1, at(1, 2), entry("two"), Some(at(9, 0))).await.unwrap();
    house.store.extend(&t1, at(1, 3), entry("three"), None).await.unwrap();
    assert_eq!(all(&house).await, [stored(1, 3, "three")]);
    let generation = house.store.generation();
    house.lose_journal(&t1).await;
    for keep_from in [None, Some(at(1, 3))] {
        assert_eq!(house.store.extend(&t1, at(1, 4), entry("x"), keep_from).await, Err(AppendError::Gone));
    }
    assert_eq!(
        (all(&house).await, house.store.generation()),
        (vec![], generation),
        "nothing else tells of it"
    );
    append(&house, 2, 0, "claim").await.unwrap();
    house.store.extend(&t1, at(2, 4), entry("four"), None).await.unwrap();
    assert_eq!(all(&house).await, [stored(2, 0, "claim"), stored(2, 4, "four")]);
}

pub(crate) async fn a_store_that_says_no_has_written_nothing_and_says_why(house: House) {
    let t1 = room("t1");
    append(&house, 1, 0, "claim").await.unwrap();
    house.store.probe_writing().await.unwrap();
    house.refuse_writes(true);
    let refused = |result: Result<(), AppendError>| match result {
        Err(AppendError::Refused(why)) => assert!(why.contains("NOREPLICAS"), "{why}"),
        other => panic!("{other:?}"),
    };
    refused(append(&house, 1, 1, "x").await);
    refused(house.store.extend(&t1, at(1, 1), entry("x"), None).await);
    refused(house.store.probe_writing().await);
    assert!(house.store.map_set("ch:{m}:x", "t1", entry("a")).await.is_err());
    assert!(house.store.map_set_new("ch:{m}:x", "t1", entry("a")).await.is_err());
    // It reads.
    house.store.probe_reading().await.unwrap();
    assert_eq!(house.store.map_get("ch:{m}:x", "t1").await.unwrap(), None);
    assert_eq!(all(&house).await, [stored(1, 0, "claim")]);
    house.refuse_writes(false);
    house.store.probe_writing().await.unwrap();
    house.store.extend(&t1, at(1, 1), entry("one"), None).await.unwrap();
    assert_eq!(all(&house).await, [stored(1, 0, "claim"), stored(1, 1, "one")]);
}
