import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { shares } from "../equity.js";
import { bestHand } from "../hand-rank.js";
import { add, deckOf, noCards, numberOf, rulesOf, strength } from "../hand-strength.js";

const cards = (text) => text.split(" ").filter(Boolean);
const goOn = async () => true;
const of = (variant, hands, board) => shares(variant, hands.map(cards), cards(board), goOn);

/** Classes from the weakest on, and ranks: what compares hands in words. */
const ORDER = "high_card one_pair two_pair three_of_a_kind straight flush full_house four_of_a_kind straight_flush".split(" ");
const SHORT = "high_card one_pair two_pair three_of_a_kind straight full_house flush four_of_a_kind straight_flush".split(" ");

function key(variant, { class: name, ranks }) {
  const order = variant === "short_deck" ? SHORT : ORDER;
  return [order.indexOf(name), ...[...ranks].map((rank) => "23456789TJQKA".indexOf(rank))];
}

function compare(one, other) {
  const at = one.findIndex((value, place) => value !== other[place]);
  return at < 0 ? 0 : Math.sign(one[at] - other[at]);
}

function strong(variant, all) {
  const made = noCards();
  for (const card of all) add(made, made, numberOf(card));
  return strength(made, rulesOf(variant));
}

test("strength orders hands as the house does", () => {
  const dealt = JSON.parse(readFileSync(new URL("hands.json", import.meta.url)));
  for (const variant of ["holdem", "short_deck", "omaha4"]) {
    // In Omaha the five that count were chosen already.
    const hands = dealt.filter((hand) => hand.variant === variant && hand.board.length === 14).map((hand) => ({
      key: key(variant, hand),
      strength: strong(variant, variant === "omaha4" ? cards(hand.cards) : [...cards(hand.hole), ...cards(hand.board)]),
    }));
    assert.ok(hands.length > 10, variant);
    for (const one of hands) for (const other of hands) assert.equal(Math.sign(one.strength - other.strength), compare(one.key, other.key), `${variant} ${one.key} ${other.key}`);
  }
});

/** The same with the evaluator that names hands, one board after the other. */
function slowly(variant, hands, board) {
  const known = new Set([...hands.flat(), ...board].map(numberOf));
  const names = [..."23456789TJQKA"].flatMap((rank) => [..."cdhs"].map((suit) => rank + suit));
  const deck = deckOf(variant).filter((card) => !known.has(card)).map((card) => names[card]);
  const boards = board.length === 4 ? deck.map((card) => [...board, card]) : deck.flatMap((one, at) => deck.slice(at + 1).map((other) => [...board, one, other]));
  const won = hands.map(() => 0);
  for (const whole of boards) {
    const keys = hands.map((hand) => key(variant, bestHand(variant, hand, whole)));
    const best = keys.reduce((most, next) => (compare(next, most) > 0 ? next : most));
    const winners = keys.flatMap((next, at) => (compare(next, best) === 0 ? [at] : []));
    for (const at of winners) won[at] += 1 / winners.length;
  }
  return won.map((sum) => sum / boards.length);
}

test("what comes of each hand is what comes of all boards one after the other", async () => {
  for (const [variant, hands, board] of [
    ["holdem", ["As Kd", "Qh Qc", "7d 6d"], "Jd Td 2c"],
    ["holdem", ["2c 2d", "As Ks"], "Qs Js 9h 9c"],
    ["short_deck", ["As Kd", "9h 8h"], "7h 6c Ac"],
    ["omaha4", ["As Ad 7c 6c", "Kh Kd Qh Jd"], "Th 9d 2c 2d"],
    ["omaha5", ["As Ad 7c 6c 3h", "Kh Kd Qh Jd 4s"], "Th 9d 2c Ac"],
  ]) {
    const fast = await of(variant, hands, board);
    slowly(variant, hands.map(cards), cards(board)).forEach((share, at) => assert.ok(Math.abs(share - fast[at]) < 1e-12, `${variant} ${hands[at]}: ${share} ${fast[at]}`));
  }
});

test("known values come out", async () => {
  const near = (shares, known) => shares.forEach((share, at) => assert.ok(Math.abs(100 * share - known[at]) < 0.006, `${100 * share} ${known[at]}`));
  // Nine outs of forty-four.
  assert.deepEqual(await of("holdem", ["Ah Kh", "Qs Qd"], "Qh 9h 8c 2s"), [7 / 44, 37 / 44]);
  // Before the flop, as all tables of such chances have it.
  near(await of("holdem", ["As Ah", "Ks Kh"], ""), [82.64, 17.36]);
  near(await of("holdem", ["As Ah", "Kd Kc"], ""), [81.26, 18.74]);
  near(await of("holdem", ["As Ks", "Qh Qd"], ""), [46.21, 53.79]);
  near(await of("holdem", ["As Kh", "Ad Kc"], ""), [50, 50]);
});

test("all parts together are one, and nothing is left to chance on a whole board", async () => {
  const three = await of("holdem", ["As Ah", "Ks Kh", "7d 6d"], "");
  assert.ok(Math.abs(three.reduce((sum, share) => sum + share) - 1) < 1e-9);
  assert.deepEqual(await of("holdem", ["2s 3s", "2h 3h"], "As Ks Qd Jd Tc"), [0.5, 0.5]);
});

test("it stops when nobody wants to know, and does not begin what would take too long", async () => {
  let pieces = 0;
  assert.equal(await shares("holdem", [cards("As Ah"), cards("Ks Kh")], [], async () => (pieces += 1) < 3), null);
  assert.equal(pieces, 3);
  assert.equal(await of("omaha4", ["As Ad 7c 6c", "Kh Kd Qh Jd"], ""), null);
});
