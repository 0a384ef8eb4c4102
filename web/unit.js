/** Chips as a player wants to read them: as they are, or in big blinds. */
import { amountIn, digitsOf } from "./currencies.js";
import { chips, chipsBrief, chipsShort } from "./format.js";

/** From here on parts of a big blind say nothing. */
const WHOLE_FROM = 1_000;

export class Unit {
  #bigBlind;
  #currency;

  /**
   * @param {number|null} bigBlind null counts chips
   * @param {string|null} currency what the chips are, if they are somebody's
   */
  constructor(bigBlind = null, currency = null) {
    this.#bigBlind = bigBlind;
    this.#currency = currency;
  }

  get isBlinds() {
    return this.#bigBlind !== null;
  }

  /** `12,345`, `123.5 BB`. */
  full(amount) {
    return this.#words(amount, chips);
  }

  /** The same where there is less room. */
  short(amount) {
    return this.#words(amount, chipsShort);
  }

  /** The same where there is hardly any: what is counted must be told beside it. */
  brief(amount) {
    if (this.#bigBlind === null) return chipsBrief(this.amount(amount));
    const blinds = amount / this.#bigBlind;
    return chipsBrief(blinds < WHOLE_FROM ? blinds : Math.round(blinds));
  }

  /** For sentences, which never count in big blinds. */
  amount(amount) {
    return amountIn(this.#currency, amount);
  }

  /** For a field in which it can be changed: `12345`, `12.50`, `123.45`. */
  plain(amount) {
    if (this.#bigBlind !== null) return String(Number((amount / this.#bigBlind).toFixed(2)));
    return (amount / this.#parts).toFixed(digitsOf(this.#currency));
  }

  /** The least by which such a field changes. */
  get step() {
    return 1 / this.#parts;
  }

  /** So many of the smallest unit are one. */
  get #parts() {
    return 10 ** digitsOf(this.#currency);
  }

  /** How many chips somebody means who has typed this. */
  typed(text) {
    const digits = text.normalize("NFKC").replace(/[^\d.]/g, "");
    return digits === "" ? NaN : Number(digits) * (this.#bigBlind ?? this.#parts);
  }

  #words(amount, of) {
    return this.#bigBlind === null ? of(this.amount(amount)) : `${of(amount / this.#bigBlind)} BB`;
  }
}
