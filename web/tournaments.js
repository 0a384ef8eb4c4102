/** The pages of tournaments: which there are, and one of them. They come when they are asked for. */
import { contestOf } from "./contest.js";
import { el, setText } from "./dom.js";
import { chips, moment } from "./format.js";
import { Listing } from "./lobby-list.js";
import { Nowhere } from "./nowhere.js";
import { say } from "./phrases/tournament.js";
import { withSheet } from "./sheet.js";
import { TournamentPage } from "./tournament-page.js";

/** Rows of a list. */
const ROWS = 50;
/** The protocol's numbers of views. */
const VIEWS = 256;

/**
 * @param {object} parts
 * @param {Connection} parts.connection
 * @param {() => string} parts.me my user
 * @param {Toasts} parts.toasts
 * @param {(room: string) => void} parts.seat shows a table at which I have been given a seat
 */
export async function tournaments(parts) {
  await withSheet(import.meta.resolve("./style/tournament.css"));
  return new Tournaments(parts);
}

class Tournaments {
  #parts;
  #pages = new Map();
  #nowhere = new Nowhere();

  constructor(parts) {
    this.#parts = parts;
    this.list = new TournamentList(parts.connection);
  }

  /** @returns {object} the page that the address names, be it that there is none */
  pageOf(hash) {
    if (hash === "#/tournaments") return this.list;
    const [, room] = /^#\/tournament\/([\w.-]{1,40})$/.exec(hash) ?? [];
    if (!room) return this.#nowhere;
    if (!this.#pages.has(room)) this.#pages.set(room, new TournamentPage(room, this.#parts));
    return this.#pages.get(room);
  }

  /** A room has closed, or there is none. */
  close(room) {
    contestOf(this.#parts.connection, room).close();
  }
}

class TournamentList {
  #connection;
  #listing = new Listing();
  #v = 0;
  #view = null;
  #rows = new Map();

  constructor(connection) {
    this.#connection = connection;
    this.body = el("ul", { class: "contest-rows" });
    this.empty = el("p", { class: "lobby-empty", role: "status" });
    const tab = (kind, text) => el("button", { class: "button", type: "button", text, data: { kind }, on: { click: () => this.#look(kind) } });
    this.tabs = [tab("sng", say.sitAndGo), tab("mtt", say.scheduled)];
    this.element = el(
      "main",
      { class: "lobby contests", tabindex: -1, data: { testid: "tournaments" } },
      el("div", { class: "lobby-top" }, el("h1", { text: say.title }), el("a", { class: "button", href: "#/", text: say.cashTables })),
      el("div", { class: "contest-tabs", role: "group", "aria-label": say.title }, ...this.tabs),
      this.body,
      this.empty,
    );
  }

  /** For the window's title. */
  get name() {
    return say.title();
  }

  enter() {
    this.#look(this.#view?.kind ?? "sng");
  }

  leave() {
    this.#connection.lobby(null);
  }

  /** Takes `lobby` and `lobby_delta`. */
  receive(message) {
    if (message.v !== this.#v) return;
    this.#listing.take(message, this.#view);
    this.#render();
  }

  #look(kind) {
    this.#v = (this.#v + 1) % VIEWS;
    this.#view = { kind, sort: kind === "mtt" ? "starts" : "players", desc: kind !== "mtt", from: 0, count: ROWS };
    this.tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.dataset.kind === kind)));
    this.#connection.lobby({ v: this.#v, view: this.#view });
  }

  #render() {
    // Those that one can still enter stand first.
    const shown = this.#listing.shown().map(({ row }) => row).sort((a, b) => Number(b.open ?? false) - Number(a.open ?? false));
    const rows = new Map(shown.map((row) => [row.room, this.#rows.get(row.room) ?? new Row(row.room)]));
    shown.forEach((row) => rows.get(row.room).show(row));
    const elements = shown.map(({ room }) => rows.get(room).element);
    const isSame = elements.length === this.body.children.length && elements.every((element, at) => element === this.body.children[at]);
    if (!isSame) this.body.replaceChildren(...elements);
    this.#rows = rows;
    setText(this.empty, shown.length === 0 ? say.none : "");
  }
}

class Row {
  constructor(room) {
    this.link = el("a", { href: `#/tournament/${room}` });
    this.about = el("span", { class: "row-game" });
    this.entries = el("span", { class: "contest-entries" });
    this.phase = el("span", { class: "contest-phase" });
    this.element = el("li", { data: { testid: "tournament-row", room } }, el("div", {}, this.link, this.about), this.entries, this.phase);
  }

  show({ name, buy_in, pool, taken, seats, phase, open, starts_ms }) {
    setText(this.link, name);
    setText(this.about, () => (pool > 0 ? say.about(chips(buy_in), chips(pool)) : say.buyIn(chips(buy_in))));
    setText(this.entries, `${taken}/${seats}`);
    const begins = starts_ms && phase === "registering" ? () => say.begins(moment(starts_ms)) : null;
    setText(this.phase, begins ?? (open ? say.phase.registering : (say.phase[phase] ?? say.phase.running)));
  }
}
