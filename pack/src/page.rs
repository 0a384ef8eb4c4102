//! The page: its sheets and its script by the names of the packed ones, everything else as it is.

use crate::{Assets, PackError, modules, modules::Beside, resolve, shorter, styles};

const PATH: &str = crate::PAGE;

/// Packs the page, and what it links into `assets`.
///
/// # Errors
/// [`PackError`] says what it links that cannot be packed.
pub fn pack(source: &str, assets: &mut Assets<'_>) -> Result<String, PackError> {
    let mut sheets = Vec::new();
    let mut out = String::new();
    let mut sheet_at = None;
    for (line, number) in source.lines().zip(1..) {
        let refuse = |what: &str| PackError::Unknown { path: PATH.into(), line: number, what: what.into() };
        let tag = line.trim();
        let indent = &line[..line.len() - line.trim_start().len()];
        if tag.starts_with("<link ") && attribute(tag, "rel") == Some("stylesheet") {
            let named = attribute(tag, "href").ok_or_else(|| refuse("a sheet without href"))?;
            sheets.push(resolve(PATH, named));
            sheet_at.get_or_insert((out.len(), indent));
            continue;
        }
        if tag.starts_with("<link ") && attribute(tag, "rel") == Some("icon") {
            let named = attribute(tag, "href").ok_or_else(|| refuse("an icon without href"))?;
            let url = assets.add_file(&resolve(PATH, named), PATH)?;
            out.push_str(&line.replace(named, &url));
        } else if tag.starts_with("<script ") {
            let named = attribute(tag, "src")
                .ok_or_else(|| refuse("a script without src: the policy lets none run"))?;
            if attribute(tag, "type") != Some("module") {
                return Err(refuse("a script that is no module"));
            }
            let files = assets.files;
            let mut beside = |what: Beside<'_>| match what {
                Beside::Script { stem, script } => {
                    Ok(assets.add(stem, "js", shorter::shorten(script)?.into_bytes()))
                }
                Beside::File { path, by } => assets.add_sheet_or_file(path, by),
            };
            let script = shorter::shorten(&modules::bundle(files, &resolve(PATH, named), &mut beside)?)?;
            let url = assets.add("app", "js", script.into_bytes());
            out.push_str(&line.replace(named, &url));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    if let Some((at, indent)) = sheet_at {
        let sheet = styles::join(&sheets, PATH, assets)?;
        let url = assets.add("style", "css", sheet.into_bytes());
        out.insert_str(at, &format!("{indent}<link rel=\"stylesheet\" href=\"{url}\">\n"));
    }
    Ok(out)
}

/// The value of `name="value"` in a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Files;

    const SOURCE: &str = "<head>\n  <link rel=\"icon\" href=\"icon.svg\" type=\"image/svg+xml\">\n  <link rel=\"stylesheet\" href=\"a.css\">\n  \
                          <link rel=\"stylesheet\" href=\"b.css\">\n  <script type=\"module\" src=\"app.js\"></script>\n</head>\n";

    fn packed(source: &str) -> Result<(String, Files), String> {
        let files =
            [("icon.svg", "<svg/>"), ("a.css", "a {}\n"), ("b.css", "b {}\n"), ("app.js", "start();\n")];
        let files: Files = files.map(|(path, text)| (path.into(), text.into())).into();
        let mut assets = Assets::new(&files);
        pack(source, &mut assets).map(|page| (page, assets.out)).map_err(|error| error.to_string())
    }

    #[test]
    fn one_sheet_and_one_script_take_the_places_of_many() {
        let (page, assets) = packed(SOURCE).unwrap();
        assert_eq!(page.matches("stylesheet").count(), 1);
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.lines().count(), SOURCE.lines().count() - 1);
        for (path, bytes) in &assets {
            assert!(page.contains(&format!("\"/{path}\"")), "{path} is linked by {page}");
            assert!(!bytes.is_empty());
        }
        assert!(assets.values().any(|bytes| bytes == b"a {}\nb {}\n"));
    }

    #[test]
    fn another_content_is_another_name() {
        let (one, _) = packed(SOURCE).unwrap();
        let (other, _) = packed(&SOURCE.replace("  <link rel=\"stylesheet\" href=\"a.css\">\n", "")).unwrap();
        let sheet = |page: &str| {
            attribute(page.lines().find(|line| line.contains("stylesheet")).unwrap(), "href")
                .unwrap()
                .to_owned()
        };
        assert_ne!(sheet(&one), sheet(&other));
    }

    #[test]
    fn what_no_browser_would_run_is_refused() {
        assert!(
            packed("<script type=\"module\">start()</script>")
                .unwrap_err()
                .contains("index.html:1: a script without src")
        );
        assert!(packed("<script src=\"app.js\"></script>").unwrap_err().contains("no module"));
    }
}
