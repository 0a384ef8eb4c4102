import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountApi } from "../account-api.js";
import { deviceOf } from "../device-list.js";

const answers = (t, replies) => {
  const asked = [];
  t.mock.method(globalThis, "fetch", async (path, { method, body, headers }) => {
    asked.push([method, path, body && JSON.parse(body), headers.authorization]);
    const [status, answer] = replies.shift();
    return new Response(answer === null ? null : JSON.stringify(answer), { status, headers: { "content-type": "application/json" } });
  });
  return asked;
};
const guest = () => ({ guest: { user: "g-1" }, token: async () => "old", refresh: async () => "new", signedIn: (session) => (guest.session = session), forget: () => (guest.isGone = true) });

test("a device is named by what it is, and not by what it says that it is like", () => {
  const named = (agent) => Object.values(deviceOf(agent) ?? {}).join();
  assert.equal(named("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), "Firefox,Linux");
  assert.equal(named("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"), "Chrome,Android");
  assert.equal(named("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"), "Edg,Windows");
  assert.equal(named("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"), "Safari,iPhone");
  assert.equal(named("cardhouse-bot/1"), "");
});

globalThis.location ??= { hostname: "cards.example", origin: "https://cards.example" };

test("a token that is void is asked for anew, once", async (t) => {
  const asked = answers(t, [[401, { code: "bad_token", message: "void" }], [200, { name: "Ann" }], [401, { code: "bad_token", message: "void" }], [401, { code: "bad_token", message: "void" }]]);
  const api = new AccountApi(guest());
  assert.equal((await api.me()).name, "Ann");
  assert.deepEqual(asked.map(([, , , bearer]) => bearer), ["Bearer old", "Bearer new"]);
  await assert.rejects(api.me(), /bad_token/);
  assert.equal(asked.length, 4);
});

test("an account is made of the guest who plays here, and of nobody where there is none", async (t) => {
  const session = { token: "t", user: "g-1", name: "Ann", expires_ms: 9e15, kind: "member" };
  const asked = answers(t, [[201, session], [201, session]]);
  const wish = { handle: "ann", password: "correct horse", nick: "Ann" };
  await new AccountApi(guest()).signUp(wish);
  await new AccountApi({ ...guest(), guest: null }).signUp(wish);
  assert.deepEqual(asked, [
    ["POST", "/api/accounts", { ...wish, cookie: true }, "Bearer old"],
    ["POST", "/api/accounts", { ...wish, cookie: true }, undefined],
  ]);
  assert.deepEqual(guest.session, session);
});

test("a house that keeps nobody says so, whether it knows of accounts or not", async (t) => {
  answers(t, [[404, { code: "no_accounts", message: "no" }], [404, { code: "not_found", message: "no" }]]);
  for (const _ of [1, 2]) {
    const error = await new AccountApi(guest()).signIn({ handle: "ann", password: "correct horse" }).catch((it) => it);
    assert.match(error.tell(), /keeps no accounts/);
  }
});

test("whoever signs out ends the login of this device and of no other", async (t) => {
  const asked = answers(t, [[200, { sessions: [{ id: "phone", current: false }, { id: "here/1", current: true }] }], [204, null]]);
  await new AccountApi(guest()).signOut();
  assert.deepEqual([asked[1].slice(0, 2), guest.isGone], [["DELETE", "/api/sessions/here%2F1"], true]);
});

test("a house that asks nobody, or knows nothing of it, offers nobody to sign in by", async (t) => {
  answers(t, [[200, { providers: [{ name: "club", label: "The club" }] }], [404, { code: "not_found", message: "no" }], [503, { code: "away", message: "no" }]]);
  const api = new AccountApi(guest());
  assert.deepEqual(await api.providers(), [{ name: "club", label: "The club" }]);
  assert.deepEqual(await api.providers(), []);
  await assert.rejects(api.providers(), /503/);
});

test("a guest goes as that guest to sign in elsewhere, nobody as nobody, and a member links with what proves him", async (t) => {
  const asked = answers(t, Array(4).fill([200, { url: "https://club.example/" }]));
  assert.equal(await new AccountApi(guest()).addressOf("club"), "https://club.example/");
  await new AccountApi({ ...guest(), guest: null }).addressOf("club");
  await new AccountApi(guest()).addressOf("club", { link: true, password: "correct horse" });
  await new AccountApi(guest()).addressOf("club", { link: true, password: "" });
  assert.deepEqual(asked, [
    ["POST", "/api/oidc/club/start", {}, "Bearer old"],
    ["POST", "/api/oidc/club/start", {}, undefined],
    ["POST", "/api/oidc/club/start", { link: true, password: "correct horse" }, "Bearer old"],
    ["POST", "/api/oidc/club/start", { link: true }, "Bearer old"],
  ]);
});

test("whoever is back is who reception says, by the cookie or by a name", async (t) => {
  const session = { token: "t", user: "u-1", name: "Ann", expires_ms: 9e15, kind: "member" };
  const asked = answers(t, [[200, session], [201, session]]);
  const api = new AccountApi({ ...guest(), guest: null });
  guest.session = null;
  await api.cameBack();
  assert.deepEqual(guest.session, session);
  await api.settle({ nick: "Ann" });
  assert.deepEqual(asked.map(([method, path, body]) => [method, path, body]), [
    ["POST", "/api/refresh", { cookie: true }],
    ["POST", "/api/oidc/account", { nick: "Ann" }],
  ]);
});
