import assert from "node:assert/strict";
import { test } from "node:test";
import { allStakes, applyDelta, bestSeat, listed, stakesKey, tablesFrom, totals } from "../lobby-list.js";

const table = (room, more = {}) => ({
  room,
  name: room,
  game: "NL Hold'em",
  small_blind: 1,
  big_blind: 2,
  seats: 6,
  taken: 3,
  average_pot: 10,
  hands_per_hour: 60,
  ...more,
});
const wish = { text: "", stakes: "", free: false, order: "name", direction: "ascending" };
const house = () =>
  tablesFrom({
    tables: [
      table("Table 10", { taken: 6, average_pot: 90 }),
      table("Table 9", { taken: 0 }),
      table("Mayfair", { small_blind: 5, big_blind: 10, game: "PL Omaha" }),
    ],
  });
const rooms = (tables) => tables.map(({ room }) => room);

test("names are sorted as people count", () => {
  assert.deepEqual(rooms(listed(house(), wish)), ["Mayfair", "Table 9", "Table 10"]);
});

test("every word of the text must fit, in name or game", () => {
  assert.deepEqual(rooms(listed(house(), { ...wish, text: " OMAHA may " })), ["Mayfair"]);
  assert.deepEqual(listed(house(), { ...wish, text: "omaha table" }), []);
});

test("filters for stakes and free seats work together", () => {
  assert.deepEqual(rooms(listed(house(), { ...wish, stakes: "1/2", free: true })), ["Table 9"]);
});

test("equals stay in the order of their names, whichever way a column is sorted", () => {
  const tables = tablesFrom({ tables: [table("b"), table("a"), table("c", { taken: 5 })] });
  assert.deepEqual(rooms(listed(tables, { ...wish, order: "players", direction: "descending" })), ["c", "a", "b"]);
});

test("a delta changes, adds and takes away", () => {
  const tables = house();
  applyDelta(tables, { tables: [table("Table 9", { taken: 5 }), table("New")], gone: ["Mayfair"] });
  assert.deepEqual([...tables.keys()].sort(), ["New", "Table 10", "Table 9"]);
  assert.equal(tables.get("Table 9").taken, 5);
});

test("sums are over all tables", () => {
  assert.deepEqual(totals(house()), { tables: 3, players: 9, hands: 180 });
});

test("each stakes is listed once, lowest first", () => {
  assert.deepEqual(allStakes(house()).map(stakesKey), ["1/2", "5/10"]);
});

test("who just wants to play goes to the liveliest of the cheapest tables with a free seat", () => {
  assert.equal(bestSeat(house()).room, "Mayfair", "the cheaper ones are full or empty");
  assert.equal(bestSeat(tablesFrom({ tables: [table("empty", { taken: 0 })] })).room, "empty");
  assert.equal(bestSeat(new Map()), null);
});
