/**
 * The tables that this page holds, all over one connection: the one that is shown, and those at which the player sits or waits for a seat
 * while another page is shown. A window that is loaded anew holds the same ones again.
 */
import { kept } from "./storage.js";

const KEY = "cardhouse.here";
const NAME_OF_A_ROOM = /^[\w.-]{1,40}$/;
/** A keyframe may show the past: a table that is not shown is let go when no seat has come for so long. */
const TIDY_AFTER_MS = 2_000;

export class Tables {
  #make;
  #storage;
  #changed;
  #after;
  #open = new Map();
  #shown = null;
  #stored = "";

  /**
   * @param {object} parts
   * @param {(room: string, changed: () => void) => object} parts.make a table page
   * @param {Storage} parts.storage of this window
   * @param {() => void} parts.changed told when a seat or a turn may be another
   * @param {(ms: number, then: () => void) => void} parts.after
   */
  constructor({ make, storage, changed, after }) {
    this.#make = make;
    this.#storage = storage;
    this.#changed = changed;
    this.#after = after;
  }

  /** Whether this window held any before it was loaded anew. */
  get wasHeld() {
    return kept(this.#storage, KEY) !== null;
  }

  /** Holds again what this window held before it was loaded anew. */
  restore() {
    const { rooms } = kept(this.#storage, KEY) ?? {};
    if (!Array.isArray(rooms)) return;
    // However long their state takes to come: only then is it known whether the player still sits there.
    for (const room of rooms) if (typeof room === "string" && NAME_OF_A_ROOM.test(room)) this.#hold(room).follow();
  }

  /** @returns {object} the table page, which is the one that is shown from now on */
  show(room) {
    this.#shown = room;
    const table = this.#hold(room);
    table.enter();
    return table;
  }

  /** @param {string[]} rooms whose tables are shown beside that one from now on, and no others */
  showBeside(rooms) {
    for (const room of rooms) this.#open.get(room)?.enter();
    for (const [room, table] of this.#open) if (room !== this.#shown && !rooms.includes(room)) table.leave();
  }

  /** Another page is shown. A table at which the player sits is held on. */
  hide() {
    const room = this.#shown;
    this.#shown = null;
    this.#open.get(room)?.leave();
    this.#tidy(room);
  }

  /** Follows a table at which the player is about to sit down or wait; it is let go where that comes to nothing. */
  look(room) {
    this.#hold(room).follow();
    this.#tidyLater(room);
  }

  /** @returns {object|undefined} the table page of a room */
  get(room) {
    return this.#open.get(room);
  }

  /** All of them. */
  get all() {
    return [...this.#open.values()];
  }

  /** What the player should know of the tables at which they sit and play in this window. */
  get standings() {
    return this.all.map((table) => table.standing).filter((standing) => standing?.isSeated && standing.isHere);
  }

  /** The same of those where they wait for a seat. */
  get waits() {
    return this.all.map((table) => table.standing).filter((standing) => standing?.isWaiting);
  }

  /** The room has closed, or there is none. */
  close(room) {
    this.#open.get(room)?.close();
    this.#open.delete(room);
    this.#tell();
  }

  #hold(room) {
    let table = this.#open.get(room);
    if (!table) {
      table = this.#make(room, () => this.#seen(room));
      this.#open.set(room, table);
    }
    return table;
  }

  #seen(room) {
    if (room !== this.#shown && !isPlayed(this.#open.get(room))) this.#tidyLater(room);
    this.#tell();
  }

  #tidyLater(room) {
    this.#after(TIDY_AFTER_MS, () => this.#tidy(room));
  }

  #tidy(room) {
    const table = this.#open.get(room);
    if (table && room !== this.#shown && !isPlayed(table)) this.close(room);
  }

  #tell() {
    // What is not known yet is not forgotten.
    const rooms = [...this.#open].filter(([, table]) => table.standing === null || isPlayed(table)).map(([room]) => room);
    const text = JSON.stringify({ rooms });
    if (text !== this.#stored) this.#storage.setItem(KEY, text);
    this.#stored = text;
    this.#changed();
  }
}

function isPlayed(table) {
  const standing = table?.standing;
  return Boolean(standing?.isWaiting || (standing?.isSeated && standing.isHere));
}
