import assert from "node:assert/strict";
import test from "node:test";

import { freeSeats } from "../ai-players.js";

const seats = (taken, all) => Array.from({ length: all }, (_, at) => (at < taken ? { user: `u${at}` } : null));

test("as many AI players are offered as there are seats that are nobody's", () => {
  assert.equal(freeSeats({ seats: seats(2, 6), hosted: { kept: [] } }), 4);
  const kept = [{ seat: 3, user: "bob" }];
  const list = { waiting: [], called: [{ seat: 4, user: "cyd" }] };
  assert.equal(freeSeats({ seats: seats(2, 6), hosted: { kept }, waiting_list: list }), 2);
  assert.equal(freeSeats({ seats: seats(6, 6), hosted: { kept: [] } }), 0);
});
