/**
 * Who plays here: a guest, or a member who has an account, with a token from reception.
 *
 * All windows of a browser are the same person. In a house that keeps people a cookie, which no script reads, is what tokens are got with, and
 * `localStorage` has the name alone; in one that does not, the guest's token is there. Who wants to be somebody else in one window says so,
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
  #isGone = false;
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

  /** `{token, user, name, expires_ms}`, with a `kind` in a house that keeps people, or null before the first name was given. */
  get guest() {
    return this.#guest;
  }

  /** Whether this window has a guest of its own. */
  get isOther() {
    return this.#home === this.#session;
  }

  /** Whether it is somebody with an account. */
  get isMember() {
    return this.#guest?.kind === "member";
  }

  /** Whether chips are somebody's in this house, so that there is a balance to be seen. */
  get hasPurse() {
    return this.#guest?.purse === true;
  }

  /** Whether the house keeps people, so that one could have an account. */
  get mayBeMember() {
    return Boolean(this.#guest?.kind);
  }

  /** Whether hands that are over can be seen again here; a house of a release before does not say. */
  get keepsHands() {
    return this.mayBeMember && this.#guest?.hands !== false;
  }

  /** When it may play again, if the play time that it allows itself is used up; else 0. */
  get playsFrom() {
    return this.#guest?.play_from_ms ?? 0;
  }

  /** Whether this device was signed out: who plays here is to be asked anew. */
  get isGone() {
    return this.#isGone;
  }

  /** Whether another window has signed somebody in or out. */
  get isAnotherNow() {
    const shared = this.isOther ? this.#guest : read(this.#local);
    const isOne = this.isMember || shared?.kind === "member";
    return Boolean(this.#guest) && isOne && shared?.user !== this.#guest.user;
  }

  /** Is, from now on, who has just signed in or made an account, `session` being what reception answered. */
  signedIn(session) {
    this.#session.removeItem(TOKEN_KEY);
    this.#home = this.#local;
    this.#keep(session);
  }

  /** Is nobody from now on. */
  forget() {
    this.#isGone = true;
    this.#home.removeItem(TOKEN_KEY);
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
    this.#keep(await this.#ask("/api/guest", { name }));
    this.#local.setItem(NAME_KEY, this.#guest.name);
  }

  /** The token to greet with. */
  async token() {
    if (!this.#guest.token || this.#guest.expires_ms - Date.now() < EXPIRES_SOON_MS) await this.renew();
    return this.#guest.token;
  }

  /** A later token for the same user. */
  async refresh() {
    const { kind, refresh, token } = this.#guest;
    this.#keep(await this.#ask("/api/refresh", kind ? (refresh ? { token: refresh } : {}) : { token }));
    return this.#guest.token;
  }

  /**
   * A token that is good again: the same user if reception still knows the one that we are, a new guest otherwise. Whoever is banned, or
   * has an account and was signed out, becomes nobody else by it: the error is `final`, and tells why.
   */
  async renew() {
    try {
      await this.refresh();
    } catch (error) {
      if (!error.refused) throw error;
      const isBanned = error.code === "banned";
      if (isBanned || this.isMember) {
        if (!isBanned) this.forget();
        throw Object.assign(error, { final: true });
      }
      await this.#enterAgain(error);
    }
  }

  async #enterAgain({ code }) {
    this.#hadExpired = code === "session_ended" || this.#guest.expires_ms < Date.now();
    // Another window may have been here first: all are the same person.
    if (this.adopt()) return;
    try {
      await this.enter(this.#guest.name);
    } catch (error) {
      if (!error.refused) throw error;
      await this.enter(NAMELESS);
    }
  }

  /** Asks reception, which keeps for all windows in a cookie what is worth keeping. Those of the releases before know none. */
  async #ask(path, body) {
    if (this.isOther) return this.#post(path, body);
    try {
      return await this.#post(path, { ...body, cookie: true });
    } catch (error) {
      if (error.code !== "bad_request") throw error;
      return this.#post(path, body);
    }
  }

  #keep(guest) {
    this.#guest = guest;
    const { user, name, kind, purse, hands } = guest;
    const isInCookie = kind && !guest.refresh;
    this.#home.setItem(TOKEN_KEY, JSON.stringify(isInCookie ? { user, name, kind, ...(purse && { purse }), ...(hands === false && { hands }) } : guest));
  }
}

/** A guest that somebody has meddled with is none: who has no name is asked for one. */
function read(storage) {
  const guest = kept(storage, TOKEN_KEY);
  const isText = (key) => typeof guest?.[key] === "string" && guest[key] !== "";
  const hasToken = isText("token") && Number.isFinite(guest?.expires_ms);
  return isText("user") && isText("name") && (hasToken || isText("kind")) ? guest : null;
}

/** Whether the house keeps people, so that one may have an account; one of a release before knows nothing of it. */
export async function keepsPeople() {
  try {
    return (await ask("GET", "/api/house")).accounts === true;
  } catch (error) {
    // Who has an account is not to be kept from it by an answer that did not come.
    return !error.refused;
  }
}

/** Posts JSON to reception; see `ask`. */
export function postJson(path, body) {
  return ask("POST", path, { body });
}

/**
 * Asks reception something. An answer that is not 2xx throws an error with its `code`, with `refused` set if asking again is in vain and, in `tell`,
 * what is wrong, for people.
 * @param {string} method
 * @param {string} path
 * @param {object} with_
 * @param {object} with_.body sent as JSON
 * @param {string} with_.token the access token of who asks
 * @param {string} with_.accept the form that is wanted, if it is another than JSON
 * @param {object} with_.words more phrases by code
 */
export async function ask(method, path, { body, token, accept, words = {} } = {}) {
  const answer = await fetch(path, {
    method,
    headers: { ...(body && { "content-type": "application/json" }), ...(token && { authorization: `Bearer ${token}` }), ...(accept && { accept }) },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (answer.ok) return text && /\bjson\b/.test(answer.headers.get("content-type")) ? JSON.parse(text) : text;
  const error = new Error(`reception answered ${answer.status}: ${text}`);
  error.code = codeOf(text);
  error.tell = told({ ...say.reception, ...say.gate, ...words }, text) ?? (() => say.receptionFails(answer.status));
  error.refused = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
  throw error;
}

function codeOf(text) {
  try {
    return JSON.parse(text).code;
  } catch {
    return undefined;
  }
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
