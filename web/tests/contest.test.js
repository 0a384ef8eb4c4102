import assert from "node:assert/strict";
import { test } from "node:test";
import { contestOf, fold, levelAt, minutes } from "../contest.js";

const MINUTE = 60_000;
const play = (big_blind) => ({ play: { small_blind: big_blind / 2, big_blind, ante: 0, ms: 10 * MINUTE } });
const config = { levels: [play(20), { break: { ms: 5 * MINUTE } }, play(40)] };
const clock = { version: 1, base_ms: 1_000, offset_ms: 0, stopped_ms: null, paused: false };
const at = (ms, more = {}) => levelAt({ config, clock: { ...clock, ...more } }, 1_000 + ms);

test("the level follows from the clock, and a new one begins with its first millisecond", () => {
  assert.deepEqual(at(-5), { number: 1, level: play(20).play, leftMs: 10 * MINUTE, isBreak: false });
  assert.equal(at(10 * MINUTE - 1).leftMs, 1);
  const { number, isBreak, level } = at(10 * MINUTE);
  assert.deepEqual([number, isBreak, level.big_blind], [1, true, 20]);
  assert.deepEqual([at(15 * MINUTE).number, at(15 * MINUTE).leftMs], [2, null]);
});

test("a clock that stands still stays where it is, and time that does not count is left out", () => {
  assert.deepEqual([at(99 * MINUTE, { stopped_ms: 2_000 }).number, at(99 * MINUTE, { stopped_ms: 2_000 }).leftMs], [1, null]);
  assert.equal(at(11 * MINUTE, { offset_ms: 2 * MINUTE }).leftMs, MINUTE);
  assert.equal(levelAt({ config, clock: null }, 5).number, 1);
});

test("times are minutes and seconds, rounded up", () => {
  assert.deepEqual([0, 1, 59_001, 125_000].map(minutes), ["0:00", "0:01", "1:00", "2:05"]);
});

test("only what is now changes the state", () => {
  const state = { left: 2, phase: "running" };
  fold(state, { e: "busted", user: "ann" });
  assert.deepEqual(state, { left: 2, phase: "running" });
  fold(state, { e: "now", set: { left: 1 } });
  assert.deepEqual(state, { left: 1, phase: "running" });
});

test("a tournament is followed once however many look at it, and until the last has gone", () => {
  const said = [];
  const connection = { follow: ({ id }) => said.push(`follow ${id}`), unfollow: ({ id }) => said.push(`unfollow ${id}`) };
  const contest = contestOf(connection, "cup-1");
  const first = contest.listen({ change() {} });
  const second = contestOf(connection, "cup-1").listen({ change() {} });
  first();
  first();
  assert.deepEqual(said, ["follow cup-1"]);
  second();
  assert.deepEqual(said, ["follow cup-1", "unfollow cup-1"]);
});
