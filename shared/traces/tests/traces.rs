//! What is told of commands, and what becomes of it where the collector stands still. In one test: a process tells one collector.

use std::collections::BTreeSet;

use protocol::id::{RoomId, SessionId, UserId};
use sha2::{Digest as _, Sha256};
use tokio::time::{Duration, timeout};
use traces::{
    Command, NotStarted, Span, Spans, Step, TraceArgs,
    testing::collector::{Collector, Heard},
};

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(60);

/// One command in so many is traced.
const ONE_IN: u64 = 10;

/// The most that wait, and three times what is told at once.
const HELD_MAX: usize = 4_096 + 3 * 512;

fn args(url: &str) -> TraceArgs {
    #[derive(clap::Parser)]
    struct Flags {
        #[command(flatten)]
        args: TraceArgs,
    }
    let one_in = format!("--traces-one-in={ONE_IN}");
    <Flags as clap::Parser>::parse_from(["relay", "--traces-url", url, &one_in]).args
}

/// What a command's trace is called, found once more: trace, root and whether it is told at all.
fn name(n: u64) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut said = b"ann\0t1\0".to_vec();
    said.extend(7_u64.to_le_bytes());
    said.extend(n.to_le_bytes());
    let hash = Sha256::digest(&said);
    let lot = u64::from_le_bytes(hash[24..32].try_into().unwrap());
    lot.is_multiple_of(ONE_IN).then(|| (hash[..16].to_vec(), hash[16..24].to_vec()))
}

fn has_failed(heard: &Heard) -> bool {
    heard.span.status.as_ref().is_some_and(|status| status.code == 2)
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_have_the_names_of_their_commands_and_nobody_waits_for_a_collector() {
    let mut collector = Collector::standing_still().await.unwrap();
    let traces = args(&collector.url()).start("relay", "relay-1").unwrap();
    assert!(matches!(args(&collector.url()).start("relay", "relay-2"), Err(NotStarted::Twice)));
    let (user, room) = (UserId::new("ann").unwrap(), RoomId::new("t1").unwrap());
    let command = |n| Command { user: &user, session: SessionId(7), n, room: &room };

    // More are traced than wait: the rest is dropped.
    let many = 0..(HELD_MAX as u64 + 2_000) * ONE_IN;
    many.clone().for_each(|n| Span::begin(Step::Command, &command(n)).end());
    collector.answer();
    let told = timeout(SOON, collector.until(|told| told.len() >= 4_096)).await.unwrap();
    assert!(told.len() <= HELD_MAX, "{} were kept", told.len());
    let names: BTreeSet<_> = many.filter_map(name).collect();
    for (trace, heard) in &told {
        let [heard] = &heard[..] else { panic!("more than one step: {heard:?}") };
        assert!(names.contains(&(trace.clone(), heard.span.span_id.clone())), "{heard:?}");
        assert_eq!((&*heard.service, &*heard.node), ("relay", "relay-1"));
        assert!(heard.span.name == "command" && heard.span.parent_span_id.is_empty() && !has_failed(heard));
    }

    // It takes them again, so the next ones are told, each and wholly.
    let mut next = (1_000_000..).filter(|n| name(*n).is_some());
    let [good, refused, cut] = [(); 3].map(|()| next.next().expect("one in ten is traced"));
    let mut spans = Spans::default();
    for n in [good, refused, cut] {
        spans.begin(Step::Command, &command(n));
    }
    Span::begin(Step::Decide, &command(good)).end();
    spans.end(good);
    spans.end(good);
    spans.refused(refused);
    drop(spans);
    traces.finish().await;
    let told = timeout(SOON, collector.until(|told| !told.is_empty())).await.unwrap();
    let steps = |n| &told[&name(n).unwrap().0];
    let names: Vec<_> = steps(good).iter().map(|heard| &*heard.span.name).collect();
    assert_eq!(names, ["decide", "command"]);
    assert_eq!(steps(good)[0].span.parent_span_id, steps(good)[1].span.span_id);
    assert_eq!(steps(good)[0].attribute("cardhouse.n"), Some(good.to_string()));
    assert!(steps(refused)[0].attribute("cardhouse.refused").is_some() && !has_failed(&steps(refused)[0]));
    assert!(has_failed(&steps(cut)[0]));
}
