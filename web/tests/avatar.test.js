import assert from "node:assert/strict";
import { test } from "node:test";
import { looks } from "../avatar.js";

test("a picture follows from the user alone, and few have the same", () => {
  const users = Array.from({ length: 200 }, (_, at) => `guest-${at.toString(16).padStart(8, "0")}`);
  for (const user of users) assert.deepEqual(looks(user), looks(user));
  const different = new Set(users.map((user) => JSON.stringify(looks(user))));
  assert.ok(different.size > 180, String(different.size));
  const ten = new Set(users.slice(0, 10).map((user) => `${looks(user).hue} ${looks(user).shape}`));
  assert.ok(ten.size >= 9, "at one table");
});

test("any text is a user", () => {
  for (const user of ["", "u", "사용자", "😀", "x".repeat(500)]) {
    const { hue, shape, turn } = looks(user);
    assert.ok(Number.isInteger(hue) && Number.isInteger(shape) && turn % 45 === 0, user);
  }
});
