/** The dialog in which a player sets things. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { showKeys } from "./keys-dialog.js";
import { languageSwitch } from "./language-switch.js";
import { say } from "./phrases/page.js";
import { say as sayOfSeat } from "./phrases/seat.js";

const SWITCHES = ["fourColours", "sound", "askFold", "autoTopUp"];

/** @param {Settings} settings */
export async function showSettings(settings) {
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "settings-title", data: { testid: "settings" } },
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "settings-title", text: say.settings }),
      el("label", { class: "set-language" }, el("b", { text: say.language }), languageSwitch(settings)),
      ...SWITCHES.map((name) => toggle(settings, name)),
      el(
        "div",
        { class: "dialog-buttons" },
        el("button", { class: "button", type: "button", text: sayOfSeat.keys.open, data: { testid: "keys-open" }, on: { click: () => showKeys(settings) } }),
        el("button", { class: "button primary", text: say.done, data: { testid: "settings-ok" } }),
      ),
    ),
  );
  await shown(dialog);
}

function toggle(settings, name) {
  const box = el("input", { type: "checkbox", name, on: { change: () => (settings[name] = box.checked) } });
  box.checked = settings[name];
  return el("label", { class: "switch" }, box, el("span", {}, el("b", { text: say.set[name] }), el("small", { text: say.setHelp[name] })));
}
