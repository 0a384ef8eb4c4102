import assert from "node:assert/strict";
import { test } from "node:test";
import { chipsShort, count, secondsLeft } from "../format.js";
import { Story } from "../story.js";
import { describe, result } from "../words.js";

const view = {
  seats: [{ name: "Ann" }, { name: "Bob" }, null],
  hand: { pots: [{ amount: 150 }, { amount: 60 }] },
};
const text = (event) => describe(event, view)?.text;

test("actions are told as people tell them", () => {
  const acted = (more) => text({ e: "acted", seat: 0, amount: 10, to: 12, all_in: false, timeout: false, ...more });
  assert.equal(acted({ kind: "raise" }), "Ann raises to 12");
  assert.equal(acted({ kind: "call", all_in: true }), "Ann calls 10 and is all-in");
  assert.equal(acted({ kind: "fold", timeout: true }), "Ann folds (out of time)");
});

test("cards are told with their suits, tens as 10", () => {
  assert.equal(text({ e: "street", street: "flop", cards: ["Td", "2c", "As"], run: 0 }), "Flop: 10♦ 2♣ A♠");
  assert.equal(text({ e: "street", street: "river", cards: ["Kh"], run: 1 }), "River, run 2: K♥");
});

test("a win says from which pot when there are several", () => {
  assert.equal(text({ e: "won", seat: 1, pot: 0, amount: 1500 }), "Bob wins 1,500 from the main pot");
  assert.equal(text({ e: "won", seat: 1, pot: 1, amount: 60 }), "Bob wins 60 from side pot 1");
  assert.equal(describe({ e: "won", seat: 1, pot: 0, amount: 9 }, { ...view, hand: { pots: [{}] } }).text, "Bob wins 9");
});

test("turns and chips swept in are not worth a line", () => {
  for (const e of ["turn", "collected", "dealt", "bank", "bank_left", "hand_ended", "chat"]) assert.equal(text({ e }), undefined);
});

test("the result adds up what each has won, and says with what", () => {
  const story = new Story();
  story.note({ e: "shown", seat: 0, cards: [], rank: "flush" });
  story.note({ e: "shown", seat: 1, cards: [], rank: "two pair" });
  story.note({ e: "won", seat: 0, pot: 0, amount: 150 }, view);
  story.note({ e: "won", seat: 0, pot: 1, amount: 30 }, view);
  story.note({ e: "won", seat: 1, pot: 1, amount: 30 }, view);
  assert.equal(result(view, story), "Ann wins 180 with a flush\nBob wins 30 with two pair");
});

test("a winner who has left keeps the name", () => {
  const story = new Story();
  story.note({ e: "won", seat: 1, pot: 0, amount: 30 }, view);
  assert.equal(result({ ...view, seats: [{ name: "Ann" }, null, null] }, story), "Bob wins 30");
});

test("a new hand begins a new story", () => {
  const story = new Story();
  story.note({ e: "won", seat: 0, pot: 0, amount: 150 }, view);
  story.note({ e: "acted", seat: 1, kind: "fold" });
  story.note({ e: "hand_started" });
  assert.equal(story.won.size + story.did.size, 0);
});

test("bets swept in take the actions with them, folds stay", () => {
  const story = new Story();
  story.note({ e: "acted", seat: 0, kind: "call" });
  story.note({ e: "acted", seat: 1, kind: "fold" });
  story.note({ e: "collected", pots: [] });
  assert.deepEqual([...story.did.keys()], [1]);
});

test("numbers are short where there is little room", () => {
  assert.equal(chipsShort(999_999), "999,999");
  assert.equal(chipsShort(1_250_000), "1.3M");
  assert.equal(count(1, "table"), "1 table");
  assert.equal(count(2500, "hand"), "2,500 hands");
});

test("seconds are shown until they are over", () => {
  assert.equal(secondsLeft(10_000, 9_001), 1);
  assert.equal(secondsLeft(10_000, 10_000), 0);
  assert.equal(secondsLeft(10_000, 12_000), 0);
});
