/** Short messages that go away by themselves; spoken by screen readers. */
import { el } from "./dom.js";

const STAYS_MS = 5_000;
/** Older ones give way. */
const TOASTS_MAX = 3;

export class Toasts {
  element = el("div", { class: "toasts", role: "status", "aria-live": "polite", data: { testid: "toasts" } });

  /** @param {string|(() => string)} text @param {"info"|"refused"} kind */
  show(text, kind = "info") {
    const toast = el("p", { class: `toast toast-${kind}`, text });
    this.element.append(toast);
    if (this.element.children.length > TOASTS_MAX) this.element.firstChild.remove();
    setTimeout(() => toast.remove(), STAYS_MS);
  }
}
