/** Codes that open tables: kept in this browser, and part of the links that lead there. */

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
