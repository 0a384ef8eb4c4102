//! A collector that keeps what it is told.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use parking_lot::Mutex;
use prost::Message as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

/// A step as it was told.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Of what kind the process is.
    pub service: String,
    /// Which one.
    pub node: String,
    /// The step itself.
    pub span: Span,
}

impl Heard {
    /// What is said of it under this key.
    pub fn attribute(&self, key: &str) -> Option<String> {
        text(&self.span.attributes, key)
    }
}

/// Steps, by the name of their trace.
pub type Heards = BTreeMap<Vec<u8>, Vec<Heard>>;

/// See the module. It answers until it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    more: Arc<Notify>,
    /// As long as nobody is answered.
    listener: Option<TcpListener>,
    answering: Option<JoinHandle<()>>,
}

impl Collector {
    /// On a free port of this machine.
    ///
    /// # Errors
    /// When there is none.
    pub async fn listen() -> io::Result<Self> {
        let mut collector = Self::standing_still().await?;
        collector.answer();
        Ok(collector)
    }

    /// One that may be connected to, and does not answer.
    ///
    /// # Errors
    /// As [`Collector::listen`].
    pub async fn standing_still() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok(Self {
            address: listener.local_addr()?,
            heard: Arc::default(),
            more: Arc::default(),
            listener: Some(listener),
            answering: None,
        })
    }

    /// Answers from now on, also who has come before.
    pub fn answer(&mut self) {
        let Some(listener) = self.listener.take() else { return };
        let (heard, more) = (self.heard.clone(), self.more.clone());
        self.answering = Some(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, heard.clone(), more.clone()));
            }
        }));
    }

    /// For `--traces-url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The steps of each trace, once they are what is waited for. It waits for ever.
    pub async fn until(
        &self,
        are_there: impl Fn(&BTreeMap<Vec<u8>, Vec<Heard>>) -> bool,
    ) -> BTreeMap<Vec<u8>, Vec<Heard>> {
        loop {
            let told = self.more.notified();
            let mut traces = BTreeMap::<_, Vec<Heard>>::new();
            for heard in self.heard.lock().iter() {
                traces.entry(heard.span.trace_id.clone()).or_default().push(heard.clone());
            }
            if are_there(&traces) {
                return traces;
            }
            told.await;
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(answering) = &self.answering {
            answering.abort();
        }
    }
}

/// One connection of an exporter, as little of HTTP as that says.
async fn serve(stream: TcpStream, heard: Arc<Mutex<Vec<Heard>>>, more: Arc<Notify>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await?;
        let is_ours =
            head.starts_with("post /v1/traces ") && head.contains("content-type: application/x-protobuf");
        let request = ExportTraceServiceRequest::decode(&*body).ok().filter(|_| is_ours);
        let status = if request.is_some() { "200 OK" } else { "400 Bad Request" };
        heard.lock().extend(request.into_iter().flat_map(spans));
        more.notify_one();
        stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await?;
    }
}

fn spans(request: ExportTraceServiceRequest) -> impl Iterator<Item = Heard> {
    request.resource_spans.into_iter().flat_map(|of_one| {
        let attributes = of_one.resource.unwrap_or_default().attributes;
        let named = |key| text(&attributes, key).unwrap_or_default();
        let (service, node) = (named("service.name"), named("service.instance.id"));
        let spans = of_one.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.map(move |span| Heard { service: service.clone(), node: node.clone(), span })
    })
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
}
