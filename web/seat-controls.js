/** What a player can do about the seat: sit down, sit out, come back, top up, show, leave; and what is waited for. */
import { amountIn } from "./currencies.js";
import { el, setAttribute, setText } from "./dom.js";
import { moment } from "./format.js";
import { icon } from "./icons.js";
import { isolated } from "./names.js";
import { say as sayOfSeat } from "./phrases/seat.js";
import { say } from "./phrases/table.js";
import { askChips } from "./sit-dialog.js";
import { tellShort } from "./short-dialog.js";
import { askSure } from "./sure-dialog.js";
import { hasCards } from "./table-view.js";

const LEAVE = { ...say.leaveHand, testid: "leave-ok" };

export class SeatControls {
  #ask;
  #settings;
  /** The hand after which chips were added by themselves. */
  #filledAfter = null;
  /** The hand whose cards were shown by themselves. */
  #shownAfter = null;
  #view = null;
  #mine = null;
  /** What this table asks of who has left it not long ago: `{min, max}`, or null. */
  #bring = null;
  #advance;
  #restsUntil;
  #purse;
  /** Whether the buttons of the seat stand in the place of those that decide in advance. */
  #isMore = false;

  /**
   * @param {(what: object) => Promise<boolean>} ask sends a table command
   * @param {HTMLElement} advance the buttons that decide the next turn in advance
   * @param {Settings} settings
   * @param {() => number} restsUntil when who plays here may play again whose play time is used up, or 0
   * @param {() => Purse|null} purse what who plays here owns
   */
  constructor(ask, advance, settings, restsUntil, purse) {
    this.#purse = purse;
    this.#ask = ask;
    this.#restsUntil = restsUntil;
    this.#advance = advance;
    this.#settings = settings;
    this.status = el("p", { class: "table-status", "aria-live": "polite" });
    this.sit = this.#button(say.takeSeat, "sit-any", () => this.sitDown(null), "primary");
    this.back = this.#button(say.back, "come-back", () => this.#comeBack(), "primary");
    this.wait = this.#button(say.waitForBlind, "come-back-wait", () => this.#comeBack(true));
    this.show = this.#button(say.show, "show", () => ask({ a: "show" }));
    setAttribute(this.show, "title", sayOfSeat.showHelp);
    this.topUp = this.#button(say.addChips, "top-up", () => this.#topUp());
    this.out = this.#button(say.sitOut, "sit-out", () => ask({ a: "sit_out" }));
    this.leave = this.#button(say.leave, "leave", () => this.#leave());
    const own = [this.sit, this.back, this.wait, this.show, this.topUp, this.out, this.leave];
    // Where there is no room for all of them.
    this.more = el("button", { class: "button seat-more", type: "button", "aria-label": sayOfSeat.moreButtons, "aria-expanded": "false", data: { testid: "seat-more" }, on: { click: () => this.#showMore(!this.#isMore) } }, icon("more"));
    this.element = el(
      "section",
      { class: "seat-controls", "aria-label": say.yourSeat },
      this.status,
      el("div", { class: "seat-buttons" }, advance, el("div", { class: "seat-own" }, ...own), this.more),
    );
  }

  #button(text, testid, click, kind = "") {
    return el("button", { class: `button ${kind}`, type: "button", text, data: { testid }, on: { click } });
  }

  render(view, mine, cards, takes) {
    this.#view = view;
    this.#mine = mine;
    const me = mine === null ? null : view.seats[mine];
    const { hand, config } = view;
    const free = view.seats.some((seat, at) => seat === null && takes(at));
    const inPlay = hasCards(me, hand);
    // In a tournament seats are given and taken.
    const isGiven = Boolean(view.tournament);
    setAttribute(this.sit, "hidden", me !== null || !free || isGiven);
    setAttribute(this.back, "hidden", me?.status !== "sitting_out" || me.stack === 0);
    setAttribute(this.wait, "hidden", this.back.hidden || config.blinds_owed !== "post_or_wait");
    setAttribute(this.out, "hidden", !me || !["playing", "waiting"].includes(me.status));
    setAttribute(this.leave, "hidden", !me || me.status === "leaving" || isGiven);
    setAttribute(this.topUp, "hidden", !me || isGiven || me.status === "leaving" || roomFor(config, me) <= 0);
    this.topUp.classList.toggle("primary", me?.stack === 0 && !inPlay);
    setAttribute(this.show, "hidden", keptCards(view, mine, cards).length === 0);
    setText(this.status, statusText(view, mine, me, inPlay, this.#restsUntil()));
  }

  /** Called when the decisions in advance have been rendered: both share one place. */
  makeRoom() {
    const canDecide = !this.#advance.hidden;
    this.element.classList.toggle("decides", canDecide);
    setAttribute(this.more, "hidden", !canDecide);
    if (!canDecide) this.#showMore(false);
  }

  #showMore(isMore) {
    this.#isMore = isMore;
    this.element.classList.toggle("more", isMore);
    setAttribute(this.more, "aria-expanded", String(isMore));
  }

  /** A buy-in was refused: within these limits it is not. */
  bring(limits) {
    this.#bring = limits;
  }

  /** Asks for a buy-in and takes the seat, or any for null. */
  async sitDown(seat) {
    if (this.#view.tournament) return;
    const { config, rail } = this.#view;
    const title = seat === null ? say.takeSeat : () => say.takeSeatOf(seat + 1);
    const asked = this.#bring ?? { min: config.buy_in_min, max: config.buy_in_max };
    const limits = this.#afforded(asked);
    if (limits.max < limits.min) return this.#tellShort(title, limits);
    const answer = await askChips({
      title,
      action: say.sitDown,
      limits,
      has: this.#has(),
      amount: this.#usual(limits),
      bigBlind: config.big_blind,
      currency: this.#view.currency,
      agrees: rail ? () => say.railCardsHint(rail.cards, rail.delay_ms) : null,
      offerWait: config.blinds_owed === "post_or_wait",
    });
    if (!answer) return undefined;
    const where = seat === null ? {} : { seat };
    const sits = await this.#ask({ a: "sit", ...where, buy_in: answer.amount, wait_for_big_blind: answer.wait });
    if (!sits) return undefined;
    this.#bring = null;
    this.#settings.buyInBlinds = answer.amount / config.big_blind;
    return undefined;
  }

  /** What there is of what this table plays for; null where that is not known, or chips are nobody's. */
  get #available() {
    const { currency } = this.#view;
    return currency ? (this.#purse()?.available(currency) ?? null) : null;
  }

  /** Nobody brings more than there is. */
  #afforded({ min, max }) {
    return { min, max: Math.min(max, this.#available ?? max) };
  }

  #has() {
    const [available, { currency }] = [this.#available, this.#view];
    return available === null ? null : () => say.youHave(this.#purse().tell(available, currency));
  }

  #tellShort(title, { min }) {
    const { currency } = this.#view;
    const tell = (amount) => this.#purse().tell(amount, currency);
    const has = this.#available;
    return tellShort(title, () => say.tooLittle(tell(has), tell(min)));
  }

  /** What was brought last, as far as it may be brought here. */
  #usual({ min, max }) {
    return Math.min(max, Math.max(min, Math.round(this.#settings.buyInBlinds * this.#view.config.big_blind)));
  }

  async #topUp() {
    const { config, seats } = this.#view;
    const me = seats[this.#mine];
    const wanted = roomFor(config, me);
    const min = Math.min(wanted, Math.max(1, config.buy_in_min - me.stack - me.bet - me.top_up));
    const { max: room } = this.#afforded({ min, max: wanted });
    if (room < min) return this.#tellShort(say.addChips, { min });
    const isBroke = me.stack === 0;
    const answer = await askChips({
      title: say.addChips,
      action: say.add,
      limits: { min, max: room },
      has: this.#has(),
      amount: isBroke ? this.#usual({ min, max: room }) : room,
      bigBlind: config.big_blind,
      currency: this.#view.currency,
      offerWait: false,
    });
    if (!answer || !(await this.#ask({ a: "top_up", amount: answer.amount }))) return undefined;
    if (isBroke) this.#settings.buyInBlinds = answer.amount / config.big_blind;
    // Who brings chips after having lost all wants to play with them.
    if (isBroke && this.#view.seats[this.#mine]?.status === "sitting_out") await this.#comeBack();
    return undefined;
  }

  /**
   * Fills the stack up to the last buy-in after a hand, if the player has set that: once a hand, whatever the answer is. What was rendered
   * last must be how the table is, and this window the one that plays the seat.
   */
  fill() {
    const { config, hand, seats, tournament } = this.#view;
    const me = seats[this.#mine];
    if (tournament || !this.#settings.autoTopUp || !hand?.ended || hand.hand === this.#filledAfter) return;
    if (me?.status !== "playing" || me.stack === 0) return;
    const usual = this.#usual({ min: config.buy_in_min, max: config.buy_in_max });
    const { max: missing } = this.#afforded({ min: 1, max: usual - me.stack - me.top_up });
    if (missing <= 0) return;
    this.#filledAfter = hand.hand;
    this.#ask({ a: "top_up", amount: missing });
  }

  /** Shows the cards after a hand in which they need not be shown, if the player has set that: once a hand, under the same conditions. */
  showSelf() {
    const { hand } = this.#view;
    if (!this.#settings.showAfter || this.show.hidden || hand.hand === this.#shownAfter) return;
    this.#shownAfter = hand.hand;
    this.#ask({ a: "show" });
  }

  /** A hand that can still be folded is worth a question. */
  async #leave() {
    const { hand, seats } = this.#view;
    const me = seats[this.#mine];
    const canFold = me?.in_hand && !me.folded && me.stack > 0 && hand && !hand.ended;
    if (!canFold || (await askSure(LEAVE))) await this.#ask({ a: "leave" });
  }

  #comeBack(wait = false) {
    return this.#ask({ a: "come_back", wait_for_big_blind: wait });
  }
}

/** Cards of mine that nobody has seen, once the hand is over: they may be shown. */
export function keptCards({ seats, hand }, mine, cards) {
  const me = mine === null ? null : seats[mine];
  return me?.in_hand && hand?.ended ? cards.filter((card) => !me.shown.includes(card)) : [];
}

/** How many chips a player may still bring. */
function roomFor(config, me) {
  return config.buy_in_max - me.stack - me.bet - me.top_up;
}

/** What a player should know about the seat, and what comes after the hand: a function that tells it. */
function statusText(view, mine, me, inPlay, restsUntil) {
  const text = standing(view, mine, me, inPlay, restsUntil);
  const more = me?.top_up ?? 0;
  return more > 0 ? () => say.afterHand(text(), amountIn(view.currency, more)) : text;
}

function standing(view, mine, me, inPlay, restsUntil) {
  const { hand } = view;
  const turn = hand?.turn;
  if (turn && turn.seat === mine) return say.yourTurn;
  const name = view.seats[turn?.seat]?.name;
  const acting = !turn ? () => "" : name === undefined ? say.somebodyToAct : () => say.toAct(isolated(name));
  const isFree = (seat, at) => seat === null && !view.waiting_list?.called.some((call) => call.seat === at);
  if (!me) return view.seats.some(isFree) && !view.tournament ? say.watching : say.watchingFull;
  if (me.status === "leaving") return inPlay ? say.leavesAfter : say.leaving;
  if (me.stack === 0 && !inPlay) return say.broke;
  if (me.status === "sitting_out") return restsUntil > Date.now() ? () => say.youRest(moment(restsUntil)) : say.youSitOut;
  if (me.status === "waiting") return say.dealtWithBlind;
  if (inPlay) return acting;
  if (me.in_hand && me.folded && hand && !hand.ended) return turn ? () => say.foldedAnd(acting()) : say.folded;
  if (hand && !hand.ended) return say.dealtNext;
  return view.seats.filter(Boolean).length < 2 ? say.waitingForPlayer : say.nextSoon;
}
