import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, TalkRoom } from "../talk-room.js";

const line = (text) => ({ user: "u1", name: "Ann", bot: false, text, at_ms: 7 });
const said = (text) => ({ e: "said", ...line(text) });

/** A place to talk at a table, and what came of it. */
function talk(table = "t1", isLive = () => true) {
  const seen = [];
  const connection = { follow: (room) => seen.push(`follow ${room.id}`), unfollow: (room) => seen.push(`unfollow ${room.id}`) };
  const it = new TalkRoom(table, connection, { said: ({ text }) => seen.push(text), all: (lines) => seen.push(lines.map(({ text }) => text)) }, isLive);
  const keyframe = (seq, ...lines) =>
    it.room.receive({ t: "keyframe", room: "t1.talk", epoch: 1, seq, kind: "talk", state: { lines: lines.map(line) } });
  const frame = (seq, text) => it.room.receive({ t: "frame", room: "t1.talk", epoch: 1, seq, events: [said(text)] });
  const behind = (ms) => it.room.receive({ t: "behind", room: "t1.talk", by_ms: ms });
  return { it, seen, keyframe, frame, behind };
}

test("whoever comes is told what was said, and then each line once", () => {
  const { it, seen, keyframe, frame } = talk();
  it.follow();
  keyframe(3, "hi", "hello");
  frame(4, "nice hand");
  keyframe(5, "hi", "hello", "nice hand");
  frame(6, "ty");
  assert.deepEqual(seen, ["follow t1.talk", ["hi", "hello"], "nice hand", "ty"]);
});

test("after a jump all is told anew", () => {
  const { it, seen, keyframe } = talk();
  it.follow();
  keyframe(3, "hi");
  keyframe(9, "much", "later");
  assert.deepEqual(seen.at(-1), ["much", "later"]);
});

test("a line goes to the room beside the table once that is there, and to the table before and after", () => {
  const { it, seen, keyframe } = talk();
  const atTheTable = ["t1", { a: "chat", text: "hi" }];
  assert.deepEqual(it.saying("hi"), atTheTable);
  it.follow();
  assert.deepEqual(it.saying("hi"), atTheTable, "it has not come yet");
  keyframe(1);
  assert.deepEqual(it.saying("hi"), ["t1.talk", { a: "say", text: "hi" }]);
  it.leave();
  it.leave();
  assert.deepEqual(it.saying("hi"), atTheTable, "there is none any more");
  assert.deepEqual(seen.filter((what) => what === "unfollow t1.talk").length, 1);
});

test("where all but players are shown the table late, players talk at the table and all others beside it", () => {
  let isLive = false;
  const { it, keyframe, behind } = talk("t1", () => isLive);
  const beside = ["t1.talk", { a: "say", text: "hi" }];
  it.follow();
  behind(30_000);
  keyframe(1);
  assert.deepEqual(it.saying("hi"), beside);
  isLive = true;
  assert.deepEqual(it.saying("hi"), ["t1", { a: "chat", text: "hi" }], "it has sat down");
  behind(0);
  assert.deepEqual(it.saying("hi"), beside);
});

test("a table with a long name has no such room", () => {
  const { it, seen } = talk("t".repeat(36));
  it.follow();
  assert.equal(it.room, null);
  assert.deepEqual(it.saying("hi"), ["t".repeat(36), { a: "chat", text: "hi" }]);
  it.leave();
  assert.deepEqual(seen, []);
});

test("the oldest of too many lines, or of too many bytes, are forgotten as the house does it", () => {
  const state = { lines: [] };
  for (let number = 0; number < 103; number += 1) fold(state, said(String(number)));
  assert.deepEqual([state.lines.length, state.lines[0].text], [100, "3"]);
  const long = { lines: [] };
  // 800 bytes of text and 3 of the name.
  for (let number = 0; number < 100; number += 1) fold(long, said("한".repeat(266) + "xx"));
  assert.equal(long.lines.length, Math.floor((16 * 1024) / 803));
  assert.equal(fold(state, { e: "later" }), false, "what only a later house says");
});
