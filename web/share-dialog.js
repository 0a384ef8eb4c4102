/** The link to a hand that is over, with its players' names or without. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { say } from "./phrases/history.js";
import { linkOf } from "./hand-link.js";
import { linkField } from "./link-field.js";

/** @param {string} id the hand's name */
export async function askShare(id) {
  const { row, told, show } = linkField("share", linkOf(id, false), { label: say.link, copy: say.copy, copied: say.copied, byHand: say.copyByHand });
  const hides = el("input", { type: "checkbox", data: { testid: "share-hides" }, on: { change: () => show(linkOf(id, hides.checked)) } });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "share-title", data: { testid: "share" } },
    el("h2", { id: "share-title", text: say.shareTitle }),
    el("p", { text: say.shareHelp }),
    row,
    el("label", { class: "check" }, hides, el("span", { text: say.hideNames })),
    el("p", { class: "hint", text: say.hideHelp }),
    told,
    el("div", { class: "dialog-buttons" }, el("button", { class: "button", type: "button", text: say.done, data: { testid: "share-done" }, on: { click: () => dialog.close() } })),
  );
  await shown(dialog);
}
