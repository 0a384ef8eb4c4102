/**
 * The player's tables beside each other, on a screen that has room for several. Keys act at one of them: where it is the player's turn, first
 * where the player is already, then where the time ends first. When that changes by itself, keys rest for a moment.
 */
import { el, setAttribute, setText } from "./dom.js";
import { say } from "./phrases/page.js";
import { withSheet } from "./sheet.js";

/** Pixels that a table needs beside others. */
const WIDTH_MIN = 640;
const HEIGHT_MIN = 480;
/** What stands above the tables. */
const ABOVE = 112;
/** The shape in which a table with what is below it takes no room that it does not use. */
const SHAPE = { width: 5, height: 4 };
/** Keys that come with a change were meant for the table before. */
const NEW_TABLE_MS = 300;

/** @returns {{columns: number, rows: number}} how many tables have room in a window */
export function roomFor({ width, height }) {
  return { columns: Math.floor(width / WIDTH_MIN), rows: Math.max(1, Math.floor((height - ABOVE) / HEIGHT_MIN)) };
}

/** @returns {number} in how many columns so many tables stand in a window: so that each is drawn as large as can be */
export function columnsOf(count, { width, height }) {
  const { columns, rows } = roomFor({ width, height });
  const sizeIn = (across) => Math.min(width / across / SHAPE.width, (height - ABOVE) / Math.ceil(count / across) / SHAPE.height);
  const ways = Array.from({ length: Math.min(columns, count) }, (_, at) => at + 1).filter((across) => Math.ceil(count / across) <= rows);
  return ways.sort((one, other) => sizeIn(other) - sizeIn(one))[0];
}

/** The rooms where it is the player's turn, that first whose time ends first. */
export function turnOrder(standings) {
  return standings.filter(({ turn }) => turn !== null).sort((one, other) => one.turn - other.turn).map(({ room }) => room);
}

/** @returns {string|null} the room that takes keys: `focused` is where the keyboard is, `before` took them until now */
export function roomOfKeys(standings, { focused, before }) {
  const turns = turnOrder(standings);
  const there = [focused, before].filter((room) => standings.some((standing) => standing.room === room));
  return there.find((room) => turns.includes(room)) ?? turns[0] ?? there[0] ?? standings[0]?.room ?? null;
}

/** @returns {Promise<Tiles>} with all that it needs */
export async function tilesPage() {
  await withSheet(import.meta.resolve("./style/tiles.css"));
  return new Tiles();
}

class Tiles {
  #tiles = new Map();
  #keys = null;
  #since = -Infinity;

  constructor() {
    this.element = el("div", { class: "tiles", data: { testid: "tiles" } });
  }

  /**
   * @param {Tables} tables
   * @param {string} named the room that the address names: it is among those that are shown
   * @returns {string[]} the rooms of the tables that stand here from now on; none if there are not several
   */
  lay({ all, standings }, named) {
    const screen = { width: innerWidth, height: innerHeight };
    const room = roomFor(screen);
    const wanted = all.filter(({ room: { id } }) => id === named || standings.some((mine) => mine.room === id));
    const shown = wanted.slice(0, room.columns * room.rows);
    if (!shown.some(({ room: { id } }) => id === named)) shown.splice(-1, 1, wanted.find(({ room: { id } }) => id === named));
    if (shown.length < 2) return [];
    this.#put(shown);
    this.element.style.setProperty("--columns", String(columnsOf(shown.length, screen)));
    return shown.map(({ room: { id } }) => id);
  }

  #put(tables) {
    const rooms = tables.map(({ room }) => room.id);
    for (const room of this.#tiles.keys()) if (!rooms.includes(room)) this.#tiles.delete(room);
    for (const table of tables) if (!this.#tiles.has(table.room.id)) this.#tiles.set(table.room.id, new Tile(table));
    const order = rooms.map((room) => this.#tiles.get(room).element);
    if (order.length !== this.element.children.length || order.some((it, at) => it !== this.element.children[at])) this.element.replaceChildren(...order);
    for (const room of rooms) this.#tiles.get(room).hold();
  }

  /** What is shown here is another table's, or none's. */
  clear() {
    this.#tiles.clear();
    this.element.replaceChildren();
    this.#keys = null;
  }

  /** @param {{room: string, name: string, turn: number|null}[]} standings of the tables that stand here */
  look(standings) {
    const focused = document.activeElement?.closest(".tile")?.dataset.room ?? null;
    const keys = roomOfKeys(standings, { focused, before: this.#keys });
    if (keys !== this.#keys) this.#since = performance.now();
    this.#keys = keys;
    const turns = turnOrder(standings);
    for (const [room, tile] of this.#tiles) tile.show(standings.find((standing) => standing.room === room), turns.indexOf(room), room === keys);
  }

  /** The room that takes keys; null where no tables stand beside each other. */
  get keys() {
    return this.#keys;
  }

  /** Whether a key that is pressed now is meant for this table. */
  takesKeys(room) {
    return room === this.#keys && performance.now() - this.#since >= NEW_TABLE_MS;
  }
}

class Tile {
  constructor(table) {
    this.table = table;
    this.order = el("b", { class: "tile-order", hidden: true });
    this.element = el("section", { class: "tile", data: { room: table.room.id, testid: `tile-${table.room.id}` } }, this.order);
  }

  /** A table page that was shown elsewhere meanwhile is taken back. */
  hold() {
    if (this.table.element.parentElement !== this.element) this.element.prepend(this.table.element);
  }

  show(standing, turn, takesKeys) {
    setAttribute(this.element, "aria-label", standing?.name ?? this.table.room.id);
    this.element.classList.toggle("takes-keys", takesKeys);
    this.element.classList.toggle("in-turn", turn >= 0);
    setAttribute(this.order, "hidden", turn < 0);
    setText(this.order, turn < 0 ? "" : String(turn + 1));
    setAttribute(this.order, "title", turn < 0 ? null : () => say.turnNth(turn + 1));
  }
}
