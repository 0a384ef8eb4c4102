//! ES modules as one script: each in a function of its own, in the order of their imports, so that no two names meet.
//!
//! The modules are such as `web/` has them: `import` and `export` begin a line, an export stands before its `const`, `class` or `function`
//! (nobody can see whether it changes later), and only the first module awaits anything while it is loaded. That one may also
//! `import("./file.js")` one module later: with what it imports beyond the others it becomes a script of its own, which is given the
//! modules of the first one that it needs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::{Files, PackError, resolve, text};

/// The script that does what the module `entry` does with all that it imports. `add` takes the script of what is imported later, with a name
/// for it, and answers its URL.
///
/// # Errors
/// [`PackError`] says what is not such as this packer knows, or is not there.
pub fn bundle(
    files: &Files,
    entry: &str,
    add: &mut dyn FnMut(&str, &str) -> Result<String, PackError>,
) -> Result<String, PackError> {
    let mut order = Order { files, done: Vec::new(), known: BTreeMap::new(), path: Vec::new(), entry };
    order.visit(entry, "index.html")?;
    let main = order.done.len();
    let Some((named, later)) = order.done[main - 1].later.clone() else {
        return Ok(script(&order.done, entry));
    };
    order.visit(&later, entry)?;
    let (main, more) = order.done.split_at(main);
    let needed: BTreeSet<String> = more
        .iter()
        .flat_map(|module| &module.imports)
        .filter(|import| main.iter().any(|module| module.path == import.from))
        .map(|import| name_of(&import.from))
        .collect();
    let needed = needed.into_iter().collect::<Vec<_>>().join(", ");
    let whole = name_of(&later);
    let chunk = format!(
        "export default ($$given) => {{\nconst {{ {needed} }} = $$given;\n{}return {whole};\n}};\n",
        script(more, entry)
    );
    let stem = later.rsplit('/').next().unwrap_or(&later).trim_end_matches(".js");
    let url = add(stem, &chunk)?;
    // What could not be loaded may be asked for again.
    let loading = format!(
        "($$later ??= import(\"{url}\").then((later) => later.default({{ {needed} }})).catch((error) => {{ $$later = undefined; throw error; }}))"
    );
    Ok(format!("let $$later;\n{}", script(main, entry).replace(&named, &loading)))
}

/// Modules behind each other.
fn script(modules: &[Module], entry: &str) -> String {
    let mut out = String::new();
    for module in modules {
        let imports: String = module.imports.iter().map(Import::destructured).collect();
        let body = &module.body;
        // Writing to a string does not fail.
        let _ = if module.path == entry {
            write!(out, "{{\n{imports}{body}}}\n")
        } else {
            let (name, exports) = (name_of(&module.path), module.exports.join(", "));
            write!(out, "const {name} = (() => {{\n{imports}{body}return {{ {exports} }};\n}})();\n")
        };
    }
    out
}

struct Module {
    path: String,
    imports: Vec<Import>,
    exports: Vec<String>,
    /// What it imports later: as it is written, and which file that is.
    later: Option<(String, String)>,
    body: String,
}

/// `import { NAMES } from FROM`
struct Import {
    names: Vec<(String, String)>,
    from: String,
    line: usize,
}

impl Import {
    fn destructured(&self) -> String {
        if self.names.is_empty() {
            return String::new();
        }
        let names: Vec<String> = self
            .names
            .iter()
            .map(|(theirs, ours)| if theirs == ours { ours.clone() } else { format!("{theirs}: {ours}") })
            .collect();
        format!("const {{ {} }} = {};\n", names.join(", "), name_of(&self.from))
    }
}

/// A name that no module uses by itself.
fn name_of(path: &str) -> String {
    let safe = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
    format!("$${}", path.chars().map(safe).collect::<String>())
}

/// Each module behind those that it imports, as a browser runs them.
struct Order<'f> {
    files: &'f Files,
    done: Vec<Module>,
    /// What each of them exports.
    known: BTreeMap<String, Vec<String>>,
    /// From the entry to the one that is looked at.
    path: Vec<String>,
    entry: &'f str,
}

impl Order<'_> {
    fn visit(&mut self, path: &str, by: &str) -> Result<(), PackError> {
        if self.known.contains_key(path) {
            return Ok(());
        }
        if self.path.iter().any(|above| above == path) {
            self.path.push(path.into());
            return Err(PackError::Circle(self.path.join(" > ")));
        }
        let module = parse(path, text(self.files, path, by)?, path == self.entry)?;
        self.path.push(path.into());
        for import in &module.imports {
            self.visit(&import.from, path)?;
            let theirs = &self.known[&import.from];
            if let Some((name, _)) = import.names.iter().find(|(name, _)| !theirs.contains(name)) {
                let what = format!("{} exports no {name}", import.from);
                return Err(PackError::Unknown { path: path.into(), line: import.line, what });
            }
        }
        self.path.pop();
        self.known.insert(path.into(), module.exports.clone());
        self.done.push(module);
        Ok(())
    }
}

fn parse(path: &str, source: &str, is_entry: bool) -> Result<Module, PackError> {
    let mut module = Module {
        path: path.into(),
        imports: Vec::new(),
        exports: Vec::new(),
        later: None,
        body: String::new(),
    };
    let mut lines = source.lines().zip(1..);
    let (mut in_comment, mut in_template) = (false, false);
    while let Some((line, number)) = lines.next() {
        let refuse = |what: &str| PackError::Unknown { path: path.into(), line: number, what: what.into() };
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
                let mut statement = line.to_owned();
                while !statement.trim_end().ends_with(';') {
                    let (more, _) = lines.next().ok_or_else(|| refuse("an import without a semicolon"))?;
                    statement.push_str(more);
                }
                let import = import(path, &statement, number);
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
                push(&mut module.body, declared, &mut in_template);
                continue;
            }
            if code.contains("import(") || code.contains("import.meta") {
                let later = imported_later(path, code).filter(|_| is_entry && module.later.is_none());
                let what = "only the first module may import later, one time one \"./file.js\"";
                module.later = Some(later.ok_or_else(|| refuse(what))?);
            }
            if !is_entry && line.len() == code.len() && code.contains("await ") && !code.contains("async ") {
                return Err(refuse("only the first module may await while it is loaded"));
            }
        }
        push(&mut module.body, line, &mut in_template);
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

/// What `import("./FILE")` in a line names: as it is written, and which file that is.
fn imported_later(by: &str, line: &str) -> Option<(String, String)> {
    let (_, rest) = line.split_once("import(\"")?;
    let (named, rest) = rest.split_once('"')?;
    let is_all = rest.starts_with(')') && !rest.contains("import") && named.starts_with('.');
    is_all.then(|| (format!("import(\"{named}\")"), resolve(by, named)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|&(path, text)| (path.into(), text.into())).collect()
    }

    fn bundled(modules: &[(&str, &str)]) -> Result<(String, String), String> {
        let mut chunk = String::new();
        let mut add = |stem: &str, script: &str| {
            chunk = script.into();
            Ok(format!("/{stem}-1.js"))
        };
        let script = bundle(&files(modules), "app.js", &mut add).map_err(|error| error.to_string())?;
        Ok((script, chunk))
    }

    fn why(modules: &[(&str, &str)]) -> String {
        bundled(modules).expect_err("it is refused")
    }

    #[test]
    fn each_module_runs_once_behind_those_it_imports() {
        let (script, _) = bundled(&[
                ("app.js", "/** The app. */\nimport { a, b as c } from \"./a.js\";\nimport \"./d/d.js\";\nawait a(c);\n"),
                ("a.js", "import {\n  d,\n} from \"./d/d.js\";\n// why\nconst KEY = 1;\nexport const b = d + KEY;\nexport async function a() {}\n"),
                ("d/d.js", "const KEY = 2;\nexport class d {}\n"),
            ])
        .unwrap();
        assert_eq!(
            script,
            "const $$d_d_js = (() => {\nconst KEY = 2;\nclass d {}\nreturn { d };\n})();\n\
             const $$a_js = (() => {\nconst { d } = $$d_d_js;\nconst KEY = 1;\nconst b = d + KEY;\nasync function a() {}\nreturn { b, a };\n})();\n\
             {\nconst { a, b: c } = $$a_js;\nawait a(c);\n}\n"
        );
    }

    #[test]
    fn what_looks_like_a_comment_in_a_template_stays() {
        let source = "const css = `\n/* kept */\n\nimport of wine\n`;\n/* gone */\nconst tick = `\\``;\n";
        let (script, _) = bundled(&[("app.js", source)]).unwrap();
        assert!(script.contains("/* kept */\n\nimport of wine\n") && !script.contains("gone"), "{script}");
    }

    #[test]
    fn what_it_does_not_know_is_refused_with_its_place() {
        for (source, said) in [
            ("import x from \"./a.js\";", "app.js:1: an import other than"),
            ("import { x } from \"lodash\";", "an import other than"),
            ("const a = 1;\nexport default a;", "app.js:2: an export other than"),
            ("export let a = 1;", "an export other than"),
            (
                "const a = import(\"./a.js\");\nconst b = import(\"./a.js\");",
                "app.js:2: only the first module may import later",
            ),
            ("const a = import(name);", "may import later"),
            ("const a = import(\"./a.js\"), b = import(\"./b.js\");", "may import later"),
            ("const a = new URL(\"x\", import.meta.url);", "may import later"),
            ("/* a\n */ const a = 1;", "app.js:2: code behind a comment"),
            ("const a = `", "does not end"),
            ("import { x } from \"./none.js\";", "names none.js, which is not there"),
        ] {
            let why = why(&[("app.js", source), ("a.js", "")]);
            assert!(why.contains(said), "{source}: {why}");
        }
        let lacks = why(&[("app.js", "\nimport { x } from \"./a.js\";"), ("a.js", "export const y = 1;")]);
        assert_eq!(lacks, "app.js:2: a.js exports no x");
        let awaits = why(&[("app.js", "import \"./a.js\";"), ("a.js", "await 0;")]);
        assert!(awaits.contains("a.js:1: only the first module may await"), "{awaits}");
    }

    #[test]
    fn what_is_imported_later_is_a_script_of_its_own_that_shares_what_both_need() {
        let (script, chunk) = bundled(&[
            (
                "app.js",
                "import { x } from \"./x.js\";\nconst load = () => import(\"./late.js\");\nx(load);\n",
            ),
            ("x.js", "export const x = 1;\n"),
            ("y.js", "import { x } from \"./x.js\";\nexport const y = x;\n"),
            (
                "late.js",
                "import { x } from \"./x.js\";\nimport { y } from \"./y.js\";\nexport const late = x + y;\n",
            ),
        ])
        .unwrap();
        assert!(!script.contains("y_js") && script.starts_with("let $$later;\nconst $$x_js = "), "{script}");
        assert!(
            script.contains("import(\"/late-1.js\").then((later) => later.default({ $$x_js }))"),
            "{script}"
        );
        assert!(
            chunk.starts_with("export default ($$given) => {\nconst { $$x_js } = $$given;\nconst $$y_js = "),
            "{chunk}"
        );
        assert!(chunk.ends_with("return { late };\n})();\nreturn $$late_js;\n};\n"), "{chunk}");
        let other =
            why(&[("app.js", "import \"./a.js\";"), ("a.js", "const b = import(\"./b.js\");"), ("b.js", "")]);
        assert!(other.contains("a.js:1: only the first module may import later"), "{other}");
    }

    #[test]
    fn a_circle_is_told() {
        let circle = [
            ("app.js", "import \"./a.js\";"),
            ("a.js", "import \"./b.js\";"),
            ("b.js", "import \"./a.js\";"),
        ];
        assert!(why(&circle).ends_with("app.js > a.js > b.js > a.js"));
    }
}
