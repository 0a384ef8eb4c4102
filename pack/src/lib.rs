//! Packs the web client for delivery. Its source is many small files, to be read; over a slow line each of them costs a round trip.
//! So the page that people load asks for one script and one sheet, which are named by what is in them: a browser that has them never asks again.
//!
//! - [`modules`]: ES modules, in the order of their imports, as one script, and others for what is imported later; `module` reads one, `scripts`
//!   says which of them stand in which script
//! - [`shorter`]: the same script with fewer characters
//! - [`styles`]: the sheets that the page links, as one
//! - [`page`]: the page that links these two
//! - [`write()`]: a whole folder, for the house's binary (its build script) and for Nginx (the command `pack`)
//!
//! It knows JavaScript and CSS only as far as `web/` uses them, and refuses what it does not know. The source lies unpacked beside it:
//! `source.html` loads it as it is.

mod module;
pub mod modules;
pub mod page;
mod scripts;
pub mod shorter;
pub mod styles;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// Where what never changes lies: a file there has its content's hash in its name.
pub const ASSETS: &str = "assets";

/// The page as it is written.
const PAGE: &str = "index.html";

/// The same, unpacked, beside the packed one.
const SOURCE_PAGE: &str = "source.html";

/// The files of the web client by their path below its folder, `/` between its parts.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Why something cannot be packed. Each says where.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file that another one names is not there.
    #[error("{by} names {path}, which is not there")]
    Missing {
        /// Which file names it.
        by: String,
        /// What it names.
        path: String,
    },
    /// Something that this packer does not know.
    #[error("{path}:{line}: {what}")]
    Unknown {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: usize,
        /// What it is, and what would do.
        what: String,
    },
    /// Modules that need each other before they are there.
    #[error("these modules import each other in a circle: {0}")]
    Circle(String),
    /// A file is not text.
    #[error("{0} is not UTF-8")]
    NotText(String),
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// Packs what is in `files`: answers the files to serve, the packed page in the place of its source, and with each text that is worth
/// it the same compressed, `.gz` behind its name.
///
/// # Errors
/// [`PackError`] says which file is not such as this packer knows.
pub fn pack(files: &Files) -> Result<Files, PackError> {
    let mut out: Files = files
        .iter()
        .filter(|(path, _)| !is_for_developers(path))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    let source = text(files, PAGE, PAGE)?;
    let mut assets = Assets { files, out: Files::new() };
    let packed = page::pack(source, &mut assets)?;
    out.insert(SOURCE_PAGE.into(), source.as_bytes().to_vec());
    out.insert(PAGE.into(), packed.into_bytes());
    out.extend(assets.out);
    let compressed: Files = out
        .iter()
        .filter(|(path, bytes)| is_delivered(path) && bytes.len() > SMALL_BYTES)
        .map(|(path, bytes)| (format!("{path}.gz"), gzip(bytes)))
        .collect();
    out.extend(compressed);
    Ok(out)
}

/// Packs the folder `from` into the folder `to`, the page last. What was there stays: a page that somebody loaded before finds its files.
///
/// # Errors
/// [`PackError`] says what cannot be packed, read or written.
pub fn write(from: &Path, to: &Path) -> Result<(), PackError> {
    let mut files = Files::new();
    read_folder(from, "", &mut files)?;
    let (pages, rest): (Files, Files) =
        pack(&files)?.into_iter().partition(|(path, _)| path.starts_with(PAGE));
    for (path, bytes) in rest.into_iter().chain(pages) {
        let path = to.join(path);
        let at = |error| PackError::File { path: path.clone(), error };
        fs::create_dir_all(path.parent().unwrap_or(to)).map_err(at)?;
        // Beside, then in its place: whoever is served meanwhile gets the old one or the new one.
        let half = path.with_added_extension("new");
        fs::write(&half, bytes).and_then(|()| fs::rename(&half, &path)).map_err(at)?;
    }
    Ok(())
}

/// What lies beside the client for those who write it.
fn is_for_developers(path: &str) -> bool {
    path.starts_with("tests/") || matches!(path, "package.json" | "README.md")
}

/// Smaller ones fit a packet as they are.
const SMALL_BYTES: usize = 512;

/// The page and what it links, if it is text; the source is for few.
fn is_delivered(path: &str) -> bool {
    (path == PAGE || path.starts_with(ASSETS)) && is_text(path)
}

fn is_text(path: &str) -> bool {
    matches!(path.rsplit('.').next(), Some("html" | "js" | "css" | "svg" | "json" | "webmanifest"))
}

/// As small as it can be: it is done once, and read by everybody.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    let options = zopfli::Options::default();
    zopfli::compress(options, zopfli::Format::Gzip, bytes, &mut compressed)
        .expect("writing to memory does not fail");
    compressed
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Files) -> Result<(), PackError> {
    let at = |error| PackError::File { path: folder.into(), error };
    for entry in fs::read_dir(folder).map_err(at)? {
        let entry = entry.map_err(at)?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(at)?.is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), files)?;
        } else {
            let bytes =
                fs::read(entry.path()).map_err(|error| PackError::File { path: entry.path(), error })?;
            files.insert(path, bytes);
        }
    }
    Ok(())
}

/// A file's text.
pub(crate) fn text<'f>(files: &'f Files, path: &str, by: &str) -> Result<&'f str, PackError> {
    let bytes = files.get(path).ok_or_else(|| PackError::Missing { by: by.into(), path: path.into() })?;
    std::str::from_utf8(bytes).map_err(|_| PackError::NotText(path.into()))
}

/// Where `named` leads that stands in the file `by`.
pub(crate) fn resolve(by: &str, named: &str) -> String {
    let mut parts: Vec<&str> = by.split('/').collect();
    parts.pop();
    for part in named.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A drawing that is not larger travels inside of what shows it.
const INLINE_BYTES_MAX: usize = 1_024;

/// A drawing as a URL (RFC 2397).
fn data_url(svg: &[u8]) -> String {
    let mut url = String::from("data:image/svg+xml,");
    for &byte in svg {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'=' | b'/' | b':' | b',' => {
                url.push(char::from(byte));
            }
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// Files named by their content.
pub struct Assets<'f> {
    pub(crate) files: &'f Files,
    out: Files,
}

impl<'f> Assets<'f> {
    /// Nothing yet, from these files.
    pub fn new(files: &'f Files) -> Self {
        Self { files, out: Files::new() }
    }

    /// Adds one, and answers where a browser finds it: `/assets/app-0123456789abcdef.js`.
    pub(crate) fn add(&mut self, stem: &str, extension: &str, bytes: Vec<u8>) -> String {
        let hash: String = Sha256::digest(&bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let path = format!("{ASSETS}/{stem}-{hash}.{extension}");
        let url = format!("/{path}");
        self.out.insert(path, bytes);
        url
    }

    /// Adds the file `path`, a sheet without its comments and with its pictures.
    pub(crate) fn add_sheet_or_file(&mut self, path: &str, by: &str) -> Result<String, PackError> {
        let Some(stem) = path.strip_suffix(".css") else { return self.add_file(path, by) };
        let sheet = styles::join(&[path.into()], by, self)?;
        Ok(self.add(stem.rsplit('/').next().unwrap_or(stem), "css", sheet.into_bytes()))
    }

    /// Adds the file `path` as it is; a small drawing needs no request and stands in its own URL.
    pub(crate) fn add_file(&mut self, path: &str, by: &str) -> Result<String, PackError> {
        let missing = || PackError::Missing { by: by.into(), path: path.into() };
        let bytes = self.files.get(path).ok_or_else(missing)?.clone();
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
        if extension == "svg" && bytes.len() <= INLINE_BYTES_MAX {
            return Ok(data_url(&bytes));
        }
        Ok(self.add(stem, extension, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_followed_from_the_file_that_names_them() {
        assert_eq!(resolve("app.js", "./room.js"), "room.js");
        assert_eq!(resolve("style/base.css", "../icon.svg"), "icon.svg");
        assert_eq!(resolve("a/b.js", "./c/d.js"), "a/c/d.js");
    }

    #[test]
    fn a_small_drawing_stands_in_its_url_and_a_large_one_does_not() {
        let large = vec![b'x'; INLINE_BYTES_MAX + 1];
        let files: Files =
            [("small.svg".into(), b"<svg a=\"#1\"/>\n".to_vec()), ("large.svg".into(), large)].into();
        let mut assets = Assets::new(&files);
        assert_eq!(
            assets.add_file("small.svg", "x").unwrap(),
            "data:image/svg+xml,%3Csvg%20a=%22%231%22/%3E%0A"
        );
        assert!(assets.add_file("large.svg", "x").unwrap().starts_with("/assets/large-"));
        assert_eq!(assets.out.len(), 1);
    }
}
