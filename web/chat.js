/** What people at the table say. */
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { say } from "./phrases/table.js";

/** More than the house takes, which counts characters as people do and says so. */
const TEXT_UNITS_MAX = 1024;
const LINES_MAX = 200;

export class Chat {
  /** @param {(text: string) => Promise<boolean>} speak sends a line; false when it was refused */
  constructor(speak) {
    this.lines = el("div", { class: "chat-lines", role: "log", "aria-label": say.chat, tabindex: 0, data: { testid: "chat" } });
    this.input = el("input", {
      type: "text",
      maxlength: TEXT_UNITS_MAX,
      placeholder: say.saySomething,
      "aria-label": say.message,
      autocomplete: "off",
      data: { testid: "chat-input" },
    });
    const send = el("button", { class: "button icon-button", "aria-label": say.send, data: { testid: "chat-send" } }, icon("send"));
    const submit = async (event) => {
      event.preventDefault();
      const text = this.input.value.trim();
      if (!text) return;
      this.input.value = "";
      if (!(await speak(text)) && !this.input.value) this.input.value = text;
    };
    this.element = el(
      "section",
      { class: "chat", "aria-label": say.chat },
      this.lines,
      el("form", { class: "chat-form", on: { submit } }, this.input, send),
    );
  }

  clear() {
    this.lines.replaceChildren();
  }

  /** @param {{name: string, bot: boolean, text: string}} line @param {boolean} mine */
  add({ name, bot, text }, mine) {
    const mark = bot ? el("span", { class: "bot-mark", text: say.bot }) : null;
    const who = el("b", {}, el("bdi", { text: name }), mark);
    this.lines.append(el("p", { class: mine ? "mine" : "" }, who, " ", el("bdi", { text })));
    if (this.lines.children.length > LINES_MAX) this.lines.firstChild.remove();
    this.lines.scrollTop = this.lines.scrollHeight;
  }
}
