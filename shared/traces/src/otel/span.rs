//! Steps under way. One that is over is put into a queue, or dropped where that is full: nobody waits for a collector.

use std::time::{SystemTime, UNIX_EPOCH};

use metrics::counter;
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span as Told, Status, span::SpanKind, status::StatusCode},
};
use tokio::sync::mpsc::Sender;

use super::{SAMPLER, name::Name};
use crate::{Command, Step};

/// What OpenTelemetry says of a span that was chosen to be told.
const SAMPLED: u32 = 1;

/// Decides what is traced, and takes what is over.
#[derive(Debug)]
pub(super) struct Sampler {
    pub(super) one_in: u64,
    pub(super) queue: Sender<Told>,
}

/// A step under way, if its command is traced. Dropped before its end it is told as one that has failed.
#[derive(Debug, Default)]
pub struct Span(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    told: Told,
    queue: Sender<Told>,
}

impl Span {
    /// A step begins.
    pub fn begin(step: Step, command: &Command<'_>) -> Self {
        Self(SAMPLER.get().and_then(|sampler| sampler.begin(step, command)))
    }

    /// It is over.
    pub fn end(mut self) {
        if let Some(open) = self.0.take() {
            open.end();
        }
    }

    /// It is over, and the command is refused.
    pub fn refused(mut self) {
        if let Some(mut open) = self.0.take() {
            open.told.attributes.push(attribute("cardhouse.refused", Value::BoolValue(true)));
            open.end();
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(mut open) = self.0.take() {
            let message = "it did not come to its end".into();
            open.told.status = Some(Status { message, code: StatusCode::Error.into() });
            open.end();
        }
    }
}

impl Sampler {
    fn begin(&self, step: Step, command: &Command<'_>) -> Option<Box<Open>> {
        let name = Name::of(command);
        if !name.is_one_in(self.one_in) {
            return None;
        }
        let (called, kind) = match step {
            Step::Command => ("command", SpanKind::Server),
            Step::Repeat => ("repeat", SpanKind::Server),
            Step::Decide => ("decide", SpanKind::Internal),
            Step::Commit => ("commit", SpanKind::Client),
            Step::Deliver => ("deliver", SpanKind::Consumer),
        };
        let (id, parent) = match step {
            Step::Command => (name.root.to_vec(), Vec::new()),
            _ => (rand::random::<[u8; 8]>().to_vec(), name.root.to_vec()),
        };
        let text = |text: &dyn ToString| Value::StringValue(text.to_string());
        let told = Told {
            trace_id: name.trace.to_vec(),
            span_id: id,
            parent_span_id: parent,
            flags: SAMPLED,
            name: called.into(),
            kind: kind.into(),
            start_time_unix_nano: now_ns(),
            attributes: vec![
                attribute("cardhouse.room", text(&command.room)),
                attribute("cardhouse.user", text(&command.user)),
                attribute("cardhouse.session", text(&command.session)),
                attribute("cardhouse.n", text(&command.n)),
            ],
            ..Told::default()
        };
        Some(Box::new(Open { told, queue: self.queue.clone() }))
    }
}

impl Open {
    fn end(mut self: Box<Self>) {
        self.told.end_time_unix_nano = now_ns();
        if self.queue.try_send(self.told).is_err() {
            counter!("cardhouse_spans_dropped_total", "why" => "full").increment(1);
        }
    }
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Steps of several commands that are under way, as many as those are; few are traced.
#[derive(Debug, Default)]
pub struct Spans(Vec<(u64, Span)>);

impl Spans {
    /// A step begins.
    pub fn begin(&mut self, step: Step, command: &Command<'_>) {
        let span = Span::begin(step, command);
        if span.0.is_some() {
            self.0.push((command.n, span));
        }
    }

    /// That of the command of this number is over.
    pub fn end(&mut self, n: u64) {
        if let Some(span) = self.take(n) {
            span.end();
        }
    }

    /// It is over, and the command is refused.
    pub fn refused(&mut self, n: u64) {
        if let Some(span) = self.take(n) {
            span.refused();
        }
    }

    fn take(&mut self, n: u64) -> Option<Span> {
        let at = self.0.iter().position(|(of, _)| *of == n)?;
        Some(self.0.swap_remove(at).1)
    }
}
