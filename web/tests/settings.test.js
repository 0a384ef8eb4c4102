import assert from "node:assert/strict";
import { test } from "node:test";
import { Settings } from "../settings.js";
import { SCHEMA, settingsFrom } from "../settings-schema.js";

const usual = settingsFrom(null);
const map = (...items) => {
  const kept = new Map(items);
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text) };
};

test("what is usual is good by its own rule", () => {
  for (const [name, { usual: value, isGood }] of Object.entries(SCHEMA)) assert.ok(isGood(value), name);
});

test("whatever stands in storage, no setting has a value that it may not have", () => {
  const junk = [null, 7, -1, NaN, "x", "", [], {}, { fold: 7 }, { fold: "c" }, { fold: "?" }, { fold: "x", call: "x" }, { jump: "j" }, { __proto__: null, fold: " " }];
  for (const value of junk) {
    const kept = Object.fromEntries(Object.keys(SCHEMA).map((name) => [name, value]));
    for (const [name, got] of Object.entries(settingsFrom(kept))) assert.ok(SCHEMA[name].isGood(got), `${name}: ${JSON.stringify(value)}`);
  }
  assert.deepEqual(settingsFrom({ keys: { fold: "c" }, sound: "no", askFold: false }), { ...usual, askFold: false });
  assert.deepEqual(settingsFrom(JSON.parse('{"__proto__": {"sound": false}}')), usual);
});

test("what is set is kept, with what a newer page keeps there, and other windows see it", () => {
  const storage = map(["cardhouse.settings", '{"sound":false,"felt":"blue"}']);
  const [one, other] = [new Settings(storage), new Settings(storage)];
  let told = 0;
  const end = other.onChange(() => (told += 1));
  one.keys = { fold: "x" };
  assert.deepEqual(JSON.parse(storage.getItem("cardhouse.settings")), { ...usual, sound: false, keys: { fold: "x" }, felt: "blue" });
  assert.deepEqual(other.keys, {});
  other.reload();
  assert.deepEqual([other.keys, other.sound, told], [{ fold: "x" }, false, 1]);
  end();
  other.sound = true;
  assert.equal(told, 1);
});
