/**
 * What a browser keeps for this page, or as much of it as it lets: storage may be blocked with the cookies, so that even asking
 * for it throws, or be full. Then things are kept for as long as the page lives, and nobody is kept from playing.
 */
export class Keep {
  #open;
  /** What could not be stored. */
  #kept = new Map();

  /** @param {() => Storage} open such as `() => localStorage` */
  constructor(open) {
    this.#open = open;
  }

  /** @returns {string|null} */
  getItem(key) {
    if (this.#kept.has(key)) return this.#kept.get(key);
    return this.#try((storage) => storage.getItem(key), null);
  }

  setItem(key, text) {
    const isStored = this.#try((storage) => {
      storage.setItem(key, text);
      return true;
    }, false);
    if (isStored) this.#kept.delete(key);
    else this.#kept.set(key, text);
  }

  removeItem(key) {
    // What is still there might come back; with nothing kept in its place it would.
    if (this.#try((storage) => storage.removeItem(key) === undefined, false)) this.#kept.delete(key);
    else this.#kept.set(key, null);
  }

  #try(what, otherwise) {
    try {
      return what(this.#open());
    } catch {
      return otherwise;
    }
  }
}

/** What was kept as JSON: an object, or null when there is none, or nothing of the kind. */
export function kept(storage, key) {
  try {
    const value = JSON.parse(storage.getItem(key));
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Where in the page somebody was who has gone to sign in elsewhere. */
export const BACK_KEY = "cardhouse.back";
