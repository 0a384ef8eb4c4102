import assert from "node:assert/strict";
import { test } from "node:test";
import { chosen, priceOf, stands } from "../advance.js";

const table = (bets, { hand = 7, street = "flop", stack = 1_000 } = {}) => ({ seats: bets.map((bet) => ({ stack, bet })), hand: { hand, street } });
const decided = (kind, price) => ({ kind, hand: 7, street: "flop", price });
const free = { call: null };
const costs = (call) => ({ call });

test("what a call would cost is known before the turn", () => {
  assert.equal(priceOf(table([0, 0, 0]), 0), 0);
  assert.equal(priceOf(table([20, 60, 0]), 0), 40);
  assert.equal(priceOf(table([60, 20, 0]), 0), 0, "mine is the largest");
  assert.equal(priceOf(table([0, 5_000]), 0), 1_000, "never more than I have");
});

test("a check and a call of an amount fall when the price changes", () => {
  assert.ok(stands(decided("check", 0), table([0, 0]), 0));
  assert.ok(!stands(decided("check", 0), table([0, 60]), 0));
  assert.ok(stands(decided("call", 60), table([0, 60]), 0));
  assert.ok(!stands(decided("call", 60), table([0, 180]), 0));
  // Also when nothing was drawn between the raise and the turn.
  assert.equal(chosen(decided("check", 0), costs(9_000), 10_000), null);
  assert.equal(chosen(decided("call", 60), costs(180), 1_000), null);
  assert.equal(chosen(decided("call", 60), free, 1_000), null);
});

test("giving up and calling anything hold whatever it costs, and never fold what is free", () => {
  for (const kind of ["giveUp", "callAny"]) assert.ok(stands(decided(kind, 0), table([0, 900]), 0), kind);
  assert.deepEqual([chosen(decided("giveUp", 0), free, 1), chosen(decided("giveUp", 0), costs(5), 9)], ["check", "fold"]);
  assert.deepEqual([chosen(decided("callAny", 0), free, 1), chosen(decided("callAny", 0), costs(5), 9)], ["check", "call"]);
});

test("a call of the price that was seen is a call, of the whole stack too", () => {
  assert.equal(chosen(decided("call", 60), costs(60), 1_000), "call");
  assert.equal(chosen(decided("call", 1_000), costs(5_000), 1_000), "call");
});

test("no decision outlives the next card or the hand", () => {
  for (const kind of ["giveUp", "callAny", "check", "call"]) {
    assert.ok(!stands(decided(kind, 0), table([0, 0], { street: "turn" }), 0), kind);
    assert.ok(!stands(decided(kind, 0), table([0, 0], { hand: 8 }), 0), kind);
    assert.ok(!stands(decided(kind, 0), { ...table([0, 0]), hand: null }, 0), kind);
  }
});
