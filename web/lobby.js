/** The lobby page: what is played where, live, to be filtered, sorted and entered. */
import { el, setAttribute, setText } from "./dom.js";
import { chips, chipsShort, count, stakes } from "./format.js";
import { icon } from "./icons.js";
import { allStakes, applyDelta, bestSeat, listed, ORDERS, stakesKey, tablesFrom, totals } from "./lobby-list.js";

/** More rows than anybody reads would only make the page slow. */
const ROWS_STEP = 200;

const COLUMNS = [
  ["name", "Table"],
  ["stakes", "Stakes"],
  ["players", "Players"],
  ["pot", "Average pot", "Avg pot"],
  ["speed", "Hands/hour", "Hands/h"],
];

export class Lobby {
  #connection;
  #tables = new Map();
  #known = false;
  #rows = new Map();
  #rowsMax = ROWS_STEP;
  #wish = { text: "", stakes: "", free: false, order: "players", direction: "descending" };

  /**
   * @param {Connection} connection
   * @param {(room: string) => void} open goes to a table
   */
  constructor(connection, open) {
    this.#connection = connection;
    this.open = open;
    this.element = this.#build();
  }

  enter() {
    this.#connection.lobby(true);
    this.#render();
  }

  leave() {
    this.#connection.lobby(false);
  }

  /** Takes `lobby` and `lobby_delta`. */
  receive(message) {
    if (message.t === "lobby") this.#tables = tablesFrom(message);
    else applyDelta(this.#tables, message);
    this.#known = true;
    this.#render();
  }

  #build() {
    this.sums = el("p", { class: "lobby-sums" });
    this.quick = el("button", { class: "button primary", type: "button", text: "Play now", on: { click: () => this.#quickSeat() } });
    this.stakes = el("select", { "aria-label": "Stakes", on: { change: (e) => this.#want({ stakes: e.target.value }) } });
    this.body = el("tbody");
    this.more = el("button", { class: "button", type: "button", on: { click: () => this.#showMore() } });
    this.empty = el("p", { class: "lobby-empty", role: "status" });
    this.heads = COLUMNS.map(([key, title, short]) => this.#head(key, title, short));
    return el(
      "main",
      { class: "lobby", tabindex: -1, data: { testid: "lobby" } },
      el("div", { class: "lobby-top" }, el("div", {}, el("h1", { text: "Cash tables" }), this.sums), this.quick),
      this.#filters(),
      el(
        "table",
        { class: "lobby-table", role: "table" },
        el("caption", { class: "for-ears", text: "Tables. Follow a table's name to watch it or to sit down." }),
        el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...this.heads)),
        this.body,
      ),
      this.empty,
      this.more,
    );
  }

  #filters() {
    const text = el("input", {
      type: "search",
      placeholder: "Find a table",
      "aria-label": "Find a table by name or game",
      on: { input: (e) => this.#want({ text: e.target.value }) },
    });
    const free = el("input", { type: "checkbox", on: { change: (e) => this.#want({ free: e.target.checked }) } });
    return el(
      "div",
      { class: "lobby-filters", role: "search", "aria-label": "Tables" },
      el("label", { class: "field field-search" }, icon("search"), text),
      el("label", { class: "field" }, this.stakes),
      el("label", { class: "check" }, free, el("span", { text: "Seats free" })),
    );
  }

  #head(key, title, short = title) {
    const button = el(
      "button",
      { type: "button", on: { click: () => this.#sortBy(key) } },
      el("span", { class: "head-long", text: title }),
      el("span", { class: "head-short", text: short }),
    );
    return el("th", { scope: "col", role: "columnheader", class: `col-${key}`, data: { key } }, button);
  }

  #sortBy(key) {
    const { order, direction } = this.#wish;
    const other = direction === "ascending" ? "descending" : "ascending";
    this.#want({ order: key, direction: order === key ? other : ORDERS[key].first });
  }

  #want(change) {
    Object.assign(this.#wish, change);
    this.#rowsMax = ROWS_STEP;
    this.#render();
  }

  #showMore() {
    this.#rowsMax += ROWS_STEP;
    this.#render();
  }

  #quickSeat() {
    const table = bestSeat(this.#tables);
    if (table) this.open(table.room);
  }

  #render() {
    const { tables, players, hands } = totals(this.#tables);
    const sums = [count(tables, "table"), count(players, "player")];
    if (hands > 0) sums.push(`${count(hands, "hand")} an hour`);
    setText(this.sums, this.#known ? sums.join(", ") : "Looking around the room");
    this.quick.disabled = bestSeat(this.#tables) === null;
    this.#renderStakes();
    for (const head of this.heads) {
      setAttribute(head, "aria-sort", head.dataset.key === this.#wish.order ? this.#wish.direction : null);
    }
    const all = listed(this.#tables, this.#wish);
    this.#renderRows(all.slice(0, this.#rowsMax));
    setText(this.empty, this.#known && all.length === 0 ? "No table fits. Take a filter away." : "");
    this.more.hidden = all.length <= this.#rowsMax;
    setText(this.more, `Show more of ${count(all.length, "table")}`);
  }

  #renderStakes() {
    const played = allStakes(this.#tables);
    const keys = ["", ...played.map(stakesKey)].join();
    if (this.stakes.dataset.keys === keys) return;
    this.stakes.dataset.keys = keys;
    const options = played.map((table) =>
      el("option", { value: stakesKey(table), text: stakes(table.small_blind, table.big_blind) }),
    );
    this.stakes.replaceChildren(el("option", { value: "", text: "All stakes" }), ...options);
    this.stakes.value = this.#wish.stakes;
  }

  /** Rows keep their elements, so that focus stays where it is while numbers change. */
  #renderRows(tables) {
    const rows = new Map(tables.map((table) => [table.room, this.#rows.get(table.room) ?? new Row(table.room, this.open)]));
    for (const [room, row] of this.#rows) if (!rows.has(room)) row.element.remove();
    this.#rows = rows;
    let next = this.body.firstChild;
    for (const table of tables) {
      const row = rows.get(table.room);
      row.show(table);
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
      cell("stakes", "", this.stakes, this.buyIn),
      cell("players", "", this.seats, this.players, this.waiting),
      cell("pot", "Average pot", this.pot),
      cell("speed", "Hands/hour", this.speed),
    );
  }

  show(table) {
    setText(this.link, table.name);
    setText(this.game, table.game);
    setText(this.stakes, stakes(table.small_blind, table.big_blind));
    setText(this.buyIn, `Buy-in ${chipsShort(table.buy_in_min)} to ${chipsShort(table.buy_in_max)}`);
    this.#showSeats(table);
    setText(this.waiting, table.waiting ? `${table.waiting} waiting` : "");
    setText(this.pot, table.average_pot ? chips(table.average_pot) : "–");
    setText(this.speed, table.hands_per_hour ? chips(table.hands_per_hour) : "–");
    this.element.classList.toggle("full", table.taken >= table.seats);
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
  return el("td", { role: "cell", class: `col-${column}`, data: { label } }, ...children);
}
