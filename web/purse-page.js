/** The page of what the player owns: how much of what, the daily play money, and what has moved it, line by line. */
import { el, retell, setAttribute, setText } from "./dom.js";
import { asking } from "./form.js";
import { moment } from "./format.js";
import { bare, change, inPlay, money } from "./money.js";
import { say as sayOfHouse } from "./phrases/house.js";
import { onLanguage } from "./phrases/language.js";
import { say } from "./phrases/purse.js";

export class PursePage {
  #purse;
  #currency = null;
  #lines = [];
  /** Whether there are lines before those. */
  #hasMore = false;
  /** Which currency's lines are being asked for, so that a late answer does not come into others. */
  #asks = 0;
  #forget = null;

  /** @param {Purse} purse */
  constructor(purse) {
    this.#purse = purse;
    this.tabs = el("div", { class: "purse-tabs", role: "group", "aria-label": say.currency });
    this.card = el("section", { class: "purse-card", "aria-label": say.title });
    this.body = el("tbody", {});
    this.error = el("p", { class: "field-error", role: "alert" });
    this.empty = el("p", { class: "purse-empty", text: say.nothingYet, hidden: true });
    this.more = el("button", { class: "button wide", type: "button", text: say.earlier, hidden: true, data: { testid: "statement-more" }, on: { click: () => this.#ask(false) } });
    const head = (text, name) => el("th", { scope: "col", role: "columnheader", class: `purse-${name}`, text });
    const heads = [head(say.when, "when"), head(say.what, "what"), head(say.change, "change"), head(say.balance, "balance")];
    this.table = el(
      "table",
      { class: "table-frame purse-lines", role: "table", data: { testid: "statement" } },
      el("caption", { class: "for-ears", text: say.statement }),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)),
      this.body,
    );
    onLanguage(() => retell(this.element));
    this.element = el("main", { class: "purse-page", tabindex: -1, data: { testid: "purse-page" } }, el("h1", { text: say.title }), this.tabs, this.card, el("h2", { text: say.statement }), this.error, this.table, this.empty, this.more);
  }

  /** For the window's title. */
  get name() {
    return say.pageTitle();
  }

  enter() {
    this.#forget = this.#purse.onChange(() => this.#changed());
    this.#purse.refresh();
    this.#changed();
  }

  leave() {
    this.#forget?.();
    this.#forget = null;
  }

  /** What there is may be other than it was: so are the lines. */
  #changed() {
    const { balances } = this.#purse;
    if (balances.length === 0) return;
    if (!balances.some(({ currency }) => currency === this.#currency)) this.#currency = balances[0].currency;
    this.#draw();
    this.#ask(true);
  }

  #choose(currency) {
    this.#currency = currency;
    this.#lines = [];
    this.#draw();
    this.#ask(true);
  }

  get #balance() {
    return this.#purse.balances.find(({ currency }) => currency === this.#currency);
  }

  #draw() {
    const balance = this.#balance;
    const tabs = this.#purse.balances.map(({ currency }) =>
      el("button", { class: "button", type: "button", text: currency, "aria-pressed": String(currency === this.#currency), on: { click: () => this.#choose(currency) } }),
    );
    this.tabs.replaceChildren(...(tabs.length > 1 ? tabs : []));
    const figure = (name, text, amount) => el("div", { class: "purse-figure" }, el("span", { text }), el("b", { data: { testid: `purse-${name}` }, text: () => money(amount, balance) }));
    const tables = balance.in_play.map(({ room, amount }) => el("li", {}, this.#wayTo(room), el("span", { text: () => money(amount, balance) })));
    this.card.replaceChildren(
      el("div", { class: "purse-figures" }, figure("available", say.available, balance.available), figure("at-tables", say.inPlay, inPlay(balance))),
      ...(balance.frozen ? [el("p", { class: "purse-frozen", text: say.frozen })] : []),
      ...(tables.length > 0 ? [el("ul", { class: "purse-tables", "aria-label": say.atTables }, ...tables)] : []),
      ...(balance.refill > 0 ? [this.#refill(balance)] : []),
    );
  }

  /** The ledger knows rooms by their names, and not what they are: that is asked when somebody wants to go there. */
  #wayTo(room) {
    const go = async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const isTournament = await this.#purse.isTournament(room);
      // Somewhere else meanwhile.
      if (this.#forget) location.hash = `#/${isTournament ? "tournament" : "table"}/${room}`;
    };
    return el("a", { href: `#/table/${room}`, text: room, on: { click: go } });
  }

  /** Play money, once a day, for who has little. */
  #refill(balance) {
    const { currency, refill, refill_from_ms: from = 0, available } = balance;
    const has = available + inPlay(balance);
    const why = from > 0 ? () => say.refillFrom(moment(from)) : has >= refill ? () => say.refillEnough(money(refill, balance)) : () => say.refillNow(money(refill - has, balance));
    const send = async () => {
      await this.#purse.api.refill(currency);
      await this.#purse.refresh();
    };
    const form = asking({ submit: say.refill, testid: "refill", send }, el("p", { class: "hint", data: { testid: "refill-why" }, text: why }));
    form.querySelector("button").disabled = from > 0 || has >= refill;
    return form;
  }

  async #ask(fromTheTop) {
    const asks = (this.#asks += 1);
    try {
      const before = fromTheTop ? undefined : this.#lines.at(-1)?.number;
      const { lines } = await this.#purse.api.statement(this.#currency, before);
      if (asks !== this.#asks) return;
      this.#take(lines, fromTheTop);
      setText(this.error, "");
    } catch (error) {
      setText(this.error, error.tell ?? sayOfHouse.receptionSilent);
    }
    this.#drawLines();
  }

  /** What was read of earlier lines stays there when new ones come. */
  #take(lines, fromTheTop) {
    const oldest = lines.at(-1)?.number ?? 0;
    if (!fromTheTop) this.#lines.push(...lines);
    else {
      const meets = this.#lines.some(({ number }) => number === oldest);
      this.#lines = [...lines, ...(meets ? this.#lines.filter(({ number }) => number < oldest) : [])];
    }
    this.#hasMore = (this.#lines.at(-1)?.number ?? 1) > 1;
  }

  #drawLines() {
    const balance = this.#balance;
    if (!balance) return;
    setAttribute(this.more, "hidden", !this.#hasMore);
    setAttribute(this.table, "hidden", this.#lines.length === 0);
    setAttribute(this.empty, "hidden", this.#lines.length > 0);
    this.body.replaceChildren(...this.#lines.map((line) => row(line, balance, line.room && this.#wayTo(line.room))));
  }
}

function row({ at_ms: at, kind, change: by, balance }, of, way) {
  const cell = (name, ...inside) => el("td", { role: "cell", class: `purse-${name}` }, ...inside);
  const what = el("span", { text: () => say.kinds[kind]?.() ?? kind });
  return el(
    "tr",
    { role: "row", data: { testid: "statement-line" } },
    cell("when", el("time", { datetime: new Date(at).toISOString(), text: () => moment(at) })),
    cell("what", what, ...(way ? [" ", way] : [])),
    cell("change", el("span", { class: by < 0 ? "went" : "came", text: () => change(by, of) })),
    cell("balance", el("span", { text: () => bare(balance, of) })),
  );
}
