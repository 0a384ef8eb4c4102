/**
 * Whether the house still answers on an open connection. Whatever is heard is an answer; when nothing is, pings ask for one.
 *
 * Usually a ping every 5 s will do. Each second when somebody waits: it is the player's turn, a command has no answer yet, or
 * the last ping has none. A ping without an answer makes the line *silent*, which is told; at last it is *dead*.
 */

/** How often we ask; also keeps the connection from idling. */
export const PING_MS = 5_000;
/** How often while somebody waits. */
export const HURRIED_PING_MS = 1_000;
/** A command that has waited for so long makes us ask whether the house is there, and is told to wait. */
export const LATE_ANSWER_MS = 1_500;
/** A ping without an answer for so long makes the line silent: with the pause between two pings that is within 2 s. */
const SILENT_AFTER_MS = 900;
/** On a slow line: so many of its round trips. */
const SILENT_AFTER_TRIPS = 2;
/** And for so many of them, it is dead at the earliest. */
const DEAD_AFTER_TRIPS = 4;
/** Silent for so long, the line is dead, whatever the socket says. */
const DEAD_AFTER_MS = 10_000;
/** While somebody waits. */
const HURRIED_DEAD_AFTER_MS = 4_000;
/** When the machine has woken up, or the network has changed, the old line is often dead: its answer is not waited for longer. */
const CHECK_MS = 1_000;
/** This page asks more often than that. If it has not heard anything for so long, it did not run, and the line is not worth asking. */
const SLEPT_MS = 20_000;
/** Pings are not closer than this, however often one looks. */
const PINGS_APART_MS = 500;

export class Line {
  #clock;
  #on;
  #timer = null;
  #open = false;
  #hurried = false;
  #heardAt = null;
  #pingedAt = 0;
  /** When the oldest ping since the last answer was sent. */
  #askedAt = null;
  #deadAt = Infinity;
  #lagMs = 0;
  #silent = false;

  /**
   * @param {{now(): number, after(ms, fn): any, cancel(timer): void}} clock
   * @param {object} on `ping()` sends one; `silence()` when `isSilent` has changed; `dead(woken)`, which ends with `stop`:
   *   `woken` when this machine is the likely cause
   */
  constructor(clock, on) {
    this.#clock = clock;
    this.#on = on;
  }

  /** When something was last heard, ever; null before that. */
  get heardAt() {
    return this.#heardAt;
  }

  /** Whether a ping has waited for its answer for too long. */
  get isSilent() {
    return this.#silent;
  }

  /** A connection has opened. */
  start() {
    this.stop();
    this.#open = true;
    this.#heardAt = this.#clock.now();
    this.#ping();
  }

  /** It is gone. */
  stop() {
    this.#clock.cancel(this.#timer);
    this.#open = false;
    this.#askedAt = null;
    this.#deadAt = Infinity;
    this.#silent = false;
  }

  /** Something has come. */
  heard() {
    this.#heardAt = this.#clock.now();
    if (this.#askedAt !== null) this.#answered();
  }

  /** @param {number} ms the last round trip */
  lag(ms) {
    this.#lagMs = ms;
  }

  /** Whether somebody waits. */
  hurry(on) {
    if (this.#hurried === on) return;
    this.#hurried = on;
    if (this.#open) this.#step();
  }

  /** Something has happened to this machine or its network: is the line still there? */
  check() {
    if (!this.#open) return;
    const now = this.#clock.now();
    if (this.#silent || now - this.#heardAt > SLEPT_MS) return this.#on.dead(true);
    if (now - this.#pingedAt >= PINGS_APART_MS) this.#ping();
    this.#askedAt ??= now;
    this.#deadAt = Math.min(this.#deadAt, now + Math.max(CHECK_MS, SILENT_AFTER_TRIPS * this.#lagMs));
    this.#step();
  }

  #answered() {
    this.#askedAt = null;
    this.#deadAt = Infinity;
    if (!this.#silent) return;
    this.#silent = false;
    this.#on.silence();
  }

  #ping() {
    this.#pingedAt = this.#clock.now();
    this.#askedAt ??= this.#pingedAt;
    this.#on.ping();
    this.#step();
  }

  /** Does what is due, and comes back when the next thing is. */
  #step() {
    this.#clock.cancel(this.#timer);
    const now = this.#clock.now();
    const waits = this.#askedAt !== null;
    const silentAt = waits ? this.#askedAt + Math.max(SILENT_AFTER_MS, SILENT_AFTER_TRIPS * this.#lagMs) : Infinity;
    const patienceMs = Math.max(this.#hurried ? HURRIED_DEAD_AFTER_MS : DEAD_AFTER_MS, DEAD_AFTER_TRIPS * this.#lagMs);
    const deadAt = waits ? Math.min(this.#deadAt, this.#askedAt + patienceMs) : Infinity;
    if (now >= deadAt) return this.#on.dead(this.#deadAt <= now);
    if (now >= silentAt && !this.#silent) {
      this.#silent = true;
      this.#on.silence();
    }
    const pingAt = this.#pingedAt + (this.#hurried || this.#silent ? HURRIED_PING_MS : PING_MS);
    if (now >= pingAt || now < this.#pingedAt) return this.#ping(); // The latter: the clock was set back.
    const next = Math.min(pingAt, deadAt, this.#silent ? Infinity : silentAt);
    this.#timer = this.#clock.after(next - now, () => this.#step());
    return undefined;
  }
}
