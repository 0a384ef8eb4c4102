import assert from "node:assert/strict";
import { test } from "node:test";
import { chipsShort, count, secondsLeft } from "../format.js";
import { initial } from "../names.js";
import { Story } from "../story.js";
import { describe, result } from "../words.js";

const view = {
  seats: [{ name: "Ann" }, { name: "Bob" }, null],
  hand: { pots: [{ amount: 150 }, { amount: 60 }] },
};
const text = (event) => describe(event, view)?.text;

test("actions are told as people tell them", () => {
  const acted = (more) => text({ e: "acted", seat: 0, amount: 10, to: 12, all_in: false, timeout: false, ...more });
  assert.equal(acted({ kind: "raise" }), "\u2068Ann\u2069 raises to 12");
  assert.equal(acted({ kind: "call", all_in: true }), "\u2068Ann\u2069 calls 10 and is all-in");
  assert.equal(acted({ kind: "fold", timeout: true }), "\u2068Ann\u2069 folds (out of time)");
});

test("a name runs in its own direction and leaves that of the sentence alone", () => {
  const seats = [{ name: "علی" }, null];
  assert.equal(describe({ e: "mucked", seat: 0 }, { seats }).text, "\u2068علی\u2069 mucks");
  assert.equal(describe({ e: "mucked", seat: 1 }, { seats }).text, "Seat 2 mucks");
});

test("a bot is told by the flag", () => {
  const seated = { e: "seated", name: "Cleo", seat: 1, stack: 80 };
  assert.equal(text({ ...seated, bot: true }), "\u2068Cleo\u2069, a bot, sits down in seat 2 with 80");
  assert.equal(text({ ...seated, bot: false }), "\u2068Cleo\u2069 sits down in seat 2 with 80");
});

test("an initial is a whole character", () => {
  assert.deepEqual(["ann", "👨‍👩‍👧 Lee", "नितिन", "", "é"].map(initial), ["A", "👨‍👩‍👧", "नि", "?", "É"]);
});

test("cards are told with their suits, tens as 10", () => {
  assert.equal(text({ e: "street", street: "flop", cards: ["Td", "2c", "As"], run: 0 }), "Flop: 10♦ 2♣ A♠");
  assert.equal(text({ e: "street", street: "river", cards: ["Kh"], run: 1 }), "River, run 2: K♥");
});

test("a win says from which pot when there are several", () => {
  assert.equal(text({ e: "won", seat: 1, pot: 0, amount: 1500 }), "\u2068Bob\u2069 wins 1,500 from the main pot");
  assert.equal(text({ e: "won", seat: 1, pot: 1, amount: 60 }), "\u2068Bob\u2069 wins 60 from side pot 1");
  assert.equal(describe({ e: "won", seat: 1, pot: 0, amount: 9 }, { ...view, hand: { pots: [{}] } }).text, "\u2068Bob\u2069 wins 9");
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
  assert.equal(result(view, story), "\u2068Ann\u2069 wins 180 with a flush\n\u2068Bob\u2069 wins 30 with two pair");
});

test("a winner who has left keeps the name", () => {
  const story = new Story();
  story.note({ e: "won", seat: 1, pot: 0, amount: 30 }, view);
  assert.equal(result({ ...view, seats: [{ name: "Ann" }, null, null] }, story), "\u2068Bob\u2069 wins 30");
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

test("what this page does not know is not worth a line", () => {
  for (const event of [{ e: "news" }, { e: "constructor" }, { e: "__proto__" }, { e: "status", seat: 0, status: "napping" }]) {
    assert.equal(describe(event, { seats: [{ name: "Ann" }] }), null, JSON.stringify(event));
  }
});
