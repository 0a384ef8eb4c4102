import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { applyEvent, conservesChips, Misfit, newTableView, seatOf } from "../table-view.js";

const FIXTURES = new URL("./fixtures/", import.meta.url);

for (const name of readdirSync(FIXTURES).filter((file) => file.endsWith(".json"))) {
  test(`the events of ${name} add up to its view, and to its chips after each`, () => {
    const { config, events, view: expected } = JSON.parse(readFileSync(new URL(name, FIXTURES), "utf8"));
    const view = newTableView(config);
    for (const event of events) {
      applyEvent(view, event);
      assert.ok(conservesChips(view), JSON.stringify(event));
    }
    assert.deepEqual(view, expected);
  });
}

const seated = (seat, user, stack) => ({ e: "seated", seat, user, name: user, stack, status: "playing", bank_ms: 0 });

function table(...events) {
  const view = newTableView({ seats: 6 });
  events.forEach((event) => applyEvent(view, event));
  return view;
}

test("an event that this page does not know changes nothing, whatever it is called", () => {
  const view = table(seated(0, "ann", 100));
  const before = structuredClone(view);
  for (const e of ["news", "constructor", "__proto__", "toString", undefined, 7]) {
    assert.equal(applyEvent(view, { e, seat: 0, amount: 5 }), false, String(e));
  }
  assert.deepEqual(view, before);
  assert.equal(applyEvent(view, { e: "away", seat: 0, away: true, since_ms: 7 }), true, "a new field is no matter");
});

test("an event that makes chips is seen", () => {
  const view = table(seated(0, "ann", 100));
  assert.throws(() => applyEvent(view, { e: "left", seat: 0, stack: 101 }), Misfit);
  assert.throws(() => applyEvent(view, { e: "won", seat: 0, pot: 0, amount: 1 }), Misfit);
});

test("a promised top-up is no chips on the table until it is brought", () => {
  const view = table(
    seated(0, "ann", 100),
    { e: "top_up_promised", seat: 0, amount: 50 },
    { e: "top_up_promised", seat: 0, amount: 30 },
  );
  assert.deepEqual([view.seats[0].stack, view.seats[0].top_up, view.chips.bought], [100, 80, 100]);
  const lapsed = structuredClone(view);
  applyEvent(view, { e: "topped_up", seat: 0, amount: 60 });
  assert.deepEqual([view.seats[0].stack, view.seats[0].top_up, view.chips.bought], [160, 0, 160]);
  applyEvent(lapsed, { e: "top_up_lapsed", seat: 0, amount: 80 });
  assert.deepEqual([lapsed.seats[0].stack, lapsed.seats[0].top_up, lapsed.chips.bought], [100, 0, 100]);
});

test("a seat that waits for chips is reserved until they are there, or it is free again", () => {
  const view = { ...newTableView({ seats: 6 }), currency: "PLAY", reserved: [] };
  applyEvent(view, { e: "reserved", seat: 2, user: "ann", name: "Ann" });
  applyEvent(view, { e: "reserved", seat: 3, user: "bob", name: "Bob" });
  assert.deepEqual(view.reserved, [
    { seat: 2, user: "ann", name: "Ann" },
    { seat: 3, user: "bob", name: "Bob" },
  ]);
  assert.equal(view.seats[2], null);
  applyEvent(view, seated(2, "ann", 100));
  applyEvent(view, { e: "freed", seat: 3 });
  assert.deepEqual(view.reserved, []);
});

const HAND = { e: "hand_started", hand: 1, button: 0, seats: [0, 1] };
const TURN = { e: "turn", turn: 1, seat: 0, deadline_ms: 9, call: null, raise: null };
const MISFITS = [
  ["a seat that is not there", [], seated(6, "ann", 1)],
  ["a seat that is taken", [seated(0, "ann", 1)], seated(0, "bob", 1)],
  ["chips for an empty seat", [], { e: "topped_up", seat: 0, amount: 1 }],
  ["a turn without a hand", [], TURN],
  ["a blind above the stack", [seated(0, "ann", 1), HAND], { e: "posted", seat: 0, blind: "big", amount: 2 }],
  ["a bank of another's turn", [seated(0, "ann", 1), HAND, TURN], { e: "bank", seat: 1, deadline_ms: 9 }],
  ["an action that does not add up", [seated(0, "ann", 9), HAND], { e: "acted", seat: 0, kind: "bet", amount: 2, to: 3, all_in: false }],
  ["an all-in with chips left", [seated(0, "ann", 9), HAND], { e: "acted", seat: 0, kind: "bet", amount: 2, to: 2, all_in: true }],
  ["more back than was bet", [seated(0, "ann", 9), HAND], { e: "returned", seat: 0, amount: 1 }],
  ["a third board before a second", [HAND], { e: "street", street: "flop", cards: ["2c"], run: 2 }],
  ["the end of another hand", [HAND], { e: "hand_ended", hand: 2, next_ms: 0 }],
];
for (const [what, before, event] of MISFITS) {
  test(`a misfit is thrown for ${what}`, () => assert.throws(() => applyEvent(table(...before), event), Misfit));
}

test("an event of a newer house changes nothing", () => {
  const view = table(seated(0, "ann", 1));
  applyEvent(view, { e: "jackpot", seat: 0, amount: 5 });
  assert.deepEqual(view, table(seated(0, "ann", 1)));
});

test("a hand does not begin on top of an old bet", () => {
  const view = table(seated(0, "ann", 9), HAND, { e: "posted", seat: 0, blind: "big", amount: 2 });
  assert.throws(() => applyEvent(view, HAND), Misfit);
});

test("a turn without call and raise is the same as one that says null", () => {
  const view = table(seated(0, "ann", 9), HAND, { e: "turn", turn: 1, seat: 0, deadline_ms: 9 });
  assert.deepEqual(view.hand.turn, { turn: 1, seat: 0, deadline_ms: 9, call: null, raise: null });
});

test("a user is found in a seat or in none", () => {
  const view = table(seated(2, "ann", 1));
  assert.equal(seatOf(view, "ann"), 2);
  assert.equal(seatOf(view, "bob"), null);
});
