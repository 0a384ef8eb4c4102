import assert from "node:assert/strict";
import { test } from "node:test";
import { Identity, postJson, whyNoSocket } from "../identity.js";
import { speak } from "../phrases/language.js";

const storage = (items = {}) => {
  const map = new Map(Object.entries(items));
  return { getItem: (key) => map.get(key) ?? null, setItem: (key, value) => map.set(key, value) };
};
const refusal = () => Object.assign(new Error("no"), { refused: true });

test("who comes back with a name that the house takes no more comes in as a guest", async () => {
  const asked = [];
  const post = async (path, { name }) => {
    asked.push(name ?? path);
    if (name !== "Guest") throw refusal();
    return { token: "t", user: "g-1", name, expires_ms: 9e15 };
  };
  const old = { token: "old", user: "g-0", name: "Cleo (bot)", expires_ms: 0 };
  const identity = new Identity(storage({ "cardhouse.guest": JSON.stringify(old) }), storage(), post);
  assert.equal(await identity.token(), "t");
  assert.deepEqual(asked, ["/api/refresh", "Cleo (bot)", "Guest"]);
});

test("what reception and the gate refuse is told by its code, in the language that is spoken", async (t) => {
  globalThis.location = { hostname: "cards.example", origin: "https://cards.example" };
  t.after(() => delete globalThis.location);
  const answers = (status, body) => t.mock.method(globalThis, "fetch", async () => new Response(body, { status }));
  const why = (status, body) => {
    answers(status, body);
    return postJson("/api/guest", {}).then(() => null, (error) => error);
  };
  const named = await why(422, '{"code":"bad_name","message":"it is empty"}');
  const fast = await why(429, '{"code":"too_fast","message":"too many","retry_after_ms":1200}');
  assert.deepEqual([named.refused, fast.refused], [true, false]);
  assert.match(fast.tell(), /in 2 s/);
  assert.equal((await why(400, '{"code":"news","message":"as the house says"}')).tell(), "as the house says");
  assert.match((await why(502, "<html>")).tell(), /answered 502/);
  answers(403, '{"code":"wrong_host","message":"This house does not answer to it"}');
  const gate = await whyNoSocket("/ws");
  speak("ko");
  assert.match(named.tell(), /^쓸 수 없는 이름입니다/);
  assert.match(fast.tell(), /2초 뒤에/);
  assert.match(gate(), /^이 서버는 cards\.example을 /);
  speak("en");
  answers(404, "");
  assert.equal(await whyNoSocket("/ws"), null);
});
