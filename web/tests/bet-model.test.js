import assert from "node:assert/strict";
import { test } from "node:test";
import { choices, legalAmount, potTotal } from "../bet-model.js";
import { Unit } from "../unit.js";

const seat = (stack, bet) => ({ stack, bet });

/** 40 in the pot, a bet of 20, and it is seat 0's turn. */
function facing(stack, bet, turn) {
  return {
    config: { big_blind: 2 },
    seats: [seat(stack, bet), seat(100, 20), null],
    hand: { hand: 5, street: "flop", pots: [{ amount: 40, seats: [0, 1] }], turn: { turn: 3, seat: 0, deadline_ms: 0, ...turn } },
  };
}

test("the pot counts what lies in front of the seats", () => {
  assert.equal(potTotal(facing(100, 0, {})), 60);
});

const SIZES = { preflop: "3x", flop: "min 50% pot", turn: "pot", river: "pot" };

test("the amounts are those that the player has chosen for the street, and all", () => {
  const view = facing(500, 0, { call: 20, raise: { min: 40, max: 500, bet: false } });
  assert.deepEqual(choices(view, SIZES).raise.shortcuts, [
    { name: "min", to: 40 },
    { name: "50%", to: 60 },
    { name: "pot", to: 100 },
    { name: "allIn", to: 500 },
  ]);
  view.hand.street = "preflop";
  assert.deepEqual(choices(view, SIZES).raise.shortcuts, [{ name: "3x", to: 60 }, { name: "allIn", to: 500 }]);
});

test("chips that I have bet already count towards the total that a raise names", () => {
  const { raise } = choices(facing(500, 8, { call: 12, raise: { min: 40, max: 508, bet: false } }), SIZES);
  assert.equal(raise.shortcuts[2].to, 8 + 12 + 80);
});

test("amounts never leave the limits", () => {
  const { raise } = choices(facing(45, 0, { call: 20, raise: { min: 40, max: 45, bet: false } }), SIZES);
  assert.deepEqual(raise.shortcuts.map(({ to }) => to), [40, 45, 45, 45]);
});

test("the most of a pot-limit raise is not called all-in", () => {
  const { raise } = choices(facing(500, 0, { call: 20, raise: { min: 40, max: 100, bet: false } }));
  assert.equal(raise.maxIsAllIn, false);
  assert.equal(raise.shortcuts.at(-1).name, "most");
});

test("a call pays for its part of the pot, a check for none", () => {
  assert.equal(choices(facing(100, 0, { call: 20, raise: null })).odds, 0.25);
  assert.equal(choices(facing(100, 0, { call: null, raise: null })).odds, null);
});

test("a call for all chips says so", () => {
  assert.equal(choices(facing(15, 0, { call: 15, raise: null })).callsAllIn, true);
  assert.equal(choices(facing(16, 0, { call: 15, raise: null })).callsAllIn, false);
});

test("a free check is no call, and no raise is no raise", () => {
  const { call, raise } = choices(facing(100, 0, { call: null, raise: null }));
  assert.equal(call, null);
  assert.equal(raise, null);
});

test("what somebody types becomes a legal amount", () => {
  const limits = { min: 40, max: 500 };
  const typed = { "100": 100, "1,000": 500, " 60 ": 60, "7": 40, "": 40, "x": 40, "1200ㄹ": 500, "７０": 70, "99.6": 100, "-5": 40 };
  for (const [text, amount] of Object.entries(typed)) assert.equal(legalAmount(new Unit().typed(text), limits), amount, text);
});
