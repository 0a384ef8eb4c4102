//! `pack WEB FOLDER`: packs the web client in the folder `WEB` for Nginx to serve out of `FOLDER`.

use std::{env, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [web, folder] = arguments.as_slice() else {
        eprintln!(
            "usage: pack WEB FOLDER\n\nPacks the web client in WEB for delivery, into FOLDER. What lies there already stays."
        );
        return ExitCode::from(2);
    };
    match pack::write(Path::new(web), Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pack: {error}");
            ExitCode::FAILURE
        }
    }
}
