/** The line in a tournament table's head: which level is on, when the next one begins, how many are left. It leads to the tournament. */
import { contestOf, levelAt, minutes, TICK_MS } from "./contest.js";
import { el, setAttribute, setText } from "./dom.js";
import { say } from "./phrases/tournament.js";

export class ContestLine {
  #contest;
  #connection;

  constructor(connection, id) {
    this.#connection = connection;
    this.#contest = contestOf(connection, id);
    this.element = el("a", { class: "contest-line", href: `#/tournament/${id}`, data: { testid: "contest-line" } });
    this.unlisten = this.#contest.listen({ change: () => this.#show() });
    this.timer = setInterval(() => this.#show(), TICK_MS);
    this.#show();
  }

  close() {
    clearInterval(this.timer);
    this.unlisten();
  }

  #show() {
    const { state } = this.#contest;
    setAttribute(this.element, "hidden", state === null);
    if (!state) return;
    const { number, leftMs, isBreak } = levelAt(state, this.#connection.serverClock.now());
    const left = leftMs === null ? "" : minutes(leftMs);
    const { paused } = state.clock ?? {};
    const { left: players, entries, hand_for_hand: inStep } = state;
    setText(this.element, () => say.line({ number, left, isBreak, paused, players, entries, inStep }));
    setAttribute(this.element, "data-level", number);
  }
}
