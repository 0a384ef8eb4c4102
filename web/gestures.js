/**
 * What a finger can say on the felt beside the buttons: my cards pushed up are folded, a finger that rests on the felt checks, and one that
 * moves aside turns to the next of my tables. A mouse has none of it, and the buttons do all of it too.
 */

/** Shorter ways are slips. */
const FOLD_PX = 70;
const ASIDE_PX = 90;
/** How much longer a way must be along than across. */
const STRAIGHT = 2;
const REST_MS = 600;
/** A finger that rests still moves so much. */
const REST_PX = 12;
const FELT_MS = 12;

/** What a way is: pure. @param {{dx: number, dy: number, onCards: boolean}} way @returns {"fold"|"next"|"before"|null} */
export function meaning({ dx, dy, onCards }) {
  if (onCards) return -dy >= FOLD_PX && -dy >= STRAIGHT * Math.abs(dx) ? "fold" : null;
  if (Math.abs(dx) < ASIDE_PX || Math.abs(dx) < STRAIGHT * Math.abs(dy)) return null;
  return dx < 0 ? "next" : "before";
}

export class Gestures {
  #felt;
  #can;
  #begun = null;
  #timer = null;

  /**
   * @param {HTMLElement} felt
   * @param {object} can
   * @param {() => boolean} can.any whether the player wants gestures at all
   * @param {() => HTMLElement|null} can.cards mine, while they can be folded
   * @param {() => boolean} can.rests whether a finger that rests would mean something now
   * @param {(what: "fold"|"check"|"next"|"before") => void} can.does
   * @param {(ms: number) => void} can.buzz
   */
  constructor(felt, can) {
    this.#felt = felt;
    this.#can = can;
    felt.addEventListener("pointerdown", (event) => this.#begin(event));
    felt.addEventListener("pointermove", (event) => this.#move(event));
    felt.addEventListener("pointerup", (event) => this.#end(event));
    felt.addEventListener("pointercancel", () => this.#forget());
    felt.addEventListener("contextmenu", (event) => this.#begun && event.preventDefault());
  }

  #begin(event) {
    const isSecond = this.#begun !== null;
    this.#forget();
    if (isSecond || event.pointerType !== "touch" || !event.isPrimary || !this.#can.any() || event.target.closest("button, [role=button]")) return;
    const cards = this.#can.cards();
    const onCards = cards !== null && isIn(cards.getBoundingClientRect(), event);
    this.#begun = { x: event.clientX, y: event.clientY, cards: onCards ? cards : null, isFar: false };
    this.#felt.setPointerCapture(event.pointerId);
    if (!onCards && this.#can.rests()) this.#timer = setTimeout(() => this.#rested(), REST_MS);
  }

  #move(event) {
    if (!this.#begun) return;
    const way = this.#way(event);
    if (Math.hypot(way.dx, way.dy) > REST_PX) clearTimeout(this.#timer);
    const { cards } = this.#begun;
    if (!cards) return;
    cards.style.translate = `0 ${Math.min(0, way.dy)}px`;
    const isFar = meaning(way) === "fold";
    if (isFar && !this.#begun.isFar) this.#can.buzz(FELT_MS);
    this.#begun.isFar = isFar;
  }

  #end(event) {
    if (!this.#begun) return;
    const means = meaning(this.#way(event));
    // What the cards were there for may be over by now.
    const holds = !this.#begun.cards || this.#can.cards() === this.#begun.cards;
    this.#forget();
    if (means && holds) this.#can.does(means);
  }

  #rested() {
    this.#forget();
    if (!this.#can.rests()) return;
    this.#can.buzz(2 * FELT_MS);
    this.#can.does("check");
  }

  #way({ clientX, clientY }) {
    const { x, y, cards } = this.#begun;
    return { dx: clientX - x, dy: clientY - y, onCards: cards !== null };
  }

  #forget() {
    clearTimeout(this.#timer);
    if (this.#begun?.cards) this.#begun.cards.style.translate = "";
    this.#begun = null;
  }
}

function isIn({ left, right, top, bottom }, { clientX, clientY }) {
  return clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
}
