//! The programs of the cluster: those that lie beside this one, built first when this is a source tree.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

/// What a cluster is made of, besides Redis and nginx: packages and their programs.
const PROGRAMS: [(&str, &str); 4] = [
    ("relay", "relay"),
    ("dealer-worker", "dealer-worker"),
    ("reception", "reception"),
    ("check", "cardhouse-check"),
];

/// The same of a cluster with pits, besides.
const PIT: (&str, &str) = ("pit", "pit");

/// The folder that the programs are in.
///
/// `cargo run -p loadtest` builds loadtest alone. Under cargo the others are therefore built here, in the same profile, so that a
/// cluster never runs programs that are older than their source.
///
/// # Errors
/// When they cannot be built, or one is missing.
pub fn folder(build: bool, has_pits: bool) -> anyhow::Result<PathBuf> {
    let needed = || PROGRAMS.into_iter().chain(has_pits.then_some(PIT));
    let this = std::env::current_exe()?;
    let folder = this.parent().context("a program without a folder")?;
    // Tests run from target/PROFILE/deps.
    let folder =
        if folder.ends_with("deps") { folder.parent().context("deps without a parent")? } else { folder };
    let missing: Vec<&str> =
        needed().map(|(_, program)| program).filter(|name| !folder.join(name).is_file()).collect();
    let under_cargo = std::env::var_os("CARGO").is_some();
    if build && (under_cargo || (!missing.is_empty() && source_tree().is_file())) {
        build_all(folder, needed().map(|(package, _)| package))?;
    } else if !missing.is_empty() {
        anyhow::bail!(
            "{} not found in {}; `cargo build --release --workspace --bins` builds all",
            missing.join(", "),
            folder.display()
        );
    }
    Ok(folder.to_owned())
}

fn source_tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml")
}

fn build_all(folder: &Path, packages: impl Iterator<Item = &'static str>) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.arg("build").arg("--manifest-path").arg(source_tree());
    for package in packages {
        command.args(["--package", package]);
    }
    // The folder of a profile has its name, but for the one of development.
    let profile = folder.file_name().context("a profile without a folder")?;
    if profile != "debug" {
        command.arg("--profile").arg(profile);
    }
    command
        .arg("--bins")
        .arg("--target-dir")
        .arg(folder.parent().context("a profile without a target folder")?);
    let status = command.status().context("cannot run cargo")?;
    anyhow::ensure!(status.success(), "the programs of the cluster cannot be built: {status}");
    Ok(())
}
