/** Asks once more before something that cannot be taken back. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";

/**
 * @param {object} question
 * @param {() => string} question.title
 * @param {() => string} question.text what would be lost
 * @param {() => string} question.yes the label of doing it all the same
 * @param {() => string} question.no the label of thinking better of it, which is chosen at first
 * @param {string} question.testid of `yes`
 * @returns {Promise<boolean>} whether the player is sure
 */
export async function askSure({ title, text, yes, no, testid }) {
  let sure = false;
  const answer = (is) => () => {
    sure = is;
    dialog.close();
  };
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "sure-title" },
    el("h2", { id: "sure-title", text: title }),
    el("p", { text }),
    el(
      "div",
      { class: "dialog-buttons" },
      el("button", { class: "button danger", type: "button", text: yes, data: { testid }, on: { click: answer(true) } }),
      el("button", { class: "button primary", type: "button", text: no, autofocus: true, on: { click: answer(false) } }),
    ),
  );
  await shown(dialog);
  return sure;
}
