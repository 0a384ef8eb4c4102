import assert from "node:assert/strict";
import { test } from "node:test";
import { contestView } from "../contest-list.js";
import { Listing, seatView, viewOf, WISH, wishFrom } from "../lobby-list.js";

const row = (room, more = {}) => ({
  room,
  kind: "table",
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
const view = viewOf(WISH);
const page = (...rows) => ({ t: "lobby", v: 1, total: 40, players: 120, rows, order: rows.map(({ room }) => room) });
const delta = (more) => ({ t: "lobby_delta", v: 1, total: 40, players: 120, ...more });
const rooms = (listing) => listing.shown().map(({ row: { room }, gone }) => (gone ? `(${room})` : room));

test("sit & gos and tournaments are searched by the house, too", () => {
  const wish = { kind: "mtt", text: "", game: "", open: false, page: 1 };
  assert.deepEqual(contestView(wish), { kind: "mtt", sort: "starts", desc: false, from: 30, count: 30 });
  assert.deepEqual(contestView({ ...wish, kind: "sng", text: " hyper ", game: "NL Hold'em", open: true, page: 0 }), {
    kind: "sng", sort: "players", desc: true, from: 0, count: 30, text: "hyper", game: "NL Hold'em", free: 1,
  });
});

test("a wish is asked for as the house reads it, and nothing that is not wanted", () => {
  assert.deepEqual(view, { kind: "table", sort: "players", desc: true, from: 0, count: 30 });
  const wish = { ...WISH, text: " asp ", game: "PL Omaha", stakes: "10", free: true, sort: "blinds", desc: false, page: 2 };
  assert.deepEqual(viewOf(wish), {
    kind: "table", sort: "blinds", desc: false, from: 60, count: 30, text: "asp", game: "PL Omaha", bb: [3, 10], free: 1,
  });
});

test("what a browser has kept is a wish as far as it makes sense", () => {
  const wish = { ...WISH, text: "asp", sort: "pot", page: 3 };
  assert.deepEqual(wishFrom(JSON.parse(JSON.stringify(wish))), wish);
  const nonsense = { text: 7, sort: "constructor", stakes: "x", game: "Snap", page: -1, free: "yes", colour: "red" };
  assert.deepEqual(wishFrom(nonsense), WISH);
  assert.deepEqual(wishFrom(null), WISH);
});

test("news change rows, add and take away, and say the order only when it is another", () => {
  const listing = new Listing();
  listing.take(page(row("a"), row("b", { waiting: 2 }), row("c")), view);
  listing.take(delta({ set: [{ room: "b", taken: 5, waiting: null }] }), view);
  assert.deepEqual(rooms(listing), ["a", "b", "c"]);
  assert.deepEqual(listing.shown()[1].row, row("b", { taken: 5 }));
  listing.take(delta({ total: 39, set: [row("d")], order: ["d", "c", "b"], gone: ["a"] }), view);
  assert.deepEqual(rooms(listing), ["d", "c", "b"]);
  assert.equal(listing.total, 39);
});

test("held rows stay where they are, with new numbers, until they are released", () => {
  const listing = new Listing();
  listing.take(page(row("a"), row("b"), row("c")), view);
  listing.hold();
  listing.take(delta({ set: [{ room: "c", taken: 6 }, row("d")], order: ["d", "c", "b"], gone: ["a"] }), view);
  assert.deepEqual(rooms(listing), ["(a)", "b", "c"], "what is gone stays, and is marked");
  assert.equal(listing.shown()[2].row.taken, 6);
  listing.take(page(row("e"), row("b")), view);
  assert.deepEqual(rooms(listing), ["(a)", "b", "(c)"], "a whole page moves nothing either");
  listing.release();
  assert.deepEqual(rooms(listing), ["e", "b"]);
});

test("an empty page holds nothing back", () => {
  const listing = new Listing();
  listing.take(page(), view);
  listing.hold();
  listing.take(page(row("a")), view);
  assert.deepEqual(rooms(listing), ["a"]);
});

test("what a relay of an earlier release tells is filtered, sorted and cut here", () => {
  const listing = new Listing();
  const tables = [row("Table 10", { taken: 6 }), row("Table 9", { taken: 0 }), row("Mayfair", { big_blind: 10, game: "PL Omaha" })];
  const shown = (wish) => {
    const asked = viewOf({ ...WISH, ...wish });
    listing.take({ t: "lobby", tables }, asked);
    return rooms(listing);
  };
  assert.deepEqual(shown({}), ["Table 10", "Mayfair", "Table 9"]);
  assert.deepEqual(shown({ sort: "name", desc: false }), ["Mayfair", "Table 9", "Table 10"]);
  assert.deepEqual(shown({ text: " OMAHA may " }), ["Mayfair"]);
  assert.deepEqual(shown({ stakes: "2", free: true }), ["Table 9"]);
  assert.deepEqual(shown({ page: 1 }), []);
  shown({});
  listing.take({ t: "lobby_delta", tables: [row("New", { taken: 5 })], gone: ["Table 9"] }, view);
  assert.deepEqual(rooms(listing), ["Table 10", "New", "Mayfair"]);
  assert.deepEqual([listing.total, listing.players], [3, 14]);
});

test("a seat is looked for among the tables of the game and the stakes that are looked at, whatever else is", () => {
  const wish = { ...WISH, text: "asp", game: "PL Omaha", stakes: "10", sort: "name", page: 3 };
  assert.deepEqual(seatView(wish, true), { kind: "table", game: "PL Omaha", bb: [3, 10], free: 1, sort: "blinds", desc: false, from: 0, count: 100 });
  assert.deepEqual(seatView(WISH, false), { kind: "table", sort: "blinds", desc: false, from: 0, count: 100 });
});

