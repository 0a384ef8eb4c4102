import assert from "node:assert/strict";
import { test } from "node:test";
import { ofHash } from "../hand-link.js";
import { plot, winnings } from "../winnings.js";

const HOUR_MS = 3_600_000;

/** Hands of these results, one a minute, the latest first as they are listed. */
function hands(nets, more = () => ({})) {
  return nets.map((net, at) => ({ net, void: false, currency: null, digits: 0, big_blind: 2, started_ms: at * 60_000, ended_ms: at * 60_000 + 30_000, ...more(at) })).reverse();
}

test("hands add up in the order in which they were played", () => {
  const { sums, digits, inBlinds } = winnings(hands([10, -4, 0, 7]));
  assert.deepEqual([sums, digits, inBlinds], [[0, 10, 6, 6, 13], 0, false]);
  assert.deepEqual(winnings([]).sums, [0]);
});

test("what does not count is left out", () => {
  assert.deepEqual(winnings(hands([10, -4, 7], (at) => ({ void: at === 1 }))).sums, [0, 10, 17]);
  assert.deepEqual(winnings(hands([10, null, 7])).sums, [0, 10, 17]);
});

test("chips of different games are added as big blinds, and never those of one with those of another", () => {
  for (const other of [{ big_blind: 10 }, { currency: "EUR" }, { digits: 2 }]) {
    const { sums, inBlinds } = winnings(hands([10, 20], (at) => (at === 1 ? other : {})));
    assert.deepEqual([sums, inBlinds], [[0, 5, 5 + 20 / (other.big_blind ?? 2)], true]);
  }
});

test("who comes back after a while begins a session", () => {
  const later = (at) => (at >= 2 ? { started_ms: HOUR_MS + at, ended_ms: HOUR_MS + at + 1 } : {});
  assert.deepEqual(winnings(hands([1, 1, 1, 1], later)).sessions, [2]);
  assert.deepEqual(winnings(hands([1, 1, 1])).sessions, []);
});

test("the line fills its box, whatever it comes to", () => {
  for (const sums of [[0, 10, -10, 5], [0, 0, 0], [0, -1], [0, 1e12, -3], [0]]) {
    const { points, zero } = plot(sums, 100, 50);
    assert.equal(points.length, sums.length);
    for (const [x, y] of points) assert.ok(x >= 0 && x <= 100 && y >= 0 && y <= 50, `${x} ${y}`);
    assert.ok(zero >= 0 && zero <= 50);
    if (sums.length > 1) assert.equal(points.at(-1)[0], 100);
  }
  const { points, zero } = plot([0, 10, -10]);
  assert.ok(points[1][1] < zero && points[2][1] > zero, "what is won is above");
});

test("an address names a hand, a list, or nothing of it", () => {
  assert.deepEqual(ofHash("#/hand/t1.1700000000000-44"), { id: "t1.1700000000000-44", hidesNames: false });
  assert.deepEqual(ofHash("#/hand/t-abc.2.1-2?hidden"), { id: "t-abc.2.1-2", hidesNames: true });
  assert.deepEqual(ofHash("#/hand/abcdefgh234567xy?hidden"), { id: "abcdefgh234567xy", hidesNames: true });
  assert.deepEqual([ofHash("#/hands"), ofHash("#/hands/t1.2")], [{ room: null }, { room: "t1.2" }]);
  for (const hash of ["#/hand", "#/hand/", "#/hand/t1", "#/hand/t1.1", "#/hand/t1.1-2/..", "#/hand/t1.1-2?x", "#/hands/", "#/hands/a b", "#/handshake", `#/hands/${"x".repeat(41)}`]) {
    assert.equal(ofHash(hash), null, hash);
  }
});
