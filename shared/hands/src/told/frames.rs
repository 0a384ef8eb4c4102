//! A hand as its table told it, for pages that follow tables: what lists tell of it, and its [replay](crate::replay).

use serde_json::{Value, json};

use super::{About, json};
use crate::{Replay, Seen};

/// All of it. `viewer` is the user of who asks, as the messages have him; `steps` are messages of the table with their times.
///
/// # Panics
/// If the events are not of a hand that is set up so: no table tells of one.
pub fn frames(seen: &Seen, about: About<'_>) -> Value {
    let replay = Replay::of(seen);
    let mut all = json::line(seen, about);
    all["viewer"] = json!(replay.own.as_ref().map(|(user, _)| user));
    all["steps"] = json!(replay.told(&about.name.room));
    all
}
