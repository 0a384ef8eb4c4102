import assert from "node:assert/strict";
import { test } from "node:test";
import { callTo, mayTake, placeOf } from "../door.js";
import { nth } from "../phrases/en/words.js";
import { applyEvent, newTableView } from "../table-view.js";

const list = {
  waiting: [
    { user: "dan", name: "Dan", away: false },
    { user: "eve", name: "Eve", away: true },
  ],
  called: [{ seat: 3, user: "cyd", name: "Cyd", until_ms: 30_000 }],
};

test("the waiting list is what was told last, and there is none where nobody is on it", () => {
  const view = newTableView({ seats: 6 });
  assert.equal(applyEvent(view, { e: "waiting_list", waiting_list: list }), true);
  assert.deepEqual(view.waiting_list, list);
  applyEvent(view, { e: "waiting_list", waiting_list: { waiting: [], called: [] } });
  assert.equal("waiting_list" in view, false);
});

test("a seat to which somebody is called is nobody else's, and everybody knows the own place", () => {
  const view = { ...newTableView({ seats: 6 }), waiting_list: list };
  assert.deepEqual([mayTake(view, "cyd", 3), mayTake(view, "dan", 3), mayTake(view, "dan", 2)], [true, false, true]);
  assert.deepEqual([placeOf(view, "dan"), placeOf(view, "eve"), placeOf(view, "cyd"), placeOf(view, "ann")], [1, 2, null, null]);
  assert.deepEqual([callTo(view, "cyd")?.seat, callTo(view, "dan")], [3, null]);
  assert.equal(placeOf(newTableView({ seats: 6 }), "dan"), null);
});

test("places are counted as English counts them", () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 22, 32].map(nth), ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "32nd"]);
});
