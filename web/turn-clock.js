/** Runs down the time of the player whose turn it is, by the house's clock; a question mark while nobody here knows it. */
import { secondsLeft } from "./format.js";

const TICK_MS = 100;
const UNSURE = "?";

export class TurnClock {
  #serverClock;
  #show;
  #timer = null;
  #turn = null;
  #wholeMs = 1;
  #banking = false;
  #behindMs = 0;
  #sure = true;

  /**
   * @param {ServerClock} serverClock
   * @param {(seat: number|null, share: number, seconds: number|string, banking: boolean) => void} show
   */
  constructor(serverClock, show) {
    this.#serverClock = serverClock;
    this.#show = show;
  }

  /** @param {object} view the table @param {boolean} banking whether the turn draws on the time bank @param {number} behindMs how late the table is shown here */
  follow(view, banking, behindMs = 0) {
    const turn = view?.hand?.turn ?? null;
    this.#behindMs = behindMs;
    if (turn && (turn.deadline_ms !== this.#turn?.deadline_ms || banking !== this.#banking)) {
      const leftMs = turn.deadline_ms - this.#now();
      const usualMs = banking ? view.seats[turn.seat].bank_ms : view.config.turn_ms;
      this.#wholeMs = Math.max(leftMs, usualMs, 1); // A disconnected player's turn is longer than usual.
    }
    this.#turn = turn && { ...turn };
    this.#banking = banking;
    this.#run();
  }

  /** Whether the house is heard. While it is not, the turn may be over, or may have got longer. */
  sure(on) {
    if (this.#sure === on) return;
    this.#sure = on;
    this.#run();
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** What time it is at the table as it is seen here. */
  #now() {
    return this.#serverClock.now() - this.#behindMs;
  }

  #run() {
    clearInterval(this.#timer);
    if (this.#turn && this.#sure) this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  #tick() {
    if (!this.#turn) return this.#show(null, 0, 0, false);
    if (!this.#sure) return this.#show(this.#turn.seat, 1, UNSURE, this.#banking);
    const now = this.#now();
    const share = Math.min(1, Math.max(0, (this.#turn.deadline_ms - now) / this.#wholeMs));
    return this.#show(this.#turn.seat, share, secondsLeft(this.#turn.deadline_ms, now), this.#banking);
  }
}
