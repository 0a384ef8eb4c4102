/** Judges of what the page says: whether it all comes from the catalogues, and whether the catalogues agree. */
import { literals } from "./literals.js";

/** Properties and attributes that people read or hear. */
const SPOKEN = new Set(["text", "title", "placeholder", "alt", "label", "body", "aria-label", "aria-description", "aria-valuetext", "data-label", "data-waits"]);
/** What developers read. */
const FOR_DEVELOPERS = new Set(["console.info", "console.warn", "console.error", "Error", "Misfit", "super", "less"]);
/** Names of keys, as events have them. */
const KEY_NAME = /^(Enter|Space|Esc|Escape|Tab|Arrow\w+|Home|End|Page\w+|Insert|Delete|Backspace|Shift|Control|Alt|Meta|HangulMode)$/;
/** Two words, a capitalized one, or letters of another alphabet. */
const LIKE_WORDS = /\p{L}{2,}\s+(?:\$\{\}\s*)?\p{L}|^\p{Lu}\p{Ll}|[^\P{L}\x00-\x7f]/u;
const LETTER = /\p{L}/u;
/** What looks like words and is none: a class, a name that is given to the house, what keys write, a drawing. */
const NONE = new Set(["Misfit", "Guest", "Bearer ${}", "ㅁㅠㅊㅇㄷㄹㅎㅗㅑㅓㅏㅣㅡㅜㅐㅔㅂㄱㄴㅅㅕㅍㅈㅌㅛㅋ"]);

/** Literals of a module that people could read: `line: text`, an empty list where all come from a catalogue. */
export function untold(source) {
  const assigned = [...source.matchAll(/\.(?:textContent|innerText|innerHTML|title|placeholder|ariaLabel)\s*=[^=][^(;\n]*?["'`][^"'`]*\p{L}/gu)].map(({ 0: text }) => `assigned: ${text}`);
  return [...assigned, ...literals(source).filter(isUntold).map(({ line, text }) => `${line}: ${text}`)];
}

function isUntold({ text, key, call, args, at, before }) {
  if (["===", "!==", "case", "import", "from"].includes(before) || NONE.has(text) || KEY_NAME.test(text) || text.startsWith("<svg ")) return false;
  if (!LETTER.test(text.replaceAll("${}", ""))) return false;
  const isSet = (call === "setText" && at > 0) || (call === "setAttribute" && at > 1 && SPOKEN.has(args[1])) || (call.endsWith(".setAttribute") && at > 0 && SPOKEN.has(args[0]));
  if (SPOKEN.has(key) || isSet) return true;
  return key !== "class" && !FOR_DEVELOPERS.has(call) && LIKE_WORDS.test(text);
}

/** Text that a sheet writes. */
export function untoldInSheet(css) {
  return [...css.matchAll(/content:\s*(["'])(.*?)\1/g)].map(({ 2: text }) => text).filter((text) => LETTER.test(text));
}

/** All phrases of a catalogue by their paths: `did.fold`. */
export function paths(catalogue, before = "") {
  return Object.entries(catalogue).flatMap(([key, it]) => (typeof it === "function" ? [[before + key, it]] : paths(it, `${before}${key}.`)));
}

/** What two catalogues do not have in common, and parameters that one phrase takes and does not say. */
export function differences(one, other) {
  const [ours, theirs] = [new Map(paths(one)), new Map(paths(other))];
  const lacking = [...ours.keys()].filter((path) => !theirs.has(path)).map((path) => `lacks ${path}`);
  const more = [...theirs.keys()].filter((path) => !ours.has(path)).map((path) => `has ${path} alone`);
  const unlike = [...ours].filter(([path, phrase]) => theirs.has(path) && names(phrase).join() !== names(theirs.get(path)).join());
  const silent = [...ours, ...theirs].flatMap(([path, phrase]) => unsaid(phrase).map((name) => `${path} does not say ${name}`));
  return [...lacking, ...more, ...unlike.map(([path]) => `${path} takes other parameters`), ...silent];
}

/** `(who, { min })` and what follows it. */
function parts(phrase) {
  const [, parameters, body] = /^\(([^)]*)\)\s*=>\s*(.*)$/s.exec(String(phrase)) ?? ["", "", ""];
  return { parameters, body };
}

function names(phrase) {
  return parts(phrase).parameters.split(/[\s,{}[\]]+/).filter(Boolean);
}

/** Parameters that are named and not used; `_` stands for one that is not wanted. */
function unsaid(phrase) {
  const { body } = parts(phrase);
  return names(phrase).filter((name) => name !== "_" && !new RegExp(`\\b${name}\\b`).test(body));
}

/**
 * The phrases that modules ask for, by catalogue: those that are there, those that are not.
 * @param {Object<string, string>} sources of modules by name
 * @param {Object<string, object>} catalogues by file name
 */
export function asked(sources, catalogues) {
  const used = new Map(Object.keys(catalogues).map((name) => [name, new Set()]));
  const missing = [];
  for (const [file, source] of Object.entries(sources)) {
    for (const [name, say] of sayings(file, source)) {
      for (const path of catalogues[name] ? pathsAsked(source, say) : []) {
        const found = pathsUnder(catalogues[name], path);
        if (found.length === 0) missing.push(`${file}: ${name}.${path}`);
        found.forEach((it) => used.get(name).add(it));
      }
    }
  }
  const unused = [...used].flatMap(([name, some]) => paths(catalogues[name]).filter(([path]) => !some.has(path)).map(([path]) => `${name}.${path}`));
  return { missing, unused };
}

/** Which catalogues a module speaks from, and what it calls them: `say`, or `import { say as sayOfHouse }`. */
function sayings(file, source) {
  const own = /^phrases\/(\w+)\.js$/.exec(file);
  const imported = [...source.matchAll(/import \{[^}]*?\bsay\b(?: as (\w+))?[^}]*\} from "\.\/phrases\/(\w+)\.js"/g)].map(([, as, name]) => [name, as ?? "say"]);
  return own ? [[own[1], "say"], ...imported] : imported;
}

function pathsAsked(source, say) {
  return [...source.matchAll(new RegExp(`(?<!\\w|(?<!\\.\\.)\\.)${say}((?:\\??\\.\\w+)+)`, "g"))].map(([, path]) => path.replaceAll("?", "").slice(1));
}

/** The phrases that `table.code` or `phrase.call` may mean: one, or all of a table. */
function pathsUnder(catalogue, path) {
  let it = catalogue;
  const walked = [];
  for (const key of path.split(".")) {
    if (typeof it === "function") break;
    if (!Object.hasOwn(it, key)) return [];
    it = it[key];
    walked.push(key);
  }
  const here = walked.join(".");
  return typeof it === "function" ? [here] : paths(it, `${here}.`).map(([below]) => below);
}
