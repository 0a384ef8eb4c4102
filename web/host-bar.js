/** What stands at a table that has a host: for him whom he has to answer, for others the door, for all the link and the ledger. */
import { el, setAttribute, setText } from "./dom.js";
import { maySit } from "./door.js";
import { moment } from "./format.js";
import { showHostMenu } from "./host-dialog.js";
import { showInvite } from "./invite-dialog.js";
import { showLedger } from "./ledger-dialog.js";
import { isolated } from "./names.js";
import { say } from "./phrases/hosted.js";

/** So many who knock are shown beside the table; the menu has all. */
const KNOCKING_SHOWN = 3;

export class HostBar {
  #room;
  #me;
  #ask;
  #connection;
  #codes;
  #view = null;
  /** AI players who were asked for and have not come so far, and whether one did not come. */
  #awaited = new Set();
  #inVain = false;
  /** The code of the link by which somebody has come was tried. */
  #tried = false;

  /**
   * @param {object} parts
   * @param {string} parts.room
   * @param {() => string} parts.me my user
   * @param {(what: object) => Promise<boolean>} parts.ask sends a command and says why if it was refused
   * @param {Connection} parts.connection
   * @param {DoorCodes} parts.codes
   */
  constructor({ room, me, ask, connection, codes }) {
    this.#room = room;
    this.#me = me;
    this.#ask = ask;
    this.#connection = connection;
    this.#codes = codes;
    this.status = el("p", { class: "host-status", role: "status" });
    this.knocking = el("ul", { class: "host-knocking", "aria-label": say.knockingLabel });
    this.knock = this.#button(say.knock, "knock", () => this.#ask({ a: "knock" }), "primary");
    this.code = el("input", { type: "text", name: "code", maxlength: 32, required: true, autocomplete: "off", autocapitalize: "off", placeholder: say.code, "aria-label": say.code, data: { testid: "code" } });
    this.door = el("form", { class: "host-door", on: { submit: (event) => this.#sayCode(event) } }, this.code, el("button", { class: "button primary", type: "submit", text: say.enter, data: { testid: "code-ok" } }));
    this.menu = this.#button(say.host, "host-menu", () => this.#openMenu());
    this.invite = this.#button(say.invite, "invite", () => showInvite(room, this.#codeOfLink()));
    this.ledger = this.#button(say.ledger.open, "ledger-open", () => this.#openLedger());
    this.element = el(
      "section",
      { class: "host-bar", "aria-label": say.label, data: { testid: "host-bar" } },
      this.status,
      this.knocking,
      this.knock,
      this.door,
      el("div", { class: "host-buttons" }, this.menu, this.invite, this.ledger),
    );
  }

  #button(text, testid, click, kind = "") {
    return el("button", { class: `button ${kind}`, type: "button", text, data: { testid }, on: { click } });
  }

  render(view) {
    this.#view = view;
    const { hosted } = view;
    const me = this.#me();
    const isHost = hosted.host === me;
    const isSeated = view.seats.some((seat) => seat?.user === me);
    const isOutside = !isSeated && !maySit(view, me) && !hosted.closing;
    const knocks = hosted.knocking.some(({ user }) => user === me);
    setAttribute(this.menu, "hidden", !isHost);
    setAttribute(this.knock, "hidden", !isOutside || hosted.access !== "approve" || knocks);
    setAttribute(this.door, "hidden", !isOutside || hosted.access !== "code");
    setText(this.status, statusOf(hosted, knocks) || (isHost ? this.#aiStatus(hosted) : ""));
    const shown = isHost ? hosted.knocking.slice(0, KNOCKING_SHOWN) : [];
    const names = shown.map(({ user }) => user).join();
    if (this.knocking.dataset.users !== names) {
      this.knocking.dataset.users = names;
      this.knocking.replaceChildren(...shown.map((who) => this.#atTheDoor(who)));
    }
    if (isOutside) this.#tryLink();
  }

  /** Whether AI players come, or do not. */
  #aiStatus({ ai = [], leaving }) {
    const here = new Map(ai.map((player) => [player.user, player.here]));
    for (const user of this.#awaited) {
      if (here.get(user) === false) continue;
      this.#awaited.delete(user);
      this.#inVain = !here.has(user);
    }
    const coming = ai.filter((player) => !player.here && !leaving.includes(player.user));
    for (const { user } of coming) this.#awaited.add(user);
    if (coming.length > 0) return say.ai.comes;
    return this.#inVain ? say.ai.none : "";
  }

  #atTheDoor({ user, name }) {
    return el(
      "li",
      {},
      el("span", { text: () => say.wantsIn(isolated(name)) }),
      this.#button(say.letIn, "approve", () => this.#ask({ a: "approve", user }), "primary"),
      this.#button(say.deny, "deny", () => this.#ask({ a: "deny", user })),
    );
  }

  /** Whoever has come by a link with a code need not type it. */
  #tryLink() {
    const code = this.#codes.of(this.#room);
    if (this.#tried || !code || this.#view.hosted.access !== "code") return;
    this.#tried = true;
    this.#ask({ a: "knock", code });
  }

  async #sayCode(event) {
    event.preventDefault();
    const code = this.code.value;
    if (await this.#ask({ a: "knock", code })) this.#codes.keep(this.#room, code);
  }

  #codeOfLink() {
    return this.#view.hosted.access === "code" ? this.#codes.of(this.#room) : "";
  }

  #openMenu() {
    return showHostMenu({
      view: () => this.#view,
      me: this.#me(),
      room: this.#room,
      ask: this.#ask,
      connection: this.#connection,
      codes: this.#codes,
    });
  }

  async #openLedger() {
    const ledger = await this.#connection.question(this.#room, { about: "ledger" });
    if (ledger) await showLedger(this.#view.config.name, ledger);
  }
}

function statusOf({ closing, paused_ms: paused, pending }, knocks) {
  if (closing) return say.closing;
  if (knocks) return say.waits;
  if (paused !== null) return () => say.paused(moment(paused));
  return pending ? say.pending : "";
}
