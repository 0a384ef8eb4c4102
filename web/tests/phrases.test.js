import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { LANGUAGES, USUAL } from "../phrases/language.js";
import { asked, differences, untold, untoldInSheet } from "./told.js";

const at = (path) => new URL(`../${path}`, import.meta.url);
const read = (path) => readFileSync(at(path), "utf8");
const modulesOf = (folder) => readdirSync(at(folder)).filter((name) => name.endsWith(".js"));
const sources = Object.fromEntries([...modulesOf("."), ...modulesOf("phrases").map((name) => `phrases/${name}`)].map((name) => [name, read(name)]));

/** Files of a language that are no catalogues. */
const GRAMMAR = ["words.js", "particles.js"];

async function catalogueOf(code, file) {
  const [catalogue] = Object.values(await import(at(`phrases/${code}/${file}`)));
  return catalogue;
}

const files = modulesOf(`phrases/${USUAL}`).filter((name) => !GRAMMAR.includes(name));
const usual = Object.fromEntries(await Promise.all(files.map(async (file) => [file.slice(0, -3), await catalogueOf(USUAL, file)])));

test("nothing that people read stands outside of the catalogues", () => {
  for (const [file, source] of Object.entries(sources)) if (file !== "phrases/language.js") assert.deepEqual(untold(source), [], file);
  for (const name of readdirSync(at("style"))) assert.deepEqual(untoldInSheet(read(`style/${name}`)), [], name);
});

test("the judge of literals sees what people would read, wherever it stands", () => {
  const planted = [
    'el("p", { text: "bot" });',
    'el("p", { text: isOther ? "this" : "that" });',
    'el("p", { text: () => `${name} folds` });',
    'el("button", { "aria-label": "close" });',
    'el("span", {}, "Sit down");',
    'setText(it, "hello");',
    'setText(it, () => (won ? "won" : ""));',
    'setAttribute(it, "title", "away");',
    "it.setAttribute('aria-label', 'away');",
    'it.textContent = "hello";',
    'const SHORT = { silent: "Offline" };',
    'toasts.show("try again");',
    'toasts.show(`try ${what} again`);',
    'const word = "콜";',
    'throw show(/"/.test(a) ? `a ${`Raise to`}` : b);',
  ];
  for (const source of planted) assert.notDeepEqual(untold(source), [], source);
  const good = [
    'el("p", { class: "button primary", text: say.leave, data: { testid: "leave" } });',
    'if (event.key === "Escape") console.warn("no message:", it);',
    'setAttribute(link, "aria-current", "page"); throw new Error("it is not so");',
    "/* text: \"x\" */ const a = `translate(${x}px)`; // setText(it, \"hello\")",
    'el("p", { text: name, role: "status" });',
  ];
  for (const source of good) assert.deepEqual(untold(source), [], source);
  assert.deepEqual(untoldInSheet('a::after { content: "free"; } b::before { content: ""; }'), ["free"]);
});

test("every language has the same catalogues with the same phrases, which take and say the same", async () => {
  for (const code of Object.keys(LANGUAGES)) {
    assert.deepEqual(modulesOf(`phrases/${code}`).filter((name) => !GRAMMAR.includes(name)), files, code);
    for (const file of files) assert.deepEqual(differences(usual[file.slice(0, -3)], await catalogueOf(code, file)), [], `${code}/${file}`);
  }
});

test("the judge of catalogues sees what one lacks, has alone, takes otherwise or forgets to say", () => {
  const one = { pot: (amount) => `Pot ${amount}`, did: { fold: () => "Fold" }, won: ({ name }) => name };
  const judged = (other) => differences(one, { ...one, ...other }).join();
  assert.equal(judged({}), "");
  assert.equal(judged({ did: {} }), "lacks did.fold");
  assert.equal(judged({ did: { ...one.did, check: () => "Check" } }), "has did.check alone");
  assert.equal(judged({ pot: () => "팟" }), "pot takes other parameters");
  assert.equal(judged({ won: ({ who }) => who }), "won takes other parameters");
  assert.equal(judged({ pot: (amount) => "팟" }), "pot does not say amount");
});

test("every phrase that is asked for is there, and every one that is there is asked for", () => {
  assert.deepEqual(asked(sources, usual), { missing: [], unused: [] });
});

test("the judge of phrases sees which are missing and which are superfluous", () => {
  const catalogues = { table: { pot: () => "Pot", did: { fold: () => "Fold" } } };
  const judged = (source) => asked({ "board.js": `import { say } from "./phrases/table.js";\n${source}` }, catalogues);
  assert.deepEqual(judged("say.pot(1); say.did[kind]?.();"), { missing: [], unused: [] });
  assert.deepEqual(judged("say.pots(1); say.did.fold();"), { missing: ["board.js: table.pots"], unused: ["table.pot"] });
  assert.deepEqual(judged("say.pot(); say.did.check()").missing, ["board.js: table.did.check"]);
});

test("every code of the protocol that people should understand has a phrase", () => {
  const protocol = read("../docs/protocol.md");
  const codes = (head) => {
    const [, rows] = protocol.split(`| ${head} \`code\` |`);
    return [...rows.split("\n\n")[0].matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code);
  };
  /** Those that the page understands without a word. */
  const quiet = ["unknown_message", "recovered"];
  const lacking = (head, table) => {
    const known = codes(head);
    assert.ok(known.length > 4, head);
    return known.filter((code) => !quiet.includes(code) && !Object.hasOwn(table, code));
  };
  assert.deepEqual(lacking("refusal", usual.refusals.refused), []);
  assert.deepEqual(lacking("error", usual.house.error), []);
  assert.deepEqual(lacking("notice", usual.house.notice), []);
  assert.deepEqual(lacking("refusal", {}).slice(0, 2), ["bad_command", "no_such_room"]);
  const [, classes] = /^`class` is ([^;]*);/m.exec(protocol.replaceAll("\n", " ").replace(/.*(?=`class` is)/, "")) ?? [];
  for (const [, name] of classes.matchAll(/`(\w+)`/g)) for (const table of ["made", "label", "brief", "bare"]) assert.ok(Object.hasOwn(usual.hands[table], name), `${table}.${name}`);
});

test("every code with which somebody comes back from signing in elsewhere has a phrase, or says that nothing was proven", () => {
  const { description } = JSON.parse(read("../docs/openapi.json")).paths["/api/oidc/{id}/callback"].get;
  const [, codes] = description.split("the code of a refusal: ");
  const all = [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => code);
  const { came, refused } = usual.account;
  const unproven = all.filter((code) => !Object.hasOwn(came, code) && !Object.hasOwn(refused, code));
  assert.ok(all.length > 20 && all.includes("used_state"));
  const proofs = ["bad_issuer", "bad_id_token", "bad_algorithm", "unknown_key", "bad_signature", "bad_audience", "bad_party", "id_token_expired", "id_token_early", "bad_nonce", "bad_at_hash"];
  assert.deepEqual(unproven, proofs);
});

test("a page without scripts says so in all languages", () => {
  const [, said] = /<noscript>(.*)<\/noscript>/.exec(read("index.html"));
  for (const code of Object.keys(LANGUAGES)) assert.ok(code === USUAL || said.includes(`lang="${code}"`), code);
});
