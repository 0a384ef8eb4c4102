/**
 * The connection to a relay: greets, resumes, keeps alive, reconnects, and sends commands so that each is applied once.
 *
 * It knows sockets only through `openSocket`, time only through `clock` and chance only through `random`, so tests
 * drive it by hand. Room messages go to the `Room` that follows the room; everything else goes to `on.message`.
 */
import { Commands } from "./commands.js";
import { LATE_ANSWER_MS, Line } from "./line.js";
import { say as sayOfHouse } from "./phrases/house.js";
import { say } from "./phrases/page.js";
import { afterClose, backoff, near } from "./retry.js";
import { Outcome } from "./room.js";
import { ServerClock } from "./server-clock.js";

export const SUBPROTOCOL = "cardhouse.v1";
/** How long opening and greeting may take at first; on a slow line it may need more, so each further attempt in vain has twice as long. */
const WELCOME_FIRST_MS = 4_000;
/** No attempt has longer. */
const WELCOME_MAX_MS = 10_000;
/** However often a machine says that it has woken up, attempts that it asks for are so far apart. */
const ATTEMPTS_APART_MS = 1_000;
/** An attempt on its way is given so long before a machine that has woken up may begin another. */
const ATTEMPT_MIN_MS = 3_000;
/** A connection that has lasted so long ends a series of gaps. */
const LASTED_MS = 5_000;
/** A token is renewed so long before it expires, or at half of its time if that is later. */
const REFRESH_AHEAD_MS = 5 * 60_000;
/** Reception is not asked more often than this. */
const REFRESH_EVERY_MS = 2_000;
/** So many attempts in a row have failed before it is asked why. */
const ASK_WHY_AFTER = 2;

/** A question that has no answer by then has none. */
const QUESTION_MS = 4_000;
/** It is asked again no sooner, whatever it is told: a connection may ask four a second. */
const QUESTION_AGAIN_MS = 250;

export class Connection {
  #url;
  #identity;
  #openSocket;
  #clock;
  #random;
  #whyNot;
  #on;
  #socket = null;
  #user = null;
  #session = null;
  #questions = new Map();
  #asked = 0;
  #commands = new Commands();
  #rooms = new Map();
  #leaving = new Map();
  #gaps = 0;
  /** What is looked at in the lobby, or null. */
  #lobbyLook = null;
  /** Whether the relay shows views of it; those of releases before 3 tell everything. */
  #hasViews = false;
  #seats = new Set();
  #seat = null;
  #isNear = null;
  #connectsNear = false;
  #failures = 0;
  /** Attempts since the last `welcome` that did not come to one; a relay that has fallen silent counts. */
  #inVain = 0;
  /** One has, since the last `welcome`. */
  #fellSilent = false;
  #greeted = new Set();
  #retry = null;
  #moving = null;
  #welcoming = null;
  #lasting = null;
  #refreshing = null;
  #attempt = 0;
  #attemptAt = -Infinity;
  /** Whether an attempt is on its way. */
  #trying = false;
  /** Rooms in which it is our turn. */
  #turns = new Set();
  #line;
  /** The machine says that it has no network, and nothing has come since that proves the contrary. */
  #unplugged = false;
  /** What the house has said about why it opens no socket. */
  #reason = "";
  #state = { name: "connecting", why: "", since: null, retryAt: null, unplugged: false };

  /**
   * @param {object} parts
   * @param {string} parts.url of the WebSocket
   * @param {{user: string, token(): Promise<string>, refresh(): Promise<string>, renew(): Promise<void>}} parts.identity
   * @param {(url: string, protocol: string) => WebSocket} parts.openSocket
   * @param {{now(): number, after(ms, fn): any, cancel(timer): void}} parts.clock
   * @param {() => number} parts.random in [0, 1)
   * @param {() => Promise<(() => string)|string|null>} [parts.whyNot] asks why no socket is opened, which a socket's failure does not tell
   * @param {object} parts.on `state(state)` (see `state` below), `lag(ms)`, `welcome(message)`, `message(message)`
   */
  constructor({ url, identity, openSocket, clock, random, whyNot = async () => null, on }) {
    this.#url = url;
    this.#identity = identity;
    this.#openSocket = openSocket;
    this.#clock = clock;
    this.#random = random;
    this.#whyNot = whyNot;
    this.#on = on;
    this.serverClock = new ServerClock(() => clock.now());
    this.#line = new Line(clock, {
      ping: () => this.#send({ t: "ping", at: clock.now() }),
      silence: () => this.#isOpen && this.#setState("online"),
      dead: (woken) => {
        if (!woken) {
          this.#inVain += 1;
          this.#fellSilent = true;
        }
        this.reconnect();
      },
    });
  }

  /**
   * - `name`: `online`; `silent` (open, but nothing comes); `connecting`; `offline` (given up until `connect` is called)
   * - `why`, for people, or a function that tells it; may be empty
   * - `since`: when something was last heard, by the clock; null while online
   * - `retryAt`: when the next attempt is due, by the clock; null when none is waited for
   * - `unplugged`: whether the machine says that it has no network
   */
  get state() {
    return this.#state;
  }

  /** Connects now, whatever was waited for. Does nothing while online. */
  async connect() {
    if (this.#isOpen) return;
    this.#drop();
    const attempt = ++this.#attempt;
    this.#attemptAt = this.#clock.now();
    this.#trying = true;
    this.#setState("connecting", this.#reason);
    let token;
    try {
      token = await this.#identity.token();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (error.final) this.#end(error.tell);
      else this.#closed(1006, error.tell ?? sayOfHouse.receptionSilent);
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#isStillMe();
    this.#isNear = this.#connectsNear ? this.#seat : null;
    const place = near(this.#isNear, this.#inVain, this.#random);
    const socket = this.#openSocket(place ? `${this.#url}?near=${place}` : this.#url, SUBPROTOCOL);
    this.#socket = socket;
    socket.onopen = () => this.#greet(token);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#read(data);
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code);
    // The first behind a silence may lead to that relay again, which takes it and says nothing: it has half as long.
    const welcomeMs = Math.min(WELCOME_MAX_MS, WELCOME_FIRST_MS * 2 ** (this.#inVain - (this.#fellSilent ? 2 : 0)));
    this.#welcoming = this.#clock.after(welcomeMs, () => this.#closed(1006, say.noAnswer));
  }

  /** Leaves this socket for a new one with `resume`: after a gap, or when the machine has woken up. */
  reconnect() {
    this.#drop();
    this.#setState("connecting");
    this.connect();
  }

  /** Is the line alive? Asked when the page becomes visible or is woken up, or when the network returns. */
  check() {
    if (this.#isOpen) return this.#line.check();
    if (this.#state.name !== "connecting") return undefined;
    const waitMs = this.#attemptAt + (this.#trying ? ATTEMPT_MIN_MS : ATTEMPTS_APART_MS) - this.#clock.now();
    if (waitMs <= 0) return this.connect();
    if (this.#trying) this.#retry ??= this.#clock.after(waitMs, () => this.connect());
    else if (this.#state.retryAt > this.#clock.now() + waitMs) this.#retryIn(waitMs);
    return undefined;
  }

  /** The machine says whether it has a network. That it has none may be a false alarm, so the line is asked. */
  plugged(on) {
    this.#unplugged = !on;
    this.#setState(this.#isOpen ? "online" : this.#state.name, this.#state.why, this.#state.retryAt);
    this.check();
  }

  /** It is our turn in this room, or it is not: who is waited for wants to know at once that the house does not answer. */
  inTurn(room, on) {
    if (on) this.#turns.add(room.id);
    else this.#turns.delete(room.id);
    this.#hurry();
  }

  /** Begins to follow a room, over reconnects, until `unfollow`. */
  follow(room) {
    this.#rooms.set(room.id, room);
    this.#send({ t: "watch", room: room.id });
  }

  /** Ends it. */
  unfollow(room) {
    this.#rooms.delete(room.id);
    this.inTurn(room, false);
    this.seatedIn(room, false);
    this.#unwatch(room.id);
  }

  /** Asks for a room's frames once more, which also takes a seat back from another window. */
  watchAgain(room) {
    this.#send({ t: "watch", room: room.id });
  }

  /**
   * We have a seat in this room, or none. If the house wants that, the connection moves to where the room's other players are: of several
   * rooms, to those of the first.
   */
  seatedIn(room, on) {
    if (on) this.#seats.add(room.id);
    else this.#seats.delete(room.id);
    this.#seat = this.#seats.has(this.#isNear) ? this.#isNear : ([...this.#seats][0] ?? null);
    const isElsewhere = this.#connectsNear && this.#seat !== null && this.#seat !== this.#isNear;
    if (isElsewhere && this.#isOpen) this.reconnect();
  }

  /**
   * Looks at a part of the lobby from now on, over reconnects, or at none.
   * @param {{v: number, view: object}|null} look
   */
  lobby(look) {
    this.#lobbyLook = look;
    if (look) this.#lookAgain();
    else this.#send({ t: "lobby", on: false });
  }

  #lookAgain() {
    this.#send({ t: "lobby", on: true, ...(this.#hasViews ? this.#lobbyLook : {}) });
  }

  /** Sends a command; the answer is its `ack` or `refused`, however many reconnects that takes. */
  command(room, what) {
    const { message, answer } = this.#commands.add(room, what, this.#clock.now());
    this.#send(message);
    this.#clock.after(LATE_ANSWER_MS, () => this.#hurry());
    return answer;
  }

  /** Asks a room without a command. @returns {Promise<object|null>} the body of its answer; null: it has none, or nobody answers */
  question(room, q) {
    const until = this.#clock.now() + QUESTION_MS;
    return new Promise((resolve) => this.#ask(room, q, until, resolve));
  }

  /** Once more when it is told to come again, as in a house that has just been opened, if that leaves time. */
  #ask(room, q, until, resolve) {
    const n = ++this.#asked;
    this.#questions.set(n, ({ body = null, retry_after_ms }) => {
      const waitMs = Math.max(retry_after_ms, QUESTION_AGAIN_MS);
      if (this.#clock.now() + waitMs < until) this.#clock.after(waitMs, () => this.#ask(room, q, until, resolve));
      else resolve(body);
    });
    this.#send({ t: "ask", n, room, q });
    this.#clock.after(until - this.#clock.now(), () => this.#answer({ n }));
  }

  #answer(message) {
    this.#questions.get(message.n)?.(message);
    this.#questions.delete(message.n);
  }

  #greet(token) {
    this.#greeted = new Set(this.#rooms.keys());
    const resume = Object.fromEntries([...this.#rooms].map(([id, room]) => [id, room.position]));
    const session = this.#session ? { session: this.#session } : {};
    this.#socket.send(JSON.stringify({ t: "hello", token, ...session, resume }));
  }

  /** A new guest has no session, and the house may have been started anew: nothing that we know counts any more. */
  #isStillMe() {
    const { user } = this.#identity;
    if (this.#user !== null && this.#user !== user) {
      this.#session = null;
      this.#commands.startOver();
      this.#rooms.forEach((room) => room.forget());
    }
    this.#user = user;
  }

  /** What is no message is skipped: a later house may say more than this page can read. */
  #read(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return console.warn("no message:", data);
    }
    return typeof message?.t === "string" ? this.#receive(message) : console.warn("no message:", data);
  }

  #receive(message) {
    this.#heard();
    switch (message.t) {
      case "welcome":
        return this.#welcome(message);
      case "refreshed":
        return this.#refreshBefore(message.expires_ms);
      case "ack":
      case "refused":
        this.#commands.answered(message);
        return this.#hurry();
      case "answer":
      case "unanswered":
        return this.#answer(message);
      case "keyframe":
      case "frame":
      case "private":
      case "rail":
      case "behind":
        return this.#roomSays(message);
      case "unwatched":
        return this.#unwatched(message);
      case "pong":
        this.serverClock.pong(message);
        this.#line.lag(this.serverClock.lagMs);
        return this.#on.lag(this.serverClock.lagMs);
      case "reconnect":
        return this.#leaveIn(message.after_ms);
      default:
        return this.#on.message(message);
    }
  }

  #heard() {
    this.#line.heard();
    if (!this.#unplugged) return;
    this.#unplugged = false;
    if (this.#isOpen) this.#setState("online");
  }

  #hurry() {
    const isLate = this.#commands.oldestAt <= this.#clock.now() - LATE_ANSWER_MS;
    this.#line.hurry(isLate || this.#turns.size > 0);
  }

  /** What is on its way from before an `unwatch` is not for one who has come back since. */
  #roomSays(message) {
    if (this.#leaving.has(message.room)) return;
    const outcome = this.#rooms.get(message.room)?.receive(message);
    if (outcome !== Outcome.Gap) return;
    this.#drop();
    this.#retryIn(backoff(this.#gaps++, this.#random));
  }

  #unwatch(id) {
    if (!this.#isOpen) return;
    this.#leaving.set(id, (this.#leaving.get(id) ?? 0) + 1);
    this.#send({ t: "unwatch", room: id });
  }

  /** Our own leaving answered, or a room that has closed. */
  #unwatched(message) {
    const expected = this.#leaving.get(message.room) ?? 0;
    if (expected === 0) return this.#on.message(message);
    if (expected > 1) this.#leaving.set(message.room, expected - 1);
    else this.#leaving.delete(message.room);
    return undefined;
  }

  #welcome(message) {
    this.#failures = 0;
    this.#inVain = 0;
    this.#fellSilent = false;
    this.#reason = "";
    this.#connectsNear = message.near === true;
    [this.#welcoming, this.#retry].forEach((timer) => this.#clock.cancel(timer));
    this.#retry = null;
    this.#trying = false;
    const goesOn = this.#session === message.session;
    if (!goesOn) {
      if (this.#session) {
        this.#commands.startOver();
        this.#rooms.forEach((room) => room.doubt());
      }
      this.#session = message.session;
    }
    this.#rooms.forEach((room) => room.greeted());
    this.serverClock.reset();
    this.serverClock.roughly(message.now_ms);
    this.#setState("online");
    this.#on.welcome(message);
    this.#hasViews = message.views === true;
    if (this.#lobbyLook) this.#lookAgain();
    this.#watchWhatChanged();
    if (goesOn && message.counts) this.#send({ t: "count", n: this.#commands.last });
    this.#commands.unanswered().forEach((command) => this.#send(command));
    this.#refreshBefore(message.expires_ms);
    this.#lasting = this.#clock.after(LASTED_MS, () => (this.#gaps = 0));
    this.#line.start();
  }

  /** Rooms entered or left while the greeting was on its way. */
  #watchWhatChanged() {
    for (const id of this.#rooms.keys()) if (!this.#greeted.has(id)) this.#send({ t: "watch", room: id });
    for (const id of this.#greeted) if (!this.#rooms.has(id)) this.#unwatch(id);
  }

  #refreshBefore(expiresMs) {
    this.#clock.cancel(this.#refreshing);
    const leftMs = expiresMs - this.serverClock.now();
    const waitMs = Math.max(leftMs - REFRESH_AHEAD_MS, leftMs / 2, REFRESH_EVERY_MS);
    this.#refreshing = this.#clock.after(waitMs, async () => {
      try {
        this.#send({ t: "refresh", token: await this.#identity.refresh() });
      } catch {
        this.#refreshBefore(expiresMs); // Half of what is left, again and again; at the end the relay closes and says why.
      }
    });
  }

  /** The relay is leaving: stay until it is our time, then go to another. */
  #leaveIn(afterMs) {
    this.#clock.cancel(this.#moving);
    this.#moving = this.#clock.after(afterMs, () => this.reconnect());
  }

  async #closed(code, detail = "") {
    this.#drop();
    if (!this.#isOpen) this.#inVain += 1;
    const next = afterClose(code, this.#failures, this.#random);
    this.#failures += 1;
    if (next.final) return this.#setState("offline", next.final);
    this.#setState("connecting", detail || this.#reason);
    if (this.#inVain >= ASK_WHY_AFTER) this.#askWhy();
    if (next.dropUnanswered) this.#commands.startOver();
    const attempt = ++this.#attempt;
    if (next.newToken) {
      try {
        await this.#identity.renew();
      } catch (error) {
        console.warn("no new token yet:", error);
        if (error.final && attempt === this.#attempt) return this.#end(error.tell);
      }
      if (attempt !== this.#attempt) return undefined;
    }
    this.#retryIn(next.waitMs, this.#state.why);
    return undefined;
  }

  /** Reception gives no token, and says why: trying again would change nothing. */
  #end(why) {
    this.#drop();
    this.#setState("offline", why);
  }

  #retryIn(ms, why = "") {
    this.#clock.cancel(this.#retry);
    this.#retry = this.#clock.after(ms, () => this.connect());
    this.#setState("connecting", why, this.#clock.now() + ms);
  }

  /** A refused socket looks to a page like one that broke; over HTTP the house says what is wrong. */
  async #askWhy() {
    const reason = (await this.#whyNot()) ?? "";
    if (this.#state.name !== "connecting" || reason === this.#reason) return;
    this.#reason = reason;
    this.#setState("connecting", reason, this.#state.retryAt);
  }

  /** Lets the socket go without waiting for its end. */
  #drop() {
    [this.#retry, this.#moving, this.#welcoming, this.#lasting, this.#refreshing].forEach((timer) => this.#clock.cancel(timer));
    this.#retry = null;
    this.#trying = false;
    this.#leaving.clear();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  get #isOpen() {
    return this.#state.name === "online" || this.#state.name === "silent";
  }

  #send(message) {
    if (this.#isOpen) this.#socket.send(JSON.stringify(message));
  }

  /** @param {"online"|"connecting"|"offline"} name */
  #setState(name, why = "", retryAt = null) {
    if (name !== "online") this.#line.stop();
    const isSilent = name === "online" && (this.#unplugged || this.#line.isSilent);
    const since = name === "online" && !isSilent ? null : this.#line.heardAt;
    this.#state = { name: isSilent ? "silent" : name, why, since, retryAt, unplugged: this.#unplugged };
    this.#on.state(this.#state);
  }
}
