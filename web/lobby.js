/** The lobby page: what is played where, live, to be filtered, sorted and entered. */
import { amountIn } from "./currencies.js";
import { el, setAttribute, setText } from "./dom.js";
import { keepFocus } from "./focus.js";
import { chips, chipsShort, stakes } from "./format.js";
import { gameNamed, GAMES } from "./games.js";
import { icon } from "./icons.js";
import { CHIPS_MAX, FALLS, Listing, PAGE_ROWS, seatView, STAKES, viewOf, wishFrom } from "./lobby-list.js";
import { lobbyTabs } from "./lobby-tabs.js";
import { say } from "./phrases/lobby.js";
import { kept } from "./storage.js";

/** Somebody who types is asked for what is meant so long after the last letter. */
const TYPED_MS = 200;
/** Under which name a window keeps what is looked at. */
const KEPT = "cardhouse.lobby";
/** The protocol's numbers of views. */
const VIEWS = 256;

const COLUMNS = ["name", "blinds", "players", "pot", "speed"];

export class Lobby {
  #connection;
  #storage;
  #listing = new Listing();
  #wish;
  #view;
  /** Our number of it. */
  #v = 0;
  /** Whether its page has come. */
  #known = false;
  /** Who looks for a seat, and not at a page: takes the tables that are found; or null. */
  #seeks = null;
  #playNow;
  #rows = new Map();
  #typing = null;
  /** Opens a table of the player's own. */
  #opens = null;
  #scrollTop;

  /**
   * @param {Connection} connection
   * @param {(room: string) => void} open goes to a table
   * @param {Keep} storage keeps filters, order, page and place in it for as long as the window lives
   * @param {(find: (free: boolean, kind?: string) => Promise<object[]>, offered: () => (() => void)|null) => Promise<void>} playNow takes a seat at one of the
   *   tables that are found, or opens one as it was offered by then
   */
  constructor(connection, open, storage, playNow) {
    this.#playNow = playNow;
    this.#connection = connection;
    this.#storage = storage;
    this.open = open;
    const before = kept(storage, KEPT);
    this.#wish = wishFrom(before?.wish);
    this.#scrollTop = Number(before?.scrollTop) || 0;
    this.element = this.#build();
    this.#showWish();
    addEventListener("pagehide", () => this.#keep());
  }

  enter() {
    this.#look(viewOf(this.#wish));
    this.#render();
    this.element.scrollTop = this.#scrollTop;
  }

  leave() {
    this.#keep();
    this.#seeks?.([]);
    this.#seeks = null;
    this.#listing.release();
    this.#connection.lobby(null);
  }

  /** @param {(() => void)|null} opens what opens a table of the player's own; null: there are none in this house */
  offer(opens) {
    this.#opens = opens;
    setAttribute(this.create, "hidden", opens === null);
  }

  /** Takes `lobby` and `lobby_delta`. */
  receive(message) {
    if (!this.#view) return; // Nothing has been asked for yet.
    if (message.v !== undefined && message.v !== this.#v) return; // Of a view that is not looked at any more.
    this.#listing.take(message, this.#view);
    if (this.#seeks) return this.#found();
    const isFirst = !this.#known;
    this.#known = true;
    const { total } = this.#listing;
    if (total > 0 && this.#wish.page * PAGE_ROWS >= total) return this.#turnTo(Math.ceil(total / PAGE_ROWS) - 1);
    this.#render();
    if (isFirst) this.element.scrollTop = this.#scrollTop;
    return undefined;
  }

  #build() {
    this.sums = el("p", { class: "lobby-sums" });
    this.quick = el("button", { class: "button primary", type: "button", text: say.playNow, data: { testid: "play-now" }, on: { click: () => this.#seekSeat() } });
    this.create = el("button", { class: "button", type: "button", hidden: true, text: say.openTable, data: { testid: "open-own" }, on: { click: () => this.#opens?.() } });
    /** Leads to hands that are over, in a house that may keep them. */
    this.hands = el("a", { class: "button", href: "#/hands", text: say.hands, hidden: true, data: { testid: "to-hands" } });
    this.body = el("tbody", { on: this.#holding() });
    this.empty = el("p", { class: "lobby-empty", role: "status" });
    this.heads = COLUMNS.map((key) => this.#head(key));
    return el(
      "main",
      { class: "lobby", tabindex: -1, data: { testid: "lobby" } },
      lobbyTabs("cash").element,
      el("div", { class: "lobby-top" }, el("div", {}, el("h1", { class: "for-ears", text: say.title }), this.sums), el("div", { class: "lobby-actions" }, this.hands, this.create, this.quick)),
      this.#filters(),
      el(
        "table",
        { class: "table-frame lobby-table", role: "table" },
        el("caption", { class: "for-ears", text: say.caption }),
        el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...this.heads)),
        this.body,
      ),
      this.empty,
      this.#pager(),
    );
  }

  /** Whoever is about to choose a row finds it where it was: nothing moves while the pointer is over the rows, or a finger on them. */
  #holding() {
    const isFinger = (e) => e.pointerType === "touch";
    const release = () => {
      this.#listing.release();
      this.#render();
    };
    return {
      pointerenter: (e) => isFinger(e) || this.#listing.hold(),
      pointermove: (e) => isFinger(e) || this.#listing.hold(),
      pointerleave: release,
      pointerdown: (e) => isFinger(e) && this.#listing.hold(),
      pointerup: (e) => isFinger(e) && release(),
      pointercancel: release,
    };
  }

  #filters() {
    this.text = el("input", {
      type: "search",
      maxlength: 60,
      placeholder: say.find,
      "aria-label": say.findBy,
      on: { input: () => this.#typed() },
    });
    this.game = choice(say.game, [["", say.allGames], ...GAMES.map((game) => [game, () => gameNamed(game)])], (game) => this.#want({ game }));
    this.stakes = choice(say.column.blinds, STAKES.map(({ key, bb }) => [key, () => stakesBetween(bb)]), (key) => this.#want({ stakes: key }));
    this.free = el("input", { type: "checkbox", on: { change: (e) => this.#want({ free: e.target.checked }) } });
    return el(
      "div",
      { class: "lobby-filters", role: "search", "aria-label": say.tables },
      el("label", { class: "field field-search" }, icon("search"), this.text),
      el("label", { class: "field" }, this.game),
      el("label", { class: "field" }, this.stakes),
      el("label", { class: "check" }, this.free, el("span", { text: say.free })),
    );
  }

  #pager() {
    const turn = (by) => () => this.#turnTo(this.#wish.page + by);
    this.earlier = el("button", { class: "button", type: "button", text: say.earlier, on: { click: turn(-1) } });
    this.later = el("button", { class: "button", type: "button", text: say.later, on: { click: turn(1) } });
    this.where = el("span", { class: "lobby-where" });
    this.pager = el("nav", { class: "lobby-pager", "aria-label": say.pages }, this.earlier, this.where, this.later);
    return this.pager;
  }

  #head(key) {
    const button = el(
      "button",
      { type: "button", on: { click: () => this.#sortBy(key) } },
      el("span", { class: "head-long", text: say.column[key] }),
      el("span", { class: "head-short", text: say.columnShort[key] }),
    );
    return el("th", { scope: "col", role: "columnheader", class: `col-${key}`, data: { key } }, button);
  }

  #sortBy(key) {
    const { sort, desc } = this.#wish;
    this.#want({ sort: key, desc: sort === key ? !desc : FALLS[key] });
  }

  #typed() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#want({ text: this.text.value }), TYPED_MS);
  }

  /** Another wish begins at its first page. */
  #want(change) {
    this.#go({ ...change, page: 0 });
  }

  #turnTo(page) {
    this.#go({ page: Math.max(0, page) });
  }

  #go(change) {
    Object.assign(this.#wish, change);
    this.#scrollTop = 0;
    this.#keep();
    this.#look(viewOf(this.#wish));
    this.#render();
  }

  /** Asks for a view. What is shown stays until its page comes. */
  #look(view) {
    this.#v = (this.#v + 1) % VIEWS;
    this.#view = view;
    this.#known = false;
    this.#listing.forget();
    this.#connection.lobby({ v: this.#v, view });
  }

  #keep() {
    if (this.element.isConnected && this.#known) this.#scrollTop = this.element.scrollTop;
    this.#storage.setItem(KEPT, JSON.stringify({ wish: this.#wish, scrollTop: this.#scrollTop }));
  }

  /** A seat of the game and the stakes that are looked at, wherever there is one. */
  async #seekSeat() {
    this.quick.disabled = true;
    const find = (free, kind) => this.#find(seatView(this.#wish, free, kind));
    await this.#playNow(find, () => this.#opens);
    this.quick.disabled = false;
    if (this.element.isConnected) this.#look(viewOf(this.#wish));
  }

  /** The tables of a view. What is shown stays. */
  #find(view) {
    return new Promise((resolve) => {
      this.#seeks?.([]);
      this.#seeks = resolve;
      if (this.element.isConnected) this.#look(view);
      else this.#found();
    });
  }

  #found() {
    const seeks = this.#seeks;
    this.#seeks = null;
    const rows = this.#listing.shown().map(({ row }) => row);
    // What is told of that view from now on is not for the page.
    this.#view = null;
    seeks?.(rows);
  }

  /** The fields as the wish says. */
  #showWish() {
    this.text.value = this.#wish.text;
    this.game.value = this.#wish.game;
    this.stakes.value = this.#wish.stakes;
    this.free.checked = this.#wish.free;
  }

  #render() {
    const { total, players } = this.#listing;
    if (this.#known) setText(this.sums, () => say.sums(total, players));
    else if (this.#rows.size === 0) setText(this.sums, say.looking);
    for (const head of this.heads) {
      const direction = this.#wish.desc ? "descending" : "ascending";
      setAttribute(head, "aria-sort", head.dataset.key === this.#wish.sort ? direction : null);
    }
    if (!this.#known) return;
    const focusIsKept = keepFocus(this.element, this.element);
    const shown = this.#listing.shown();
    this.#renderRows(shown);
    setText(this.empty, shown.length > 0 ? "" : this.#whyEmpty());
    const first = this.#wish.page * PAGE_ROWS;
    this.pager.hidden = total <= PAGE_ROWS;
    this.earlier.disabled = first === 0;
    this.later.disabled = first + PAGE_ROWS >= total;
    setText(this.where, () => say.where(first + 1, Math.min(first + PAGE_ROWS, total), total));
    focusIsKept();
  }

  #whyEmpty() {
    const { text, game, stakes: key, free } = this.#wish;
    return text || game || key || free ? say.nothingFits : say.nothingOpen;
  }

  /** Rows keep their elements, so that focus stays where it is while numbers change. */
  #renderRows(shown) {
    const rows = new Map(shown.map(({ row: { room } }) => [room, this.#rows.get(room) ?? new Row(room, this.open)]));
    for (const [room, row] of this.#rows) if (!rows.has(room)) row.element.remove();
    this.#rows = rows;
    let next = this.body.firstChild;
    for (const { row: table, gone } of shown) {
      const row = rows.get(table.room);
      row.show(table, gone);
      if (row.element === next) next = next.nextSibling;
      else this.body.insertBefore(row.element, next);
    }
  }
}

class Row {
  constructor(room, open) {
    this.link = el("a", { href: `#/table/${room}` });
    this.game = el("span", { class: "row-game" });
    this.buyIn = el("span", { class: "row-game" });
    this.stakes = el("span");
    this.seats = el("span", { class: "row-seats", "aria-hidden": "true" });
    this.players = el("span", { class: "row-players" });
    this.waiting = el("span", { class: "row-game" });
    this.pot = el("span");
    this.speed = el("span");
    this.element = el(
      "tr",
      { role: "row", data: { testid: "lobby-row", room }, on: { click: () => open(room) } },
      el("th", { scope: "row", role: "rowheader", class: "col-name" }, this.link, this.game),
      cell("blinds", null, this.stakes, this.buyIn),
      cell("players", null, this.seats, this.players, this.waiting),
      cell("pot", say.column.pot, this.pot),
      cell("speed", say.column.speed, this.speed),
    );
  }

  show(table, gone) {
    setText(this.link, table.name);
    setText(this.game, () => gameNamed(table.game));
    const of = (amount) => amountIn(table.currency, amount);
    setText(this.stakes, () => stakes(of(table.small_blind), of(table.big_blind)));
    setText(this.buyIn, () => say.buyIn(of(table.buy_in_min), of(table.buy_in_max)));
    this.#showSeats(table);
    const { in_line: line, waiting } = table;
    setText(this.waiting, line ? () => say.inLine(line) : waiting ? () => say.waiting(waiting) : "");
    setText(this.pot, table.average_pot ? () => chipsShort(of(table.average_pot)) : "–");
    setText(this.speed, table.hands_per_hour ? () => chips(table.hands_per_hour) : "–");
    this.element.classList.toggle("full", table.taken >= table.seats);
    this.element.classList.toggle("gone", gone);
  }

  #showSeats({ taken, seats }) {
    setText(this.players, `${taken}/${seats}`);
    if (this.seats.children.length !== seats) {
      this.seats.replaceChildren(...Array.from({ length: seats }, () => el("i")));
    }
    [...this.seats.children].forEach((dot, at) => dot.classList.toggle("taken", at < taken));
  }
}

function cell(column, label, ...children) {
  return el("td", { role: "cell", class: `col-${column}`, "data-label": label ?? "" }, ...children);
}

function stakesBetween(bb) {
  if (bb === null) return say.allStakes();
  const [from, to] = bb;
  if (to === CHIPS_MAX) return say.stakesAbove(from - 1);
  return from === 0 ? say.stakesTo(to) : say.stakesBetween(from, to);
}

/** A list to choose from. @param {[string, () => string][]} options */
export function choice(label, options, chosen) {
  const items = options.map(([value, text]) => el("option", { value, text }));
  return el("select", { "aria-label": label, on: { change: (e) => chosen(e.target.value) } }, ...items);
}
