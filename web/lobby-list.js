/** The lobby as a list: what is asked of the relay, the page that it tells of, and which rows are shown meanwhile. Pure. */
import { GAMES } from "./games.js";

/** Rows of a page. */
export const PAGE_ROWS = 30;
/** Among so many tables a seat is looked for. */
const SEAT_ROWS = 100;
/** The largest number that the protocol knows. */
export const CHIPS_MAX = Number.MAX_SAFE_INTEGER;

/** What a column sorts by, and whether the largest come first then. */
export const FALLS = { name: false, blinds: false, players: true, pot: true, speed: true };

/** Stakes to choose from: the big blind from and to. */
export const STAKES = [
  { key: "", bb: null },
  { key: "2", bb: [0, 2] },
  { key: "10", bb: [3, 10] },
  { key: "50", bb: [11, 50] },
  { key: "200", bb: [51, 200] },
  { key: "more", bb: [201, CHIPS_MAX] },
];

/** What somebody wants to see who has not said anything yet. */
export const WISH = { text: "", game: "", stakes: "", free: false, sort: "players", desc: true, page: 0 };

/** A wish that was kept, as far as it is one. */
export function wishFrom(kept) {
  const wish = { ...WISH };
  for (const [name, value] of Object.entries(kept ?? {})) {
    if (typeof value === typeof WISH[name]) wish[name] = value;
  }
  if (!Object.hasOwn(FALLS, wish.sort)) Object.assign(wish, { sort: WISH.sort, desc: WISH.desc });
  if (!STAKES.some(({ key }) => key === wish.stakes)) wish.stakes = "";
  if (!GAMES.includes(wish.game)) wish.game = "";
  wish.text = wish.text.slice(0, 60);
  if (!Number.isInteger(wish.page) || wish.page < 0 || wish.page > 1e6) wish.page = 0;
  return wish;
}

/** The view that shows it. */
export function viewOf({ text, game, stakes, free, sort, desc, page }) {
  const view = { kind: "table", sort, desc, from: page * PAGE_ROWS, count: PAGE_ROWS };
  const bb = STAKES.find(({ key }) => key === stakes)?.bb;
  if (text.trim()) view.text = text.trim();
  if (game) view.game = game;
  if (bb) view.bb = bb;
  if (free) view.free = 1;
  return view;
}

/** The view in which a seat of a wish's game and stakes is looked for, or a table to wait at, or a queue: the cheapest first. */
export function seatView({ game, stakes }, free, kind = "table") {
  const { bb } = viewOf({ ...WISH, stakes });
  return { kind, ...(game && { game }), ...(bb && { bb }), ...(free && { free: 1 }), sort: "blinds", desc: false, from: 0, count: SEAT_ROWS };
}

/** What a page tells of: the last whole one with all news folded in. */
export class Listing {
  total = 0;
  players = 0;
  #rows = new Map();
  #order = [];
  /** Rows as they stood when they were asked to stay, or null. */
  #held = null;
  /** What relays tell that know no views: everything. */
  #tables = null;

  /**
   * Takes `lobby` or `lobby_delta`.
   * @param {object} message
   * @param {object} view what was asked for, to be found here if the relay knows no views
   */
  take(message, view) {
    if (message.tables) return this.#takeTables(message, view);
    if (message.t === "lobby") {
      this.#rows = new Map(message.rows.map((row) => [row.room, row]));
      this.#order = message.order;
    } else {
      message.gone?.forEach((room) => this.#rows.delete(room));
      message.set?.forEach((row) => this.#rows.set(row.room, merged(this.#rows.get(row.room), row)));
      this.#order = message.order ?? this.#order;
    }
    ({ total: this.total, players: this.players } = message);
    return undefined;
  }

  /** Another view was asked for: what is shown may move. */
  forget() {
    this.#held = null;
  }

  /** Rows stay where they are, whatever is told, until they are released: somebody is about to choose one. */
  hold() {
    if (this.#order.length > 0) this.#held ??= this.#page();
  }

  release() {
    this.#held = null;
  }

  /** The rows to show, in their order, those that are gone from the page among them as long as they are held. */
  shown() {
    if (!this.#held) return this.#page().map((row) => ({ row, gone: false }));
    return this.#held.map((row) => ({ row: this.#rows.get(row.room) ?? row, gone: !this.#rows.has(row.room) }));
  }

  #page() {
    return this.#order.map((room) => this.#rows.get(room)).filter(Boolean);
  }

  #takeTables({ t, tables, gone = [] }, view) {
    if (t === "lobby" || !this.#tables) this.#tables = new Map();
    tables.forEach((row) => this.#tables.set(row.room, row));
    gone.forEach((room) => this.#tables.delete(room));
    const rows = found([...this.#tables.values()], view);
    const page = rows.slice(view.from, view.from + view.count);
    this.#rows = new Map(page.map((row) => [row.room, row]));
    this.#order = page.map(({ room }) => room);
    this.total = rows.length;
    this.players = rows.reduce((sum, { taken }) => sum + taken, 0);
  }
}

function merged(row, news) {
  const next = { ...row, ...news };
  for (const [name, value] of Object.entries(next)) if (value === null) delete next[name];
  return next;
}

const VALUES = { blinds: "big_blind", players: "taken", pot: "average_pot", speed: "hands_per_hour" };

/** What a relay that knows views would show, of all tables that one tells which does not. */
function found(tables, { text = "", game, bb, free = 0, sort, desc }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (table) =>
    words.every((word) => `${table.name} ${table.game}`.toLowerCase().includes(word)) &&
    (!game || table.game === game) &&
    (!bb || (bb[0] <= table.big_blind && table.big_blind <= bb[1])) &&
    table.taken + free <= table.seats;
  const turn = desc ? -1 : 1;
  const byName = (a, b) => a.name.localeCompare(b.name, "en", { numeric: true });
  const by = sort === "name" ? byName : (a, b) => a[VALUES[sort]] - b[VALUES[sort]];
  return tables.filter(fits).sort((a, b) => turn * by(a, b) || byName(a, b));
}
