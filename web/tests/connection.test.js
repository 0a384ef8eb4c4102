import assert from "node:assert/strict";
import { test } from "node:test";
import { SUBPROTOCOL } from "../connection.js";
import { PING_MS } from "../line.js";
import { emptyRoom, settle, setUp } from "./connection-fakes.js";

test("it greets with the token, in the protocol's name", async () => {
  const { start, told } = setUp();
  const socket = await start();
  assert.equal(socket.protocol, SUBPROTOCOL);
  assert.deepEqual(socket.sent[0], { t: "hello", token: "token", resume: {} });
  assert.equal(told.states.at(-1), "online");
});

test("a command without an answer is sent again after a reconnect, in order, with the same numbers and session", async () => {
  const { start, greet, clock, connection } = setUp();
  const first = await start();
  const fold = connection.command("t1", { a: "fold" });
  connection.command("t1", { a: "chat", text: "1" });
  connection.command("t2", { a: "chat", text: "2" });
  first.says({ t: "ack", n: 1, room: "t1", epoch: 1, seq: 2 });
  assert.equal((await fold).t, "ack");
  first.breaks();
  await clock.pass(500);
  const second = await greet();
  assert.equal(second.sent[0].session, "00000000000000aa");
  assert.deepEqual(second.of("do"), [
    { t: "do", n: 2, room: "t1", do: { a: "chat", text: "1" } },
    { t: "do", n: 3, room: "t2", do: { a: "chat", text: "2" } },
  ]);
});

test("a command given while the connection is gone goes out with the next one, once", async () => {
  const { start, greet, clock, connection } = setUp();
  (await start()).breaks();
  const answer = connection.command("t1", { a: "leave" });
  await clock.pass(500);
  const socket = await greet();
  assert.equal(socket.of("do").length, 1);
  socket.says({ t: "refused", n: 1, room: "t1", code: "not_seated", message: "You have no seat here" });
  assert.equal((await answer).code, "not_seated");
});

test("commands of a session that is gone are not sent in another one", async () => {
  const { start, greet, clock, connection } = setUp();
  (await start()).breaks();
  const answer = connection.command("t1", { a: "act" });
  await clock.pass(500);
  const socket = await greet("00000000000000bb");
  assert.equal(socket.of("do").length, 0);
  assert.equal((await answer).code, "unknown");
  connection.command("t1", { a: "act" });
  assert.equal(socket.of("do")[0].n, 1);
});

test("who asks too early asks once more when it is told to, and not for ever", async () => {
  const { start, clock, connection } = setUp();
  const socket = await start();
  const early = { t: "unanswered", room: "floor-01", code: "unavailable", message: "not yet", retry_after_ms: 1_000 };
  const answer = connection.question("floor-01", { about: "rules" });
  socket.says({ ...early, n: 1 });
  await clock.pass(1_000);
  assert.deepEqual(socket.of("ask")[1], { t: "ask", n: 2, room: "floor-01", q: { about: "rules" } });
  socket.says({ t: "answer", n: 2, room: "floor-01", at: [1, 1], body: { about: "rules" } });
  assert.deepEqual(await answer, { about: "rules" });

  const never = connection.question("floor-01", { about: "rules" });
  for (let n = 3; n < 7; n += 1) {
    socket.says({ ...early, n });
    await clock.pass(1_000);
  }
  assert.equal(await never, null);
  assert.equal(socket.of("ask").length, 6);

  const none = connection.question("t1", { about: "rules" });
  socket.says({ t: "unanswered", n: 7, room: "t1", code: "bad_question", message: "no" });
  assert.equal(await none, null);

  // Who says "at once" is not asked as fast as it can answer.
  const hasty = connection.question("floor-01", { about: "rules" });
  for (let n = 8; n < 24; n += 1) {
    socket.says({ ...early, n, retry_after_ms: 0 });
    await clock.pass(0);
    assert.equal(socket.of("ask").length, n);
    await clock.pass(250);
  }
  assert.equal(await hasty, null);
});

test("followed rooms are resumed where they were", async () => {
  const { start, greet, clock, connection } = setUp();
  const first = await start();
  const room = emptyRoom("t1");
  connection.follow(room);
  assert.deepEqual(first.of("watch"), [{ t: "watch", room: "t1" }]);
  first.says({ t: "keyframe", room: "t1", epoch: 3, seq: 41, state: {} });
  first.says({ t: "frame", room: "t1", epoch: 3, seq: 42, events: [] });
  first.breaks();
  await clock.pass(500);
  const second = await greet();
  assert.deepEqual(second.sent[0].resume, { t1: [3, 42] });
  assert.equal(second.of("watch").length, 0);
});

test("a room entered between greeting and welcome is watched", async () => {
  const { connection, sockets } = setUp();
  connection.connect();
  await settle();
  sockets[0].onopen();
  connection.follow(emptyRoom("t1"));
  sockets[0].says({ t: "welcome", session: "00000000000000aa", now_ms: 0, expires_ms: 9e15 });
  assert.deepEqual(sockets[0].of("watch"), [{ t: "watch", room: "t1" }]);
});

test("a gap leads to a new connection with resume", async () => {
  const { start, greet, connection, clock } = setUp();
  const first = await start();
  connection.follow(emptyRoom("t1"));
  first.says({ t: "keyframe", room: "t1", epoch: 1, seq: 1, state: {} });
  first.says({ t: "frame", room: "t1", epoch: 1, seq: 3, events: [] });
  assert.equal(first.closed, 1000);
  await clock.pass(250);
  assert.deepEqual((await greet()).sent[0].resume, { t1: [1, 1] });
});

test("who leaves a room and comes back at once is not confused by what was on its way", async () => {
  const { start, connection, told } = setUp();
  const socket = await start();
  const left = emptyRoom("t1");
  connection.follow(left);
  connection.unfollow(left);
  const back = emptyRoom("t1");
  connection.follow(back);
  socket.says({ t: "frame", room: "t1", epoch: 1, seq: 8, events: [] });
  socket.says({ t: "unwatched", room: "t1" });
  assert.deepEqual(told.messages, [], "our own leaving is no news");
  socket.says({ t: "keyframe", room: "t1", epoch: 1, seq: 8, state: {} });
  assert.deepEqual(back.position, [1, 8]);
  socket.says({ t: "unwatched", room: "t1" });
  assert.equal(told.messages.length, 1, "this time the room has closed");
});

test("what is for the rail is neither a player's part nor a step", async () => {
  const { start, connection, told } = setUp();
  const socket = await start();
  const room = emptyRoom("t1");
  connection.follow(room);
  socket.says({ t: "keyframe", room: "t1", epoch: 1, seq: 1, state: {} });
  socket.says({ t: "private", room: "t1", epoch: 1, seq: 1, private: { hand: 7, cards: ["As", "Ad"] } });
  socket.says({ t: "frame", room: "t1", epoch: 1, seq: 2, events: [] });
  socket.says({ t: "rail", room: "t1", epoch: 1, seq: 2, rail: { hand: 8, cards: ["2c", "2d"] } });
  assert.deepEqual(room.own, { hand: 7, cards: ["As", "Ad"] });
  assert.deepEqual(room.position, [1, 2]);
  assert.deepEqual(room.told, { hand: 8, cards: ["2c", "2d"] });
  assert.deepEqual(told.messages, [], "it is the room's");
  socket.says({ t: "rail", room: "t1", epoch: 1, seq: 1, rail: {} });
  socket.says({ t: "frame", room: "t1", epoch: 1, seq: 3, events: [] });
  assert.deepEqual(room.position, [1, 3]);
  assert.equal(socket.closed, null, "nothing was missed");
});

test("a room with gap after gap does not make us hammer the house", async () => {
  const { start, greet, clock, connection, sockets } = setUp();
  await start();
  connection.follow(emptyRoom("t1"));
  for (let round = 0; round < 6; round += 1) {
    sockets.at(-1).says({ t: "pong", at: clock.now(), now_ms: clock.now() });
    sockets.at(-1).says({ t: "frame", room: "t1", epoch: 1, seq: 8, events: [] });
    if (round < 5) {
      await clock.pass(4_000);
      await greet();
    }
  }
  const had = sockets.length;
  await clock.pass(4_000);
  assert.equal(sockets.length, had, "the sixth wait is longer");
});

test("what an old socket still says is not heard", async () => {
  const { start, greet, connection, told } = setUp();
  const first = await start();
  connection.reconnect();
  await greet();
  first.says({ t: "notice", code: "delayed", message: "late" });
  first.breaks();
  assert.deepEqual(told.messages, []);
  assert.equal(connection.state.name, "online");
});

test("advice to reconnect is followed at the given time", async () => {
  const { start, clock, sockets } = setUp();
  const first = await start();
  first.says({ t: "reconnect", after_ms: 700 });
  await clock.pass(699);
  assert.equal(first.closed, null);
  await clock.pass(1);
  assert.equal(first.closed, 1000);
  assert.equal(sockets.length, 2);
});

test("who takes a seat moves to the room's players once, if the house wants that", async () => {
  const { start, greet, connection, sockets } = setUp();
  const [room, other] = [emptyRoom("t1"), emptyRoom("t2")];
  const first = await start({ near: true });
  connection.seatedIn(room, false);
  assert.equal(sockets.length, 1);
  connection.seatedIn(room, true);
  const second = await greet(undefined, { near: true });
  assert.equal(first.closed, 1000);
  assert.match(second.url, /\/ws\?near=t1$/);
  assert.equal(second.sent[0].session, "00000000000000aa");
  connection.seatedIn(room, true);
  connection.seatedIn(room, false);
  connection.seatedIn(room, true);
  connection.seatedIn(other, true);
  connection.seatedIn(room, true);
  assert.equal(sockets.length, 2, "it is there already, and two tables do not pull it to and fro");
  connection.seatedIn(room, false);
  await greet(undefined, { near: true });
  assert.match(sockets[2].url, /\/ws\?near=t2$/);
});

test("in a house that does not want it, who takes a seat stays", async () => {
  const { start, connection, sockets } = setUp();
  await start();
  connection.seatedIn(emptyRoom("t1"), true);
  assert.equal(sockets.length, 1);
});

test("silence for 10 s is a dead line", async () => {
  const { start, clock, sockets } = setUp();
  await start();
  await clock.pass(9_999);
  assert.equal(sockets.length, 1);
  await clock.pass(1);
  assert.equal(sockets.length, 2);
  assert.match(sockets[1].url, /\/ws\?near=~\d+$/, "rather to another relay");
});

test("an attempt behind a silence is given up sooner, and each further one has twice as long", async () => {
  const { start, clock, sockets } = setUp();
  await start();
  await clock.pass(10_000);
  const gaps = [];
  for (let began = clock.now(); gaps.length < 3; began = clock.now()) {
    const had = sockets.length;
    while (sockets.at(-1).closed === null && sockets.length === had) await clock.pass(50);
    gaps.push(clock.now() - began);
    while (sockets.length === had) await clock.pass(50);
  }
  assert.deepEqual(gaps, [2_000, 4_000, 8_000]);
});

test("who cannot reach the relay of the room's players looks for them at another one", async () => {
  const { start, greet, connection, sockets, clock } = setUp();
  await start({ near: true });
  connection.seatedIn(emptyRoom("t1"), true);
  await greet(undefined, { near: true });
  const next = async () => {
    const before = sockets.length;
    sockets.at(-1).breaks();
    while (sockets.length === before) await clock.pass(50);
    return sockets.at(-1).url.split("near=")[1];
  };
  assert.equal(await next(), "t1");
  assert.equal(await next(), "t1~1");
  assert.equal(await next(), "t1~2");
  const welcomed = sockets.length;
  await greet(undefined, { near: true });
  assert.equal(sockets.length, welcomed, "that is near enough");
  assert.equal(await next(), "t1");
});

test("answered pings keep the line, and say the lag and the house's time", async () => {
  const { start, clock, sockets, told, connection } = setUp();
  const socket = await start();
  for (let round = 0; round < 5; round += 1) {
    await clock.pass(40);
    const { at } = socket.of("ping").at(-1);
    socket.says({ t: "pong", at, now_ms: at + 20 + 7_000 });
    await clock.pass(PING_MS - 40);
  }
  assert.equal(sockets.length, 1);
  assert.equal(told.lags.at(-1), 40);
  assert.equal(connection.serverClock.now(), clock.now() + 7_000);
});

test("attempts that fail come ever later, and never stop", async () => {
  const { clock, sockets, connection } = setUp();
  connection.connect();
  await settle();
  const waits = [];
  for (let failure = 0; failure < 10; failure += 1) {
    const from = clock.now();
    sockets.at(-1).breaks();
    const had = sockets.length;
    while (sockets.length === had) await clock.pass(25);
    waits.push(clock.now() - from);
  }
  assert.ok(waits[0] <= 250 && waits.at(-1) >= 5_000 && waits.at(-1) <= 10_025, waits.join());
  assert.deepEqual(waits, [...waits].sort((a, b) => a - b));
});

test("a token that is no good is renewed before the next attempt", async () => {
  for (const code of [4002, 4003, 4009]) {
    const { start, clock, sockets, identity } = setUp();
    (await start()).breaks(code);
    await clock.pass(500);
    assert.equal(identity.renewed, 1);
    assert.equal(sockets.length, 2);
  }
});

test("whose token was revoked comes back within a second with a new one, and goes on with the session", async () => {
  const { start, greet, clock, connection, identity } = setUp();
  const first = await start();
  connection.follow(emptyRoom("t1"));
  first.says({ t: "keyframe", room: "t1", epoch: 1, seq: 500, state: {} });
  first.breaks(4009);
  await clock.pass(999);
  const second = await greet();
  assert.equal(identity.renewed, 1);
  assert.deepEqual(second.sent[0], { t: "hello", token: "token", session: "00000000000000aa", resume: { t1: [1, 500] } });
});

test("a token that is revoked as soon as it is shown is not asked for in a circle", async () => {
  const { start, clock, sockets, identity } = setUp();
  (await start()).breaks(4009);
  for (let seconds = 0; seconds < 60; seconds += 1) {
    await clock.pass(1_000);
    if (sockets.at(-1).onclose && sockets.length > identity.renewed) sockets.at(-1).breaks(4009);
  }
  assert.ok(identity.renewed > 3 && identity.renewed < 14, String(identity.renewed));
});

test("whom reception gives no token for good is told why, and tries again when asked to", async () => {
  const { start, clock, sockets, connection, identity } = setUp();
  const first = await start();
  const banned = Object.assign(new Error("no"), { refused: true, final: true, tell: () => "banned until tomorrow" });
  identity.renew = async () => Promise.reject(banned);
  first.breaks(4009);
  await clock.pass(60_000);
  assert.deepEqual([sockets.length, connection.state.name, connection.state.why()], [1, "offline", "banned until tomorrow"]);
  identity.token = async () => Promise.reject(banned);
  connection.connect();
  await settle();
  assert.deepEqual([sockets.length, connection.state.name], [1, "offline"]);
  identity.token = async () => "token";
  connection.connect();
  await settle();
  assert.equal(sockets.length, 2);
});

test("a new guest starts over: no session, no old commands, any keyframe", async () => {
  const { start, greet, clock, connection, identity } = setUp();
  const first = await start();
  connection.follow(emptyRoom("t1"));
  first.says({ t: "keyframe", room: "t1", epoch: 1, seq: 500, state: {} });
  const answer = connection.command("t1", { a: "leave" });
  identity.renew = async () => void (identity.user = "bob");
  first.breaks(4002);
  await clock.pass(500);
  const second = await greet("00000000000000bb");
  assert.deepEqual(second.sent[0], { t: "hello", token: "token", resume: { t1: [0, 0] } });
  assert.equal((await answer).code, "unknown");
  assert.equal(second.of("do").length, 0);
});

test("codes that say so end it until the user wants to connect again", async () => {
  for (const code of [1000, 1002, 1003, 1007, 4001, 4004, 4008]) {
    const { start, clock, sockets, connection } = setUp();
    (await start()).breaks(code);
    await clock.pass(60_000);
    assert.equal(sockets.length, 1, String(code));
    assert.equal(connection.state.name, "offline");
    connection.connect();
    await settle();
    assert.equal(sockets.length, 2);
  }
});

test("a message that was too large is not sent again", async () => {
  const { start, greet, clock, connection } = setUp();
  const first = await start();
  const answer = connection.command("t1", { a: "chat", text: "long" });
  first.breaks(1009);
  assert.equal((await answer).t, "refused");
  await clock.pass(500);
  assert.equal((await greet()).of("do").length, 0);
});

test("a new token is sent before the old one expires", async () => {
  const { start, clock } = setUp();
  const socket = await start();
  for (let passed = 0; passed < 3_300_000; passed += PING_MS) {
    await clock.pass(PING_MS);
    socket.says({ t: "pong", at: clock.now(), now_ms: clock.now() });
  }
  assert.deepEqual(socket.of("refresh"), [{ t: "refresh", token: "token-1" }]);
});

test("an opening that never ends is given up", async () => {
  const { clock, sockets, connection } = setUp();
  connection.connect();
  await clock.pass(11_000);
  assert.equal(sockets.length, 2);
});

test("when no socket is opened the house is asked why, and its sentence stays until one is", async () => {
  let reason = "This house does not answer to the name evil.";
  const { greet, clock, sockets, connection } = setUp(async () => reason);
  connection.connect();
  for (let failures = 1; failures <= 3; failures++) {
    await settle();
    sockets.at(-1).breaks();
    await settle();
    assert.equal(connection.state.why, failures < 2 ? "" : reason);
    await clock.pass(10_000 / 4);
  }
  assert.equal(connection.state.name, "connecting");
  assert.equal(connection.state.why, reason);
  await greet();
  assert.equal(connection.state.name, "online");
  reason = null;
  sockets.at(-1).breaks();
  await settle();
  assert.equal(connection.state.why, "");
});

test("what this page does not know is skipped: the line, the rooms and the commands go on", async (t) => {
  t.mock.method(console, "warn", () => {});
  const { start, clock, sockets, connection, told } = setUp();
  const socket = await start();
  const room = emptyRoom("t1");
  connection.follow(room);
  const answer = connection.command("t1", { a: "leave" });
  socket.says({ t: "keyframe", room: "t1", epoch: 1, seq: 1, state: {} });
  for (const said of ["", "news", "null", "7", "[]", "{}", '{"t":7}', '{"t":"constructor"}', '{"t":"news","room":"t1","epoch":9,"seq":9}']) {
    socket.onmessage({ data: said });
  }
  socket.onmessage({ data: new Uint8Array([1, 2, 3]) });
  socket.says({ t: "ack", n: 99, room: "t1", epoch: 1, seq: 1 });
  socket.says({ t: "frame", room: "t1", epoch: 1, seq: 2, events: [{ e: "news" }], more: true });
  socket.says({ t: "ack", n: 1, room: "t1", epoch: 1, seq: 2, more: [] });
  assert.equal((await answer).t, "ack");
  assert.deepEqual(room.position, [1, 2]);
  assert.deepEqual(told.messages.map(({ t: kind }) => kind), ["constructor", "news"], "the page may look at what has a name");
  await clock.pass(0);
  assert.equal(sockets.length, 1);
});
