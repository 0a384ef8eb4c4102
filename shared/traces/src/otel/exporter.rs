//! The way to the collector: OTLP over HTTP, some spans at a time. What it does not take is dropped and counted.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, StatusCode, Uri,
    header::{CONTENT_TYPE, HeaderValue},
    http::uri::InvalidUri,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use metrics::counter;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{InstrumentationScope, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message as _;
use tokio::{
    sync::mpsc::Receiver,
    time::{Duration, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::span::attribute;

/// How many spans wait to be told at most: with the default those of some million commands, or of two thousand where all are traced.
pub(super) const QUEUE_SPANS_MAX: usize = 4_096;

/// How many are told at once at most.
const BATCH_SPANS_MAX: usize = 512;

/// So long spans gather, unless there are as many as are told at once.
const GATHER: Duration = Duration::from_millis(500);

/// The collector has taken them within this, or it has not.
const SEND_WITHIN: Duration = Duration::from_secs(5);

/// The largest answer of a collector that is read, bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Tells.
pub(super) struct Exporter {
    spans: Receiver<Span>,
    collector: Collector,
    /// The last ones were not taken.
    is_failing: bool,
}

/// Where it is told.
pub(super) struct Collector {
    client: Client<HttpConnector, Full<Bytes>>,
    url: Uri,
    resource: Resource,
}

/// Why spans were not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("no answer within {SEND_WITHIN:?}")]
    Late,
    #[error(transparent)]
    Away(#[from] hyper_util::client::legacy::Error),
    #[error("it answers {0}")]
    Status(StatusCode),
    #[error("the answer cannot be read: {0}")]
    Unclear(Box<dyn std::error::Error + Send + Sync>),
}

impl Exporter {
    pub(super) fn new(spans: Receiver<Span>, collector: Collector) -> Self {
        Self { spans, collector, is_failing: false }
    }

    /// Until it is to stop, and then what is left.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::new();
        loop {
            let stops = tokio::select! { biased;
                taken = self.spans.recv_many(&mut batch, BATCH_SPANS_MAX) => taken == 0,
                () = stop.cancelled() => true,
            };
            if stops && self.spans.is_empty() {
                return;
            }
            if batch.len() < BATCH_SPANS_MAX {
                tokio::select! { biased;
                    () = stop.cancelled() => {}
                    () = sleep(GATHER) => {}
                }
            }
            while batch.len() < BATCH_SPANS_MAX
                && let Ok(span) = self.spans.try_recv()
            {
                batch.push(span);
            }
            self.tell(std::mem::take(&mut batch)).await;
        }
    }

    async fn tell(&mut self, batch: Vec<Span>) {
        let count = batch.len() as u64;
        let sent = timeout(SEND_WITHIN, self.collector.send(batch)).await.unwrap_or(Err(NotTaken::Late));
        let rejected = match &sent {
            Ok(rejected) => (*rejected).min(count),
            Err(_) => count,
        };
        counter!("cardhouse_spans_told_total").increment(count - rejected);
        if rejected > 0 {
            counter!("cardhouse_spans_dropped_total", "why" => "not_taken").increment(rejected);
        }
        // Once, however long it lasts.
        match (&sent, self.is_failing) {
            (Err(error), false) => {
                tracing::warn!(collector = %self.collector.url, %error, "traces are not taken");
            }
            (Ok(_), true) => tracing::info!(collector = %self.collector.url, "traces are taken again"),
            _ => {}
        }
        self.is_failing = sent.is_err();
    }
}

impl Collector {
    pub(super) fn new(url: &str, service: &str, node: &str) -> Result<Self, InvalidUri> {
        let named = [("service.name", service), ("service.instance.id", node)];
        let attributes =
            named.map(|(key, value)| attribute(key, Value::StringValue(value.to_owned()))).to_vec();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            url: format!("{url}/v1/traces").parse()?,
            resource: Resource { attributes, ..Resource::default() },
        })
    }

    /// How many it has rejected.
    async fn send(&self, spans: Vec<Span>) -> Result<u64, NotTaken> {
        let scope = InstrumentationScope { name: "cardhouse".into(), ..InstrumentationScope::default() };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
        let resource = Some(self.resource.clone());
        let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let mut request = Request::post(&self.url)
            .body(Full::new(Bytes::from(body)))
            .expect("a method, a URL and a body are a request");
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        let answer = self.client.request(request).await?;
        if !answer.status().is_success() {
            return Err(NotTaken::Status(answer.status()));
        }
        let answer = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        let answer = answer.map_err(NotTaken::Unclear)?.to_bytes();
        // What else it may say of a success is no reason to doubt it.
        let said = ExportTraceServiceResponse::decode(answer).unwrap_or_default();
        let rejected = said.partial_success.map_or(0, |partly| partly.rejected_spans);
        Ok(u64::try_from(rejected).unwrap_or(0))
    }
}
