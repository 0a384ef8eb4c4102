import assert from "node:assert/strict";
import { test } from "node:test";
import { amountOf, isSizes, SIZES, sizesFrom, stepOf, steps } from "../bet-sizes.js";

const names = (text) => sizesFrom(text)?.map(({ name }) => name) ?? null;

test("sizes are written as players say them", () => {
  assert.deepEqual(names("33%, 2.5x 3bb"), ["33%", "2.5x", "3 BB"]);
  assert.deepEqual(names(" Pot;MIN "), ["pot", "min"]);
  assert.deepEqual(names("2,5 x 75 %"), ["2.5x", "75%"]);
  assert.deepEqual(names("３３％"), ["33%"], "in full width");
  assert.deepEqual(names("팟, 최소"), ["pot", "min"], "in Korean");
  assert.deepEqual(names("팟".normalize("NFD")), ["pot"], "as a Mac may write it");
});

test("what is not understood is no size, and neither are none, four or nothing at all", () => {
  for (const text of ["", "  ", "33", "x", "-5%", "0%", "5%%", "half", "1 2 3", "1x 2x 3x 4x", "__proto__", "constructor", "99999%"]) assert.equal(sizesFrom(text), null, text);
});

test("what stands in storage has sizes for every street", () => {
  assert.ok(isSizes(SIZES));
  for (const junk of [null, "", {}, { ...SIZES, river: "33" }, { ...SIZES, turn: 7 }, { preflop: "pot" }]) assert.equal(isSizes(junk), false);
});

test("a part of the pot is measured after the call, a multiple by the last bet or the big blind", () => {
  // 60 lie there, 20 of them the bet that I face.
  const facing = { mine: 8, call: 12, pot: 68, highest: 20, bigBlind: 2 };
  const come = (text, table) => sizesFrom(text).map((size) => amountOf(size, table));
  assert.deepEqual(come("pot 50% 3x", facing), [8 + 12 + 80, 8 + 12 + 40, 60]);
  assert.deepEqual(come("2.5bb min", facing), [5, 0]);
  assert.deepEqual(come("3x", { ...facing, highest: 0, call: 0 }), [6], "nobody has bet");
});

test("the slider goes by big blinds first, by longer steps the larger the bet is, and never far", () => {
  const found = steps({ min: 200, max: 100_000 }, 100, 1_250);
  assert.deepEqual(found.slice(0, 6), [200, 300, 400, 500, 600, 700]);
  assert.ok(found.includes(1_250), "the pot is a step");
  assert.equal(found.at(-1), 100_000);
  assert.ok(found.slice(1, -1).every((step) => step % 100 === 0 || step === 1_250), "otherwise they are big blinds");
  for (const [at, step] of found.entries()) assert.ok(at === 0 || step > found[at - 1]);
  assert.ok(found.slice(12).every((step, at) => step <= found[at + 11] * 1.25 + 100), "no step takes a quarter more");
  // On a line of 100,000 chips the first half of the slider went to 50,000; now it is where bets are.
  assert.ok(found[Math.floor(found.length / 2)] < 10_000);
  assert.ok(found.length < 80, `${found.length}`);
});

test("a slider has few steps whatever the stakes, and one at both its ends", () => {
  const found = steps({ min: 2, max: Number.MAX_SAFE_INTEGER - 1 }, 1, 3);
  assert.ok(found.length < 400);
  assert.equal(found.at(-1), Number.MAX_SAFE_INTEGER - 1);
  assert.deepEqual(steps({ min: 45, max: 45 }, 2, 100), [45]);
  assert.deepEqual(steps({ min: 40, max: 45 }, 20, 100), [40, 45]);
});

test("an amount that was typed stands at the nearest step", () => {
  assert.equal(stepOf([40, 60, 80], 69), 1);
  assert.equal(stepOf([40, 60, 80], 1_000), 2);
});
