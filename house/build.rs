//! Packs the web client into the house: one script, one sheet, compressed. A file of it that cannot be packed ends the build.

use std::{env, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=../web");
    let folder = env::var("OUT_DIR").expect("cargo says where");
    let folder = Path::new(&folder).join("web");
    // What the last build packed is not to be served any more.
    let _ = std::fs::remove_dir_all(&folder);
    if let Err(error) = pack::write(Path::new("../web"), &folder) {
        panic!("the web client cannot be packed: {error}");
    }
}
