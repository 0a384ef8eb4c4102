//! `docs/rules.md` names the file and the test of every rule: they exist.

use std::fs;
use std::path::{Path, PathBuf};

fn rust_files_below(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a folder of the crate").map(|entry| entry.expect("readable").path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files_below(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The cells of a section's table of rules: file names and test names.
fn rows(section: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let docs = include_str!("../../docs/rules.md");
    let section = docs.split("## ").find(|text| text.starts_with(section)).expect("a table of rules");
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = section.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').collect();
        (cells.len() == 6).then(|| (names(cells[3]), names(cells[4])))
    });
    // The heading and the rule below it name nothing.
    rows.skip(2).collect()
}

#[test]
fn every_rule_names_files_and_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    check("Rule by rule", 20, &root.join("src"), &root.join("tests"));
    let worker = root.join("../dealer-worker");
    check("At the table", 5, &worker.join("table/src"), &worker.join("tests"));
    let tournament = worker.join("tournament");
    check("In a tournament", 5, &tournament.join("src"), &tournament);
}

fn check(section: &str, rows_min: usize, source: &Path, tests: &Path) {
    let tests: String = rust_files_below(tests)
        .iter()
        .map(|path| fs::read_to_string(path).expect("a readable file"))
        .collect();
    let rows = rows(section);
    assert!(rows.len() > rows_min, "the table was found");
    for (files, names) in rows {
        assert!(
            !files.is_empty() && !names.is_empty(),
            "each rule has a file and a test: {files:?} {names:?}"
        );
        for file in files {
            assert!(source.join(&file).exists(), "no file {file}");
        }
        for name in names {
            assert!(tests.contains(&format!("fn {name}(")), "no test {name}");
        }
    }
}
