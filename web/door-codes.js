/** Codes that open tables: made by the page, kept in this browser, and part of the links that lead there. */

/** What is not mistaken for something else when it is read aloud. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const LENGTH = 8;

const keyOf = (room) => `cardhouse.code.${room}`;

export class DoorCodes {
  #storage;

  /** @param {Keep} storage of this browser */
  constructor(storage) {
    this.#storage = storage;
  }

  of(room) {
    return this.#storage.getItem(keyOf(room)) || "";
  }

  keep(room, code) {
    this.#storage.setItem(keyOf(room), code);
  }
}

/** A new one: forty random bits, as nearly as makes no difference. */
export function newCode() {
  const drawn = crypto.getRandomValues(new Uint32Array(LENGTH));
  return [...drawn].map((number) => LETTERS[number % LETTERS.length]).join("");
}

/** As it is shown: in two halves. */
export function shownCode(code) {
  return code.length === LENGTH ? `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`.toUpperCase() : code;
}

/** The link to a table. */
export function linkTo(room, code) {
  const here = `${location.origin}${location.pathname}`;
  return `${here}#${room}${code ? `?c=${encodeURIComponent(code)}` : ""}`;
}

/** What a link's hash says: `{room, code}`, or null if it is none. */
export function ofLink(hash) {
  const [, room, code = ""] = /^#(t-[a-z2-7]{16})(?:\?c=([\w%.~-]{1,96}))?$/.exec(hash) ?? [];
  if (!room) return null;
  try {
    return { room, code: decodeURIComponent(code) };
  } catch {
    return { room, code: "" };
  }
}
