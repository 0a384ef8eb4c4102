//! What must hold, whatever strangers do.

use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::line::Asked;

/// Breaches that are kept; the rest is more of the same.
const KEPT_MAX: usize = 20;

#[derive(Debug, Clone, Default)]
pub(crate) struct Judge(Arc<Mutex<Vec<String>>>);

impl Judge {
    pub(crate) fn found(&self, breach: String) {
        let mut found = self.0.lock().unwrap();
        if found.len() < KEPT_MAX {
            found.push(breach);
        }
    }

    pub(crate) fn breaches(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// A stranger is refused, in words, and never told what was not asked.
    pub(crate) fn of_a_stranger(&self, asked: &Asked, answer: Option<&(u16, Value)>) {
        let Asked { method, path, headers, body } = asked;
        let start = String::from_utf8_lossy(&body[..body.len().min(80)]);
        let what = || format!("{method} {path} {headers:?} {start}");
        match answer {
            Some((400..=499, told)) if told["code"].is_string() && told["message"].is_string() => {}
            Some((status, told)) => self.found(format!("{} was answered {status}: {told}", what())),
            None => self.found(format!("{} was not answered", what())),
        }
    }

    /// An honest player gets the next session of the same person, each time.
    pub(crate) fn of_an_honest_player(&self, was: &Value, answer: Option<&(u16, Value)>) -> bool {
        match answer {
            Some((200, session)) if session["user"] == was["user"] => return true,
            Some((200, session)) => {
                self.found(format!("{} has become somebody else: {}", was["user"], session["user"]));
            }
            Some((status, told)) => {
                self.found(format!("an honest player was refused with {status}: {told}"));
            }
            None => self.found("an honest player was not answered".into()),
        }
        false
    }
}
