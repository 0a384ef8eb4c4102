import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Room } from "../room.js";
import { applyEvent, newTableView } from "../table-view.js";
import { Tape } from "../tape.js";

const FIXTURES = new URL("fixtures/", import.meta.url);

/** Hands that were played at a table, as it tells of them: an event a step. */
const fixtures = readdirSync(FIXTURES).map((name) => JSON.parse(readFileSync(new URL(name, FIXTURES), "utf8")));

function stepsOf(config, events) {
  const keyframe = { t: "keyframe", room: "t1", epoch: 1, seq: 1, kind: "table", state: newTableView(config) };
  const frames = events.map((event, at) => ({ at_ms: at * 1_000, messages: [{ t: "frame", room: "t1", epoch: 1, seq: at + 2, events: [event] }] }));
  frames[0].messages.push({ t: "private", room: "t1", epoch: 1, seq: 2, private: { hand: 1, cards: ["As", "Kd"] } });
  return [{ at_ms: 0, messages: [keyframe] }, ...frames];
}

function open(steps) {
  const seen = [];
  const jumps = [];
  const room = new Room("t1", applyEvent, { event: ({ e }) => seen.push(e), change: (jumped) => jumps.push(jumped) });
  return { room, seen, jumps, tape: new Tape(steps, room) };
}

/** What a table is after so many events. */
function folded({ config, events }, count) {
  const view = newTableView(config);
  events.slice(0, count).forEach((event) => applyEvent(view, event));
  return view;
}

test("wherever one goes, forwards or backwards, the table is what has happened up to there", () => {
  for (const fixture of fixtures) {
    const { tape, room } = open(stepsOf(fixture.config, fixture.events));
    const { length } = fixture.events;
    assert.equal(tape.length, length);
    const ways = [0, 1, 2, length, length - 1, 1, 3, 2, -5, length + 5, 0];
    for (const at of ways) {
      tape.goTo(at);
      const is = Math.min(length, Math.max(0, at));
      assert.equal(tape.at, is);
      assert.deepEqual(room.state, folded(fixture, is), `after ${is} events`);
    }
    assert.deepEqual(room.own, { hand: 1, cards: ["As", "Kd"] });
  }
});

test("a step is told as it happened, and going anywhere else is a jump", () => {
  const [fixture] = fixtures;
  const { tape, seen, jumps } = open(stepsOf(fixture.config, fixture.events));
  tape.goTo(1);
  jumps.length = 0;
  assert.equal(tape.goTo(2), true);
  assert.deepEqual(jumps, [false]);
  assert.deepEqual(seen, fixture.events.slice(0, 2).map(({ e }) => e));
  assert.equal(tape.goTo(1), false);
  assert.equal(jumps[1], true, "the page is to forget what it knew");
});

test("what is told once is told again unchanged", () => {
  const steps = stepsOf(fixtures[0].config, fixtures[0].events);
  const before = structuredClone(steps);
  const { tape } = open(steps);
  for (const at of [5, 0, 5]) tape.goTo(at);
  assert.deepEqual(steps, before);
});

test("a tape that lost an event is not the hand that was played", () => {
  const [fixture] = fixtures;
  const { tape, room } = open(stepsOf(fixture.config, fixture.events.filter((_, at) => at !== 4)));
  tape.goTo(tape.length);
  assert.notDeepEqual(room.state, folded(fixture, fixture.events.length));
});

const started = { e: "hand_started", hand: 1, button: 0, seats: [1, 0] };
const street = (name) => ({ e: "street", street: name, cards: [], run: 0 });

function madeOf(...events) {
  return open([{ at_ms: 0, messages: [{ t: "keyframe", state: {} }] }, ...events.map((event, at) => ({ at_ms: event.at ?? at, messages: [{ t: "frame", events: [event] }] }))]).tape;
}

test("streets are where their cards lie, and the end is where chips begin to move", () => {
  const all = madeOf(started, street("flop"), { e: "turn" }, street("turn"), street("river"), { e: "shown" }, { e: "won" }, { e: "hand_ended" });
  assert.deepEqual([...all.streets], [["preflop", 1], ["flop", 2], ["turn", 4], ["river", 5], ["showdown", 7]]);
  assert.deepEqual([...madeOf(started, { e: "acted" }, { e: "won" }).streets], [["preflop", 1], ["showdown", 3]]);
});

test("nobody waits long for what took long, or misses what went fast", () => {
  const tape = madeOf({ e: "moved", at: 0 }, { e: "moved", at: 10 }, { e: "moved", at: 1_510 }, { e: "moved", at: 90_000 });
  const pauses = [0, 1, 2, 3, 4].map((at) => {
    tape.goTo(at);
    return tape.pause(1);
  });
  assert.deepEqual(pauses, [700, 700, 1_500, 2_500, null]);
  tape.goTo(2);
  assert.equal(tape.pause(4), 375);
});
