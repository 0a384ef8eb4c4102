//! What the document's examples show of every message, event and part: all fields, their types, and which may be null or absent.

use std::collections::{BTreeMap, BTreeSet};

use protocol::testing::mutations::{examples, table, words};
use serde_json::{Map, Value};

pub(crate) struct Shapes {
    /// By what an object is: for each field the types that examples show.
    objects: BTreeMap<String, BTreeMap<String, BTreeSet<&'static str>>>,
    /// What and its field; `false`: it may be null, `true`: absent.
    exceptions: BTreeMap<(String, String), bool>,
    /// How many examples of each there are, to know what all of them have.
    shown: BTreeMap<(String, String), usize>,
}

impl Shapes {
    pub(crate) fn of_the_document() -> Self {
        let exceptions = table("where | field | null or absent | when").into_iter().map(|row| {
            let absent = match row[2].as_str() {
                "null" => false,
                "absent" => true,
                other => panic!("{other}"),
            };
            ((words(&row[0]).remove(0), words(&row[1]).remove(0)), absent)
        });
        let mut shapes =
            Self { objects: BTreeMap::new(), exceptions: exceptions.collect(), shown: BTreeMap::new() };
        for message in examples("house") {
            shapes.learn(&message_of(&message), &message);
        }
        for event in examples("event") {
            shapes.learn(&event_of(&event), &event);
        }
        shapes
    }

    fn learn(&mut self, what: &str, value: &Value) {
        walk(what, value, &mut |what, fields| {
            let known = self.objects.entry(what.to_owned()).or_default();
            for (name, value) in fields {
                known.entry(name.clone()).or_default().insert(kind(value));
                *self.shown.entry((what.to_owned(), name.clone())).or_default() += 1;
            }
        });
    }

    /// Holds a message of the house against the document.
    pub(crate) fn check(&self, message: &Value) {
        walk(&message_of(message), message, &mut |what, fields| self.check_object(what, fields));
    }

    fn check_object(&self, what: &str, fields: &Map<String, Value>) {
        let known =
            self.objects.get(what).unwrap_or_else(|| panic!("the document shows no {what}: {fields:?}"));
        let part = what.split(' ').next_back().unwrap().to_owned();
        let exception = |name: &str| self.exceptions.get(&(part.clone(), name.to_owned())).copied();
        for (name, value) in fields {
            let kinds = known
                .get(name)
                .unwrap_or_else(|| panic!("the document shows no `{name}` of {what}: {fields:?}"));
            let is_null = value.is_null();
            assert!(!is_null || exception(name) == Some(false), "`{name}` of {what} is null: {fields:?}");
            // Nothing but null is shown of what is null in every example; `at` is whatever number the client has said.
            let fits = is_null
                || (name == "at" && value.is_number())
                || kinds.contains(kind(value))
                || kinds.iter().all(|kind| *kind == "null");
            assert!(fits, "`{name}` of {what} is none of {kinds:?}: {fields:?}");
            if let Value::Array(elements) = value {
                let may_be_null = exception(&format!("{name}[]")) == Some(false);
                assert!(
                    may_be_null || elements.iter().all(|element| !element.is_null()),
                    "{what}: {fields:?}"
                );
            }
        }
        for name in known.keys().filter(|name| !fields.contains_key(*name)) {
            // News of a row say only what has changed.
            assert!(
                exception(name) == Some(true) || (part == "set[]" && name != "room"),
                "`{name}` of {what} is absent: {fields:?}"
            );
        }
    }
}

fn message_of(message: &Value) -> String {
    format!("message {}", message["t"].as_str().unwrap())
}

fn event_of(event: &Value) -> String {
    format!("event {}", event["e"].as_str().unwrap())
}

/// Visits an object and the objects in it, each with what it is.
fn walk(what: &str, value: &Value, visit: &mut impl FnMut(&str, &Map<String, Value>)) {
    let Value::Object(fields) = value else { return };
    visit(what, fields);
    for (name, value) in fields {
        match value {
            Value::Object(_) => walk(name, value, visit),
            Value::Array(elements) => {
                for element in elements.iter().filter(|element| element.is_object()) {
                    let what = if element["e"].is_string() { event_of(element) } else { format!("{name}[]") };
                    walk(&what, element, visit);
                }
            }
            _ => {}
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_u64() => "whole",
        Value::Number(_) => "fraction",
        Value::String(_) => "text",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
