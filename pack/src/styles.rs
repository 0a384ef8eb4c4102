//! Sheets as one: in the order in which the page links them, without comments, their pictures by the names that never change.

use crate::{Assets, PackError, resolve, text};

/// The sheets `paths`, joined.
///
/// # Errors
/// [`PackError`] when one, or a picture in it, is not there.
pub fn join(paths: &[String], by: &str, assets: &mut Assets<'_>) -> Result<String, PackError> {
    let mut out = String::new();
    for path in paths {
        let source = text(assets.files, path, by)?;
        let line_of = |rest: &str| source[..source.len() - rest.len()].matches('\n').count() + 1;
        let refuse = |rest: &str, what: &str| PackError::Unknown {
            path: path.clone(),
            line: line_of(rest),
            what: what.into(),
        };
        let mut rest = source;
        // Each time up to the next thing in which a comment's or a string's beginning means nothing.
        while let Some(at) = rest.find(['"', '\'', '/', 'u']) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(comment) = rest.strip_prefix("/*") {
                let (_, behind) =
                    comment.split_once("*/").ok_or_else(|| refuse(rest, "a comment that does not end"))?;
                rest = behind;
            } else if let Some(named) = rest.strip_prefix("url(") {
                let (named, behind) =
                    named.split_once(')').ok_or_else(|| refuse(rest, "a url( without its )"))?;
                let named = named.trim().trim_matches(['"', '\'']);
                let url = if named.starts_with("data:") {
                    named.into()
                } else {
                    assets.add_file(&resolve(path, named), path)?
                };
                out.push_str(&format!("url(\"{url}\")"));
                rest = behind;
            } else if let quote @ ('"' | '\'') = rest.as_bytes()[0] as char {
                let ends =
                    end_of_string(rest, quote).ok_or_else(|| refuse(rest, "a string that does not end"))?;
                out.push_str(&rest[..ends]);
                rest = &rest[ends..];
            } else {
                out.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
        out.push_str(rest);
        if out.contains("@import") {
            return Err(refuse("", "an @import: let the page link the sheet"));
        }
    }
    Ok(out
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| format!("{}\n", line.trim_start()))
        .collect())
}

/// Behind the quote that ends the string which `text` begins with.
fn end_of_string(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return None,
            _ if character == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Files;

    fn join_one(css: &str) -> Result<String, String> {
        let files: Files = [("style/a.css", css), ("icon.svg", "<svg/>")]
            .map(|(path, text)| (path.into(), text.into()))
            .into();
        join(&["style/a.css".into()], "index.html", &mut Assets::new(&files))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn comments_go_and_strings_stay() {
        let css = "/* gone */\na::before { content: \"/* kept */ \\\"\"; } /* gone\n too */\n\nb { color: red } /* it's */\n";
        assert_eq!(
            join_one(css).unwrap(),
            "a::before { content: \"/* kept */ \\\"\"; } \nb { color: red } \n"
        );
    }

    #[test]
    fn pictures_get_their_lasting_names() {
        let css = join_one("a { background: url(\"../icon.svg\") center, url(data:image/png;base64,AA==); }")
            .unwrap();
        assert!(
            css.contains("url(\"data:image/svg+xml,%3Csvg/%3E\")")
                && css.contains("url(\"data:image/png;base64,AA==\")"),
            "{css}"
        );
        assert_eq!(
            join_one("a { background: url(none.svg) }").unwrap_err(),
            "style/a.css names style/none.svg, which is not there"
        );
    }

    #[test]
    fn what_it_does_not_know_is_refused_with_its_place() {
        assert_eq!(join_one("a {}\n/* b").unwrap_err(), "style/a.css:2: a comment that does not end");
        assert_eq!(
            join_one("a { content: \"b\n\" }").unwrap_err(),
            "style/a.css:1: a string that does not end"
        );
        assert!(join_one("@import \"b.css\";").unwrap_err().contains("let the page link the sheet"));
    }
}
