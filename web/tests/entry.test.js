import assert from "node:assert/strict";
import { test } from "node:test";
import { Entry } from "../entry.js";
import { Clock, settle } from "./connection-fakes.js";

const NO = { about: "me", me: null };
const PAYING = { ...NO, paying: true };
const IN = { about: "me", me: { entry: 1, place: null, prize: 0 } };
const declined = (code) => ({ ...NO, declined: code });

/** An entry of a tournament whose answers the test gives. */
function entry() {
  const clock = new Clock();
  const asked = [];
  const told = [];
  const it = new Entry({
    ask: () => new Promise((resolve) => asked.push(resolve)),
    clock,
    changed: () => told.push(it.isPaying ? "paying" : it.line ? "in" : "out"),
    declined: (code) => told.push(code),
  });
  const answer = async (body) => {
    asked.at(-1)(body);
    await settle();
  };
  return { it, clock, asked, told, answer };
}

test("whoever takes part is asked for once, and then when something happens to me", async () => {
  const { it, clock, asked, told, answer } = entry();
  it.look();
  await answer(NO);
  it.heard();
  await clock.pass(60_000);
  assert.deepEqual([asked.length, told], [1, ["out"]], "what happens to others is no reason");
  it.look();
  await answer(IN);
  assert.deepEqual([it.line.entry, it.isKnown, told.at(-1)], [1, true, "in"]);
});

test("while chips are asked for each frame is a reason to ask again, until they have come", async () => {
  const { it, clock, asked, told, answer } = entry();
  it.pays();
  assert.ok(it.isPaying, "before anybody has answered");
  await answer(PAYING);
  it.heard();
  it.heard();
  await clock.pass(499);
  assert.equal(asked.length, 1, "frames come in crowds");
  await clock.pass(1);
  assert.equal(asked.length, 2);
  it.heard();
  await answer(PAYING);
  await clock.pass(500);
  assert.equal(asked.length, 3, "what happened while it was asked is news, too");
  await answer(IN);
  it.heard();
  await clock.pass(60_000);
  assert.deepEqual([asked.length, told], [3, ["paying", "paying", "in"]]);
});

test("why chips have not come is told once, and never of those that were asked for before", async () => {
  const { it, told, answer } = entry();
  it.look();
  await answer(declined("frozen"));
  assert.deepEqual(told, ["out"]);
  it.pays();
  await answer(declined("insufficient"));
  it.look();
  await answer(declined("insufficient"));
  assert.deepEqual(told, ["out", "insufficient", "out", "out"]);
});

test("chips that are taken back are nothing to be told of", async () => {
  const { it, told, answer } = entry();
  it.pays();
  await answer(PAYING);
  it.look();
  await answer(NO);
  assert.deepEqual([told, it.isPaying], [["paying", "out"], false]);
});

test("an answer from before the chips were asked for says nothing of them", async () => {
  const { it, asked, told, answer } = entry();
  it.look();
  it.pays();
  await answer(declined("frozen"));
  assert.deepEqual([told, it.isPaying, asked.length], [[], true, 2]);
  await answer(PAYING);
  assert.deepEqual(told, ["paying"]);
});

test("where no frame and no answer comes it is asked again, but not for ever", async () => {
  const { it, clock, asked, answer } = entry();
  it.pays();
  await answer(null);
  assert.ok(it.isPaying, "nobody has said otherwise");
  await clock.pass(4_000);
  assert.equal(asked.length, 2);
  for (let at = 0; at < 200; at += 1) {
    await answer(PAYING);
    it.heard();
    await clock.pass(4_000);
  }
  assert.equal(asked.length, 61);
  it.look();
  await answer(IN);
  assert.equal(it.isPaying, false);
});
