/** The keys of a table as a list, where each can be changed. */
import { shown } from "./dialog.js";
import { el, setAttribute, setText } from "./dom.js";
import { KEYS, keysFrom, withKey } from "./key-map.js";
import { keyName, keysOf } from "./keys.js";
import { say } from "./phrases/settings.js";

/** Keys that stay what they are, and what they do. */
const FIXED = [["Enter", "confirm"], ["Esc", "away"], ["?", "help"]];

/** @param {Settings} settings */
export async function showKeys(settings) {
  /** The command whose next key is waited for. */
  let asked = null;
  const said = el("p", { class: "field-error", role: "status", data: { testid: "keys-said" } });
  const buttons = Object.keys(KEYS).map((command) => {
    const click = () => ask(asked === command ? null : command);
    return [command, el("button", { class: "key-button", type: "button", data: { testid: `key-${command}` }, on: { click } })];
  });
  const rows = [
    ...buttons.map(([command, button]) => el("li", {}, el("span", { text: say.command[command] }), button)),
    ...FIXED.map(([key, name]) => el("li", {}, el("span", { text: say.command[name] }), el("kbd", { class: "key-fixed", text: key }))),
  ];
  const reset = el("button", { class: "button", type: "button", text: say.keys.usual, data: { testid: "keys-reset" }, on: { click: () => set({}) } });
  const done = el("button", { class: "button primary", type: "button", text: say.keys.done, data: { testid: "keys-ok" }, on: { click: () => dialog.close() } });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "keys-title", data: { testid: "keys" } },
    el("h2", { id: "keys-title", text: say.keys.title }),
    el("p", { text: say.keys.how }),
    el("ul", { class: "keys" }, ...rows),
    said,
    el("div", { class: "dialog-buttons" }, reset, done),
  );

  function show() {
    const keys = keysFrom(settings.keys);
    for (const [command, button] of buttons) {
      setText(button, asked === command ? say.keys.press : keyName(keys[command]));
      setAttribute(button, "aria-label", asked === command ? null : () => say.keys.change(say.command[command](), keyName(keys[command])));
      setAttribute(button, "aria-pressed", String(asked === command));
    }
    reset.disabled = Object.keys(settings.keys).length === 0;
  }

  function ask(command) {
    asked = command;
    setText(said, "");
    show();
  }

  function set(changed) {
    settings.keys = changed;
    if (document.activeElement === reset) done.focus(); // Which is not to be pressed again.
    ask(null);
  }

  function take(event) {
    if (!asked || ["Shift", "Control", "Alt", "Meta", "Tab", "HangulMode"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return ask(null);
    const [key] = keysOf(event);
    const next = key && !event.ctrlKey && !event.metaKey && !event.altKey ? withKey(settings.keys, asked, key) : { reserved: true };
    if (next.changed) return set(next.changed);
    return setText(said, () => (next.taken ? say.keys.taken(keyName(key), say.command[next.taken]()) : say.keys.reserved(keyName(key ?? event.key))));
  }

  dialog.addEventListener("keydown", take, true);
  // Where Escape is heard by the dialog alone.
  dialog.addEventListener("cancel", (event) => {
    if (asked) event.preventDefault();
  });
  show();
  await shown(dialog);
}
