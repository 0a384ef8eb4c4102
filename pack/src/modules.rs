//! ES modules as one script: each in a function of its own, in the order of their imports, so that no two names meet.
//!
//! The modules are such as `web/` has them: `import` and `export` begin a line, an export stands before its `const`, `class` or `function`
//! (nobody can see whether it changes later), and only the first module awaits anything while it is loaded.
//!
//! What any of them imports later, by `import("./file.js")`, comes in scripts of its own ([`scripts`](crate::scripts)), each module once, and
//! runs when it is first asked for. A file that a module names by `import.meta.resolve("./file")`, such as a sheet, is packed too.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::{
    Files, PackError,
    module::{FindFile, Module, name_of, parse},
    scripts::Scripts,
    text,
};

/// What a script wants to have packed beside it; answered with its URL.
pub enum Beside<'a> {
    /// The script of what is imported later, with a name for it.
    Script {
        /// Its name, without an extension.
        stem: &'a str,
        /// The script.
        script: &'a str,
    },
    /// A file.
    File {
        /// Which.
        path: &'a str,
        /// Which module names it.
        by: &'a str,
    },
}

/// The script that does what the module `entry` does with all that it imports.
///
/// # Errors
/// [`PackError`] says what is not such as this packer knows, or is not there.
pub fn bundle(
    files: &Files,
    entry: &str,
    add: &mut dyn FnMut(Beside<'_>) -> Result<String, PackError>,
) -> Result<String, PackError> {
    let modules = read_all(files, entry, &mut |path, by| add(Beside::File { path, by }))?;
    let scripts = Scripts::of(&modules, entry);
    let first = || modules.iter().filter(|module| scripts.is_first(&module.path));
    if scripts.later.is_empty() && modules.iter().all(|module| module.later.is_empty()) {
        return Ok(first().map(|module| at_once(module, entry)).collect());
    }
    let mut urls = Vec::new();
    for script in &scripts.later {
        let chunk: String =
            modules.iter().filter(|module| script.holds(&module.path)).map(when_asked).collect();
        let chunk = format!("export default ($$make, $$module, $$later) => {{\n{chunk}}};\n");
        urls.push(add(Beside::Script { stem: &script.stem, script: &chunk })?);
    }
    let mut out = loader(&scripts, &urls);
    let needed = modules.iter().flat_map(|module| {
        let imports = module.imports.iter().filter(|_| !scripts.is_first(&module.path));
        imports.map(|import| &import.from).chain(&module.later)
    });
    let needed: BTreeSet<String> =
        needed.filter(|path| scripts.is_first(path)).map(|path| name_of(path)).collect();
    for module in first() {
        if module.path == entry {
            let needed: Vec<String> = needed.iter().cloned().collect();
            // Writing to a string does not fail.
            let _ = writeln!(out, "Object.assign($$made, {{ {} }});", needed.join(", "));
        }
        out.push_str(&at_once(module, entry));
    }
    Ok(out)
}

/// What the first script has beyond its modules: where the others are, and how they come. What could not be loaded may be asked for again, under
/// a name that is new to the browser: some remember of a name for good that it could not be had.
fn loader(scripts: &Scripts, urls: &[String]) -> String {
    let mut of = String::new();
    for (path, needed) in &scripts.of {
        let urls: Vec<String> = needed.iter().map(|&script| format!("\"{}\"", urls[script])).collect();
        let _ = writeln!(of, "\"{}\": [{}],", name_of(path), urls.join(", "));
    }
    format!(
        "const $$urls = {{\n{of}}};\n\
         const $$made = {{}}, $$make = {{}}, $$scripts = {{}}, $$missed = {{}};\n\
         const $$module = (name) => ($$made[name] ??= $$make[name]());\n\
         const $$load = (url) => ($$scripts[url] ??= import($$missed[url] ? url + \"?\" + $$missed[url] : url).then(\n\
         (script) => script.default($$make, $$module, $$later),\n\
         (error) => {{ delete $$scripts[url]; $$missed[url] = ($$missed[url] ?? 0) + 1; throw error; }}));\n\
         const $$later = (name) => Promise.all($$urls[name].map($$load)).then(() => $$module(name));\n"
    )
}

/// A module of the first script.
fn at_once(module: &Module, entry: &str) -> String {
    let body = &module.body;
    let imports: String = module
        .imports
        .iter()
        .filter(|import| !import.names.is_empty())
        .map(|import| format!("const {{ {} }} = {};\n", destructured(&import.names), name_of(&import.from)))
        .collect();
    if module.path == entry {
        return format!("{{\n{imports}{body}}}\n");
    }
    let (name, exports) = (name_of(&module.path), module.exports.join(", "));
    format!("const {name} = (() => {{\n{imports}{body}return {{ {exports} }};\n}})();\n")
}

/// A module of a later script.
fn when_asked(module: &Module) -> String {
    let imports = module.imports.iter().map(|import| {
        let from = format!("$$module(\"{}\");\n", name_of(&import.from));
        if import.names.is_empty() {
            from
        } else {
            format!("const {{ {} }} = {from}", destructured(&import.names))
        }
    });
    let imports: String = imports.collect();
    let (name, body, exports) = (name_of(&module.path), &module.body, module.exports.join(", "));
    format!("$$make.{name} = () => {{\n{imports}{body}return {{ {exports} }};\n}};\n")
}

fn destructured(names: &[(String, String)]) -> String {
    let names = names
        .iter()
        .map(|(theirs, ours)| if theirs == ours { ours.clone() } else { format!("{theirs}: {ours}") });
    names.collect::<Vec<_>>().join(", ")
}

/// The entry and all that it imports, at once or later, each behind those that it imports at once, as a browser runs them.
fn read_all(files: &Files, entry: &str, find: &mut FindFile<'_>) -> Result<Vec<Module>, PackError> {
    let mut order = Order { files, find, done: Vec::new(), known: BTreeMap::new(), path: Vec::new(), entry };
    order.visit(entry, "index.html")?;
    let mut looked_at = 0;
    while let Some(module) = order.done.get(looked_at) {
        let (by, later) = (module.path.clone(), module.later.clone());
        for path in later {
            if path == entry {
                return Err(PackError::Circle(format!("{by} > {entry}")));
            }
            order.visit(&path, &by)?;
        }
        looked_at += 1;
    }
    Ok(order.done)
}

struct Order<'f, 'g> {
    files: &'f Files,
    find: &'f mut FindFile<'g>,
    done: Vec<Module>,
    /// What each of them exports.
    known: BTreeMap<String, Vec<String>>,
    /// From the entry to the one that is looked at.
    path: Vec<String>,
    entry: &'f str,
}

impl Order<'_, '_> {
    fn visit(&mut self, path: &str, by: &str) -> Result<(), PackError> {
        if self.known.contains_key(path) {
            return Ok(());
        }
        if self.path.iter().any(|above| above == path) {
            self.path.push(path.into());
            return Err(PackError::Circle(self.path.join(" > ")));
        }
        let module = parse(path, text(self.files, path, by)?, path == self.entry, self.find)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|&(path, text)| (path.into(), text.into())).collect()
    }

    /// The first script, and what stands beside it by its URL.
    fn bundled(modules: &[(&str, &str)]) -> Result<(String, BTreeMap<String, String>), String> {
        let mut beside = BTreeMap::new();
        let mut add = |what: Beside<'_>| {
            let (url, text) = match what {
                Beside::Script { stem, script } => (format!("/{stem}-1.js"), script.to_owned()),
                Beside::File { path, .. } => (format!("/1/{path}"), String::new()),
            };
            beside.insert(url.clone(), text);
            Ok(url)
        };
        let script = bundle(&files(modules), "app.js", &mut add).map_err(|error| error.to_string())?;
        Ok((script, beside))
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
            ("const a = import(name);", "app.js:1: what comes later is import("),
            ("const a = import(\"lodash\");", "what comes later is"),
            ("const a = import(\"./a.js\", {});", "what comes later is"),
            ("const a = new URL(\"x\", import.meta.url);", "what comes later is"),
            ("export const a = () => import.meta.resolve(\"lodash\");", "what comes later is"),
            ("const a = import(\"./app.js\");", "in a circle: app.js > app.js"),
            ("const a = import(\"./none.js\");", "app.js names none.js, which is not there"),
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
        let (script, beside) = bundled(&[
            (
                "app.js",
                "import { x } from \"./x.js\";\nconst load = () => import(\"./late.js\");\nx(load);\n",
            ),
            ("x.js", "export const x = 1;\n"),
            ("y.js", "import { x as z } from \"./x.js\";\nexport const y = z;\n"),
            (
                "late.js",
                "import { x } from \"./x.js\";\nimport \"./y.js\";\nexport const late = [import(\"./x.js\"), import(\"./later.js\")];\n",
            ),
            ("later.js", "export const sheet = import.meta.resolve(\"./style/a.css\");\n"),
        ])
        .unwrap();
        assert!(
            script.starts_with(
                "const $$urls = {\n\"$$late_js\": [\"/late-1.js\"],\n\"$$later_js\": [\"/later-1.js\"],\n\"$$x_js\": [],\n};\n"
            ),
            "{script}"
        );
        let body = script.split_once("const $$x_js = ").unwrap().1;
        assert_eq!(
            body,
            "(() => {\nconst x = 1;\nreturn { x };\n})();\n\
             Object.assign($$made, { $$x_js });\n\
             {\nconst { x } = $$x_js;\nconst load = () => $$later(\"$$late_js\");\nx(load);\n}\n"
        );
        assert_eq!(
            beside["/late-1.js"],
            "export default ($$make, $$module, $$later) => {\n\
             $$make.$$y_js = () => {\nconst { x: z } = $$module(\"$$x_js\");\nconst y = z;\nreturn { y };\n};\n\
             $$make.$$late_js = () => {\nconst { x } = $$module(\"$$x_js\");\n$$module(\"$$y_js\");\n\
             const late = [$$later(\"$$x_js\"), $$later(\"$$later_js\")];\nreturn { late };\n};\n};\n"
        );
        assert!(beside["/later-1.js"].contains("const sheet = \"/1/style/a.css\";"), "{beside:?}");
        assert!(beside.contains_key("/1/style/a.css"));
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
