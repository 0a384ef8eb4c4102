/** What the hands that are face up are worth while cards are still to come. Counting that (`equity.js`) is loaded when there are such hands. */

/** The page draws and hears again after so long. */
const AT_ONCE_MS = 8;
const BOARD = 5;

/** The hands that are face up while the board is not whole and nobody can act any more; null when it is not so. */
export function faceUp({ config, seats, hand }) {
  if (!hand || hand.ended || hand.turn || hand.boards.length !== 1 || hand.boards[0].length >= BOARD) return null;
  const playing = seats.flatMap((seat, at) => (seat?.in_hand && !seat.folded ? [{ at, cards: seat.shown }] : []));
  if (playing.length < 2 || playing.some(({ cards }) => cards.length < hand.hole_cards)) return null;
  return { variant: config.variant, playing, board: hand.boards[0] };
}

export class RunOut {
  #changed;
  #key = "null";
  #shares = new Map();
  #began = 0;

  /** @param {() => void} changed told when shares are known */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @returns {Map<number, number>} seat -> the part of a pot that its hand wins on average; empty where that is not to be told, or not known yet */
  of(view) {
    const open = faceUp(view);
    const key = JSON.stringify(open);
    if (key !== this.#key) {
      this.#key = key;
      this.#shares = new Map();
      if (open) this.#count(open, key);
    }
    return this.#shares;
  }

  async #count({ variant, playing, board }, key) {
    try {
      const { shares } = await import("./equity.js");
      const parts = await shares(variant, playing.map(({ cards }) => cards), board, () => this.#goOn(key));
      if (!parts || key !== this.#key) return;
      this.#shares = new Map(playing.map(({ at }, place) => [at, parts[place]]));
      this.#changed();
    } catch (error) {
      console.warn("what hands are worth has not come:", error);
    }
  }

  async #goOn(key) {
    if (performance.now() - this.#began > AT_ONCE_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      this.#began = performance.now();
    }
    return key === this.#key;
  }
}
