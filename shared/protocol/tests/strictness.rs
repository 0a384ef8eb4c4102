//! Clients' messages are read as `docs/protocol.md` says: every example, changed in every way, is taken only where the document
//! allows it.

use std::collections::BTreeMap;

use protocol::{
    BadMessage, ClientIn,
    table::{TableCommand, TableQuestion},
    testing::mutations::{Does, cases},
};

/// What the house does, as far as that follows from reading alone.
fn does(text: &str) -> Does {
    match ClientIn::read(text) {
        Ok(ClientIn::Do { what, .. }) => match TableCommand::read(what.get()) {
            Ok(_) => Does::Takes,
            Err(_) => Does::BadCommand,
        },
        Ok(ClientIn::Ask { q, .. }) => match TableQuestion::read(q.get()) {
            Ok(_) => Does::Takes,
            Err(_) => Does::BadQuestion,
        },
        Ok(_) => Does::Takes,
        Err(BadMessage::NoMessage) => Does::Closes,
        Err(BadMessage::Unknown(_)) => Does::UnknownMessage,
        Err(BadMessage::Unfit { .. }) => Does::BadMessage,
        Err(BadMessage::Command { .. }) => Does::BadCommand,
        Err(BadMessage::Question { .. }) => Does::BadQuestion,
    }
}

#[test]
fn every_change_of_an_example_is_refused_unless_the_document_allows_it() {
    let mut counts: BTreeMap<Does, usize> = BTreeMap::new();
    for case in cases() {
        assert_eq!(does(&case.text), case.expected, "{}, {}: {}", case.kind, case.change, case.text);
        *counts.entry(case.expected).or_default() += 1;
    }
    println!("{counts:?}");
    assert_eq!(counts.len(), 6, "{counts:?}");
    assert!(counts.values().sum::<usize>() > 400, "{counts:?}");
}

#[test]
fn a_reading_that_lets_too_much_in_is_found_out() {
    // Serde's own, for one: it takes arrays, and unknown fields of what has none.
    #[derive(serde::Deserialize)]
    #[serde(tag = "a", rename_all = "snake_case", deny_unknown_fields)]
    enum Lax {
        Leave,
    }
    let lax = |text: &str| serde_json::from_str::<Lax>(text).is_ok_and(|Lax::Leave| true);
    let leaves: Vec<_> = cases().into_iter().filter(|case| case.kind == "do leave").collect();
    let inner = |text: &str| text.split_once(r#""do":"#).unwrap().1.strip_suffix('}').unwrap().to_owned();
    let let_in = leaves.iter().filter(|case| case.expected != Does::Takes && lax(&inner(&case.text))).count();
    assert!(let_in >= 2, "{let_in}");
}
