/**
 * How far the house is away, and how late it is there: from the answers to our pings.
 *
 * The offset is taken from the quickest of the last answers, as in NTP: the shorter the way, the less it can be lopsided.
 * An answer that contradicts it is right: one of the two clocks has been set, or this machine has slept.
 */

/** What two honest clocks may drift apart while answers are remembered, and how exact they are. */
const DRIFT_MS = 50;
/** How many answers are remembered. */
const SAMPLES_MAX = 12;

export class ServerClock {
  #now;
  #samples = [];
  #offset = 0;

  /** @param {() => number} now this machine's clock, milliseconds since 1970 */
  constructor(now) {
    this.#now = now;
  }

  /** Before the first `pong`: the time in `welcome`, good enough to begin with. */
  roughly(serverNowMs) {
    if (this.#samples.length === 0) this.#offset = serverNowMs - this.#now();
  }

  /** Takes a `pong`. */
  pong({ at, now_ms }) {
    const got = this.#now();
    const tripMs = Math.max(0, got - at);
    const sample = { tripMs, offset: now_ms - (at + tripMs / 2) };
    this.#samples = this.#samples.filter((other) => agree(sample, other)).slice(1 - SAMPLES_MAX);
    this.#samples.push(sample);
    this.#offset = this.#samples.reduce((a, b) => (b.tripMs < a.tripMs ? b : a)).offset;
  }

  /** The last round trip, milliseconds; null before the first. */
  get lagMs() {
    return this.#samples.at(-1)?.tripMs ?? null;
  }

  /** What the house's clock shows now. */
  now() {
    return this.#now() + this.#offset;
  }

  /** The machine may have slept or changed networks: what was measured says little now. */
  reset() {
    this.#samples = [];
  }
}

/** Each answer says that the offset is its own, give or take half of its trip. */
function agree(one, other) {
  return Math.abs(one.offset - other.offset) <= (one.tripMs + other.tripMs) / 2 + DRIFT_MS;
}
