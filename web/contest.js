/**
 * A tournament that is followed, once however many look at it: its page, and each of its tables. What happens there folds by itself: only
 * `now` changes the state.
 */
import { Room } from "./room.js";

const KIND = "tournament";

/** The house takes levels by its clock, so pages look at the time that often. */
export const TICK_MS = 500;

const contests = new Map();

/** @returns {Contest} the one of this room, for everybody who asks */
export function contestOf(connection, id) {
  if (!contests.has(id)) contests.set(id, new Contest(connection, id));
  return contests.get(id);
}

/** Folds an event into the state. Of a later house there may be more: they say nothing of the state. */
export function fold(state, event) {
  if (event.e === "now") Object.assign(state, event.set);
  return true;
}

class Contest {
  #connection;
  #heard = new Set();

  constructor(connection, id) {
    this.#connection = connection;
    /** Whether the room has closed. */
    this.isGone = false;
    this.room = new Room(id, fold, { event: (event) => this.#tell((heard) => heard.event?.(event)), change: () => this.#tell((heard) => heard.change()) }, KIND);
  }

  get state() {
    return this.room.kind === KIND ? this.room.state : null;
  }

  /**
   * @param {object} heard `change()` when the state may be another, and `event(event)` for each event
   * @returns {() => void} ends it
   */
  listen(heard) {
    if (this.#heard.size === 0 && !this.isGone) this.#connection.follow(this.room);
    this.#heard.add(heard);
    return () => {
      if (this.#heard.delete(heard) && this.#heard.size === 0) this.#connection.unfollow(this.room);
    };
  }

  /** There is no such room any more. */
  close() {
    this.isGone = true;
    this.#tell((heard) => heard.change());
  }

  #tell(what) {
    [...this.#heard].forEach(what);
  }
}

/**
 * What the clock of levels says: data, so nothing need be told while a level lasts.
 * @returns {{number: number, level: object, leftMs: number|null, isBreak: boolean}} `number` counts the levels that are played, from 1; `leftMs`
 *   until the next part of the schedule, null where there is none or the clock stands still
 */
export function levelAt({ clock, config }, now) {
  const { levels } = config;
  let passed = clock ? Math.max(0, Math.min(now, clock.stopped_ms ?? now) - clock.base_ms - clock.offset_ms) : 0;
  let number = 0;
  let played = levels[0].play;
  for (const [at, part] of levels.entries()) {
    const { ms } = part.play ?? part.break;
    if (part.play) {
      number += 1;
      played = part.play;
    }
    const isLast = at === levels.length - 1;
    if (passed < ms || isLast) {
      const stands = !clock || clock.stopped_ms !== null || isLast;
      return { number, level: played, leftMs: stands ? null : ms - passed, isBreak: Boolean(part.break) };
    }
    passed -= ms;
  }
  return { number, level: played, leftMs: null, isBreak: false };
}

/** `2:05`. */
export function minutes(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
