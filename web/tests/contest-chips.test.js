import assert from "node:assert/strict";
import { test } from "node:test";
import { costOf, costTold, stageOf } from "../contest-chips.js";
import { amountIn, learn } from "../currencies.js";
import { refusals } from "../phrases/en/refusals.js";
import { tournament as en } from "../phrases/en/tournament.js";
import { tournament as ko } from "../phrases/ko/tournament.js";

learn([{ currency: "EUR", digits: 2 }, { currency: "PLAY", digits: 0 }]);
const euros = { buy_in: 50_000, fee: 50, currency: "EUR" };

test("what an entry costs is told in its currency's unit, the fee beside what goes to the prizes", () => {
  assert.equal(costTold(euros), "500.00 + 0.50");
  assert.equal(costTold({ ...euros, fee: 0 }), "500.00");
  assert.equal(costTold({ buy_in: 1_000, fee: 100, currency: "PLAY" }), "1,000 + 100");
  assert.equal(costOf(euros), 50_050);
});

test("where it costs nobody's chips it is told as it was", () => {
  assert.equal(costTold({ buy_in: 1_000, currency: undefined, fee: undefined }), "1,000");
  assert.equal(costOf({ buy_in: 1_000 }), 1_000);
});

test("prizes are told in their currency, and said to be paid where they are", () => {
  const prize = amountIn("EUR", 90_050);
  assert.equal(en.placed(2, prize), "2. place, 900.50");
  assert.equal(en.youPlaced(2, prize, true), "You have finished in place 2. Your prize: 900.50. It is paid to your balance.");
  assert.equal(en.youPlaced(2, amountIn("EUR", 0), true), "You have finished in place 2.");
  assert.equal(en.youPlaced(1, 200, false), "You have won the tournament. Your prize: 200");
  assert.ok(ko.youPlaced(2, prize, true).includes("900.50"));
  assert.equal(en.winner("Ann", prize), "Ann has won the tournament and 900.50");
  assert.equal(refusals.declined.insufficient({ amount: amountIn("EUR", costOf(euros)) }), "You have less than 500.50. Nothing was taken.");
});

test("what is given back when it is called off is told only where something was taken", () => {
  assert.ok(en.wasCancelled(true).endsWith("given back."));
  assert.ok(!en.wasCancelled(false).includes("given back"));
  assert.notEqual(ko.wasCancelled(true), ko.wasCancelled(false));
});

test("a player's chips are with him, on their way, in the tournament, or with him again", () => {
  const me = { place: null };
  assert.deepEqual([stageOf(null, false, false), stageOf(null, true, false), stageOf(me, false, false)], ["out", "paying", "in"]);
  assert.deepEqual([stageOf({ place: 3 }, false, false), stageOf(me, false, true), stageOf(null, false, true)], ["over", "over", "out"]);
});
