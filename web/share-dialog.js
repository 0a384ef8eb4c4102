/** The link to a hand that is over, with its players' names or without. */
import { shown } from "./dialog.js";
import { el, setText } from "./dom.js";
import { say } from "./phrases/history.js";
import { linkOf } from "./hand-link.js";

/** @param {string} id the hand's name */
export async function askShare(id) {
  const field = el("input", { type: "text", readonly: true, value: linkOf(id, false), "aria-label": say.link, data: { testid: "share-link" }, on: { focus: () => field.select() } });
  const told = el("p", { class: "hint", role: "status", data: { testid: "share-told" } });
  const hides = el("input", {
    type: "checkbox",
    data: { testid: "share-hides" },
    on: {
      change: () => {
        field.value = linkOf(id, hides.checked);
        setText(told, "");
      },
    },
  });
  const copy = async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      setText(told, say.copied);
    } catch {
      setText(told, say.copyByHand); // No clipboard here: it is marked, to be copied by hand.
    }
  };
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "share-title", data: { testid: "share" } },
    el("h2", { id: "share-title", text: say.shareTitle }),
    el("p", { text: say.shareHelp }),
    el("div", { class: "share-row" }, field, el("button", { class: "button primary", type: "button", text: say.copy, data: { testid: "share-copy" }, on: { click: copy } })),
    el("label", { class: "check" }, hides, el("span", { text: say.hideNames })),
    el("p", { class: "hint", text: say.hideHelp }),
    told,
    el("div", { class: "dialog-buttons" }, el("button", { class: "button", type: "button", text: say.done, data: { testid: "share-done" }, on: { click: () => dialog.close() } })),
  );
  await shown(dialog);
}
