import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bestHand } from "../hand-rank.js";
import { handLabel } from "../hand-words.js";

const cards = (text) => text.split(" ").filter(Boolean);

test("the page and the house make the same of the same cards", () => {
  const dealt = JSON.parse(readFileSync(new URL("hands.json", import.meta.url)));
  assert.ok(dealt.length > 200);
  for (const { variant, hole, board, ...made } of dealt) {
    assert.deepEqual(bestHand(variant, cards(hole), cards(board)), { ...made, cards: cards(made.cards) }, `${variant} ${hole} ${board}`);
  }
});

test("my hand has a name on every street", () => {
  const named = (hole, board, variant = "holdem") => handLabel(bestHand(variant, cards(hole), cards(board)));
  assert.equal(named("As Kd", ""), "Ace high");
  assert.equal(named("7s 7d", ""), "Pair of sevens");
  assert.equal(named("7s Kd", "7c Kh 2d"), "Kings and sevens");
  assert.equal(named("7s Kd", "7c Kh 7d 2s"), "Sevens over kings");
  assert.equal(named("As Ks", "Qs Js Ts 2d 2c"), "Royal flush");
  assert.equal(named("As Ah Kd Qd", "", "omaha4"), "Pair of aces");
  assert.equal(named("9c Ah", "8d 7h 6c", "short_deck"), "Straight to the nine");
});

test("nobody's cards make nothing", () => {
  assert.equal(bestHand("holdem", [], ["As"]), null);
});
