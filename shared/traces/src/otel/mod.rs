//! Traces that are told. See the crate.

mod exporter;
mod name;
mod span;

use std::sync::OnceLock;

use tokio::{
    task::JoinHandle,
    time::{Duration, timeout},
};
use tokio_util::sync::CancellationToken;

pub use self::span::{Span, Spans};
use self::{
    exporter::{Collector, Exporter, QUEUE_SPANS_MAX},
    span::Sampler,
};
use crate::{NotStarted, TraceArgs};

/// A process that ends waits so long at most for the collector to take what is left.
const FINISH_WITHIN: Duration = Duration::from_secs(2);

/// What decides on traces in this process, once it tells any.
static SAMPLER: OnceLock<Sampler> = OnceLock::new();

/// Telling, which ends with it.
#[derive(Debug)]
pub struct Traces(Option<(JoinHandle<()>, CancellationToken)>);

impl TraceArgs {
    /// Tells the collector of this process's steps, from a task of its own, as what `service` and which `node` it is.
    ///
    /// # Errors
    /// [`NotStarted`].
    pub fn start(&self, service: &'static str, node: &str) -> Result<Traces, NotStarted> {
        let Some(url) = &self.traces_url else { return Ok(Traces(None)) };
        let collector =
            Collector::new(url, service, node).map_err(|error| NotStarted::Url(error.to_string()))?;
        let (queue, spans) = tokio::sync::mpsc::channel(QUEUE_SPANS_MAX);
        SAMPLER.set(Sampler { one_in: self.traces_one_in, queue }).map_err(|_| NotStarted::Twice)?;
        let stop = CancellationToken::new();
        let exporter = Exporter::new(spans, collector);
        Ok(Traces(Some((tokio::spawn(exporter.run(stop.clone())), stop))))
    }
}

impl Traces {
    /// Tells what is left, if the collector takes it soon.
    pub async fn finish(self) {
        if let Some((task, stop)) = self.0 {
            stop.cancel();
            let _ = timeout(FINISH_WITHIN, task).await;
        }
    }
}
