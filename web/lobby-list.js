/** The tables of the house as a list: news folded in, filtered, sorted. Pure. */

/** All tables by room, from a `lobby` message. */
export function tablesFrom({ tables }) {
  return new Map(tables.map((table) => [table.room, table]));
}

/** Folds a `lobby_delta` in. */
export function applyDelta(tables, delta) {
  for (const table of delta.tables) tables.set(table.room, table);
  for (const room of delta.gone) tables.delete(room);
}

/** What a column sorts by; names and stakes rise first, numbers fall first. */
export const ORDERS = {
  name: { by: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }), first: "ascending" },
  stakes: { by: (a, b) => a.big_blind - b.big_blind, first: "ascending" },
  players: { by: (a, b) => a.taken - b.taken, first: "descending" },
  pot: { by: (a, b) => a.average_pot - b.average_pot, first: "descending" },
  speed: { by: (a, b) => a.hands_per_hour - b.hands_per_hour, first: "descending" },
};

/**
 * The tables to show.
 * @param {Map<string, object>} tables
 * @param {{text: string, stakes: string, free: boolean, order: string, direction: string}} wish `stakes` as `1/2`, empty for all
 */
export function listed(tables, { text, stakes, free, order, direction }) {
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (table) =>
    words.every((word) => `${table.name} ${table.game}`.toLowerCase().includes(word)) &&
    (!stakes || stakesKey(table) === stakes) &&
    (!free || table.taken < table.seats);
  const turn = direction === "descending" ? -1 : 1;
  const { by } = ORDERS[order];
  return [...tables.values()].filter(fits).sort((a, b) => turn * by(a, b) || ORDERS.name.by(a, b));
}

/** `1/2`, the same for all tables of these blinds. */
export function stakesKey({ small_blind, big_blind }) {
  return `${small_blind}/${big_blind}`;
}

/** All stakes that are played, lowest first. */
export function allStakes(tables) {
  const byKey = new Map([...tables.values()].map((table) => [stakesKey(table), table]));
  return [...byKey.values()].sort((a, b) => a.big_blind - b.big_blind || a.small_blind - b.small_blind);
}

/** Sums for the head of the page. */
export function totals(tables) {
  const sum = { tables: tables.size, players: 0, hands: 0 };
  for (const table of tables.values()) {
    sum.players += table.taken;
    sum.hands += table.hands_per_hour;
  }
  return sum;
}

/** Where to seat somebody who just wants to play: the liveliest table with a free seat, of the lowest stakes. */
export function bestSeat(tables) {
  const open = [...tables.values()].filter((table) => table.taken < table.seats);
  open.sort((a, b) => a.big_blind - b.big_blind || b.taken - a.taken || ORDERS.name.by(a, b));
  return open.find((table) => table.taken > 0) ?? open[0] ?? null;
}
