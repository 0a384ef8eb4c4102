import assert from "node:assert/strict";
import { test } from "node:test";
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
