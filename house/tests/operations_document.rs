//! `docs/operations.md` and the code speak of the same metrics and flags.

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

#[test]
fn every_metric_is_documented_and_every_documented_metric_exists() {
    let mut counts = BTreeSet::new();
    for part in ["shared", "relay", "dealer-worker", "reception"] {
        counted(&Path::new(ROOT).join(part).join("src"), &mut counts);
    }
    assert!(counts.len() > 30, "{counts:?}");
    let document = document();
    let quoted = quoted(&document);
    let missing: Vec<_> = counts.iter().filter(|name| !quoted.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not in the document: {missing:?}");
    let kinds = ["cardhouse_", "relay_", "reception_", "process_"];
    let metrics = quoted.iter().filter(|name| kinds.iter().any(|kind| name.starts_with(kind)));
    let gone: Vec<_> = metrics.filter(|name| !counts.contains(**name)).collect();
    assert!(gone.is_empty(), "only in the document: {gone:?}");
}

#[test]
fn every_documented_flag_exists() {
    #[derive(clap::Parser)]
    struct Relay {
        #[command(flatten)]
        relay: relay::RelayConfig,
        #[command(flatten)]
        node: shared::config::NodeArgs,
        #[command(flatten)]
        redis: shared::config::RedisArgs,
    }
    let commands = [
        Relay::command(),
        dealer_worker::flags::Flags::command(),
        reception::config::Config::command(),
        house::Config::command(),
    ];
    let known: BTreeSet<String> = commands
        .iter()
        .flat_map(|command| {
            command.get_arguments().filter_map(clap::Arg::get_long).map(|long| format!("--{long}"))
        })
        // Not in a part that could be asked: clap's own, and the relay binary's.
        .chain(["--help", "--jwks-url"].map(str::to_owned))
        .collect();
    let document = document();
    let unknown: Vec<_> = quoted(&document)
        .into_iter()
        .filter(|word| word.starts_with("--") && !known.contains(*word))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
