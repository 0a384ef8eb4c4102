//! One command from relay to commit to delivery is one trace, told by the processes that it came through.

use loadtest::{
    cluster::{Cluster, ClusterArgs},
    swarm::{Crowd, SwarmArgs},
};
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use traces::testing::collector::{Collector, Heard, Heards};

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(120);

/// The status of a step that did not come to its end, in OpenTelemetry.
const ERROR: i32 = 2;

/// How many whole traces are waited for.
const ENOUGH: usize = 30;

/// The steps of a command that was applied, and what kind of process tells each.
const APPLIED: [(&str, &str); 4] =
    [("command", "relay"), ("decide", "dealer-worker"), ("commit", "dealer-worker"), ("deliver", "relay")];

/// What is wrong with the trace of an applied command.
fn faults(trace: &[Heard]) -> Vec<String> {
    let mut faults = Vec::new();
    let roots: Vec<_> = trace.iter().filter(|heard| heard.span.parent_span_id.is_empty()).collect();
    let [root] = roots[..] else { return vec![format!("{} steps belong to none", roots.len())] };
    for (name, service) in APPLIED {
        let mut steps = trace.iter().filter(|heard| heard.span.name == name);
        if !steps.any(|heard| heard.service == service) {
            faults.push(format!("no {service} tells of {name}"));
        }
    }
    for heard in trace {
        let (span, of_root) = (&heard.span, &root.span);
        if heard.service == root.service && heard.node != root.node && span.name != "deliver" {
            faults.push(format!("{} is told by another {}", span.name, heard.service));
        }
        if !span.parent_span_id.is_empty() && span.parent_span_id != of_root.span_id {
            faults.push(format!("{} belongs to another step", span.name));
        }
        if span.start_time_unix_nano < of_root.start_time_unix_nano {
            faults.push(format!("{} began before the relay had read the command", span.name));
        }
        if span.end_time_unix_nano < span.start_time_unix_nano || span.end_time_unix_nano == 0 {
            faults.push(format!("{} has no end", span.name));
        }
        for key in ["cardhouse.room", "cardhouse.user", "cardhouse.session", "cardhouse.n"] {
            if heard.attribute(key).is_none() || heard.attribute(key) != root.attribute(key) {
                faults.push(format!("{} is of another command by its {key}", span.name));
            }
        }
    }
    // All on one machine, so by one clock. A relay that reads the journal may have the frame before the worker knows that it is stored.
    let first = |name: &str, when: fn(&Heard) -> u64| {
        let of_name = trace.iter().filter(|heard| heard.span.name == name);
        of_name.filter(|heard| name != "deliver" || heard.node == root.node).map(when).min().unwrap_or(0)
    };
    let began = |name| first(name, |heard| heard.span.start_time_unix_nano);
    let ended = |name| first(name, |heard| heard.span.end_time_unix_nano);
    let in_order = [began("decide"), ended("decide"), began("commit"), began("deliver"), ended("command")];
    if !in_order.is_sorted() {
        faults.push(format!("not in order: {in_order:?}"));
    }
    faults
}

fn is_applied(trace: &[Heard]) -> bool {
    trace.iter().any(|heard| heard.span.name == "commit")
}

fn is_whole(trace: &[Heard]) -> bool {
    faults(trace).is_empty()
}

/// Whether the connection ended before the answer came, so that the client may have had it on another one.
fn is_disturbed(trace: &[Heard]) -> bool {
    let has_failed = |heard: &Heard| heard.span.status.as_ref().is_some_and(|status| status.code == ERROR);
    trace.iter().any(|heard| heard.span.name == "repeat" || heard.span.name == "command" && has_failed(heard))
}

/// The judge itself.
fn finds_what_is_planted(trace: &[Heard]) {
    let without =
        |name: &str| trace.iter().filter(|heard| heard.span.name != name).cloned().collect::<Vec<_>>();
    for (name, _) in APPLIED {
        assert!(!is_whole(&without(name)), "a trace without {name}");
    }
    let with = |name: &str, change: fn(&mut Heard)| {
        let mut changed = trace.to_vec();
        changed.iter_mut().filter(|heard| heard.span.name == name).for_each(change);
        changed
    };
    assert!(!is_whole(&with("decide", |heard| heard.span.parent_span_id = vec![1; 8])));
    assert!(!is_whole(&with("commit", |heard| heard.service = "relay".into())));
    assert!(!is_whole(&with("commit", |heard| heard.span.end_time_unix_nano = 0)));
    assert!(!is_whole(&with("deliver", |heard| heard.span.attributes.clear())));
    assert!(!is_whole(&with("deliver", |heard| heard.span.start_time_unix_nano = 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_from_relay_to_commit_to_delivery_is_one_trace() {
    let collector = Collector::listen().await.unwrap();
    let flags = vec![format!("--traces-url={}", collector.url()), "--traces-one-in=1".into()];
    let args = ClusterArgs {
        relays: 2,
        dealers: 2,
        tables: 2,
        no_build: true,
        relay_flag: flags.clone(),
        dealer_flag: flags,
        ..ClusterArgs::default()
    };
    let cluster = Cluster::start(&args).await.unwrap();
    let swarm = swarm(&cluster.ws_url());
    let stop = CancellationToken::new();
    let crowd = Crowd::find(&swarm).await.unwrap();
    let whole =
        |traces: &Heards| traces.values().filter(|trace| is_applied(trace) && is_whole(trace)).count();
    let watch = async {
        let told = timeout(SOON, collector.until(|traces| whole(traces) >= ENOUGH)).await;
        stop.cancel();
        told.expect("not enough whole traces");
    };
    let (outcome, ()) = tokio::join!(crowd.run(&swarm, &stop), watch);
    assert_eq!(outcome.breaches.total(), 0, "{:?}", outcome.breaches);
    // What is left is told when the processes end, so now each is whole.
    cluster.end().await;
    let traces = timeout(SOON, collector.until(|traces| !traces.is_empty())).await.unwrap();
    let applied: Vec<_> = traces.values().filter(|trace| is_applied(trace)).collect();
    for trace in &applied {
        if !is_disturbed(trace) {
            assert_eq!(faults(trace), Vec::<String>::new(), "{trace:#?}");
        }
    }
    let refused = traces.values().flatten().filter(|heard| heard.attribute("cardhouse.refused").is_some());
    println!(
        "{} traces, {} of applied commands, {} steps refused",
        traces.len(),
        applied.len(),
        refused.count()
    );
    assert!(applied.iter().filter(|trace| !is_disturbed(trace)).count() >= ENOUGH);
    finds_what_is_planted(applied.iter().find(|trace| is_whole(trace)).expect("some are whole"));
}

fn swarm(url: &str) -> SwarmArgs {
    #[derive(clap::Parser)]
    struct Flags {
        #[command(flatten)]
        args: SwarmArgs,
    }
    // Long; it ends when enough was told.
    let words =
        ["swarm", "--url", url, "--bots=8", "--tables=2", "--seconds=120", "--think-ms=100", "--vanish=0"];
    <Flags as clap::Parser>::parse_from(words).args
}
