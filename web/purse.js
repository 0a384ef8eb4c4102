/**
 * What the player owns, as far as the page knows: the button in the head that shows it, and what tables ask of it. It comes where the
 * house keeps whose chips are whose, and nowhere else.
 *
 * Reception is asked when something has moved chips, and when the player comes back to the page: never by the clock.
 */
import { PurseApi } from "./purse-api.js";
import { learn } from "./currencies.js";
import { el, setAttribute, setText } from "./dom.js";
import { inPlay, money, moneyShort } from "./money.js";
import { say } from "./phrases/purse.js";
import { PursePage } from "./purse-page.js";
import { withSheet } from "./sheet.js";

const SHEET = import.meta.resolve("./style/purse.css");

/** What tables and tournaments tell comes in crowds. */
const GATHER_MS = 150;
/** Who comes back to the page a moment after leaving it is told nothing new. */
const FRESH_MS = 3_000;
/** A table hears at once that somebody has left, the ledger a moment later: it is asked so often again. */
const AGAIN_MAX = 5;

/**
 * @param {Identity} identity
 * @param {HTMLElement} before what it stands
 * @param {(room: string, q: object) => Promise<object|null>} question asks a room something
 */
export async function openPurse(identity, before, question) {
  await withSheet(SHEET);
  const purse = new Purse(new PurseApi(identity), question);
  before.before(purse.button);
  for (const woken of ["focus", "pageshow", "online"]) addEventListener(woken, () => purse.look());
  document.addEventListener("visibilitychange", () => document.hidden || purse.look());
  await purse.refresh();
  return purse;
}

export class Purse {
  #api;
  #question;
  #balances = [];
  #asked = -Infinity;
  #timer = null;
  #left = new Set();
  #again = 0;
  /** Of which currency the head shows what there is. */
  #shown = null;
  #listeners = new Set();
  #page = null;

  constructor(api, question) {
    this.#api = api;
    this.#question = question;
    this.amount = el("span", { class: "purse-amount" });
    this.inPlay = el("small", { class: "purse-in-play" });
    const chip = el("i", { class: "purse-chip", "aria-hidden": "true" });
    this.button = el("a", { class: "purse", href: "#/chips", hidden: true, data: { testid: "purse" } }, chip, el("span", { class: "for-ears", text: say.title }), " ", this.amount, " ", this.inPlay);
  }

  get api() {
    return this.#api;
  }

  /** Of each currency `{currency, digits, play, refill, refill_from_ms, available, frozen, in_play}`. */
  get balances() {
    return this.#balances;
  }

  /** What may be brought to a table that plays for `currency`; null where that is not known. */
  available(currency) {
    const balance = this.#of(currency);
    if (!balance) return null;
    return balance.frozen ? 0 : balance.available;
  }

  /** An amount of this currency in words. */
  tell(amount, currency) {
    const balance = this.#of(currency);
    return balance ? money(amount, balance) : String(amount);
  }

  /** Whether a room in which there are chips is a tournament: of all rooms these alone say who takes part. A room that is gone does not. */
  async isTournament(room) {
    return (await this.#question(room, { about: "me" }))?.about === "me";
  }

  /** The page of it. */
  get page() {
    return (this.#page ??= new PursePage(this));
  }

  /** Called after each answer; answers what ends that. */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The table that is shown plays for this, or none. */
  show(currency) {
    this.#shown = currency;
    this.#draw();
  }

  /** Something at a table or in a tournament has moved chips of the player, who has `left` it or not. */
  moved(room, left) {
    if (left) this.#left.add(room);
    else this.#left.delete(room);
    this.#again = 0;
    this.#soon(GATHER_MS);
  }

  /** The player is back. */
  look() {
    if (performance.now() - this.#asked > FRESH_MS) this.refresh();
  }

  /** Asks; what could not be had is asked for at the next occasion. */
  async refresh() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#asked = performance.now();
    try {
      ({ balances: this.#balances } = await this.#api.balances());
    } catch (error) {
      console.info("the balance has not come:", error);
      return;
    }
    learn(this.#balances);
    const isThere = (room) => this.#balances.some(({ in_play: tables }) => tables.some((table) => table.room === room));
    for (const room of this.#left) if (!isThere(room)) this.#left.delete(room);
    if (this.#left.size > 0 && this.#again < AGAIN_MAX) {
      this.#again += 1;
      this.#soon(GATHER_MS * 2 ** this.#again);
    }
    this.#draw();
    this.#listeners.forEach((listener) => listener());
  }

  #soon(ms) {
    this.#timer ??= setTimeout(() => this.refresh(), ms);
  }

  #of(currency) {
    return this.#balances.find((balance) => balance.currency === currency);
  }

  #draw() {
    const balance = this.#of(this.#shown) ?? this.#balances[0];
    setAttribute(this.button, "hidden", !balance);
    if (!balance) return;
    const atTables = inPlay(balance);
    setText(this.amount, () => moneyShort(balance.available, balance));
    setText(this.inPlay, atTables > 0 ? () => say.inPlayBrief(moneyShort(atTables, balance)) : "");
    const all = () => this.#balances.map((of) => say.have(money(of.available, of), money(inPlay(of), of))).join("\n");
    setAttribute(this.button, "title", all);
  }
}
