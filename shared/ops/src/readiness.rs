//! Whether this process can do its work, as it observes it, and the HTTP routes that say so to operators.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use broker::members::Observed;
use metrics::gauge;
use parking_lot::RwLock;
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;

type Check = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Named checks, all of which must hold. Cheap to clone.
#[derive(Clone, Default)]
pub struct Readiness {
    checks: Arc<RwLock<BTreeMap<&'static str, Check>>>,
}

/// What `/readyz` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// All checks hold.
    pub ready: bool,
    /// Each check: `"ok"`, or why not.
    pub checks: BTreeMap<&'static str, String>,
}

impl Readiness {
    /// No checks yet: ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check, or replaces the one of that name. It is asked at every report and must not block.
    pub fn check(&self, name: &'static str, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.checks.write().insert(name, Box::new(check));
    }

    /// Adds what [`Members`](broker::members::Members) observes: the checks `bus` and `store`.
    pub fn observe(&self, observed: watch::Receiver<Observed>) {
        let bus = observed.clone();
        self.check("bus", move || {
            let hears = bus.borrow().hears_itself;
            hears.then_some(()).ok_or_else(|| "our own heartbeat does not come back through the bus".into())
        });
        self.check("store", move || {
            let trouble = observed.borrow().store_trouble.clone();
            trouble.map_or(Ok(()), |why| Err(why.as_ref().into()))
        });
    }

    /// This process is leaving: not ready from now on.
    pub fn drain(&self) {
        self.check("draining", || Err("this process is leaving".into()));
    }

    /// Takes what all checks say into the metrics.
    fn measure(&self) {
        for (name, check) in &*self.checks.read() {
            gauge!("cardhouse_ready", "check" => *name).set(f64::from(u8::from(check().is_ok())));
        }
    }

    /// Asks all checks.
    pub fn report(&self) -> Report {
        let checks = self.checks.read();
        let results: BTreeMap<_, _> = checks.iter().map(|(name, check)| (*name, check())).collect();
        Report {
            ready: results.values().all(Result::is_ok),
            checks: results
                .into_iter()
                .map(|(name, result)| (name, result.err().unwrap_or_else(|| "ok".into())))
                .collect(),
        }
    }
}

/// `/metrics` for Prometheus, `/livez` (answers as long as the process runs) and `/readyz` (200 or 503, with reasons).
pub fn ops_routes(metrics: Metrics, readiness: Readiness) -> Router {
    let measured = readiness.clone();
    let render = async move || {
        measured.measure();
        let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
        (kind, metrics.render())
    };
    Router::new()
        .route("/metrics", get(render))
        .route("/livez", get(async || Json(serde_json::json!({ "live": true }))))
        .route("/readyz", get(readyz).with_state(readiness))
}

/// `POST /drain`: the process leaves in order, as at SIGTERM. For who has no shell beside it; 202, also if it was told before.
/// Behind an [`OpsGuard`](crate::serve::OpsGuard), since it would obey anybody.
pub fn drain_route(leave: CancellationToken) -> Router {
    let drain = async move || {
        leave.cancel();
        (StatusCode::ACCEPTED, Json(serde_json::json!({ "draining": true })))
    };
    Router::new().route("/drain", post(drain))
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    let report = readiness.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failing_check_makes_the_process_not_ready_and_says_why() {
        let readiness = Readiness::new();
        assert!(readiness.report().ready);
        readiness.check("keys", || Ok(()));
        let (observe, observed) = watch::channel(Observed { hears_itself: true, store_trouble: None });
        readiness.observe(observed);
        assert!(readiness.report().ready);
        observe.send_modify(|observed| observed.hears_itself = false);
        let report = readiness.report();
        assert!(!report.ready);
        assert_eq!((report.checks["keys"].as_str(), report.checks["store"].as_str()), ("ok", "ok"));
        assert!(report.checks["bus"].contains("heartbeat"), "{report:?}");
    }

    #[tokio::test]
    async fn who_scrapes_sees_each_check_of_readiness() {
        let readiness = Readiness::new();
        readiness.check("shuffling", || Ok(()));
        readiness.check("dealing", || Err("no cards".into()));
        let routes = ops_routes(Metrics::install().unwrap(), readiness);
        let asked = axum::extract::Request::get("/metrics").body(axum::body::Body::empty()).unwrap();
        let answer = tower::ServiceExt::oneshot(routes, asked).await.unwrap();
        let text = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        for line in ["cardhouse_ready{check=\"shuffling\"} 1", "cardhouse_ready{check=\"dealing\"} 0"] {
            assert!(text.lines().any(|told| told == line), "{line} in {text}");
        }
    }

    #[test]
    fn a_draining_process_is_not_ready() {
        let readiness = Readiness::new();
        readiness.drain();
        assert!(!readiness.report().ready);
    }
}
