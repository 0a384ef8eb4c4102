/** The action bar: fold, check or call, bet or raise with an amount, by mouse, finger or keyboard. */
import { choices, legalAmount } from "./bet-model.js";
import { stepOf } from "./bet-sizes.js";
import { el, setAttribute, setText } from "./dom.js";
import { keepFocus } from "./focus.js";
import { keysFrom } from "./key-map.js";
import { commandOf, keyName, keysOf, REPEATING } from "./keys.js";
import { say as sayOfSeat } from "./phrases/seat.js";
import { say } from "./phrases/table.js";
import { askSure } from "./sure-dialog.js";
import { Unit } from "./unit.js";

const FOLD = { ...say.foldAnyway, testid: "fold-ok" };

/** Names of amounts that are not read as they are. */
const NAMES = { pot: say.shortcut.wholePot, min: say.shortcut.least, allIn: say.shortcut.allIn, most: say.shortcut.most };
/** A wheel says so many pixels for a notch, a touchpad as many for some way. */
const WHEEL_STEP_PX = 50;
const WHEEL_LINE_PX = 30;

export class Actions {
  #act;
  #settings;
  #turn = null;
  #sent = false;
  #unit = new Unit();
  /** The amount in chips, whatever the field shows it in. */
  #to = 0;
  #wheeled = 0;

  /**
   * @param {(action: {hand, turn, kind, to?}) => Promise<boolean>} act sends an action; false when it was refused
   * @param {Settings} settings
   */
  constructor(act, settings) {
    this.#act = act;
    this.#settings = settings;
    this.element = this.#build();
    setAttribute(this.element, "hidden", true);
    this.showKeys();
  }

  /** Shows the choices when it is this player's turn, nothing otherwise. */
  render(view, mine) {
    const turn = view.hand?.turn;
    if (mine === null || turn?.seat !== mine) {
      this.#turn = null;
      setAttribute(this.element, "hidden", true);
      return;
    }
    const next = choices(view, this.#settings.sizes);
    const isNew = this.#turn?.hand !== next.hand || this.#turn?.turn !== next.turn;
    setAttribute(this.element, "hidden", false);
    if (isNew) {
      this.#turn = next;
      this.#unit = new Unit(this.#settings.inBlinds ? view.config.big_blind : null, view.currency);
      this.#begin(next);
    }
    this.#enable();
  }

  /** Takes a key of the table page; true if it meant something. */
  key(event) {
    if (!this.#turn || this.#sent || event.ctrlKey || event.metaKey || event.altKey) return false;
    const isTyping = event.target === this.amount;
    const [key] = keysOf(event);
    if (key === "Enter") return (isTyping || event.target === this.range) && (event.repeat || this.#raise());
    if (key === "Escape" && isTyping) return this.amount.blur() ?? true;
    const command = commandOf(event, keysFrom(this.#settings.keys), isTyping);
    return command !== null && ((event.repeat && !REPEATING.has(command)) || this.#obey(command));
  }

  #obey(command) {
    const { call, raise } = this.#turn;
    if (command === "fold") return call !== null && this.#send("fold"); // No key gives up what costs nothing.
    if (command === "call") return this.#send(call === null ? "check" : "call");
    if (!raise) return false;
    if (command === "raise") return this.#focusAmount();
    if (command === "more" || command === "less") return this.#nudge(command === "more" ? 1 : -1);
    const amount = raise.shortcuts[Number(command.at(-1)) - 1];
    return amount !== undefined && (this.#show(amount.to) ?? true);
  }

  /** The keys stand on what they do. */
  showKeys() {
    const keys = keysFrom(this.#settings.keys);
    for (const [button, command] of [[this.fold, "fold"], [this.check, "call"], [this.call, "call"], [this.raise, "raise"]]) {
      setText(button.lastChild, keyName(keys[command]));
      setAttribute(button, "aria-keyshortcuts", keyName(keys[command]));
    }
  }

  /** What is offered may be other amounts now. */
  startOver() {
    if (!this.#sent) this.#turn = null;
  }

  /** Gives up the hand, as the button does. */
  foldNow() {
    if (this.#turn && !this.#sent) this.#fold();
  }

  get canAct() {
    return this.#turn !== null && !this.#sent;
  }

  get canCheck() {
    return this.canAct && this.#turn.call === null;
  }

  /** Takes a choice that was made in advance. */
  choose(kind) {
    if (this.#turn && !this.#sent) this.#send(kind);
  }

  #build() {
    this.fold = this.#button("fold", say.fold, () => this.#fold());
    this.check = this.#button("check", say.check, () => this.#send("check"));
    this.call = this.#button("call", null, () => this.#send("call"));
    this.odds = el("small", { class: "pot-odds" });
    this.call.firstChild.replaceChildren(el("span"), this.odds);
    this.raise = this.#button("raise", null, () => this.#raise());
    this.shortcuts = el("div", { class: "raise-shortcuts", role: "group", "aria-label": say.amounts });
    this.range = el("input", { type: "range", "aria-label": say.amount, on: { input: () => this.#show(this.#turn.raise.steps[this.range.value]) } });
    this.amount = el("input", {
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      "aria-label": say.amountTo,
      data: { testid: "raise-amount" },
      on: { input: () => this.#typed(), change: () => this.#show(this.#to) },
    });
    this.sizing = el("div", { class: "raise-sizing", on: { wheel: (event) => this.#wheel(event) } }, this.shortcuts, this.range, this.amount);
    return el(
      "section",
      { class: "actions", "aria-label": say.yourTurn },
      this.sizing,
      el("div", { class: "action-buttons" }, this.fold, this.check, this.call, this.raise),
    );
  }

  #button(kind, text, click) {
    return el(
      "button",
      { class: `action action-${kind}`, type: "button", data: { testid: `action-${kind}` }, "data-waits": say.waits, on: { click } },
      el("span", { class: "action-label", text: text ?? "" }),
      el("kbd", { "aria-hidden": "true" }),
    );
  }

  #begin({ call, callsAllIn, odds, raise }) {
    this.#sent = false;
    setAttribute(this.check, "hidden", call !== null);
    setAttribute(this.call, "hidden", call === null);
    const cost = this.#unit.short(call ?? 0);
    setAttribute(this.call, "title", this.#unit.full(call ?? 0));
    setText(this.call.firstChild.firstChild, () => (callsAllIn ? sayOfSeat.allInFor : sayOfSeat.callFor)(cost));
    setText(this.odds, odds !== null && this.#settings.potOdds ? () => sayOfSeat.odds(Math.round(100 * odds)) : "");
    setAttribute(this.raise, "hidden", raise === null);
    setAttribute(this.sizing, "hidden", raise === null || raise.min === raise.max);
    if (!raise) return;
    this.range.min = 0;
    this.range.max = raise.steps.length - 1;
    this.range.step = 1;
    this.shortcuts.replaceChildren(
      ...raise.shortcuts.map(({ name, to }) =>
        el("button", { class: "chip-button", type: "button", text: NAMES[name] ?? name, on: { click: () => this.#show(to) } }),
      ),
    );
    this.#show(raise.min);
  }

  #show(to) {
    this.amount.value = this.#unit.plain(to);
    this.#say(to);
  }

  /** While somebody types, the text stays theirs; only the button says what it would come to. */
  #typed() {
    this.#say(legalAmount(this.#unit.typed(this.amount.value), this.#turn.raise));
  }

  #say(to) {
    this.#to = to;
    const { max, maxIsAllIn, bet, steps } = this.#turn.raise;
    const step = stepOf(steps, to);
    const words = this.#unit.full(to);
    this.range.value = step;
    this.range.style.setProperty("--share", String(steps.length > 1 ? step / (steps.length - 1) : 1));
    setAttribute(this.range, "aria-valuetext", words);
    const says = to === max && maxIsAllIn ? sayOfSeat.allInFor : bet ? sayOfSeat.betOf : sayOfSeat.raiseTo;
    setText(this.raise.firstChild, () => says(this.#unit.short(to)));
    setAttribute(this.raise, "title", words);
  }

  #nudge(direction) {
    const { raise } = this.#turn;
    this.#show(legalAmount(this.#to + direction * raise.step, raise));
    return true;
  }

  /** A notch of the wheel is a big blind. */
  #wheel(event) {
    event.preventDefault();
    if (!this.#turn?.raise || this.#sent) return;
    this.#wheeled += event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? WHEEL_LINE_PX : 1);
    const notches = Math.trunc(this.#wheeled / WHEEL_STEP_PX);
    this.#wheeled -= notches * WHEEL_STEP_PX;
    if (notches !== 0) this.#nudge(-notches);
  }

  #focusAmount() {
    if (this.sizing.hidden) this.raise.focus();
    else this.amount.select();
    return true;
  }

  #raise() {
    const { raise } = this.#turn;
    return raise !== null && this.#send(raise.bet ? "bet" : "raise", this.#to);
  }

  /** What costs nothing is not given up by a slip. */
  async #fold() {
    const asked = this.#turn;
    if (asked.call === null && this.#settings.askFold && !(await askSure(FOLD))) return;
    if (this.#turn === asked && !this.#sent) this.#send("fold");
  }

  #send(kind, to) {
    const { hand, turn } = this.#turn;
    this.#sent = true;
    this.#enable();
    this.#act({ hand, turn, kind, ...(to === undefined ? {} : { to }) }).then((taken) => {
      if (taken) return;
      this.#sent = false;
      this.#enable();
    });
    return true;
  }

  #enable() {
    // What waits for an answer cannot be used, and would lose the focus.
    const focusIsKept = keepFocus(this.element, this.element.parentElement);
    for (const control of this.element.querySelectorAll("button, input")) setAttribute(control, "disabled", this.#sent);
    this.element.classList.toggle("sent", this.#sent);
    focusIsKept();
  }
}
