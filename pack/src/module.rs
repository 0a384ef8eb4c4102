//! One ES module as it is written: what it imports at once and later, what it exports, and its body as it stands in a script.

use std::collections::BTreeSet;

use crate::{PackError, resolve};

pub(crate) struct Module {
    pub(crate) path: String,
    pub(crate) imports: Vec<Import>,
    pub(crate) exports: Vec<String>,
    /// What it imports later.
    pub(crate) later: BTreeSet<String>,
    pub(crate) body: String,
}

/// `import { NAMES } from FROM`
pub(crate) struct Import {
    pub(crate) names: Vec<(String, String)>,
    pub(crate) from: String,
    pub(crate) line: usize,
}

/// A name for the module `path` that no module uses by itself.
pub(crate) fn name_of(path: &str) -> String {
    let safe = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
    format!("$${}", path.chars().map(safe).collect::<String>())
}

/// Where a browser finds the file at a path, which the file at the other names.
pub(crate) type FindFile<'f> = dyn FnMut(&str, &str) -> Result<String, PackError> + 'f;

/// Reads the module at `path`. Only the entry may await anything while it is loaded.
pub(crate) fn parse(
    path: &str,
    source: &str,
    is_entry: bool,
    find: &mut FindFile<'_>,
) -> Result<Module, PackError> {
    let mut module = Module {
        path: path.into(),
        imports: Vec::new(),
        exports: Vec::new(),
        later: BTreeSet::new(),
        body: String::new(),
    };
    let mut lines = source.lines().zip(1..);
    let (mut in_comment, mut in_template) = (false, false);
    while let Some((line, number)) = lines.next() {
        let refuse = |what: &str| PackError::Unknown { path: path.into(), line: number, what: what.into() };
        let mut statement = line;
        if !in_template {
            let code = line.trim_start();
            if in_comment || code.starts_with("/*") {
                in_comment = !code.contains("*/");
                if code.split_once("*/").is_some_and(|(_, behind)| !behind.trim().is_empty()) {
                    return Err(refuse("code behind a comment: give it a line of its own"));
                }
                continue;
            }
            if code.is_empty() || code.starts_with("//") {
                continue;
            }
            if line.starts_with("import ") {
                let mut whole = line.to_owned();
                while !whole.trim_end().ends_with(';') {
                    let (more, _) = lines.next().ok_or_else(|| refuse("an import without a semicolon"))?;
                    whole.push_str(more);
                }
                let import = import(path, &whole, number);
                module
                    .imports
                    .push(import.ok_or_else(|| refuse("an import other than { names } from \"./file\""))?);
                continue;
            }
            if let Some(declared) = line.strip_prefix("export ") {
                let name = exported(declared);
                module
                    .exports
                    .push(name.ok_or_else(|| refuse("an export other than of a const, class or function"))?);
                statement = declared;
            }
            if !is_entry && line.len() == code.len() && code.contains("await ") && !code.contains("async ") {
                return Err(refuse("only the first module may await while it is loaded"));
            }
        }
        if in_template {
            push(&mut module.body, statement, &mut in_template);
            continue;
        }
        let told = with_files(path, statement, find)?.and_then(|line| later(path, &line, &mut module.later));
        let what = "what comes later is import(\"./file.js\") or import.meta.resolve(\"./file\")";
        push(&mut module.body, &told.ok_or_else(|| refuse(what))?, &mut in_template);
    }
    if in_template || in_comment {
        let what = "a template or a comment that does not end".into();
        return Err(PackError::Unknown { path: path.into(), line: source.lines().count(), what });
    }
    Ok(module)
}

/// In a template over several lines each line stays as it is: what looks like a comment there is text.
fn push(body: &mut String, line: &str, in_template: &mut bool) {
    body.push_str(line);
    body.push('\n');
    let ticks = line.matches('`').count() - line.matches("\\`").count();
    *in_template ^= ticks % 2 == 1;
}

fn import(by: &str, statement: &str, line: usize) -> Option<Import> {
    let statement = statement.strip_prefix("import ")?.trim().strip_suffix(';')?.trim();
    let (names, from) = match statement.strip_prefix('{') {
        Some(rest) => {
            let (names, rest) = rest.split_once('}')?;
            (names, rest.trim().strip_prefix("from")?.trim())
        }
        None => ("", statement),
    };
    let from = from.strip_prefix('"')?.strip_suffix('"')?;
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names = names.map(|name| name.split_once(" as ").unwrap_or((name, name)));
    let names: Vec<_> = names.map(|(theirs, ours)| (theirs.trim().into(), ours.trim().into())).collect();
    from.starts_with('.').then(|| Import { names, from: resolve(by, from), line })
}

/// The line with `$$later("NAME")` for each `import("./FILE")` in it; `None` when it imports or asks `import.meta` otherwise.
fn later(by: &str, line: &str, later: &mut BTreeSet<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once("import(") {
        let (named, behind) = behind.strip_prefix('"')?.split_once("\")")?;
        let path = named.starts_with('.').then(|| resolve(by, named))?;
        out.push_str(before);
        out.push_str(&format!("$$later(\"{}\")", name_of(&path)));
        later.insert(path);
        rest = behind;
    }
    out.push_str(rest);
    (!out.contains("import.meta")).then_some(out)
}

/// The line with its URL for each `import.meta.resolve("./FILE")` in it; `None` when it resolves anything else.
fn with_files(by: &str, line: &str, find: &mut FindFile<'_>) -> Result<Option<String>, PackError> {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once("import.meta.resolve(") {
        let named = behind.strip_prefix('"').and_then(|behind| behind.split_once("\")"));
        let Some((named, behind)) = named.filter(|(named, _)| named.starts_with('.')) else {
            return Ok(None);
        };
        out.push_str(&format!("{before}\"{}\"", find(&resolve(by, named), by)?));
        rest = behind;
    }
    out.push_str(rest);
    Ok(Some(out))
}

/// The name that `const NAME`, `class NAME` or `function NAME` declares.
fn exported(declared: &str) -> Option<String> {
    let declared = declared.strip_prefix("async ").unwrap_or(declared);
    let rest = ["const ", "class ", "function* ", "function "]
        .iter()
        .find_map(|kind| declared.strip_prefix(kind))?;
    let name: String = rest
        .chars()
        .take_while(|&character| character.is_alphanumeric() || "_$".contains(character))
        .collect();
    (!name.is_empty()).then_some(name)
}
