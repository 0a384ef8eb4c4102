/** The hand log: what happened, in words. */
import { el, setText } from "./dom.js";
import { say } from "./phrases/table.js";
import { together } from "./words.js";

/** Older lines are let go. */
const LINES_MAX = 300;
/** Somebody who has scrolled up to read is left there. */
const NEAR_END_PX = 40;

/** What a phone shows below the felt while the panel is closed. */
const RECENT_LINES = 3;

export class Log {
  /** The last lines once more; for eyes only, the log itself is spoken. */
  recent = el("div", { class: "recent", "aria-hidden": "true" });
  element = el("div", { class: "log", role: "log", "aria-label": say.log, tabindex: 0, data: { testid: "log" } });

  #followsEnd = true;
  #toCome = false;
  #last = null;

  constructor() {
    const list = this.element;
    list.addEventListener("scroll", () => {
      // What is about to be brought to the end has been there.
      if (!this.#toCome) this.#followsEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
    });
    // A banner above the table makes the log shorter: its last line stays in sight.
    new ResizeObserver(() => this.#toEnd()).observe(list);
  }

  /** @param {object} line see `describe` */
  add(line) {
    const both = together(this.#last, line);
    this.#last = both ?? line;
    if (both) for (const list of [this.element, this.recent]) setText(list.lastChild, both.text);
    else this.#append(line);
    this.#toEnd();
  }

  #append({ text, kind }) {
    const list = this.element;
    list.append(el("p", { class: `log-${kind}`, text }));
    if (list.children.length > LINES_MAX) list.firstChild.remove();
    this.recent.append(el("p", { class: `log-${kind}`, text }));
    if (this.recent.children.length > RECENT_LINES) this.recent.firstChild.remove();
  }

  clear() {
    this.#last = null;
    this.element.replaceChildren();
    this.recent.replaceChildren();
  }

  /** Once for all lines of a moment: each time costs a layout of the page. */
  #toEnd() {
    if (this.#toCome || !this.#followsEnd) return;
    this.#toCome = true;
    requestAnimationFrame(() => {
      this.#toCome = false;
      this.element.scrollTop = this.element.scrollHeight;
    });
  }
}
