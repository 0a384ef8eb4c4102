/** Calls the player whose turn it is, or for whom a seat is kept, wherever they look: title, icon, sound, a notification when the page is hidden, a buzz on a phone. */
import { say } from "./phrases/page.js";

const BUZZ_MS = [120, 80, 120];

export class Alerts {
  #page;
  #called = new Map();

  /** @param {object} page `title(text)`, `icon(isTurn)`, `sound()`, `buzz(pattern)`, `notify(room, text)`, which answers how to take it away */
  constructor(page) {
    this.#page = page;
  }

  /** @param {{room, name, turn: number|null, turnId: string|null, words?: object}[]} standings @param {string} title of the page */
  show(standings, title) {
    const turns = standings.filter(({ turnId }) => turnId !== null);
    this.#page.title(turns.length > 0 ? (turns[0].words ?? say.turn).title(turns[0].name) : title);
    this.#page.icon(turns.length > 0);
    for (const [room, { turnId, end }] of this.#called) {
      if (turns.some((turn) => turn.room === room && turn.turnId === turnId)) continue;
      end?.();
      this.#called.delete(room);
    }
    for (const { room, name, turnId, words = say.turn } of turns) {
      if (this.#called.has(room)) continue;
      this.#page.sound();
      this.#page.buzz(BUZZ_MS);
      this.#called.set(room, { turnId, end: this.#page.notify(room, words.call(name)) });
    }
  }
}
