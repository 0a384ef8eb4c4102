/** A connection that tests drive by hand: a clock that moves when told to, and sockets that say what they are told. */
import { Connection } from "../connection.js";
import { Room } from "../room.js";

/** A clock that moves when it is told to. */
export class Clock {
  #now = 1_000_000;
  #timers = new Set();
  now() {
    return this.#now;
  }
  after(ms, then) {
    const timer = { at: this.#now + ms, then };
    this.#timers.add(timer);
    return timer;
  }
  cancel(timer) {
    this.#timers.delete(timer);
  }
  /** Somebody sets it. */
  set(byMs) {
    this.#now += byMs;
    for (const timer of this.#timers) timer.at += byMs;
  }
  /** The machine sleeps: timers stand still, and are late afterwards. */
  sleep(ms) {
    this.#now += ms;
  }
  async pass(ms) {
    await settle();
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.then();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets promises that are due run. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

export class FakeSocket {
  sent = [];
  closed = null;
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close(code) {
    this.closed = code;
  }
  says(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  breaks(code = 1006) {
    this.onclose({ code });
  }
  of(kind) {
    return this.sent.filter((message) => message.t === kind);
  }
}

export function setUp(whyNot) {
  const clock = new Clock();
  const sockets = [];
  const told = { states: [], messages: [], lags: [] };
  const identity = {
    user: "ann",
    renewed: 0,
    refreshed: 0,
    token: async () => "token",
    refresh: async () => `token-${(identity.refreshed += 1)}`,
    renew: async () => void (identity.renewed += 1),
  };
  const connection = new Connection({
    url: "ws://house/ws",
    identity,
    clock,
    random: () => 0.5,
    whyNot,
    openSocket: (url, protocol) => {
      const socket = Object.assign(new FakeSocket(), { url, protocol });
      sockets.push(socket);
      return socket;
    },
    on: {
      state: ({ name }) => told.states.push(name),
      lag: (ms) => told.lags.push(ms),
      welcome: () => {},
      message: (message) => told.messages.push(message),
    },
  });
  const welcome = { t: "welcome", user: "ann", name: "Ann", now_ms: clock.now(), expires_ms: clock.now() + 3_600_000, idle_ms: 30_000 };
  const greet = async (session = "00000000000000aa", more = {}) => {
    await settle();
    const socket = sockets.at(-1);
    socket.onopen();
    socket.says({ ...welcome, session, ...more });
    return socket;
  };
  const start = async (more) => {
    connection.connect();
    return greet(undefined, more);
  };
  return { clock, sockets, told, identity, connection, greet, start };
}

export function emptyRoom(id) {
  return new Room(id, () => {}, { event: () => {}, change: () => {} });
}
