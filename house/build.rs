//! Rebuilds the house when a file of the web client comes or goes: the embedding macro by itself only sees changes
//! of files that were there.

fn main() {
    println!("cargo:rerun-if-changed=../web");
}
