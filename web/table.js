/** The table page: follows the room and puts its parts together. */
import { Actions } from "./actions.js";
import { Advance } from "./advance.js";
import { Chat } from "./chat.js";
import { amountIn } from "./currencies.js";
import { el, retell, setAttribute, setText } from "./dom.js";
import { callTo, mayTake, maySit, placeOf } from "./door.js";
import { Felt } from "./felt.js";
import { keepFocus } from "./focus.js";
import { stakes } from "./format.js";
import { game } from "./games.js";
import { Gestures } from "./gestures.js";
import { keysOf } from "./keys.js";
import { LATE_ANSWER_MS } from "./line.js";
import { Log } from "./log.js";
import { askNote } from "./note-dialog.js";
import { Notes } from "./notes.js";
import { newsWords } from "./phrases/house.js";
import { say as sayOfPage } from "./phrases/page.js";
import { byCode } from "./phrases/phrases.js";
import { say as sayOfRefusals } from "./phrases/refusals.js";
import { say as sayOfSeat } from "./phrases/seat.js";
import { say } from "./phrases/table.js";
import { Room } from "./room.js";
import { RunOut } from "./run-out.js";
import { RunsBar } from "./runs-bar.js";
import { keptCards, SeatControls } from "./seat-controls.js";
import { EMOTES } from "./talk.js";
import { Story } from "./story.js";
import { applyEvent, hasCards, seatOf as seatIn } from "./table-view.js";
import { TalkRoom } from "./talk-room.js";
import { TurnClock } from "./turn-clock.js";
import { Unit } from "./unit.js";
import { describe, ending, result } from "./words.js";

/** After a keyframe one sees the frames since rush by: for so long they make no noise and move no chips. */
const CATCH_UP_MS = 300;

/** For so long after the bar has changed taps on it do nothing. */
const NEW_BAR_MS = 300;

/** Events by which chips come to a table or go from it. */
const MOVES_CHIPS = new Set(["reserved", "freed", "seated", "left", "topped_up", "top_up_promised", "top_up_lapsed"]);

const NO_SHARES = new Map();
const NONE = new Set();

export class Table {
  #connection;
  #me;
  #purse;
  #toasts;
  #sound;
  #story = new Story();
  #turnSeen = null;
  #liveFrom = 0;
  #newBarAt = -Infinity;
  /** Cards of mine that I may show, and since when. */
  #kept = NONE;
  #offeredAt = -Infinity;
  /** Commands that wait for an answer for too long. */
  #late = 0;
  #heard = true;
  #adrift = false;
  #changed;
  #askKeys;
  #turnTo;
  #goTo;
  /** The line of the tournament whose table it is, once that has come. */
  #contestLine = null;
  #takesKeys;
  #settings;
  #notes;
  #identity;
  #forgetSettings;
  #follows = false;
  #isShown = false;
  /** The last chips that did not come. */
  #declined = null;
  /** Whether another window plays the seat. */
  #takenOver = false;
  #codes;
  #isOver;
  #hostBar = null;
  #hostComes = false;
  #waitingBar = null;
  #waitingComes = false;

  /**
   * @param {string} id the room
   * @param {object} parts
   * @param {Connection} parts.connection
   * @param {() => string} parts.me my user
   * @param {() => Purse|null} parts.purse what I own, where the house keeps it
   * @param {Toasts} parts.toasts
   * @param {Sound} parts.sound
   * @param {Settings} parts.settings
   * @param {Keep} parts.storage of this browser, for notes
   * @param {Identity} parts.identity who plays here, for reports
   * @param {DoorCodes} parts.codes of tables that are opened by one
   * @param {() => void} parts.askKeys shows the list of keys
   * @param {(step: number) => void} parts.turnTo shows another of the player's tables
   * @param {(hash: string) => void} parts.goTo shows another page
   * @param {() => boolean} parts.takesKeys whether a key that is pressed now is meant for this table, if it is shown
   * @param {() => void} parts.changed told when `standing` may be another
   * @param {boolean} parts.isOver whether it is a hand of the past: nothing can be done at the table
   */
  constructor(id, { connection, me, purse, toasts, sound, settings, storage, identity, codes, askKeys, turnTo, goTo, takesKeys, changed, isOver = false }) {
    this.#isOver = isOver;
    this.#changed = changed;
    this.#askKeys = askKeys;
    this.#turnTo = turnTo;
    this.#goTo = goTo;
    this.#takesKeys = takesKeys;
    this.#connection = connection;
    this.#me = me;
    this.#purse = purse;
    this.#toasts = toasts;
    this.#sound = sound;
    this.#settings = settings;
    this.#notes = new Notes(storage);
    this.#identity = identity;
    this.#codes = codes;
    this.#forgetSettings = settings.onChange(() => this.#obey());
    this.room = new Room(id, applyEvent, {
      event: (event, before, position) => this.#event(event, before, position),
      change: (jumped) => this.#change(jumped),
    });
    this.advance = new Advance(() => (this.#newBarAt = performance.now()));
    this.controls = new SeatControls((what) => this.#ask(what), this.advance.element, settings, () => identity.playsFrom, purse);
    this.runs = new RunsBar((what) => this.#ask(what), settings);
    this.actions = new Actions((action) => this.#ask({ a: "act", ...action }), settings);
    this.felt = new Felt((seat) => this.controls.sitDown(seat), (player) => this.#note(player), (card) => this.#showCard(card));
    this.gestures = new Gestures(this.felt.element, this.#byFinger());
    this.runOut = new RunOut(() => this.#change(false));
    this.log = new Log();
    this.chat = new Chat(
      (text) => this.#ask(...this.talk.saying(text).reverse()),
      (user) => this.#notes.of(user).muted,
      (player) => this.#note(player),
    );
    this.talk = new TalkRoom(id, connection, {
      said: (line) => this.#hear(line),
      all: (lines) => {
        this.chat.clear();
        lines.forEach((line) => this.chat.add(line, line.user === this.#me()));
      },
    }, () => this.room.behindMs === 0);
    this.clock = new TurnClock(connection.serverClock, (...time) => this.felt.seats.time(...time));
    this.element = this.#build();
    this.line(connection.state);
  }

  /** The table is shown, and takes keys. */
  enter() {
    if (this.#isShown) return;
    this.#isShown = true;
    this.onkey = (event) => this.#key(event);
    document.addEventListener("keydown", this.onkey);
    this.follow();
  }

  /** It is shown no more. */
  leave() {
    this.#isShown = false;
    document.removeEventListener("keydown", this.onkey);
  }

  /** Follows the room, shown or not. */
  follow() {
    if (this.#follows) return;
    this.#follows = true;
    this.#connection.follow(this.room);
    this.talk.follow();
  }

  /** The end of it. */
  close() {
    this.leave();
    this.#follows = false;
    this.#connection.unfollow(this.room);
    this.talk.leave();
    this.#forgetSettings();
    this.clock.stop();
    this.felt.stop();
    this.#contestLine?.close();
    this.#waitingBar?.close();
  }

  /** The tournament whose table it is, or null. */
  get contest() {
    return this.room.state?.tournament?.room ?? null;
  }

  /** What the player should know of this table while another page is shown; null before the room is known. */
  get standing() {
    const view = this.room.state;
    if (!view) return null;
    const seat = this.room.kind === "table" ? this.#mySeat(view) : null;
    const turn = seat !== null && view.hand?.turn?.seat === seat ? view.hand.turn : null;
    return {
      room: this.room.id,
      name: view.config?.name ?? this.room.id,
      isSeated: seat !== null,
      isHere: !this.#takenOver,
      plays: seat !== null && ["playing", "waiting"].includes(view.seats[seat].status),
      hasCards: seat !== null && hasCards(view.seats[seat], view.hand),
      turn: turn?.deadline_ms ?? null,
      turnId: turn && `${view.hand.hand}-${turn.turn}`,
      isWaiting: this.#isWaiting(view),
      ...(this.#isWaiting(view) ? this.#waitingBar?.standing(view) : null),
    };
  }

  /** Where I sit. Whoever is shown the table late has no seat, though he may see himself sit there in the past. */
  #mySeat(view) {
    return this.room.behindMs > 0 ? null : seatIn(view, this.#me());
  }

  /** The same of what happens. */
  #isMe(user) {
    return this.room.behindMs === 0 && user === this.#me();
  }

  #isWaiting(view) {
    return this.room.kind === "table" && (placeOf(view, this.#me()) !== null || callTo(view, this.#me()) !== null);
  }

  /** What its chips are, if they are somebody's. */
  get currency() {
    return this.room.state?.currency ?? null;
  }

  /** For the window's title. */
  get name() {
    return sayOfPage.tableTitle(this.standing?.name ?? sayOfPage.table());
  }

  /** Takes a state of the connection: while the house is not heard, nothing here pretends to know. */
  line({ name }) {
    this.#heard = name === "online";
    this.clock.sure(this.#heard);
    this.element.classList.toggle("unsure", !this.#heard);
    this.#showWaiting();
  }

  #showWaiting() {
    this.actions.element.classList.toggle("waits", !this.#heard || this.#late > 0);
  }

  /** The house knows nothing of before. @returns {{table: string, chips: number|null}[]} what `user` had here */
  startOver(user) {
    const view = this.room.kind === "table" ? this.room.state : null;
    this.log.clear();
    this.chat.clear();
    this.#story.forget();
    if (!view) return [];
    const seat = seatIn(view, user);
    return [{ table: view.config.name, chips: seat === null ? null : amountIn(view.currency, view.seats[seat].stack + view.seats[seat].bet) }];
  }

  /** Another language is spoken: what is chosen by how much room its words take is chosen again. */
  retell() {
    setText(this.speech, "");
    retell(this.element);
    this.#change(false);
  }

  /** A notice or an error about this room. */
  notice({ code, message }) {
    if (code === "recovered") return this.#showNotice("", false);
    // The keyframe that follows may stand before what this page has.
    if (code === "history_lost") this.room.forget();
    if (code === "taken_over") this.#playedElsewhere(true);
    return this.#showNotice(newsWords({ code, message }), code === "taken_over");
  }

  #build() {
    this.title = el("h1", { class: "table-name" });
    this.stakes = el("span", { class: "table-stakes" });
    this.behind = el("span", { class: "behind", hidden: true, data: { testid: "behind" } });
    this.railCards = el("span", { class: "behind", hidden: true, data: { testid: "rail-cards" } });
    this.number = el("span", { class: "hand-number", data: { testid: "hand-number", hand: "" } });
    this.noticeText = el("span");
    this.takeBack = el("button", { class: "button", type: "button", text: say.playHere, on: { click: () => this.#takeBack() } });
    this.noticeBar = el("div", { class: "table-notice", role: "status", hidden: true }, this.noticeText, this.takeBack);
    this.foot = el("div", { class: "table-foot", tabindex: -1 }, this.log.recent, this.controls.element, this.actions.element, this.runs.element);
    // In the capturing phase: before any button hears of it.
    this.foot.addEventListener("click", (event) => this.#mayClick(event) || event.stopPropagation(), true);
    this.speech = el("p", { class: "for-ears", "aria-live": "assertive" });
    return el(
      "main",
      { class: "table-page loading", tabindex: -1, data: { testid: "table", room: this.room.id } },
      el(
        "div",
        { class: "table-main" },
        (this.head = el("div", { class: "table-head" }, this.title, this.stakes, this.number, this.behind, this.railCards)),
        this.noticeBar,
        this.felt.element,
        this.foot,
        this.speech,
      ),
      (this.side = el(
        "aside",
        { class: "side", "aria-label": say.panel },
        el("h2", { text: say.log }),
        this.log.element,
        el("h2", { text: say.chat }),
        this.chat.element,
      )),
    );
  }

  #event(event, before, position) {
    const line = describe(event, before);
    if (line) this.log.add(line);
    if (event.e === "chat") this.#hear(event);
    // In a tournament one is sent elsewhere, and sees why where one comes to.
    if (event.e === "moved" && this.#isMe(event.user)) this.#leadTo(`#/table/${event.to}`, say.movedTo);
    if (event.e === "busted" && this.#isMe(event.user)) this.#leadTo(`#/tournament/${this.contest}`);
    this.#story.note(event, before);
    this.#followChips(event, before);
    if (event.e === "hand_ended") this.#endHand(before, position);
    if (performance.now() < this.#liveFrom) return;
    if (event.e === "bank" && before.seats[event.seat]?.user === this.#me()) this.#announceBank();
    if (!this.#isShown) return;
    if (event.e === "won" || event.e === "collected") this.#sound.play("chips");
    if (event.e === "street" || event.e === "dealt") this.#sound.play("card");
    this.felt.animate(event, before);
    if (event.e === "hand_ended") setText(this.speech, result(before, this.#story));
  }

  #endHand(before, position) {
    for (const line of ending(before, this.#story)) this.log.add(line);
    // Where a house keeps hands, one is called by the frame in which it has ended.
    if (!this.#isOver && this.#identity.keepsHands) this.log.link(`#/hand/${this.room.id}.${position.join("-")}`);
  }

  /** My own chips come to this table and go from it: what I own is other than it was. */
  #followChips({ e, seat, user }, { currency, seats, reserved }) {
    if (!currency || !MOVES_CHIPS.has(e)) return;
    const whose = user ?? seats[seat]?.user ?? reserved?.find((waiting) => waiting.seat === seat)?.user;
    if (whose === this.#me()) this.#purse()?.moved(this.room.id, e === "left" || e === "freed");
  }

  #leadTo(hash, why = null) {
    if (!this.#isShown) return;
    this.#goTo(hash);
    if (why) this.#toasts.show(why);
  }

  /** At a tournament's table its line stands in the head. */
  async #withContest() {
    this.#contestLine = { close() {} };
    try {
      const { ContestLine } = await import("./contest-line.js");
      this.#contestLine = new ContestLine(this.#connection, this.contest);
      this.head.append(this.#contestLine.element);
    } catch (error) {
      console.warn("a tournament's line has not come:", error);
      this.#contestLine = null;
    }
  }

  #hear(line) {
    this.chat.add(line, line.user === this.#me());
    const isFelt = this.#settings.emotes && Object.hasOwn(EMOTES, line.text) && !this.#notes.of(line.user).muted;
    if (!isFelt || !this.room.state || performance.now() < this.#liveFrom) return;
    const seat = seatIn(this.room.state, line.user);
    if (seat !== null) this.felt.seats.emote(seat, line.text);
  }

  #change(jumped) {
    const view = this.room.state;
    if (!view) return;
    if (this.room.kind !== "table") return this.#cannotShow(this.room.kind);
    if (this.room.isAdrift !== this.#adrift) this.#tellDrift();
    if (jumped) {
      this.#story.forget();
      this.felt.measure();
      this.#liveFrom = performance.now() + CATCH_UP_MS;
    }
    const focusIsKept = keepFocus(this.element, this.foot);
    this.element.classList.toggle("loading", false);
    const mine = this.#mySeat(view);
    this.#tellDeclined();
    this.chat.seats(new Set(view.seats.map((seat) => seat?.user)));
    this.#connection.seatedIn(this.room, mine !== null);
    const cards = this.#myCards(view);
    this.#renderHead(view);
    if (view.tournament && !this.#contestLine) this.#withContest();
    this.element.classList.toggle("of-contest", Boolean(view.tournament));
    const unit = new Unit(this.#settings.inBlinds ? view.config.big_blind : null, view.currency);
    const shares = this.#settings.equity ? this.runOut.of(view) : NO_SHARES;
    const kept = this.#isOver ? [] : keptCards(view, mine, cards);
    if (this.#kept.size === 0 && kept.length > 0) this.#offeredAt = performance.now();
    this.#kept = new Set(kept);
    const takes = (seat) => mayTake(view, this.#me(), seat);
    const held = mine === null ? this.#cardsHeld(view) : new Map();
    this.felt.render({ view, story: this.#story, mine, cards, held, unit, notes: this.#notes, shares, kept: this.#kept, takes });
    if (!this.#isOver) this.#offer(view, mine, { cards, takes, unit });
    focusIsKept();
  }

  /** What the player can do, and the time that there is for it. */
  #offer(view, mine, { cards, takes, unit }) {
    this.controls.render(view, mine, cards, takes);
    this.runs.render(view, mine);
    this.#showWaitingList(view, mine === null && !view.tournament && maySit(view, this.#me()) && !view.seats.some((seat, at) => seat === null && takes(at)));
    if (view.hosted) this.#showHost();
    if (!this.#takenOver && !this.room.isAdrift && performance.now() >= this.#liveFrom) {
      this.controls.fill();
      this.controls.showSelf();
      this.runs.answerSelf();
    }
    this.actions.render(view, mine);
    const decided = this.advance.render({ view, mine, story: this.#story, unit });
    this.controls.makeRoom();
    if (decided) this.actions.choose(decided);
    this.clock.follow(view, this.#story.banking, this.room.behindMs);
    this.#announceTurn(view, mine);
  }

  /** What stands at a table that has a host; it comes when the first one is seen. */
  async #showHost() {
    if (this.#hostBar) return this.#hostBar.render(this.room.state);
    if (this.#hostComes) return undefined;
    this.#hostComes = true;
    try {
      const { hostBar } = await import("./hosted.js");
      const ask = (what) => this.#ask(what);
      this.#hostBar = await hostBar({ room: this.room.id, me: this.#me, ask, connection: this.#connection, codes: this.#codes });
      this.noticeBar.after(this.#hostBar.element);
      this.#hostBar.render(this.room.state);
      this.felt.measure();
    } catch (error) {
      console.warn("the host's bar has not come:", error);
      this.#hostComes = false; // It is asked for again with the next news.
    }
    return undefined;
  }

  /** The waiting list, where it is offered or one is on it. */
  async #showWaitingList(view, isOffered) {
    if (this.#waitingBar) {
      setAttribute(this.controls.status, "hidden", this.#waitingBar.render(view, isOffered));
      if (callTo(view, this.#me())) setAttribute(this.controls.sit, "hidden", true);
      return undefined;
    }
    if (this.#waitingComes || (!isOffered && !this.#isWaiting(view))) return undefined;
    this.#waitingComes = true;
    try {
      const { waitingBar } = await import("./waiting.js");
      this.#waitingBar = await waitingBar({ me: this.#me, ask: (what) => this.#ask(what), sit: (seat) => this.controls.sitDown(seat), now: () => this.#connection.serverClock.now() });
      this.controls.element.prepend(this.#waitingBar.element);
      this.#change(false);
    } catch (error) {
      console.warn("the waiting list has not come:", error);
      this.#waitingComes = false; // It is asked for again with the next news.
    }
    return undefined;
  }

  /** Something was set otherwise. */
  #obey() {
    this.actions.showKeys();
    this.actions.startOver();
    this.chat.look();
    this.#change(false);
  }

  /** Asks what to remember of a player. */
  async #note({ user, name, bot }) {
    try {
      const note = await askNote(name, this.#notes.of(user), this.#identity.mayBeMember && !bot);
      if (!note) return;
      this.#remember(user, note);
      if (note.reports) await this.#report(user, name);
    } catch (error) {
      console.warn("a dialog has not come:", error);
      this.#toasts.show(sayOfPage.notCome);
    }
  }

  #remember(user, note) {
    this.#notes.write(user, note);
    this.chat.look();
    this.#change(false);
  }

  /** Asks what is to be reported of a player; a house that keeps people keeps that, too. */
  async #report(user, name) {
    const { askReport } = await import("./report-dialog.js");
    const hides = await askReport({ identity: this.#identity, user, name, room: this.room.id, muted: this.#notes.of(user).muted });
    if (hides) this.#remember(user, { ...this.#notes.of(user), muted: true });
  }

  /** What is shown is never hidden again: a tap that was meant for something else does not do it. */
  #showCard(card) {
    if (this.#kept.has(card) && performance.now() - this.#offeredAt >= NEW_BAR_MS) this.#ask({ a: "show", cards: [card] });
  }

  /** Chips that were asked for and do not come: told once. */
  #tellDeclined() {
    const { declined } = this.room.own ?? {};
    if (!declined || declined === this.#declined) return;
    this.#declined = declined;
    this.#purse()?.moved(this.room.id, this.#mySeat(this.room.state) === null);
    this.#toasts.show(byCode(sayOfRefusals.declined, declined.code, "", { amount: amountIn(this.currency, declined.amount) }), "refused");
  }

  #tellDrift() {
    this.#adrift = this.room.isAdrift;
    this.#showNotice(this.#adrift ? say.drifts : "", false);
  }

  #cannotShow(kind) {
    setText(this.title, this.room.id);
    this.#showNotice(() => say.unknownKind(kind), false);
    this.#changed();
  }

  #renderHead({ config, hand, currency, rail }) {
    setText(this.title, config.name);
    setText(this.stakes, () => `${game(config)} ${stakes(amountIn(currency, config.small_blind), amountIn(currency, config.big_blind))}`);
    const number = hand?.hand;
    setText(this.number, hand ? () => say.hand(number) : "");
    setAttribute(this.number, "data-hand", number ?? "");
    const { behindMs } = this.room;
    setAttribute(this.behind, "hidden", behindMs === 0);
    setText(this.behind, behindMs > 0 ? () => say.behind(Math.round(behindMs / 1_000)) : "");
    setAttribute(this.railCards, "hidden", !rail);
    setText(this.railCards, rail ? say.railCards : "");
    setAttribute(this.railCards, "title", rail ? () => say.railCardsHint(rail.cards, rail.delay_ms) : null);
  }

  /** What those who watch are told of cards, if it is about the hand on the table: by seat. */
  #cardsHeld(view) {
    const { told } = this.room;
    const isOfHand = told?.seats && told.hand === view.hand?.hand;
    const held = isOfHand ? told.seats.filter(({ seat, user }) => view.seats[seat]?.user === user) : [];
    return new Map(held.map(({ seat, cards }) => [seat, cards]));
  }

  /** What `private` said, if it was about the hand on the table. */
  #myCards(view) {
    const { own } = this.room;
    return own && own.hand === view.hand?.hand ? own.cards : [];
  }

  /** The usual time is over: that must not pass unheard. */
  #announceBank() {
    this.#sound.play("bank");
    setText(this.speech, sayOfSeat.bankRuns);
  }

  #announceTurn(view, mine) {
    const { hand } = view;
    const turn = mine !== null && hand?.turn?.seat === mine ? `${hand.hand}-${hand.turn.turn}` : null;
    if (turn && turn !== this.#turnSeen) {
      const { call } = hand.turn;
      setText(this.speech, call === null ? say.turnFree : () => say.turnCosts(amountIn(view.currency, call)));
    }
    this.#connection.inTurn(this.room, turn !== null && !this.#takenOver);
    if (turn !== this.#turnSeen) this.#newBarAt = performance.now();
    this.element.classList.toggle("my-turn", turn !== null);
    this.#turnSeen = turn;
    this.#changed();
  }

  /** A tap that comes with a new bar was meant for what stood there before. Keys do not hit by place: their clicks have no `detail`. */
  #mayClick({ detail }) {
    return detail === 0 || this.#isSettled();
  }

  #isSettled() {
    return performance.now() - this.#newBarAt >= NEW_BAR_MS;
  }

  #byFinger() {
    const cards = () => (this.actions.canAct && this.#isSettled() ? this.felt.element.querySelector("[data-testid=my-cards]") : null);
    return {
      any: () => this.#settings.gestures && !this.#isOver,
      cards,
      rests: () => this.actions.canCheck && this.#isSettled(),
      does: (what) => {
        if (what === "fold") this.actions.foldNow();
        else if (what === "check") this.actions.choose("check");
        else this.#turnTo(what === "next" ? 1 : -1);
      },
      buzz: (ms) => this.#settings.vibrate && navigator.vibrate?.(ms),
    };
  }

  #key(event) {
    const typing = event.target.matches("input, select, textarea") && !this.actions.element.contains(event.target);
    if (typing || !this.#takesKeys() || document.querySelector("dialog[open]")) return undefined;
    if (this.actions.key(event)) return event.preventDefault();
    if (!event.target.matches("input") && keysOf(event)[0] === "?") this.#askKeys();
    return undefined;
  }

  /** Sends a command and says why if it was refused. */
  async #ask(what, room = this.room.id) {
    const answer = await this.#answer(what, room);
    if (answer.t === "ack") return true;
    this.#toasts.show(byCode(sayOfRefusals.refused, answer.code, answer.message, this.#aboutRefusal(answer)), "refused");
    if (answer.legal?.buy_in) this.controls.bring(answer.legal.buy_in);
    if (answer.code === "other_session") {
      this.#showNotice(say.elsewhere, true);
      this.#playedElsewhere(true);
    }
    return false;
  }

  /** What the words for a refusal need to know. */
  #aboutRefusal({ legal, retry_after_ms }) {
    const { buy_in_min: min, buy_in_max: max, rathole_ms } = this.room.state?.config ?? {};
    const limits = { min, max, ...legal?.buy_in };
    const tell = (amount) => (amount === undefined ? amount : amountIn(this.currency, amount));
    return { min: tell(limits.min), max: tell(limits.max), play_from_ms: legal?.play_from_ms, retry_after_ms, minutes: Math.ceil((rathole_ms ?? 0) / 60_000) };
  }

  async #answer(what, room) {
    let late = 0;
    const timer = setTimeout(() => {
      this.#late += late = 1;
      this.#showWaiting();
    }, LATE_ANSWER_MS);
    const answer = await this.#connection.command(room, what);
    clearTimeout(timer);
    this.#late -= late;
    this.#showWaiting();
    return answer;
  }

  #showNotice(text, canTakeBack) {
    setText(this.noticeText, text);
    setAttribute(this.noticeBar, "hidden", text === "");
    setAttribute(this.takeBack, "hidden", !canTakeBack);
  }

  #takeBack() {
    this.#connection.watchAgain(this.room);
    this.#showNotice("", false);
    this.#playedElsewhere(false);
  }

  #playedElsewhere(is) {
    this.#takenOver = is;
    this.#changed();
  }
}
