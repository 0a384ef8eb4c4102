import assert from "node:assert/strict";
import { test } from "node:test";
import { byLine, bySeat, seatNow } from "../play-now.js";

const row = (room, more = {}) => ({ room, name: room, big_blind: 2, seats: 6, taken: 3, buy_in_min: 80, buy_in_max: 400, ...more });
const rooms = (rows) => rows.map(({ room }) => room);

/** A house with these tables, which answers each command as `says` has it: a code by room, or by `room wait`; what is not there is done. */
function house(rows, says = {}, { brings = 100, mine = [], queues = [] } = {}) {
  const asked = [];
  let waiting = 0;
  const parts = {
    find: async (free) => rows.filter(({ taken, seats }) => !free || taken < seats),
    ask: async (room, what) => {
      assert.equal(waiting, 0, "one is asked at a time: else there might be two seats");
      waiting += 1;
      asked.push(what.a === "sit" ? `${room} ${what.buy_in}` : `${room} ${what.a}`);
      await new Promise((resolve) => setImmediate(resolve));
      waiting -= 1;
      const code = says[what.a === "sit" ? room : `${room} ${what.a}`];
      return code ? { t: "refused", code } : { t: "ack" };
    },
    queues: async () => queues,
    join: (queue) => parts.ask(queue, { a: "join" }),
    bring: async (at) => brings && { amount: brings * at.big_blind, wait: false },
    mine: new Set(mine),
  };
  return { asked, got: () => seatNow(parts) };
}

test("the liveliest of the cheapest tables with a free seat is the best one, and the shortest line that to wait in", () => {
  const mayfair = row("mayfair", { big_blind: 10 });
  assert.deepEqual(rooms(bySeat([row("full", { taken: 6 }), row("empty", { taken: 0 }), mayfair, row("a"), row("b", { taken: 5 })])), ["b", "a", "mayfair", "empty"]);
  assert.deepEqual(rooms(byLine([row("a", { taken: 6, in_line: 3 }), row("free"), row("b", { taken: 6 })])), ["b", "a"]);
});

test("a race for a seat that is lost goes on at the next table, and one that is won ends it", async () => {
  const { asked, got } = house([row("a", { taken: 5 }), row("b", { taken: 4, buy_in_max: 150 }), row("c", { taken: 3 })], { a: "no_seat" });
  assert.deepEqual(await got(), { room: "b", waits: false });
  assert.deepEqual(asked, ["a 200", "b 150"]);
});

test("where all tables are full there is a place on the shortest list, and a seat that has come free is seen", async () => {
  const full = [row("a", { taken: 6, in_line: 2 }), row("b", { taken: 6, in_line: 1 })];
  let { asked, got } = house(full);
  assert.deepEqual(await got(), { room: "b", waits: true });
  assert.deepEqual(asked, ["b wait"]);
  ({ asked, got } = house([...full, row("c", { taken: 5 })], { c: "seat_taken", "b wait": "too_many" }));
  assert.deepEqual(await got(), { room: "a", waits: true });
  assert.deepEqual(asked, ["c 200", "b wait", "a wait"]);
  ({ got } = house(full, { "b wait": "illegal" }));
  assert.deepEqual(await got(), { room: "b", waits: false });
});

test("where no table has a seat one waits in the queue of the lowest stakes, and on a list where there is none or one may not", async () => {
  const full = [row("a", { taken: 6 })];
  const queues = [row("dear", { big_blind: 10 }), row("queue")];
  let { asked, got } = house(full, {}, { queues });
  assert.deepEqual(await got(), { queue: "queue", what: { a: "sit", buy_in: 200, wait_for_big_blind: false } });
  assert.deepEqual(asked, ["queue join"]);
  ({ asked, got } = house(full, { "queue join": "call_missed", "dear join": "call_missed" }, { queues }));
  assert.deepEqual(await got(), { room: "a", waits: true });
  assert.deepEqual(asked, ["queue join", "dear join", "a wait"]);
  assert.equal((await house(full, { "queue join": "play_time_used" }, { queues }).got()).refused.code, "play_time_used");
  ({ got } = house([row("b")], {}, { queues }));
  assert.deepEqual(await got(), { room: "b", waits: false });
});

test("whoever may not play is told at once and asked nowhere else, and nobody brings chips without having said so", async () => {
  let { asked, got } = house([row("a"), row("b")], { a: "play_time_used", b: "play_time_used" });
  assert.equal((await got()).refused.code, "play_time_used");
  assert.deepEqual(asked, ["a 200"]);
  ({ asked, got } = house([row("a")], {}, { brings: null }));
  assert.equal(await got(), null);
  assert.deepEqual(asked, []);
});

test("no second seat is taken at a table of one's own, and where nothing is open nothing is", async () => {
  const { asked, got } = house([row("a", { taken: 5 }), row("b")], {}, { mine: ["a"] });
  assert.deepEqual(await got(), { room: "b", waits: false });
  assert.deepEqual(asked, ["b 200"]);
  assert.deepEqual(await house([]).got(), { refused: null });
});
