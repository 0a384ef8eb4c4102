import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTE_MAX, Notes } from "../notes.js";

const map = (...items) => {
  const kept = new Map(items);
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text) };
};
const NONE = { text: "", colour: null, muted: false };

test("a note is kept by user, for every window, and forgotten when it is empty", () => {
  const storage = map();
  const [one, other] = [new Notes(storage), new Notes(storage)];
  one.write("u1", { text: "  calls too much ", colour: "red" });
  other.write("u2", { text: "", colour: "blue" });
  assert.deepEqual(other.of("u1"), { text: "calls too much", colour: "red", muted: false });
  assert.deepEqual(one.of("u2"), { text: "", colour: "blue", muted: false });
  one.write("u1", NONE);
  assert.deepEqual([other.of("u1"), other.of("u2")], [NONE, { text: "", colour: "blue", muted: false }]);
  assert.deepEqual(one.of("__proto__"), NONE);
});

test("whatever stands in storage, a note has words of a length and a colour that there is", () => {
  const junk = ["{}", "[]", "7", "{", '{"notes":7}', '{"notes":[7,["u"],["u",null],[7,{"text":"x"}],["u",{"text":7,"colour":"pink"}]]}'];
  for (const text of junk) assert.deepEqual(new Notes(map(["cardhouse.notes", text])).of("u"), NONE, text);
  const long = new Notes(map());
  long.write("u", { text: "x".repeat(1_000), colour: "pink" });
  assert.deepEqual(long.of("u"), { text: "x".repeat(NOTE_MAX), colour: null, muted: false });
});

test("of too many notes the oldest go", () => {
  const notes = new Notes(map());
  for (let at = 0; at <= 500; at += 1) notes.write(`u${at}`, { text: "x", colour: null });
  assert.deepEqual(notes.of("u0"), NONE);
  assert.equal(notes.of("u1").text, "x");
});

test("who is not to be read stays so, with or without a note", () => {
  const storage = map();
  new Notes(storage).write("u1", { text: "", colour: null, muted: true });
  assert.deepEqual(new Notes(storage).of("u1"), { ...NONE, muted: true });
  new Notes(storage).write("u1", { text: "shouts", colour: null, muted: false });
  assert.deepEqual(new Notes(storage).of("u1"), { ...NONE, text: "shouts" });
});
