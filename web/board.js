/** The middle of the felt: board cards, pots, and how the hand ended. */
import { liftCards, showCards } from "./cards.js";
import { chipPile } from "./chips.js";
import { potTotal } from "./bet-model.js";
import { el, setAttribute, setText } from "./dom.js";
import { resultRoom } from "./layout.js";
import { say as sayOfSeat } from "./phrases/seat.js";
import { say } from "./phrases/table.js";
import { result, shortestResult, shortResult } from "./words.js";

/** At size 1, as style/felt.css draws them: a board's card, the lines of pots above and below it together, what lies between. */
const BOXES = { large: { card: 62, lines: 60, gap: 6 }, compact: { card: 39, lines: 42, gap: 3 } };
/** Height of a card by its width. */
const CARD_SHAPE = 1.4;
const NONE = new Set();
/** Longer lines are no longer read at a glance. */
const RESULT_WIDTH = 560;

export class Board {
  #layout = null;
  /** The result in words, the fullest first. */
  #results = [];
  /** What the result was fitted for: it is fitted again when one of these is another. */
  #fitted = "";

  constructor() {
    this.total = el("p", { class: "pot-total", data: { testid: "pot" } });
    this.runs = el("div", { class: "runs", data: { testid: "board" }, role: "group", "aria-label": say.board });
    this.pots = el("div", { class: "pots" });
    this.result = el("p", { class: "result", role: "status", data: { testid: "result" } });
    this.element = el("div", { class: "middle" }, this.total, this.runs, this.pots, this.result);
    this.piles = [];
  }

  render({ view, story, unit }) {
    const { hand } = view;
    const pot = potTotal(view);
    setText(this.total, pot > 0 ? () => sayOfSeat.potOf(unit.short(pot)) : "");
    setAttribute(this.total, "data-amount", pot);
    // The cards of those who have all gone are swept away.
    const swept = hand === null || (hand.ended && !view.seats.some((seat) => seat?.in_hand));
    this.element.classList.toggle("idle", swept);
    this.#renderRuns(swept ? [] : hand.boards, hand?.ended ? story : null);
    this.#renderPots(hand?.pots ?? [], unit);
    const seated = view.seats.filter(Boolean).length;
    if (hand && !hand.ended) this.#results = [""];
    else if (!swept && story.won.size > 0) this.#results = [result(view, story), shortResult(view, story), shortestResult(view, story)];
    else this.#results = [seated < 2 ? say.needsTwo() : ""];
  }

  /** @param {string[][]} boards @param {Story|null} story of a hand that has ended: the cards that have won are lifted */
  #renderRuns(boards, story) {
    while (this.runs.children.length > boards.length) this.runs.lastChild.remove();
    boards.forEach((cards, run) => {
      if (!this.runs.children[run]) this.runs.append(el("div", { class: "run" }));
      showCards(this.runs.children[run], cards);
      liftCards(this.runs.children[run], story?.winningCards(run) ?? NONE);
    });
  }

  /** One pile a pot; a single pot needs no name, the total above says it all. */
  #renderPots(pots, unit) {
    while (this.piles.length > pots.length) this.piles.pop().element.remove();
    pots.forEach((pot, at) => {
      if (!this.piles[at]) {
        this.piles[at] = chipPile("pot");
        this.pots.append(this.piles[at].element);
      }
      const name = at === 0 ? say.mainPot : pots.length > 2 ? () => say.sidePotOf(at) : say.sidePot;
      this.piles[at].show(pot.amount, pots.length > 1 ? name : "");
      this.piles[at].unit = unit;
      this.piles[at].brief = this.#layout?.design === "compact";
    });
  }

  /** Fits into the layout: several boards share the free band around the middle, and the result ends where seats begin. */
  fit(layout) {
    this.#layout = layout;
    for (const pile of this.piles) pile.brief = layout.design === "compact";
    const { middle, free, size, design } = layout;
    const { card, lines, gap } = BOXES[design];
    const boards = Math.max(1, this.runs.children.length);
    const more = Math.max(0, resultRoom(design, size, Math.max(2, boards)) - (lines / 2) * size); // More boards, more to tell.
    const room = free.bottom - free.top - (lines + 4 * gap) * size - more;
    const fitting = (room - (boards - 1) * gap * size) / boards / CARD_SHAPE;
    const width = boards === 1 ? card * size : Math.min(card * size, fitting);
    const height = boards * width * CARD_SHAPE + (lines + (boards + 1) * gap) * size;
    const y = boards === 1 ? middle.y : (free.top + free.bottom - more) / 2;
    const style = this.element.style;
    style.top = `${y}px`;
    style.setProperty("--board-card", `${width}px`);
    this.#fitResult(free.bands, y + height / 2 - (lines / 2) * size, size);
  }

  /** All words if there is room for them somewhere, else names and amounts, else the sum. Looking how much room they take costs a layout. */
  #fitResult(bands, top, size) {
    const wish = JSON.stringify([this.#results, bands, top, size]);
    if (wish === this.#fitted) return;
    this.#fitted = wish;
    const style = this.element.style;
    for (const text of this.#results) {
      setText(this.result, text);
      for (const { bottom, width } of bands) {
        style.setProperty("--result-height", `${bottom - top - 2}px`);
        style.setProperty("--result-width", `${Math.min(width, RESULT_WIDTH) - 8}px`);
        if (this.result.scrollHeight <= this.result.clientHeight + 1) return;
      }
    }
  }

  /** Where pot number `at` lies, for chips on their way. */
  potBox(at) {
    const pile = this.piles[at]?.element;
    return pile && !pile.hidden ? pile.getBoundingClientRect() : this.runs.getBoundingClientRect();
  }
}
