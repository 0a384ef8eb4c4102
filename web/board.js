/** The middle of the felt: board cards, pots, and how the hand ended. */
import { showCards } from "./cards.js";
import { chipPile } from "./chips.js";
import { potTotal } from "./bet-model.js";
import { el, setText } from "./dom.js";
import { chips } from "./format.js";
import { result } from "./words.js";

export class Board {
  constructor() {
    this.total = el("p", { class: "pot-total", data: { testid: "pot" } });
    this.runs = el("div", { class: "runs", data: { testid: "board" }, role: "group", "aria-label": "Board" });
    this.pots = el("div", { class: "pots" });
    this.result = el("p", { class: "result", role: "status", data: { testid: "result" } });
    this.element = el("div", { class: "middle" }, this.total, this.runs, this.pots, this.result);
    this.piles = [];
  }

  render(view, story) {
    const { hand } = view;
    const pot = potTotal(view);
    setText(this.total, pot > 0 ? `Pot ${chips(pot)}` : "");
    this.total.dataset.amount = String(pot);
    // The cards of those who have all gone are swept away.
    const swept = hand === null || (hand.ended && !view.seats.some((seat) => seat?.in_hand));
    this.element.classList.toggle("idle", swept);
    this.#renderRuns(swept ? [] : hand.boards);
    this.#renderPots(hand?.pots ?? []);
    const seated = view.seats.filter(Boolean).length;
    if (hand && !hand.ended) setText(this.result, "");
    else if (!swept && story.won.size > 0) setText(this.result, result(view, story));
    else setText(this.result, seated < 2 ? "The next hand begins when two players sit here" : "");
  }

  #renderRuns(boards) {
    while (this.runs.children.length > boards.length) this.runs.lastChild.remove();
    boards.forEach((cards, run) => {
      if (!this.runs.children[run]) this.runs.append(el("div", { class: "run" }));
      showCards(this.runs.children[run], cards);
    });
  }

  /** One pile a pot; a single pot needs no name, the total above says it all. */
  #renderPots(pots) {
    while (this.piles.length > pots.length) this.piles.pop().element.remove();
    pots.forEach((pot, at) => {
      if (!this.piles[at]) {
        this.piles[at] = chipPile("pot");
        this.pots.append(this.piles[at].element);
      }
      const name = at === 0 ? "Main" : pots.length > 2 ? `Side ${at}` : "Side";
      this.piles[at].show(pot.amount, pots.length > 1 ? `${name}:` : "");
    });
  }

  /** Where pot number `at` lies, for chips on their way. */
  potBox(at) {
    const pile = this.piles[at]?.element;
    return pile && !pile.hidden ? pile.getBoundingClientRect() : this.runs.getBoundingClientRect();
  }
}
