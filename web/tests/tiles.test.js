import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf, roomFor, roomOfKeys, turnOrder } from "../tiles.js";

const at = (room, turn = null) => ({ room, turn });

test("tables stand beside each other where each has room, and each is drawn as large as can be", () => {
  assert.deepEqual(roomFor({ width: 1440, height: 900 }), { columns: 2, rows: 1 });
  assert.deepEqual(roomFor({ width: 1920, height: 1080 }), { columns: 3, rows: 2 });
  assert.deepEqual(roomFor({ width: 2560, height: 1440 }), { columns: 4, rows: 2 });
  const columns = (width, height, most) => Array.from({ length: most }, (_, at) => columnsOf(at + 1, { width, height }));
  assert.deepEqual(columns(1440, 900, 2), [1, 2]);
  assert.deepEqual(columns(1920, 1080, 6), [1, 2, 3, 2, 3, 3], "four stand two by two");
  assert.deepEqual(columns(2560, 1440, 8), [1, 2, 3, 2, 3, 3, 4, 4], "and not in a row of narrow ones");
});

test("turns are in the order in which their time ends", () => {
  assert.deepEqual(turnOrder([at("a", 30), at("b"), at("c", 10)]), ["c", "a"]);
});

test("keys go to the table whose turn it is, and never away from one that is being played", () => {
  const before = (standings, before, focused = null) => roomOfKeys(standings, { before, focused });
  assert.equal(before([at("a"), at("b", 5)], "a", "a"), "b", "nothing is asked where the player is");
  assert.equal(before([at("a", 9), at("b", 5)], "a"), "a", "a turn elsewhere takes no key from the one that is thought about");
  assert.equal(before([at("a", 9), at("b", 5)], "b", "a"), "a", "until the player goes there");
  assert.equal(before([at("a", 9), at("b", 5), at("c", 3)], "a", null), "a");
  assert.equal(before([at("a"), at("b", 5), at("c", 3)], "a", "a"), "c", "the time that ends first comes first");
  assert.equal(before([at("a"), at("b")], "a", "b"), "b", "without turns it is where the keyboard is");
  assert.equal(before([at("a"), at("b")], "gone"), "a");
  assert.equal(before([], "gone"), null);
});
