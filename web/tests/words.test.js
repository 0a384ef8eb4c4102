import assert from "node:assert/strict";
import { test } from "node:test";
import { learn } from "../currencies.js";
import { chipsShort, secondsLeft } from "../format.js";
import { initial } from "../names.js";
import { count } from "../phrases/en/words.js";
import { speak } from "../phrases/language.js";
import { Story } from "../story.js";
import { describe, ending, result, shortestResult, together } from "../words.js";

const view = {
  seats: [{ name: "Ann" }, { name: "Bob" }, null],
  hand: { pots: [{ amount: 150 }, { amount: 60 }] },
};
const text = (event) => describe(event, view)?.text();

test("actions are told as people tell them", () => {
  const acted = (more) => text({ e: "acted", seat: 0, amount: 10, to: 12, all_in: false, timeout: false, ...more });
  assert.equal(acted({ kind: "raise" }), "\u2068Ann\u2069 raises to 12");
  assert.equal(acted({ kind: "call", all_in: true }), "\u2068Ann\u2069 calls 10 and is all-in");
  assert.equal(acted({ kind: "fold", timeout: true }), "\u2068Ann\u2069 folds (out of time)");
});

test("a name runs in its own direction and leaves that of the sentence alone", () => {
  const seats = [{ name: "علی" }, null];
  assert.equal(describe({ e: "mucked", seat: 0 }, { seats }).text(), "\u2068علی\u2069 mucks");
  assert.equal(describe({ e: "mucked", seat: 1 }, { seats }).text(), "Seat 2 mucks");
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

test("several who do the same one after the other are one line", () => {
  const line = (event) => describe(event, view);
  const fold = (seat, more) => line({ e: "acted", seat, kind: "fold", amount: 0, to: 0, all_in: false, timeout: false, ...more });
  assert.equal(together(fold(0), fold(1)).text(), "\u2068Ann\u2069 and \u2068Bob\u2069 fold");
  assert.equal(together(together(fold(0), fold(1)), fold(2)).text(), "\u2068Ann\u2069, \u2068Bob\u2069 and Seat 3 fold");
  const ante = (seat, amount) => line({ e: "posted", seat, blind: "ante", amount });
  assert.equal(together(ante(0, 10), ante(1, 10)).text(), "2 players post the ante, 10 each");
  for (const [one, other] of [[fold(0), fold(1, { timeout: true })], [fold(0), ante(1, 10)], [ante(0, 10), ante(1, 4)], [null, fold(0)]]) {
    assert.equal(together(one, other), null);
  }
});

test("what has been told, and what goes without saying, is not worth a line", () => {
  const seats = (status, top_up = 0) => ({ seats: [{ name: "Ann", status, top_up }] });
  const told = (event, before) => describe(event, before)?.text() ?? null;
  assert.equal(told({ e: "topped_up", seat: 0, amount: 5 }, seats("playing", 5)), null, "it was told when it was promised");
  assert.notEqual(told({ e: "topped_up", seat: 0, amount: 5 }, seats("playing")), null);
  assert.equal(told({ e: "status", seat: 0, status: "playing" }, seats("waiting")), null, "who has sat down is dealt in one day");
  assert.notEqual(told({ e: "status", seat: 0, status: "playing" }, seats("sitting_out")), null);
  assert.notEqual(told({ e: "status", seat: 0, status: "sitting_out" }, seats("playing")), null);
});

test("turns and chips swept in are not worth a line", () => {
  for (const e of ["turn", "collected", "dealt", "bank", "bank_left", "won", "hand_ended", "chat"]) assert.equal(text({ e }), undefined);
});

/** A story of awards `[seat, pot, amount, run]` and of hands `[seat, class, ranks, run]`. */
function told(awards, hands = []) {
  const story = new Story();
  for (const [seat, pot, amount, run = 0] of awards) story.note({ e: "won", seat, pot, amount, run }, { seats: [{ name: "Ann" }, { name: "Bob" }, { name: "Cy" }] });
  story.note({ e: "hand_ended", hands: hands.map(([seat, name, ranks, run = 0]) => ({ seat, run, class: name, ranks, cards: [] })) });
  return { story, text: result(view, story).replaceAll(/[\u2068\u2069]/g, "") };
}

test("the result says who has won with what, and adds up the pots that the same have won", () => {
  assert.equal(told([[0, 0, 150], [0, 1, 30]], [[0, "flush", "AK952"], [1, "two_pair", "QTA"]]).text, "Ann wins 180 with a flush, ace high");
  assert.equal(told([[0, 0, 30]]).text, "Ann wins 30");
});

test("where there is no room for names the sum is told, and of how many winners", () => {
  assert.equal(shortestResult(view, told([[0, 0, 150], [0, 1, 30]]).story), "+180");
  assert.equal(shortestResult(view, told([[0, 0, 150], [1, 1, 1_030]]).story), "2 winners, 1,180");
});

test("a kicker is named where it has decided, and no further than that", () => {
  const hands = [[0, "one_pair", "7AKT"], [1, "one_pair", "7AQT"]];
  assert.equal(told([[0, 0, 80]], hands).text, "Ann wins 80 with a pair of sevens, ace and king kickers");
  assert.equal(told([[0, 0, 80]], [hands[0], [1, "one_pair", "6AKT"]]).text, "Ann wins 80 with a pair of sevens");
  assert.equal(told([[0, 0, 80]], [[0, "high_card", "AJ987"], [1, "high_card", "AT987"]]).text, "Ann wins 80 with ace high, jack kicker");
});

test("pots with other winners are told one by one, and so are boards", () => {
  const hands = [[0, "straight", "T"], [1, "full_house", "7Q"]];
  assert.equal(
    told([[1, 0, 150], [0, 1, 60]], hands).text,
    "Bob wins 150 from the main pot with a full house, sevens over queens\nAnn wins 60 from side pot 1 with a straight to the ten",
  );
  const twice = [[0, "straight", "T", 0], [1, "one_pair", "7AKT", 0], [0, "one_pair", "9AKT", 1], [1, "four_of_a_kind", "6A", 1]];
  assert.equal(
    told([[0, 0, 75, 0], [1, 0, 75, 1]], twice).text,
    "Board 1: Ann wins 75 with a straight to the ten\nBoard 2: Bob wins 75 with four sixes",
  );
});

test("who has as good a hand shares the pot", () => {
  assert.equal(told([[0, 0, 76], [1, 0, 75]], [[0, "two_pair", "QTA"], [1, "two_pair", "QTA"]]).text, "Ann and Bob share 151 with two pair, queens and tens");
});

test("a house that tells no hands is understood as before", () => {
  const story = new Story();
  story.note({ e: "shown", seat: 0, cards: [], rank: "flush" });
  story.note({ e: "won", seat: 0, pot: 0, amount: 150 }, view);
  assert.equal(result(view, story), "\u2068Ann\u2069 wins 150 with a flush");
});

test("the log tells at the end what hands make that were shown before the board was there", () => {
  const { story } = told([[0, 0, 80]], [[0, "straight", "5"], [1, "one_pair", "7AKT"]]);
  const lines = ending(view, story).map(({ text: line }) => line().replaceAll(/[\u2068\u2069]/g, ""));
  assert.deepEqual(lines, ["Ann has a straight to the five", "Bob has a pair of sevens", "Ann wins 80 with a straight to the five"]);
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

test("amounts are told in what the chips of the table are", () => {
  learn([{ currency: "EUR", digits: 2 }]);
  const euros = { ...view, currency: "EUR", seats: [{ name: "Ann", top_up: 0 }, { name: "Bob" }] };
  const told = (event, speech = "en") => (speak(speech), describe(event, euros).text());
  const raise = { e: "acted", seat: 0, kind: "raise", amount: 1_200, to: 1_250, all_in: false, timeout: false };
  assert.equal(told(raise), "\u2068Ann\u2069 raises to 12.50");
  assert.equal(told({ e: "posted", seat: 1, blind: "small", amount: 50 }), "\u2068Bob\u2069 posts the small blind, 0.50");
  assert.equal(told({ e: "left", seat: 1, stack: 9_905 }), "\u2068Bob\u2069 leaves with 99.05");
  assert.equal(told({ e: "seated", name: "Cleo", seat: 2, stack: 10_000 }), "\u2068Cleo\u2069 sits down in seat 3 with 100.00");
  assert.match(told(raise, "ko"), /12\.50/);
  speak("en");
  const story = new Story();
  story.note({ e: "won", seat: 0, pot: 0, run: 0, amount: 2_475 }, euros);
  assert.equal(result(euros, story), "\u2068Ann\u2069 wins 24.75");
  assert.equal(shortestResult(euros, story), "+24.75");
});
