import assert from "node:assert/strict";
import { test } from "node:test";
import { Awake } from "../awake.js";

function page() {
  const it = { seen: true, held: [], refuses: false };
  it.isSeen = () => it.seen;
  it.lock = async () => {
    if (it.refuses) throw new Error("NotAllowedError");
    const lock = { released: false, release: async () => (lock.released = true) };
    it.held.push(lock);
    return lock;
  };
  it.isOn = () => it.held.some(({ released }) => !released);
  return it;
}

test("the screen stays on while the player sits, and no longer", async () => {
  const it = page();
  const awake = new Awake(it);
  await awake.want(true);
  await awake.want(true);
  assert.equal(it.held.length, 1, "asked for once");
  await awake.want(false);
  assert.equal(it.isOn(), false);
});

test("who looks elsewhere has it again on coming back", async () => {
  const it = page();
  const awake = new Awake(it);
  await awake.want(true);
  it.seen = false;
  it.held[0].released = true; // Browsers let go of it then.
  await awake.look();
  assert.equal(it.isOn(), false);
  it.seen = true;
  await awake.look();
  assert.equal(it.isOn(), true);
});

test("a browser that refuses is asked again next time, and one that answers late keeps nothing on for nobody", async () => {
  const it = page();
  const awake = new Awake(it);
  it.refuses = true;
  await awake.want(true);
  it.refuses = false;
  const late = awake.look();
  const off = awake.want(false);
  await Promise.all([late, off]);
  assert.equal(it.isOn(), false);
});
