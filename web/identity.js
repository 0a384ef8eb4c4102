/**
 * Who plays here: a guest with a token from reception.
 *
 * The guest lives in `localStorage`: all windows of a browser are the same person. Who wants to be somebody else in one window says so,
 * and that guest lives in its `sessionStorage`.
 */
import { byCode } from "./phrases/phrases.js";
import { say } from "./phrases/house.js";
import { kept } from "./storage.js";

const TOKEN_KEY = "cardhouse.guest";
const NAME_KEY = "cardhouse.name";
/** A token with less time than this left is not worth greeting with. */
const EXPIRES_SOON_MS = 10_000;
/** For who had a name that the house takes no more. */
const NAMELESS = "Guest";

export class Identity {
  #session;
  #local;
  #post;
  #guest;
  #hadExpired = false;
  /** Where the guest is kept. */
  #home;

  /**
   * @param {Storage} session of this window
   * @param {Storage} local of the browser
   * @param {(path: string, body: object) => Promise<object>} post
   */
  constructor(session, local, post) {
    this.#session = session;
    this.#local = local;
    this.#post = post;
    const other = read(session);
    this.#home = other ? session : local;
    this.#guest = other ?? read(local);
  }

  /** `{token, user, name, expires_ms}`, or null before the first name was given. */
  get guest() {
    return this.#guest;
  }

  /** Whether this window has a guest of its own. */
  get isOther() {
    return this.#home === this.#session;
  }

  /** Takes the guest that another window has got meanwhile. @returns {boolean} whether there is one */
  adopt() {
    const shared = this.isOther ? null : read(this.#local);
    if (!shared || shared.user === this.#guest?.user) return false;
    this.#guest = shared;
    return true;
  }

  /** Becomes another guest in this window alone. */
  async enterAsOther(name) {
    const guest = await this.#post("/api/guest", { name });
    this.#session.setItem(TOKEN_KEY, JSON.stringify(guest));
  }

  /** Is, with the next load, who the other windows are. */
  forgetOther() {
    this.#session.removeItem(TOKEN_KEY);
  }

  /** Whether the guest before this one had a pass that had run out; otherwise the house had forgotten it. */
  get hadExpired() {
    return this.#hadExpired;
  }

  get user() {
    return this.#guest.user;
  }

  /** The name that this browser used last. */
  get proposedName() {
    return this.#local.getItem(NAME_KEY) ?? "";
  }

  /** Becomes a new guest of this name. */
  async enter(name) {
    this.#keep(await this.#post("/api/guest", { name }));
    this.#local.setItem(NAME_KEY, this.#guest.name);
  }

  /** The token to greet with. */
  async token() {
    if (this.#guest.expires_ms - Date.now() < EXPIRES_SOON_MS) await this.renew();
    return this.#guest.token;
  }

  /** A later token for the same user. */
  async refresh() {
    this.#keep(await this.#post("/api/refresh", { token: this.#guest.token }));
    return this.#guest.token;
  }

  /** A token that is good again: the same user if reception still knows the old token, a new guest otherwise. */
  async renew() {
    try {
      await this.refresh();
    } catch (error) {
      if (!error.refused) throw error;
      await this.#enterAgain();
    }
  }

  async #enterAgain() {
    this.#hadExpired = this.#guest.expires_ms < Date.now();
    // Another window may have been here first: all are the same person.
    if (this.adopt()) return;
    try {
      await this.enter(this.#guest.name);
    } catch (error) {
      if (!error.refused) throw error;
      await this.enter(NAMELESS);
    }
  }

  #keep(guest) {
    this.#guest = guest;
    this.#home.setItem(TOKEN_KEY, JSON.stringify(guest));
  }
}

/** A guest that somebody has meddled with is none: who has no name is asked for one. */
function read(storage) {
  const guest = kept(storage, TOKEN_KEY);
  const isWhole = ["token", "user", "name"].every((key) => typeof guest?.[key] === "string" && guest[key] !== "");
  return isWhole && Number.isFinite(guest.expires_ms) ? guest : null;
}

/** Posts JSON to reception. An answer that is not 2xx throws an error with `refused` set and, in `tell`, what is wrong, for people. */
export async function postJson(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  const error = new Error(`reception answered ${answer.status}: ${text}`);
  error.tell = told({ ...say.reception, ...say.gate }, text) ?? (() => say.receptionFails(answer.status));
  error.refused = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
  throw error;
}

/** Why the house opens no socket to this page, for people; null when it would, or says nothing. */
export async function whyNoSocket(path) {
  try {
    // A POST, because with that browsers name the page's origin as they do for a socket.
    const answer = await fetch(path, { method: "POST" });
    return answer.status === 403 ? told(say.gate, await answer.text()) : null;
  } catch {
    return null;
  }
}

/** What an answer says by its code; null when it says nothing that people could read. */
function told(table, text) {
  try {
    const answer = JSON.parse(text);
    const here = { name: location.hostname, origin: location.origin };
    return answer.message ? byCode(table, answer.code, answer.message, { ...answer, ...here }) : null;
  } catch {
    return null;
  }
}
