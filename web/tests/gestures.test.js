import assert from "node:assert/strict";
import { test } from "node:test";
import { meaning } from "../gestures.js";

test("cards that are pushed far and straight up are folded, others are not", () => {
  const cards = (dx, dy) => meaning({ dx, dy, onCards: true });
  assert.equal(cards(0, -70), "fold");
  assert.equal(cards(35, -80), "fold");
  assert.equal(cards(0, -69), null, "not far enough");
  assert.equal(cards(60, -80), null, "not straight");
  assert.equal(cards(0, 90), null, "down");
  assert.equal(cards(200, 0), null, "aside: cards are not for turning pages");
});

test("a way aside on the felt leads to another table", () => {
  const felt = (dx, dy) => meaning({ dx, dy, onCards: false });
  assert.equal(felt(-90, 10), "next");
  assert.equal(felt(120, -40), "before");
  assert.equal(felt(-80, 0), null);
  assert.equal(felt(-100, 60), null);
  assert.equal(felt(0, -200), null, "nothing is folded from there");
});
