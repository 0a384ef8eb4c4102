/** The page of a tournament: taking part, the clock, who stands where, prizes, one's table, and how it has ended. */
import { contestOf, levelAt, minutes, TICK_MS } from "./contest.js";
import { costOf, costTold, stageOf } from "./contest-chips.js";
import { amountIn } from "./currencies.js";
import { el, setAttribute, setText } from "./dom.js";
import { Entry } from "./entry.js";
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
  /** Whether I take part. */
  #entry;
  /** Where my chips are, as far as what I own has been told. */
  #stage = null;
  /** An answer to `register` is waited for. */
  #isRegistering = false;

  constructor(id, parts) {
    this.#parts = parts;
    this.#contest = contestOf(parts.connection, id);
    this.#entry = new Entry({
      ask: () => parts.connection.question(id, { about: "me" }),
      clock: { now: () => performance.now(), after: (ms, then) => setTimeout(then, ms), cancel: (timer) => clearTimeout(timer) },
      changed: () => this.#show(),
      declined: (code) => this.#tellDeclined(code),
    });
    this.id = id;
    this.element = this.#build();
    this.#show();
  }

  /** For the window's title. */
  get name() {
    return this.#contest.state?.config.name ?? say.title();
  }

  /** What entries cost and prizes are, if they are somebody's chips. */
  get currency() {
    return this.#contest.state?.currency ?? null;
  }

  get #price() {
    const { currency, fee, config } = this.#contest.state;
    return { currency, fee, buy_in: config.buy_in };
  }

  enter() {
    this.#isShown = true;
    this.#unlisten ??= this.#contest.listen({ change: () => this.#change(), event: (event) => this.#event(event) });
    this.#timer ??= setInterval(() => this.#showClock(), TICK_MS);
    this.#entry.look();
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

  leave() {
    this.#isShown = false;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#letGo();
  }

  #letGo() {
    const me = this.#mine;
    const plays = me && me.place === null && !this.#isOver;
    if (this.#isShown || plays || this.#isPaying || this.#isRegistering) return;
    this.#unlisten?.();
    this.#unlisten = null;
  }

  /** My line: as everybody is shown it, else as it was answered. */
  get #mine() {
    const { state } = this.#contest;
    const shown = state?.top.find(({ user }) => user === this.#parts.me());
    // Where all are shown, who is not among them does not take part.
    return shown ?? (state && state.entries <= state.top.length ? null : this.#entry.line);
  }

  /** Whether it is waited for chips of mine. */
  get #isPaying() {
    return this.#entry.isPaying && this.#mine === null && !this.#isOver;
  }

  get #isOver() {
    return this.#contest.isGone || ["ended", "cancelled"].includes(this.#contest.state?.phase);
  }

  #build() {
    this.title = el("h1");
    this.phase = el("p", { class: "lobby-sums", role: "status", data: { testid: "tournament-phase" } });
    const button = (text, testid, click) => el("button", { class: "button primary", type: "button", text, data: { testid }, on: { click } });
    this.register = button(say.register, "register", () => this.#register());
    this.unregister = button(say.unregister, "unregister", () => this.#unregister());
    this.unregister.classList.remove("primary");
    this.table = el("a", { class: "button primary", text: say.myTable, data: { testid: "my-table" } });
    this.next = el("a", { class: "button", text: say.next, data: { testid: "next-tournament" } });
    this.paying = el("p", { class: "contest-paying", role: "status", data: { testid: "paying" } });
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
      this.paying,
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
    this.#entry.look();
  }

  #change() {
    this.#entry.heard();
    this.#show();
  }

  #show() {
    const { state } = this.#contest;
    const me = this.#mine;
    const isOver = this.#isOver;
    const isPaying = this.#isPaying;
    setText(this.title, state?.config.name ?? this.id);
    const gone = this.#contest.isGone && !state ? say.gone : null;
    const known = state?.open ? say.phase.registering : say.phase[state?.phase];
    setText(this.phase, gone ?? known ?? say.looking);
    setAttribute(this.register, "hidden", !state?.open || me !== null || isPaying || isOver);
    setText(this.register, this.currency ? () => say.registerFor(this.#named(costOf(this.#price))) : say.register);
    setAttribute(this.unregister, "hidden", !isPaying && (state?.phase !== "registering" || me === null || isOver));
    setText(this.unregister, isPaying ? say.takeBack : say.unregister);
    setText(this.paying, isPaying ? say.paying : "");
    setAttribute(this.table, "hidden", !me?.table || isOver);
    if (me?.table) setAttribute(this.table, "href", `#/table/${me.table}`);
    setAttribute(this.next, "hidden", !state?.next);
    if (state?.next) setAttribute(this.next, "href", `#/tournament/${state.next}`);
    this.#director?.render(isOver ? null : state);
    if (!state) return;
    if (this.#isShown) this.#parts.purse()?.show(this.currency);
    this.#followChips();
    const { config } = state;
    const { starts } = config;
    if (this.currency) this.#fact("cost", () => costTold(this.#price));
    this.#fact("entries", `${chips(state.entries)}/${chips(config.entries_max)}`);
    this.#fact("left", chips(state.left));
    this.#fact("pool", () => chips(this.#of(state.pool)));
    this.#fact("stack", () => chips(config.stack));
    this.#fact("starts", starts === "when_full" ? say.whenFull : () => moment(starts.at_ms));
    this.#showClock();
    this.#showResult(me);
    setText(this.nobody, state.top.length === 0 ? say.nobodyYet : "");
    setText(this.later, state.prizes.length === 0 ? say.prizesLater : "");
    this.standings.replaceChildren(...state.top.map((line) => this.#line(line)));
    this.prizes.replaceChildren(...state.prizes.map(({ from, to, each }) => el("li", {}, el("span", { text: () => say.places(from, to) }), el("b", { text: () => chips(this.#of(each)) }))));
    this.#letGo();
  }

  #line({ user, name, bot, stack, table, place, prize }) {
    const who = el("span", { class: user === this.#parts.me() ? "contest-me" : "" }, el("bdi", { text: name }), bot ? el("i", { class: "contest-bot", text: say.bot }) : null);
    const what = place === null ? el("span", { text: () => chips(stack) }) : el("span", { text: () => say.placed(place, this.#of(prize)) });
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
    if (place) return setText(this.result, () => say.youPlaced(place, this.#of(prize), this.currency !== null));
    if (state.phase === "cancelled") return setText(this.result, () => say.wasCancelled(this.currency !== null));
    return setText(this.result, first ? () => say.winner(isolated(name), this.#of(first.prize)) : "");
  }

  /** An amount of what it is played for. */
  #of(amount) {
    return amountIn(this.currency, amount);
  }

  /** The same with its currency, where that is known and no play money. */
  #named(amount) {
    const purse = this.#parts.purse();
    const isKnown = (purse?.available(this.currency) ?? null) !== null;
    return isKnown ? purse.tell(amount, this.currency) : chips(this.#of(amount));
  }

  async #register() {
    if (this.#isRegistering) return;
    this.#isRegistering = true;
    const isAsked = !(await this.#tellsShort()) && (await this.#says({ a: "register" }));
    this.#isRegistering = false;
    if (isAsked && this.currency) this.#entry.pays();
    else this.#entry.look();
    this.#show();
  }

  async #unregister() {
    await this.#says({ a: "unregister" });
    this.#entry.look();
  }

  /** Who is known to have too little is told so, and where there is more. */
  async #tellsShort() {
    const has = this.currency && (this.#parts.purse()?.available(this.currency) ?? null);
    if (has === null || has >= costOf(this.#price)) return false;
    try {
      const { tellShort } = await import("./short-dialog.js");
      await tellShort(say.register, () => say.tooLittle(this.#named(has), this.#named(costOf(this.#price))));
    } catch (error) {
      console.warn("what tells it has not come:", error);
      return false; // The house says it, too.
    }
    return true;
  }

  /** Chips that were asked for and do not come: told once. */
  #tellDeclined(code) {
    if (!this.#contest.state) return;
    const amount = this.#of(costOf(this.#price));
    this.#parts.toasts.show(byCode(sayOfRefusals.declined, code, "", { amount }), "refused");
  }

  /** My chips go into the tournament, and come back or come as a prize: what I own is other than it was. */
  #followChips() {
    if (!this.currency || !(this.#mine || this.#entry.isKnown)) return;
    const stage = stageOf(this.#mine, this.#isPaying, this.#isOver);
    const before = this.#stage;
    this.#stage = stage;
    // What is so already when one comes is known, but for a prize, which is paid while one comes from the table.
    if (stage !== before && (before || stage === "over")) this.#parts.purse()?.moved(this.id, stage === "out" || stage === "over");
  }

  /** Sends a command, and says why if it was refused. @returns {Promise<boolean>} whether it was done */
  async #says(what) {
    const answer = await this.#parts.connection.command(this.id, what);
    if (answer.t === "ack") return true;
    const own = what.a.endsWith("register") ? say.refused[answer.code] : null;
    this.#parts.toasts.show(own ? () => own(answer) : byCode(sayOfRefusals.refused, answer.code, answer.message, answer), "refused");
    return false;
  }
}
