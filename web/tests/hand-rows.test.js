import assert from "node:assert/strict";
import { test } from "node:test";
import { around } from "../hand-rows.js";

test("hands that have come stand around those that are shown", () => {
  assert.deepEqual(around(["c", "b"], ["c", "b"]), { above: 0, below: 0 });
  assert.deepEqual(around(["c", "b"], ["e", "d", "c", "b"]), { above: 2, below: 0 });
  assert.deepEqual(around(["c", "b"], ["c", "b", "a"]), { above: 0, below: 1 });
  assert.deepEqual(around(["c", "b"], ["d", "c", "b", "a", "0"]), { above: 1, below: 2 });
});

test("a list that is another one is drawn anew", () => {
  for (const ids of [[], ["e", "d"], ["c"], ["c", "a", "b"], ["c", "a"], ["b", "c"], ["b", "a"]]) {
    assert.equal(around(["c", "b"], ids), null, String(ids));
  }
  assert.equal(around([], ["b", "a"]), null);
  assert.equal(around([], []), null);
});
