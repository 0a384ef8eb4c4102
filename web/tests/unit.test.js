import assert from "node:assert/strict";
import { test } from "node:test";
import { amountIn, learn } from "../currencies.js";
import { chips, stakes } from "../format.js";
import { Unit } from "../unit.js";

test("chips are counted as they are, or in big blinds", () => {
  const [chips, blinds] = [new Unit(), new Unit(100)];
  assert.deepEqual([chips.full(12_345), blinds.full(12_345), blinds.full(50), blinds.full(100)], ["12,345", "123.5 BB", "0.5 BB", "1 BB"]);
  assert.equal(blinds.short(123_456_789), "1.2M BB");
  assert.equal(chips.brief(12_345), "12.3K");
  assert.deepEqual([blinds.brief(1_250), blinds.brief(123_450), blinds.brief(1_234_567)], ["12.5", "1,235", "12.3K"]);
});

test("what somebody types is meant in the unit that is shown", () => {
  assert.equal(new Unit().typed("1,250"), 1_250);
  assert.equal(new Unit(100).typed("12.5"), 1_250);
  assert.equal(new Unit(100).typed("12.5 BB"), 1_250);
  assert.ok(Number.isNaN(new Unit(100).typed("ㄹ")));
  assert.equal(new Unit(100).plain(1_255), "12.55");
});

test("an amount is not made another one by the unit in which it is shown", () => {
  const unit = new Unit(300);
  assert.equal(unit.plain(1_000), "3.33");
  assert.notEqual(Math.round(unit.typed(unit.plain(1_000))), 1_000, "so what was not typed must not be read back");
});

test("amounts of a currency with decimals are shown and typed in its unit", () => {
  learn([{ currency: "EUR", digits: 2 }, { currency: "PLAY", digits: 0 }]);
  const euros = new Unit(null, "EUR");
  assert.deepEqual([euros.full(1_250), euros.short(5), euros.brief(123_456), euros.plain(1_250)], ["12.50", "0.05", "1,234.56", "12.50"]);
  assert.equal(euros.brief(123_456_700), "1.23M");
  assert.equal(euros.short(123_456_700), "1.2M");
  assert.deepEqual([euros.typed("12.50"), euros.typed("12"), euros.typed("1,250.5")].map(Math.round), [1_250, 1_200, 125_050]);
  assert.equal(Math.round(euros.typed("0.29")), 29);
  assert.equal(chips(euros.amount(7)), "0.07");
  assert.deepEqual([euros.step, new Unit().step], [0.01, 1]);
  // Big blinds have no currency.
  assert.deepEqual([new Unit(50, "EUR").full(125), new Unit(50, "EUR").typed("2.5"), new Unit(50, "EUR").plain(125)], ["2.5 BB", 125, "2.5"]);
  for (const others of [new Unit(null, "PLAY"), new Unit(null, "GONE"), new Unit(null, undefined)]) assert.deepEqual([others.full(1_250), others.plain(1_250)], ["1,250", "1250"]);
});

test("an amount is told with its decimals, and compared as what it is in its unit", () => {
  const amount = amountIn("EUR", 1_250);
  assert.ok(amount > 12.49 && amount <= 12.5);
  assert.deepEqual([chips(amount), stakes(amountIn("EUR", 50), amountIn("EUR", 100))], ["12.50", "0.50/1.00"]);
});
