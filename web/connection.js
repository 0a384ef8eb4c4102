/**
 * The connection to a relay: greets, resumes, keeps alive, reconnects, and sends commands so that each is applied once.
 *
 * It knows sockets only through `openSocket`, time only through `clock` and chance only through `random`, so tests
 * drive it by hand. Room messages go to the `Room` that follows the room; everything else goes to `on.message`.
 */
import { Commands } from "./commands.js";
import { afterClose, backoff, near } from "./retry.js";
import { Outcome } from "./room.js";
import { ServerClock } from "./server-clock.js";

export const SUBPROTOCOL = "cardhouse.v1";
/** How often we ask for the time; also keeps the connection from idling. */
export const PING_MS = 5_000;
/** So many pings in a row with nothing heard since mean that the line is dead, whatever the socket says. */
const MISSED_MAX = 2;
/** How long opening and greeting may take. */
const WELCOME_MAX_MS = 10_000;
/** A token is renewed so long before it expires, or at half of its time if that is later. */
const REFRESH_AHEAD_MS = 5 * 60_000;
/** Reception is not asked more often than this. */
const REFRESH_EVERY_MS = 2_000;
/** So many attempts in a row have failed before it is asked why. */
const ASK_WHY_AFTER = 2;

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
  #commands = new Commands();
  #rooms = new Map();
  #leaving = new Map();
  #gaps = 0;
  #lobbyWanted = false;
  #seat = null;
  #isNear = null;
  #connectsNear = false;
  #failures = 0;
  /** Attempts since the last `welcome` that did not come to one; a relay that has fallen silent counts. */
  #inVain = 0;
  #missed = 0;
  #greeted = new Set();
  #retry = null;
  #welcoming = null;
  #pinging = null;
  #refreshing = null;
  #attempt = 0;
  /** What the house has said about why it opens no socket. */
  #reason = "";
  #state = { name: "connecting", why: "" };

  /**
   * @param {object} parts
   * @param {string} parts.url of the WebSocket
   * @param {{user: string, token(): Promise<string>, refresh(): Promise<string>, renew(): Promise<void>}} parts.identity
   * @param {(url: string, protocol: string) => WebSocket} parts.openSocket
   * @param {{now(): number, after(ms, fn): any, cancel(timer): void}} parts.clock
   * @param {() => number} parts.random in [0, 1)
   * @param {() => Promise<string|null>} [parts.whyNot] asks why no socket is opened, which a socket's failure does not tell
   * @param {object} parts.on `state({name, why})`, `lag(ms)`, `welcome(message)`, `message(message)`
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
  }

  /** `online`, `connecting` or `offline` (given up until `connect` is called), and why. */
  get state() {
    return this.#state;
  }

  /** Connects now, whatever was waited for. Does nothing while online. */
  async connect() {
    if (this.#state.name === "online") return;
    this.#drop();
    const attempt = ++this.#attempt;
    this.#setState("connecting", this.#reason);
    let token;
    try {
      token = await this.#identity.token();
    } catch (error) {
      if (attempt === this.#attempt) this.#closed(1006, String(error));
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#isStillMe();
    this.#isNear = this.#connectsNear ? this.#seat : null;
    const place = near(this.#isNear, this.#inVain, this.#random);
    const socket = this.#openSocket(place ? `${this.#url}?near=${place}` : this.#url, SUBPROTOCOL);
    this.#socket = socket;
    socket.onopen = () => this.#greet(token);
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code);
    this.#welcoming = this.#clock.after(WELCOME_MAX_MS, () => this.#closed(1006, "The house does not answer."));
  }

  /** Leaves this socket for a new one with `resume`: after a gap, or when the machine has woken up. */
  reconnect() {
    this.#drop();
    this.#setState("connecting");
    this.connect();
  }

  /** Is the line alive? Asked when the page becomes visible or the network returns. */
  check() {
    if (this.#state.name === "connecting") this.connect();
    else if (this.#state.name === "online" && this.#missed === 0) this.#ping();
  }

  /** Begins to follow a room, over reconnects, until `unfollow`. */
  follow(room) {
    this.#rooms.set(room.id, room);
    this.#send({ t: "watch", room: room.id });
  }

  /** Ends it. */
  unfollow(room) {
    this.#rooms.delete(room.id);
    this.#unwatch(room.id);
  }

  /** Asks for a room's frames once more, which also takes a seat back from another window. */
  watchAgain(room) {
    this.#send({ t: "watch", room: room.id });
  }

  /** We have a seat in this room, or (`null`) none. If the house wants that, the connection moves to where the room's other players are. */
  seatedIn(room) {
    this.#seat = room?.id ?? null;
    const isElsewhere = this.#connectsNear && this.#seat !== null && this.#seat !== this.#isNear;
    if (isElsewhere && this.#state.name === "online") this.reconnect();
  }

  /** Whether lobby news are wanted. */
  lobby(on) {
    this.#lobbyWanted = on;
    this.#send({ t: "lobby", on });
  }

  /** Sends a command; the answer is its `ack` or `refused`, however many reconnects that takes. */
  command(room, what) {
    const { message, answer } = this.#commands.add(room, what);
    this.#send(message);
    return answer;
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

  #receive(message) {
    this.#missed = 0;
    switch (message.t) {
      case "welcome":
        return this.#welcome(message);
      case "refreshed":
        return this.#refreshBefore(message.expires_ms);
      case "ack":
      case "refused":
        return this.#commands.answered(message);
      case "keyframe":
      case "frame":
      case "private":
        return this.#roomSays(message);
      case "unwatched":
        return this.#unwatched(message);
      case "pong":
        this.serverClock.pong(message);
        return this.#on.lag(this.serverClock.lagMs);
      case "reconnect":
        return this.#leaveIn(message.after_ms);
      default:
        return this.#on.message(message);
    }
  }

  /** What is on its way from before an `unwatch` is not for one who has come back since. */
  #roomSays(message) {
    if (this.#leaving.has(message.room)) return;
    const outcome = this.#rooms.get(message.room)?.receive(message);
    if (outcome !== Outcome.Gap) return;
    this.#drop();
    this.#setState("connecting");
    this.#retry = this.#clock.after(backoff(this.#gaps++, this.#random), () => this.connect());
  }

  #unwatch(id) {
    if (this.#state.name !== "online") return;
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
    this.#reason = "";
    this.#connectsNear = message.near === true;
    this.#clock.cancel(this.#welcoming);
    const goesOn = this.#session === message.session;
    if (!goesOn) {
      if (this.#session) this.#commands.startOver();
      this.#session = message.session;
    }
    this.serverClock.reset();
    this.serverClock.roughly(message.now_ms);
    this.#setState("online");
    this.#on.welcome(message);
    if (this.#lobbyWanted) this.#send({ t: "lobby", on: true });
    this.#watchWhatChanged();
    if (goesOn && message.counts) this.#send({ t: "count", n: this.#commands.last });
    this.#commands.unanswered().forEach((command) => this.#send(command));
    this.#refreshBefore(message.expires_ms);
    this.#ping();
  }

  /** Rooms entered or left while the greeting was on its way. */
  #watchWhatChanged() {
    for (const id of this.#rooms.keys()) if (!this.#greeted.has(id)) this.#send({ t: "watch", room: id });
    for (const id of this.#greeted) if (!this.#rooms.has(id)) this.#unwatch(id);
  }

  #ping() {
    this.#clock.cancel(this.#pinging);
    if (this.#missed >= MISSED_MAX) {
      this.#inVain += 1;
      return this.reconnect();
    }
    this.#missed += 1;
    this.#send({ t: "ping", at: this.#clock.now() });
    this.#pinging = this.#clock.after(PING_MS, () => {
      this.#gaps = 0; // This connection has lasted.
      this.#ping();
    });
    return undefined;
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
    this.#clock.cancel(this.#retry);
    this.#retry = this.#clock.after(afterMs, () => this.reconnect());
  }

  async #closed(code, detail = "") {
    this.#drop();
    if (this.#state.name !== "online") this.#inVain += 1;
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
      }
      if (attempt !== this.#attempt) return undefined;
    }
    this.#retry = this.#clock.after(next.waitMs, () => this.connect());
    return undefined;
  }

  /** A refused socket looks to a page like one that broke; over HTTP the house says what is wrong. */
  async #askWhy() {
    const reason = (await this.#whyNot()) ?? "";
    if (this.#state.name !== "connecting" || reason === this.#reason) return;
    this.#reason = reason;
    this.#setState("connecting", reason);
  }

  /** Lets the socket go without waiting for its end. */
  #drop() {
    [this.#retry, this.#welcoming, this.#pinging, this.#refreshing].forEach((timer) => this.#clock.cancel(timer));
    this.#missed = 0;
    this.#leaving.clear();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  #send(message) {
    if (this.#state.name === "online") this.#socket.send(JSON.stringify(message));
  }

  #setState(name, why = "") {
    this.#state = { name, why };
    this.#on.state(this.#state);
  }
}
