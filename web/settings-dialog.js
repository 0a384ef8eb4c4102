/** The dialog in which a player sets things. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { showKeys } from "./keys-dialog.js";
import { languageSwitch } from "./language-switch.js";
import { say as sayOfPage } from "./phrases/page.js";
import { say } from "./phrases/settings.js";
import { SCHEMA } from "./settings-schema.js";
import { sizesField } from "./sizes-field.js";

const CHOICES = ["theme", "felt", "back", "runs"];
const SWITCHES = ["fourColours", "lessMotion", "sound", "askFold", "autoTopUp", "inBlinds", "potOdds", "equity", "showAfter", "emotes", "gestures", "vibrate", "tiles", "stayAwake"];
/** Those that are of use on a wide screen alone. */
const WIDE = ["tiles"];

/** @param {Settings} settings */
export async function showSettings(settings) {
  const dialog = el(
    "dialog",
    { class: "dialog settings", "aria-labelledby": "settings-title", data: { testid: "settings" } },
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "settings-title", text: sayOfPage.settings }),
      el("label", { class: "set-language" }, el("b", { text: sayOfPage.language }), languageSwitch(settings)),
      el("div", { class: "choices" }, ...CHOICES.map((name) => choice(settings, name))),
      el(
        "div",
        { class: "switches" },
        ...SWITCHES.map((name) => toggle(settings, name, say.set[name], say.setHelp[name])),
      ),
      sizesField(settings),
      el(
        "div",
        { class: "dialog-buttons" },
        el("button", { class: "button", type: "button", text: say.keys.open, data: { testid: "keys-open" }, on: { click: () => showKeys(settings) } }),
        el("button", { class: "button primary", text: say.done, data: { testid: "settings-ok" } }),
      ),
    ),
  );
  await shown(dialog);
}

function toggle(settings, name, title, help) {
  const box = el("input", { type: "checkbox", name, on: { change: () => (settings[name] = box.checked) } });
  box.checked = settings[name];
  return el("label", { class: WIDE.includes(name) ? "switch wide-only" : "switch" }, box, el("span", {}, el("b", { text: title }), el("small", { text: help })));
}

function choice(settings, name) {
  const options = SCHEMA[name].values.map((value) => el("option", { value, text: say.choice[name][value] }));
  const select = el("select", { name, on: { change: () => (settings[name] = select.value) } }, ...options);
  select.value = settings[name];
  return el("label", {}, el("span", { text: say.choose[name] }), select);
}
