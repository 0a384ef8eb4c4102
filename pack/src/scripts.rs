//! Which modules stand in which script: those that are needed at once in the first, and beside it as few as load nothing that is not needed.
//!
//! A script is for one or several modules that are imported later, and whoever imports one of these loads all scripts for it. What several of
//! them need stands in a script for all of these, so that each module is there once. What is there anyway, because those who import it have
//! loaded it, is in none.

use std::collections::{BTreeMap, BTreeSet};

use crate::module::Module;

type Paths = BTreeSet<String>;

/// The scripts of a page.
pub(crate) struct Scripts {
    /// The modules of the first one.
    first: Paths,
    /// The others.
    pub(crate) later: Vec<Script>,
    /// Of each module that is imported later, which of the others must have come.
    pub(crate) of: BTreeMap<String, Vec<usize>>,
}

/// A script that comes later.
pub(crate) struct Script {
    /// What it is called.
    pub(crate) stem: String,
    modules: Paths,
}

impl Script {
    pub(crate) fn holds(&self, path: &str) -> bool {
        self.modules.contains(path)
    }
}

impl Scripts {
    /// For the module `entry` and these, which are all that it needs at any time.
    pub(crate) fn of(modules: &[Module], entry: &str) -> Self {
        let roots: Paths = modules.iter().flat_map(|module| module.later.clone()).collect();
        let first = with_imports(modules, entry);
        let whole: BTreeMap<&String, Paths> =
            roots.iter().map(|root| (root, with_imports(modules, root))).collect();
        let there = there_before(modules, &first, &whole);

        let mut groups: BTreeMap<Paths, Paths> = BTreeMap::new();
        for module in modules.iter().filter(|module| !first.contains(&module.path)) {
            let path = &module.path;
            let needs = |root: &&&String| whole[**root].contains(path) && !there[**root].contains(path);
            let needing: Paths =
                whole.keys().filter(|root| needs(root)).map(|root| (*root).clone()).collect();
            groups.entry(needing).or_default().insert(path.clone());
        }
        let of = roots.iter().map(|root| {
            let scripts = groups.keys().enumerate().filter(|(_, roots)| roots.contains(root));
            (root.clone(), scripts.map(|(number, _)| number).collect())
        });
        let of = of.collect();
        let later =
            groups.into_iter().map(|(roots, modules)| Script { stem: stem(&roots), modules }).collect();
        Self { first, later, of }
    }

    /// Whether the module stands in the first script.
    pub(crate) fn is_first(&self, path: &str) -> bool {
        self.first.contains(path)
    }
}

/// The module, what it imports at once, and so on.
fn with_imports(modules: &[Module], path: &str) -> Paths {
    let mut all = Paths::new();
    let mut open = vec![path];
    while let Some(path) = open.pop() {
        let module = modules.iter().find(|module| module.path == path);
        if let Some(module) = module.filter(|_| all.insert(path.into())) {
            open.extend(module.imports.iter().map(|import| import.from.as_str()));
        }
    }
    all
}

/// What has come in any case by the time that each is imported later: what all those have who import it.
fn there_before<'r>(
    modules: &[Module],
    first: &Paths,
    whole: &BTreeMap<&'r String, Paths>,
) -> BTreeMap<&'r String, Paths> {
    let all: Paths = modules.iter().map(|module| module.path.clone()).collect();
    let mut there: BTreeMap<&String, Paths> = whole.keys().map(|&root| (root, all.clone())).collect();
    loop {
        let before = there.clone();
        for (&root, known) in &mut there {
            for by in modules.iter().filter(|module| module.later.contains(root)) {
                if first.contains(&by.path) {
                    known.retain(|path| first.contains(path));
                }
                for (other, paths) in whole.iter().filter(|(_, paths)| paths.contains(&by.path)) {
                    known.retain(|path| paths.contains(path) || before[*other].contains(path));
                }
            }
        }
        if there == before {
            return there;
        }
    }
}

/// The name of the only one that needs it.
fn stem(roots: &Paths) -> String {
    match roots.iter().next() {
        Some(root) if roots.len() == 1 => {
            root.rsplit('/').next().unwrap_or(root).trim_end_matches(".js").into()
        }
        _ => "shared".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::Import;

    /// `PATH: IMPORTS / LATER` on each line, the entry first; answers `STEM: MODULES` of the first script and the others, and
    /// `PATH < STEMS`, what must have come for it.
    fn split(graph: &str) -> Vec<String> {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let modules: Vec<Module> = graph
            .lines()
            .map(|line| {
                let (path, rest) = line.split_once(':').unwrap();
                let (imports, later) = rest.split_once('/').unwrap_or((rest, ""));
                let import = |from| Import { names: Vec::new(), from, line: 1 };
                Module {
                    path: path.trim().into(),
                    imports: words(imports).into_iter().map(import).collect(),
                    exports: Vec::new(),
                    later: words(later).into_iter().collect(),
                    body: String::new(),
                }
            })
            .collect();
        let scripts = Scripts::of(&modules, &modules[0].path);
        let list = |paths: &Paths| paths.iter().cloned().collect::<Vec<_>>().join(" ");
        let mut out = vec![format!("first: {}", list(&scripts.first))];
        out.extend(scripts.later.iter().map(|script| format!("{}: {}", script.stem, list(&script.modules))));
        out.extend(scripts.of.iter().map(|(path, needed)| {
            let stems: Vec<&str> = needed.iter().map(|&script| scripts.later[script].stem.as_str()).collect();
            format!("{path} < {}", stems.join(" "))
        }));
        out
    }

    #[test]
    fn what_is_needed_at_once_stands_in_the_first_and_the_rest_where_it_is_asked_for() {
        assert_eq!(
            split("app: x / late\nx:\nlate: x y\ny: x"),
            ["first: app x", "late: late y", "late < late"]
        );
        assert_eq!(split("app: x / x\nx:"), ["first: app x", "x < "]);
    }

    #[test]
    fn what_two_need_comes_once_in_a_script_for_both() {
        assert_eq!(
            split("app: / a b\na: s\nb: s\ns:"),
            ["first: app", "a: a", "shared: s", "b: b", "a < a shared", "b < shared b"]
        );
    }

    #[test]
    fn what_whoever_asks_has_already_is_not_asked_for_again() {
        // b is asked for by a alone, which has s.
        assert_eq!(
            split("app: / a\na: s / b\ns:\nb: s t\nt:"),
            ["first: app", "a: a s", "b: b t", "a < a", "b < b"]
        );
        // Now by c too, which has it not.
        assert_eq!(
            split("app: / a c\na: s / b\ns:\nc: / b\nb: s t\nt:"),
            ["first: app", "a: a", "shared: s", "b: b t", "c: c", "a < a shared", "b < shared b", "c < c"]
        );
    }

    #[test]
    fn two_may_lead_to_each_other() {
        assert_eq!(
            split("app: / a b\na: s / b\nb: s / a\ns:"),
            ["first: app", "a: a", "shared: s", "b: b", "a < a shared", "b < shared b"]
        );
        assert_eq!(
            split("app: / a\na: s / b\nb: s / a\ns:"),
            ["first: app", "a: a s", "b: b", "a < a", "b < b"]
        );
    }
}
