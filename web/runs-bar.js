/** The question on how many boards the rest of a hand shall be dealt, once no betting is left: it is asked of those who are in it. */
import { el, setAttribute } from "./dom.js";
import { say } from "./phrases/seat.js";

/** What the setting answers, where it does. */
const ANSWERS = { once: () => 1, twice: (max) => Math.min(2, max) };

export class RunsBar {
  #ask;
  #settings;
  /** The question that the buttons answer: `{hand, max}`, or null. */
  #asked = null;
  /** The hand that was answered by the setting. */
  #answeredFor = null;

  /**
   * @param {(what: object) => Promise<boolean>} ask sends a table command; false when it was refused
   * @param {Settings} settings
   */
  constructor(ask, settings) {
    this.#ask = ask;
    this.#settings = settings;
    this.buttons = [say.runs.once, say.runs.twice, say.runs.thrice].map((text, at) =>
      el("button", { class: "action action-run", type: "button", text, data: { testid: `runs-${at + 1}` }, on: { click: () => this.#answer(at + 1) } }),
    );
    // In the place of the actions, which nobody has any more.
    this.element = el("section", { class: "actions", "aria-label": say.runs.title, hidden: true }, el("div", { class: "action-buttons" }, ...this.buttons));
  }

  /** Shows the question while it is open for the player of this seat. */
  render({ hand }, mine) {
    const runs = mine !== null && hand?.runs?.seats.includes(mine) ? hand.runs : null;
    const isNew = runs !== null && this.#asked?.hand !== hand.hand;
    this.#asked = runs && { hand: hand.hand, max: runs.max };
    setAttribute(this.element, "hidden", runs === null);
    if (!isNew) return;
    this.buttons.forEach((button, at) => setAttribute(button, "hidden", at >= runs.max));
    this.#enable(true);
  }

  /** Answers as the player has set it: once a hand, whatever comes of it, and by the window that plays the seat. */
  answerSelf() {
    const answer = ANSWERS[this.#settings.runs];
    if (!this.#asked || !answer || this.#asked.hand === this.#answeredFor) return;
    this.#answeredFor = this.#asked.hand;
    this.#answer(answer(this.#asked.max));
  }

  #answer(boards) {
    const { hand } = this.#asked;
    this.#enable(false);
    this.#ask({ a: "runs", hand, boards }).then((taken) => taken || this.#enable(true));
  }

  #enable(isOn) {
    for (const button of this.buttons) setAttribute(button, "disabled", !isOn);
  }
}
