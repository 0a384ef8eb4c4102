/** What a player can do about the seat: sit down, sit out, come back, top up, show, leave; and what is waited for. */
import { el, setText } from "./dom.js";
import { chips } from "./format.js";
import { askChips } from "./sit-dialog.js";
import { askSure } from "./sure-dialog.js";

const LEAVE = {
  title: "Leave in the middle of a hand?",
  text: "Your hand is folded when it is your turn, and what you have bet stays in the pot.",
  yes: "Fold and leave",
  no: "Play on",
  testid: "leave-ok",
};

export class SeatControls {
  #ask;
  #settings;
  /** The hand after which chips were added by themselves. */
  #filledAfter = null;
  #view = null;
  #mine = null;
  /** What this table asks of who has left it not long ago: `{min, max}`, or null. */
  #bring = null;

  /**
   * @param {(what: object) => Promise<boolean>} ask sends a table command
   * @param {HTMLElement} advance the button that decides the next turn in advance
   * @param {Settings} settings
   */
  constructor(ask, advance, settings) {
    this.#ask = ask;
    this.#settings = settings;
    this.status = el("p", { class: "table-status", "aria-live": "polite" });
    this.sit = this.#button("Take a seat", "sit-any", () => this.sitDown(null), "primary");
    this.back = this.#button("I am back", "come-back", () => this.#comeBack(), "primary");
    this.wait = this.#button("Wait for big blind", "come-back-wait", () => this.#comeBack(true));
    this.show = this.#button("Show cards", "show", () => ask({ a: "show" }));
    this.topUp = this.#button("Add chips", "top-up", () => this.#topUp());
    this.out = this.#button("Sit out", "sit-out", () => ask({ a: "sit_out" }));
    this.leave = this.#button("Leave", "leave", () => this.#leave());
    this.element = el(
      "section",
      { class: "seat-controls", "aria-label": "Your seat" },
      this.status,
      el("div", { class: "seat-buttons" }, advance, this.sit, this.back, this.wait, this.show, this.topUp, this.out, this.leave),
    );
  }

  #button(text, testid, click, kind = "") {
    return el("button", { class: `button ${kind}`, type: "button", text, data: { testid }, on: { click } });
  }

  render(view, mine, cards) {
    this.#view = view;
    this.#mine = mine;
    const me = mine === null ? null : view.seats[mine];
    const { hand, config } = view;
    const free = view.seats.includes(null);
    const inPlay = Boolean(me?.in_hand && !me.folded && hand && !hand.ended);
    this.sit.hidden = me !== null || !free;
    this.back.hidden = me?.status !== "sitting_out" || me.stack === 0;
    this.wait.hidden = this.back.hidden || config.blinds_owed !== "post_or_wait";
    this.out.hidden = !me || !["playing", "waiting"].includes(me.status);
    this.leave.hidden = !me || me.status === "leaving";
    this.topUp.hidden = !me || me.status === "leaving" || roomFor(config, me) <= 0;
    this.topUp.classList.toggle("primary", me?.stack === 0 && !inPlay);
    this.show.hidden = !(me?.in_hand && hand?.ended && cards.length > 0 && me.shown.length === 0);
    setText(this.status, statusText(view, mine, me, inPlay));
  }

  /** A buy-in was refused: within these limits it is not. */
  bring(limits) {
    this.#bring = limits;
  }

  /** Asks for a buy-in and takes the seat, or any for null. */
  async sitDown(seat) {
    const { config } = this.#view;
    const limits = this.#bring ?? { min: config.buy_in_min, max: config.buy_in_max };
    const answer = await askChips({
      title: seat === null ? "Take a seat" : `Take seat ${seat + 1}`,
      action: "Sit down",
      limits,
      amount: this.#usual(limits),
      bigBlind: config.big_blind,
      offerWait: config.blinds_owed === "post_or_wait",
    });
    if (!answer) return;
    const where = seat === null ? {} : { seat };
    const sits = await this.#ask({ a: "sit", ...where, buy_in: answer.amount, wait_for_big_blind: answer.wait });
    if (!sits) return;
    this.#bring = null;
    this.#settings.buyInBlinds = answer.amount / config.big_blind;
  }

  /** What was brought last, as far as it may be brought here. */
  #usual({ min, max }) {
    return Math.min(max, Math.max(min, Math.round(this.#settings.buyInBlinds * this.#view.config.big_blind)));
  }

  async #topUp() {
    const { config, seats } = this.#view;
    const me = seats[this.#mine];
    const room = roomFor(config, me);
    const min = Math.min(room, Math.max(1, config.buy_in_min - me.stack - me.bet - me.top_up));
    const isBroke = me.stack === 0;
    const answer = await askChips({
      title: "Add chips",
      action: "Add",
      limits: { min, max: room },
      amount: isBroke ? this.#usual({ min, max: room }) : room,
      bigBlind: config.big_blind,
      offerWait: false,
    });
    if (!answer || !(await this.#ask({ a: "top_up", amount: answer.amount }))) return;
    if (isBroke) this.#settings.buyInBlinds = answer.amount / config.big_blind;
    // Who brings chips after having lost all wants to play with them.
    if (isBroke && this.#view.seats[this.#mine]?.status === "sitting_out") await this.#comeBack();
  }

  /**
   * Fills the stack up to the last buy-in after a hand, if the player has set that: once a hand, whatever the answer is. What was rendered
   * last must be how the table is, and this window the one that plays the seat.
   */
  fill() {
    const { config, hand, seats } = this.#view;
    const me = seats[this.#mine];
    if (!this.#settings.autoTopUp || !hand?.ended || hand.hand === this.#filledAfter) return;
    if (me?.status !== "playing" || me.stack === 0) return;
    const missing = this.#usual({ min: config.buy_in_min, max: config.buy_in_max }) - me.stack - me.top_up;
    if (missing <= 0) return;
    this.#filledAfter = hand.hand;
    this.#ask({ a: "top_up", amount: missing });
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

/** How many chips a player may still bring. */
function roomFor(config, me) {
  return config.buy_in_max - me.stack - me.bet - me.top_up;
}

/** What a player should know about the seat, and what comes after the hand. */
function statusText(view, mine, me, inPlay) {
  const text = standing(view, mine, me, inPlay);
  return me?.top_up > 0 ? `${text}. +${chips(me.top_up)} after this hand` : text;
}

function standing(view, mine, me, inPlay) {
  const { hand } = view;
  const turn = hand?.turn;
  if (turn && turn.seat === mine) return "Your turn";
  const acting = turn ? `${view.seats[turn.seat]?.name ?? "Somebody"} to act` : "";
  if (!me) return view.seats.includes(null) ? "You are watching" : "You are watching. All seats are taken";
  if (me.status === "leaving") return inPlay ? "You leave when this hand has ended" : "Leaving";
  if (me.stack === 0 && !inPlay) return "You have no chips left. Add some to go on";
  if (me.status === "sitting_out") return "You are sitting out";
  if (me.status === "waiting") return "You are dealt in with the big blind";
  if (inPlay) return acting;
  if (me.in_hand && me.folded && hand && !hand.ended) return acting ? `You have folded. ${acting}` : "You have folded";
  if (hand && !hand.ended) return "You are dealt in with the next hand";
  return view.seats.filter(Boolean).length < 2 ? "Waiting for another player" : "The next hand begins in a moment";
}
