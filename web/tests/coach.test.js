import assert from "node:assert/strict";
import { test } from "node:test";
import { floorOf } from "../floor-room.js";
import { endedSince, faultOf, jobsOf, stepOf, TEXT_BYTES_MAX, Workers } from "../jobs-room.js";
import { spread } from "../spread.js";
import { hasCards } from "../table-view.js";

const job = (seq, more = {}) => ({ job: [7, seq], work: "coach", text: "?", stage: "waiting", attempt: 0, answer: "", ...more });

test("where somebody's rooms are follows from the name, as the house counts", () => {
  // Published of the hash: of `foobar` it is 85944171f73967e8.
  assert.equal(spread("foobar", 0x7fffffff), Number(0x85944171f73967e8n % 0x7fffffffn));
  assert.deepEqual(["ann", "bob", "u1", "u2", "u3"].map(jobsOf), ["jobs-0", "jobs-0", "jobs-3", "jobs-2", "jobs-1"]);
  assert.match(floorOf("ann"), /^floor-(0\d|1[0-5])$/);
});

test("an answer that has grown and is gone begins anew, and says so until there is something of it again", () => {
  const steps = [
    job(1),
    job(1, { stage: "taken", attempt: 1 }),
    job(1, { stage: "taken", attempt: 1, answer: "Well" }),
    job(1, { stage: "waiting", attempt: 1 }),
    job(1, { stage: "taken", attempt: 2 }),
    job(1, { stage: "taken", attempt: 2, answer: "No" }),
    job(1, { stage: "done", attempt: 2, answer: "No." }),
    job(1, { stage: "failed", attempt: 2, why: "it is none" }),
  ];
  assert.deepEqual(steps.map(stepOf), ["waits", "taken", "taken", "anew", "anew", "taken", "done", "failed"]);
});

test("what has ended since is told once, and what has ended before the page came is not", () => {
  const open = [job(1), job(2, { stage: "taken", attempt: 1 })];
  const ended = [job(1, { stage: "failed", why: "" }), job(2, { stage: "done", attempt: 1, answer: "No." })];
  assert.deepEqual(endedSince(open, ended), ended);
  assert.deepEqual(endedSince(ended, ended), []);
  assert.deepEqual(endedSince([], ended), []);
  assert.deepEqual(endedSince(open, [open[0]]), [], "what was taken back has no end");
});

test("a question is a text, of as many bytes as the house takes", () => {
  assert.deepEqual(["", " \n", "?", "가".repeat(666), "가".repeat(667)].map(faultOf), ["empty", "empty", null, null, "long"]);
  assert.equal(faultOf("x".repeat(TEXT_BYTES_MAX)), null);
});

test("who works in the house is asked every ten seconds at most, and what nobody answers changes nothing", async () => {
  let [now, asked, answer] = [0, 0, { works: [{ work: "coach", agents: 1 }] }];
  const ask = async () => {
    asked += 1;
    return answer;
  };
  const workers = new Workers("coach", ask, () => now);
  await workers.look();
  await workers.look();
  assert.deepEqual([asked, workers.areThere], [1, true]);
  [now, answer] = [10_000, null];
  await workers.look();
  assert.deepEqual([asked, workers.areThere], [2, true]);
  for (const works of [[], [{ work: "coach", agents: 0 }], [{ work: "dealer", agents: 3 }]]) {
    [now, answer] = [now + 10_000, { works }];
    workers.areThere = true;
    await workers.look();
    assert.equal(workers.areThere, false);
  }
});

test("whoever has folded, or whose hand is over, has no cards in a hand in play", () => {
  const hand = { ended: false };
  assert.deepEqual(
    [hasCards({ in_hand: true, folded: false }, hand), hasCards({ in_hand: true, folded: true }, hand), hasCards({ in_hand: false, folded: false }, hand), hasCards({ in_hand: true, folded: false }, { ended: true }), hasCards({ in_hand: true, folded: false }, null), hasCards(null, hand)],
    [true, false, false, false, false, false],
  );
});
