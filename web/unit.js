/** Chips as a player wants to read them: as they are, or in big blinds. */
import { chips, chipsBrief, chipsShort } from "./format.js";

/** From here on parts of a big blind say nothing. */
const WHOLE_FROM = 1_000;

export class Unit {
  #bigBlind;

  /** @param {number|null} bigBlind null counts chips */
  constructor(bigBlind = null) {
    this.#bigBlind = bigBlind;
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
    if (this.#bigBlind === null) return chipsBrief(amount);
    const blinds = amount / this.#bigBlind;
    return chipsBrief(blinds < WHOLE_FROM ? blinds : Math.round(blinds));
  }

  /** For a field in which it can be changed: `12345`, `123.45`. */
  plain(amount) {
    return String(this.#bigBlind === null ? amount : Number((amount / this.#bigBlind).toFixed(2)));
  }

  /** How many chips somebody means who has typed this. */
  typed(text) {
    const digits = text.normalize("NFKC").replace(/[^\d.]/g, "");
    return digits === "" ? NaN : Number(digits) * (this.#bigBlind ?? 1);
  }

  #words(amount, of) {
    return this.#bigBlind === null ? of(amount) : `${of(amount / this.#bigBlind)} BB`;
  }
}
