import assert from "node:assert/strict";
import { test } from "node:test";
import { viewOf, WISH } from "../lobby-list.js";
import { setUp } from "./connection-fakes.js";

const look = { v: 3, view: viewOf(WISH) };

test("what is looked at in the lobby is asked for again on every connection, until nothing is", async () => {
  const { start, greet, clock, connection } = setUp();
  connection.lobby(look);
  const first = await start({ views: true });
  assert.deepEqual(first.of("lobby"), [{ t: "lobby", on: true, ...look }]);
  connection.lobby({ ...look, v: 4 });
  assert.equal(first.of("lobby").at(-1).v, 4);
  first.breaks();
  await clock.pass(500);
  const second = await greet(undefined, { views: true });
  assert.deepEqual(second.of("lobby"), [{ t: "lobby", on: true, ...look, v: 4 }]);
  connection.lobby(null);
  assert.deepEqual(second.of("lobby").at(-1), { t: "lobby", on: false });
  second.breaks();
  await clock.pass(500);
  assert.deepEqual((await greet(undefined, { views: true })).of("lobby"), []);
});

test("a relay of an earlier release, which refuses views, is asked for all that it tells", async () => {
  const { start, greet, clock, connection } = setUp();
  connection.lobby(look);
  const first = await start();
  assert.deepEqual(first.of("lobby"), [{ t: "lobby", on: true }]);
  first.breaks();
  await clock.pass(500);
  const second = await greet(undefined, { views: true });
  assert.deepEqual(second.of("lobby"), [{ t: "lobby", on: true, ...look }], "the next one may be of this release");
});
