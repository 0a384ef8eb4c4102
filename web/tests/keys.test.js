import assert from "node:assert/strict";
import { test } from "node:test";
import { KEYS, keysFrom, withKey } from "../key-map.js";
import { commandOf, keyName, keysOf } from "../keys.js";

const press = (key, code, more = {}) => ({ key, code, shiftKey: false, isComposing: false, keyCode: 0, ...more });
const asks = (event, changed = {}, isTyping = false) => commandOf(event, keysFrom(changed), isTyping);

test("a key is where it is read: by what it writes in every Latin layout", () => {
  assert.equal(asks(press("f", "KeyF")), "fold");
  assert.equal(asks(press("F", "KeyF", { shiftKey: true })), "fold", "with the capitals locked");
  assert.equal(asks(press("f", "KeyY")), "fold", "Dvorak's F");
  assert.equal(asks(press("u", "KeyF")), null, "what lies in F's place on Dvorak is another letter");
  // A key that writes another sign is another key: Sentry opened its dialog on AZERTY's `+`, which lies in the place of `/`.
  assert.equal(asks(press("+", "Slash"), { fold: "/" }), null);
});

test("a key is in its place where the layout writes no Latin letters", () => {
  for (const [key, command] of [["а", "fold"], ["כ", "fold"], ["φ", "fold"], ["ㄹ", "fold"]]) assert.equal(asks(press(key, "KeyF")), command, key);
  assert.equal(asks(press("ㅊ", "KeyC")), "call");
  assert.equal(asks(press("ㄱ", "KeyR")), "raise");
  assert.equal(asks(press("ㄲ", "KeyR", { shiftKey: true })), "raise");
});

test("with Hangul input on keys work, whether the browser names the letter, says that it is taken, or that it is composed", () => {
  assert.equal(asks(press("Process", "KeyF", { keyCode: 229 })), "fold", "Windows");
  assert.equal(asks(press("Unidentified", "KeyC", { keyCode: 229 })), "call");
  assert.equal(asks(press("ㄹ", "KeyF", { keyCode: 229, isComposing: true }), {}, true), "fold", "in the field for the amount");
  assert.equal(asks(press("ㄹ", "")), "fold", "a keyboard on a screen says no places");
  assert.equal(asks(press("ｆ", "KeyF", { keyCode: 229 })), "fold", "in full width");
  assert.deepEqual(keysOf(press("Process", "Slash", { keyCode: 229, shiftKey: true })), ["?"]);
});

test("what ends or changes a composition is the input method's, arrows that it has only touched are ours", () => {
  for (const key of ["Enter", "Escape", "ArrowUp"]) assert.deepEqual(keysOf(press(key, key, { isComposing: true, keyCode: 229 })), [], key);
  assert.deepEqual(keysOf(press("Enter", "Enter", { keyCode: 229 })), [], "Safari says so after the composition");
  assert.deepEqual(keysOf(press("Enter", "Enter")), ["Enter"]);
  assert.equal(asks(press("ArrowUp", "ArrowUp", { keyCode: 229 })), "more", "on a Mac every arrow may come as taken");
});

test("the upper row is digits in every layout, without Shift", () => {
  assert.equal(asks(press("1", "Digit1")), "amount1");
  assert.equal(asks(press("&", "Digit1")), "amount1", "AZERTY");
  assert.equal(asks(press("é", "Digit2")), "amount2", "AZERTY");
  assert.equal(asks(press("!", "Digit1", { shiftKey: true })), null);
  assert.equal(asks(press("&", "Digit1"), { call: "&" }), "call", "what it writes comes first");
});

test("in the field for the amount keys that write or move do just that", () => {
  assert.equal(asks(press("1", "Digit1"), {}, true), null);
  assert.equal(asks(press("ArrowLeft", "ArrowLeft"), { less: "ArrowLeft" }, true), null);
  assert.equal(asks(press("ArrowUp", "ArrowUp"), {}, true), "more");
});

test("keys of the browser and of the machine are not ours", () => {
  for (const held of ["ctrlKey", "metaKey", "altKey"]) assert.equal(asks({ ...press("f", "KeyF"), [held]: true }), null, held);
  assert.deepEqual(keysOf(press("Dead", "")), []);
  assert.deepEqual(keysOf(press("F5", "F5")), []);
});

test("a key can be changed, and back", () => {
  const { changed } = withKey({}, "fold", "x");
  assert.deepEqual(changed, { fold: "x" });
  assert.equal(asks(press("x", "KeyX"), changed), "fold");
  assert.equal(asks(press("f", "KeyF"), changed), null);
  assert.deepEqual(withKey(changed, "fold", "f"), { changed: {} });
  assert.deepEqual(withKey(changed, "call", "f"), { changed: { fold: "x", call: "f" } }, "a key that was given up is free");
});

test("a key that does something already is refused, and so are those that do one thing everywhere", () => {
  assert.deepEqual(withKey({}, "fold", "c"), { taken: "call" });
  assert.deepEqual(withKey({ fold: "x" }, "raise", "x"), { taken: "fold" });
  for (const key of ["Enter", "Escape", "Tab", " ", "?", "", "ㄹ", "F"]) assert.deepEqual(withKey({}, "fold", key), { reserved: true }, key);
});

test("keys are named as they stand on the keyboard", () => {
  assert.deepEqual(Object.values(KEYS).map(keyName), ["F", "C", "R", "↑", "↓", "1", "2", "3", "4"]);
});
