//! `docs/operations.md`, the alert rules, the dashboards and the code speak of the same metrics, flags and alerts.

use std::{collections::BTreeSet, fs, path::Path};

use clap::CommandFactory as _;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn document() -> String {
    fs::read_to_string(Path::new(ROOT).join("docs/operations.md")).unwrap()
}

/// What stands between backticks in the document, up to a label's brace or a value.
fn quoted(document: &str) -> BTreeSet<&str> {
    let code = document.split('`').skip(1).step_by(2);
    code.map(|code| code.split(['{', ' ', '=']).next().unwrap_or(code)).collect()
}

/// Names in `counter!("...")` and the like under a folder, apart from those of tests.
fn counted(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            counted(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let code = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            for make in ["counter!(\"", "counted(\"", "gauge!(\"", "histogram!(\""] {
                into.extend(
                    code.split(make).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned),
                );
            }
        }
    }
}

/// What the beginnings of our metrics' names are.
const KINDS: [&str; 7] = ["cardhouse_", "relay_", "reception_", "process_", "tape_", "agency_", "coach_"];

/// The metrics that the programs export.
fn exported() -> BTreeSet<String> {
    let mut counts = BTreeSet::new();
    let shared = ["shared/broker", "shared/ops", "shared/tokens", "shared/protocol", "shared/traces"];
    let of_workers = [
        "dealer-worker",
        "dealer-worker/jobs",
        "dealer-worker/rooms",
        "dealer-worker/table",
        "dealer-worker/tournament",
    ];
    let others = ["relay", "reception", "cage", "agency/agents", "agency/coach"];
    for part in shared.iter().chain(&of_workers).chain(&others) {
        counted(&Path::new(ROOT).join(part).join("src"), &mut counts);
    }
    assert!(counts.len() > 30, "{counts:?}");
    counts
}

/// Our metrics that queries in a text ask for and that nobody exports.
fn unknown(text: &str, exported: &BTreeSet<String>) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| KINDS.iter().any(|kind| word.starts_with(kind)));
    let is_exported = |word: &&str| {
        let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end));
        exported.contains(*word) || of_histogram.is_some_and(|name| exported.contains(name))
    };
    ours.filter(|word| !is_exported(word)).map(str::to_owned).collect()
}

fn alert_rules() -> String {
    fs::read_to_string(Path::new(ROOT).join("docker/prometheus/alerts.yaml")).unwrap()
}

/// What stands behind `start` on lines that begin so.
fn lines_after<'a>(text: &'a str, start: &str) -> BTreeSet<&'a str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(start)).collect()
}

#[test]
fn rules_and_dashboards_ask_for_metrics_that_the_programs_export() {
    let exported = exported();
    assert_eq!(unknown(&alert_rules(), &exported), Vec::<String>::new(), "in the alert rules");
    let mut seen = 0;
    for dashboard in fs::read_dir(Path::new(ROOT).join("docker/grafana/dashboards")).unwrap() {
        let path = dashboard.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(unknown(&text, &exported), Vec::<String>::new(), "in {}", path.display());
        seen += 1;
    }
    assert_eq!(seen, 4, "House, Tables, Relays, Redis");
    // The judge itself.
    let wrong =
        "rate(relay_conections[5m]) / cardhouse_commit_seconds_total + cardhouse_commit_seconds_count";
    assert_eq!(unknown(wrong, &exported), ["relay_conections", "cardhouse_commit_seconds_total"]);
}

#[test]
fn every_alert_fires_in_a_case_of_its_own_does_not_in_another_and_has_its_paragraph() {
    let rules = alert_rules();
    let alerts = lines_after(&rules, "- alert: ");
    assert!(alerts.len() > 20, "{alerts:?}");
    let cases = fs::read_to_string(Path::new(ROOT).join("docker/prometheus/alerts.test.yaml")).unwrap();
    for alert in &alerts {
        let own = cases.split("- name: ").filter(|case| case.lines().next() == Some(alert));
        let own: String = own.collect();
        assert!(own.contains("[{ value: 0 }]") && own.contains("[{ value: 1 }]"), "{alert}: {own}");
        assert!(rules.contains(&format!("docs/operations.md#{}\n", alert.to_lowercase())), "{alert}");
    }
    let document = document();
    let of_alerts =
        document.split("\n## ").find(|part| part.starts_with("Alerts\n")).expect("a part of alerts");
    assert_eq!(lines_after(of_alerts, "### "), alerts, "their paragraphs in the document");
}

#[test]
fn every_metric_is_documented_and_every_documented_metric_exists() {
    let counts = exported();
    let document = document();
    let quoted = quoted(&document);
    let missing: Vec<_> = counts.iter().filter(|name| !quoted.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not in the document: {missing:?}");
    let metrics = quoted.iter().filter(|name| KINDS.iter().any(|kind| name.starts_with(kind)));
    let gone: Vec<_> = metrics.filter(|name| !counts.contains(**name)).collect();
    assert!(gone.is_empty(), "only in the document: {gone:?}");
}

/// The flags of a command and of all below it.
fn flags(command: &clap::Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(clap::Arg::get_long).map(|long| format!("--{long}"));
    own.chain(command.get_subcommands().flat_map(flags)).collect()
}

#[test]
fn every_documented_flag_exists() {
    #[derive(clap::Parser)]
    struct Relay {
        #[command(flatten)]
        relay: relay::RelayConfig,
        #[command(flatten)]
        node: ops::config::NodeArgs,
        #[command(flatten)]
        redis: ops::config::RedisArgs,
    }
    let commands = [
        Relay::command(),
        dealer_worker::flags::Flags::command(),
        reception::config::Config::command(),
        house::Config::command(),
    ];
    let known: BTreeSet<String> = commands
        .iter()
        .flat_map(flags)
        // Not in a part that could be asked: clap's own, and what the relay's and the pit's programs add.
        .chain(["--help", "--jwks-url", "--hand-over-ms"].map(str::to_owned))
        .collect();
    let document = document();
    let unknown: Vec<_> = quoted(&document)
        .into_iter()
        .filter(|word| word.starts_with("--") && !known.contains(*word))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
