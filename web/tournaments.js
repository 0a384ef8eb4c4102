/** The pages of tournaments: which there are, and one of them. They come when they are asked for. */
import { costTold } from "./contest-chips.js";
import { contestOf } from "./contest.js";
import { amountIn } from "./currencies.js";
import { el, setAttribute, setText } from "./dom.js";
import { chips, moment } from "./format.js";
import { gameNamed, GAMES } from "./games.js";
import { icon } from "./icons.js";
import { choice } from "./lobby.js";
import { contestView } from "./contest-list.js";
import { Listing, PAGE_ROWS } from "./lobby-list.js";
import { lobbyTabs } from "./lobby-tabs.js";
import { Nowhere } from "./nowhere.js";
import { say as sayOfLobby } from "./phrases/lobby.js";
import { say } from "./phrases/tournament.js";
import { withSheet } from "./sheet.js";
import { TournamentPage } from "./tournament-page.js";

/** Which list stands where. */
const LISTS = { "#/sit-and-gos": "sng", "#/tournaments": "mtt" };
/** Somebody who types is asked for what is meant so long after the last letter. */
const TYPED_MS = 200;
/** The protocol's numbers of views. */
const VIEWS = 256;

/**
 * @param {object} parts
 * @param {Connection} parts.connection
 * @param {Identity} parts.identity
 * @param {() => string} parts.me my user
 * @param {() => Purse|null} parts.purse what I own, where the house keeps it
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
    if (Object.hasOwn(LISTS, hash)) return this.list.of(LISTS[hash]);
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
  #wish = { kind: "sng", text: "", game: "", open: false, page: 0 };
  #typing = null;

  constructor(connection) {
    this.#connection = connection;
    this.body = el("ul", { class: "contest-rows" });
    this.empty = el("p", { class: "lobby-empty", role: "status" });
    this.title = el("h1", { class: "for-ears" });
    this.tabs = lobbyTabs("sng");
    this.element = el(
      "main",
      { class: "lobby contests", tabindex: -1, data: { testid: "tournaments" } },
      this.tabs.element,
      this.title,
      this.#filters(),
      this.body,
      this.empty,
      this.#pager(),
    );
  }

  #filters() {
    this.text = el("input", { type: "search", maxlength: 60, placeholder: say.find, "aria-label": say.findBy, data: { testid: "find-tournament" }, on: { input: () => this.#typed() } });
    const game = choice(sayOfLobby.game, [["", sayOfLobby.allGames], ...GAMES.map((it) => [it, () => gameNamed(it)])], (it) => this.#want({ game: it }));
    const open = el("input", { type: "checkbox", data: { testid: "open-tournaments" }, on: { change: (e) => this.#want({ open: e.target.checked }) } });
    return el(
      "div",
      { class: "lobby-filters", role: "search", "aria-label": say.title },
      el("label", { class: "field field-search" }, icon("search"), this.text),
      el("label", { class: "field" }, game),
      el("label", { class: "check" }, open, el("span", { text: say.placesFree })),
    );
  }

  #pager() {
    const turn = (by) => () => this.#go({ page: Math.max(0, this.#wish.page + by) });
    this.earlier = el("button", { class: "button", type: "button", text: sayOfLobby.earlier, on: { click: turn(-1) } });
    this.later = el("button", { class: "button", type: "button", text: sayOfLobby.later, on: { click: turn(1) } });
    this.where = el("span", { class: "lobby-where" });
    this.pager = el("nav", { class: "lobby-pager", "aria-label": say.pages, hidden: true }, this.earlier, this.where, this.later);
    return this.pager;
  }

  /** For the window's title. */
  get name() {
    return this.#wish.kind === "sng" ? say.sitAndGo() : say.title();
  }

  /** @param {"sng"|"mtt"} kind of which it is the list when it is shown next */
  of(kind) {
    if (kind !== this.#wish.kind) Object.assign(this.#wish, { kind, page: 0 });
    return this;
  }

  enter() {
    const { kind } = this.#wish;
    this.tabs.show(kind);
    setText(this.title, kind === "sng" ? say.sitAndGo : say.title);
    this.#go({});
  }

  leave() {
    clearTimeout(this.#typing);
    this.#connection.lobby(null);
  }

  /** Takes `lobby` and `lobby_delta`. */
  receive(message) {
    if (message.v !== this.#v) return;
    this.#listing.take(message, this.#view);
    const { total } = this.#listing;
    if (total > 0 && this.#wish.page * PAGE_ROWS >= total) this.#go({ page: Math.ceil(total / PAGE_ROWS) - 1 });
    else this.#render();
  }

  #typed() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#want({ text: this.text.value }), TYPED_MS);
  }

  /** Another wish begins at its first page. */
  #want(change) {
    this.#go({ ...change, page: 0 });
  }

  #go(change) {
    Object.assign(this.#wish, change);
    this.#v = (this.#v + 1) % VIEWS;
    this.#view = contestView(this.#wish);
    this.#connection.lobby({ v: this.#v, view: this.#view });
  }

  #render() {
    const { total } = this.#listing;
    // Those that one can still enter stand first.
    const shown = this.#listing.shown().map(({ row }) => row).sort((a, b) => Number(b.open ?? false) - Number(a.open ?? false));
    const rows = new Map(shown.map((row) => [row.room, this.#rows.get(row.room) ?? new Row(row.room)]));
    shown.forEach((row) => rows.get(row.room).show(row));
    const elements = shown.map(({ room }) => rows.get(room).element);
    const isSame = elements.length === this.body.children.length && elements.every((element, at) => element === this.body.children[at]);
    if (!isSame) this.body.replaceChildren(...elements);
    this.#rows = rows;
    const { text, game, open, page } = this.#wish;
    setText(this.empty, shown.length > 0 ? "" : text || game || open ? say.nothingFits : say.none);
    const first = page * PAGE_ROWS;
    setAttribute(this.pager, "hidden", total <= PAGE_ROWS);
    this.earlier.disabled = first === 0;
    this.later.disabled = first + PAGE_ROWS >= total;
    setText(this.where, () => sayOfLobby.where(first + 1, Math.min(first + PAGE_ROWS, total), total));
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

  show({ name, buy_in, currency, fee, pool, taken, seats, phase, open, starts_ms }) {
    setText(this.link, name);
    const cost = () => costTold({ buy_in, currency, fee });
    setText(this.about, () => (pool > 0 ? say.about(cost(), chips(amountIn(currency, pool))) : say.buyIn(cost())));
    setText(this.entries, `${taken}/${seats}`);
    const begins = starts_ms && phase === "registering" ? () => say.begins(moment(starts_ms)) : null;
    setText(this.phase, begins ?? (open ? say.phase.registering : (say.phase[phase] ?? say.phase.running)));
  }
}
