//! A counter as its frames tell it, and what must be true of counters that have ended: rooms that are no tables, which only tests have.

use broker::{
    directory,
    store::{Store, Unavailable},
};
use protocol::id::RoomId;
use serde_json::{Value, json};

use super::{Promise, Shadow};

/// What counters say that they have given is what the till has taken, what one has said the other has heard, and they are nowhere now.
/// Of entries that the broker has lost nobody can say so.
///
/// # Errors
/// When the store cannot be read.
pub async fn judge_counters(
    counters: &[RoomId],
    taken: impl Fn(&RoomId) -> u64,
    store: &dyn Store,
    shadow: &mut Shadow,
) -> Result<(), Unavailable> {
    for room in counters {
        let (given, taken) = (shadow.given(room), taken(room));
        if shadow.losses() == 0 && given != Some(taken) {
            let what = format!("{room}: has given {given:?}, and the till has taken {taken}");
            shadow.accuse(Promise::Errands, what);
        }
        if shadow.losses() == 0 && shadow.misheard(room) != Some(0) {
            let what = format!("{room}: has heard letters twice, or not in order");
            shadow.accuse(Promise::Letters, what);
        }
        for other in counters {
            let (said, heard) = (shadow.said(room, other), shadow.heard(other, room));
            // What it has said to a counter that had ended was heard by nobody.
            if shadow.losses() == 0 && shadow.has_parted(room) == Some(false) && said != heard {
                let what = format!("{room}: has said {said:?} to {other}, which has heard {heard:?}");
                shadow.accuse(Promise::Letters, what);
            }
        }
        if is_in_directory(store, room).await? {
            shadow.accuse(Promise::Ended, format!("{room}: has ended, and is in the directory"));
        }
    }
    Ok(())
}

/// Whether the directory leads to the room, or says whose it is.
///
/// # Errors
/// When the store cannot be read.
pub async fn is_in_directory(store: &dyn Store, room: &RoomId) -> Result<bool, Unavailable> {
    Ok(directory::spec(store, room).await?.is_some() || directory::owner(store, room).await?.is_some())
}

/// The figures of a counter.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures(Option<Value>);

impl Figures {
    /// Takes a keyframe's state; answers whether it is what the frames before it add up to.
    pub(super) fn keyframe(&mut self, state: Value) -> bool {
        let is_same = self.0.as_ref().is_none_or(|known| *known == state);
        self.0 = Some(state);
        is_same
    }

    /// Takes a frame's events.
    pub(super) fn events(&mut self, events: &[Value]) {
        for event in events {
            let amount = event["amount"].as_u64().unwrap_or_default();
            match event["e"].as_str().unwrap_or_default() {
                "added" => self.add("total", event["by"].as_u64().unwrap_or_default()),
                "ticked" => self.add("ticks", 1),
                "answered" if event["taken"] == true => self.add("paid", amount),
                "answered" => self.add("unpaid", 1),
                "tipped" => self.add("tipped", amount),
                "opened" => self.add("opened", 1),
                "sent" => {
                    let total = self.0.as_ref().and_then(|figures| figures["total"].as_u64());
                    self.set("total", json!(total.unwrap_or_default().saturating_sub(amount)));
                    self.pass("sent", &event["to"], amount);
                }
                "received" => {
                    self.add("total", amount);
                    let letters = self.pass("received", &event["from"], amount);
                    self.add("misheard", u64::from(letters != event["number"]));
                }
                "gone" => self.add("gone", 1),
                "diverged" => {
                    if let Some(known) =
                        self.0.as_mut().and_then(|figures| figures["diverged"].as_array_mut())
                    {
                        known.push(event["from"].clone());
                    }
                }
                "closed" => self.set("over", json!(true)),
                _ => {}
            }
        }
    }

    /// Nothing is known until the next keyframe.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }

    /// What the till should have taken.
    pub(super) fn given(&self) -> Option<u64> {
        let figures = self.0.as_ref()?;
        Some(figures["paid"].as_u64()? + figures["tipped"].as_u64()?)
    }

    /// What it answers to who asks for what everybody sees.
    pub(super) fn total(&self) -> Option<Value> {
        let figures = self.0.as_ref()?;
        Some(json!({"total": figures["total"], "ticks": figures["ticks"]}))
    }

    /// Letters that were told twice, or not in order.
    pub(super) fn misheard(&self) -> Option<u64> {
        self.0.as_ref()?["misheard"].as_u64()
    }

    /// What it has said to another, or heard from it.
    pub(super) fn passed(&self, what: &str, other: &str) -> Option<&Value> {
        self.0.as_ref()?[what].get(other)
    }

    /// Whether another has ended before it.
    pub(super) fn has_parted(&self) -> Option<bool> {
        Some(self.0.as_ref()?["gone"] != 0)
    }

    /// One letter more between it and another; answers how many there were.
    fn pass(&mut self, what: &str, other: &Value, amount: u64) -> u64 {
        let (Some(figures), Some(other)) = (&mut self.0, other.as_str()) else { return 0 };
        let known = &figures[what][other];
        let (letters, sum) = (known["letters"].as_u64(), known["amount"].as_u64());
        let letters = letters.unwrap_or_default() + 1;
        figures[what][other] = json!({"letters": letters, "amount": sum.unwrap_or_default() + amount});
        letters
    }

    fn add(&mut self, field: &str, more: u64) {
        let sum = self.0.as_ref().and_then(|figures| figures[field].as_u64()).unwrap_or_default() + more;
        self.set(field, json!(sum));
    }

    fn set(&mut self, field: &str, value: Value) {
        if let Some(figures) = &mut self.0 {
            figures[field] = value;
        }
    }
}
