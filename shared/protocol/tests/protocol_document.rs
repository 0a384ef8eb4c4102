//! `docs/protocol.md` says what the types say: each example is read as its type and comes back the same, and nothing is
//! left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use protocol::{
    ClientIn, ClientOut, ErrorCode, RefusalCode,
    client_out::NoticeCode,
    floor::{FloorAnswer, FloorCommand, FloorPrivate, FloorQuestion},
    hosted::{HostCommand, HostedAnswer, HostedQuestion},
    jobs::{JobsAnswer, JobsCommand, JobsPrivate, JobsQuestion},
    queue::{QueueCommand, QueuePrivate, QueueView},
    table::{
        BlindKind, LegalView, SeatStatus, TableAnswer, TableCommand, TableEvent, TablePrivate, TableQuestion,
        TableView,
    },
    talk::{TalkCommand, TalkEvent, TalkView},
    tournament::{TournamentAnswer, TournamentCommand, TournamentEvent, TournamentQuestion, TournamentView},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Deserializer, Value};

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");
const RECEPTION: &str = include_str!("../../../reception/src/error.rs");
const CODES: &str = include_str!("../src/code.rs");

/// The examples of a kind: the JSON values of all code blocks that begin with "```json KIND".
fn examples(kind: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for block in DOCUMENT.split("```json ").skip(1) {
        let (name, rest) = block.split_once('\n').unwrap();
        let (text, _) = rest.split_once("```").expect("a block ends");
        if name == kind {
            let values = Deserializer::from_str(text).into_iter::<Value>();
            found.extend(values.map(|value| value.unwrap_or_else(|error| panic!("{error} in {text}"))));
        }
    }
    assert!(!found.is_empty(), "no examples of {kind}");
    found
}

/// Reads a value as `T` and asks that it comes back: so no field of it is unknown and none is left out.
fn reads_as<T: DeserializeOwned + Serialize>(value: &Value) -> T {
    let text = value.to_string();
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let again = without_nulls(serde_json::to_value(&read).unwrap());
    assert_eq!(again, without_nulls(value.clone()), "written again, it differs");
    read
}

/// A field that is null and a field that is not there are the same to this protocol.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, without_nulls(v))).collect()
        }
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// The names of an enum's variants, from what serde says about a name that is none.
fn variants<T: DeserializeOwned + Debug>(wrong: &str) -> BTreeSet<String> {
    let error = serde_json::from_str::<T>(wrong).unwrap_err().to_string();
    let (_, expected) = error.split_once("expected ").unwrap_or_else(|| panic!("{error}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Each kind has an example.
fn all_shown(tag: &str, examples: &[Value], defined: &BTreeSet<String>) {
    let shown: BTreeSet<String> =
        examples.iter().map(|value| value[tag].as_str().unwrap().to_owned()).collect();
    assert_eq!(shown, *defined, "shown against defined");
}

/// What clients send is read strictly, so that nothing of an example can be lost in silence.
fn comes_back(read: &impl Serialize, example: &Value) {
    assert_eq!(without_nulls(serde_json::to_value(read).unwrap()), without_nulls(example.clone()));
}

fn reads_as_question(text: &str) {
    let question = TableQuestion::read(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    comes_back(&question, &serde_json::from_str(text).unwrap());
}

fn reads_as_command(text: &str) {
    let command = TableCommand::read(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    comes_back(&command, &serde_json::from_str(text).unwrap());
}

/// The first cells of the table whose head begins with `head`.
fn table(head: &str) -> BTreeSet<String> {
    let (_, rest) = DOCUMENT.split_once(&format!("| {head} |")).unwrap_or_else(|| panic!("no table {head}"));
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').nth(1).unwrap().trim().trim_matches('`').to_owned()).collect()
}

#[test]
fn every_message_of_a_client_is_shown() {
    let examples = examples("client");
    all_shown("t", &examples, &ClientIn::TAGS.map(str::to_owned).into());
    for example in &examples {
        let text = example.to_string();
        let read = ClientIn::read(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        comes_back(&read, example);
        match read {
            ClientIn::Do { what, .. } => reads_as_command(what.get()),
            ClientIn::Ask { q, .. } => reads_as_question(q.get()),
            _ => {}
        }
    }
}

#[test]
fn every_message_of_the_house_is_shown() {
    let examples = examples("house");
    all_shown("t", &examples, &variants::<ClientOut>(r#"{"t": "?"}"#));
    let value = |raw: &serde_json::value::RawValue| serde_json::from_str::<Value>(raw.get()).unwrap();
    let mut parts = BTreeMap::new();
    for example in &examples {
        let kind = match reads_as(example) {
            ClientOut::Keyframe { state, .. } => {
                let view: TableView = reads_as(&value(&state));
                assert!(view.conserves_chips(), "the example's chips do not add up");
                "state"
            }
            ClientOut::Frame { events, .. } => {
                value(&events)
                    .as_array()
                    .unwrap()
                    .iter()
                    .for_each(|event| drop(reads_as::<TableEvent>(event)));
                "events"
            }
            ClientOut::Private { private, .. } => {
                reads_as::<TablePrivate>(&value(&private));
                "private"
            }
            ClientOut::Answer { body, .. } => {
                reads_as::<TableAnswer>(&value(&body));
                "body"
            }
            ClientOut::Refused(refused) => match refused.legal {
                None => "refused",
                Some(legal) => {
                    reads_as::<LegalView>(&value(&legal));
                    "legal"
                }
            },
            _ => continue,
        };
        *parts.entry(kind).or_insert(0) += 1;
    }
    assert_eq!(parts.len(), 6, "{parts:?}");
}

#[test]
fn the_frame_that_is_shown_fits_the_keyframe_that_is_shown() {
    let house = examples("house");
    let of = |tag: &str| house.iter().find(|message| message["t"] == tag).unwrap();
    let (keyframe, frame) = (of("keyframe"), of("frame"));
    assert_eq!(keyframe["seq"].as_u64().unwrap() + 1, frame["seq"].as_u64().unwrap());
    let mut view: TableView = serde_json::from_value(keyframe["state"].clone()).unwrap();
    for event in frame["events"].as_array().unwrap() {
        view.apply(&serde_json::from_value(event.clone()).unwrap()).unwrap();
        assert!(view.conserves_chips());
    }
}

#[test]
fn every_command_and_event_of_a_table_is_shown() {
    let commands = examples("command");
    all_shown("a", &commands, &TableCommand::TAGS.map(str::to_owned).into());
    commands.iter().for_each(|command| reads_as_command(&command.to_string()));
    let events = examples("event");
    all_shown("e", &events, &variants::<TableEvent>(r#"{"e": "?"}"#));
    events.iter().for_each(|event| drop(reads_as::<TableEvent>(event)));
    assert_eq!(table("event"), variants::<TableEvent>(r#"{"e": "?"}"#));
}

#[test]
fn what_is_said_where_people_talk_is_shown() {
    let commands = examples("talk-command");
    all_shown("a", &commands, &TalkCommand::TAGS.map(str::to_owned).into());
    assert_eq!(table("talk command"), TalkCommand::TAGS.map(str::to_owned).into());
    for command in &commands {
        comes_back(&TalkCommand::read(&command.to_string()).unwrap(), command);
    }
    let events = examples("talk-event");
    all_shown("e", &events, &variants::<TalkEvent>(r#"{"e": "?"}"#));
    let mut view: TalkView = reads_as(&examples("talk-state")[0]);
    let before = view.lines.len();
    events.iter().for_each(|event| view.apply(&reads_as(event)));
    assert_eq!(view.lines.len(), before + events.len());
}

#[test]
fn what_a_tournament_is_asked_and_tells_is_shown() {
    let commands = examples("tournament-command");
    all_shown("a", &commands, &TournamentCommand::TAGS.map(str::to_owned).into());
    assert_eq!(table("tournament command"), TournamentCommand::TAGS.map(str::to_owned).into());
    for command in &commands {
        comes_back(&TournamentCommand::read(&command.to_string()).unwrap(), command);
    }
    let questions = examples("tournament-question");
    all_shown("about", &questions, &TournamentQuestion::TAGS.map(str::to_owned).into());
    assert_eq!(table("tournament question"), TournamentQuestion::TAGS.map(str::to_owned).into());
    for question in &questions {
        comes_back(&TournamentQuestion::read(&question.to_string()).unwrap(), question);
    }
    let answers = examples("tournament-answer");
    all_shown("about", &answers, &variants::<TournamentAnswer>(r#"{"about": "?"}"#));
    answers.iter().for_each(|answer| drop(reads_as::<TournamentAnswer>(answer)));
    let events = examples("tournament-event");
    all_shown("e", &events, &variants::<TournamentEvent>(r#"{"e": "?"}"#));
    events.iter().for_each(|event| drop(reads_as::<TournamentEvent>(event)));
    examples("tournament-state").iter().for_each(|state| drop(reads_as::<TournamentView>(state)));
}

#[test]
fn what_the_floor_is_asked_and_tells_is_shown() {
    let commands = examples("floor-command");
    all_shown("a", &commands, &FloorCommand::TAGS.map(str::to_owned).into());
    assert_eq!(table("floor command"), FloorCommand::TAGS.map(str::to_owned).into());
    for command in &commands {
        comes_back(&FloorCommand::read(&command.to_string()).unwrap(), command);
    }
    let questions = examples("floor-question");
    all_shown("about", &questions, &FloorQuestion::TAGS.map(str::to_owned).into());
    questions
        .iter()
        .for_each(|question| comes_back(&FloorQuestion::read(&question.to_string()).unwrap(), question));
    for answer in examples("floor-answer") {
        let FloorAnswer::Rules(_) = reads_as(&answer);
    }
    examples("floor-private").iter().for_each(|told| drop(reads_as::<FloorPrivate>(told)));
}

#[test]
fn what_a_queue_is_asked_and_tells_is_shown() {
    let commands = examples("queue-command");
    all_shown("a", &commands, &QueueCommand::TAGS.map(str::to_owned).into());
    assert_eq!(table("queue command"), QueueCommand::TAGS.map(str::to_owned).into());
    commands
        .iter()
        .for_each(|command| comes_back(&QueueCommand::read(&command.to_string()).unwrap(), command));
    for told in examples("queue-private") {
        let _: QueuePrivate = reads_as(&told);
    }
    examples("queue-state").iter().for_each(|state| drop(reads_as::<QueueView>(state)));
}

#[test]
fn what_a_room_of_jobs_is_asked_and_tells_is_shown() {
    let commands = examples("jobs-command");
    all_shown("a", &commands, &JobsCommand::TAGS.map(str::to_owned).into());
    assert_eq!(table("jobs command"), JobsCommand::TAGS.map(str::to_owned).into());
    commands
        .iter()
        .for_each(|command| comes_back(&JobsCommand::read(&command.to_string()).unwrap(), command));
    let questions = examples("jobs-question");
    all_shown("about", &questions, &JobsQuestion::TAGS.map(str::to_owned).into());
    questions
        .iter()
        .for_each(|question| comes_back(&JobsQuestion::read(&question.to_string()).unwrap(), question));
    for answer in examples("jobs-answer") {
        let JobsAnswer::Line(_) = reads_as(&answer);
    }
    examples("jobs-private").iter().for_each(|told| drop(reads_as::<JobsPrivate>(told)));
}

#[test]
fn every_command_of_a_host_and_the_ledger_is_shown() {
    let commands = examples("host-command");
    all_shown("a", &commands, &HostCommand::TAGS.map(str::to_owned).into());
    assert_eq!(table("host command"), HostCommand::TAGS.map(str::to_owned).into());
    for command in &commands {
        comes_back(&HostCommand::read(&command.to_string()).unwrap().expect("one of a host's"), command);
    }
    let questions = examples("host-question");
    all_shown("about", &questions, &HostedQuestion::TAGS.map(str::to_owned).into());
    examples("host-answer").iter().for_each(|answer| drop(reads_as::<HostedAnswer>(answer)));
}

#[test]
fn every_question_to_a_table_and_its_answer_is_shown() {
    let questions = examples("question");
    all_shown("about", &questions, &TableQuestion::TAGS.map(str::to_owned).into());
    questions.iter().for_each(|question| reads_as_question(&question.to_string()));
    let answers = examples("house").into_iter().filter(|message| message["t"] == "answer");
    let bodies: Vec<Value> = answers.map(|mut message| message["body"].take()).collect();
    all_shown("about", &bodies, &variants::<TableAnswer>(r#"{"about": "?"}"#));
    assert_eq!(table("question"), TableQuestion::TAGS.map(str::to_owned).into());
}

#[test]
fn every_word_that_an_event_may_hold_is_named() {
    for word in variants::<BlindKind>(r#""?""#).into_iter().chain(variants::<SeatStatus>(r#""?""#)) {
        assert!(DOCUMENT.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn every_code_stands_in_its_table() {
    assert_eq!(table("refusal `code`"), variants::<RefusalCode>(r#""?""#));
    assert_eq!(table("error `code`"), variants::<ErrorCode>(r#""?""#));
    assert_eq!(table("notice `code`"), variants::<NoticeCode>(r#""?""#));
}

#[test]
fn every_code_of_reception_stands_in_its_table() {
    let (_, code) = RECEPTION.split_once("pub fn code(").unwrap();
    let (code, _) = code.split_once("impl").unwrap();
    let defined: BTreeSet<String> = code.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(defined.len() > 5, "{defined:?}");
    assert_eq!(table("HTTP `code`"), defined);
}

#[test]
fn every_close_code_stands_in_its_table() {
    let (_, codes) = CODES.split_once("pub enum CloseCode").unwrap();
    let defined: BTreeSet<String> = codes
        .lines()
        .filter_map(|line| Some(line.split_once(" = ")?.1.strip_suffix(',')?.to_owned()))
        .collect();
    assert!(defined.len() > 10, "{defined:?}");
    assert_eq!(table("code"), defined);
}
