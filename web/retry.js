/**
 * What to do after a connection has closed: the close codes of the protocol (shared/protocol/src/code.rs), the
 * backoff between attempts, and where the next one goes.
 */
import { say } from "./phrases/house.js";

/** The first wait after a failure; doubles with each further one. */
const BACKOFF_FIRST_MS = 250;
/** No wait is longer. */
const BACKOFF_MAX_MS = 10_000;
/** A relay that restarts asks for a random time below this. */
const RESTART_SPREAD_MS = 1_000;
/** "After some seconds": between this and twice as much. */
const SOME_SECONDS_MS = 3_000;

const FINAL = {
  1000: say.close.goodbye,
  1002: say.close.strangers,
  1003: say.close.strangers,
  1007: say.close.strangers,
  4001: say.close.strangers,
  4004: say.close.strangers,
  4008: say.close.elsewhere,
};

/** Close codes that say the token is no good (any more), so that a new one must be had first. */
const NEEDS_TOKEN = new Set([4002, 4003, 4009]);
/** Message too large: sending it again would only close the next connection. */
const TOO_LARGE = 1009;

/**
 * @param {number} code the close code; 1006 when there was none
 * @param {number} failures attempts that have failed since the last `welcome`
 * @param {() => number} random in [0, 1)
 * @returns {{final?: () => string, waitMs?: number, newToken?: boolean, dropUnanswered?: boolean}}
 */
export function afterClose(code, failures, random) {
  if (code in FINAL) return { final: FINAL[code] };
  const backoffMs = backoff(failures, random);
  if (NEEDS_TOKEN.has(code)) return { waitMs: backoffMs, newToken: true };
  if (code === TOO_LARGE) return { waitMs: backoffMs, dropUnanswered: true };
  if (code === 1012) return { waitMs: Math.max(random() * RESTART_SPREAD_MS, failures > 1 ? backoffMs : 0) };
  if (code === 1013 || code === 4005) return { waitMs: SOME_SECONDS_MS * (1 + random()) };
  return { waitMs: backoffMs };
}

/**
 * What to ask the edge to be near: at first the room, if there is one. The edge takes equal words to the same relay. That
 * one may be standing still, which the edge cannot see, so a later attempt says another word: all players of a room the
 * same one, and who has no room any.
 * @param {string|null} room
 * @param {number} inVain attempts since the last `welcome` that did not come to one
 * @param {() => number} random in [0, 1)
 * @returns {string|null}
 */
export function near(room, inVain, random) {
  if (room === null) return inVain === 0 ? null : `~${Math.floor(random() * 65_536)}`;
  return inVain === 0 ? room : `${room}~${inVain}`;
}

/** Doubling with jitter: half of it certain, half random, so that a crowd does not come back as a crowd. */
export function backoff(failures, random) {
  const whole = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 16));
  return whole / 2 + (whole / 2) * random();
}
