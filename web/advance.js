/**
 * A decision taken before the turn comes. It holds for one hand and one street; a check or a call of an amount falls with the price, for it was
 * meant for that price.
 */
import { highestBet } from "./bet-model.js";
import { el, setAttribute, setText } from "./dom.js";
import { say } from "./phrases/seat.js";

/** What a call would cost this seat now; 0 while a check is free. */
export function priceOf(view, seat) {
  const { stack, bet } = view.seats[seat];
  return Math.min(stack, Math.max(0, highestBet(view) - bet));
}

/** Whether a decision still stands when the table has become this one. */
export function stands(decided, view, seat) {
  if (!view.hand || !stillMeant(decided, view.hand)) return false;
  return !["check", "call"].includes(decided.kind) || priceOf(view, seat) === decided.price;
}

/** What a decision comes to in a turn, or null when it was meant for another price. */
export function chosen({ kind, price }, { call }, stack) {
  if (kind === "giveUp") return call === null ? "check" : "fold";
  if (kind === "callAny") return call === null ? "check" : "call";
  if (kind === "check") return call === null ? "check" : null;
  return call !== null && Math.min(call, stack) === price ? "call" : null;
}

export class Advance {
  #changed;
  #decided = null;
  #at = null;
  #face = "";

  /** @param {() => void} changed told when what the buttons mean has changed */
  constructor(changed) {
    this.#changed = changed;
    this.giveUp = this.#button("giveUp", "check-fold");
    this.match = this.#button("match", "advance-call");
    this.callAny = this.#button("callAny", "call-any");
    setText(this.callAny, say.advance.callAny);
    this.element = el("div", { class: "advance", role: "group", "aria-label": say.advance.title }, this.giveUp, this.match, this.callAny);
  }

  #button(name, testid) {
    return el("button", { class: "button toggle", type: "button", data: { testid }, on: { click: () => this.#toggle(name) } });
  }

  /**
   * @param {object} scene `view`, `mine`, `story`, `unit`
   * @returns {"check"|"fold"|"call"|null} what to do at once, when the turn has come and it was decided before
   */
  render({ view, mine, story, unit }) {
    const { hand } = view;
    const me = mine === null ? null : view.seats[mine];
    const inPlay = Boolean(me?.in_hand && !me.folded && me.stack > 0 && hand && !hand.ended);
    const myTurn = inPlay && hand.turn?.seat === mine;
    if (this.#decided && (!inPlay || (!myTurn && !stands(this.#decided, view, mine)))) this.#decided = null;
    const price = inPlay ? priceOf(view, mine) : 0;
    // Who has acted is asked again only when somebody raises.
    const isAsked = inPlay && !myTurn && (price > 0 || !ACTED.has(story.did.get(mine)?.kind));
    this.#at = isAsked ? { hand: hand.hand, street: hand.street, price } : null;
    this.#show(unit);
    if (!myTurn || !this.#decided) return null;
    const decided = this.#decided;
    this.#decided = null;
    return stillMeant(decided, hand) ? chosen(decided, hand.turn, me.stack) : null;
  }

  #show(unit) {
    setAttribute(this.element, "hidden", this.#at === null);
    const price = this.#at?.price ?? 0;
    setText(this.giveUp, price > 0 ? say.advance.fold : say.advance.checkFold);
    setText(this.match, price > 0 ? () => say.advance.callThis(unit.brief(price)) : say.advance.check);
    setAttribute(this.giveUp, "title", price > 0 ? null : say.advance.checkFoldHelp);
    setAttribute(this.callAny, "title", say.advance.callAnyHelp);
    this.#press();
    const face = JSON.stringify(this.#at);
    if (face !== this.#face) this.#changed();
    this.#face = face;
  }

  #toggle(name) {
    if (!this.#at) return;
    const kind = name === "match" ? (this.#at.price > 0 ? "call" : "check") : name;
    this.#decided = this.#decided?.kind === kind ? null : { ...this.#at, kind };
    this.#press();
  }

  /** Shows which decision stands. */
  #press() {
    const kind = this.#decided?.kind;
    setAttribute(this.giveUp, "aria-pressed", String(kind === "giveUp"));
    setAttribute(this.match, "aria-pressed", String(kind === "check" || kind === "call"));
    setAttribute(this.callAny, "aria-pressed", String(kind === "callAny"));
  }
}

const ACTED = new Set(["fold", "check", "call", "bet", "raise"]);

function stillMeant(decided, { hand, street }) {
  return decided.hand === hand && decided.street === street;
}
