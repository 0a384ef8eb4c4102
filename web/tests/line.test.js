import assert from "node:assert/strict";
import { test } from "node:test";
import { HURRIED_PING_MS, PING_MS } from "../line.js";
import { silence } from "../connection-badge.js";
import { ServerClock } from "../server-clock.js";
import { emptyRoom, settle, setUp } from "./connection-fakes.js";

/** Answers each ping of a socket after `lagMs`, until it is told to be `quiet`. */
function answering(clock, socket, lagMs = 50) {
  const house = { quiet: false, aheadMs: 0 };
  const send = socket.send.bind(socket);
  socket.send = (text) => {
    send(text);
    const { t, at } = JSON.parse(text);
    if (t === "ping") clock.after(lagMs, () => house.quiet || socket.says({ t: "pong", at, now_ms: clock.now() - lagMs / 2 + house.aheadMs }));
  };
  return house;
}

async function atTheTable() {
  const world = setUp();
  const socket = await world.start();
  socket.says({ t: "pong", at: world.clock.now(), now_ms: world.clock.now() });
  return { ...world, socket, house: answering(world.clock, socket), room: emptyRoom("t1") };
}

test("within 2 s of an outage in one's turn the page knows, whenever it begins", async () => {
  for (let begins = 0; begins < HURRIED_PING_MS; begins += 100) {
    const { clock, house, connection, room } = await atTheTable();
    connection.inTurn(room, true);
    await clock.pass(3_000 + begins);
    assert.equal(connection.state.name, "online");
    house.quiet = true;
    await clock.pass(2_000);
    assert.equal(connection.state.name, "silent", String(begins));
    assert.ok(clock.now() - connection.state.since <= 3_100, "it counts from the last thing that was heard");
  }
});

test("a ping each second in one's turn and while a command waits for longer than 1.5 s, otherwise one in 5 s", async () => {
  const { clock, socket, connection, room } = await atTheTable();
  const pings = async (ms) => {
    const before = socket.of("ping").length;
    await clock.pass(ms);
    return socket.of("ping").length - before;
  };
  assert.equal(await pings(2 * PING_MS), 2);
  connection.inTurn(room, true);
  assert.ok((await pings(10_000)) >= 9);
  connection.inTurn(room, false);
  assert.ok((await pings(10_000)) <= 3);
  connection.command("t1", { a: "chat", text: "hello" });
  assert.ok((await pings(1_400)) <= 1);
  assert.ok((await pings(5_000)) >= 4);
  socket.says({ t: "ack", n: 1, room: "t1", epoch: 1, seq: 1 });
  assert.ok((await pings(10_000)) <= 3);
  connection.inTurn(room, true);
  connection.unfollow(room);
  assert.ok((await pings(10_000)) <= 3, "who has left the room is not waited for");
});

test("a silent line in one's turn is left for another after some seconds, with the session", async () => {
  const { clock, house, connection, room, sockets, greet } = await atTheTable();
  connection.inTurn(room, true);
  await clock.pass(3_000);
  house.quiet = true;
  await clock.pass(5_000);
  assert.equal(sockets.length, 2);
  await greet();
  assert.equal(connection.state.name, "online");
  assert.equal(connection.state.since, null);
});

test("an answer that comes late ends the silence, and the line stays", async () => {
  const { clock, house, socket, connection, room, sockets, told } = await atTheTable();
  connection.inTurn(room, true);
  house.quiet = true;
  await clock.pass(3_000);
  assert.equal(connection.state.name, "silent");
  socket.says({ t: "frame", room: "t9", epoch: 1, seq: 1, events: [] });
  assert.equal(connection.state.name, "online");
  assert.deepEqual(told.states.slice(-2), ["silent", "online"]);
  assert.equal(sockets.length, 1);
});

test("on a slow line silence is measured in its round trips", async () => {
  const { clock, socket, connection, room } = await atTheTable();
  answering(clock, socket, 1_500);
  await clock.pass(PING_MS + 3_000);
  connection.inTurn(room, true);
  socket.says({ t: "pong", at: clock.now() - 1_500, now_ms: clock.now() });
  await clock.pass(2_900);
  assert.equal(connection.state.name, "online");
});

test("without a network it is said at once, and a false alarm is over with the next answer", async () => {
  const { clock, connection, socket } = await atTheTable();
  await clock.pass(2_000);
  const before = socket.of("ping").length;
  connection.plugged(false);
  assert.equal(connection.state.name, "silent");
  assert.equal(connection.state.unplugged, true);
  assert.equal(socket.of("ping").length, before + 1, "it is asked");
  await clock.pass(50);
  assert.equal(connection.state.name, "online");
  assert.equal(socket.closed, null);
});

test("the network's return ends the wait for the next attempt", async () => {
  const { clock, connection, socket, sockets, greet } = await atTheTable();
  connection.plugged(false);
  socket.breaks();
  for (let failure = 0; failure < 12; failure += 1) {
    while (connection.state.retryAt === null) await clock.pass(10);
    await clock.pass(connection.state.retryAt - clock.now());
    sockets.at(-1).breaks();
  }
  await clock.pass(1_000);
  assert.ok(connection.state.retryAt - clock.now() > 3_000, "the wait had grown");
  const had = sockets.length;
  connection.plugged(true);
  await settle();
  assert.equal(sockets.length, had + 1);
  await greet();
  assert.equal(connection.state.name, "online");
});

test("who wakes up with a dead line has another one a second later", async () => {
  const { clock, house, connection, sockets } = await atTheTable();
  house.quiet = true;
  await clock.pass(100);
  connection.check();
  await clock.pass(1_000);
  assert.equal(sockets.length, 2);
  assert.doesNotMatch(sockets[1].url, /near/, "the relay is not to blame");
});

test("who has slept for long does not ask the old line at all", async () => {
  const { clock, connection, socket, sockets } = await atTheTable();
  clock.sleep(60_000);
  connection.check();
  await settle();
  assert.equal(socket.closed, 1000);
  assert.equal(sockets.length, 2);
});

test("a machine that says again and again that it has woken up does not hammer the house", async () => {
  const { clock, connection, socket, sockets } = await atTheTable();
  for (let times = 0; times < 50; times += 1) {
    connection.check();
    await clock.pass(10);
  }
  assert.ok(socket.of("ping").length <= 3, "nor with pings");
  socket.breaks();
  const had = sockets.length;
  for (let times = 0; times < 100; times += 1) {
    connection.plugged(true);
    connection.check();
    await clock.pass(50);
    if (sockets.length > had) sockets.at(-1).breaks();
  }
  assert.ok(sockets.length - had <= 6, `${sockets.length - had} attempts in 5 s`);
});

test("an attempt on its way is not cut off by a click into the window", async () => {
  const { clock, connection, socket, sockets, greet } = await atTheTable();
  socket.breaks();
  await clock.pass(500);
  assert.equal(sockets.length, 2);
  for (let clicks = 0; clicks < 10; clicks += 1) {
    connection.check();
    await clock.pass(200);
  }
  assert.equal(sockets.length, 2);
  await greet();
});

test("a machine's clock that is set by 60 s is right again with the next ping", async () => {
  for (const byMs of [60_000, -60_000]) {
    const { clock, connection, house } = await atTheTable();
    await clock.pass(60_000);
    clock.set(byMs);
    house.aheadMs = -byMs;
    await clock.pass(PING_MS + 100);
    assert.equal(connection.serverClock.now(), clock.now() - byMs);
  }
});

test("an answer that contradicts the quickest of the old ones is believed, one that may be lopsided is not", () => {
  let machine = 1_000_000;
  const clock = new ServerClock(() => machine);
  const pong = (there, back, ahead) => {
    const at = machine;
    machine += there + back;
    clock.pong({ at, now_ms: at + there + ahead });
  };
  for (let times = 0; times < 12; times += 1) pong(20, 20, 5_000);
  pong(20, 900, 5_000);
  assert.equal(clock.now(), machine + 5_000, "a slow way back");
  machine += 60_000; // Set, while the house goes on.
  pong(20, 20, -55_000);
  assert.equal(clock.now(), machine - 55_000);
  machine -= 120_000;
  pong(30, 10, 65_000);
  assert.ok(Math.abs(clock.now() - machine - 65_000) <= 10);
});

test("the banner counts the silence up and the wait down", () => {
  const state = { since: 10_000, retryAt: null };
  assert.equal(silence({ ...state, name: "silent" }, 11_200), " No answer for 1 s.");
  assert.equal(silence({ ...state, name: "connecting", retryAt: 17_000 }, 13_100), " No answer for 3 s. Next try in 4 s.");
  assert.equal(silence({ ...state, name: "connecting" }, 14_000), " No answer for 4 s. Trying now.");
  assert.equal(silence({ ...state, name: "offline" }, 14_000), "");
});
