//! What a table tells of its chips is what the document says.

use money::holdings::{Holdings, Question};

const DOCUMENT: &str = include_str!("../../../../docs/protocol.md");

#[test]
fn the_document_shows_what_a_table_tells_of_its_chips() {
    let (_, rest) = DOCUMENT.split_once("```json chips\n").expect("there is an example");
    let (example, _) = rest.split_once("```").unwrap();
    let told: serde_json::Value = serde_json::from_str(example).unwrap();
    let read: Holdings = serde_json::from_str(example).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), told, "nothing is left out");
    assert_eq!(serde_json::to_string(&Question::of_chips()).unwrap(), r#"{"about":"chips"}"#);
    for other in
        [r#"{"about":"seats"}"#, r#"{"about":"chips","x":1}"#, r#"{"about":"chips","about":"chips"}"#, "{}"]
    {
        let question = serde_json::from_str::<Question>(other);
        assert!(!question.is_ok_and(|question| question.is_of_chips()), "{other}");
    }
}
