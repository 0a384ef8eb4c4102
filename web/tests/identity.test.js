import assert from "node:assert/strict";
import { test } from "node:test";
import { Identity, keepsPeople, postJson, whyNoSocket } from "../identity.js";
import { speak } from "../phrases/language.js";

const storage = (items = {}) => {
  const map = new Map(Object.entries(items));
  return { getItem: (key) => map.get(key) ?? null, setItem: (key, value) => map.set(key, value), removeItem: (key) => map.delete(key) };
};
const refusal = (code) => Object.assign(new Error("no"), { refused: true, code, tell: () => code });
const kept = (storage) => JSON.parse(storage.getItem("cardhouse.guest"));
const keeping = (guest) => storage({ "cardhouse.guest": JSON.stringify(guest) });

test("one may sign in where the house keeps people, and where it could not say", async (t) => {
  const houses = [[200, { accounts: true }, true], [200, { accounts: false }, false], [404, { code: "not_found", message: "a release before" }, false], [503, { code: "away", message: "" }, true], [429, { code: "too_fast", message: "" }, true]];
  for (const [status, answer, does] of houses) {
    t.mock.method(globalThis, "fetch", async () => new Response(JSON.stringify(answer), { status, headers: { "content-type": "application/json" } }));
    assert.equal(await keepsPeople(), does, `${status}`);
  }
  t.mock.method(globalThis, "fetch", async () => Promise.reject(new TypeError("no line")));
  assert.equal(await keepsPeople(), true);
});

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

test("in a house that keeps people no script has what tokens are got with, and the page that is loaded anew asks by the cookie", async () => {
  const asked = [];
  const post = async (path, body) => {
    asked.push([path, body]);
    return { token: "access", user: "g-1", name: "Ann", expires_ms: 9e15, kind: "guest" };
  };
  const local = storage();
  await new Identity(storage(), local, post).enter("Ann");
  assert.deepEqual(kept(local), { user: "g-1", name: "Ann", kind: "guest" });
  assert.equal(await new Identity(storage(), local, post).token(), "access");
  assert.deepEqual(asked, [["/api/guest", { name: "Ann", cookie: true }], ["/api/refresh", { cookie: true }]]);
});

test("somebody else in one window has nothing to do with the cookie", async () => {
  const asked = [];
  const post = async (path, body) => {
    asked.push([path, body]);
    return { token: "access", user: "g-2", name: "Bob", expires_ms: 0, kind: "guest", refresh: `r${asked.length}` };
  };
  const [session, local] = [storage(), keeping({ user: "g-1", name: "Ann", kind: "guest" })];
  await new Identity(session, local, post).enterAsOther("Bob");
  const other = new Identity(session, local, post);
  await other.token();
  await other.refresh();
  assert.deepEqual(asked, [["/api/guest", { name: "Bob" }], ["/api/refresh", { token: "r1" }], ["/api/refresh", { token: "r2" }]]);
  assert.deepEqual([kept(session).refresh, kept(local).user], ["r3", "g-1"]);
});

test("a guest of a house that kept nobody is the same one when it begins to, and a reception of the release before is understood", async () => {
  const old = { token: "old", user: "g-0", name: "Ann", expires_ms: 0 };
  const asked = [];
  const post = (answers) => async (path, body) => {
    asked.push(body);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const local = keeping(old);
  await new Identity(storage(), local, post([{ ...old, token: "new", kind: "guest" }])).refresh();
  assert.deepEqual([kept(local), asked.shift()], [{ user: "g-0", name: "Ann", kind: "guest" }, { token: "old", cookie: true }]);
  const before = keeping(old);
  await new Identity(storage(), before, post([refusal("bad_request"), { ...old, token: "new" }])).refresh();
  assert.deepEqual([kept(before).token, asked], ["new", [{ token: "old", cookie: true }, { token: "old" }]]);
});

test("whoever is banned is told so and becomes nobody else, and comes back when it is over", async () => {
  const post = async () => Promise.reject(refusal("banned"));
  const local = keeping({ user: "g-1", name: "Ann", kind: "guest" });
  const identity = new Identity(storage(), local, post);
  const error = await identity.token().catch((it) => it);
  assert.deepEqual([error.final, error.tell(), kept(local).user, identity.isGone], [true, "banned", "g-1", false]);
});

test("a member who was signed out does not become a guest by it, and a guest becomes a new one", async () => {
  const post = async (path, { name }) => {
    if (path === "/api/refresh") throw refusal("session_ended");
    return { token: "t", user: "g-9", name, expires_ms: 9e15, kind: "guest" };
  };
  const local = keeping({ user: "m-1", name: "Ann", kind: "member" });
  const member = new Identity(storage(), local, post);
  const error = await member.token().catch((it) => it);
  assert.deepEqual([error.final, member.isGone, kept(local)], [true, true, null]);
  const guest = new Identity(storage(), keeping({ user: "g-1", name: "Ann", kind: "guest" }), post);
  assert.equal(await guest.token(), "t");
  assert.deepEqual([guest.user, guest.hadExpired], ["g-9", true]);
});

test("a window notices that another one has signed in or out, but not that it has only got a new guest", () => {
  const local = keeping({ user: "g-1", name: "Ann", kind: "guest" });
  const identity = new Identity(storage(), local, null);
  const says = (guest) => {
    local.setItem("cardhouse.guest", JSON.stringify(guest));
    return identity.isAnotherNow;
  };
  assert.equal(identity.isAnotherNow, false);
  assert.equal(says({ user: "g-2", name: "Ann", kind: "guest" }), false);
  assert.equal(says({ user: "m-1", name: "Ann", kind: "member" }), true);
  assert.equal(says({ user: "g-1", name: "Ann", kind: "member" }), false, "the guest has made an account");
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
  const banned = await why(403, '{"code":"banned","message":"no","reason":"rude","until_ms":1764800000000}');
  assert.match(banned.tell(), /until .*2025.*: rude$/);
  answers(403, '{"code":"wrong_host","message":"This house does not answer to it"}');
  const gate = await whyNoSocket("/ws");
  speak("ko");
  assert.match(named.tell(), /^쓸 수 없는 이름입니다/);
  assert.match(fast.tell(), /2초 뒤에/);
  assert.match(banned.tell(), /까지 .*사유: rude$/);
  assert.match(gate(), /^이 서버는 cards\.example을 /);
  speak("en");
  answers(404, "");
  assert.equal(await whyNoSocket("/ws"), null);
});
