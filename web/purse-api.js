/** What reception is asked about chips: what there is, what has moved it, and play money once a day. */
import { askAsMyself } from "./as-myself.js";
import { say } from "./phrases/purse.js";

export class PurseApi {
  #identity;

  constructor(identity) {
    this.#identity = identity;
  }

  balances() {
    return this.#ask("GET", "/api/me/balances");
  }

  /** The latest lines, or those before the one of this number. */
  statement(currency, before) {
    const from = before === undefined ? "" : `&before=${before}`;
    return this.#ask("GET", `/api/me/statement?currency=${encodeURIComponent(currency)}${from}`);
  }

  refill(currency) {
    return this.#ask("POST", "/api/me/refill", { currency });
  }

  #ask(method, path, body) {
    return askAsMyself(this.#identity, method, path, { body, words: say.refused });
  }
}
