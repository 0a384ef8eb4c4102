//! Every example of a client's message in `docs/protocol.md`, changed in every way that the document speaks of, and what the
//! house then does by the document's word.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Deserializer, Map, Value, json};

const DOCUMENT: &str = include_str!("../../../../docs/protocol.md");

/// What the house does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Does {
    /// Takes the message.
    Takes,
    /// Answers `error bad_message`.
    BadMessage,
    /// Answers `error unknown_message`.
    UnknownMessage,
    /// Answers `refused bad_command`.
    BadCommand,
    /// Answers `unanswered bad_question`.
    BadQuestion,
    /// Closes with 4004.
    Closes,
}

/// A changed example.
#[derive(Debug, Clone)]
pub struct Case {
    /// The example's tag, and its command's if it is one.
    pub kind: String,
    /// What was changed.
    pub change: String,
    /// The message.
    pub text: String,
    /// What the document says.
    pub expected: Does,
}

/// The examples of a kind: the JSON values of all code blocks of the document that begin with "```json KIND".
///
/// # Panics
/// When one is no JSON.
pub fn examples(kind: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for block in DOCUMENT.split("```json ").skip(1) {
        let (name, rest) = block.split_once('\n').expect("a block has lines");
        let (text, _) = rest.split_once("```").expect("a block ends");
        if name == kind {
            let values = Deserializer::from_str(text).into_iter::<Value>();
            found.extend(values.map(|value| value.unwrap_or_else(|error| panic!("{error} in {text}"))));
        }
    }
    assert!(!found.is_empty(), "no examples of {kind}");
    found
}

/// The rows of the table whose head begins with `| HEAD |`, cells trimmed.
///
/// # Panics
/// When there is no such table.
pub fn table(head: &str) -> Vec<Vec<String>> {
    let (_, rest) = DOCUMENT.split_once(&format!("| {head} |")).unwrap_or_else(|| panic!("no table {head}"));
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        let inner = row.trim_matches('|').split('|');
        inner.map(|cell| cell.trim().to_owned()).collect()
    };
    rows.map(cells).collect()
}

/// The words between backticks.
pub fn words(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// All cases. Those of commands and questions say `n` 12 to the room `t1`.
pub fn cases() -> Vec<Case> {
    let mut messages = optional("message");
    messages.extend(optional("view"));
    let mut cases = Vec::new();
    for example in examples("client") {
        let tag = example["t"].as_str().expect("a tag").to_owned();
        // What is inside a command or a question comes below.
        let is_inside = |path: &[String]| path.len() > 1 && ["do", "q"].contains(&path[0].as_str());
        cases.extend(changed(&example, &[]).into_iter().filter(|it| !is_inside(&it.path)).map(|it| {
            let expected = of_message(&tag, &it, &messages);
            Case { kind: tag.clone(), change: it.name, text: it.text, expected }
        }));
        let other = with(&example, &["t".to_owned()], "\"dance\"");
        cases.push(Case {
            kind: tag,
            change: "another `t`".into(),
            text: other,
            expected: Does::UnknownMessage,
        });
    }
    cases.extend(inside("command", "a", ("do", "do"), Does::BadCommand));
    cases.extend(inside("question", "about", ("ask", "q"), Does::BadQuestion));
    cases
}

/// All changes of what is inside messages of a kind: commands and questions.
fn inside(examples_of: &str, tag: &str, (t, part): (&str, &str), bad: Does) -> Vec<Case> {
    let optional = optional(examples_of);
    let mut cases = Vec::new();
    for example in examples(examples_of) {
        let name = example[tag].as_str().expect("a tag").to_owned();
        let kind = format!("{t} {name}");
        let message = |inner: &str| format!(r#"{{"t":"{t}","n":12,"room":"t1","{part}":{inner}}}"#);
        cases.extend(changed(&example, &[]).into_iter().map(|it| {
            let expected = of_part(&it, &optional[&name], bad);
            Case { kind: kind.clone(), change: it.name, text: message(&it.text), expected }
        }));
        let text = message(&with(&example, &[tag.to_owned()], "\"dance\""));
        cases.push(Case { kind, change: format!("another `{tag}`"), text, expected: bad });
    }
    cases
}

/// The fields of each kind that may be absent or null, by the document's tables.
fn optional(head: &str) -> BTreeMap<String, Vec<String>> {
    let head = format!("{head} | fields | may be absent or null");
    table(&head).iter().map(|row| (words(&row[0]).remove(0), words(&row[2]))).collect()
}

fn of_message(tag: &str, it: &Changed, optional: &BTreeMap<String, Vec<String>>) -> Does {
    let refused = |field: &str| match (tag, field) {
        ("do" | "ask", "n" | "room") => Does::BadMessage,
        ("do", _) => Does::BadCommand,
        ("ask", _) => Does::BadQuestion,
        _ => Does::BadMessage,
    };
    match (it.path.as_slice(), it.change) {
        (_, Change::Nothing) => Does::Takes,
        ([], Change::Array) => Does::Closes,
        ([], _) => refused(""),
        ([field], Change::Added) if field == "t" => unreachable!("a tag holds nothing"),
        ([field], _) if field == "t" => Does::Closes,
        ([field], Change::Dropped | Change::Null) if optional[tag].contains(field) => Does::Takes,
        ([field], Change::Number) if field == "at" => Does::Takes,
        ([field], _) => refused(field),
        // A map of rooms: who leaves one out asks for one less.
        ([field, _], Change::Dropped) if field == "resume" => Does::Takes,
        ([field, inner], Change::Dropped | Change::Null)
            if field == "view" && optional["view"].contains(inner) =>
        {
            Does::Takes
        }
        // A list of seats, long or short.
        ([field, seats], Change::Added) if field == "view" && seats == "seats" => Does::Takes,
        ([field, seats, _], Change::Dropped) if field == "view" && seats == "seats" => Does::Takes,
        ([field, ..], _) => refused(field),
    }
}

fn of_part(it: &Changed, optional: &[String], bad: Does) -> Does {
    match (it.path.as_slice(), it.change) {
        (_, Change::Nothing) => Does::Takes,
        ([field], Change::Dropped | Change::Null) if optional.contains(field) => Does::Takes,
        _ => bad,
    }
}

/// What is done to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Nothing,
    /// The field is left out.
    Dropped,
    /// The field stands there twice.
    Doubled,
    /// A field that nobody knows is there too; of an array, one element more.
    Added,
    /// An array of the object's values in its place.
    Array,
    /// Null in its place.
    Null,
    /// In a number's place another kind of number: a fraction, a negative one, one too large.
    Number,
    /// Something of another type in its place.
    Type,
}

struct Changed {
    name: String,
    path: Vec<String>,
    change: Change,
    text: String,
}

/// The example as it is, and changed in every place.
fn changed(example: &Value, path: &[String]) -> Vec<Changed> {
    let mut found = Vec::new();
    if path.is_empty() {
        let text = example.to_string();
        found.push(Changed { name: "nothing".into(), path: Vec::new(), change: Change::Nothing, text });
    }
    let here = at(example, path);
    let mut add = |what: String, place: Vec<String>, change, text| {
        let name = format!("{what} at /{}", place.join("/"));
        found.push(Changed { name, path: place, change, text });
    };
    let below = |key: &str| [path, &[key.to_owned()]].concat();
    match here {
        Value::Object(fields) => {
            let mut more = fields.clone();
            more.insert("later".into(), json!(1));
            add(
                "a field more".into(),
                path.to_vec(),
                Change::Added,
                with(example, path, &Value::Object(more).to_string()),
            );
            let values = Value::Array(fields.values().cloned().collect());
            add("an array".into(), path.to_vec(), Change::Array, with(example, path, &values.to_string()));
            for (key, value) in fields {
                let mut less = fields.clone();
                less.remove(key);
                add(
                    "dropped".into(),
                    below(key),
                    Change::Dropped,
                    with(example, path, &Value::Object(less).to_string()),
                );
                add(
                    "doubled".into(),
                    below(key),
                    Change::Doubled,
                    with(example, path, &doubled(fields, key)),
                );
                for (change, other) in others(value) {
                    add(format!("{other} instead"), below(key), change, with(example, &below(key), &other));
                }
            }
        }
        Value::Array(elements) => {
            let more = Value::Array([elements.as_slice(), &[json!(1)]].concat());
            add(
                "an element more".into(),
                path.to_vec(),
                Change::Added,
                with(example, path, &more.to_string()),
            );
            for (index, value) in elements.iter().enumerate() {
                let mut less = elements.clone();
                less.remove(index);
                // Not as of a map: a place in an array means something, but in a list of seats.
                let is_list = path.last().is_some_and(|name| name == "seats");
                add(
                    "dropped".into(),
                    below(&index.to_string()),
                    if is_list { Change::Dropped } else { Change::Type },
                    with(example, path, &Value::Array(less).to_string()),
                );
                for (change, other) in others(value) {
                    let place = below(&index.to_string());
                    add(format!("{other} instead"), place.clone(), change, with(example, &place, &other));
                }
            }
        }
        _ => {}
    }
    let children: Vec<String> = match here {
        Value::Object(fields) => fields.keys().cloned().collect(),
        Value::Array(elements) => (0..elements.len()).map(|index| index.to_string()).collect(),
        _ => Vec::new(),
    };
    for child in children {
        found.extend(changed(example, &below(&child)));
    }
    found
}

/// What may stand in a value's place, as JSON text, and what kind of change that is.
fn others(value: &Value) -> Vec<(Change, String)> {
    let candidates = [json!(true), json!(7), json!("?"), json!([]), json!({})];
    let is_same = |other: &Value| std::mem::discriminant(other) == std::mem::discriminant(value);
    let mut others: Vec<(Change, String)> = candidates
        .iter()
        .filter(|other| !is_same(other))
        .map(|other| (Change::Type, other.to_string()))
        .collect();
    if !value.is_null() {
        others.push((Change::Null, "null".into()));
    }
    if value.is_number() {
        let numbers = ["1.0", "1e0", "-1", "-0", "0.5", "9007199254740992", "1e40"];
        others.extend(numbers.map(|number| (Change::Number, number.to_owned())));
    }
    others
}

fn at<'a>(value: &'a Value, path: &[String]) -> &'a Value {
    path.iter().fold(value, |value, key| match value {
        Value::Object(fields) => &fields[key],
        Value::Array(elements) => &elements[key.parse::<usize>().expect("an index")],
        _ => unreachable!("paths lead through objects and arrays"),
    })
}

/// The value with this text in one place.
fn with(value: &Value, path: &[String], text: &str) -> String {
    let Some((key, rest)) = path.split_first() else { return text.to_owned() };
    let inner = |name: &str, value: &Value| {
        if name == key { with(value, rest, text) } else { value.to_string() }
    };
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", json!(name), inner(name, value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(elements) => {
            let elements: Vec<String> =
                elements.iter().enumerate().map(|(index, value)| inner(&index.to_string(), value)).collect();
            format!("[{}]", elements.join(","))
        }
        _ => unreachable!("paths lead through objects and arrays"),
    }
}

/// The object with one field twice.
fn doubled(fields: &Map<String, Value>, key: &str) -> String {
    let mut text = String::from("{");
    for (name, value) in fields {
        for _ in 0..if name == key { 2 } else { 1 } {
            write!(text, "{}:{value},", json!(name)).expect("a string takes all");
        }
    }
    text.pop();
    text.push('}');
    text
}
