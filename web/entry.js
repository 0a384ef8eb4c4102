/**
 * Whether I take part in a tournament, as it answers when it is asked: of many who take part everybody is shown ten. Where an entry costs
 * somebody's chips, these are asked for first: until they have come, or it is known why not, the tournament is asked again with each frame
 * of it. Pure.
 */

/** So long after an answer it is asked again at the earliest: frames come in crowds. */
const APART_MS = 500;
/** And at the latest: a frame may have been missed. */
const ANYWAY_MS = 4_000;
/** It is given up after so many questions: by then the chips have long come or gone back. */
const ASKED_MAX = 60;

export class Entry {
  #parts;
  /** My line, as it was answered last. */
  #line = null;
  #isKnown = false;
  #isPaying = false;
  /** There were so many reasons to ask: an answer to what was asked before the last of them says nothing any more. */
  #reasons = 0;
  #isAsking = false;
  /** Something has happened since it was asked. */
  #hasHeard = false;
  #timer = null;
  /** So often it was asked while chips are on their way. */
  #asked = 0;
  #answeredAt = -Infinity;

  /**
   * @param {object} parts
   * @param {() => Promise<object|null>} parts.ask asks the tournament `me`; null: nobody answers
   * @param {{now(): number, after(ms, fn): any, cancel(timer): void}} parts.clock
   * @param {() => void} parts.changed called after each answer
   * @param {(code: string) => void} parts.declined called once when the chips that were asked for have not come
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** My line; null: I take no part, or that is not known yet. */
  get line() {
    return this.#line;
  }

  get isKnown() {
    return this.#isKnown;
  }

  /** Whether chips of mine are being asked for. */
  get isPaying() {
    return this.#isPaying;
  }

  /** They are, as of now. */
  pays() {
    this.#isPaying = true;
    this.#asked = 0;
    this.look();
  }

  /** Something has happened to me. */
  look() {
    this.#reasons += 1;
    this.#ask();
  }

  /** Something has happened in the tournament. */
  heard() {
    this.#hasHeard = this.#isAsking;
    if (this.#isPaying) this.#askIn(this.#answeredAt + APART_MS - this.#parts.clock.now());
  }

  async #ask() {
    this.#forgetTimer();
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#hasHeard = false;
    const reasons = this.#reasons;
    const answer = await this.#parts.ask();
    this.#isAsking = false;
    this.#answeredAt = this.#parts.clock.now();
    if (reasons !== this.#reasons) return this.#ask();
    if (answer) this.#take(answer);
    if (this.#isPaying) this.#askIn(this.#hasHeard ? APART_MS : ANYWAY_MS);
    return undefined;
  }

  #take({ me, paying = false, declined }) {
    const was = this.#isPaying;
    [this.#line, this.#isPaying, this.#isKnown] = [me, paying, true];
    if (!was) this.#asked = 0;
    if (was && !paying && !me && declined) this.#parts.declined(declined);
    this.#parts.changed();
  }

  /** Of what is waited for the earliest counts. */
  #askIn(ms) {
    const { clock } = this.#parts;
    const at = clock.now() + Math.max(0, ms);
    if (this.#isAsking || this.#asked >= ASKED_MAX || this.#timer?.at <= at) return;
    this.#forgetTimer();
    this.#timer = { at, it: clock.after(at - clock.now(), () => this.#askAgain()) };
  }

  #askAgain() {
    this.#asked += 1;
    this.#ask();
  }

  #forgetTimer() {
    if (this.#timer) this.#parts.clock.cancel(this.#timer.it);
    this.#timer = null;
  }
}
