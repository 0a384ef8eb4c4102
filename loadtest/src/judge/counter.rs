//! A counter as its frames tell it: the simulator's rooms that are no tables.

use serde_json::{Value, json};

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
