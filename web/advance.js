/** A decision taken before the turn comes: check if that is free, fold otherwise. It holds for one hand and one turn. */
import { el, setAttribute } from "./dom.js";
import { say } from "./phrases/table.js";

export class Advance {
  #armed = false;
  #hand = null;

  constructor() {
    this.button = el("button", {
      class: "button toggle",
      type: "button",
      text: say.checkFold,
      title: say.checkFoldHelp,
      "aria-pressed": "false",
      data: { testid: "check-fold" },
      on: { click: () => this.#arm(!this.#armed) },
    });
  }

  /** @returns {"check"|"fold"|null} what to do at once, when the turn has come and it was decided before */
  render(view, mine) {
    const { hand } = view;
    const me = mine === null ? null : view.seats[mine];
    const myTurn = me !== null && hand?.turn?.seat === mine;
    const inPlay = Boolean(me?.in_hand && !me.folded && me.stack > 0 && hand && !hand.ended);
    if (hand?.hand !== this.#hand || !inPlay) this.#arm(false);
    this.#hand = hand?.hand ?? null;
    this.button.hidden = !inPlay || myTurn;
    if (!myTurn || !this.#armed) return null;
    this.#arm(false);
    return hand.turn.call === null ? "check" : "fold";
  }

  #arm(armed) {
    this.#armed = armed;
    setAttribute(this.button, "aria-pressed", String(armed));
  }
}
