/**
 * A reception that keeps people, made up inside the page, for `house/tests/browser`: tokens are the house's own, everything else is kept
 * in this browser. What it was asked stands in `fakeReception.asked`.
 */
const real = window.fetch.bind(window);
const state = JSON.parse(localStorage.getItem("fakeReception")) ?? { kind: "guest", handle: null, name: "", token: "", password: null, devices: ["here", "phone"], sanctions: [], refuses: null };
const asked = [];
const keep = () => localStorage.setItem("fakeReception", JSON.stringify(state));
const answer = (status, body) => new Response(body === null ? null : JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
const refuse = (status, code, more = {}) => answer(status, { code, message: `as it says: ${code}`, ...more });
const day = 86_400_000;

async function token(path, body) {
  const come = await real(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const session = await come.json();
  state.token = session.token;
  state.name ||= session.name;
  keep();
  return { ...session, name: state.name, kind: state.kind, login: "here" };
}

const renewed = () => token("/api/refresh", { token: state.token });
const device = (id) => ({
  id,
  how: "password",
  agent: id === "phone" ? "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36" : "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  network: "192.0.2.7",
  created_ms: Date.now() - 40 * day,
  used_ms: Date.now() - 2 * day,
  expires_ms: Date.now() + 28 * day,
  current: id === "here",
});
const me = () => ({ user: "me", name: state.name, kind: state.kind, handle: state.handle, roles: [], can: ["play", "chat"], created_ms: Date.now() - day, nick_from_ms: state.nickFrom ?? 0, sanctions: state.sanctions, ...(state.time && { play_time: state.time }) });

const routes = {
  "GET /api/house": () => answer(200, { accounts: true }),
  "POST /api/guest": async ({ name }) => answer(201, await token("/api/guest", { name })),
  "POST /api/refresh": async () => (state.refuses ? refuse(...state.refuses) : answer(200, await renewed())),
  "POST /api/accounts": async ({ handle, password, nick }) => {
    if (handle === "taken") return refuse(409, "handle_taken");
    if (password === "password1") return refuse(422, "bad_password");
    Object.assign(state, { kind: "member", handle, password, name: nick });
    return answer(201, await renewed());
  },
  "POST /api/sessions": async ({ handle, password }) => {
    if (password !== "correct horse") return refuse(401, "bad_credentials");
    Object.assign(state, { kind: "member", handle, password, name: "Ann the member" });
    return answer(201, await token("/api/guest", { name: "Ann" }));
  },
  "GET /api/me": () => answer(200, me()),
  "PATCH /api/me": ({ nick }) => (Object.assign(state, { name: nick, nickFrom: Date.now() + 30 * day }), keep(), answer(200, me())),
  "PUT /api/me/password": ({ old }) => (old === state.password ? answer(204, null) : refuse(403, "wrong_password")),
  "POST /api/me/self-exclusion": ({ until_ms }) => (state.sanctions.push({ id: "1", kind: "self_exclusion", from_ms: Date.now(), until_ms, reason: "own wish" }), keep(), answer(200, me())),
  "PUT /api/me/play-time": ({ minutes }) => {
    const time = { used_ms: 0, day_ends_ms: Date.now() + day, minutes: 1440, ...state.time };
    state.time = minutes > time.minutes ? { ...time, next: { minutes, from_ms: Date.now() + 3 * day } } : { ...time, minutes, next: undefined };
    keep();
    return answer(200, me());
  },
  "GET /api/me/export": () => new Response('{"kind":"person"}\n', { headers: { "content-type": "application/x-ndjson" } }),
  "POST /api/me/deletion": ({ password }) => (password === state.password ? (localStorage.removeItem("fakeReception"), answer(204, null)) : refuse(403, "wrong_password")),
  "POST /api/passwords": ({ link }) => (link === "l1nk" ? answer(204, null) : refuse(401, "bad_link")),
  "POST /api/reports": ({ user }) => ((state.reported ??= []).includes(user) ? refuse(409, "already_reported") : (state.reported.push(user), keep(), answer(201, { id: "r-1" }))),
  "GET /api/sessions": () => answer(200, { sessions: state.devices.map(device) }),
  "DELETE /api/sessions/phone": () => ((state.devices = ["here"]), keep(), answer(204, null)),
  "DELETE /api/sessions/here": () => (localStorage.removeItem("fakeReception"), answer(204, null)),
};

window.fakeReception = { asked, state, keep };
window.fetch = async (path, { method = "GET", body, headers } = {}) => {
  const route = routes[`${method} ${path}`];
  if (!route) return real(path, { method, body, headers });
  const said = body ? JSON.parse(body) : {};
  asked.push({ method, path, ...said, bearer: headers?.authorization === `Bearer ${state.token}` });
  return route(said);
};
