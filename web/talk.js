/** What can be said at one touch: phrases and emotes, as lines of the chat like others. */
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { say } from "./phrases/talk.js";

/** What is sent, and its name in the catalogue. Few: they are for a smile, and no way of talking. */
export const EMOTES = { "👏": "clap", "😂": "laugh", "😮": "wow", "😢": "cry", "😎": "cool", "🙏": "sorry" };

/**
 * @param {(text: string) => void} speak
 * @returns {{button: HTMLElement, panel: HTMLElement}} the panel, and the button that opens and closes it
 */
export function quickTalk(speak) {
  const send = (text) => () => {
    open(false);
    speak(text());
  };
  const phrases = Object.values(say.quick).map((phrase) => el("button", { class: "chip-button", type: "button", text: phrase, on: { click: send(phrase) } }));
  const emotes = Object.entries(EMOTES).map(([emote, name]) =>
    el("button", { class: "emote", type: "button", "aria-label": say.emote[name], title: say.emote[name], on: { click: send(() => emote) } }, el("span", { "aria-hidden": "true", text: emote })),
  );
  const panel = el("div", { class: "quick-talk", role: "group", "aria-label": say.open, hidden: true, data: { testid: "quick" } }, ...emotes, ...phrases);
  const button = el("button", { class: "button icon-button", type: "button", "aria-label": say.open, "aria-expanded": "false", data: { testid: "quick-open" }, on: { click: () => open(panel.hidden) } }, icon("smile"));

  function open(is) {
    panel.hidden = !is;
    button.setAttribute("aria-expanded", String(is));
    if (!is && panel.contains(document.activeElement)) button.focus();
  }

  return { button, panel };
}
