/** The hand log: what happened, in words. */
import { el, setText } from "./dom.js";
import { say } from "./phrases/table.js";
import { holdMarks, Tail } from "./tail.js";
import { together } from "./words.js";

/** When there are more, the oldest hand is let go. */
const LINES_MAX = 300;

/** What a phone shows below the felt while the panel is closed. */
const RECENT_LINES = 3;

export class Log {
  /** The last lines once more; for eyes only, the log itself is spoken. */
  recent = el("div", { class: "recent", "aria-hidden": "true" });
  element = el("div", { class: "log", role: "log", "aria-label": say.log, tabindex: 0, data: { testid: "log" } });

  #tail = new Tail(this.element);
  #last = null;
  #lines = 0;

  /** @param {object} line see `describe` */
  add(line) {
    const both = together(this.#last, line);
    this.#last = both ?? line;
    if (both) for (const list of [this.element.lastChild, this.recent]) write(list.lastChild, both.text);
    else this.#append(line);
    this.#tail.follow();
  }

  /** The hand whose lines came last is over, and can be seen again there. */
  link(href) {
    const head = this.element.lastChild?.firstChild;
    if (head?.matches(".log-hand")) head.append(" ", el("a", { class: "log-again", href, text: say.replay }));
  }

  /** Each hand stands in a part of its own: a line that comes then costs a layout of that part alone. */
  #append({ text, kind }) {
    const list = this.element;
    if (kind === "hand" || !list.lastChild) list.append(el("div"));
    list.lastChild.append(write(el("p", { class: `log-${kind}` }, kind === "hand" ? el("span") : null), text));
    this.#lines += 1;
    if (this.#lines > LINES_MAX && list.children.length > 1) {
      this.#lines -= list.firstChild.children.length;
      list.firstChild.remove();
    }
    this.recent.append(write(el("p", { class: `log-${kind}` }), text));
    if (this.recent.children.length > RECENT_LINES) this.recent.firstChild.remove();
  }

  clear() {
    this.#last = null;
    this.#lines = 0;
    this.element.replaceChildren();
    this.recent.replaceChildren();
  }
}

/** Has a line say this. */
function write(line, text) {
  setText(line.firstElementChild ?? line, text);
  holdMarks(line);
  return line;
}
