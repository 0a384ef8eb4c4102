/** The action bar: fold, check or call, bet or raise with an amount, by mouse, finger or keyboard. */
import { choices, legalAmount } from "./bet-model.js";
import { el, setAttribute, setText } from "./dom.js";
import { commandOf, keyName, keysFrom, keysOf, REPEATING } from "./keys.js";
import { say } from "./phrases/table.js";
import { askSure } from "./sure-dialog.js";

const FOLD = { ...say.foldAnyway, testid: "fold-ok" };

export class Actions {
  #act;
  #settings;
  #turn = null;
  #sent = false;

  /**
   * @param {(action: {hand, turn, kind, to?}) => Promise<boolean>} act sends an action; false when it was refused
   * @param {Settings} settings
   */
  constructor(act, settings) {
    this.#act = act;
    this.#settings = settings;
    this.element = this.#build();
    this.element.hidden = true;
    this.showKeys();
  }

  /** Shows the choices when it is this player's turn, nothing otherwise. */
  render(view, mine) {
    const turn = view.hand?.turn;
    if (mine === null || turn?.seat !== mine) {
      this.#turn = null;
      this.element.hidden = true;
      return;
    }
    const next = choices(view);
    const isNew = this.#turn?.hand !== next.hand || this.#turn?.turn !== next.turn;
    this.element.hidden = false;
    if (isNew) {
      this.#turn = next;
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

  /** Takes a choice that was made in advance. */
  choose(kind) {
    if (this.#turn && !this.#sent) this.#send(kind);
  }

  #build() {
    this.fold = this.#button("fold", say.fold, () => this.#fold());
    this.check = this.#button("check", say.check, () => this.#send("check"));
    this.call = this.#button("call", null, () => this.#send("call"));
    this.raise = this.#button("raise", null, () => this.#raise());
    this.shortcuts = el("div", { class: "raise-shortcuts", role: "group", "aria-label": say.amounts });
    this.range = el("input", { type: "range", "aria-label": say.amount, on: { input: () => this.#show(this.range.value) } });
    this.amount = el("input", {
      type: "text",
      inputmode: "numeric",
      autocomplete: "off",
      "aria-label": say.amountTo,
      data: { testid: "raise-amount" },
      on: { input: () => this.#typed(), change: () => this.#show(this.#to()) },
    });
    this.sizing = el("div", { class: "raise-sizing" }, this.shortcuts, this.range, this.amount);
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

  #begin({ call, callsAllIn, raise }) {
    this.#sent = false;
    this.check.hidden = call !== null;
    this.call.hidden = call === null;
    setText(this.call.firstChild, () => (callsAllIn ? say.allInTo : say.callTo)(call ?? 0));
    this.raise.hidden = raise === null;
    this.sizing.hidden = raise === null || raise.min === raise.max;
    if (!raise) return;
    this.range.min = raise.min;
    this.range.max = raise.max;
    this.range.step = 1;
    this.shortcuts.replaceChildren(
      ...raise.shortcuts.map(({ name, to }) =>
        el("button", { class: "chip-button", type: "button", text: say.shortcut[name], on: { click: () => this.#show(to) } }),
      ),
    );
    this.#show(raise.min);
  }

  #to() {
    return legalAmount(this.amount.value, this.#turn.raise);
  }

  #show(to) {
    this.amount.value = String(to);
    this.range.value = to;
    this.#label(Number(to));
  }

  /** While somebody types, the text stays theirs; only the button says what it would come to. */
  #typed() {
    const to = this.#to();
    this.range.value = to;
    this.#label(to);
  }

  #label(to) {
    const { min, max, maxIsAllIn, bet } = this.#turn.raise;
    const share = max > min ? (to - min) / (max - min) : 1;
    this.range.style.setProperty("--share", String(share));
    const words = to === max && maxIsAllIn ? say.allInTo : bet ? say.betTo : say.raiseTo;
    setText(this.raise.firstChild, () => words(to));
  }

  #nudge(direction) {
    const { raise } = this.#turn;
    this.#show(legalAmount(this.#to() + direction * raise.step, raise));
    return true;
  }

  #focusAmount() {
    if (this.sizing.hidden) this.raise.focus();
    else this.amount.select();
    return true;
  }

  #raise() {
    const { raise } = this.#turn;
    return raise !== null && this.#send(raise.bet ? "bet" : "raise", this.#to());
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
    for (const control of this.element.querySelectorAll("button, input")) control.disabled = this.#sent;
    this.element.classList.toggle("sent", this.#sent);
  }
}
