import assert from "node:assert/strict";
import { test } from "node:test";
import { whatIsGone } from "../gone-dialog.js";
import { Identity } from "../identity.js";
import { Keep, kept } from "../storage.js";

const map = () => {
  const items = new Map();
  return { getItem: (key) => items.get(key) ?? null, setItem: (key, text) => items.set(key, text), removeItem: (key) => void items.delete(key) };
};
const blocked = () => {
  throw new DOMException("Access is denied for this document.", "SecurityError");
};
const full = () => ({ getItem: (key) => (key === "k" ? "old" : null), setItem: blocked, removeItem: blocked });

test("what can be kept is kept by the browser", () => {
  const browser = map();
  new Keep(() => browser).setItem("k", "v");
  const keep = new Keep(() => browser);
  assert.equal(keep.getItem("k"), "v");
  keep.removeItem("k");
  assert.equal(keep.getItem("k"), null);
});

test("storage that throws when it is asked for, and storage that is full, keep things for as long as the page lives", () => {
  for (const open of [blocked, full, () => null]) {
    const keep = new Keep(open);
    keep.setItem("k", "new");
    assert.equal(keep.getItem("k"), "new");
    keep.removeItem("k");
    assert.equal(keep.getItem("k"), null, "what could not be removed does not come back");
  }
});

test("only objects are kept as JSON", () => {
  for (const text of ["", "null", "[]", "7", '"x"', "{", "true"]) {
    assert.equal(kept({ getItem: () => text }, "k"), null, text);
  }
  assert.deepEqual(kept({ getItem: () => '{"a":1}' }, "k"), { a: 1 });
});

test("a guest that is not whole is none, so that the page asks for a name", () => {
  const whole = { token: "t", user: "g-1", name: "Ann", expires_ms: 9e15 };
  const guestOf = (stored) => new Identity({ getItem: () => JSON.stringify(stored), setItem() {} }, map(), null).guest;
  assert.deepEqual(guestOf(whole), whole);
  for (const stored of [{}, [], null, 7, "x", { ...whole, token: "" }, { ...whole, user: 7 }, { ...whole, expires_ms: null }, { ...whole, name: undefined }]) {
    assert.equal(guestOf(stored), null, JSON.stringify(stored));
  }
});

test("a house that was started anew says what is gone, a pass that has run out what is somebody else's", () => {
  const rooms = [{ table: "Aspen", chips: 1_420 }, { table: "Birch", chips: null }];
  const anew = whatIsGone({ expired: false, name: "Ann", rooms });
  assert.equal(anew.title(), "The house has been started anew");
  const text = anew.lines.map((line) => line()).join(" ").replace(/[\u2066-\u2069]/g, "");
  assert.match(text, /new guest, Ann\./);
  assert.match(text, /Your seat at Aspen is gone, and the 1,420 that you had there/);
  assert.doesNotMatch(text, /Birch/);
  assert.match(text, /The hand log begins anew/);
  assert.match(whatIsGone({ expired: true, name: "Ann", rooms }).lines.map((line) => line()).join(" "), /belongs to the guest that you were/);
});
