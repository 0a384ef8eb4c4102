//! What is told of a hand, field by field.

use hands::{
    Name, Seen, Viewer,
    testing::hand,
    told::{About, Money, files, frames, json},
};
use holdem::phh::{Replay, document::parse_all};
use protocol::id::UserId;
use serde_json::{Value, json};

fn name() -> Name {
    "t1.1-20".parse().unwrap()
}

/// The hand of ann and bob, as ann saw it: both check it down.
fn seen() -> Seen {
    Seen::of(&hand(7, [0; 32]), Viewer::User(&UserId::new("ann").unwrap()))
}

#[test]
fn as_json_it_has_all_that_a_page_needs() {
    let name = name();
    let about = About { name: &name, money: Money::NOBODYS, is_void: true };
    let told = json::hand(&seen(), about);
    for (field, value) in [
        ("id", json!("t1.1-20")),
        ("room", json!("t1")),
        ("number", json!(7)),
        ("table", json!("Reno")),
        ("seats", json!(6)),
        ("game", json!("nlhe 1/2")),
        ("variant", json!("holdem")),
        ("limit", json!("no_limit")),
        ("small_blind", json!(1)),
        ("big_blind", json!(2)),
        ("currency", Value::Null),
        ("digits", json!(0)),
        ("started_ms", json!(1_700_000_007_000_u64)),
        ("ended_ms", json!(1_700_000_007_900_u64)),
        ("void", json!(true)),
        ("button", json!(0)),
        ("you", json!(0)),
        ("pot", json!(4)),
        ("rake", json!(0)),
    ] {
        assert_eq!(told[field], value, "{field}");
    }
    let [ann, bob] = &told["players"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!((&ann["user"], &ann["name"], &ann["stack"]), (&json!("ann"), &json!("Ann"), &json!(200)));
    assert_eq!(told["net"], ann["net"]);
    assert_eq!(ann["net"].as_i64().unwrap(), -bob["net"].as_i64().unwrap());
    assert_eq!(told["boards"][0].as_array().unwrap().len(), 5);
    let events = told["events"].as_array().unwrap();
    let words: Vec<&str> = events.iter().map(|event| event["e"].as_str().unwrap()).collect();
    assert_eq!(words[..5], ["posted", "posted", "dealt", "dealt", "acted"]);
    assert_eq!(words.iter().filter(|word| **word == "street").count(), 3);
    assert!(words.contains(&"won"), "{words:?}");
    let call = &events[4];
    assert_eq!(
        (&call["kind"], &call["amount"], &call["to"], &call["all_in"]),
        (&json!("call"), &json!(1), &json!(2), &json!(false))
    );
    let line = json::line(&seen(), about);
    let (all, some) = (told.as_object().unwrap(), line.as_object().unwrap());
    assert!(some.iter().all(|(field, value)| all[field] == *value));
    let left_out: Vec<_> = all.keys().filter(|field| !some.contains_key(*field)).collect();
    assert_eq!(left_out, ["events", "hash", "prev"]);
}

#[test]
fn as_its_table_told_it_there_is_a_step_for_all_that_one_looks_at() {
    let name = name();
    let about = About { name: &name, money: Money::NOBODYS, is_void: false };
    let told = frames::frames(&seen(), about);
    let line = json::line(&seen(), about);
    assert!(line.as_object().unwrap().iter().all(|(field, value)| told[field] == *value));
    assert_eq!(told["viewer"], "ann");
    let steps = told["steps"].as_array().unwrap();
    let words = |step: &Value| -> String {
        let messages = step["messages"].as_array().unwrap();
        let events = messages.iter().filter_map(|message| message["events"].as_array()).flatten();
        let words = events.map(|event| event["e"].as_str().unwrap()).filter(|word| *word != "collected");
        words.collect::<Vec<_>>().join(" ")
    };
    let all: Vec<String> = steps.iter().map(words).collect();
    let (end, course) = all.split_last().unwrap();
    assert!(end.starts_with("shown ") && end.ends_with(" won hand_ended"), "{end}");
    let street = ["street turn", "acted turn", "acted"];
    let expected = [
        &["", "hand_started posted posted dealt turn", "acted turn", "acted"][..],
        &street,
        &street,
        &street,
    ];
    assert_eq!(course, expected.concat());
    assert_eq!(steps[0]["messages"][0]["t"], "keyframe");
    let own = &steps[1]["messages"][1];
    assert_eq!((&own["t"], own["private"]["cards"].as_array().unwrap().len()), (&json!("private"), 2));
    let hidden = frames::frames(&seen().without_names(|_| true), about);
    assert_eq!((&hidden["viewer"], &hidden["steps"][1]), (&json!("p1"), &told["steps"][1]));
}

#[test]
fn what_is_told_as_phh_is_read_and_played_again() {
    let name = name();
    let real = About { name: &name, money: Money::Real { digits: 2 }, is_void: false };
    let mut euro = seen();
    euro.currency = Some("EUR".into());
    let text = files::phh(&euro, real).to_string();
    let record = parse_all(&text).unwrap().remove(0).unwrap();
    assert_eq!(record.to_string(), text);
    let replay = Replay::of(&record).unwrap();
    assert!(replay.hand.ended());
    for (field, value) in [
        ("players", "['Bob', 'Ann']"),
        ("table", "'Reno'"),
        ("currency", "'EUR'"),
        ("seat_count", "6"),
        ("hand", "7"),
        ("day", "14"),
        ("month", "11"),
        ("year", "2023"),
        ("time", "22:13:27"),
        ("time_zone", "'UTC'"),
        ("_id", "'t1.1-20'"),
    ] {
        let told = record.other.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str());
        assert_eq!(told, Some(value), "{field} in {text}");
    }
    assert!(text.contains("blinds_or_straddles = [0.01, 0.02]"), "{text}");
    assert!(!text.contains("_void"), "{text}");
    let void = About { is_void: true, money: Money::NOBODYS, ..real };
    let text = files::phh(&euro, void).to_string();
    assert!(text.contains("_void = true") && text.contains("currency = 'XPM'"), "{text}");
}

#[test]
fn as_open_hand_history_and_text_it_says_when_and_where() {
    let name = name();
    let about = About { name: &name, money: Money::NOBODYS, is_void: false };
    let told: Value = serde_json::from_str(&files::ohh(&seen(), about)).unwrap();
    let told = &told["ohh"];
    assert_eq!(told["game_number"], "t1.1-20");
    assert_eq!(told["start_date_utc"], "2023-11-14T22:13:27Z");
    assert_eq!((&told["table_name"], &told["table_size"]), (&json!("Reno"), &json!(6)));
    assert_eq!((&told["currency"], &told["hero_player_id"]), (&json!("XPM"), &json!(0)));
    let text = files::text(&seen(), about);
    assert!(
        text.starts_with("Hand t1.1-20: No-limit hold'em 1/2 XPM\nTable Reno, 2023-11-14T22:13:27Z, "),
        "{text}"
    );
    assert!(text.contains("Ann is dealt "), "{text}");
}
