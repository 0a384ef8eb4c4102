//! The client that is in the repository, packed.

use std::{fs, path::Path};

/// What a first visit may cost, bytes as they travel; a fourth of a second on a slow phone's line.
const FIRST_LOAD_BYTES_MAX: usize = 40 * 1024;

/// What is shorter may be as long when it is compressed.
const SHORT_BYTES: u64 = 1_024;

/// And its requests, with the socket and the guest's token.
const FILES_MAX: usize = 4;

fn packed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    pack::write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../web"), folder.path()).unwrap();
    folder
}

#[test]
fn the_first_load_is_small() {
    let folder = packed();
    let page = fs::read_to_string(folder.path().join("index.html")).unwrap();
    let linked: Vec<&str> = page.split('"').filter(|text| text.starts_with("/assets/")).collect();
    assert!(linked.len() < FILES_MAX, "{linked:?}");
    let paths = linked.iter().map(|url| url.trim_start_matches('/')).chain(["index.html"]);
    let sizes: Vec<(&str, usize)> = paths
        .map(|path| {
            let gz = fs::read(folder.path().join(format!("{path}.gz")));
            (path, gz.or_else(|_| fs::read(folder.path().join(path))).unwrap().len())
        })
        .collect();
    let bytes: usize = sizes.iter().map(|(_, size)| size).sum();
    assert!(bytes <= FIRST_LOAD_BYTES_MAX, "{bytes} bytes: {sizes:?}");
}

#[test]
fn the_source_lies_beside_it_unpacked_and_what_is_for_developers_does_not() {
    let folder = packed();
    let source = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/index.html")).unwrap();
    assert_eq!(fs::read(folder.path().join("source.html")).unwrap(), source);
    assert!(folder.path().join("room.js").exists() && folder.path().join("style/base.css").exists());
    assert!(!folder.path().join("tests").exists() && !folder.path().join("package.json").exists());
}

#[test]
fn packing_again_keeps_what_older_pages_ask_for() {
    let folder = packed();
    let old = folder.path().join("assets/app-0000000000000000.js");
    fs::write(&old, "old").unwrap();
    let again = || pack::write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../web"), folder.path()).unwrap();
    again();
    assert_eq!(fs::read_to_string(&old).unwrap(), "old");
    let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().ends_with(".new")));
}

#[test]
fn what_the_scripts_ask_for_later_is_there_and_compressed() {
    let folder = packed();
    let mut asked_for = std::collections::BTreeSet::new();
    for entry in fs::read_dir(folder.path().join("assets")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "js") {
            let script = fs::read_to_string(path).unwrap();
            asked_for.extend(
                script.split('"').filter_map(|text| text.strip_prefix("/assets/")).map(str::to_owned),
            );
        }
    }
    for name in ["table-", "set-things-", "settings-", "account-"] {
        assert!(asked_for.iter().any(|url| url.starts_with(name)), "{name}: {asked_for:?}");
    }
    for name in asked_for {
        let file = |name: &str| folder.path().join("assets").join(name);
        let is_short = fs::metadata(file(&name)).unwrap().len() < SHORT_BYTES;
        assert!(is_short || file(&format!("{name}.gz")).exists(), "{name}");
    }
}
