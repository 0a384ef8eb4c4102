/** Who has too little for a table is told so, and where more comes from. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { say } from "./phrases/table.js";

/**
 * @param {() => string} title
 * @param {() => string} text
 */
export async function tellShort(title, text) {
  const close = () => dialog.close();
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "short-title", data: { testid: "short" } },
    el("h2", { id: "short-title", text: title }),
    el("p", { text }),
    el(
      "div",
      { class: "dialog-buttons" },
      el("button", { class: "button", type: "button", text: say.cancel, on: { click: close } }),
      el("a", { class: "button primary", href: "#/chips", text: say.toChips, data: { testid: "short-to-chips" }, on: { click: close } }),
    ),
  );
  await shown(dialog);
}
