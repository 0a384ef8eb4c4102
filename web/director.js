/** What a director of the house does with a tournament: its clock, penalties, and taking somebody out. It comes for members alone, and shows itself to directors. */
import { askAsMyself } from "./as-myself.js";
import { shown } from "./dialog.js";
import { el, setAttribute } from "./dom.js";
import { isolated } from "./names.js";
import { say } from "./phrases/tournament.js";
import { askSure } from "./sure-dialog.js";

/** Who directs: see `docs/protocol.md`. */
const ROLES = ["floor", "admin"];
const MINUTE_MS = 60_000;
const PENALTY_MAX = 100;
/** So many pages of players are offered to choose from. */
const PAGES_MAX = 20;

/**
 * @param {object} parts
 * @param {Identity} parts.identity
 * @param {(what: object) => Promise<unknown>} parts.ask sends a command to the tournament, and says why if it was refused
 * @param {(q: object) => Promise<object|null>} parts.question asks it something
 * @returns {Promise<Director|null>} null: whoever is here directs nothing
 */
export async function directorOf(parts) {
  const { roles = [] } = await askAsMyself(parts.identity, "GET", "/api/me", {});
  return roles.some((role) => ROLES.includes(role)) ? new Director(parts) : null;
}

export class Director {
  #parts;
  /** Whether entries cost somebody's chips. */
  #costs = false;

  constructor(parts) {
    this.#parts = parts;
    const { ask } = parts;
    const button = (text, testid, click) => el("button", { class: "button", type: "button", text, data: { testid }, on: { click } });
    this.pause = button(say.direct.pause, "direct-pause", () => ask({ a: "pause" }));
    this.resume = button(say.direct.resume, "direct-resume", () => ask({ a: "resume" }));
    this.add = button(say.direct.add, "direct-add", () => ask({ a: "add_time", ms: MINUTE_MS }));
    this.player = button(say.direct.player, "direct-player", () => this.#choose());
    this.cancel = button(say.direct.cancel, "direct-cancel", () => this.#cancel());
    this.element = el("section", { "aria-label": say.direct.title, data: { testid: "director" } }, el("h2", { text: say.direct.title }), el("div", { class: "contest-doing" }, this.pause, this.resume, this.add, this.player, this.cancel));
  }

  /** @param {object|null} state of the tournament */
  render(state) {
    this.#costs = Boolean(state?.currency);
    const isRunning = state?.phase === "running";
    const isPaused = state?.clock?.paused === true;
    setAttribute(this.pause, "hidden", !isRunning || isPaused);
    setAttribute(this.resume, "hidden", !isRunning || !isPaused);
    setAttribute(this.add, "hidden", !isRunning);
    setAttribute(this.player, "hidden", !isRunning);
    setAttribute(this.cancel, "hidden", state?.phase !== "registering");
  }

  async #cancel() {
    const { title, text, yes, no } = say.direct.calledOff;
    const costs = this.#costs;
    if (await askSure({ title, text: () => text(costs), yes, no, testid: "direct-sure" })) await this.#parts.ask({ a: "cancel" });
  }

  /** Whoever has chips, the richest first. */
  async #players() {
    const players = [];
    for (let page = 0, from = 0; page < PAGES_MAX; page += 1) {
      const answer = await this.#parts.question({ about: "standings", from });
      const lines = answer?.lines.filter(({ place, stack }) => place === null && stack > 0) ?? [];
      players.push(...lines);
      if (lines.length === 0) break;
      from += answer.lines.length;
      if (from >= answer.total) break;
    }
    return players;
  }

  async #choose() {
    const players = await this.#players();
    const option = ({ entry, name, user }) => el("option", { value: entry, text: isolated(user === name ? name : `${name} (${user})`) });
    const who = el("select", { required: true, "aria-label": say.direct.who, data: { testid: "direct-who" } }, ...players.map(option));
    const hands = el("input", { type: "number", inputmode: "numeric", min: 0, max: PENALTY_MAX, step: 1, value: 1, required: true, data: { testid: "direct-hands" } });
    let wanted = null;
    const submit = (event) => {
      event.preventDefault();
      wanted = event.submitter === out ? "disqualify" : "penalty";
      dialog.close();
    };
    const out = el("button", { class: "button danger", type: "submit", text: say.direct.disqualify, data: { testid: "direct-out" } });
    const dialog = el(
      "dialog",
      { class: "dialog", "aria-labelledby": "direct-title" },
      el(
        "form",
        { on: { submit } },
        el("h2", { id: "direct-title", text: say.direct.player }),
        el("label", {}, el("span", { text: say.direct.who }), who),
        el("label", {}, el("span", { text: say.direct.hands }), hands),
        el("div", { class: "dialog-buttons" }, out, el("button", { class: "button", type: "button", text: say.direct.no, on: { click: () => dialog.close() } }), el("button", { class: "button primary", type: "submit", text: say.direct.penalty, data: { testid: "direct-penalty" } })),
      ),
    );
    await shown(dialog);
    const entry = Number(who.value);
    if (wanted === "penalty") await this.#parts.ask({ a: "penalty", entry, hands: Number(hands.value) });
    if (wanted === "disqualify") await this.#disqualify(players.find((player) => player.entry === entry));
  }

  async #disqualify({ entry, name }) {
    const { title, text, yes, no } = say.direct.takenOut;
    if (await askSure({ title, text: () => text(isolated(name)), yes, no, testid: "direct-sure" })) await this.#parts.ask({ a: "disqualify", entry });
  }
}
