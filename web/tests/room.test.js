import assert from "node:assert/strict";
import { test } from "node:test";
import { Outcome, Room } from "../room.js";

/** A room whose state is a list of what has happened. */
function follow() {
  const seen = [];
  const fold = (state, event) => {
    if (event.e === "misfit") throw new Error("does not fit");
    if (event.e === "news") return false;
    state.log.push(event.e);
    return true;
  };
  const room = new Room("t1", fold, { event: (event) => seen.push(event.e), change: () => {} });
  const keyframe = (epoch, seq, ...log) => room.receive({ t: "keyframe", room: "t1", epoch, seq, state: { log } });
  const frame = (epoch, seq, ...events) => room.receive({ t: "frame", room: "t1", epoch, seq, events: events.map((e) => ({ e })) });
  return { room, seen, keyframe, frame };
}

test("deltas that follow one another are folded in", () => {
  const { room, seen, keyframe, frame } = follow();
  assert.equal(keyframe(1, 1), Outcome.Taken);
  assert.equal(frame(1, 2, "a"), Outcome.Taken);
  assert.equal(frame(1, 3, "b", "c"), Outcome.Taken);
  assert.deepEqual(room.state.log, ["a", "b", "c"]);
  assert.deepEqual(seen, ["a", "b", "c"]);
  assert.deepEqual(room.position, [1, 3]);
});

test("a repeat changes nothing", () => {
  const { room, keyframe, frame } = follow();
  keyframe(1, 1);
  frame(1, 2, "a");
  assert.equal(frame(1, 2, "a"), Outcome.Stale);
  assert.equal(keyframe(1, 1, "old"), Outcome.Stale);
  assert.deepEqual(room.state.log, ["a"]);
});

test("a hole is a gap, and the frame behind it is not applied", () => {
  const { room, keyframe, frame } = follow();
  keyframe(1, 1);
  assert.equal(frame(1, 3, "c"), Outcome.Gap);
  assert.deepEqual(room.state.log, []);
  assert.deepEqual(room.position, [1, 1], "so that resuming brings frame 2");
});

test("a second gap in the same place asks for a keyframe", () => {
  const { room, keyframe, frame } = follow();
  keyframe(1, 1);
  frame(1, 3, "c");
  frame(1, 3, "c");
  assert.deepEqual(room.position, [0, 0]);
  assert.equal(keyframe(1, 3, "a", "b"), Outcome.Taken);
});

test("a delta before any keyframe is a gap", () => {
  assert.equal(follow().frame(1, 1, "a"), Outcome.Gap);
});

test("a zombie's frame of an older epoch is dropped", () => {
  const { room, keyframe, frame } = follow();
  keyframe(2, 5);
  assert.equal(frame(1, 6, "z"), Outcome.Stale);
  assert.deepEqual(room.state.log, []);
});

test("a delta of a later epoch without its keyframe is a gap, even with the next number", () => {
  const { keyframe, frame } = follow();
  keyframe(1, 5);
  assert.equal(frame(2, 6, "a"), Outcome.Gap);
});

test("a keyframe of a later epoch is adopted even when it goes back", () => {
  const { room, keyframe } = follow();
  keyframe(1, 9, "lost");
  assert.equal(keyframe(2, 7, "kept"), Outcome.Taken);
  assert.deepEqual(room.state.log, ["kept"]);
  assert.deepEqual(room.position, [2, 7]);
});

test("an event that does not fit asks for a keyframe", (t) => {
  t.mock.method(console, "error", () => {});
  const { room, keyframe, frame } = follow();
  keyframe(1, 1);
  assert.equal(frame(1, 2, "misfit"), Outcome.Gap);
  assert.deepEqual(room.position, [0, 0]);
});

test("an event that this page does not know is skipped, and so is what does not fit behind it until the next keyframe", (t) => {
  t.mock.method(console, "error", () => {});
  const { room, keyframe, frame } = follow();
  keyframe(1, 1);
  assert.equal(frame(1, 2, "news", "a"), Outcome.Taken);
  assert.deepEqual(room.state.log, ["a"]);
  assert.equal(room.isAdrift, false);
  assert.equal(frame(1, 3, "misfit"), Outcome.Taken, "no reason to reconnect");
  assert.equal(room.isAdrift, true);
  assert.equal(frame(1, 4, "b"), Outcome.Taken);
  assert.deepEqual([room.state.log, room.position], [["a"], [1, 4]], "nothing is guessed meanwhile");
  assert.equal(frame(1, 6, "c"), Outcome.Gap, "the positions count all the same");
  assert.equal(keyframe(1, 5, "a", "n", "b"), Outcome.Taken);
  assert.equal(room.isAdrift, false);
  frame(1, 6, "c");
  assert.deepEqual(room.state.log, ["a", "n", "b", "c"]);
});

test("what does not fit once more behind a new keyframe does not ask for one again", (t) => {
  t.mock.method(console, "error", () => {});
  const { room, keyframe, frame } = follow();
  keyframe(1, 1);
  assert.equal(frame(1, 2, "misfit"), Outcome.Gap);
  keyframe(1, 1);
  assert.equal(frame(1, 2, "misfit"), Outcome.Taken);
  assert.deepEqual(room.position, [1, 2]);
  assert.equal(room.isAdrift, true);
});

test("what the page does with an event cannot lose the room", (t) => {
  const logged = t.mock.method(console, "error", () => {});
  const broken = () => {
    throw new Error("a newer house said something odd");
  };
  const room = new Room("t1", (state, event) => state.push(event.e), { event: broken, change: broken });
  room.receive({ t: "keyframe", room: "t1", epoch: 1, seq: 1, state: [] });
  assert.equal(room.receive({ t: "frame", room: "t1", epoch: 1, seq: 2, events: [{ e: "a" }] }), Outcome.Taken);
  assert.deepEqual([room.state, room.position], [["a"], [1, 2]]);
  assert.equal(logged.mock.callCount(), 3);
});

test("a room of an unknown kind is followed as positions and state", () => {
  const { room, seen, frame } = follow();
  const state = { log: [], players: 12 };
  assert.equal(room.kind, "table");
  room.receive({ t: "keyframe", room: "t1", epoch: 1, seq: 7, kind: "queue", state });
  assert.equal(room.kind, "queue");
  assert.equal(frame(1, 8, "misfit", "a"), Outcome.Taken);
  assert.equal(frame(1, 10, "a"), Outcome.Gap);
  assert.deepEqual([room.position, room.state, seen], [[1, 8], { log: [], players: 12 }, []]);
  room.receive({ t: "keyframe", room: "t1", epoch: 1, seq: 9, kind: "table", state: { log: [] } });
  frame(1, 10, "a");
  assert.deepEqual(room.state.log, ["a"]);
});

test("a keyframe in its turn is no jump, any other is", () => {
  const jumps = [];
  const room = new Room("t1", () => {}, { event: () => {}, change: (jumped) => jumps.push(jumped) });
  for (const [epoch, seq] of [[1, 4], [1, 5], [2, 6], [2, 9], [3, 8]]) {
    room.receive({ t: "keyframe", room: "t1", epoch, seq, state: {} });
  }
  assert.deepEqual(jumps, [true, false, false, true, true]);
});

test("a private part replaces the one before", () => {
  const { room } = follow();
  room.receive({ t: "private", room: "t1", epoch: 1, seq: 2, private: { hand: 1, cards: ["As", "Ad"] } });
  room.receive({ t: "private", room: "t1", epoch: 1, seq: 9, private: { hand: 2, cards: [] } });
  assert.deepEqual(room.own, { hand: 2, cards: [] });
});

test("in a house that was started anew an earlier keyframe will do, once", () => {
  const { room, keyframe, frame } = follow();
  keyframe(5, 900, "old");
  assert.equal(keyframe(1, 3, "new"), Outcome.Stale);
  room.doubt();
  assert.equal(keyframe(1, 3, "new"), Outcome.Taken);
  assert.deepEqual([room.state.log, room.position], [["new"], [1, 3]]);
  assert.equal(keyframe(1, 2, "older"), Outcome.Stale);
  room.doubt();
  frame(1, 4, "a");
  assert.equal(keyframe(1, 2, "older"), Outcome.Stale, "what fits dispels the doubt");
});

/** A room that tells most things to single users. */
function followSparse() {
  const { room, seen, frame } = follow();
  const keyframe = (epoch, seq) => room.receive({ t: "keyframe", room: "t1", epoch, seq, sparse: true, state: { log: [] } });
  const part = (epoch, seq, k) => room.receive({ t: "private", room: "t1", epoch, seq, private: { k } });
  return { room, seen, keyframe, frame, part };
}

test("in a sparse room frames for others are not missed, and the own parts are counted", () => {
  const { room, keyframe, frame, part } = followSparse();
  keyframe(1, 4);
  assert.equal(part(1, 4, 7), Outcome.Taken);
  assert.equal(part(1, 9, 8), Outcome.Taken);
  assert.deepEqual(room.position, [1, 9]);
  assert.equal(frame(1, 12, "a"), Outcome.Taken);
  assert.deepEqual([room.position, room.own], [[1, 12], { k: 8 }]);
  assert.equal(part(1, 15, 10), Outcome.Gap, "the ninth was left out");
  assert.deepEqual(room.position, [1, 12], "so that resuming brings it");
});

test("in a sparse room the last own part may come once more, and a keyframe says how many there were", () => {
  const { room, keyframe, part } = followSparse();
  keyframe(1, 4);
  part(1, 6, 1);
  assert.equal(part(1, 6, 1), Outcome.Taken, "after a resume");
  assert.equal(part(1, 8, 2), Outcome.Taken);
  assert.equal(part(1, 6, 1), Outcome.Stale);
  keyframe(1, 40);
  assert.equal(part(1, 40, 9), Outcome.Taken);
  assert.equal(part(2, 41, 10), Outcome.Gap, "a new epoch begins with a keyframe");
  assert.deepEqual(room.own, { k: 9 });
});

test("who is shown a room late goes on, or begins anew with an older keyframe", () => {
  const room = new Room("t1", () => {}, { event: () => {}, change: () => {} });
  const keyframe = (seq, state) => room.receive({ t: "keyframe", room: "t1", epoch: 1, seq, state });
  const frame = (seq) => room.receive({ t: "frame", room: "t1", epoch: 1, seq, events: [] });
  const behind = (ms) => room.receive({ t: "behind", room: "t1", by_ms: ms });
  behind(30_000);
  assert.equal(keyframe(5, "past"), Outcome.Taken);
  assert.equal(room.behindMs, 30_000);
  behind(0);
  assert.equal(frame(6), Outcome.Taken, "whoever sits down gets the rest");
  assert.equal(room.behindMs, 0);
  behind(30_000);
  assert.equal(keyframe(3, "past"), Outcome.Taken, "whoever stands up begins anew");
  assert.deepEqual([room.position, room.state], [[1, 3], "past"]);
  assert.equal(keyframe(2, "older"), Outcome.Stale);
  behind(30_000);
  assert.equal(frame(4), Outcome.Taken, "after a reconnect it goes on");
  assert.equal(keyframe(4, "again"), Outcome.Stale);
  room.greeted();
  assert.equal(room.behindMs, 0, "it is told again");
  room.receive({ t: "rail", room: "t1", epoch: 9, seq: 900, rail: { hand: 7, seats: [] } });
  assert.deepEqual(room.told, { hand: 7, seats: [] });
  behind(0);
  assert.equal(room.told, null, "whoever sits down is told nothing more");
});
