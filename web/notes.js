/** What a player has written down about others: a few words, a colour, and whether they are heard, by user, in this browser. */
import { kept } from "./storage.js";

const KEY = "cardhouse.notes";
/** The longest note, in characters. */
export const NOTE_MAX = 300;
/** More notes than these are not kept: the oldest go. */
const NOTES_MAX = 500;
export const COLOURS = ["red", "orange", "yellow", "green", "blue", "purple"];
const NONE = Object.freeze({ text: "", colour: null, muted: false });

export class Notes {
  #storage;
  /** What was read last, and what it says: it is asked for with everything that is drawn. */
  #read = { text: null, notes: new Map() };

  constructor(storage) {
    this.#storage = storage;
  }

  /** @returns {{text: string, colour: string|null, muted: boolean}} */
  of(user) {
    return this.#all().get(user) ?? NONE;
  }

  /** Writes it down, or forgets it when there is nothing to write. Read anew before: another window may have written too. */
  write(user, { text, colour, muted = false }) {
    const all = new Map(this.#all());
    all.delete(user); // The newest stand last.
    const note = noteFrom({ text: text.trim().slice(0, NOTE_MAX), colour, muted });
    if (note) all.set(user, note);
    const entries = [...all].slice(-NOTES_MAX);
    this.#storage.setItem(KEY, JSON.stringify({ notes: entries }));
  }

  #all() {
    const text = this.#storage.getItem(KEY);
    if (text !== this.#read.text) this.#read = { text, notes: this.#parsed() };
    return this.#read.notes;
  }

  #parsed() {
    const { notes } = kept(this.#storage, KEY) ?? {};
    if (!Array.isArray(notes)) return new Map();
    const good = notes.filter((entry) => Array.isArray(entry) && typeof entry[0] === "string" && noteFrom(entry[1]));
    return new Map(good.map(([user, note]) => [user, noteFrom(note)]));
  }
}

/** What is a note of it, or null. */
function noteFrom(value) {
  if (typeof value !== "object" || value === null) return null;
  const text = typeof value.text === "string" ? value.text.slice(0, NOTE_MAX) : "";
  const colour = COLOURS.includes(value.colour) ? value.colour : null;
  const muted = value.muted === true;
  return text || colour || muted ? { text, colour, muted } : null;
}
