/** What people at the table say. */
import { el, setAttribute } from "./dom.js";
import { timeOfDay } from "./format.js";
import { icon } from "./icons.js";
import { isolated } from "./names.js";
import { say } from "./phrases/table.js";
import { quickPhrase, say as sayOfTalk } from "./phrases/talk.js";
import { holdMarks, Tail } from "./tail.js";
import { quickTalk } from "./talk.js";

/** More than the house takes, which counts characters as people do and says so. */
const TEXT_UNITS_MAX = 1024;
const LINES_MAX = 200;

export class Chat {
  #isMuted;
  #about;
  #tail;
  #seated = new Set();

  /**
   * @param {(text: string) => Promise<boolean>} speak sends a line; false when it was refused
   * @param {(user: string) => boolean} isMuted whether the player does not want to read them
   * @param {(player: {user, name, bot}) => void} about asks what to remember of somebody
   */
  constructor(speak, isMuted, about) {
    this.#isMuted = isMuted;
    this.#about = about;
    this.lines = el("div", { class: "chat-lines", role: "log", "aria-label": say.chat, tabindex: 0, data: { testid: "chat" } });
    this.#tail = new Tail(this.lines);
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
    const quick = quickTalk(speak);
    this.element = el(
      "section",
      { class: "chat", "aria-label": say.chat },
      this.lines,
      quick.panel,
      el("form", { class: "chat-form", on: { submit } }, quick.button, this.input, send),
    );
  }

  clear() {
    this.lines.replaceChildren();
  }

  /** Who sits at the table; all others are marked as watching, whatever they call themselves. @param {Set<string>} users */
  seats(users) {
    if (users.size === this.#seated.size && [...users].every((user) => this.#seated.has(user))) return;
    this.#seated = users;
    for (const line of this.lines.children) this.#mark(line);
  }

  /** @param {{user: string, name: string, bot: boolean, text: string, at_ms?: number}} line @param {boolean} mine */
  add({ user, name, bot, text, at_ms }, mine) {
    const mark = bot ? el("span", { class: "bot-mark", text: say.bot }) : null;
    const phrase = quickPhrase(text);
    const words = el("bdi", { text: phrase ? sayOfTalk.quick[phrase] : text });
    const who = el("b", {}, this.#name({ user, name, bot }, mine), mark, el("span", { class: "rail-mark", text: say.watches }));
    const title = at_ms ? () => timeOfDay(at_ms) : null;
    const line = el("p", { class: mine ? "mine" : "", title, data: { user } }, who, " ", words);
    holdMarks(line);
    line.hidden = !mine && this.#isMuted(user);
    this.#mark(line);
    this.lines.append(line);
    if (this.lines.children.length > LINES_MAX) this.lines.firstChild.remove();
    if (mine) this.#tail.goTo();
    else this.#tail.follow();
  }

  /** Who is not to be read may be others now. */
  look() {
    for (const line of this.lines.children) line.hidden = !line.matches(".mine") && this.#isMuted(line.dataset.user);
  }

  #mark(line) {
    line.classList.toggle("rail", !this.#seated.has(line.dataset.user));
  }

  /** The name of another leads to what one remembers of them. */
  #name({ user, name, bot }, mine) {
    const shown = el("bdi", { text: name });
    if (mine) return shown;
    const button = el("button", { class: "chat-who", type: "button", on: { click: () => this.#about({ user, name, bot }) } }, shown);
    setAttribute(button, "aria-label", () => sayOfTalk.about(isolated(name)));
    return button;
  }
}
