/** What reception is asked about hands that are over. */
import { askAsMyself } from "./as-myself.js";
import { ask } from "./identity.js";
import { say } from "./phrases/history.js";

/** A hand as its table told it. */
const FRAMES = "application/vnd.cardhouse.frames+json";

/** A hand is written down a moment after its end: so often it is asked for again, and after so long. */
const AGAIN_MS = [400, 1_200];

export class HistoryApi {
  #identity;

  constructor(identity) {
    this.#identity = identity;
  }

  /** Hands that I have played, the latest first. @param {object} filter `room`, `game`, `min_pot`, `from`, `to`, `before`, `limit` */
  own(filter) {
    return this.#ask(`/api/me/hands?${wish(filter)}`);
  }

  /** The last hands of a table. */
  async ofTable(room) {
    return ask("GET", `/api/tables/${room}/hands`, { words: say.refused });
  }

  /** What I have done in them: `{games, all}`; `all` is null in a house that does not count it. @param {object} filter `game`, `from` */
  async stats(filter) {
    try {
      return await this.#ask(`/api/me/stats?${wish(filter)}`);
    } catch (error) {
      if (error.code !== "not_found") throw error;
      return { all: null };
    }
  }

  /** One of them, to be seen again. @param {string} id @param {boolean} hidesNames */
  async hand(id, hidesNames) {
    const path = `/api/hands/${encodeURIComponent(id)}${hidesNames ? "?names=hidden" : ""}`;
    for (const again of AGAIN_MS) {
      try {
        return await this.#ask(path, FRAMES);
      } catch (error) {
        if (error.code !== "not_found") throw error;
        await new Promise((resolve) => setTimeout(resolve, again));
      }
    }
    return this.#ask(path, FRAMES);
  }

  #ask(path, accept) {
    return askAsMyself(this.#identity, "GET", path, { accept, words: say.refused });
  }
}

/** What is wanted of a filter. */
function wish(filter) {
  return new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ""));
}
