/** Lists of lines: kept at their end, but for somebody who has scrolled up to read, and no line reaches into others. */

/** Who is so near is at the end. */
const NEAR_END_PX = 40;

/** Keeps a list at its end; who has scrolled up is left there. */
export class Tail {
  #list;
  #follows = true;
  #toCome = false;

  /** @param {HTMLElement} list that scrolls */
  constructor(list) {
    this.#list = list;
    list.addEventListener("scroll", () => {
      // What is about to be brought to the end has been there.
      if (!this.#toCome) this.#follows = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
    });
    // A banner above the table makes the list shorter: its last line stays in sight.
    new ResizeObserver(() => this.follow()).observe(list);
  }

  /** A line has come. Once for all lines of a moment: each time costs a layout of the page. */
  follow() {
    if (this.#toCome || !this.#follows) return;
    this.#toCome = true;
    requestAnimationFrame(() => {
      this.#toCome = false;
      this.#list.scrollTop = this.#list.scrollHeight;
    });
  }

  /** The same for a line that is to be seen by whoever reads farther up too. */
  goTo() {
    this.#follows = true;
    this.follow();
  }
}

/** Cuts a line off whose letters have marks, which may be piled up: called when it has its text. */
export function holdMarks(line) {
  line.classList.toggle("marked", /\p{M}/u.test(line.textContent));
}
