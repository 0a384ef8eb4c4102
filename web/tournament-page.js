/** The page of a tournament: taking part, the clock, who stands where, prizes, one's table, and how it has ended. */
import { contestOf, levelAt, minutes, TICK_MS } from "./contest.js";
import { el, setAttribute, setText } from "./dom.js";
import { chips, moment, stakes } from "./format.js";
import { isolated } from "./names.js";
import { byCode } from "./phrases/phrases.js";
import { say as sayOfRefusals } from "./phrases/refusals.js";
import { say } from "./phrases/tournament.js";

export class TournamentPage {
  #contest;
  #parts;
  /** Ends listening; it goes on while I take part, whatever page is shown. */
  #unlisten = null;
  #timer = null;
  #isShown = false;
  /** What only directors are shown; null: not asked for yet. */
  #director = null;
  #isAskedFor = false;
  /** My line, as it was answered last: of many who take part everybody is shown ten. */
  #asked = null;

  constructor(id, parts) {
    this.#parts = parts;
    this.#contest = contestOf(parts.connection, id);
    this.id = id;
    this.element = this.#build();
    this.#show();
  }

  /** For the window's title. */
  get name() {
    return this.#contest.state?.config.name ?? say.title();
  }

  enter() {
    this.#isShown = true;
    this.#unlisten ??= this.#contest.listen({ change: () => this.#show(), event: (event) => this.#event(event) });
    this.#timer ??= setInterval(() => this.#showClock(), TICK_MS);
    this.#askMe();
    this.#withDirector();
    this.#show();
  }

  /** Members may be directors: what those do comes for them. */
  async #withDirector() {
    const { identity, connection } = this.#parts;
    if (this.#isAskedFor || !identity?.isMember) return;
    this.#isAskedFor = true;
    try {
      const { directorOf } = await import("./director.js");
      this.#director = await directorOf({ identity, ask: (what) => this.#says(what), question: (q) => connection.question(this.id, q) });
      if (this.#director) this.element.append(this.#director.element);
      this.#show();
    } catch (error) {
      console.warn("what directors do has not come:", error);
      this.#isAskedFor = false; // It is asked for again with the next visit.
    }
  }

  async #askMe() {
    const answer = await this.#parts.connection.question(this.id, { about: "me" });
    if (!answer) return;
    this.#asked = answer.me;
    this.#show();
  }

  leave() {
    this.#isShown = false;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#letGo();
  }

  #letGo() {
    const me = this.#mine;
    const plays = me && me.place === null && !this.#isOver;
    if (this.#isShown || plays) return;
    this.#unlisten?.();
    this.#unlisten = null;
  }

  /** My line: as everybody is shown it, else as it was answered. */
  get #mine() {
    const { state } = this.#contest;
    const shown = state?.top.find(({ user }) => user === this.#parts.me());
    // Where all are shown, who is not among them does not take part.
    return shown ?? (state && state.entries <= state.top.length ? null : this.#asked);
  }

  get #isOver() {
    return this.#contest.isGone || ["ended", "cancelled"].includes(this.#contest.state?.phase);
  }

  #build() {
    this.title = el("h1");
    this.phase = el("p", { class: "lobby-sums", role: "status", data: { testid: "tournament-phase" } });
    const button = (text, testid, a) => el("button", { class: "button primary", type: "button", text, data: { testid }, on: { click: () => this.#ask(a) } });
    this.register = button(say.register, "register", "register");
    this.unregister = button(say.unregister, "unregister", "unregister");
    this.unregister.classList.remove("primary");
    this.table = el("a", { class: "button primary", text: say.myTable, data: { testid: "my-table" } });
    this.next = el("a", { class: "button", text: say.next, data: { testid: "next-tournament" } });
    this.result = el("p", { class: "contest-result", role: "status", data: { testid: "result" } });
    this.facts = el("dl", { class: "contest-facts" });
    this.standings = el("ol", { class: "contest-standings", data: { testid: "standings" } });
    this.prizes = el("ol", { class: "contest-prizes", data: { testid: "prizes" } });
    this.nobody = el("p", { class: "lobby-sums" });
    this.later = el("p", { class: "lobby-sums" });
    this.values = new Map();
    return el(
      "main",
      { class: "lobby contest", tabindex: -1, data: { testid: "tournament", room: this.id } },
      el("div", { class: "lobby-top" }, el("div", {}, this.title, this.phase), el("div", { class: "contest-doing" }, this.register, this.unregister, this.table, this.next, el("a", { class: "button", href: "#/tournaments", text: say.all }))),
      this.result,
      this.facts,
      el("div", { class: "contest-lists" }, el("section", {}, el("h2", { text: say.standings }), this.nobody, this.standings), el("section", {}, el("h2", { text: say.prizes }), this.later, this.prizes)),
    );
  }

  #fact(name, text) {
    if (!this.values.has(name)) {
      const value = el("dd", { data: { testid: `fact-${name}` } });
      this.values.set(name, value);
      this.facts.append(el("div", {}, el("dt", { text: say.fact[name] }), value));
    }
    setText(this.values.get(name), text);
  }

  #event(event) {
    if (event.user !== this.#parts.me()) return;
    if (event.e === "seated") this.#parts.seat(event.table);
    if (event.e === "penalized") this.#parts.toasts.show(() => say.penalized(event.hands));
    if (event.e === "disqualified") this.#parts.toasts.show(say.disqualified);
    this.#askMe();
  }

  #show() {
    const { state } = this.#contest;
    const me = this.#mine;
    const isOver = this.#isOver;
    setText(this.title, state?.config.name ?? this.id);
    const gone = this.#contest.isGone && !state ? say.gone : null;
    const known = state?.open ? say.phase.registering : say.phase[state?.phase];
    setText(this.phase, gone ?? known ?? say.looking);
    setAttribute(this.register, "hidden", !state?.open || me !== null || isOver);
    setAttribute(this.unregister, "hidden", state?.phase !== "registering" || me === null || isOver);
    setAttribute(this.table, "hidden", !me?.table || isOver);
    if (me?.table) setAttribute(this.table, "href", `#/table/${me.table}`);
    setAttribute(this.next, "hidden", !state?.next);
    if (state?.next) setAttribute(this.next, "href", `#/tournament/${state.next}`);
    this.#director?.render(isOver ? null : state);
    if (!state) return;
    const { config } = state;
    const { starts } = config;
    this.#fact("entries", `${chips(state.entries)}/${chips(config.entries_max)}`);
    this.#fact("left", chips(state.left));
    this.#fact("pool", () => chips(state.pool));
    this.#fact("stack", () => chips(config.stack));
    this.#fact("starts", starts === "when_full" ? say.whenFull : () => moment(starts.at_ms));
    this.#showClock();
    this.#showResult(me);
    setText(this.nobody, state.top.length === 0 ? say.nobodyYet : "");
    setText(this.later, state.prizes.length === 0 ? say.prizesLater : "");
    this.standings.replaceChildren(...state.top.map((line) => this.#line(line)));
    this.prizes.replaceChildren(...state.prizes.map(({ from, to, each }) => el("li", {}, el("span", { text: () => say.places(from, to) }), el("b", { text: () => chips(each) }))));
    this.#letGo();
  }

  #line({ user, name, bot, stack, table, place, prize }) {
    const who = el("span", { class: user === this.#parts.me() ? "contest-me" : "" }, el("bdi", { text: name }), bot ? el("i", { class: "contest-bot", text: say.bot }) : null);
    const what = place === null ? el("span", { text: () => chips(stack) }) : el("span", { text: () => say.placed(place, prize) });
    const where = table ? el("a", { href: `#/table/${table}`, text: say.watch }) : null;
    return el("li", {}, who, what, where);
  }

  #showClock() {
    const { state } = this.#contest;
    if (!state) return;
    const { number, level, leftMs, isBreak } = levelAt(state, this.#parts.connection.serverClock.now());
    const { small_blind, big_blind, ante } = level;
    this.#fact("level", () => (isBreak ? say.isBreak() : say.level(number, stakes(small_blind, big_blind), ante)));
    this.#fact("next", state.clock?.paused ? say.paused : leftMs === null || this.#isOver ? "–" : minutes(leftMs));
  }

  /** How it has ended for me; for whoever looks on, who has won. */
  #showResult(me) {
    const { state } = this.#contest;
    const first = state.top.find(({ place }) => place === 1);
    const name = first?.name;
    const { place, prize } = me ?? {};
    if (place) return setText(this.result, () => say.youPlaced(place, prize));
    if (state.phase === "cancelled") return setText(this.result, say.wasCancelled);
    return setText(this.result, first ? () => say.winner(isolated(name), first.prize) : "");
  }

  #ask(a) {
    return this.#says({ a });
  }

  async #says(what) {
    const answer = await this.#parts.connection.command(this.id, what);
    if (answer.t !== "ack") this.#parts.toasts.show((what.a.endsWith("register") ? say.refused[answer.code] : null) ?? byCode(sayOfRefusals.refused, answer.code, answer.message, answer), "refused");
  }
}
