import assert from "node:assert/strict";
import { test } from "node:test";
import { Identity } from "../identity.js";

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
