/** Asks before a hand is given up: leaving in the middle of one cannot be taken back. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";

/** @returns {Promise<boolean>} whether the player wants to leave all the same */
export async function askLeave() {
  let sure = false;
  const leave = el("button", {
    class: "button danger",
    type: "button",
    text: "Fold and leave",
    data: { testid: "leave-ok" },
    on: {
      click: () => {
        sure = true;
        dialog.close();
      },
    },
  });
  const stay = el("button", { class: "button primary", type: "button", text: "Play on", autofocus: true, on: { click: () => dialog.close() } });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "leave-title" },
    el("h2", { id: "leave-title", text: "Leave in the middle of a hand?" }),
    el("p", { text: "Your hand is folded when it is your turn, and what you have bet stays in the pot." }),
    el("div", { class: "dialog-buttons" }, leave, stay),
  );
  await shown(dialog);
  return sure;
}
