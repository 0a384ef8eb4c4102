/** A link that is there to be copied. */
import { el, setText } from "./dom.js";

/**
 * @param {string} name of what it leads to: tests and sheets find its parts by it
 * @param {string} link
 * @param {{label: string, copy: string, copied: string, byHand: string}} texts the last one is for browsers that let no page copy
 * @returns {{row: HTMLElement, told: HTMLElement, show: (link: string) => void}} the field with its button, what came of copying, and what puts
 *   another link there
 */
export function linkField(name, link, texts) {
  const field = el("input", { type: "text", readonly: true, value: link, "aria-label": texts.label, data: { testid: `${name}-link` }, on: { focus: () => field.select() } });
  const told = el("p", { class: "hint", role: "status", data: { testid: `${name}-told` } });
  const copy = async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      setText(told, texts.copied);
    } catch {
      setText(told, texts.byHand); // No clipboard here: it is marked, to be copied by hand.
    }
  };
  const button = el("button", { class: "button primary", type: "button", text: texts.copy, data: { testid: `${name}-copy` }, on: { click: copy } });
  const show = (other) => {
    field.value = other;
    setText(told, "");
  };
  return { row: el("div", { class: `${name}-row` }, field, button), told, show };
}
