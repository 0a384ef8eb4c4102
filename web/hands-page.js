/** A list of hands that are over: my own, with filters and what they have come to, or the last ones of a table. Each leads to the hand itself. */
import { learn } from "./currencies.js";
import { el, retell, setAttribute, setText } from "./dom.js";
import { chips } from "./format.js";
import { HandRows, played } from "./hand-rows.js";
import { bare, change } from "./money.js";
import { isolated } from "./names.js";
import { say } from "./phrases/history.js";
import { say as sayOfHouse } from "./phrases/house.js";
import { language, onLanguage } from "./phrases/language.js";
import { drawWinnings } from "./winnings.js";

const PAGE = 100;
const DAY_MS = 24 * 60 * 60_000;
/** Since when, by the names of the choices; for ever is none. */
const SINCE = { ever: null, day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS };
/** Who types is asked for what is meant so long after the last digit. */
const TYPED_MS = 300;

export class HandsPage {
  #api;
  #room;
  #filter = { room: "", game: "", since: "ever", min_pot: "" };
  #hands = [];
  #before = null;
  /** So that a late answer does not come into another list. */
  #asks = 0;
  #typing = null;
  #scrollTop = 0;
  /** The link to the hand that was gone to, if the keyboard was on it. */
  #followed = null;
  /** What there is to choose from: what has been seen. */
  #rooms = new Map();
  #games = new Map();

  /** @param {HistoryApi} api @param {string|null} room whose last hands are listed; null: my own */
  constructor(api, room) {
    this.#api = api;
    this.#room = room;
    this.element = this.#build();
    onLanguage(() => retell(this.element));
  }

  /** For the window's title. */
  get name() {
    return say.pageTitle();
  }

  /** What was read stays there, and where one was in it. */
  enter() {
    this.element.scrollTop = this.#scrollTop;
    // Whoever shows a page gives it the focus first.
    queueMicrotask(() => this.#followed?.focus({ preventScroll: true }));
    this.#ask(true);
  }

  leave() {
    this.#scrollTop = this.element.scrollTop;
    const { activeElement } = document;
    this.#followed = this.rows.element.contains(activeElement) ? activeElement : null;
    this.#asks += 1;
  }

  #build() {
    this.error = el("p", { class: "field-error", role: "alert" });
    this.graph = el("div", {});
    this.stats = el("dl", { class: "hands-stats", "aria-label": say.stats.title, hidden: true, data: { testid: "hands-stats" } });
    this.empty = el("p", { class: "lobby-empty", role: "status", hidden: true });
    this.more = el("button", { class: "button", type: "button", text: say.earlier, hidden: true, data: { testid: "hands-more" }, on: { click: () => this.#ask(false) } });
    const isOwn = this.#room === null;
    this.rows = new HandRows(isOwn);
    this.title = el("h1", { text: say.own });
    const room = this.#room;
    const other = isOwn ? el("a", { class: "button", href: "#/", text: say.toTables }) : el("a", { class: "button", href: `#/table/${room}`, text: say.toTable });
    return el(
      "main",
      { class: "lobby hands-page", tabindex: -1, data: { testid: "hands" } },
      el("div", { class: "lobby-top" }, this.title, el("div", { class: "lobby-actions" }, isOwn ? null : el("a", { class: "button", href: "#/hands", text: say.own }), other)),
      isOwn ? this.#filters() : null,
      this.error,
      this.graph,
      isOwn ? this.stats : null,
      this.rows.element,
      this.empty,
      this.more,
    );
  }

  #filters() {
    const chosen = (name) => (event) => this.#want({ [name]: event.target.value });
    this.byTable = el("select", { "aria-label": say.table, on: { change: chosen("room") } });
    this.byGame = el("select", { "aria-label": say.game, on: { change: chosen("game") } });
    const since = el("select", { "aria-label": say.when, data: { testid: "hands-since" }, on: { change: chosen("since") } }, ...Object.keys(SINCE).map((name) => el("option", { value: name, text: say.since[name] })));
    const pot = el("input", { type: "number", min: 0, step: "any", inputmode: "decimal", placeholder: say.leastPot, "aria-label": say.leastPot, data: { testid: "hands-pot" }, on: { input: (event) => this.#typed(event.target.value) } });
    return el(
      "div",
      { class: "lobby-filters", role: "search", "aria-label": say.own },
      ...[this.byTable, this.byGame, since, pot].map((it) => el("label", { class: "field" }, it)),
    );
  }

  #typed(text) {
    clearTimeout(this.#typing);
    const least = /^\d{1,12}(\.\d{1,4})?$/.test(text) ? String(Math.ceil(Number(text) * 10 ** this.#digits)) : "";
    this.#typing = setTimeout(() => this.#want({ min_pot: least }), TYPED_MS);
  }

  #want(other) {
    Object.assign(this.#filter, other);
    this.#hands = [];
    this.#ask(true);
  }

  async #ask(fromTheTop) {
    const asks = (this.#asks += 1);
    try {
      const { hands, before = null } = this.#room === null ? await this.#api.own(this.#wish(fromTheTop)) : await this.#api.ofTable(this.#room);
      if (asks !== this.#asks) return;
      this.#take(hands, before, fromTheTop);
      setText(this.error, "");
      this.#draw();
      if (fromTheTop && this.#room === null) await this.#askStats(asks);
    } catch (error) {
      if (asks === this.#asks) setText(this.error, error.tell ?? sayOfHouse.receptionSilent);
    }
  }

  /** What I have done: of a game and a time. Of a table, or of large pots, nobody counts it. */
  async #askStats(asks) {
    const { room, min_pot, game: name } = this.#filter;
    const counts = room === "" && min_pot === "";
    const { all, games } = counts ? await this.#api.stats({ game: name, from: this.#since() }) : { all: null };
    if (asks !== this.#asks) return;
    setAttribute(this.stats, "hidden", !all || all.hands === 0);
    if (all) this.stats.replaceChildren(...figures(all, raked(games)));
  }

  /** In what amounts are typed: where hands were for several kinds of chips, in the smallest unit of each. */
  get #digits() {
    const seen = new Set([...this.#games.values()].map(({ digits }) => digits));
    return seen.size === 1 ? [...seen][0] : 0;
  }

  #since() {
    const since = SINCE[this.#filter.since];
    return since === null ? "" : Date.now() - since;
  }

  /** New hands come above those that are there, if they meet. */
  #take(hands, before, fromTheTop) {
    learn(hands);
    const known = new Set(this.#hands.map(({ id }) => id));
    const meets = hands.some(({ id }) => known.has(id));
    if (!fromTheTop) this.#hands.push(...hands);
    else if (meets) this.#hands.unshift(...hands.slice(0, hands.findIndex(({ id }) => known.has(id))));
    else this.#hands = hands;
    if (!fromTheTop || !meets) this.#before = before;
  }

  #wish(fromTheTop) {
    const { room, game: name, min_pot } = this.#filter;
    return { room, game: name, min_pot, from: this.#since(), before: fromTheTop ? "" : this.#before, limit: PAGE };
  }

  #draw() {
    // Whoever is at the top sees what comes there; for others nothing moves.
    const stays = this.element.scrollTop > 0 ? this.rows.first : null;
    const stood = stays?.getBoundingClientRect().top;
    const isOwn = this.#room === null;
    if (isOwn) this.#drawChoices();
    else if (this.#hands.length > 0) {
      const [{ table }] = this.#hands;
      setText(this.title, () => say.atTable(isolated(table)));
    }
    this.graph.replaceChildren(...(isOwn ? [drawWinnings(this.#hands)] : []).filter(Boolean));
    this.rows.show(this.#hands);
    const isFiltered = Object.entries(this.#filter).some(([name, value]) => value !== "" && !(name === "since" && value === "ever"));
    setText(this.empty, isFiltered ? say.noneFits : say.none);
    setAttribute(this.empty, "hidden", this.#hands.length > 0);
    setAttribute(this.rows.element, "hidden", this.#hands.length === 0);
    setAttribute(this.more, "hidden", this.#before === null);
    if (stays?.isConnected) this.element.scrollTop += stays.getBoundingClientRect().top - stood;
  }

  #drawChoices() {
    for (const hand of this.#hands) {
      this.#rooms.set(hand.room, hand.table);
      this.#games.set(hand.game, hand);
    }
    const options = (select, all, choices, chosen) => {
      if (select.options.length === choices.length + 1) return;
      select.replaceChildren(el("option", { value: "", text: all }), ...choices.map(([value, text]) => el("option", { value, text })));
      select.value = chosen;
    };
    options(this.byTable, say.allTables, [...this.#rooms], this.#filter.room);
    options(this.byGame, say.allGames, [...this.#games].map(([name, hand]) => [name, () => played(hand)]), this.#filter.game);
  }
}

/** Shares, and what is none, by the names of reception; of what there was nothing of there is a dash. */
const RATES = ["vpip", "pfr", "three_bet", "wtsd", "wsd"];

/** What the house has taken of me, where all chips are of one kind; null where it took nothing, or of several kinds. */
function raked(games) {
  const kinds = new Set(games.map(({ currency, digits }) => `${currency} ${digits}`));
  const rake = games.reduce((sum, game) => sum + (game.rake ?? 0), 0);
  return kinds.size === 1 && rake > 0 ? { rake, digits: games[0].digits } : null;
}

function figures({ hands, rates }, taken) {
  const figure = (name, value) => el("div", {}, el("dt", { text: say.stats[name], title: say.statsHelp[name] }), el("dd", { text: value }));
  const share = (name) => figure(name, rates[name] === null ? "–" : () => percent(rates[name]));
  return [
    figure("hands", () => chips(hands)),
    ...RATES.map(share),
    figure("af", rates.af === null ? "–" : () => chips(rates.af)),
    figure("bb_100", rates.bb_100 === null ? "–" : () => change(Math.round(rates.bb_100 * 10), { digits: 1 })),
    ...(taken ? [figure("rake", () => bare(taken.rake, taken))] : []),
  ];
}

function percent(share) {
  return new Intl.NumberFormat(language(), { style: "percent" }).format(share);
}
