import assert from "node:assert/strict";
import { test } from "node:test";

import { TurnClock } from "../turn-clock.js";

/** A clock at a table where the first seat has 10 of 20 seconds left, at this time; and what it shows. */
function clock(now, behindMs) {
  const seen = [];
  const it = new TurnClock({ now: () => now }, (seat, share, seconds) => seen.push([seat, share, seconds]));
  const view = { hand: { turn: { seat: 0, deadline_ms: 110_000 } }, seats: [{ bank_ms: 0 }], config: { turn_ms: 20_000 } };
  it.follow(view, false, behindMs);
  it.stop();
  return seen.at(-1);
}

test("a turn runs down as it did at the table, also where the table is shown late", () => {
  assert.deepEqual(clock(100_000, 0), [0, 0.5, 10]);
  assert.deepEqual(clock(160_000, 60_000), [0, 0.5, 10]);
  assert.deepEqual(clock(160_000, 0), [0, 0, 0], "of a turn that should be over nothing is left");
});
